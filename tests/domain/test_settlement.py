import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoapp.domain.geometry import geodesic_area_m2
from geoapp.domain.settlement import Award, Claim, cut_back
from geoapp.domain.values import Name

PATHS = {
    "road": ("road",),
    "road.path": ("road", "road.path"),
    "road.sidewalk": ("road", "road.sidewalk"),
    "waste": ("waste",),
}
LEFT, RIGHT, BOTH = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(0, 0, 2, 1)


def a_claim(*categories, unit="U1", area=BOTH) -> Claim:
    return Claim("J1", unit, Name("", "one"), categories, area, "a contract", "a file", synthetic=True)


def after(claim, *categories, area=LEFT):
    return cut_back([claim], Award("U2", categories, area), PATHS)


def test_a_claim_on_what_is_settled_loses_the_settled_land():
    (cut,) = after(a_claim("road"), "road")

    (left,) = cut.become
    assert (left.code, left.categories, left.evidence, left.synthetic) == ("J1", ("road",), "a contract", True)
    assert left.area.equals(RIGHT)


def test_a_claim_that_lies_within_the_settled_land_ends():
    (cut,) = after(a_claim("road", area=shapely.box(0.2, 0.2, 0.8, 0.8)), "road")

    assert cut.become == ()


@pytest.mark.parametrize(
    "claim",
    [
        a_claim("road", unit="U2"),
        a_claim("waste"),
        a_claim("road", area=RIGHT),
        a_claim("road", area=shapely.box(5, 5, 6, 6)),
    ],
    ids=["its own", "other categories", "beside it", "far away"],
)
def test_what_is_not_settled_stays(claim):
    assert after(claim, "road") == []


def test_a_claim_on_more_categories_is_split_and_keeps_the_others_whole():
    (cut,) = after(a_claim(), "road.path")

    kept, left = cut.become
    assert (kept.code, kept.categories) == ("J1", ("road.sidewalk", "waste"))
    assert kept.area.equals(BOTH)
    assert (left.code, left.categories) == ("J1~U2", ("road.path",))
    assert left.area.equals(RIGHT)


def test_a_claim_on_more_categories_within_the_settled_land_keeps_only_the_others():
    (cut,) = after(a_claim("road", area=LEFT), "road.path")

    assert [(claim.code, claim.categories) for claim in cut.become] == [("J1", ("road.sidewalk",))]


def test_settling_every_category_takes_all_of_a_claim():
    (cut,) = after(a_claim("road", "waste"))

    assert [(claim.code, claim.categories) for claim in cut.become] == [("J1", ("road", "waste"))]


def test_a_sliver_that_remains_is_nobodys_land():
    (cut,) = after(a_claim("road", area=shapely.box(0.5, 0.5, 1 + 1e-10, 0.6)), "road")

    assert cut.become == ()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1.5), st.floats(0, 0.5), st.floats(0.1, 0.5)), min_size=1, max_size=5))
def test_after_a_settlement_nobody_else_holds_the_land_and_nothing_beside_it_is_lost(boxes):
    claims = [
        Claim(f"J{n}", "U1", Name("", ""), ("road",), shapely.box(x, y, x + side, y + side))
        for n, (x, y, side) in enumerate(boxes)
    ]
    become = {cut.claim.code: cut.become for cut in cut_back(claims, Award("U2", (), LEFT), PATHS)}

    for claim in claims:
        left = shapely.union_all([one.area for one in become.get(claim.code, (claim,))])
        assert geodesic_area_m2(left.intersection(LEFT)) < 2
        assert abs(geodesic_area_m2(left) - geodesic_area_m2(claim.area.difference(LEFT))) < 10
