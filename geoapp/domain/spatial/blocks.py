"""Points sorted into blocks, so that those within reach of a point are found by arrays alone.

As in grid-based exact DBSCAN (Gunawan 2013; de Berg, Gunawan & Roeloffzen 2017) all points of a block are within reach
of each other, and beside it only two blocks each way can hold others. A tree is asked for one point after another;
here the points of a strip of blocks lie in a row, and a point's neighbours in each strip are one run of them.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geoapp.domain.spatial.grid import Bools, Floats, Ints

_Count = Callable[[Ints], NDArray[np.integer]]
_FAR = 2
"""A block's side is reach / sqrt 2: what lies more than two blocks away is out of reach."""
STEPS = range(-_FAR, _FAR + 1)
_POINTS, _PAIRS = 10_000, 400_000
"""So many points, and so many pairs of points, are treated at a time: what fits into the processor's cache."""
_SLICES = 4
"""Along its strip a block is cut into so many slices, so that a run may begin and end within a block."""
_TABLE, _PER_POINT = 8_000_000, 64
"""Slices are looked up in a table while there are no more of them, in all and for each point."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Points in the order of their blocks; a point is named by its place in this order.

    ``at`` is (axes, points): x and y in metres and, in space and time, days. ``order`` tells the given index of each
    point, ``key`` the number of its slice, ascending. A strip of blocks lies along the last axis; from a block to the
    next along each axis the number rises by ``stride``. ``reach``, ``slack`` and the ``side`` of a block are also told
    by axis, in metres and days; ``origin`` is where the first block begins and ``size`` how many numbers there are.
    """

    at: Floats
    order: Ints
    key: Ints
    reach: Floats
    slack: Floats
    origin: Floats
    side: Floats
    stride: tuple[int, ...]
    size: int

    @classmethod
    def of(cls, xy: Floats, *, within_m: float, days: Floats | None = None, within_days: float = 0.0) -> "Blocks":
        """Raises ValueError where the reach is so small that the blocks cannot be numbered."""
        at = np.array(xy.T) if days is None else np.vstack([xy.T, days])
        reach = np.array([within_m, within_m, within_days])[: len(at)]
        origin, extent = at.min(axis=1), np.ptp(at, axis=1)
        # Rounding may move a point by a hair: still no block may hold a pair out of reach, nor a run miss a neighbour.
        slack = 1e-9 * reach + 4 * np.spacing(extent)
        side = (reach - slack) / np.array([math.sqrt(2), math.sqrt(2), 1.0])[: len(at)]
        # Empty blocks lie behind, and before the first strip, so that a step aside never leads into another strip.
        blocks = np.floor(extent / side) + 1 + _FAR
        blocks[0] += _FAR
        if not ((side > 0).all() and blocks.prod() < 2.0**60):
            raise ValueError(f"a reach of {reach.min():g} is too small for points over {extent.max():g}")
        span = [int(count) for count in blocks]
        stride = tuple(_SLICES * math.prod(span[axis + 1 :]) for axis in range(len(span)))
        key = np.full(at.shape[1], _FAR * stride[0])
        for values, start, width, step in zip(at[:-1], origin, side, stride, strict=False):
            key += ((values - start) / width).astype(np.int64) * step
        key += ((at[-1] - origin[-1]) / (side[-1] / _SLICES)).astype(np.int64)
        order = np.argsort(key)
        size = _SLICES * math.prod(span)
        return cls(np.take(at, order, axis=1), order, key[order], reach, slack, origin, side, stride, size)

    @property
    def block(self) -> Ints:
        """The number of each point's block, which is that of its first slice."""
        return self.key - self.key % _SLICES

    def core(self, least: int) -> Bools:
        """Which points have at least so many points, themselves included, within reach."""
        size = np.diff(np.flatnonzero(np.diff(self.block, prepend=-1, append=-1)))
        core = np.repeat(size >= least, size)
        below = self._below(self.key)
        for part in _parts(np.flatnonzero(~core)):
            begin, end = self._runs(part, below)
            possible = (end - begin).sum(axis=1) >= least
            points, begin, end = part[possible], begin[possible], end[possible]
            inner, until = (np.minimum(one, end) for one in self._runs(points, below, surely=True))
            sure = (until - inner).sum(axis=1)
            core[points] = sure >= least
            doubtful = np.flatnonzero(sure < least)
            # Only at both ends of a run is it in doubt who is within reach.
            ends = np.hstack([begin, until])[doubtful], np.hstack([inner, end])[doubtful]
            for some, count, other in compared(*ends):
                rows = doubtful[some]
                near = self.near(np.repeat(self.at[:, points[rows]], count, axis=1) - self.at[:, other])
                found = np.add.reduceat(near, np.cumsum(count) - count, dtype=np.int64)
                core[points[rows]] = sure[rows] + found >= least
        return core

    def nearest(self, points: Ints, others: Ints) -> Ints:
        """The given index of the nearest of the others within reach of each point; -1 where there is none.

        Of equally near ones it is the first. The others are told in ascending order.
        """
        nearest = np.full(len(points), -1)
        below, at, order = self._below(self.key[others]), self.at[:, others], self.order[others]
        for part in _parts(np.arange(len(points))):
            begin, end = self._runs(points[part], below)
            possible = (end > begin).any(axis=1)
            rows = part[possible]
            for some, count, other in compared(begin[possible], end[possible]):
                start = np.cumsum(count) - count
                square = self._squares(np.repeat(self.at[:, points[rows[some]]], count, axis=1) - at[:, other])
                least = np.minimum.reduceat(square, start)
                equal = np.where(square == np.repeat(least, count), order[other], len(self.order))
                within = least <= self.reach[0] ** 2
                nearest[rows[some]] = np.where(within, np.minimum.reduceat(equal, start), -1)
        return nearest

    def near(self, gap: Floats) -> Bools:
        """Are points within reach that are so far apart along each axis? ``gap`` is (axes, …)."""
        near: Bools = self._squares(gap) <= self.reach[0] ** 2
        return near

    def _squares(self, gap: Floats) -> Floats:
        """Squared metres; infinite where the days are out of reach."""
        square: Floats = gap[0] ** 2 + gap[1] ** 2
        for days in gap[2:]:
            square[np.abs(days) > self.reach[2]] = np.inf
        return square

    def _below(self, keys: Ints) -> _Count:
        """How many of the ascending keys are below each wanted one."""
        if self.size > min(_TABLE, _PER_POINT * len(keys)):
            return lambda wanted: np.searchsorted(keys, wanted)
        table = np.zeros(self.size + 1, dtype=np.int32)
        np.cumsum(np.bincount(keys, minlength=self.size), out=table[1:])
        return table.__getitem__

    def _runs(self, points: Ints, below: _Count, *, surely: bool = False) -> tuple[Ints, Ints]:
        """Where in each strip the run of those begins and ends that may be within reach; both are (points, strips).

        With ``surely``, of those that are within reach wherever in their slice they are.
        """
        *across, along = np.take(self.at, points, axis=1) - self.origin[:, None]
        reach = self.reach - self.slack if surely else self.reach + self.slack
        aside = [_asides(values, side, surely=surely) for values, side in zip(across, self.side[:-1], strict=True)]
        width, length = self.side[-1] / _SLICES, self.stride[-2]
        home = self.key[points] // length * length
        begin = np.empty((len(points), len(STEPS) ** len(aside)), dtype=np.int64)
        end = np.empty_like(begin)
        for n, steps in enumerate(itertools.product(STEPS, repeat=len(aside))):
            left = reach[0] ** 2 - sum(squares[step] for squares, step in zip(aside, steps, strict=True))
            half = np.sqrt(np.maximum(left, 0)) if len(aside) == 1 else reach[-1]
            first = np.maximum((along - half) / width, 0).astype(np.int64) + surely
            until = np.minimum((along + half) / width, length - 1).astype(np.int64) + (not surely)
            until = np.where(left < 0, first, np.maximum(first, until))
            strip = home + sum(step * one for step, one in zip(steps, self.stride[:-1], strict=True))
            begin[:, n], end[:, n] = below(strip + first), below(strip + until)
        return begin, end


def compared(begin: Ints, end: Ints) -> Iterator[tuple[slice, Ints, Ints]]:
    """Portions of work: some of the rows, how many each row compares, and what, one row after the other.

    ``begin`` and ``end`` are (rows, runs); what lies in the runs of a row is what it compares.
    """
    size = end - begin
    work = size.sum(axis=1)
    cuts = np.flatnonzero(np.diff(np.cumsum(work) // _PAIRS)) + 1
    for some in itertools.starmap(slice, itertools.pairwise([0, *cuts.tolist(), len(work)])):
        if len(work[some]):
            yield some, work[some], ranges(begin[some].ravel(), size[some].ravel())


def ranges(begin: Ints, size: Ints) -> Ints:
    """The whole numbers of each range, one range after the other."""
    stop = np.cumsum(size)
    return np.arange(size.sum()) + np.repeat(begin - stop + size, size)


def _parts(points: Ints) -> list[Ints]:
    return np.array_split(points, len(points) // _POINTS + 1)


def _asides(values: Floats, side: float, *, surely: bool) -> dict[int, Floats]:
    """By steps aside the squared distance from each point to that strip, or ``surely`` to its far edge."""
    inside = values - np.floor(values / side) * side
    edges = {step: (inside - step * side, (step + 1) * side - inside) for step in STEPS}
    if surely:
        return {step: np.maximum(near, far) ** 2 for step, (near, far) in edges.items()}
    return {step: np.minimum(np.minimum(near, far), 0) ** 2 for step, (near, far) in edges.items()}
