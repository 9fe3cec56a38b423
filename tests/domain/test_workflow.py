"""The rule book of the workflow, written a second time as words; every pair that is not in it is refused."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoapp.domain import workflow
from geoapp.domain.permissions import Right, Subject
from geoapp.domain.values import ANONYMOUS, Duty, Grant, IssueState, Level, Role, Score, Viewer
from geoapp.domain.workflow import (
    DUTIES,
    LONGEST_NOTE,
    TABLE,
    Case,
    Given,
    Need,
    Refusal,
    Transition,
    after_its_parts,
    decide,
    duties,
    options,
    realm,
)

TODAY = date(2026, 11, 20)
ID, OTHER = UUID(int=1), UUID(int=2)
LIVE = "reported accepted agenda dispatched returned handling deferred shelved done rework reopened"
WAY = {
    "accept": ("reported reopened", "accepted", "community"),
    "refuse": ("reported", "refused", "community"),
    "duplicate": ("reported accepted reopened", "duplicate", "community"),
    "restore": ("refused duplicate", "reported", "community administrator"),
    "to_agenda": ("accepted returned", "agenda", "community secretary"),
    "decide": ("agenda", "accepted", "secretary"),
    "dispatch": ("accepted returned deferred shelved", "dispatched", "community secretary"),
    "return": ("dispatched", "returned", "unit"),
    "start": ("dispatched rework", "handling", "unit"),
    "report_done": ("handling rework", "done", "unit"),
    "close": ("done", "closed", "community secretary supervisor"),
    "rework": ("done", "rework", "community secretary supervisor"),
    "reopen": ("closed", "reopened", "community secretary supervisor"),
    "defer": ("dispatched handling rework", "deferred", "community secretary"),
    "shelve": ("accepted agenda returned dispatched handling deferred", "shelved", "community secretary"),
    "resume": ("shelved", "accepted", "community secretary"),
    "split": ("accepted agenda returned reopened", "handling", "community secretary"),
    "visit": (LIVE, None, "secretary"),
    "settle": (LIVE, None, "secretary administrator"),
    "note": (LIVE + " closed refused duplicate", None, "steward community unit secretary supervisor"),
}
ALL = Given(note="because", unit="U1", helping=("U2",), until=date(2026, 12, 1), original=OTHER, parts=3)


def a_case(state="reported", *, after_photo=True, unit="U1") -> Case:
    return Case(ID, IssueState(state), Subject("C1", unit, frozenset({"U2"})), after_photo)


def a_viewer(role: str, unit="U1") -> Viewer:
    if role == "unit":
        return Viewer((Grant(Role.UNIT, None, unit),))
    return Viewer((Grant(Role(role), frozenset({"C1"})),))


def test_the_table_holds_these_actions_and_no_others():
    assert {str(action) for action in TABLE} == set(WAY)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OPERATOR])
def test_each_role_may_do_what_the_rule_book_says_in_each_state_and_nothing_else(role):
    for state, action in product(IssueState, TABLE):
        origins, to_state, roles = WAY[action]
        found = decide(a_case(state), action, a_viewer(role), ALL, today=TODAY)

        allowed = state in origins.split() and role in roles.split()
        assert isinstance(found, Transition) == allowed, (role, state, action, found)
        if allowed:
            assert (found.to_state, found.actor) == (to_state, role)
        else:
            assert found.reason == ("not_now" if role in roles.split() else "not_yours")


def test_the_operator_may_do_everything_in_its_state():
    operator = Viewer((Grant(Role.OPERATOR),))

    for action, (origins, _, _) in WAY.items():
        assert isinstance(decide(a_case(origins.split()[0]), Right(action), operator, ALL, today=TODAY), Transition)


@pytest.mark.parametrize("role", WAY["note"][2].split())
def test_nobody_acts_outside_the_place_or_unit_of_the_role(role):
    elsewhere = Case(ID, IssueState.DONE, Subject("C9", "U9"), after_photo=True)

    refusals = {decide(elsewhere, action, a_viewer(role), ALL, today=TODAY).reason for action in TABLE}

    assert refusals == {"not_yours"}


@pytest.mark.parametrize("action", [Right.CLOSE, Right.REWORK])
@pytest.mark.parametrize("unit", ["U1", "U2"])
def test_the_unit_that_did_the_work_never_checks_it_whatever_else_it_is(action, unit):
    both = Viewer((Grant(Role.SUPERVISOR, None), Grant(Role.UNIT, None, unit)))

    assert decide(a_case("done"), action, both, ALL, today=TODAY) == Refusal("own_work", "action")


def test_work_is_reported_done_with_a_photo_taken_after_it():
    without = a_case("handling", after_photo=False)

    assert decide(without, Right.REPORT_DONE, a_viewer("unit"), ALL, today=TODAY).reason == "needs_after_photo"
    assert [o.refusal for o in options(without, a_viewer("unit")) if o.action is Right.REPORT_DONE] == [
        Refusal("needs_after_photo", "photo")
    ]


@pytest.mark.parametrize(
    ("state", "action", "role", "said", "reason", "field"),
    [
        ("reported", "refuse", "community", Given(note=" \n"), "needs_reason", "note"),
        ("dispatched", "return", "unit", Given(), "needs_reason", "note"),
        ("accepted", "dispatch", "community", Given(), "needs_unit", "unit"),
        ("accepted", "dispatch", "community", Given(unit="U1", helping=("U1",)), "helps_itself", "helping"),
        ("handling", "defer", "community", Given(note="rain"), "needs_until", "until"),
        ("handling", "defer", "community", Given(note="rain", until=TODAY), "needs_until", "until"),
        ("reported", "duplicate", "community", Given(), "needs_original", "original"),
        ("reported", "duplicate", "community", Given(original=ID), "repeats_itself", "original"),
        ("reported", "accept", "community", Given(note="x" * (LONGEST_NOTE + 1)), "note_too_long", "note"),
    ],
)
def test_what_is_lacking_is_named_with_its_field(*, state, action, role, said, reason, field):
    found = decide(a_case(state), Right(action), a_viewer(role), said, today=TODAY)

    assert (found.reason, found.field) == (reason, field)


def test_an_action_that_does_not_exist_is_refused():
    assert decide(a_case(), Right.PEOPLE, a_viewer("community"), ALL, today=TODAY).reason == "no_such_action"


def test_a_transition_says_all_that_it_changes():
    dispatched = decide(a_case("accepted"), Right.DISPATCH, a_viewer("community"), ALL, today=TODAY)
    deferred = decide(a_case("handling"), Right.DEFER, a_viewer("community"), ALL, today=TODAY)
    merged = decide(a_case(), Right.DUPLICATE, a_viewer("community"), ALL, today=TODAY)
    returned = decide(a_case("dispatched"), Right.RETURN, a_viewer("unit"), ALL, today=TODAY)
    decided = decide(a_case("agenda"), Right.DECIDE, a_viewer("secretary"), ALL, today=TODAY)
    noted = decide(a_case("agenda"), Right.NOTE, a_viewer("secretary"), ALL, today=TODAY)

    assert (dispatched.unit, dispatched.helping, dispatched.detail) == (
        "U1", ("U2",), {"unit": "U1", "helping": ["U2"]},
    )  # fmt: skip
    assert deferred.detail == {"until": "2026-12-01"}
    assert (merged.original, merged.detail) == (OTHER, {"original": str(OTHER)})
    assert (returned.counted, returned.unit, returned.internal) == ("returns", None, False)
    assert decided.level is Level.JOINT_MEETING
    assert noted.internal


def test_options_are_the_actions_of_the_state_with_the_reason_where_one_is_refused():
    found = {option.action: option for option in options(a_case("done"), a_viewer("unit"))}

    assert set(found) == {Right(a) for a, (origins, _, _) in WAY.items() if "done" in origins.split()}
    assert found[Right.CLOSE].refusal == Refusal("not_yours", "action", {"action": "close"})
    assert found[Right.NOTE].refusal is None
    assert found[Right.REWORK].needs == (Need.REASON,)


def test_every_live_state_is_somebodys_duty_and_an_ended_one_nobodys():
    assert set(DUTIES) == {state for state in IssueState if not state.ended}


def test_what_is_told_besides_joins_what_is_told():
    change = decide(a_case("agenda"), "decide", a_viewer("secretary"), ALL, today=TODAY)
    told = workflow.detailed(workflow.detailed(change, {"visit": "1"}), {"on_day": "2026-11-20"})

    assert told.detail == {**change.detail, "visit": "1", "on_day": "2026-11-20"}
    assert replace(told, detail=change.detail) == change


def test_an_inbox_holds_the_states_that_wait_for_the_role_where_it_holds():
    assert duties(ANONYMOUS) == ()
    assert duties(a_viewer("steward")) == ()
    assert duties(a_viewer("secretary")) == (Duty((IssueState.AGENDA, IssueState.SHELVED), frozenset({"C1"})),)
    assert duties(a_viewer("unit")) == (
        Duty((IssueState.DISPATCHED, IssueState.HANDLING, IssueState.REWORK), None, "U1"),
    )


def test_the_realm_of_a_viewer_is_all_that_the_grants_reach():
    both = Viewer((Grant(Role.STEWARD, frozenset({"C1"})), Grant(Role.UNIT, None, "U1")))

    assert realm(ANONYMOUS) == ()
    assert realm(both) == (Duty(tuple(IssueState), frozenset({"C1"})), Duty(tuple(IssueState), None, "U1"))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(WAY)), st.sampled_from(list(Role))), max_size=60))
def test_no_walk_leaves_the_graph_and_every_end_can_only_be_left_by_its_own_door(steps):
    state = IssueState.REPORTED
    for action, role in steps:
        found = decide(a_case(state), Right(action), a_viewer(role), ALL, today=TODAY)
        if isinstance(found, Refusal):
            continue
        assert state in WAY[action][0].split()
        if state.ended and found.to_state:
            assert action in {"restore", "reopen"}
        state = found.to_state or state


@pytest.mark.parametrize(
    ("action", "state", "facts", "reason"),
    [
        ("split", "accepted", {"part_of": OTHER}, "is_a_part"),
        ("split", "reopened", {"parts": 2}, "is_split"),
        ("close", "done", {"parts": 2, "open_parts": 1}, "parts_open"),
        ("rework", "done", {"parts": 2}, "work_is_in_parts"),
        ("report_done", "handling", {"parts": 2, "open_parts": 2}, "work_is_in_parts"),
    ],
)
def test_an_issue_in_parts_goes_the_way_of_its_parts(action, state, facts, reason):
    case = replace(a_case(state), **facts)
    viewer = a_viewer("unit" if action == "report_done" else "secretary")

    assert decide(case, Right(action), viewer, ALL, today=TODAY).reason == reason


def test_a_split_makes_two_parts_at_least_and_eight_at_most():
    viewer = a_viewer("secretary")
    made = {
        n: decide(a_case("accepted"), Right.SPLIT, viewer, replace(ALL, parts=n), today=TODAY) for n in (1, 2, 8, 9)
    }

    assert [isinstance(found, Transition) for found in made.values()] == [False, True, True, False]
    assert made[9].reason == "needs_parts"


@pytest.mark.parametrize(
    ("state", "still_open", "then"),
    [
        ("handling", 0, "done"), ("shelved", 0, "done"), ("done", 0, None), ("closed", 0, None), ("handling", 1, None),
        ("done", 1, "handling"), ("closed", 2, "handling"), ("refused", 1, None),
    ],
)  # fmt: skip
def test_the_whole_follows_the_last_of_its_parts(state, still_open, then):
    assert after_its_parts(IssueState(state), open_parts=still_open) == then


NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


def test_a_report_taken_back_ends_only_what_nobody_else_told_of_and_nobody_took_up():
    assert workflow.withdrawn(IssueState.REPORTED, witnesses=0) is IssueState.REFUSED
    assert workflow.withdrawn(IssueState.REPORTED, witnesses=1) is None
    assert workflow.withdrawn(IssueState.ACCEPTED, witnesses=0) is None


@pytest.mark.parametrize("state", [state for state in IssueState if state is not IssueState.CLOSED])
def test_only_a_closed_issue_can_be_rated(state):
    refused = workflow.rated(state, Score.NOT, ended_at=NOON, now=NOON)

    assert isinstance(refused, workflow.Refusal)
    assert refused.reason == "not_closed"


def test_only_not_solved_reopens_and_only_within_thirty_days():
    def rate(score, days):
        return workflow.rated(IssueState.CLOSED, score, ended_at=NOON, now=NOON + timedelta(days=days))

    assert rate(Score.NOT, 0) is IssueState.REOPENED
    assert rate(Score.NOT, 30) is IssueState.REOPENED
    assert rate(Score.NOT, 31) is None
    assert rate(Score.PARTLY, 1) is None
    assert rate(Score.SOLVED, 1) is None
