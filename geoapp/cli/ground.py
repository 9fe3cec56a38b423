"""What the commands share: a running database, its schema, progress, and how a report is printed."""

import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from geoapp import pgserver
from geoapp.config import Settings
from geoapp.errors import BadSetting, ServerTrouble

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def print_report(report: Any, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        for line in report.lines():
            click.echo(line)


def today(settings: Settings) -> date:
    return datetime.now(settings.zone).date()


def is_a_terminal() -> bool:
    return sys.stderr.isatty()


@contextmanager
def progress(what: str) -> Iterator[Callable[..., None]]:
    """A function (done, total) that draws a bar on a terminal; elsewhere a line says what takes its time."""
    if not is_a_terminal():
        click.echo(f"{what} …", err=True)
        yield lambda *_, **__: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total=None, *_: bar.update(task, completed=done, total=total)


@contextmanager
def phases() -> Iterator[Callable[[str, int], None]]:
    """A function (what is done, of how many rows) that keeps one line of a terminal; elsewhere each phase is a line."""
    if not is_a_terminal():
        told: set[str] = set()

        def tell(what: str, _: int) -> None:
            if what not in told:
                told.add(what)
                click.echo(f"{what} …", err=True)

        yield tell
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,} rows"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, rows: bar.update(task, description=what, completed=rows)


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """A running database that ``store.session`` is connected to."""
    from geoapp.store import outbox, session  # noqa: PLC0415

    outbox.offer(mail=settings.offers_mail)
    with pgserver.running(settings) as url:
        session.connect(url, prepared=settings.keeps_plans)
        try:
            yield url
        finally:
            session.disconnect()


def prepare(settings: Settings) -> None:
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import categories, counting, layers  # noqa: PLC0415
    from geoapp.store import schema, session  # noqa: PLC0415

    changed = schema.migrate(session.engine())
    categories.sync(OPERATOR, settings.categories_file)
    layers.sync_files(settings)
    counting.settle(OPERATOR, settings.zone)
    click.echo("The database is brought to this version." if changed else "The database is up to date.")


def require_schema() -> None:
    from geoapp.store import schema, session  # noqa: PLC0415

    if not schema.at_head(session.engine()):
        raise ServerTrouble("the database is not of this version: run `geoapp init`")


def require_room(settings: Settings) -> None:
    """Raises BadSetting where our pools could ask the database for more connections than it has."""
    from geoapp.store import schema, session  # noqa: PLC0415

    there = schema.room(session.engine())
    if settings.connections > there:
        raise BadSetting(
            "GEOAPP_WORKERS",
            f"{settings.workers} workers of {settings.threads} threads, the worker and a command may need "
            f"{settings.connections} connections, and the database has {there}: take fewer, or raise max_connections",
        )


@contextmanager
def registered(folder: Path, kind: str, told: str) -> Iterator[None]:
    """Leave word of this web server or worker for ``stop`` and ``status``.

    The lock says that it lives, and ends with it however it ends; a process number alone may be a stranger's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{kind}-{os.getpid()}.lock"
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write(f"{os.getpid()} {told}")
        held.flush()
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


def living(folder: Path, kind: str) -> list[tuple[str, Path]]:
    """Those of a kind that live, as (what they told, file); files of dead ones are swept away."""
    found = []
    for file in sorted(folder.glob(f"{kind}-*.lock")):
        if is_held(file):
            found.append((file.read_text().partition(" ")[2], file))
        else:
            file.unlink(missing_ok=True)
    return found


def is_held(file: Path) -> bool:
    try:
        with file.open() as asked:
            fcntl.flock(asked, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False
