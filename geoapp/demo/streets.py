"""The streets of the demonstration: made up, where the four stories play, and said to be so.

A crooked grid round the seat of each of the three towns, as dense as a town of this size: main roads every few
blocks, alleys, one-way streets, stretches that were never built, steps and a path across, dead ends; and the
made-up roads from seat to seat, which the jurisdictions know too, as roads to drive on.
"""

import math
from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoapp.demo.authorities import ROADS, road
from geoapp.demo.land import METRE, Cell, Land
from geoapp.demo.stories import DUMP, PATH, SIDEWALK, TOWERS
from geoapp.domain.roadnet import RoadLine, line_of
from geoapp.domain.roads import RoadClass

ORIGIN = "made up for the demonstration: no real street runs here"
BLOCK_M, CROOKED_M = 210.0, 45.0
BEYOND_M = 500.0
"""So far the streets go on behind the farthest place where a story plays."""
LEAST_M = 900.0
MAIN_EVERY = 4
MISSING, ONE_WAY, DEAD_END, STEPS = 0.12, 0.15, 0.08, 0.08

Grid = NDArray[np.float64]
_C = RoadClass


def lay(land: Land) -> list[RoadLine]:
    """All streets, always the same. They cross the roads from seat to seat without a vertex: join them there."""
    lines = [line for town in _towns(land) for line in _town(land, *town)]
    return lines + [
        line
        for _, (_, streets) in ROADS.items()
        for leg in road(land, streets)
        for part in shapely.get_parts(leg)
        if (line := line_of(part, _C.PRIMARY, direction=0))
    ]


def _towns(land: Land) -> Iterator[tuple[Cell, float]]:
    """Each town in which a story plays, and how far its streets reach from the seat (metres)."""
    places: dict[str, list[Cell]] = {}
    for code in (SIDEWALK, DUMP, PATH, TOWERS):
        cell = land.communities[code]
        places.setdefault(cell.parent, []).append(cell)
    for street, cells in places.items():
        town = land.streets[street]
        spots = [shapely.point_on_surface(cell.area) for cell in cells]
        yield town, max([LEAST_M, *(_apart(town.seat, (spot.x, spot.y)) + BEYOND_M for spot in spots)])


def _town(land: Land, town: Cell, reach_m: float) -> Iterator[RoadLine]:
    random = np.random.default_rng(int(town.code))
    side = 2 * math.ceil(reach_m / BLOCK_M) + 1
    middle = (np.arange(side) - side // 2) * BLOCK_M
    grid = np.stack(np.meshgrid(middle, middle, indexing="ij"), axis=-1) + random.uniform(
        -CROOKED_M, CROOKED_M, (side, side, 2)
    )
    for line in (*_blocks(grid, random), *_dead_ends(grid, random), _across(grid)):
        shape = _on_earth(line[0], town.seat)
        if shapely.length(line[0]) and _inside(line[0], reach_m) and shapely.contains(land.district, shape):
            made = line_of(shape, line[1], direction=line[2])
            if made:
                yield made


def _blocks(grid: Grid, random: np.random.Generator) -> Iterator[tuple[BaseGeometry, RoadClass, int]]:
    side = len(grid)
    for x in range(side):
        for y in range(side):
            for to_x, to_y, row in ((x + 1, y, y), (x, y + 1, x)):
                chances = random.random(3)
                if max(to_x, to_y) == side:
                    continue
                main = row % MAIN_EVERY == side // 2 % MAIN_EVERY
                if not main and chances[0] < MISSING:
                    continue
                kind = _C.SECONDARY if main else _C.STEPS if chances[1] < STEPS else _C.STREET
                way = int(chances[2] < ONE_WAY) if kind is _C.STREET else 0
                bend = (grid[x, y] + grid[to_x, to_y]) / 2 + random.uniform(-12, 12, 2)
                yield shapely.LineString([grid[x, y], bend, grid[to_x, to_y]]), kind, way


def _dead_ends(grid: Grid, random: np.random.Generator) -> Iterator[tuple[BaseGeometry, RoadClass, int]]:
    for corner in grid.reshape(-1, 2):
        if random.random() < DEAD_END:
            turn = random.uniform(0, 2 * math.pi)
            end = corner + np.array([math.cos(turn), math.sin(turn)]) * random.uniform(50, 90)
            yield shapely.LineString([corner, end]), _C.SERVICE, 0


def _across(grid: Grid) -> tuple[BaseGeometry, RoadClass, int]:
    """A path straight through the blocks of the middle, from corner to corner."""
    middle = len(grid) // 2
    return shapely.LineString([grid[middle + step, middle + step] for step in range(-3, 4)]), _C.PATH, 0


def _on_earth(metres: BaseGeometry, seat: tuple[float, float]) -> BaseGeometry:
    scale = np.array([METRE / math.cos(math.radians(seat[1])), METRE])
    placed: BaseGeometry = shapely.transform(metres, lambda xy: xy * scale + np.array(seat))
    return placed


def _inside(line: BaseGeometry, reach_m: float) -> bool:
    return bool(np.hypot(*shapely.get_coordinates(line).T).max() <= reach_m)


def _apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    wide = math.cos(math.radians(one[1]))
    return math.hypot((one[0] - other[0]) * wide, one[1] - other[1]) / METRE
