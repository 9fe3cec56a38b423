"""The worker beside or apart from the web server, and what became of the mail."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import click

from geoapp import config
from geoapp.cli.ground import database, registered, require_schema
from geoapp.config import Settings

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
STDIN = 0
AGAIN_S = 5
LATEST = 20


@click.command()
@click.option("--beside", is_flag=True, hidden=True, help="Leave when standard input ends: whoever started us is gone.")
def work(*, beside: bool) -> None:
    """Send mail and do the chores of the house until Ctrl-C; `serve` and `demo` run one of these by themselves."""
    settings = config.read()
    with database(settings) as url:
        require_schema()
        with registered(settings.data_dir, "work", f"process {os.getpid()}"):
            if not beside:
                click.echo("The worker is at work (Ctrl-C stops it)")
            _work(settings, url, beside=beside)


@click.group()
def notices() -> None:
    """The mail that is sent to followers and staff."""


@notices.command("list")
def list_notices() -> None:
    """Say how much mail waits, and what did not arrive and why."""
    from geoapp.services import notices as service  # noqa: PLC0415

    with database(config.read()):
        require_schema()
        count, failures = service.standing(limit=LATEST)
    since = f", the oldest since {count.oldest:%Y-%m-%d %H:%M} UTC" if count.oldest else ""
    click.echo(f"{count.waiting} wait{since}; {count.failed} failed.")
    for one in failures:
        what = "failed" if one.failed_at else f"tried {one.tries}×"
        click.echo(f"{one.number}  {one.kind:10} {one.who or one.recipient:16} {what:9} {one.error}")


@notices.command("retry")
def retry_notices() -> None:
    """Try again to send what was given up."""
    from geoapp.services import notices as service  # noqa: PLC0415

    with database(config.read()):
        require_schema()
        click.echo(f"{service.revive(now=datetime.now(UTC))} will be tried again.")


def _work(settings: Settings, url: str, *, beside: bool) -> None:
    """Work until a signal. A database that goes away is waited for."""
    from geoapp.errors import Unavailable  # noqa: PLC0415
    from geoapp.services import work as service  # noqa: PLC0415

    # They would tell at length and each second that a database is away; we say it in a line, once in a while.
    for name in ("psycopg.pool", "procrastinate.worker.worker"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    desk = service.Desk(settings, clock=lambda: datetime.now(UTC))
    before = {number: signal.getsignal(number) for number in ENDING}
    while True:
        try:
            if asyncio.run(_until_told(lambda stop: service.run(desk, url, stop), beside=beside)):
                return
        except Unavailable as error:
            click.echo(f"geoapp: {error}", err=True)
        finally:
            for number, former in before.items():
                signal.signal(number, former)
        time.sleep(AGAIN_S)


async def _until_told(working: Callable[[asyncio.Event], Awaitable[None]], *, beside: bool) -> bool:
    """Work until a signal, or until whoever started us is gone; False when the work has ended by itself."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in ENDING:
        loop.add_signal_handler(number, stop.set)
    if beside:

        def read() -> None:
            if not os.read(STDIN, 1):
                stop.set()
                loop.remove_reader(STDIN)

        loop.add_reader(STDIN, read)
    await working(stop)
    return stop.is_set()
