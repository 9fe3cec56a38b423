"""Coordinates and shapes: systems of coordinates, validity, metres and square metres, the 100 m grid.

Arrays or single numbers in, the same out; shapely geometries in, shapely geometries out. Longitude
stands before latitude everywhere. Nothing here reads a file or knows a table.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import CRSError, ProjError
from shapely.geometry import MultiLineString, MultiPolygon
from shapely.geometry.base import BaseGeometry

MAX_VERTICES = 50_000
"""More vertices than this in one feature are refused: no community needs them, and every map would pay."""
MAX_RINGS = 10_000
MAX_LATITUDE = 85.0
"""Beyond it Web Mercator, the system of our tiles, ends."""
GRID_M = 100.0
"""Width and height of a cell of the grid that blurred places are shown on (metres)."""

Degrees = TypeVar("Degrees", float, NDArray[np.float64])
Floats = NDArray[np.float64]
_Shift = Callable[[Floats, Floats], tuple[Floats, Floats]]

_EAST, _NORTH = 180.0, 90.0
_GCJ_A = 6378245.0
_GCJ_EE = 0.00669342162296594323
_BD_PI = math.pi * 3000.0 / 180.0
_CHINA = (72.004, 0.8293, 137.8347, 55.8271)
_ITERATIONS = 12
_EARTH_RADIUS_M = 6371008.8
_ROW_DEGREES = GRID_M / (_EARTH_RADIUS_M * math.pi / 180)
_WGS84 = Geod(ellps="WGS84")


def wgs84_to_gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """WGS-84 to GCJ-02 (火星坐标), degrees; outside the usual box of China nothing is shifted.

    The formula is that of gcoord and eviltransform (both MIT), on the Krasovsky ellipsoid.
    """
    return _within_china(_gcj_shift, lon, lat)


def gcj02_to_wgs84(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """GCJ-02 to WGS-84, degrees: the exact inverse, found by iteration to far below a millimetre."""
    return _within_china(_inverse(_gcj_shift), lon, lat)


def gcj02_to_bd09(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """GCJ-02 to BD-09 (百度坐标), degrees; outside the usual box of China nothing is shifted."""
    return _within_china(_bd_shift, lon, lat)


def bd09_to_gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """BD-09 to GCJ-02, degrees: the exact inverse, found by iteration."""
    return _within_china(_inverse(_bd_shift), lon, lat)


def wgs84_to_bd09(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    return gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))


def bd09_to_wgs84(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))


def is_known_crs(crs: str) -> bool:
    """Can ``to_wgs84`` read this name of a coordinate system?"""
    try:
        _to_wgs84(crs)
    except ValueError:
        return False
    return True


def is_geographic(crs: str) -> bool:
    """Are this system's coordinates degrees? Raises ValueError for an unknown system."""
    return crs.lower() in _CHINESE or _parsed(crs).is_geographic


def to_wgs84(geometry: Any, crs: str) -> Any:
    """A geometry, or an array of them, from ``crs`` to EPSG:4326; heights are dropped.

    ``crs`` is ``EPSG:n`` (also CGCS2000, EPSG:4490, and its Gauss–Krüger zones), WKT, ``gcj02`` or
    ``bd09``. Axes are always taken as easting before northing, as files hold them, whatever the
    authority says. What cannot be converted becomes infinite. Raises ValueError for an unknown system.
    """
    convert = _to_wgs84(crs)

    def columns(xy: Floats) -> Floats:
        return np.column_stack(convert(xy[:, 0], xy[:, 1]))

    return shapely.transform(shapely.force_2d(geometry), columns)


def suitable_metric_crs(lon: float, lat: float) -> int:
    """EPSG code of the UTM zone on WGS-84 that holds this place: metres, true to 0.1 % within the zone.

    The widened zones of Norway and Spitsbergen are not observed; their neighbours serve as well here.
    """
    zone = min(int((lon + 180) // 6) + 1, 60)
    return (32600 if lat >= 0 else 32700) + zone


def blur(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """The centre of the 100 m grid cell that a place lies in (EPSG:4326, degrees), at most 71 m away.

    Rows are 100 m of latitude; each row has columns of 100 m at its own middle. A centre is its own
    centre, so blurring twice tells nothing more, and equal input gives equal output for ever.
    """
    x, y = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    row = (np.floor(y / _ROW_DEGREES) + 0.5) * _ROW_DEGREES
    width = _ROW_DEGREES / np.cos(np.radians(row))
    column = (np.floor(x / width) + 0.5) * width
    return _like(lon, np.clip(column, -_EAST, _EAST), row)


def cell_code(lon: float, lat: float) -> str:
    """The name of the grid cell (单元网格) of 100 m that a place lies in: its row and column, as ``32212-103454``."""
    row = math.floor(lat / _ROW_DEGREES)
    width = _ROW_DEGREES / math.cos(math.radians((row + 0.5) * _ROW_DEGREES))
    return f"{row}-{math.floor(lon / width)}"


def looks_like_degrees(bounds: tuple[float, float, float, float]) -> bool:
    """Can west, south, east, north be degrees? Infinite or missing numbers cannot."""
    west, south, east, north = bounds
    return -_EAST <= west <= east <= _EAST and -_NORTH <= south <= north <= _NORTH


def looks_swapped(bounds: tuple[float, float, float, float]) -> bool:
    """Not degrees as they stand, but degrees with latitude and longitude exchanged?"""
    west, south, east, north = bounds
    return not looks_like_degrees(bounds) and looks_like_degrees((south, west, north, east))


_FINEST_DEG = 1e-11
"""About a thousandth of a millimetre: finer no place can be told."""


def repair(geometry: BaseGeometry, *, lines: bool = False) -> tuple[BaseGeometry, tuple[str, ...]]:
    """A valid multipolygon (or, with ``lines``, a multiline) and what had to be done for it, in sentences.

    Self-crossings are resolved, parts of another kind dropped, heights dropped, shells turned
    anticlockwise (not told: shapefiles turn them the other way by rule). Nothing left is an empty
    geometry, not an error.
    """
    problems: list[str] = []
    if geometry.has_z or getattr(geometry, "has_m", False):
        geometry = shapely.force_2d(geometry)
        problems.append("heights or measures were dropped")
    if not geometry.is_valid:
        problems.append(f"made valid: {shapely.is_valid_reason(geometry)}")
        # Vertices that lie next to nothing apart can leave what is made of them invalid again.
        geometry = shapely.set_precision(geometry, _FINEST_DEG, mode="pointwise")
        geometry = shapely.make_valid(geometry, method="structure", keep_collapsed=False)
    kind = "LineString" if lines else "Polygon"
    parts = _flat(geometry)
    kept = [part for part in parts if part.geom_type == kind and not part.is_empty]
    if len(kept) < len(parts):
        problems.append(f"{len(parts) - len(kept)} part(s) without {'length' if lines else 'area'} were dropped")
    if lines:
        return MultiLineString(kept), tuple(problems)
    whole = MultiPolygon(kept)
    if not whole.is_valid:
        problems.append("parts that overlap each other were joined")
        whole = MultiPolygon(_flat(shapely.union_all(kept)))
    return shapely.orient_polygons(whole), tuple(problems)


def geodesic_area_m2(geometry: BaseGeometry) -> float:
    """Area on the WGS-84 ellipsoid in square metres of a geometry in EPSG:4326."""
    area, _ = _WGS84.geometry_area_perimeter(shapely.orient_polygons(geometry))
    return float(area)


def geodesic_length_m(geometry: BaseGeometry) -> float:
    """Length of a line, or of an area's outline, on the WGS-84 ellipsoid in metres (EPSG:4326)."""
    return float(_WGS84.geometry_length(geometry))


def geodesic_distances_m(points: Floats) -> Floats:
    """Metres on the WGS-84 ellipsoid between all of these points (rows of lon, lat in EPSG:4326), as a table."""
    lon, lat = points[:, 0], points[:, 1]
    count = len(points)
    _, _, metres = _WGS84.inv(np.repeat(lon, count), np.repeat(lat, count), np.tile(lon, count), np.tile(lat, count))
    return np.asarray(metres, dtype=float).reshape(count, count)


def _flat(geometry: BaseGeometry) -> list[Any]:
    parts = shapely.get_parts(geometry)
    if geometry.geom_type != "GeometryCollection":
        return list(parts)
    return [single for part in parts for single in _flat(part)]


def _like(example: Degrees, x: Any, y: Any) -> tuple[Degrees, Degrees]:
    """Give back arrays for an array, plain numbers for a number."""
    if isinstance(example, np.ndarray):
        return x, y
    return float(x), float(y)


def _within_china(move: _Shift, lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    x, y = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    west, south, east, north = _CHINA
    inside = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    # Where nothing is shifted the formula still runs: it must not meet NaN or infinity there.
    moved_x, moved_y = move(np.where(inside, x, 105.0), np.where(inside, y, 35.0))
    return _like(lon, np.where(inside, moved_x, x), np.where(inside, moved_y, y))


def _inverse(move: _Shift) -> _Shift:
    """The inverse of a shift that changes little from place to place: each round is ~500 times nearer."""

    def back(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        guess_x, guess_y = x, y
        for _ in range(_ITERATIONS):
            there_x, there_y = move(guess_x, guess_y)
            guess_x, guess_y = guess_x + (x - there_x), guess_y + (y - there_y)
        return guess_x, guess_y

    return back


def _gcj_shift(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    x, y = lon - 105.0, lat - 35.0
    pi, sin = math.pi, np.sin
    root = np.sqrt(np.abs(x))
    common = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common
    north += (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
    north += (160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common
    east += (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
    east += (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    phi = np.radians(lat)
    magic = 1 - _GCJ_EE * sin(phi) ** 2
    meridian = _GCJ_A * (1 - _GCJ_EE) / (magic * np.sqrt(magic))
    parallel = _GCJ_A / np.sqrt(magic) * np.cos(phi)
    return lon + np.degrees(east / parallel), lat + np.degrees(north / meridian)


def _bd_shift(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_PI)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_PI)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


_CHINESE: dict[str, _Shift] = {"gcj02": gcj02_to_wgs84, "bd09": bd09_to_wgs84}


def _to_wgs84(crs: str) -> _Shift:
    return _CHINESE.get(crs.lower()) or _transformer(crs)


def _parsed(crs: str) -> CRS:
    # Grid files are named by path or address; a coordinate system out of somebody's file must open neither.
    if "grids" in crs.lower():
        raise ValueError("a coordinate system that needs grid files cannot be used")
    try:
        system = CRS.from_user_input(crs)
    except CRSError as error:
        raise ValueError(f"{crs!r} is no known coordinate system") from error
    if not system.is_geographic and not system.is_projected:
        raise ValueError(f"{crs!r} is no system of longitude and latitude, nor of a map")
    return system


@lru_cache(maxsize=32)
def _transformer(crs: str) -> _Shift:
    try:
        return Transformer.from_crs(_parsed(crs), 4326, always_xy=True).transform
    except ProjError as error:
        raise ValueError(f"{crs!r} cannot be converted to WGS-84") from error
