"""A road network comes in as a whole or not at all, and is asked for legs; without one they are estimates."""

import json

import pytest
import shapely
from pyproj import Geod

from geoapp.domain.roadnet import line_of
from geoapp.domain.roads import DETOUR, Mode, RoadClass
from geoapp.domain.routes import Basis
from geoapp.domain.values import OPERATOR
from geoapp.errors import BadFile
from geoapp.services import roads
from geoapp.store import roads as store
from geoapp.store import session

pytestmark = pytest.mark.usefixtures("clean")
ELLIPSOID = Geod(ellps="WGS84")
LON, LAT = 106.65, 29.02
EAST, NORTH = 1 / 97_380, 1 / 110_850


def at(east, north):
    return round(LON + east * EAST, 7), round(LAT + north * NORTH, 7)


def line(*metres):
    return shapely.LineString([at(*place) for place in metres])


def a_file(folder, *features, name="roads.geojson"):
    file = folder / name
    shapes = [
        {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(shape)}
        for properties, shape in features
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": shapes}), encoding="utf-8")
    return file


CROSS = (
    ({"fclass": "residential", "oneway": "B", "name": "Main Street"}, line((0, 0), (200, 0), (400, 0))),
    ({"fclass": "footway", "oneway": "F", "name": None}, line((200, 0), (200, 300))),
)


def test_a_file_becomes_a_network_that_legs_follow(tmp_path):
    report = roads.import_file(OPERATOR, a_file(tmp_path, *CROSS), kind="fclass", oneway="oneway", name="name")

    found = roads.matrix([at(0, 0), at(200, 300)], mode=Mode.WALKING)
    (leg,) = roads.legs([at(0, 0), at(200, 300)], mode=Mode.WALKING)

    assert (report.read, report.taken, report.edges, report.nodes, report.parts) == (2, 2, 3, 4, 1)
    assert report.metres == pytest.approx(700, rel=2e-3)
    assert found.basis is Basis.ROADS
    assert found.metres[0, 1] == pytest.approx(500, rel=2e-3)
    assert leg.coordinates[1] == at(200, 0)


def test_the_metres_of_a_road_are_those_of_the_ellipsoid(tmp_path):
    roads.import_file(OPERATOR, a_file(tmp_path, CROSS[0]))

    found = roads.matrix([at(0, 0), at(400, 0)], mode=Mode.WALKING)

    assert found.metres[0, 1] == pytest.approx(ELLIPSOID.inv(*at(0, 0), *at(400, 0))[2], abs=0.02)


def test_a_new_file_takes_the_place_of_the_old_one_and_is_asked_at_once(tmp_path):
    roads.import_file(OPERATOR, a_file(tmp_path, *CROSS))
    before = roads.matrix([at(0, 0), at(400, 0)], mode=Mode.WALKING)
    again = roads.import_file(
        OPERATOR, a_file(tmp_path, ({}, line((0, 0), (0, 200), (400, 200), (400, 0)))), origin="Survey office"
    )
    after = roads.matrix([at(0, 0), at(400, 0)], mode=Mode.WALKING)

    assert again.replaced == 3
    assert before.metres[0, 1] == pytest.approx(400, rel=2e-3)
    assert after.metres[0, 1] == pytest.approx(800, rel=2e-3)
    assert roads.standing().origins == ("Survey office",)


def test_a_dry_run_reports_and_keeps_nothing(tmp_path):
    report = roads.import_file(OPERATOR, a_file(tmp_path, *CROSS), dry_run=True)

    assert (report.edges, report.dry_run) == (3, True)
    assert roads.standing().edges == 0


def test_without_a_network_legs_are_estimates_from_the_great_circle():
    found = roads.matrix([at(0, 0), at(1000, 0)], mode=Mode.DRIVING)
    (leg,) = roads.legs([at(0, 0), at(1000, 0)], mode=Mode.DRIVING)

    crow = ELLIPSOID.inv(*at(0, 0), *at(1000, 0))[2]
    assert found.basis is leg.basis is Basis.ESTIMATE
    assert found.metres[0, 1] == pytest.approx(crow * DETOUR[Mode.DRIVING])


def test_a_network_elsewhere_does_not_count(tmp_path):
    roads.import_file(OPERATOR, a_file(tmp_path, *CROSS))

    assert roads.matrix([(107.5, 29.5), (107.51, 29.5)], mode=Mode.WALKING).basis is Basis.ESTIMATE


def test_what_is_removed_is_gone(tmp_path):
    roads.import_file(OPERATOR, a_file(tmp_path, *CROSS))

    assert roads.remove(OPERATOR) == 3
    assert roads.matrix([at(0, 0), at(400, 0)], mode=Mode.WALKING).basis is Basis.ESTIMATE


@pytest.mark.parametrize(
    ("properties", "shape", "says"),
    [
        (
            {"fclass": "canal", "oneway": "B"},
            line((0, 9), (9, 9)),
            "class 'canal' is not known; say what it is with --as",
        ),
        ({"fclass": "", "oneway": "B"}, line((0, 9), (9, 9)), "class '' is not known"),
        ({"fclass": "path", "oneway": "perhaps"}, line((0, 9), (9, 9)), "one-way 'perhaps' is not known"),
        ({"fclass": "path", "oneway": "B"}, shapely.Point(*at(0, 0)), "is a Point, not a line"),
        ({"fclass": "path", "oneway": "B"}, shapely.LineString([at(0, 0), at(0, 0)]), "has no length"),
        ({"fclass": "path", "oneway": "B"}, shapely.LineString([(200, 9), (201, 9)]), "cannot be degrees"),
    ],
)
def test_a_bad_row_is_named_and_the_others_come_in(tmp_path, properties, shape, says):
    file = a_file(tmp_path, *CROSS, ({"name": "bad", **properties}, shape))

    report = roads.import_file(OPERATOR, file, kind="fclass", oneway="oneway", name="name")

    assert report.taken == 2
    (remark,) = report.rejected
    assert (remark.row, remark.code) == (3, "bad")
    assert says in remark.what


def test_a_file_without_any_road_replaces_nothing(tmp_path):
    roads.import_file(OPERATOR, a_file(tmp_path, *CROSS))

    with pytest.raises(BadFile, match="no row is a road; row 1: is a Point, not a line"):
        roads.import_file(OPERATOR, a_file(tmp_path, ({}, shapely.Point(*at(0, 0)))))

    assert roads.standing().edges == 3


def test_a_field_that_is_not_there_is_named_with_those_that_are(tmp_path):
    with pytest.raises(BadFile, match="has no field 'highway'; it has fclass, oneway, name"):
        roads.import_file(OPERATOR, a_file(tmp_path, *CROSS), kind="highway")


def test_words_of_the_file_may_be_explained_and_numbers_are_words_too(tmp_path):
    report = roads.import_file(
        OPERATOR, a_file(tmp_path, ({"grade": 3.0}, line((0, 0), (9, 0))), ({"grade": None}, line((0, 0), (0, 9)))),
        kind="grade", words={"3": RoadClass.TERTIARY},
    )  # fmt: skip

    assert (report.taken, len(report.rejected)) == (1, 1)


def test_true_and_false_are_no_directions_of_geofabrik(tmp_path):
    report = roads.import_file(
        OPERATOR, a_file(tmp_path, ({"w": "F"}, line((0, 0), (9, 0))), ({"w": "no"}, line((0, 0), (0, 9)))), oneway="w"
    )

    assert [one.row for one in report.rejected] == [1]


def test_crossings_are_counted_and_joined_when_asked(tmp_path):
    file = a_file(tmp_path, ({}, line((0, 0), (400, 0))), ({}, line((200, -200), (200, 200))))

    apart = roads.import_file(OPERATOR, file)
    joined = roads.import_file(OPERATOR, file, node_crossings=True)

    assert (apart.crossings, apart.parts, apart.edges) == (1, 2, 2)
    assert (joined.crossings, joined.parts, joined.edges) == (1, 1, 4)


def test_a_multiline_is_several_roads(tmp_path):
    both = shapely.MultiLineString([line((0, 0), (100, 0)), line((0, 50), (100, 50))])

    assert roads.import_file(OPERATOR, a_file(tmp_path, ({}, both))).edges == 2


def test_where_there_are_too_many_edges_the_small_roads_are_left_out(monkeypatch):
    monkeypatch.setattr(store, "MOST", 1)
    lines = [line_of(line((0, 0), (9, 0)), RoadClass.PATH, direction=0),
             line_of(line((0, 0), (0, 9)), RoadClass.PRIMARY, direction=0)]  # fmt: skip
    roads.store(OPERATOR, lines, origin="test", synthetic=True)

    with session.snapshot() as db:
        found = store.within(db, roads._around([at(0, 0)]))

    assert [edge.kind for edge in found] == [RoadClass.PRIMARY]
    assert roads.standing().synthetic


def test_more_than_a_batch_is_stored(monkeypatch):
    monkeypatch.setattr(store, "AT_ONCE", 2)

    report = roads.store(
        OPERATOR, [line_of(line((x, 0), (x, 9)), RoadClass.PATH, direction=0) for x in range(5)], origin="test"
    )

    assert (report.edges, roads.standing().edges) == (5, 5)


def test_only_the_graphs_that_were_asked_last_are_kept(monkeypatch):
    monkeypatch.setattr(roads, "KEPT", 1)
    kept = roads._Kept()

    kept.put(("a",), "first")
    kept.put(("b",), "second")

    assert (kept.get(("a",)), kept.get(("b",))) == (None, "second")
