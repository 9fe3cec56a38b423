"""Comparing areas, repeats and returns, and whether it worked."""

import numpy as np
import pytest
from scipy import stats

from geoapp.domain.spatial import compare, effect, repeats

DAY = np.timedelta64(1, "D")
START = np.datetime64("2026-01-01", "s")
NEVER = np.datetime64("NaT")


def test_rates_have_the_exact_interval_of_a_count():
    found = compare.rates(np.array([0, 8, 20]), np.array([1_000.0, 1_000.0, 2_000.0]), per=1_000)

    assert found.rate.tolist() == [0, 8, 10]
    assert (found.low[1], found.high[1]) == pytest.approx(
        (stats.chi2.ppf(0.025, 16) / 2, stats.chi2.ppf(0.975, 18) / 2)
    )
    assert found.low[0] == 0
    assert found.overall == 7
    assert found.ratio == pytest.approx([0, 8 / 7, 10 / 7])


def test_where_the_denominator_is_not_known_nothing_is_guessed():
    found = compare.rates(np.array([5, 5]), np.array([np.nan, 100.0]))
    none = compare.rates(np.array([5, 0]), np.array([np.nan, 0.0]))
    empty = compare.rates(np.array([0, 0]), np.array([10.0, 10.0]))

    assert np.isnan(found.rate[0])
    assert np.isnan(found.shrunk[0])
    assert found.overall == 0.05
    assert np.isnan(none.overall)
    assert np.isnan(none.shrunk).all()
    assert np.isnan(empty.ratio).all()
    assert empty.shrunk.tolist() == [0, 0]


def test_shares_have_wilsons_interval():
    found = compare.shares(np.array([3, 0]), np.array([10, 0]))
    low, high = stats.binomtest(3, 10).proportion_ci(method="wilson")

    assert (found.low[0], found.high[0]) == pytest.approx((low, high))
    assert np.isnan(found.share[1])


def test_small_areas_are_drawn_to_the_rate_of_all_more_than_large_ones():
    found = compare.shrunk(np.array([4, 400, 100, 900]), np.array([10.0, 1_000.0, 1_000.0, 4_000.0]))
    overall = 1404 / 6010

    assert abs(found[0] - overall) < abs(found[1] - overall)


def test_places_are_numbered_by_their_first_issue_and_know_their_extent():
    xy = np.array([(500.0, 0.0), (0.0, 0.0), (20.0, 0.0), (40.0, 0.0), (10.0, 0.0)])
    found = repeats.places(xy, np.array([0, 0, 0, 0, 1]), within_m=25)

    assert found.place.tolist() == [0, 1, 1, 1, 2]
    assert found.count.tolist() == [1, 3, 1]
    assert found.extent_m.tolist() == [0, 40, 0]
    assert found.share_repeated == pytest.approx(0.4)


def test_nowhere_nothing_repeats():
    assert repeats.places(np.zeros((0, 2)), np.zeros(0, dtype=int), within_m=5).count.size == 0


@pytest.mark.parametrize(("count", "gini"), [([1, 1, 1], 0), ([0, 0, 0, 8], 0.75), ([], 0), ([0], 0)])
def test_concentration_goes_from_all_alike_to_all_in_one(count, gini):
    assert repeats.concentration(np.array(count, dtype=int)) == pytest.approx(gini)


def test_only_the_same_category_reported_nearby_after_closing_is_a_return():
    xy = np.array([(0.0, 0.0), (10.0, 0.0), (5.0, 0.0), (0.0, 5.0), (900.0, 0.0), (3.0, 0.0)])
    kind = np.array([0, 0, 1, 0, 0, 0])
    reported = START + np.array([0, 50, 40, 30, 60, 5]) * DAY
    closed = np.array([START + 20 * DAY, NEVER, NEVER, START + 35 * DAY, START + 70 * DAY, NEVER])
    found = repeats.returns(xy, kind, reported, closed, within_m=30, now=START + 100 * DAY)
    watched, returned = found.within(40)

    assert found.by.tolist() == [3, -1, -1, 1, -1, -1]
    assert found.days[[0, 3]].tolist() == [10, 15]
    assert watched.tolist() == [True, False, False, True, False, False]
    assert returned.tolist() == [True, False, False, True, False, False]


def test_a_clear_drop_beyond_the_controls_is_told_as_fewer():
    found = effect.effect(60, 12, np.array([50, 55, 48]), np.array([49, 57, 50]))

    assert (found.verdict, found.why) == ("fewer", "below_controls")
    assert found.high < 1
    assert found.expected == pytest.approx(60 * 156 / 153)


def test_a_clear_rise_is_told_as_more():
    assert effect.effect(20, 80, np.array([50, 50]), np.array([50, 51])).verdict == "more"


@pytest.mark.parametrize(
    ("cases", "controls", "days", "why"),
    [
        ((12, 9), (40, 41), (180, 180), "interval_holds_one"),
        ((3, 0), (40, 41), (180, 180), "too_few"),
        ((60, 0), (0, 0), (180, 180), "too_few"),
        ((60, 0), (40, 0), (180, 180), "too_few"),
        ((60, 0), (40, 41), (180, 0), "too_few"),
    ],
)
def test_it_is_said_plainly_when_the_data_cannot_tell(cases, controls, days, why):
    found = effect.effect(*cases, *(np.array([one]) for one in controls), days=days)

    assert (found.verdict, found.why) == ("cannot_tell", why)


def test_controls_that_scatter_widen_the_interval():
    calm = effect.effect(60, 30, np.array([50, 50, 50]), np.array([50, 50, 50]))
    wild = effect.effect(60, 30, np.array([50, 50, 50]), np.array([5, 120, 25]))

    assert calm.inflation == 1
    assert wild.inflation > 10
    assert wild.high - wild.low > calm.high - calm.low
    assert effect.effect(60, 30, np.array([50, 9]), np.array([0, 0])).inflation == 1


def test_controls_are_those_whose_course_before_was_most_alike():
    found = effect.matched(np.array([4, 9, 4]), np.array([[0, 0, 0], [4, 8, 4], [40, 90, 40], [3, 9, 5]]), count=2)

    assert found.tolist() == [1, 3]
