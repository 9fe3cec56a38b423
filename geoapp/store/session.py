"""The engine, transactions, and the translation of database errors into ours.

Why module state? There is one database in a process; ``connect`` is called once by the composition
root (and by each test worker), and every use case then writes ``with transaction() as db:``.
"""

import re
import select
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from geoapp.errors import GeoAppError, ServerTrouble, Unavailable

STATEMENT_TIMEOUT_MS = 20_000
LOCK_TIMEOUT_MS = 3_000
POOL_WAIT_S = 5
COMPILED = 200
"""Statements kept ready for sending, some 30 kB each. Those of tiles come in hundreds of forms and are quickly made."""
NEVER = 2**31
"""As often as no statement is repeated on one connection."""

Line = psycopg.Connection[Any]
"""A connection as the driver knows it."""
Db = Session | Line
"""Whatever ``rows`` can ask."""

__all__ = [
    "Db", "Line", "Session", "Statement", "bulk", "connect", "directly", "disconnect", "driver", "engine", "glance",
    "line", "rows", "snapshot", "steady", "transaction",
]  # fmt: skip

_engine: Engine | None = None


def connect(url: str, *, pool_size: int = 5, prepared: bool = False) -> Engine:
    """Make the process's engine for ``postgresql://…``; nothing is opened before the first use.

    ``prepared`` says that the server is ours, or that what lies before it carries prepared statements.
    """
    global _engine  # noqa: PLW0603 - the one piece of module state, see above
    disconnect()
    url = url.replace("postgres://", "postgresql://", 1).replace("postgresql://", "postgresql+psycopg://", 1)
    _engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
        query_cache_size=COMPILED,
        connect_args={
            "connect_timeout": POOL_WAIT_S,
            # PgBouncer before 1.21 cannot carry prepared statements in transaction mode, and a generic plan
            # computes the tile's envelope for every row: planning each time is the faster and the safer way. Only
            # a ``Statement`` that asks for it is prepared, however often another is repeated.
            "prepare_threshold": NEVER if prepared else None,
            "application_name": "geoapp",
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} "
            "-c idle_in_transaction_session_timeout=60000 -c timezone=UTC -c jit=off",
        },
    )
    event.listen(_engine, "checkout", _is_open)
    return _engine


def _is_open(connection: Any, _record: object, _proxy: object) -> None:
    """Refuse a connection that the server has closed while nobody used it; the pool then makes another.

    A server that ends says so, and whatever has been said to an idle connection can be seen without asking: a ping
    would cost each request as long as half of its queries.
    """
    watched = select.poll()
    watched.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    if watched.poll(0):
        raise DisconnectionError("the server has closed the connection")


def disconnect() -> None:
    global _engine  # noqa: PLW0603
    if _engine is not None:
        _engine.dispose()
    _engine = None


def engine() -> Engine:
    if _engine is None:
        raise ServerTrouble("no database is connected")
    return _engine


@contextmanager
def transaction() -> Iterator[Session]:
    """One use case: committed at the end, rolled back by any exception."""
    with _ours(), Session(engine()) as db, db.begin():
        yield db


@contextmanager
def snapshot() -> Iterator[Session]:
    """Reads that must agree with each other: one unchanging, read-only view of the data."""
    with _ours(), Session(engine()) as db, db.begin():
        db.connection(execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})
        yield db


@contextmanager
def glance() -> Iterator[Session]:
    """Reads of which each stands for itself: without the words that begin and end a transaction."""
    with _ours(), engine().connect() as connection, Session(connection) as db:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        yield db


@contextmanager
def line() -> Iterator[Line]:
    """Reads of which each stands for itself, by ``rows`` alone."""
    with _ours():
        pooled = engine().raw_connection()
        try:
            connection: Any = pooled.driver_connection
            connection.autocommit = True
            yield connection
            connection.autocommit = False
        except BaseException:
            pooled.invalidate()
            raise
        finally:
            pooled.close()


@contextmanager
def directly() -> Iterator[Line]:
    """As ``transaction``, for a use case that asks by ``rows`` alone and so often that what a session takes counts."""
    with _ours():
        pooled = engine().raw_connection()
        connection: Any = pooled.driver_connection
        try:
            yield connection
            connection.commit()
        finally:
            if connection.closed:
                pooled.invalidate()
            # Back in the pool, where what was not committed is rolled back.
            pooled.close()


def driver(db: Session) -> Any:
    """The driver's connection below a session, within its transaction: for COPY, and for libraries that want one."""
    return db.connection().connection.driver_connection


class Statement:
    """SQL with binds as ``:name``, made ready for the driver once.

    It is for the few that are asked so often that what a session does around one counts: that takes as long again.
    ``prepared``: each connection lets the server keep parse and plan of it, where its engine may. For those alone
    whose best plan is the same whatever is bound, as where one row is written or found by its key.
    """

    def __init__(self, told: str, *, prepared: bool = False) -> None:
        places: dict[str, str] = {}
        self.sql = _BIND.sub(lambda bind: places.setdefault(bind[1], f"${len(places) + 1}"), told)
        self.binds = tuple(places)
        self.prepared = prepared


_BIND = re.compile(r"(?<![:\w]):([a-z]\w*)")


def rows(db: Db, statement: Statement, binds: Mapping[str, object]) -> list[Any]:
    """All rows of a statement, on a line or within a session."""
    cursor: Any = psycopg.RawCursor(driver(db) if isinstance(db, Session) else db, row_factory=namedtuple_row)
    given = [binds[name] for name in statement.binds]
    found: list[Any] = cursor.execute(statement.sql, given, prepare=statement.prepared or None, binary=True).fetchall()
    return found


@contextmanager
def bulk() -> Iterator[Session]:
    """A transaction that may take long, and wait for another such: no timeouts."""
    with transaction() as db:
        db.execute(text("SET LOCAL statement_timeout = 0"))
        db.execute(text("SET LOCAL lock_timeout = 0"))
        # Between two statements millions of rows may be added up.
        db.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        db.execute(text("SET LOCAL work_mem = '128MB'"))
        yield db


@contextmanager
def steady() -> Iterator[Session]:
    """A session that keeps one connection over several transactions, each begun with ``with db.begin():``.

    What the connection has locked for itself is free again at the end, however it ends.
    """
    with _ours(), engine().connect() as connection:
        try:
            with Session(connection) as db:
                yield db
        finally:
            # Not back into the pool: the next user would unknowingly hold the locks.
            connection.invalidate()


class _Undo(GeoAppError):
    """Not an error: how a transaction that is to be undone is left."""


@contextmanager
def undone() -> Iterator[Session]:
    """A long transaction of which nothing is kept: for seeing what a change would do."""
    try:
        with bulk() as db:
            yield db
            raise _Undo("undone")  # noqa: TRY301 - leaving the block is what rolls back
    except _Undo:
        pass


@contextmanager
def _ours() -> Iterator[None]:
    try:
        yield
    except GeoAppError:
        raise
    except PoolTimeout as error:
        raise Unavailable("all database connections are busy") from error
    except OperationalError as error:
        raise Unavailable(f"the database does not answer: {_first_line(error.orig)}") from error
    except psycopg.OperationalError as error:
        raise Unavailable(f"the database does not answer: {_first_line(error)}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable(f"the database went away: {_first_line(error.orig)}") from error
        raise


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
