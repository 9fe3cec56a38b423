from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from geoapp.domain.matching import (
    WEIGHTS,
    NeedFacts,
    ResourceFacts,
    ResourceKind,
    Span,
    match,
    ranked,
    wrong_need,
    wrong_resource,
)

NEED = NeedFacts(
    ResourceKind.CREW,
    "Pavers",
    quantity=Decimal(6),
    measure="people",
    begins=date(2026, 12, 1),
    ends=date(2026, 12, 10),
)
CREW = ResourceFacts(ResourceKind.CREW, "Crew", capacity=Decimal(12), measure="people")


def why(need=NEED, resource=CREW, metres=1000.0):
    found = match(need, resource, distance_m=metres)
    return found and {str(part.term): (part.reason, part.points) for part in found.parts}


def test_a_perfect_match_has_all_points():
    assert sum(WEIGHTS.values()) == 100
    assert match(NEED, CREW, distance_m=0).score == 100
    assert why() == {"distance": ("distance", 32), "capacity": ("enough", 40), "calendar": ("always_free", 20)}


@pytest.mark.parametrize(
    "other",
    [
        replace(CREW, kind=ResourceKind.MACHINE),
        replace(CREW, active=False),
        replace(CREW, free=(Span(None, date(2026, 11, 30)),)),
        replace(CREW, free=(Span(date(2026, 12, 11), None),)),
    ],
)
def test_another_thing_or_one_that_is_not_to_be_had_is_no_match(other):
    assert match(NEED, other, distance_m=0) is None


@pytest.mark.parametrize(
    ("metres", "points"),
    [(0, ("distance", 40)), (2500, ("distance", 20)), (9000, ("distance", 0)), (None, ("no_place", 20))],
)
def test_nearness_counts_down_to_five_kilometres(metres, points):
    assert why(metres=metres)["distance"] == points


def test_money_lies_anywhere():
    fund, wanted = replace(CREW, kind=ResourceKind.FUND), replace(NEED, kind=ResourceKind.FUND)

    assert why(wanted, fund, None)["distance"] == ("anywhere", 40)


@pytest.mark.parametrize(
    ("need", "resource", "expected"),
    [
        (replace(NEED, quantity=Decimal(24)), CREW, ("part_of_it", 20)),
        (replace(NEED, quantity=None), CREW, ("no_quantity", 20)),
        (NEED, replace(CREW, capacity=None), ("no_quantity", 20)),
        (NEED, replace(CREW, measure="teams"), ("other_measure", 20)),
        (NEED, replace(CREW, measure=""), ("other_measure", 20)),
        (replace(NEED, quantity=Decimal(0)), CREW, ("enough", 40)),
    ],
)
def test_capacity_is_compared_where_it_can_be(need, resource, expected):
    assert why(need, resource)["capacity"] == expected


@pytest.mark.parametrize(
    ("free", "expected"),
    [
        ((Span(None, None),), ("free", 20)),
        ((Span(date(2026, 12, 1), date(2026, 12, 5)), Span(date(2026, 12, 4), date(2026, 12, 10))), ("free", 20)),
        ((Span(date(2026, 12, 6), None),), ("partly_free", 10)),
    ],
)
def test_the_calendar_counts_days_once(free, expected):
    assert why(resource=replace(CREW, free=free))["calendar"] == expected


def test_a_need_without_days_says_so():
    free = (Span(date(2026, 12, 1), None),)

    assert why(replace(NEED, begins=None), replace(CREW, free=free))["calendar"] == ("no_days", 10)
    assert why(replace(NEED, ends=None), replace(CREW, free=free))["calendar"] == ("no_days", 10)


def test_the_best_comes_first_and_ties_go_by_their_key():
    near, far = match(NEED, CREW, distance_m=0), match(NEED, CREW, distance_m=4000)

    assert [key for key, _ in ranked([("b", near), ("c", far), ("a", near)])] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "x" * 201}),
        ("owner", {"owner": "a\nb"}),
        ("measure", {"measure": "x" * 21}),
        ("note", {"note": "x" * 4001}),
        ("capacity", {"capacity": Decimal(-1)}),
        ("free", {"free": (Span(date(2026, 12, 2), date(2026, 12, 1)),)}),
        ("free", {"free": (Span(None, None),) * 25}),
    ],
)
def test_what_a_resource_cannot_say_names_its_field(field, changes):
    assert [name for name, _, _ in wrong_resource(replace(CREW, **changes))] == [field]
    assert list(wrong_resource(CREW)) == []


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("title", {"title": ""}),
        ("measure", {"measure": "x" * 21}),
        ("note", {"note": "\x07"}),
        ("quantity", {"quantity": Decimal("inf")}),
        ("ends", {"ends": date(2026, 11, 30)}),
    ],
)
def test_what_a_need_cannot_say_names_its_field(field, changes):
    assert [name for name, _, _ in wrong_need(replace(NEED, **changes))] == [field]
    assert list(wrong_need(NEED)) == []
