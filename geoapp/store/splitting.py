"""The whole that is split, and its parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.values import Point


@dataclass(frozen=True, slots=True)
class Whole:
    """What a part takes over from the issue that it is a part of."""

    category: str
    point: Point
    text: str
    released: bool
    address: str
    accuracy_m: float | None
    privacy: str
    source: str


def whole(db: Session, issue_id: UUID) -> Whole:
    row = db.execute(
        text(
            "SELECT category_code, ST_X(geom) AS lon, ST_Y(geom) AS lat, text, text_released, address, accuracy_m, "
            "privacy, source FROM issue WHERE id = :id"
        ),
        {"id": issue_id},
    ).one()
    return Whole(
        row.category_code, Point(row.lon, row.lat), row.text, row.text_released, row.address, row.accuracy_m,
        row.privacy, row.source,
    )  # fmt: skip


def made(db: Session, issue_id: UUID, ids: Sequence[UUID]) -> bool:
    """True when the issue was split into exactly these parts before."""
    found = set(db.execute(text("SELECT id FROM issue WHERE part_of = :id"), {"id": issue_id}).scalars())
    return bool(found) and found == set(ids)


def attach(db: Session, part: UUID, parent: UUID, *, released: bool) -> None:
    db.execute(
        text("UPDATE issue SET part_of = :parent, text_released = :released WHERE id = :part"),
        {"parent": parent, "part": part, "released": released},
    )
