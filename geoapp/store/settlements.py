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
from geoapp.domain.values import Name, VerdictClass
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
    return [
        Claim(
            row.code,
            row.unit,
            Name(row.name_zh, row.name_en),
            tuple(row.categories),
            shapely.from_wkb(bytes(row.area)),
            row.evidence,
            row.origin,
            row.synthetic,
        )
        for row in rows
    ]


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


def remember_verdicts(db: Session, *, since: datetime, today: date) -> int:
    """Judge all issues reported since then by what is in force now, into ``before``; returns how many there are."""
    db.execute(text(f"CREATE TEMP TABLE before ON COMMIT DROP AS {judgement(_recent())}"), _binds(since, today))
    return int(db.execute(text("SELECT count(*) FROM before")).scalar_one())


def moves(db: Session, *, since: datetime, today: date) -> list[Move]:
    """The same issues judged by what is in force now, where that is somebody else than in ``before``."""
    rows = db.execute(
        text(
            f"""
            SELECT i.number, before.verdict AS verdict_before, after.verdict AS verdict_after,
                   (SELECT code FROM unit WHERE id = before.candidate_ids[1]) AS unit_before,
                   (SELECT code FROM unit WHERE id = after.candidate_ids[1]) AS unit_after
            FROM before JOIN ({judgement(_recent())}) AS after USING (id) JOIN issue i USING (id)
            WHERE (before.verdict, before.candidate_ids) IS DISTINCT FROM (after.verdict, after.candidate_ids)
            ORDER BY i.reported_at DESC, i.id DESC
            """
        ),
        _binds(since, today),
    )
    return [
        Move(
            row.number,
            row.unit_before,
            row.unit_after,
            VerdictClass(row.verdict_before),
            VerdictClass(row.verdict_after),
        )
        for row in rows
    ]


def load_before(db: Session) -> dict[str | None, int]:
    """How many of the remembered issues each unit is the first candidate of; None: nobody is."""
    rows: Sequence[Any] = db.execute(
        text("SELECT u.code, count(*) AS n FROM before LEFT JOIN unit u ON u.id = before.candidate_ids[1] GROUP BY 1")
    ).all()
    return {row.code: row.n for row in rows}


def _recent() -> str:
    # Ended issues too are judged as of today: the question is whose they would be, not whose they were.
    return (
        "SELECT id, geom, category_code, accuracy_m, CAST(NULL AS date) AS ended_on FROM issue "
        "WHERE reported_at >= :since"
    )


def _binds(since: datetime, today: date) -> dict[str, Any]:
    return {"since": since, "today": today}
