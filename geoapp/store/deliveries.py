"""Notices on their way: which is next, who has it in hand, what it is to say, and what became of it.

A worker that has one in hand holds a lock of its connection. When the worker is killed the server gives it back,
and another takes the notice up at once; as long as the worker lives, nobody else can, however long it takes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geoapp.domain.notices import Kind, Recipient
from geoapp.domain.values import IssueState
from geoapp.store import locks
from geoapp.store.locks import Lock

PORTION = 50
_WAITING = "sent_at IS NULL AND failed_at IS NULL"


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice in hand. ``follows`` is the issue that its follower follows; ``tries`` counts this attempt."""

    issue_id: UUID
    id: UUID
    number: str
    kind: Kind
    recipient: Recipient
    ref: UUID
    follows: UUID | None
    lang: str
    payload: dict[str, Any]
    created_at: datetime
    tries: int


@dataclass(frozen=True, slots=True)
class Line:
    """The public line of history that a notice tells."""

    at: datetime
    action: str
    to_state: IssueState | None
    actor: str
    note: str


@dataclass(frozen=True, slots=True)
class Count:
    """How the outbox stands: what waits, since when the oldest does, what failed."""

    waiting: int
    oldest: datetime | None
    failed: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A notice that is given up, or that has been tried in vain so far."""

    number: str
    kind: Kind
    recipient: Recipient
    who: str
    tries: int
    failed_at: datetime | None
    error: str


def is_waiting(db: Session, *, now: datetime) -> bool:
    """Whether there is anything to be sent now, in whosever hand it may be."""
    with db.begin():
        found = db.execute(
            text(f"SELECT EXISTS (SELECT FROM notice WHERE {_WAITING} AND not_before <= :now)"), {"now": now}
        )
        return bool(found.scalar())


def take(db: Session, *, now: datetime) -> Notice | None:
    """Take the next notice in hand, the one that has waited longest; None when there is none that nobody has.

    ``db`` keeps its connection (``session.steady``); the attempt is on record before anything is sent.
    """
    with db.begin():
        waiting = db.execute(
            text(
                f"SELECT issue_id, id FROM notice WHERE {_WAITING} AND not_before <= :now "
                "ORDER BY not_before, created_at, id LIMIT :portion"
            ),
            {"now": now, "portion": PORTION},
        ).all()
    for issue_id, name in waiting:
        with db.begin():
            if not locks.try_own(db, Lock.NOTICES, name):
                continue
            # Asked again under the lock: whoever had it until now may just have sent it.
            row = db.execute(
                text(
                    "UPDATE notice n SET claimed_at = :now, tries = tries + 1 FROM issue i "
                    f"WHERE n.issue_id = :issue AND n.id = :id AND {_WAITING} AND not_before <= :now "
                    "AND i.id = n.issue_id RETURNING n.*, i.number"
                ),
                {"now": now, "issue": issue_id, "id": name},
            ).first()
            if row is not None:
                return _notice(row)
            locks.give_back(db, Lock.NOTICES, name)
    return None


def put_down(db: Session, notice: Notice) -> None:
    """Give the notice out of hand."""
    with db.begin():
        locks.give_back(db, Lock.NOTICES, notice.id)


def sent(db: Session, notice: Notice, *, now: datetime) -> None:
    _mark(db, notice, "sent_at = :now, error = ''", now=now)


def put_off(db: Session, notice: Notice, *, until: datetime, error: str) -> None:
    """Try again, but not before ``until``."""
    _mark(db, notice, "not_before = :until, error = :error", until=until, error=error)


def failed(db: Session, notice: Notice, *, now: datetime, error: str) -> None:
    _mark(db, notice, "failed_at = :now, error = :error", now=now, error=error)


def drop(db: Session, notice: Notice) -> None:
    """Forget a notice that nobody waits for any more, or may read."""
    db.execute(
        text(f"DELETE FROM notice WHERE issue_id = :issue AND id = :id AND {_WAITING}"),
        {"issue": notice.issue_id, "id": notice.id},
    )


def address(db: Session, notice: Notice) -> tuple[str, str] | None:
    """Where to, and the number of the issue that is followed; None when nothing is to be sent there any more.

    A follower must have confirmed, or must be about to; a person must still want to be told.
    """
    if notice.recipient is Recipient.PERSON:
        sql = (
            "SELECT email, '' AS number FROM person WHERE id = :ref AND email IS NOT NULL AND notices = 'all' "
            "AND disabled_at IS NULL"
        )
    else:
        sql = (
            "SELECT f.email, i.number FROM follower f JOIN issue i ON i.id = f.issue_id "
            "WHERE f.issue_id = :follows AND f.id = :ref AND f.left_at IS NULL "
            f"AND (f.confirmed_at IS NULL) = {'true' if notice.kind is Kind.CONFIRM else 'false'}"
        )
    row = db.execute(text(sql), {"ref": notice.ref, "follows": notice.follows}).first()
    return None if row is None else (row.email, row.number)


def line(db: Session, issue_id: UUID, seq: int) -> Line | None:
    """A public line of an issue's history; None for an internal one."""
    row = db.execute(
        text(
            "SELECT at, action, to_state, actor, note FROM history "
            "WHERE issue_id = :issue AND seq = :seq AND NOT internal"
        ),
        {"issue": issue_id, "seq": seq},
    ).first()
    if row is None:
        return None
    return Line(row.at, row.action, IssueState(row.to_state) if row.to_state else None, row.actor, row.note)


def count(db: Session) -> Count:
    row = db.execute(
        text(
            f"SELECT (SELECT count(*) FROM notice WHERE {_WAITING}) AS waiting, "
            f"(SELECT min(created_at) FROM notice WHERE {_WAITING}) AS oldest, "
            "(SELECT count(*) FROM notice WHERE failed_at IS NOT NULL) AS failed"
        )
    ).one()
    return Count(row.waiting, row.oldest, row.failed)


def troubled(db: Session, *, limit: int, person: UUID | None = None) -> list[Failure]:
    """Notices that failed or were tried in vain, the newest first; of one person, or all. A follower stays nameless."""
    rows = db.execute(
        text(
            "SELECT i.number, n.kind, n.recipient, coalesce(p.login, '') AS who, n.tries, n.failed_at, n.error "
            "FROM notice n JOIN issue i ON i.id = n.issue_id LEFT JOIN person p ON p.id = n.ref "
            "WHERE n.sent_at IS NULL AND n.error <> '' AND (CAST(:person AS uuid) IS NULL OR n.ref = :person) "
            "ORDER BY coalesce(n.failed_at, n.claimed_at) DESC LIMIT :limit"
        ),
        {"limit": limit, "person": person},
    )
    return [
        Failure(row.number, Kind(row.kind), Recipient(row.recipient), row.who, row.tries, row.failed_at, row.error)
        for row in rows
    ]


def revive(db: Session, *, now: datetime) -> int:
    """Let what was given up be tried once more from the start; returns how many."""
    found = db.execute(
        text("UPDATE notice SET failed_at = NULL, tries = 0, not_before = :now WHERE failed_at IS NOT NULL"),
        {"now": now},
    )
    return int(found.rowcount)  # type: ignore[attr-defined]


def sweep(db: Session, *, now: datetime, sent: timedelta, failed: timedelta) -> int:
    """Forget what was sent or given up so long ago; returns how many."""
    gone = db.execute(
        text("DELETE FROM notice WHERE sent_at < :sent OR failed_at < :failed"),
        {"sent": now - sent, "failed": now - failed},
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _mark(db: Session, notice: Notice, change: str, **binds: Any) -> None:
    db.execute(
        text(f"UPDATE notice SET {change} WHERE issue_id = :issue AND id = :id AND {_WAITING}"),
        {"issue": notice.issue_id, "id": notice.id, **binds},
    )


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        row.issue_id, row.id, row.number, Kind(row.kind), Recipient(row.recipient), row.ref, row.follows, row.lang,
        row.payload, row.created_at, row.tries,
    )  # fmt: skip
