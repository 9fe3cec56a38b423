"""Signs of a flood are looked up where they are indexed: no index serves another's question by being read whole."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from psycopg import ClientCursor
from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy import text

from geoapp.domain.abuse import crowd_cells
from geoapp.domain.values import Source
from geoapp.store import reports, session
from tests.builders import CENTRE, TODAY, a_category, an_issue, store

FOUND_BY = {
    "ix_issue_same_title": "hashtext((title)::text)",
    "ix_issue_same_text": "hashtext(text)",
    "ix_issue_crowd": "map_cell(st_x(geom), st_y(geom))",
}


def conditions(without=()):
    """By which condition each index is asked before a report is stored, whatever is bound; some indexes left out."""
    now = datetime.now(UTC)
    binds = {
        "id": uuid4(), "category": "road", "lon": CENTRE.lon, "lat": CENTRE.lat, "accuracy": 10.0, "today": TODAY,
        "words": "a hole", "day": now - timedelta(days=1), "hour": now - timedelta(hours=1),
        "cells": crowd_cells(CENTRE),
    }  # fmt: skip
    given = SQL(", ").join(Literal(binds[name]) for name in reports._LOOK.binds)
    with session.undone() as db:
        cursor = ClientCursor(session.driver(db))
        for name in without:
            cursor.execute(SQL("DROP INDEX {}").format(Identifier(name)))
        cursor.execute(f"PREPARE looked AS {reports._LOOK.sql}")
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off")
        cursor.execute(SQL("EXPLAIN (COSTS OFF) EXECUTE looked({})").format(given))
        lines = [line for (line,) in cursor.fetchall()]
        cursor.execute("DEALLOCATE looked")
    return [(name, after) for line, after in pairwise(lines) for name in FOUND_BY if f"using {name} " in line]


@pytest.fixture
def imported(app):  # noqa: ARG001 - the database must be connected
    """Many issues, of which nobody has reported any: the indexes of reports are known to be empty."""
    a_category()
    store(*(an_issue(str(nth), source=Source.IMPORT) for nth in range(300)))
    with session.transaction() as db:
        db.execute(text("ANALYZE issue"))


@pytest.mark.usefixtures("imported")
def test_each_sign_is_found_by_the_index_that_is_made_for_it():
    found = conditions()

    assert sorted(name for name, _ in found) == sorted(FOUND_BY)
    assert all(FOUND_BY[name] in condition for name, condition in found)


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize("missing", FOUND_BY)
def test_no_other_index_of_reports_is_read_in_its_place(missing):
    found = conditions(without=[missing])

    assert sorted(name for name, _ in found) == sorted(FOUND_BY.keys() - {missing})
    assert all(FOUND_BY[name] in condition for name, condition in found)
