"""The same place again and again, and what comes back after it was closed (possibly a cosmetic fix, 假性整改)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geoapp.domain.spatial.clusters import dbscan
from geoapp.domain.spatial.grid import Bools, Floats, Ints

SOURCES = ("Farrell & Pease 1993 (repeat victimisation)", "Johnson et al. 2007 (near repeats)")
_CHUNK = 20_000
_DAY = np.timedelta64(86_400, "s")


@dataclass(frozen=True, slots=True)
class Places:
    """``place`` of each issue, numbered by its first issue; ``extent_m`` is the diagonal of the box round a place."""

    place: Ints
    count: Ints
    extent_m: Floats

    @property
    def share_repeated(self) -> float:
        """Which part of all issues is not the first at its place."""
        return 1 - len(self.count) / max(len(self.place), 1)


@dataclass(frozen=True, slots=True)
class Returns:
    """Per issue: the first later one of its category near it after it was closed (-1: none), and after how many days.

    ``watched`` is how many days after its end each has been watched until now; NaN where it was not closed.
    """

    by: Ints
    days: Floats
    watched: Floats

    def within(self, days: float) -> tuple[Bools, Bools]:
        """Which closed issues have been watched so long, and which of these came back within it."""
        watched = self.watched >= days
        return watched, watched & (self.days <= days)


def places(xy: Floats, category: Ints, *, within_m: float) -> Places:
    """Issues of one category are at one place if a chain of steps of at most ``within_m`` joins them."""
    place = np.full(len(xy), -1, dtype=np.int64)
    known = 0
    for one in np.unique(category).tolist():
        those = np.flatnonzero(category == one)
        found = dbscan(xy[those], within_m=within_m, least=1)
        place[those] = found.label + known
        known += found.count
    _, first, number = np.unique(place, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    place = rank[number.ravel()] if len(first) else place
    low, high = np.full((known, 2), np.inf), np.full((known, 2), -np.inf)
    np.minimum.at(low, place, xy)
    np.maximum.at(high, place, xy)
    return Places(place, np.bincount(place, minlength=known), np.hypot(*(high - low).T))


def concentration(count: Ints) -> float:
    """The Gini coefficient of issues over places: 0 if all places are alike, near 1 if one has nearly all."""
    ordered = np.sort(count)
    n = len(ordered)
    if not n or not ordered.sum():
        return 0.0
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * ordered.sum()))


def returns(
    xy: Floats,
    category: Ints,
    reported: NDArray[np.datetime64],
    closed: NDArray[np.datetime64],
    *,
    within_m: float,
    now: np.datetime64,
) -> Returns:
    """For each issue with a ``closed`` (NaT: none), whether its trouble was reported again near it afterwards."""
    from scipy.spatial import cKDTree  # noqa: PLC0415 - slow to import

    n = len(xy)
    by, days, watched = np.full(n, -1, dtype=np.int64), np.full(n, np.nan), np.full(n, np.nan)
    ended = np.flatnonzero(~np.isnat(closed))
    watched[ended] = (now - closed[ended]) / _DAY
    for one in np.unique(category[ended]).tolist():
        those = np.flatnonzero(category == one)
        tree = cKDTree(xy[those])
        asking = ended[category[ended] == one]
        for some in np.array_split(asking, len(asking) // _CHUNK + 1):
            lists = tree.query_ball_point(xy[some], within_m)
            sizes = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
            whose = np.repeat(some, sizes)
            other = those[np.concatenate([np.asarray(one, dtype=np.int64) for one in lists])]
            after = reported[other] > closed[whose]
            whose, other = whose[after], other[after]
            order = np.lexsort((other, reported[other], whose))
            issue, at = np.unique(whose[order], return_index=True)
            by[issue] = other[order][at]
            days[issue] = (reported[by[issue]] - closed[issue]) / _DAY
    return Returns(by, days, watched)
