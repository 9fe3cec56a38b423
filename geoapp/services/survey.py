"""The survey map of whoever looks after a place: its issues in full, what has changed, where one was before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from geoapp.domain import workflow
from geoapp.domain.permissions import Sight, sight
from geoapp.domain.values import Box, IssueFilter, Viewer
from geoapp.store import census, places, survey, visits
from geoapp.store.session import snapshot
from geoapp.store.survey import Moved, PastVisit, SurveyRow

__all__ = ["Moved", "PastVisit", "Survey", "SurveyRow", "home", "look", "past"]

MOST = 5000
"""So many issues are drawn at once; of more, the newest, and the answer says how many there are."""
MOST_VISITS = 200
LOOK_BACK = timedelta(days=30)
"""What counts as lately for whoever has not been there yet."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Issues in full, how many match in all, and since when ``SurveyRow.since`` tells (UTC).

    ``visited``: that moment is the end of the viewer's own last visit there.
    """

    rows: list[SurveyRow]
    matched: int
    since: datetime
    visited: bool


def look(
    viewer: Viewer, wanted: IssueFilter, *, zone: ZoneInfo, now: datetime, since: datetime | None = None
) -> Survey:
    """The issues that the viewer's grants reach, of a filter; nothing of any other.

    ``since`` None: the end of the viewer's own last visit to these communities, else the last thirty days.
    """
    own = replace(wanted, duties=workflow.realm(viewer))
    with snapshot() as db:
        last = None if since else visits.last_ended(db, viewer, wanted.communities)
        after = since or last or _days_ago(now, zone)
        matched = census.count(db, own, viewer, zone)
        rows = survey.issues(db, own, viewer, zone=zone, since=after, now=now, limit=MOST)
    return Survey(rows, matched, after, last is not None)


def past(viewer: Viewer) -> Sequence[PastVisit]:
    """The latest visits that have ended where the viewer sees everything."""
    with snapshot() as db:
        return survey.past_visits(db, sight(viewer), limit=MOST_VISITS)


def home(viewer: Viewer, *, now: datetime) -> Box | None:
    """What the viewer's own communities take up; None for whoever looks after the whole place, or none."""
    known: Sight = sight(viewer)
    if not known.communities:
        return None
    with snapshot() as db:
        return places.extent_of(db, sorted(known.communities), now.date())


def _days_ago(now: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(now.astimezone(zone).date() - LOOK_BACK, time(), zone)
