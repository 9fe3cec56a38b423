"""The command line: parses, calls one service, prints. What fails on purpose becomes one line and exit 1.

Heavy imports stand inside the commands, so that ``--help`` and ``stop`` answer at once.
"""

import errno
import fcntl
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from geoapp import __version__, config, pgserver, words
from geoapp.config import Settings
from geoapp.errors import BadInput, BadSetting, GeoAppError, ServerTrouble

ROAM = 50
"""How many ports after its own ``demo`` tries."""
STOP_S = 30
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Commands(click.Group):
    """A failure that we raise on purpose is one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BadInput as error:
            why = f"{error.field}: {words.say('en', f'reason.{error.reason}', **error.params)}"
        except GeoAppError as error:
            why = " ".join(str(error).split())
        click.echo(f"geoapp: {why}", err=True)
        return ctx.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Community infrastructure issues on a map: whose they are, who does the work, who checks it."""
    # An end by signal must pass through the `with` blocks, which stop the private server.
    for request in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(request, _leave)


def _leave(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


# --- the database and the web server ---


@main.command()
def init() -> None:
    """Make the database, bring it to this version, load categories and file layers."""
    settings = config.read()
    with _database(settings):
        _prepare(settings)


@main.command()
@click.option("--host", help="Address to listen on, instead of GEOAPP_HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on, instead of GEOAPP_PORT.")
def serve(host: str | None, port: int | None) -> None:
    """Serve the map until Ctrl-C."""
    settings = config.read()
    with _database(settings) as url:
        _require_schema()
        _serve(settings, url, host=host or settings.host, port=settings.port if port is None else port, roam=0)


@main.command()
@click.option("--host", help="Address to listen on, instead of GEOAPP_HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="First port to try, instead of GEOAPP_PORT.")
def demo(host: str | None, port: int | None) -> None:
    """Make everything, load the demonstration place where it is missing, and serve it."""
    settings = config.read()
    with _database(settings) as url:
        _prepare(settings)
        _load_demo(settings)
        _serve(settings, url, host=host or settings.host, port=settings.port if port is None else port, roam=ROAM)


def _load_demo(settings: Settings) -> None:
    from geoapp.demo import load  # noqa: PLC0415
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415

    with _progress("Loading the demonstration place") as progress:
        loaded = load(OPERATOR, settings, now=datetime.now(UTC), progress=progress)
    click.echo("The demonstration place is loaded." if loaded else "The demonstration place is there.")


@main.command()
def stop() -> None:
    """Stop the web server and the private database of this clone."""
    settings = config.read()
    stopped = [address for address, _ in _webs(settings.data_dir)]
    for _, file in _webs(settings.data_dir):
        _end_web(file)
    if pgserver.stop(settings):
        stopped.append("the private database")
    click.echo(f"Stopped {', '.join(stopped)}." if stopped else "Nothing was running.")


@main.command()
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
    for address, _ in _webs(settings.data_dir):
        click.echo(f"Web server:  {address}")


@main.command()
def doctor() -> None:
    """Examine everything the app needs; say what to do about what is wrong."""
    from geoapp.services.doctor import Server, examine  # noqa: PLC0415

    settings = config.read()
    before = pgserver.status(settings)
    versions = tuple((programs.version, programs.postgis) for programs in pgserver.find_programs())
    web = tuple(address for address, _ in _webs(settings.data_dir))
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


@main.command()
def version() -> None:
    """Print the version of the app."""
    click.echo(__version__)


# --- what an operator brings in ---


@main.group()
def boundaries() -> None:
    """Places and jurisdictions: who lies where, and who is responsible there."""


@boundaries.command("import")
@click.argument("file", type=FILE)
@click.option("--kind", required=True, type=click.Choice(["community", "street", "jurisdiction", "district"]))
@click.option("--name", required=True, help="Field with the name.")
@click.option("--code", required=True, help="Field with the code, which stays the same from version to version.")
@click.option("--name-en", help="Field with the English name.")
@click.option("--parent", help="Field with the code of the place above.")
@click.option("--unit", help="Field with the code of the responsible unit (jurisdictions).")
@click.option("--unit-name", help="Field with the name of the responsible unit.")
@click.option("--categories", default="", help="Codes of the categories that count, with commas; default: all.")
@click.option("--evidence", default="", help="What the jurisdictions are founded on.")
@click.option("--reach", "reach_m", type=float, help="Metres beside a line for which its unit is responsible.")
@click.option("--crs", help="Coordinate system, if the file does not state it: EPSG:n or gcj02.")
@click.option("--origin", default="", help="Whom to credit on the map; default: the file's name.")
@click.option("--valid-from", type=click.DateTime(["%Y-%m-%d"]), help="First day of this version.")
@click.option("--dry-run", is_flag=True, help="Read, check and report, but store nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def import_boundaries(file: Path, *, categories: str, valid_from: datetime | None, as_json: bool, **more: Any) -> None:
    """Bring in areas or lines from GeoJSON, GeoPackage, FlatGeobuf or a zipped Shapefile."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import boundaries as service  # noqa: PLC0415

    settings = config.read()
    with _database(settings), _progress(f"Importing {file.name}") as progress:
        _require_schema()
        report = service.import_file(
            OPERATOR,
            file,
            categories=tuple(code.strip() for code in categories.split(",") if code.strip()),
            valid_from=valid_from.date() if valid_from else None,
            today=_today(settings),
            progress=progress,
            **more,
        )
    _print(report, as_json=as_json)


@main.group()
def issues() -> None:
    """Issues from other systems, and whose they are."""


@issues.command("import")
@click.argument("files", type=FILE, nargs=-1, required=True, metavar="FILE...")
@click.option("--mapping", required=True, type=FILE, help="TOML file that says which column is what.")
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Where to write the rows not taken.")
@click.option("--dry-run", is_flag=True, help="Read, check and report, but store nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def import_issues(
    files: tuple[Path, ...], mapping: Path, *, rejects: Path | None, dry_run: bool, as_json: bool
) -> None:
    """Bring in issues from CSV or GeoJSON; the same file again changes nothing."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import imports  # noqa: PLC0415

    settings = config.read()
    with _database(settings), _progress("Importing issues") as progress:
        _require_schema()
        report = imports.import_files(
            OPERATOR,
            files,
            mapping,
            today=_today(settings),
            now=datetime.now(UTC),
            zone=settings.zone,
            number_prefix=settings.number_prefix,
            dry_run=dry_run,
            rejects=rejects or Path(f"{files[0].stem}.rejects.csv"),
            progress=progress,
        )
    _print(report, as_json=as_json)


@issues.command("judge")
def judge_issues() -> None:
    """Judge again whose every issue is: after boundaries whose first day was in the future have begun."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import judging  # noqa: PLC0415

    settings = config.read()
    with _database(settings):
        _require_schema()
        changed = judging.judge_all(OPERATOR, today=_today(settings))
    click.echo(f"{changed} verdicts changed.")


@main.group()
def layers() -> None:
    """The layer files of the map."""


@layers.command("check")
def check_layers() -> None:
    """Read every layer file; the first wrong one is named with its key."""
    from geoapp.services import layers as service  # noqa: PLC0415

    for layer in service.read(config.read().layers_dir):
        click.echo(f"{layer.id}: {layer.title.en}")


def _print(report: Any, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        for line in report.lines():
            click.echo(line)


def _today(settings: Settings) -> date:
    return datetime.now(settings.zone).date()


@contextmanager
def _progress(what: str) -> Iterator[Callable[..., None]]:
    """A function (done, total) that draws a bar on a terminal; elsewhere a line says what takes its time."""
    if not sys.stderr.isatty():
        click.echo(f"{what} …", err=True)
        yield lambda *_, **__: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total=None, *_: bar.update(task, completed=done, total=total)


# --- the database ---


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    """A running database that ``store.session`` is connected to."""
    from geoapp.store import session  # noqa: PLC0415

    with pgserver.running(settings) as url:
        session.connect(url)
        try:
            yield url
        finally:
            session.disconnect()


def _prepare(settings: Settings) -> None:
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import categories, layers  # noqa: PLC0415
    from geoapp.store import schema, session  # noqa: PLC0415

    changed = schema.migrate(session.engine())
    categories.sync(OPERATOR, settings.categories_file)
    layers.sync_files(settings)
    click.echo("The database is brought to this version." if changed else "The database is up to date.")


def _require_schema() -> None:
    from geoapp.store import schema, session  # noqa: PLC0415

    if not schema.at_head(session.engine()):
        raise ServerTrouble("the database is not of this version: run `geoapp init`")


# --- the web server ---


def _serve(settings: Settings, url: str, *, host: str, port: int, roam: int) -> None:
    """Serve in the foreground until a signal; the workers connect for themselves."""
    from geoapp.services import layers  # noqa: PLC0415
    from geoapp.store import session  # noqa: PLC0415

    # A wrong layer file is one line here; in a worker it would be a traceback for each of them.
    layers.read(settings.layers_dir)
    session.disconnect()
    listener = _listen(host, port, roam=roam)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}/"
    parent = os.getpid()
    with _registered(settings.data_dir, address):
        try:
            _web_server(settings, url, listener.detach(), address).run()
        except SystemExit as end:
            # A worker that ends comes out here too; taking leave and stopping the database is its parent's.
            if os.getpid() != parent:
                os._exit(end.code if isinstance(end.code, int) else 1)
            raise


def _web_server(settings: Settings, url: str, fd: int, address: str) -> Any:
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped] # noqa: PLC0415

    class WebServer(BaseApplication):  # type: ignore[misc] # gunicorn has no types
        def load_config(self) -> None:
            for name, value in {
                "bind": f"fd://{fd}",
                "workers": settings.workers,
                "threads": settings.threads,
                "worker_class": "gthread",
                "timeout": 60,
                "graceful_timeout": STOP_S - 10,
                "loglevel": "warning",
                "proc_name": "geoapp",
                "control_socket_disable": True,
                "when_ready": lambda _: click.echo(f"The map is at {address} (Ctrl-C stops it)"),
            }.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            from geoapp.app import create_app  # noqa: PLC0415

            return create_app(settings, url)

    return WebServer()


def _listen(host: str, port: int, *, roam: int) -> socket.socket:
    """The bound socket. Bound here and handed over, so that nobody can take the port in between."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + roam, 65535) + 1):
        try:
            return socket.create_server((host, candidate), family=family, backlog=256)
        except OSError as error:
            last = error
            if error.errno != errno.EADDRINUSE:
                break
    name = "GEOAPP_PORT" if last.errno in {errno.EADDRINUSE, errno.EACCES} else "GEOAPP_HOST"
    raise BadSetting(name, f"cannot listen on {host}:{port}: {os.strerror(last.errno or 0)}") from last


@contextmanager
def _registered(folder: Path, address: str) -> Iterator[None]:
    """Leave word of this web server for ``stop`` and ``status``.

    The lock says that it lives, and ends with it however it ends; a process number alone may be a stranger's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"web-{os.getpid()}.lock"
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write(f"{os.getpid()} {address}")
        held.flush()
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


def _webs(folder: Path) -> list[tuple[str, Path]]:
    """The web servers that live, as (address, file); files of dead ones are swept away."""
    living = []
    for file in sorted(folder.glob("web-*.lock")):
        if _is_held(file):
            living.append((file.read_text().partition(" ")[2], file))
        else:
            file.unlink(missing_ok=True)
    return living


def _is_held(file: Path) -> bool:
    try:
        with file.open() as asked:
            fcntl.flock(asked, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False


def _end_web(file: Path) -> None:
    pid = int(file.read_text().partition(" ")[0])
    for request in (signal.SIGTERM, signal.SIGKILL):
        os.kill(pid, request)
        end = time.monotonic() + STOP_S
        while time.monotonic() < end:
            if not _is_held(file):
                return
            time.sleep(0.1)
