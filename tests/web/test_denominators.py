"""Counted per km of road, per asset and by unit: what is known is said, what is not is said too, nobody else's seen."""

import csv
import io

import numpy as np
import pytest
import shapely
from sqlalchemy import text

from geoapp.domain.roadnet import line_of
from geoapp.domain.roads import RoadClass
from geoapp.domain.spatial.projection import metres_for
from geoapp.domain.values import ANONYMOUS, OPERATOR, Point
from geoapp.errors import BadFile, NotYours
from geoapp.services import accounts, assets, roads
from geoapp.services.assets import Stock
from geoapp.store import session
from tests.builders import TODAY, a_category, a_place, an_issue, square, store
from tests.web.test_desk import SECRET, ground, signed_in, words  # noqa: F401 - ground is a fixture

WAY = shapely.LineString([(106.63, 29.03), (106.69, 29.03), (106.75, 29.03)])


@pytest.fixture
def staff(app):
    """Two more in C1, one of waste; U1 has been given three. A planner of all, and one of C2."""
    a_category("waste", "垃圾", "Waste")
    a_place("C3", square(106.64, 29.06))
    store(an_issue("5", category="waste"), an_issue("6", point=Point(106.655, 29.035)))
    with session.transaction() as db:
        db.execute(
            text(
                "UPDATE issue SET unit_id = (SELECT id FROM unit WHERE code = 'U1') "
                "WHERE title LIKE '% 2' OR title LIKE '% 4' OR title LIKE '% 5'"
            )
        )
    for login, where in (("planner", {}), ("abroad", {"place": "C2"})):
        accounts.add(OPERATOR, login, login, SECRET)
        accounts.grant(OPERATOR, login, "planner", **where)
    return {login: signed_in(app, login) for login in ("planner", "abroad")}


def rows(client, query, part="areas"):
    answer = client.get(f"/planning/compare.csv?{query}&part={part}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))


def test_per_km_of_road_the_length_is_cut_at_the_edge_and_a_place_without_is_said(staff):
    missing = staff["planner"].get("/planning?lang=en&analysis=compare&per=road_km")
    roads.store(OPERATOR, [line_of(WAY, RoadClass.STREET, direction=0)], origin="Survey office")

    page = words(staff["planner"].get("/planning?lang=en&analysis=compare&per=road_km"))
    found = {row["code"]: row for row in rows(staff["planner"], "per=road_km")}

    to_metres = metres_for(106.68, 29.05).projected
    told = shapely.length(shapely.intersection(to_metres(WAY), to_metres(square(106.64, 29.02)))) / 1000
    assert float(found["C1"]["exposure"]) == pytest.approx(told, rel=1e-6)
    assert float(found["C1"]["rate"]) == pytest.approx(int(found["C1"]["count"]) / told, rel=1e-6)
    assert found["C3"]["rate"] == ""
    assert "Roads are known in 2 of 3 areas, 4 km in all (Survey office). In 1 areas none is known" in page
    assert "no road known" in page
    assert (missing.status_code, "import roads first" in words(missing)) == (400, True)


def test_per_asset_the_newest_count_is_taken_and_bad_rows_are_told(staff, tmp_path):
    file = tmp_path / "assets.csv"
    file.write_text(
        "code,kind,assets,year,source\nC1,Street lamps,50,2024,old\nC1,Street lamps,40,2025,register\nC2,,4,2025,x\n"
        "C9,Street lamps,4,2025,x\nC2,Street lamps,few,2025,x\nC2,Street lamps,4,2999,x\n"
    )
    refused = staff["planner"].get("/planning?lang=en&analysis=compare&per=asset")

    report = assets.import_file(OPERATOR, file, today=TODAY)
    page = words(staff["planner"].get("/planning?lang=en&analysis=compare&per=asset:Street lamps"))
    found = {row["code"]: row for row in rows(staff["planner"], "per=asset:Street lamps")}

    assert (report.taken, [row for row, *_ in report.rejected]) == (2, [4, 5, 6, 7])
    assert assets.known("Street lamps") == [Stock("C1", "Street lamps", 40, 2025, "register")]
    assert float(found["C1"]["rate"]) == pytest.approx(int(found["C1"]["count"]) / 40)
    assert found["C2"]["rate"] == ""
    assert "“Street lamps” are counted in 1 of 3 areas (2025; register). In 2 areas they are not" in page
    assert '<option value="asset:Street lamps" selected>issues per asset (Street lamps)</option>' in page
    assert (refused.status_code, "geoapp places assets" in words(refused)) == (400, True)
    assert staff["planner"].get("/planning?analysis=compare&per=asset:Benches").status_code == 400


def test_a_file_of_assets_needs_its_columns_and_somebody_who_may(tmp_path):
    file = tmp_path / "assets.csv"
    file.write_text("code,assets,year\nC1,40,2025\n")

    with pytest.raises(BadFile, match="kind"):
        assets.import_file(OPERATOR, file, today=TODAY)
    with pytest.raises(NotYours):
        assets.import_file(ANONYMOUS, file, today=TODAY)


def test_cells_too_are_counted_per_km_of_road(staff):
    roads.store(OPERATOR, [line_of(WAY, RoadClass.STREET, direction=0)], origin="Survey office")

    page = staff["planner"].get("/planning/hotspots.geojson?cells=hexagon&cell=500&per=road_km&part=cells").get_json()

    assert {"road_km", "per_road_km"} <= set(page["features"][0]["properties"])
    assert sum(one["properties"]["road_km"] for one in page["features"]) > 0


def test_units_are_compared_by_what_they_were_given_and_by_their_land_here(staff):
    page = words(staff["planner"].get("/planning?lang=en&analysis=compare&cells=unit"))
    whole = {row["code"]: row for row in rows(staff["planner"], "cells=unit&per=km2")}
    abroad = {row["code"]: row for row in rows(staff["abroad"], "cells=unit&per=km2")}

    told = shapely.area(metres_for(106.65, 29.03).projected(square(106.64, 29.02))) / 1e6
    assert (whole["U1"]["count"], float(whole["U1"]["exposure"])) == ("3", pytest.approx(told, rel=1e-3))
    assert "U2" not in whole
    # In C2 it has an issue and no land.
    assert (abroad["U1"]["count"], abroad["U1"]["rate"]) == ("1", "")
    assert "without a responsible unit" in page
    assert "Unit U1" in page
    assert staff["planner"].get("/planning/compare.svg?cells=unit").status_code == 200
    assert staff["planner"].get("/planning/compare/map.geojson?cells=unit").status_code == 200


def test_several_places_can_be_chosen(staff):
    page = words(staff["planner"].get("/planning?lang=en&analysis=compare&place=C1&place=C3"))
    found = rows(staff["planner"], "place=C1&place=C3")

    assert {row["code"] for row in found} == {"C1", "C3"}
    assert page.count('name="place" value="C1" checked') == page.count('name="place" value="C3" checked') == 1
    assert 'name="place" value="C2" checked' not in page


@pytest.mark.parametrize(("part", "column"), [("by_category", "category"), ("by_period", "period")])
def test_small_maps_tell_every_issue_once_and_lead_to_its_cases(staff, part, column):
    whole = {row["code"]: int(row["count"]) for row in rows(staff["planner"], "")}
    found = rows(staff["planner"], "", part)
    svg = words(staff["planner"].get(f"/planning/compare.svg?part={part}&lang=en&show=1"))

    for code, n in whole.items():
        assert sum(int(row["count"]) for row in found if row["code"] == code) == n
    assert len(found) == len(whole) * len({row[column] for row in found})
    row = int(np.argmax([int(one["count"]) for one in found]))
    cases = words(staff["planner"].get(f"/planning/cases?analysis=compare&part={part}&row={row}&lang=en"))
    assert f'id="case-count">{found[row]["count"]}' in cases
    assert f"part={part}&amp;row={row}" in svg
    assert staff["planner"].get(f"/planning/compare.png?part={part}").data[:4] == b"\x89PNG"
    assert 'src="/planning/compare.svg' in words(staff["planner"].get("/planning?analysis=compare"))
