"""The paper board by the gate: what is open in a community, what was solved in a month; and outlines for drawings."""

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from geoapp.domain.values import ANONYMOUS, Box, IssueFilter, StateGroup, states_of
from geoapp.errors import NotFound
from geoapp.services import issues as reading
from geoapp.store import issues, outlines, photos
from geoapp.store.issues import IssueRow
from geoapp.store.outlines import Outline
from geoapp.store.photos import Photo
from geoapp.store.session import snapshot

__all__ = ["Board", "IssueRow", "Outline", "around", "board"]

MOST = 14
"""So many of each kind find room on a sheet."""
PAIRS = 2


@dataclass(frozen=True, slots=True)
class Board:
    """A sheet for a month. ``open`` is by the nearest deadline; ``pairs`` are photos before and after, by number."""

    box: Box
    outlines: list[Outline]
    open: list[IssueRow]
    open_total: int
    solved: list[IssueRow]
    solved_total: int
    pairs: dict[str, tuple[Photo, Photo]]


def board(community: str, month: date, *, day: date, zone: ZoneInfo) -> Board:
    """What the public may know of a community and a month; ``month`` is its first day. Raises NotFound."""
    after = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    with snapshot() as db:
        box = outlines.extent(db, community, day=day)
        if box is None:
            raise NotFound("community", community)
        drawn = outlines.within(db, box, day=day)
        since, until = (datetime.combine(one, time(), zone) for one in (month, after))
        ids = outlines.ended(db, community, since=since, until=until)
        rows = issues.some(db, ids[:MOST], ANONYMOUS)
        pairs: dict[str, tuple[Photo, Photo]] = {}
        for one in ids[:MOST]:
            shown = photos.of_issue(db, one, unreleased=False)
            before = [photo for photo in shown if photo.phase == "before"]
            done = [photo for photo in shown if photo.phase == "after"]
            if before and done and len(pairs) < PAIRS:
                pairs[rows[one].number] = (before[0], done[-1])
    wanted = IssueFilter(communities=(community,), states=(*states_of(StateGroup.OPEN), *states_of(StateGroup.IN_WORK)))
    found = reading.search(ANONYMOUS, wanted, zone=zone, limit=MOST, by_deadline=True)
    solved = [rows[one] for one in ids[:MOST] if one in rows]
    return Board(box, drawn, found.rows, found.matched, solved, len(ids), pairs)


def around(box: Box, *, day: date) -> list[Outline]:
    """The boundaries in a box, for a small drawing."""
    with snapshot() as db:
        return outlines.within(db, box, day=day)
