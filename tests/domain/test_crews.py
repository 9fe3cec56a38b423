"""How far a crew's issues lie from where it starts equals what shapely measures, and nobody's are nobody's."""

import math

import numpy as np
import pytest
import shapely

from geoapp.domain import crews
from geoapp.domain.crews import Reach

NOWHERE = (math.nan, math.nan)


def a_town(n=400, units=5, seed=3):
    random = np.random.default_rng(seed)
    return random.uniform(0, 9_000, (n, 2)), random.integers(0, units, n), random.uniform(0, 9_000, (units, 2))


def test_metres_mean_and_median_are_those_of_shapely():
    xy, owner, bases = a_town()

    metres = crews.straight_m(xy, owner, bases)
    found = crews.reach(metres, owner, len(bases))

    told = shapely.distance(shapely.points(xy), shapely.points(bases)[owner])
    assert metres == pytest.approx(told, abs=1e-9)
    for one, row in enumerate(found):
        mine = told[owner == one]
        assert (row.n, row.known) == (len(mine), len(mine))
        assert (row.mean_m, row.median_m) == pytest.approx((mine.mean(), np.median(mine)))


def test_shared_out_each_goes_to_the_nearest_base_that_shapely_finds():
    xy, owner, bases = a_town()
    among = np.array([0, 2, 3])

    then = crews.nearest(xy, owner, bases, among)

    sharing = np.isin(owner, among)
    told = among[shapely.STRtree(shapely.points(bases[among])).nearest(shapely.points(xy))]
    assert (then[sharing] == told[sharing]).all()
    assert (then[~sharing] == owner[~sharing]).all()
    assert (crews.straight_m(xy, then, bases) <= crews.straight_m(xy, owner, bases)).all()


def test_of_equally_near_ones_the_present_unit_keeps_it():
    bases = np.array([[0.0, 0.0], [200.0, 0.0]])

    assert crews.nearest(np.array([[100.0, 50.0]]), np.array([1]), bases, np.array([0, 1])).tolist() == [1]


def test_without_a_base_there_is_no_distance_and_nothing_is_given_or_taken():
    xy, owner = np.array([[10.0, 0.0], [20.0, 0.0], [30.0, 0.0]]), np.array([0, 1, -1])
    bases = np.array([[0.0, 0.0], NOWHERE])

    metres = crews.straight_m(xy, owner, bases)

    assert metres[0] == 10
    assert np.isnan(metres[1:]).all()
    assert crews.nearest(xy, owner, bases, np.array([0, 1])).tolist() == owner.tolist()
    assert crews.nearest(xy, owner, bases, np.array([1])).tolist() == owner.tolist()
    empty = crews.reach(metres, owner, 2)[1]
    assert (empty.n, empty.known, math.isnan(empty.mean_m), math.isnan(empty.median_m)) == (1, 0, True, True)
    assert crews.reach(metres, owner, 1) == [Reach(1, 1, 10.0, 10.0)]
