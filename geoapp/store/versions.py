"""Versions of the data: counted by the transaction that changes it, read before anything else for an ETag.

Issues have theirs by area and without a row that all writers would wait for: store.counts keeps them.
"""

from typing import Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

Part = Literal["counts", "places", "layers", "roads"]


def bump(db: Session, part: Part) -> None:
    """Count a change of ``part``; its row stays locked until commit, so versions and data are seen together."""
    db.execute(
        text(
            "INSERT INTO data_version (part, version) VALUES (:part, 1) "
            "ON CONFLICT (part) DO UPDATE SET version = data_version.version + 1"
        ),
        {"part": part},
    )


def current(db: Session) -> dict[str, int]:
    return {row.part: row.version for row in db.execute(text("SELECT part, version FROM data_version"))}
