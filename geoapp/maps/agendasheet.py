"""The map of an agenda on paper: boundaries and numbered pins, as parts of an SVG and as a picture for documents."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from geoapp.domain.values import Box
from geoapp.maps.paper import GROUND, LAND, LINE, MORE, Paper, rings

WIDTH, HEIGHT, MARGIN = 1000.0, 560.0, 44.0
DECIDED, OPEN = "#2f7d53", "#c8392b"
LETTER_PX = 13
LEAST_DEG = 0.004
"""A box smaller than this (about 400 m) is widened: one pin alone needs something around it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A numbered pin; ``decided`` says in which colour."""

    n: int
    lon: float
    lat: float
    decided: bool


def sheet_of(spots: Sequence[Spot], otherwise: Box) -> Paper:
    """A sheet that shows all pins, or ``otherwise`` where there are none."""
    if not spots:
        return Paper(otherwise, WIDTH, HEIGHT, MARGIN)
    west, east = min(one.lon for one in spots), max(one.lon for one in spots)
    south, north = min(one.lat for one in spots), max(one.lat for one in spots)
    more_x, more_y = max(0.0, LEAST_DEG - (east - west)) / 2, max(0.0, LEAST_DEG - (north - south)) / 2
    return Paper(Box(west - more_x, south - more_y, east + more_x, north + more_y), WIDTH, HEIGHT, MARGIN)


def seen(paper: Paper) -> Box:
    """All that the sheet shows, which is more than the box that it must."""
    corner = paper.place(paper.box.west, paper.box.south)
    other = paper.place(paper.box.east, paper.box.north)
    wide = (paper.box.east - paper.box.west) / max(other[0] - corner[0], 1e-9)
    high = (paper.box.north - paper.box.south) / max(corner[1] - other[1], 1e-9)
    return Box(
        paper.box.west - corner[0] * wide,
        paper.box.south - (paper.height - corner[1]) * high,
        paper.box.east + (paper.width - other[0]) * wide,
        paper.box.north + other[1] * high,
    )


def pins(paper: Paper, spots: Iterable[Spot]) -> list[dict[str, Any]]:
    """Where each pin is to be drawn, the first item last so that it lies on top."""
    found = []
    for one in spots:
        x, y = paper.place(one.lon, one.lat)
        found.append({"n": one.n, "x": round(x, 1), "y": round(y, 1), "colour": DECIDED if one.decided else OPEN})
    return found[::-1]


def labels(paper: Paper, named: Iterable[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Where the names of areas go: at a point of what the sheet shows of each, if that has room for a name."""
    frame = shapely.box(*(getattr(seen(paper), side) for side in ("west", "south", "east", "north")))
    found = []
    for name, drawn in named:
        part = shapely.make_valid(shapely.geometry.shape(drawn)).intersection(frame)
        if part.is_empty:
            continue
        west, south, east, north = part.bounds
        (left, low), (right, high) = paper.place(west, south), paper.place(east, north)
        if right - left > LETTER_PX * len(name) and low - high > LETTER_PX * 2:
            x, y = paper.place(*part.representative_point().coords[0])
            found.append({"name": name, "x": round(x, 1), "y": round(y, 1)})
    return found


def picture(paper: Paper, outlines: Iterable[dict[str, Any]], spots: Iterable[Spot]) -> bytes:
    """The same as a PNG, with a scale bar and north, for documents that hold no drawings."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 - only for documents

    sheet = Image.new("RGB", (int(paper.width) * MORE, int(paper.height) * MORE), GROUND)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=17 * MORE)
    for shape in outlines:
        for ring in rings(shape):
            points = [(x * MORE, y * MORE) for x, y in (paper.place(*point[:2]) for point in ring)]
            if len(points) > 2:  # noqa: PLR2004
                draw.polygon(points, fill=LAND)
                draw.line([*points, points[0]], fill=LINE, width=MORE, joint="curve")
    for pin in pins(paper, spots):
        x, y, size = pin["x"] * MORE, pin["y"] * MORE, 15 * MORE
        draw.ellipse((x - size - 4, y - size - 4, x + size + 4, y + size + 4), fill="#ffffff")
        draw.ellipse((x - size, y - size, x + size, y + size), fill=pin["colour"])
        draw.text((x, y), str(pin["n"]), fill="#ffffff", font=font, anchor="mm")
    metres, length = paper.scale()
    left, base = 30 * MORE, (paper.height - 30) * MORE
    draw.line([(left, base), (left + length * MORE, base)], fill="#20262b", width=2 * MORE)
    told = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres} m"  # noqa: PLR2004
    draw.text((left, base - 6 * MORE), told, fill="#20262b", font=font, anchor="ls")
    top = (paper.width - 40) * MORE
    draw.polygon([(top, 24 * MORE), (top + 8 * MORE, 48 * MORE), (top - 8 * MORE, 48 * MORE)], fill="#20262b")
    draw.text((top, 52 * MORE), "N", fill="#20262b", font=font, anchor="mt")
    out = io.BytesIO()
    sheet.save(out, "PNG", optimize=True)
    return out.getvalue()
