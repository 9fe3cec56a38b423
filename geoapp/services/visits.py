"""Site visits (现场办公): planned from chosen issues, changed, begun, ended, called off.

What is found on site and how a plan is printed have services of their own; here is the plan, and what its end
writes into the history of the issues.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from uuid import UUID
from zoneinfo import ZoneInfo

from geoapp.domain import visiting, workflow
from geoapp.domain.calendar import WorkCalendar
from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.values import Viewer
from geoapp.domain.visiting import Draft, Schedule, Step, VisitState
from geoapp.domain.workflow import Given, Refusal
from geoapp.errors import BadInput, Conflict, NotFound, NotYours, Refused, VersionNeeded
from geoapp.services import itineraries, triage
from geoapp.services.triage import refused
from geoapp.store import cases, plans, visits
from geoapp.store.session import Session, snapshot, transaction
from geoapp.store.visits import Candidate, GuestRow, StopRow, Target, VisitDetail, VisitRow

__all__ = [
    "Candidate", "Ended", "GuestRow", "StopRow", "Target", "VisitDetail", "VisitRow", "cancel", "change", "create",
    "end", "get", "mine", "preview", "start", "targets",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ended:
    """A visit that has ended; numbers of the issues whose history tells it, and of those that had ended before."""

    detail: VisitDetail
    told: tuple[str, ...]
    untold: tuple[str, ...]


def targets(viewer: Viewer, ids: tuple[UUID, ...]) -> dict[UUID, Target]:
    """The issues that somebody has chosen, as far as they may visit them, with candidate units and their phones."""
    _allowed(viewer)
    with snapshot() as db:
        found = visits.targets(db, ids, viewer)
    return {id_: one for id_, one in found.items() if visiting.may_visit(viewer, frozenset({one.issue.community}))}


def preview(viewer: Viewer, draft: Draft, *, now: datetime) -> Schedule:
    """What a plan would come to, and nothing is kept. Raises as ``create``."""
    _sound(draft)
    with snapshot() as db:
        found = _checked(db, draft, viewer)
    return itineraries.schedule(draft, found, now=now)


def create(
    viewer: Viewer,
    draft: Draft,
    *,
    id: UUID,  # noqa: A002
    now: datetime,
    zone: ZoneInfo,
    synthetic: bool = False,
) -> VisitDetail:
    """Plan a visit; the same ``id`` again is answered with what is there.

    Raises NotYours for whoever may not visit there, BadInput naming the field for a draft that cannot be, Refused for
    an id that is taken.
    """
    # The order is found before the transaction, which would else hold its locks for as long as that takes.
    schedule = preview(viewer, draft, now=now)
    with transaction() as db:
        if there := visits.get(db, id, viewer):
            return there
        if visits.exists(db, id):
            raise Refused("id_taken", "id")
        _checked(db, draft, viewer)
        plans.write(db, id, draft, schedule, viewer=viewer, zone=zone, synthetic=synthetic)
        return _there(db, id, viewer)


def change(
    viewer: Viewer,
    id: UUID,  # noqa: A002
    draft: Draft,
    *,
    version: int | None,
    now: datetime,
    zone: ZoneInfo,
) -> VisitDetail:
    """Plan a visit anew, as it was read as ``version``.

    Raises NotFound, VersionNeeded, Conflict when it has changed since, Refused when it is over; else as ``create``.
    """
    get(viewer, id)
    schedule = preview(viewer, draft, now=now)
    with transaction() as db:
        _open(db, id, viewer, version)
        _checked(db, draft, viewer)
        plans.write(db, id, draft, schedule, viewer=viewer, zone=zone)
        return _there(db, id, viewer)


def get(viewer: Viewer, id: UUID) -> VisitDetail:  # noqa: A002
    """A visit with its stops and guests; raises NotFound also for one that this viewer may not see."""
    with snapshot() as db:
        return _there(db, id, viewer)


def mine(
    viewer: Viewer, *, states: tuple[VisitState, ...] = (), limit: int = 50, after: tuple[date, UUID] | None = None
) -> list[VisitRow]:
    """Visits that the viewer may see, the latest day first; ``after`` is day and id of the last one known."""
    _allowed(viewer)
    with snapshot() as db:
        return visits.some(db, viewer, states=states, limit=limit, after=after)


def start(viewer: Viewer, id: UUID, *, version: int | None, now: datetime) -> VisitDetail:  # noqa: A002
    """Set out. Raises NotFound, VersionNeeded, Conflict, and Refused when it is not planned any more."""
    return _step(viewer, id, Step.START, version=version, now=now)


def cancel(viewer: Viewer, id: UUID, *, version: int | None, now: datetime) -> VisitDetail:  # noqa: A002
    """Call a visit off; it stays on the list. Raises as ``start``."""
    return _step(viewer, id, Step.CANCEL, version=version, now=now)


def end(
    viewer: Viewer,
    id: UUID,  # noqa: A002
    *,
    version: int | None,
    now: datetime,
    calendar: WorkCalendar,
    summary: str = "",
    findings: Mapping[UUID, str] | None = None,
) -> Ended:
    """End a visit: in the same transaction each visited issue gets its line of history, by the workflow's ``visit``.

    ``findings`` are the issues that were visited with what was found there (empty: the visit's title stands for it);
    None: every stop that fits. An issue that has ended meanwhile gets no line. Raises as ``start``, BadInput for a
    finding or summary that is too long or of an issue that is no stop.
    """
    if len(summary) > visiting.LONGEST_SUMMARY:
        raise BadInput("summary", "too_long", most=visiting.LONGEST_SUMMARY)
    told, untold = [], []
    with transaction() as db:
        row = _stepping(db, id, viewer, Step.END, version)
        stops = {stop.issue.id: stop for stop in _there(db, id, viewer).stops}
        found = {key: "" for key, stop in stops.items() if stop.seq} if findings is None else findings
        if strange := set(found) - set(stops):
            raise BadInput("findings", "unknown", value=str(min(strange)))
        # In one order by everybody, so that two who end visits with common stops do not wait for each other.
        for issue in sorted(found):
            number = stops[issue].issue.number
            if _tell(db, issue, found[issue].strip() or row.title, row, viewer=viewer, now=now, calendar=calendar):
                told.append(number)
            else:
                untold.append(number)
        visits.carry(db, id, VisitState.ENDED, at=now, summary=summary.strip())
        return Ended(_there(db, id, viewer), tuple(told), tuple(untold))


def _tell(
    db: Session, issue: UUID, note: str, visit: VisitRow, *, viewer: Viewer, now: datetime, calendar: WorkCalendar
) -> bool:
    """The line in an issue's history; False where the issue has ended and takes none."""
    standing = cases.read(db, str(issue), viewer, calendar.zone, lock=True)
    if standing is None or standing.case.state.ended:
        return False
    today = now.astimezone(calendar.zone).date()
    decided = workflow.decide(standing.case, Right.VISIT, viewer, Given(note=note), today=today)
    if isinstance(decided, Refusal):
        raise refused(decided)
    told = workflow.detailed(decided, {"visit": str(visit.id), "on_day": visit.on_day.isoformat()})
    triage.carry(db, standing, told, viewer=viewer, now=now, calendar=calendar)
    return True


def _step(viewer: Viewer, id: UUID, step: Step, *, version: int | None, now: datetime) -> VisitDetail:  # noqa: A002
    with transaction() as db:
        _stepping(db, id, viewer, step, version)
        visits.carry(db, id, visiting.STEPS[step][1], at=now)
        return _there(db, id, viewer)


def _stepping(db: Session, id: UUID, viewer: Viewer, step: Step, version: int | None) -> VisitRow:  # noqa: A002
    row = _locked(db, id, viewer, version)
    taken = visiting.take(step, row.state)
    if isinstance(taken, Refusal):
        raise Refused(taken.reason, taken.field)
    return row


def _open(db: Session, id: UUID, viewer: Viewer, version: int | None) -> None:  # noqa: A002
    row = _locked(db, id, viewer, version)
    if not visiting.is_open(row.state):
        raise Refused("visit_not_now", "action")


def _locked(db: Session, id: UUID, viewer: Viewer, version: int | None) -> VisitRow:  # noqa: A002
    row = visits.one(db, id, viewer, lock=True)
    if row is None:
        raise NotFound("visit", str(id))
    if version is None:
        raise VersionNeeded("version", "missing")
    if row.version != version:
        raise Conflict(row.title, row.version)
    return row


def _there(db: Session, id: UUID, viewer: Viewer) -> VisitDetail:  # noqa: A002
    detail = visits.get(db, id, viewer)
    if detail is None:
        raise NotFound("visit", str(id))
    return detail


def _allowed(viewer: Viewer) -> None:
    if not may_anywhere(viewer, Right.VISIT):
        raise NotYours("not_yours", "action")


def _sound(draft: Draft) -> None:
    for problem in visiting.problems(draft):
        raise BadInput(problem.field, problem.reason, **problem.params)


def _checked(db: Session, draft: Draft, viewer: Viewer) -> Mapping[UUID, Target]:
    """The issues of a draft; raises BadInput for one that is not seen, NotYours where one may not visit."""
    _allowed(viewer)
    found = visits.targets(db, [stop.issue for stop in draft.stops], viewer)
    for stop in draft.stops:
        if stop.issue not in found:
            raise BadInput("stops", "unknown", value=str(stop.issue))
    if not visiting.may_visit(viewer, frozenset(one.issue.community for one in found.values())):
        raise NotYours("not_yours", "action")
    if unknown := cases.unknown_units(db, [guest.unit for guest in draft.guests if guest.unit]):
        raise BadInput("guests", "unknown", value=unknown[0][:40])
    return MappingProxyType(found)
