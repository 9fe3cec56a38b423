"""Which core points hang together: crowds, the core points of a block each, joined where a pair is within reach."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from geoapp.domain.spatial.blocks import STEPS, Blocks, compared, ranges
from geoapp.domain.spatial.grid import Bools, Floats, Ints

_LARGE = 1_000_000
"""Of two crowds with more pairs of points than this only the places are compared, part by part until two are near."""


def components(blocks: Blocks, cores: Ints) -> Ints:
    """The number of the component of each core point; these are told in ascending order."""
    crowds = _Crowds.of(blocks, cores)
    component = np.arange(len(crowds.first))
    # Near blocks first: what is joined by then need not be compared.
    for steps in _rings(blocks):
        left, right = _pairs(crowds.block, steps)
        apart = component[left] != component[right]
        left, right = left[apart], right[apart]
        near = blocks.near(crowds.between(left, right))
        left, right = left[near], right[near]
        touching = blocks.near(crowds.across(left, right))
        # In crowds some two points will do: the first and last of each.
        for one, other in itertools.product((crowds.first, crowds.last), repeat=2):
            touching |= blocks.near(crowds.at[:, one[left]] - crowds.at[:, other[right]])
        doubtful = np.flatnonzero(~touching)
        touching[doubtful] = _touch(blocks, crowds, left[doubtful], right[doubtful])
        component = _merged(component, left[touching], right[touching])
    return np.repeat(component, crowds.size)


@dataclass(frozen=True, slots=True)
class _Crowds:
    """``at`` is (axes, core points), each crowd a run from ``first`` to ``last`` of them, in ``block``.

    ``low`` and ``high``, (axes, crowds), are the corners of the box round each.
    """

    at: Floats
    block: Ints
    first: Ints
    last: Ints
    low: Floats
    high: Floats

    @classmethod
    def of(cls, blocks: Blocks, cores: Ints) -> "_Crowds":
        at, block = np.take(blocks.at, cores, axis=1), blocks.block[cores]
        first = np.flatnonzero(np.diff(block, prepend=-1))
        last = np.append(first[1:], len(cores)) - 1
        low, high = (bound.reduceat(at, first, axis=1) for bound in (np.minimum, np.maximum))
        return cls(at, block[first], first, last, low, high)

    @property
    def size(self) -> Ints:
        return self.last - self.first + 1

    def between(self, left: Ints, right: Ints) -> Floats:
        """The gap along each axis between the boxes of pairs: no two of their points are nearer."""
        gap = np.maximum(self.low[:, left] - self.high[:, right], self.low[:, right] - self.high[:, left])
        return np.maximum(gap, 0)

    def across(self, left: Ints, right: Ints) -> Floats:
        """The length along each axis of the box round both: no two of their points are further apart."""
        high = np.maximum(self.high[:, left], self.high[:, right])
        return high - np.minimum(self.low[:, left], self.low[:, right])

    def places(self, one: int) -> Floats:
        """Where its points are, each place once: of reports at an address there may be thousands."""
        return np.unique(self.at[:, self.first[one] : self.last[one] + 1], axis=1)


def _rings(blocks: Blocks) -> Iterator[list[int]]:
    """By how much the numbers of blocks differ that may be within reach of each other; in rings, the nearest first."""
    origin = (0,) * len(blocks.stride)
    # Of two opposite steps one will do.
    steps = [step for step in itertools.product(STEPS, repeat=len(origin)) if step > origin]
    for _, ring in itertools.groupby(sorted(steps, key=_length), key=_length):
        yield [sum(count * one for count, one in zip(step, blocks.stride, strict=True)) for step in ring]


def _length(step: tuple[int, ...]) -> int:
    return sum(map(abs, step))


def _pairs(numbers: Ints, steps: list[int]) -> tuple[Ints, Ints]:
    """Indices into ascending numbers of all pairs that differ by one of the steps."""
    lefts, rights = [], []
    for step in steps:
        found = np.searchsorted(numbers, numbers + step)
        found[found == len(numbers)] = 0
        left = np.flatnonzero(numbers[found] == numbers + step)
        lefts.append(left)
        rights.append(found[left])
    return np.concatenate(lefts), np.concatenate(rights)


def _touch(blocks: Blocks, crowds: _Crowds, left: Ints, right: Ints) -> Bools:
    """For each pair of crowds: is a point of one within reach of a point of the other?"""
    touching = np.zeros(len(left), dtype=bool)
    size = crowds.size
    large = size[left] * size[right] > _LARGE
    for one in np.flatnonzero(large).tolist():
        touching[one] = _some_near(blocks, crowds.places(left[one]), crowds.places(right[one]))
    small = np.flatnonzero(~large)
    left, right = left[small], right[small]
    # One row for each point of the left one.
    pair = np.repeat(np.arange(len(small)), size[left])
    point = ranges(crowds.first[left], size[left])
    begin = crowds.first[right][pair, None]
    for some, count, other in compared(begin, begin + size[right][pair, None]):
        near = blocks.near(np.repeat(crowds.at[:, point[some]], count, axis=1) - crowds.at[:, other])
        touching[small[np.repeat(pair[some], count)[near]]] = True
    return touching


def _some_near(blocks: Blocks, ours: Floats, theirs: Floats) -> bool:
    """The same for the places of two large crowds."""
    for some in np.array_split(ours, ours.shape[1] * theirs.shape[1] // _LARGE + 1, axis=1):
        if blocks.near(some[:, :, None] - theirs[:, None, :]).any():
            return True
    return False


def _merged(component: Ints, left: Ints, right: Ints) -> Ints:
    """The components when those of ``left`` and ``right`` have been joined."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - slow to import
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    count = int(component.max()) + 1
    edges = component[left], component[right]
    graph = coo_array((np.ones(len(left), dtype=np.int8), edges), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1][component], dtype=np.int64)
