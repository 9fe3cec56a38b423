"""Who follows which issue by e-mail."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

TOKENS = 60
"""So many of the latest mails keep a link that works."""


@dataclass(frozen=True, slots=True)
class Follower:
    """A follower, by the number of the issue; ``left`` and not ``confirmed`` when nothing is sent any more."""

    issue_id: UUID
    id: UUID
    number: str
    confirmed: bool
    left: bool


def add(
    db: Session, issue_id: UUID, follower: UUID, *, email: str, lang: str, person: UUID | None, now: datetime
) -> None:
    db.execute(
        text(
            "INSERT INTO follower (issue_id, id, email, lang, person_id, created_at) "
            "VALUES (:issue, :id, :email, :lang, :person, :now)"
        ),
        {"issue": issue_id, "id": follower, "email": email, "lang": lang, "person": person, "now": now},
    )


def find(db: Session, issue_id: UUID, email: str) -> Follower | None:
    """Who follows this issue with this address, in whatever letters it is written."""
    return _one(db, "f.issue_id = :issue AND lower(f.email) = lower(:email)", issue=issue_id, email=email)


def by_token(db: Session, number: str, token_hash: bytes) -> Follower | None:
    """The follower to whom a mail with this token was sent; None for a token that is none of ours or too old."""
    return _one(
        db, "i.number = :number AND CAST(:hash AS bytea) = ANY (f.token_hashes)", number=number, hash=token_hash
    )


def add_token(db: Session, issue_id: UUID, follower: UUID, token_hash: bytes) -> None:
    """Remember the token of one more mail, and forget the oldest."""
    db.execute(
        text(
            "UPDATE follower SET token_hashes = (array_append(token_hashes, CAST(:hash AS bytea)))"
            "[greatest(1, cardinality(token_hashes) + 2 - :most):] WHERE issue_id = :issue AND id = :id"
        ),
        {"hash": token_hash, "most": TOKENS, "issue": issue_id, "id": follower},
    )


def confirm(db: Session, one: Follower, *, now: datetime) -> None:
    db.execute(
        text(
            "UPDATE follower SET confirmed_at = :now WHERE issue_id = :issue AND id = :id "
            "AND confirmed_at IS NULL AND left_at IS NULL"
        ),
        {"now": now, "issue": one.issue_id, "id": one.id},
    )


def leave(db: Session, one: Follower, *, now: datetime) -> None:
    """Stop following this issue and those merged into it, through which the same would go on; the address goes too."""
    db.execute(
        text(
            """
            WITH RECURSIVE heard AS (
                SELECT CAST(:issue AS uuid) AS issue_id
                UNION
                SELECT merged.id FROM heard JOIN issue merged ON merged.merged_into = heard.issue_id
            ),
            who AS (SELECT lower(email) AS email FROM follower WHERE issue_id = :issue AND id = :id AND email <> '')
            UPDATE follower SET left_at = :now, email = '', person_id = NULL
            FROM heard, who WHERE follower.issue_id = heard.issue_id AND lower(follower.email) = who.email
            """
        ),
        {"now": now, "issue": one.issue_id, "id": one.id},
    )


def sweep(db: Session, *, now: datetime, unconfirmed: timedelta, left: timedelta, ended: timedelta) -> int:
    """Remove who never confirmed, who left, and whose issue ended, each so long ago; returns how many."""
    gone = db.execute(
        text(
            "DELETE FROM follower f USING issue i WHERE i.id = f.issue_id AND ("
            "(f.confirmed_at IS NULL AND f.created_at < :unconfirmed) OR f.left_at < :left "
            "OR greatest(i.ended_at, f.created_at) < :ended AND i.ended_at IS NOT NULL)"
        ),
        {"unconfirmed": now - unconfirmed, "left": now - left, "ended": now - ended},
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _one(db: Session, where: str, **binds: object) -> Follower | None:
    row = db.execute(
        text(
            "SELECT f.issue_id, f.id, i.number, f.confirmed_at IS NOT NULL AS confirmed, f.left_at IS NOT NULL AS left "
            f"FROM follower f JOIN issue i ON i.id = f.issue_id WHERE {where} ORDER BY confirmed DESC LIMIT 1"
        ),
        binds,
    ).first()
    return None if row is None else Follower(row.issue_id, row.id, row.number, row.confirmed, row.left)
