"""Carrying an issue on: every action of the workflow is one use case and one transaction."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from geoapp.domain import workflow
from geoapp.domain.calendar import WorkCalendar
from geoapp.domain.permissions import Right, Subject, may
from geoapp.domain.values import IssueState, Viewer
from geoapp.domain.workflow import Given, Option, Refusal, Transition
from geoapp.errors import BadInput, Conflict, Incomplete, NotFound, NotYours, Refused, VersionNeeded
from geoapp.services import clocks
from geoapp.store import cases, judging
from geoapp.store.cases import Standing
from geoapp.store.session import Session, snapshot, transaction

__all__ = ["Receipt", "Work", "act", "carry", "refused", "work_on"]

_WHO = {"not_yours", "own_work"}
_WHEN = {"not_now", "no_such_action"}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an action has led to."""

    number: str
    state: IssueState
    version: int


@dataclass(frozen=True, slots=True)
class Work:
    """What a viewer may do to an issue now, and the version to name when doing it."""

    number: str
    version: int
    subject: Subject
    options: tuple[Option, ...]


def work_on(viewer: Viewer, name: str, *, zone: ZoneInfo) -> Work:
    """Every action that leads on from here, each with the reason where it is refused; raises NotFound."""
    with snapshot() as db:
        standing = _found(cases.read(db, name, viewer, zone), name)
    return Work(standing.number, standing.version, standing.case.subject, workflow.options(standing.case, viewer))


def act(
    viewer: Viewer,
    name: str,
    action: str,
    given: Given,
    *,
    version: int | None,
    now: datetime,
    calendar: WorkCalendar,
) -> Receipt:
    """Take an action on an issue that was read as ``version``.

    Raises NotFound; VersionNeeded without a version; Conflict when the issue has changed since; NotYours,
    Refused or Incomplete with the reason when the workflow says no; BadInput for a unit or an original
    that does not exist.
    """
    zone = calendar.zone
    today = now.astimezone(zone).date()
    with transaction() as db:
        standing = _found(cases.read(db, name, viewer, zone, lock=True), name)
        right = Right(action) if action in set(Right) else None
        if right and not may(viewer, right, standing.case.subject):
            raise NotYours("not_yours", "action")
        if version is None:
            raise VersionNeeded("version", "missing")
        if standing.version != version:
            raise Conflict(standing.number, standing.version)
        decided = (
            workflow.decide(standing.case, right, viewer, given, today=today)
            if right
            else Refusal("no_such_action", "action", {"action": action[:40]})
        )
        if isinstance(decided, Refusal):
            raise refused(decided)
        if unknown := cases.unknown_units(db, [*filter(None, (given.unit, *given.helping))]):
            raise BadInput("unit", "unknown", value=unknown[0][:40])
        if decided.original:
            _check_original(cases.read(db, str(decided.original), viewer, zone))
        written = carry(db, standing, decided, viewer=viewer, now=now, calendar=calendar)
    return Receipt(standing.number, decided.to_state or standing.case.state, written)


def carry(
    db: Session, standing: Standing, change: Transition, *, viewer: Viewer, now: datetime, calendar: WorkCalendar
) -> int:
    """Write a transition that was decided, and all that follows from it; returns the new version."""
    case = standing.case
    written = cases.write(db, case, change, viewer=viewer, now=now)
    if case.state.ended and change.to_state and not change.to_state.ended:
        # What comes back to life is judged by the boundaries of today; a changed verdict is one line more.
        written += judging.rejudge(db, only=case.id, today=now.astimezone(calendar.zone).date())
    clocks.reckon(db, case.id, calendar, now=now)
    if case.part_of and change.to_state and change.to_state.ended != case.state.ended:
        cases.follow_parts(db, case.part_of, now=now)
        clocks.reckon(db, case.part_of, calendar, now=now)
    return written


def _check_original(original: Standing | None) -> None:
    if original is None:
        raise Incomplete("no_such_original", "original")
    if original.case.state is IssueState.DUPLICATE:
        raise Incomplete("original_is_duplicate", "original")


def _found(standing: Standing | None, name: str) -> Standing:
    if standing is None:
        raise NotFound("issue", name)
    return standing


def refused(refusal: Refusal) -> Refused:
    """The error that carries a refusal out: by whether who, when or what is the reason."""
    kind = NotYours if refusal.reason in _WHO else Refused if refusal.reason in _WHEN else Incomplete
    return kind(refusal.reason, refusal.field, **refusal.params)
