"""Kernel density as a surface: a Gaussian of stated width in metres over linearly binned points.

Near the edge of the study area part of each kernel would lie outside, where nobody reports: the surface is divided
by the share of the kernel that lies inside (Diggle 1985), so that it does not sink towards the edge.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geoapp.domain.spatial.grid import Bools, Floats, Suggestion, summed

SIZE = 1024
SOURCES = (
    "Scott 1992; Silverman 1986 (bandwidth; in two dimensions both rules are n^(-1/6))",
    "Diggle 1985 (edge correction)",
    "Wand 1994 (linear binning)",
)
_QUARTILES = 1.349
"""Distance between the quartiles of a standard normal distribution."""
_MARGIN = 3.0
_TINY = 1e-3
_NOTHING = 8.5
"""So many standard deviations away a Gaussian is below what a double can tell from nothing beside its peak."""


@dataclass(frozen=True, slots=True)
class Surface:
    """Issues per square kilometre at the nodes of a grid: ``values`` is (y, x), NaN outside the study area.

    Node (0, 0) lies at ``west``, ``south`` (metres); nodes are ``step_m`` apart both ways.
    """

    values: Floats
    west: float
    south: float
    step_m: float
    bandwidth_m: float


def suggest_bandwidth(xy: Floats) -> Suggestion:
    """Scott's rule, n^(-1/6) times the spread; the spread is the smaller of standard deviation and quartile distance.

    One width for both axes: the root of the mean square of theirs.
    """
    n = len(xy)
    spread = xy.std(axis=0, ddof=1) if n > 1 else np.ones(2)
    low, high = np.percentile(xy, [25, 75], axis=0) if n else (np.zeros(2), np.zeros(2))
    quartile = (high - low) / _QUARTILES
    robust = np.where(quartile > 0, np.minimum(spread, quartile), spread)
    width = math.sqrt(float((robust**2).mean())) * max(n, 1) ** (-1 / 6)
    return Suggestion(max(width, 1.0), "bandwidth_scott", {"n": n, "spread": round(float(robust.mean()))})


def surface(
    xy: Floats, bandwidth_m: float, bounds: tuple[float, float, float, float], *, area: Any = None, size: int = SIZE
) -> Surface:
    """The density over ``bounds`` (west, south, east, north; metres), edge-corrected if there is an ``area``."""
    west, south, east, north = bounds
    step = max((east - west) / (size - 1), (north - south) / (size - 1))
    binned = linear_bins(xy, west, south, step, size)
    return from_bins(binned, bandwidth_m, (west, south, step), area=area)


def from_bins(binned: Floats, bandwidth_m: float, place: tuple[float, float, float], *, area: Any = None) -> Surface:
    """The same from points that are already binned, as of several partitions; ``place`` is west, south and step."""
    west, south, step = place
    size = len(binned)
    smooth = _smoothed(binned, bandwidth_m / step)
    # The kernel's mass is 1 in cells of step² square metres; what is wanted is per square kilometre.
    values = smooth * (1e6 / step**2)
    if area is not None:
        inside = _inside(area, west, south, step, size)
        within = _smoothed(inside.astype(float), bandwidth_m / step)
        values = np.where(inside, values / np.maximum(within, _TINY), np.nan)
    return Surface(values, west, south, step, bandwidth_m)


def linear_bins(xy: Floats, west: float, south: float, step: float, size: int) -> Floats:
    """Each point shared out to the four nodes round it, as (y, x); points outside are left out."""
    across, down = (xy[:, 0] - west) / step, (xy[:, 1] - south) / step
    known = (across >= 0) & (across <= size - 1) & (down >= 0) & (down <= size - 1)
    if not known.all():
        across, down = across[known], down[known]
    column = np.minimum(across.astype(np.int64), size - 2)
    row = np.minimum(down.astype(np.int64), size - 2)
    right, up = across - column, down - row
    at = row * size + column
    both = right * up
    found = summed(at, 1 - right - up + both, size * size)
    found[1:] += summed(at, right - both, size * size)[:-1]
    found[size:] += summed(at, up - both, size * size)[:-size]
    found[size + 1 :] += summed(at, both, size * size)[: -size - 1]
    return found.reshape(size, size)


def bounds_round(xy: Floats, bandwidth_m: float) -> tuple[float, float, float, float]:
    """The bounds of the points and three kernels' widths round them."""
    west, south = (xy.min(axis=0) - _MARGIN * bandwidth_m).tolist()
    east, north = (xy.max(axis=0) + _MARGIN * bandwidth_m).tolist()
    return west, south, east, north


def contours(found: Surface, levels: int = 6) -> list[tuple[float, float, Any]]:
    """Bands of equal steps from nothing to the peak, as (from, to, multipolygon in metres); the lowest is left out."""
    import contourpy  # noqa: PLC0415 - matplotlib's own, slow to import

    peak = float(np.nanmax(found.values, initial=0.0))
    if peak <= 0:
        return []
    size = len(found.values)
    axis = np.arange(size) * found.step_m
    drawn = contourpy.contour_generator(
        axis + found.west, axis + found.south, np.ma.masked_invalid(found.values), fill_type="OuterOffset"
    )
    steps = np.linspace(0, peak, levels + 1)
    bands = []
    for low, high in zip(steps[1:-1].tolist(), steps[2:].tolist(), strict=True):
        found_lines: Any = drawn.filled(low, high if high < peak else math.inf)[:2]
        parts = [
            shapely.Polygon(one[cut[0] : cut[1]], [one[a:b] for a, b in itertools.pairwise(cut[1:])])
            for one, cut in zip(*found_lines, strict=True)
        ]
        shape = shapely.union_all(shapely.make_valid(np.array(parts))) if parts else None
        if shape is not None and not shape.is_empty:
            bands.append((low, high, shape))
    return bands


def _smoothed(values: Floats, sigma: float) -> Floats:
    """Values smoothed along both axes by a Gaussian of ``sigma`` steps: products of Fourier transforms.

    So far round the grid lie zeros that nothing comes in from the other side. Why not products of matrices? They take
    four times as long for a thousand nodes, and a filter's time grows with its width.
    """
    from scipy import fft  # noqa: PLC0415 - slow to import

    size = len(values)
    reach = min(math.ceil(_NOTHING * sigma), size)
    length = fft.next_fast_len(size + reach, real=True)
    at = np.arange(length)
    kernel = fft.fft(_kernel(np.minimum(at, length - at), sigma)).real
    found = fft.rfft2(values, (length, length))
    found *= kernel[:, None] * kernel[None, : length // 2 + 1]
    # Where nothing lies, rounding leaves a little on either side of it.
    smooth: Floats = np.maximum(fft.irfft2(found, (length, length))[:size, :size], 0.0)
    return smooth


def _kernel(apart: Any, sigma: float) -> Floats:
    """The Gaussian at whole steps from its middle, ``apart`` counted round the ring of nodes."""
    kernel = np.exp(-0.5 * (apart / sigma) ** 2)
    # Narrower than a step, the nodes' sum is far from the integral.
    return np.asarray(kernel / (kernel.sum() if sigma < 1 else sigma * math.sqrt(2 * math.pi)))


def _inside(area: Any, west: float, south: float, step: float, size: int) -> Bools:
    axis = np.arange(size) * step
    shapely.prepare(area)
    across, down = np.meshgrid(west + axis, south + axis)
    found: Bools = shapely.contains_xy(area, across, down)
    return found
