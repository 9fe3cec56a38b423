"""The land of the demonstration: real names and codes, drawn areas.

No open file has the areas of Qijiang's streets and communities. They are drawn here as Voronoi cells: streets
round the seats of their towns, communities round points inside their street. All of it is marked synthetic.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoapp.domain.boundaries import NewPlace
from geoapp.domain.values import Name, PlaceKind

ORIGIN = "names and codes: china-division 2.7.0; areas: drawn for the demonstration"
METRE = 1 / 111_195.08
"""Degrees of latitude in a metre."""
ROUNDS = 4
"""Rounds of Lloyd's relaxation, which spreads the villages evenly."""
CORE_M = {"subdistrict": 1600.0, "town": 500.0}
"""How far from the seat the communities of residents lie, as a standard deviation (metres)."""

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cell:
    """A street or community: its area, and the point round which it was drawn (EPSG:4326)."""

    code: str
    name: Name
    parent: str
    urban: bool
    seat: tuple[float, float]
    area: BaseGeometry

    def as_place(self, kind: PlaceKind) -> NewPlace:
        parent = self.parent or None
        return NewPlace(kind, self.code, self.name, shapely.to_wkb(self.area), parent, origin=ORIGIN, synthetic=True)


@dataclass(frozen=True, slots=True)
class Land:
    """All that the demonstration stands on; cells by their codes."""

    district: BaseGeometry
    streets: dict[str, Cell]
    communities: dict[str, Cell]

    def communities_of(self, street: str) -> list[Cell]:
        return [cell for cell in self.communities.values() if cell.parent == street]


def draw(district: BaseGeometry, places: Path) -> Land:
    """Draw streets and communities over the district (EPSG:4326) from the CSV of names, codes and seats."""
    with places.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    towns = [row for row in rows if row["kind"] == "street"]
    seats = np.array([(float(row["seat_lon"]), float(row["seat_lat"])) for row in towns])
    streets, communities = {}, {}
    for town, seat, area in zip(towns, seats.tolist(), voronoi(seats, district), strict=True):
        urban = town["type"] == "subdistrict"
        street = Cell(town["code"], _name(town), "", urban, tuple(seat), area)
        streets[street.code] = street
        below = [row for row in rows if row["parent_code"] == street.code]
        points = _sites(street, [row["type"] == "residents" for row in below], CORE_M[town["type"]])
        for row, site, part in zip(below, points.tolist(), voronoi(points, area), strict=True):
            near_seat = urban and row["type"] == "residents"
            communities[row["code"]] = Cell(row["code"], _name(row), street.code, near_seat, tuple(site), part)
    return Land(district, streets, communities)


def voronoi(sites: Points, within: BaseGeometry) -> list[BaseGeometry]:
    """For each site the part of ``within`` that is nearest to it; in connected pieces, without gap or overlap."""
    stretch = np.array([math.cos(math.radians(within.centroid.y)), 1.0])
    around = shapely.transform(within, lambda xy: xy * stretch)
    cells = shapely.voronoi_polygons(shapely.MultiPoint(sites * stretch), extend_to=around, ordered=True)
    flat = shapely.get_parts(cells)
    cut = [shapely.intersection(shapely.transform(cell, lambda xy: xy / stretch), within) for cell in flat]
    return _give_away_islands(cut)


def _give_away_islands(areas: Sequence[BaseGeometry]) -> list[BaseGeometry]:
    """A bend of the district's edge may cut a cell in two: the smaller piece goes to the neighbour beside it."""
    kept, islands = [], []
    for index, area in enumerate(areas):
        largest, *rest = sorted(_polygons(area), key=lambda part: -part.area)
        kept.append(largest)
        islands += [(index, piece) for piece in rest]
    for home, piece in islands:
        shared = [shapely.length(shapely.intersection(piece, area)) for area in kept]
        best = int(np.argmax(shared)) if max(shared) > 0 else home
        kept[best] = shapely.union(kept[best], piece)
    return kept


def _polygons(area: BaseGeometry) -> list[BaseGeometry]:
    return [part for part in shapely.get_parts(area) if part.geom_type == "Polygon"]


def _sites(street: Cell, residents: Sequence[bool], core_m: float) -> Points:
    """A point for each community: those of residents round the seat, villages spread over the rest."""
    random = np.random.default_rng(int(street.code))
    sites = np.array([_site(street, random, core_m if near else None) for near in residents])
    villages = ~np.array(residents)
    for _ in range(ROUNDS):
        middles = shapely.get_coordinates(shapely.point_on_surface(voronoi(sites, street.area)))
        sites[villages] = middles[villages]
    return sites


def _site(street: Cell, random: np.random.Generator, core_m: float | None) -> tuple[float, float]:
    west, south, east, north = street.area.bounds
    wide = 1 / math.cos(math.radians(street.seat[1]))
    while True:
        if core_m is None:
            lon, lat = random.uniform(west, east), random.uniform(south, north)
        else:
            lon = street.seat[0] + random.normal(0, core_m * METRE) * wide
            lat = street.seat[1] + random.normal(0, core_m * METRE)
        if shapely.contains_xy(street.area, lon, lat):
            return lon, lat


def _name(row: dict[str, str]) -> Name:
    return Name(row["name_zh"], row["name_en"])
