"""Filters that people keep."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Saved:
    """A kept filter: its name, and the query of its address."""

    id: UUID
    name: str
    query: str


def of(db: Session, person: UUID) -> list[Saved]:
    rows = db.execute(
        text("SELECT id, name, query FROM saved_filter WHERE person_id = :person ORDER BY created_at, id"),
        {"person": person},
    )
    return [Saved(*row) for row in rows]


def keep(db: Session, person: UUID, saved: Saved) -> None:
    db.execute(
        text(
            "INSERT INTO saved_filter (person_id, id, name, query) VALUES (:person, :id, :name, :query) "
            "ON CONFLICT (person_id, id) DO UPDATE SET name = excluded.name, query = excluded.query"
        ),
        {"person": person, "id": saved.id, "name": saved.name, "query": saved.query},
    )


def forget(db: Session, person: UUID, saved: UUID) -> bool:
    gone = db.execute(
        text("DELETE FROM saved_filter WHERE person_id = :person AND id = :id RETURNING 1"),
        {"person": person, "id": saved},
    )
    return bool(gone.all())
