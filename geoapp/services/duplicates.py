"""Which issues may be the same as a report that is being written, or as an issue that there is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from geoapp.domain.duplicates import THRESHOLD, WIDE_M, Likeness, Report, compare, ranked
from geoapp.domain.values import CategoryKind, Point, Viewer
from geoapp.errors import BadInput, NotFound
from geoapp.store import duplicates, issues, photos
from geoapp.store.duplicates import Around
from geoapp.store.issues import IssueRow
from geoapp.store.photos import Photo
from geoapp.store.session import snapshot

__all__ = ["MOST", "THRESHOLD", "Candidate", "near", "of_issue"]

MOST = 10
CLOSEST = 200
"""So many of the nearest issues are compared: more than are ever reported within one reach."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An issue that may be the same, and why."""

    row: IssueRow
    likeness: Likeness
    photo: Photo | None = None
    """The first that the public may see."""


def near(
    viewer: Viewer, point: Point, category: str | None, text: str, *, now: datetime, leave_out: UUID | None = None
) -> tuple[Candidate, ...]:
    """What a report of this moment may repeat, the most alike first, at most ``MOST``.

    Raises BadInput for a category that there is not. Without one, place and words alone are compared.
    """
    with snapshot() as db:
        found = duplicates.category(db, category) if category else (frozenset[str](), CategoryKind.OTHER)
        if found is None:
            raise BadInput("category", "unknown", value=category)
        path, kind = found
        told = Report(path, category or "", kind, reported_at=now, words=text)
        around = duplicates.around(db, point, viewer, beside=told, reach_m=WIDE_M, leave_out=leave_out, limit=CLOSEST)
        likely = _likely(told, around, now)
        rows, shown = issues.some(db, list(likely), viewer), photos.firsts(db, list(likely))
    return tuple(Candidate(rows[name], likeness, shown.get(name)) for name, likeness in likely.items())


def of_issue(viewer: Viewer, name: str, *, now: datetime) -> tuple[Candidate, ...]:
    """What an issue, by number or id, may repeat; raises NotFound also for one that this viewer may not see."""
    with snapshot() as db:
        placed = duplicates.placed(db, name, viewer)
        if placed is None:
            raise NotFound("issue", name)
        around = duplicates.around(
            db, placed.point, viewer, beside=placed.report, reach_m=WIDE_M, leave_out=placed.id, limit=CLOSEST
        )
        likely = _likely(placed.report, around, now)
        rows, shown = issues.some(db, list(likely), viewer), photos.firsts(db, list(likely))
    return tuple(Candidate(rows[name], likeness, shown.get(name)) for name, likeness in likely.items())


def _likely(told: Report, around: Iterable[Around], now: datetime) -> dict[UUID, Likeness]:
    """The most alike first."""
    compared = [(one.id, compare(told, one.report, distance_m=one.distance_m, now=now)) for one in around]
    return dict(ranked(compared, most=MOST))
