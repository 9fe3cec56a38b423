"""A small map on paper: geometry in degrees to a drawing of given size, as SVG paths or as a picture.

North is up and both axes have the scale of the middle of the sheet on WGS-84, so that lengths measured on it are
true to far below 1 % over a district.
"""

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from geoapp.domain.values import Box

_WGS84_A = 6_378_137.0
_WGS84_E2 = 0.006_694_379_990_14


def metres_per_degree(lat: float) -> tuple[float, float]:
    """How long a degree of longitude and one of latitude are on the WGS-84 ellipsoid at a latitude."""
    phi = math.radians(lat)
    flat = 1 - _WGS84_E2 * math.sin(phi) ** 2
    parallel = _WGS84_A * math.cos(phi) / math.sqrt(flat)
    meridian = _WGS84_A * (1 - _WGS84_E2) / flat**1.5
    return parallel * math.pi / 180, meridian * math.pi / 180


@dataclass(frozen=True, slots=True)
class Paper:
    """A sheet of ``width`` × ``height`` that shows a box in full, north up. Lengths are in units of the drawing."""

    box: Box
    width: float
    height: float
    margin: float

    @property
    def per_metre(self) -> float:
        """How long a metre is."""
        east, north = self._degree
        wide = (self.box.east - self.box.west) * east
        high = (self.box.north - self.box.south) * north
        room = (self.width - 2 * self.margin, self.height - 2 * self.margin)
        return min(room[0] / max(wide, 1.0), room[1] / max(high, 1.0))

    def place(self, lon: float, lat: float) -> tuple[float, float]:
        """Where a place lies on the sheet, from its upper left corner."""
        middle = ((self.box.west + self.box.east) / 2, (self.box.south + self.box.north) / 2)
        east, north = self._degree
        x = (lon - middle[0]) * east * self.per_metre
        y = (lat - middle[1]) * north * self.per_metre
        return self.width / 2 + x, self.height / 2 - y

    @property
    def shown(self) -> Box:
        """All that the sheet shows: the box, and what lies around it up to the edges."""
        east, north = self._degree
        wide, high = self.width / 2 / east / self.per_metre, self.height / 2 / north / self.per_metre
        lon, lat = (self.box.west + self.box.east) / 2, (self.box.south + self.box.north) / 2
        return Box(lon - wide, lat - high, lon + wide, lat + high)

    def path(self, shape: dict[str, Any]) -> str:
        """The ``d`` of an SVG path of a GeoJSON area."""
        return " ".join(
            "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in (self.place(*point[:2]) for point in ring)) + "Z"
            for ring in rings(shape)
        )

    def scale(self) -> tuple[int, float]:
        """A round number of metres for a scale bar of at most a quarter of the width, and how long it is."""
        longest = self.width / 4 / self.per_metre
        ten = 10 ** math.floor(math.log10(longest))
        metres = max(step * ten for step in (1, 2, 5) if step * ten <= longest)
        return int(metres) or 1, metres * self.per_metre

    @property
    def _degree(self) -> tuple[float, float]:
        return metres_per_degree((self.box.south + self.box.north) / 2)


def rings(shape: dict[str, Any]) -> Iterator[list[list[float]]]:
    """All rings of a GeoJSON area; nothing of lines and points."""
    if shape["type"] == "Polygon":
        yield from shape["coordinates"]
    elif shape["type"] == "MultiPolygon":
        for polygon in shape["coordinates"]:
            yield from polygon
    elif shape["type"] == "GeometryCollection":
        for part in shape["geometries"]:
            yield from rings(part)


GROUND, LAND, LINE = "#e9e7df", "#f7f5ef", "#a59f92"
COLOURS = {"open": "#c8392b", "in_work": "#1f5f8b", "solved": "#3f7d4e", "dropped": "#77726a"}
MORE = 2
"""Drawn so many times larger and then made smaller, for smooth edges."""


def picture(paper: Paper, outlines: Iterable[dict[str, Any]], spot: tuple[float, float], group: str) -> bytes:
    """A PNG of the boundaries and one symbol, without any words. ``spot`` is longitude and latitude."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - only for previews

    sheet = Image.new("RGB", (int(paper.width) * MORE, int(paper.height) * MORE), GROUND)
    draw = ImageDraw.Draw(sheet)
    for shape in outlines:
        for ring in rings(shape):
            points = [(x * MORE, y * MORE) for x, y in (paper.place(*point[:2]) for point in ring)]
            if len(points) > 2:  # noqa: PLR2004
                draw.polygon(points, fill=LAND)
                draw.line([*points, points[0]], fill=LINE, width=3 * MORE, joint="curve")
    x, y = (part * MORE for part in paper.place(*spot))
    size = 34 * MORE
    colour = COLOURS[group]
    draw.ellipse((x - size * 1.5, y - size * 1.5, x + size * 1.5, y + size * 1.5), fill="#ffffff")
    if group == "in_work":
        draw.polygon([(x, y - size), (x + size, y), (x, y + size), (x - size, y)], fill=colour)
    elif group == "solved":
        draw.rounded_rectangle(
            (x - size * 0.8, y - size * 0.8, x + size * 0.8, y + size * 0.8), size * 0.3, fill=colour
        )
    elif group == "dropped":
        draw.ellipse((x - size * 0.8, y - size * 0.8, x + size * 0.8, y + size * 0.8), outline=colour, width=7 * MORE)
    else:
        draw.ellipse((x - size * 0.8, y - size * 0.8, x + size * 0.8, y + size * 0.8), fill=colour)
    out = io.BytesIO()
    sheet.resize((int(paper.width), int(paper.height)), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()
