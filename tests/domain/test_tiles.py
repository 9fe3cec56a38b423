import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoapp.domain.tiles import HALF_WORLD_M, MAX_ZOOM, Tile, box_bounds, mercator
from geoapp.domain.values import Box


@pytest.mark.parametrize(
    ("tile", "exists"),
    [
        (Tile(0, 0, 0), True),
        (Tile(3, 7, 7), True),
        (Tile(3, 8, 0), False),
        (Tile(3, 0, -1), False),
        (Tile(MAX_ZOOM + 1, 0, 0), False),
        (Tile(-1, 0, 0), False),
    ],
)
def test_a_tile_exists_only_inside_its_zoom(tile, exists):
    assert tile.exists is exists


@given(st.integers(1, MAX_ZOOM), st.data())
def test_neighbours_share_the_very_same_side(zoom, data):
    x = data.draw(st.integers(0, (1 << zoom) - 2))
    y = data.draw(st.integers(0, (1 << zoom) - 2))

    here, east, south = Tile(zoom, x, y).bounds, Tile(zoom, x + 1, y).bounds, Tile(zoom, x, y + 1).bounds

    assert here.east == east.west
    assert here.south == south.north


def test_the_first_tile_is_the_whole_square():
    bounds = Tile(0, 0, 0).bounds

    assert (bounds.west, bounds.south) == (-HALF_WORLD_M, -HALF_WORLD_M)
    assert (bounds.east, bounds.north) == (HALF_WORLD_M, HALF_WORLD_M)


def test_mercator_agrees_with_the_published_example_of_the_projection():
    # EPSG Guidance Note 7-2, Popular Visualisation Pseudo-Mercator: 24°22'54.433"N, 100°20'0.000"W.
    x, y = mercator(-(100 + 20 / 60), 24 + 22 / 60 + 54.433 / 3600)

    assert x == pytest.approx(-11169055.58, abs=0.01)
    assert y == pytest.approx(2800000.00, abs=0.01)


def test_a_box_of_degrees_has_its_corners_in_metres():
    bounds = box_bounds(Box(106.0, 28.0, 107.0, 29.0))

    assert (bounds.west, bounds.south) == mercator(106.0, 28.0)
    assert (bounds.east, bounds.north) == mercator(107.0, 29.0)
