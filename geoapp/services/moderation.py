"""Moderation (审核): what residents send is looked at before the public sees it; and where nobody may report."""

from datetime import date, datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import shapely

from geoapp.domain.permissions import Right, communities_of, grants_for, may_anywhere
from geoapp.domain.values import Matter, Viewer
from geoapp.domain.workflow import Transition
from geoapp.errors import BadFile, BadInput, NotFound, NotYours, Refused
from geoapp.services import vectorfile
from geoapp.services.reports import check_words
from geoapp.store import abuse, cases, own, photos, reviews
from geoapp.store.abuse import Zone
from geoapp.store.reviews import Waiting
from geoapp.store.session import snapshot, transaction

__all__ = ["Waiting", "Zone", "block", "block_file", "count", "decide", "unblock", "waiting", "zones"]

MOST = 200
LONGEST_REASON = 200


def waiting(viewer: Viewer) -> tuple[list[Waiting], int]:
    """What waits for this viewer, the oldest first, at most ``MOST``, and how many in all; raises NotYours."""
    communities = _reach(viewer)
    with snapshot() as db:
        return reviews.waiting(db, communities, limit=MOST), reviews.count(db, communities)


def count(viewer: Viewer) -> int:
    """How many wait for this viewer; 0 for whoever may not decide."""
    if not may_anywhere(viewer, Right.RELEASE):
        return 0
    with snapshot() as db:
        return reviews.count(db, communities_of(viewer, Right.RELEASE))


def decide(viewer: Viewer, name: str, review: UUID, *, release: bool, now: datetime, zone: ZoneInfo) -> None:
    """Let the public see it, or not. Raises NotFound, NotYours, and Refused when somebody was faster."""
    with transaction() as db:
        standing = cases.read(db, name, viewer, zone, lock=True)
        if standing is None:
            raise NotFound("issue", name)
        case = standing.case
        if not (grants := grants_for(viewer, Right.RELEASE, case.subject)):
            raise NotYours("not_yours", "action")
        found = reviews.pending(db, case.id, review)
        if found is None:
            raise Refused("decided", "review")
        reviews.decide(
            db, case.id, found.matter, released=release, person=viewer.person, now=now, ref=found.ref
        )  # fmt: skip
        also = {}
        if found.matter is Matter.WORDS:
            also = {"text_released": (":released", {"released": release})}
        elif found.matter is Matter.REMARK:
            own.release_remark(db, case.id, found.ref, released=release, now=now)
        elif found.matter is Matter.RATING:
            own.release_reason(db, case.id, found.ref, released=release)
        elif release:
            photos.release(db, case.id, found.ref, now=now, person=viewer.person)
        else:
            photos.withdraw(db, case.id, found.ref, now=now)
        detail = {str(found.matter): release, "ref": str(found.ref)}
        line = Transition(Right.RELEASE, None, grants[0].role, "", detail, internal=True)
        cases.write(db, case, line, viewer=viewer, now=now, also=also)


def block(viewer: Viewer, area: bytes, reason: str, until: date | None) -> int:
    """Take no reports from the public on this land until a day; returns the zone's number.

    ``area`` is WKB in EPSG:4326. Raises NotYours and BadInput.
    """
    _administers(viewer)
    check_words("reason", reason, LONGEST_REASON)
    drawn = shapely.from_wkb(area)
    if drawn.geom_type not in {"Polygon", "MultiPolygon"} or drawn.is_empty or not drawn.is_valid:
        raise BadInput("area", "area")
    with transaction() as db:
        return abuse.add_zone(db, area, reason.strip(), until)


def block_file(viewer: Viewer, file: Path, reason: str, until: date | None) -> list[int]:
    """The same for every area of a file; raises BadFile too."""
    _administers(viewer)
    areas = [
        one
        for feature in vectorfile.read(file).features
        if (one := feature.geometry) is not None and one.geom_type in {"Polygon", "MultiPolygon"}
    ]
    if not areas:
        raise BadFile(file.name, "holds no area")
    return [block(viewer, bytes(shapely.to_wkb(one)), reason, until) for one in areas]


def unblock(viewer: Viewer, zone: int) -> None:
    """Raises NotYours, NotFound."""
    _administers(viewer)
    with transaction() as db:
        if not abuse.remove_zone(db, zone):
            raise NotFound("zone", str(zone))


def zones(viewer: Viewer) -> list[Zone]:
    _administers(viewer)
    with snapshot() as db:
        return abuse.zones(db)


def _reach(viewer: Viewer) -> frozenset[str] | None:
    if not may_anywhere(viewer, Right.RELEASE):
        raise NotYours("not_yours", "action")
    return communities_of(viewer, Right.RELEASE)


def _administers(viewer: Viewer) -> None:
    if not may_anywhere(viewer, Right.PEOPLE):
        raise NotYours("not_yours", "action")
