"""How alike two reports are, and which of the parts says so."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from geoapp.domain.duplicates import (
    POINT_M,
    THRESHOLD,
    USUAL_M,
    WIDE_M,
    Kinship,
    Likeness,
    Report,
    compare,
    ranked,
    reach_m,
)
from geoapp.domain.values import CategoryKind

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def a_report(category="road.broken-sidewalk", *, kind=CategoryKind.EVENT, days_ago=0, ended_days_ago=None, words=""):
    parts = category.split(".")
    return Report(
        path=frozenset(".".join(parts[: n + 1]) for n in range(len(parts))),
        category=category,
        kind=kind,
        reported_at=NOW - timedelta(days=days_ago),
        ended_at=None if ended_days_ago is None else NOW - timedelta(days=ended_days_ago),
        words=words,
    )


def likeness(**changes):
    """In the same place, at the same time, of the same category, in the same words, unless it is said otherwise."""
    same = Likeness(distance_m=0, reach_m=USUAL_M, days=0, kinship=Kinship.SAME, words=1)
    return replace(same, **changes)


def test_the_same_in_everything_is_certain():
    assert likeness().score == 1


@pytest.mark.parametrize(
    ("changes", "score"),
    [
        ({"distance_m": 25}, 0.8),
        ({"distance_m": 50}, 0),
        ({"distance_m": 500}, 0),
        ({"days": 30}, 1),
        ({"days": 105}, 0.5),
        ({"days": 180}, 0),
        ({"days": 400}, 0),
        ({"kinship": Kinship.BRANCH}, 0.85),
        ({"kinship": Kinship.OTHER}, 0.7),
        ({"words": 0}, 0.7),
        ({"words": 0, "kinship": Kinship.OTHER}, 0.4),
    ],
)
def test_each_part_lowers_the_score(changes, score):
    assert likeness(**changes).score == pytest.approx(score)


def test_another_category_in_the_same_place_is_no_duplicate_without_alike_words():
    assert likeness(kinship=Kinship.OTHER, words=0).score < THRESHOLD


def test_the_same_category_nearby_is_a_duplicate_without_any_words():
    assert likeness(distance_m=20, words=0).score >= THRESHOLD


@pytest.mark.parametrize(
    ("category", "kind", "metres"),
    [
        ("road.broken-sidewalk", CategoryKind.EVENT, USUAL_M),
        ("road.manhole-cover.sewage", CategoryKind.COMPONENT, POINT_M),
        ("building.elevator", CategoryKind.COMPONENT, POINT_M),
        ("waste.dumping-site", CategoryKind.EVENT, WIDE_M),
        ("road.abandoned-path", CategoryKind.COMPONENT, WIDE_M),
        ("water.flooded-road", CategoryKind.EVENT, WIDE_M),
        ("imported", CategoryKind.OTHER, USUAL_M),
    ],
)
def test_how_far_a_duplicate_may_lie_depends_on_the_category(category, kind, metres):
    assert reach_m(a_report(category, kind=kind)) == metres


def test_the_wider_reach_of_the_two_counts():
    found = compare(a_report(), a_report("road.abandoned-path"), distance_m=100, now=NOW)

    assert (found.reach_m, found.kinship) == (WIDE_M, Kinship.BRANCH)


@pytest.mark.parametrize(
    ("one", "other", "days"),
    [
        ({}, {"days_ago": 300}, 0),
        ({}, {"days_ago": 300, "ended_days_ago": 40}, 40),
        ({"days_ago": 300, "ended_days_ago": 40}, {}, 40),
        ({"days_ago": 50}, {"days_ago": 300, "ended_days_ago": 40}, 0),
        ({"days_ago": 10, "ended_days_ago": 5}, {"days_ago": 90, "ended_days_ago": 60}, 50),
    ],
    ids=["still open", "ended before", "the other way round", "both open for a while", "both ended"],
)
def test_days_apart_are_those_between_the_end_of_one_and_the_report_of_the_other(one, other, days):
    assert compare(a_report(**one), a_report(**other), distance_m=0, now=NOW).days == days


@pytest.mark.parametrize(
    ("category", "kinship"),
    [
        ("road.broken-sidewalk", Kinship.SAME),
        ("road.subsidence", Kinship.BRANCH),
        ("road", Kinship.BRANCH),
        ("waste.bin", Kinship.OTHER),
    ],
)
def test_categories_are_the_same_of_one_branch_or_others(category, kinship):
    assert compare(a_report(), a_report(category), distance_m=0, now=NOW).kinship is kinship


def test_words_are_compared():
    alike = compare(a_report(words="人行道破损"), a_report(words="人行道有破损"), distance_m=0, now=NOW)

    assert 0.5 < alike.words < 1


def test_the_most_alike_come_first_and_the_unlikely_not_at_all():
    found = ranked(
        [
            ("far", likeness(distance_m=40)),
            ("here", likeness()),
            ("unlike", likeness(kinship=Kinship.OTHER, words=0)),
            ("near", likeness(distance_m=10)),
        ],
        most=2,
    )

    assert [name for name, _ in found] == ["here", "near"]
