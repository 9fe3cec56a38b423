"""The ground of all tests: one private server per run, a migrated template, a clone per worker, a browser.

``db`` is for the store: a Session whose work is rolled back. ``clean`` is for everything that opens its
own transactions (services, web, browser): it empties the tables afterwards. Why not one outer transaction
for those too? ``snapshot()`` sets its own isolation level, a live server answers from other threads, and
commits are a part of what is tested; emptying only the tables that hold rows takes a few milliseconds.

What costs more than a test is made once per worker: connections (a new one loads PostGIS and its projections
anew), the app with its rules and templates.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from geoapp import config, pgserver
from geoapp.config import Settings
from geoapp.services import accounts
from geoapp.store import schema, session

CLONE = Path(__file__).resolve().parents[1]
MARK = hashlib.sha256(str(CLONE).encode()).hexdigest()[:10]
# The same engine without the windows around it, where Debian's package is installed: half the time.
CHROMIUM = next(filter(Path.is_file, (Path("/usr/bin/chromium-headless-shell"),)), Path("/usr/bin/chromium"))
KEPT = {"alembic_version", "spatial_ref_sys"}
LARGE = 512 * 2**10
"""Bytes from which on a table is truncated rather than emptied row by row."""
MOST_KEPT = 2
"""Idle connections that outlive a test: all workers together must not use up what the server allows."""
DEMO_NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
"""The demonstration place is filled as of this instant, so that its pages are the same on every day."""


# --- one server per run -------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """The controller (or the only process) owns the server's folder, and so ends the server for certain."""
    if hasattr(config, "workerinput"):
        config.geoapp_home = Path(config.workerinput["geoapp_home"])
        return
    _sweep()
    config.geoapp_home = Path(tempfile.mkdtemp(prefix=f"geoapp-tests-{MARK}-"))
    config.geoapp_home.chmod(0o755)
    (config.geoapp_home / "owner").write_text(str(os.getpid()))
    signal.signal(signal.SIGTERM, _interrupt)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["geoapp_home"] = str(node.config.geoapp_home)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and hasattr(config, "geoapp_home"):
        _remove(config.geoapp_home)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _sweep() -> None:
    """End what a run that was killed has left."""
    for home in Path(tempfile.gettempdir()).glob(f"geoapp-tests-{MARK}-*"):
        owner = home / "owner"
        if not owner.is_file() or not Path("/proc", owner.read_text() or "0").is_dir():
            _remove(home)


def _remove(home: Path) -> None:
    pgserver.stop(_server_settings(home))
    shutil.rmtree(home, ignore_errors=True)


def _server_settings(home: Path) -> Settings:
    # Room for the connections of all workers together, also for those that outlive a test.
    return config.read({"GEOAPP_DATA_DIR": str(home), "GEOAPP_WORKERS": "24"})


def _worker(config: pytest.Config) -> str:
    return getattr(config, "workerinput", {}).get("workerid", "only")


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One worker at a time: starting, migrating and cloning need a template that nobody uses."""
    with (home / "workers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class _Server:
    home: Path
    url: str
    worker: str

    def admin(self, statement: str) -> None:
        engine = session.connect(self.url_of("postgres"))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(statement))
        session.disconnect()

    def url_of(self, name: str) -> str:
        return self.url.replace("@/geoapp?", f"@/{name}?")

    def clone(self, template: str, name: str = "") -> str:
        """This worker's own copy of a template; the caller holds the lock."""
        name = f"{name or template}_{self.worker}"
        self.admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.admin(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url_of(name)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> _Server:
    """The run's server: the first who asks starts it and migrates the template (the database ``geoapp``)."""
    home = request.config.geoapp_home
    worker = _worker(request.config)
    with _alone(home):
        url = pgserver.start(_server_settings(home), fast=True)
        if not (home / "migrated").exists():
            schema.migrate(engine := session.connect(url))
            _offer_to_empty(engine)
            session.disconnect()
            (home / "migrated").touch()
    return _Server(home, url, worker)


@pytest.fixture(scope="session")
def empty_database(server: _Server) -> Callable[[str], str]:
    """Makes a further database without any table, for tests that migrate by themselves."""

    def make(name: str) -> str:
        server.admin(f"CREATE DATABASE {name}_{server.worker}")
        return server.url_of(f"{name}_{server.worker}")

    return make


@pytest.fixture(scope="session")
def further_database(server: _Server) -> Callable[[str], str]:
    """Makes a further migrated database, for tests that share one costly filling."""

    def make(name: str) -> str:
        with _alone(server.home):
            return server.clone("geoapp", name)

    return make


@pytest.fixture
def place() -> Iterator[Settings]:
    """Settings with a data directory of their own, which user postgres can enter; its server ends with the test."""
    folder = Path(tempfile.mkdtemp(prefix="geoapp-server-"))
    folder.chmod(0o755)
    settings = config.read({"GEOAPP_DATA_DIR": str(folder / "app")})
    yield settings
    pgserver.stop(settings)
    shutil.rmtree(folder)


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Hashing a password is slow on purpose, and no test is about how slow."""
    real = accounts._hasher
    accounts._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    yield
    accounts._hasher = real


# --- a database per worker ----------------------------------------------------------------------


@pytest.fixture(scope="session")
def db_url(server: _Server) -> str:
    with _alone(server.home):
        return server.clone("geoapp")


@pytest.fixture(scope="session", autouse=True)
def _kept_connections(request: pytest.FixtureRequest) -> Iterator[None]:
    """``session.connect`` gives the engines that most tests use out again, with what they have opened and compiled."""
    real, kept = (session.connect, session.disconnect), {}
    ours, worker = str(request.config.geoapp_home), _worker(request.config)
    shared = {f"/geoapp_{worker}", f"/demo_{worker}"}

    def connect(url: str, *, pool_size: int = 5, prepared: bool = False) -> Engine:
        disconnect()
        if prepared or ours not in url or urlsplit(url).path not in shared:
            return real[0](url, pool_size=pool_size, prepared=prepared)
        if (url, pool_size) not in kept:
            kept[url, pool_size] = real[0](url, pool_size=pool_size)
        session._engine = kept[url, pool_size]
        return session._engine

    def disconnect() -> None:
        engine = session._engine
        if engine not in kept.values():
            real[1]()
        elif engine.pool.checkedin() > MOST_KEPT:
            engine.dispose()
        session._engine = None

    session.connect, session.disconnect = connect, disconnect
    yield
    session.connect, session.disconnect = real
    for engine in kept.values():
        engine.dispose()


@pytest.fixture
def database(db_url: str) -> Iterator[Engine]:
    """``store.session`` is connected to this worker's migrated, empty database."""
    engine = session.connect(db_url)
    yield engine
    session.disconnect()
    assert engine.pool.checkedout() == 0, "a connection was not given back"


@pytest.fixture
def db(database: Engine) -> Iterator[Session]:
    """A Session whose work nobody sees and nothing remains of."""
    with Session(database) as opened:
        yield opened
        opened.rollback()


@pytest.fixture
def clean(database: Engine) -> Iterator[Engine]:
    """For whatever commits: all tables are empty before and after."""
    from geoapp.services import places

    yield database
    with database.begin() as connection:
        connection.execute(text("SELECT empty_everything()"))
    # Versions begin again with the empty tables.
    places.forget()


def _offer_to_empty(engine: Engine) -> None:
    """Puts a function into the template that empties all tables and lets all numbers begin anew.

    A few rows are deleted, without the triggers that protect them: a truncated table and each of its indexes is a
    new file. Dead rows are cleared away when a table has grown.
    """
    from geoapp.models import everything

    names = [table.name for table in everything().sorted_tables if table.name not in KEPT]
    names += ["procrastinate_events", "procrastinate_jobs", "procrastinate_periodic_defers", "procrastinate_workers"]
    each = "".join(
        f"IF pg_relation_size('{name}') > {LARGE} THEN TRUNCATE {name} CASCADE; "  # noqa: S608
        f"ELSIF EXISTS (SELECT FROM {name}) THEN DELETE FROM {name}; END IF;\n"
        for name in names
    )
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE FUNCTION empty_everything() RETURNS void LANGUAGE plpgsql "
            f"SET session_replication_role = replica SET lock_timeout = 0 AS $$ BEGIN\n{each}"
            "PERFORM setval(s.seqrelid, s.seqstart, false) FROM pg_sequence s WHERE "
            "pg_sequence_last_value(s.seqrelid) IS NOT NULL; END $$"
        )


# --- the app on it ------------------------------------------------------------------------------


@pytest.fixture
def settings(db_url: str, tmp_path: Path) -> Settings:
    return config.read({"GEOAPP_DATABASE_URL": db_url, "GEOAPP_DATA_DIR": str(tmp_path)})


@pytest.fixture
def app(settings: Settings, clean: Engine) -> Iterator[Any]:  # noqa: ARG001 - it empties what the app stores
    yield from _application(settings)


@pytest.fixture
def client(app: Any) -> Any:
    return app.test_client()


@pytest.fixture
def live_server(app: Any) -> Iterator[str]:
    """The address of the app, served from a thread of this process."""
    with serving(app) as address:
        yield address


@pytest.fixture(scope="session")
def demo_database(server: _Server) -> str:
    """The address of this worker's copy of the demonstration place: read it, change nothing."""
    with _alone(server.home):
        if not (server.home / "demo").exists():
            server.admin("DROP DATABASE IF EXISTS demo WITH (FORCE)")
            server.admin("CREATE DATABASE demo TEMPLATE geoapp")
            fill_demo(server.url_of("demo"), server.home)
            (server.home / "demo").touch()
        return server.clone("demo")


def fill_demo(url: str, home: Path) -> None:
    """Fills the demonstration place, as of ``DEMO_NOW``, into a migrated database."""
    from geoapp import demo
    from geoapp.domain.values import OPERATOR
    from geoapp.services import categories, layers

    settings = config.read({"GEOAPP_DATABASE_URL": url, "GEOAPP_DATA_DIR": str(home)})
    session.connect(url)
    categories.sync(OPERATOR, settings.categories_file)
    layers.sync_files(settings)
    demo.load(OPERATOR, settings, now=DEMO_NOW, progress=lambda *_: None)
    session.disconnect()


@pytest.fixture
def demo_app(settings: Settings, demo_database: str, server: _Server) -> Iterator[Any]:
    # Its photos lie where the demonstration was filled; they too are only read.
    yield from _application(replace(settings, database_url=demo_database, data_dir=server.home))


@pytest.fixture
def demo_client(demo_app: Any) -> Any:
    return demo_app.test_client()


@pytest.fixture
def demo_server(demo_app: Any) -> Iterator[str]:
    with serving(demo_app) as address:
        yield address


def _application(settings: Settings) -> Iterator[Any]:
    """The one app of this process, as it was made, in the place of these settings."""
    from geoapp.app import create_app, move_in

    if not _made:
        app = create_app(settings)
        _made.extend((app, dict(app.config)))
    app, config = _made
    app.config.clear()
    app.config.update(config)
    move_in(app, settings)
    yield app
    session.disconnect()


_made: list[Any] = []


class _Counted:
    """The app, and how many requests it is answering: one that outlives its test would keep a connection."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._running = 0
        self._changed = threading.Condition()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        # An answer is made in full before it is sent; sending it may wait for a page that Back keeps frozen.
        self._count(1)
        try:
            return self._app(environ, start_response)
        finally:
            self._count(-1)

    def _count(self, by: int) -> None:
        with self._changed:
            self._running += by
            self._changed.notify_all()

    def rest(self) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._running == 0, timeout=20), "a request does not end"


@contextmanager
def serving(app: Any) -> Iterator[str]:
    from werkzeug.serving import make_server

    counted = _Counted(app)
    web = make_server("127.0.0.1", 0, counted, threaded=True)
    web.daemon_threads = True
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{web.server_port}"
    web.shutdown()
    thread.join()
    counted.rest()
    web.server_close()


# --- the browser --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium, told to speak to nobody but us."""
    quiet = (
        "--no-sandbox --disable-background-networking --disable-component-update --disable-sync "
        "--no-first-run --disable-default-apps --disable-domain-reliability --disable-client-side-phishing-detection "
        "--metrics-recording-only --no-pings --disable-dev-shm-usage --password-store=basic "
        "--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication"
    )
    return {**browser_type_launch_args, "executable_path": str(CHROMIUM), "args": quiet.split()}


@dataclass
class Watch:
    """Listens to a page; ``complaints`` is what a good page never gives cause for."""

    expected_statuses: set[int] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def attach(self, page: Any) -> Any:
        page.add_init_script(
            "addEventListener('securitypolicyviolation', e => "
            "console.error('CSP violation: ' + e.violatedDirective + ' ' + e.blockedURI))"
        )
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.on("request", self._request)
        page.on("response", self._response)
        return page

    def _console(self, message: Any) -> None:
        # Chromium repeats a refused answer on the console; whether it was expected is judged by its status.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _request(self, request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob", "about"} and address.hostname != "127.0.0.1":
            self.complaints.append(f"foreign request: {request.url}")

    def _response(self, response: Any) -> None:
        if response.status >= 400 and response.status not in self.expected_statuses:
            self.complaints.append(f"HTTP {response.status}: {response.url}")


@pytest.fixture
def watch() -> Iterator[Watch]:
    """``watch.attach(page)`` for pages of one's own contexts; the test fails if any of them complains."""
    watching = Watch()
    yield watching
    assert watching.complaints == []


@pytest.fixture
def strict_page(watch: Watch, page: Any) -> Any:
    """A page that fails the test on errors, refused answers, foreign requests and CSP violations."""
    return watch.attach(page)
