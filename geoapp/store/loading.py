"""Putting indexes aside while more issues come than there are: to build them after is several times as quick.

Nobody can read issues until the transaction ends, which is why it is done only where there are few to be read.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.orm import Session

MANY = 20_000
_MEMORY = "256MB"
_INDEXES = """
    SELECT c.relname AS name, pg_get_indexdef(c.oid) AS made
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid IN (CAST('issue' AS regclass), CAST('history' AS regclass)) AND NOT i.indisprimary
    ORDER BY c.relname
"""
_KEYS = """
    SELECT conname AS name, pg_get_constraintdef(oid) AS made FROM pg_constraint
    WHERE conrelid = CAST('history' AS regclass) AND contype IN ('f', 'p') ORDER BY contype DESC
"""


def outweighs(db: Session, coming: int) -> bool:
    """Whether so many new issues are many, and more than there are."""
    if coming < MANY:
        return False
    held = text("SELECT count(*) FROM (SELECT FROM issue LIMIT :coming) AS held")
    return int(db.execute(held, {"coming": coming}).scalar_one()) < coming


@contextmanager
def indexes_after(db: Session) -> Iterator[None]:
    """Without the indexes of issues, and the keys of their histories, for as long as the block lasts."""
    indexes, keys = db.execute(text(_INDEXES)).all(), db.execute(text(_KEYS)).all()
    for index in indexes:
        db.execute(text(f"DROP INDEX {index.name}"))
    for key in keys:
        db.execute(text(f"ALTER TABLE history DROP CONSTRAINT {key.name}"))
    yield
    db.execute(text(f"SET LOCAL maintenance_work_mem = '{_MEMORY}'"))
    for index in indexes:
        db.execute(text(index.made))
    for key in reversed(keys):
        db.execute(text(f"ALTER TABLE history ADD CONSTRAINT {key.name} {key.made}"))
