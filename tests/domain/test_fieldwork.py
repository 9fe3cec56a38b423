"""What becomes of a record from the field, and which records there cannot be."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from geoapp.domain import fieldwork as rules
from geoapp.domain.fieldwork import CHANGING, Change, Fate, Finding, Kind, Seen, Signature, Told
from geoapp.domain.values import Point

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
STROKE = (((1, 2), (3, 4)),)


def a_change(action="edit", **how):
    return Change(9, NOON, action, **how)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("changes", [(), (a_change("photo"), a_change("note")), (a_change(visit=True),)])
def test_nothing_is_in_conflict_where_nobody_else_has_changed_anything(kind, changes):
    assert rules.fate(kind, changes) == (Fate.STORED, False)


@pytest.mark.parametrize("kind", Kind)
def test_after_somebody_s_change_what_changes_is_in_conflict_and_what_adds_is_stored(kind):
    fate, meanwhile = rules.fate(kind, (a_change("photo"), a_change("dispatch")))

    assert meanwhile
    assert fate is (Fate.CONFLICT if kind in CHANGING else Fate.STORED)


def test_a_record_is_told_from_another_by_what_it_says_and_not_by_the_order_of_its_words():
    def told(**body):
        return Told(UUID(int=1), UUID(int=2), Kind.FINDING, NOON, None, body).fingerprint

    assert told(a=1, b=2) == told(b=2, a=1)
    assert told(a=1, b=2) != told(a=1, b=3)


@pytest.mark.parametrize(
    ("found", "field"),
    [
        (Finding(), "words"),
        (Finding(words=" "), "words"),
        (Finding(words="x" * 4001), "words"),
        (Finding(follow_up="x" * 501), "follow_up"),
        (Finding(words="x", due=date(2026, 12, 1)), "follow_up"),
        (Finding(answers={str(nth): True for nth in range(61)}), "answers"),
        (Finding(answers={"": True}), "answers"),
        (Finding(answers={1: True}), "answers"),
        (Finding(answers={"x": "y" * 501}), "answers"),
        (Finding(answers={"x": float("nan")}), "answers"),
        (Finding(answers={"x": ["y"]}), "answers"),
    ],
)
def test_a_finding_that_cannot_be_names_its_field(found, field):
    wrong = rules.wrong_finding(found)

    assert wrong
    assert wrong.field == field


def test_a_finding_says_anything_at_all():
    for found in (
        Finding(Seen.WORSE), Finding(words="Wet"), Finding(answers={"lit": True, "wide": 2.5, "who": "Li"}),
        Finding(follow_up="Pump", due=date(2026, 12, 1)),
    ):  # fmt: skip
        assert rules.wrong_finding(found) is None


@pytest.mark.parametrize(
    ("signed", "reason"),
    [
        ((), "missing"),
        ((Signature("Li", "", STROKE),) * 13, "too_many"),
        ((Signature(" ", "", STROKE),), "signature_name"),
        ((Signature("Li", "x" * 101, STROKE),), "signature_name"),
        ((Signature("Li", "", ()),), "signature_drawn"),
        ((Signature("Li", "", (((1, 1),),) * 201),), "signature_drawn"),
        ((Signature("Li", "", (((1, 1),) * 4001,)),), "signature_drawn"),
        ((Signature("Li", "", (((1, 1001),),)),), "signature_drawn"),
    ],
)
def test_signatures_that_cannot_be_say_why(signed, reason):
    wrong = rules.wrong_signatures(signed)

    assert wrong
    assert wrong.reason == reason


def test_signatures_that_can_be_are_drawn_as_a_path():
    signed = Signature("Li", "U1", (((1, 2), (3, 4), (5, 6)), ((7, 8),), ()))

    assert rules.wrong_signatures((signed,)) is None
    assert rules.path_of(signed.strokes) == "M1 2 L3 4 5 6 M7 8 L7 8"


def test_the_distance_to_a_stop_is_right_to_half_a_percent():
    metres = rules.distance_m(Point(106.65, 29.03), Point(106.66, 29.03))

    assert metres == pytest.approx(974.6, rel=5e-3)
