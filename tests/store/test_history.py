"""The history only grows, and whoever changes it behind our back is found."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geoapp.domain import chain
from geoapp.domain.values import OPERATOR, Event, IssueState
from geoapp.services import judging
from geoapp.store import history, session
from tests.builders import NOON, TODAY, a_category, a_jurisdiction, an_issue, square, store


@pytest.fixture
def told(app):  # noqa: ARG001 - the database must be connected
    a_category()
    lines = (
        Event(NOON, "report", IssueState.REPORTED, "resident", "“坏了”\n\\ ' \x7f", {"b": 1, "a": [1.5, None]}),
        Event(NOON, "accept", IssueState.ACCEPTED, "community"),
        Event(NOON, "return", None, "unit", "not ours"),
    )
    store(an_issue("1", history=lines), an_issue("2", history=lines[:1]), an_issue("3"))


def breaks():
    with session.snapshot() as db:
        return sorted((found.number[-1], found.seq) for found in history.verify(db)[1])


def tamper(sql):
    """Change rows as somebody would who owns the database."""
    with session.transaction() as db:
        db.execute(text("ALTER TABLE history DISABLE TRIGGER history_only_grows"))
        db.execute(text(sql))
        db.execute(text("ALTER TABLE history ENABLE TRIGGER history_only_grows"))


@pytest.mark.usefixtures("told")
def test_what_was_written_in_bulk_and_added_later_is_one_unbroken_chain():
    a_jurisdiction("U1", square(106.64, 29.02))
    judging.judge_all(OPERATOR, today=TODAY)

    with session.snapshot() as db:
        rows, found = history.verify(db)
        counted = db.execute(text("SELECT returns, history_seq FROM issue ORDER BY number")).all()

    assert found == []
    assert rows == 3 + 1 + 3
    assert [tuple(row) for row in counted] == [(1, 4), (0, 2), (0, 1)]


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
DETAILS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(WORDS, parts, max_size=4),
)
EVENTS = st.builds(
    Event,
    at=st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - made aware
    action=WORDS.filter(bool), to_state=st.none() | st.sampled_from(IssueState), actor=WORDS, note=WORDS,
    detail=st.dictionaries(WORDS, DETAILS, max_size=4),
)  # fmt: skip
BY_SQL = """
    SELECT history_content(:issue, :seq, :at, :action, :state, :actor, :note, CAST(:detail AS jsonb), NULL, false),
           CAST(CAST('[' || :told || ']' AS jsonb) ->> 0 AS timestamp) AT TIME ZONE 'UTC',
           history_link(:before, :content)
"""


@pytest.mark.usefixtures("app")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.uuids(), st.lists(EVENTS, max_size=3))
def test_lines_are_chained_before_they_are_stored_as_the_database_chains_them(issue, events):
    lines = [chain.line(event) for event in events]
    before = b""
    with session.snapshot() as db:
        for seq, (event, told, link) in enumerate(zip(events, lines, chain.hashes(issue, lines), strict=True), start=1):
            asked = {
                "issue": issue, "seq": seq, "at": event.at, "action": event.action, "state": event.to_state,
                "actor": event.actor, "note": event.note, "detail": json.dumps(event.detail), "told": told,
                "before": before, "content": f'["{issue}", {seq}, {told}, null, false]',
            }  # fmt: skip
            assert tuple(db.execute(text(BY_SQL), asked).one()) == (asked["content"], event.at, link)
            before = link


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("sql", ["UPDATE history SET note = 'x'", "DELETE FROM history"])
def test_the_history_cannot_be_changed_or_removed(sql):
    with pytest.raises(DBAPIError, match="append-only"), session.transaction() as db:
        db.execute(text(sql))

    assert breaks() == []


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE history SET note = 'ours' WHERE seq = 3", [("1", 3)]),
        ("UPDATE history SET at = at - interval '1 day' WHERE seq = 2", [("1", 2)]),
        ("UPDATE history SET detail = '{}' WHERE seq = 1 AND detail <> '{}'", [("1", 1), ("2", 1)]),
        ("UPDATE history SET internal = true WHERE seq = 2", [("1", 2)]),
        ("DELETE FROM history WHERE seq = 2", [("1", 3)]),
        ("DELETE FROM history WHERE seq = 3", [("1", 0)]),
        ("DELETE FROM history WHERE issue_id = (SELECT id FROM issue ORDER BY number LIMIT 1)", [("1", 0)]),
        ("UPDATE issue SET history_hash = '' WHERE returns = 1", [("1", 0)]),
        (
            "INSERT INTO history (issue_id, seq, at, action) SELECT id, 4, now(), 'close' FROM issue WHERE returns = 1",
            [("1", 4)],
        ),
    ],
)
def test_a_changed_a_lost_and_a_slipped_in_row_is_found(sql, found):
    tamper(sql)

    assert breaks() == found
