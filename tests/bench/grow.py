"""From a million issues to ten: what answers then take, what they fill, and what a million updates leave behind.

``./run bench grow [--rows N]``. The first tenth is made as in the other measurements and measured; the others are
copies of these, each moved by up to a kilometre. Tiles are made anew; lists are asked at their beginning and deep
inside; a new issue goes the whole way of a report over HTTP.
"""

import random
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from urllib.parse import quote
from zoneinfo import ZoneInfo

from sqlalchemy import text

from geoapp.config import Settings
from geoapp.store import counts, issues, loading, session
from tests.bench import _peers
from tests.bench._place import fill, place, vacuum
from tests.bench._report import Client, Goal, Options, Series, options, tell
from tests.bench.tiles import renew, sizes, some_tiles

TILES, QUESTIONS = 60, 20
UPDATES, PORTION = 1_000_000, 50_000
SEARCHES = ("Issue 12345", "QJ-2026-0001234", "dumping", "Issue 99")
COPY = """
    INSERT INTO issue (id, number, category_code, title, severity, privacy, source, geom, public_geom, placed_by, state,
                       level, reported_at, updated_at, community_verdict, verdict, judged_on)
    SELECT gen_random_uuid(), 'QJ-2025-' || lpad((:begin + row_number() OVER ())::text, 8, '0'), category_code, title,
           severity, privacy, source, place, place, placed_by, state, level, reported_at, updated_at, community_verdict,
           verdict, judged_on
    FROM (SELECT *, ST_Translate(geom, (random() - 0.5) * 0.02, (random() - 0.5) * 0.02) AS place FROM issue
          WHERE number LIKE 'QJ-2026-%' LIMIT :count) AS first
"""
UPDATE = """
    UPDATE issue SET severity = 1 + severity % 4, updated_at = now(), version = version + 1
    WHERE id IN (SELECT id FROM issue TABLESAMPLE SYSTEM (:percent) LIMIT :most)
"""


def main(argv: Sequence[str]) -> None:
    asked = options(argv, rows=10_000_000, rounds=1)
    with place() as (settings, url):
        measure(asked, settings, url)


def measure(asked: Options, settings: Settings, url: str) -> dict[str, Series]:
    """In a database that has categories and no issues."""
    told: dict[str, object] = {}
    with ExitStack() as running:
        few = asked.rows // 10
        fill(few)
        us, port = running.enter_context(_peers.ours(settings, url, GEOAPP_REPORTS_PER_HOUR="1000000"))
        series = {f"{way}, {few:,}": one for way, one in answers(us, few).items()}
        began = time.perf_counter()
        multiply(asked.rows, few)
        told["nine tenths loaded in s"] = round(time.perf_counter() - began)
        many = answers(us, few)
        series |= {f"{way}, {asked.rows:,}": one for way, one in many.items()}
        told |= {"workers hold MB": round(sum(_peers.weights(port))), **sizes(), "database_mb": database_mb()}
        told |= updates(min(UPDATES, asked.rows))
    goals = [
        Goal(f"1: p95 of {way} against a tenth of the issues", 1.5, one.at(95) / series[f"{way}, {few:,}"].at(95),
             at_most=True)
        for way, one in many.items()
    ]  # fmt: skip
    tell("grow", asked, series, goals, **told)
    return series


def answers(us: Client, few: int) -> dict[str, Series]:
    tiles = some_tiles(TILES if few > 1000 else 6)
    found = {way: Series() for way in ("tiles", "lists", "lists deep inside", "searches", "one new issue")}
    chance = random.Random(5)  # noqa: S311 - chance that can be had again
    for z, x, y in tiles:
        us.get(f"/tiles/issues/{z}/{x}/{y}.mvt")
    renew()
    for z, x, y in tiles:
        us.timed(found["tiles"], f"/tiles/issues/{z}/{x}/{y}.mvt")
    deep = deep_inside(few)
    for nth in range(QUESTIONS):
        us.timed(found["lists"], f"/api/issues?limit=50&state={('open', 'solved')[nth % 2]}")
        us.timed(found["lists deep inside"], f"/api/issues?limit=50&after={deep}")
        us.timed(found["searches"], f"/api/issues?limit=20&q={quote(SEARCHES[nth % len(SEARCHES)])}")
        began = time.perf_counter()
        sent = {
            "category": "road.broken-sidewalk", "title": f"Kerb {chance.random()}",
            "lat": chance.uniform(28.5, 29.2), "lon": chance.uniform(106.4, 107),
        }  # fmt: skip
        status, body = us.post("/api/issues", sent)
        found["one new issue"].seconds.append(time.perf_counter() - began)
        if status >= 300:
            raise RuntimeError(f"a report is answered {status}: {body}")
    return found


def deep_inside(few: int) -> str:
    """The place in the list after half of the issues, as ``next`` would say it."""
    with session.snapshot() as db:
        row = db.execute(
            text("SELECT id, reported_at, due_at FROM issue ORDER BY reported_at DESC, id DESC OFFSET :half LIMIT 1"),
            {"half": few // 2},
        ).one()
    return issues._token(row, by_deadline=False)


def multiply(rows: int, few: int) -> None:
    """Nine copies of the first tenth, with indexes made anew and everything counted."""
    with session.bulk() as db, loading.indexes_after(db):
        for done in range(few, rows, few):
            db.execute(text(COPY), {"begin": done, "count": few})
        counts.rebuild(db, ZoneInfo("Asia/Shanghai"))
    vacuum()


def updates(many: int) -> dict[str, object]:
    """What so many updates take, and how much larger table and indexes are before and after the next vacuum."""
    before = pages()
    began = time.perf_counter()
    for _ in range(0, many, PORTION):
        with session.bulk() as db:
            db.execute(text(UPDATE), {"percent": 100 * min(1, PORTION * 4 / many), "most": PORTION})
    took = time.perf_counter() - began
    after = pages()
    began = time.perf_counter()
    vacuum()
    return {
        "updates": many, "updates took s": round(took), "vacuum took s": round(time.perf_counter() - began),
        "table grew by": f"{after[0] / before[0] - 1:.1%}", "indexes grew by": f"{after[1] / before[1] - 1:.1%}",
    }  # fmt: skip


def pages() -> tuple[int, int]:
    """Sizes of the table of issues and of its indexes, in bytes."""
    with session.snapshot() as db:
        row = db.execute(text("SELECT pg_table_size('issue'), pg_indexes_size('issue')")).one()
    return int(row[0]), int(row[1])


def database_mb() -> int:
    with session.snapshot() as db:
        return int(db.execute(text("SELECT pg_database_size(current_database()) / 1048576")).scalar_one())


if __name__ == "__main__":
    main(sys.argv[1:])
