"""The command line: parses, calls one service, prints. What fails on purpose becomes one line and exit 1.

Heavy imports stand inside the commands, so that ``--help`` and ``stop`` answer at once.
"""

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

from geoapp import __version__, config, pgserver
from geoapp.config import Settings
from geoapp.errors import BadSetting, GeoAppError, ServerTrouble

ROAM = 50
"""How many ports after its own ``demo`` tries."""
STOP_S = 30
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Commands(click.Group):
    """A failure that we raise on purpose is one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GeoAppError as error:
            click.echo(f"geoapp: {' '.join(str(error).split())}", err=True)
            ctx.exit(1)


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
    from geoapp import demo as place  # noqa: PLC0415
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415

    with _progress("Loading the demonstration place") as progress:
        loaded = place.load(OPERATOR, settings, now=datetime.now(UTC), progress=progress)
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
@click.option("--reach", type=float, help="Metres beside a line for which its unit is responsible.")
@click.option("--crs", help="Coordinate system, if the file does not state it: EPSG:n or gcj02.")
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
def import_issues(files: tuple[Path, ...], mapping: Path, *, rejects: Path | None, dry_run: bool, as_json: bool) -> None:
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
