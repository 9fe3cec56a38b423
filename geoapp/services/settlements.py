"""Settling whose land it is (确权): signed once, then the map, the issues and the past all agree about it.

A settlement is one transaction: the jurisdictions, the unclear land, the verdicts of the issues there and
the line in the issue's history are seen together or not at all. A rehearsal does the same and keeps nothing.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import shapely
from shapely.geometry.base import BaseGeometry

from geoapp.domain import geometry as geo
from geoapp.domain import workflow
from geoapp.domain.boundaries import NewJurisdiction
from geoapp.domain.geometry import geodesic_area_m2
from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.settlement import Award, Claim, cut_back
from geoapp.domain.values import Name, Viewer
from geoapp.domain.workflow import Given, Refusal
from geoapp.errors import BadInput, Conflict, NotFound, NotYours, VersionNeeded
from geoapp.services.triage import Receipt, refused
from geoapp.store import boundaries, cases, judging, locks, settlements, versions
from geoapp.store.cases import Standing
from geoapp.store.locks import Lock
from geoapp.store.session import Session, bulk, undone
from geoapp.store.settlements import Move, Signed

__all__ = ["Draft", "Move", "Rehearsal", "rehearse", "settle", "sign"]

LARGEST_M2 = 50e6
"""More than this is no settlement on site but a reform: it comes in by ``geoapp boundaries import``."""
LONGEST = 2000
LOOK_BACK = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be settled. ``area`` is a polygon in EPSG:4326; no ``categories`` means every category."""

    unit: str
    area: BaseGeometry
    categories: tuple[str, ...] = ()
    settled_on: date | None = None
    participants: str = ""
    documents: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a settlement would do to the issues of the last twelve months; loads by unit code (None: nobody)."""

    judged: int
    moves: tuple[Move, ...]
    load_before: dict[str | None, int]
    load_after: dict[str | None, int]
    contested_areas: int
    orphan_areas: int


def settle(
    viewer: Viewer,
    name: str,
    draft: Draft,
    *,
    id: UUID,  # noqa: A002 - the client's own, as an issue's
    version: int | None,
    now: datetime,
    zone: ZoneInfo,
) -> Receipt:
    """Settle land from the page of an issue; jurisdictions, verdicts and history follow in the same transaction.

    Raises NotFound, VersionNeeded, Conflict, NotYours, Refused and Incomplete as ``triage.act``; BadInput for a
    unit, category, day or area that cannot be.
    """
    if version is None:
        raise VersionNeeded("version", "missing")
    with bulk() as db:
        # Boundaries before issues, as everybody takes them: whoever waits holds nothing that the other needs.
        locks.alone(db, Lock.BOUNDARIES)
        standing = cases.read(db, name, viewer, zone, lock=True)
        if standing is None:
            raise NotFound("issue", name)
        if standing.version != version:
            raise Conflict(standing.number, standing.version)
        return sign(db, viewer, standing, draft, id=id, now=now, zone=zone)


def sign(
    db: Session, viewer: Viewer, standing: Standing, draft: Draft, *, id: UUID, now: datetime,  # noqa: A002
    zone: ZoneInfo,
) -> Receipt:  # fmt: skip
    """Settle inside a transaction of the caller's, who holds the boundaries and the issue. Raises as ``settle``."""
    today = now.astimezone(zone).date()
    area = _sound(draft, today)
    decided = workflow.decide(standing.case, Right.SETTLE, viewer, Given(note=draft.note), today=today)
    if isinstance(decided, Refusal):
        raise refused(decided)
    code = f"settled-{standing.number}-{str(id)[-6:]}"
    settled_on = draft.settled_on or today
    award(db, draft, area, code, settled_on)
    detail = {
        "unit": draft.unit,
        "categories": list(draft.categories),
        "area_m2": round(geodesic_area_m2(area), 1),
        "settled_on": settled_on.isoformat(),
        "settlement": str(id),
        "participants": draft.participants,
    }
    written = cases.write(db, standing.case, workflow.detailed(decided, detail), viewer=viewer, now=now)
    settlements.keep(
        db,
        Signed(
            standing.case.id, id, settled_on, draft.unit, draft.categories, shapely.to_wkb(area), code,
            draft.participants, draft.documents, draft.note, viewer.person,
        ),
    )  # fmt: skip
    boundaries.recompute_unclear_land(db, today, since=settled_on)
    judging.rejudge(db, area_wkb=shapely.to_wkb(area), today=today)
    versions.bump(db, "places")
    after = cases.read(db, standing.number, viewer, zone)
    return Receipt(standing.number, standing.case.state, after.version if after else written)


def rehearse(viewer: Viewer, draft: Draft, *, now: datetime, zone: ZoneInfo) -> Rehearsal:
    """Do it all and keep nothing: which issues of the last twelve months would go to whom, and the load of each unit.

    Raises NotYours, and BadInput as ``settle``.
    """
    if not may_anywhere(viewer, Right.REHEARSE):
        raise NotYours("not_yours", "action")
    today = now.astimezone(zone).date()
    area = _sound(draft, today)
    since = now - LOOK_BACK
    with undone() as db:
        locks.alone(db, Lock.BOUNDARIES)
        judged = settlements.remember_verdicts(db, since=since, today=today, viewer=viewer)
        before = settlements.load_before(db)
        award(db, draft, area, "rehearsal", draft.settled_on or today)
        settlements.judge_again(db, since=since, today=today, viewer=viewer)
        moved = settlements.moves(db)
        unclear = boundaries.recompute_unclear_land(db, today, since=draft.settled_on or today)
    after = Counter(before)
    after.subtract(move.unit_before for move in moved)
    after.update(move.unit_after for move in moved)
    return Rehearsal(
        judged,
        tuple(moved),
        before,
        {unit: count for unit, count in after.items() if count or unit in before},
        sum(one.verdict == "contested" for one in unclear),
        sum(one.verdict == "orphan" for one in unclear),
    )


def award(db: Session, draft: Draft, area: BaseGeometry, code: str, day: date) -> None:
    """Give the area to the draft's unit as a version of this code, and take it from whoever else had it."""
    if unknown := cases.unknown_units(db, [draft.unit]):
        raise BadInput("unit", "unknown", value=unknown[0][:40])
    if unknown := boundaries.unknown_categories(db, draft.categories):
        raise BadInput("category", "unknown", value=unknown[0][:40])
    award = Award(draft.unit, draft.categories, area)
    claims = settlements.claims_on(db, area, day=day)
    for cut in cut_back(claims, award, settlements.paths(db)):
        for claim in cut.become:
            boundaries.write_jurisdiction(db, as_version(claim, day), today=day)
        if cut.claim.code not in {claim.code for claim in cut.become}:
            settlements.end_jurisdiction(db, cut.claim.code, day=day)
    evidence = "; ".join(filter(None, (draft.participants, draft.documents, draft.note)))
    synthetic = any(claim.synthetic for claim in claims)
    settled = Claim(code, draft.unit, Name("", ""), draft.categories, area, evidence, "", synthetic)
    boundaries.write_jurisdiction(db, as_version(settled, day), today=day)


def as_version(claim: Claim, day: date) -> NewJurisdiction:
    """A claim as a version of its jurisdiction that begins on ``day``."""
    return NewJurisdiction(
        claim.code,
        claim.unit,
        claim.name,
        shapely.to_wkb(shapely.normalize(claim.area)),
        claim.categories,
        valid_from=day,
        evidence=claim.evidence,
        origin=claim.origin,
        synthetic=claim.synthetic,
    )


def _sound(draft: Draft, today: date) -> BaseGeometry:
    """The drawn area in one valid form; raises BadInput naming the field for a draft that cannot be."""
    area = sound_area(draft.area)
    if draft.settled_on and draft.settled_on > today:
        raise BadInput("settled_on", "in_the_future")
    for field in ("participants", "documents", "note"):
        if len(getattr(draft, field)) > LONGEST:
            raise BadInput(field, "too_long", most=LONGEST)
    return area


def sound_area(drawn: BaseGeometry) -> BaseGeometry:
    """A drawn area in one valid form; raises BadInput for one without extent or too large to be drawn by hand."""
    area, _ = geo.repair(drawn, lines=False)
    if area.is_empty:
        raise BadInput("area", "no_area")
    if geodesic_area_m2(area) > LARGEST_M2:
        raise BadInput("area", "area_too_large", most=int(LARGEST_M2 / 1e6))
    return shapely.normalize(area)
