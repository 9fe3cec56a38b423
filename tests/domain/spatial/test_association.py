import numpy as np
import pytest
import shapely

from geoapp.domain.spatial import association

BOXES = np.array([shapely.box(x, y, x + 100, y + 100) for y in range(0, 1_000, 100) for x in range(0, 1_000, 100)])
WEIGHTS = association.row_standardised(association.contiguity(BOXES))


def test_areas_touch_at_edges_and_corners_and_over_slits_of_a_metre():
    near = association.contiguity(BOXES).toarray()
    slit = association.contiguity(
        np.array([shapely.box(0, 0, 1, 1), shapely.box(1.5, 0, 3, 1), shapely.box(9, 0, 10, 1)]), itself=True
    )

    assert (near[0].sum(), near[55].sum(), np.trace(near)) == (3, 8, 0)
    assert slit.toarray().tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_a_lattice_joins_only_cells_of_the_area():
    inside = np.ones((3, 3), dtype=bool)
    inside[1, 1] = False
    near = association.lattice(inside, np.ones((3, 3), dtype=bool)).toarray()

    assert near.shape == (8, 8)
    assert (near.sum(), np.trace(near), near[0].sum()) == (24, 0, 2)


def test_a_slope_is_alike_and_a_chessboard_unlike():
    slope, board = np.repeat(np.arange(10.0), 10), (np.indices((10, 10)).sum(axis=0) % 2).ravel().astype(float)
    rook = association.row_standardised(
        association.lattice(np.ones((10, 10), dtype=bool), np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=bool))
    )
    alike, unlike = association.moran(slope, rook), association.moran(board, rook)

    assert alike.i > 0.8
    assert unlike.i == pytest.approx(-1)
    assert max(alike.p, unlike.p, alike.p_permuted, unlike.p_permuted) < 0.01
    assert alike == association.moran(slope, rook)


def test_the_quadrants_are_told_apart():
    values = np.zeros(100)
    values[[0, 1, 10, 11]], values[99] = 10, 12
    values[[89, 98]] = -1
    found = association.local_moran(values, WEIGHTS, permutations=199)

    assert found.quadrant[[0, 99, 55]].tolist() == [1, 4, 3]
    assert found.quadrant[2] == 2
    assert found.p[0] < 0.05


def test_an_area_without_neighbours_has_no_local_p():
    lonely = np.append(BOXES, shapely.box(9_000, 0, 9_100, 100))
    weights = association.row_standardised(association.contiguity(lonely))

    assert association.local_moran(np.arange(101.0), weights, permutations=19).p[-1] == 1


@pytest.mark.parametrize("measure", [association.moran, association.local_moran])
def test_values_that_are_all_the_same_are_refused(measure):
    with pytest.raises(ValueError, match="same"):
        measure(np.ones(100), WEIGHTS)


def test_categories_that_come_in_pairs_keep_company():
    random = np.random.default_rng(1)
    at = random.uniform(0, 10_000, (150, 2))
    xy = np.concatenate([at, at + 5, random.uniform(0, 10_000, (150, 2))])
    kind = np.repeat([0, 1, 2], 150)
    found = association.colocation(xy, kind, 3)

    assert found.quotient[0, 1] > 2
    assert found.p[0, 1] < 0.02
    assert found.quotient[0, 2] < 0.5
    assert found.count.tolist() == [150, 150, 150]


def test_equally_near_neighbours_share_the_vote():
    xy = np.array([(0.0, 0.0), (1.0, 0.0), (-1.0, 0.0), (0.0, 9.0)])
    index, weight = association._nearest(xy)

    assert sorted(index[0][weight[0] > 0].tolist()) == [1, 2]
    assert weight[0].max() == 0.5


def test_draws_never_repeat_within_a_draw():
    random = np.random.default_rng(1)

    for population, size in ((5, 4), (200, 9)):
        drawn = association._draw(random, population, size, 300)
        assert (np.diff(np.sort(drawn, axis=1), axis=1) > 0).all()
