"""Issues counted as they come, portion by portion, make the same blocks as all of them at once."""

import numpy as np
import pytest

from geoapp.domain import counts
from geoapp.domain.counts import CHANGE, ZOOMS
from geoapp.domain.recount import Recount

CATEGORIES = ["a", "b"]


def some_changes(seed, number):
    """Issues in order of their cells: in two towns, around the meeting point of four tiles of zoom 6, and scattered."""
    chance = np.random.default_rng(seed)
    rows = np.zeros(number, CHANGE)
    towns = [counts.cell_at(*place) for place in ((106.65, 29.02), (106.93, 28.96), (-118.2, 34.1))]
    crossing = counts.span(6, counts.morton(40, 20))[0]
    near = chance.choice([*towns, crossing, crossing - (1 << 20)], number) + chance.integers(
        -(1 << 22), 1 << 22, number
    )
    far = chance.integers(0, 1 << 2 * counts.LEVEL, number)
    shift = 2 * (counts.LEVEL - counts.LAST - counts.depth(counts.LAST))
    rows["cell"] = np.sort(np.where(chance.random(number) < 0.9, near, far) >> shift << shift)
    for name, most in (("category", 2), ("month", 5), ("group", 4), ("contested", 2), ("orphan", 2)):
        rows[name] = chance.integers(0, most, number)
    rows["n"], rows["x"], rows["y"] = 1, chance.integers(-9, 9, number), chance.integers(-9, 9, number)
    return rows


def at_once(changes):
    found = {}
    for zoom in ZOOMS:
        blocks = counts.blocks(changes, zoom)
        split = counts.crowded(blocks)
        blocks |= counts.kinds(changes, zoom, CATEGORIES, split)
        found |= {(zoom, *key): (entries.tobytes(), key[0] in split) for key, entries in blocks.items()}
    return found


def by_and_by(portions):
    recount = Recount()
    complete = [done for portion in portions for done in recount.add(portion, CATEGORIES)] + list(recount.end())
    told = [
        ((done.zoom, *key), (entries.tobytes(), key[0] in done.split))
        for done in complete for key, entries in done.blocks.items()
    ]  # fmt: skip
    assert len(told) == len(dict(told))
    return dict(told)


@pytest.mark.parametrize("crowded", [5, 60, 1000])
def test_portions_cut_anywhere_make_the_blocks_of_all_at_once(crowded, monkeypatch):
    monkeypatch.setattr(counts, "CROWDED", crowded)
    changes = some_changes(crowded, 2000)
    cuts = np.unique(np.random.default_rng(2).integers(1, len(changes), 40))

    assert by_and_by(np.split(changes, cuts)) == at_once(changes)


def test_portions_that_end_with_a_tile_or_just_before_make_the_same_blocks(monkeypatch):
    monkeypatch.setattr(counts, "CROWDED", 20)
    changes = some_changes(1, 300)
    whole = at_once(changes)
    for zoom in (6, 9, 12, 16):
        borders = np.flatnonzero(np.diff(changes["cell"] >> 2 * (counts.LEVEL - zoom))) + 1
        for cuts in (borders, np.setdiff1d(borders - 1, [0]), np.setdiff1d(borders + 1, [len(changes)])):
            assert by_and_by(np.split(changes, cuts)) == whole


def test_each_change_alone_makes_the_same_blocks(monkeypatch):
    monkeypatch.setattr(counts, "CROWDED", 3)
    changes = some_changes(4, 60)

    assert by_and_by(np.split(changes, len(changes))) == at_once(changes)


def test_nothing_makes_no_block():
    assert by_and_by([]) == {}


def test_what_waits_for_more_is_one_block_of_each_zoom():
    recount = Recount()
    for portion in np.split(some_changes(3, 5000), 100):
        list(recount.add(portion, CATEGORIES))

    assert [(done.zoom, len({cell for cell, _ in done.blocks})) for done in recount.end()] == [(z, 1) for z in ZOOMS]
