"""Do like values lie together (Moran's I), and do categories keep company (co-location quotient)?

Weights are sparse and row-standardised. Pseudo p-values come from seeded permutations, (1 + as extreme) / (1 + all).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoapp.domain.spatial.grid import Bools, Floats, Ints, summed

SOURCES = (
    "Moran 1950; Cliff & Ord 1981 (global I, moments under randomisation)",
    "Anselin 1995 (local I, conditional permutation)",
)
COLOCATION_SOURCES = ("Leslie & Kronenfeld 2011 (co-location quotient)", "Cromley, Hanink & Bentley 2014")
_ONCE = 4_000_000
_TOUCH_M = 1.0


@dataclass(frozen=True, slots=True)
class Moran:
    """``z`` and ``p`` are analytic, under randomisation and two-sided; ``p_permuted`` is one-sided, as is usual."""

    i: float
    expected: float
    variance: float
    z: float
    p: float
    p_permuted: float


@dataclass(frozen=True, slots=True)
class LocalMoran:
    """``quadrant``: 1 high among high, 2 low among high, 3 low among low, 4 high among low; p is two-sided."""

    i: Floats
    quadrant: NDArray[np.int8]
    p: Floats


@dataclass(frozen=True, slots=True)
class Colocation:
    """(from, to): above 1 the nearest neighbour of the one is of the other more often than by chance."""

    quotient: Floats
    p: Floats
    count: Ints


def contiguity(areas: NDArray[Any], *, itself: bool = False) -> Any:
    """A sparse 0/1 matrix of which areas (metres) touch, forgiving slits of a metre; ``itself`` adds the diagonal."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - slow to import

    left, right = shapely.STRtree(areas).query(areas, predicate="dwithin", distance=_TOUCH_M)
    if not itself:
        left, right = left[left != right], right[left != right]
    return coo_array((np.ones(len(left)), (left, right)), shape=(len(areas), len(areas))).tocsr()


def lattice(inside: Bools, kernel: Bools) -> Any:
    """The same for the cells of a grid that are ``inside``, numbered in its order; no cell is near itself."""
    from scipy.sparse import coo_array  # noqa: PLC0415

    number = np.where(inside, np.cumsum(inside).reshape(inside.shape) - 1, -1)
    far = kernel.shape[0] // 2
    padded = np.pad(number, far, constant_values=-1)
    lefts, rights = [], []
    for down, across in np.argwhere(kernel):
        if (down, across) == (far, far):
            continue
        other = padded[down : down + inside.shape[0], across : across + inside.shape[1]]
        both = (number >= 0) & (other >= 0)
        lefts.append(number[both])
        rights.append(other[both])
    left, right = np.concatenate(lefts), np.concatenate(rights)
    count = int(inside.sum())
    return coo_array((np.ones(len(left)), (left, right)), shape=(count, count)).tocsr()


def row_standardised(near: Any) -> Any:
    """Each row divided by its sum; a row without neighbours stays empty."""
    from scipy.sparse import diags_array  # noqa: PLC0415

    sums = np.asarray(near.sum(axis=1)).ravel()
    return (diags_array(np.divide(1.0, sums, out=np.zeros(len(sums)), where=sums > 0)) @ near).tocsr()


def moran(values: Floats, weights: Any, *, permutations: int = 999, seed: int = 1) -> Moran:
    """Global I with its moments under randomisation. Raises ValueError where all values are the same."""
    from scipy import special  # noqa: PLC0415

    n = len(values)
    z = values - values.mean()
    ss = float(z @ z)
    if ss <= 0:
        raise ValueError("all values are the same")
    s0 = float(weights.sum())
    both = weights + weights.T
    s1 = float((both.multiply(both)).sum()) / 2
    s2 = float(((np.asarray(weights.sum(axis=1)).ravel() + np.asarray(weights.sum(axis=0)).ravel()) ** 2).sum())
    i = n / s0 * float(z @ (weights @ z)) / ss
    expected = -1 / (n - 1)
    k = n * float((z**4).sum()) / ss**2
    top = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * s0**2) - k * ((n**2 - n) * s1 - 2 * n * s2 + 6 * s0**2)
    variance = top / ((n - 1) * (n - 2) * (n - 3) * s0**2) - expected**2
    score = (i - expected) / variance**0.5
    random = np.random.default_rng(seed)
    larger, smaller = 1, 1
    for some in np.array_split(np.arange(permutations), max(permutations * n // _ONCE, 1)):
        dealt = random.permuted(np.tile(z, (len(some), 1)), axis=1)
        simulated = n / s0 * np.einsum("ij,ij->i", dealt, (weights @ dealt.T).T) / ss
        larger += int((simulated >= i).sum())
        smaller += int((simulated <= i).sum())
    p_permuted = min(larger, smaller) / (permutations + 1)
    return Moran(i, expected, variance, score, float(2 * special.ndtr(-abs(score))), p_permuted)


def local_moran(values: Floats, weights: Any, *, permutations: int = 999, seed: int = 1) -> LocalMoran:
    """Local I; p by conditional permutation: each area keeps its value, its neighbours' are drawn from all others.

    Areas with as many neighbours share their draws, as the others' values differ only by one. Weights are taken
    as row-standardised. Raises ValueError where all values are the same.
    """
    n = len(values)
    z = values - values.mean()
    ss = float(z @ z)
    if ss <= 0:
        raise ValueError("all values are the same")
    lag = weights @ z
    i = (n - 1) * z * lag / ss
    quadrant = np.select([(z > 0) & (lag > 0), (z <= 0) & (lag > 0), (z <= 0) & (lag <= 0)], [1, 2, 3], 4)
    degree = np.diff(weights.indptr)
    random = np.random.default_rng(seed)
    p = np.ones(n)
    for size in np.unique(degree[degree > 0]).tolist():
        those = np.flatnonzero(degree == size)
        larger, smaller = np.ones(len(those)), np.ones(len(those))
        # Drawn from n - 1 places; those at and behind one's own are moved on by one, so nobody draws itself.
        drawn = _draw(random, n - 1, size, permutations)
        for some in np.array_split(np.arange(len(those)), len(those) * permutations * size // _ONCE + 1):
            own = those[some]
            others = drawn[None] + (drawn[None] >= own[:, None, None])
            simulated = z[others].mean(axis=2)
            larger[some] += (simulated >= lag[own, None]).sum(axis=1)
            smaller[some] += (simulated <= lag[own, None]).sum(axis=1)
        p[those] = np.minimum(2 * np.minimum(larger, smaller) / (permutations + 1), 1.0)
    return LocalMoran(i, quadrant.astype(np.int8), p)


def colocation(xy: Floats, category: Ints, categories: int, *, permutations: int = 199, seed: int = 1) -> Colocation:
    """How often the nearest neighbour of each category is of each other, compared with categories dealt out anew.

    Equally near neighbours share the vote. p is two-sided.
    """
    # By place, so that the same permutations come out in whatever order the points were read.
    order = np.lexsort((category, *xy.T))
    xy, category = xy[order], category[order]
    neighbour, weight = _nearest(xy)
    count = np.bincount(category, minlength=categories)
    chance = np.outer(count, count) / max(len(xy) - 1, 1) - np.diag(count) / max(len(xy) - 1, 1)

    def votes(of: Ints) -> Floats:
        pair = of[:, None] * categories + of[neighbour]
        return summed(pair, weight, categories**2).reshape(categories, categories)

    seen = votes(category)
    random = np.random.default_rng(seed)
    larger, smaller = np.ones(seen.shape), np.ones(seen.shape)
    for _ in range(permutations):
        dealt = votes(random.permutation(category))
        larger += dealt >= seen - 1e-9
        smaller += dealt <= seen + 1e-9
    p = np.minimum(2 * np.minimum(larger, smaller) / (permutations + 1), 1.0)
    return Colocation(np.divide(seen, chance, out=np.ones(seen.shape), where=chance > 0), p, count)


_SHARED = 8


def _nearest(xy: Floats) -> tuple[Ints, Floats]:
    """The nearest others of each point and their shares of its vote, as (points, at most 8)."""
    from scipy.spatial import cKDTree  # noqa: PLC0415

    wide = min(_SHARED + 1, len(xy))
    distance, index = cKDTree(xy).query(xy, k=wide)
    distance = np.where(index == np.arange(len(xy))[:, None], np.inf, distance)
    order = np.argsort(distance, axis=1, kind="stable")
    distance, index = np.take_along_axis(distance, order, 1)[:, :-1], np.take_along_axis(index, order, 1)[:, :-1]
    near = distance <= distance[:, :1] * (1 + 1e-12)
    return index, near / near.sum(axis=1, keepdims=True)


def _draw(random: np.random.Generator, population: int, size: int, times: int) -> Ints:
    """``times`` draws of ``size`` different numbers below ``population``: what repeats is drawn again."""
    if size * size > population:
        return np.argsort(random.random((times, population)), axis=1)[:, :size]
    drawn = random.integers(population, size=(times, size))
    while True:
        ordered = np.sort(drawn, axis=1)
        again = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
        if not again.any():
            return drawn
        drawn[again] = random.integers(population, size=(int(again.sum()), size))
