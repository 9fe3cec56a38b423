"""Shapes in units of a sheet as SVG paths: areas, lines, hatchings cut by an area, and the colours of units."""

import math
from collections.abc import Iterable

import shapely
from shapely.geometry.base import BaseGeometry

PX = 2.2
"""A pixel of a layer file's dashes in tenths of a millimetre: lines are finer on paper."""
WIDTH, SPREAD = 3.2, 1.8
DARKER = 0.62
TINTS = ("#4a7f9e", "#a5743f", "#5d8a52", "#9c5c7a", "#6c63ad", "#93802e", "#3c8578", "#a85f48")
"""As on screen, and dark enough for thin lines on paper."""
STEP = {"lines": 38.0, "diagonal": 24.0, "cross": 22.0, "dots": 24.0}
ANGLES = (15.0, 105.0, 75.0, 165.0, 0.0, 90.0)
"""Of the hatchings of units: none is that of contested land (45°)."""


def tint(number: int) -> str:
    return TINTS[number % len(TINTS)]


def on_paper(width: float, colour: str) -> tuple[float, str]:
    """A line of a layer file as it is printed: darker, and more apart from others by its width, as colour may go."""
    parts = [round(int(colour[n : n + 2], 16) * DARKER) for n in (1, 3, 5)]
    return WIDTH * width**SPREAD, f"#{parts[0]:02x}{parts[1]:02x}{parts[2]:02x}"


def path_of(area: BaseGeometry) -> str:
    """The ``d`` of everything of a geometry that has an area."""
    polygons = [part for part in parts_of(area) if isinstance(part, shapely.Polygon)]
    rings = [ring for part in polygons for ring in (part.exterior, *part.interiors)]
    return "".join(f"M{'L'.join(f'{x:.1f} {y:.1f}' for x, y in ring.coords[:-1])}Z" for ring in rings)


def line(geometry: BaseGeometry, *, colour: str, width: float, dash: str = "") -> str:
    """Everything of a geometry that has a length, as one stroked path; empty without any."""
    drawn = "".join(f"M{'L'.join(f'{x:.1f} {y:.1f}' for x, y in one.coords)}" for one in lines_of(geometry))
    if not drawn:
        return ""
    return (
        f'<path d="{drawn}" fill="none" stroke="{colour}" stroke-width="{width:.1f}" stroke-linejoin="round" '
        f'stroke-linecap="butt"{dash}/>'
    )


def lines_of(geometry: BaseGeometry) -> list[BaseGeometry]:
    found: list[BaseGeometry] = []
    for part in parts_of(geometry):
        if part.geom_type == "Polygon":
            found += lines_of(part.boundary)
        elif part.geom_type in {"LineString", "LinearRing"}:
            found.append(part)
    # What was cut at a ring's first point is one line again, so that dashes run through.
    merged = shapely.line_merge(shapely.multilinestrings(found)) if len(found) > 1 else None
    return list(shapely.get_parts(merged)) if merged is not None else found


def parts_of(geometry: BaseGeometry) -> list[BaseGeometry]:
    if geometry.is_empty:
        return []
    if not hasattr(geometry, "geoms"):
        return [geometry]
    return [single for part in geometry.geoms for single in parts_of(part)]


def hatching(area: BaseGeometry, kind: str, nth: int) -> str:
    """The ``d`` of a hatching cut by an area; ``nth`` turns the lines, so that neighbours differ without colour.

    Dots are lines of no length, to be stroked with round ends: a tenth of what circles would take in the file.
    """
    west, north, east, south = area.bounds
    step = STEP[kind]
    if kind == "dots":
        rows = range(math.floor(north / step), math.ceil(south / step) + 1)
        columns = range(math.floor(west / step), math.ceil(east / step) + 1)
        places = [(step * (column + row % 2 / 2), step * row) for row in rows for column in columns]
        held = shapely.contains_xy(area, places)
        return "".join(f"M{x:.1f} {y:.1f}h.1" for (x, y), inside in zip(places, held, strict=True) if inside)
    turns = {"lines": (ANGLES[nth % len(ANGLES)],), "diagonal": (45.0,), "cross": (45.0, 135.0)}[kind]
    cut = [shapely.intersection(shapely.multilinestrings(_ruled(area.bounds, step, turn)), area) for turn in turns]
    return "".join(
        f"M{one.coords[0][0]:.1f} {one.coords[0][1]:.1f}L{one.coords[-1][0]:.1f} {one.coords[-1][1]:.1f}"
        for drawn in cut
        for one in parts_of(drawn)
        if one.geom_type == "LineString"
    )


def _ruled(bounds: Iterable[float], step: float, degrees: float) -> list[list[tuple[float, float]]]:
    """Parallel lines over a box at an angle, at multiples of ``step`` from the sheet's corner."""
    west, north, east, south = bounds
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    corners = [(west, north), (east, north), (east, south), (west, south)]
    across = [-x * sin + y * cos for x, y in corners]
    along = [x * cos + y * sin for x, y in corners]
    ruled = []
    for nth in range(math.floor(min(across) / step), math.ceil(max(across) / step) + 1):
        off = nth * step
        ruled.append([(t * cos - off * sin, t * sin + off * cos) for t in (min(along), max(along))])
    return ruled


def hatched(area: BaseGeometry, kind: str, nth: int, *, colour: str, width: float) -> str:
    """A hatching as SVG."""
    ends = 'round" stroke-width="6.4' if kind == "dots" else f'butt" stroke-width="{width}'
    return f'<path d="{hatching(area, kind, nth)}" stroke="{colour}" fill="none" stroke-linecap="{ends}"/>'
