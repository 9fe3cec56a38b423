"""The pool: a connection that the server has closed meanwhile is never given out."""

import psycopg
import pytest
from sqlalchemy import text

from geoapp.errors import Refused, Unavailable
from geoapp.store import session
from geoapp.store.session import Statement


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
        (row,) = session.rows(line, Statement("SELECT :n + 1 AS n, pg_backend_pid() AS pid"), {"n": 7})
        state = line.info.transaction_status
    with session.transaction() as db:
        (again,) = session.rows(db, Statement("SELECT pg_backend_pid() AS pid"), {})
        inside = db.connection().connection.driver_connection.info.transaction_status

    assert row.n == 8
    assert state == psycopg.pq.TransactionStatus.IDLE
    assert inside == psycopg.pq.TransactionStatus.INTRANS
    assert again.pid == row.pid


def test_a_line_that_breaks_is_told_of_as_one_error_of_ours_and_not_used_again(database):
    database.dispose()
    with pytest.raises(Unavailable), session.line() as line:
        session.rows(line, Statement("SELECT pg_terminate_backend(pg_backend_pid())"), {})

    assert whoami() > 0


@pytest.mark.usefixtures("clean")
def test_what_is_done_directly_is_kept_whole_or_not_at_all():
    count = Statement("INSERT INTO attempt (key, began_at) VALUES (:key, now()) RETURNING pg_backend_pid() AS pid")

    def done(*keys, refused=False):
        with session.directly() as db:
            pids = [session.rows(db, count, {"key": key})[0].pid for key in keys]
            if refused:
                raise Refused("blocked_zone", "lat")
        return pids

    (pid,) = done("kept")
    with pytest.raises(Refused):
        done("undone", refused=True)
    with pytest.raises(psycopg.IntegrityError):
        done("undone too", "kept")
    with session.transaction() as db:
        found = db.execute(text("SELECT key, pg_backend_pid() FROM attempt")).all()

    assert [tuple(row) for row in found] == [("kept", pid)]


def test_a_connection_that_breaks_while_it_is_used_directly_is_not_used_again(database):
    database.dispose()
    with pytest.raises(Unavailable), session.directly() as db:
        session.rows(db, Statement("SELECT pg_terminate_backend(pg_backend_pid())"), {})

    assert whoami() > 0


def test_a_statement_knows_its_binds_from_casts_and_tells_the_same_one_once():
    statement = Statement("SELECT :a, CAST(:b AS int), x::text, '10:30', :a FROM t WHERE c = :b_2")

    assert statement.sql == "SELECT $1, CAST($2 AS int), x::text, '10:30', $1 FROM t WHERE c = $3"
    assert statement.binds == ("a", "b", "b_2")
