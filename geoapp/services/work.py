"""What the worker does and when: mail as soon as there is some, and the chores of the house at their times.

The queue is procrastinate's and lies in the database. A job is only a call to look: what is to be done stands in our
own tables, so a job that is lost, or done twice, changes nothing. A job of a worker that died is queued again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from psycopg_pool import PoolTimeout

from geoapp.config import Settings
from geoapp.errors import MailTrouble, Unavailable
from geoapp.services import accounts, counting, following, notices, own, photos, planning
from geoapp.store import analyses, versions
from geoapp.store.outbox import DELIVER, QUEUE
from geoapp.store.session import snapshot

log = logging.getLogger(__name__)
CHORES = "chores"
EVERY_TWENTY_SECONDS = "* * * * * */20"
EVERY_FIVE_MINUTES = "*/5 * * * *"
EVERY_HOUR = "17 * * * *"
HEARTBEAT_S, DEAD_S = 5, 20
"""How often a worker says that it lives, and after how much silence its jobs are another's."""
POOL_WAIT_S = 5
LEAVE_S = 1
"""How long a job may go on after the worker was asked to leave; then it ends after the message in hand."""


@dataclass(slots=True)
class Desk:
    """What the jobs need to know: the settings, and what time it is."""

    settings: Settings
    clock: Callable[[], datetime]
    trouble: str = field(default="", init=False)

    def deliver(self, leaving: Callable[[], bool]) -> None:
        """Send what waits. A mail server that is away is told once, and asked again at the next look."""
        way = notices.post(self.settings, now=self.clock())
        if way is None:
            return
        said = ""
        try:
            notices.deliver(way, clock=self.clock, leaving=leaving)
        except MailTrouble as trouble:
            said = str(trouble)
            if said != self.trouble:
                log.warning("no mail can be sent: %s", said)
        self.trouble = said

    def remind(self) -> None:
        notices.remind(now=self.clock())

    def fold(self) -> None:
        """Take the log of counts into its blocks; where much is written, readers do it in between."""
        while counting.fold():
            pass

    def analyse(self, key: str) -> None:
        planning.answer(key, zone=self.settings.zone)

    def tidy(self) -> None:
        """Forget what nobody needs: sessions, counters, followers, notices, reporters, files, kept results."""
        now = self.clock()
        accounts.sweep(now=now)
        following.sweep(now=now)
        notices.sweep(now=now)
        photos.sweep(self.settings.photos_dir, now=now)
        planning.sweep(now=now)
        if self.settings.keep_reporters_days:
            own.purge(self.settings.photos_dir, now=now, after=timedelta(days=self.settings.keep_reporters_days))


def queue(desk: Desk, url: str) -> App:
    """The queue with all its jobs, not opened yet."""
    app = App(connector=PsycopgConnector(conninfo=url, min_size=1, max_size=4, timeout=POOL_WAIT_S))

    @app.periodic(cron=EVERY_TWENTY_SECONDS, queueing_lock="look for mail")
    @app.task(name=DELIVER, queue=QUEUE, pass_context=True)
    def deliver(context: JobContext, timestamp: int | None = None) -> None:  # noqa: ARG001 - of the schedule
        desk.deliver(context.should_abort)

    @app.periodic(cron=EVERY_TWENTY_SECONDS, queueing_lock="pick up")
    @app.task(name="pick_up", queue=CHORES)
    async def pick_up(timestamp: int) -> None:  # noqa: ARG001
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_S):
            await app.job_manager.retry_job(job)

    @app.periodic(cron=EVERY_TWENTY_SECONDS, queueing_lock="fold")
    @app.task(name="fold", queue=CHORES)
    def fold(timestamp: int) -> None:  # noqa: ARG001
        desk.fold()

    @app.periodic(cron=EVERY_FIVE_MINUTES, queueing_lock="remind")
    @app.task(name="remind", queue=CHORES)
    def remind(timestamp: int) -> None:  # noqa: ARG001
        desk.remind()

    @app.periodic(cron=EVERY_HOUR, queueing_lock="tidy")
    @app.task(name="tidy", queue=CHORES)
    def tidy(timestamp: int) -> None:  # noqa: ARG001
        desk.tidy()

    @app.task(name=analyses.ANALYSE, queue=analyses.QUEUE)
    def analyse(key: str) -> None:
        desk.analyse(key)

    return app


async def run(desk: Desk, url: str, stop: asyncio.Event) -> None:
    """Work until ``stop``; then finish the message in hand and leave. Raises Unavailable when the database goes away.

    The connection must be to PostgreSQL itself, or to a pool that keeps whole sessions: the worker listens on it, and
    holds locks of it.
    """
    # Asked first, because the pool of the queue would try for half a minute and must not be disturbed in that.
    await asyncio.to_thread(_reach)
    app = queue(desk, url)
    try:
        async with app.open_async():
            # What a worker before us has left is not waited for until the next look.
            await app.configure_task(DELIVER, queue=QUEUE).defer_async()
            await _until(stop, app)
    except (ConnectorException, PoolTimeout) as error:
        if not stop.is_set():
            raise Unavailable(f"the queue does not answer: {error.__cause__ or error}") from error


async def _until(stop: asyncio.Event, app: App) -> None:
    """Work; when it is time to leave, the jobs that run come to their end."""
    working = asyncio.create_task(
        app.run_worker_async(
            concurrency=2,
            delete_jobs="successful",
            install_signal_handlers=False,
            shutdown_graceful_timeout=LEAVE_S,
            update_heartbeat_interval=HEARTBEAT_S,
            stalled_worker_timeout=DEAD_S,
        )
    )
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


def _reach() -> None:
    """Raises Unavailable when the database does not answer."""
    with snapshot() as db:
        versions.current(db)
