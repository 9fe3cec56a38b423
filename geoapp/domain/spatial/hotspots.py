"""Hot and cold spots: Getis-Ord Gi* on a grid or on areas, and what of it is more than chance.

Counts per cell are few and skewed, and cells at the edge are cut, so the normal distribution that z stands in calls
too much significant. An exact question is asked besides: could so many lie here if all lay anywhere in the area alike
(binomial, by area or by denominator)? The weaker of the two answers is p. Then the false discovery rate is held over
all cells. The tests hold the share of false alarms under complete randomness to the nominal level.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoapp.domain.spatial.grid import Bools, Floats, Ints, around

ALPHA = 0.05
LEAST = 5
"""With fewer issues in a neighbourhood nothing is called hot; with fewer expected nothing is called cold."""
SOURCES = (
    "Getis & Ord 1992; Ord & Getis 1995 (Gi*)",
    "Caldas de Castro & Singer 2006 (false discovery rate of local statistics)",
    "Benjamini & Hochberg 1995",
)
_KEYS = 20_000_000


@dataclass(frozen=True, slots=True)
class HotSpots:
    """One entry per cell of the area, or per slice and cell.

    ``neighbours`` counts the cells of a neighbourhood, itself included; ``around`` is the issues in it, ``expected``
    what there would be if all lay alike. ``z`` is Gi*; ``p`` two-sided, ``q`` adjusted for false discovery.
    ``verdict`` is 1 for hot, -1 for cold; ``small`` marks where there is too little to say anything.
    """

    count: NDArray[Any]
    neighbours: NDArray[Any]
    around: NDArray[Any]
    expected: Floats
    z: Floats
    p: Floats
    q: Floats
    verdict: NDArray[np.int8]
    small: Bools


def on_grid(
    counts: Ints,
    share: Floats,
    kernel: Bools,
    *,
    exposure: Floats | None = None,
    alpha: float = ALPHA,
    least: int = LEAST,
) -> HotSpots:
    """Gi* on (rows, columns) or, each slice against the whole cube, on (slices, rows, columns).

    ``share`` is how much of a cell lies in the study area; cells with none are left out, the others come in the
    order of the grid. ``exposure`` is what an issue falls on beside area, such as residents: then z is that of rates.
    """
    inside = share > 0
    cells = np.flatnonzero(inside)

    def within(values: NDArray[Any]) -> NDArray[Any]:
        return np.take(values.reshape(*values.shape[:-2], -1), cells, axis=-1)

    falls_on = np.where(inside, share if exposure is None else exposure, 0.0)
    sums = within(around(np.where(inside, counts, 0), kernel))
    m = within(around(inside.astype(np.int64), kernel))
    part = within(around(falls_on, kernel))
    own = within(counts)
    if exposure is None:
        z = gi_star(own, sums, m, m)
    else:
        rates = np.divide(counts, falls_on, out=np.zeros(counts.shape), where=falls_on > 0)
        z = gi_star(within(rates), within(around(rates, kernel)), m, m)
    slices = own.size // max(own.shape[-1], 1)
    part = part / max(falls_on.sum() * slices, 1e-300)
    tail = _tails(sums, int(own.sum()), part, z > 0)
    expected = np.broadcast_to(part * own.sum(), sums.shape)
    return _judged(own, m, sums, expected=expected, z=z, tail=tail, alpha=alpha, least=least)


def on_areas(counts: Ints, near: Any, *, exposure: Floats, alpha: float = ALPHA, least: int = LEAST) -> HotSpots:
    """Gi* of the rates of areas such as communities; ``near`` is a sparse 0/1 matrix, each area near itself.

    Areas without exposure have no rate and say nothing.
    """
    weights = near.astype(float)
    m = np.asarray(weights.sum(axis=1)).ravel()
    rates = np.divide(counts, exposure, out=np.zeros(len(counts)), where=exposure > 0)
    sums = np.rint(weights @ counts).astype(np.int64)
    z = gi_star(rates, weights @ rates, m, m)
    part = weights @ exposure / max(exposure.sum(), 1e-300)
    tail = _tails(sums, int(counts.sum()), part, z > 0)
    return _judged(counts, m, sums, expected=part * counts.sum(), z=z, tail=tail, alpha=alpha, least=least)


def gi_star(values: NDArray[Any], sums: NDArray[Any], weight: NDArray[Any], squares: NDArray[Any]) -> Floats:
    """The z of Gi*: ``sums`` are weighted sums of values, ``weight`` and ``squares`` those of the weights.

    Where all values are the same, or a neighbourhood is everything, z is 0.
    """
    n = values.size
    mean = float(values.mean()) if n else 0.0
    spread = float(np.sqrt(max((values.astype(float) ** 2).mean() - mean**2, 0.0))) if n else 0.0
    below = spread * np.sqrt(np.maximum(n * squares - weight.astype(float) ** 2, 0.0) / max(n - 1, 1))
    above = sums - mean * weight
    z: Floats = np.divide(above, below, out=np.zeros(above.shape), where=below > 0)
    return z


def adjusted(p: Floats, *, upto: float = 1.0) -> Floats:
    """Benjamini and Hochberg's q of each p, over all of them together; a q that is not below ``upto`` is told as 1.

    What has a larger p cannot have a smaller q, nor change a smaller one: it need not be sorted.
    """
    flat = p.ravel()
    n = flat.size
    chosen = np.flatnonzero(flat < upto)
    # Many cells are alike: a stable sort takes half as long as the usual one where values are equal.
    order = chosen[np.argsort(flat[chosen], kind="stable")]
    stepped = flat[order] * n / np.arange(1, len(order) + 1)
    found = np.ones(n)
    q = np.minimum.accumulate(stepped[::-1])[::-1]
    found[order] = np.where(q < upto, q, 1.0)
    return found.reshape(p.shape)


def _tails(sums: Ints, total: int, part: Floats, above: Bools) -> Floats:
    """The binomial chance of at least (where ``above``), else at most, so many. Equal cases are computed once."""
    kinds, kind = np.unique(np.round(part, 15), return_inverse=True)
    span = int(sums.max(initial=0)) + 1
    key = (kind.ravel() * span + sums) * 2 + above
    size = len(kinds) * span * 2
    if size <= _KEYS:
        present = np.zeros(size, dtype=bool)
        present[key.ravel()] = True
        keys = np.flatnonzero(present)
        where = np.zeros(size, dtype=np.int32)
        where[keys] = np.arange(len(keys))
        back = where[key]
    else:
        keys, back = np.unique(key, return_inverse=True)
        back = back.reshape(key.shape)
    which, s = np.divmod(keys // 2, span)
    chances = _chance(s, total, kinds[which], keys % 2 == 1)
    return np.asarray(chances[back])


def _chance(sums: Ints, total: int, part: Floats, above: Bools) -> Floats:
    from scipy import special  # noqa: PLC0415 - slow to import

    part = np.clip(part, 0.0, 1.0)
    chance = np.ones(len(sums))
    some = above & (sums > 0)
    chance[some] = special.bdtrc(sums[some] - 1.0, total, part[some])
    chance[~above] = special.bdtr(sums[~above].astype(float), total, part[~above])
    return chance


def _beyond(z: Floats) -> Floats:
    """The chance that a standard normal variable exceeds z."""
    from scipy import special  # noqa: PLC0415

    found: Floats = special.ndtr(-z)
    return found


def _judged(
    own: NDArray[Any],
    m: NDArray[Any],
    sums: Ints,
    *,
    expected: Floats,
    z: Floats,
    tail: Floats,
    alpha: float,
    least: int,
) -> HotSpots:
    p = np.minimum(2 * np.maximum(tail, _beyond(np.abs(z))), 1.0)
    # Of a cube only the verdicts are used.
    q = adjusted(p, upto=1.0 if p.ndim == 1 else min(4 * alpha, 1.0))
    found = q <= alpha
    verdict = np.zeros(p.shape, dtype=np.int8)
    verdict[found & (z > 0) & (sums >= least)] = 1
    verdict[found & (z < 0) & (expected >= least)] = -1
    small = (sums < least) & (expected < least)
    return HotSpots(own, m, sums, np.asarray(expected), z, p, q, verdict, small)
