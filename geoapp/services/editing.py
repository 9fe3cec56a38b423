"""Editing an issue: its words and facts, its costs, and letting the public read its words."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from geoapp.domain.calendar import WorkCalendar
from geoapp.domain.editing import Cost, Facts, Wrong, changed, wrong_cost, wrong_facts
from geoapp.domain.permissions import Right, grants_for, may
from geoapp.domain.values import IssueState, Matter, Viewer
from geoapp.domain.workflow import Transition
from geoapp.errors import BadInput, Conflict, NotFound, NotYours, Refused, VersionNeeded
from geoapp.services import clocks
from geoapp.services.triage import Receipt
from geoapp.store import cases, editing, judging, reports, reviews
from geoapp.store.cases import Standing
from geoapp.store.editing import Revision
from geoapp.store.session import Session, snapshot, transaction

__all__ = ["Editable", "Revision"]


@dataclass(frozen=True, slots=True)
class Editable:
    """What stands, what this viewer may change of it, and what was changed before."""

    facts: Facts
    cost: Cost
    released: bool
    may_edit: bool
    may_release: bool
    may_cost: bool
    revisions: tuple[Revision, ...]


def editable(viewer: Viewer, name: str, *, zone: ZoneInfo) -> Editable | None:
    """What a member of staff sees before editing; None for whoever does not see the issue in full.

    Raises NotFound.
    """
    with snapshot() as db:
        standing = _found(cases.read(db, name, viewer, zone), name)
        subject = standing.case.subject
        if not may(viewer, Right.VIEW, subject):
            return None
        facts, cost, released = editing.facts(db, standing.case.id)
        return Editable(
            facts, cost, released, may(viewer, Right.EDIT, subject), may(viewer, Right.RELEASE, subject),
            may(viewer, Right.COST, subject), tuple(editing.revisions(db, standing.case.id)),
        )  # fmt: skip


def edit(
    viewer: Viewer, name: str, change: Facts, *, version: int | None, now: datetime, calendar: WorkCalendar
) -> Receipt:
    """Change words and facts; a new place or category is judged anew and has its own deadlines.

    Raises NotFound, NotYours, VersionNeeded, Conflict, and BadInput naming the field.
    """
    _refuse(wrong_facts(change))
    with transaction() as db:
        standing = _locked(db, viewer, name, Right.EDIT, version=version, zone=calendar.zone)
        known, _, _ = editing.facts(db, standing.case.id)
        found = changed(known, change)
        if not found:
            return Receipt(standing.number, standing.case.state, standing.version)
        if change.category is not None and not reports.may_name(db, change.category):
            raise BadInput("category", "unknown", value=change.category[:40])
        line = _line(viewer, standing, Right.EDIT, {"fields": sorted(found)}, internal=True)
        written = cases.write(
            db, standing.case, line, viewer=viewer, now=now, also=editing.assignments(known, found)
        )  # fmt: skip
        editing.keep(db, standing.case.id, found, person=viewer.person, now=now)
        if {"category", "point"} & set(found) and not standing.case.state.ended:
            written += judging.rejudge(db, only=standing.case.id, today=now.astimezone(calendar.zone).date())
        clocks.reckon(db, standing.case.id, calendar, now=now)
    return Receipt(standing.number, standing.case.state, written)


def enter_cost(viewer: Viewer, name: str, cost: Cost, *, version: int | None, now: datetime, zone: ZoneInfo) -> Receipt:
    """Enter what is planned and spent, in yuan; the history tells it. Raises as ``edit``."""
    _refuse(wrong_cost(cost))
    with transaction() as db:
        standing = _locked(db, viewer, name, Right.COST, version=version, zone=zone)
        written = book_cost(db, standing, cost, viewer=viewer, now=now)
    return Receipt(standing.number, standing.case.state, written)


def book_cost(db: Session, standing: Standing, cost: Cost, *, viewer: Viewer, now: datetime) -> int:
    """Write costs that the viewer may enter, within the caller's transaction; returns the version after it."""
    _, known, _ = editing.facts(db, standing.case.id)
    if known == cost:
        return standing.version
    detail = {field: None if value is None else str(value) for field, value in asdict(cost).items()}
    also: dict[str, tuple[str, dict[str, Any]]] = {
        column: (f":{column}", {column: value})
        for column, value in (
            ("cost_planned", cost.planned), ("cost_spent", cost.spent), ("fund_source", cost.fund)
        )
    }  # fmt: skip
    line = _line(viewer, standing, Right.COST, detail)
    return cases.write(db, standing.case, line, viewer=viewer, now=now, also=also)


def release(
    viewer: Viewer, name: str, *, released: bool, version: int | None, now: datetime, zone: ZoneInfo
) -> Receipt:
    """Let the public read title and text, or take them back. Raises as ``edit``."""
    with transaction() as db:
        standing = _locked(db, viewer, name, Right.RELEASE, version=version, zone=zone)
        _, _, was = editing.facts(db, standing.case.id)
        reviews.decide(db, standing.case.id, Matter.WORDS, released=released, person=viewer.person, now=now)
        if was == released:
            return Receipt(standing.number, standing.case.state, standing.version)
        line = _line(viewer, standing, Right.RELEASE, {"words": released}, internal=True)
        also: Mapping[str, tuple[str, dict[str, Any]]] = {"text_released": (":released", {"released": released})}
        written = cases.write(db, standing.case, line, viewer=viewer, now=now, also=also)
    return Receipt(standing.number, standing.case.state, written)


def _locked(db: Session, viewer: Viewer, name: str, right: Right, *, version: int | None, zone: ZoneInfo) -> Standing:
    standing = _found(cases.read(db, name, viewer, zone, lock=True), name)
    if not may(viewer, right, standing.case.subject):
        raise NotYours("not_yours", "action")
    if version is None:
        raise VersionNeeded("version", "missing")
    if standing.version != version:
        raise Conflict(standing.number, standing.version)
    if standing.case.state is IssueState.DUPLICATE and right is Right.EDIT:
        raise Refused("not_now", "action")
    return standing


def _line(
    viewer: Viewer, standing: Standing, right: Right, detail: dict[str, Any], *, internal: bool = False
) -> Transition:
    actor = grants_for(viewer, right, standing.case.subject)[0].role
    return Transition(right, None, actor, "", detail, internal=internal)


def _found(standing: Standing | None, name: str) -> Standing:
    if standing is None:
        raise NotFound("issue", name)
    return standing


def _refuse(wrong: Iterable[Wrong]) -> None:
    for field, reason, params in wrong:
        raise BadInput(field, reason, **params)
