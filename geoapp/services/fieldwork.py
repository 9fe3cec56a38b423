"""What a phone brings back from a site visit (现场办公): stored exactly once, each record by itself.

Why an envelope beside each record? It is what makes sending twice recording once, and it keeps what could not be
applied because somebody had changed the issue meanwhile, until a person decides between the two.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry

from geoapp.domain import fieldwork as rules
from geoapp.domain.calendar import WorkCalendar
from geoapp.domain.fieldwork import Base, Change, CheckIn, Fate, Finding, Kind, Signature, Told, Wrong
from geoapp.domain.permissions import Right, grants_for
from geoapp.domain.reports import Submission
from geoapp.domain.values import Phase, Viewer
from geoapp.domain.workflow import Transition
from geoapp.errors import BadInput, Conflict, NotFound, NotYours, Refused
from geoapp.services import reports, settlements
from geoapp.services.settlements import Draft
from geoapp.store import cases, editing, fieldwork, locks, photos, visits
from geoapp.store.cases import Standing
from geoapp.store.fieldwork import Arrival, Found, Recorded, Signed
from geoapp.store.locks import Lock
from geoapp.store.photos import MAX_BYTES, Photo
from geoapp.store.session import Session, bulk, snapshot, transaction

__all__ = [
    "MAX_BYTES", "Answer", "Arrival", "Clash", "Extent", "Found", "Journal", "Recorded", "Settling", "Signed", "Snap",
    "clash", "decide", "journal", "record", "tick",
]  # fmt: skip

LONGEST_CAPTION = 200
MOST_AHEAD = rules.FURTHEST_AHEAD


@dataclass(frozen=True, slots=True)
class Snap:
    """A photo as a phone sends it."""

    raw: bytes
    phase: Phase
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Extent:
    """An extent as it was drawn anew on site."""

    drawn: BaseGeometry


@dataclass(frozen=True, slots=True)
class Settling:
    """A settlement on site, signed by those present."""

    draft: Draft
    signatures: tuple[Signature, ...]


What = CheckIn | Finding | Snap | Extent | Settling | Submission


@dataclass(frozen=True, slots=True)
class Answer:
    """What a phone is told of a record. ``replayed``: it had been stored before."""

    id: UUID
    issue: UUID
    number: str
    fate: Fate
    meanwhile: bool
    replayed: bool


@dataclass(frozen=True, slots=True)
class Clash:
    """A record in conflict: what it would do, what stands, and what happened since it was made."""

    mine: Recorded
    seq: int
    theirs: tuple[Change, ...]
    extent: str | None


@dataclass(frozen=True, slots=True)
class Journal:
    """All that was recorded on a visit."""

    records: tuple[Recorded, ...]
    arrivals: tuple[Arrival, ...]
    findings: tuple[Found, ...]
    signatures: tuple[Signed, ...]
    clashes: tuple[Clash, ...]


def record(
    viewer: Viewer, visit: UUID, told: Told, what: What, *, folder: Path, prefix: str, now: datetime,
    calendar: WorkCalendar,
) -> Answer:  # fmt: skip
    """Store a record; sent again, it is answered as before and stored once.

    What changes an issue that somebody else has changed meanwhile is kept as a conflict and not applied. Raises
    NotFound for a visit or issue that is not there for this viewer, NotYours, BadInput naming the field, and Refused
    when another record has this id or the workflow says no.
    """
    if told.at > now + MOST_AHEAD:
        raise BadInput("at", "in_the_future")
    _check(what)
    if isinstance(what, Submission):
        return _found_on_the_way(viewer, visit, told, what, prefix=prefix, now=now, calendar=calendar)
    if isinstance(what, Snap):
        return _snap(viewer, visit, told, what, folder=folder, now=now, calendar=calendar)
    opened = bulk if isinstance(what, Settling) else transaction
    with opened() as db:
        if isinstance(what, Settling):
            # Boundaries before issues, as everybody takes them.
            locks.alone(db, Lock.BOUNDARIES)
        begun = _take_up(db, viewer, visit, told, now=now, calendar=calendar)
        if isinstance(begun, Answer):
            return begun
        if begun.fate is Fate.STORED:
            _apply(db, viewer, visit, told, what, standing=begun.standing, now=now, calendar=calendar)
        return begun.answer(told)


def decide(
    viewer: Viewer, visit: UUID, issue: UUID, record_id: UUID, *, choice: str, what: Callable[[Recorded], What],
    seq: int | None, now: datetime, calendar: WorkCalendar,
) -> Answer:  # fmt: skip
    """Decide a conflict: ``mine`` is applied to the issue as it stands, ``theirs`` leaves the issue alone.

    ``seq`` names the line of history that the decision was made from. Deciding twice alike is deciding once. Raises
    NotFound, NotYours, BadInput, Conflict when the issue has changed again, and Refused as ``record``.
    """
    if choice not in {Fate.MINE, Fate.THEIRS}:
        raise BadInput("choice", "one_of", value=choice[:20], choices="mine, theirs")
    with bulk() as db:
        locks.alone(db, Lock.BOUNDARIES)
        _visible(db, viewer, visit)
        standing = _standing(db, viewer, issue, calendar)
        held = fieldwork.known(db, issue, record_id)
        if held is None or held.visit != visit or held.kind not in rules.CHANGING:
            raise NotFound("record", str(record_id))
        role = _role(viewer, rules.RIGHTS[held.kind], standing)
        if held.fate is not Fate.CONFLICT:
            if held.fate != choice:
                raise Refused("conflict_decided", "choice")
            return Answer(held.id, issue, held.number, held.fate, held.meanwhile, replayed=True)
        now_seq = fieldwork.seq_of(db, issue)
        if seq != now_seq:
            raise Conflict(standing.number, standing.version)
        told = Told(held.id, issue, held.kind, held.at, _base(held), held.body)
        if choice == Fate.MINE:
            _apply(db, viewer, visit, told, what(held), standing=standing, now=now, calendar=calendar)
        else:
            line = {"visit": str(visit), "record": str(held.id), "kind": str(held.kind), "kept": "theirs"}
            cases.tell(db, issue, Right.NOTE, actor=role, person=viewer.person, at=now, detail=line, internal=True)
        fieldwork.decide(db, issue, held.id, Fate(choice), person=viewer.person, now=now)
    return Answer(held.id, issue, held.number, Fate(choice), held.meanwhile, replayed=False)


def journal(viewer: Viewer, visit: UUID) -> Journal:
    """All that was recorded on a visit; raises NotFound."""
    with snapshot() as db:
        _visible(db, viewer, visit)
        records = fieldwork.of_visit(db, visit)
        return Journal(
            tuple(records),
            tuple(fieldwork.arrivals(db, visit)),
            tuple(fieldwork.findings(db, visit)),
            tuple(fieldwork.signatures(db, visit)),
            tuple(_clash(db, one) for one in records if one.fate is Fate.CONFLICT),
        )


def clash(viewer: Viewer, visit: UUID, issue: UUID, record_id: UUID) -> Clash:
    """A record in conflict with what happened since; raises NotFound for one that is in none."""
    with snapshot() as db:
        _visible(db, viewer, visit)
        held = fieldwork.known(db, issue, record_id)
        if held is None or held.visit != visit or held.fate is not Fate.CONFLICT:
            raise NotFound("record", str(record_id))
        return _clash(db, held)


def tick(viewer: Viewer, visit: UUID, issue: UUID, finding: UUID, *, now: datetime, calendar: WorkCalendar) -> bool:
    """A follow-up is done; done twice is done once. Raises NotFound and NotYours."""
    with transaction() as db:
        _visible(db, viewer, visit)
        standing = _standing(db, viewer, issue, calendar)
        role = _role(viewer, Right.VISIT, standing)
        held = fieldwork.known(db, issue, finding)
        if held is None or held.visit != visit or held.kind is not Kind.FINDING:
            raise NotFound("record", str(finding))
        done = fieldwork.tick(db, issue, finding, person=viewer.person, now=now)
        if done:
            line = {"visit": str(visit), "finding": str(finding), "followed_up": True}
            cases.tell(db, issue, Right.NOTE, actor=role, person=viewer.person, at=now, detail=line, internal=True)
    return done


# --- one record ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Begun:
    standing: Standing
    fate: Fate
    meanwhile: bool

    def answer(self, told: Told) -> Answer:
        return Answer(told.id, told.issue, self.standing.number, self.fate, self.meanwhile, replayed=False)


def _take_up(
    db: Session, viewer: Viewer, visit: UUID, told: Told, *, now: datetime, calendar: WorkCalendar
) -> _Begun | Answer:
    _visible(db, viewer, visit)
    if told.issue not in fieldwork.stops(db, visit):
        raise BadInput("issue", "not_a_stop")
    # The lock on the issue is also what makes the same record, sent at the same moment, wait for the first.
    standing = _standing(db, viewer, told.issue, calendar)
    if again := _again(db, visit, told):
        return again
    _role(viewer, rules.RIGHTS[told.kind], standing)
    if told.base is None and told.kind in rules.CHANGING:
        raise BadInput("base", "missing")
    since = told.base.seq if told.base else fieldwork.seq_of(db, told.issue)
    fate, meanwhile = rules.fate(told.kind, fieldwork.changes(db, told.issue, visit, since=since))
    fieldwork.keep(db, visit, told, fate=fate, meanwhile=meanwhile, person=viewer.person, now=now)
    return _Begun(standing, fate, meanwhile)


def _again(db: Session, visit: UUID, told: Told) -> Answer | None:
    held = fieldwork.known(db, told.issue, told.id)
    if held is None:
        return None
    if held.visit != visit or held.fingerprint != told.fingerprint:
        raise Refused("id_taken", "id")
    return Answer(told.id, told.issue, held.number, held.fate, held.meanwhile, replayed=True)


def _apply(
    db: Session, viewer: Viewer, visit: UUID, told: Told, what: What, *, standing: Standing, now: datetime,
    calendar: WorkCalendar,
) -> None:  # fmt: skip
    detail: dict[str, Any] = {"visit": str(visit), "record": str(told.id)}
    if isinstance(what, CheckIn):
        place, _ = fieldwork.place_of(db, told.issue)
        metres = rules.distance_m(what.point, place)
        fieldwork.check_in(db, visit, told, what, distance_m=metres, person=viewer.person)
    elif isinstance(what, Finding):
        fieldwork.finding(db, visit, told, what, person=viewer.person)
        detail |= {"seen": what.seen and str(what.seen)} if what.seen else {}
        detail |= {"follow_up": what.follow_up.strip()} if what.follow_up.strip() else {}
        detail |= {"due": what.due.isoformat()} if what.due else {}
        line = Transition(Right.NOTE, None, _role(viewer, Right.VISIT, standing), what.words.strip(), detail,
                          internal=True)  # fmt: skip
        cases.write(db, standing.case, line, viewer=viewer, now=now)
    elif isinstance(what, Extent):
        _redraw(db, viewer, told, what, standing=standing, detail=detail, now=now)
    elif isinstance(what, Settling):
        settlements.sign(db, viewer, standing, what.draft, id=told.id, now=now, zone=calendar.zone)
        fieldwork.sign(db, told.issue, told.id, what.signatures)


def _redraw(
    db: Session, viewer: Viewer, told: Told, what: Extent, *, standing: Standing, detail: dict[str, Any], now: datetime
) -> None:
    place, before = fieldwork.place_of(db, told.issue)
    drawn = reports.sound_extent(shapely.to_wkb(what.drawn), place)
    after = shapely.to_geojson(shapely.set_precision(shapely.from_wkb(drawn), 1e-7, mode="pointwise"))
    role = _role(viewer, Right.VISIT, standing)
    line = Transition(Right.EDIT, None, role, "", {"fields": ["extent"], **detail}, internal=True)
    cases.write(db, standing.case, line, viewer=viewer, now=now, also=fieldwork.redrawn(drawn))
    editing.keep(db, told.issue, {"extent": (before or "", after)}, person=viewer.person, now=now)


def _snap(
    viewer: Viewer, visit: UUID, told: Told, what: Snap, *, folder: Path, now: datetime, calendar: WorkCalendar
) -> Answer:
    told = replace(told, body={**told.body, "sha256": hashlib.sha256(what.raw).hexdigest()})
    with snapshot() as db:
        _visible(db, viewer, visit)
        if again := _again(db, visit, told):
            return again
        if told.issue not in fieldwork.stops(db, visit):
            raise BadInput("issue", "not_a_stop")
        _role(viewer, Right.PHOTO, _standing(db, viewer, told.issue, calendar, lock=False))
    # Developed outside of the transaction: a decoder must not hold a row's lock.
    done = photos.develop(folder, what.raw)
    photo = Photo(
        told.id,
        done.sha256,
        what.phase,
        done.width,
        done.height,
        what.caption.strip(),
        min(told.at, now),
        released=False,
    )
    with transaction() as db:
        begun = _take_up(db, viewer, visit, told, now=now, calendar=calendar)
        if isinstance(begun, Answer):
            return begun
        photos.add(db, told.issue, photo, viewer.person)
        detail = {"photo": str(photo.id), "phase": str(photo.phase), "visit": str(visit)}
        cases.tell(
            db, told.issue, Right.PHOTO, actor=_role(viewer, Right.PHOTO, begun.standing), person=viewer.person, at=now,
            detail=detail, internal=True,
        )  # fmt: skip
        return begun.answer(told)


def _found_on_the_way(
    viewer: Viewer, visit: UUID, told: Told, what: Submission, *, prefix: str, now: datetime, calendar: WorkCalendar
) -> Answer:
    """A new issue, reported as every other; its envelope follows, and is made up for when the first try broke off."""
    with snapshot() as db:
        _visible(db, viewer, visit)
        if again := _again(db, visit, told):
            return again
    done = reports.submit(viewer, what, prefix=prefix, now=now, calendar=calendar)
    with transaction() as db:
        fieldwork.keep(db, visit, told, fate=Fate.STORED, meanwhile=False, person=viewer.person, now=now)
    return Answer(told.id, told.issue, done.number, Fate.STORED, meanwhile=False, replayed=done.replayed)


def _clash(db: Session, held: Recorded) -> Clash:
    theirs = rules.others(fieldwork.changes(db, held.issue, held.visit, since=held.base_seq or 0))
    _, extent = fieldwork.place_of(db, held.issue)
    return Clash(held, fieldwork.seq_of(db, held.issue), theirs, extent)


def _base(held: Recorded) -> Base | None:
    if held.base_version is None or held.base_seq is None:
        return None
    return Base(held.base_version, held.base_seq)


def _visible(db: Session, viewer: Viewer, visit: UUID) -> None:
    if visits.one(db, visit, viewer) is None:
        raise NotFound("visit", str(visit))


def _standing(db: Session, viewer: Viewer, issue: UUID, calendar: WorkCalendar, *, lock: bool = True) -> Standing:
    standing = cases.read(db, str(issue), viewer, calendar.zone, lock=lock)
    if standing is None:
        raise NotFound("issue", str(issue))
    return standing


def _role(viewer: Viewer, right: Right, standing: Standing) -> str:
    if not (grants := grants_for(viewer, right, standing.case.subject)):
        raise NotYours("not_yours", "action")
    return str(grants[0].role)


def _check(what: What) -> None:
    wrong: Sequence[Wrong | None] = ()
    if isinstance(what, Finding):
        wrong = (rules.wrong_finding(what),)
        for field in ("words", "follow_up"):
            reports.check_words(field, getattr(what, field), rules.LONGEST_WORDS)
    elif isinstance(what, Settling):
        wrong = (rules.wrong_signatures(what.signatures),)
        for signed in what.signatures:
            reports.check_words("signatures", signed.name + signed.unit, 2 * rules.LONGEST_NAME)
    elif isinstance(what, Snap):
        reports.check_words("caption", what.caption, LONGEST_CAPTION)
    for one in filter(None, wrong):
        raise BadInput(one.field, one.reason, **one.params)
