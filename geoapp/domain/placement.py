"""Many points against many areas at once: which of them need not be asked one by one whose they are.

Points that the same areas hold and that lie far from every edge are judged alike, so each such group is judged
once (store.judging does that). Which lie near an edge is decided on the safe side; those are left to be judged singly.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoapp.domain.values import NEAR_EDGE_M

Array = NDArray[Any]
DEGREE_M = 110_000.0
"""Metres that a degree of latitude has at least, rounded down: store.judging looks as far, or less."""
FARTHEST_M = 100.0
"""Whose place is known less exactly is judged singly: hardly any edge would be far from it."""
SINGLY = -1


@dataclass(frozen=True, slots=True)
class Group:
    """Issues of a category in the same areas, and one of their days: which of them, by number, the areas are."""

    category: int
    day: int
    boundaries: tuple[int, ...]
    jurisdictions: tuple[int, ...]


@dataclass(slots=True)
class Placement:
    """Areas of communities and of jurisdictions, and the groups that were found so far.

    Areas are named by their place in ``boundaries`` and ``jurisdictions``; ``fitting`` tells for each category which
    jurisdictions may have its issues. ``turns`` are the days (counted from any first one) on which areas begin or
    end: between two of them the day makes no difference.
    """

    boundaries: Sequence[BaseGeometry]
    jurisdictions: Sequence[BaseGeometry]
    fitting: Mapping[int, Sequence[int]]
    turns: Sequence[int]
    groups: list[Group] = field(default_factory=list)
    _known: dict[tuple[int, ...], int] = field(default_factory=dict)
    _edges: dict[tuple[int, ...], Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shapely.prepare([*self.boundaries, *self.jurisdictions])

    def place(self, lon: Array, lat: Array, category: Array, accuracy_m: Array, day: Array) -> Array:
        """The number of each issue's group, or SINGLY. Degrees of EPSG:4326; ``accuracy_m`` 0: not known."""
        found = np.full(len(lon), SINGLY, np.int32)
        alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for code in np.unique(category).tolist():
            alike[tuple(self.fitting[code])].append(code)
        for fitting, codes in alike.items():
            some = np.flatnonzero(np.isin(category, codes))
            found[some] = self._place(fitting, lon[some], lat[some], category[some], accuracy_m[some], day[some])
        return found

    def _place(  # noqa: PLR0917 - columns of one table
        self, fitting: tuple[int, ...], lon: Array, lat: Array, category: Array, accuracy_m: Array, day: Array
    ) -> Array:
        points = shapely.STRtree(np.asarray(shapely.points(lon, lat), object))
        sure = ~self._near_an_edge(points, fitting, lon, lat, np.maximum(accuracy_m, NEAR_EDGE_M))
        areas = np.array([*self.boundaries, *(self.jurisdictions[nth] for nth in fitting)], object)
        area, point = points.query(areas, predicate="intersects")
        names = np.concatenate([np.arange(len(self.boundaries)), len(self.boundaries) + np.array(fitting, np.int64)])
        held = _rows(names[area], point, len(lon))
        turn = np.searchsorted(self.turns, day, side="right")
        keys, first, of = np.unique(
            np.column_stack([category, turn, held])[sure], axis=0, return_index=True, return_inverse=True
        )
        days = day[sure][first].tolist()
        numbers = [self._number(row, nth) for row, nth in zip(keys.tolist(), days, strict=True)]
        found = np.full(len(lon), SINGLY, np.int32)
        found[sure] = np.array(numbers, np.int32)[of.reshape(-1)]
        return found

    def _number(self, row: list[int], day: int) -> int:
        category, turn, *areas = row
        areas = [area for area in areas if area >= 0]
        key = (category, turn, *areas)
        if key not in self._known:
            behind = len(self.boundaries)
            self._known[key] = len(self.groups)
            self.groups.append(
                Group(
                    category,
                    day,
                    tuple(area for area in areas if area < behind),
                    tuple(area - behind for area in areas if area >= behind),
                )
            )
        return self._known[key]

    def _near_an_edge(
        self, points: shapely.STRtree, fitting: tuple[int, ...], lon: Array, lat: Array, reach_m: Array
    ) -> Array:
        """As far as store.judging looks at most: in degrees, as if all were as long as those of latitude."""
        near = reach_m > FARTHEST_M
        reach = np.minimum(reach_m, FARTHEST_M) / (DEGREE_M * np.cos(np.radians(lat)))
        margin = float(reach.max())
        if fitting not in self._edges:
            self._edges[fitting] = _edges([*self.boundaries, *(self.jurisdictions[nth] for nth in fitting)])
        edges = self._edges[fitting]
        low, high = np.minimum(edges[:, :2], edges[:, 2:]) - margin, np.maximum(edges[:, :2], edges[:, 2:]) + margin
        edge, point = points.query(shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1]))
        x, y, to_x, to_y = edges[edge].T
        x, y, to_x, to_y = x - lon[point], y - lat[point], to_x - x, to_y - y
        along = np.clip(-(x * to_x + y * to_y) / np.maximum(to_x**2 + to_y**2, 1e-30), 0, 1)
        near[point[np.hypot(x + along * to_x, y + along * to_y) <= reach[point] * (1 + 1e-9)]] = True
        return near


def _rows(names: Array, point: Array, count: int) -> Array:
    """For each point the names of its areas in order, filled up with -1."""
    order = np.lexsort((names, point))
    names, point = names[order], point[order]
    many = np.bincount(point, minlength=count)
    held = np.full((count, max(1, int(many.max()))), -1, np.int64)
    held[point, np.arange(len(point)) - (np.cumsum(many) - many)[point]] = names
    return held


def _edges(areas: Sequence[BaseGeometry]) -> Array:
    """All straight pieces of the areas' outlines, once each: x, y, x, y."""
    rings = shapely.get_parts(shapely.get_parts(shapely.boundary(np.array(areas, object))))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    ends = np.hstack([xy[:-1][same], xy[1:][same]])
    # Neighbours draw the same edge in opposite directions.
    swapped = (ends[:, 0] > ends[:, 2]) | ((ends[:, 0] == ends[:, 2]) & (ends[:, 1] > ends[:, 3]))
    ends[swapped] = ends[swapped][:, [2, 3, 0, 1]]
    return np.unique(ends, axis=0)
