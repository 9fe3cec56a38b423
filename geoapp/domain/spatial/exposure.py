"""What issues are counted per, beside area: residents, assets, kilometres of road; of areas and of cells of a grid.

What is not known is NaN for an area, and nothing for a cell: neither is ever guessed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoapp.domain.spatial import grid as grids
from geoapp.domain.spatial.columns import Areas
from geoapp.domain.spatial.grid import Floats
from geoapp.domain.spatial.ground import Lattice
from geoapp.domain.spatial.projection import metres_for

PER = {"count": 1.0, "km2": 1.0, "residents": 1000.0, "road_km": 1.0, "asset": 1.0}
"""Of how many of its units a rate is told."""
COLUMNS = {
    "residents": ("residents", "per_1000"),
    "road_km": ("road_km", "per_road_km"),
    "asset": ("assets", "per_asset"),
}
"""What a denominator of cells is called in a table, and its rate."""
NOTES = {"residents": "residents_spread", "road_km": "roads_cut", "asset": "assets_spread"}
PIECE_M = 10.0


@dataclass(frozen=True, slots=True)
class Below:
    """A denominator for cells: the numbers of ``areas``, or lines of roads (EPSG:4326)."""

    denominator: str
    areas: Areas | None = None
    roads: NDArray[Any] | None = None

    def of_cells(self, net: Lattice) -> Floats:
        """So much of it in each cell, as (rows, columns); nothing outside the study area."""
        if self.roads is not None:
            return road_km_of_cells(net, self.roads)
        if self.areas is None:
            raise ValueError(f"{self.denominator}: needs areas or roads")
        return spread(net, self.areas.geometry, of_areas(self.areas, self.denominator))


def of_areas(areas: Areas, denominator: str) -> Floats:
    """So much of it in each area, NaN where it is not known. Raises ValueError for a denominator that there is not."""
    unknown = np.full(len(areas.code), np.nan)
    told = {"residents": areas.residents, "road_km": areas.road_km, "asset": areas.assets}
    if denominator not in told:
        raise ValueError(f"denominator {denominator!r}: known are {', '.join(PER)}")
    found = told[denominator]
    return unknown if found is None else np.asarray(found, dtype=float)


def road_km(shapes: NDArray[Any], roads: NDArray[Any]) -> Floats:
    """Kilometres of road (lines, EPSG:4326) inside each shape, each road cut at the edge; in metres of one zone."""
    if not len(shapes) or not len(roads):
        return np.zeros(len(shapes))
    middle = shapely.centroid(shapely.box(*shapely.total_bounds(shapes)))
    projection = metres_for(middle.x, middle.y)
    areas, lines = projection.projected(shapes), projection.projected(roads)
    # What is valid in degrees may touch itself in metres.
    areas = np.where(shapely.is_valid(areas), areas, shapely.make_valid(areas))
    tree = shapely.STRtree(lines)
    touched = tree.query(areas, predicate="intersects")
    inside = tree.query(areas, predicate="contains")
    length = shapely.length(lines)
    # Most roads lie wholly in one area: only those at an edge have to be cut.
    key = len(lines)
    whole = np.isin(touched[0] * key + touched[1], inside[0] * key + inside[1])
    area, line = touched[:, ~whole]
    cut = shapely.length(shapely.intersection(areas[area], lines[line]))
    metres = grids.summed(touched[0][whole], length[touched[1][whole]], len(areas)) + grids.summed(
        area, cut, len(areas)
    )
    return np.asarray(metres / 1000)


def road_km_of_cells(net: Lattice, roads: NDArray[Any]) -> Floats:
    """Kilometres of road in each cell: roads in pieces of at most 10 m, each counted where its middle lies."""
    lines = shapely.segmentize(net.ground.projection.projected(roads), PIECE_M)
    at, line = shapely.get_coordinates(lines, return_index=True)
    one = line[1:] == line[:-1]
    metres = np.hypot(*np.diff(at, axis=0).T)[one]
    cell = grids.cells_of(((at[1:] + at[:-1]) / 2)[one], net.grid)
    known = cell >= 0
    flat = grids.summed(cell[known], metres[known] / 1000, net.grid.size)
    return np.where(net.inside, flat.reshape(net.share.shape), 0.0)


def spread(net: Lattice, geometry: NDArray[Any], numbers: Floats) -> Floats:
    """Residents or assets per cell: those of each area dealt evenly to nine points in each of its cells.

    An area too small for any such point gives all to the cell of its middle. What is not known counts as none, so
    nothing is called hot or cold there.
    """
    shapes = net.ground.projection.projected(geometry)
    at = grids.centres(net.grid)[net.inside.ravel()]
    steps = np.array([-1, 0, 1]) * net.grid.cell_m / 3
    points = (at[:, None, None, :] + np.stack(np.meshgrid(steps, steps), axis=-1)[None]).reshape(-1, 2)
    area, point = shapely.STRtree(np.asarray(shapely.points(points))).query(shapes, predicate="intersects")
    _, first = np.unique(point, return_index=True)
    area, point = area[first], point[first]
    middles = shapely.get_coordinates(shapely.point_on_surface(shapes))
    often = np.bincount(area, minlength=len(shapes))
    known = np.nan_to_num(numbers)
    flat = np.zeros(net.grid.size)
    cells = np.flatnonzero(net.inside.ravel())
    np.add.at(flat, cells[point // 9], known[area] / often[area])
    tiny = np.flatnonzero(often == 0)
    where = grids.cells_of(middles[tiny], net.grid)
    np.add.at(flat, where[where >= 0], known[tiny][where >= 0])
    return np.where(net.inside, flat.reshape(net.share.shape), 0.0)
