"""A small map on paper: geometry in degrees to a drawing of given size, as SVG paths or as a picture."""

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from geoapp.domain.values import Box

METRES_PER_DEGREE = 110_574.0


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
        wide = (self.box.east - self.box.west) * METRES_PER_DEGREE * self._squeeze
        high = (self.box.north - self.box.south) * METRES_PER_DEGREE
        room = (self.width - 2 * self.margin, self.height - 2 * self.margin)
        return min(room[0] / max(wide, 1.0), room[1] / max(high, 1.0))

    def place(self, lon: float, lat: float) -> tuple[float, float]:
        """Where a place lies on the sheet, from its upper left corner."""
        middle = ((self.box.west + self.box.east) / 2, (self.box.south + self.box.north) / 2)
        x = (lon - middle[0]) * METRES_PER_DEGREE * self._squeeze * self.per_metre
        y = (lat - middle[1]) * METRES_PER_DEGREE * self.per_metre
        return self.width / 2 + x, self.height / 2 - y

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
    def _squeeze(self) -> float:
        return math.cos(math.radians((self.box.south + self.box.north) / 2))


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
