"""The pool: a connection that the server has closed meanwhile is never given out."""

import psycopg
import pytest
from sqlalchemy import text

from geoapp.errors import Unavailable
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


@pytest.mark.usefixtures("database")
def test_a_line_reads_without_a_transaction_and_gives_its_connection_back_as_it_was():
    with session.line() as line:
        (row,) = session.rows(line, "SELECT CAST(%(n)s AS bigint) AS n, pg_backend_pid() AS pid", {"n": 7})
        state = line.info.transaction_status
    with session.transaction() as db:
        (again,) = session.rows(db, "SELECT pg_backend_pid() AS pid, %(n)s AS n", {"n": 1})
        inside = db.connection().connection.driver_connection.info.transaction_status

    assert row.n == 7
    assert state == psycopg.pq.TransactionStatus.IDLE
    assert inside == psycopg.pq.TransactionStatus.INTRANS
    assert again.pid == row.pid


def test_a_line_that_breaks_is_told_of_as_one_error_of_ours_and_not_used_again(database):
    database.dispose()
    with pytest.raises(Unavailable), session.line() as line:
        session.rows(line, "SELECT pg_terminate_backend(pg_backend_pid())", {})

    assert whoami() > 0
