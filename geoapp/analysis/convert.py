"""Between GeoDataFrames and the columns of domain.spatial. No reading, no computing."""

from typing import Any

import geopandas
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geoapp.domain.spatial.columns import Areas, Codes, Issues, Table
from geoapp.errors import BadInput

WGS84 = "EPSG:4326"
WORDS = ("category", "state", "verdict", "community", "unit")
"""Columns of words that analyses use if they are there; ``reported_at`` and ``ended_at`` are instants."""


def issues_of(frame: geopandas.GeoDataFrame) -> Issues:
    """A frame of any geometry and system as issues: the middle of what is no point. Raises BadInput without a CRS."""
    shapes = _degrees(frame)
    points = np.asarray(shapely.point_on_surface(shapes))
    single = shapely.get_type_id(shapes) == 0
    points[single] = shapes[single]
    words = {name: Codes.of(frame[name].fillna("").to_numpy()) for name in WORDS if name in frame}
    instants = {
        ours: _instants(frame[theirs])
        for ours, theirs in (("reported", "reported_at"), ("ended", "ended_at"))
        if theirs in frame
    }
    query = frame.attrs.get("query", {})
    return Issues.points(shapely.get_x(points), shapely.get_y(points), **words, **instants, query=query)


def frame_of_issues(issues: Issues) -> geopandas.GeoDataFrame:
    """Issues as a frame with the columns that ``issues_of`` reads."""
    columns: dict[str, Any] = {name: getattr(issues, name).words() for name in WORDS}
    columns["reported_at"] = pd.to_datetime(issues.reported, utc=True)
    columns["ended_at"] = pd.to_datetime(issues.ended, utc=True)
    if issues.numbers is not None:
        columns = {"number": issues.numbers, **columns}
    points = shapely.points(issues.lon, issues.lat)
    frame = geopandas.GeoDataFrame(columns, geometry=np.asarray(points), crs=WGS84)
    frame.attrs["query"] = issues.query
    return frame


def areas_of(frame: geopandas.GeoDataFrame) -> Areas:
    """A frame of polygons as areas; ``code``, ``zh``, ``en`` (or ``name``) and ``residents`` are read if there."""
    shapes = _degrees(frame)
    code = tuple(frame["code"].astype(str)) if "code" in frame else tuple(map(str, frame.index))
    named = [tuple(frame[name].fillna("").astype(str)) for name in ("zh", "en", "name") if name in frame]
    residents = frame["residents"].to_numpy(dtype=float) if "residents" in frame else np.full(len(frame), np.nan)
    return Areas(code, named[0] if named else code, named[-1] if named else code, shapes, residents)


def frame_of_areas(areas: Areas) -> geopandas.GeoDataFrame:
    columns = {"code": areas.code, "zh": areas.zh, "en": areas.en, "residents": areas.residents}
    return geopandas.GeoDataFrame(columns, geometry=areas.geometry, crs=WGS84)


def frame_of(table: Table, *, series: tuple[str, ...] = ()) -> geopandas.GeoDataFrame:
    """A table as a frame; columns per slice become one column per slice, named by ``series``."""
    flat: dict[str, Any] = {}
    for name, column in table.columns.items():
        if column.ndim == 1:
            flat[name] = column
        else:
            flat |= {f"{name}_{one.replace('-', '_')}": column[:, n] for n, one in enumerate(series)}
    frame = geopandas.GeoDataFrame(flat, geometry=table.geometry, crs=WGS84)
    frame.attrs["how"] = table.how.as_json()
    return frame


def polygon_of(area: Any) -> Any:
    """A study area as one polygon in EPSG:4326: a frame, a shapely geometry in degrees, or None."""
    if isinstance(area, (geopandas.GeoDataFrame, geopandas.GeoSeries)):
        return shapely.union_all(_degrees(area))
    return area


def _degrees(frame: Any) -> NDArray[Any]:
    if frame.crs is None:
        raise BadInput("crs", "missing")
    return np.asarray(frame.geometry.to_crs(WGS84).array, dtype=object).copy()


def _instants(column: Any) -> NDArray[np.datetime64]:
    parsed = pd.to_datetime(column, utc=True, errors="coerce")
    return np.asarray(parsed.dt.tz_localize(None).to_numpy().astype("datetime64[s]"))
