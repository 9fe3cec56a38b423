"""Unclear land, overlaps and gaps: areas that can be reckoned by hand."""

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geoapp.domain.overlay import Claim, branches, gaps, overlaps, unclear_land
from geoapp.domain.values import VerdictClass

CONTESTED, ORPHAN = VerdictClass.CONTESTED, VerdictClass.ORPHAN
ELLIPSOID = Geod(ellps="WGS84")
PATHS = {
    "road": ("road",),
    "road.sidewalk": ("road", "road.sidewalk"),
    "road.path": ("road", "road.path"),
    "waste": ("waste",),
}
CELL = 0.001


def box(west, south, east, north):
    """A box counted in thousandths of a degree from 106.6 E, 29.0 N: about 97 m by 111 m each."""
    return shapely.box(106.6 + west * CELL, 29 + south * CELL, 106.6 + east * CELL, 29 + north * CELL)


def m2(shape):
    return abs(ELLIPSOID.geometry_area_perimeter(shape)[0])


def found(claims, study=None):
    land = unclear_land([Claim(*claim) for claim in claims], study or box(0, 0, 10, 10), PATHS)
    return {(one.verdict, one.units, one.categories): one for one in land}


def test_land_of_two_units_is_contested_and_land_of_none_is_orphan():
    land = found([(1, (), box(0, 0, 6, 10)), (2, (), box(4, 0, 8, 10))])

    assert set(land) == {(CONTESTED, (1, 2), ()), (ORPHAN, (), ())}
    assert land[CONTESTED, (1, 2), ()].area_m2 == pytest.approx(m2(box(4, 0, 6, 10)), rel=1e-9)
    assert land[ORPHAN, (), ()].area_m2 == pytest.approx(m2(box(8, 0, 10, 10)), rel=1e-9)


def test_two_jurisdictions_of_one_unit_do_not_contest_each_other():
    assert not found([(1, (), box(0, 0, 6, 10)), (1, (), box(4, 0, 10, 10))])


def test_categories_that_exclude_each_other_do_not_meet():
    land = found([(1, ("road",), box(0, 0, 10, 10)), (2, ("waste",), box(0, 0, 10, 10))])

    assert not land


def test_land_is_unclear_for_the_branches_for_which_it_is():
    land = found([
        (1, ("road",), box(0, 0, 10, 10)),
        (2, ("road.sidewalk",), box(0, 0, 5, 10)),
    ])  # fmt: skip

    assert set(land) == {(CONTESTED, (1, 2), ("road.sidewalk",)), (ORPHAN, (), ("waste",))}
    assert land[ORPHAN, (), ("waste",)].area_m2 == pytest.approx(m2(box(0, 0, 10, 10)), rel=1e-9)


def test_pieces_that_do_not_touch_are_told_apart():
    land = unclear_land(
        [Claim(1, (), box(0, 0, 10, 10)), Claim(2, (), box(1, 1, 2, 2)), Claim(2, (), box(5, 5, 7, 7))],
        box(0, 0, 10, 10),
        PATHS,
    )

    assert sorted(one.area_m2 for one in land) == pytest.approx([m2(box(1, 1, 2, 2)), m2(box(5, 5, 7, 7))], rel=1e-9)


def test_a_sliver_of_less_than_a_square_metre_is_nobodys_problem():
    assert not found([(1, (), box(0, 0, 5.0000005, 10)), (2, (), box(5, 0, 10, 10))])


def test_without_any_category_claims_for_all_still_meet():
    land = unclear_land([Claim(1, (), box(0, 0, 6, 10)), Claim(2, (), box(5, 0, 10, 10))], box(0, 0, 10, 10), {})

    assert [(one.verdict, one.units, one.categories) for one in land] == [(CONTESTED, (1, 2), ())]


def test_claims_outside_the_study_area_are_contested_but_never_orphan():
    land = found([(1, (), box(0, 0, 12, 10)), (2, (), box(10, 0, 13, 10))])

    assert set(land) == {(CONTESTED, (1, 2), ())}


@pytest.mark.parametrize(
    ("leaves", "said"),
    [
        ({"road.sidewalk", "road.path", "waste"}, ()),
        ({"road.sidewalk", "road.path"}, ("road",)),
        ({"road.path", "waste"}, ("road.path", "waste")),
        ({"road.path"}, ("road.path",)),
    ],
)
def test_branches_are_named_as_shortly_as_possible(leaves, said):
    assert branches(leaves, PATHS) == said


cells = st.integers(0, 9)


@given(st.lists(st.tuples(st.integers(1, 3), cells, cells, st.integers(1, 5), st.integers(1, 5)), max_size=6))
@settings(max_examples=40, deadline=None)
def test_every_cell_of_a_grid_is_judged_as_counting_says(drawn):
    claims = [Claim(unit, (), box(x, y, x + wide, y + high)) for unit, x, y, wide, high in drawn]
    study = box(0, 0, 10, 10)

    land = unclear_land(claims, study, PATHS)

    for x in range(10):
        for y in range(10):
            middle = shapely.box(*box(x, y, x + 1, y + 1).bounds).centroid
            units = {unit for unit, x0, y0, wide, high in drawn if x0 <= x < x0 + wide and y0 <= y < y0 + high}
            said = [(one.verdict, set(one.units)) for one in land if one.area.contains(middle)]
            expected = [(ORPHAN, set())] if not units else [(CONTESTED, units)] if len(units) > 1 else []
            assert said == expected


def test_overlaps_are_measured_largest_first_and_touching_is_no_overlap():
    areas = {"A": box(0, 0, 4, 4), "B": box(3, 0, 6, 4), "C": box(0, 3, 2, 6), "D": box(6, 0, 8, 4)}

    told = overlaps(areas)

    assert [(one.a, one.b) for one in told] == [("A", "B"), ("A", "C")]
    assert [one.m2 for one in told] == pytest.approx([m2(box(3, 0, 4, 4)), m2(box(0, 3, 2, 4))], abs=0.06)


def test_a_hole_between_areas_is_a_gap_with_its_neighbours():
    ring = {"W": box(0, 0, 1, 3), "E": box(2, 0, 3, 3), "S": box(1, 0, 2, 1), "N": box(1, 2, 2, 3)}

    (gap,) = gaps(ring)

    assert gap.m2 == pytest.approx(m2(box(1, 1, 2, 2)), rel=1e-4)
    assert gap.beside == ("E", "N", "S", "W")


def test_a_hole_in_one_area_is_a_gap_too():
    (gap,) = gaps({"A": box(0, 0, 9, 9).difference(box(4, 4, 5, 5))})

    assert (gap.beside, gap.m2) == (("A",), pytest.approx(m2(box(4, 4, 5, 5)), rel=1e-4))


def test_an_open_slit_between_neighbours_is_a_gap():
    (gap,) = gaps({"A": box(0, 0, 5, 30), "B": box(5.3, 0, 10, 30)})

    assert gap.beside == ("A", "B")
    assert gap.m2 == pytest.approx(m2(box(5, 0, 5.3, 30)), rel=0.02)


@pytest.mark.parametrize(
    "areas",
    [
        {"A": box(0, 0, 5, 5), "B": box(5, 0, 10, 5)},
        {"A": box(0, 0, 5, 5), "B": box(20, 0, 25, 5)},
        {"A": shapely.union(box(0, 0, 5, 1), box(0, 0, 1, 5))},
        {"only": box(0, 0, 5, 5)},
    ],
    ids=["side by side", "far apart", "an inward corner", "alone"],
)
def test_what_lies_open_to_the_outside_is_no_gap(areas):
    assert gaps(areas) == ()
