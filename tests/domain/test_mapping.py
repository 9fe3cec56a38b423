"""A row of somebody's file becomes an issue, or is refused with its column, its value and the reason."""

from datetime import UTC, datetime

import pytest

from geoapp.domain.geometry import wgs84_to_gcj02
from geoapp.domain.mappedrows import Reader
from geoapp.domain.mapping import WrongMapping, parse
from geoapp.domain.values import IssueState, NewIssue, Point, Problem

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
ROW = {
    "Id": "7", "Created": "2026-03-01 08:00", "Updated": "", "Closed": "", "Type": "Pothole", "Status": "Open",
    "Owner": "", "Title": "A hole", "Lon": "106.65", "Lat": "29.03", "Severity": "", "Accuracy": "",
}  # fmt: skip
HEADER = [*ROW]


def a_mapping(**changes):
    raw = {
        "source": {"name": "city", "timezone": "Asia/Shanghai"},
        "columns": {
            "id": "id", "reported_at": ["opened", "created"], "updated_at": "updated", "ended_at": "closed",
            "category": "type", "state": "status", "unit": "owner", "title": "title", "severity": "severity",
            "accuracy": "accuracy",
        },
        "coordinates": {"form": "columns", "lon": "lon", "lat": "lat"},
        "dates": {"formats": ["%Y-%m-%d %H:%M", "iso"]},
        "states": {"Open": "accepted", "Closed": "closed"},
        "categories": {"values": {"Pothole": "road"}},
        "units": {"values": {"Roads": "R1"}},
    }  # fmt: skip
    for key, value in changes.items():
        raw[key] = {**raw.get(key, {}), **value} if isinstance(value, dict) else value
    return raw


def read(mapping=None, *, header=None, point=None, **cells):
    reader = Reader(parse(mapping or a_mapping()), header or HEADER, NOW)
    return reader.read([{**ROW, **cells}[name] for name in (header or HEADER)], point)


def refused(mapping=None, **cells):
    problem = read(mapping, **cells)
    assert isinstance(problem, Problem)
    return problem.field, problem.reason, problem.value


def test_a_good_row_is_an_issue():
    issue = read(Updated="2026-03-02 09:30", Owner="Roads", Severity="3", Accuracy="12.5")

    assert isinstance(issue, NewIssue)
    assert (issue.category, issue.title, issue.state, issue.unit) == ("road", "A hole", IssueState.ACCEPTED, "R1")
    assert issue.point == Point(106.65, 29.03)
    assert issue.reported_at == datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
    assert issue.updated_at == datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    assert (issue.severity, issue.accuracy_m, issue.ended_at) == (3, 12.5, None)
    assert [event.action for event in issue.history] == ["report", "update", "import"]


def test_the_same_source_and_id_are_the_same_issue_and_another_source_is_another():
    other = a_mapping(source={"name": "county"})

    assert read().id == read(Title="Later words").id
    assert read().id != read(other).id
    assert read().source_hash != read(Title="Later words").source_hash


def test_an_ended_issue_ends_when_the_row_says_but_not_before_its_report():
    by_date = read(Status="Closed", Closed="2026-03-05 08:00")
    by_update = read(Status="Closed", Updated="2026-03-04 08:00")
    backwards = read(Status="Closed", Closed="2026-02-01 08:00")

    assert by_date.ended_at == datetime(2026, 3, 5, tzinfo=UTC)
    assert by_update.ended_at == datetime(2026, 3, 4, tzinfo=UTC)
    assert backwards.ended_at == backwards.reported_at
    assert [event.action for event in by_date.history] == ["report", "close", "import"]


@pytest.mark.parametrize("crs", ["gcj02", "EPSG:4549"])
def test_places_that_are_foreseen_lie_where_each_alone_lies(crs):
    known = a_mapping(coordinates={"crs": crs})
    east, north = ("106.6{}", "29.0{}") if crs == "gcj02" else ("50012{}", "321450{}")
    cells = [{"Lon": east.format(n), "Lat": north.format(n)} for n in range(9)]
    cells += [{"Lon": ""}, {"Lon": "x"}, {"Lon": "nan"}, {"Lon": "inf"}, {"Lon": "1e300"}, {"Lon": "29", "Lat": "106"}]
    table = [[{**ROW, **some}[name] for name in HEADER] for some in cells]
    table.append(["short"])
    alone, together = (Reader(parse(known), HEADER, NOW) for _ in range(2))

    together.foresee((row, None) for row in table)

    assert [together.read(row) for row in table] == [alone.read(row) for row in table]


@pytest.mark.parametrize("crs", ["gcj02", "EPSG:4326"])
def test_shapes_of_a_file_that_are_foreseen_lie_where_each_alone_lies(crs):
    known = a_mapping(coordinates={"form": "geometry", "crs": crs})
    row = list(ROW.values())
    places = [Point(106.65, 29.03), None, Point(106.66, 29.02)]
    alone, together = (Reader(parse(known), HEADER, NOW) for _ in range(2))

    together.foresee((row, place) for place in places)
    found = [together.read(row, place) for place in places]

    assert found == [alone.read(row, place) for place in places]
    assert found[1] is None


def test_places_of_an_unknown_system_are_refused_though_they_were_foreseen():
    reader = Reader(parse(a_mapping(coordinates={"crs": "moon"})), HEADER, NOW)
    row = list(ROW.values())

    reader.foresee([(row, None)])

    assert isinstance(reader.read(row), Problem)


def test_without_a_title_the_category_is_the_title_and_a_long_one_is_cut():
    assert read(Title="").title == "Pothole"
    assert len(read(Title="x" * 300).title) == 200
    assert isinstance(read(Title="x" * 20_000), NewIssue)


def test_an_issue_is_never_younger_than_its_last_change():
    issue = read(Updated="2026-02-01 08:00")

    assert issue.updated_at == issue.reported_at
    assert [event.at for event in issue.history] == [issue.reported_at, issue.reported_at, NOW]


@pytest.mark.parametrize(("state", "action"), [("refused", "refuse"), ("duplicate", "duplicate"), ("done", "update")])
def test_history_tells_how_an_issue_came_to_its_state(state, action):
    issue = read(a_mapping(states={"Open": state}), Updated="2026-03-02 08:00")

    assert [event.action for event in issue.history] == ["report", action, "import"]
    assert issue.history[1].at == datetime(2026, 3, 2, tzinfo=UTC)
    assert issue.history[1].to_state == state


def test_numbers_and_release_are_as_the_mapping_says():
    own = a_mapping(source={"number_prefix": "LA", "released": True})

    assert (read().number_prefix, read().text_released) == ("QJ", False)
    assert (read(own).number_prefix, read(own).text_released) == ("LA", True)


def test_a_row_without_coordinates_is_told_apart_from_a_wrong_one():
    assert read(Lon="", Lat="") is None


def test_states_may_have_a_default_and_without_a_column_all_are_reported():
    anything = a_mapping(states={"*": "handling"})
    columns = {key: value for key, value in a_mapping()["columns"].items() if key != "state"}
    stateless = a_mapping() | {"columns": columns}

    assert read(anything, Status="Pending").state is IssueState.HANDLING
    assert read(stateless).state is IssueState.REPORTED
    assert [event.action for event in read(stateless).history] == ["report", "import"]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-07-01 08:00", datetime(2026, 7, 1, 15, 0, tzinfo=UTC)),
        ("2026-01-15 08:00", datetime(2026, 1, 15, 16, 0, tzinfo=UTC)),
        # Clocks go from 2:00 to 3:00: the hour between does not exist and is read as before the change.
        ("2026-03-08 02:30", datetime(2026, 3, 8, 10, 30, tzinfo=UTC)),
        # Clocks go back: of two hours of the same name the first is meant.
        ("2025-11-02 01:30", datetime(2025, 11, 2, 8, 30, tzinfo=UTC)),
        ("2026-07-01T08:00:00+02:00", datetime(2026, 7, 1, 6, 0, tzinfo=UTC)),
    ],
)
def test_a_date_without_a_zone_is_meant_in_the_zone_of_the_mapping(text, instant):
    los_angeles = a_mapping(source={"timezone": "America/Los_Angeles"})

    assert read(los_angeles, Created=text).reported_at == instant


def test_dates_are_tried_in_the_forms_that_the_mapping_names_and_in_no_other():
    american = a_mapping(dates={"formats": ["%m/%d/%Y %I:%M:%S %p", "%d.%m.%Y"]})

    assert read(american, Created="03/01/2026 08:15:00 PM").reported_at == datetime(2026, 3, 1, 12, 15, tzinfo=UTC)
    assert read(american, Created="01.03.2026").reported_at == datetime(2026, 2, 28, 16, 0, tzinfo=UTC)
    assert refused(american, Created="2026-03-01T08:00")[0] == "Created"


@pytest.mark.parametrize(
    "cells",
    [
        {"Lon": "180", "Lat": "85"},
        {"Lon": "-180", "Lat": "-85"},
        {"Lon": "0", "Lat": "29.03"},
        {"Accuracy": "0"},
        {"Accuracy": "100000"},
        {"Created": "1900-01-02 08:00"},
        {"Created": "2026-11-20 12:00"},
        {"Updated": "2200-01-01 08:00"},
    ],
    ids=str,
)
def test_a_limit_itself_is_still_good(cells):
    assert isinstance(read(**cells), NewIssue)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("latlon_text", "(29.03, 106.65)"),
        ("latlon_text", "29.03 106.65"),
        ("latlon_text", "29.03;106.65"),
        ("wkt", "POINT (106.65 29.03)"),
        ("wkt", "point(1.0665e2 +29.03)"),
    ],
)
def test_coordinates_may_stand_in_one_column(form, text):
    mapping = a_mapping() | {"coordinates": {"form": form, "column": "where"}}
    header = [*HEADER, "Where"]

    assert read(mapping, header=header, Where=text).point == Point(106.65, 29.03)
    assert read(mapping, header=header, Where="") is None
    assert read(mapping, header=header, Where="by the river").reason == f"is not a place in the form {form}"


def test_coordinates_may_come_with_the_file_and_are_checked_too():
    mapping = a_mapping() | {"coordinates": {"form": "geometry"}}

    assert read(mapping, point=Point(106.65, 29.03)).point == Point(106.65, 29.03)
    assert read(mapping, point=None) is None
    assert "outside the map" in read(mapping, point=Point(500.0, 29.0)).reason


def test_coordinates_of_another_system_are_converted():
    mapping = a_mapping(coordinates={"crs": "gcj02"})
    lon, lat = wgs84_to_gcj02(106.65, 29.03)

    found = read(mapping, Lon=repr(lon), Lat=repr(lat)).point

    assert (found.lon, found.lat) == pytest.approx((106.65, 29.03), abs=1e-8)
    assert refused(a_mapping(coordinates={"crs": "EPSG:999999"}))[0] == "Lon"


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        ({"Id": ""}, "Id", "is empty"),
        ({"Created": ""}, "Created", "is empty"),
        ({"Created": "yesterday"}, "Created", "is not a date"),
        ({"Created": "0026-03-01 08:00"}, "Created", "is not a date"),
        ({"Created": "2027-01-01 08:00"}, "Created", "lies in the future"),
        ({"Type": "Comet"}, "Type", "is no category"),
        ({"Status": "Lost"}, "Status", "is no state"),
        ({"Owner": "Nobody"}, "Owner", "is no unit"),
        ({"Severity": "9"}, "Severity", "must be 1, 2, 3 or 4"),
        ({"Accuracy": "near"}, "Accuracy", "must be metres"),
        ({"Accuracy": "100001"}, "Accuracy", "must be metres"),
        ({"Lon": "east"}, "Lon", "is not a number"),
        ({"Lon": "", "Lat": "29"}, "Lon", "is not a number"),
        ({"Lon": "nan"}, "Lon", "outside the map"),
        ({"Lon": "29.03", "Lat": "106.65"}, "Lon", "seem to be swapped"),
        ({"Lon": "665432", "Lat": "3212345"}, "Lon", "degrees of EPSG:4326 are expected"),
        ({"Lon": "0", "Lat": "0"}, "Lon", "a missing place written as numbers"),
        ({"Lon": "-85", "Lat": "180"}, "Lon", "seem to be swapped"),
        ({"Lon": "85.01", "Lat": "106.65"}, "Lon", "degrees of EPSG:4326 are expected"),
        ({"Lon": "29.03", "Lat": "180.01"}, "Lon", "degrees of EPSG:4326 are expected"),
        ({"Lon": "106.65", "Lat": "85.01"}, "Lon", "degrees of EPSG:4326 are expected"),
        ({"Lon": "180.01"}, "Lon", "degrees of EPSG:4326 are expected"),
        ({"Accuracy": "-1"}, "Accuracy", "must be metres"),
        ({"Status": ""}, "Status", "is no state"),
        ({"Updated": "soon"}, "Updated", "is not a date"),
        ({"Updated": "2201-01-01 08:00"}, "Updated", "is not a date"),
        ({"Created": "1899-12-31 08:00"}, "Created", "is not a date"),
        ({"Created": "2026-11-20 12:01"}, "Created", "lies in the future"),
        ({"Title": "a\x00b"}, "Title", "NUL"),
        ({"Title": "a\ud83cb"}, "Title", "half a character"),
        ({"Title": "a" * 20_001}, "Title", "20,000"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_column(cells, column, reason):
    name, why, _ = refused(**cells)

    assert name == column
    assert reason in why


def test_a_refusal_shows_the_value_and_what_it_shows_can_be_written_as_text():
    assert refused(Severity="9") == ("Severity", "must be 1, 2, 3 or 4", "9")
    assert refused(Lon="0", Lat="0")[2] == "0.0, 0.0"
    assert refused(Title="a\ud83c" + "b" * 99)[2] == "a\ufffd" + "b" * 38


def test_a_row_of_another_length_is_refused():
    problem = Reader(parse(a_mapping()), HEADER, NOW).read(["7"])

    assert (problem.field, problem.reason) == ("row", "has 1 fields, the header 12")


def test_new_categories_and_units_are_made_where_the_mapping_allows_it():
    mapping = a_mapping(categories={"create_under": "other"}, units={"create": True})
    reader = Reader(parse(mapping), HEADER, NOW)
    rows = [
        [*{**ROW, "Type": kind, "Owner": "Street & Light"}.values()]
        for kind in ("Dead Animal", "Dead Animal", "道路", "!!")
    ]

    codes = [reader.read(row).category for row in rows]

    assert codes[:2] == ["other.dead-animal"] * 2
    assert codes[2].startswith("other.c-")
    assert codes[3].startswith("other.c")
    assert codes[2] != codes[3]
    assert set(reader.new_categories.values()) == {"Dead Animal", "道路", "!!"}
    assert reader.new_units == {"street-light": "Street & Light"}


def test_a_file_without_a_needed_column_is_refused_with_what_it_has():
    with pytest.raises(WrongMapping, match="no column opened or created in the file; it has Id"):
        Reader(parse(a_mapping()), ["Id", "Type"], NOW)


def test_columns_are_found_whatever_their_case_and_behind_a_byte_order_mark():
    header = ["\ufeffID", *(name.upper() + " " for name in HEADER[1:])]

    issue = Reader(parse(a_mapping()), header, NOW).read(list(ROW.values()))

    assert issue.source_id == "7"
