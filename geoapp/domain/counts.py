"""The counts pyramid as arithmetic: where a cell lies, what a filter asks of it, and sums of entries.

A *cell* is a number of 52 bits, those of its column and row one beside the other (Morton order), so that every
tile of every zoom is one span of cells. A *block* holds the sums of one tile of zoom 6 to 16, of 4 × 4 cells
(8 × 8 from zoom 15 on), as entries in order of their key: month, cell within the block, state group. Places are
summed in whole millimetres of EPSG:3857, so that sums never drift and a mean place is exact.
"""

import math
from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoapp.domain.tiles import HALF_WORLD_M, Bounds, Tile
from geoapp.domain.values import Box, IssueFilter, IssueState, StateGroup, states_of

LEVEL = 26
FIRST, LAST = 6, 16
ZOOMS = range(FIRST, LAST + 1)
AREAS = (4, 8, 12)
"""Zooms of the areas that have a version of their own."""
NOWHERE = -1
"""In place of a cell: a change of an issue that no public map shows. It is in no block, and only makes versions."""
CROWDED = 1000
"""A block of more is split by month and category; of fewer the issues themselves are counted as quickly."""
ALL, MONTHLY = "*", ""
"""Kinds of a block: the sums of all, and the same by month; further kinds are codes of top categories."""
GROUPS = tuple(StateGroup)
SUMS = ("n", "contested", "orphan", "x", "y")
MM = 1000
MARGIN_M = 1.0
"""A tile so near to the side of a box is asked issue by issue: cell and coordinates of a place are rounded apart."""
_MASKS = (
    (16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F), (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)  # fmt: skip
_SMALLER = (*_MASKS[-2::-1], (32, 0xFFFFFFFF))
_NUMBERS: list[Any] = [("n", "<i4"), ("contested", "<i4"), ("orphan", "<i4"), ("x", "<i8"), ("y", "<i8")]

ENTRY = np.dtype([("key", "<u4"), *_NUMBERS])
CHANGE = np.dtype([("cell", "<i8"), ("category", "<i4"), ("month", "<i4"), ("group", "<i4"), *_NUMBERS])
"""Changes to be summed: ``category`` counts in a list of codes that goes with them."""
PART = np.dtype([("cell", "<i8"), ("group", "<i4"), *_NUMBERS])
"""Sums of a cell, by state group, as they come together from blocks, log and issues."""
Array = NDArray[Any]
Blocks = dict[tuple[int, str], Array]


@dataclass(frozen=True, slots=True)
class Question:
    """What of a filter the pyramid answers; ``edges`` are days of begun months, to be counted from the issues.

    ``groups`` None: all; ``months`` None: all, else first and last as ``month_of`` numbers them.
    """

    groups: frozenset[int] | None = None
    categories: tuple[str, ...] = ()
    months: tuple[int, int] | None = None
    edges: tuple[tuple[date, date], ...] = ()

    @property
    def is_plain(self) -> bool:
        """True when the sums of all will do."""
        return not self.categories and self.months is None

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.categories or (MONTHLY,)


@dataclass(frozen=True, slots=True)
class Heap:
    """The issues of one cell as a map draws them: their mean place in EPSG:3857, and how many of each kind."""

    cell: int
    n: int
    x: float
    y: float
    groups: tuple[int, ...]
    contested: int
    orphan: int


# --- where --------------------------------------------------------------------------------------


def morton(x: int, y: int) -> int:
    return _spread(x) | _spread(y) << 1


def cell_at(lon: float, lat: float) -> int:
    """The cell of a place, as the database computes it (``map_cell``)."""
    side = 1 << LEVEL
    x = math.floor((lon + 180) / 360 * side)
    y = math.floor((0.5 - math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)) / (2 * math.pi)) * side)
    return morton(max(0, min(side - 1, x)), max(0, min(side - 1, y)))


def between(one: int, other: int) -> list[int]:
    """The cells of the rectangle of which two are opposite corners, all of one zoom."""
    columns, rows = (sorted((_gathered(one >> by), _gathered(other >> by))) for by in (0, 1))
    return [morton(x, y) for y in range(rows[0], rows[1] + 1) for x in range(columns[0], columns[1] + 1)]


def around(cells: Iterable[int], zoom: int, least: Box) -> Box:
    """The box of ``least`` and these tiles of a zoom."""
    west, south, east, north = least.west, least.south, least.east, least.north
    for cell in cells:
        x, y = _gathered(cell), _gathered(cell >> 1)
        west, east = min(west, _lon(x, zoom)), max(east, _lon(x + 1, zoom))
        south, north = min(south, _lat(y + 1, zoom)), max(north, _lat(y, zoom))
    return Box(west, south, east, north)


def cover(bounds: Bounds) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """A box as the tiles (zoom, cell) that lie wholly in it, as large as may be, and spans of cells around its edge.

    Tiles are cut down to a sixty-fourth of the box, or to the last zoom of the pyramid.
    """
    side = max(bounds.east - bounds.west, bounds.north - bounds.south, 1.0)
    last = max(0, min(LAST, math.floor(math.log2(2 * HALF_WORLD_M / side * 64))))
    whole: list[tuple[int, int]] = []
    edge: list[tuple[int, int]] = []
    waiting = [Tile(0, 0, 0)]
    while waiting:
        tile = waiting.pop()
        side_of = tile.bounds
        if not _overlap(side_of, bounds, MARGIN_M):
            continue
        cell = morton(tile.x, tile.y)
        if _holds(bounds, side_of, MARGIN_M):
            whole.append((tile.z, cell))
        elif tile.z == last:
            edge.append(span(tile.z, cell))
        else:
            waiting += [Tile(tile.z + 1, 2 * tile.x + x, 2 * tile.y + y) for x in (0, 1) for y in (0, 1)]
    return whole, joined(edge)


def joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that do not touch each other, so that each issue lies in one."""
    found: list[tuple[int, int]] = []
    for first, behind in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], behind))
        else:
            found.append((first, behind))
    return found


def _overlap(one: Bounds, other: Bounds, margin: float) -> bool:
    across = one.west - margin < other.east and other.west - margin < one.east
    return across and one.south - margin < other.north and other.south - margin < one.north


def _holds(outer: Bounds, inner: Bounds, margin: float) -> bool:
    across = outer.west + margin <= inner.west and inner.east + margin <= outer.east
    return across and outer.south + margin <= inner.south and inner.north + margin <= outer.north


def _lon(x: int, zoom: int) -> float:
    return x / (1 << zoom) * 360 - 180


def _lat(y: int, zoom: int) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / (1 << zoom)))))


def span(zoom: int, cell: int) -> tuple[int, int]:
    """First cell of a tile, and the first behind it; at zoom ``LEVEL``."""
    return cell << _deeper(zoom), (cell + 1) << _deeper(zoom)


def depth(zoom: int) -> int:
    """How many zooms below its own a block of ``zoom`` has its cells."""
    return 2 if zoom < LAST - 1 else 3


def areas_of(zoom: int, cell: int) -> tuple[int, int, int]:
    """The areas that tell the version of a tile: their zoom, the first of them, and the first behind."""
    of = next((one for one in AREAS if one >= zoom), AREAS[-1])
    if of < zoom:
        area = cell >> 2 * (zoom - of)
        return of, area, area + 1
    return of, cell << 2 * (of - zoom), (cell + 1) << 2 * (of - zoom)


def month_of(day: date) -> int:
    return day.year * 12 + day.month - 1


# --- what is asked ------------------------------------------------------------------------------


def question(wanted: IssueFilter) -> Question | None:
    """What the pyramid is asked for a filter; None where it cannot tell: then the issues are counted.

    It knows state groups, top categories (the caller sees to it that they are) and months. It does not know single
    states, communities, units, verdicts, words, duties and boxes, nor a period without a whole month.
    """
    if wanted.communities or wanted.units or wanted.verdicts or wanted.words or wanted.box:
        return None
    if wanted.duties is not None:
        return None
    groups = _groups(wanted.states) if wanted.states else None
    if wanted.states and groups is None:
        return None
    categories = tuple(sorted(set(wanted.categories)))
    if wanted.since is None and wanted.until is None:
        return Question(groups, categories)
    period = _period(wanted.since, wanted.until)
    return None if period is None else Question(groups, categories, *period)


def _groups(states: Iterable[IssueState]) -> frozenset[int] | None:
    asked = set(states)
    found = frozenset(nth for nth, group in enumerate(GROUPS) if asked & set(states_of(group)))
    whole = {state for nth in found for state in states_of(GROUPS[nth])}
    return found if whole == asked else None


def _period(since: date | None, until: date | None) -> tuple[tuple[int, int], tuple[tuple[date, date], ...]] | None:
    """The whole months of a period, and the days before and after them."""
    first, last = 0, 12 * 10_000
    edges: list[tuple[date, date]] = []
    if since is not None:
        first = month_of(since)
        if since.day > 1:
            first += 1
            edges.append((since, _last_day(since)))
    if until is not None:
        last = month_of(until)
        if until != _last_day(until):
            last -= 1
            edges.append((until.replace(day=1), until))
    return None if first > last else ((first, last), tuple(edges))


def _last_day(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


# --- sums ---------------------------------------------------------------------------------------


def blocks(changes: Array, zoom: int) -> Blocks:
    """Entries of each block of a zoom."""
    return _by_block(changes, changes["cell"] >> _deeper(zoom), zoom, kind=ALL)


def kinds(changes: Array, zoom: int, categories: list[str], split: Iterable[int]) -> Blocks:
    """The further kinds of the blocks in ``split``: their entries by month, and those of each category."""
    of = changes["cell"] >> _deeper(zoom)
    held = np.isin(of, list(split))
    changes, of = changes[held], of[held]
    found = _by_block(changes, of, zoom, kind=MONTHLY)
    for nth, code in enumerate(categories):
        same = changes["category"] == nth
        found |= _by_block(changes[same], of[same], zoom, kind=code)
    return found


def crowded(found: Blocks) -> set[int]:
    """Cells of the blocks that are to be split."""
    return {cell for (cell, kind), entries in found.items() if kind == ALL and total(entries) > CROWDED}


def _by_block(changes: Array, of: Array, zoom: int, *, kind: str) -> Blocks:
    if not len(changes):
        return {}
    deep = depth(zoom)
    within = (changes["cell"] >> _deeper(zoom + deep)) & ((1 << 2 * deep) - 1)
    key = (within << 2) | changes["group"]
    if kind != ALL:
        key |= changes["month"].astype(np.int64) << 8
    order = np.lexsort((key, of))
    of, key = of[order], key[order]
    starts = np.flatnonzero(np.r_[True, (of[1:] != of[:-1]) | (key[1:] != key[:-1])])
    entries = np.empty(len(starts), ENTRY)
    entries["key"] = key[starts]
    for name in SUMS:
        entries[name] = np.add.reduceat(changes[name][order], starts)
    of = of[starts]
    borders = np.flatnonzero(np.r_[True, of[1:] != of[:-1]])
    return {(int(of[begin]), kind): some for begin, some in zip(borders, np.split(entries, borders[1:]), strict=True)}


def added(one: Array, other: Array) -> Array:
    """The entries of both, those of the same key in one; what comes to nothing is left out."""
    both = np.concatenate([one, other])
    both = both[np.argsort(both["key"], kind="stable")]
    if not len(both):
        return both
    starts = np.flatnonzero(np.r_[True, both["key"][1:] != both["key"][:-1]])
    found = both[starts]
    for name in SUMS:
        found[name] = np.add.reduceat(both[name], starts)
    return found[np.any([found[name] != 0 for name in SUMS], axis=0)]


def read(entries: bytes) -> Array:
    return np.frombuffer(entries, ENTRY)


def total(entries: Array) -> int:
    return int(entries["n"].sum())


def parts(entries: Array, zoom: int, cell: int, asked: Question, *, deep: int) -> Array:
    """What is asked of a block's entries, with cells of zoom ``deep``."""
    if asked.months is not None:
        first, last = np.searchsorted(entries["key"], [asked.months[0] << 8, (asked.months[1] + 1) << 8])
        entries = entries[first:last]
    found = np.empty(len(entries), PART)
    within = (entries["key"] >> 2) & 63
    found["cell"] = ((cell << 2 * depth(zoom)) | within.astype(np.int64)) >> 2 * (zoom + depth(zoom) - deep)
    found["group"] = entries["key"] & 3
    for name in SUMS:
        found[name] = entries[name]
    return of_groups(found, asked)


def of_groups(found: Array, asked: Question) -> Array:
    return found if asked.groups is None else found[np.isin(found["group"], list(asked.groups))]


def heaps(found: Array) -> list[Heap]:
    """Parts gathered into one heap for each cell, the largest first."""
    cells, where = np.unique(found["cell"], return_inverse=True)
    shape = (len(cells), len(GROUPS))
    by_group = np.zeros(shape, np.int64)
    np.add.at(by_group, (where, found["group"]), found["n"])
    sums = {name: np.zeros(len(cells), np.int64) for name in SUMS}
    for name, into in sums.items():
        np.add.at(into, where, found[name])
    told = (cells, by_group, *(sums[name] for name in ("n", "x", "y", "contested", "orphan")))
    made = [
        Heap(cell, n, x / n / MM, y / n / MM, tuple(groups), contested, orphan)
        for cell, groups, n, x, y, contested, orphan in zip(*(one.tolist() for one in told), strict=True) if n
    ]  # fmt: skip
    return sorted(made, key=lambda heap: (-heap.n, heap.cell))


def rows(found: Iterable[Iterable[Any]], kind: np.dtype[Any]) -> Array:
    """Rows of the database as an array of ``kind``."""
    return np.array([tuple(row) for row in found], dtype=kind)


def versions(cells: Array) -> Mapping[tuple[int, int], int]:
    """How many changes lie in each area: (zoom, cell) -> number."""
    found: dict[tuple[int, int], int] = {}
    for zoom in AREAS:
        areas, counts = np.unique(cells >> _deeper(zoom), return_counts=True)
        found |= {(zoom, int(area)): int(n) for area, n in zip(areas, counts, strict=True)}
    return found


def _deeper(zoom: int) -> int:
    """By how many bits a cell of ``zoom`` is shorter than one of ``LEVEL``."""
    return 2 * (LEVEL - zoom)


def _spread(v: int) -> int:
    for by, mask in _MASKS:
        v = (v | v << by) & mask
    return v


def _gathered(v: int) -> int:
    """Every second bit of a number: the inverse of ``_spread``."""
    v &= _MASKS[-1][1]
    for (by, _), (_, mask) in zip(_MASKS[::-1], _SMALLER, strict=True):
        v = (v | v >> by) & mask
    return v
