"""Dry run (试算): what a changed boundary or rule would do to the issues of the last 12 months, before it is saved.

The change is made for real in a transaction that is undone: the same SQL judges as after saving, and nobody
else ever sees a row of it. What is counted and listed is what the viewer sees in full.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import shapely
from shapely.geometry.base import BaseGeometry

from geoapp.domain.boundaries import BoundaryReport
from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.settlement import Claim
from geoapp.domain.values import VerdictClass, Viewer
from geoapp.errors import BadInput, NotYours
from geoapp.services import boundaries, settlements
from geoapp.services.settlements import Draft
from geoapp.store import boundaries as stored
from geoapp.store import judging, locks, versions
from geoapp.store import settlements as rehearsals
from geoapp.store.locks import Lock
from geoapp.store.session import Session, bulk, snapshot, undone
from geoapp.store.settlements import Far, Held, Move

__all__ = ["Change", "Drawn", "Far", "Held", "Move", "Outcome", "Rule", "Uploaded", "held", "rehearse", "save"]

LOOK_BACK = timedelta(days=365)
MARK = "drawn"


@dataclass(frozen=True, slots=True)
class Drawn:
    """Land that goes to a unit, and from others, as a settlement would give it. EPSG:4326."""

    unit: str
    area: BaseGeometry
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A jurisdiction that is to hold for other categories, or (None) no more."""

    jurisdiction: str
    categories: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file of jurisdictions or communities, as ``geoapp boundaries import`` takes it."""

    file: Path
    kind: str
    name: str
    code: str
    unit: str | None = None
    categories: tuple[str, ...] = ()


Change = Drawn | Rule | Uploaded


@dataclass(slots=True)
class Outcome:
    """What would change: issues by unit code (None: nobody) and by class, before and after, and which would move.

    ``far_before`` and ``far_after`` say how far a unit's issues lie from the middle of its largest jurisdiction as it
    is today: crews do not move because a boundary does. ``report`` tells of an uploaded file.
    """

    judged: int = 0
    load_before: dict[str | None, int] = field(default_factory=dict)
    load_after: dict[str | None, int] = field(default_factory=dict)
    classes: dict[tuple[VerdictClass, VerdictClass], int] = field(default_factory=dict)
    moves: tuple[Move, ...] = ()
    far_before: dict[str, Far] = field(default_factory=dict)
    far_after: dict[str, Far] = field(default_factory=dict)
    report: BoundaryReport | None = None


def held(viewer: Viewer, *, today: date) -> list[Held]:
    """The jurisdictions in force, for whoever may rehearse; raises NotYours."""
    _allowed(viewer)
    with snapshot() as db:
        return rehearsals.in_force(db, day=today)


def rehearse(viewer: Viewer, change: Change, *, now: datetime, zone: ZoneInfo) -> Outcome:
    """Make the change, count, and undo it. Raises NotYours, BadInput and BadFile naming what cannot be."""
    _allowed(viewer)
    today = now.astimezone(zone).date()
    watch = _Watch(viewer, since=now - LOOK_BACK, today=today)
    if isinstance(change, Uploaded):
        report = _import(viewer, change, day=today, today=today, dry_run=True, watch=watch)
        watch.found.report = report
        return watch.found
    with undone() as db:
        locks.beside(db, Lock.BOUNDARIES)
        watch.before(db)
        _make(db, change, day=today)
        watch.after(db)
    return watch.found


def save(viewer: Viewer, change: Change, *, valid_from: date, now: datetime, zone: ZoneInfo) -> int:
    """Make the change from a day on, and judge the issues again; returns how many verdicts changed.

    Raises as ``rehearse``; only whoever administers may.
    """
    if not may_anywhere(viewer, Right.PEOPLE):
        raise NotYours("not_yours", "action")
    today = now.astimezone(zone).date()
    if isinstance(change, Uploaded):
        return _import(viewer, change, day=valid_from, today=today, dry_run=False, watch=None).rejudged
    with bulk() as db:
        locks.alone(db, Lock.BOUNDARIES)
        _make(db, change, day=valid_from)
        stored.recompute_unclear_land(db, today, since=valid_from)
        changed = judging.rejudge(db, today=today)
        versions.bump(db, "places")
    return changed


class _Watch:
    """Looks at the issues before and after a change, within its transaction."""

    def __init__(self, viewer: Viewer, *, since: datetime, today: date) -> None:
        self.viewer, self.since, self.today = viewer, since, today
        self.found = Outcome()

    def before(self, db: Session) -> None:
        self.found.judged = rehearsals.remember_verdicts(db, since=self.since, today=self.today, viewer=self.viewer)
        self.found.load_before = rehearsals.load_before(db)
        rehearsals.remember_bases(db, today=self.today)
        self.found.far_before = rehearsals.distances(db, "before")

    def after(self, db: Session) -> None:
        found = self.found
        rehearsals.judge_again(db, since=self.since, today=self.today, viewer=self.viewer)
        found.moves = tuple(rehearsals.moves(db))
        found.far_after = rehearsals.distances(db, "after")
        load: Counter[str | None] = Counter(found.load_before)
        load.subtract(move.unit_before for move in found.moves)
        load.update(move.unit_after for move in found.moves)
        found.load_after = {unit: count for unit, count in load.items() if count or unit in found.load_before}
        found.classes = dict(Counter((move.verdict_before, move.verdict_after) for move in found.moves))


def _make(db: Session, change: Drawn | Rule, *, day: date) -> None:
    if isinstance(change, Drawn):
        area = settlements.sound_area(change.area)
        code = f"{MARK}-{day.isoformat()}-{hashlib.sha256(shapely.to_wkb(area)).hexdigest()[:8]}"
        settlements.award(db, Draft(change.unit, area, change.categories), area, code, day)
        return
    claim = rehearsals.claim(db, change.jurisdiction, day=day)
    if claim is None:
        raise BadInput("jurisdiction", "unknown", value=change.jurisdiction[:40])
    if change.categories is None:
        rehearsals.end_jurisdiction(db, claim.code, day=day)
        return
    if unknown := stored.unknown_categories(db, change.categories):
        raise BadInput("category", "unknown", value=unknown[0][:40])
    ruled = Claim(
        claim.code, claim.unit, claim.name, change.categories, claim.area, claim.evidence, claim.origin, claim.synthetic
    )
    stored.write_jurisdiction(db, settlements.as_version(ruled, day), today=day)


def _import(viewer: Viewer, change: Uploaded, *, day: date, today: date, dry_run: bool, watch: Any) -> BoundaryReport:
    observe: Callable[[str, Session], None] | None = (
        None if watch is None else lambda moment, db: getattr(watch, moment)(db)
    )
    return boundaries.import_file(
        viewer, change.file, kind=change.kind, name=change.name, code=change.code, unit=change.unit,
        categories=change.categories, valid_from=day, today=today, dry_run=dry_run, observe=observe,
    )  # fmt: skip


def _allowed(viewer: Viewer) -> None:
    if not may_anywhere(viewer, Right.REHEARSE):
        raise NotYours("not_yours", "action")
