"""Cells, questions and sums of the counts pyramid, against the slow and plain way to say the same."""

from collections import Counter
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoapp.domain import counts
from geoapp.domain.counts import ALL, CHANGE, ENTRY, MONTHLY, PART, Question
from geoapp.domain.tiles import mercator
from geoapp.domain.values import Box, Duty, IssueFilter, IssueState, StateGroup, VerdictClass, states_of

HALF = 20037508.342789244


@given(lon=st.floats(-180, 180, exclude_max=True), lat=st.floats(-85, 85), zoom=st.integers(0, 22))
@settings(max_examples=60)
def test_a_cell_lies_in_the_span_of_the_tile_that_holds_its_place(lon, lat, zoom):
    x, y = mercator(lon, lat)
    n = 1 << zoom
    column, row = int((x + HALF) / (2 * HALF) * n), int((HALF - y) / (2 * HALF) * n)
    first, behind = counts.span(zoom, counts.morton(min(column, n - 1), row))
    cell = counts.cell_at(lon, lat)
    step = 1 << 2 * (counts.LEVEL - 22)

    # At an edge the two may round differently, by less than a centimetre.
    assert first <= cell < behind or min(abs(cell - first), abs(cell - behind)) < step * 4 or _is_edge(x, y, n)


@given(st.integers(0, 16), st.floats(-179.9, 179.9), st.floats(-84.9, 84.9))
def test_a_box_around_cells_holds_their_places_and_is_no_wider_than_they_are(zoom, lon, lat):
    cell = counts.cell_at(lon, lat) >> 2 * (counts.LEVEL - zoom)
    box = counts.around([cell], zoom, Box(lon, lat, lon, lat))

    assert box.west <= lon <= box.east
    assert box.south <= lat <= box.north
    assert box.east - box.west == pytest.approx(360 / 2**zoom)
    assert counts.cell_at((box.west + box.east) / 2, (box.south + box.north) / 2) >> 2 * (counts.LEVEL - zoom) == cell


def test_a_box_around_nothing_is_the_least_that_it_may_be():
    assert counts.around([], 10, Box(106, 28, 107, 29)) == Box(106, 28, 107, 29)


def _is_edge(x, y, n):
    parts = ((x + HALF) / (2 * HALF) * n, (HALF - y) / (2 * HALF) * n)
    return any(abs(part - round(part)) < 1e-6 for part in parts)


def test_places_beyond_the_edge_of_the_map_lie_in_its_last_cells():
    assert counts.cell_at(180, 0) == counts.cell_at(179.9999999, 0)
    assert counts.cell_at(0, 85.06) == counts.cell_at(0, 85.0511287)


@pytest.mark.parametrize(
    ("zoom", "cell", "areas"), [(0, 0, (4, 0, 256)), (6, 5, (8, 80, 96)), (12, 7, (12, 7, 8)), (14, 33, (12, 2, 3))]
)
def test_a_tile_has_the_version_of_the_areas_that_hold_it_or_that_it_holds(zoom, cell, areas):
    assert counts.areas_of(zoom, cell) == areas


def test_from_zoom_15_on_a_block_has_smaller_cells():
    assert [counts.depth(zoom) for zoom in (6, 14, 15, 16)] == [2, 2, 3, 3]


OPEN = states_of(StateGroup.OPEN)


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        (IssueFilter(), Question()),
        (IssueFilter(states=OPEN), Question(frozenset({0}))),
        (IssueFilter(states=(*OPEN, IssueState.CLOSED)), Question(frozenset({0, 2}))),
        (IssueFilter(categories=("b", "a", "b")), Question(categories=("a", "b"))),
        (IssueFilter(since=date(2026, 3, 1)), Question(months=(24314, 120000))),
        (IssueFilter(until=date(2026, 2, 28)), Question(months=(0, 24313))),
        (
            IssueFilter(since=date(2026, 1, 5), until=date(2026, 3, 9)),
            Question(
                months=(24313, 24313),
                edges=((date(2026, 1, 5), date(2026, 1, 31)), (date(2026, 3, 1), date(2026, 3, 9))),
            ),
        ),
        (IssueFilter(since=date(2026, 1, 5), until=date(2026, 2, 9)), None),
        (IssueFilter(states=(IssueState.REPORTED,)), None),
        (IssueFilter(states=(IssueState.REPORTED, IssueState.CLOSED)), None),
        (IssueFilter(communities=("C",)), None),
        (IssueFilter(units=("U",)), None),
        (IssueFilter(verdicts=(VerdictClass.CLEAR,)), None),
        (IssueFilter(words="a"), None),
        (IssueFilter(box=Box(0, 0, 1, 1)), None),
        (IssueFilter(duties=(Duty(OPEN),)), None),
        (IssueFilter(duties=()), None),
    ],
)
def test_the_pyramid_is_asked_what_it_can_tell_and_nothing_else(wanted, asked):
    assert counts.question(wanted) == asked


def test_a_plain_question_needs_only_the_sums_of_all():
    assert Question(frozenset({1})).is_plain
    assert not Question(categories=("a",)).is_plain
    assert not Question(months=(1, 2)).is_plain
    assert Question(months=(1, 2)).kinds == (MONTHLY,)
    assert Question(categories=("a", "b")).kinds == ("a", "b")


def random_changes(seed, number=400):
    chance = np.random.default_rng(seed)
    rows = np.empty(number, CHANGE)
    rows["cell"] = (0b0110 << 2 * (counts.LEVEL - 6)) + chance.integers(0, 1 << 2 * (counts.LEVEL - 8), number)
    for name, most in (("category", 2), ("month", 5), ("group", 4), ("n", 3), ("contested", 2), ("orphan", 2)):
        rows[name] = chance.integers(0, most, number)
    rows["x"], rows["y"] = chance.integers(-9, 9, number), chance.integers(-9, 9, number)
    return rows


@pytest.mark.parametrize("zoom", [6, 9, 15, 16])
def test_blocks_hold_the_sums_of_their_changes_by_cell_group_month_and_category(zoom):
    given_ = random_changes(zoom)
    of = given_["cell"] >> 2 * (counts.LEVEL - zoom)
    split = np.unique(of)[::2]
    plain = counts.blocks(given_, zoom)
    found = plain | counts.kinds(given_, zoom, ["a", "b"], split)
    slow: Counter[tuple[int, str, int, str]] = Counter()
    for one, block in zip(given_, of, strict=True):
        deep = counts.depth(zoom)
        within = (int(one["cell"]) >> 2 * (counts.LEVEL - zoom - deep)) % (1 << 2 * deep)
        key = within << 2 | int(one["group"])
        kinds = [ALL] + ([MONTHLY, "ab"[one["category"]]] if block in split else [])
        for kind in kinds:
            where = key if kind == ALL else key | int(one["month"]) << 8
            for name in counts.SUMS:
                slow[int(block), kind, where, name] += int(one[name])
    told = {
        (*key, int(entry["key"]), name): int(entry[name])
        for key, entries in found.items() for entry in entries for name in counts.SUMS
    }  # fmt: skip

    assert told == dict(slow)
    assert set(plain) == {key for key in found if key[1] == ALL}


def test_nothing_makes_no_block():
    nothing = np.empty(0, CHANGE)
    assert counts.blocks(nothing, 8) == counts.kinds(nothing, 8, ["a"], {1}) == {}


def test_what_comes_to_nothing_is_left_out_of_a_sum():
    one = np.array([(5, 1, 0, 0, 10, 20), (9, 2, 1, 0, 1, 1)], ENTRY)
    other = np.array([(5, -1, 0, 0, -10, -20), (2, 1, 0, 1, 3, 4)], ENTRY)

    assert counts.added(one, other).tolist() == [(2, 1, 0, 1, 3, 4), (9, 2, 1, 0, 1, 1)]
    assert len(counts.added(one[:0], other[:0])) == 0
    assert counts.total(counts.read(one.tobytes())) == 3


def test_of_a_block_only_the_months_and_groups_are_taken_that_are_asked_for():
    entries = np.array(
        [(3 << 8 | 7 << 2 | 0, 1, 0, 0, 0, 0), (4 << 8 | 7 << 2 | 1, 2, 0, 0, 0, 0), (5 << 8 | 1 << 2, 4, 0, 0, 0, 0)],
        ENTRY,
    )
    asked = Question(months=(4, 5))

    assert counts.parts(entries, 8, 3, Question(), deep=10)["cell"].tolist() == [3 * 16 + 7, 3 * 16 + 7, 3 * 16 + 1]
    assert counts.parts(entries, 8, 3, Question(), deep=8)["cell"].tolist() == [3, 3, 3]
    assert counts.parts(entries, 8, 3, asked, deep=10)["n"].tolist() == [2, 4]
    assert counts.parts(entries, 8, 3, replace(asked, groups=frozenset({1})), deep=10)["n"].tolist() == [2]


def test_a_heap_lies_at_the_mean_of_its_members_and_an_empty_one_is_none():
    found = counts.rows(
        [[7, 0, 1, 1, 0, 1000, 2000], [7, 2, 3, 0, 1, 9000, 2000], [8, 1, 1, 0, 0, 5, 5], [8, 1, -1, 0, 0, -5, -5]],
        PART,
    )

    (heap,) = counts.heaps(found)

    assert (heap.cell, heap.n, heap.groups, heap.contested, heap.orphan) == (7, 4, (1, 0, 3, 0), 1, 1)
    assert (heap.x, heap.y) == (2.5, 1.0)


def test_each_change_counts_in_the_version_of_its_areas():
    cells = np.array([counts.span(12, 5)[0], counts.span(12, 5)[0] + 1, counts.span(12, 6)[0]])

    assert counts.versions(cells) == {(4, 0): 3, (8, 0): 3, (12, 5): 2, (12, 6): 1}
