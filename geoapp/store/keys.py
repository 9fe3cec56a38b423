"""Keys of programs and the second factor in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.values import Viewer
from geoapp.store import people


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as its owner sees it; what was shown once is not kept."""

    id: UUID
    name: str
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Factor:
    """The secret of one-time codes; in force once it is confirmed."""

    secret: str
    confirmed: bool


def add(
    db: Session, key_hash: bytes, key_id: UUID, person: UUID, name: str, *, now: datetime, expires: datetime | None
) -> None:
    db.execute(
        text(
            "INSERT INTO api_key (id, person_id, key_hash, name, created_at, expires_at) "
            "VALUES (:id, :person, :hash, :name, :now, :expires)"
        ),
        {"id": key_id, "person": person, "hash": key_hash, "name": name, "now": now, "expires": expires},
    )


def of(db: Session, person: UUID) -> list[KeyRow]:
    rows = db.execute(
        text(
            "SELECT id, name, created_at, expires_at, used_at FROM api_key WHERE person_id = :person "
            "ORDER BY created_at, id"
        ),
        {"person": person},
    )
    return [KeyRow(*row) for row in rows]


def revoke(db: Session, person: UUID, key_id: UUID) -> bool:
    """Take a key away; False when this person has none such."""
    gone = db.execute(
        text("DELETE FROM api_key WHERE person_id = :person AND id = :id RETURNING id"),
        {"person": person, "id": key_id},
    )
    return bool(gone.all())


def viewer(db: Session, key_hash: bytes, *, now: datetime) -> Viewer | None:
    """Whose key this is, with all grants; None when it holds no more. Marks it as used, at most once a minute."""
    row = db.execute(
        text(
            "SELECT k.id AS key_id, k.used_at, p.id, p.name, p.login "
            "FROM api_key k JOIN person p ON p.id = k.person_id "
            "WHERE k.key_hash = :hash AND p.disabled_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :now)"
        ),
        {"hash": key_hash, "now": now},
    ).first()
    if row is None:
        return None
    if row.used_at is None or now - row.used_at > timedelta(minutes=1):
        db.execute(text("UPDATE api_key SET used_at = :now WHERE id = :id"), {"now": now, "id": row.key_id})
    return Viewer(tuple(people.grants(db, row.id)), row.id, row.name or row.login)


def factor(db: Session, person: UUID) -> Factor | None:
    row = db.execute(
        text("SELECT secret, confirmed_at FROM second_factor WHERE person_id = :person"), {"person": person}
    ).first()
    return None if row is None else Factor(row.secret, row.confirmed_at is not None)


def propose(db: Session, person: UUID, secret: str) -> bool:
    """Keep a secret until it is confirmed; False when one is in force already."""
    kept = db.execute(
        text(
            "INSERT INTO second_factor AS old (person_id, secret) VALUES (:person, :secret) "
            "ON CONFLICT (person_id) DO UPDATE SET secret = excluded.secret, last_step = 0 "
            "WHERE old.confirmed_at IS NULL RETURNING person_id"
        ),
        {"person": person, "secret": secret},
    )
    return bool(kept.all())


def use_step(db: Session, person: UUID, step: int) -> bool:
    """Use up the code of a time step; False when it, or a later one, was used before."""
    used = db.execute(
        text("UPDATE second_factor SET last_step = :step WHERE person_id = :person AND last_step < :step RETURNING 1"),
        {"person": person, "step": step},
    )
    return bool(used.all())


def confirm(db: Session, person: UUID, code_hashes: Sequence[bytes], *, now: datetime) -> None:
    """Put the proposed secret in force, with these recovery codes."""
    db.execute(
        text("UPDATE second_factor SET confirmed_at = :now WHERE person_id = :person"), {"now": now, "person": person}
    )
    db.execute(
        text("INSERT INTO recovery_code (person_id, code_hash) VALUES (:person, :hash)"),
        [{"person": person, "hash": one} for one in code_hashes],
    )


def use_recovery_code(db: Session, person: UUID, code_hash: bytes) -> bool:
    used = db.execute(
        text("DELETE FROM recovery_code WHERE person_id = :person AND code_hash = :hash RETURNING 1"),
        {"person": person, "hash": code_hash},
    )
    return bool(used.all())


def recovery_codes_left(db: Session, person: UUID) -> int:
    left = db.execute(text("SELECT count(*) FROM recovery_code WHERE person_id = :person"), {"person": person})
    return int(left.scalar_one())


def drop(db: Session, person: UUID) -> bool:
    """Take the second factor away; False when there was none."""
    gone = db.execute(text("DELETE FROM second_factor WHERE person_id = :person RETURNING 1"), {"person": person})
    db.execute(text("DELETE FROM recovery_code WHERE person_id = :person"), {"person": person})
    return bool(gone.all())
