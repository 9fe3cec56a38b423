"""Counts, rates and shares of areas side by side, with how sure they are, and what few cases do to a ranking."""

from dataclasses import dataclass

import numpy as np

from geoapp.domain.spatial.grid import Floats, Ints

SOURCES = (
    "Garwood 1936 (exact interval of a count)",
    "Wilson 1927 (interval of a share)",
    "Marshall 1991 (global empirical Bayes smoothing, method of moments)",
)
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Rates:
    """Per area; NaN where there is no denominator. ``ratio`` is to all areas together, ``shrunk`` the smoothed rate."""

    rate: Floats
    low: Floats
    high: Floats
    ratio: Floats
    ratio_low: Floats
    ratio_high: Floats
    shrunk: Floats
    overall: float


@dataclass(frozen=True, slots=True)
class Shares:
    share: Floats
    low: Floats
    high: Floats


def rates(counts: Ints, exposure: Floats, *, per: float = 1.0, confidence: float = CONFIDENCE) -> Rates:
    """Cases per ``per`` of ``exposure``, with Garwood's interval. ``exposure`` is NaN or 0 where it is not known."""
    known = np.nan_to_num(exposure) > 0
    below = np.where(known, exposure, np.nan) / per
    low, high = exact_interval(counts, confidence=confidence)
    overall = float(counts[known].sum() / below[known].sum()) if known.any() else float("nan")
    relative = below * overall if overall > 0 else np.full(len(counts), np.nan)
    return Rates(
        counts / below, low / below, high / below, counts / relative, low / relative, high / relative,
        shrunk(counts, below), overall,
    )  # fmt: skip


def exact_interval(counts: Ints, *, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """The exact interval of the mean of a Poisson variable of which ``counts`` were seen."""
    from scipy import special  # noqa: PLC0415 - slow to import

    half = (1 - confidence) / 2
    low = np.where(counts > 0, special.gammaincinv(np.maximum(counts, 1), half), 0.0)
    return low, special.gammaincinv(counts + 1.0, 1 - half)


def shares(part: Ints, whole: Ints, *, confidence: float = CONFIDENCE) -> Shares:
    """Part of whole with Wilson's interval; NaN of nothing."""
    from scipy import special  # noqa: PLC0415

    z = float(special.ndtri(1 - (1 - confidence) / 2))
    n = np.where(whole > 0, whole, np.nan).astype(float)
    p = part / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return Shares(p, np.maximum(middle - reach, 0.0), np.minimum(middle + reach, 1.0))


def shrunk(counts: Ints, exposure: Floats) -> Floats:
    """Rates drawn towards that of all, the more the smaller the area: Marshall's global empirical Bayes."""
    known = np.nan_to_num(exposure) > 0
    found = np.full(len(counts), np.nan)
    if not known.any():
        return found
    e, y = exposure[known], counts[known]
    overall = y.sum() / e.sum()
    variance = float((e * (y / e - overall) ** 2).sum() / e.sum() - overall / e.mean())
    between = max(variance, 0.0)
    weight = np.divide(between, between + overall / e, out=np.zeros(len(e)), where=between + overall / e > 0)
    found[known] = weight * (y / e) + (1 - weight) * overall
    return found
