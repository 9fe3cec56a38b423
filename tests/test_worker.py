"""The worker as a process: what is to be told arrives once, however often a worker is killed."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from geoapp import pgserver
from geoapp.domain.values import OPERATOR
from geoapp.domain.workflow import Given
from geoapp.services import clocks, triage
from geoapp.store import outbox, session
from tests.builders import a_category, a_place, an_issue, square, store
from tests.mailbox import Mailbox, serve
from tests.test_cli import ROOT, environment, geoapp

pytestmark = pytest.mark.server
OTHER_HAND_S = 0.5
EVERY_LOOK_S = 20


@pytest.fixture
def box():
    opened = Mailbox()
    controller = serve(opened)
    yield opened
    controller.stop()


@pytest.fixture
def installation(further_database, tmp_path, box):
    """The settings of a database of its own, in which one issue is followed by many."""
    url = further_database(f"worker_{uuid4().hex[:8]}")
    session.connect(url)
    outbox.offer(mail=True)
    a_category()
    a_place("C1", square(106.64, 29.02))
    store(an_issue("1"))
    yield {
        "database_url": url,
        "data_dir": str(tmp_path),
        "smtp_url": f"smtp://{box.url}",
        "mail_from": "map@example.org",
        "public_url": "https://issues.example.org",
    }
    outbox.offer(mail=False)
    session.disconnect()


def tell(count):
    """Let so many follow the issue, and something happen to it; returns the Message-IDs that must arrive."""
    with session.transaction() as db:
        db.execute(
            text(
                "INSERT INTO follower (issue_id, id, email, lang, confirmed_at) SELECT i.id, gen_random_uuid(), "
                "'reader' || n || '@example.org', 'zh', now() FROM issue i, generate_series(1, :count) AS n"
            ),
            {"count": count},
        )
    calendar = clocks.read_calendar(ROOT / "layers/data/calendar.toml", ZoneInfo("Asia/Shanghai"))
    triage.act(
        OPERATOR, str(an_issue("1").id), "shelve", Given(note="no money"), version=1, now=datetime.now(UTC),
        calendar=calendar,
    )  # fmt: skip
    with session.snapshot() as db:
        ids = db.execute(text("SELECT id FROM notice")).scalars().all()
    return {f"<{one}@issues.example.org>" for one in ids}


@contextmanager
def workers():
    """Starts workers, and ends at the end those that still live."""
    started = []

    def start(settings):
        process = subprocess.Popen(
            [sys.executable, "-m", "geoapp", "work"], cwd=ROOT, env=environment(settings), stdout=subprocess.DEVNULL
        )
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait()


def waiting():
    with session.snapshot() as db:
        return db.execute(text("SELECT count(*) FROM notice WHERE sent_at IS NULL")).scalar_one()


def jobs(status):
    with session.snapshot() as db:
        return db.execute(
            text("SELECT count(*) FROM procrastinate_jobs WHERE status = CAST(:status AS procrastinate_job_status)"),
            {"status": status},
        ).scalar_one()


def registered():
    with session.snapshot() as db:
        return db.execute(text("SELECT count(*) FROM procrastinate_workers")).scalar_one()


def silence():
    """Let it seem long since a worker that is gone has said that it lives; who lives will say so again."""
    with session.transaction() as db:
        db.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"))


def until(rule, timeout=60):
    end = time.monotonic() + timeout
    while not rule():
        assert time.monotonic() < end, "it does not come about"
        time.sleep(0.05)


class Killer:
    """Kills the worker at chosen moments of its conversation with the mail server, and starts another."""

    def __init__(self, start, settings, moments=(), box=None, first=lambda: None):
        self.start, self.settings, self.moments, self.box, self.first = start, settings, set(moments), box, first
        self.killed, self.seen, self.dead = [], {"RCPT": 0, "DATA": 0}, threading.Event()
        self.worker = start(settings)

    def __call__(self, step):
        self.seen[step] += 1
        if (step, self.seen[step]) in self.moments:
            # Here and now: nothing is answered yet, and what the server reads next is the end of the connection. The
            # worker's other hand, whose message may just have been taken, has time to put that on record first.
            time.sleep(OTHER_HAND_S)
            self.first()
            self.kill()
            if self.box:
                # Else the other hand's message, ended but not read yet, would be taken from one who is dead.
                self.box.hang_up()
            self.killed.append((step, self.seen[step]))
            self.dead.set()

    def kill(self):
        self.worker.send_signal(signal.SIGKILL)
        self.worker.wait()

    def again(self):
        if self.dead.is_set():
            self.dead.clear()
            self.worker = self.start(self.settings)


def test_a_worker_killed_in_mid_message_and_between_messages_loses_and_repeats_nothing(installation, box):
    expected = tell(40)
    # At RCPT the message before is done and on record; at DATA this one is begun and not ended.
    moments = {("RCPT", 4), ("DATA", 9), ("DATA", 10), ("RCPT", 22), ("DATA", 33)}

    with workers() as start:
        box.before = killer = Killer(start, installation, moments, box)
        until(lambda: killer.again() or waiting() == 0, timeout=120)

    assert set(killer.killed) == moments
    assert set(box.ids()) == expected
    assert set(box.ids().values()) == {1}


def test_workers_killed_at_any_moment_lose_nothing_and_repeat_at_most_one_each_under_the_same_name(installation, box):
    expected = tell(120)
    chance, kills = random.Random(20), 0  # noqa: S311 - moments, not secrets

    with workers() as start:
        killer = Killer(start, installation)
        while waiting():
            seen = len(box.messages)
            until(lambda seen=seen: len(box.messages) > seen or not waiting())
            time.sleep(chance.uniform(0, 0.12))
            if waiting() and kills < 8:
                killer.kill()
                kills += 1
                killer.worker = start(installation)

    assert kills >= 5
    assert set(box.ids()) == expected
    assert len(box.messages) - len(expected) <= kills


def test_a_worker_that_lives_takes_over_what_a_killed_one_had_in_hand(installation, box):
    expected = tell(30)

    with workers() as start:
        # Not from the beginning: a message of this one could be the fifth, and the other be killed at any moment.
        def first():
            start(installation)
            until(lambda: registered() == 2)

        box.before = killer = Killer(start, installation, {("DATA", 5)}, box, first)
        until(lambda: killer.killed)
        silence()
        until(lambda: waiting() == 0)
        until(lambda: jobs("doing") == 0)

    assert set(box.ids()) == expected
    assert set(box.ids().values()) == {1}


def test_a_worker_that_is_asked_to_leave_ends_what_it_has_in_hand_and_leaves_no_trace(installation, box):
    expected = tell(30)
    begun, go_on = threading.Event(), threading.Event()

    def before(step):
        # Two hands send: from one look to the next the third message may have become the fourth.
        if step == "DATA" and len(box.messages) >= 3 and not begun.is_set():
            begun.set()
            go_on.wait(20)

    box.before = before
    with workers() as start:
        worker = start(installation)
        assert begun.wait(60)
        asked = len(box.messages)
        worker.send_signal(signal.SIGTERM)
        time.sleep(1.5)
        go_on.set()
        code = worker.wait(20)
        sent = len(box.messages)
        told = geoapp("status", **installation).stdout
        doing, left = jobs("doing"), registered()
        start(installation)
        until(lambda: waiting() == 0)

    assert (code, doing, left) == (0, 0, 0)
    assert sent <= asked + 2, "it may have one in each of two hands"
    assert "Worker" not in told
    assert set(box.ids()) == expected
    assert set(box.ids().values()) == {1}


def test_mail_does_not_wait_for_the_next_look(installation, box):
    with workers() as start:
        start(installation)
        until(lambda: "Worker" in geoapp("status", **installation).stdout)
        until(registered)
        time.sleep(1)
        begun = time.monotonic()
        tell(1)
        box.wait_for(1)
        took = time.monotonic() - begun

    assert took < EVERY_LOOK_S / 2


def lose_the_database(folder):
    pid = int((folder / "pg" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGINT)
    until(lambda: not Path(f"/proc/{pid}").exists())


def lives():
    with session.snapshot() as db:
        fresh = "SELECT EXISTS (SELECT FROM procrastinate_workers WHERE last_heartbeat > now() - interval '3 seconds')"
        return db.execute(text(fresh)).scalar_one()


def test_a_worker_whose_database_goes_away_waits_for_it_and_leaves_when_asked(place):
    settings = {"data_dir": str(place.data_dir)}
    geoapp("init", **settings)
    with workers() as start:
        worker = start(settings)
        until(lambda: "Worker" in geoapp("status", **settings).stdout)
        time.sleep(1)
        lose_the_database(place.data_dir)
        time.sleep(2)
        session.connect(pgserver.start(place, fast=True))
        until(lives)
        session.disconnect()
        lose_the_database(place.data_dir)
        time.sleep(1)
        alive = worker.poll() is None
        worker.send_signal(signal.SIGTERM)
        code = worker.wait(20)

    assert alive
    assert code in {0, 128 + signal.SIGTERM}
