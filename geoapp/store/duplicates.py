"""Issues around a place, with what is compared to tell duplicates; the public sees public places and words only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geoapp.domain.duplicates import MOST_DAYS, Report
from geoapp.domain.values import CategoryKind, IssueState, Point, Viewer
from geoapp.store import issues
from geoapp.store.condition import BLUR_DEG, seen_in_full

_REPORT = """
    i.id, i.category_code, cat.path, cat.kind, i.reported_at, i.ended_at,
    CASE WHEN {read} THEN i.title || ' ' || i.text ELSE '' END AS words
"""


@dataclass(frozen=True, slots=True)
class Around:
    """An issue and how far it is, in metres on the ellipsoid."""

    id: UUID
    report: Report
    distance_m: float


@dataclass(frozen=True, slots=True)
class Placed:
    """An issue and where it is, as far as the viewer may know."""

    id: UUID
    report: Report
    point: Point


def around(
    db: Session, point: Point, viewer: Viewer, *, beside: Report, reach_m: float, leave_out: UUID | None, limit: int
) -> list[Around]:
    """Issues within ``reach_m`` metres, the nearest first, that were open at most ``MOST_DAYS`` from ``beside``.

    Those that are marked as duplicates are left out: the issue that they were merged into is there.
    """
    full, own = seen_in_full(viewer)
    box = "ST_Expand(here.geom, :reach / (110000 * cos(radians(:lat))), :reach / 110000)"
    # A blurred place lies at most a cell of the grid from the true one, whose index is asked.
    nearby = (
        f"i.public_3857 && ST_Transform({box}, 3857)" if full == "false" else f"i.geom && ST_Expand({box}, {BLUR_DEG})"
    )
    place = f"({_place(full)})::geography"
    span = timedelta(days=MOST_DAYS)
    rows = db.execute(
        text(
            f"""
            WITH here AS (SELECT ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) AS geom)
            SELECT {_REPORT.format(read=_read(full))}, ST_Distance({place}, here.geom::geography) AS distance_m
            FROM here JOIN issue i ON {nearby} JOIN category cat ON cat.code = i.category_code
            WHERE ST_DWithin({place}, here.geom::geography, :reach)
              AND i.state <> :merged AND i.id IS DISTINCT FROM CAST(:leave_out AS uuid)
              AND (i.ended_at IS NULL OR i.ended_at >= :since)
              AND (CAST(:until AS timestamptz) IS NULL OR i.reported_at <= :until)
            ORDER BY distance_m, i.id LIMIT :limit
            """
        ),
        {
            "lon": point.lon, "lat": point.lat, "reach": reach_m, "merged": str(IssueState.DUPLICATE),
            "leave_out": leave_out, "since": beside.reported_at - span,
            "until": beside.ended_at and beside.ended_at + span, "limit": limit, **own,
        },
    )  # fmt: skip
    return [Around(row.id, _report(row), row.distance_m) for row in rows]


def placed(db: Session, name: str, viewer: Viewer) -> Placed | None:
    """An issue by number or id; None when there is none whose place this viewer may know."""
    full, own = seen_in_full(viewer)
    place = _place(full)
    key, binds = issues.key(name)
    row = db.execute(
        text(
            f"SELECT {_REPORT.format(read=_read(full))}, ST_X({place}) AS lon, ST_Y({place}) AS lat "
            f"FROM issue i JOIN category cat ON cat.code = i.category_code WHERE {key} AND ({place}) IS NOT NULL"
        ),
        binds | own,
    ).first()
    return None if row is None else Placed(row.id, _report(row), Point(row.lon, row.lat))


def category(db: Session, code: str) -> tuple[frozenset[str], CategoryKind] | None:
    """The path and kind of a category, None when there is none."""
    row = db.execute(text("SELECT path, kind FROM category WHERE code = :code"), {"code": code}).first()
    return None if row is None else (frozenset(row.path), CategoryKind(row.kind))


def _place(full: str) -> str:
    return "i.public_geom" if full == "false" else f"CASE WHEN {full} THEN i.geom ELSE i.public_geom END"


def _read(full: str) -> str:
    # A score over words that are not released would tell them, guess by guess.
    return f"(i.text_released OR {full})"


def _report(row: Row[Any]) -> Report:
    reported_at: datetime = row.reported_at
    return Report(
        path=frozenset(row.path),
        category=row.category_code,
        kind=CategoryKind(row.kind),
        reported_at=reported_at,
        ended_at=row.ended_at,
        words=row.words,
    )
