"""From lines to a network: cut where lines meet, so that an edge runs from one node to the next.

Lines meet at vertices that they share, to 1e-7 of a degree (about a centimetre). Lines that cross without one are
a bridge over a road as often as a crossing badly drawn; nothing in the line tells. So they are counted and left
alone, unless the operator says that they are crossings.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoapp.domain.roads import RoadClass

DECIMALS = 7

Coordinates = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RoadLine:
    """A line of lon, lat with what it is; a one-way road runs along its line."""

    coordinates: Coordinates
    kind: RoadClass
    oneway: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a network hangs together: its nodes, its parts, and the share of nodes in the largest of them."""

    nodes: int
    parts: int
    largest: float


def line_of(shape: BaseGeometry, kind: RoadClass, *, direction: int, name: str = "") -> RoadLine | None:
    """A single line cleaned up: rounded, without doubled vertices, turned so that one may drive along it."""
    places = np.round(shapely.get_coordinates(shape), DECIMALS)
    keep = np.ones(len(places), dtype=bool)
    keep[1:] = (places[1:] != places[:-1]).any(axis=1)
    places = places[keep]
    if len(places) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    return RoadLine(places[::-1] if direction < 0 else places, kind, oneway=direction != 0, name=name)


def noded(lines: Sequence[RoadLine]) -> list[RoadLine]:
    """The same roads, cut at every vertex that is used twice."""
    if not lines:
        return []
    sizes = [len(line.coordinates) for line in lines]
    places = np.concatenate([line.coordinates for line in lines])
    _, which, uses = np.unique(_keys(places), return_inverse=True, return_counts=True)
    meets = uses[which] > 1
    edges = []
    for line, start, size in zip(lines, np.cumsum([0, *sizes[:-1]]), sizes, strict=True):
        cuts = [0, *(np.flatnonzero(meets[start + 1 : start + size - 1]) + 1).tolist(), size - 1]
        if len(cuts) == 2 and _closed(line.coordinates):  # noqa: PLR2004 - the two ends
            # An edge that ends where it begins would lead nowhere: a ring gets a second node.
            cuts.insert(1, size // 2)
        edges += [
            RoadLine(line.coordinates[begin : end + 1], line.kind, line.oneway, line.name)
            for begin, end in pairwise(cuts)
        ]
    return edges


def crossings(lines: Sequence[RoadLine]) -> dict[int, list[tuple[float, float]]]:
    """Places where a line crosses another without a vertex in common, for each line that lacks a vertex there."""
    shapes = np.array([shapely.LineString(line.coordinates) for line in lines], dtype=object)
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = first < second
    first, second = first[once], second[once]
    held = [set(_keys(line.coordinates).tolist()) for line in lines]
    found: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for one, other, shared in zip(first, second, shapely.intersection(shapes[first], shapes[second]), strict=True):
        for lon, lat in np.round(_points(shared), DECIMALS).tolist():
            (key,) = _keys(np.array([[lon, lat]])).tolist()
            for line in (int(one), int(other)):
                if key not in held[line]:
                    found[line].append((lon, lat))
    return dict(found)


def joined(lines: Sequence[RoadLine], at: dict[int, list[tuple[float, float]]]) -> list[RoadLine]:
    """The same lines with a vertex at each of these places."""
    return [
        RoadLine(_with(line.coordinates, at[number]), line.kind, line.oneway, line.name) if number in at else line
        for number, line in enumerate(lines)
    ]


def shape_of(edges: Sequence[RoadLine]) -> Shape:
    from scipy.sparse import coo_array  # noqa: PLC0415 - slow to import
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    if not edges:
        return Shape(0, 0, 0.0)
    ends = np.concatenate([[edge.coordinates[0] for edge in edges], [edge.coordinates[-1] for edge in edges]])
    keys, which = np.unique(_keys(ends), return_inverse=True)
    tails, heads = which[: len(edges)], which[len(edges) :]
    links = coo_array((np.ones(len(edges)), (tails, heads)), shape=(len(keys), len(keys)))
    parts, part = connected_components(links, directed=False)
    return Shape(len(keys), int(parts), float(np.bincount(part).max() / len(keys)))


def ends_of(edges: Iterable[BaseGeometry]) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """The numbers of the nodes at which each edge begins and ends, and how many nodes there are."""
    shapes = np.array(list(edges), dtype=object)
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(shapes, at)) for at in (0, -1)])
    keys, which = np.unique(_keys(ends), return_inverse=True)
    return which[: len(shapes)], which[len(shapes) :], len(keys)


def _keys(places: Coordinates) -> NDArray[np.int64]:
    """One whole number for each place; equal for equal places."""
    whole = np.round(places * 10**DECIMALS).astype(np.int64)
    keys: NDArray[np.int64] = whole[:, 0] * 4_000_000_000 + whole[:, 1]
    return keys


def _closed(places: Coordinates) -> bool:
    return bool((places[0] == places[-1]).all()) and len(places) > 3  # noqa: PLR2004 - there and back is no ring


def _points(shared: BaseGeometry) -> Coordinates:
    """Where lines meet: points as they are, of a stretch in common its ends."""
    return np.concatenate([np.zeros((0, 2)), *map(_ends, shapely.get_parts(shared))])


def _ends(part: BaseGeometry) -> Coordinates:
    places = shapely.get_coordinates(part)
    return places[[0, -1]] if len(places) > 1 else places


def _with(places: Coordinates, further: list[tuple[float, float]]) -> Coordinates:
    line = shapely.LineString(places)
    own = np.array([line.project(shapely.Point(place)) for place in places])
    # A ring's last vertex is located at its beginning.
    own[-1] = shapely.length(line)
    new = np.array(list(dict.fromkeys(further)))
    along = np.concatenate([own, shapely.line_locate_point(line, shapely.points(new))])
    together: Coordinates = np.concatenate([places, new])[np.argsort(along, kind="stable")]
    return together
