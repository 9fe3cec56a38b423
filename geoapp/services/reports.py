"""Reporting (上报): a resident's report becomes an issue, once, however often it is sent."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import shapely
from shapely.geometry.base import BaseGeometry

from geoapp.domain import abuse
from geoapp.domain import geometry as geo
from geoapp.domain import reports as rules
from geoapp.domain.abuse import HELD, Sender, Signs, Suspicion
from geoapp.domain.calendar import WorkCalendar
from geoapp.domain.permissions import Right, may
from geoapp.domain.reports import Reporter, Submission, fingerprint, stricter
from geoapp.domain.values import Point, Release, Role, Source, Viewer
from geoapp.errors import BadInput, NotFound, Refused, TooMany
from geoapp.services import clocks
from geoapp.store import abuse as counted
from geoapp.store import cases, locks, reports
from geoapp.store.locks import Lock
from geoapp.store.reports import Person
from geoapp.store.session import Db, directly, snapshot, transaction

__all__ = ["NOBODY", "Limits", "Person", "Receipt", "check_words", "reporters", "sound_extent", "submit", "witness"]

LARGEST_M2, LONGEST_M = 5_000_000.0, 20_000.0
"""An extent larger or longer than this is not one issue (square metres, metres)."""
FARTHEST_M = 20_000.0
MOST_VERTICES = 2_000
_KINDS = {"LineString", "MultiLineString", "Polygon", "MultiPolygon", "MultiPoint"}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a reporter is answered; the same, word for word, when the report is sent again."""

    id: UUID
    issue: UUID
    number: str
    reported_at: datetime
    replayed: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """Who sends, and how many reports an hour one network may send (0: no limit at all)."""

    sender: Sender
    per_hour: int


NOBODY = Limits(Sender(), 0)
"""For programs of our own: nothing is counted."""


def submit(
    viewer: Viewer, told: Submission, *, prefix: str, now: datetime, calendar: WorkCalendar, limits: Limits = NOBODY
) -> Receipt:
    """Make an issue of a report, in one transaction with who told it.

    Sent again, the same report is answered as before, stored once and counted once. Raises BadInput naming the field,
    TooMany beyond the limits, and Refused when another report has this id or nobody may report here.
    """
    today = now.astimezone(calendar.zone).date()
    told = replace(_sound(told), source=_source(viewer, told.source))
    with directly() as db:
        if not reports.one_at_a_time(db, told.id):
            # What is stored already need not wait until the boundaries are changed.
            if before := reports.told(db, told.id, told.id):
                return _again(before, fingerprint(told))
            locks.beside(db, Lock.BOUNDARIES)
        ground = reports.look(db, told, words=abuse.telling(told.title, told.text), now=now, today=today)
        if ground.taken:
            return _again(reports.told(db, told.id, told.id), fingerprint(told))
        if (known := ground.rule) is None:
            raise BadInput("category", "unknown", value=told.category[:40])
        looked = _look(db, viewer, told, ground.signs, limits, now=now)
        if viewer.is_public and ground.blocked is not None:
            raise Refused("blocked_zone", "lat", why=ground.blocked)
        released = known.release is Release.AT_ONCE and looked.score < HELD
        number = reports.store(
            db, told, ground, stricter(told.privacy, known.privacy), released=released, actor=_actor(viewer),
            person=viewer.person, prefix=prefix, at=now, told_as=fingerprint(told),
            waits=looked if not released and (told.title or told.text) else None,
            running=clocks.begun(told.id, ground.limits, calendar, now=now),
        )  # fmt: skip
    return Receipt(told.id, told.id, number, now, replayed=False)


def witness(
    viewer: Viewer, name: str, report_id: UUID, reporter: Reporter, *, now: datetime, calendar: WorkCalendar,
    limits: Limits = NOBODY,
) -> Receipt:  # fmt: skip
    """Say "me too": another who has seen the issue. Sent again, it counts once.

    Raises NotFound for an issue that this viewer may not see, BadInput naming the field, and Refused
    for an issue that has ended, or when another report has this id.
    """
    _check(reporter)
    with transaction() as db:
        standing = cases.read(db, name, viewer, calendar.zone, lock=True)
        if standing is None:
            raise NotFound("issue", name)
        case = standing.case
        if before := reports.told(db, case.id, report_id):
            return _again(before, fingerprint(reporter))
        if case.state.ended:
            raise Refused("has_ended", "name")
        _count(db, viewer, limits, contact=reporter.contact, point=None, now=now)
        reports.keep_witness(db, case.id, report_id, reporter, fingerprint(reporter), person=viewer.person, at=now)
        cases.tell(db, case.id, "witness", actor=_actor(viewer), person=viewer.person, at=now)
    return Receipt(report_id, case.id, standing.number, now, replayed=False)


def reporters(viewer: Viewer, name: str, *, zone: ZoneInfo) -> list[Person]:
    """Who told of an issue; nobody for a viewer without the right to know. Raises NotFound."""
    with snapshot() as db:
        standing = cases.read(db, name, viewer, zone)
        if standing is None:
            raise NotFound("issue", name)
        return reports.of_issue(db, standing.case.id) if may(viewer, Right.REPORTER, standing.case.subject) else []


def _look(db: Db, viewer: Viewer, told: Submission, signs: Signs, limits: Limits, *, now: datetime) -> Suspicion:
    """Count the report and look how suspicious it is; staff is neither counted nor suspected."""
    if not viewer.is_public:
        return Suspicion()
    known = _count(db, viewer, limits, contact=told.reporter.contact, point=told.point, now=now)
    return abuse.suspicion(told.title + told.text, replace(signs, known=known))


def _count(db: Db, viewer: Viewer, limits: Limits, *, contact: str, point: Point | None, now: datetime) -> bool:
    """Count what the public sends; returns whether the same phone has been counted before. Raises TooMany."""
    if not viewer.is_public:
        return False
    against = abuse.counters(limits.sender, contact=contact, point=point, per_hour=limits.per_hour)
    sent = counted.count(db, against, now=now)
    if sent.wait:
        raise TooMany("report", sent.wait)
    return sent.known


def _again(before: reports.Told | None, told_as: str) -> Receipt:
    if before is None or before.fingerprint != told_as:
        raise Refused("id_taken", "id")
    return Receipt(before.id, before.issue_id, before.number, before.at, replayed=True)


def _sound(told: Submission) -> Submission:
    """The report with its extent in one valid form; raises BadInput naming the field for what cannot be."""
    _check(told.reporter)
    for field, most in (
        ("title", rules.LONGEST_TITLE),
        ("text", rules.LONGEST_TEXT),
        ("address", rules.LONGEST_ADDRESS),
    ):
        check_words(field, getattr(told, field), most)
    if not (-180 <= told.point.lon <= 180):  # noqa: PLR2004 - degrees
        raise BadInput("lon", "longitude")
    if not (-geo.MAX_LATITUDE <= told.point.lat <= geo.MAX_LATITUDE):
        raise BadInput("lat", "latitude")
    if told.accuracy_m is not None and not 0 <= told.accuracy_m <= rules.MAX_ACCURACY_M:
        raise BadInput("accuracy_m", "between", low=0, high=int(rules.MAX_ACCURACY_M))
    return replace(told, extent=sound_extent(told.extent, told.point)) if told.extent else told


def sound_extent(wkb: bytes, point: Point) -> bytes:
    """An extent (WKB) in one valid form; raises BadInput for one that cannot belong to an issue at this place."""
    drawn: BaseGeometry = shapely.from_wkb(wkb)
    if drawn.geom_type not in _KINDS or shapely.get_num_coordinates(drawn) > MOST_VERTICES:
        raise BadInput("extent", "extent")
    if drawn.geom_type != "MultiPoint":
        drawn, _ = geo.repair(drawn, lines=drawn.geom_type.endswith("LineString"))
    if drawn.is_empty:
        raise BadInput("extent", "extent")
    west, south, east, north = drawn.bounds
    if not (-180 <= west <= east <= 180 and -geo.MAX_LATITUDE <= south <= north <= geo.MAX_LATITUDE):  # noqa: PLR2004
        raise BadInput("extent", "degrees")
    if geo.geodesic_area_m2(drawn) > LARGEST_M2 or geo.geodesic_length_m(drawn) > LONGEST_M:
        raise BadInput("extent", "extent_too_large")
    reach = shapely.LineString([(point.lon, point.lat), drawn.representative_point().coords[0]])
    if geo.geodesic_length_m(reach) > FARTHEST_M:
        raise BadInput("extent", "extent_elsewhere")
    return bytes(shapely.to_wkb(drawn))


def _check(reporter: Reporter) -> None:
    if not rules.KEY.fullmatch(reporter.key):
        raise BadInput("key", "key")
    check_words("name", reporter.name, rules.LONGEST_NAME)
    check_words("contact", reporter.contact, rules.LONGEST_CONTACT)
    if reporter.lang not in {"zh", "en"}:
        raise BadInput("lang", "one_of", value=reporter.lang[:10], choices="zh, en")


def check_words(field: str, told: str, most: int) -> None:
    """Raises BadInput for words that are too long, or hold what nobody can read."""
    if len(told) > most:
        raise BadInput(field, "too_long", most=most)
    if not told.replace("\n", "").isprintable():
        raise BadInput(field, "characters")


def _source(viewer: Viewer, said: Source) -> Source:
    """Who has no account is a resident, whatever is said; staff may say that a call or a patrol brought it."""
    if viewer.is_public:
        return Source.RESIDENT
    if said in {Source.PATROL, Source.HOTLINE}:
        return said
    return Source.STEWARD if viewer.has(Role.STEWARD) else Source.PATROL


def _actor(viewer: Viewer) -> str:
    return str(Role.RESIDENT if viewer.is_public else viewer.grants[0].role)
