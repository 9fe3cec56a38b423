"""Finds ways in a road network: places are put onto the nearest edge, and Dijkstra's algorithm does the rest.

Pure: edges come in as a ``Network``, whoever read them. Why scipy and not pgRouting? A visit asks for some sixty
places at once in one town: read once, its edges fit into memory, answer in milliseconds, and no operator has to
install an extension.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geoapp.domain.roadnet import ends_of
from geoapp.domain.roads import BEYOND_M, FAR_M, KMH, WALK_MPS, Mode, RoadClass, estimate
from geoapp.domain.routes import Basis, Matrix

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Place = tuple[float, float]
NO_LENGTH_M = 0.01
"""A place as near as this to the end of a one-way road, or to another place on it, is there, and not behind it."""
SHORT_M = 100.0
"""A straight walk between neighbours shorter than this is no estimate worth a warning."""
_INSTANT = 1e-6
"""Seconds of an arc without length: a zero would be no arc at all to scipy."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Edges as columns: lines in EPSG:4326, classes, whether one-way along the line, metres."""

    lines: NDArray[np.object_]
    kinds: Sequence[RoadClass]
    oneway: NDArray[np.bool_]
    metres: Floats


@dataclass(frozen=True, slots=True)
class Leg:
    """The way from one place to the next: its line, how long it is, and whether it is a road or an estimate."""

    coordinates: tuple[Place, ...]
    metres: int
    seconds: int
    basis: Basis


@dataclass(frozen=True, slots=True, eq=False)
class _Snaps:
    """Where places lie on the network: the edge (-1: beyond it), how far along (0 to 1), and metres to get there."""

    edge: Whole
    along: Floats
    off: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Arcs:
    """Directed pieces of edges, from ``tail`` to ``head``, as columns; a piece is a span of its edge, 0 to 1."""

    tail: Whole
    head: Whole
    edge: Whole
    begin: Floats
    end: Floats

    def pick(self, order: NDArray[np.int64]) -> "_Arcs":
        return _Arcs(self.tail[order], self.head[order], self.edge[order], self.begin[order], self.end[order])


class Graph:
    """A network for one way of getting about. Building it takes the time; one is asked many times."""

    def __init__(self, network: Network, mode: Mode) -> None:
        speeds = np.array([KMH[mode].get(kind, 0.0) for kind in network.kinds]) / 3.6
        open_ = speeds > 0
        self.mode = mode
        self.metres: Floats = network.metres[open_]
        self.seconds: Floats = self.metres / speeds[open_]
        degrees = network.lines[open_]
        self._plane = _Plane.at(shapely.total_bounds(degrees)) if len(degrees) else _Plane(0.0, 0.0)
        self.lines = shapely.transform(degrees, self._plane.metres)
        self._tree = shapely.STRtree(self.lines)
        # On foot one may go either way.
        self._both_ways = ~network.oneway[open_] if mode is Mode.DRIVING else np.ones(len(degrees), dtype=bool)
        self._tail, self._head, self._nodes = ends_of(degrees) if len(degrees) else (_none(), _none(), 0)
        self._base = self._arcs_of_edges()

    def matrix(self, points: Floats) -> Matrix:
        """All legs between these places (rows of lon, lat); an estimate wherever roads do not lead there."""
        ways = _Ways(self, points)
        found = [ways.reach(row) for row in range(len(points))]
        metres = np.array([row.metres for row in found])
        seconds = np.array([row.seconds for row in found])
        guessed = ways.guessed | ~np.isfinite(seconds)
        np.fill_diagonal(guessed, val=False)
        metres, seconds = np.where(guessed, ways.estimate[0], metres), np.where(guessed, ways.estimate[1], seconds)
        np.fill_diagonal(metres, 0.0)
        np.fill_diagonal(seconds, 0.0)
        pairs = np.argwhere(guessed & ~ways.short)
        others = len(points) * (len(points) - 1) - len(pairs)
        return Matrix(
            metres,
            seconds,
            Basis.MIXED if others and len(pairs) else Basis.ESTIMATE if len(pairs) else Basis.ROADS,
            estimated=frozenset((int(row), int(column)) for row, column in pairs),
            far=tuple(int(row) for row in np.flatnonzero((ways.snaps.off > FAR_M) & (ways.snaps.edge >= 0))),
        )

    def legs(self, points: Floats) -> list[Leg]:
        """The ways from each of these places to the next, to be drawn."""
        ways = _Ways(self, points)
        return [self._leg(ways, points, row) for row in range(len(points) - 1)]

    def from_one(self, points: Floats) -> Floats:
        """Metres of the shortest way from the first of these places to each; NaN where no road leads there.

        The bits off the road are straight, and so is a way that is shorter than the two of them.
        """
        from scipy.sparse import csr_array  # noqa: PLC0415 - slow to import
        from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415

        snaps, length = self.snap(points), self.metres
        known = (snaps.edge >= 0) & (snaps.edge[0] >= 0)
        found = np.full(len(points), np.nan)
        if not known.any():
            return found
        edge, along, off = snaps.edge[known], snaps.along[known], snaps.off[known]
        # The first place is a node of its own, from which the ends of its edge can be reached.
        begin = [self._head[edge[0]], self._tail[edge[0]]][: 1 + int(self._both_ways[edge[0]])]
        span = np.array([1 - along[0], along[0]])[: len(begin)] * length[edge[0]]
        base = self._base
        table = csr_array(
            (
                np.maximum(np.concatenate([length[base.edge], span]), _INSTANT),
                (np.append(base.tail, np.full(len(begin), self._nodes)), np.append(base.head, begin)),
            ),
            shape=(self._nodes + 1, self._nodes + 1),
        )
        far = dijkstra(table, indices=self._nodes)
        both = self._both_ways[edge]
        ahead = far[self._tail[edge]] + along * length[edge]
        back = np.where(both, far[self._head[edge]] + (1 - along) * length[edge], np.inf)
        same = (edge == edge[0]) & (both | (along >= along[0]))
        direct = np.where(same, np.abs(along - along[0]) * length[edge], np.inf)
        metres = np.minimum(np.minimum(ahead, back), direct) + off + off[0]
        flat = self._plane.metres(points[known])
        across = np.hypot(*(flat - flat[0]).T)
        metres = np.where(off + off[0] >= across, across, metres)
        found[known] = np.where(np.isfinite(metres), metres, np.nan)
        return found

    def _leg(self, ways: "_Ways", points: Floats, row: int) -> Leg:
        reach = ways.reach(row)
        if ways.guessed[row, row + 1] or not math.isfinite(reach.seconds[row + 1]):
            metres, seconds = (float(table[row, row + 1]) for table in ways.estimate)
            basis = Basis.ROADS if ways.short[row, row + 1] else Basis.ESTIMATE
            return _straight(points[row : row + 2], metres, seconds, basis)
        pieces = [self._piece(ways.arcs, arc) for arc in reach.path(row + 1)]
        line = self._plane.degrees(np.concatenate(pieces)) if pieces else np.zeros((0, 2))
        places = np.round(np.vstack([points[row], line, points[row + 1]]), 7)
        keep = np.append(True, (places[1:] != places[:-1]).any(axis=1))
        coordinates = tuple((float(lon), float(lat)) for lon, lat in places[keep])
        return Leg(coordinates, _whole(reach.metres[row + 1]), _whole(reach.seconds[row + 1]), Basis.ROADS)

    def _piece(self, arcs: _Arcs, arc: int) -> Floats:
        line, begin, end = self.lines[arcs.edge[arc]], float(arcs.begin[arc]), float(arcs.end[arc])
        cut = _between(line, min(begin, end), max(begin, end))
        return cut if begin <= end else cut[::-1]

    def snap(self, points: Floats) -> _Snaps:
        """The nearest edge for each of these places; none where it is farther than the network reaches."""
        count = len(points)
        if not len(self.lines):
            return _Snaps(np.full(count, -1), np.zeros(count), np.full(count, np.inf))
        places = shapely.points(self._plane.metres(points))
        edge = np.asarray(self._tree.nearest(places), dtype=np.int64)
        lines = self.lines[edge]
        along = shapely.line_locate_point(lines, places, normalized=True)
        off = shapely.distance(lines, places)
        return _Snaps(np.where(off <= BEYOND_M, edge, -1), along, off)

    def _arcs_of_edges(self) -> _Arcs:
        number = np.arange(len(self.metres))
        back = number[self._both_ways]
        every = _Arcs(
            np.concatenate([self._tail, self._head[back]]),
            np.concatenate([self._head, self._tail[back]]),
            np.concatenate([number, back]),
            np.concatenate([np.zeros(len(number)), np.ones(len(back))]),
            np.concatenate([np.ones(len(number)), np.zeros(len(back))]),
        )
        # Of several edges between two nodes the quickest; scipy would add them up.
        order = np.lexsort((self.seconds[every.edge], every.head, every.tail))
        every = every.pick(order)
        first = np.ones(len(order), dtype=bool)
        first[1:] = (every.tail[1:] != every.tail[:-1]) | (every.head[1:] != every.head[:-1])
        return every.pick(np.flatnonzero(first & (every.tail != every.head)))

    def with_places(self, snaps: _Snaps) -> tuple[_Arcs, int]:
        """The arcs of the network and of the places on it, each a node of its own, sorted; and the first such node."""
        rows: list[tuple[int, int, int, float, float]] = []
        for edge in np.unique(snaps.edge[snaps.edge >= 0]):
            here = np.flatnonzero(snaps.edge == edge)
            here = here[np.argsort(snaps.along[here], kind="stable")]
            nodes = [int(self._tail[edge]), *(self._nodes + here).tolist(), int(self._head[edge])]
            along = [0.0, *snaps.along[here].tolist(), 1.0]
            for at in range(len(nodes) - 1):
                rows.append((nodes[at], nodes[at + 1], int(edge), along[at], along[at + 1]))
                at_a_node = (along[at + 1] - along[at]) * self.metres[edge] < NO_LENGTH_M
                if self._both_ways[edge] or at_a_node:
                    rows.append((nodes[at + 1], nodes[at], int(edge), along[at + 1], along[at]))
        more = np.array(rows, dtype=float).reshape(-1, 5)
        base = self._base
        every = _Arcs(
            np.concatenate([base.tail, more[:, 0].astype(np.int64)]),
            np.concatenate([base.head, more[:, 1].astype(np.int64)]),
            np.concatenate([base.edge, more[:, 2].astype(np.int64)]),
            np.concatenate([base.begin, more[:, 3]]),
            np.concatenate([base.end, more[:, 4]]),
        )
        return every.pick(np.lexsort((every.head, every.tail))), self._nodes


class _Ways:
    """The network with the places of one question on it."""

    def __init__(self, graph: Graph, points: Floats) -> None:
        from scipy.sparse import csr_array  # noqa: PLC0415 - slow to import

        self.snaps = graph.snap(points)
        self.arcs, self.first = graph.with_places(self.snaps)
        span = np.abs(self.arcs.end - self.arcs.begin)
        self.metres: Floats = span * graph.metres[self.arcs.edge]
        size = self.first + len(points)
        self.row = np.searchsorted(self.arcs.tail, np.arange(size + 1))
        seconds = np.maximum(span * graph.seconds[self.arcs.edge], _INSTANT)
        self.table = csr_array(
            (seconds, self.arcs.head.astype(np.int32), self.row.astype(np.int32)), shape=(size, size)
        )
        off = self.snaps.off
        beyond = (self.snaps.edge < 0)[:, None] | (self.snaps.edge < 0)[None]
        walk = estimate(points, Mode.WALKING)
        # Nearer straight across than to the road: nobody goes to the road and back for that.
        across = ~beyond & (off[:, None] + off[None] >= walk[0]) & (off[:, None] + off[None] > 0)
        self.guessed: NDArray[np.bool_] = beyond | across
        self.short: NDArray[np.bool_] = across & (walk[0] < SHORT_M)
        self.estimate = tuple(
            np.where(across, on_foot, way) for on_foot, way in zip(walk, estimate(points, graph.mode), strict=True)
        )

    def reach(self, source: int) -> "_Reach":
        """How far every place is from this one, along the roads."""
        from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415 - slow to import

        seconds, before = dijkstra(self.table, indices=self.first + source, return_predecessors=True)
        return _Reach(self, source, seconds, before)


class _Reach:
    """What Dijkstra's algorithm found from one place."""

    def __init__(self, ways: _Ways, source: int, seconds: Floats, before: NDArray[np.int32]) -> None:
        self._ways, self._source, self._before = ways, ways.first + source, before
        self._known = {self._source: 0.0}
        off = ways.snaps.off + ways.snaps.off[source]
        self.seconds: Floats = seconds[ways.first :] + off / WALK_MPS
        count = len(ways.snaps.off)
        self.metres: Floats = np.array([self._metres(ways.first + target) for target in range(count)]) + off

    def path(self, target: int) -> list[int]:
        """The arcs that lead to this place, in order."""
        node, arcs = self._ways.first + target, []
        while node != self._source:
            arcs.append(self._arc(node))
            node = int(self._before[node])
        return arcs[::-1]

    def _metres(self, node: int) -> float:
        """Along the quickest way; what is known of its beginning is not counted again."""
        new = []
        while node not in self._known:
            if self._before[node] < 0:
                return math.inf
            new.append(node)
            node = int(self._before[node])
        for one in reversed(new):
            self._known[one] = self._known[int(self._before[one])] + float(self._ways.metres[self._arc(one)])
        return self._known[new[0]] if new else self._known[node]

    def _arc(self, node: int) -> int:
        """The arc by which the quickest way comes to this node."""
        before = int(self._before[node])
        begin, end = self._ways.row[before], self._ways.row[before + 1]
        return int(begin + np.searchsorted(self._ways.arcs.head[begin:end], node))


@dataclass(frozen=True, slots=True)
class _Plane:
    """Metres east and north of a middle, true to some parts in a thousand over a district: for what is nearest."""

    lon: float
    lat: float

    @classmethod
    def at(cls, bounds: Floats) -> "_Plane":
        west, south, east, north = bounds.tolist()
        return cls((west + east) / 2, (south + north) / 2)

    @property
    def _scale(self) -> Floats:
        turn = math.radians(self.lat)
        north = 111_132.954 - 559.822 * math.cos(2 * turn) + 1.175 * math.cos(4 * turn)
        return np.array([111_412.84 * math.cos(turn) - 93.5 * math.cos(3 * turn), north])

    def metres(self, degrees: Floats) -> Floats:
        return np.asarray((degrees - [self.lon, self.lat]) * self._scale)

    def degrees(self, metres: Floats) -> Floats:
        return np.asarray(metres / self._scale + [self.lon, self.lat])


def _straight(ends: Floats, metres: float, seconds: float, basis: Basis) -> Leg:
    line = tuple((round(float(lon), 7), round(float(lat), 7)) for lon, lat in ends)
    return Leg(line, _whole(metres), _whole(seconds), basis)


def _between(line: shapely.LineString, begin: float, end: float) -> Floats:
    """The vertices of a line from one share of its length to another."""
    length = shapely.length(line)
    places = shapely.get_coordinates(line)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(places, axis=0).T))])
    inside = places[(along > begin * length) & (along < end * length)]
    first, last = shapely.get_coordinates(shapely.line_interpolate_point(line, np.array([begin, end]), normalized=True))
    return np.vstack([first, inside, last])


def _whole(number: float) -> int:
    return math.ceil(number)


def _none() -> Whole:
    return np.zeros(0, dtype=np.int64)
