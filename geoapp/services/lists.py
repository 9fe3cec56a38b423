"""Needs (需求) and resources (资源): kept by hand or from issues, and which of them fit each other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry

from geoapp.domain import matching
from geoapp.domain.matching import Match, NeedFacts, ResourceFacts
from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.reports import fresh_id
from geoapp.domain.values import Point, Viewer
from geoapp.errors import BadInput, Conflict, NotFound, NotYours, VersionNeeded
from geoapp.services.projects import issue_id, refuse
from geoapp.store import cases, lists, reach
from geoapp.store.lists import NeedRow, ResourceRow
from geoapp.store.reach import Ground
from geoapp.store.session import Session, snapshot, transaction

__all__ = ["Ground", "NeedRow", "ResourceRow", "Suggested"]

MOST = 500
Row = TypeVar("Row", NeedRow, ResourceRow)
BEST = 8


@dataclass(frozen=True, slots=True)
class Suggested:
    """A resource that fits a need, with why."""

    resource: ResourceRow
    match: Match


def resources(viewer: Viewer) -> list[ResourceRow]:
    with snapshot() as db:
        return lists.resources(db, viewer, limit=MOST)


def needs(viewer: Viewer) -> list[NeedRow]:
    with snapshot() as db:
        return lists.needs(db, viewer, limit=MOST)


def resource(viewer: Viewer, named: UUID) -> ResourceRow:
    """Raises NotFound also for one that this viewer may not see."""
    with snapshot() as db:
        return _one(lists.resources(db, viewer, only=named, limit=1), "resource", named)


def need(viewer: Viewer, named: UUID) -> NeedRow:
    """Raises NotFound also for one that this viewer may not see."""
    with snapshot() as db:
        return _one(lists.needs(db, viewer, only=named, limit=1), "need", named)


def matches(viewer: Viewer, named: UUID) -> list[Suggested]:
    """The resources that fit a need best, each with the parts of its score. Raises NotFound."""
    with snapshot() as db:
        wanted = _one(lists.needs(db, viewer, only=named, limit=1), "need", named)
        far = lists.metres(db, named)
        offered = {str(one.id): one for one in lists.resources(db, viewer, limit=MOST)}
    scored = {key: matching.match(wanted.facts, one.facts, distance_m=far.get(one.id)) for key, one in offered.items()}
    best = matching.ranked((key, found) for key, found in scored.items() if found is not None)
    return [Suggested(offered[key], found) for key, found in best[:BEST]]


def places(viewer: Viewer, right: Right = Right.LIST) -> list[Ground]:
    """The places for which the viewer may keep lists, or do what else is asked."""
    if not may_anywhere(viewer, right):
        return []
    with snapshot() as db:
        return reach.grounds(db, viewer, right)


def add_resource(
    viewer: Viewer, place: str, facts: ResourceFacts, *, id: UUID | None = None, now: datetime,  # noqa: A002 - its own id
    synthetic: bool = False,
) -> UUID:  # fmt: skip
    """Put a resource on the list of a place. Raises NotYours, and BadInput naming the field."""
    sound = _sound_resource(facts)
    with transaction() as db:
        ground = _ground(db, viewer, place)
        _check_unit(db, sound.unit)
        made = id or fresh_id(now)
        lists.add_resource(db, made, ground.id, sound, synthetic=synthetic, now=now)
    return made


def change_resource(viewer: Viewer, named: UUID, facts: ResourceFacts, *, version: int | None) -> None:
    """Raises NotFound, NotYours, VersionNeeded, Conflict, and BadInput naming the field."""
    sound = _sound_resource(facts)
    with transaction() as db:
        lists.version_of(db, "resource", named)
        row = _one(lists.resources(db, viewer, only=named, limit=1), "resource", named)
        _may(row, row.facts.name, version)
        _check_unit(db, sound.unit)
        lists.change_resource(db, named, sound)


def add_need(
    viewer: Viewer, place: str, facts: NeedFacts, *, issues: Sequence[str] = (), id: UUID | None = None,  # noqa: A002
    now: datetime, synthetic: bool = False,
) -> UUID:  # fmt: skip
    """Put a need on the list; one of a single issue lies where that lies. Raises NotYours, BadInput with the field.

    Without ``place`` it belongs to the smallest place that holds its issues.
    """
    sound = _sound_need(facts)
    with transaction() as db:
        joined = [issue_id(db, viewer, name, field="issues") for name in dict.fromkeys(issues)]
        code = place or (reach.of_issues(db, joined) if joined else None)
        if not code:
            raise BadInput("place", "missing")
        ground = _ground(db, viewer, code)
        if sound.shape is None and len(joined) == 1:
            sound = replace(sound, shape=point_wkb(Point(*lists.place_of_issue(db, joined[0], viewer))))
        made = id or fresh_id(now)
        lists.add_need(db, made, ground.id, sound, joined, synthetic=synthetic, now=now)
    return made


def change_need(
    viewer: Viewer, named: UUID, facts: NeedFacts, *, issues: Sequence[str] = (), version: int | None
) -> None:
    """Raises NotFound, NotYours, VersionNeeded, Conflict, and BadInput naming the field."""
    sound = _sound_need(facts)
    with transaction() as db:
        lists.version_of(db, "need", named)
        row = _one(lists.needs(db, viewer, only=named, limit=1), "need", named)
        _may(row, row.facts.title, version)
        joined = [issue_id(db, viewer, name, field="issues") for name in dict.fromkeys(issues)]
        lists.change_need(db, named, sound, joined)


def point_wkb(point: Point) -> bytes:
    return bytes(shapely.to_wkb(shapely.Point(point.lon, point.lat)))


def _sound_resource(facts: ResourceFacts) -> ResourceFacts:
    sound = replace(facts, name=facts.name.strip(), owner=facts.owner.strip(), measure=facts.measure.strip())
    refuse(matching.wrong_resource(sound))
    if sound.shape is not None:
        drawn: BaseGeometry = shapely.from_wkb(sound.shape)
        if drawn.geom_type not in {"Point", "Polygon", "MultiPolygon"} or drawn.is_empty:
            raise BadInput("area", "no_area")
    return sound


def _sound_need(facts: NeedFacts) -> NeedFacts:
    sound = replace(facts, title=facts.title.strip(), measure=facts.measure.strip())
    refuse(matching.wrong_need(sound))
    return sound


def _ground(db: Session, viewer: Viewer, place: str) -> Ground:
    if not may_anywhere(viewer, Right.LIST):
        raise NotYours("not_yours", "action")
    ground = reach.ground(db, viewer, Right.LIST, place)
    if ground is None:
        raise NotYours("not_yours", "place")
    return ground


def _check_unit(db: Session, unit: str | None) -> None:
    if unit and cases.unknown_units(db, [unit]):
        raise BadInput("unit", "unknown", value=unit[:40])


def _may(row: NeedRow | ResourceRow, name: str, version: int | None) -> None:
    if not row.may_change:
        raise NotYours("not_yours", "action")
    if version is None:
        raise VersionNeeded("version", "missing")
    if version != row.version:
        raise Conflict(name, row.version)


def _one(found: list[Row], kind: str, named: UUID) -> Row:
    if not found:
        raise NotFound(kind, str(named))
    return found[0]
