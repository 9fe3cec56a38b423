"""Points against areas: who may be judged together, and who lies too near an edge for that."""

import numpy as np
import pytest
import shapely

from geoapp.domain.placement import DEGREE_M, FARTHEST_M, SINGLY, Group, Placement

WEST, EAST = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)
ROADS, ALL = [0], [0, 1]
TODAY = 100


def a_placement(**more):
    told = {
        "boundaries": [WEST, EAST],
        "jurisdictions": [shapely.box(0, 0, 1.5, 1), EAST],
        "fitting": {0: ROADS, 1: ALL},
        "turns": [],
    }
    return Placement(**told | more)


def place(placement, *points, category=0, accuracy_m=0.0, day=TODAY):
    lon, lat = np.array(points, float).T
    n = len(points)
    return placement.place(
        lon, lat, np.full(n, category), np.broadcast_to(np.array(accuracy_m, float), n).copy(),
        np.broadcast_to(np.array(day), n).copy(),
    ).tolist()  # fmt: skip


def test_points_in_the_same_areas_are_one_group():
    placement = a_placement()

    assert place(placement, (0.2, 0.5), (0.3, 0.5), (1.2, 0.5), (1.8, 0.5)) == [0, 0, 2, 1]
    assert placement.groups == [Group(0, TODAY, (0,), (0,)), Group(0, TODAY, (1,), ()), Group(0, TODAY, (1,), (0,))]


def test_a_group_is_known_again_in_the_next_portion():
    placement = a_placement()

    assert place(placement, (0.2, 0.5)) == place(placement, (0.4, 0.6)) == [0]


def test_only_jurisdictions_of_the_category_count():
    placement = a_placement()
    place(placement, (1.2, 0.5))
    place(placement, (1.2, 0.5), category=1)

    assert [group.jurisdictions for group in placement.groups] == [(0,), (0, 1)]


def test_what_lies_in_nothing_is_a_group_of_its_own():
    placement = a_placement()

    assert place(placement, (5, 5), (1.5, -3)) == [0, 0]
    assert placement.groups == [Group(0, TODAY, (), ())]


@pytest.mark.parametrize(("metres", "alone"), [(24, True), (26, False), (-24, True), (-26, False)])
def test_a_point_near_an_edge_is_judged_singly(metres, alone):
    at = (1 + metres / DEGREE_M, 0.0 + 0.5)

    assert (place(a_placement(), at) == [SINGLY]) is alone


def test_an_edge_is_nearer_to_whose_place_is_known_less_exactly():
    at = (0.5, 60 / DEGREE_M)

    assert place(a_placement(), at, at, accuracy_m=[50, 70])[1] == SINGLY
    assert place(a_placement(), at, accuracy_m=50) == [0]
    assert place(a_placement(), (0.5, 0.5), accuracy_m=FARTHEST_M + 1) == [SINGLY]


def test_a_corner_is_an_edge():
    assert place(a_placement(), (-15 / DEGREE_M, -15 / DEGREE_M), (-24 / DEGREE_M, -24 / DEGREE_M)) == [SINGLY, 0]


def test_days_matter_only_where_an_area_begins_or_ends_between_them():
    placement = a_placement(turns=[TODAY])

    found = place(placement, *[(0.5, 0.5)] * 4, day=[TODAY - 50, TODAY - 1, TODAY, TODAY + 50])

    assert found[0] == found[1] != found[2] == found[3]
    assert [group.day for group in placement.groups] == [TODAY - 50, TODAY]


def test_where_there_are_no_areas_all_are_one_group():
    placement = a_placement(boundaries=[], jurisdictions=[], fitting={0: []})

    assert place(placement, (0.5, 0.5), (1, 1)) == [0, 0]


def test_all_near_edges_make_no_group():
    placement = a_placement()

    assert place(placement, (1, 0.5)) == [SINGLY]
    assert placement.groups == []
