"""Spatial statistics on arrays: metres in, arrays out; deterministic with a seed, each result saying how.

Why own array code beside PySAL and scikit-learn? A million issues: bin once, convolve, vectorise (the tests hold
it to esda, scikit-learn, scipy, KDEpy and pymannkendall). ``study.py`` puts the pieces together to whole
analyses of issues in degrees. Heavy libraries are imported where they are used.
"""
