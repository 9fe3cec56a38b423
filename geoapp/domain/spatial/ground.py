"""The ground of an analysis: its projection, its study area, and which issues lie on it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from geoapp.domain.spatial import grid as grids
from geoapp.domain.spatial.columns import Issues
from geoapp.domain.spatial.grid import Bools, Floats, Grid, Ints, Shape, Suggestion
from geoapp.domain.spatial.how import How
from geoapp.domain.spatial.projection import Projection, metres_for

_NONE = (104.0, 35.0)
_MARGIN_M = 50.0


@dataclass(frozen=True, slots=True)
class Ground:
    """``xy`` are metres of the issues at ``kept``; ``area`` is the study area in metres."""

    projection: Projection
    xy: Floats
    kept: Ints
    count: int
    area: Any
    dropped: dict[str, int]
    notes: tuple[str, ...]

    def how(self, method: str, **more: Any) -> How:
        notes = (*self.notes, *more.pop("notes", ()))
        dropped = {**self.dropped, **more.pop("dropped", {})}
        return How(
            method, used=more.pop("used", len(self.kept)), crs=f"{self.projection.code} {self.projection.name}",
            dropped={why: n for why, n in dropped.items() if n}, notes=notes, **more,
        )  # fmt: skip

    def members(self, row: Ints) -> Ints:
        """Rows of the kept issues as rows of all issues."""
        found = np.full(self.count, -1, dtype=np.int64)
        found[self.kept] = row
        return found


@dataclass(frozen=True, slots=True)
class Lattice:
    """A grid over the ground: each issue's cell, how much of each cell is study area, and what led to its size."""

    ground: Ground
    grid: Grid
    cell: Ints
    share: Floats
    suggestion: Suggestion | None

    @property
    def parameters(self) -> dict[str, Any]:
        said = {"shape": str(self.grid.shape), "cell_m": self.grid.cell_m}
        return said | ({"suggested_from": self.suggestion.params} if self.suggestion else {})

    @property
    def inside(self) -> Bools:
        return self.share > 0


def ground(issues: Issues, area: Any = None) -> Ground:
    """Lay issues on metres; without an ``area`` (EPSG:4326) the convex hull of the issues is the study area."""
    known = np.isfinite(issues.lon) & np.isfinite(issues.lat)
    kept = np.flatnonzero(known)
    dropped = {"no_place": len(issues) - len(kept)}
    if area is not None:
        middle = shapely.centroid(area)
        at = (middle.x, middle.y)
    else:
        at = (float(np.median(issues.lon[kept])), float(np.median(issues.lat[kept]))) if len(kept) else _NONE
    projection = metres_for(*at)
    xy = projection.metres(issues.lon[kept], issues.lat[kept])
    if area is not None:
        return Ground(projection, xy, kept, len(issues), projection.projected(area), dropped, (projection.why,))
    hull = shapely.buffer(shapely.convex_hull(shapely.multipoints(xy if len(xy) else [at])), _MARGIN_M)
    return Ground(projection, xy, kept, len(issues), hull, dropped, (projection.why, "area_hull"))


def within(found: Ground) -> Ground:
    """Without the issues that lie outside the study area."""
    shapely.prepare(found.area)
    inside: Bools = shapely.contains_xy(found.area, found.xy[:, 0], found.xy[:, 1])
    return _only(found, inside)


def lattice(
    found: Ground, cell_m: float | None = None, shape: Shape = Shape.SQUARE, *, count: int | None = None
) -> Lattice:
    """A grid over the study area; without a size one is suggested from the data, or for ``count`` issues."""
    suggestion = None
    if cell_m is None:
        suggestion = grids.suggest_cell(len(found.kept) if count is None else count, shapely.area(found.area))
        cell_m = suggestion.metres
    grid = grids.over(tuple(shapely.bounds(found.area)), cell_m, shape)
    return _laid(found, grid, grids.shares(grid, found.area), suggestion)


def lay(net: Lattice, issues: Issues) -> Lattice:
    """Other issues on the same grid and study area: so counts of several parts of a whole can be added up."""
    known = np.flatnonzero(np.isfinite(issues.lon) & np.isfinite(issues.lat))
    xy = net.ground.projection.metres(issues.lon[known], issues.lat[known])
    found = replace(net.ground, xy=xy, kept=known, count=len(issues), dropped={"no_place": len(issues) - len(known)})
    return _laid(found, net.grid, net.share, net.suggestion)


def _laid(found: Ground, grid: Grid, share: Floats, suggestion: Suggestion | None) -> Lattice:
    cell = grids.cells_of(found.xy, grid)
    # Only where the edge passes through a cell must the points themselves be asked.
    part = np.append(share.ravel(), 0.0)[cell]
    inside = part >= 1 - 1e-9
    doubtful = np.flatnonzero((part > 0) & ~inside)
    inside[doubtful] = shapely.contains_xy(found.area, found.xy[doubtful, 0], found.xy[doubtful, 1])
    return Lattice(_only(found, inside), grid, cell[inside], share, suggestion)


def _only(found: Ground, inside: Bools) -> Ground:
    outside = int((~inside).sum())
    if not outside:
        return found
    return replace(
        found, xy=found.xy[inside], kept=found.kept[inside], dropped={**found.dropped, "outside_area": outside}
    )
