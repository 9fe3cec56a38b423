"""Where words go on a sheet: measured, broken into lines, kept within the frame and off each other."""

import math
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape

import shapely
from shapely.geometry.base import BaseGeometry

LEADING = 1.22
LONGEST = {True: 9, False: 22}
"""Characters of a line of Chinese, and of other writing."""
GRID = 9


@dataclass(frozen=True, slots=True)
class Rect:
    west: float
    north: float
    east: float
    south: float

    def meets(self, other: "Rect") -> bool:
        return (
            self.west < other.east and other.west < self.east and self.north < other.south and other.north < self.south
        )

    def within(self, other: "Rect") -> bool:
        return (
            other.west <= self.west and self.east <= other.east
            and other.north <= self.north and self.south <= other.south
        )  # fmt: skip


def around(x: float, y: float, reach: float) -> Rect:
    return Rect(x - reach, y - reach, x + reach, y + reach)


@dataclass(slots=True)
class Lettering:
    """A sheet that fills with words: what is taken stays taken. All lengths are in units of the drawing."""

    frame: Rect
    taken: list[Rect] = field(default_factory=list)

    def take(self, rect: Rect) -> None:
        self.taken.append(rect)

    def is_free(self, rect: Rect) -> bool:
        return rect.within(self.frame) and not any(rect.meets(other) for other in self.taken)

    def free_spot(self, x: float, y: float, reach: float, *, steps: Iterable[float]) -> tuple[float, float]:
        """The nearest place to (x, y) where something of this reach meets nothing, on rings; else the place itself."""
        for step in steps:
            for nth in range(16):
                angle = math.pi * (nth / 8 - 0.25)
                at = (x + step * math.cos(angle), y + step * math.sin(angle))
                if self.is_free(around(*at, reach)):
                    return at
        return x, y

    def name(self, area: BaseGeometry, words: str, *, size: float, colour: str, weight: int = 400) -> str:
        """An area's name near its middle as SVG, on a light ground; empty where there is no room for all of it."""
        lines = broken(words)
        half = max(width(line, size) for line in lines) / 2 + size * 0.2
        tall = size * LEADING * len(lines) + size * 0.1
        for x, y in spots(area):
            rect = Rect(x - half, y - tall / 2, x + half, y + tall / 2)
            if self.is_free(rect):
                self.take(rect)
                return lettered(lines, rect, size=size, colour=colour, weight=weight)
        return ""


def width(words: str, size: float) -> float:
    """How long words are at most: a Chinese character is as wide as high, others of our fonts are narrower."""
    return size * sum(1.0 if unicodedata.east_asian_width(one) in "WFA" else 0.57 for one in words)


def broken(words: str) -> list[str]:
    """Lines of a name: between words, or between any two characters of Chinese, evenly."""
    wide = any(unicodedata.east_asian_width(one) in "WF" for one in words)
    count = math.ceil(len(words) / LONGEST[wide])
    if count < 2:  # noqa: PLR2004
        return [words]
    if wide:
        step = math.ceil(len(words) / count)
        return [words[n : n + step] for n in range(0, len(words), step)]
    lines = [""]
    for word in words.split():
        if lines[-1] and len(lines[-1]) + len(word) >= LONGEST[False]:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def spots(area: BaseGeometry) -> Iterator[tuple[float, float]]:
    """Places within an area, the roomiest first and then from there outwards."""
    largest = max(shapely.get_parts(area), key=lambda part: part.area)
    middle = shapely.maximum_inscribed_circle(largest, tolerance=max(1.0, math.sqrt(largest.area) / 50)).coords[0]
    yield middle[0], middle[1]
    west, north, east, south = largest.bounds
    grid = [
        (west + (east - west) * (column + 0.5) / GRID, north + (south - north) * (row + 0.5) / GRID)
        for row in range(GRID)
        for column in range(GRID)
    ]
    inside = [at for at, held in zip(grid, shapely.contains_xy(largest, grid), strict=True) if held]
    yield from sorted(inside, key=lambda at: math.dist(at, middle))


def lettered(lines: list[str], rect: Rect, *, size: float, colour: str, weight: int = 400) -> str:
    """Lines of text that fill a rectangle, on a light ground that keeps them legible over lines and hatching."""
    x = (rect.west + rect.east) / 2
    ground = (
        f'<rect x="{rect.west:.1f}" y="{rect.north:.1f}" width="{rect.east - rect.west:.1f}" '
        f'height="{rect.south - rect.north:.1f}" rx="6" fill="#ffffff" fill-opacity="0.78"/>'
    )
    return ground + "".join(
        f'<text x="{x:.1f}" y="{rect.north + size * (1.0 + LEADING * nth):.1f}" font-size="{size}" '
        f'font-weight="{weight}" text-anchor="middle" fill="{colour}">{escape(line)}</text>'
        for nth, line in enumerate(lines)
    )
