"""Who may write at the same time: advisory locks that are held until commit.

Whoever changes boundaries works alone; whoever stores issues does so beside others, but not while
boundaries change, or an issue would keep a verdict by boundaries that are gone.
"""

from enum import IntEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.store import session
from geoapp.store.session import Db, Statement


class Lock(IntEnum):
    BOUNDARIES = 20_261_125
    IMPORTS = 20_261_126
    NOTICES = 20_261_127
    COUNTS = 20_261_128
    ROADS = 20_261_140


def alone(db: Session, lock: Lock) -> None:
    db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": int(lock)})


def beside(db: Db, lock: Lock) -> None:
    """Together with others who take it so, but not with one who wants it alone."""
    session.rows(db, _BESIDE, {"lock": int(lock)})


_BESIDE = Statement("SELECT pg_advisory_xact_lock_shared(CAST(:lock AS bigint))")


def try_alone(db: Session, lock: Lock) -> bool:
    """As ``alone``, but without waiting; False when somebody else has it."""
    return bool(db.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": int(lock)}).scalar())


def try_own(db: Session, lock: Lock, name: UUID) -> bool:
    """Take one thing for this connection, beyond the transaction; False when another connection has it.

    The server gives it back by itself when the connection ends, also with ``kill -9`` of whoever held it.
    """
    return bool(db.execute(text(f"SELECT pg_try_advisory_lock({_NAMED})"), {"lock": int(lock), "name": name}).scalar())


def give_back(db: Session, lock: Lock, name: UUID) -> None:
    db.execute(text(f"SELECT pg_advisory_unlock({_NAMED})"), {"lock": int(lock), "name": name})


_NAMED = "hashtextextended(CAST(CAST(:name AS uuid) AS text), :lock)"
