"""A database and many made-up issues for measurements; nothing of it stays."""

import io
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import text

from geoapp import config, pgserver
from geoapp.config import Settings
from geoapp.demo import authorities, land
from geoapp.demo.stories import VERDICTS
from geoapp.domain.values import OPERATOR, PlaceKind
from geoapp.services import boundaries, categories, vectorfile
from geoapp.store import counts, loading, schema, session

TODAY = date(2026, 11, 20)
HEADER = "id,opened,type,state,title,lon,lat"
MAPPING = """
[source]
name = "bench"
released = true
[columns]
id = "id"
reported_at = "opened"
category = "type"
state = "state"
title = "title"
[coordinates]
form = "columns"
lon = "lon"
lat = "lat"
[states]
accepted = "accepted"
handling = "handling"
closed = "closed"
[categories.values]
"""
PORTION = 100_000
COPY = """
    COPY issue (id, number, category_code, title, severity, privacy, source, geom, public_geom, placed_by, state, level,
                reported_at, updated_at, community_verdict, verdict, judged_on) FROM STDIN
"""
MONTHS = 56
STATES = ("reported", "accepted", "handling", "done", "closed", "refused")
KINDS = ("road.broken-sidewalk", "waste.dumping-site", "light.missing-street-light", "water.flooded-road")


@contextmanager
def place() -> Iterator[tuple[Settings, str]]:
    """A private server with the boundaries and jurisdictions of the demonstration, and its address."""
    folder = Path(tempfile.mkdtemp(prefix="geoapp-bench-"))
    folder.chmod(0o755)
    settings = config.read({"GEOAPP_DATA_DIR": str(folder / "app")})
    try:
        with pgserver.running(settings) as url:
            schema.migrate(session.connect(url, prepared=settings.keeps_plans))
            categories.sync(OPERATOR, settings.categories_file)
            _boundaries()
            yield settings, url
            session.disconnect()
    finally:
        shutil.rmtree(folder)


def a_table(folder: Path, count: int) -> tuple[Path, Path]:
    """A CSV of so many issues over the district, half of them in the two towns, and its mapping."""
    random = np.random.default_rng(1)
    towns = np.array([(106.65, 29.02), (106.93, 28.96)])
    spread = np.column_stack([random.uniform(106.4, 107.0, count), random.uniform(28.5, 29.2, count)])
    crowded = towns[random.integers(2, size=count)] + random.normal(0, 0.012, (count, 2))
    points = np.where(random.random((count, 1)) < 0.5, crowded, spread)
    days = random.integers(0, 730, count)
    states = np.array(["closed", "closed", "accepted", "handling"])[random.integers(4, size=count)]
    newest = datetime(2026, 11, 19, tzinfo=UTC)
    file, mapping = folder / "issues.csv", folder / "bench.toml"
    with file.open("w", encoding="utf-8") as out:
        out.write(HEADER + "\n")
        for number in range(count):
            opened = (newest - timedelta(days=int(days[number]))).isoformat()
            lon, lat = points[number]
            out.write(f"{number},{opened},{KINDS[number % 4]},{states[number]},Issue {number},{lon:.6f},{lat:.6f}\n")
    mapping.write_text(MAPPING + "".join(f'"{kind}" = "{kind}"\n' for kind in KINDS), encoding="utf-8")
    return file, mapping


def fill(count: int, *, begin: int = 0, in_towns: float = 0.5) -> None:
    """Store so many issues as ``a_table`` describes them, but at once and without judging them; and count them.

    Their numbers go on after ``begin``; ``in_towns`` is the share of them that crowds in the two towns.
    """
    random = np.random.default_rng(1 + begin)
    towns = np.array([(106.65, 29.02), (106.93, 28.96)])
    newest = datetime(2026, 11, 19, tzinfo=UTC)
    done, count = begin, begin + count
    with session.bulk() as db, loading.indexes_after(db):
        while done < count:
            some = min(PORTION, count - done)
            spread = np.column_stack([random.uniform(106.4, 107.0, some), random.uniform(28.5, 29.2, some)])
            crowded = towns[random.integers(2, size=some)] + random.normal(0, 0.012, (some, 2))
            points = np.where(random.random((some, 1)) < in_towns, crowded, spread)
            minutes = random.integers(0, MONTHS * 30 * 1440, some)
            states = random.choice(STATES, some, p=(0.2, 0.1, 0.15, 0.05, 0.45, 0.05))
            verdicts = random.choice(("clear", "near", "contested", "orphan"), some, p=(0.7, 0.1, 0.1, 0.1))
            out = io.StringIO()
            for nth, number in enumerate(range(done, done + some)):
                at = (newest - timedelta(minutes=int(minutes[nth]))).isoformat()
                point = f"SRID=4326;POINT({points[nth, 0]:.6f} {points[nth, 1]:.6f})"
                told = (
                    UUID(int=number + 1), f"QJ-2026-{number:07}", KINDS[number % 4], f"Issue {number}", 2, "public",
                    "import", point, point, "import", states[nth], "community", at, at, "clear", verdicts[nth], TODAY,
                )  # fmt: skip
                out.write("\t".join(map(str, told)) + "\n")
            connection: Any = db.connection().connection.driver_connection
            with connection.cursor() as cursor, cursor.copy(COPY) as copy:
                copy.write(out.getvalue())
            done += some
        counts.rebuild(db, ZoneInfo("Asia/Shanghai"))
    vacuum()


def vacuum() -> None:
    """What the housekeeping of the database would do in a while."""
    with session.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE issue"))
        connection.execute(text("VACUUM ANALYZE count_block"))


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Burnt:
    """Seconds of processor that this process and the private server take for something: others may use the machine."""

    def __init__(self) -> None:
        with session.snapshot() as db:
            backend = db.execute(text("SELECT pg_backend_pid()")).scalar_one()
        self._server = int(_stat(backend)[1])

    def of(self, work: Callable[[], object]) -> float:
        before = self._sum()
        work()
        return self._sum() - before

    def _sum(self) -> float:
        """Children that have ended count in their parent; those that live are asked."""
        ticks = sum(map(int, _stat(self._server)[11:15]))
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                stat = _stat(folder.name)
            except OSError:
                continue
            if int(stat[1]) == self._server:
                ticks += sum(map(int, stat[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK") + time.process_time()


def _stat(process: int | str) -> list[str]:
    """Fields of /proc/N/stat from the third on: state, parent, …; the second may hold blanks."""
    return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def _boundaries() -> None:
    data = config.shipped("layers") / "data"
    district = vectorfile.read(data / "qijiang_district.geojson", crs="gcj02").features[0].geometry
    if district is None:
        raise RuntimeError("the district has no shape")
    drawn = land.draw(district, data / "qijiang_places.csv")
    made = authorities.appoint(drawn, fixed=VERDICTS)
    boundaries.store_all(
        OPERATOR,
        places=[cell.as_place(PlaceKind.STREET) for cell in drawn.streets.values()]
        + [cell.as_place(PlaceKind.COMMUNITY) for cell in drawn.communities.values()],
        units=made.units,
        jurisdictions=made.jurisdictions,
        today=TODAY,
    )
