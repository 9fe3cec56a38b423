"""Grids of squares or hexagons in metres: which cell a point lies in, how many lie in each, and the cells' shapes.

A grid is anchored at whole multiples of its cell, not at the data: the same place lies in the same cell whatever
is asked, and counts of several partitions add up. Hexagons are stored by axial coordinates, so that, as with
squares, one kernel of neighbours holds for every cell.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MAX_CELLS = 4_000_000
"""A grid with more cells than this is refused: nobody can read it, and it would fill the memory."""
ROUND_M = (50, 100, 150, 200, 250, 300, 400, 500, 750, 1000, 1500, 2000, 2500, 3000, 4000, 5000)
"""Sizes of cells that are suggested (metres)."""
_PORTION = 20_000
"""So many points are put into cells at a time: what is reckoned of them on the way stays in the processor's cache."""
_ROOT3 = math.sqrt(3)


class Shape(StrEnum):
    SQUARE = "square"
    HEXAGON = "hexagon"


@dataclass(frozen=True, slots=True)
class Grid:
    """``cell_m`` is the side of a square, or the distance between the centres of neighbouring hexagons.

    ``row`` and ``column`` are those of the first cell; the arrays of a grid have the shape (rows, columns).
    """

    shape: Shape
    cell_m: float
    row: int
    column: int
    rows: int
    columns: int

    @property
    def size(self) -> int:
        return self.rows * self.columns

    @property
    def cell_m2(self) -> float:
        return self.cell_m**2 * (1 if self.shape is Shape.SQUARE else _ROOT3 / 2)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A size in metres, and the numbers that led to it; ``reason`` is a key under ``analysis.note.``."""

    metres: float
    reason: str
    params: dict[str, float]


def over(bounds: tuple[float, float, float, float], cell_m: float, shape: Shape = Shape.SQUARE) -> Grid:
    """The grid that holds west, south, east, north. Raises ValueError if it were too large."""
    west, south, east, north = bounds
    if not (cell_m > 0 and all(map(math.isfinite, bounds))):
        raise ValueError(f"no grid of {cell_m:g} m over {tuple(map(float, bounds))}")
    corners = np.array([(west, south), (east, south), (west, north), (east, north)], dtype=float)
    rows, columns = _axial(corners, cell_m) if shape is Shape.HEXAGON else _square(corners, cell_m)
    first_row, first_column = int(rows.min()), int(columns.min())
    # A corner may round to the neighbour of a hexagon that reaches further out.
    spare = 1 if shape is Shape.HEXAGON else 0
    grid = Grid(
        shape,
        float(cell_m),
        first_row - spare,
        first_column - spare,
        int(rows.max()) - first_row + 1 + 2 * spare,
        int(columns.max()) - first_column + 1 + 2 * spare,
    )
    if grid.size > MAX_CELLS:
        raise ValueError(f"{grid.size:,} cells of {cell_m} m are too many; at most {MAX_CELLS:,}")
    return grid


def cells_of(xy: Floats, grid: Grid) -> Ints:
    """The flat index of each point's cell; -1 for points outside the grid."""
    found = np.empty(len(xy), dtype=np.int64)
    for first in range(0, len(xy), _PORTION):
        some = slice(first, first + _PORTION)
        rows, columns = (_axial if grid.shape is Shape.HEXAGON else _square)(xy[some], grid.cell_m)
        rows -= grid.row
        columns -= grid.column
        inside = (rows >= 0) & (rows < grid.rows) & (columns >= 0) & (columns < grid.columns)
        found[some] = np.where(inside, rows * grid.columns + columns, -1)
    return found


def counts(cells: Ints, grid: Grid) -> Ints:
    """How many points lie in each cell, as (rows, columns)."""
    # One more in front takes the points outside without a copy of the others.
    return np.bincount(cells + 1, minlength=grid.size + 1)[1:].reshape(grid.rows, grid.columns)


def cube(cells: Ints, slices: Ints, grid: Grid, count: int) -> Ints:
    """How many points lie in each cell in each of ``count`` slices of time, as (slices, rows, columns)."""
    known = (cells >= 0) & (slices >= 0) & (slices < count)
    flat = np.where(known, slices * grid.size + cells, -1)
    return np.bincount(flat + 1, minlength=count * grid.size + 1)[1:].reshape(count, grid.rows, grid.columns)


def centres(grid: Grid) -> Floats:
    """The centres of all cells, as (cells, 2)."""
    rows, columns = np.divmod(np.arange(grid.size), grid.columns)
    return _centre(rows + grid.row, columns + grid.column, grid)


def outlines(grid: Grid, cells: Ints) -> NDArray[Any]:
    """The polygons of these cells."""
    rows, columns = np.divmod(cells, grid.columns)
    at = _centre(rows + grid.row, columns + grid.column, grid)
    half = grid.cell_m / 2
    if grid.shape is Shape.SQUARE:
        return np.asarray(shapely.box(at[:, 0] - half, at[:, 1] - half, at[:, 0] + half, at[:, 1] + half))
    angles = np.radians(np.arange(30, 390, 60))
    corners = np.column_stack([np.cos(angles), np.sin(angles)]) * (grid.cell_m / _ROOT3)
    return np.asarray(shapely.polygons(at[:, None, :] + corners[None, :, :]))


def shares(grid: Grid, area: Any) -> Floats:
    """How much of each cell lies within ``area`` (same metres), 0 to 1, as (rows, columns)."""
    at = centres(grid)
    west, south, east, north = shapely.bounds(area)
    reach = grid.cell_m
    near = np.flatnonzero(
        (at[:, 0] > west - reach) & (at[:, 0] < east + reach) & (at[:, 1] > south - reach) & (at[:, 1] < north + reach)
    )
    found = np.zeros(grid.size)
    shapely.prepare(area)
    found[near] = shapely.contains_xy(area, at[near, 0], at[near, 1])
    # Only cells that the edge passes through need their part computed; the edge is cut up for the tree.
    edge = shapely.get_parts(shapely.boundary(area))
    pieces = np.concatenate([_segments(line) for line in edge])
    shapes = outlines(grid, near)
    crossed = np.unique(shapely.STRtree(pieces).query(shapes, predicate="intersects")[0])
    found[near[crossed]] = shapely.area(shapely.intersection(shapes[crossed], area)) / grid.cell_m2
    return found.reshape(grid.rows, grid.columns)


def ring(grid: Grid, reach_m: float | None = None) -> Bools:
    """The kernel of cells whose centres lie within ``reach_m`` of a cell's, itself included.

    By default the eight or six that it touches.
    """
    reach_m = reach_m or grid.cell_m * (1.5 if grid.shape is Shape.SQUARE else 1.1)
    far = math.ceil(reach_m / grid.cell_m * 2 / _ROOT3)
    down, across = np.mgrid[-far : far + 1, -far : far + 1]
    if grid.shape is Shape.HEXAGON:
        east, north = across + down / 2, down * _ROOT3 / 2
    else:
        east, north = across, down
    near: Bools = np.hypot(east, north) * grid.cell_m <= reach_m * (1 + 1e-9)
    while near.shape[0] > 1 and not (near[0].any() or near[-1].any() or near[:, 0].any() or near[:, -1].any()):
        near = near[1:-1, 1:-1]
    return near


def around(values: NDArray[Any], kernel: Bools) -> NDArray[Any]:
    """Sums over each cell's neighbourhood; ``values`` is (…, rows, columns), beyond the grid lies nothing."""
    far = kernel.shape[0] // 2
    rows, columns = values.shape[-2:]
    pad = [(0, 0)] * (values.ndim - 2) + [(far, far), (far, far)]
    padded = np.pad(values, pad)
    found = np.zeros_like(values)
    for down, across in np.argwhere(kernel):
        found += padded[..., down : down + rows, across : across + columns]
    return found


def summed(at: NDArray[Any], weights: NDArray[Any], length: int) -> Floats:
    """The sum of the weights that fall on each place below ``length``."""
    found: Floats = np.bincount(at.ravel(), weights.ravel(), minlength=length).astype(np.float64, copy=False)
    return found


def suggest_cell(n: int, area_m2: float, *, accuracy_m: float = 0.0) -> Suggestion:
    """The size of a cell that suits so many points: twice the area per point (Wong & Lee 2005), made round.

    Never finer than twice the accuracy of the places.
    """
    wanted = math.sqrt(2 * area_m2 / max(n, 1))
    least = max(wanted, 2 * accuracy_m)
    metres = min(ROUND_M, key=lambda size: abs(math.log(size / max(least, 1.0))))
    return Suggestion(
        float(metres), "cell_suggested", {"n": n, "km2": round(float(area_m2) / 1e6, 1), "metres": round(wanted)}
    )


def _square(xy: Floats, cell_m: float) -> tuple[Ints, Ints]:
    return np.floor(xy[:, 1] / cell_m).astype(np.int64), np.floor(xy[:, 0] / cell_m).astype(np.int64)


def _axial(xy: Floats, cell_m: float) -> tuple[Ints, Ints]:
    """Row and column of the nearest hexagon's centre: rounding in cube coordinates."""
    down = xy[:, 1] * (2 / (_ROOT3 * cell_m))
    across = xy[:, 0] / cell_m - down / 2
    row, column = np.rint(down), np.rint(across)
    third = np.rint(-down - across)
    off_row, off_column = np.abs(row - down), np.abs(column - across)
    off_third = np.abs(third + down + across)
    worst_column = (off_column > off_row) & (off_column > off_third)
    worst_row = ~worst_column & (off_row > off_third)
    fixed_row = np.where(worst_row, -column - third, row)
    fixed_column = np.where(worst_column, -row - third, column)
    return fixed_row.astype(np.int64), fixed_column.astype(np.int64)


def _centre(rows: Ints, columns: Ints, grid: Grid) -> Floats:
    if grid.shape is Shape.SQUARE:
        return np.column_stack([columns + 0.5, rows + 0.5]) * grid.cell_m
    return np.column_stack([columns + rows / 2, rows * (_ROOT3 / 2)]) * grid.cell_m


def _segments(line: Any) -> NDArray[Any]:
    points = shapely.get_coordinates(line)
    return np.asarray(shapely.linestrings(np.stack([points[:-1], points[1:]], axis=1)))
