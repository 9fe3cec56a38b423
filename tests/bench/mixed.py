"""Many at once for a long time: 20 reads and 5 writes a second over HTTP, and what it does to memory and database.

``./run bench mixed [--rows N] [--minutes M]``. Reads are tiles, lists, searches, the map page and pages of issues;
writes are reports from all over the district, and every fifth is a steward's edit of one of them.
"""

import argparse
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import text

from geoapp.config import Settings
from geoapp.domain.values import OPERATOR
from geoapp.services import accounts, keys
from geoapp.store import session
from tests.bench import _peers
from tests.bench._place import fill, place
from tests.bench._report import Client, Goal, Options, Series, tell
from tests.bench.tiles import some_tiles

READS, WRITES = 20, 5
READERS, WRITERS = 8, 4
SAMPLE_S = 10
WORDS = ("Issue", "Issue 12", "QJ-2026-0001", "sidewalk", "人行道")


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=30)
    told = parser.parse_args(argv)
    with place() as (settings, url):
        measure(Options(told.rows, peers=False, rounds=1, out=None), settings, url, minutes=told.minutes)


def measure(asked: Options, settings: Settings, url: str, *, minutes: float) -> dict[str, Series]:
    """In a database that has categories and no issues."""
    fill(asked.rows)
    with ExitStack() as running:
        # All reports of the measurement come from one address.
        us, port = running.enter_context(_peers.ours(settings, url, GEOAPP_REPORTS_PER_HOUR="1000000"))
        load = _Load(port, key=a_key(), until=time.monotonic() + 60 * minutes)
        tiles = some_tiles(200)
        ways: dict[str, Callable[[Client, random.Random], int]] = {
            "tile": lambda line, chance: line.get("/tiles/issues/{}/{}/{}.mvt".format(*chance.choice(tiles)))[0],
            "filtered tile": lambda line, chance: line.get(
                "/tiles/issues/{}/{}/{}.mvt?category=road&state=open".format(*chance.choice(tiles))
            )[0],
            "list": lambda line, _: line.get("/api/issues?limit=50")[0],
            "search": lambda line, chance: line.get(f"/api/issues?limit=20&q={quote(chance.choice(WORDS))}")[0],
            "map page": lambda line, _: line.get("/?lang=zh")[0],
            "issue page": lambda line, chance: line.get(f"/issues/QJ-2026-{chance.randrange(asked.rows):07}")[0],
        }
        load.begin(ways)
        weights, idle = watch(port, load)
        load.end()
        us.get("/readyz")
    early = max(weights[: max(1, len(weights) // 10)])
    late = max(weights[-max(1, len(weights) // 10) :])
    goals = [
        Goal("answers that were errors", 0, load.failed, at_most=True),
        Goal("connections left idle in a transaction for ten seconds", 0, idle, at_most=True),
        Goal("memory of all workers at the end against the first tenth", 1.05, late / early, at_most=True),
    ]
    tell("mixed", asked, load.series, goals, minutes=minutes, memory_mb=f"{early:.0f} → {late:.0f}",
         reads_per_second=round(load.rate("reads"), 1), writes_per_second=round(load.rate("writes"), 1),
         failures=dict(load.failures))  # fmt: skip
    return load.series


def watch(port: int, load: "_Load") -> tuple[list[float], int]:
    """The memory of all workers, sample by sample, and how often a connection was seen idle in a transaction."""
    weights: list[float] = []
    idle = 0
    while not load.over:
        time.sleep(min(SAMPLE_S, max(0.5, load.left / 20)))
        weights.append(sum(_peers.weights(port)))
        with session.glance() as db:
            idle += db.execute(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' "
                    "AND state_change < clock_timestamp() - interval '10 seconds'"
                )
            ).scalar_one()
    return weights, idle


class _Load:
    """Threads that ask at a steady rate; who falls behind does not catch up, so the rate is told as well."""

    def __init__(self, port: int, *, key: str, until: float) -> None:
        self._port, self._key, self._until, self._began = port, key, until, time.monotonic()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.series: dict[str, Series] = {}
        self.failures: Counter[str] = Counter()
        self._done: Counter[str] = Counter()

    @property
    def left(self) -> float:
        return self._until - time.monotonic()

    @property
    def over(self) -> bool:
        return self.left <= 0

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    def rate(self, kind: str) -> float:
        return self._done[kind] / (self._until - self._began)

    def begin(self, ways: dict[str, Callable[[Client, random.Random], int]]) -> None:
        names = list(ways)
        self.series = {name: Series() for name in [*names, "report", "edit"]}

        def read(line: Client, chance: random.Random, nth: int) -> None:  # noqa: ARG001
            name = chance.choice(names)
            self._time(name, "reads", lambda: ways[name](line, chance))

        def write(line: Client, chance: random.Random, nth: int) -> None:
            sent = {
                "category": "road.broken-sidewalk", "title": f"Kerb {chance.randrange(10**9)}",
                "lat": chance.uniform(28.5, 29.2), "lon": chance.uniform(106.4, 107),
            }  # fmt: skip
            numbers: list[str] = []

            def report() -> int:
                # As a phone does: what was not answered is sent again and counts once.
                once = {"Idempotency-Key": f"bench-{chance.getrandbits(128):032x}"}
                try:
                    status, body = line.post("/api/issues", sent, once)
                except ConnectionError:
                    line.close()
                    status, body = line.post("/api/issues", sent, once)
                if status < 300:
                    numbers.append(body["number"])
                return status

            self._time("report", "writes", report)
            if nth % 5 == 0 and numbers:
                self._time("edit", "writes", lambda: self._edit(line, numbers[0], chance))

        each = [(read, READERS / READS, READERS), (write, WRITERS / WRITES * 1.2, WRITERS)]
        for work, every, many in each:
            for nth in range(many):
                thread = threading.Thread(target=self._run, args=(work, every, nth), daemon=True)
                self._threads.append(thread)
                thread.start()

    def end(self) -> None:
        for thread in self._threads:
            thread.join(60)

    def _edit(self, line: Client, number: str, chance: random.Random) -> int:
        told = {"Authorization": f"Bearer {self._key}"}
        status, head, _ = line.get(f"/api/issues/{number}/work", told)
        if status != 200:
            return status
        told["If-Match"] = head["ETag"]
        return line.post(f"/api/issues/{number}/facts", {"severity": chance.randint(1, 4)}, told)[0]

    def _run(self, work: Callable[[Client, random.Random, int], None], every: float, nth: int) -> None:
        chance = random.Random(nth)  # noqa: S311 - chance that can be had again
        due = time.monotonic() + every * chance.random()
        count = 0
        with closing(Client(self._port)) as line:
            while not self.over:
                time.sleep(max(0, due - time.monotonic()))
                work(line, chance, count)
                count += 1
                due = max(due + every, time.monotonic())

    def _time(self, name: str, kind: str, ask: Callable[[], int]) -> None:
        began = time.perf_counter()
        try:
            status: Any = ask()
        except (OSError, ValueError, KeyError) as error:
            status = type(error).__name__
        took = time.perf_counter() - began
        with self._lock:
            self.series[name].seconds.append(took)
            self._done[kind] += 1
            if not isinstance(status, int) or status >= 400:
                self.failures[f"{name}: {status}"] += 1


def a_key() -> str:
    """Of a program that may do what a steward may."""
    accounts.add(OPERATOR, "bench", "bench", "paving stones 62")
    accounts.grant(OPERATOR, "bench", "administrator")
    accounts.grant(OPERATOR, "bench", "steward")
    return keys.make_for(OPERATOR, "bench", "bench", now=datetime.now(UTC))


if __name__ == "__main__":
    main(sys.argv[1:])
