"""What if a crew started elsewhere: load and distance of each unit before and after. Nothing of it is stored."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geoapp.domain import crews
from geoapp.domain.crews import Reach
from geoapp.domain.roads import Mode
from geoapp.domain.spatial.projection import metres_for
from geoapp.domain.values import IssueFilter, IssueState, Point, StateGroup, Viewer
from geoapp.errors import BadInput
from geoapp.services import planning, roads
from geoapp.store import crews as stored
from geoapp.store import places
from geoapp.store.crews import Base, Lying
from geoapp.store.session import snapshot

__all__ = ["Base", "Lying", "Move", "Outcome", "Reach", "Row", "choices", "what_if"]

UNDONE = tuple(state for state in IssueState if state.group in {StateGroup.OPEN, StateGroup.IN_WORK})
MOST_BY_ROAD = 3_000
"""With more issues the ways along roads are left out: the page would wait for them."""
Pair = tuple[Reach, Reach]


@dataclass(frozen=True, slots=True)
class Move:
    """A unit starts ``at`` a place instead of ``today`` (None: as known or assumed).

    With ``nearest`` it shares its issues and those of its neighbours of the same kind out by the nearest base.
    """

    unit: str
    at: Point | None = None
    today: Point | None = None
    nearest: bool = False
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A unit before and after: its bases (None: not known), straight distances, and along roads where they lead."""

    unit: str
    base: Base | None
    moved: bool
    straight: Pair
    roads: Pair | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The moved unit first, then its neighbours; ``issues`` with their owner and metres before and after.

    ``crs`` is the system that metres were measured in; ``bases`` are those after, by unit.
    """

    rows: list[Row]
    issues: list[Lying]
    owner_after: list[str]
    metres_before: NDArray[np.float64]
    metres_after: NDArray[np.float64]
    before: Base
    after: Base
    neighbours: list[str]
    crs: str
    far_too_many: bool


def choices(viewer: Viewer, *, zone: ZoneInfo) -> dict[str, int]:
    """The units with issues that are not done and that this planner may analyse, with how many. Raises NotYours."""
    with snapshot() as db:
        found = stored.lying(db, _wanted(viewer, ()), viewer, zone=zone)
    counts: dict[str, int] = {}
    for one in found:
        if one.unit is not None:
            counts[one.unit] = counts.get(one.unit, 0) + 1
    return counts


def what_if(viewer: Viewer, move: Move, *, now: datetime, zone: ZoneInfo) -> Outcome:
    """Load and distance of the unit and its neighbours before and after. Raises NotYours, and BadInput naming what."""
    wanted = _wanted(viewer, move.categories)
    allowed = planning.scope(viewer)
    today = now.astimezone(zone).date()
    with snapshot() as db:
        if move.unit not in {one.code for one in places.units(db)}:
            raise BadInput("unit", "unknown", value=move.unit[:40])
        lying = stored.lying(db, wanted, viewer, zone=zone)
        bases = stored.bases(db, today=today, places=None if allowed is None else sorted(allowed))
        neighbours = stored.neighbours(db, move.unit, today=today)
    if move.today is not None:
        bases[move.unit] = Base(move.unit, move.today.lon, move.today.lat, "")
    if move.unit not in bases:
        raise BadInput("from", "no_base")
    before = bases[move.unit]
    after = before if move.at is None else Base(move.unit, move.at.lon, move.at.lat, "")
    units = [move.unit, *neighbours]
    issues = [one for one in lying if one.unit in set(units)]
    return _counted(move, units, issues, bases, after)


def _counted(move: Move, units: list[str], issues: list[Lying], bases: dict[str, Base], after: Base) -> Outcome:
    before = bases[move.unit]
    projection = metres_for(before.lon, before.lat)
    number = {unit: n for n, unit in enumerate(units)}
    xy = projection.metres(np.array([one.lon for one in issues]), np.array([one.lat for one in issues]))
    owner = np.array([number[str(one.unit)] for one in issues], dtype=np.int64)
    of_units = [bases.get(unit) for unit in units]
    nowhere = float("nan")
    degrees = np.array([(one.lon, one.lat) if one else (nowhere, nowhere) for one in of_units])
    old = projection.metres(degrees[:, 0], degrees[:, 1])
    old[~np.isfinite(degrees).all(axis=1)] = np.nan
    new = old.copy()
    new[0] = projection.metres(np.array([after.lon]), np.array([after.lat]))[0]
    then = crews.nearest(xy, owner, new, np.arange(len(units))) if move.nearest else owner
    metres = crews.straight_m(xy, owner, old), crews.straight_m(xy, then, new)
    straight = [crews.reach(one, whose, len(units)) for one, whose in zip(metres, (owner, then), strict=True)]
    ways: list[list[Reach]] = []
    few = len(issues) <= MOST_BY_ROAD
    if few:
        at = list(zip((one.lon for one in issues), (one.lat for one in issues), strict=True))
        for whose, first in ((owner, before), (then, after)):
            starts = [first, *of_units[1:]]
            along = _along(at, whose, starts)
            if along is not None:
                ways.append(crews.reach(along, whose, len(units)))
    rows = [
        Row(unit, of_units[n], n == 0, (straight[0][n], straight[1][n]),
            (ways[0][n], ways[1][n]) if len(ways) == 2 else None)  # noqa: PLR2004
        for n, unit in enumerate(units)
    ]  # fmt: skip
    return Outcome(
        rows, issues, [units[one] for one in then.tolist()], *metres, before, after, units[1:],
        f"{projection.code} {projection.name}", not few,
    )  # fmt: skip


def _along(
    at: list[tuple[float, float]], owner: NDArray[np.int64], starts: list[Base | None]
) -> NDArray[np.float64] | None:
    """Metres by car along roads from each owner's base; NaN where no road leads. None where there are no roads."""
    found = np.full(len(at), np.nan)
    known = False
    for one, start in enumerate(starts):
        mine = np.flatnonzero(owner == one)
        if start is None or not mine.size:
            continue
        metres = roads.from_one([(start.lon, start.lat), *(at[n] for n in mine.tolist())], mode=Mode.DRIVING)
        # Around one of the units there may be none.
        if metres is not None:
            known = True
            found[mine] = metres[1:]
    return found if known else None


def _wanted(viewer: Viewer, categories: tuple[str, ...]) -> IssueFilter:
    """Issues that are not done, never those of a community that the viewer may not analyse."""
    allowed = planning.scope(viewer)
    return IssueFilter(
        categories=categories, states=UNDONE, communities=() if allowed is None else tuple(sorted(allowed))
    )
