"""Making the database, serving the map, and saying how things stand."""

import ctypes
import errno
import gc
import os
import signal
import socket
import time
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from geoapp import __version__, config, pgprograms, pgserver
from geoapp.cli.beside import Beside, beside
from geoapp.cli.ground import database, is_held, living, prepare, progress, registered, require_room, require_schema
from geoapp.config import Settings
from geoapp.errors import BadSetting, ServerTrouble

ROAM = 50
"""How many ports after its own ``demo`` tries."""
STOP_S = 30
M_ARENA_MAX = -8
"""The number that glibc's ``mallopt`` knows it by."""


@click.command()
def init() -> None:
    """Make the database, bring it to this version, load categories and file layers."""
    settings = config.read()
    with database(settings):
        prepare(settings)


@click.command()
@click.option("--host", help="Address to listen on, instead of GEOAPP_HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on, instead of GEOAPP_PORT.")
def serve(host: str | None, port: int | None) -> None:
    """Serve the map until Ctrl-C."""
    settings = config.read()
    with database(settings) as url:
        require_schema()
        _serve(settings, url, host=host or settings.host, port=settings.port if port is None else port, roam=0)


@click.command()
@click.option("--host", help="Address to listen on, instead of GEOAPP_HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="First port to try, instead of GEOAPP_PORT.")
def demo(host: str | None, port: int | None) -> None:
    """Make everything, load the demonstration place where it is missing, and serve it."""
    settings = config.read()
    with database(settings) as url:
        prepare(settings)
        _load_demo(settings)
        _serve(settings, url, host=host or settings.host, port=settings.port if port is None else port, roam=ROAM)


def _load_demo(settings: Settings) -> None:
    from geoapp.demo import load, people, visits  # noqa: PLC0415
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import clocks  # noqa: PLC0415

    with progress("Loading the demonstration place") as shown:
        loaded = load(OPERATOR, settings, now=datetime.now(UTC), progress=shown)
    secret = people.password(settings.data_dir)
    people.invite(OPERATOR, secret)
    calendar = clocks.read_calendar(settings.calendar_file, settings.zone)
    visits.arrange(OPERATOR, now=datetime.now(UTC), calendar=calendar)
    click.echo("The demonstration place is loaded." if loaded else "The demonstration place is there.")
    logins = ", ".join(one.login for one in people.EVERYBODY)
    click.echo(f"Sign in at /sign-in as {logins}; password {secret}")


@click.command()
def stop() -> None:
    """Stop the web server and the private database of this clone."""
    settings = config.read()
    stopped = [address for address, _ in living(settings.data_dir, "web")]
    # The web servers first: each ends the worker beside it, and would start it again.
    for kind in ("web", "work"):
        for told, file in living(settings.data_dir, kind):
            _end(file)
            stopped += [f"the worker ({told})"] if kind == "work" else []
    if pgserver.stop(settings):
        stopped.append("the private database")
    click.echo(f"Stopped {', '.join(stopped)}." if stopped else "Nothing was running.")


@click.command()
def status() -> None:
    """Say what is running and where."""
    settings = config.read()
    server = pgserver.status(settings)
    if server.private:
        state = f"running, process {server.pid}" if server.running else "stopped" if server.version else "not made yet"
        click.echo(f"Database:    private server, {state}")
        click.echo(f"Address:     {server.url}")
    else:
        click.echo("Database:    the one of GEOAPP_DATABASE_URL")
    click.echo(f"Data folder: {server.data_dir}")
    for kind, name in (("web", "Web server:"), ("work", "Worker:")):
        for told, _ in living(settings.data_dir, kind):
            click.echo(f"{name:12} {told}")


@click.command()
def doctor() -> None:
    """Examine everything the app needs; say what to do about what is wrong."""
    from geoapp.services.doctor import Server, examine  # noqa: PLC0415

    settings = config.read()
    before = pgserver.status(settings)
    versions = tuple((programs.version, programs.postgis) for programs in pgprograms.find_programs())
    web = tuple(address for address, _ in living(settings.data_dir, "web"))
    with ExitStack() as stack:
        url, trouble = None, ""
        if not before.private or before.version is not None:
            try:
                url = stack.enter_context(pgserver.running(settings))
            except ServerTrouble as error:
                trouble = str(error)
        findings = examine(settings, Server(versions, url, before.running, trouble, web))
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        click.echo(f"{'✓' if finding.ok else '✗'} {finding.name:{width}}  {finding.saw}")
        if not finding.ok:
            click.echo(f"  {'':{width}}  → {finding.advice}")
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)


@click.command()
def version() -> None:
    """Print the version of the app."""
    click.echo(__version__)


# --- the web server ---


def _serve(settings: Settings, url: str, *, host: str, port: int, roam: int) -> None:
    """Serve in the foreground until a signal; the workers connect for themselves."""
    from geoapp.services import layers  # noqa: PLC0415
    from geoapp.store import session  # noqa: PLC0415
    from geoapp.web import page, still  # noqa: PLC0415

    require_room(settings)
    still.prepare(page.static_folder(), settings.still_dir)
    # A wrong layer file is one line here; in a worker it would be a traceback for each of them.
    layers.read(settings.layers_dir)
    session.disconnect()
    listener = _listen(host, port, roam=roam)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}/"
    parent = os.getpid()
    with registered(settings.data_dir, "web", address), beside() as worker:
        try:
            _share_heaps()
            _web_server(settings, url, listener.detach(), address, worker).run()
        except SystemExit as end:
            # A worker that ends comes out here too; taking leave and stopping the database is its parent's.
            if os.getpid() != parent:
                os._exit(end.code if isinstance(end.code, int) else 1)
            raise


def _share_heaps() -> None:
    """Let the threads of a worker, which is forked from here, take memory from two heaps and not each from its own.

    glibc's own number is eight for each core, and none of them shrinks again. Other C libraries have one anyhow.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def _settle() -> None:
    """What a worker has loaded stays: who looks for garbage need not walk over it, 0.1 s each time."""
    gc.collect()
    gc.freeze()


def _web_server(settings: Settings, url: str, fd: int, address: str, worker: Beside) -> Any:
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped] # noqa: PLC0415
    from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped] # noqa: PLC0415

    class Keeper(Arbiter):  # type: ignore[misc] # gunicorn has no types
        """Looks after the worker in the round in which it looks after its own."""

        def manage_workers(self) -> None:
            super().manage_workers()
            worker.keep()

        def stop(self, graceful: bool = True) -> None:  # noqa: FBT001, FBT002 - gunicorn's own
            worker.leave()
            super().stop(graceful)

    class WebServer(BaseApplication):  # type: ignore[misc] # gunicorn has no types
        def load_config(self) -> None:
            for name, value in {
                "bind": f"fd://{fd}",
                "workers": settings.workers,
                "threads": settings.threads,
                "worker_class": "gthread",
                # Of a page on a slow line: a connection that is not made anew saves it a way there and back.
                "keepalive": 20,
                "timeout": 60,
                "graceful_timeout": STOP_S - 10,
                "loglevel": "warning",
                "proc_name": "geoapp",
                "control_socket_disable": True,
                "post_worker_init": lambda _: _settle(),
                "post_fork": lambda _server, _one: worker.forget(),
                "when_ready": lambda _: click.echo(f"The map is at {address} (Ctrl-C stops it)"),
            }.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            from geoapp.app import create_app  # noqa: PLC0415

            return create_app(settings, url)

        def run(self) -> None:
            Keeper(self).run()

    return WebServer()


def _listen(host: str, port: int, *, roam: int) -> socket.socket:
    """The bound socket. Bound here and handed over, so that nobody can take the port in between."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + roam, 65535) + 1):
        try:
            listener = socket.create_server((host, candidate), family=family, backlog=256)
            # Head and body go out one after the other; else the body waits 40 ms until the head is acknowledged.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            last = error
            if error.errno != errno.EADDRINUSE:
                break
        else:
            return listener
    name = "GEOAPP_PORT" if last.errno in {errno.EADDRINUSE, errno.EACCES} else "GEOAPP_HOST"
    raise BadSetting(name, f"cannot listen on {host}:{port}: {os.strerror(last.errno or 0)}") from last


def _end(file: Path) -> None:
    pid = int(file.read_text().partition(" ")[0])
    for request in (signal.SIGTERM, signal.SIGKILL):
        os.kill(pid, request)
        end = time.monotonic() + STOP_S
        while time.monotonic() < end:
            if not is_held(file):
                return
            time.sleep(0.1)
