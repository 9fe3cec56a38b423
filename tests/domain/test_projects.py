from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from geoapp.domain.projects import (
    Balance,
    Entry,
    Line,
    ProjectFacts,
    balances,
    overdrawn,
    whole,
    wrong_line,
    wrong_project,
)

SOUND = ProjectFacts(
    "Pavement",
    "62 m²",
    None,
    budget_low=Decimal(1),
    budget_high=Decimal(2),
    begins=date(2026, 1, 1),
    ends=date(2026, 2, 1),
)


def promised(amount, source="Street"):
    return Line(Entry.PROMISED, source, Decimal(amount))


def spent(amount, source="Street"):
    return Line(Entry.SPENT, source, Decimal(amount))


def test_a_ledger_adds_up_by_source_and_in_all():
    found = balances([promised(100), spent(40), spent(-10), promised(7, "Owners"), promised(-2, "Owners")])

    assert found == (Balance("Owners", Decimal(5), Decimal(0)), Balance("Street", Decimal(100), Decimal(30)))
    assert [one.left for one in found] == [5, 70]
    assert whole(found) == Balance("", Decimal(105), Decimal(30))
    assert balances([]) == ()
    assert whole([]).left == 0


@pytest.mark.parametrize(
    ("lines", "new", "over"),
    [
        ([promised(100)], spent(100), 0),
        ([promised(100)], spent(130), 30),
        ([], spent(5), 5),
        ([promised(100), spent(80)], promised(-30), 10),
        ([promised(100), spent(130)], spent(5), 5),
        ([promised(100), spent(130)], promised(10), 0),
        ([promised(100), spent(130)], spent(-10), 0),
        ([promised(100, "Owners")], spent(5), 5),
    ],
)
def test_only_what_a_line_itself_takes_too_much_is_overdrawn_by_it(lines, new, over):
    assert overdrawn(lines, new) == over


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("source", replace(spent(1), source="")),
        ("source", replace(spent(1), source="x" * 121)),
        ("amount", spent(0)),
        ("amount", spent("inf")),
        ("amount", spent(10**12)),
        ("note", replace(spent(1), note="x" * 4001)),
    ],
)
def test_what_a_line_cannot_say_names_its_field(field, line):
    assert [name for name, _, _ in wrong_line(line)] == [field]
    assert list(wrong_line(spent(-1))) == []


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("title", {"title": ""}),
        ("title", {"title": "x" * 201}),
        ("note", {"note": "\x00"}),
        ("budget_low", {"budget_low": Decimal(-1)}),
        ("budget_high", {"budget_high": Decimal("0.5")}),
        ("ends", {"ends": date(2025, 1, 1)}),
    ],
)
def test_what_a_project_cannot_say_names_its_field(field, changes):
    assert [name for name, _, _ in wrong_project(replace(SOUND, **changes))] == [field]
    assert list(wrong_project(SOUND)) == list(wrong_project(ProjectFacts("x"))) == []
