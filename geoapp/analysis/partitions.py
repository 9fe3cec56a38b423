"""The grid analyses over a folder of GeoParquet, part by part in several processes: for more than fits into memory.

Each part is binned on the same grid and the counts are added up, so the result is exactly that of the whole.
Processes are started anew: in a script, call these under ``if __name__ == "__main__":``.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from geoapp.analysis.convert import frame_of, polygon_of
from geoapp.domain.spatial import density as kernels
from geoapp.domain.spatial import grid as grids
from geoapp.domain.spatial import surfaces
from geoapp.domain.spatial.columns import Issues
from geoapp.domain.spatial.grid import Shape
from geoapp.domain.spatial.ground import Ground, Lattice, ground, lattice, lay
from geoapp.services import parquet

PROCESSES = 2


@dataclass(frozen=True, slots=True)
class _Part:
    """What one file came to: counts, how many were used, and how many left out by reason."""

    counts: NDArray[Any]
    used: int
    dropped: dict[str, int]


def hot_spots(
    folder: Path | str,
    *,
    cell: float | None = None,
    shape: str = "square",
    area: Any = None,
    categories: tuple[str, ...] = (),
    processes: int = PROCESSES,
    **more: Any,
) -> geopandas.GeoDataFrame:
    """As ``geoapp.analysis.hot_spots`` of the whole folder."""
    folder, stamp = Path(folder), parquet.stamp_of(Path(folder))
    net = _net(stamp, area, cell, shape)
    total, told = np.zeros((net.grid.rows, net.grid.columns), dtype=np.int64), _Told()
    for part in _each(_Binned(net, categories), parquet.parts(folder), processes):
        total += part.counts
        told.add(part)
    return frame_of(surfaces.spots(net, total, used=told.used, dropped=told.dropped, query=stamp["query"], **more))


def trends(
    folder: Path | str,
    *,
    cell: float | None = None,
    shape: str = "square",
    area: Any = None,
    categories: tuple[str, ...] = (),
    processes: int = PROCESSES,
    **more: Any,
) -> geopandas.GeoDataFrame:
    """As ``geoapp.analysis.trends`` of the whole folder; its months are those of its partitions."""
    folder, stamp = Path(folder), parquet.stamp_of(Path(folder))
    net = _net(stamp, area, cell, shape)
    files = parquet.parts(folder)
    named = np.array([file.parent.name.removeprefix("month=") for file in files], dtype="datetime64[M]")
    months = np.arange(named.min(), named.max() + 1)
    cube, told = np.zeros((len(months), net.grid.rows, net.grid.columns), dtype=np.int64), _Told()
    for month, part in zip(named, _each(_Binned(net, categories), files, processes), strict=True):
        cube[int((month - months[0]).astype(int))] += part.counts
        told.add(part)
    table = surfaces.emerging(net, cube, months, used=told.used, dropped=told.dropped, query=stamp["query"], **more)
    return frame_of(table, series=tuple(table.how.parameters["slices"]))


def density(
    folder: Path | str,
    *,
    bandwidth: float,
    area: Any = None,
    size: int = kernels.SIZE,
    levels: int = 6,
    categories: tuple[str, ...] = (),
    processes: int = PROCESSES,
) -> geopandas.GeoDataFrame:
    """As ``geoapp.analysis.density`` of the whole folder, with a bandwidth that is given."""
    folder, stamp = Path(folder), parquet.stamp_of(Path(folder))
    base = _ground(stamp, area)
    west, south, east, north = shapely.bounds(base.area).tolist()
    step = max(east - west, north - south) / (size - 1)
    total, told = np.zeros((size, size)), _Told()
    for part in _each(_Smeared(base, west, south, step, size, categories), parquet.parts(folder), processes):
        total += part.counts
        told.add(part)
    surface = kernels.from_bins(total, bandwidth, (west, south, step), area=base.area)
    found = surfaces.bands(
        base, surface, None, levels=levels, used=told.used, dropped=told.dropped, query=stamp["query"]
    )
    return frame_of(found.contours)


@dataclass(slots=True)
class _Told:
    """The sum of what the parts used and left out."""

    used: int = 0
    dropped: dict[str, int] = field(default_factory=dict)

    def add(self, part: _Part) -> None:
        self.used += part.used
        for why, count in part.dropped.items():
            self.dropped[why] = self.dropped.get(why, 0) + count


@dataclass(frozen=True, slots=True)
class _Binned:
    """Counts one file on a grid; goes to the processes as a whole."""

    net: Lattice
    categories: tuple[str, ...]

    def __call__(self, file: Path) -> _Part:
        issues, others = _chosen(parquet.read_part(file), self.categories)
        laid = lay(self.net, issues)
        counts = grids.counts(laid.cell, laid.grid)
        return _Part(counts, len(laid.cell), {**laid.ground.dropped, "other_category": others})


@dataclass(frozen=True, slots=True)
class _Smeared:
    """Bins one file linearly on the nodes of a surface."""

    base: Ground
    west: float
    south: float
    step: float
    size: int
    categories: tuple[str, ...]

    def __call__(self, file: Path) -> _Part:
        issues, others = _chosen(parquet.read_part(file), self.categories)
        xy = self.base.projection.metres(issues.lon, issues.lat)
        shapely.prepare(self.base.area)
        inside = shapely.contains_xy(self.base.area, xy[:, 0], xy[:, 1])
        bins = kernels.linear_bins(xy[inside], self.west, self.south, self.step, self.size)
        outside = int((~inside).sum())
        return _Part(bins, len(xy) - outside, {"outside_area": outside, "other_category": others})


def _each(work: Callable[[Path], _Part], files: list[Path], processes: int) -> Iterator[_Part]:
    if processes < 2:  # noqa: PLR2004 - one process is this one
        yield from map(work, files)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, files, chunksize=max(len(files) // (4 * processes), 1))


def _chosen(issues: Issues, categories: tuple[str, ...]) -> tuple[Issues, int]:
    """The issues of some branches, and how many others there are."""
    if not categories:
        return issues, 0
    branches = [any(f"{name}.".startswith(f"{one}.") for one in categories) for name in issues.category.names]
    kept = np.array([*branches, False])[issues.category.index]
    return issues.at(kept), int((~kept).sum())


def _ground(stamp: dict[str, Any], area: Any) -> Ground:
    """The study area, or the box round everything, a little wider."""
    polygon = polygon_of(area)
    if polygon is None:
        polygon = shapely.buffer(shapely.box(*stamp["bounds"]), 1e-4, cap_style="square", join_style="mitre")
    return ground(Issues.points(np.zeros(0), np.zeros(0)), polygon)


def _net(stamp: dict[str, Any], area: Any, cell: float | None, shape: str) -> Lattice:
    return lattice(_ground(stamp, area), cell, Shape(shape), count=stamp["rows"])
