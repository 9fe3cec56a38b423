"""The agenda of a joint meeting (联席会议): how urgent an issue is and why, and what a decision leads to.

Pure. A score is the sum of its parts as they are shown, so whoever adds them up gets the same number.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from geoapp.domain.editing import LONGEST_FUND, Wrong
from geoapp.domain.permissions import Right
from geoapp.domain.projects import LONGEST_TITLE, wrong_amount, wrong_note
from geoapp.domain.values import SEVERITIES, IssueState, Level, VerdictClass
from geoapp.domain.workflow import Given, Transition

MOST_ITEMS = 60
NEAR_M = 300.0
"""A school or a clinic within so many metres makes an issue weigh more."""
MOST_VOTES = 999
ACTOR = "meeting"
"""Who decided, as the histories tell it."""


class MeetingState(StrEnum):
    PLANNED = "planned"
    OPEN = "open"
    CLOSED = "closed"


class Kind(StrEnum):
    """Vulnerable places: schools, kindergartens, clinics and hospitals, homes for the aged."""

    SCHOOL = "school"
    KINDERGARTEN = "kindergarten"
    CLINIC = "clinic"
    AGED = "aged"


class Outcome(StrEnum):
    """What a meeting decides: a unit leads (牵头), it stays here, whoever has it goes on, or next time."""

    ASSIGN = "assign"
    STAY = "stay"
    GO_ON = "go_on"
    POSTPONE = "postpone"


class Term(StrEnum):
    SEVERITY = "severity"
    OVERDUE = "overdue"
    UNCLEAR = "unclear"
    AGE = "age"
    RETURNS = "returns"
    CARRIED = "carried"
    VULNERABLE = "vulnerable"
    WITNESSES = "witnesses"


@dataclass(frozen=True, slots=True)
class Weight:
    """What a part can add at most, and the measure at which it does."""

    points: int
    full: float


WEIGHTS: Mapping[Term, Weight] = {
    Term.SEVERITY: Weight(25, SEVERITIES[-1] - SEVERITIES[0]),
    Term.OVERDUE: Weight(15, 20),
    Term.UNCLEAR: Weight(15, 1),
    Term.AGE: Weight(10, 90),
    Term.RETURNS: Weight(10, 3),
    Term.CARRIED: Weight(10, 2),
    Term.VULNERABLE: Weight(10, NEAR_M),
    Term.WITNESSES: Weight(5, 10),
}
"""The whole of the ranking: together 100 points. Overdue counts in working days, age in days."""
UNCLEAR: Mapping[VerdictClass, float] = {
    VerdictClass.CONTESTED: 1.0, VerdictClass.ORPHAN: 1.0, VerdictClass.NEAR: 0.4, VerdictClass.CLEAR: 0.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Near:
    """A vulnerable place near an issue."""

    kind: Kind
    name_zh: str
    name_en: str
    metres: float


@dataclass(frozen=True, slots=True)
class Matter:
    """What of an issue counts for its place on an agenda.

    ``overdue_days`` are working days; ``postponed`` counts earlier meetings that left it open, ``broken`` says that
    a day agreed upon by an earlier meeting has passed.
    """

    number: str
    severity: int
    reported_at: datetime
    verdict: VerdictClass
    returns: int = 0
    witnesses: int = 0
    overdue_days: int = 0
    postponed: int = 0
    broken: bool = False
    near: tuple[Near, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a score: what was measured, its value from 0 to 1, and the points that these come to."""

    term: Term
    measured: float
    value: float
    points: float
    named: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    parts: tuple[Part, ...]

    @property
    def total(self) -> float:
        return round(sum(part.points for part in self.parts), 1)


def score(matter: Matter, *, now: datetime) -> Score:
    """How urgent an issue is; every part is there, also those that add nothing."""
    nearest = min(matter.near, key=lambda one: one.metres, default=None)
    carried = max(float(matter.postponed), WEIGHTS[Term.CARRIED].full if matter.broken else 0.0)
    found = (
        _part(Term.SEVERITY, matter.severity - SEVERITIES[0], shown=matter.severity),
        _part(Term.OVERDUE, max(0, matter.overdue_days)),
        _part(Term.UNCLEAR, UNCLEAR[matter.verdict], named=str(matter.verdict)),
        _part(Term.AGE, max(0, (now - matter.reported_at).days)),
        _part(Term.RETURNS, matter.returns),
        _part(Term.CARRIED, carried, named="broken" if matter.broken else ""),
        # Nearness: full where the place is, nothing at the edge of what is near.
        _part(Term.VULNERABLE, NEAR_M - nearest.metres, shown=nearest.metres, named=str(nearest.kind))
        if nearest and nearest.metres < NEAR_M
        else _part(Term.VULNERABLE, 0),
        _part(Term.WITNESSES, matter.witnesses),
    )
    return Score(found)


def rank(matters: Iterable[Matter], *, now: datetime) -> list[tuple[Matter, Score]]:
    """The most urgent first; of two alike the older, and then by number, so that two looks agree."""
    scored = [(matter, score(matter, now=now)) for matter in matters]
    return sorted(scored, key=lambda one: (-one[1].total, one[0].reported_at, one[0].number))


def document(found: Score) -> dict[str, Any]:
    """A score as it is kept: what was suggested then, whatever the weights are later."""
    return {
        "total": found.total,
        "parts": [dataclasses.asdict(part) | {"most": WEIGHTS[part.term].points} for part in found.parts],
    }


def _part(term: Term, measured: float, *, shown: float | None = None, named: str = "") -> Part:
    weight = WEIGHTS[term]
    value = min(1.0, measured / weight.full)
    return Part(term, measured if shown is None else shown, round(value, 3), round(weight.points * value, 1), named)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a meeting says of one item. ``words`` are public: they stand in the issue's history."""

    outcome: Outcome
    words: str
    unit: str | None = None
    helping: tuple[str, ...] = ()
    amount: Decimal | None = None
    fund: str = ""
    due_on: date | None = None
    visit_on: date | None = None
    votes: tuple[int | None, int | None, int | None] = (None, None, None)


def wrong_decision(decision: Decision, *, day: date) -> Iterator[Wrong]:
    """What of a decision cannot be; ``day`` is that of the meeting."""
    if not decision.words.strip():
        yield "words", "missing", {}
    yield from wrong_note(decision.words, "words")
    if decision.outcome is Outcome.ASSIGN and not decision.unit:
        yield "unit", "missing", {}
    if decision.unit in decision.helping:
        yield "helping", "helps_itself", {}
    yield from wrong_amount("amount", decision.amount)
    if len(decision.fund) > LONGEST_FUND or (decision.fund and not decision.fund.isprintable()):
        yield "fund", "too_long", {"most": LONGEST_FUND}
    for field, on in (("due_on", decision.due_on), ("visit_on", decision.visit_on)):
        if on and on < day:
            yield field, "before_meeting", {}
    for votes in decision.votes:
        if votes is not None and not 0 <= votes <= MOST_VOTES:
            yield "votes", "between", {"low": 0, "high": MOST_VOTES}


@dataclass(frozen=True, slots=True)
class Step:
    """An action of the workflow that a decision comes to, with what more is told, and the level it leaves."""

    action: Right
    given: Given
    detail: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    level: Level | None = None


def steps(state: IssueState, decision: Decision, *, told: Mapping[str, Any]) -> tuple[Step, ...]:
    """The actions that carry a decision out from this state; none for what goes on or is postponed.

    ``told`` says which meeting it was.
    """
    if decision.outcome not in {Outcome.ASSIGN, Outcome.STAY}:
        return ()
    said = Given(note=decision.words)
    found = []
    if state in {IssueState.ACCEPTED, IssueState.RETURNED}:
        # Put on the agenda by hand, or taken off it since: the way to a decision leads over the agenda.
        found.append(Step(Right.TO_AGENDA, said, told))
    if decision.outcome is Outcome.STAY:
        return (*found, Step(Right.DECIDE, said, {**told, **_agreed(decision)}, Level.COMMUNITY))
    found.append(Step(Right.DECIDE, said, {**told, **_agreed(decision), "unit": decision.unit}))
    to_unit = Given(unit=decision.unit, helping=decision.helping)
    return (*found, Step(Right.DISPATCH, to_unit, {**told, **_day(decision.due_on)}))


GOING_ON = frozenset({
    IssueState.DISPATCHED, IssueState.HANDLING, IssueState.REWORK, IssueState.DONE, IssueState.DEFERRED,
    IssueState.SHELVED,
})  # fmt: skip
"""States in which somebody has the issue already, so that a meeting can only say how it goes on."""


def goes_on(state: IssueState, decision: Decision, *, told: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The line of history by which a decision without an action is told; None: it cannot be from this state."""
    if decision.outcome is Outcome.POSTPONE:
        return None if state.ended else ("postpone", dict(told))
    if decision.outcome is Outcome.GO_ON and state in GOING_ON:
        return "agree", {**told, **_agreed(decision), **_day(decision.due_on)}
    return None


def changed(change: Transition, step: Step) -> Transition:
    """A transition with what its step adds; a decision is the meeting's, whoever enters it."""
    actor = ACTOR if change.action is Right.DECIDE else change.actor
    level = step.level or change.level
    return dataclasses.replace(change, detail={**change.detail, **step.detail}, level=level, actor=actor)


def _agreed(decision: Decision) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if decision.helping:
        found["helping"] = list(decision.helping)
    if decision.amount is not None:
        found["amount"] = str(decision.amount)
    if decision.fund:
        found["fund"] = decision.fund
    if decision.visit_on:
        found["visit_on"] = decision.visit_on.isoformat()
    return found


def _day(due_on: date | None) -> dict[str, Any]:
    return {"due": due_on.isoformat()} if due_on else {}


def wrong_meeting(title: str, venue: str, attendees: str, minutes: str) -> Iterator[Wrong]:
    if not title:
        yield "title", "missing", {}
    for field, told in (("title", title), ("venue", venue)):
        if len(told) > LONGEST_TITLE or (told and not told.isprintable()):
            yield field, "too_long", {"most": LONGEST_TITLE}
    yield from wrong_note(attendees, "attendees")
    yield from wrong_note(minutes, "minutes")
