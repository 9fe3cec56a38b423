"""Coordinates against other people's numbers, and shapes that are not as they should be."""

import csv
import math
from pathlib import Path

import numpy as np
import prcoords
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st
from pyproj import Geod

from geoapp.domain import geometry as geo

VECTORS = Path(__file__).parents[1] / "data" / "gcj02_bd09_vectors.csv"
WGS84 = Geod(ellps="WGS84")
in_china = st.tuples(st.floats(73.5, 135.0), st.floats(18.2, 53.5))
on_map = st.tuples(st.floats(-180, 180), st.floats(-85, 85))


def metres(a, b):
    return np.asarray(WGS84.inv(a[0], a[1], b[0], b[1])[2])


def columns(*pairs):
    """The rows of the vectors in which all of these columns are given, as arrays of lon and lat."""
    with VECTORS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if all(row[f"{pair}_lng"] for pair in pairs)]
    assert rows
    return [tuple(np.array([float(row[f"{p}_{axis}"]) for row in rows]) for axis in ("lng", "lat")) for p in pairs]


def test_the_vectors_hold_all_three_sources():
    with VECTORS.open(encoding="utf-8", newline="") as file:
        sources = {row["source"].split(":")[0] for row in csv.DictReader(file)}
    assert sources == {"gcoord", "eviltransform", "coordtransform"}


@pytest.mark.parametrize(
    ("start", "end", "convert", "tolerance_m"),
    [
        ("wgs84", "gcj02", geo.wgs84_to_gcj02, 1.0),
        ("gcj02", "wgs84", geo.gcj02_to_wgs84, 1.0),
        ("gcj02", "bd09", geo.gcj02_to_bd09, 0.2),
        ("bd09", "gcj02", geo.bd09_to_gcj02, 0.2),
        ("wgs84", "bd09", geo.wgs84_to_bd09, 1.2),
        ("bd09", "wgs84", geo.bd09_to_wgs84, 1.2),
    ],
)
def test_every_vector_is_met(start, end, convert, tolerance_m):
    given_place, expected = columns(start, end)
    found = convert(*given_place)
    assert metres(found, expected).max() <= tolerance_m


@given(in_china)
def test_there_and_back_is_less_than_a_millimetre(place):
    assert metres(geo.gcj02_to_wgs84(*geo.wgs84_to_gcj02(*place)), place) < 0.001
    assert metres(geo.bd09_to_gcj02(*geo.gcj02_to_bd09(*place)), place) < 0.001
    assert metres(geo.bd09_to_wgs84(*geo.wgs84_to_bd09(*place)), place) < 0.001


@given(in_china)
def test_another_library_finds_the_same(place):
    lon, lat = place
    theirs = prcoords.wgs_gcj(prcoords.Coords(lat, lon))
    assert metres(geo.wgs84_to_gcj02(lon, lat), (theirs.lon, theirs.lat)) < 0.01
    theirs = prcoords.gcj_bd(prcoords.Coords(lat, lon))
    assert metres(geo.gcj02_to_bd09(lon, lat), (theirs.lon, theirs.lat)) < 0.01


@pytest.mark.parametrize("place", [(-118.24, 34.05), (2.35, 48.86), (151.2, -33.87), (0.0, 0.0), (72.0, 30.0)])
@pytest.mark.parametrize(
    "convert",
    [
        geo.wgs84_to_gcj02,
        geo.gcj02_to_wgs84,
        geo.gcj02_to_bd09,
        geo.bd09_to_gcj02,
        geo.wgs84_to_bd09,
        geo.bd09_to_wgs84,
    ],
)
def test_outside_china_nothing_moves(place, convert):
    assert convert(*place) == place


def test_numbers_give_numbers_and_arrays_give_arrays():
    lon, lat = geo.wgs84_to_gcj02(106.65, 29.03)
    many, _ = geo.wgs84_to_gcj02(np.array([106.65, -118.0]), np.array([29.03, 34.0]))
    assert type(lon) is float
    assert type(lat) is float
    assert many.tolist() == [lon, -118.0]


def test_what_is_no_number_stays_none_without_a_warning():
    lon, lat = geo.wgs84_to_gcj02(np.array([math.nan, math.inf]), np.array([29.0, 29.0]))
    assert math.isnan(lon[0])
    assert math.isinf(lon[1])
    assert lat.tolist() == [29.0, 29.0]


@pytest.mark.parametrize(
    ("crs", "point", "expected"),
    [
        ("EPSG:4326", (106.65, 29.03), (106.65, 29.03)),
        ("EPSG:4490", (106.65, 29.03), (106.65, 29.03)),
        (
            "EPSG:3857",
            (math.radians(106.65) * 6378137, math.asinh(math.tan(math.radians(29.03))) * 6378137),
            (106.65, 29.03),
        ),
        ("EPSG:4545", (500000.0, 3212500.0), (108.0, 29.0291)),
        ("EPSG:4524", (36500000.0, 3212500.0), (108.0, 29.0291)),
        ("EPSG:4544", (500000.0, 3212500.0), (105.0, 29.0291)),
        ("EPSG:4523", (35500000.0, 3212500.0), (105.0, 29.0291)),
        ("gcj02", geo.wgs84_to_gcj02(106.65, 29.03), (106.65, 29.03)),
        ("GCJ02", geo.wgs84_to_gcj02(106.65, 29.03), (106.65, 29.03)),
        ("bd09", geo.wgs84_to_bd09(106.65, 29.03), (106.65, 29.03)),
    ],
)
def test_a_geometry_comes_to_wgs84_with_easting_first(crs, point, expected):
    found = geo.to_wgs84(shapely.Point(point), crs)
    assert (found.x, found.y) == pytest.approx(expected, abs=2e-4)


def test_many_geometries_convert_at_once_and_lose_their_heights():
    flat, none = geo.to_wgs84(np.array([shapely.Point(106, 29, 350), None]), "EPSG:4490")
    assert flat.wkt == "POINT (106 29)"
    assert none is None


@pytest.mark.parametrize(
    "crs",
    [
        "EPSG:99999999",
        "nonsense",
        "EPSG:5703",
        'LOCAL_CS["here",UNIT["metre",1]]',
        "+proj=longlat +nadgrids=/etc/passwd",
        "+proj=longlat +nadgrids=http://127.0.0.1/x.gsb",
        "",
    ],
)
def test_an_unknown_system_is_refused_and_no_grid_file_is_opened(crs):
    assert not geo.is_known_crs(crs)
    with pytest.raises(ValueError, match=r"coordinate|system"):
        geo.to_wgs84(shapely.Point(1, 2), crs)


def test_a_system_that_cannot_be_converted_is_refused(monkeypatch):
    def fail(*_args, **_kwargs):
        raise geo.ProjError("no way")

    monkeypatch.setattr(geo.Transformer, "from_crs", fail)
    with pytest.raises(ValueError, match="cannot be converted"):
        geo.to_wgs84(shapely.Point(1, 2), "EPSG:2154")


@pytest.mark.parametrize(
    ("crs", "degrees"), [("EPSG:4490", True), ("gcj02", True), ("EPSG:4545", False), ("EPSG:3857", False)]
)
def test_a_system_says_whether_it_counts_degrees(crs, degrees):
    assert geo.is_known_crs(crs)
    assert geo.is_geographic(crs) is degrees


@pytest.mark.parametrize(
    ("lon", "lat", "epsg"),
    [
        (106.65, 29.03, 32648),
        (-118.2, 34.0, 32611),
        (151.2, -33.9, 32756),
        (180.0, 10.0, 32660),
        (-180, 0, 32601),
    ],
)
def test_the_metric_system_is_the_utm_zone(lon, lat, epsg):
    assert geo.suitable_metric_crs(lon, lat) == epsg


@given(on_map)
def test_a_blurred_place_is_near_and_blurring_again_moves_nothing(place):
    once = geo.blur(*place)
    assert geo.blur(*once) == once
    assert metres(once, place) <= 71.2
    assert geo.looks_like_degrees((once[0], once[1], once[0], once[1]))


@given(on_map, st.floats(0, 2 * math.pi), st.floats(0, 40))
def test_places_of_one_cell_are_blurred_to_one_place(place, bearing, distance_m):
    centre = geo.blur(*place)
    lon, lat, _ = WGS84.fwd(centre[0], centre[1], math.degrees(bearing), distance_m)
    if abs(centre[0]) < 179.99:
        assert geo.blur(lon, lat) == centre


def test_blurring_arrays_equals_blurring_one_by_one():
    lon, lat = np.array([106.65, 106.6512, -118.25]), np.array([29.03, 29.031, 34.05])
    many = geo.blur(lon, lat)
    assert [(float(x), float(y)) for x, y in zip(*many, strict=True)] == [
        geo.blur(float(x), float(y)) for x, y in zip(lon, lat, strict=True)
    ]


@pytest.mark.parametrize(
    ("bounds", "degrees", "swapped"),
    [
        ((106.3, 28.4, 107.1, 29.2), True, False),
        ((28.4, 106.3, 29.2, 107.1), False, True),
        ((11_800_000, 3_300_000, 11_900_000, 3_400_000), False, False),
        ((-180, -90, 180, 90), True, False),
        ((math.nan, 0, 1, 1), False, False),
        ((0, 0, math.inf, 1), False, False),
        ((0, 0, 1e308, 1), False, False),
    ],
)
def test_bounds_tell_degrees_from_metres_and_from_exchanged_axes(bounds, degrees, swapped):
    assert geo.looks_like_degrees(bounds) is degrees
    assert geo.looks_swapped(bounds) is swapped


SQUARE = "POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))"
SHAPES = {
    "a good square": (SQUARE, 4.0, ""),
    "a clockwise square": ("POLYGON ((0 0, 0 2, 2 2, 2 0, 0 0))", 4.0, ""),
    "a bow-tie": ("POLYGON ((0 0, 2 2, 0 2, 2 0, 0 0))", 2.0, "Self-intersection"),
    "a spike": ("POLYGON ((0 0, 2 0, 2 1, 9 1, 2 1, 2 2, 0 2, 0 0))", 4.0, "made valid"),
    "a hole outside": ("POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0), (5 5, 6 5, 6 6, 5 5))", 4.5, "Hole lies outside"),
    "a hole over the edge": (
        "POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0), (1 1, 3 1, 3 1.5, 1 1.5, 1 1))",
        3.5,
        "made",
    ),
    "nested shells": (f"MULTIPOLYGON ({SQUARE[8:]}, ((1 1, 1.5 1, 1.5 1.5, 1 1)))", 4.0, "Nested shells"),
    "overlapping parts": (f"MULTIPOLYGON ({SQUARE[8:]}, ((1 1, 3 1, 3 3, 1 3, 1 1)))", 7.0, "made valid"),
    "doubled points": ("POLYGON ((0 0, 0 0, 2 0, 2 0, 2 2, 0 2, 0 2, 0 0))", 4.0, ""),
    "no area": ("POLYGON ((0 0, 1 1, 2 2, 0 0))", 0.0, "without area"),
    "an empty polygon": ("POLYGON EMPTY", 0.0, "without area"),
    "an empty collection": ("GEOMETRYCOLLECTION EMPTY", 0.0, ""),
    "a point": ("POINT (1 1)", 0.0, "without area"),
    "a line": ("LINESTRING (0 0, 1 1)", 0.0, "without area"),
    "heights": ("POLYGON Z ((0 0 5, 2 0 5, 2 2 5, 0 2 5, 0 0 5))", 4.0, "heights"),
    "measures": ("POLYGON M ((0 0 5, 2 0 5, 2 2 5, 0 2 5, 0 0 5))", 4.0, "heights"),
    "heights and measures": ("POLYGON ZM ((0 0 5 1, 2 0 5 1, 2 2 5 1, 0 2 5 1, 0 0 5 1))", 4.0, "heights"),
    "a mixed collection": (
        f"GEOMETRYCOLLECTION (POINT (1 1), {SQUARE}, LINESTRING (0 0, 9 9))",
        4.0,
        "2 part",
    ),
    "a nested collection": (
        f"GEOMETRYCOLLECTION (GEOMETRYCOLLECTION (MULTIPOLYGON ({SQUARE[8:]})))",
        4.0,
        "",
    ),
    "overlaps within a collection": (
        f"GEOMETRYCOLLECTION ({SQUARE}, POLYGON ((1 1, 3 1, 3 3, 1 3, 1 1)))",
        7.0,
        "overlap",
    ),
    "negative zero": ("POLYGON ((-0.0 -0.0, 2 0, 2 2, 0 2, -0.0 -0.0))", 4.0, ""),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_repaired_and_says_what_was_done(shape):
    wkt, area, problem = SHAPES[shape]
    repaired, problems = geo.repair(shapely.from_wkt(wkt))
    assert repaired.geom_type == "MultiPolygon"
    assert repaired.is_valid
    assert not repaired.has_z
    assert repaired.area == pytest.approx(area)
    assert problem in " ".join(problems)
    assert bool(problems) is bool(problem)
    assert all(part.exterior.is_ccw for part in repaired.geoms)


DEGREES = st.floats(-10, 10).map(lambda value: round(value, 11))


@given(st.lists(st.tuples(DEGREES, DEGREES), min_size=4, max_size=12))
@example([(0, 7.4), (0, -3.7), (-3, 3.3), (0, 2.2e-308), (5e-324, -1.2e-266), (0.5, 10), (0, 0), (-6.5, 1e-17)])
def test_whatever_the_ring_the_repair_is_valid_and_needs_no_repair(ring):
    repaired, _ = geo.repair(shapely.Polygon(ring))
    again, problems = geo.repair(repaired)
    assert repaired.is_valid
    assert problems == ()
    assert again.equals_exact(repaired)


@pytest.mark.parametrize(
    ("wkt", "parts", "problem"),
    [
        ("LINESTRING (0 0, 1 1)", 1, ""),
        ("MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))", 2, ""),
        ("LINESTRING (0 0, 0 0)", 0, "without length"),
        (SQUARE, 0, "without length"),
    ],
)
def test_lines_are_kept_where_lines_are_wanted(wkt, parts, problem):
    repaired, problems = geo.repair(shapely.from_wkt(wkt), lines=True)
    assert repaired.geom_type == "MultiLineString"
    assert len(repaired.geoms) == parts
    assert problem in " ".join(problems)


def test_area_and_length_are_metres_on_the_ellipsoid():
    square = shapely.box(106.0, 29.0, 106.01, 29.01)
    with_hole = square.difference(shapely.box(106.002, 29.002, 106.004, 29.004))
    clockwise = shapely.orient_polygons(square, exterior_cw=True)
    area, perimeter = WGS84.geometry_area_perimeter(square)
    assert geo.geodesic_area_m2(square) == pytest.approx(area)
    assert geo.geodesic_area_m2(clockwise) == pytest.approx(area)
    assert geo.geodesic_area_m2(with_hole) == pytest.approx(area * 0.96, rel=1e-4)
    assert geo.geodesic_length_m(square) == pytest.approx(perimeter)
    assert geo.geodesic_length_m(shapely.LineString([(106.0, 29.0), (106.0, 29.01)])) == pytest.approx(1108.5, abs=1)


def test_a_grid_cell_has_one_name_for_all_its_places_and_its_neighbours_another():
    lon, lat = geo.blur(106.65, 29.03)

    assert geo.cell_code(106.65, 29.03) == geo.cell_code(lon, lat)
    assert geo.cell_code(lon + 0.0011, lat) != geo.cell_code(lon, lat)
    assert geo.cell_code(lon, lat + 0.001) != geo.cell_code(lon, lat)
