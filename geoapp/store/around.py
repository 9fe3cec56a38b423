"""What is known around a place: issues nearby, how long such take, and the kinds that have rules of their own."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.values import IssueState, Name, Point

FEWEST = 5
"""Of fewer issues no usual time is told: it would say more about one of them than about all."""


@dataclass(frozen=True, slots=True)
class Usual:
    """In how many days half of the issues of a kind were solved, of how many."""

    category: str
    name: Name
    days: float
    n: int


def nearby(
    db: Session, point: Point, *, reach_m: float, states: tuple[IssueState, ...], limit: int
) -> dict[UUID, float]:
    """Issues by id within ``reach_m`` metres of a place, and how far: by the place that the public knows of them."""
    rows = db.execute(
        text(
            """
            WITH here AS (SELECT ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) AS geom)
            SELECT i.id, ST_Distance(i.public_geom::geography, here.geom::geography) AS distance
            FROM here JOIN issue i ON i.public_3857 && ST_Transform(ST_Expand(
                here.geom, :reach / (110000 * cos(radians(:lat))), :reach / 110000), 3857)
            WHERE i.state = ANY (:states) AND ST_DWithin(i.public_geom::geography, here.geom::geography, :reach)
            ORDER BY distance, i.id LIMIT :limit
            """
        ),
        {"lon": point.lon, "lat": point.lat, "reach": reach_m, "states": [str(one) for one in states], "limit": limit},
    )
    return {row.id: row.distance for row in rows}


def usual(db: Session, community: str, *, now: datetime, span: timedelta) -> list[Usual]:
    """The median days from report to end of a community's public issues closed lately, by branch of the tree."""
    rows = db.execute(
        text(
            """
            SELECT top.code, top.name_zh, top.name_en, count(*) AS n,
                   percentile_cont(0.5) WITHIN GROUP (
                       ORDER BY extract(epoch FROM i.ended_at - i.reported_at) / 86400.0) AS days
            FROM issue i JOIN category c ON c.code = i.category_code JOIN category top ON top.code = c.path[1]
            WHERE i.community_id = (SELECT id FROM place WHERE kind = 'community' AND code = :community)
              AND i.state = 'closed' AND i.ended_at > :since AND i.public_geom IS NOT NULL
            GROUP BY top.code HAVING count(*) >= :fewest ORDER BY top.sort, top.code
            """
        ),
        {"community": community, "since": now - span, "fewest": FEWEST},
    )
    return [Usual(row.code, Name(row.name_zh, row.name_en), float(row.days), row.n) for row in rows]


def particular(db: Session, point: Point, *, tolerance: float, day: date) -> list[str]:
    """Codes of categories below the top for which a jurisdiction here has a rule of its own."""
    rows = db.execute(
        text(
            """
            SELECT DISTINCT c.sort, c.code
            FROM jurisdiction j
            JOIN category c ON c.code = ANY (j.categories) AND c.parent_code IS NOT NULL AND c.active
            WHERE j.validity @> CAST(:day AS date)
              AND ST_DWithin(j.area::geography, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)::geography, :tolerance)
              AND j.area && ST_Expand(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), 0.01)
            ORDER BY c.sort, c.code
            """
        ),
        {"lon": point.lon, "lat": point.lat, "tolerance": tolerance, "day": day},
    )
    return [row.code for row in rows]
