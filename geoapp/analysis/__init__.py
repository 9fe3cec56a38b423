"""The analyses for notebooks and programs: GeoDataFrames in, GeoDataFrames out; no Flask is imported.

Why a floor of its own, beside web and demo? It is one more door, for people who write Python: it reads through
services, so that the viewer enters every query, and computes with domain.spatial. Results are in EPSG:4326; each
carries ``frame.attrs["how"]``: method, parameters, seed, version, coordinate system, what was used and what dropped.
"""

from geoapp.analysis.frames import (
    association,
    clusters,
    colocation,
    compare,
    density,
    effect,
    hot_spots,
    recurrence,
    repeats,
    seasons,
    trends,
)
from geoapp.analysis.reading import read_areas, read_issues
from geoapp.analysis.writing import write

__all__ = [
    "association",
    "clusters",
    "colocation",
    "compare",
    "density",
    "effect",
    "hot_spots",
    "read_areas",
    "read_issues",
    "recurrence",
    "repeats",
    "seasons",
    "trends",
    "write",
]
