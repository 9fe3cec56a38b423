"""A history's lines are written for their hashes as the database writes them (tests/store/test_history.py asks it)."""

from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from geoapp.domain import chain
from geoapp.domain.values import Event, IssueState

ISSUE = UUID("00000000-0000-0000-0000-00000000000a")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (Event(NOON, "report", IssueState.REPORTED), '"2026-11-20T12:00:00", "report", "reported", "", "", {}'),
        (Event(NOON, "return", None, "U", "no\n"), r'"2026-11-20T12:00:00", "return", null, "U", "no\n", {}'),
    ],
)
def test_a_line_tells_what_happened_when_and_by_whom(event, told):
    assert chain.line(event) == told


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (NOON.replace(microsecond=500), "2026-11-20T12:00:00.0005"),
        (datetime(2025, 10, 26, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")), "2025-10-26T00:30:00"),
        (datetime(2025, 10, 26, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")), "2025-10-26T01:30:00"),
    ],
)
def test_instants_are_told_in_utc_without_idle_digits(at, told):
    assert chain.line(Event(at, "note")).startswith(f'"{told}", ')


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ({"bb": 1, "a": [True, None, "ü\n"], "ä": {}}, r'{"a": [true, null, "ü\n"], "bb": 1, "ä": {}}'),
        ({"n": (1e-7, 1e22, -0.0, 2.50)}, '{"n": [0.0000001, 10000000000000000000000, 0.0, 2.5]}'),
    ],
)
def test_details_are_told_in_the_order_and_form_of_the_database(detail, told):
    assert chain.line(Event(NOON, "note", detail=detail)).endswith(f'"", {told}')


def test_each_hash_is_of_the_one_before_and_of_issue_place_and_line():
    first = sha256(f'["{ISSUE}", 1, one, null, false]'.encode()).digest()
    second = sha256(first + f'["{ISSUE}", 2, 二, null, false]'.encode()).digest()

    assert chain.hashes(ISSUE, []) == []
    assert chain.hashes(ISSUE, ["one", "二"]) == [first, second]
