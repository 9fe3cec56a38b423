"""Who may write at the same time: advisory locks that are held until commit.

Whoever changes boundaries works alone; whoever stores issues does so beside others, but not while
boundaries change, or an issue would keep a verdict by boundaries that are gone.
"""

from enum import IntEnum

from sqlalchemy import text
from sqlalchemy.orm import Session


class Lock(IntEnum):
    BOUNDARIES = 20_261_125
    IMPORTS = 20_261_126


def alone(db: Session, lock: Lock) -> None:
    db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": int(lock)})


def beside(db: Session, lock: Lock) -> None:
    """Together with others who take it so, but not with one who wants it alone."""
    db.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": int(lock)})
