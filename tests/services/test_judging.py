"""The SQL that judges many issues states the same rule as the domain does for one."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
import shapely
from sqlalchemy import text

from geoapp.domain.boundaries import NewJurisdiction, NewPlace, NewUnit
from geoapp.domain.responsibility import classify, judge, tolerance_m
from geoapp.domain.values import OPERATOR, IssueState, Name, PlaceKind, Point, VerdictClass
from geoapp.services import boundaries, judging
from geoapp.store import judging as rule
from geoapp.store import places, session
from tests.builders import CENTRE, NOON, TODAY, a_category, a_jurisdiction, a_place, an_issue, square, store

pytestmark = pytest.mark.usefixtures("app")
METRE = 1 / 111_195.08


def rows(sql, **binds):
    with session.snapshot() as db:
        return [tuple(row) for row in db.execute(text(sql), binds)]


def verdict_of(name="1"):
    with session.snapshot() as db:
        return db.execute(text("SELECT verdict FROM issue WHERE title LIKE :name"), {"name": f"% {name}"}).scalar_one()


def some_land(random):
    """Six units with two overlapping jurisdictions each, some for one branch only, and nine communities."""
    a_category("road")
    a_category("road.path", parent="road")
    a_category("waste")
    units = [NewUnit(f"U{n}", Name("", f"Unit {n}")) for n in range(6)]
    chosen = [(), (), ("road",), ("road.path",), ("waste",), ("road.path", "waste")]
    made = [
        NewJurisdiction(f"J{n}", f"U{n % 6}", Name("", ""), shapely.to_wkb(a_box(random)), chosen[n % 6])
        for n in range(12)
    ]
    places_ = [
        NewPlace(PlaceKind.COMMUNITY, f"C{n}", Name("", f"C{n}"), shapely.to_wkb(a_box(random))) for n in range(9)
    ]
    boundaries.store_all(OPERATOR, places=places_, units=units, jurisdictions=made, today=TODAY)


def a_box(random):
    west, south = random.uniform(106.60, 106.64), random.uniform(29.00, 29.04)
    return shapely.box(west, south, west + random.uniform(0.005, 0.03), south + random.uniform(0.005, 0.03))


def test_many_at_once_are_judged_as_one_alone_is():
    random = np.random.default_rng(5)
    some_land(random)
    categories = ("road", "road.path", "waste")
    issues = [
        an_issue(
            str(n),
            point=Point(*random.uniform((106.6, 29.0), (106.66, 29.06)).tolist()),
            category=categories[n % 3],
            accuracy_m=None if n % 2 else float(random.uniform(0, 400)),
        )
        for n in range(400)
    ]
    store(*issues)

    stored = {row[0]: row[1:] for row in rows(
        "SELECT id, verdict, community_verdict, ARRAY(SELECT u.code FROM unnest(candidate_ids) "
        "WITH ORDINALITY AS c (id, n) JOIN unit u USING (id) ORDER BY n) FROM issue"
    )}  # fmt: skip

    seen = set()
    for issue in issues:
        with session.snapshot() as db:
            tolerance = tolerance_m(issue.accuracy_m)
            hits = places.hits(db, issue.point, category=issue.category, tolerance=tolerance, day=TODAY)
            around = places.communities_at(db, issue.point, tolerance=tolerance, day=TODAY)
        alone = judge(hits)
        inside = [hit.unit for hit in alone.candidates if hit.inside]
        community = classify(sum(inside for _, inside in around), len(around))
        assert stored[issue.id] == (alone.verdict, community, inside)
        seen.add(alone.verdict)
    assert seen == set(VerdictClass)


@pytest.mark.parametrize(
    ("metres", "accuracy", "verdict"),
    [(24, None, "near"), (26, None, "clear"), (60, 80.0, "near"), (60, 50.0, "clear")],
)
def test_another_unit_within_25_m_or_the_points_accuracy_makes_it_near(metres, accuracy, verdict):
    a_category()
    a_jurisdiction("A", shapely.box(106.60, 29.00, 106.65, 29.06))
    a_jurisdiction("B", shapely.box(106.65, 29.00, 106.70, 29.06))
    west_of_the_edge = 106.65 - metres * METRE / np.cos(np.radians(29.03))

    store(an_issue(point=Point(float(west_of_the_edge), 29.03), accuracy_m=accuracy))

    assert verdict_of() == verdict


def test_of_two_units_the_closer_fit_then_the_smaller_area_comes_first():
    a_category()
    a_category("road.path", parent="road")
    a_jurisdiction("WIDE", square(106.60, 29.00, 0.08))
    a_jurisdiction("SMALL", square(106.64, 29.02))
    a_jurisdiction("EXACT", square(106.60, 29.00, 0.09), categories=("road.path",))

    store(an_issue(category="road.path"))

    ranked = rows(
        "SELECT u.code FROM issue, unnest(candidate_ids) WITH ORDINALITY AS c (id, n) JOIN unit u ON u.id = c.id "
        "ORDER BY n"
    )
    assert [code for (code,) in ranked] == ["EXACT", "SMALL", "WIDE"]


def test_an_ended_issue_keeps_what_held_on_its_day():
    a_category()
    area = square(106.64, 29.02)
    boundaries.store_all(OPERATOR, units=[NewUnit("OLD", Name("", "Old")), NewUnit("NEW", Name("", "New"))],
                         jurisdictions=[jurisdiction("OLD", area)], today=TODAY)  # fmt: skip
    ended = datetime(2026, 10, 10, tzinfo=UTC)
    store(an_issue("open"), an_issue("solved", state=IssueState.CLOSED, ended_at=ended))

    settled = boundaries.store_all(OPERATOR, jurisdictions=[jurisdiction("NEW", area)], today=TODAY)

    assert settled.rejudged == 1
    assert rows("SELECT title, u.code, judged_on FROM issue JOIN unit u ON u.id = candidate_ids[1] ORDER BY title") == [
        ("人行道破损 open", "NEW", TODAY),
        ("人行道破损 solved", "OLD", ended.date()),
    ]


def jurisdiction(unit, area):
    return NewJurisdiction("J1", unit, Name("", ""), shapely.to_wkb(area))


def test_what_judging_again_changes_stands_in_the_history():
    a_category()
    store(an_issue())
    assert verdict_of() == "orphan"

    a_jurisdiction("A", square(106.64, 29.02))

    assert verdict_of() == "clear"
    assert rows("SELECT action, detail ->> 'from', detail ->> 'to' FROM history WHERE action = 'judge'") == [
        ("judge", "orphan", "clear")
    ]


def test_a_version_that_begins_tomorrow_judges_nothing_today_and_all_tomorrow():
    a_category()
    store(an_issue())
    tomorrow = TODAY + timedelta(days=1)
    one = NewJurisdiction("J1", "A", Name("", ""), shapely.to_wkb(square(106.64, 29.02)), valid_from=tomorrow)
    boundaries.store_all(OPERATOR, units=[NewUnit("A", Name("", "A"))], jurisdictions=[one], today=TODAY)

    today = verdict_of()
    changed = judging.judge_all(OPERATOR, today=tomorrow)

    assert (today, changed, verdict_of()) == ("orphan", 1, "clear")
    assert judging.judge_all(OPERATOR, today=tomorrow) == 0


def test_a_community_is_found_although_no_unit_is():
    a_category()
    a_place("C1", square(106.64, 29.02))
    store(an_issue(point=CENTRE, reported_at=NOON, updated_at=NOON))

    assert rows(
        "SELECT p.code, community_verdict, verdict, judged_on FROM issue JOIN place p ON p.id = community_id"
    ) == [("C1", "clear", "orphan", date(2026, 11, 20))]


def test_many_are_judged_again_as_few_are(monkeypatch):
    random = np.random.default_rng(7)
    some_land(random)
    points = [Point(*random.uniform((106.6, 29.0), (106.66, 29.06)).tolist()) for _ in range(150)]
    ended = datetime(2026, 10, 10, tzinfo=UTC)
    old = {"state": IssueState.CLOSED, "ended_at": ended}
    store(*(an_issue(str(n), point=point, **old if n % 5 == 0 else {}) for n, point in enumerate(points)))
    moved = [
        NewJurisdiction(f"J{n}", f"U{n % 6}", Name("", ""), shapely.to_wkb(a_box(random)), valid_from=TODAY)
        for n in range(6)
    ]
    said = "SELECT title, community_id, community_verdict, verdict, candidate_ids, judged_on FROM issue ORDER BY title"
    before = rows(said)

    monkeypatch.setattr(rule, "FEW", 1)
    boundaries.store_all(OPERATOR, jurisdictions=moved, today=TODAY)
    many = rows(said)

    monkeypatch.setattr(rule, "FEW", 1000)
    assert judging.judge_all(OPERATOR, today=TODAY) == 0
    changed = [new for old_one, new in zip(before, many, strict=True) if old_one[1:5] != new[1:5]]
    assert len(changed) > 30
    assert {row[5] for row in changed} == {TODAY}
    assert {row[5] for row in many} == {TODAY, ended.date()}
