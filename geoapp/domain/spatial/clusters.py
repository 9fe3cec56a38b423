"""Density clusters: DBSCAN in metres, also within days, and HDBSCAN; arrays in, labels out.

DBSCAN is exact: a point with at least ``least`` points (itself included) within reach is a core point; core points
within reach of each other are of one cluster. A border point goes to the cluster of its nearest core point (of
equally near ones the first), where the original takes whichever comes first. Clusters are numbered by their first
core point; -1 is none. So core points and their numbers are those of scikit-learn.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoapp.domain.spatial.grid import Bools, Floats, Ints, Suggestion

SOURCES = ("Ester, Kriegel, Sander & Xu 1996 (DBSCAN)", "Schubert et al. 2017 (DBSCAN revisited)")
TIME_SOURCES = (*SOURCES, "Birant & Kut 2007 (ST-DBSCAN)")
HDBSCAN_SOURCES = ("Campello, Moulavi & Sander 2013 (HDBSCAN*)",)
SAMPLE = 20_000
"""HDBSCAN takes time with the square of the number: of more points than this a seeded sample is clustered."""
_PAIRS = 4_000_000
"""So many pairs of points are compared at a time."""
_ROUND_REACH = (25, 50, 75, 100, 150, 200, 250, 300, 400, 500, 750, 1000, 1500, 2000)
_RARE = 1e-3


@dataclass(frozen=True, slots=True)
class Labels:
    """``label`` per point, -1 for none; ``core`` says which are core points; ``sampled`` of how many, if not all."""

    label: Ints
    core: Bools
    sampled: int | None = None

    @property
    def count(self) -> int:
        return int(self.label.max(initial=-1)) + 1


def dbscan(xy: Floats, *, within_m: float, least: int, days: Floats | None = None, within_days: float = 0.0) -> Labels:
    """Clusters of points within metres of each other and, where ``days`` are given, within days too."""
    n = len(xy)
    if not n:
        return Labels(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool))
    blocks = _Blocks.of(xy, within_m, days, within_days)
    core = blocks.core(least)
    label = np.full(n, -1, dtype=np.int64)
    cores = np.flatnonzero(core)
    if not cores.size:
        return Labels(label, core)
    component = blocks.joined(core)
    # Number clusters by their first core point.
    _, first, number = np.unique(component, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    label[cores] = rank[number.ravel()]
    others = np.flatnonzero(~core)
    nearest = blocks.nearest(others, cores)
    reached = nearest >= 0
    label[others[reached]] = label[nearest[reached]]
    return Labels(label, core)


def hdbscan(xy: Floats, *, least: int, seed: int = 1, sample: int = SAMPLE) -> Labels:
    """Clusters of varying density, of at least ``least`` points.

    Of more than ``sample`` points a seeded sample is clustered, with ``least`` made smaller in proportion (never below
    5); every other point takes the label of its nearest sampled one, if no further from it than the reach at which
    the members of that cluster hold together (the largest distance from a member to its own nearest member).
    """
    from scipy.spatial import cKDTree  # noqa: PLC0415 - slow to import
    from sklearn.cluster import HDBSCAN  # noqa: PLC0415

    n = len(xy)
    if n < least:
        return Labels(np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=bool))
    chosen = np.arange(n)
    if n > sample:
        # By place, so that the same points are drawn in whatever order they were read.
        order = np.lexsort(xy.T)
        chosen = order[np.sort(np.random.default_rng(seed).choice(n, sample, replace=False))]
        least = max(round(least * sample / n), 5)
    found = HDBSCAN(min_cluster_size=least, copy=True).fit_predict(xy[chosen]).astype(np.int64)
    if n <= sample:
        return Labels(found, found >= 0)
    label = np.full(n, -1, dtype=np.int64)
    label[chosen] = found
    members = np.flatnonzero(found >= 0)
    if members.size:
        tree = cKDTree(xy[chosen[members]])
        apart = tree.query(xy[chosen[members]], k=2)[0][:, 1]
        reach = np.zeros(found.max() + 1)
        np.maximum.at(reach, found[members], apart)
        others = np.setdiff1d(np.arange(n), chosen, assume_unique=True)
        distance, nearest = tree.query(xy[others])
        theirs = found[members[nearest]]
        label[others] = np.where(distance <= reach[theirs], theirs, -1)
    return Labels(label, label >= 0, sampled=sample)


def suggest_reach(n: int, area_m2: float, least: int) -> Suggestion:
    """The largest round reach at which so many points, lying anywhere alike, would hardly make one core point.

    Hardly: a circle round a point holds ``least - 1`` others with a chance of at most 1 in 1,000.
    """
    from scipy import special  # noqa: PLC0415

    density = n / max(area_m2, 1.0)
    chances = {reach: float(special.pdtrc(least - 2, density * np.pi * reach**2)) for reach in _ROUND_REACH}
    fitting = [reach for reach, chance in chances.items() if chance <= _RARE]
    reach = max(fitting, default=_ROUND_REACH[0])
    return Suggestion(float(reach), "reach_suggested", {"n": n, "least": least, "km2": round(float(area_m2) / 1e6, 1)})


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Points sorted into blocks so small that all points of a block are within reach of each other.

    ``order`` sorts the points by block, ``start`` is where each block begins in it, ``block`` is each point's own.
    """

    xy: Floats
    days: Floats | None
    within_m: float
    within_days: float
    order: Ints
    start: Ints
    block: Ints
    at: Ints

    @classmethod
    def of(cls, xy: Floats, within_m: float, days: Floats | None, within_days: float) -> "_Blocks":
        # A hair smaller, so that rounding never puts a pair out of reach into one block.
        side = within_m / np.sqrt(2) * (1 - 1e-9)
        at = np.floor((xy - xy.min(axis=0)) / side).astype(np.int64)
        if days is not None:
            slot = np.floor((days - days.min()) / (within_days * (1 - 1e-9) or 1.0)).astype(np.int64)
            at = np.column_stack([at, slot])
        span = at.max(axis=0) + 1 + 2 * _FAR
        key = at[:, 0]
        for axis in range(1, at.shape[1]):
            key = key * span[axis] + at[:, axis]
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        block = np.empty(len(xy), dtype=np.int64)
        sizes = np.diff(np.append(first, len(xy)))
        block[order] = np.repeat(np.arange(len(first)), sizes)
        return cls(xy, days, within_m, within_days, order, np.append(first, len(xy)), block, at[order[first]])

    def core(self, least: int) -> Bools:
        from scipy.spatial import cKDTree  # noqa: PLC0415

        core = (np.diff(self.start) >= least)[self.block]
        doubtful = ~core
        if self.days is None:
            surely, hardly = self._rough(least)
            core |= surely
            doubtful &= ~(surely | hardly)
        asked = np.flatnonzero(doubtful)
        if asked.size:
            tree = cKDTree(self.xy, balanced_tree=False, compact_nodes=False)
            core[asked] = self._reached(tree, asked) >= least
        return core

    def _rough(self, least: int) -> tuple[Bools, Bools]:
        """Which points surely are core points and which surely not, by counts on a grid.

        All of the 9 small cells round a point lie within reach; nothing beyond the 49 does.
        """
        side = self.within_m / np.sqrt(8) * (1 - 1e-9)
        at = np.floor((self.xy - self.xy.min(axis=0)) / side).astype(np.int64)
        rows, columns = (at.max(axis=0) + 1).tolist()
        if rows * columns > min(_DENSE, _PER_POINT * len(at)):
            none = np.zeros(len(at), dtype=bool)
            return none, none
        counts = np.bincount(at[:, 0] * columns + at[:, 1], minlength=rows * columns).reshape(rows, columns)
        inner, outer = (_boxes(counts, far)[at[:, 0], at[:, 1]] for far in (1, 3))
        return inner >= least, outer < least

    def joined(self, core: Bools) -> Ints:
        """For each core point, in order of the points, the component that it belongs to."""
        from scipy.sparse import coo_array  # noqa: PLC0415
        from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

        members = self.order[core[self.order]]
        owner, first, sizes = np.unique(self.block[members], return_index=True, return_counts=True)
        ends = first + sizes
        low = np.minimum.reduceat(self.xy[members], first)
        high = np.maximum.reduceat(self.xy[members], first)
        left, right = self._pairs(owner)
        apart = np.maximum(np.maximum(low[left] - high[right], low[right] - high[left]), 0)
        near = (apart**2).sum(axis=1) <= self.within_m**2
        left, right = left[near], right[near]
        widest = np.maximum(high[left], high[right]) - np.minimum(low[left], low[right])
        sure = (widest**2).sum(axis=1) <= self.within_m**2
        if self.days is not None:
            early = np.minimum.reduceat(self.days[members], first)
            late = np.maximum.reduceat(self.days[members], first)
            sure &= np.maximum(late[left], late[right]) - np.minimum(early[left], early[right]) <= self.within_days
        # In crowds some two points will do: the first and last of each block.
        for a in (first, ends - 1):
            for b in (first, ends - 1):
                sure |= self._near(members[a[left]], members[b[right]])
        links = [(left[sure], right[sure])]
        left, right = left[~sure], right[~sure]
        component = np.zeros(0, dtype=np.int64)
        # Near blocks first: what is joined by then need not be compared.
        closeness = np.abs(self.at[owner[left]] - self.at[owner[right]]).sum(axis=1)
        for step in [None, *np.unique(closeness).tolist()]:
            if step is not None:
                open_ = np.flatnonzero((closeness == step) & (component[left] != component[right]))
                touching = self._touch(members, (first, ends), left[open_], right[open_])
                links.append((left[open_[touching]], right[open_[touching]]))
            a, b = (np.concatenate(side) for side in zip(*links, strict=True))
            graph = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(len(owner), len(owner)))
            component = connected_components(graph, directed=False)[1].astype(np.int64)
        of_block = np.full(len(self.start) - 1, -1, dtype=np.int64)
        of_block[owner] = component
        return of_block[self.block[np.flatnonzero(core)]]

    def nearest(self, points: Ints, cores: Ints) -> Ints:
        """The nearest core point within reach of each point; -1 where there is none."""
        from scipy.spatial import cKDTree  # noqa: PLC0415

        tree = cKDTree(self.xy[cores], balanced_tree=False, compact_nodes=False)
        limit = np.nextafter(self.within_m, np.inf)
        if self.days is None:
            _, found = tree.query(self.xy[points], distance_upper_bound=limit, workers=2)
            return np.where(found < len(cores), cores[np.minimum(found, len(cores) - 1)], -1)
        result = np.full(len(points), -1, dtype=np.int64)
        for some in np.array_split(np.arange(len(points)), len(points) // _CHUNK + 1):
            point, other = _flat(tree.query_ball_point(self.xy[points[some]], self.within_m, return_sorted=True))
            a, b = points[some][point], cores[other]
            good = np.abs(self.days[a] - self.days[b]) <= self.within_days
            point, a, b = point[good], a[good], b[good]
            distance = ((self.xy[a] - self.xy[b]) ** 2).sum(axis=1)
            best = np.lexsort((b, distance, point))
            which, at = np.unique(point[best], return_index=True)
            result[some[which]] = b[best[at]]
        return result

    def _reached(self, tree: Any, points: Ints) -> Ints:
        """How many points, itself included, each reaches."""
        if self.days is None:
            found: Ints = tree.query_ball_point(self.xy[points], self.within_m, return_length=True, workers=2)
            return found
        reached = np.zeros(len(points), dtype=np.int64)
        for some in np.array_split(np.arange(len(points)), len(points) // _CHUNK + 1):
            point, other = _flat(tree.query_ball_point(self.xy[points[some]], self.within_m))
            good = np.abs(self.days[points[some][point]] - self.days[other]) <= self.within_days
            reached[some] = np.bincount(point[good], minlength=len(some))
        return reached

    def _pairs(self, owner: Ints) -> tuple[Ints, Ints]:
        """Indices into ``owner`` of all pairs of its blocks that may reach each other, each pair once."""
        at = self.at[owner] + _FAR
        span = at.max(axis=0) + 1 + _FAR
        key = at[:, 0]
        for axis in range(1, at.shape[1]):
            key = key * span[axis] + at[:, axis]
        lefts, rights = [], []
        for offset in _offsets(at.shape[1]):
            step = offset[0]
            for axis in range(1, at.shape[1]):
                step = step * int(span[axis]) + offset[axis]
            wanted = key + step
            found = np.searchsorted(key, wanted)
            found[found == len(key)] = 0
            hit = np.flatnonzero(key[found] == wanted)
            lefts.append(hit)
            rights.append(found[hit])
        return np.concatenate(lefts), np.concatenate(rights)

    def _touch(self, members: Ints, runs: tuple[Ints, Ints], left: Ints, right: Ints) -> Bools:
        """For each pair of blocks: is a core point of one within reach of a core point of the other?"""
        first, ends = runs
        wide = ends[right] - first[right]
        work = (ends[left] - first[left]) * wide
        touching = np.zeros(len(left), dtype=bool)
        for large in np.flatnonzero(work > _PAIRS).tolist():
            one, other = (members[first[side[large]] : ends[side[large]]] for side in (left, right))
            touching[large] = self._crowds_touch(one, other)
        small = np.flatnonzero(work <= _PAIRS)
        for some in np.split(small, np.flatnonzero(np.diff(np.cumsum(work[small]) // _PAIRS)) + 1):
            pair = np.repeat(some, work[some])
            within = np.arange(len(pair)) - np.repeat(np.cumsum(work[some]) - work[some], work[some])
            a = members[first[left[pair]] + within // wide[pair]]
            b = members[first[right[pair]] + within % wide[pair]]
            touching[pair[self._near(a, b)]] = True
        return touching

    def _near(self, a: Ints, b: Ints) -> Bools:
        """Is each of ``a`` within reach of its fellow in ``b``?"""
        (ax, ay), (bx, by) = self.xy[a].T, self.xy[b].T
        good: Bools = (ax - bx) ** 2 + (ay - by) ** 2 <= self.within_m**2
        if self.days is not None:
            good &= np.abs(self.days[a] - self.days[b]) <= self.within_days
        return good

    def _crowds_touch(self, a: Ints, b: Ints) -> bool:
        """The same for two blocks with so many points that a table of all pairs would be too large."""
        for some in np.array_split(a, len(a) * len(b) // _PAIRS + 1):
            good = ((self.xy[some, None] - self.xy[None, b]) ** 2).sum(axis=2) <= self.within_m**2
            if self.days is not None:
                good &= np.abs(self.days[some, None] - self.days[None, b]) <= self.within_days
            if good.any():
                return True
        return False


_FAR = 2
"""A block's side is reach / sqrt 2: what lies more than two blocks away is out of reach."""
_CHUNK = 20_000
_DENSE, _PER_POINT = 6_000_000, 8


def _boxes(counts: Ints, far: int) -> Ints:
    """Sums over the square of cells up to ``far`` away."""
    whole = np.zeros((counts.shape[0] + 2 * far + 1, counts.shape[1] + 2 * far + 1), dtype=np.int64)
    whole[far + 1 : far + 1 + counts.shape[0], far + 1 : far + 1 + counts.shape[1]] = counts
    whole = whole.cumsum(axis=0).cumsum(axis=1)
    wide = 2 * far + 1
    found: Ints = whole[wide:, wide:] - whole[:-wide, wide:] - whole[wide:, :-wide] + whole[:-wide, :-wide]
    return found


def _offsets(axes: int) -> list[tuple[int, ...]]:
    """The steps from a block to those that it may reach, one of each pair of opposite ones."""
    plane = [(a, b) for a in range(-_FAR, _FAR + 1) for b in range(-_FAR, _FAR + 1)]
    steps: list[tuple[int, ...]] = list(plane) if axes == 2 else [(*s, t) for s in plane for t in (-1, 0, 1)]  # noqa: PLR2004 - the plane
    return [step for step in steps if step > (0,) * axes]


def _flat(lists: NDArray[Any]) -> tuple[Ints, Ints]:
    """Lists of neighbours as pairs of arrays: whose, which."""
    sizes = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
    others = np.concatenate([np.asarray(one, dtype=np.int64) for one in lists]) if sizes.sum() else sizes[:0]
    return np.repeat(np.arange(len(lists)), sizes), others
