from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from geoapp.domain.agenda import (
    GOING_ON,
    WEIGHTS,
    Decision,
    Kind,
    Matter,
    Near,
    Outcome,
    Step,
    Term,
    changed,
    document,
    goes_on,
    rank,
    score,
    steps,
    wrong_decision,
    wrong_meeting,
)
from geoapp.domain.permissions import Right
from geoapp.domain.values import IssueState, Level, VerdictClass
from geoapp.domain.workflow import Given, Transition

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
DAY = date(2026, 11, 20)
MILD = Matter("QJ-1", 1, NOW, VerdictClass.CLEAR)
GRAVE = Matter(
    "QJ-2", 4, NOW - timedelta(days=200), VerdictClass.ORPHAN, returns=5, witnesses=30, overdue_days=90, postponed=3,
    near=(Near(Kind.CLINIC, "", "", 120), Near(Kind.SCHOOL, "", "", 0)),
)  # fmt: skip
ASSIGN = Decision(
    Outcome.ASSIGN, "mend it", "U1", ("U2",), Decimal(1200), "Fund", date(2026, 12, 20), date(2026, 11, 25)
)
TOLD = {"meeting": "m"}


def points(matter):
    return {part.term: part.points for part in score(matter, now=NOW).parts}


def test_the_weights_come_to_a_hundred_and_the_gravest_case_to_all_of_them():
    assert sum(weight.points for weight in WEIGHTS.values()) == 100
    assert score(GRAVE, now=NOW).total == 100
    assert score(MILD, now=NOW).total == 0
    assert set(points(MILD)) == set(Term)


@pytest.mark.parametrize(
    ("term", "matter", "expected"),
    [
        (Term.SEVERITY, replace(MILD, severity=3), 16.7),
        (Term.OVERDUE, replace(MILD, overdue_days=5), 3.8),
        (Term.OVERDUE, replace(MILD, overdue_days=-5), 0),
        (Term.UNCLEAR, replace(MILD, verdict=VerdictClass.CONTESTED), 15),
        (Term.UNCLEAR, replace(MILD, verdict=VerdictClass.NEAR), 6),
        (Term.AGE, replace(MILD, reported_at=NOW - timedelta(days=45)), 5),
        (Term.AGE, replace(MILD, reported_at=NOW + timedelta(days=3)), 0),
        (Term.RETURNS, replace(MILD, returns=1), 3.3),
        (Term.CARRIED, replace(MILD, postponed=1), 5),
        (Term.CARRIED, replace(MILD, broken=True), 10),
        (Term.VULNERABLE, replace(MILD, near=(Near(Kind.AGED, "", "", 150),)), 5),
        (Term.VULNERABLE, replace(MILD, near=(Near(Kind.AGED, "", "", 300),)), 0),
        (Term.WITNESSES, replace(MILD, witnesses=2), 1),
    ],
)
def test_each_part_counts_by_its_weight(term, matter, expected):
    assert points(matter)[term] == pytest.approx(expected, abs=0.05)


def test_a_score_is_the_sum_of_the_parts_that_are_shown():
    some = replace(MILD, severity=2, returns=1, witnesses=3, near=(Near(Kind.SCHOOL, "", "", 77),))

    found = score(some, now=NOW)
    kept = document(found)

    assert found.total == round(sum(part.points for part in found.parts), 1) == kept["total"]
    assert kept["parts"][0] == {
        "term": "severity", "measured": 2, "value": 0.333, "points": 8.3, "named": "", "most": 25,
    }  # fmt: skip


def test_the_most_urgent_comes_first_and_ties_go_by_age_and_then_by_number():
    old, other = replace(MILD, number="QJ-9", reported_at=NOW - timedelta(minutes=5)), replace(MILD, number="QJ-0")

    assert [matter.number for matter, _ in rank([MILD, old, GRAVE, other], now=NOW)] == ["QJ-2", "QJ-9", "QJ-0", "QJ-1"]
    assert rank([other, GRAVE, old, MILD], now=NOW) == rank([MILD, old, GRAVE, other], now=NOW)


def test_a_sound_decision_has_nothing_wrong():
    assert list(wrong_decision(ASSIGN, day=DAY)) == []
    assert list(wrong_decision(Decision(Outcome.STAY, "we do it", votes=(1, 0, None)), day=DAY)) == []


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("words", {"words": "\n"}),
        ("words", {"words": "x" * 4001}),
        ("unit", {"unit": None}),
        ("helping", {"helping": ("U1",)}),
        ("amount", {"amount": Decimal("nan")}),
        ("fund", {"fund": "a\tb"}),
        ("due_on", {"due_on": date(2026, 11, 19)}),
        ("visit_on", {"visit_on": date(2026, 11, 19)}),
        ("votes", {"votes": (-1, 0, 0)}),
    ],
)
def test_what_cannot_be_decided_names_its_field(field, changes):
    assert [name for name, _, _ in wrong_decision(replace(ASSIGN, **changes), day=DAY)] == [field]


def test_a_decision_for_a_unit_is_decided_and_dispatched_with_its_day():
    decided, dispatched = steps(IssueState.AGENDA, ASSIGN, told=TOLD)

    assert (decided.action, decided.given.note, decided.level) == (Right.DECIDE, "mend it", None)
    assert decided.detail == {
        "meeting": "m", "helping": ["U2"], "amount": "1200", "fund": "Fund", "visit_on": "2026-11-25", "unit": "U1",
    }  # fmt: skip
    assert (dispatched.action, dispatched.given.unit, dispatched.given.helping) == (Right.DISPATCH, "U1", ("U2",))
    assert dispatched.detail == {"meeting": "m", "due": "2026-12-20"}
    assert steps(IssueState.AGENDA, replace(ASSIGN, due_on=None), told=TOLD)[1].detail == TOLD


@pytest.mark.parametrize("state", [IssueState.ACCEPTED, IssueState.RETURNED])
def test_what_is_not_on_the_agenda_any_more_goes_over_it(state):
    assert [step.action for step in steps(state, ASSIGN, told=TOLD)] == [Right.TO_AGENDA, Right.DECIDE, Right.DISPATCH]


def test_what_stays_with_the_community_leaves_the_level_of_the_meeting():
    (decided,) = steps(IssueState.AGENDA, Decision(Outcome.STAY, "we do it"), told=TOLD)
    before = Transition(Right.DECIDE, IssueState.ACCEPTED, "secretary", "we do it", level=Level.JOINT_MEETING)

    after = changed(before, decided)

    assert (after.level, after.actor, after.detail) == (Level.COMMUNITY, "meeting", TOLD)
    dispatch = Transition(Right.DISPATCH, IssueState.DISPATCHED, "secretary", "")
    assert changed(dispatch, Step(Right.DISPATCH, Given())).actor == "secretary"


def test_what_goes_on_or_is_postponed_is_a_line_of_history_without_an_action():
    on = Decision(Outcome.GO_ON, "hurry", due_on=date(2026, 12, 1))
    later = Decision(Outcome.POSTPONE, "next time")

    assert steps(IssueState.HANDLING, on, told=TOLD) == steps(IssueState.AGENDA, later, told=TOLD) == ()
    for state in IssueState:
        expected = ("agree", {**TOLD, "due": "2026-12-01"}) if state in GOING_ON else None
        assert goes_on(state, on, told=TOLD) == expected
        assert goes_on(state, later, told=TOLD) == (None if state.ended else ("postpone", TOLD))


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("title", ("", "", "", "")),
        ("title", ("x" * 201, "", "", "")),
        ("venue", ("x", "a\nb", "", "")),
        ("attendees", ("x", "", "x" * 4001, "")),
        ("minutes", ("x", "", "", "\x00")),
    ],
)
def test_what_a_meeting_cannot_say_names_its_field(field, told):
    assert [name for name, _, _ in wrong_meeting(*told)] == [field]
    assert list(wrong_meeting("x", "Hall", "Li\nWu", "notes")) == []
