"""geoapp: community infrastructure issues on a map, and whose each of them is.

Issues are geo-points in PostGIS. They are laid over community boundaries and the jurisdictions of
responsible units, judged (权责判定), and shown on Folium maps to residents, first secretaries and
planners. README.md has the map of the house; ``app.py`` is where its rooms are put together.
"""

__version__ = "0.1.0"
