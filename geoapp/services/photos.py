"""Photos of an issue: added by whoever works on it, seen by the public only after somebody released them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from geoapp.domain.permissions import Right, grants_for
from geoapp.domain.values import Matter, Phase, Point, Viewer
from geoapp.domain.workflow import Transition
from geoapp.errors import BadInput, NotFound, NotYours
from geoapp.store import cases, issues, photos, reviews
from geoapp.store.cases import Standing
from geoapp.store.photos import MAX_BYTES, ORIGINAL, SIZES, THUMB_PX, Photo, Region
from geoapp.store.session import Session, snapshot, transaction

__all__ = [
    "MAX_BYTES",
    "ORIGINAL",
    "SIZES",
    "THUMB_PX",
    "Added",
    "Photo",
    "Region",
    "add",
    "file_of",
    "look",
    "of_issue",
    "redact",
    "release",
    "sweep",
    "withdraw",
]

LONGEST_CAPTION = 200
MOST_BOXES = 40


@dataclass(frozen=True, slots=True)
class Added:
    """The photo, and the place its camera noted: offered once, kept nowhere."""

    photo: Photo
    place: Point | None


def add(
    viewer: Viewer, name: str, raw: bytes, *, phase: str, caption: str, folder: Path, now: datetime, zone: ZoneInfo
) -> Added:
    """Add a photo to an issue. Raises NotFound, NotYours, and BadInput naming what is wrong with it."""
    if phase not in set(Phase):
        raise BadInput("phase", "one_of", value=phase[:40], choices=", ".join(Phase))
    if len(caption) > LONGEST_CAPTION or not caption.isprintable():
        raise BadInput("caption", "too_long", most=LONGEST_CAPTION)
    with snapshot() as db:
        _allowed(db, viewer, name, Right.PHOTO, zone)
    # Developed outside of the transaction: a decoder must not hold a row's lock.
    done = photos.develop(folder, raw)
    photo = Photo(uuid4(), done.sha256, Phase(phase), done.width, done.height, caption.strip(), now, released=False)
    with transaction() as db:
        standing, line = _allowed(db, viewer, name, Right.PHOTO, zone, lock=True)
        photos.add(db, standing.case.id, photo, viewer.person)
        _tell(db, viewer, standing, line, photo, now=now)
    place = Point(done.lon, done.lat) if done.lon is not None and done.lat is not None else None
    return Added(photo, place)


def release(viewer: Viewer, name: str, photo: UUID, *, now: datetime, zone: ZoneInfo) -> None:
    """Let the public see a photo; releasing twice is releasing once. Raises NotFound and NotYours."""
    _change(viewer, name, photo, now=now, zone=zone, withdrawn=False)


def withdraw(viewer: Viewer, name: str, photo: UUID, *, now: datetime, zone: ZoneInfo) -> None:
    """Take a photo out of everybody's sight. Raises NotFound and NotYours."""
    _change(viewer, name, photo, now=now, zone=zone, withdrawn=True)


def of_issue(viewer: Viewer, name: str, *, zone: ZoneInfo) -> list[Photo]:
    """The photos that this viewer may see; raises NotFound for an issue that is not there for them."""
    with snapshot() as db:
        detail = issues.get(db, name, viewer, zone)
        if detail is None:
            raise NotFound("issue", name)
        return photos.of_issue(db, detail.row.id, unreleased=detail.row.in_full)


def file_of(viewer: Viewer, name: str, photo: UUID, size: str, *, folder: Path, zone: ZoneInfo) -> tuple[Path, Photo]:
    """Where the file lies; raises NotFound for what this viewer may not see."""
    with snapshot() as db:
        detail = issues.get(db, name, viewer, zone)
        found = photos.get(db, detail.row.id, photo, unreleased=detail.row.in_full) if detail else None
    if detail and found and size == ORIGINAL and detail.row.in_full:
        return photos.path(folder, found.original_sha256 or found.sha256, "large"), found
    if found is None or size not in SIZES:
        raise NotFound("photo", str(photo))
    return photos.path(folder, found.sha256, size), found


def look(folder: Path, raw: bytes) -> Point | None:
    """The place that a photo's camera noted, before anybody has reported anything; raises BadInput, Unavailable."""
    done = photos.develop(folder, raw)
    return Point(done.lon, done.lat) if done.lon is not None and done.lat is not None else None


def redact(
    viewer: Viewer, name: str, photo: UUID, boxes: list[Region], *, folder: Path, now: datetime, zone: ZoneInfo
) -> None:
    """Make faces and plates unrecognisable: rectangles as shares of the photo; none at all gives the original back.

    The original stays for staff. Raises NotFound, NotYours and BadInput.
    """
    if len(boxes) > MOST_BOXES:
        raise BadInput("boxes", "too_many", most=MOST_BOXES)
    if not all(0 <= left < 1 and 0 <= top < 1 and 0 < width <= 1 and 0 < height <= 1
               for left, top, width, height in boxes):  # fmt: skip
        raise BadInput("boxes", "boxes")
    with transaction() as db:
        standing, line = _allowed(db, viewer, name, Right.RELEASE, zone, lock=True)
        found = photos.get(db, standing.case.id, photo, unreleased=True)
        if found is None:
            raise NotFound("photo", str(photo))
        if tuple(boxes) != found.boxes:
            photos.replace(db, standing.case.id, found, photos.redact(folder, found, boxes), boxes)
            told = Transition(
                line.action, None, line.actor, "", {"photo": str(photo), "boxes": len(boxes)}, internal=True
            )
            cases.write(db, standing.case, told, viewer=viewer, now=now)


def sweep(folder: Path, *, now: datetime) -> int:
    """Remove files that no photo names any more; returns how many."""
    with snapshot() as db:
        return photos.sweep(db, folder, now=now)


def _change(viewer: Viewer, name: str, photo: UUID, *, now: datetime, zone: ZoneInfo, withdrawn: bool) -> None:
    with transaction() as db:
        standing, line = _allowed(db, viewer, name, Right.RELEASE, zone, lock=True)
        found = photos.get(db, standing.case.id, photo, unreleased=True)
        if found is None:
            raise NotFound("photo", str(photo))
        changed = (
            photos.withdraw(db, standing.case.id, photo, now=now)
            if withdrawn
            else photos.release(db, standing.case.id, photo, now=now, person=viewer.person)
        )
        reviews.decide(
            db, standing.case.id, Matter.PHOTO, released=not withdrawn, person=viewer.person, now=now, ref=photo
        )
        if changed:
            _tell(db, viewer, standing, line, found, now=now, withdrawn=withdrawn)


def _allowed(
    db: Session, viewer: Viewer, name: str, right: Right, zone: ZoneInfo, *, lock: bool = False
) -> tuple[Standing, Transition]:
    standing = cases.read(db, name, viewer, zone, lock=lock)
    if standing is None:
        raise NotFound("issue", name)
    if not (grants := grants_for(viewer, right, standing.case.subject)):
        raise NotYours("not_yours", "action")
    return standing, Transition(right, None, grants[0].role, "", internal=True)


def _tell(
    db: Session, viewer: Viewer, standing: Standing, line: Transition, photo: Photo, *, now: datetime,
    withdrawn: bool = False,
) -> None:  # fmt: skip
    detail = {"photo": str(photo.id), "phase": str(photo.phase)} | ({"withdrawn": True} if withdrawn else {})
    told = Transition(line.action, None, line.actor, "", detail, internal=True)
    cases.write(db, standing.case, told, viewer=viewer, now=now)
