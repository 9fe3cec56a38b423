"""Planners' questions: what a viewer may ask of which places, computed once for all who see the same.

Short ones are computed while the page waits; long ones by the worker, which says how far it is and can be told to
leave off. A kept result is found by the question, by what its viewers see, and by the version of data and program.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import shapely

from geoapp import __version__
from geoapp.domain import planning
from geoapp.domain.permissions import Right, communities_of, may_anywhere, sight
from geoapp.domain.planning import Analysis, Ask, Cells, Method
from geoapp.domain.values import IssueFilter, PlaceKind, StateGroup, Viewer
from geoapp.errors import BadInput, NotFound, NotYours
from geoapp.services import analysing, denominators, packing, projects, snapshots
from geoapp.services.analysing import Material
from geoapp.services.packing import Part, Result
from geoapp.services.projects import NewProject
from geoapp.store import analyses, census, people
from geoapp.store.analyses import Costs, Kept
from geoapp.store.issues import IssueRow
from geoapp.store.session import snapshot, transaction

__all__ = ["Costs", "Look", "Part", "Result"]

log = logging.getLogger(__name__)
STALE = timedelta(minutes=15)
"""Whoever began so long ago and has not ended will not end any more."""
UNUSED = timedelta(days=7)
LONG = {Analysis.ASSOCIATION: 50_000, Analysis.REPEATS: 150_000}
LONG_USUALLY, LONG_HDBSCAN = 250_000, 20_000
"""From so many issues on a page would wait too long."""
NEARBY_M = 3_000
LEAST_COSTS = 5
MOST_OF_A_PROJECT = 500


@dataclass(frozen=True, slots=True)
class Look:
    """How far the answer to a question is; ``result`` once it is done."""

    key: str
    state: str
    progress: int = 0
    result: Result | None = None
    problem: BadInput | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a project out of a row would hold: its cases, its boundary, and what similar work has cost."""

    part: str
    row: int
    category: str
    community: str
    cases: list[IssueRow]
    area: bytes
    costs: Costs | None

    @property
    def open(self) -> int:
        """How many of the cases are still to be solved: what has been solved costs nothing more."""
        return sum(one.state.group in {StateGroup.OPEN, StateGroup.IN_WORK} for one in self.cases)


def scope(viewer: Viewer) -> frozenset[str] | None:
    """The communities that a viewer may analyse, None for all; raises NotYours where there is none."""
    found = communities_of(viewer, Right.ANALYSE)
    if found is not None and not found:
        raise NotYours("not_yours", "action")
    return found


def look(
    viewer: Viewer, asked: Ask, *, now: datetime, zone: ZoneInfo, again: bool = False, patience: bool = True
) -> Look:
    """The answer, where it is short or kept; else how far it is. ``again`` begins one that was cancelled.

    Without ``patience`` nothing is begun. Raises NotYours, and BadInput naming what cannot be asked.
    """
    ask = asked.normal()
    _check(viewer, ask)
    key = _key(viewer, ask)
    with snapshot() as db:
        kept = analyses.find(db, key)
    if kept is not None and kept.state == "done" and kept.packed is not None:
        with transaction() as db:
            analyses.use(db, key, now=now)
        return Look(key, "done", 100, packing.unpack(kept.packed))
    if not patience:
        return _waiting(key, kept)
    long = _is_long(viewer, ask, zone)
    with transaction() as db:
        mine = analyses.claim(
            db, key, ask.as_json(), scope=_told(viewer), person=viewer.person, state="waiting" if long else "working",
            again=again, now=now, before=now - STALE,
        )  # fmt: skip
        if mine and long:
            analyses.defer(db, key)
    if not mine:
        with snapshot() as db:
            return _waiting(key, analyses.find(db, key))
    return Look(key, "waiting") if long else _work(viewer, ask, key, zone=zone)


def standing(viewer: Viewer, key: str) -> Look:
    """How far a question of this viewer, or of one who sees the same, is. Raises NotFound."""
    with snapshot() as db:
        kept = _of(viewer, key, analyses.find(db, key, whole=False))
    return _waiting(key, kept)


def cancel(viewer: Viewer, key: str) -> bool:
    """Leave off; False when it was over. Raises NotFound."""
    with transaction() as db:
        _of(viewer, key, analyses.find(db, key, whole=False))
        return analyses.cancel(db, key)


def answer(key: str, *, zone: ZoneInfo) -> None:
    """What the worker does with a question that waits: answer it as whoever asked would see it."""
    with snapshot() as db:
        kept = analyses.find(db, key, whole=False)
        if kept is None or kept.state not in {"waiting", "working"} or kept.person is None:
            return
        viewer = Viewer(tuple(people.grants(db, kept.person)), kept.person)
    if _told(viewer) != kept.scope:
        with transaction() as db:
            analyses.fail(db, key, {"field": "place", "reason": "scope_changed"})
        return
    _work(viewer, planning.read(kept.question), key, zone=zone)


def sweep(*, now: datetime) -> int:
    """Forget results that nobody has looked at for long."""
    with transaction() as db:
        return analyses.sweep(db, before=now - UNUSED)


def cases(viewer: Viewer, result: Result, part: str, row: int, *, first: int = 0, most: int = 50) -> list[IssueRow]:
    """The issues behind a figure, a page of them. Raises NotFound for a row that is not there."""
    _known(result, part, row)
    with snapshot() as db:
        return analyses.cases(db, result.issue_ids(part, row, first=first, most=most), viewer)


def draft(viewer: Viewer, result: Result, part: str, row: int) -> Draft:
    """What a project out of this row would hold. Raises NotYours, NotFound."""
    if not may_anywhere(viewer, Right.PROJECT):
        raise NotYours("not_yours", "action")
    table = _known(result, part, row)
    if table.geometry is None or "category" not in table.columns:
        raise NotFound("cluster", f"{part}/{row}")
    found = cases(viewer, result, part, row, most=MOST_OF_A_PROJECT)
    area = bytes(shapely.to_wkb(table.geometry[row]))
    kinds = sorted({one.category for one in found})
    with snapshot() as db:
        known = analyses.costs(db, kinds, area, metres=NEARBY_M, communities=_listed(viewer))
    shown = known if known is not None and known.n >= LEAST_COSTS else None
    kind, where = (str(table.columns[name][row]) for name in ("category", "community"))
    return Draft(part, row, kind, where, found, area, shown)


def project(viewer: Viewer, drawn: Draft, *, title: str, made: UUID, origin: dict[str, object], now: datetime) -> UUID:
    """Make a project of it. Raises as services.projects.create."""
    low, high = (None, None) if drawn.costs is None else (drawn.costs.low, drawn.costs.high)
    of_all = len(drawn.cases)
    return projects.create(
        viewer,
        NewProject(
            title=title, area=drawn.area, cases=[one.number for one in drawn.cases], id=made,
            budget_low=_yuan(low, drawn.open), budget_high=_yuan(high, drawn.open),
            origin={"kind": "cluster", "part": drawn.part, "row": drawn.row, "cases": of_all, **origin},
        ),
        now=now,
    )  # fmt: skip


def outline(viewer: Viewer, asked: Ask) -> Any:
    """The study area of a question, EPSG:4326; None where no boundary is known."""
    return snapshots.study_area(viewer, on=asked.day, within=_places(viewer, asked))


def choices(viewer: Viewer, *, ask: Ask) -> dict[str, list[tuple[str, str, str]]]:
    """The places that a viewer can choose, by kind: code, and name in both languages."""
    allowed = scope(viewer)
    found = {}
    for kind in (PlaceKind.DISTRICT, PlaceKind.STREET, PlaceKind.COMMUNITY):
        areas = snapshots.areas(viewer, kind, on=ask.day)
        rows = list(zip(areas.code, areas.zh, areas.en, strict=True))
        if allowed is not None:
            rows = [row for row in rows if row[0] in allowed] if kind is PlaceKind.COMMUNITY else []
        found[str(kind)] = rows
    return found


def _work(viewer: Viewer, ask: Ask, key: str, *, zone: ZoneInfo) -> Look:
    """Compute and keep it; what cannot be computed is kept too, for whoever else asks."""
    try:
        if not _step(key, 5):
            return Look(key, "cancelled")
        given = _material(viewer, ask, zone)
        if not _step(key, 40):
            return Look(key, "cancelled")
        result = analysing.compute(ask, given)
        if not _step(key, 90):
            return Look(key, "cancelled")
        packed = packing.pack(result)
        with transaction() as db:
            analyses.finish(db, key, packed)
    except BadInput as wrong:
        with transaction() as db:
            analyses.fail(db, key, {"field": wrong.field, "reason": wrong.reason, "params": wrong.params})
        return Look(key, "failed", problem=wrong)
    except Exception:
        with transaction() as db:
            analyses.fail(db, key, {})
        raise
    # As kept: whoever asks first reads the same as whoever asks later.
    return Look(key, "done", 100, packing.unpack(packed))


def _step(key: str, progress: int) -> bool:
    with transaction() as db:
        return analyses.step(db, key, progress)


def _material(viewer: Viewer, ask: Ask, zone: ZoneInfo) -> Material:
    places = _places(viewer, ask)
    found = snapshots.read(viewer, _wanted(viewer, ask), zone=zone, ids=True)
    area = snapshots.study_area(viewer, on=ask.day, within=places)
    if ask.cells is Cells.UNIT:
        land = snapshots.land_of_units(viewer, on=ask.day, area=area)
        given = denominators.of_units(viewer, ask, found, land)
    else:
        kind = PlaceKind.STREET if ask.cells is Cells.STREET else PlaceKind.COMMUNITY
        given = denominators.of_places(viewer, ask, snapshots.areas(viewer, kind, on=ask.day, within=places))
    return Material(found, area, given.areas, zone, given.told, given.roads)


def _wanted(viewer: Viewer, ask: Ask) -> IssueFilter:
    """The issues of a question: never those of a community that the viewer may not analyse."""
    allowed = scope(viewer)
    inside: tuple[str, ...] = () if allowed is None else tuple(sorted(allowed))
    if ask.places:
        chosen = snapshots.areas(viewer, PlaceKind.COMMUNITY, on=ask.day, within=ask.places).code
        inside = tuple(code for code in chosen if allowed is None or code in allowed)
    return IssueFilter(
        categories=ask.categories, states=ask.states, verdicts=ask.verdicts, communities=inside, since=ask.since,
        until=ask.until,
    )  # fmt: skip


def _places(viewer: Viewer, ask: Ask) -> tuple[str, ...]:
    """The study area as places: those chosen, else all that the viewer may analyse; empty: the district."""
    allowed = scope(viewer)
    return ask.places or (() if allowed is None else tuple(sorted(allowed)))


def _check(viewer: Viewer, ask: Ask) -> None:
    """Places must be there and the viewer's own; a place of which only a part is the viewer's is not."""
    allowed = scope(viewer)
    if not ask.places:
        return
    inside = {
        code: set(snapshots.areas(viewer, PlaceKind.COMMUNITY, on=ask.day, within=(code,)).code) for code in ask.places
    }
    for code, found in inside.items():
        if not found or (allowed is not None and not found <= allowed):
            raise BadInput("place", "unknown", value=code[:40])


def _is_long(viewer: Viewer, ask: Ask, zone: ZoneInfo) -> bool:
    most = LONG.get(ask.analysis, LONG_USUALLY)
    if ask.analysis is Analysis.CLUSTERS and ask.method is Method.HDBSCAN:
        most = LONG_HDBSCAN
    with snapshot() as db:
        return census.count(db, _wanted(viewer, ask), viewer, zone) > most


def _key(viewer: Viewer, ask: Ask) -> str:
    told = "\n".join((ask.words(), _told(viewer), snapshots.data_version(), __version__, str(packing.FORM)))
    return hashlib.sha256(told.encode()).hexdigest()[:40]


def _told(viewer: Viewer) -> str:
    """What a viewer sees and may analyse, as words: people with the same words share results."""
    allowed, seen = communities_of(viewer, Right.ANALYSE), sight(viewer)
    parts = (allowed, seen.communities, seen.units)
    return "|".join("*" if one is None else ",".join(sorted(one)) for one in parts)


def _of(viewer: Viewer, key: str, kept: Kept | None) -> Kept:
    scope(viewer)
    if kept is None or kept.scope != _told(viewer):
        raise NotFound("analysis", key[:40])
    return kept


def _waiting(key: str, kept: Kept | None) -> Look:
    if kept is None:
        return Look(key, "unknown")
    problem = None
    if kept.state == "failed" and kept.problem.get("reason"):
        problem = BadInput(kept.problem["field"], kept.problem["reason"], **kept.problem.get("params", {}))
    return Look(key, kept.state, kept.progress, problem=problem)


def _known(result: Result, part: str, row: int) -> Part:
    table = result.parts.get(part)
    if table is None or not 0 <= row < len(table):
        raise NotFound("figure", f"{part}/{row}")
    return table


def _listed(viewer: Viewer) -> list[str] | None:
    allowed = scope(viewer)
    return None if allowed is None else sorted(allowed)


def _yuan(each: float | None, n: int) -> Decimal | None:
    return None if each is None or not n else Decimal(str(round(each * n, -2))).quantize(Decimal("0.01"))
