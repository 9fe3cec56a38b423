"""A box as tiles: those within it and those at its edge hold each of its places once."""

import random

import pytest

from geoapp.domain import counts
from geoapp.domain.tiles import box_bounds
from geoapp.domain.values import Box

BOXES = [
    Box(106.0, 28.3, 107.4, 29.3),
    Box(106.6501, 29.0301, 106.6502, 29.0302),
    Box(106.875, 28.9, 107.0, 29.2),
    Box(-180, -85, 180, 85),
    Box(106.5, 29.0, 106.5, 29.0),
]


@pytest.mark.parametrize("box", BOXES)
def test_each_place_of_a_box_lies_in_one_tile_within_or_in_one_span_of_its_edge(box):
    whole, edge = counts.cover(box_bounds(box))
    spans = [*(counts.span(zoom, cell) for zoom, cell in whole), *edge]
    chance = random.Random(5)  # noqa: S311 - chance that can be had again
    for _ in range(300):
        cell = counts.cell_at(chance.uniform(box.west, box.east), chance.uniform(box.south, box.north))
        assert sum(first <= cell < behind for first, behind in spans) == 1


def test_no_place_beside_a_box_lies_in_a_tile_within_it():
    box = BOXES[0]
    whole, edge = counts.cover(box_bounds(box))
    spans = [counts.span(zoom, cell) for zoom, cell in whole]
    beside = [(105.999, 29.0), (107.401, 29.0), (106.5, 28.299), (106.5, 29.301)]

    assert not [at for at in beside for first, behind in spans if first <= counts.cell_at(*at) < behind]
    assert len(whole) < 400
    assert len(edge) < 400


def test_a_box_smaller_than_a_tile_has_only_an_edge():
    assert counts.cover(box_bounds(BOXES[1]))[0] == []


def test_spans_that_touch_are_one():
    assert counts.joined([(8, 12), (0, 4), (4, 6), (10, 11)]) == [(0, 6), (8, 12)]
