"""Site visits: read by whoever may visit in every community that they touch, and brought from state to state.

What a plan consists of is written in store.plans.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geoapp.domain.permissions import Right, communities_of
from geoapp.domain.values import Name, Point, Viewer
from geoapp.domain.visiting import Basis, Finish, Mode, VisitState
from geoapp.store import issues
from geoapp.store.issues import IssueRow

_COLUMNS = """
    v.id, v.title, v.on_day, v.starts_at, v.mode, ST_X(v.start_geom) AS start_lon, ST_Y(v.start_geom) AS start_lat,
    v.start_name, v.finish, ST_X(v.end_geom) AS end_lon, ST_Y(v.end_geom) AS end_lat, v.end_name, v.minutes_per_stop,
    v.budget_min, v.by_hand, v.state, v.person_id, v.person_name, v.basis, v.detour_factor, v.length_m,
    v.minutes_total, ST_AsGeoJSON(v.route, 6) AS route, v.summary, v.synthetic, v.version, v.created_at, v.started_at,
    v.ended_at,
    ARRAY(SELECT code FROM place WHERE place.id = ANY (v.community_ids) ORDER BY code) AS communities,
    (SELECT count(*) FROM visit_stop s WHERE s.visit_id = v.id AND s.seq IS NOT NULL) AS stops
"""


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A visit without its stops. ``on_day`` and ``starts_at`` are local; instants UTC; metres; whole minutes.

    ``end`` is there when it ends at a place of its own; ``stops`` counts those that fit; ``route`` is GeoJSON text of
    a LineString in EPSG:4326 (None: no way is known); ``detour_factor`` is there when ``basis`` is an estimate.
    """

    id: UUID
    title: str
    on_day: date
    starts_at: time
    mode: Mode
    start: Point
    start_name: str
    finish: Finish
    end: Point | None
    end_name: str
    minutes_per_stop: int
    budget_min: int | None
    by_hand: bool
    state: VisitState
    person: UUID | None
    person_name: str
    communities: tuple[str, ...]
    stops: int
    basis: Basis
    detour_factor: float | None
    length_m: float
    minutes_total: int
    route: str | None
    summary: str
    synthetic: bool
    version: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit whose jurisdiction holds an issue's place, in the order of the verdict; the lead unit comes first."""

    code: str
    name: Name
    phone: str


@dataclass(frozen=True, slots=True)
class StopRow:
    """An issue that a visit leads to. ``issue.lon`` and ``issue.lat`` are the true place (EPSG:4326).

    ``seq`` counts from 1; None: it does not fit, for the reason ``left_out`` (a key under ``visit.left_out.``) with
    ``left_params``. ``minutes`` None: ``VisitRow.minutes_per_stop``. ``arrives_at`` and ``leaves_at`` are UTC,
    ``leg_m`` metres from the stop before, ``waits`` whole minutes between arriving and beginning.
    """

    issue: IssueRow
    severity: int
    seq: int | None
    left_out: str
    left_params: dict[str, Any]
    minutes: int | None
    window_from: time | None
    window_to: time | None
    pinned: bool
    arrives_at: datetime | None
    leaves_at: datetime | None
    leg_m: float | None
    waits: int
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class GuestRow:
    """Who comes along; ``unit_name`` is empty for somebody of no unit; the window is local time."""

    id: UUID
    name: str
    unit: str | None
    unit_name: Name
    person: UUID | None
    phone: str
    email: str
    window_from: time | None
    window_to: time | None


@dataclass(frozen=True, slots=True)
class VisitDetail:
    """A visit, its stops in order (those that do not fit at the end), and who comes along."""

    visit: VisitRow
    stops: tuple[StopRow, ...]
    guests: tuple[GuestRow, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """What of an issue a plan needs: where it truly is, whose land, how bad, who may come."""

    issue: IssueRow
    severity: int
    candidates: tuple[Candidate, ...]


def visible(viewer: Viewer) -> tuple[str, dict[str, Any]]:
    """The SQL that is true for every ``visit v`` of this viewer, and its binds.

    Land outside every community (0) belongs to whoever may visit everywhere.
    """
    known = communities_of(viewer, Right.VISIT)
    if known is None:
        return "true", {}
    own = "ARRAY(SELECT id FROM place WHERE kind = 'community' AND code = ANY (:visits_in))"
    return f"v.community_ids <@ {own} AND v.community_ids <> '{{}}'", {"visits_in": sorted(known)}


def get(db: Session, visit: UUID, viewer: Viewer, *, lock: bool = False) -> VisitDetail | None:
    """A visit with all its stops; None when there is none that this viewer may see."""
    row = one(db, visit, viewer, lock=lock)
    return None if row is None else VisitDetail(row, _stops(db, row, viewer), _guests(db, visit))


def one(db: Session, visit: UUID, viewer: Viewer, *, lock: bool = False) -> VisitRow | None:
    """A visit without its stops, locked until the end of the transaction on demand."""
    where, binds = visible(viewer)
    row = db.execute(
        text(f"SELECT {_COLUMNS} FROM visit v WHERE v.id = :id AND {where} {'FOR UPDATE' if lock else ''}"),
        binds | {"id": visit},
    ).first()
    return None if row is None else _visit(row)


def some(
    db: Session, viewer: Viewer, *, states: Sequence[VisitState] = (), limit: int,
    after: tuple[date, UUID] | None = None,
) -> list[VisitRow]:  # fmt: skip
    """Visits that the viewer may see, the latest day first; ``after`` is day and id of the last one known."""
    where, binds = visible(viewer)
    if states:
        where += " AND v.state = ANY (:states)"
        binds |= {"states": [str(state) for state in states]}
    if after:
        where += " AND (v.on_day, v.id) < (:after_day, :after_id)"
        binds |= {"after_day": after[0], "after_id": after[1]}
    rows = db.execute(
        text(f"SELECT {_COLUMNS} FROM visit v WHERE {where} ORDER BY v.on_day DESC, v.id DESC LIMIT :limit"),
        binds | {"limit": limit},
    )
    return [_visit(row) for row in rows]


def exists(db: Session, visit: UUID) -> bool:
    return bool(db.execute(text("SELECT EXISTS (SELECT FROM visit WHERE id = :id)"), {"id": visit}).scalar())


def targets(db: Session, ids: Sequence[UUID], viewer: Viewer) -> dict[UUID, Target]:
    """The issues of a plan that the viewer sees in full, by id, with their candidate units."""
    rows = {id_: row for id_, row in issues.some(db, list(ids), viewer).items() if row.in_full}
    facts = db.execute(
        text(
            """
            SELECT i.id, i.severity,
                   ARRAY(SELECT jsonb_build_array(u.code, u.name_zh, u.name_en, u.phone) FROM unit u
                         WHERE u.id = i.unit_id OR u.id = ANY (i.candidate_ids) OR u.id = ANY (i.helping_unit_ids)
                         ORDER BY u.id IS NOT DISTINCT FROM i.unit_id DESC, u.id = ANY (i.helping_unit_ids) DESC,
                                  array_position(i.candidate_ids, u.id), u.code) AS units
            FROM issue i WHERE i.id = ANY (:ids)
            """
        ),
        {"ids": list(rows)},
    )
    return {
        row.id: Target(
            rows[row.id],
            row.severity,
            tuple(Candidate(code, Name(zh, en), phone) for code, zh, en, phone in row.units),
        )
        for row in facts
    }


def carry(db: Session, visit: UUID, state: VisitState, *, at: datetime, summary: str | None = None) -> None:
    """Bring a visit into another state; the caller holds its lock."""
    db.execute(
        text(
            """
            UPDATE visit SET state = CAST(:state AS text), version = version + 1,
                   summary = coalesce(CAST(:summary AS text), summary),
                   started_at = CASE WHEN CAST(:state AS text) IN ('under_way', 'ended')
                                     THEN coalesce(started_at, CAST(:at AS timestamptz))
                                     ELSE started_at END,
                   ended_at = CASE WHEN CAST(:state AS text) = 'ended' THEN CAST(:at AS timestamptz) END
            WHERE id = :id
            """
        ),
        {"id": visit, "state": str(state), "at": at, "summary": summary},
    )


def last_ended(db: Session, viewer: Viewer, communities: Sequence[str]) -> datetime | None:
    """When the viewer's own last visit in one of these communities (none: in any) has ended, UTC."""
    found: datetime | None = db.execute(
        text(
            "SELECT max(ended_at) FROM visit v WHERE v.person_id = :person AND v.state = 'ended' AND (:anywhere OR "
            "v.community_ids && ARRAY(SELECT id FROM place WHERE kind = 'community' AND code = ANY (:communities)))"
        ),
        {"person": viewer.person, "anywhere": not communities, "communities": list(communities)},
    ).scalar()
    return found


def _stops(db: Session, visit: VisitRow, viewer: Viewer) -> tuple[StopRow, ...]:
    rows = db.execute(
        text("SELECT * FROM visit_stop WHERE visit_id = :id ORDER BY seq NULLS LAST, issue_id"), {"id": visit.id}
    ).all()
    known = targets(db, [row.issue_id for row in rows], viewer)
    # An issue that has since gone to another community is no longer shown to whoever may not see it there.
    return tuple(_stop(row, visit, known[row.issue_id]) for row in rows if row.issue_id in known)


def _stop(row: Row[Any], visit: VisitRow, target: Target) -> StopRow:
    waits = 0
    if row.arrives_at:
        stayed = (row.leaves_at - row.arrives_at).total_seconds() / 60
        waits = max(0, round(stayed) - (row.minutes or visit.minutes_per_stop))
    return StopRow(
        target.issue, target.severity, row.seq, row.left_out, row.left_params, row.minutes, row.window_from,
        row.window_to, row.pinned, row.arrives_at, row.leaves_at, row.leg_m, waits, target.candidates,
    )  # fmt: skip


def _guests(db: Session, visit: UUID) -> tuple[GuestRow, ...]:
    rows = db.execute(
        text(
            "SELECT g.id, g.name, u.code AS unit, u.name_zh, u.name_en, g.person_id, g.phone, g.email, g.window_from, "
            "g.window_to FROM visit_guest g LEFT JOIN unit u ON u.id = g.unit_id WHERE g.visit_id = :id ORDER BY g.nth"
        ),
        {"id": visit},
    )
    return tuple(
        GuestRow(
            row.id, row.name, row.unit, Name(row.name_zh or "", row.name_en or ""), row.person_id, row.phone, row.email,
            row.window_from, row.window_to,
        )
        for row in rows
    )  # fmt: skip


def _visit(row: Row[Any]) -> VisitRow:
    return VisitRow(
        id=row.id,
        title=row.title,
        on_day=row.on_day,
        starts_at=row.starts_at,
        mode=Mode(row.mode),
        start=Point(row.start_lon, row.start_lat),
        start_name=row.start_name,
        finish=Finish(row.finish),
        end=None if row.end_lon is None else Point(row.end_lon, row.end_lat),
        end_name=row.end_name,
        minutes_per_stop=row.minutes_per_stop,
        budget_min=row.budget_min,
        by_hand=row.by_hand,
        state=VisitState(row.state),
        person=row.person_id,
        person_name=row.person_name,
        communities=tuple(row.communities),
        stops=row.stops,
        basis=Basis(row.basis),
        detour_factor=row.detour_factor,
        length_m=row.length_m,
        minutes_total=row.minutes_total,
        route=row.route,
        summary=row.summary,
        synthetic=row.synthetic,
        version=row.version,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )
