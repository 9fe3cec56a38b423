"""Splitting an issue that needs several units: each part is an issue of its own, the whole waits for them all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from geoapp.domain import reports as rules
from geoapp.domain import workflow
from geoapp.domain.calendar import WorkCalendar
from geoapp.domain.permissions import Right, Subject, grants_for, may
from geoapp.domain.reports import Reporter, Submission, stricter
from geoapp.domain.values import IssueState, Point, Privacy, Source, Viewer
from geoapp.domain.workflow import Case, Given, Refusal, Transition
from geoapp.errors import BadInput, Conflict, NotFound, NotYours, Refused, VersionNeeded
from geoapp.services import clocks
from geoapp.services.triage import Receipt, refused
from geoapp.store import cases, locks, reports, splitting
from geoapp.store.locks import Lock
from geoapp.store.session import Session, transaction

__all__ = ["Part", "split"]


@dataclass(frozen=True, slots=True)
class Part:
    """A part to be made, with category and point of the whole if it has none; with a unit it is dispatched at once."""

    id: UUID
    title: str
    category: str = ""
    point: Point | None = None
    unit: str | None = None
    helping: tuple[str, ...] = ()


def split(
    viewer: Viewer,
    name: str,
    parts: Sequence[Part],
    *,
    note: str = "",
    version: int | None,
    prefix: str,
    now: datetime,
    calendar: WorkCalendar,
) -> Receipt:
    """Split an issue, in one transaction; who made the same parts before is answered as before.

    Raises NotFound, VersionNeeded, Conflict, NotYours, Refused and Incomplete as ``triage.act``; BadInput for a
    part that cannot be.
    """
    _check(parts)
    today = now.astimezone(calendar.zone).date()
    with transaction() as db:
        standing = cases.read(db, name, viewer, calendar.zone, lock=True)
        if standing is None:
            raise NotFound("issue", name)
        if not may(viewer, Right.SPLIT, standing.case.subject):
            raise NotYours("not_yours", "action")
        if splitting.made(db, standing.case.id, [one.id for one in parts]):
            return Receipt(standing.number, standing.case.state, standing.version)
        if version is None:
            raise VersionNeeded("version", "missing")
        if standing.version != version:
            raise Conflict(standing.number, standing.version)
        decided = workflow.decide(standing.case, Right.SPLIT, viewer, Given(note=note, parts=len(parts)), today=today)
        if isinstance(decided, Refusal):
            raise refused(decided)
        whole = splitting.whole(db, standing.case.id)
        numbers = [
            _make(db, viewer, part, whole, standing.case, prefix=prefix, now=now, calendar=calendar) for part in parts
        ]
        told = workflow.detailed(decided, {"parts": numbers})
        written = cases.write(db, standing.case, told, viewer=viewer, now=now)
        clocks.reckon(db, standing.case.id, calendar, now=now)
    return Receipt(standing.number, decided.to_state or standing.case.state, written)


def _make(
    db: Session, viewer: Viewer, part: Part, whole: splitting.Whole, parent: Case, *, prefix: str, now: datetime,
    calendar: WorkCalendar,
) -> str:  # fmt: skip
    """Store one part, accepted and, with a unit, dispatched; returns its number."""
    told = Submission(
        part.id, part.category or whole.category, part.point or whole.point, Reporter(""), title=part.title,
        text=whole.text, address=whole.address, accuracy_m=whole.accuracy_m, source=Source(whole.source),
    )  # fmt: skip
    locks.beside(db, Lock.BOUNDARIES)
    ground = reports.look(db, told, words="", now=now, today=now.astimezone(calendar.zone).date())
    if ground.taken:
        raise Refused("id_taken", "id")
    if (known := ground.rule) is None:
        raise BadInput("category", "unknown", value=told.category[:40])
    units = [*filter(None, (part.unit, *part.helping))]
    if unknown := cases.unknown_units(db, units):
        raise BadInput("unit", "unknown", value=unknown[0][:40])
    if part.unit in part.helping:
        raise BadInput("helping", "helps_itself")
    actor = str(grants_for(viewer, Right.SPLIT, parent.subject)[0].role)
    number = reports.store(
        db, told, ground, stricter(Privacy(whole.privacy), known.privacy), released=False, actor=actor,
        person=viewer.person, prefix=prefix, at=now,
    )  # fmt: skip
    splitting.attach(db, part.id, parent.id, released=whole.released)
    steps = [Transition(Right.ACCEPT, IssueState.ACCEPTED, actor, "")]
    if part.unit:
        detail = {"unit": part.unit, "helping": list(part.helping)}
        steps.append(
            Transition(Right.DISPATCH, IssueState.DISPATCHED, actor, "", detail, unit=part.unit, helping=part.helping)
        )
    for step in steps:
        cases.write(db, Case(part.id, IssueState.REPORTED, Subject()), step, viewer=viewer, now=now)
    clocks.reckon(db, part.id, calendar, now=now)
    return number


def _check(parts: Sequence[Part]) -> None:
    for part in parts:
        if not part.title.strip():
            raise BadInput("title", "missing")
        if len(part.title) > rules.LONGEST_TITLE or not part.title.isprintable():
            raise BadInput("title", "too_long", most=rules.LONGEST_TITLE)
    if len({part.id for part in parts}) != len(parts):
        raise BadInput("id", "repeated")
