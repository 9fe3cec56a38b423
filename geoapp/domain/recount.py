"""Counting everything anew: blocks of all zooms from changes that come in order of their cells.

A tile of any zoom is one span of cells, so of each zoom only the block of the last cell may still grow. All others
can be stored and forgotten: what is held does not grow with the number of issues.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from geoapp.domain import counts
from geoapp.domain.counts import ALL, ZOOMS, Array, Blocks


@dataclass(frozen=True, slots=True)
class Complete:
    """Blocks of a zoom into which nothing more can come, and the cells of those that are split."""

    zoom: int
    blocks: Blocks
    split: set[int]


@dataclass(slots=True)
class Recount:
    """What is known so far of the block of the last cell, of each zoom."""

    _growing: dict[int, Blocks] = field(default_factory=dict)

    def add(self, changes: Array, categories: list[str]) -> Iterator[Complete]:
        """Take more changes, at least one; their cells are in order and none lies before those that came already."""
        for zoom in ZOOMS:
            begun = self._growing.get(zoom, {})
            found = counts.blocks(changes, zoom)
            last = max(cell for cell, _ in found)
            # Nobody knows yet whether the last will be crowded, nor did of those that were begun before.
            split = counts.crowded(found) | {last} | {cell for cell, _ in begun}
            found |= counts.kinds(changes, zoom, categories, split)
            for key, entries in begun.items():
                found[key] = counts.added(entries, found[key]) if key in found else entries
            self._growing[zoom] = {key: entries for key, entries in found.items() if key[0] == last}
            yield _complete(zoom, {key: entries for key, entries in found.items() if key[0] != last})

    def end(self) -> Iterator[Complete]:
        """No more changes come."""
        for zoom, found in self._growing.items():
            yield _complete(zoom, found)


def _complete(zoom: int, found: Blocks) -> Complete:
    split = counts.crowded(found)
    return Complete(zoom, {key: entries for key, entries in found.items() if key[1] == ALL or key[0] in split}, split)
