"""The pool: a connection that the server has closed meanwhile is never given out."""

import psycopg
from sqlalchemy import text

from geoapp.store import session


def whoami():
    with session.glance() as db:
        return db.execute(text("SELECT pg_backend_pid()")).scalar_one()


def test_a_connection_that_was_closed_behind_our_back_is_replaced_before_it_is_used(database, db_url):
    # Of several connections the pool would give out one after the other.
    database.dispose()
    first = whoami()
    assert whoami() == first

    with psycopg.connect(db_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [first])
        while other.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [first]).fetchone()[0]:
            pass

    assert whoami() != first
