"""What a planner asks for: the same question is the same value."""

from dataclasses import replace
from datetime import date

import pytest

from geoapp.domain.planning import UNITS, Analysis, Ask, Cells, Method, Per, read
from geoapp.domain.values import IssueState, VerdictClass

DAY = date(2026, 11, 20)


@pytest.mark.parametrize("analysis", Analysis)
def test_what_makes_no_difference_makes_no_other_question(analysis):
    plain = Ask(analysis, DAY)
    chatty = Ask(analysis, DAY, method=Method.HDBSCAN, within_m=80.0, within_days=12.0, cell_m=200.0, per=Per.KM2)

    matters = plain.words() != chatty.words()

    assert matters == (analysis is not Analysis.DENSITY)
    assert replace(plain, since=DAY).words() != plain.words()


def test_the_order_of_what_was_chosen_makes_no_difference():
    one = Ask(Analysis.REPEATS, DAY, places=("B", "A"), states=(IssueState.CLOSED, IssueState.ACCEPTED))
    other = Ask(Analysis.REPEATS, DAY, places=("A", "B", "A"), states=(IssueState.ACCEPTED, IssueState.CLOSED))

    assert one.words() == other.words()


def test_an_analysis_that_knows_no_such_unit_takes_its_own():
    assert Ask(Analysis.COMPARE, DAY, cells=Cells.HEXAGON, cell_m=100.0).normal().cells is Cells.COMMUNITY
    assert Ask(Analysis.COMPARE, DAY, cells=Cells.STREET, cell_m=100.0).normal().cell_m is None
    assert Ask(Analysis.TRENDS, DAY, cells=Cells.STREET).normal().cells in UNITS[Analysis.TRENDS]


def test_hierarchical_clusters_have_no_reach_and_only_those_in_time_have_days():
    normal = Ask(Analysis.CLUSTERS, DAY, method=Method.HDBSCAN, within_m=80.0, within_days=5.0).normal()
    timed = Ask(Analysis.CLUSTERS, DAY, method=Method.SPACE_TIME, within_m=80.0, within_days=5.0).normal()

    assert (normal.within_m, normal.within_days) == (None, 30.0)
    assert (timed.within_m, timed.within_days) == (80.0, 5.0)


def test_a_question_is_read_back_as_it_was_told():
    ask = Ask(
        Analysis.CLUSTERS, DAY, ("C1",), ("road",), (IssueState.CLOSED,), (VerdictClass.ORPHAN,), DAY, DAY,
        method=Method.SPACE_TIME, within_m=80.0, within_days=5.0, least=4, by_category=True,
    )  # fmt: skip
    grid = Ask(Analysis.HOT_SPOTS, DAY, cells=Cells.HEXAGON, cell_m=250.0, per=Per.RESIDENTS)

    lamps = Ask(Analysis.COMPARE, DAY, cells=Cells.UNIT, per=Per.ASSET, asset="路灯")

    assert read(lamps.as_json()) == lamps == lamps.normal()
    assert replace(lamps, per=Per.KM2).normal().asset == ""
    assert read(ask.as_json()) == ask
    assert read(grid.as_json()) == grid
    assert read(Ask(Analysis.DENSITY, DAY).as_json()) == Ask(Analysis.DENSITY, DAY)
