"""The way of an issue from report (上报) to close (结案): one table of actions, and who may take each when.

Pure: ``decide`` gives a transition or a refusal with its reason. Whoever writes stores what it says;
whoever shows a page asks ``options`` and shows exactly these actions.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from geoapp.domain.permissions import Right, Subject, grants_for, sight, works_for_its_unit
from geoapp.domain.values import Duty, IssueState, Level, Role, Score, Viewer

LONGEST_NOTE = 4000
FEWEST_PARTS, MOST_PARTS = 2, 8


class OwnAct(StrEnum):
    """What somebody does to what they reported themselves, with the key of the private link."""

    CORRECT = "correct"
    REMARK = "remark"
    RATE = "rate"
    WITHDRAW = "withdraw"
    ERASE = "erase"


class Need(StrEnum):
    """What an action cannot do without."""

    REASON = "reason"
    UNIT = "unit"
    UNTIL = "until"
    ORIGINAL = "original"
    AFTER_PHOTO = "after_photo"
    PARTS = "parts"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: from which states an action leads where (None: it stays), and what it needs.

    ``checks`` marks judging the work: whoever did it may not. ``counted`` names the issue's counter that
    goes up by one.
    """

    action: Right
    origins: frozenset[IssueState]
    to_state: IssueState | None
    needs: tuple[Need, ...] = ()
    checks: bool = False
    counted: str = ""


_S, _N, _R = IssueState, Need, Right


def _from(*states: IssueState) -> frozenset[IssueState]:
    return frozenset(states)


_ALIVE = frozenset(state for state in IssueState if not state.ended)

TABLE: Mapping[Right, Rule] = {
    rule.action: rule
    for rule in (
        Rule(_R.ACCEPT, _from(_S.REPORTED, _S.REOPENED), _S.ACCEPTED),
        Rule(_R.REFUSE, _from(_S.REPORTED), _S.REFUSED, (_N.REASON,)),
        Rule(_R.DUPLICATE, _from(_S.REPORTED, _S.ACCEPTED, _S.REOPENED), _S.DUPLICATE, (_N.ORIGINAL,)),
        Rule(_R.RESTORE, _from(_S.REFUSED, _S.DUPLICATE), _S.REPORTED, (_N.REASON,)),
        Rule(_R.TO_AGENDA, _from(_S.ACCEPTED, _S.RETURNED), _S.AGENDA, (_N.REASON,)),
        Rule(_R.DECIDE, _from(_S.AGENDA), _S.ACCEPTED, (_N.REASON,)),
        Rule(_R.DISPATCH, _from(_S.ACCEPTED, _S.RETURNED, _S.DEFERRED, _S.SHELVED), _S.DISPATCHED, (_N.UNIT,)),
        Rule(_R.RETURN, _from(_S.DISPATCHED), _S.RETURNED, (_N.REASON,), counted="returns"),
        Rule(_R.START, _from(_S.DISPATCHED, _S.REWORK), _S.HANDLING),
        Rule(_R.REPORT_DONE, _from(_S.HANDLING, _S.REWORK), _S.DONE, (_N.AFTER_PHOTO,)),
        Rule(_R.CLOSE, _from(_S.DONE), _S.CLOSED, checks=True),
        Rule(_R.REWORK, _from(_S.DONE), _S.REWORK, (_N.REASON,), checks=True, counted="reworks"),
        Rule(_R.REOPEN, _from(_S.CLOSED), _S.REOPENED, (_N.REASON,), checks=True),
        Rule(_R.DEFER, _from(_S.DISPATCHED, _S.HANDLING, _S.REWORK), _S.DEFERRED, (_N.REASON, _N.UNTIL)),
        Rule(
            _R.SHELVE,
            _from(_S.ACCEPTED, _S.AGENDA, _S.RETURNED, _S.DISPATCHED, _S.HANDLING, _S.DEFERRED),
            _S.SHELVED,
            (_N.REASON,),
        ),
        Rule(_R.RESUME, _from(_S.SHELVED), _S.ACCEPTED),
        Rule(_R.SPLIT, _from(_S.ACCEPTED, _S.AGENDA, _S.RETURNED, _S.REOPENED), _S.HANDLING, (_N.PARTS,)),
        Rule(_R.VISIT, _ALIVE, None, (_N.REASON,)),
        Rule(_R.SETTLE, _ALIVE, None, (_N.REASON,)),
        Rule(_R.NOTE, frozenset(_S), None, (_N.REASON,)),
    )
}
"""Every action. A pair of state and action that does not stand here is refused."""

DUTIES: Mapping[IssueState, tuple[Role, ...]] = {
    _S.REPORTED: (Role.COMMUNITY,),
    _S.REOPENED: (Role.COMMUNITY,),
    _S.ACCEPTED: (Role.COMMUNITY,),
    _S.RETURNED: (Role.COMMUNITY,),
    _S.DEFERRED: (Role.COMMUNITY,),
    _S.AGENDA: (Role.SECRETARY,),
    _S.SHELVED: (Role.SECRETARY,),
    _S.DISPATCHED: (Role.UNIT,),
    _S.HANDLING: (Role.UNIT,),
    _S.REWORK: (Role.UNIT,),
    _S.DONE: (Role.SUPERVISOR, Role.COMMUNITY),
}
"""For whom an issue waits in each state: the inbox of a role."""


@dataclass(frozen=True, slots=True)
class Case:
    """What of an issue decides: where it stands, whose it is, and whether an after-photo of this round is there.

    An issue that was split has ``parts``, of which so many are still ``open_parts``; a part is ``part_of`` it.
    """

    id: UUID
    state: IssueState
    subject: Subject
    after_photo: bool = False
    parts: int = 0
    open_parts: int = 0
    part_of: UUID | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What comes with an action. ``unit`` and ``helping`` are codes, ``original`` the issue this one repeats."""

    note: str = ""
    unit: str | None = None
    helping: tuple[str, ...] = ()
    until: date | None = None
    original: UUID | None = None
    parts: int = 0


@dataclass(frozen=True, slots=True)
class Transition:
    """What is to be written: the state after it, by which role, and every change of the issue's facts."""

    action: Right | OwnAct
    to_state: IssueState | None
    actor: Role | str
    note: str
    detail: dict[str, Any] = dataclasses.field(default_factory=dict)
    unit: str | None = None
    helping: tuple[str, ...] | None = None
    level: Level | None = None
    original: UUID | None = None
    counted: str = ""
    internal: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not: a key under ``refusal.`` in words with its parameters, and the field that is to be mended."""

    reason: str
    field: str = ""
    params: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Option:
    """An action that leads on from here: what it needs, and why this viewer may not take it (None: may)."""

    action: Right
    needs: tuple[Need, ...]
    refusal: Refusal | None


def decide(case: Case, action: Right, viewer: Viewer, given: Given, *, today: date) -> Transition | Refusal:
    """May this viewer do this now, and what follows. ``today`` bounds the day until which one may defer."""
    rule = TABLE.get(action)
    if rule is None:
        return Refusal("no_such_action", "action", {"action": str(action)})
    if refusal := _entitled(case, rule, viewer) or next(_lacking(case, rule, given, today), None):
        return refusal
    grant = grants_for(viewer, action, case.subject)[0]
    note = given.note.strip()
    detail: dict[str, Any] = {}
    if Need.UNIT in rule.needs:
        detail = {"unit": given.unit, "helping": list(given.helping)}
    if given.until and Need.UNTIL in rule.needs:
        detail["until"] = given.until.isoformat()
    if given.original and Need.ORIGINAL in rule.needs:
        detail["original"] = str(given.original)
    return Transition(
        action,
        rule.to_state,
        grant.role,
        note,
        detail,
        unit=given.unit if Need.UNIT in rule.needs else None,
        helping=given.helping if Need.UNIT in rule.needs else None,
        level=Level.JOINT_MEETING if action in {Right.TO_AGENDA, Right.DECIDE} else None,
        original=given.original if Need.ORIGINAL in rule.needs else None,
        counted=rule.counted,
        internal=action is Right.NOTE,
    )


REOPEN_WITHIN = timedelta(days=30)
"""How long after its end an unhappy answer reopens an issue."""


def withdrawn(state: IssueState, *, witnesses: int) -> IssueState | None:
    """Where an issue goes whose reporter takes the report back; None: others need it, or somebody works on it."""
    return IssueState.REFUSED if state is IssueState.REPORTED and not witnesses else None


def rated(state: IssueState, score: Score, *, ended_at: datetime | None, now: datetime) -> IssueState | Refusal | None:
    """Where an issue goes when its result is rated; None: it stays. Only a closed one can be rated."""
    if state is not IssueState.CLOSED or ended_at is None:
        return Refusal("not_closed", "score")
    return IssueState.REOPENED if score is Score.NOT and now <= ended_at + REOPEN_WITHIN else None


def detailed(change: Transition, detail: Mapping[str, Any]) -> Transition:
    """The same with more to be told in the history."""
    return dataclasses.replace(change, detail={**change.detail, **detail})


def options(case: Case, viewer: Viewer) -> tuple[Option, ...]:
    """Every action that leads on from this state, in the order of the table, with the reason where it is refused."""
    return tuple(
        Option(rule.action, rule.needs, _entitled(case, rule, viewer))
        for rule in TABLE.values()
        if case.state in rule.origins
    )


def duties(viewer: Viewer) -> tuple[Duty, ...]:
    """What waits for this viewer: the inbox, as a filter."""
    found = []
    for grant in viewer.grants:
        states = tuple(state for state, roles in DUTIES.items() if grant.role in roles)
        if states:
            found.append(Duty(states, None if grant.role is Role.UNIT else grant.communities, grant.unit))
    return tuple(found)


def realm(viewer: Viewer) -> tuple[Duty, ...]:
    """Everything that the viewer's grants reach, whatever its state: as a filter."""
    known = sight(viewer)
    everything = tuple(IssueState)
    places = [] if known.communities == frozenset() else [Duty(everything, known.communities)]
    return (*places, *(Duty(everything, None, unit) for unit in sorted(known.units)))


def _entitled(case: Case, rule: Rule, viewer: Viewer) -> Refusal | None:
    if not grants_for(viewer, rule.action, case.subject):
        return Refusal("not_yours", "action", {"action": str(rule.action)})
    if case.state not in rule.origins:
        return Refusal("not_now", "action", {"action": str(rule.action), "state": str(case.state)})
    if rule.checks and works_for_its_unit(viewer, case.subject):
        return Refusal("own_work", "action")
    if refusal := _of_parts(case, rule.action):
        return refusal
    if Need.AFTER_PHOTO in rule.needs and not case.after_photo:
        return Refusal("needs_after_photo", "photo")
    return None


def _of_parts(case: Case, action: Right) -> Refusal | None:
    """What an issue that was split, or that is a part itself, cannot do."""
    if action is Right.SPLIT and case.part_of:
        return Refusal("is_a_part", "action")
    if action is Right.SPLIT and case.parts:
        return Refusal("is_split", "action")
    if action is Right.CLOSE and case.open_parts:
        return Refusal("parts_open", "action", {"n": case.open_parts})
    if action in {Right.REWORK, Right.REPORT_DONE} and case.parts:
        return Refusal("work_is_in_parts", "action")
    return None


def after_its_parts(state: IssueState, *, open_parts: int) -> IssueState | None:
    """Where an issue goes when the last of its parts has ended, or one has come back to life; None: it stays."""
    if open_parts == 0 and not state.ended and state is not IssueState.DONE:
        return IssueState.DONE
    if open_parts and state in {IssueState.DONE, IssueState.CLOSED}:
        return IssueState.HANDLING
    return None


def _lacking(case: Case, rule: Rule, given: Given, today: date) -> Iterator[Refusal]:
    if len(given.note) > LONGEST_NOTE:
        yield Refusal("note_too_long", "note", {"most": LONGEST_NOTE})
    if Need.REASON in rule.needs and not given.note.strip():
        yield Refusal("needs_reason", "note")
    if Need.UNIT in rule.needs and not given.unit:
        yield Refusal("needs_unit", "unit")
    if given.unit in given.helping:
        yield Refusal("helps_itself", "helping")
    if Need.UNTIL in rule.needs and (given.until is None or given.until <= today):
        yield Refusal("needs_until", "until")
    if Need.PARTS in rule.needs and not FEWEST_PARTS <= given.parts <= MOST_PARTS:
        yield Refusal("needs_parts", "parts", {"low": FEWEST_PARTS, "high": MOST_PARTS})
    if Need.ORIGINAL in rule.needs and given.original is None:
        yield Refusal("needs_original", "original")
    if given.original == case.id:
        yield Refusal("repeats_itself", "original")
