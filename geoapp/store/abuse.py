"""What is counted against floods of reports: the signs of one, the counters, and the land where none is taken."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from geoapp.domain.abuse import Counter
from geoapp.store import session
from geoapp.store.session import Db, Session, Statement


@dataclass(frozen=True, slots=True)
class Counted:
    """After how many seconds it may be tried again, 0 when it may be now; and whether this phone has sent before."""

    wait: int = 0
    known: bool = False


@dataclass(frozen=True, slots=True)
class Zone:
    """Land on which nobody without an account may report. ``area`` is GeoJSON."""

    id: int
    reason: str
    until: date | None
    area_m2: float
    area: dict[str, Any]


def count(db: Db, counters: Iterable[Counter], *, now: datetime) -> Counted:
    """Count one more of each, in one order for everybody: two that wait for each other's counters would wait forever.

    Only what is then stored counts: the caller's transaction carries it.
    """
    asked = list(counters)
    if not asked:
        return Counted()
    keys = [counter.key for counter in asked]
    binds = {"keys": keys, "since": [now - counter.window for counter in asked], "now": now}
    found = {row.key: row for row in session.rows(db, _COUNT, binds)}
    known = any(key.startswith("report:device:") and found[key].times > 1 for key in keys)
    for counter in asked:
        row = found[counter.key]
        if row.times > counter.most:
            return Counted(max(1, int((row.began_at + counter.window - now).total_seconds())), known)
    return Counted(0, known)


_COUNT = Statement(
    """
    INSERT INTO attempt AS old (key, began_at)
    SELECT key, CAST(:now AS timestamptz) FROM unnest(CAST(:keys AS text[])) WITH ORDINALITY AS asked (key, nth)
    ORDER BY nth
    ON CONFLICT (key) DO UPDATE SET (began_at, count) = (
        SELECT CASE WHEN old.began_at <= asked.since THEN excluded.began_at ELSE old.began_at END,
               CASE WHEN old.began_at <= asked.since THEN 1 ELSE old.count + 1 END
        FROM unnest(CAST(:keys AS text[]), CAST(:since AS timestamptz[])) AS asked (key, since)
        WHERE asked.key = excluded.key
    ) RETURNING key, count AS times, began_at
    """,
    prepared=True,
)


def blocked(lon: str, lat: str) -> str:
    """SQL of why nobody may report at a place on ``:today``: NULL where everybody may, an empty text for no reason."""
    return (
        f"SELECT reason FROM block_zone WHERE ST_Intersects(area, ST_SetSRID(ST_MakePoint({lon}, {lat}), 4326)) "
        "AND (until IS NULL OR until >= CAST(:today AS date)) ORDER BY id LIMIT 1"
    )


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
