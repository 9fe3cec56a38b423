"""Boundaries come in as dated versions; overlaps, gaps and unclear land are measured; all or nothing."""

import json
from datetime import date

import pytest
import shapely
from pyproj import Geod
from sqlalchemy import text

from geoapp.domain.boundaries import NewJurisdiction, NewPlace, NewUnit
from geoapp.domain.values import OPERATOR, Name, PlaceKind
from geoapp.errors import BadFile, BadInput
from geoapp.services import boundaries
from geoapp.store import session
from tests.builders import TODAY, a_category, a_place, square

pytestmark = pytest.mark.usefixtures("app")
ELLIPSOID = Geod(ellps="WGS84")
LATER = date(2026, 12, 24)


def m2(shape):
    return abs(ELLIPSOID.geometry_area_perimeter(shape)[0])


def a_file(folder, *features, name="places.geojson"):
    collection = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(shape)}
            for properties, shape in features
        ],
    }
    file = folder / name
    file.write_text(json.dumps(collection), encoding="utf-8")
    return file


def bring(file, kind="community", **more):
    return boundaries.import_file(
        OPERATOR, file, **{"kind": kind, "name": "name", "code": "code", "today": TODAY} | more
    )


def rows(sql, **binds):
    with session.snapshot() as db:
        return [tuple(row) for row in db.execute(text(sql), binds)]


def versions():
    return rows("SELECT p.code, lower(validity), upper(validity) FROM boundary b JOIN place p ON p.id = place_id "
                "ORDER BY 1, 2 NULLS FIRST")  # fmt: skip


def test_the_first_version_holds_since_ever_and_the_next_from_its_day_on(tmp_path):
    bring(a_file(tmp_path, ({"code": "A", "name": "甲"}, square(106.60, 29.00))))
    report = bring(a_file(tmp_path, ({"code": "A", "name": "甲"}, square(106.60, 29.00, 0.03))), valid_from=LATER)

    assert (report.stored, report.updated) == (0, 1)
    assert versions() == [("A", None, LATER), ("A", LATER, None)]


def test_the_same_file_again_changes_nothing_and_a_new_name_makes_no_version(tmp_path):
    first = a_file(tmp_path, ({"code": "A", "name": "甲"}, square(106.60, 29.00)))
    bring(first)
    again = bring(first)
    renamed = bring(a_file(tmp_path, ({"code": "A", "name": "Alpha"}, square(106.60, 29.00))))

    assert (again.unchanged, again.updated) == (1, 0)
    assert (renamed.unchanged, renamed.updated) == (0, 1)
    assert rows("SELECT name_zh, name_en FROM place") == [("", "Alpha")]
    assert len(versions()) == 1


def test_another_change_on_the_same_day_replaces_the_version(tmp_path):
    for side in (0.02, 0.03, 0.04):
        bring(a_file(tmp_path, ({"code": "A", "name": "甲"}, square(106.60, 29.00, side))))

    assert versions() == [("A", None, TODAY), ("A", TODAY, None)]
    assert rows("SELECT count(*) FROM boundary_part") == [(2,)]


def test_a_version_before_the_newest_is_refused_and_nothing_is_kept(tmp_path):
    bring(a_file(tmp_path, ({"code": "A", "name": "甲"}, square(106.60, 29.00))), valid_from=LATER)
    file = a_file(
        tmp_path,
        ({"code": "B", "name": "乙"}, square(106.70, 29.00)),
        ({"code": "A", "name": "甲"}, square(106.60, 29.00, 0.03)),
    )

    with pytest.raises(BadInput, match="version_too_early"):
        bring(file)

    assert versions() == [("A", LATER, None)]


def test_overlaps_and_gaps_between_neighbours_are_measured(tmp_path):
    report = bring(
        a_file(
            tmp_path,
            ({"code": "W", "name": "West"}, shapely.box(106.600, 29.00, 106.611, 29.02)),
            ({"code": "E", "name": "East"}, shapely.box(106.610, 29.00, 106.620, 29.02)),
            ({"code": "N", "name": "North"}, shapely.box(106.600, 29.021, 106.620, 29.03)),
        )
    )

    assert [(one.a, one.b) for one in report.overlaps] == [("West (W)", "East (E)")]
    assert report.overlap_m2 == pytest.approx(m2(shapely.box(106.610, 29.00, 106.611, 29.02)), rel=1e-5)
    assert report.gap_m2 == pytest.approx(m2(shapely.box(106.600, 29.02, 106.620, 29.021)), rel=0.02)


def test_broken_rings_are_repaired_and_told_and_rows_that_cannot_be_are_rejected(tmp_path):
    bow_tie = shapely.Polygon([(106.60, 29.00), (106.62, 29.02), (106.62, 29.00), (106.60, 29.02)])
    good = square(106.70, 29.00)

    report = bring(
        a_file(
            tmp_path,
            ({"code": "A", "name": "甲"}, bow_tie),
            ({"code": "", "name": "无码"}, good),
            ({"code": "P", "name": "点"}, shapely.Point(106.6, 29)),
            ({"code": "B", "name": "乙"}, good),
            ({"code": "B", "name": "乙"}, square(106.74, 29.00)),
        )
    )

    assert [remark.code for remark in report.repaired] == ["A"]
    assert [(remark.row, remark.what) for remark in report.rejected] == [(2, "has no code"), (3, "has no area")]
    assert [remark.row for remark in report.merged] == [5]
    assert rows("SELECT p.code, ST_IsValid(area), ST_NumGeometries(area) FROM boundary b "
                "JOIN place p ON p.id = place_id ORDER BY 1") == [("A", True, 2), ("B", True, 2)]  # fmt: skip


def test_a_dry_run_reports_and_keeps_nothing(tmp_path):
    report = bring(a_file(tmp_path, ({"code": "A", "name": "甲"}, square(106.60, 29.00))), dry_run=True)

    assert (report.stored, report.dry_run) == (1, True)
    assert rows("SELECT count(*) FROM place") == [(0,)]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"code": "id"}, r"has no field 'id'; it has code, name"),
        ({"kind": "county"}, "kind must be one of district, street, community, jurisdiction"),
        ({"kind": "jurisdiction", "categories": ("moon",)}, "there is no category moon"),
    ],
)
def test_what_does_not_exist_is_refused_by_name(tmp_path, more, why):
    file = a_file(tmp_path, ({"code": "A", "name": "甲"}, square(106.60, 29.00)))

    with pytest.raises(BadFile, match=why):
        bring(file, **more)


def test_a_place_may_lie_in_one_that_is_there_and_only_in_such(tmp_path):
    a_place("S1", square(106.60, 29.00), kind="street")
    report = bring(
        a_file(
            tmp_path,
            ({"code": "A", "name": "甲", "up": "S1"}, square(106.60, 29.00)),
            ({"code": "B", "name": "乙", "up": "S9"}, square(106.70, 29.00)),
        ),
        parent="up",
    )

    assert [remark.what for remark in report.rejected] == ["there is no place 'S9' to hold it"]
    assert rows("SELECT c.code, s.code FROM place c JOIN place s ON s.id = c.parent_id") == [("A", "S1")]


def test_values_that_name_no_unit_or_parent_are_refused():
    shape = shapely.to_wkb(square(106.60, 29.00))

    with pytest.raises(BadInput, match="unit: unknown"):
        boundaries.store_jurisdictions(OPERATOR, [NewJurisdiction("J", "none", Name("", "J"), shape)], today=TODAY)
    with pytest.raises(BadInput, match="parent: unknown"):
        boundaries.store_places(
            OPERATOR, [NewPlace(PlaceKind.COMMUNITY, "A", Name("", "A"), shape, parent="none")], today=TODAY
        )
    line = shapely.to_wkb(shapely.LineString([(106.6, 29), (106.7, 29)]))
    with pytest.raises(BadInput, match="without_extent"):
        boundaries.store_places(OPERATOR, [NewPlace(PlaceKind.COMMUNITY, "A", Name("", "A"), line)], today=TODAY)


def test_units_come_with_their_jurisdictions_and_what_is_left_empty_stays(tmp_path):
    a_category()
    assert boundaries.store_units(OPERATOR, [NewUnit("U1", Name("市政", "Works"), phone="123")], today=TODAY) == 1

    report = bring(
        a_file(
            tmp_path,
            ({"code": "J1", "name": "东", "who": "U1"}, square(106.60, 29.00)),
            ({"code": "J2", "name": "西", "who": "U2"}, square(106.70, 29.00)),
        ),
        kind="jurisdiction", unit="who", categories=("road",), evidence="清单",
    )  # fmt: skip

    assert report.units == 1
    assert rows("SELECT code, name_zh, name_en, phone FROM unit ORDER BY 1") == [
        ("U1", "市政", "Works", "123"),
        ("U2", "", "U2", ""),
    ]
    assert rows("SELECT DISTINCT categories, evidence, origin FROM jurisdiction") == [
        (["road"], "清单", "places.geojson")
    ]


def test_a_line_with_a_reach_is_a_strip_of_twice_its_width(tmp_path):
    road = shapely.LineString([(106.60, 29.00), (106.62, 29.00)])
    length = ELLIPSOID.geometry_length(road)

    bring(a_file(tmp_path, ({"code": "R1", "name": "路"}, road)), kind="jurisdiction", reach_m=30.0)

    ((area, kind),) = rows("SELECT area_m2, GeometryType(shape) FROM jurisdiction")
    # The strip, and a half circle at each end.
    assert area == pytest.approx(length * 60 + 3.1416 * 30**2, rel=0.005)
    assert kind in {"LINESTRING", "MULTILINESTRING"}


def test_unclear_land_follows_what_is_in_force():
    a_category("road")
    a_category("waste")
    a_place("D", square(106.60, 29.00, 0.04), kind="district")
    left, right = shapely.box(106.60, 29.00, 106.63, 29.04), shapely.box(106.62, 29.00, 106.63, 29.04)
    made = [
        NewJurisdiction(code, code, Name("", code), shapely.to_wkb(area), categories)
        for code, area, categories in (("A", left, ()), ("B", right, ("road",)))
    ]

    report = boundaries.store_all(
        OPERATOR, units=[NewUnit(code, Name("", code)) for code in "AB"], jurisdictions=made, today=TODAY
    )

    assert (report.contested, report.orphan) == (1, 1)
    found = {
        row[0]: row[1:] for row in rows("SELECT class, categories, area_m2 FROM unclear_land WHERE upper_inf(validity)")
    }
    assert found["contested"] == (["road"], pytest.approx(m2(right), rel=1e-6))
    assert found["orphan"] == ([], pytest.approx(m2(shapely.box(106.63, 29.00, 106.64, 29.04)), rel=1e-6))
