"""A place may have deadlines of its own: the nearest place wins, and there the nearest category, stage by stage."""

from datetime import UTC, datetime

import pytest
import shapely
from sqlalchemy import text

from geoapp.domain.boundaries import NewPlace
from geoapp.domain.deadlines import Stage
from geoapp.domain.reports import Reporter, Submission, fresh_id, fresh_key
from geoapp.domain.values import ANONYMOUS, OPERATOR, Name, PlaceKind, Point
from geoapp.errors import BadFile, NotYours
from geoapp.services import boundaries, clocks, reports
from geoapp.store import session
from tests.builders import TODAY, a_category, square

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
HEAD = "place,category,stage,unit,amount"


@pytest.fixture
def calendar(app, settings):  # noqa: ARG001 - the database must be connected
    a_category("road")
    a_category("road.kerb", parent="road")
    with session.transaction() as db:
        db.execute(text('UPDATE category SET deadlines = \'{"verify": {"work_hours": 4}, "check": {"work_days": 1}}\''))
    areas = {"S1": ("street", None), "C1": ("community", "S1"), "C2": ("community", "S1")}
    for nth, (code, (kind, parent)) in enumerate(areas.items()):
        area = square(106.60, 29.02, 0.2) if kind == "street" else square(106.60 + nth * 0.04, 29.02)
        place = NewPlace(PlaceKind(kind), code, Name(f"地{code}", code), shapely.to_wkb(area), parent=parent)
        boundaries.store_places(OPERATOR, [place], today=TODAY)
    return clocks.read_calendar(settings.calendar_file, settings.zone)


def a_report(calendar, lon, category="road.kerb"):
    told = Submission(fresh_id(NOW), category, Point(lon, 29.03), Reporter(fresh_key()))
    reports.submit(ANONYMOUS, told, prefix="QJ", now=NOW, calendar=calendar)
    return told.id


def rules(tmp_path, calendar, *lines, viewer=OPERATOR):
    file = tmp_path / "rules.csv"
    file.write_text("\n".join([HEAD, *lines]), encoding="utf-8")
    return clocks.import_rules(viewer, file, calendar, now=NOW)


def limit(issue):
    (ran, *_), local = clocks.of_issue(issue)
    return ran.limit.amount, ran.limit.unit, local and local.en


def test_the_rule_of_the_nearest_place_and_category_holds(calendar, tmp_path):
    issues = {place: a_report(calendar, lon) for place, lon in (("C1", 106.65), ("C2", 106.69), ("S1", 106.61))}
    before = {place: limit(issue) for place, issue in issues.items()}
    count = rules(
        tmp_path, calendar, "S1,road,verify,work_hours,2", "C1,road,verify,urgent_hours,1",
        "C1,road.kerb,verify,work_hours,8",
    )  # fmt: skip

    assert set(before.values()) == {(4, "work_hours", None)}
    assert count == 3
    assert limit(issues["C1"]) == (8, "work_hours", "C1")
    assert limit(issues["C2"]) == (2, "work_hours", "S1")
    with session.snapshot() as db:
        due = dict(db.execute(text("SELECT id, due_at FROM issue")).all())
    assert due[issues["C2"]] < due[issues["C1"]]


def test_a_stage_without_a_local_rule_keeps_the_category_s(calendar, tmp_path):
    rules(tmp_path, calendar, "S1,road,handle,work_days,3")

    assert limit(a_report(calendar, 106.65)) == (4, "work_hours", "S1")
    assert Stage.VERIFY == "verify"


@pytest.mark.parametrize(
    "line",
    [
        "C9,road,verify,work_hours,2", "C1,nothing,verify,work_hours,2", "C1,road,sleep,work_hours,2",
        "C1,road,verify,weeks,2", "C1,road,verify,work_hours,x", "C1,road,verify,work_hours,0",
        "C1,road,verify,work_hours,",
    ],
)  # fmt: skip
def test_a_wrong_line_is_named_and_nothing_changes(calendar, tmp_path, line):
    rules(tmp_path, calendar, "C1,road,verify,work_hours,7")
    issue = a_report(calendar, 106.65)

    with pytest.raises(BadFile, match="line 3"):
        rules(tmp_path, calendar, "C1,road,verify,work_hours,2", line)
    assert limit(issue) == (7, "work_hours", "C1")


def test_only_whoever_looks_after_the_place_changes_its_rules(calendar, tmp_path):
    with pytest.raises(NotYours):
        rules(tmp_path, calendar, viewer=ANONYMOUS)
    with pytest.raises(BadFile):
        clocks.import_rules(OPERATOR, tmp_path / "nothing.csv", calendar, now=NOW)
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadFile):
        clocks.import_rules(OPERATOR, tmp_path / "bad.csv", calendar, now=NOW)
