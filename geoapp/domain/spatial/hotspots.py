"""Hot and cold spots: Getis-Ord Gi* on a grid or on areas, and what of it is more than chance.

Counts per cell are few and skewed, so the normal distribution that z stands in calls far too much significant.
Two exact questions are asked instead, and the weaker answer is taken: could so many lie here if all lay anywhere
in the area alike (binomial, by area or by denominator), and if the cells' values were dealt out anew at random
(the exact distribution of a sum of as many cells)? Then the false discovery rate is held over all cells.
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
_WORK = 30_000_000
"""So many additions are made at most to deal cells out without putting them back."""
_DEALT = 40
_KEYS = 20_000_000


@dataclass(frozen=True, slots=True)
class HotSpots:
    """One entry per cell of the area, or per slice and cell.

    ``neighbours`` counts the cells of a neighbourhood, itself included; ``around`` is the issues in it, ``expected``
    what there would be if all lay alike. ``z`` is Gi*; ``p`` two-sided and exact, ``q`` adjusted for false discovery.
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
    falls_on = np.where(inside, share if exposure is None else exposure, 0.0)
    sums = around(np.where(inside, counts, 0), kernel)[..., inside]
    m = around(inside.astype(np.int64), kernel)[inside]
    part = around(falls_on, kernel)[inside]
    own = counts[..., inside]
    if exposure is None:
        z = gi_star(own, sums, m, m)
    else:
        rates = np.divide(counts, falls_on, out=np.zeros(counts.shape), where=falls_on > 0)
        z = gi_star(rates[..., inside], around(rates, kernel)[..., inside], m, m)
    slices = own.size // max(own.shape[-1], 1)
    part = part / max(falls_on.sum() * slices, 1e-300)
    upper, lower = _tails(own, sums, m, part, dealt=exposure is None)
    if exposure is not None:
        upper, lower = np.maximum(upper, _beyond(z)), np.maximum(lower, _beyond(-z))
    expected = np.broadcast_to(part * own.sum(), sums.shape)
    return _judged(own, m, sums, expected=expected, z=z, tails=(upper, lower), alpha=alpha, least=least)


def on_areas(
    counts: Ints,
    near: Any,
    *,
    exposure: Floats,
    alpha: float = ALPHA,
    least: int = LEAST,
    permutations: int = 9_999,
    seed: int = 1,
) -> HotSpots:
    """Gi* of the rates of areas such as communities; ``near`` is a sparse 0/1 matrix, each area near itself.

    Instead of the exact dealing out, ``permutations`` seeded ones. Areas without exposure have no rate and say nothing.
    """
    weights = near.astype(float)
    m = np.asarray(weights.sum(axis=1)).ravel()
    rates = np.divide(counts, exposure, out=np.zeros(len(counts)), where=exposure > 0)
    sums, rate_sums = np.rint(weights @ counts).astype(np.int64), weights @ rates
    z = gi_star(rates, rate_sums, m, m)
    part = weights @ exposure / max(exposure.sum(), 1e-300)
    upper, lower = _chance(sums, int(counts.sum()), part)
    random = np.random.default_rng(seed)
    above, below = np.ones(len(counts)), np.ones(len(counts))
    for some in np.array_split(np.arange(permutations), max(permutations * len(counts) // 4_000_000, 1)):
        dealt = weights @ random.permuted(np.tile(rates, (len(some), 1)), axis=1).T
        above += (dealt >= rate_sums[:, None] * (1 - 1e-12)).sum(axis=1)
        below += (dealt <= rate_sums[:, None] * (1 + 1e-12)).sum(axis=1)
    upper, lower = np.maximum(upper, above / (permutations + 1)), np.maximum(lower, below / (permutations + 1))
    expected = part * counts.sum()
    return _judged(counts, m, sums, expected=expected, z=z, tails=(upper, lower), alpha=alpha, least=least)


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


def adjusted(p: Floats) -> Floats:
    """Benjamini and Hochberg's q of each p, over all of them together."""
    flat = p.ravel()
    n = flat.size
    # Most p of sparse counts are 1 and stay so: only what may count is sorted.
    chosen = np.flatnonzero(flat < 1)
    order = chosen[np.argsort(flat[chosen])]
    stepped = flat[order] * n / np.arange(1, len(order) + 1)
    found = np.ones(n)
    found[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    return found.reshape(p.shape)


def dealt_out(values: Ints, sizes: Ints) -> dict[int, tuple[Floats, Floats]]:
    """For each size m: the chances that m cells drawn from ``values`` hold at least, and at most, s (by s).

    Exactly as drawn without putting back, where that is little work; else as if put back, which spreads wider and
    so errs on the side of caution.
    """
    most = int(sizes.max(initial=1))
    distinct, often = np.unique(values, return_counts=True)
    top = int(np.sort(values)[-most:].sum()) if values.size else 0
    if most <= min(_DEALT, values.size) and len(distinct) * most**2 * (top + 1) <= _WORK:
        drawn = _without_putting_back(distinct, often, most, top)
        return {int(m): _cumulated(drawn[m]) for m in np.unique(sizes)}
    return {int(m): _cumulated(_put_back(distinct, often, int(m))) for m in np.unique(sizes)}


def _without_putting_back(distinct: Ints, often: Ints, most: int, top: int) -> Floats:
    """(m, s): the chance that m drawn cells sum to s, by the generating function of multivariate drawing."""
    ways = np.zeros((most + 1, top + 1))
    ways[0, 0] = 1.0
    for value, number in zip(distinct.tolist(), often.tolist(), strict=True):
        before, choose = ways.copy(), 1.0
        for drawn in range(1, min(most, number) + 1):
            choose *= (number - drawn + 1) / drawn
            shift = value * drawn
            if shift > top:
                break
            ways[drawn:, shift:] += choose * before[: most + 1 - drawn, : top + 1 - shift]
    found: Floats = ways / ways.sum(axis=1, keepdims=True)
    return found


def _put_back(distinct: Ints, often: Ints, m: int) -> Floats:
    length = int(distinct[-1]) * m + 1
    chance = np.zeros(int(distinct[-1]) + 1)
    chance[distinct] = often / often.sum()
    padded = 1 << (length - 1).bit_length()
    found: Floats = np.fft.irfft(np.fft.rfft(chance, padded) ** m, padded)[:length]
    # What a transform leaves of nothing: some 1e-16.
    return np.maximum(found, 1e-18)


def _cumulated(chance: Floats) -> tuple[Floats, Floats]:
    return np.minimum(np.cumsum(chance[::-1])[::-1], 1.0), np.minimum(np.cumsum(chance), 1.0)


def _tails(own: Ints, sums: Ints, m: Ints, part: Floats, *, dealt: bool) -> tuple[Floats, Floats]:
    """Upper and lower chance of each sum: the larger of both questions. Equal cases are computed once."""
    kinds, kind = np.unique(np.column_stack([m, np.round(part, 15)]), axis=0, return_inverse=True)
    kind = kind.ravel()
    span = int(sums.max(initial=0)) + 1
    key = kind * span + sums
    if len(kinds) * span <= _KEYS:
        present = np.zeros(len(kinds) * span, dtype=bool)
        present[key.ravel()] = True
        keys = np.flatnonzero(present)
        where = np.zeros(len(present), dtype=np.int32)
        where[keys] = np.arange(len(keys))
        back = where[key]
    else:
        keys, back = np.unique(key, return_inverse=True)
        back = back.reshape(key.shape)
    which, s = np.divmod(keys, span)
    upper, lower = _chance(s, int(own.sum()), kinds[which, 1])
    if dealt and keys.size:
        sizes = kinds[which, 0].astype(np.int64)
        for size, (at_least, at_most) in dealt_out(own.ravel(), sizes).items():
            those = np.flatnonzero(sizes == size)
            upper[those] = np.maximum(upper[those], at_least[s[those]])
            lower[those] = np.maximum(lower[those], at_most[s[those]])
    return upper[back], lower[back]


def _chance(sums: Ints, total: int, part: Floats) -> tuple[Floats, Floats]:
    """Binomial chances of at least and of at most so many of ``total``, each falling here with chance ``part``."""
    from scipy import special  # noqa: PLC0415 - slow to import

    part = np.clip(part, 0.0, 1.0)
    upper = np.where(sums > 0, special.bdtrc(np.maximum(sums - 1.0, 0.0), total, part), 1.0)
    lower: Floats = special.bdtr(sums.astype(float), total, part)
    return upper, lower


def _beyond(z: Floats) -> Floats:
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
    tails: tuple[Floats, Floats],
    alpha: float,
    least: int,
) -> HotSpots:
    upper, lower = tails
    p = np.minimum(2 * np.minimum(upper, lower), 1.0)
    q = adjusted(p)
    found = q <= alpha
    verdict = np.zeros(p.shape, dtype=np.int8)
    verdict[found & (upper < lower) & (sums >= least)] = 1
    verdict[found & (lower < upper) & (expected >= least)] = -1
    small = (sums < least) & (expected < least)
    return HotSpots(own, m, sums, np.asarray(expected), z, p, q, verdict, small)
