"""Proving the history: every chain is walked, and what was tampered with is named."""

from dataclasses import dataclass

from geoapp.domain.values import Viewer
from geoapp.store import history
from geoapp.store.history import Break
from geoapp.store.session import bulk

__all__ = ["Audit", "Break", "verify"]


@dataclass(frozen=True, slots=True)
class Audit:
    """How many rows were read, and the issues (at most a hundred) whose history is not what was written."""

    rows: int
    breaks: tuple[Break, ...]


def verify(viewer: Viewer) -> Audit:  # noqa: ARG001 - whoever holds the command line may
    with bulk() as db:
        rows, breaks = history.verify(db)
    return Audit(rows, tuple(breaks))
