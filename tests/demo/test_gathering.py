"""Meetings and lists of the demonstration: alive, carried out as in life, and said to be made up."""

import pytest
from sqlalchemy import create_engine, text


@pytest.fixture
def ask(demo_database):
    engine = create_engine(demo_database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        yield lambda sql: [tuple(row) for row in connection.execute(text(sql)).all()]
    engine.dispose()


def test_one_meeting_is_over_with_all_its_decisions_and_one_is_planned(ask):
    assert ask(
        "SELECT m.state, count(*), count(a.applied_at), count(DISTINCT a.outcome) FROM meeting m "
        "JOIN agenda_item a ON a.meeting_id = m.id GROUP BY m.id ORDER BY m.starts_at"
    ) == [("closed", 8, 8, 3), ("planned", 4, 0, 1)]
    assert ask("SELECT count(*) FROM meeting WHERE attendees <> '' AND minutes <> ''") == [(1,)]


def test_the_agreed_days_of_the_last_meeting_are_deadlines_and_some_have_passed(ask):
    found = ask(
        "SELECT bool_and(i.due_at::date BETWEEN a.due_on - 1 AND a.due_on + 1), bool_or(a.due_on < DATE '2026-11-20'), "
        "bool_or(a.due_on > DATE '2026-11-20') FROM agenda_item a JOIN issue i ON i.id = a.issue_id "
        "WHERE a.outcome = 'assign' AND i.state = 'dispatched'"
    )

    assert found == [(True, True, True)]


def test_the_lists_are_filled_and_the_ledgers_add_up(ask):
    assert ask(
        "SELECT (SELECT count(*) FROM resource), (SELECT count(*) FROM need), (SELECT count(*) FROM project)"
    ) == [(12, 6, 2)]
    assert ask(
        "SELECT sum(amount) FILTER (WHERE entry = 'promised'), sum(amount) FILTER (WHERE entry = 'spent') FROM money"
    ) == [(130_000, 64_850)]
    assert ask("SELECT count(*) FROM project_case")[0][0] >= 2
    assert ask("SELECT bool_and(n > 0) FROM (SELECT kind, count(*) AS n FROM sensitive_place GROUP BY kind) AS x") == [
        (True,)
    ]


@pytest.mark.parametrize("table", ["meeting", "resource", "need", "project", "sensitive_place"])
def test_all_of_it_says_that_it_is_made_up(ask, table):
    assert ask(f"SELECT count(*) FROM {table} WHERE NOT synthetic") == [(0,)]  # noqa: S608
