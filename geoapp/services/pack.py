"""The field pack: all that a first secretary needs of a visit where there is no signal, read from one moment."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from geoapp.domain.fieldwork import Base
from geoapp.domain.values import Point, Viewer
from geoapp.errors import NotFound
from geoapp.services import issues, unclear, visits
from geoapp.services.fieldwork import Journal, journal
from geoapp.services.issues import Case
from geoapp.services.unclear import Piece
from geoapp.services.visits import StopRow, VisitDetail
from geoapp.store import cases, fieldwork, photos
from geoapp.store.photos import Photo
from geoapp.store.session import snapshot

__all__ = ["Pack", "PackedPhoto", "PackedStop", "gather", "places"]

LARGE_PHOTOS = 2
"""So many photos of an issue come along in full; of the others the small picture."""


@dataclass(frozen=True, slots=True)
class PackedPhoto:
    """A photo that comes along: in which size, and of how many bytes."""

    photo: Photo
    size: str
    bytes: int


@dataclass(frozen=True, slots=True)
class PackedStop:
    """A stop with its issue in full, what of it the phone knows (``base``), and the unclear land about it."""

    stop: StopRow | None
    case: Case
    base: Base
    pieces: tuple[Piece, ...]
    photos: tuple[PackedPhoto, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """A visit, its stops in order, what was found on the way, and what has been recorded so far."""

    visit: VisitDetail
    stops: tuple[PackedStop, ...]
    journal: Journal
    made_at: datetime


def gather(viewer: Viewer, visit: UUID, *, folder: Path, now: datetime, zone: ZoneInfo) -> Pack:
    """Everything of a visit; raises NotFound. Ones that do not fit into its time come last: one may pass by."""
    detail = visits.get(viewer, visit)
    written = journal(viewer, visit)
    known = {one.issue.id: one for one in detail.stops}
    found = [one.issue for one in written.records if one.kind == "issue" and one.issue not in known]
    stops = [_stop(viewer, one, known.get(one), folder=folder, now=now, zone=zone) for one in [*known, *found]]
    return Pack(detail, tuple(filter(None, stops)), written, now)


def places(viewer: Viewer, visit: UUID) -> list[Point]:
    """Where a visit leads, for the map that comes along; raises NotFound."""
    detail = visits.get(viewer, visit)
    ends = [detail.visit.start, *([detail.visit.end] if detail.visit.end else [])]
    return [*ends, *(Point(one.issue.lon, one.issue.lat) for one in detail.stops)]


def _stop(
    viewer: Viewer, issue: UUID, stop: StopRow | None, *, folder: Path, now: datetime, zone: ZoneInfo
) -> PackedStop | None:
    # What it was made from is read first: a change between the two is told as a conflict, never lost.
    with snapshot() as db:
        standing = cases.read(db, str(issue), viewer, zone)
        if standing is None:
            return None
        base = Base(standing.version, fieldwork.seq_of(db, issue))
    try:
        case = issues.get(viewer, str(issue), zone=zone)
    except NotFound:
        return None
    row = case.detail.row
    pieces = unclear.around(viewer, Point(row.lon, row.lat), row.category, now=now, zone=zone)
    return PackedStop(stop, case, base, tuple(pieces[:4]), tuple(_photos(case.photos, folder)))


def _photos(shown: tuple[Photo, ...], folder: Path) -> list[PackedPhoto]:
    newest = {one.id for one in sorted(shown, key=lambda one: one.added_at)[-LARGE_PHOTOS:]}
    found = []
    for one in shown:
        size = "large" if one.id in newest else "small"
        file = photos.path(folder, one.sha256, size)
        if file.is_file():
            found.append(PackedPhoto(one, size, file.stat().st_size))
    return found
