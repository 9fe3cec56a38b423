"""People, grants, sessions and counters in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.values import Grant, Name, Role, Viewer


@dataclass(frozen=True, slots=True)
class Account:
    """What signing in needs to know of a person."""

    id: UUID
    login: str
    name: str
    password_hash: str
    disabled: bool


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant as a page or the terminal shows it; without a place or unit it holds everywhere."""

    role: Role
    place: str | None
    place_name: Name
    unit: str | None
    unit_name: Name


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session of a person; ``mark`` names it without telling its token."""

    mark: str
    created_at: datetime
    seen_at: datetime
    browser: str


def add(db: Session, account: Account, *, synthetic: bool = False) -> bool:
    """Store a person; False when the login is taken."""
    made = db.execute(
        text(
            "INSERT INTO person (id, login, name, password_hash, synthetic) "
            "VALUES (:id, :login, :name, :hash, :synthetic) ON CONFLICT (login) DO NOTHING RETURNING id"
        ),
        {
            "id": account.id,
            "login": account.login,
            "name": account.name,
            "hash": account.password_hash,
            "synthetic": synthetic,
        },
    ).scalar()
    return made is not None


def find(db: Session, login: str) -> Account | None:
    return _account(db, "login = :key", login)


def by_id(db: Session, person: UUID) -> Account | None:
    return _account(db, "id = :key", person)


def everybody(db: Session) -> list[Account]:
    rows = db.execute(text("SELECT id, login, name, password_hash, disabled_at FROM person ORDER BY login"))
    return [Account(row.id, row.login, row.name, row.password_hash, row.disabled_at is not None) for row in rows]


def set_hash(db: Session, person: UUID, password_hash: str) -> None:
    db.execute(text("UPDATE person SET password_hash = :hash WHERE id = :id"), {"hash": password_hash, "id": person})


def set_disabled(db: Session, person: UUID, at: datetime | None) -> None:
    db.execute(text("UPDATE person SET disabled_at = :at WHERE id = :id"), {"at": at, "id": person})


def grant(db: Session, person: UUID, role: Role, *, place: int | None, unit: int | None) -> bool:
    """Store a grant; False when the person has it."""
    made = db.execute(
        text(
            "INSERT INTO role_grant (person_id, role, place_id, unit_id) "
            "SELECT :person, CAST(:role AS text), CAST(:place AS bigint), CAST(:unit AS bigint) "
            f"WHERE NOT EXISTS (SELECT FROM role_grant WHERE {_SAME_GRANT}) RETURNING id"
        ),
        {"person": person, "role": str(role), "place": place, "unit": unit},
    ).scalar()
    return made is not None


def revoke(db: Session, person: UUID, role: Role, *, place: int | None, unit: int | None) -> bool:
    """Take a grant away; False when there is none such."""
    gone = db.execute(
        text(f"DELETE FROM role_grant WHERE {_SAME_GRANT} RETURNING id"),
        {"person": person, "role": str(role), "place": place, "unit": unit},
    ).all()
    return bool(gone)


_SAME_GRANT = (
    "person_id = :person AND role = CAST(:role AS text) AND place_id IS NOT DISTINCT FROM CAST(:place AS bigint) "
    "AND unit_id IS NOT DISTINCT FROM CAST(:unit AS bigint)"
)


def place_id(db: Session, code: str) -> int | None:
    """A place by its code; of several kinds with the same code the smallest."""
    found: int | None = db.execute(
        text(
            "SELECT id FROM place WHERE code = :code "
            "ORDER BY array_position(ARRAY['community', 'street', 'district'], kind) LIMIT 1"
        ),
        {"code": code},
    ).scalar()
    return found


def unit_id(db: Session, code: str) -> int | None:
    found: int | None = db.execute(text("SELECT id FROM unit WHERE code = :code"), {"code": code}).scalar()
    return found


def grants_of(db: Session, person: UUID) -> list[GrantRow]:
    rows = db.execute(
        text(
            "SELECT g.role, p.code AS place, p.name_zh AS place_zh, p.name_en AS place_en, u.code AS unit, "
            "u.name_zh AS unit_zh, u.name_en AS unit_en FROM role_grant g LEFT JOIN place p ON p.id = g.place_id "
            "LEFT JOIN unit u ON u.id = g.unit_id WHERE g.person_id = :id ORDER BY g.id"
        ),
        {"id": person},
    )
    return [
        GrantRow(
            Role(row.role),
            row.place,
            Name(row.place_zh or "", row.place_en or ""),
            row.unit,
            Name(row.unit_zh or "", row.unit_en or ""),
        )
        for row in rows
    ]


def open_session(
    db: Session, token_hash: bytes, person: UUID, *, now: datetime, browser: str, half: bool = False
) -> None:
    db.execute(
        text(
            "INSERT INTO sign_in (token_hash, person_id, created_at, seen_at, browser, half) "
            "VALUES (:hash, :person, :now, :now, :browser, :half)"
        ),
        {"hash": token_hash, "person": person, "now": now, "browser": browser, "half": half},
    )


def link(db: Session, person: UUID, issuer: str, subject: str) -> bool:
    """Let an identity be this person; False when it is somebody else's."""
    owner = db.execute(
        text(
            "INSERT INTO identity AS old (issuer, subject, person_id) VALUES (:issuer, :subject, :person) "
            "ON CONFLICT (issuer, subject) DO UPDATE SET issuer = old.issuer RETURNING person_id"
        ),
        {"issuer": issuer, "subject": subject, "person": person},
    ).scalar_one()
    return bool(owner == person)


def known_as(db: Session, issuer: str, subject: str) -> Account | None:
    return _account(
        db, "id = (SELECT person_id FROM identity WHERE issuer = :key AND subject = :subject)", issuer, subject=subject
    )


def half_signed(db: Session, token_hash: bytes, *, since: datetime) -> Account | None:
    """Who has given the password of this session and still owes the code."""
    return _account(
        db,
        "disabled_at IS NULL AND id = (SELECT person_id FROM sign_in "
        "WHERE token_hash = :key AND half AND created_at > :since)",
        token_hash,
        since=since,
    )


def viewer(db: Session, token_hash: bytes, *, now: datetime, idle: timedelta, longest: timedelta) -> Viewer | None:
    """Who holds this session, with all grants; None when it has ended. Marks it as used, at most once a minute."""
    row = db.execute(
        text(
            "SELECT p.id, p.name, p.login, s.seen_at FROM sign_in s JOIN person p ON p.id = s.person_id "
            "WHERE s.token_hash = :hash AND NOT s.half AND p.disabled_at IS NULL AND s.seen_at > :idle "
            "AND s.created_at > :oldest"
        ),
        {"hash": token_hash, "idle": now - idle, "oldest": now - longest},
    ).first()
    if row is None:
        return None
    if now - row.seen_at > timedelta(minutes=1):
        db.execute(text("UPDATE sign_in SET seen_at = :now WHERE token_hash = :hash"), {"now": now, "hash": token_hash})
    return Viewer(tuple(grants(db, row.id)), row.id, row.name or row.login)


def close_session(db: Session, token_hash: bytes) -> None:
    db.execute(text("DELETE FROM sign_in WHERE token_hash = :hash"), {"hash": token_hash})


def close_sessions(db: Session, person: UUID, *, but: bytes | None = None, mark: str | None = None) -> int:
    """End sessions of a person: all, all but one, or the one with this mark; returns how many ended."""
    ended = db.execute(
        text(
            "DELETE FROM sign_in WHERE person_id = :person AND token_hash IS DISTINCT FROM CAST(:but AS bytea) "
            "AND (CAST(:mark AS text) IS NULL OR left(encode(sha256(token_hash), 'hex'), 16) = :mark) "
            "RETURNING person_id"
        ),
        {"person": person, "but": but, "mark": mark},
    ).all()
    return len(ended)


def sessions_of(db: Session, person: UUID, *, now: datetime, idle: timedelta) -> list[SessionRow]:
    rows = db.execute(
        text(
            "SELECT left(encode(sha256(token_hash), 'hex'), 16) AS mark, created_at, seen_at, browser FROM sign_in "
            "WHERE person_id = :person AND NOT half AND seen_at > :idle ORDER BY seen_at DESC"
        ),
        {"person": person, "idle": now - idle},
    )
    return [SessionRow(row.mark, row.created_at, row.seen_at, row.browser) for row in rows]


def sweep(db: Session, *, before: datetime) -> None:
    """Forget sessions and counters that nothing can use any more."""
    db.execute(text("DELETE FROM sign_in WHERE created_at < :before"), {"before": before})
    db.execute(text("DELETE FROM attempt WHERE began_at < :before"), {"before": before})


def count_attempt(db: Session, key: str, *, now: datetime, window: timedelta) -> tuple[int, datetime]:
    """Count one more attempt; returns how many there are in this window and when it began."""
    row = db.execute(
        text(
            "INSERT INTO attempt AS old (key, began_at) VALUES (:key, :now) ON CONFLICT (key) DO UPDATE SET "
            "began_at = CASE WHEN old.began_at <= :since THEN excluded.began_at ELSE old.began_at END, "
            "count = CASE WHEN old.began_at <= :since THEN 1 ELSE old.count + 1 END RETURNING count, began_at"
        ),
        {"key": key, "now": now, "since": now - window},
    ).one()
    return int(row[0]), row[1]


def forget_attempts(db: Session, keys: Sequence[str]) -> None:
    db.execute(text("DELETE FROM attempt WHERE key = ANY (:keys)"), {"keys": list(keys)})


def _account(db: Session, where: str, key: Any, **binds: Any) -> Account | None:
    row = db.execute(
        text(f"SELECT id, login, name, password_hash, disabled_at FROM person WHERE {where}"), {"key": key} | binds
    ).first()
    if row is None:
        return None
    return Account(row.id, row.login, row.name, row.password_hash, row.disabled_at is not None)


def grants(db: Session, person: UUID) -> list[Grant]:
    """All that was granted to a person, a place as the codes of its communities."""
    rows = db.execute(
        text(
            """
            SELECT g.role, u.code AS unit, g.place_id IS NULL AS everywhere,
                   ARRAY(SELECT c.code FROM place c LEFT JOIN place s ON s.id = c.parent_id
                         WHERE c.kind = 'community' AND g.place_id IN (c.id, s.id, s.parent_id)) AS communities
            FROM role_grant g LEFT JOIN unit u ON u.id = g.unit_id WHERE g.person_id = :person ORDER BY g.id
            """
        ),
        {"person": person},
    )
    return [Grant(Role(row.role), None if row.everywhere else frozenset(row.communities), row.unit) for row in rows]
