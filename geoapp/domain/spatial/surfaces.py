"""Analyses over a grid or surface: hot spots, trends, density. Issues in degrees in, tables in degrees out."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoapp.domain.spatial import density as kernels
from geoapp.domain.spatial import exposure as exposures
from geoapp.domain.spatial import grid as grids
from geoapp.domain.spatial import hotspots
from geoapp.domain.spatial import trends as courses
from geoapp.domain.spatial.columns import Issues, Table
from geoapp.domain.spatial.density import Surface
from geoapp.domain.spatial.exposure import Below
from geoapp.domain.spatial.grid import Bools, Ints, Shape
from geoapp.domain.spatial.ground import Ground, Lattice, ground, lattice, within
from geoapp.domain.spatial.hotspots import ALPHA, LEAST, HotSpots
from geoapp.domain.spatial.how import How
from geoapp.domain.spatial.localtime import local
from geoapp.domain.spatial.projection import Projection

KEEP = ("occupied", "significant", "all")
"""Which cells come out: those that hold an issue or are significant, only these, or every cell of the area."""
VERDICTS = np.array(["cold", "", "hot"], dtype=object)


@dataclass(frozen=True, slots=True)
class Density:
    """The surface itself (metres of ``projection``), and its contours as a table."""

    surface: Surface
    projection: Projection
    contours: Table


def hot_spots(
    issues: Issues,
    *,
    area: Any = None,
    cell_m: float | None = None,
    shape: Shape = Shape.SQUARE,
    reach_m: float | None = None,
    alpha: float = ALPHA,
    least: int = LEAST,
    keep: str = "occupied",
    below: Below | None = None,
) -> Table:
    """Gi* of counts per cell, or of counts per what is ``below``; see domain.spatial.hotspots.

    Columns: count, share (of the cell in the area), neighbours, around, expected, per_km2, z, p, q, verdict (hot, cold
    or empty), small; with residents also residents and per_1000, with roads road_km and per_road_km, with assets
    assets and per_asset.
    """
    net = lattice(ground(issues, area), cell_m, shape)
    counts = grids.counts(net.cell, net.grid)
    return spots(net, counts, reach_m=reach_m, alpha=alpha, least=least, keep=keep, below=below, query=issues.query)


def spots(
    net: Lattice,
    counts: Ints,
    *,
    reach_m: float | None = None,
    alpha: float = ALPHA,
    least: int = LEAST,
    keep: str = "occupied",
    below: Below | None = None,
    **more: Any,
) -> Table:
    """The same from counts that are already there, as the sum of several parts'; ``more`` goes into how."""
    exposure = None if below is None else below.of_cells(net)
    kernel = grids.ring(net.grid, reach_m)
    found = hotspots.on_grid(counts, net.share, kernel, exposure=exposure, alpha=alpha, least=least)
    columns = spot_columns(net, found)
    if below is not None and exposure is not None:
        here = exposure[net.inside]
        name, rate = exposures.COLUMNS[below.denominator]
        columns[name] = here
        each = np.divide(found.count, here, out=np.full(here.shape, np.nan), where=here > 0)
        columns[rate] = exposures.PER[below.denominator] * each
    how = net.ground.how(
        "gi_star",
        parameters={**net.parameters, "reach_m": reach_m, "alpha": alpha, "least": least},
        notes=(
            "exact_tails",
            "fdr",
            "minimum_n",
            *((exposures.NOTES[below.denominator],) if below is not None else ()),
        ),
        sources=hotspots.SOURCES,
        **more,
    )
    return _cells(net, keep, significant=found.verdict != 0, occupied=found.count > 0, how=how, columns=columns)


def spot_columns(net: Lattice, found: HotSpots) -> dict[str, NDArray[Any]]:
    share = net.share[net.inside]
    return {
        "count": found.count,
        "share": share,
        "neighbours": found.neighbours,
        "around": found.around,
        "expected": found.expected,
        "per_km2": found.count / (share * net.grid.cell_m2 / 1e6),
        "z": found.z,
        "p": found.p,
        "q": found.q,
        "verdict": VERDICTS[found.verdict + 1],
        "small": found.small,
    }


def trends(
    issues: Issues,
    *,
    area: Any = None,
    cell_m: float | None = None,
    shape: Shape = Shape.SQUARE,
    reach_m: float | None = None,
    alpha: float = ALPHA,
    least: int = LEAST,
    slices: tuple[np.datetime64, np.datetime64] | None = None,
    zone: tzinfo = UTC,
    keep: str = "occupied",
) -> Table:
    """Emerging hot spots by month; see domain.spatial.trends. ``slices`` are the first and last month of ``zone``.

    Columns: count, trend (new, consecutive, …, or empty), kind (hot, cold or empty), tau, trend_z, trend_p, hot_slices,
    cold_slices, and per slice (rows, slices): counts, z, verdicts (1, 0, -1). ``how.parameters["slices"]`` names the
    months.
    """
    net = lattice(ground(issues, area), cell_m, shape)
    slot, months = month_slots(local(issues.reported, zone)[net.ground.kept], slices)
    cube = grids.cube(net.cell, slot, net.grid, len(months))
    used = int((slot >= 0).sum())
    undated = int(np.isnat(issues.reported[net.ground.kept]).sum())
    return emerging(
        net, cube, months, reach_m=reach_m, alpha=alpha, least=least, keep=keep, used=used,
        dropped={"no_date": undated, "outside_period": len(slot) - used - undated}, query=issues.query,
    )  # fmt: skip


def emerging(
    net: Lattice,
    cube: Ints,
    months: NDArray[np.datetime64],
    *,
    reach_m: float | None = None,
    alpha: float = ALPHA,
    least: int = LEAST,
    keep: str = "occupied",
    **more: Any,
) -> Table:
    """The same from a cube of counts (months, rows, columns) that is already there; ``more`` goes into how."""
    found = hotspots.on_grid(cube, net.share, grids.ring(net.grid, reach_m), alpha=alpha, least=least)
    course = courses.mann_kendall(found.around)
    names = courses.classes(found.verdict, course)
    total = found.count.sum(axis=0)
    words = np.array(["", *(trend.name.lower() for trend in list(courses.Trend)[1:])], dtype=object)
    columns = {
        "count": total,
        "trend": words[np.abs(names)],
        "kind": VERDICTS[np.sign(names) + 1],
        "tau": course.tau,
        "trend_z": course.z,
        "trend_p": course.p,
        "hot_slices": (found.verdict == 1).sum(axis=0),
        "cold_slices": (found.verdict == -1).sum(axis=0),
        "counts": found.count.T,
        "z": found.z.T,
        "verdicts": found.verdict.T,
    }
    asked = {"reach_m": reach_m, "alpha": alpha, "least": least, "slices": [str(month) for month in months]}
    how = net.ground.how(
        "emerging_hot_spots",
        parameters={**net.parameters, **asked, "mostly": courses.MOSTLY, "trend_alpha": courses.TREND_ALPHA},
        notes=("exact_tails", "fdr_cube", "minimum_n", "whole_cube"),
        sources=(*hotspots.SOURCES, *courses.SOURCES),
        **more,
    )
    return _cells(net, keep, significant=names != 0, occupied=total > 0, how=how, columns=columns)


def month_slots(
    reported: NDArray[np.datetime64], slices: tuple[np.datetime64, np.datetime64] | None
) -> tuple[Ints, NDArray[np.datetime64]]:
    """The month of each instant, counted from the first, -1 outside; and the months."""
    known = ~np.isnat(reported)
    if slices is None:
        slices = (reported[known].min(), reported[known].max()) if known.any() else (np.datetime64("1970-01"),) * 2
    first, last = (end.astype("datetime64[M]") for end in slices)
    months = np.arange(first, last + 1)
    slot = np.full(len(reported), -1, dtype=np.int64)
    slot[known] = (reported[known].astype("datetime64[M]") - first).astype(np.int64)
    slot[slot >= len(months)] = -1
    return np.maximum(slot, -1), months


def density(
    issues: Issues,
    *,
    area: Any = None,
    bandwidth_m: float | None = None,
    size: int = kernels.SIZE,
    levels: int = 6,
) -> Density:
    """Kernel density in issues per square kilometre; contours have the columns low and high."""
    base = within(ground(issues, area))
    suggestion = kernels.suggest_bandwidth(base.xy)
    width = bandwidth_m or suggestion.metres
    west, south, east, north = shapely.bounds(base.area).tolist()
    surface = kernels.surface(base.xy, width, (west, south, east, north), area=base.area, size=size)
    return bands(base, surface, suggestion.metres, levels=levels, query=issues.query)


def bands(base: Ground, surface: Surface, suggested_m: float | None, *, levels: int = 6, **more: Any) -> Density:
    """A surface with its contours; ``more`` goes into how."""
    drawn = kernels.contours(surface, levels)
    shapes = np.array([shape for _, _, shape in drawn], dtype=object)
    columns = {"low": np.array([low for low, _, _ in drawn]), "high": np.array([high for _, high, _ in drawn])}
    width = surface.bandwidth_m
    how = base.how(
        "kernel_density",
        parameters={
            "bandwidth_m": width,
            "suggested_m": suggested_m,
            "size": len(surface.values),
            "step_m": surface.step_m,
            "levels": levels,
        },
        notes=("gaussian", "edge_corrected", "bandwidth_scott" if width == suggested_m else "bandwidth_given"),
        sources=kernels.SOURCES,
        **more,
    )
    return Density(surface, base.projection, Table(columns, base.projection.degrees(shapes), how))


def _cells(
    net: Lattice, keep: str, *, significant: Bools, occupied: Bools, how: How, columns: dict[str, NDArray[Any]]
) -> Table:
    """The chosen cells as a table, with each issue's row."""
    if keep not in KEEP:
        raise ValueError(f"keep {keep!r}: known are {', '.join(KEEP)}")
    chosen = {"all": np.ones(len(occupied), dtype=bool), "significant": significant}.get(keep, significant | occupied)
    cells = np.flatnonzero(net.inside.ravel())[chosen]
    row = np.full(net.grid.size, -1, dtype=np.int64)
    row[cells] = np.arange(len(cells))
    shapes = net.ground.projection.degrees(grids.outlines(net.grid, cells))
    return Table({k: v[chosen] for k, v in columns.items()}, shapes, how, net.ground.members(row[net.cell]))
