"""Projects (项目): made from clusters, needs or by hand; what they join; money promised and spent, source by source."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry

from geoapp.domain import geometry as geo
from geoapp.domain import projects as rules
from geoapp.domain.editing import Wrong
from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.projects import Balance, Line, ProjectFacts, ProjectState
from geoapp.domain.reports import fresh_id
from geoapp.domain.values import Viewer
from geoapp.errors import BadInput, Conflict, Incomplete, NotFound, NotYours, VersionNeeded
from geoapp.store import cases, issues, lists, projects, reach
from geoapp.store.issues import IssueRow
from geoapp.store.projects import LedgerRow, Met, ProjectRow, Used
from geoapp.store.session import Session, snapshot, transaction

__all__ = ["Ledger", "LedgerRow", "NewProject", "ProjectRow", "Whole"]

MOST = 300


@dataclass(frozen=True, slots=True)
class NewProject:
    """A project about to be made.

    ``area`` is WKB or GeoJSON text of a polygon in EPSG:4326. ``cases`` are numbers (or ids) of issues. Without
    ``place`` (a code) it belongs to the smallest place that holds all its cases. ``origin`` says what it was made
    from, as ``{"kind": "cluster", "since": "2026-01-01"}``. With an ``id`` the same project is made once, however
    often it is sent.
    """

    title: str
    area: bytes | str | None = None
    cases: Sequence[str] = ()
    budget_low: Decimal | None = None
    budget_high: Decimal | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    begins: date | None = None
    ends: date | None = None
    unit: str | None = None
    place: str | None = None
    id: UUID | None = None
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class Ledger:
    """The lines of a project's money, the balance of each source, and all together."""

    lines: tuple[LedgerRow, ...]
    sources: tuple[Balance, ...]
    whole: Balance


@dataclass(frozen=True, slots=True)
class Whole:
    """A project with all that it joins; of its cases those that the viewer may see."""

    row: ProjectRow
    cases: tuple[IssueRow, ...]
    needs: tuple[Met, ...]
    uses: tuple[Used, ...]
    money: Ledger


def listed(viewer: Viewer) -> list[ProjectRow]:
    """The projects that the viewer may see, the newest first."""
    with snapshot() as db:
        return projects.found(db, viewer, limit=MOST)


def get(viewer: Viewer, project: UUID) -> Whole:
    """A project with all that it joins; raises NotFound also for one that this viewer may not see."""
    with snapshot() as db:
        row = _seen(db, viewer, project)
        seen = issues.some(db, projects.cases(db, project), viewer)
        lines = projects.ledger(db, project)
        sources = rules.balances(one.line for one in lines)
        return Whole(
            row,
            tuple(sorted(seen.values(), key=lambda one: one.number)),
            tuple(projects.meets(db, project)),
            tuple(projects.uses(db, project)),
            Ledger(tuple(lines), sources, rules.whole(sources)),
        )


def create(viewer: Viewer, new: NewProject, *, now: datetime) -> UUID:
    """Make a project with its cases, in one transaction; returns its id, the same for one that was made before.

    Raises NotYours when the viewer may not plan in the whole of its place; BadInput naming the field: ``title``,
    ``area``, ``cases`` (one that this viewer cannot see), ``budget_low``, ``budget_high``, ``place``, ``unit``.
    """
    if not may_anywhere(viewer, Right.PROJECT):
        raise NotYours("not_yours", "action")
    facts = ProjectFacts(
        new.title.strip(), new.note, area_of(new.area), ProjectState.PLANNED, new.budget_low, new.budget_high,
        new.begins, new.ends, new.unit,
    )  # fmt: skip
    refuse(rules.wrong_project(facts))
    if len(new.cases) > rules.MOST_CASES:
        raise BadInput("cases", "too_many", most=rules.MOST_CASES)
    made = new.id or fresh_id(now)
    with transaction() as db:
        joined = [issue_id(db, viewer, name) for name in dict.fromkeys(new.cases)]
        code = new.place or (reach.of_issues(db, joined) if joined else None)
        if code is None:
            raise BadInput("place", "missing")
        ground = reach.ground(db, viewer, Right.PROJECT, code)
        if ground is None:
            raise NotYours("not_yours", "place")
        _check_unit(db, new.unit)
        fresh = projects.add(
            db, made, ground.id, facts, origin=new.origin, person=viewer.person, synthetic=new.synthetic, now=now
        )
        if fresh:
            projects.attach_cases(db, made, joined)
    return made


def change(viewer: Viewer, project: UUID, facts: ProjectFacts, *, version: int | None) -> None:
    """Change what a project says of itself. Raises NotFound, NotYours, VersionNeeded, Conflict, BadInput."""
    sound = replace(facts, title=facts.title.strip(), area=area_of(facts.area))
    refuse(rules.wrong_project(sound))
    with transaction() as db:
        _held(db, viewer, project, version=version)
        _check_unit(db, facts.unit)
        projects.change(db, project, sound)


def add_case(viewer: Viewer, project: UUID, number: str) -> None:
    """Let a project solve one more issue. Raises NotFound, NotYours, and BadInput for an issue that is not seen."""
    with transaction() as db:
        _held(db, viewer, project)
        projects.attach_cases(db, project, [issue_id(db, viewer, number, field="number")])
        projects.touch(db, project)


def drop_case(viewer: Viewer, project: UUID, number: str) -> None:
    with transaction() as db:
        _held(db, viewer, project)
        projects.drop_case(db, project, issue_id(db, viewer, number, field="number"))
        projects.touch(db, project)


def add_need(viewer: Viewer, project: UUID, need: UUID) -> None:
    """Let a project meet a need. Raises NotFound and NotYours."""
    with transaction() as db:
        _held(db, viewer, project)
        if not lists.needs(db, viewer, only=need, limit=1):
            raise NotFound("need", str(need))
        projects.attach_need(db, project, need)
        projects.touch(db, project)


def use(
    viewer: Viewer, project: UUID, resource: UUID, *, amount: Decimal | None = None, first: date | None = None,
    last: date | None = None, note: str = "",
) -> None:  # fmt: skip
    """Use a resource, or change how much of it and when. Raises NotFound, NotYours and BadInput."""
    refuse(rules.wrong_amount("amount", amount))
    refuse(rules.wrong_days(first, last))
    refuse(rules.wrong_note(note))
    with transaction() as db:
        _held(db, viewer, project)
        if not lists.resources(db, viewer, only=resource, limit=1):
            raise NotFound("resource", str(resource))
        projects.attach_resource(db, project, resource, amount=amount, first=first, last=last, note=note)
        projects.touch(db, project)


def release(viewer: Viewer, project: UUID, resource: UUID) -> None:
    """Use a resource no longer."""
    with transaction() as db:
        _held(db, viewer, project)
        projects.drop_resource(db, project, resource)
        projects.touch(db, project)


def book(viewer: Viewer, project: UUID, line: Line, *, beyond: bool = False, now: datetime) -> None:
    """Add a line to the ledger. What would take a source below nothing is refused unless it is meant (``beyond``).

    Raises NotFound, NotYours, BadInput, and Incomplete (``overdrawn``, ``needs_reason``).
    """
    refuse(rules.wrong_line(line))
    with transaction() as db:
        _held(db, viewer, project)
        over = rules.overdrawn((one.line for one in projects.ledger(db, project)), line)
        if over and not beyond:
            raise Incomplete("overdrawn", "amount", over=f"{over:,.2f}", source=line.source)
        if over and not line.note.strip():
            raise Incomplete("needs_reason", "note")
        projects.book(db, project, line, person=viewer.person, now=now)
        projects.touch(db, project)


def of_issue(viewer: Viewer, number: str) -> list[ProjectRow]:
    """The projects that are to solve an issue, as far as the viewer may see them."""
    with snapshot() as db:
        issue = issue_id(db, viewer, number, field="number")
        found = [projects.found(db, viewer, only=one, limit=1) for one in projects.of_issue(db, issue)]
        return [row for rows in found for row in rows]


def area_of(given: bytes | str | None) -> bytes | None:
    """An area as WKB of its one valid form; raises BadInput for what is none."""
    if not given:
        return None
    try:
        drawn: BaseGeometry = (
            shapely.from_wkb(given) if isinstance(given, bytes) else shapely.geometry.shape(json.loads(given))
        )
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, shapely.errors.ShapelyError):
        raise BadInput("area", "no_area") from None
    if drawn.is_empty or drawn.geom_type not in {"Polygon", "MultiPolygon"}:
        raise BadInput("area", "no_area")
    west, south, east, north = drawn.bounds
    if not (-180 <= west <= east <= 180 and -85 <= south <= north <= 85):  # noqa: PLR2004 - degrees
        raise BadInput("area", "degrees")
    area, _ = geo.repair(drawn, lines=False)
    if area.is_empty:
        raise BadInput("area", "no_area")
    return bytes(shapely.to_wkb(area))


def issue_id(db: Session, viewer: Viewer, name: str, *, field: str = "cases") -> UUID:
    """The id of an issue that the viewer may see; raises BadInput where there is none."""
    found = reach.issue(db, viewer, name.strip()[:100])
    if found is None:
        raise BadInput(field, "unknown", value=name.strip()[:40])
    return found


def refuse(wrong: Iterable[Wrong]) -> None:
    """Raises BadInput for the first thing that is wrong."""
    for name, reason, params in wrong:
        raise BadInput(name, reason, **params)


def _check_unit(db: Session, unit: str | None) -> None:
    if unit and cases.unknown_units(db, [unit]):
        raise BadInput("unit", "unknown", value=unit[:40])


def _seen(db: Session, viewer: Viewer, project: UUID) -> ProjectRow:
    found = projects.found(db, viewer, only=project, limit=1)
    if not found:
        raise NotFound("project", str(project))
    return found[0]


def _held(db: Session, viewer: Viewer, project: UUID, *, version: int | None = 0) -> ProjectRow:
    """A project that the viewer may change, held until the end; ``version`` 0: whatever stands."""
    projects.lock(db, project)
    row = _seen(db, viewer, project)
    if not row.may_change:
        raise NotYours("not_yours", "action")
    if version is None:
        raise VersionNeeded("version", "missing")
    if version not in {0, row.version}:
        raise Conflict(row.title, row.version)
    return row
