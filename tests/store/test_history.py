"""The history only grows, and whoever changes it behind our back is found."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

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
