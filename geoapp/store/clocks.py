"""What the deadlines of issues are computed from, and where the running one is kept for lists."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.values import Event, IssueState


@dataclass(frozen=True, slots=True)
class Told:
    """An issue's category deadlines, as its file has them, and its changes of state, oldest first."""

    issue_id: UUID
    limits: dict[str, dict[str, int]]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Running:
    """The clock of an issue that lists sort by; an empty stage: nothing runs."""

    issue_id: UUID
    stage: str
    due_at: datetime | None
    paused: bool


def told(db: Session, *, only: UUID | None = None) -> Iterator[Told]:
    """One issue, or all that have not ended and whose deadlines are ours: an import's are its source's."""
    where = "i.id = :only" if only else "i.source NOT IN ('import', 'open311') AND i.ended_at IS NULL"
    rows = db.execute(
        text(
            "SELECT i.id, c.deadlines, h.at, h.action, h.to_state FROM issue i JOIN category c ON c.code = "
            "i.category_code JOIN history h ON h.issue_id = i.id WHERE h.to_state IS NOT NULL AND "
            f"{where} ORDER BY i.id, h.at, h.seq"
        ),
        {"only": only},
    )
    for issue_id, lines in groupby(rows, key=lambda row: row.id):
        found = list(lines)
        events = tuple(Event(line.at, line.action, IssueState(line.to_state)) for line in found)
        yield Told(issue_id, found[0].deadlines, events)


def keep(db: Session, running: Iterable[Running]) -> None:
    """Write the running clocks. It is no change of the issue: version and history stay."""
    rows: list[dict[str, Any]] = [
        {"id": one.issue_id, "stage": one.stage, "due": one.due_at, "paused": one.paused} for one in running
    ]
    if rows:
        db.execute(text("UPDATE issue SET stage = :stage, due_at = :due, paused = :paused WHERE id = :id"), rows)
