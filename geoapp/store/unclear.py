"""Unclear land (争议地, 无主地) as work: which pieces there are, and what each of them costs."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geoapp.domain.permissions import Sight
from geoapp.domain.values import Box, Name, Point, VerdictClass


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of unclear land: whose claims meet there, for which categories (none: all), and the issues on it.

    ``issues`` are those of its categories that have not ended; ``returns`` counts all their returns;
    ``days`` adds up how long they have been open.
    """

    id: int
    verdict: VerdictClass
    categories: tuple[str, ...]
    units: tuple[Name, ...]
    area_m2: float
    label: Point
    box: Box
    community: Name
    issues: int
    returns: int
    days: int
    area: str | None = None


_PIECE = """
    SELECT l.id, l.class AS verdict, l.categories, l.area_m2, l.area, ST_PointOnSurface(l.area) AS label,
           ARRAY(SELECT ARRAY[u.name_zh, u.name_en] FROM unit u WHERE u.id = ANY (l.unit_ids) ORDER BY u.code) AS units
    FROM unclear_land l WHERE l.validity @> CAST(:today AS date)
"""
_WEIGHED = """
    SELECT p.*, place.code AS community, place.name_zh, place.name_en, n.issues, n.returns, n.days,
           ST_X(p.label) AS lon, ST_Y(p.label) AS lat, ST_XMin(p.area) AS west, ST_YMin(p.area) AS south,
           ST_XMax(p.area) AS east, ST_YMax(p.area) AS north
    FROM piece p
    LEFT JOIN LATERAL (SELECT b.place_id FROM boundary_part part JOIN boundary b ON b.id = part.boundary_id
        JOIN place c ON c.id = b.place_id AND c.kind = 'community'
        WHERE ST_Intersects(part.area, p.label) AND b.validity @> CAST(:today AS date) LIMIT 1) AS holder ON true
    LEFT JOIN place ON place.id = holder.place_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS issues, coalesce(sum(i.returns), 0) AS returns,
               coalesce(sum(extract(epoch FROM CAST(:now AS timestamptz) - i.reported_at) / 86400), 0)::int AS days
        FROM issue i JOIN category cat ON cat.code = i.category_code
        WHERE i.ended_at IS NULL AND i.geom && p.area AND ST_Intersects(p.area, i.geom)
          AND (p.categories = '{}' OR p.categories && cat.path)
    ) AS n
"""


def worklist(db: Session, known: Sight, *, today: date, now: datetime, limit: int) -> tuple[list[Piece], int]:
    """The pieces in sight, the costliest first, and how many there are.

    An issue weighs as much as one return, or as thirty days lost.
    """
    here = "true" if known.communities is None else "w.community = ANY (CAST(:communities AS text[]))"
    binds = {"today": today, "now": now, "limit": limit, "communities": sorted(known.communities or ())}
    rows = db.execute(
        text(
            f"WITH piece AS MATERIALIZED ({_PIECE}), w AS ({_WEIGHED}) "
            f"SELECT w.*, count(*) OVER () AS total, NULL AS shape FROM w WHERE {here} "
            "ORDER BY w.issues + w.returns + w.days / 30.0 DESC, w.area_m2 DESC, w.id LIMIT :limit"
        ),
        binds,
    ).all()
    return [_piece(row) for row in rows], rows[0].total if rows else 0


def around(db: Session, point: Point, category: str, *, today: date, now: datetime, limit: int) -> list[Piece]:
    """Pieces for a category that hold a point or lie within 200 m of it, nearest first, with their shapes."""
    rows = db.execute(
        text(
            f"""
            WITH here AS (SELECT ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) AS geom),
            piece AS MATERIALIZED (
                SELECT l.* FROM ({_PIECE}) AS l, here, category c
                WHERE c.code = :category AND (l.categories = '{{}}' OR l.categories && c.path)
                  AND l.area && ST_Expand(here.geom, 0.003)
                  AND ST_DWithin(l.area::geography, here.geom::geography, 200, false)
                ORDER BY l.area <-> here.geom, l.area_m2 LIMIT :limit
            )
            SELECT w.*, ST_AsGeoJSON(w.area, 7) AS shape FROM ({_WEIGHED}) AS w, here
            ORDER BY w.area <-> here.geom, w.area_m2
            """
        ),
        {"lon": point.lon, "lat": point.lat, "category": category, "today": today, "now": now, "limit": limit},
    )
    return [_piece(row) for row in rows]


def _piece(row: Row[Any]) -> Piece:
    return Piece(
        id=row.id,
        verdict=VerdictClass(row.verdict),
        categories=tuple(row.categories),
        units=tuple(Name(zh, en) for zh, en in row.units),
        area_m2=row.area_m2,
        label=Point(row.lon, row.lat),
        box=Box(row.west, row.south, row.east, row.north),
        community=Name(row.name_zh or "", row.name_en or ""),
        issues=row.issues,
        returns=int(row.returns),
        days=row.days,
        area=row.shape,
    )
