"""Emerging hot spots: Gi* in every slice of time, the trend of each cell, and one of eight names for it.

The names follow Esri's *Emerging Hot Spot Analysis* (documentation of ArcGIS Pro 3), made exclusive; "hot" below is
a slice that is significant after false-discovery control over the whole cube, a "trend" is Mann and Kendall's test
at 5 %, two-sided. The first name that fits is taken; cold cells have the same names. See ``classes``.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoapp.domain.spatial.grid import Floats, Ints

SOURCES = (
    "Esri, How Emerging Hot Spot Analysis works (ArcGIS Pro)",
    "Mann 1945; Kendall 1975 (trend test, variance corrected for ties)",
)
MOSTLY = 0.9
TREND_ALPHA = 0.05
_ONCE = 50_000


class Trend(IntEnum):
    """What a cell's course is called; a cold cell has the negative number."""

    NONE = 0
    NEW = 1
    CONSECUTIVE = 2
    INTENSIFYING = 3
    PERSISTENT = 4
    DIMINISHING = 5
    SPORADIC = 6
    OSCILLATING = 7
    HISTORICAL = 8


@dataclass(frozen=True, slots=True)
class MannKendall:
    """Per column: S, its variance, z (with continuity correction), two-sided p, and Kendall's tau (a)."""

    s: Floats
    variance: Floats
    z: Floats
    p: Floats
    tau: Floats


def mann_kendall(values: NDArray[Any]) -> MannKendall:
    """The test for each column of (slices, cells), with the variance corrected for ties."""
    from scipy import special  # noqa: PLC0415 - slow to import

    count, cells = values.shape
    s, same = np.zeros(cells), np.zeros(cells)
    # Some thousand cells at a time stay in the processor's cache.
    step = max(_ONCE // max(count, 1), 1)
    for begin in range(0, cells, step):
        part = np.ascontiguousarray(values[:, begin : begin + step])
        balance = np.zeros(part.shape[1], dtype=np.int32)
        ties = np.ones(part.shape, dtype=np.int16)
        for lag in range(1, count):
            later, earlier = part[lag:], part[:-lag]
            more, less = later > earlier, later < earlier
            balance += more.sum(axis=0, dtype=np.int32) - less.sum(axis=0, dtype=np.int32)
            equal = ~(more | less)
            ties[lag:] += equal
            ties[:-lag] += equal
        s[begin : begin + step] = balance
        # A group of t equal values counts t (t - 1) (2 t + 5): per member (t - 1) (2 t + 5).
        wide = ties.astype(np.int64)
        same[begin : begin + step] = ((wide - 1) * (2 * wide + 5)).sum(axis=0)
    variance = (count * (count - 1) * (2 * count + 5) - same) / 18
    z = np.divide(s - np.sign(s), np.sqrt(variance), out=np.zeros(cells), where=variance > 0)
    pairs = count * (count - 1) / 2
    return MannKendall(s, variance, z, 2 * special.ndtr(-np.abs(z)), s / max(pairs, 1))


def classes(verdict: NDArray[np.int8], trend: MannKendall, *, mostly: float = MOSTLY) -> NDArray[np.int8]:
    """The name of each cell, from verdicts (slices, cells) of 1 hot, -1 cold, 0 neither.

    Let the last slice be hot. *New*: no other slice is. *Consecutive*: the hot slices are the last two or more without
    a gap, and fewer than ``mostly`` of all. Hot in at least ``mostly`` of all slices: *intensifying* with a rising
    trend, *diminishing* with a falling one, else *persistent*. *Oscillating*: some slice was cold. *Sporadic*: hot
    on and off. If the last slice is not hot but at least ``mostly`` of all are: *historical*.
    """
    result = np.zeros(verdict.shape[1], dtype=np.int8)
    for sign in (1, -1):
        hot = verdict == sign
        times = hot.sum(axis=0)
        last = hot[-1]
        mostly_hot = times >= mostly * len(hot)
        # How many of the last slices are hot without a gap.
        run = np.where(hot.all(axis=0), len(hot), np.argmin(hot[::-1], axis=0))
        significant = trend.p < TREND_ALPHA
        rising, falling = significant & (sign * trend.s > 0), significant & (sign * trend.s < 0)
        other = (verdict == -sign).any(axis=0)
        rules = (
            (last & (times == 1), Trend.NEW),
            (last & mostly_hot & rising, Trend.INTENSIFYING),
            (last & mostly_hot & falling, Trend.DIMINISHING),
            (last & mostly_hot, Trend.PERSISTENT),
            (last & (run == times), Trend.CONSECUTIVE),
            (last & other, Trend.OSCILLATING),
            (last, Trend.SPORADIC),
            (~last & mostly_hot, Trend.HISTORICAL),
        )
        named = np.select([rule for rule, _ in rules], [name for _, name in rules], Trend.NONE).astype(np.int8)
        # The last slice cannot be both; what is historically hot and now cold is told as what it is now.
        result = np.where((named != Trend.NONE) & ((result == Trend.NONE) | last), sign * named, result)
    return result


def seasons(reported: NDArray[np.datetime64], category: Ints, categories: int) -> Ints:
    """How many of each category fall into each month of the year, as (categories, 12)."""
    month = reported.astype("datetime64[M]").astype(np.int64) % 12
    return np.bincount(category * 12 + month, minlength=categories * 12).reshape(categories, 12)
