"""What happened lately to issues that somebody may see: the lines behind the feeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geoapp.domain.values import ANONYMOUS, Circle, IssueFilter, IssueState
from geoapp.store.condition import condition

_COLUMNS = "h.issue_id, h.seq, h.at, h.action, h.to_state, h.actor, h.note"


@dataclass(frozen=True, slots=True)
class NewsLine:
    """A public line of an issue's history; ``seq`` is its number there, which never changes."""

    issue_id: UUID
    seq: int
    at: datetime
    action: str
    to_state: IssueState | None
    actor: str
    note: str


def latest(
    db: Session,
    wanted: IssueFilter,
    circle: Circle | None,
    *,
    since: datetime,
    now: datetime,
    zone: ZoneInfo,
    limit: int,
) -> list[NewsLine]:
    """The latest public lines, the newest first, of the issues that match; not how verdicts were computed anew.

    An index in the order of time leads; ``since`` keeps a filter that matches little from reading through the years.
    """
    where, binds = condition(db, wanted, ANONYMOUS, zone=zone)
    if circle:
        # The public place alone: a circle drawn closer and closer must not find what is blurred.
        where += (
            " AND ST_DWithin(i.public_geom::geography, ST_SetSRID(ST_MakePoint(:circle_lon, :circle_lat), 4326)"
            "::geography, :radius)"
        )
        binds |= {"circle_lon": circle.centre.lon, "circle_lat": circle.centre.lat, "radius": circle.radius_m}
    return _lines(
        db.execute(
            text(
                f"SELECT {_COLUMNS} FROM history h JOIN issue i ON i.id = h.issue_id "
                "WHERE NOT h.internal AND h.action <> 'judge' AND h.at > :news_since AND h.at <= :news_until "
                f"AND {where} ORDER BY h.at DESC, h.issue_id, h.seq DESC LIMIT :limit"
            ),
            binds | {"news_since": since, "news_until": now, "limit": limit},
        ).all()
    )


def of_issue(db: Session, issue_id: UUID, *, limit: int) -> list[NewsLine]:
    """The public lines of one issue, the newest first; the caller knows that it is public."""
    return _lines(
        db.execute(
            text(
                f"SELECT {_COLUMNS} FROM history h WHERE h.issue_id = :id AND NOT h.internal "
                "ORDER BY h.at DESC, h.seq DESC LIMIT :limit"
            ),
            {"id": issue_id, "limit": limit},
        ).all()
    )


def _lines(rows: Sequence[Row[Any]]) -> list[NewsLine]:
    return [
        NewsLine(
            row.issue_id, row.seq, row.at, row.action, IssueState(row.to_state) if row.to_state else None, row.actor,
            row.note,
        )
        for row in rows
    ]  # fmt: skip
