import numpy as np
import pytest
import shapely

from geoapp.domain.spatial import grid
from geoapp.domain.spatial.grid import Shape

XY = np.random.default_rng(3).uniform(-5_000, 9_000, (2_000, 2))
EACH = pytest.mark.parametrize("shape", list(Shape))


@EACH
def test_every_point_lies_in_the_outline_of_its_cell(shape):
    net = grid.over((-5_000, -5_000, 9_000, 9_000), 730, shape)
    cells = grid.cells_of(XY, net)

    assert (cells >= 0).all()
    assert shapely.distance(grid.outlines(net, cells), shapely.points(XY)).max() < 1e-6
    assert grid.counts(cells, net).sum() == len(XY)


@EACH
def test_the_same_place_lies_in_the_same_cell_whatever_the_bounds(shape):
    small, large = grid.over((0, 0, 4_000, 4_000), 500, shape), grid.over((-5_000, -5_000, 9_000, 9_000), 500, shape)
    inside = XY[((XY > 0) & (XY < 4_000)).all(axis=1)]

    ours, theirs = (grid.centres(net)[grid.cells_of(inside, net)] for net in (small, large))

    assert ours == pytest.approx(theirs)


@EACH
def test_points_beyond_the_grid_are_in_no_cell_and_not_counted(shape):
    net = grid.over((0, 0, 999, 999), 500, shape)
    cells = grid.cells_of(np.array([(1e6, 0.0), (0.0, -1e6), (100.0, 100.0)]), net)

    assert (cells >= 0).tolist() == [False, False, True]
    assert grid.counts(cells, net).sum() == 1


@EACH
def test_cells_fill_the_plane_and_have_the_stated_area(shape):
    net = grid.over((0, 0, 3_000, 3_000), 500, shape)
    outlines = grid.outlines(net, np.arange(net.size))

    assert shapely.area(outlines) == pytest.approx(net.cell_m2)
    assert shapely.area(shapely.union_all(outlines)) == pytest.approx(net.size * net.cell_m2)


@EACH
def test_shares_of_the_study_area_add_up_to_it(shape):
    area = shapely.Polygon(
        [(100, 100), (3_900, 700), (2_000, 3_900)], [[(1_500, 1_500), (1_700, 1_500), (1_600, 1_700)]]
    )
    net = grid.over(tuple(area.bounds), 300, shape)

    assert grid.shares(net, area).sum() * net.cell_m2 == pytest.approx(area.area)


@pytest.mark.parametrize(
    ("shape", "reach", "cells"),
    [(Shape.SQUARE, None, 9), (Shape.HEXAGON, None, 7), (Shape.SQUARE, 100, 5), (Shape.SQUARE, 200, 13),
     (Shape.HEXAGON, 200, 19), (Shape.SQUARE, 10, 1)],
)  # fmt: skip
def test_a_neighbourhood_holds_the_cells_within_reach(shape, reach, cells):
    assert grid.ring(grid.over((0, 0, 1, 1), 100, shape), reach).sum() == cells


@EACH
def test_sums_around_a_cell_are_those_of_all_cells_within_reach(shape):
    net = grid.over((0, 0, 2_000, 2_000), 200, shape)
    counts = grid.counts(grid.cells_of(XY, net), net)
    at = grid.centres(net)
    near = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1)) <= 450

    assert grid.around(counts, grid.ring(net, 450)).ravel().tolist() == (near @ counts.ravel()).tolist()


def test_a_cube_counts_by_slice_and_leaves_out_what_lies_outside_of_place_or_time():
    net = grid.over((0, 0, 99, 99), 100)
    found = grid.cube(np.array([0, 0, 0, -1, 0]), np.array([0, 1, 1, 0, 7]), net, 2)

    assert found.ravel().tolist() == [1, 2]


@pytest.mark.parametrize("bounds", [(0, 0, 1e9, 1e9), (0, 0, np.inf, 1)])
def test_a_grid_that_cannot_be_is_refused(bounds):
    with pytest.raises(ValueError, match="m"):
        grid.over(bounds, 10)


def test_a_cell_is_suggested_of_twice_the_area_per_point_but_not_finer_than_places_are_known():
    assert grid.suggest_cell(3_000, 2_750e6).metres == 1_500
    assert grid.suggest_cell(3_000, 2_750e6).params == {"n": 3_000, "km2": 2750.0, "metres": 1354}
    assert grid.suggest_cell(10**9, 1e6, accuracy_m=120).metres == 250
    assert grid.suggest_cell(0, 0).metres == 50
