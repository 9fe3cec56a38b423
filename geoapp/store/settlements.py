"""Settlements: the claims that lie on a piece of land, what was signed, and which issues a change would move."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.settlement import Claim
from geoapp.domain.values import Name, VerdictClass, Viewer
from geoapp.store.condition import seen_in_full
from geoapp.store.crews import MIDDLES
from geoapp.store.judging import judgement


@dataclass(frozen=True, slots=True)
class Signed:
    """A settlement as it is kept. ``area`` is WKB in EPSG:4326."""

    issue_id: UUID
    id: UUID
    settled_on: date
    unit: str
    categories: tuple[str, ...]
    area: bytes
    jurisdiction: str
    participants: str
    documents: str
    note: str
    person: UUID | None


@dataclass(frozen=True, slots=True)
class Move:
    """An issue that a change would give to somebody else: first candidates (codes) and classes, before and after."""

    number: str
    unit_before: str | None
    unit_after: str | None
    verdict_before: VerdictClass
    verdict_after: VerdictClass
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Far:
    """How far a unit's issues lie from where it starts, in metres."""

    mean_m: float
    median_m: float


@dataclass(frozen=True, slots=True)
class Held:
    """A jurisdiction in force, as a list to choose from shows it."""

    code: str
    unit: str
    name: Name
    unit_name: Name
    categories: tuple[str, ...]


def claims_on(db: Session, area: BaseGeometry, *, day: date) -> list[Claim]:
    """Jurisdictions in force on ``day`` that touch the area."""
    rows = db.execute(
        text(
            "SELECT j.code, u.code AS unit, j.name_zh, j.name_en, j.categories, ST_AsBinary(j.area) AS area, "
            "j.evidence, j.origin, j.synthetic FROM jurisdiction j JOIN unit u ON u.id = j.unit_id "
            "WHERE j.validity @> CAST(:day AS date) AND ST_Intersects(j.area, ST_GeomFromWKB(:area, 4326)) "
            "ORDER BY j.code"
        ),
        {"day": day, "area": shapely.to_wkb(area)},
    )
    return [_claim(row) for row in rows]


def paths(db: Session) -> dict[str, tuple[str, ...]]:
    """The category tree: each active code with its path."""
    rows = db.execute(text("SELECT code, path FROM category WHERE active"))
    # The column keeps a code before those above it; the overlay wants it last.
    return {row.code: tuple(sorted(row.path, key=len)) for row in rows}


def end_jurisdiction(db: Session, code: str, *, day: date) -> None:
    """Its newest version holds no longer from ``day`` on; one that began on that very day never was."""
    db.execute(
        text("DELETE FROM jurisdiction WHERE code = :code AND lower(validity) = CAST(:day AS date)"),
        {"code": code, "day": day},
    )
    db.execute(
        text(
            "UPDATE jurisdiction SET validity = daterange(lower(validity), CAST(:day AS date)) "
            "WHERE code = :code AND validity @> CAST(:day AS date)"
        ),
        {"code": code, "day": day},
    )


def keep(db: Session, signed: Signed) -> None:
    db.execute(
        text(
            "INSERT INTO settlement (issue_id, id, settled_on, unit_id, categories, area, area_m2, jurisdiction_code, "
            "participants, documents, note, person_id) SELECT :issue_id, :id, :settled_on, u.id, :categories, g, "
            "ST_Area(g::geography), :jurisdiction, :participants, :documents, :note, :person "
            "FROM unit u, (SELECT ST_Multi(ST_GeomFromWKB(:area, 4326)) AS g) AS drawn WHERE u.code = :unit"
        ),
        {name: getattr(signed, name) for name in Signed.__slots__} | {"categories": list(signed.categories)},
    )


def in_force(db: Session, *, day: date) -> list[Held]:
    rows = db.execute(
        text(
            "SELECT j.code, u.code AS unit, j.name_zh, j.name_en, u.name_zh AS unit_zh, u.name_en AS unit_en, "
            "j.categories FROM jurisdiction j JOIN unit u ON u.id = j.unit_id "
            "WHERE j.validity @> CAST(:day AS date) ORDER BY u.name_zh, j.name_zh, j.code"
        ),
        {"day": day},
    )
    return [
        Held(row.code, row.unit, Name(row.name_zh, row.name_en), Name(row.unit_zh, row.unit_en), tuple(row.categories))
        for row in rows
    ]


def claim(db: Session, code: str, *, day: date) -> Claim | None:
    """A jurisdiction by its code, as it holds on ``day``."""
    row = db.execute(
        text(
            "SELECT j.code, u.code AS unit, j.name_zh, j.name_en, j.categories, ST_AsBinary(j.area) AS area, "
            "j.evidence, j.origin, j.synthetic FROM jurisdiction j JOIN unit u ON u.id = j.unit_id "
            "WHERE j.validity @> CAST(:day AS date) AND j.code = :code"
        ),
        {"day": day, "code": code},
    ).first()
    return None if row is None else _claim(row)


def remember_verdicts(db: Session, *, since: datetime, today: date, viewer: Viewer) -> int:
    """Judge the issues reported since then that the viewer sees in full by what is in force now, into ``before``.

    Returns how many there are.
    """
    recent, own = _recent(viewer)
    db.execute(text(f"CREATE TEMP TABLE before ON COMMIT DROP AS {judgement(recent)}"), _binds(since, today) | own)
    return int(db.execute(text("SELECT count(*) FROM before")).scalar_one())


def judge_again(db: Session, *, since: datetime, today: date, viewer: Viewer) -> None:
    """The same issues judged by what is in force now, into ``after``."""
    recent, own = _recent(viewer)
    db.execute(text(f"CREATE TEMP TABLE after ON COMMIT DROP AS {judgement(recent)}"), _binds(since, today) | own)


def remember_bases(db: Session, *, today: date) -> None:
    """Where each unit starts as things stand, into ``base``: crews do not move because a boundary does."""
    db.execute(text(f"CREATE TEMP TABLE base ON COMMIT DROP AS {MIDDLES}"), {"today": today})


def distances(db: Session, when: str) -> dict[str, Far]:
    """Mean and median metres from each unit's base to the issues that it is the first candidate of.

    ``when`` is before or after. Units without a base are not there. Along the ellipsoid (ST_Distance of geographies).
    """
    if when not in {"before", "after"}:
        raise ValueError(when)
    rows = db.execute(
        text(
            f"""
            SELECT code, avg(metres) AS mean, percentile_cont(0.5) WITHIN GROUP (ORDER BY metres) AS median FROM (
                SELECT u.code, ST_Distance(i.geom::geography, base.at::geography) AS metres
                FROM {when} AS judged JOIN issue i USING (id) JOIN unit u ON u.id = judged.candidate_ids[1]
                JOIN base ON base.unit_id = u.id
            ) AS one GROUP BY code
            """
        )
    )
    return {row.code: Far(float(row.mean), float(row.median)) for row in rows}


def moves(db: Session) -> list[Move]:
    """The issues that are somebody else's in ``after`` than in ``before``."""
    rows = db.execute(
        text(
            """
            SELECT i.number, ST_X(i.geom) AS lon, ST_Y(i.geom) AS lat,
                   before.verdict AS verdict_before, after.verdict AS verdict_after,
                   (SELECT code FROM unit WHERE id = before.candidate_ids[1]) AS unit_before,
                   (SELECT code FROM unit WHERE id = after.candidate_ids[1]) AS unit_after
            FROM before JOIN after USING (id) JOIN issue i USING (id)
            WHERE (before.verdict, before.candidate_ids) IS DISTINCT FROM (after.verdict, after.candidate_ids)
            ORDER BY i.reported_at DESC, i.id DESC
            """
        )
    )
    return [
        Move(
            row.number,
            row.unit_before,
            row.unit_after,
            VerdictClass(row.verdict_before),
            VerdictClass(row.verdict_after),
            row.lon,
            row.lat,
        )
        for row in rows
    ]


def load_before(db: Session) -> dict[str | None, int]:
    """How many of the remembered issues each unit is the first candidate of; None: nobody is."""
    rows: Sequence[Any] = db.execute(
        text("SELECT u.code, count(*) AS n FROM before LEFT JOIN unit u ON u.id = before.candidate_ids[1] GROUP BY 1")
    ).all()
    return {row.code: row.n for row in rows}


def _recent(viewer: Viewer) -> tuple[str, dict[str, Any]]:
    # Ended issues too are judged as of today: the question is whose they would be, not whose they were.
    full, own = seen_in_full(viewer)
    return (
        "SELECT i.id, i.geom, i.category_code, i.accuracy_m, CAST(NULL AS date) AS ended_on FROM issue i "
        f"WHERE i.reported_at >= :since AND {full}"
    ), own


def _binds(since: datetime, today: date) -> dict[str, Any]:
    return {"since": since, "today": today}


def _claim(row: Any) -> Claim:
    return Claim(
        row.code,
        row.unit,
        Name(row.name_zh, row.name_en),
        tuple(row.categories),
        shapely.from_wkb(bytes(row.area)),
        row.evidence,
        row.origin,
        row.synthetic,
    )
