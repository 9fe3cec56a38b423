"""Reading issues: a page of the list, each that a filter finds, and one with everything that its viewer may see."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geoapp.domain.values import IssueFilter, IssueState, Name, VerdictClass, Viewer
from geoapp.store.condition import condition, seen_in_full
from geoapp.store.reports import WITNESSES

_COLUMNS = """
    i.id, i.number, i.category_code, cat.name_zh AS cat_zh, cat.name_en AS cat_en,
    CASE WHEN i.text_released OR sight.full THEN i.title END AS title,
    i.state, i.reported_at, i.ended_at, i.verdict, i.synthetic, i.version,
    i.stage, i.due_at, i.paused, i.returns, i.reworks,
    place.code AS place_code, place.name_zh AS place_zh, place.name_en AS place_en,
    unit.code AS unit_code, unit.name_zh AS unit_zh, unit.name_en AS unit_en,
    ST_X(shown.geom) AS lon, ST_Y(shown.geom) AS lat, sight.full AS in_full
"""
_JOINS = """
    JOIN category cat ON cat.code = i.category_code
    LEFT JOIN place ON place.id = i.community_id
    LEFT JOIN unit ON unit.id = i.unit_id
    CROSS JOIN LATERAL (SELECT {full} AS full) AS sight
    CROSS JOIN LATERAL (SELECT CASE WHEN sight.full THEN i.geom ELSE i.public_geom END AS geom) AS shown
"""
_NEWEST = "i.reported_at DESC, i.id DESC"
_DUE = "coalesce(i.due_at, 'infinity'), i.id"
FEW = 5_000
"""So few found issues are all read to find the newest of them; of more, a walk back in time soon meets enough."""


@dataclass(frozen=True, slots=True)
class IssueRow:
    """What a list, a map panel or a CSV line says of an issue. ``title`` is None until it is released.

    ``in_full`` says that this viewer sees all of it: the exact place, unreleased text, internal history.
    """

    id: UUID
    number: str
    category: str
    category_name: Name
    title: str | None
    state: IssueState
    reported_at: datetime
    ended_at: datetime | None
    verdict: VerdictClass
    synthetic: bool
    stage: str
    due_at: datetime | None
    paused: bool
    returns: int
    reworks: int
    version: int
    community: str | None
    community_name: Name
    unit: str | None
    unit_name: Name
    lon: float
    lat: float
    in_full: bool


@dataclass(frozen=True, slots=True)
class HistoryRow:
    at: datetime
    action: str
    to_state: IssueState | None
    actor: str
    note: str
    detail: dict[str, Any]
    internal: bool


@dataclass(frozen=True, slots=True)
class PartRow:
    """A part of an issue that was split; ``title`` is None until it is released."""

    number: str
    title: str | None
    category_name: Name
    state: IssueState
    unit_name: Name


@dataclass(frozen=True, slots=True)
class IssueDetail:
    """All that its page says. ``extent`` is GeoJSON text; metres and square metres are geodesic."""

    row: IssueRow
    text: str
    address: str
    severity: int
    privacy: str
    source: str
    source_name: str
    placed_by: str
    level: str
    accuracy_m: float | None
    judged_on: date
    extent: str | None
    length_m: float | None
    area_m2: float | None
    helping_units: tuple[Name, ...]
    cost_planned: float | None
    cost_spent: float | None
    fund_source: str
    merged_into: str | None
    part_of: str | None
    parts: tuple[PartRow, ...]
    witnesses: int
    history: tuple[HistoryRow, ...]


def page(
    db: Session,
    wanted: IssueFilter,
    viewer: Viewer,
    *,
    zone: ZoneInfo,
    limit: int,
    after: str | None,
    matched: int,
    by_deadline: bool = False,
) -> tuple[list[IssueRow], str | None]:
    """Newest first, or the nearest deadline first; at most ``limit``, and the token for what follows (None: the end).

    ``matched`` is how many there are in all. Raises ValueError for a token that is not one of ours.
    """
    sql, binds = paged(
        db, wanted, viewer, _COLUMNS, zone=zone, limit=limit, after=after, matched=matched, by_deadline=by_deadline
    )
    found = db.execute(text(sql), binds).all()
    rows = found[:limit]
    follows = rows and len(found) > limit
    return [_row(row) for row in rows], token(rows[-1], by_deadline=by_deadline) if follows else None


def paged(
    db: Session,
    wanted: IssueFilter,
    viewer: Viewer,
    columns: str,
    *,
    zone: ZoneInfo,
    limit: int,
    after: str | None,
    matched: int,
    by_deadline: bool,
    also: str = "",
) -> tuple[str, dict[str, Any]]:
    """SQL of a page in its order, and its binds: of any columns, for which ``also`` joins what they need.

    One more row than ``limit``, where there is one: then a page follows, after what ``token`` names. Raises ValueError
    for an ``after`` that is not one of ours.
    """
    where, binds = condition(db, wanted, viewer, zone=zone)
    joins, own = _joins(viewer)
    if after:
        at, last = _untoken(after)
        where += (
            " AND (coalesce(i.due_at, 'infinity'), i.id) > (CAST(:last_at AS timestamptz), :last_id)"
            if by_deadline
            else " AND (i.reported_at, i.id) < (CAST(:last_at AS timestamptz), :last_id)"
        )
        binds |= {"last_at": at, "last_id": last}
    order = _DUE if by_deadline else _NEWEST
    source = "issue i"
    if wanted.words and matched < FEW:
        # Else a plan may read back through the years until it has found enough; OFFSET keeps it from that.
        source, where = f"(SELECT * FROM issue i WHERE {where} OFFSET 0) AS i", "true"
    sql = f"SELECT {columns} FROM {source} {joins} {also} WHERE {where} ORDER BY {order} LIMIT :most"
    return sql, binds | own | {"most": limit + 1}


def every(db: Session, wanted: IssueFilter, viewer: Viewer, *, zone: ZoneInfo) -> Iterator[IssueRow]:
    """All of them, newest first, streamed in portions: memory does not grow with the answer."""
    where, binds = condition(db, wanted, viewer, zone=zone)
    joins, own = _joins(viewer)
    found = db.execute(
        text(f"SELECT {_COLUMNS} FROM issue i {joins} WHERE {where} ORDER BY {_NEWEST}"),
        binds | own,
        execution_options={"yield_per": 2000},
    )
    for row in found:
        yield _row(row)


def get(db: Session, name: str, viewer: Viewer, zone: ZoneInfo) -> IssueDetail | None:
    """An issue by its number or id; None when there is none that this viewer may see."""
    where, binds = condition(db, IssueFilter(), viewer, zone=zone)
    named, name_binds = key(name)
    joins, own = _joins(viewer)
    row = db.execute(
        text(
            f"""
            SELECT {_COLUMNS}, i.severity, i.privacy, i.source, i.source_name, i.placed_by, i.level, i.judged_on,
                   i.cost_planned, i.cost_spent, i.fund_source, i.version,
                   (SELECT o.number FROM issue o WHERE o.id = i.merged_into
                       AND (o.public_geom IS NOT NULL OR sight.full)) AS merged_into,
                   (SELECT o.number FROM issue o WHERE o.id = i.part_of
                       AND (o.public_geom IS NOT NULL OR sight.full)) AS part_of,
                   ARRAY(SELECT jsonb_build_array(
                             p.number, CASE WHEN p.text_released OR sight.full THEN p.title END, c.name_zh, c.name_en,
                             p.state, u.name_zh, u.name_en)
                         FROM issue p JOIN category c ON c.code = p.category_code LEFT JOIN unit u ON u.id = p.unit_id
                         WHERE p.part_of = i.id AND (p.public_geom IS NOT NULL OR sight.full)
                         ORDER BY p.number) AS parts,
                   {WITNESSES} AS witnesses,
                   CASE WHEN i.text_released OR sight.full THEN i.text ELSE '' END AS text,
                   CASE WHEN i.text_released AND exact.yes OR sight.full THEN i.address ELSE '' END AS address,
                   CASE WHEN exact.yes THEN i.accuracy_m END AS accuracy_m,
                   ST_AsGeoJSON(extent.geom, 7) AS extent,
                   CASE ST_Dimension(extent.geom) WHEN 1 THEN ST_Length(extent.geom::geography) END AS length_m,
                   CASE ST_Dimension(extent.geom) WHEN 2 THEN ST_Area(extent.geom::geography) END AS area_m2,
                   ARRAY(SELECT ARRAY[u.name_zh, u.name_en] FROM unit u WHERE u.id = ANY (i.helping_unit_ids)
                         ORDER BY u.code) AS helping
            FROM issue i {joins}
            CROSS JOIN LATERAL (SELECT i.privacy = 'public' OR sight.full AS yes) AS exact
            CROSS JOIN LATERAL (SELECT CASE WHEN exact.yes THEN i.extent END AS geom) AS extent
            WHERE {named} AND {where}
            """
        ),
        binds | own | name_binds,
    ).first()
    return None if row is None else _detail(db, row)


def key(name: str) -> tuple[str, dict[str, Any]]:
    """The condition over ``issue i`` that it has this number or id."""
    try:
        return "i.id = :name", {"name": UUID(name)}
    except ValueError:
        return "i.number = :name", {"name": name}


def some(db: Session, ids: Sequence[UUID], viewer: Viewer) -> dict[UUID, IssueRow]:
    """Of these issues those that the viewer may see, by id."""
    joins, own = _joins(viewer)
    rows = db.execute(
        text(
            f"SELECT {_COLUMNS} FROM issue i {joins} WHERE i.id = ANY (:ids) "
            "AND (i.public_geom IS NOT NULL OR sight.full)"
        ),
        own | {"ids": ids},
    )
    return {row.id: _row(row) for row in rows}


def history_of(db: Session, issue_id: UUID, *, internal: bool) -> tuple[HistoryRow, ...]:
    """What happened, oldest first; with what is internal only on demand."""
    found = db.execute(
        text(
            "SELECT at, action, to_state, actor, note, detail, internal FROM history "
            "WHERE issue_id = :id AND (:internal OR NOT internal) ORDER BY at, seq"
        ),
        {"id": issue_id, "internal": internal},
    )
    return tuple(
        HistoryRow(
            at=line.at,
            action=line.action,
            to_state=IssueState(line.to_state) if line.to_state else None,
            actor=line.actor,
            note=line.note,
            detail=line.detail,
            internal=line.internal,
        )
        for line in found
    )


def _joins(viewer: Viewer) -> tuple[str, dict[str, Any]]:
    full, own = seen_in_full(viewer)
    return _JOINS.format(full=full), own


def _detail(db: Session, row: Row[Any]) -> IssueDetail:
    return IssueDetail(
        row=_row(row),
        text=row.text,
        address=row.address,
        severity=row.severity,
        privacy=row.privacy,
        source=row.source,
        source_name=row.source_name,
        placed_by=row.placed_by,
        level=row.level,
        accuracy_m=row.accuracy_m,
        judged_on=row.judged_on,
        extent=row.extent,
        length_m=row.length_m,
        area_m2=row.area_m2,
        helping_units=tuple(Name(zh, en) for zh, en in row.helping),
        cost_planned=None if row.cost_planned is None else float(row.cost_planned),
        cost_spent=None if row.cost_spent is None else float(row.cost_spent),
        fund_source=row.fund_source,
        merged_into=row.merged_into,
        part_of=row.part_of,
        parts=tuple(
            PartRow(number, title, Name(zh, en), IssueState(state), Name(unit_zh or "", unit_en or ""))
            for number, title, zh, en, state, unit_zh, unit_en in row.parts
        ),
        witnesses=row.witnesses,
        history=history_of(db, row.id, internal=row.in_full),
    )


def _row(row: Row[Any]) -> IssueRow:
    return IssueRow(
        id=row.id,
        number=row.number,
        category=row.category_code,
        category_name=Name(row.cat_zh, row.cat_en),
        title=row.title,
        state=IssueState(row.state),
        reported_at=row.reported_at,
        ended_at=row.ended_at,
        verdict=VerdictClass(row.verdict),
        synthetic=row.synthetic,
        stage=row.stage,
        due_at=row.due_at,
        paused=row.paused,
        returns=row.returns,
        reworks=row.reworks,
        version=row.version,
        community=row.place_code,
        community_name=Name(row.place_zh or "", row.place_en or ""),
        unit=row.unit_code,
        unit_name=Name(row.unit_zh or "", row.unit_en or ""),
        lon=row.lon,
        lat=row.lat,
        in_full=row.in_full,
    )


def token(row: Any, *, by_deadline: bool) -> str:
    """Names the last row of a page: what follows begins after it."""
    due = row.due_at.isoformat() if row.due_at else "infinity"
    at = due if by_deadline else row.reported_at.isoformat()
    return base64.urlsafe_b64encode(f"{at} {row.id}".encode()).decode().rstrip("=")


def _untoken(token: str) -> tuple[str, UUID]:
    # binascii.Error and UnicodeDecodeError are ValueErrors too.
    at, _, last = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(" ")
    return at if at == "infinity" else datetime.fromisoformat(at).astimezone(UTC).isoformat(), UUID(last)
