"""Bringing in boundaries, units and jurisdictions: from a file or as values, all in one transaction."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import shapely
from shapely.geometry.base import BaseGeometry

from geoapp.domain import geometry as geo
from geoapp.domain import overlay
from geoapp.domain.boundaries import BoundaryReport, NewJurisdiction, NewPlace, NewUnit, Remark, Step
from geoapp.domain.values import Name, PlaceKind, Viewer
from geoapp.errors import BadFile, BadInput
from geoapp.services import vectorfile
from geoapp.services.vectorfile import Feature, VectorFile
from geoapp.store import boundaries, judging, locks, versions
from geoapp.store.locks import Lock
from geoapp.store.session import Session, bulk, snapshot

Progress = Callable[[int], None]
Observe = Callable[[str, Session], None]
Boundary = TypeVar("Boundary", NewPlace, NewJurisdiction)
KINDS = (*PlaceKind, "jurisdiction")


def store_all(
    viewer: Viewer,  # noqa: ARG001 - whoever holds the command line may
    *,
    places: Sequence[NewPlace] = (),
    units: Sequence[NewUnit] = (),
    jurisdictions: Sequence[NewJurisdiction] = (),
    today: date,
    dry_run: bool = False,
    progress: Progress | None = None,
    observe: Observe | None = None,
) -> BoundaryReport:
    """Store all of it in one transaction, find unclear land anew, and judge again the issues it touches.

    Raises BadFile for a category that does not exist, BadInput for a parent or unit that does not, for
    something without area, and for a version that begins before the newest one held.
    ``observe`` is called within the transaction, as ``before`` and ``after`` the change.
    """
    kinds = list(PlaceKind)
    ordered = sorted((_sound(place) for place in places), key=lambda place: kinds.index(place.kind))
    with _maybe(dry_run=dry_run) as db:
        locks.alone(db, Lock.BOUNDARIES)
        named = sorted({code for one in jurisdictions for code in one.categories})
        if unknown := boundaries.unknown_categories(db, named):
            raise BadFile("categories", f"there is no category {', '.join(unknown)}")
        if observe:
            observe("before", db)
        of_units = [boundaries.write_unit(db, unit) for unit in units]
        steps: list[Step] = []
        touched: list[bytes] = []
        begins: list[date | None] = []
        incoming: list[NewPlace | NewJurisdiction] = [*ordered, *map(_sound, jurisdictions)]
        for count, one in enumerate(incoming, start=1):
            written = (
                boundaries.write_place(db, one, today=today)
                if isinstance(one, NewPlace)
                else boundaries.write_jurisdiction(db, one, today=today)
            )
            steps.append(written.step)
            touched += written.touched
            if written.touched:
                begins.append(written.begins)
            if progress:
                progress(count)
        if touched:
            boundaries.refresh_statistics(db)
        unclear = boundaries.recompute_unclear_land(db, today, since=_first(begins)) if touched else []
        rejudged = _rejudge(db, touched, today)
        if {*steps, *of_units} - {Step.UNCHANGED}:
            versions.bump(db, "places")
        if observe:
            observe("after", db)
    return BoundaryReport(
        read=len(steps),
        stored=steps.count(Step.FIRST),
        updated=len(steps) - steps.count(Step.FIRST) - steps.count(Step.UNCHANGED),
        unchanged=steps.count(Step.UNCHANGED),
        units=of_units.count(Step.FIRST),
        rejudged=rejudged,
        contested=sum(one.verdict == "contested" for one in unclear),
        orphan=sum(one.verdict == "orphan" for one in unclear),
        dry_run=dry_run,
    )


def store_places(viewer: Viewer, places: Sequence[NewPlace], *, today: date) -> BoundaryReport:
    return store_all(viewer, places=places, today=today)


def store_units(viewer: Viewer, units: Sequence[NewUnit], *, today: date) -> int:
    """Store units; returns how many are new."""
    return store_all(viewer, units=units, today=today).units


def store_jurisdictions(viewer: Viewer, jurisdictions: Sequence[NewJurisdiction], *, today: date) -> BoundaryReport:
    return store_all(viewer, jurisdictions=jurisdictions, today=today)


def import_file(
    viewer: Viewer,
    file: Path,
    *,
    kind: str,
    name: str,
    code: str,
    unit: str | None = None,
    unit_name: str | None = None,
    name_en: str | None = None,
    parent: str | None = None,
    categories: tuple[str, ...] = (),
    crs: str | None = None,
    valid_from: date | None = None,
    evidence: str = "",
    reach_m: float | None = None,
    origin: str = "",
    today: date,
    dry_run: bool = False,
    progress: Progress | None = None,
    observe: Observe | None = None,
) -> BoundaryReport:
    """Read a file of areas (or lines with a reach) by its field names and store it as places or jurisdictions.

    Raises BadFile for a file, field or category that is not there; a bad row is rejected and told.
    """
    if kind not in KINDS:
        raise BadFile(str(file), f"kind must be one of {', '.join(KINDS)}")
    origin = origin or file.name
    found = vectorfile.read(file, crs=crs)
    for column in filter(None, (name, code, unit, unit_name, name_en, parent)):
        if column not in found.fields:
            raise BadFile(file.name, f"has no field {column!r}; it has {', '.join(found.fields)}")
    with snapshot() as db:
        above = boundaries.places_above(db, PlaceKind(kind)) if parent and kind in list(PlaceKind) else set()
    shapes, rows, remarks = _gather(found, code, (parent, above), lines=reach_m is not None)
    names = {key: _text(rows[key], name) or key for key in shapes}
    if kind == "jurisdiction":
        report = _store_jurisdictions(
            viewer, shapes, rows, names, (unit or code, unit_name, name_en), categories=categories, reach_m=reach_m,
            valid_from=valid_from, evidence=evidence, origin=origin, today=today, dry_run=dry_run, progress=progress,
            observe=observe,
        )  # fmt: skip
    else:
        places = [
            NewPlace(
                kind=PlaceKind(kind),
                code=key,
                name=_name(names[key], _text(rows[key], name_en)),
                area=shapely.to_wkb(shape),
                parent=_text(rows[key], parent) or None,
                valid_from=valid_from,
                origin=origin,
            )
            for key, shape in shapes.items()
        ]
        report = store_all(viewer, places=places, today=today, dry_run=dry_run, progress=progress, observe=observe)
    labelled = {f"{names[key]} ({key})" if names[key] != key else key: shape for key, shape in shapes.items()}
    return replace(
        report,
        read=len(found.features),
        overlaps=() if reach_m else overlay.overlaps(labelled),
        gaps=() if reach_m else overlay.gaps(labelled),
        notes=found.notes,
        crs=found.crs,
        rejected=tuple(remarks.rejected),
        repaired=tuple(remarks.repaired),
        merged=tuple(remarks.merged),
    )


def _store_jurisdictions(
    viewer: Viewer,
    shapes: dict[str, BaseGeometry],
    rows: dict[str, Feature],
    names: dict[str, str],
    fields: tuple[str, str | None, str | None],
    *,
    categories: tuple[str, ...],
    reach_m: float | None,
    valid_from: date | None,
    evidence: str,
    origin: str,
    today: date,
    dry_run: bool,
    progress: Progress | None,
    observe: Observe | None,
) -> BoundaryReport:
    unit, unit_name, name_en = fields
    units: dict[str, NewUnit] = {}
    jurisdictions = []
    for key, shape in shapes.items():
        owner = _text(rows[key], unit) or key
        called = _text(rows[key], unit_name) or (names[key] if owner == key else "")
        units.setdefault(owner, NewUnit(owner, _name(called, ""), origin=origin))
        jurisdictions.append(
            NewJurisdiction(
                code=key,
                unit=owner,
                name=_name(names[key], _text(rows[key], name_en)),
                shape=shapely.to_wkb(shape),
                categories=categories,
                reach_m=reach_m,
                valid_from=valid_from,
                evidence=evidence,
                origin=origin,
            )
        )
    return store_all(
        viewer, units=list(units.values()), jurisdictions=jurisdictions, today=today, dry_run=dry_run,
        progress=progress, observe=observe,
    )  # fmt: skip


@dataclass(slots=True)
class _Remarks:
    rejected: list[Remark] = field(default_factory=list)
    repaired: list[Remark] = field(default_factory=list)
    merged: list[Remark] = field(default_factory=list)


def _gather(
    found: VectorFile, code: str, above: tuple[str | None, set[str]], *, lines: bool
) -> tuple[dict[str, BaseGeometry], dict[str, Feature], _Remarks]:
    """Shapes by code, the row that names each, and what was rejected, repaired or merged on the way."""
    shapes: dict[str, BaseGeometry] = {}
    rows: dict[str, Feature] = {}
    told = _Remarks()
    for feature in found.features:
        key = _text(feature, code)
        if feature.geometry is None or not key:
            told.rejected.append(Remark(feature.row, key, feature.problem or f"has no {code}"))
            continue
        if (parent := _text(feature, above[0])) and parent not in above[1]:
            told.rejected.append(Remark(feature.row, key, f"there is no place {parent!r} to hold it"))
            continue
        shape, repairs = geo.repair(feature.geometry, lines=lines)
        if shape.is_empty:
            told.rejected.append(Remark(feature.row, key, "has no area" if not lines else "has no length"))
            continue
        if repairs or feature.repairs:
            told.repaired.append(Remark(feature.row, key, "; ".join((*feature.repairs, *repairs))))
        if key in shapes:
            told.merged.append(Remark(feature.row, key, f"joined with row {rows[key].row} of the same code"))
            shape, _ = geo.repair(shapely.union_all([shapes[key], shape]), lines=lines)
        rows.setdefault(key, feature)
        shapes[key] = shape
    return shapes, rows, told


def _rejudge(db: Any, touched: Sequence[bytes], today: date) -> int:
    if not touched:
        return 0
    land = shapely.to_wkb(shapely.union_all([shapely.box(*shapely.from_wkb(wkb).bounds) for wkb in touched]))
    return judging.rejudge(db, area_wkb=land, today=today)


def _first(begins: Sequence[date | None]) -> date | None:
    """The earliest day; None, which is since ever, comes before all."""
    return None if None in begins else min(day for day in begins if day)


def _text(feature: Feature, column: str | None) -> str:
    value = feature.properties.get(column) if column else None
    if isinstance(value, float) and value.is_integer():
        # A column of whole numbers with a hole in it is read as fractions; a code stays a code.
        value = int(value)
    return "" if value is None else str(value).strip()


def _name(text: str, english: str) -> Name:
    """A name without Chinese letters is English; the other language falls back to it."""
    return Name("", english or text) if text.isascii() else Name(text, english)


def _sound(one: Boundary) -> Boundary:
    """The same with a valid shape in the one form in which equal shapes have equal bytes."""
    lines = isinstance(one, NewJurisdiction) and one.reach_m is not None
    wkb = one.area if isinstance(one, NewPlace) else one.shape
    shape, _ = geo.repair(shapely.from_wkb(wkb), lines=lines)
    if shape.is_empty:
        raise BadInput("area", "without_extent", code=one.code)
    sound = shapely.to_wkb(shapely.normalize(shape))
    return replace(one, area=sound) if isinstance(one, NewPlace) else replace(one, shape=sound)


class _DryRun(Exception):
    pass


@contextmanager
def _maybe(*, dry_run: bool) -> Iterator[Any]:
    try:
        with bulk() as db:
            yield db
            if dry_run:
                raise _DryRun  # noqa: TRY301 - leaving the block is what rolls back
    except _DryRun:
        pass
