"""Reading issues: the list, one of them, all of them as a table, and their number."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from geoapp.domain.responsibility import Verdict, judge, tolerance_m
from geoapp.domain.values import IssueFilter, Point, Viewer
from geoapp.errors import BadInput, NotFound
from geoapp.store import census, issues, issuetexts, own, photos, places
from geoapp.store.issues import HistoryRow, IssueDetail, IssueRow
from geoapp.store.issuetexts import Said
from geoapp.store.own import Ratings, RemarkRow
from geoapp.store.photos import Photo
from geoapp.store.session import snapshot

__all__ = [
    "Case",
    "HistoryRow",
    "IssueDetail",
    "IssueRow",
    "Page",
    "Said",
    "Texts",
    "count",
    "every",
    "get",
    "search",
    "search_texts",
]


@dataclass(frozen=True, slots=True)
class Page:
    """Some issues, how many match in all, and the token to ask for the rest (None at the end)."""

    rows: list[IssueRow]
    matched: int
    after: str | None


@dataclass(frozen=True, slots=True)
class Texts:
    """A page whose issues are texts of GeoJSON features, with commas between them."""

    features: bytes
    returned: int
    matched: int
    after: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """An issue with the verdict over its place by the boundaries of the day it was judged, and its photos in order."""

    detail: IssueDetail
    verdict: Verdict
    photos: tuple[Photo, ...]
    remarks: tuple[RemarkRow, ...] = ()
    ratings: Ratings = field(default_factory=Ratings)


def search(
    viewer: Viewer,
    wanted: IssueFilter,
    *,
    zone: ZoneInfo,
    limit: int,
    after: str | None = None,
    by_deadline: bool = False,
) -> Page:
    """Newest first, or the nearest deadline first.

    Raises BadInput for a token that is not ours, NotFound for a code that nothing has.
    """
    with snapshot() as db:
        matched = census.count(db, wanted, viewer, zone)
        try:
            rows, token = issues.page(
                db, wanted, viewer, zone=zone, limit=limit, after=after, by_deadline=by_deadline, matched=matched
            )
        except ValueError:
            raise BadInput("after", "token") from None
        return Page(rows, matched, token)


def search_texts(
    viewer: Viewer,
    wanted: IssueFilter,
    *,
    said: Said,
    zone: ZoneInfo,
    limit: int,
    after: str | None = None,
    by_deadline: bool = False,
) -> Texts:
    """As ``search``, the issues as texts of GeoJSON features."""
    with snapshot() as db:
        matched = census.count(db, wanted, viewer, zone)
        try:
            texts, returned, token = issuetexts.page_texts(
                db, wanted, viewer, said=said, zone=zone, limit=limit, after=after, by_deadline=by_deadline,
                matched=matched,
            )  # fmt: skip
        except ValueError:
            raise BadInput("after", "token") from None
        return Texts(texts, returned, matched, token)


def count(viewer: Viewer, wanted: IssueFilter, *, zone: ZoneInfo) -> int:
    with snapshot() as db:
        return census.count(db, wanted, viewer, zone)


def every(viewer: Viewer, wanted: IssueFilter, *, zone: ZoneInfo) -> Iterator[IssueRow]:
    """All matching issues from one snapshot, streamed."""
    with snapshot() as db:
        yield from issues.every(db, wanted, viewer, zone=zone)


def get(viewer: Viewer, name: str, *, zone: ZoneInfo) -> Case:
    """An issue by number or id; raises NotFound also for one that this viewer may not see."""
    with snapshot() as db:
        detail = issues.get(db, name, viewer, zone)
        if detail is None:
            raise NotFound("issue", name)
        hits = places.hits(
            db,
            Point(detail.row.lon, detail.row.lat),
            category=detail.row.category,
            tolerance=tolerance_m(detail.accuracy_m),
            day=detail.judged_on,
        )
        shown = photos.of_issue(db, detail.row.id, unreleased=detail.row.in_full)
        added = own.remarks(db, detail.row.id, unreleased=detail.row.in_full)
        ratings = own.ratings(db, detail.row.id)
    return Case(detail, judge(hits), tuple(shown), tuple(added), ratings)
