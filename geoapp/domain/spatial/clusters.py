"""Density clusters: DBSCAN in metres, also within days, and HDBSCAN; arrays in, labels out.

DBSCAN is exact: a point with at least ``least`` points (itself included) within reach is a core point; core points
within reach of each other are of one cluster. A border point goes to the cluster of its nearest core point (of
equally near ones the first), where the original takes whichever comes first. Clusters are numbered by their first
core point; -1 is none. So core points and their numbers are those of scikit-learn.
"""

from dataclasses import dataclass

import numpy as np

from geoapp.domain.spatial.blocks import Blocks
from geoapp.domain.spatial.components import components
from geoapp.domain.spatial.grid import Bools, Floats, Ints, Suggestion

SOURCES = ("Ester, Kriegel, Sander & Xu 1996 (DBSCAN)", "Schubert et al. 2017 (DBSCAN revisited)")
TIME_SOURCES = (*SOURCES, "Birant & Kut 2007 (ST-DBSCAN)")
HDBSCAN_SOURCES = ("Campello, Moulavi & Sander 2013 (HDBSCAN*)",)
SAMPLE = 20_000
"""HDBSCAN takes time with the square of the number: of more points than this a seeded sample is clustered."""
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
    """Clusters of points, (n, 2) in metres, within reach of each other and, where ``days`` are given, within days too.

    Raises ValueError where the reach is nothing, or next to nothing beside the distances between points.
    """
    n = len(xy)
    if not n:
        return Labels(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool))
    blocks = Blocks.of(xy, within_m=within_m, days=days, within_days=within_days)
    is_core = blocks.core(least)
    cores, others = np.flatnonzero(is_core), np.flatnonzero(~is_core)
    core, label = np.empty(n, dtype=bool), np.full(n, -1, dtype=np.int64)
    core[blocks.order] = is_core
    if cores.size:
        label[blocks.order[cores]] = _by_first(components(blocks, cores), blocks.order[cores])
        nearest = blocks.nearest(others, cores)
        reached = nearest >= 0
        label[blocks.order[others[reached]]] = label[nearest[reached]]
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


def _by_first(component: Ints, index: Ints) -> Ints:
    """Components numbered by the smallest index in each."""
    first = np.full(component.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, component, index)
    rank = np.empty_like(first)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[component]
