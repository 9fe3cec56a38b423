"""Where crews start, what lies open and whose it is: what the question "what if a crew moved" is asked of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.values import IssueFilter, Viewer
from geoapp.store.condition import condition, seen_in_full

MIDDLES = """
    SELECT DISTINCT ON (j.unit_id) j.unit_id, j.label AS at FROM jurisdiction j
    WHERE j.validity @> CAST(:today AS date) ORDER BY j.unit_id, j.area_m2 DESC, j.code
"""
"""Of each unit a point inside its largest jurisdiction: where it starts as long as nobody has said where."""


@dataclass(frozen=True, slots=True)
class Base:
    """Where a unit starts; ``crew`` names the crew of the list of resources, empty where it is only assumed."""

    unit: str
    lon: float
    lat: float
    crew: str


@dataclass(frozen=True, slots=True)
class Lying:
    """An issue that is not done yet: where the viewer may see it, and whose it is (None: nobody's)."""

    number: str
    lon: float
    lat: float
    unit: str | None


def bases(db: Session, *, today: date, places: Sequence[str] | None) -> dict[str, Base]:
    """Where each unit starts: its first crew with a place, of those kept for ``places`` (None: all), else assumed."""
    rows = db.execute(
        text(
            f"""
            SELECT u.code, ST_X(found.at) AS lon, ST_Y(found.at) AS lat, coalesce(crew.name, '') AS crew
            FROM unit u LEFT JOIN ({MIDDLES}) AS middle ON middle.unit_id = u.id
            LEFT JOIN LATERAL (
                SELECT r.name, ST_PointOnSurface(r.geom) AS at FROM resource r JOIN place p ON p.id = r.place_id
                WHERE r.unit_id = u.id AND r.kind = 'crew' AND r.active AND r.geom IS NOT NULL
                  AND (:everywhere OR p.code = ANY (CAST(:places AS text[])))
                ORDER BY r.created_at, r.id LIMIT 1
            ) AS crew ON true
            CROSS JOIN LATERAL (SELECT coalesce(crew.at, middle.at) AS at) AS found
            WHERE found.at IS NOT NULL
            """
        ),
        {"today": today, "everywhere": places is None, "places": list(places or ())},
    )
    return {row.code: Base(row.code, row.lon, row.lat, row.crew) for row in rows}


def neighbours(db: Session, unit: str, *, today: date) -> list[str]:
    """Units of the same kind whose land touches or overlaps this one's, by code."""
    rows = db.execute(
        text(
            """
            SELECT DISTINCT other.code FROM unit own
            JOIN jurisdiction mine ON mine.unit_id = own.id AND mine.validity @> CAST(:today AS date)
            JOIN jurisdiction theirs ON ST_Intersects(theirs.area, mine.area)
                AND theirs.validity @> CAST(:today AS date) AND theirs.unit_id <> own.id
            JOIN unit other ON other.id = theirs.unit_id AND other.kind = own.kind
            WHERE own.code = :unit ORDER BY other.code
            """
        ),
        {"unit": unit, "today": today},
    )
    return list(rows.scalars())


def lying(db: Session, wanted: IssueFilter, viewer: Viewer, *, zone: ZoneInfo) -> list[Lying]:
    """The matching issues that the viewer may see, by number: with whom they are, else who would be the first."""
    where, binds = condition(db, wanted, viewer, zone=zone)
    full, seen = seen_in_full(viewer)
    rows = db.execute(
        text(
            f"""
            SELECT i.number, ST_X(shown.at) AS lon, ST_Y(shown.at) AS lat, u.code AS unit
            FROM issue i CROSS JOIN LATERAL (
                SELECT CASE WHEN {full} THEN i.geom ELSE i.public_geom END AS at
            ) AS shown LEFT JOIN unit u ON u.id = coalesce(i.unit_id, i.candidate_ids[1])
            WHERE {where} ORDER BY i.number
            """
        ),
        {**binds, **seen},
    )
    return [Lying(row.number, row.lon, row.lat, row.unit) for row in rows]
