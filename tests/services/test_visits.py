"""Site visits: planned by whoever may, one version after another, and told by the issues when they end."""

from dataclasses import replace
from datetime import time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from geoapp.domain.values import ANONYMOUS, OPERATOR, Grant, IssueState, Point, Role, Viewer
from geoapp.domain.visiting import Draft, DraftGuest, DraftStop, Finish, VisitState
from geoapp.errors import BadInput, Conflict, NotFound, NotYours, Refused, VersionNeeded
from geoapp.services import audit, clocks, issues, visits
from geoapp.store import session
from tests.builders import CENTRE, NOON, TODAY, a_category, a_jurisdiction, a_place, an_issue, square, store

SECRETARY = Viewer((Grant(Role.SECRETARY, frozenset({"C1"})),), UUID(int=7), "Li")
COLLEAGUE = Viewer((Grant(Role.SECRETARY, frozenset({"C1"})),), UUID(int=8), "Wu")
ELSEWHERE = Viewer((Grant(Role.SECRETARY, frozenset({"C2"})),), UUID(int=9), "He")
STAFF = Viewer((Grant(Role.COMMUNITY, frozenset({"C1"})),), UUID(int=10), "Chen")
VISIT = UUID(int=100)
NAMES = ("one", "two", "three")


@pytest.fixture
def town(app, settings):  # noqa: ARG001 - the database must be connected
    a_category("road")
    a_place("C1", square(106.64, 29.02))
    a_place("C2", square(106.66, 29.02))
    a_jurisdiction("U1", square(106.64, 29.02))
    store(*(an_issue(name, point=Point(106.645 + nth / 1000, 29.03)) for nth, name in enumerate(NAMES)))
    store(an_issue("far", point=Point(106.665, 29.03)))
    return clocks.read_calendar(settings.calendar_file, settings.zone)


def stops(*names):
    return tuple(DraftStop(an_issue(name).id) for name in names)


def a_draft(**changes):
    known = {"title": "Tuesday", "on_day": TODAY, "starts_at": time(9), "start": Point(106.644, 29.03)}
    return Draft(**{**known, "stops": stops(*NAMES), "by_hand": True, **changes})


def planned(calendar, viewer=SECRETARY, **changes):
    return visits.create(viewer, a_draft(**changes), id=VISIT, now=NOON, zone=calendar.zone)


def test_a_visit_holds_its_stops_in_order_with_times_and_metres(town):
    made = planned(town)

    read = visits.get(SECRETARY, VISIT)
    assert read == made
    assert [stop.seq for stop in read.stops] == [1, 2, 3]
    assert [stop.issue.id for stop in read.stops] == [an_issue(name).id for name in NAMES]
    first = read.stops[0].arrives_at.astimezone(town.zone)
    assert time(9) <= first.time() < time(9, 5)
    assert first.date() == TODAY
    assert [stop.leaves_at - stop.arrives_at for stop in read.stops] == [timedelta(minutes=15)] * 3
    assert sum(stop.leg_m for stop in read.stops) < read.visit.length_m
    assert [one.code for one in read.stops[0].candidates] == ["U1"]
    assert read.visit.communities == ("C1",)


def test_the_same_visit_sent_again_is_made_once(town):
    assert planned(town) == planned(town)
    assert [row.id for row in visits.mine(SECRETARY)] == [VISIT]


def test_an_id_of_somebody_else_is_refused(town):
    planned(town)

    with pytest.raises(Refused, match="id_taken"):
        planned(town, viewer=ELSEWHERE, stops=stops("far"))


def test_a_visit_is_seen_by_whoever_may_visit_in_all_its_communities_and_by_nobody_else(town):
    planned(town, viewer=OPERATOR, stops=stops("one", "far"))

    for viewer in (SECRETARY, ELSEWHERE):
        assert visits.mine(viewer) == []
        with pytest.raises(NotFound):
            visits.get(viewer, VISIT)
    both = Viewer((Grant(Role.SECRETARY, frozenset({"C1", "C2"})),), UUID(int=11), "Sun")
    assert [row.id for row in visits.mine(both)] == [VISIT]
    for viewer in (STAFF, ANONYMOUS):
        with pytest.raises(NotYours):
            visits.mine(viewer)


def test_nobody_plans_where_they_may_not_visit(town):
    for viewer in (STAFF, ANONYMOUS, ELSEWHERE):
        with pytest.raises((NotYours, BadInput)):
            planned(town, viewer=viewer)
    assert visits.mine(OPERATOR) == []
    assert visits.targets(ELSEWHERE, (an_issue("one").id,)) == {}


def test_a_colleague_of_the_same_community_changes_it_from_what_was_read(town):
    planned(town)

    changed = visits.change(COLLEAGUE, VISIT, a_draft(title="Wednesday", stops=stops("three", "one")), version=1,
                            now=NOON, zone=town.zone)  # fmt: skip
    assert (changed.visit.title, changed.visit.version) == ("Wednesday", 2)
    assert [stop.issue.id for stop in changed.stops] == [an_issue("three").id, an_issue("one").id]
    with pytest.raises(Conflict) as late:
        visits.change(SECRETARY, VISIT, a_draft(), version=1, now=NOON, zone=town.zone)
    assert late.value.version == 2
    with pytest.raises(VersionNeeded):
        visits.change(SECRETARY, VISIT, a_draft(), version=None, now=NOON, zone=town.zone)
    with pytest.raises(NotFound):
        visits.change(ELSEWHERE, VISIT, a_draft(), version=2, now=NOON, zone=town.zone)


def test_a_guest_of_a_unit_keeps_phone_and_hours(town):
    guest = DraftGuest(UUID(int=1), unit="U1", phone="023-1234", window_from=time(14), window_to=time(15))

    made = planned(town, guests=(guest, DraftGuest(UUID(int=2), name="Zhao")))
    assert [(one.unit, one.name, one.phone, one.window_from) for one in made.guests] == [
        ("U1", "", "023-1234", time(14)), (None, "Zhao", "", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"stops": ()}, "stops"),
        ({"stops": stops("one", "one")}, "stops"),
        ({"stops": (DraftStop(UUID(int=5)),)}, "stops"),
        ({"finish": Finish.PLACE}, "end"),
        ({"budget_min": 0}, "budget"),
        ({"guests": (DraftGuest(UUID(int=1), unit="U9"),)}, "guests"),
    ],
)
def test_a_draft_that_cannot_be_leaves_nothing_behind(town, changes, field):
    with pytest.raises(BadInput) as refused:
        planned(town, **changes)

    assert refused.value.field == field
    assert visits.mine(SECRETARY) == []


def test_the_end_is_told_by_the_history_of_every_issue_that_was_visited(town):
    planned(town)
    begun = visits.start(SECRETARY, VISIT, version=1, now=NOON)

    ended = visits.end(
        SECRETARY, VISIT, version=2, now=NOON + timedelta(hours=2), calendar=town, summary="dry",
        findings={an_issue("one").id: "the kerb is broken too", an_issue("two").id: ""},
    )  # fmt: skip
    assert begun.visit.state is VisitState.UNDER_WAY
    assert (ended.detail.visit.state, ended.detail.visit.summary) == (VisitState.ENDED, "dry")
    assert (len(ended.told), ended.untold) == (2, ())
    told = [issues.get(SECRETARY, str(an_issue(name).id), zone=town.zone).detail.history for name in NAMES]
    assert [[(line.action, line.note, line.detail["visit"]) for line in lines] for lines in told] == [
        [("visit", "the kerb is broken too", str(VISIT))],
        [("visit", "Tuesday", str(VISIT))],
        [],
    ]
    assert audit.verify(OPERATOR).breaks == ()


def test_an_issue_that_has_ended_meanwhile_is_visited_without_a_line(town):
    done = an_issue("closed", state=IssueState.CLOSED, point=CENTRE, ended_at=NOON)
    store(done)
    planned(town, viewer=OPERATOR, stops=(*stops("one"), DraftStop(done.id)))

    ended = visits.end(OPERATOR, VISIT, version=1, now=NOON, calendar=town)
    assert (len(ended.told), len(ended.untold)) == (1, 1)


def test_a_finding_of_a_strange_issue_ends_nothing(town):
    planned(town)

    with pytest.raises(BadInput):
        visits.end(SECRETARY, VISIT, version=1, now=NOON, calendar=town, findings={UUID(int=5): "x"})
    with pytest.raises(BadInput):
        visits.end(SECRETARY, VISIT, version=1, now=NOON, calendar=town, summary="x" * 4001)
    assert visits.get(SECRETARY, VISIT).visit.state is VisitState.PLANNED


def test_what_is_over_is_not_changed_any_more(town):
    planned(town)
    visits.cancel(SECRETARY, VISIT, version=1, now=NOON)

    for step in (
        lambda: visits.start(SECRETARY, VISIT, version=2, now=NOON),
        lambda: visits.cancel(SECRETARY, VISIT, version=2, now=NOON),
        lambda: visits.end(SECRETARY, VISIT, version=2, now=NOON, calendar=town),
        lambda: visits.change(SECRETARY, VISIT, replace(a_draft(), title="x"), version=2, now=NOON, zone=town.zone),
    ):
        with pytest.raises(Refused, match="visit_not_now"):
            step()


def test_a_preview_keeps_nothing(town):  # noqa: ARG001 - it is there to be visited
    plan = visits.preview(SECRETARY, a_draft(), now=NOON)

    assert [stop.issue for stop in plan.stops] == [an_issue(name).id for name in NAMES]
    assert visits.mine(SECRETARY) == []


def test_visits_are_listed_by_day_the_latest_first_page_by_page(town):
    for nth in (1, 2, 3):
        draft = a_draft(title=f"Day {nth}", on_day=TODAY + timedelta(days=nth))
        visits.create(SECRETARY, draft, id=UUID(int=nth), now=NOON, zone=town.zone)
    visits.cancel(SECRETARY, UUID(int=2), version=1, now=NOON)

    first = visits.mine(SECRETARY, limit=2)
    rest = visits.mine(SECRETARY, limit=2, after=(first[-1].on_day, first[-1].id))
    assert [row.title for row in (*first, *rest)] == ["Day 3", "Day 2", "Day 1"]
    assert [row.title for row in visits.mine(SECRETARY, states=(VisitState.CANCELLED,))] == ["Day 2"]


def test_the_best_order_leaves_out_what_does_not_fit_and_says_why(town):
    stop = DraftStop(an_issue("two").id, window_from=time(8), window_to=time(8, 30))
    made = planned(town, stops=(*stops("three", "one"), stop), by_hand=False, finish=Finish.LAST_STOP)

    assert [stop.issue.id for stop in made.stops] == [an_issue(name).id for name in ("one", "three", "two")]
    assert [(stop.seq, stop.left_out) for stop in made.stops] == [(1, ""), (2, ""), (None, "window_missed")]
    assert made.visit.length_m == pytest.approx(sum(stop.leg_m for stop in made.stops if stop.seq))


def test_a_stop_taken_out_by_hand_stays_with_the_plan(town):
    one, two, _ = stops(*NAMES)

    made = planned(town, stops=(one, replace(two, out=True)))
    assert [(stop.seq, stop.left_out) for stop in made.stops] == [(1, ""), (None, "by_hand")]


def test_a_visit_ends_at_a_place_of_its_own_and_waits_for_an_appointment(town):
    end = Point(106.65, 29.031)
    stop = DraftStop(an_issue("one").id, minutes=20, window_from=time(10), window_to=time(10, 30), pinned=True)
    made = planned(town, stops=(stop,), finish=Finish.PLACE, end=end, end_name="the school")

    assert (made.visit.end, made.visit.end_name) == (end, "the school")
    assert (made.stops[0].pinned, made.stops[0].window_from, made.stops[0].minutes) == (True, time(10), 20)
    assert made.stops[0].waits >= 55
    assert made.visit.route is not None


def test_an_issue_that_went_to_another_community_is_not_shown_by_an_old_visit(town):
    planned(town)
    with session.transaction() as db:
        db.execute(
            text("UPDATE issue SET community_id = (SELECT id FROM place WHERE code = 'C2') WHERE id = :id"),
            {"id": an_issue("two").id},
        )

    assert [stop.issue.id for stop in visits.get(SECRETARY, VISIT).stops] == [an_issue("one").id, an_issue("three").id]


def test_of_issues_elsewhere_that_one_sees_none_is_planned(town):
    both = Viewer((Grant(Role.SECRETARY, frozenset({"C1"})), Grant(Role.COMMUNITY, frozenset({"C2"}))), UUID(int=3), "")

    with pytest.raises(NotYours):
        planned(town, viewer=both, stops=stops("one", "far"))
    assert set(visits.targets(both, (an_issue("one").id, an_issue("far").id))) == {an_issue("one").id}
