"""The unclear land of a real city against an overlay by geopandas: the same land, the same units, to 1 m²."""

from datetime import date
from itertools import combinations

import geopandas as gpd
import pytest
import shapely
from pyproj import Geod
from sqlalchemy import text

from geoapp import config
from geoapp.domain.overlay import SLIVER_M2
from geoapp.domain.values import OPERATOR
from geoapp.services import boundaries, categories
from geoapp.store import session

DATA = config.PACKAGE.parents[1] / "shared" / "data" / "la"
COUNCILS, DISTRICTS = DATA / "neighborhood_councils_2019.geojson", DATA / "council_districts_2012.geojson"
TODAY = date(2026, 11, 20)
MOST_M2 = 1.0

pytestmark = pytest.mark.skipif(
    not (COUNCILS.is_file() and DISTRICTS.is_file()),
    reason="the boundaries of Los Angeles are not in ../shared/data/la beside the project",
)


def area_m2(area):
    return abs(Geod(ellps="WGS84").geometry_area_perimeter(area)[0])


def pieces(frame):
    """Connected pieces that are more than noise."""
    alone = frame.geometry.explode(index_parts=False)
    alone = alone[alone.geom_type == "Polygon"]
    return [part for part in alone if area_m2(part) > SLIVER_M2]


@pytest.fixture(scope="module")
def stored(further_database):
    """Units and area of each piece that the layer has: the 99 councils as jurisdictions, in the 15 districts."""
    settings = config.read({"GEOAPP_DATABASE_URL": further_database("land_of_los_angeles")})
    engine = session.connect(settings.database_url)
    categories.sync(OPERATOR, settings.categories_file)
    for file, kind, code in ((DISTRICTS, "community", "external_id"), (COUNCILS, "jurisdiction", "nc_id")):
        boundaries.import_file(OPERATOR, file, kind=kind, name="name", code=code, unit=code, today=TODAY)
    with engine.connect() as db:
        rows = db.execute(
            text(
                "SELECT class AS verdict, ARRAY(SELECT code FROM unit WHERE unit.id = ANY (unit_ids)) AS units, "
                "ST_AsBinary(area) AS area FROM unclear_land"
            )
        ).all()
        study = db.execute(text("SELECT ST_AsBinary(area) FROM boundary")).scalars().all()
        areas = db.execute(
            text("SELECT u.code, ST_AsBinary(j.area) FROM jurisdiction j JOIN unit u ON u.id = j.unit_id")
        ).all()
    session.disconnect()
    councils = gpd.GeoDataFrame(
        {"code": [code for code, _ in areas]}, geometry=[shapely.from_wkb(bytes(wkb)) for _, wkb in areas], crs=4326
    )
    place = gpd.GeoDataFrame(geometry=[shapely.from_wkb(bytes(wkb)) for wkb in study], crs=4326)
    return [(row.verdict, frozenset(row.units), shapely.from_wkb(bytes(row.area))) for row in rows], councils, place


def overlaps(councils):
    """Land of exactly these units, by pairwise overlay: what two share, less what others hold of it."""
    pairs = gpd.overlay(councils, councils, how="intersection", keep_geom_type=True)
    pairs = pairs[pairs.code_1 < pairs.code_2]
    sets = {frozenset(pair) for pair in zip(pairs.code_1, pairs.code_2, strict=True)}
    sets |= {a | b for a, b in combinations(sets, 2) if a & b}
    shapes = dict(zip(councils.code, councils.geometry, strict=True))
    found = {}
    for units in sets:
        shared = shapely.intersection_all([shapes[code] for code in units])
        others = councils[~councils.code.isin(units)]
        others = others[others.intersects(shared)]
        land = gpd.GeoDataFrame(geometry=[shared], crs=4326).difference(shapely.union_all(others.geometry.to_numpy()))
        if parts := pieces(land):
            found[units] = parts
    return found


def test_contested_land_is_what_an_overlay_of_the_jurisdictions_finds(stored):
    layer, councils, _ = stored
    expected = overlaps(councils)

    ours = {}
    for verdict, units, area in layer:
        if verdict == "contested":
            ours.setdefault(units, []).append(area)
    assert set(ours) == set(expected)
    assert len(expected) > 33
    for units, parts in expected.items():
        apart = shapely.symmetric_difference(shapely.union_all(ours[units]), shapely.union_all(parts))
        assert area_m2(apart) <= MOST_M2, units


def test_orphan_land_is_what_is_left_of_the_city(stored):
    layer, councils, place = stored
    left = gpd.overlay(place.dissolve(), councils.dissolve(), how="difference", keep_geom_type=True)
    expected = pieces(left)

    ours = [area for verdict, _, area in layer if verdict == "orphan"]
    apart = shapely.symmetric_difference(shapely.union_all(ours), shapely.union_all(expected))
    # Of a thousand pieces some hang together by a point, and what is noise depends on which: so piece by piece.
    assert max(map(area_m2, shapely.get_parts(apart))) <= MOST_M2
    assert sum(map(area_m2, ours)) == pytest.approx(sum(map(area_m2, expected)), rel=1e-6)
    assert sum(map(area_m2, ours)) > 1e6
