"""Needs and resources: their rows, what ties them to issues, and how far they lie from each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geoapp.domain.matching import NeedFacts, NeedState, ResourceFacts, ResourceKind, Span
from geoapp.domain.permissions import Right
from geoapp.domain.values import Name, Viewer
from geoapp.store.condition import seen_in_full
from geoapp.store.reach import covers, own_units, touches


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """A resource as lists show it. ``shape`` is GeoJSON text, ``lon`` and ``lat`` a point of it."""

    id: UUID
    facts: ResourceFacts
    unit_name: Name
    place: str
    place_name: Name
    shape: str | None
    lon: float | None
    lat: float | None
    synthetic: bool
    version: int
    projects: int
    may_change: bool


@dataclass(frozen=True, slots=True)
class NeedRow:
    """A need as lists show it; ``issues`` are the numbers of those that it comes from and that the viewer may see."""

    id: UUID
    facts: NeedFacts
    place: str
    place_name: Name
    lon: float | None
    lat: float | None
    issues: tuple[str, ...]
    synthetic: bool
    version: int
    projects: int
    may_change: bool


def resources(db: Session, viewer: Viewer, *, only: UUID | None = None, limit: int) -> list[ResourceRow]:
    """Resources that the viewer may see: of the own communities or unit, by kind and name."""
    sees, binds = touches(viewer, "r.place_id")
    may, more = covers(viewer, Right.LIST, "r.place_id")
    units, own = own_units(viewer)
    rows = db.execute(
        text(
            f"""
            SELECT r.id, r.kind, r.name, unit.code AS unit, unit.name_zh AS unit_zh, unit.name_en AS unit_en, r.owner,
                   r.capacity, r.measure, r.note, ST_AsBinary(r.geom) AS wkb, ST_AsGeoJSON(r.geom, 6) AS shape,
                   ST_X(ST_PointOnSurface(r.geom)) AS lon, ST_Y(ST_PointOnSurface(r.geom)) AS lat, r.active,
                   place.code AS place, place.name_zh, place.name_en, r.synthetic, r.version, {may} AS may_change,
                   ARRAY(SELECT jsonb_build_array(lower(d.days), upper(d.days) - 1) FROM resource_days d
                         WHERE d.resource_id = r.id ORDER BY d.days) AS free,
                   (SELECT count(*) FROM project_resource used WHERE used.resource_id = r.id) AS projects
            FROM resource r JOIN place ON place.id = r.place_id LEFT JOIN unit ON unit.id = r.unit_id
            WHERE (CAST(:only AS uuid) IS NULL OR r.id = :only) AND ({sees} OR r.unit_id = ANY ({units}))
            ORDER BY r.active DESC, r.kind, r.name, r.id LIMIT :limit
            """
        ),
        binds | more | own | {"only": only, "limit": limit},
    )
    return [_resource(row) for row in rows]


def needs(db: Session, viewer: Viewer, *, only: UUID | None = None, limit: int) -> list[NeedRow]:
    """Needs that the viewer may see, what is open first and then the newest."""
    sees, binds = touches(viewer, "n.place_id")
    may, more = covers(viewer, Right.LIST, "n.place_id")
    units, own = own_units(viewer)
    full, in_full = seen_in_full(viewer)
    rows = db.execute(
        text(
            f"""
            SELECT n.id, n.kind, n.title, n.note, n.quantity, n.measure, n.begins, n.ends, ST_AsBinary(n.geom) AS wkb,
                   ST_X(n.geom) AS lon, ST_Y(n.geom) AS lat, n.state, place.code AS place, place.name_zh,
                   place.name_en, n.synthetic, n.version, {may} AS may_change,
                   ARRAY(SELECT i.number FROM need_issue f JOIN issue i ON i.id = f.issue_id
                         WHERE f.need_id = n.id AND (i.public_geom IS NOT NULL OR {full}) ORDER BY i.number) AS issues,
                   (SELECT count(*) FROM project_need met WHERE met.need_id = n.id) AS projects
            FROM need n JOIN place ON place.id = n.place_id
            WHERE (CAST(:only AS uuid) IS NULL OR n.id = :only) AND ({sees} OR EXISTS (
                SELECT FROM project_need met JOIN project p ON p.id = met.project_id
                WHERE met.need_id = n.id AND p.unit_id = ANY ({units})))
            ORDER BY n.state <> 'open', n.created_at DESC, n.id LIMIT :limit
            """
        ),
        binds | more | own | in_full | {"only": only, "limit": limit},
    )
    return [_need(row) for row in rows]


def metres(db: Session, need: UUID) -> dict[UUID, float]:
    """How far every resource with a place lies from a need with one."""
    rows = db.execute(
        text(
            "SELECT r.id, ST_Distance(r.geom::geography, n.geom::geography) AS m FROM need n, resource r "
            "WHERE n.id = :id AND r.kind = n.kind AND r.active AND n.geom IS NOT NULL AND r.geom IS NOT NULL"
        ),
        {"id": need},
    )
    return {row.id: row.m for row in rows}


def version_of(db: Session, table: str, row: UUID) -> int | None:
    """The version of a ``need`` or ``resource``, held until the end of the transaction."""
    found: int | None = db.execute(
        text(f"SELECT version FROM {_TABLES[table]} WHERE id = :id FOR UPDATE"), {"id": row}
    ).scalar()
    return found


_TABLES = {"need": "need", "resource": "resource"}


def add_resource(
    db: Session, resource: UUID, place_id: int, facts: ResourceFacts, *, synthetic: bool, now: datetime
) -> bool:
    """Store a resource; False when there is one with this id."""
    made = db.execute(
        text(
            "INSERT INTO resource (id, place_id, kind, name, unit_id, owner, capacity, measure, note, geom, active, "
            "synthetic, created_at) VALUES (:id, :place, :kind, :name, (SELECT id FROM unit WHERE code = :unit), "
            ":owner, :capacity, :measure, :note, ST_SetSRID(ST_GeomFromWKB(:shape), 4326), :active, :synthetic, :now) "
            "ON CONFLICT (id) DO NOTHING RETURNING id"
        ),
        _resource_binds(facts) | {"id": resource, "place": place_id, "synthetic": synthetic, "now": now},
    ).scalar()
    if made is not None:
        _keep_days(db, resource, facts.free)
    return made is not None


def change_resource(db: Session, resource: UUID, facts: ResourceFacts) -> None:
    db.execute(
        text(
            "UPDATE resource SET kind = :kind, name = :name, unit_id = (SELECT id FROM unit WHERE code = :unit), "
            "owner = :owner, capacity = :capacity, measure = :measure, note = :note, active = :active, "
            "geom = ST_SetSRID(ST_GeomFromWKB(:shape), 4326), version = version + 1 WHERE id = :id"
        ),
        _resource_binds(facts) | {"id": resource},
    )
    _keep_days(db, resource, facts.free)


def add_need(
    db: Session, need: UUID, place_id: int, facts: NeedFacts, issues: Sequence[UUID], *, synthetic: bool, now: datetime
) -> bool:
    """Store a need with the issues that it comes from; False when there is one with this id."""
    made = db.execute(
        text(
            "INSERT INTO need (id, place_id, kind, title, note, quantity, measure, begins, ends, geom, state, "
            "synthetic, created_at) VALUES (:id, :place, :kind, :title, :note, :quantity, :measure, :begins, :ends, "
            "ST_SetSRID(ST_GeomFromWKB(:shape), 4326), :state, :synthetic, :now) "
            "ON CONFLICT (id) DO NOTHING RETURNING id"
        ),
        _need_binds(facts) | {"id": need, "place": place_id, "synthetic": synthetic, "now": now},
    ).scalar()
    if made is not None:
        _keep_issues(db, need, issues)
    return made is not None


def change_need(db: Session, need: UUID, facts: NeedFacts, issues: Sequence[UUID]) -> None:
    db.execute(
        text(
            "UPDATE need SET kind = :kind, title = :title, note = :note, quantity = :quantity, measure = :measure, "
            "begins = :begins, ends = :ends, geom = ST_SetSRID(ST_GeomFromWKB(:shape), 4326), state = :state, "
            "version = version + 1 WHERE id = :id"
        ),
        _need_binds(facts) | {"id": need},
    )
    _keep_issues(db, need, issues)


def place_of_issue(db: Session, issue: UUID, viewer: Viewer) -> tuple[float, float]:
    """Longitude and latitude of an issue as this viewer may know them."""
    full, own = seen_in_full(viewer)
    row = db.execute(
        text(
            f"SELECT ST_X(at) AS lon, ST_Y(at) AS lat FROM (SELECT CASE WHEN {full} THEN i.geom ELSE i.public_geom END "
            "AS at FROM issue i WHERE i.id = :id) AS shown"
        ),
        own | {"id": issue},
    ).one()
    return row.lon, row.lat


def _keep_days(db: Session, resource: UUID, free: Sequence[Span]) -> None:
    db.execute(text("DELETE FROM resource_days WHERE resource_id = :id"), {"id": resource})
    if free:
        db.execute(
            text(
                "INSERT INTO resource_days (resource_id, days) VALUES (:id, daterange(:first, :last, '[]')) "
                "ON CONFLICT DO NOTHING"
            ),
            [{"id": resource, "first": span.first, "last": span.last} for span in free],
        )


def _keep_issues(db: Session, need: UUID, issues: Sequence[UUID]) -> None:
    db.execute(
        text("DELETE FROM need_issue WHERE need_id = :id AND issue_id <> ALL (CAST(:issues AS uuid[]))"),
        {"id": need, "issues": list(issues)},
    )
    if issues:
        db.execute(
            text("INSERT INTO need_issue (issue_id, need_id) VALUES (:issue, :id) ON CONFLICT DO NOTHING"),
            [{"issue": issue, "id": need} for issue in issues],
        )


def _resource_binds(facts: ResourceFacts) -> dict[str, Any]:
    return {
        "kind": str(facts.kind), "name": facts.name, "unit": facts.unit, "owner": facts.owner,
        "capacity": facts.capacity, "measure": facts.measure, "note": facts.note, "shape": facts.shape,
        "active": facts.active,
    }  # fmt: skip


def _need_binds(facts: NeedFacts) -> dict[str, Any]:
    return {
        "kind": str(facts.kind), "title": facts.title, "note": facts.note, "quantity": facts.quantity,
        "measure": facts.measure, "begins": facts.begins, "ends": facts.ends, "shape": facts.shape,
        "state": str(facts.state),
    }  # fmt: skip


def _resource(row: Row[Any]) -> ResourceRow:
    free = tuple(
        Span(first and date.fromisoformat(first), last and date.fromisoformat(last)) for first, last in row.free
    )
    facts = ResourceFacts(
        ResourceKind(row.kind), row.name, row.unit, row.owner, row.capacity, row.measure, row.note,
        None if row.wkb is None else bytes(row.wkb), free, row.active,
    )  # fmt: skip
    return ResourceRow(
        row.id, facts, Name(row.unit_zh or "", row.unit_en or ""), row.place, Name(row.name_zh, row.name_en),
        row.shape, row.lon, row.lat, row.synthetic, row.version, row.projects, bool(row.may_change),
    )  # fmt: skip


def _need(row: Row[Any]) -> NeedRow:
    facts = NeedFacts(
        ResourceKind(row.kind), row.title, row.note, row.quantity, row.measure, row.begins, row.ends,
        None if row.wkb is None else bytes(row.wkb), NeedState(row.state),
    )  # fmt: skip
    return NeedRow(
        row.id, facts, row.place, Name(row.name_zh, row.name_en), row.lon, row.lat, tuple(row.issues), row.synthetic,
        row.version, row.projects, bool(row.may_change),
    )  # fmt: skip
