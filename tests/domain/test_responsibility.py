import pytest

from geoapp.domain.responsibility import Fit, Hit, classify, judge, tolerance_m
from geoapp.domain.values import Name, VerdictClass


def hit(unit="a", *, inside=True, edge=100.0, area=1000.0, fit=Fit.ANY):
    return Hit(unit, Name(unit, unit), f"{unit}-1", Name("", ""), inside, edge, area, fit)


@pytest.mark.parametrize(
    ("inside", "near", "verdict"),
    [
        (0, 0, VerdictClass.ORPHAN),
        (0, 2, VerdictClass.ORPHAN),
        (1, 1, VerdictClass.CLEAR),
        (1, 2, VerdictClass.NEAR),
        (2, 2, VerdictClass.CONTESTED),
        (3, 4, VerdictClass.CONTESTED),
    ],
)
def test_the_class_follows_from_how_many_units_hold_the_place_and_how_many_are_near(inside, near, verdict):
    assert classify(inside, near) is verdict


def test_two_jurisdictions_of_one_unit_are_no_contest():
    found = judge([hit("a", area=10), hit("a", area=20)])

    assert found.verdict is VerdictClass.CLEAR
    assert [one.area_m2 for one in found.candidates] == [10]


def test_a_unit_nearby_comes_after_the_unit_that_holds_the_place():
    found = judge([hit("b", inside=False, edge=3.0, area=1), hit("a", area=9999)])

    assert found.verdict is VerdictClass.NEAR
    assert [one.unit for one in found.candidates] == ["a", "b"]


def test_the_closer_category_then_the_smaller_area_comes_first():
    found = judge([hit("wide", area=900), hit("small", area=10), hit("named", area=5000, fit=Fit.EXACT)])

    assert found.verdict is VerdictClass.CONTESTED
    assert [one.unit for one in found.candidates] == ["named", "small", "wide"]


def test_nearby_units_are_ordered_by_their_edge():
    found = judge([hit("far", inside=False, edge=20.0), hit("close", inside=False, edge=2.0)])

    assert found.verdict is VerdictClass.ORPHAN
    assert [one.unit for one in found.candidates] == ["close", "far"]


@pytest.mark.parametrize(("accuracy", "metres"), [(None, 25.0), (3.0, 25.0), (80.0, 80.0)])
def test_an_edge_matters_within_25_metres_or_the_points_own_accuracy(accuracy, metres):
    assert tolerance_m(accuracy) == metres
