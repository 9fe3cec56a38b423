"""The grid of web map tiles (WebMercatorQuad): bounds in EPSG:3857 metres, and boxes of degrees in it."""

import math
from dataclasses import dataclass

from geoapp.domain.values import Box

MAX_ZOOM = 22
HALF_WORLD_M = math.pi * 6378137.0
"""Half the side of the Web Mercator square, in its metres."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """West, south, east, north in EPSG:3857; half-open, so that each point lies in exactly one tile."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class Tile:
    z: int
    x: int
    y: int

    @property
    def exists(self) -> bool:
        return 0 <= self.z <= MAX_ZOOM and 0 <= self.x < 1 << self.z and 0 <= self.y < 1 << self.z

    @property
    def bounds(self) -> Bounds:
        """Bounds in EPSG:3857; neighbours share the very same float on their common side."""
        return Bounds(
            _side(self.x, self.z), -_side(self.y + 1, self.z), _side(self.x + 1, self.z), -_side(self.y, self.z)
        )


def _side(index: int, zoom: int) -> float:
    return (2.0 * index / (1 << zoom) - 1.0) * HALF_WORLD_M


def mercator(lon: float, lat: float) -> tuple[float, float]:
    """EPSG:4326 degrees to EPSG:3857 metres (spherical Mercator, EPSG Guidance Note 7-2, method 1024)."""
    x = math.radians(lon) * 6378137.0
    y = math.log(math.tan(math.pi / 4 + math.radians(max(-89.9, min(89.9, lat))) / 2)) * 6378137.0
    return x, y


def box_bounds(box: Box) -> Bounds:
    """A box of degrees as bounds in EPSG:3857."""
    return Bounds(*mercator(box.west, box.south), *mercator(box.east, box.north))
