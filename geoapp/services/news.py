"""What happened lately, for whoever reads the feeds: the public, whoever asks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from geoapp.domain.values import ANONYMOUS, Circle, IssueFilter
from geoapp.errors import NotFound
from geoapp.store import issues, news
from geoapp.store.issues import IssueRow
from geoapp.store.news import NewsLine
from geoapp.store.session import snapshot

__all__ = ["Entry", "IssueRow", "NewsLine", "latest", "of_issue"]

LOOK_BACK = timedelta(days=30)
MOST, MOST_OF_ONE = 50, 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One line and the issue to which it happened, both as the public may see them."""

    line: NewsLine
    row: IssueRow


def latest(wanted: IssueFilter, circle: Circle | None, *, now: datetime, zone: ZoneInfo) -> list[Entry]:
    """At most ``MOST`` of the last thirty days, the newest first."""
    with snapshot() as db:
        lines = news.latest(db, wanted, circle, since=now - LOOK_BACK, now=now, zone=zone, limit=MOST)
        rows = issues.some(db, list({line.issue_id for line in lines}), ANONYMOUS)
    return [Entry(line, rows[line.issue_id]) for line in lines]


def of_issue(name: str, *, zone: ZoneInfo) -> tuple[IssueRow, list[Entry]]:
    """An issue and its public history, the newest line first; raises NotFound for one that is not public."""
    with snapshot() as db:
        detail = issues.get(db, name, ANONYMOUS, zone)
        if detail is None:
            raise NotFound("issue", name)
        lines = news.of_issue(db, detail.row.id, limit=MOST_OF_ONE)
    return detail.row, [Entry(line, detail.row) for line in lines]
