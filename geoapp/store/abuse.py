"""What is counted against floods of reports: the signs of one, the counters, and the land where none is taken."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.abuse import CROWD_M, CROWD_WINDOW, REPEATED_WINDOW, Counter, Sender, Signs
from geoapp.domain.values import Point
from geoapp.store import people


@dataclass(frozen=True, slots=True)
class Zone:
    """Land on which nobody without an account may report. ``area`` is GeoJSON."""

    id: int
    reason: str
    until: date | None
    area_m2: float
    area: dict[str, Any]


def exceeded(db: Session, counters: Iterable[Counter], *, now: datetime) -> int:
    """Count one more; returns after how many seconds it may be tried again, 0 when it may be now.

    Only what is then stored counts: the caller's transaction carries it.
    """
    for counter in counters:
        count, began = people.count_attempt(db, counter.key, now=now, window=counter.window)
        if count > counter.most:
            return max(1, int((began + counter.window - now).total_seconds()))
    return 0


def signs(db: Session, words: str, point: Point, *, now: datetime) -> Signs:
    """What speaks for or against a report of these words at this place."""
    row = db.execute(
        text(
            """
            SELECT (SELECT count(*) FROM issue i JOIN report r ON r.issue_id = i.id AND r.id = i.id
                    WHERE i.reported_at > CAST(:now AS timestamptz) - CAST(:repeated AS interval)
                    AND :words <> '' AND :words IN (i.text, i.title)) AS repeated,
                   (SELECT count(*) FROM issue i
                    WHERE i.reported_at > CAST(:now AS timestamptz) - CAST(:crowd AS interval)
                    AND i.geom && ST_Expand(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), 0.01)
                    AND ST_DWithin(i.geom::geography, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)::geography, :reach)
                   ) AS around
            """
        ),
        {
            "now": now,
            "repeated": REPEATED_WINDOW,
            "crowd": CROWD_WINDOW,
            "words": words,
            "lon": point.lon,
            "lat": point.lat,
            "reach": CROWD_M,
        },
    ).one()
    return Signs(row.repeated, row.around)


def is_known(db: Session, sender: Sender, *, counters: Iterable[Counter]) -> bool:
    """True when the same phone has been counted before."""
    keys = [counter.key for counter in counters if sender.device and counter.key.startswith("report:device:")]
    found = db.execute(
        text("SELECT EXISTS (SELECT FROM attempt WHERE key = ANY (:keys) AND count > 1)"), {"keys": keys}
    )
    return bool(found.scalar())


def blocked(db: Session, point: Point, *, today: date) -> str | None:
    """Why nobody may report here; None where everybody may. No reason given is an empty text."""
    return db.execute(
        text(
            "SELECT reason FROM block_zone WHERE ST_Intersects(area, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)) "
            "AND (until IS NULL OR until >= :today) ORDER BY id LIMIT 1"
        ),
        {"lon": point.lon, "lat": point.lat, "today": today},
    ).scalar()


def add_zone(db: Session, area: bytes, reason: str, until: date | None) -> int:
    """Store a zone; ``area`` is WKB in EPSG:4326."""
    return int(
        db.execute(
            text(
                "INSERT INTO block_zone (area, reason, until) VALUES "
                "(ST_Multi(ST_GeomFromWKB(CAST(:area AS bytea), 4326)), :reason, :until) RETURNING id"
            ),
            {"area": area, "reason": reason, "until": until},
        ).scalar_one()
    )


def remove_zone(db: Session, zone: int) -> bool:
    found = db.execute(text("DELETE FROM block_zone WHERE id = :id RETURNING id"), {"id": zone})
    return found.first() is not None


def zones(db: Session) -> list[Zone]:
    rows = db.execute(
        text(
            "SELECT id, reason, until, ST_Area(area::geography) AS area_m2, ST_AsGeoJSON(area, 7) AS area "
            "FROM block_zone ORDER BY id"
        )
    )
    return [Zone(row.id, row.reason, row.until, row.area_m2, json.loads(row.area)) for row in rows]
