"""The agenda of a meeting: what is suggested and why, and its items put on, ordered and taken off."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from geoapp.domain import agenda, deadlines, workflow
from geoapp.domain.agenda import MOST_ITEMS, Matter, Score
from geoapp.domain.calendar import WorkCalendar
from geoapp.domain.permissions import Right
from geoapp.domain.values import IssueState, Viewer
from geoapp.domain.workflow import Given, Refusal
from geoapp.errors import BadInput, NotFound, Refused
from geoapp.services import triage
from geoapp.services.meetings import MeetingRow, held, seen
from geoapp.services.projects import issue_id
from geoapp.store import agendas, cases, clocks, issues, meetings
from geoapp.store.agendas import Candidate
from geoapp.store.issues import IssueRow
from geoapp.store.session import Session, snapshot, transaction

__all__ = ["MOST_ITEMS", "Suggestion"]

MOST_CANDIDATES = 400


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An issue for the agenda with the parts of its score, and why an earlier meeting left it open (or empty)."""

    issue: IssueRow
    score: Score
    carried: str


def suggested(viewer: Viewer, meeting: UUID, *, now: datetime, calendar: WorkCalendar) -> list[Suggestion]:
    """What waits for a meeting of this place or was left open by an earlier one, the most urgent first.

    Empty for a meeting that is over. Raises NotFound.
    """
    with snapshot() as db:
        row = seen(db, viewer, meeting)
        if row.closed_at is not None or not row.insider:
            return []
        found = {one.matter.number: one for one in _candidates(db, viewer, row, now=now, calendar=calendar)}
        ranked = agenda.rank((one.matter for one in found.values()), now=now)[:MOST_ITEMS]
        rows = issues.some(db, [found[matter.number].issue_id for matter, _ in ranked], viewer)
    chosen = [(found[matter.number], score) for matter, score in ranked]
    return [Suggestion(rows[one.issue_id], score, one.carried) for one, score in chosen if one.issue_id in rows]


def take_over(
    viewer: Viewer, meeting: UUID, *, most: int, words: str, version: int | None, now: datetime, calendar: WorkCalendar
) -> int:
    """Put the first of what is suggested on the agenda, in that order; returns how many.

    Raises as ``add``.
    """
    with transaction() as db:
        row = held(db, viewer, meeting, version=version)
        found = {one.matter.number: one for one in _candidates(db, viewer, row, now=now, calendar=calendar)}
        room = max(0, MOST_ITEMS - row.items)
        ranked = agenda.rank((one.matter for one in found.values()), now=now)[: min(most, room)]
        for matter, score in ranked:
            _put(db, viewer, row, found[matter.number].issue_id, score, words=words, now=now, calendar=calendar)
        if ranked:
            meetings.touch(db, meeting)
    return len(ranked)


def add(
    viewer: Viewer, meeting: UUID, number: str, *, words: str, version: int | None, now: datetime,
    calendar: WorkCalendar,
) -> None:  # fmt: skip
    """Put one issue on the agenda; what is accepted or returned goes to the meeting by that (``words`` say so).

    Raises NotFound, NotYours, VersionNeeded, Conflict, Refused, and BadInput for an issue that is not of this place.
    """
    with transaction() as db:
        row = held(db, viewer, meeting, version=version)
        if row.items >= MOST_ITEMS:
            raise Refused("agenda_full", "number", most=MOST_ITEMS)
        issue = issue_id(db, viewer, number, field="number")
        found = _candidates(db, viewer, row, now=now, calendar=calendar, only=issue)
        if not found:
            raise BadInput("number", "not_of_this_place", value=number[:40])
        if other := meetings.elsewhere(db, meeting, issue):
            raise Refused("on_another_agenda", "number", title=other)
        score = agenda.score(found[0].matter, now=now)
        if _put(db, viewer, row, issue, score, words=words, now=now, calendar=calendar):
            meetings.touch(db, meeting)


def drop(viewer: Viewer, meeting: UUID, number: str, *, version: int | None) -> None:
    """Take an item off; the issue goes on waiting for a meeting."""
    with transaction() as db:
        row = held(db, viewer, meeting, version=version)
        rest = [one for one in meetings.items(db, row.id, viewer, insider=True) if one.number != number]
        if len(rest) == row.items:
            raise NotFound("item", number)
        meetings.drop(db, meeting, issue_id(db, viewer, number, field="number"))
        meetings.order(db, meeting, [one.issue_id for one in rest])
        meetings.touch(db, meeting)


def move(viewer: Viewer, meeting: UUID, number: str, *, to: int, version: int | None) -> None:
    """Let an item stand at position ``to``, counted from 1; what lies beyond the ends is first or last."""
    with transaction() as db:
        row = held(db, viewer, meeting, version=version)
        listed = meetings.items(db, row.id, viewer, insider=True)
        moved = next((one for one in listed if one.number == number), None)
        if moved is None:
            raise NotFound("item", number)
        rest = [one.issue_id for one in listed if one is not moved]
        place = max(0, min(to - 1, len(rest)))
        meetings.order(db, meeting, [*rest[:place], moved.issue_id, *rest[place:]])
        meetings.touch(db, meeting)


def _candidates(
    db: Session, viewer: Viewer, row: MeetingRow, *, now: datetime, calendar: WorkCalendar, only: UUID | None = None
) -> list[Candidate]:
    today = now.astimezone(calendar.zone).date()
    found = agendas.candidates(db, viewer, row.place_id, row.id, today=today, only=only, limit=MOST_CANDIDATES)
    late = {
        told.issue_id: _overdue(told, calendar, now) for told in clocks.told(db, among=[one.issue_id for one in found])
    }
    return [replace(one, matter=_late(one.matter, late.get(one.issue_id, 0))) for one in found]


def _overdue(told: clocks.Told, calendar: WorkCalendar, now: datetime) -> int:
    """Working days beyond the deadline, also of a clock that stands still while the issue waits for the meeting."""
    running = deadlines.current(deadlines.clocks(told.events, deadlines.limits(told.limits)))
    if running is None:
        return 0
    found = deadlines.standing(running, calendar, now=now)
    if not found.overdue:
        return 0
    if isinstance(found.left, int):
        return -found.left
    stopped = running.pauses[-1].began if running.is_paused else now
    return max(1, calendar.days_between(stopped + found.left, stopped))


def _late(matter: Matter, days: int) -> Matter:
    return replace(matter, overdue_days=days)


def _put(
    db: Session, viewer: Viewer, row: MeetingRow, issue: UUID, score: Score, *, words: str, now: datetime,
    calendar: WorkCalendar,
) -> bool:  # fmt: skip
    """Put an issue on the agenda, over the workflow where it does not wait for a meeting yet."""
    if not meetings.put(db, row.id, issue, json.dumps(agenda.document(score))):
        return False
    standing = cases.read(db, str(issue), viewer, calendar.zone, lock=True)
    if standing is None:
        raise NotFound("issue", str(issue))
    state = standing.case.state
    if state is IssueState.AGENDA or state in agenda.GOING_ON:
        return True
    today = now.astimezone(calendar.zone).date()
    decided = workflow.decide(standing.case, Right.TO_AGENDA, viewer, Given(note=words), today=today)
    if isinstance(decided, Refusal):
        raise triage.refused(decided)
    told = workflow.detailed(decided, {"meeting": str(row.id)})
    triage.carry(db, standing, told, viewer=viewer, now=now, calendar=calendar)
    return True
