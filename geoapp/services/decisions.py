"""What a meeting decides about each item, and its end: all decisions carried out together, or none.

Why all or nothing? A meeting that is half carried out has no true minutes, and a second attempt would have to
know which half. So every decision is tried first, in one transaction; when the workflow refuses any, nothing is
kept, every refusal is shown beside its item, and what was decided stays as it was entered.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from geoapp.domain import agenda, workflow
from geoapp.domain.agenda import Decision, MeetingState, Outcome
from geoapp.domain.calendar import WorkCalendar
from geoapp.domain.editing import Cost
from geoapp.domain.permissions import Right, grants_for, may
from geoapp.domain.values import Viewer
from geoapp.domain.workflow import Refusal
from geoapp.errors import BadInput, Incomplete, NotApplied, NotFound, NotYours, Refused
from geoapp.services import clocks, editing, triage
from geoapp.services.meetings import held, seen
from geoapp.services.projects import refuse
from geoapp.store import cases, meetings
from geoapp.store import editing as facts
from geoapp.store.cases import Standing
from geoapp.store.meetings import ItemRow, MeetingRow
from geoapp.store.session import Session, transaction

__all__ = ["Closed"]


@dataclass(frozen=True, slots=True)
class Closed:
    """How many decisions were carried out; ``before`` marks a meeting that was closed already."""

    applied: int
    before: bool


@dataclass(frozen=True, slots=True)
class _Hand:
    """Who carries out, when, and for which meeting."""

    viewer: Viewer
    meeting: MeetingRow
    now: datetime
    calendar: WorkCalendar

    @property
    def today(self) -> date:
        return self.now.astimezone(self.calendar.zone).date()

    @property
    def told(self) -> dict[str, Any]:
        day = self.meeting.facts.starts_at.astimezone(self.calendar.zone).date()
        return {"meeting": str(self.meeting.id), "met_on": day.isoformat()}


def decide(
    viewer: Viewer, meeting: UUID, number: str, decision: Decision | None, *, version: int | None, now: datetime,
    calendar: WorkCalendar,
) -> None:  # fmt: skip
    """Enter what is decided about an item, or with None that nothing is; nothing happens to the issue yet.

    Raises NotFound, NotYours, VersionNeeded, Conflict, Refused for a meeting that is over, BadInput with the field.
    """
    with transaction() as db:
        row = held(db, viewer, meeting, version=version)
        item = next((one for one in meetings.items(db, meeting, viewer, insider=True) if one.number == number), None)
        if item is None:
            raise NotFound("item", number)
        if decision is not None:
            day = row.facts.starts_at.astimezone(calendar.zone).date()
            refuse(agenda.wrong_decision(decision, day=day))
            if unknown := cases.unknown_units(db, [*filter(None, (decision.unit, *decision.helping))]):
                raise BadInput("unit", "unknown", value=unknown[0][:40])
        meetings.decide(db, meeting, item.issue_id, decision, person=viewer.person, now=now)
        meetings.touch(db, meeting)


def postpone_rest(viewer: Viewer, meeting: UUID, *, words: str, version: int | None, now: datetime) -> int:
    """Leave every item without a decision to the next meeting; returns how many."""
    with transaction() as db:
        held(db, viewer, meeting, version=version)
        left = [one for one in meetings.items(db, meeting, viewer, insider=True) if one.decision is None]
        for one in left:
            decision = Decision(Outcome.POSTPONE, words)
            meetings.decide(db, meeting, one.issue_id, decision, person=viewer.person, now=now)
        if left:
            meetings.touch(db, meeting)
    return len(left)


def close(viewer: Viewer, meeting: UUID, *, version: int | None, now: datetime, calendar: WorkCalendar) -> Closed:
    """Carry out every decision and close, in one transaction; a meeting that is closed stays as it is.

    Raises NotFound, NotYours, VersionNeeded, Conflict, and NotApplied with the refusal of each item; then nothing
    has changed.
    """
    with transaction() as db:
        meetings.lock(db, meeting)
        row = seen(db, viewer, meeting)
        if not row.may_close:
            raise NotYours("not_yours", "action")
        if row.state is MeetingState.CLOSED:
            return Closed(row.items, before=True)
        held(db, viewer, meeting, version=version)
        listed = meetings.items(db, meeting, viewer, insider=True)
        hand = _Hand(viewer, row, now, calendar)
        refusals: dict[str, Refused] = {}
        # In one order for everybody, so that two that lock the same issues never wait for each other.
        for item in sorted(listed, key=lambda one: one.issue_id):
            try:
                _carry_out(db, hand, item)
            except Refused as refusal:
                refusals[item.number] = refusal
        if refusals:
            raise NotApplied({one.number: refusals[one.number] for one in listed if one.number in refusals})
        meetings.applied(db, meeting, now=now)
        meetings.set_state(db, meeting, MeetingState.CLOSED, now=now)
        meetings.touch(db, meeting)
    return Closed(len(listed), before=False)


def _carry_out(db: Session, hand: _Hand, item: ItemRow) -> None:
    decision = item.decision
    if decision is None:
        raise Incomplete("needs_decision", "outcome")
    standing = _read(db, hand, item, lock=True)
    steps = agenda.steps(standing.case.state, decision, told=hand.told)
    for step in steps:
        decided = workflow.decide(standing.case, step.action, hand.viewer, step.given, today=hand.today)
        if isinstance(decided, Refusal):
            raise triage.refused(decided)
        change = agenda.changed(decided, step)
        triage.carry(db, standing, change, viewer=hand.viewer, now=hand.now, calendar=hand.calendar)
        standing = _read(db, hand, item)
    if not steps:
        _tell(db, hand, standing, decision)
    if decision.outcome is not Outcome.POSTPONE and (decision.amount is not None or decision.fund):
        _book(db, hand, standing, decision)


def _tell(db: Session, hand: _Hand, standing: Standing, decision: Decision) -> None:
    """A line of history for what goes on or is postponed, and the deadline that may follow from it."""
    line = agenda.goes_on(standing.case.state, decision, told=hand.told)
    if line is None:
        raise Refused("not_now", "outcome")
    grants = grants_for(hand.viewer, Right.DECIDE, standing.case.subject)
    if not grants:
        raise NotYours("not_yours", "action")
    action, detail = line
    cases.tell(
        db, standing.case.id, action, actor=agenda.ACTOR, person=hand.viewer.person, at=hand.now, detail=detail,
        note=decision.words,
    )  # fmt: skip
    clocks.reckon(db, standing.case.id, hand.calendar, now=hand.now)


def _book(db: Session, hand: _Hand, standing: Standing, decision: Decision) -> None:
    if not may(hand.viewer, Right.COST, standing.case.subject):
        raise NotYours("not_yours", "amount")
    _, known, _ = facts.facts(db, standing.case.id)
    planned = known.planned if decision.amount is None else decision.amount
    cost = Cost(planned, known.spent, decision.fund or known.fund)
    editing.book_cost(db, standing, cost, viewer=hand.viewer, now=hand.now)


def _read(db: Session, hand: _Hand, item: ItemRow, *, lock: bool = False) -> Standing:
    standing = cases.read(db, str(item.issue_id), hand.viewer, hand.calendar.zone, lock=lock)
    if standing is None:
        raise NotYours("not_yours", "action")
    return standing
