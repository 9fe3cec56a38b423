"""One new issue after the other, and many at the same time, against a bare INSERT: ``./run bench write [--rows N]``.

A report is stored with verdict, history, counts, deadline and who told it, and is on the disk when it is answered.
"""

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from uuid import uuid4
from zoneinfo import ZoneInfo

import numpy as np
import psycopg

from geoapp.config import Settings
from geoapp.domain.calendar import WorkCalendar
from geoapp.domain.reports import Reporter, Submission
from geoapp.domain.values import ANONYMOUS, Point
from geoapp.services import clocks, reports
from geoapp.store import session
from tests.bench._place import KINDS, Burnt, fill, place
from tests.bench._report import Goal, Options, Series, cores, options, tell

LIMIT, US = "bare INSERT", "ours"
ZONE = ZoneInfo("Asia/Shanghai")
SINGLE, PROCESSES, SECONDS = 300, 4, 10.0
BARE = """
    CREATE TABLE bench_bare (id uuid PRIMARY KEY, category text, title text, at timestamptz DEFAULT now(),
                             geom geometry(Point, 4326))
"""


def main(argv: Sequence[str]) -> None:
    asked = options(argv, rows=100_000)
    with place() as (settings, url):
        measure(asked, settings, url)


def measure(asked: Options, settings: Settings, url: str) -> dict[str, Series]:
    """In a database that has categories and no issues; without peers."""
    fill(asked.rows)
    calendar = clocks.read_calendar(settings.calendar_file, ZONE)
    series = {way: Series() for way in (LIMIT, US)}
    with psycopg.connect(url, autocommit=True) as bare:
        bare.execute("DROP TABLE IF EXISTS bench_bare")
        bare.execute(BARE)
        for nth in range(SINGLE * asked.rounds):
            lon, lat = some_place(nth)
            began = time.perf_counter()
            bare.execute(
                "INSERT INTO bench_bare (id, category, title, geom) "
                "VALUES (%s, %s, 'new', ST_SetSRID(ST_MakePoint(%s, %s), 4326))",
                [uuid4(), KINDS[nth % 4], lon, lat],
            )
            series[LIMIT].seconds.append(time.perf_counter() - began)
            began = time.perf_counter()
            one(nth, calendar)
            series[US].seconds.append(time.perf_counter() - began)
        bare.execute("DROP TABLE bench_bare")
    spent = Burnt().of(lambda: [one(nth, calendar) for nth in range(SINGLE)]) / SINGLE
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        done = list(pool.map(many, [url] * PROCESSES, [calendar] * PROCESSES, range(PROCESSES), [SECONDS] * PROCESSES))
    goals = [
        Goal("5: p95 against a bare INSERT", 3, series[US].at(95) / series[LIMIT].at(95), at_most=True),
        Goal(f"5: issues a second, from {PROCESSES} processes on {cores()} cores", 500, sum(done)),
    ]
    tell("write", asked, series, goals, processor_ms_for_each=round(spent * 1000, 2))
    return series


def one(nth: int, calendar: WorkCalendar) -> None:
    lon, lat = some_place(nth)
    told = Submission(uuid4(), KINDS[nth % 4], Point(lon, lat), Reporter(uuid4().hex), title=f"New {nth}")
    reports.submit(ANONYMOUS, told, prefix="QJ", now=datetime.now(UTC), calendar=calendar)


def many(url: str, calendar: WorkCalendar, first: int, seconds: float) -> float:
    """In a process of its own: so many in a second."""
    session.connect(url, pool_size=1, prepared=True)
    one(first, calendar)
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        one(first * 1_000_000 + done, calendar)
        done += 1
    rate = done / (time.perf_counter() - began)
    session.disconnect()
    return rate


def some_place(nth: int) -> tuple[float, float]:
    """In and around a town."""
    random = np.random.default_rng(nth)
    return float(random.normal(106.65, 0.012)), float(random.normal(29.02, 0.012))


if __name__ == "__main__":
    main(sys.argv[1:])
