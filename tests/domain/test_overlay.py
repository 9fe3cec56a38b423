"""Unclear land, overlaps and gaps: areas that can be reckoned by hand."""

from itertools import combinations

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
    polygons = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return sum(ELLIPSOID.geometry_area_perimeter(shapely.orient_polygons(polygon))[0] for polygon in polygons)


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


def test_the_whole_tree_is_one_branch_only_where_it_has_one_root():
    nested = {"road": ("road",), "road.a": ("road", "road.a"), "road.a.b": ("road", "road.a", "road.a.b")}

    assert branches({"road.a.b"}, nested) == ()
    assert branches({"road.a.b"}, nested | {"waste": ("waste",)}) == ("road",)


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


corner = st.tuples(st.floats(-2, 12), st.floats(-2, 12))
triangle = (
    st.tuples(corner, corner, corner)
    .map(lambda corners: shapely.Polygon([(106.6 + x * CELL, 29 + y * CELL) for x, y in corners]))
    .filter(lambda shape: shape.is_valid and shape.area > CELL**2 / 100)
)


@given(st.lists(st.tuples(st.integers(1, 3), triangle), max_size=5))
@settings(max_examples=40, deadline=None)
def test_contested_orphan_and_clear_land_fill_the_study_area(drawn):
    study = box(0, 0, 10, 10)
    by_unit = [shapely.union_all([shape for owner, shape in drawn if owner == unit]) for unit in (1, 2, 3)]
    twice = shapely.union_all([a & b for a, b in combinations(by_unit, 2)])
    once = shapely.union_all(by_unit)

    land = unclear_land([Claim(unit, (), shape) for unit, shape in drawn], study, PATHS)

    for verdict, expected in ((CONTESTED, twice), (ORPHAN, study - once)):
        # In cells of the plane: cutting a long side in two moves it a little on the ellipsoid, but not here.
        found_cells = sum(one.area.area for one in land if one.verdict is verdict) / CELL**2
        # Pieces under a square metre, a ten-thousandth of a cell, are left out: there may be a few.
        assert found_cells == pytest.approx(expected.area / CELL**2, abs=0.002)


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


def test_overlaps_and_gaps_of_less_than_a_square_metre_are_noise():
    assert overlaps({"A": box(0, 0, 5.000005, 1), "B": box(5, 0, 10, 1)}) == ()
    assert gaps({"A": box(0, 0, 9, 9).difference(box(4, 4, 4.01, 4.005)), "B": box(9.000005, 0, 12, 1)}) == ()


def test_land_of_more_than_a_square_metre_is_told_wherever_it_lies():
    strip = box(5, 0, 5.00014, 1)
    left, right = box(0, 0, 5.00014, 1), box(5, 0, 10, 1)

    assert 1.4 < m2(strip) < 1.6
    assert [one.units for one in unclear_land([Claim(1, (), left), Claim(2, (), right)], left | right, {})] == [(1, 2)]
    assert len(overlaps({"left": left, "right": right})) == 1
    assert len(gaps({"holed": box(0, -5, 10, 5) - strip})) == 1


def test_an_overlap_is_told_once_even_where_areas_also_touch_along_a_bent_border():
    left = box(0, 0, 4, 4) | box(0, 4, 6, 8)
    right = box(4, 0, 9, 4) | box(5, 4, 9, 8)

    (overlap,) = overlaps({"left": left, "right": right})

    assert (overlap.a, overlap.b) == ("left", "right")
    assert overlap.m2 == pytest.approx(m2(box(5, 4, 6, 8)), abs=0.06)


def test_an_island_in_a_hole_is_no_part_of_the_gap():
    around = box(0, 0, 9, 9).difference(box(3, 3, 6, 6))

    (gap,) = gaps({"around": around, "island": box(4, 4, 5, 5)})

    assert gap.beside == ("around", "island")
    assert gap.m2 == pytest.approx(m2(box(3, 3, 6, 6)) - m2(box(4, 4, 5, 5)), rel=1e-4)


def test_gaps_come_largest_first():
    holed = box(0, 0, 30, 30).difference(shapely.union(box(2, 2, 3, 3), box(10, 10, 12, 12)))

    assert [gap.m2 for gap in gaps({"A": holed})] == pytest.approx(
        [m2(box(10, 10, 12, 12)), m2(box(2, 2, 3, 3))], rel=1e-4
    )


@pytest.mark.parametrize("measure", [overlaps, gaps])
def test_a_file_without_any_good_area_has_neither_overlaps_nor_gaps(measure):
    assert measure({}) == ()


def test_a_hole_in_one_area_is_a_gap_too():
    (gap,) = gaps({"A": box(0, 0, 9, 9).difference(box(4, 4, 5, 5))})

    assert (gap.beside, gap.m2) == (("A",), pytest.approx(m2(box(4, 4, 5, 5)), rel=1e-4))


@pytest.mark.parametrize("cells_wide", [0.3, 1.9], ids=["a lane of 29 m", "a street of 185 m"])
def test_an_open_slit_between_neighbours_is_a_gap(cells_wide):
    (gap,) = gaps({"A": box(0, 0, 5, 30), "B": box(5 + cells_wide, 0, 10, 30)})

    assert gap.beside == ("A", "B")
    # Its two mouths are not straight: half a circle of the slit's width may be missing at each.
    assert gap.m2 == pytest.approx(m2(box(5, 0, 5 + cells_wide, 30)), rel=0.06)


@pytest.mark.parametrize(
    "areas",
    [
        {"A": box(0, 0, 5, 5), "B": box(5, 0, 10, 5)},
        {"A": box(0, 0, 5, 5), "B": box(20, 0, 25, 5)},
        {"A": box(0, 0, 5, 30), "B": box(7.2, 0, 10, 30)},
        {"A": shapely.union(box(0, 0, 5, 1), box(0, 0, 1, 5))},
        {"A": box(0, 0, 5, 1), "B": box(0, 1, 1, 5)},
        {"A": box(0, 0, 9, 9) - box(8.7, 4, 9, 5)},
        {"only": box(0, 0, 5, 5)},
    ],
    ids=["side by side", "far apart", "a square of 214 m", "a corner of one", "a corner of two", "a notch", "alone"],
)
def test_what_lies_open_to_the_outside_is_no_gap(areas):
    assert gaps(areas) == ()
