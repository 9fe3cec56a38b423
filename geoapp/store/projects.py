"""Projects: their facts, what they join, and the ledger of their money."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geoapp.domain.permissions import Right
from geoapp.domain.projects import Entry, Line, ProjectFacts, ProjectState
from geoapp.domain.values import Name, Viewer
from geoapp.store.reach import covers, own_units, touches


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project as lists and its page show it. ``area`` is GeoJSON text; amounts are in yuan."""

    id: UUID
    title: str
    note: str
    area: str | None
    state: ProjectState
    budget_low: Decimal | None
    budget_high: Decimal | None
    begins: date | None
    ends: date | None
    place: str
    place_id: int
    place_name: Name
    unit: str | None
    unit_name: Name
    person: str
    origin: Mapping[str, Any]
    synthetic: bool
    version: int
    cases: int
    promised: Decimal
    spent: Decimal
    lon: float | None
    lat: float | None
    may_change: bool


@dataclass(frozen=True, slots=True)
class LedgerRow:
    at: datetime
    line: Line
    person: str


@dataclass(frozen=True, slots=True)
class Used:
    """A resource that a project uses."""

    resource: UUID
    name: str
    kind: str
    amount: Decimal | None
    measure: str
    first: date | None
    last: date | None
    note: str


@dataclass(frozen=True, slots=True)
class Met:
    """A need that a project meets."""

    need: UUID
    title: str
    kind: str
    quantity: Decimal | None
    measure: str


def found(db: Session, viewer: Viewer, *, only: UUID | None = None, limit: int) -> list[ProjectRow]:
    """Projects that the viewer may see, the newest first: of the own communities, or of the own unit."""
    sees, binds = touches(viewer, "p.place_id")
    may, more = covers(viewer, Right.PROJECT, "p.place_id")
    units, own = own_units(viewer)
    rows = db.execute(
        text(
            f"""
            SELECT p.id, p.title, p.note, ST_AsGeoJSON(p.area, 6) AS area, p.state, p.budget_low, p.budget_high,
                   p.begins, p.ends, place.code AS place, p.place_id, place.name_zh, place.name_en,
                   unit.code AS unit, unit.name_zh AS unit_zh, unit.name_en AS unit_en,
                   coalesce(nullif(person.name, ''), person.login, '') AS person, p.origin, p.synthetic, p.version,
                   (SELECT count(*) FROM project_case c WHERE c.project_id = p.id) AS cases,
                   coalesce(sum.promised, 0) AS promised, coalesce(sum.spent, 0) AS spent,
                   ST_X(middle.at) AS lon, ST_Y(middle.at) AS lat, {may} AS may_change
            FROM project p JOIN place ON place.id = p.place_id LEFT JOIN unit ON unit.id = p.unit_id
            LEFT JOIN person ON person.id = p.person_id
            LEFT JOIN LATERAL (
                SELECT sum(m.amount) FILTER (WHERE m.entry = 'promised') AS promised,
                       sum(m.amount) FILTER (WHERE m.entry = 'spent') AS spent
                FROM money m WHERE m.project_id = p.id) AS sum ON true
            LEFT JOIN LATERAL (SELECT coalesce(ST_PointOnSurface(p.area), (
                SELECT b.label FROM boundary b WHERE b.place_id = p.place_id
                ORDER BY lower(b.validity) DESC NULLS LAST LIMIT 1)) AS at) AS middle ON true
            WHERE (CAST(:only AS uuid) IS NULL OR p.id = :only) AND ({sees} OR p.unit_id = ANY ({units}) OR EXISTS (
                SELECT FROM project_resource used JOIN resource r ON r.id = used.resource_id
                WHERE used.project_id = p.id AND r.unit_id = ANY ({units})))
            ORDER BY p.created_at DESC, p.id LIMIT :limit
            """
        ),
        binds | more | own | {"only": only, "limit": limit},
    )
    return [_row(row) for row in rows]


def lock(db: Session, project: UUID) -> int | None:
    """The version of a project, held until the end of the transaction."""
    found: int | None = db.execute(
        text("SELECT version FROM project WHERE id = :id FOR UPDATE"), {"id": project}
    ).scalar()
    return found


def add(
    db: Session, project: UUID, place_id: int, facts: ProjectFacts, *, origin: Mapping[str, Any], person: UUID | None,
    synthetic: bool, now: datetime,
) -> bool:  # fmt: skip
    """Store a project; False when there is one with this id."""
    made = db.execute(
        text(
            "INSERT INTO project (id, place_id, title, note, area, state, budget_low, budget_high, begins, ends, "
            "unit_id, person_id, origin, synthetic, created_at) VALUES (:id, :place, :title, :note, "
            "ST_Multi(ST_SetSRID(ST_GeomFromWKB(:area), 4326)), :state, :low, :high, :begins, :ends, "
            "(SELECT id FROM unit WHERE code = :unit), :person, CAST(:origin AS jsonb), :synthetic, :now) "
            "ON CONFLICT (id) DO NOTHING RETURNING id"
        ),
        _binds(facts)
        | {
            "id": project, "place": place_id, "person": person, "synthetic": synthetic, "now": now,
            "origin": json.dumps(dict(origin), ensure_ascii=False),
        },
    ).scalar()  # fmt: skip
    return made is not None


def change(db: Session, project: UUID, facts: ProjectFacts) -> None:
    db.execute(
        text(
            "UPDATE project SET title = :title, note = :note, state = :state, budget_low = :low, budget_high = :high, "
            "begins = :begins, ends = :ends, unit_id = (SELECT id FROM unit WHERE code = :unit), "
            "version = version + 1, area = ST_Multi(ST_SetSRID(ST_GeomFromWKB(:area), 4326)) WHERE id = :id"
        ),
        _binds(facts) | {"id": project},
    )


def attach_cases(db: Session, project: UUID, issues: Sequence[UUID]) -> None:
    if issues:
        db.execute(
            text("INSERT INTO project_case (issue_id, project_id) VALUES (:issue, :id) ON CONFLICT DO NOTHING"),
            [{"issue": issue, "id": project} for issue in issues],
        )


def drop_case(db: Session, project: UUID, issue: UUID) -> None:
    db.execute(
        text("DELETE FROM project_case WHERE project_id = :id AND issue_id = :issue"), {"id": project, "issue": issue}
    )


def cases(db: Session, project: UUID) -> list[UUID]:
    rows = db.execute(
        text("SELECT issue_id FROM project_case WHERE project_id = :id ORDER BY issue_id"), {"id": project}
    )
    return list(rows.scalars())


def of_issue(db: Session, issue: UUID) -> list[UUID]:
    rows = db.execute(text("SELECT project_id FROM project_case WHERE issue_id = :id"), {"id": issue})
    return list(rows.scalars())


def attach_need(db: Session, project: UUID, need: UUID) -> None:
    db.execute(
        text("INSERT INTO project_need (project_id, need_id) VALUES (:id, :need) ON CONFLICT DO NOTHING"),
        {"id": project, "need": need},
    )


def attach_resource(
    db: Session, project: UUID, resource: UUID, *, amount: Decimal | None, first: date | None, last: date | None,
    note: str,
) -> None:  # fmt: skip
    """Use a resource, or change how much of it and when."""
    db.execute(
        text(
            "INSERT INTO project_resource (project_id, resource_id, amount, days, note) VALUES (:id, :resource, "
            ":amount, CASE WHEN :timed THEN daterange(:first, :last, '[]') END, :note) "
            "ON CONFLICT (project_id, resource_id) DO UPDATE SET amount = excluded.amount, days = excluded.days, "
            "note = excluded.note"
        ),
        {
            "id": project, "resource": resource, "amount": amount, "first": first, "last": last, "note": note,
            "timed": bool(first or last),
        },
    )  # fmt: skip


def drop_resource(db: Session, project: UUID, resource: UUID) -> None:
    db.execute(
        text("DELETE FROM project_resource WHERE project_id = :id AND resource_id = :resource"),
        {"id": project, "resource": resource},
    )


def uses(db: Session, project: UUID) -> list[Used]:
    rows = db.execute(
        text(
            "SELECT r.id, r.name, r.kind, used.amount, r.measure, lower(used.days) AS first, "
            "upper(used.days) - 1 AS last, used.note FROM project_resource used "
            "JOIN resource r ON r.id = used.resource_id WHERE used.project_id = :id ORDER BY r.kind, r.name, r.id"
        ),
        {"id": project},
    )
    return [Used(*row) for row in rows]


def meets(db: Session, project: UUID) -> list[Met]:
    rows = db.execute(
        text(
            "SELECT n.id, n.title, n.kind, n.quantity, n.measure FROM project_need met "
            "JOIN need n ON n.id = met.need_id WHERE met.project_id = :id ORDER BY n.kind, n.title, n.id"
        ),
        {"id": project},
    )
    return [Met(*row) for row in rows]


def ledger(db: Session, project: UUID) -> list[LedgerRow]:
    """Every line, in the order in which they were written."""
    rows = db.execute(
        text(
            "SELECT m.at, m.entry, m.source, m.amount, m.note, coalesce(nullif(p.name, ''), p.login, '') AS person "
            "FROM money m LEFT JOIN person p ON p.id = m.person_id WHERE m.project_id = :id ORDER BY m.seq"
        ),
        {"id": project},
    )
    return [LedgerRow(row.at, Line(Entry(row.entry), row.source, row.amount, row.note), row.person) for row in rows]


def book(db: Session, project: UUID, line: Line, *, person: UUID | None, now: datetime) -> None:
    """Add a line; the caller holds the project."""
    db.execute(
        text(
            "INSERT INTO money (project_id, seq, at, entry, source, amount, note, person_id) VALUES (:id, "
            "(SELECT coalesce(max(seq), 0) + 1 FROM money WHERE project_id = :id), :at, :entry, :source, :amount, "
            ":note, :person)"
        ),
        {
            "id": project, "at": now, "entry": str(line.entry), "source": line.source, "amount": line.amount,
            "note": line.note, "person": person,
        },
    )  # fmt: skip


def touch(db: Session, project: UUID) -> None:
    """Count a change that is none of the project's own facts."""
    db.execute(text("UPDATE project SET version = version + 1 WHERE id = :id"), {"id": project})


def _binds(facts: ProjectFacts) -> dict[str, Any]:
    return {
        "title": facts.title, "note": facts.note, "area": facts.area, "state": str(facts.state),
        "low": facts.budget_low, "high": facts.budget_high, "begins": facts.begins, "ends": facts.ends,
        "unit": facts.unit,
    }  # fmt: skip


def _row(row: Row[Any]) -> ProjectRow:
    return ProjectRow(
        id=row.id, title=row.title, note=row.note, area=row.area, state=ProjectState(row.state),
        budget_low=row.budget_low, budget_high=row.budget_high, begins=row.begins, ends=row.ends, place=row.place,
        place_id=row.place_id, place_name=Name(row.name_zh, row.name_en), unit=row.unit,
        unit_name=Name(row.unit_zh or "", row.unit_en or ""), person=row.person, origin=row.origin,
        synthetic=row.synthetic, version=row.version, cases=row.cases, promised=row.promised, spent=row.spent,
        lon=row.lon, lat=row.lat, may_change=bool(row.may_change),
    )  # fmt: skip
