"""Did it work? Cases before and after in the treated area, against areas that were alike before and untreated.

The ratio of ratios, (after / before) / (controls after / controls before), with an interval that is widened when
the controls themselves scatter more than chance would have it. It is said plainly when the data cannot tell.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoapp.domain.spatial.grid import Ints

SOURCES = (
    "Weisburd & Farrington (before/after against controls: ratio of ratios)",
    "Farrington, Gill, Waples & Argomaniz 2007 (variance inflated for overdispersion)",
)
LEAST = 5
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Effect:
    """``ratio`` below 1: fewer than without. ``verdict`` is ``fewer``, ``more`` or ``cannot_tell``.

    ``why`` is a key under ``analysis.note.``; ``inflation`` is by how much the controls scatter beyond chance.
    """

    before: int
    after: int
    expected: float
    ratio: float
    low: float
    high: float
    inflation: float
    verdict: str
    why: str


def effect(
    before: int, after: int, controls_before: Ints, controls_after: Ints, *,
    days: tuple[float, float] = (1.0, 1.0), confidence: float = 0.95, least: int = LEAST,
) -> Effect:  # fmt: skip
    """Compare; ``days`` are the lengths of the two periods, the same for the controls, which cancel in the ratio."""
    from scipy import special  # noqa: PLC0415 - slow to import

    c0, c1 = int(controls_before.sum()), int(controls_after.sum())
    expected = before * c1 / c0 if c0 else math.nan
    a, b, c, d = (x + _HALF for x in (after, before, c1, c0))
    ratio = (a / b) / (c / d)
    inflation = _inflation(controls_before, controls_after)
    error = math.sqrt(inflation * (1 / a + 1 / b + 1 / c + 1 / d))
    z = float(special.ndtri(1 - (1 - confidence) / 2))
    low, high = ratio * math.exp(-z * error), ratio * math.exp(z * error)
    if before < least or min(c0, c1) < least or min(days) <= 0:
        verdict, why = "cannot_tell", "too_few"
    elif low <= 1 <= high:
        verdict, why = "cannot_tell", "interval_holds_one"
    else:
        verdict, why = ("fewer", "below_controls") if high < 1 else ("more", "above_controls")
    return Effect(before, after, expected, ratio, low, high, inflation, verdict, why)


def matched(course: NDArray[Any], others: NDArray[Any], *, count: int = 5) -> Ints:
    """Which of the ``others`` (areas, slices before) were most like ``course`` (slices before): the nearest few.

    By the distance of square roots of counts, which weighs busy and quiet areas alike.
    """
    apart = np.linalg.norm(np.sqrt(others) - np.sqrt(course), axis=1)
    return np.argsort(apart, kind="stable")[:count].astype(np.int64)


def _inflation(before: Ints, after: Ints) -> float:
    """Pearson's chi-square of the controls' shares after, per degree of freedom; at least 1."""
    n = before + after
    known = n > 0
    if known.sum() < 2:  # noqa: PLR2004 - one area cannot scatter
        return 1.0
    n, seen = n[known], after[known]
    share = seen.sum() / n.sum()
    if share in {0, 1}:
        return 1.0
    return max(float(((seen - n * share) ** 2 / (n * share * (1 - share))).sum() / (len(n) - 1)), 1.0)
