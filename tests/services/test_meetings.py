"""Joint meetings on the real database: what is suggested, what a decision leads to, and all of it or nothing."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid4, uuid5

import pytest
from sqlalchemy import text

from geoapp.domain.agenda import Decision, Kind, MeetingState, Outcome
from geoapp.domain.boundaries import NewUnit
from geoapp.domain.values import OPERATOR, Event, Grant, IssueState, Level, Name, Point, Privacy, Role, Viewer
from geoapp.domain.workflow import Given
from geoapp.errors import BadInput, Conflict, NotApplied, NotFound, NotYours, Refused, VersionNeeded
from geoapp.services import agendas, boundaries, decisions, issues, meetings, triage, vulnerable
from geoapp.services.meetings import MeetingFacts
from geoapp.services.vulnerable import Spot
from geoapp.store import history, session
from tests.builders import CENTRE, NOON, TODAY, a_category, a_jurisdiction, a_place, an_issue, square, store
from tests.domain.test_calendar import CHINA

SECRETARY = Viewer((Grant(Role.SECRETARY, frozenset({"C1", "C2"})),), uuid4(), "Chen")
STAFF = Viewer((Grant(Role.COMMUNITY, frozenset({"C1"})),), uuid4(), "Li")
SUPERVISOR = Viewer((Grant(Role.SUPERVISOR, frozenset({"C1"})),), uuid4(), "Wu")
ELSEWHERE = Viewer((Grant(Role.SECRETARY, frozenset({"C9"})),), uuid4(), "Zhao")
OFFICER = Viewer((Grant(Role.UNIT, None, "U2"),), uuid4(), "Wang")
PUBLIC = Viewer()
MET = NOON + timedelta(days=2)
DAY = date(2026, 12, 20)
ASSIGN = Decision(Outcome.ASSIGN, "U1 mends it", "U1", ("U2",), Decimal(12000), "Street fund", DAY)


@pytest.fixture(autouse=True)
def ground(app):  # noqa: ARG001 - the database must be connected
    a_category()
    a_place("S1", square(106.60, 29.00, 0.2), kind="street")
    for code, west in (("C1", 106.64), ("C2", 106.66), ("C9", 106.70)):
        a_place(code, square(west, 29.02))
    with session.transaction() as db:
        db.execute(text("UPDATE place SET parent_id = (SELECT id FROM place WHERE code = 'S1') WHERE code <> 'S1'"))
    a_jurisdiction("U1", square(106.64, 29.02))
    boundaries.store_units(OPERATOR, [NewUnit("U2", Name("", "U2"))], today=TODAY)


def waiting(name, **changes):
    """An issue on the agenda, as its history tells."""
    at = datetime(2026, 10, 1, 4, 0, tzinfo=NOON.tzinfo)
    told = (
        Event(at, "report", IssueState.REPORTED),
        Event(at, "to_agenda", IssueState.AGENDA, "community", "returned"),
    )
    store(an_issue(name, **{"state": IssueState.AGENDA, "history": told, **changes}))
    return number(name)


def number(name):
    with session.snapshot() as db:
        return db.execute(
            text("SELECT number FROM issue WHERE id = :id"), {"id": uuid5(NAMESPACE_URL, name)}
        ).scalar_one()


def a_meeting(viewer=SECRETARY, place="C1", **facts):
    return meetings.plan(viewer, place, MeetingFacts(**{"title": "November", "starts_at": MET, **facts}), now=NOON)


def version(meeting):
    return meetings.row(OPERATOR, meeting).version


def put(meeting, *numbers, viewer=SECRETARY):
    for one in numbers:
        agendas.add(viewer, meeting, one, words="on it", version=version(meeting), now=NOON, calendar=CHINA)


def decide(meeting, one, decision, viewer=SECRETARY):
    decisions.decide(viewer, meeting, one, decision, version=version(meeting), now=MET, calendar=CHINA)


def close(meeting, viewer=SECRETARY, now=MET + timedelta(hours=2), **given):
    return decisions.close(viewer, meeting, **{"version": version(meeting), "now": now, "calendar": CHINA, **given})


def suggested(meeting, viewer=SECRETARY, now=NOON):
    return agendas.suggested(viewer, meeting, now=now, calendar=CHINA)


def of(name):
    """State, level, unit, plan and fund of an issue."""
    detail = issues.get(OPERATOR, number(name), zone=CHINA.zone).detail
    return detail.row.state, detail.level, detail.row.unit, detail.cost_planned, detail.fund_source


def told(name):
    return issues.get(OPERATOR, number(name), zone=CHINA.zone).detail.history


def everything():
    with session.snapshot() as db:
        return [
            db.execute(text(f"SELECT count(*), max(xmin::text::bigint) FROM {table}")).one()  # noqa: S608
            for table in ("issue", "history", "meeting", "agenda_item", "notice")
        ]


# --- what is suggested


def test_what_waits_for_a_meeting_is_suggested_with_every_part_of_its_score():
    waiting("mild", severity=1)
    waiting("grave", severity=4)
    store(an_issue("accepted"))
    vulnerable.store(
        OPERATOR, Kind.SCHOOL, [Spot(Name("小学", "School"), Point(CENTRE.lon + 0.001, CENTRE.lat))], origin="test"
    )

    found = suggested(a_meeting())

    assert [one.issue.number for one in found] == [number("grave"), number("mild")]
    points = {str(part.term): part.points for part in found[0].score.parts}
    assert (points["severity"], points["returns"], points["witnesses"]) == (25, 0, 0)
    # 97 m of 300: two thirds of ten points are left.
    assert points["vulnerable"] == pytest.approx(6.8, abs=0.1)
    assert found[0].score.total == pytest.approx(sum(points.values()))


def test_of_another_community_nothing_is_suggested_and_nothing_of_it_can_be_put_on():
    there = waiting("there", point=Point(106.67, 29.03))
    private = waiting("private", point=Point(106.71, 29.03), privacy=Privacy.PRIVATE)
    own, wide = a_meeting(), a_meeting(place="C2")

    assert suggested(own) == []
    assert [one.issue.number for one in suggested(wide)] == [there]
    for one in (there, private, "QJ-1999-000001"):
        with pytest.raises(BadInput) as wrong:
            put(own, one)
        assert wrong.value.field == "number"


def test_what_is_on_one_agenda_is_not_suggested_for_another():
    one = waiting("1")
    first, second = a_meeting(), a_meeting()
    put(first, one)

    assert suggested(second) == suggested(first) == []
    with pytest.raises(Refused) as refused:
        put(second, one)
    assert refused.value.reason == "on_another_agenda"


def test_open_decisions_of_earlier_meetings_come_up_by_themselves():
    put_off, late, in_time, stayed = (waiting(name) for name in ("put off", "late", "in time", "stayed"))
    first = a_meeting()
    put(first, put_off, late, in_time, stayed)
    decide(first, put_off, Decision(Outcome.POSTPONE, "papers are missing"))
    decide(first, late, replace(ASSIGN, due_on=MET.date()))
    decide(first, in_time, ASSIGN)
    decide(first, stayed, Decision(Outcome.STAY, "the stewards do it"))
    close(first)

    after = MET + timedelta(days=10)
    found = {one.issue.number: one for one in suggested(a_meeting(starts_at=after), now=after)}

    assert {key: one.carried for key, one in found.items()} == {
        put_off: "postponed", late: "broken", in_time: "not_done",
    }  # fmt: skip
    carried = {
        key: next(part for part in one.score.parts if part.term == "carried").points for key, one in found.items()
    }
    assert carried == {put_off: 5, late: 10, in_time: 0}
    overdue = {key: next(part for part in one.score.parts if part.term == "overdue") for key, one in found.items()}
    assert overdue[late].measured > 0
    assert overdue[in_time].measured == 0


def test_the_suggestion_is_taken_over_in_its_order():
    for nth in range(4):
        waiting(str(nth), severity=nth + 1)
    meeting = a_meeting()

    taken = agendas.take_over(SECRETARY, meeting, most=3, words="on it", version=1, now=NOON, calendar=CHINA)

    whole = meetings.get(SECRETARY, meeting)
    assert taken == 3
    assert [(one.row.position, one.row.number) for one in whole.items] == [
        (1, number("3")), (2, number("2")), (3, number("1")),
    ]  # fmt: skip
    assert whole.items[0].row.score["total"] == sum(part["points"] for part in whole.items[0].row.score["parts"])
    assert [one.issue.number for one in suggested(meeting)] == [number("0")]


# --- the agenda


def test_items_are_ordered_and_taken_off():
    a, b, c = (waiting(name) for name in "abc")
    meeting = a_meeting()
    put(meeting, a, b, c)

    agendas.move(SECRETARY, meeting, c, to=1, version=version(meeting))
    agendas.move(SECRETARY, meeting, a, to=99, version=version(meeting))
    agendas.drop(SECRETARY, meeting, b, version=version(meeting))

    assert [(one.row.position, one.row.number) for one in meetings.get(SECRETARY, meeting).items] == [(1, c), (2, a)]
    assert of("b")[0] is IssueState.AGENDA
    for wrong in (
        lambda: agendas.move(SECRETARY, meeting, b, to=1, version=version(meeting)),
        lambda: agendas.drop(SECRETARY, meeting, b, version=version(meeting)),
        lambda: decide(meeting, b, ASSIGN),
    ):
        with pytest.raises(NotFound):
            wrong()


def test_an_accepted_issue_goes_to_the_meeting_over_the_workflow_and_one_not_accepted_does_not():
    store(
        an_issue("accepted"),
        an_issue("reported", state=IssueState.REPORTED),
        an_issue("over", state=IssueState.CLOSED, ended_at=NOON),
    )
    meeting = a_meeting()

    put(meeting, number("accepted"))

    assert of("accepted")[:2] == (IssueState.AGENDA, Level.JOINT_MEETING)
    assert [(line.action, line.note) for line in told("accepted")] == [("to_agenda", "on it")]
    with pytest.raises(Refused):
        put(meeting, number("reported"))
    with pytest.raises(BadInput):
        put(meeting, number("over"))
    # The same once more changes nothing.
    before = version(meeting)
    put(meeting, number("accepted"))
    assert version(meeting) == before


def test_an_item_shows_what_was_tried_whose_it_may_be_and_what_such_things_cost():
    store(
        *(
            an_issue(f"done {cost}", state=IssueState.CLOSED, ended_at=NOON, cost_spent=cost)
            for cost in (100.0, 300.0, 900.0)
        )
    )
    one = waiting("1", cost_planned=500.0)
    meeting = a_meeting()
    put(meeting, one)

    item = meetings.get(SECRETARY, meeting).items[0]

    assert [(line.action, line.note) for line in item.tried] == [("to_agenda", "returned")]
    assert [hit.unit for hit in item.verdict.candidates] == ["U1"]
    assert (item.facts.planned, item.usual.median, item.usual.n) == (500, 300, 3)


def test_an_agenda_has_an_end(monkeypatch):
    monkeypatch.setattr(agendas, "MOST_ITEMS", 1)
    meeting = a_meeting()
    put(meeting, waiting("1"))

    with pytest.raises(Refused) as refused:
        put(meeting, waiting("2"))
    assert refused.value.reason == "agenda_full"
    assert agendas.take_over(SECRETARY, meeting, most=9, words="x", version=2, now=NOON, calendar=CHINA) == 0


# --- decisions


WRONG = [
    ("words", {"words": " "}),
    ("words", {"words": "x" * 4001}),
    ("unit", {"unit": None}),
    ("unit", {"unit": "U9"}),
    ("helping", {"helping": ("U1",)}),
    ("amount", {"amount": Decimal(-1)}),
    ("fund", {"fund": "x" * 201}),
    ("due_on", {"due_on": MET.date() - timedelta(days=1)}),
    ("visit_on", {"visit_on": MET.date() - timedelta(days=1)}),
    ("votes", {"votes": (1000, 0, 0)}),
]


def test_a_decision_that_cannot_be_is_refused_with_its_field():
    meeting = a_meeting()
    put(meeting, waiting("1"))

    for field, changes in WRONG:
        with pytest.raises(BadInput) as wrong:
            decide(meeting, number("1"), replace(ASSIGN, **changes))
        assert wrong.value.field == field
    assert meetings.get(SECRETARY, meeting).items[0].row.decision is None


def test_a_decision_is_kept_and_can_be_taken_back_before_the_end():
    meeting = a_meeting()
    put(meeting, waiting("1"))
    decision = replace(ASSIGN, visit_on=MET.date(), votes=(9, 1, 0))

    decide(meeting, number("1"), decision)
    kept = meetings.get(SECRETARY, meeting).items[0].row
    decide(meeting, number("1"), None)

    assert kept.decision == decision
    assert [name.en for name in kept.helping_names] == ["U2"]
    assert meetings.get(SECRETARY, meeting).items[0].row.decision is None
    assert of("1")[0] is IssueState.AGENDA


def test_closing_carries_out_every_kind_of_decision():
    assigned, stayed, put_off, in_work = waiting("assigned"), waiting("stayed"), waiting("put off"), "in work"
    at = datetime(2026, 11, 1, 4, 0, tzinfo=NOON.tzinfo)
    store(an_issue(in_work, state=IssueState.HANDLING, unit="U2", history=(Event(at, "start", IssueState.HANDLING),)))
    meeting = a_meeting()
    put(meeting, assigned, stayed, put_off, number(in_work))
    decide(meeting, assigned, ASSIGN)
    decide(meeting, stayed, Decision(Outcome.STAY, "the stewards do it", amount=Decimal(300), fund="Own"))
    decide(meeting, put_off, Decision(Outcome.POSTPONE, "papers are missing"))
    decide(meeting, number(in_work), Decision(Outcome.GO_ON, "no later than this", due_on=DAY))

    done = close(meeting)

    assert (done.applied, done.before) == (4, False)
    assert of("assigned") == (IssueState.DISPATCHED, Level.JOINT_MEETING, "U1", 12000, "Street fund")
    assert of("stayed") == (IssueState.ACCEPTED, Level.COMMUNITY, None, 300, "Own")
    assert of("put off")[0] is IssueState.AGENDA
    assert of(in_work)[0] is IssueState.HANDLING
    assert [(line.action, line.actor) for line in told("assigned")][-3:] == [
        ("decide", "meeting"), ("dispatch", "secretary"), ("cost", "secretary"),
    ]  # fmt: skip
    assert [(line.action, line.note) for line in told("put off")][-1:] == [("postpone", "papers are missing")]
    last = told(in_work)[-1]
    assert (last.action, last.actor, last.detail["due"]) == ("agree", "meeting", "2026-12-20")
    whole = meetings.get(SECRETARY, meeting)
    assert whole.row.state is MeetingState.CLOSED
    assert all(one.row.applied_at for one in whole.items)
    with session.snapshot() as db:
        assert history.verify(db)[1] == []


def test_the_agreed_day_is_the_deadline_of_the_work():
    one, in_work = waiting("1"), "in work"
    at = datetime(2026, 11, 1, 4, 0, tzinfo=NOON.tzinfo)
    store(an_issue(in_work, state=IssueState.HANDLING, unit="U2", history=(Event(at, "start", IssueState.HANDLING),)))
    meeting = a_meeting()
    put(meeting, one, number(in_work))
    decide(meeting, one, ASSIGN)
    decide(meeting, number(in_work), Decision(Outcome.GO_ON, "hurry", due_on=DAY))
    close(meeting)

    for name in ("1", in_work):
        row = issues.get(OPERATOR, number(name), zone=CHINA.zone).detail.row
        assert (row.stage, row.due_at.astimezone(CHINA.zone).date(), row.paused) == ("handle", DAY, False)


def test_a_returned_issue_of_the_agenda_finds_its_way_over_it():
    meeting = a_meeting()
    one = waiting("1")
    put(meeting, one)
    decide(meeting, one, ASSIGN)
    # Somebody takes it off the agenda meanwhile.
    found = triage.work_on(SECRETARY, one, zone=CHINA.zone)
    triage.act(SECRETARY, one, "decide", Given(note="by phone"), version=found.version, now=NOON, calendar=CHINA)

    close(meeting)

    assert of("1")[0] is IssueState.DISPATCHED
    assert [line.action for line in told("1")][-4:] == ["to_agenda", "decide", "dispatch", "cost"]


def test_what_is_refused_holds_all_of_it_up_and_nothing_is_lost():
    good, gone, open_one = waiting("good"), waiting("gone"), waiting("open")
    meeting = a_meeting()
    put(meeting, good, gone, open_one)
    decide(meeting, good, ASSIGN)
    decide(meeting, gone, ASSIGN)
    with session.transaction() as db:
        db.execute(text("UPDATE issue SET state = 'closed', ended_at = now() WHERE number = :n"), {"n": gone})
    before = everything()

    with pytest.raises(NotApplied) as refused:
        close(meeting)

    assert {key: one.reason for key, one in refused.value.refusals.items()} == {
        gone: "not_now",
        open_one: "needs_decision",
    }
    assert everything() == before
    assert meetings.get(SECRETARY, meeting).items[0].row.decision == ASSIGN
    agendas.drop(SECRETARY, meeting, gone, version=version(meeting))
    assert decisions.postpone_rest(SECRETARY, meeting, words="later", version=version(meeting), now=MET) == 1
    assert close(meeting).applied == 2
    assert of("good")[0] is IssueState.DISPATCHED


def test_what_breaks_in_the_middle_leaves_nothing_behind(monkeypatch):
    numbers = [waiting(str(nth)) for nth in range(4)]
    meeting = a_meeting()
    put(meeting, *numbers)
    for one in numbers:
        decide(meeting, one, ASSIGN)
    before, carry, count = everything(), triage.carry, []

    def breaks(*given, **named):
        count.append(1)
        if len(count) == 6:
            raise RuntimeError("the power is gone")
        return carry(*given, **named)

    monkeypatch.setattr(triage, "carry", breaks)
    with pytest.raises(RuntimeError):
        close(meeting)
    monkeypatch.undo()

    assert len(count) == 6
    assert everything() == before
    assert close(meeting).applied == 4


def test_closing_twice_changes_nothing():
    one = waiting("1")
    meeting = a_meeting()
    put(meeting, one)
    decide(meeting, one, ASSIGN)
    close(meeting)
    before = everything()

    again = close(meeting, version=1)

    assert again.before
    assert everything() == before
    for late in (lambda: decide(meeting, one, ASSIGN), lambda: put(meeting, waiting("2"))):
        with pytest.raises(Refused) as refused:
            late()
        assert refused.value.reason == "meeting_closed"


def test_every_change_names_the_version_that_was_read():
    meeting = a_meeting()
    one = waiting("1")
    put(meeting, one)

    with pytest.raises(Conflict):
        decisions.decide(SECRETARY, meeting, one, ASSIGN, version=1, now=MET, calendar=CHINA)
    with pytest.raises(VersionNeeded):
        decisions.decide(SECRETARY, meeting, one, ASSIGN, version=None, now=MET, calendar=CHINA)
    with pytest.raises(Conflict):
        close(meeting, version=1)


# --- who may


def test_a_meeting_is_held_by_those_whose_right_covers_its_place():
    for viewer, place in (
        (STAFF, "S1"),
        (SECRETARY, "S1"),
        (SUPERVISOR, "C1"),
        (OFFICER, "C1"),
        (PUBLIC, "C1"),
        (STAFF, "X"),
    ):
        with pytest.raises(NotYours):
            a_meeting(viewer, place)
    assert [one.code for one in meetings.places_for(SECRETARY)] == ["C1", "C2"]
    assert meetings.places_for(SUPERVISOR) == []
    prepared = a_meeting(STAFF)
    one = waiting("1")
    put(prepared, one, viewer=STAFF)
    decide(prepared, one, ASSIGN, viewer=STAFF)
    # Staff prepare, the secretary closes.
    with pytest.raises(NotYours):
        close(prepared, STAFF)
    assert close(prepared).applied == 1


def test_others_read_and_who_is_elsewhere_sees_nothing_of_it():
    one = waiting("1")
    meeting = a_meeting(attendees="Chen\nLi", minutes="they argued")
    put(meeting, one)

    read = meetings.get(SUPERVISOR, meeting)
    assert (read.row.facts.minutes, read.row.may_change, len(read.items)) == ("they argued", False, 1)
    for change in (
        lambda: put(meeting, waiting("2"), viewer=SUPERVISOR),
        lambda: meetings.begin(SUPERVISOR, meeting, version=version(meeting), now=NOON),
    ):
        with pytest.raises(NotYours):
            change()
    for viewer in (ELSEWHERE, OFFICER, PUBLIC):
        assert meetings.listed(viewer) == []
        with pytest.raises(NotFound):
            meetings.get(viewer, meeting)
        with pytest.raises(NotFound):
            agendas.suggested(viewer, meeting, now=NOON, calendar=CHINA)


def test_a_unit_reads_its_own_items_and_nothing_of_the_notes():
    ours, theirs = waiting("ours"), waiting("theirs")
    meeting = a_meeting(attendees="Chen", minutes="they argued")
    put(meeting, ours, theirs)
    decide(meeting, ours, replace(ASSIGN, unit="U2", helping=()))
    decide(meeting, theirs, replace(ASSIGN, unit="U1", helping=()))
    close(meeting)

    whole = meetings.get(OFFICER, meeting)

    assert [one.row.number for one in whole.items] == [ours]
    assert (whole.hidden, whole.row.facts.minutes, whole.row.facts.attendees) == (1, "", "")


def test_of_a_street_each_community_reads_its_own_items():
    here, there = waiting("here"), waiting("there", point=Point(106.67, 29.03))
    wide = Viewer((Grant(Role.SECRETARY),), uuid4(), "Chen")
    meeting = a_meeting(wide, "S1")
    put(meeting, here, there, viewer=wide)

    assert len(meetings.get(wide, meeting).items) == 2
    mine = meetings.get(STAFF, meeting)
    assert ([one.row.number for one in mine.items], mine.hidden) == ([here], 1)


def test_facts_change_and_a_closed_meeting_keeps_its_day():
    meeting = a_meeting()
    meetings.begin(SECRETARY, meeting, version=1, now=MET)
    meetings.begin(SECRETARY, meeting, version=2, now=MET)
    meetings.change(SECRETARY, meeting, MeetingFacts("New", MET, "Hall", "Li", "short"), version=2)
    close(meeting)
    meetings.change(SECRETARY, meeting, MeetingFacts("New", NOON, "Hall", "Li, Wu", "longer"), version=4)

    row = meetings.row(SECRETARY, meeting)
    assert (row.state, row.facts.starts_at, row.facts.minutes) == (MeetingState.CLOSED, MET, "longer")
    for field, wrong in (
        ("title", {"title": " "}),
        ("venue", {"venue": "x" * 201}),
        ("starts_at", {"starts_at": MET.replace(tzinfo=None)}),
    ):
        with pytest.raises(BadInput) as refused:
            meetings.change(SECRETARY, meeting, replace(row.facts, **wrong), version=5)
        assert refused.value.field == field


def test_the_same_meeting_sent_twice_is_one():
    named = uuid4()
    for _ in range(2):
        meetings.plan(SECRETARY, "C1", MeetingFacts("November", MET), id=named, now=NOON)

    assert [one.id for one in meetings.listed(SECRETARY)] == [named]
