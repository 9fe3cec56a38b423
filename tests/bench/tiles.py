"""Vector tiles of issues over HTTP, against bare SQL and tipg: ``./run bench tiles [--rows N] [--no-peers] [--out F]``.

Tiles of zoom 8 to 16 around issues at random, by one connection, in turns: the pyramid's bare SQL, ours made anew,
filtered, kept, and answered with 304, tipg without a cap, and tipg with its cap of 10,000 (which drops the rest).
"""

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
import psycopg
from sqlalchemy import text

from geoapp.config import Settings
from geoapp.domain import counts
from geoapp.domain.tiles import Tile
from geoapp.store import session
from tests.bench import _peers
from tests.bench._place import fill, place
from tests.bench._report import Client, Goal, Options, Series, median_ratio, options, tell, throughput

TILES = 60
CAP = 10_000
FILTER = "category=road&state=open&from=2024-03-01&to=2026-08-31"
BLOCK = """
    SELECT cell, kind, split, entries FROM count_block
    WHERE zoom = %(at)s AND cell >= %(first)s AND cell < %(behind)s AND kind = '*'
"""
LOG = """
    SELECT cell, category, month, state_group, n, contested, orphan, x, y FROM count_change
    WHERE cell >= %(a)s AND cell < %(b)s
"""
POINTS = """
    SELECT ST_AsMVT(t, 'issues', 4096, 'geom') FROM (
        SELECT number, state, verdict, category_code,
               ST_AsMVTGeom(public_3857, ST_MakeEnvelope(%(w)s, %(s)s, %(e)s, %(n)s, 3857), 4096, 0, false) AS geom
        FROM issue WHERE public_cell >= %(a)s AND public_cell < %(b)s) AS t
"""


def main(argv: Sequence[str]) -> None:
    asked = options(argv, rows=1_000_000)
    with place() as (settings, url):
        measure(asked, settings, url)


def measure(asked: Options, settings: Settings, url: str) -> dict[str, Series]:
    """In a database that has categories and no issues."""
    with ExitStack() as running:
        loaded = time.perf_counter()
        fill(asked.rows)
        loaded = time.perf_counter() - loaded
        chosen = some_tiles(TILES if asked.rows > 10_000 else 6)
        us, _ = running.enter_context(_peers.ours(settings, url))
        peers: dict[str, Client] = {}
        if asked.peers:
            _peers.slim()
            peers["tipg, all"] = running.enter_context(_peers.tipg(url, most=10_000_000))
            peers["tipg, at most 10,000"] = running.enter_context(_peers.tipg(url, most=CAP))
        bare = running.enter_context(psycopg.connect(url, autocommit=True, prepare_threshold=None))
        ways = ("bare SQL of the pyramid", "ours, made anew", "ours, filtered", "ours, kept", "ours, 304", *peers)
        series = {way: Series() for way in ways}
        for z, x, y in chosen:
            us.get(f"/tiles/issues/{z}/{x}/{y}.mvt")
        for _ in range(asked.rounds):
            renew()
            turn(chosen, us, bare, peers, series)
        tell("tiles", asked, series, goals(series, peers), loaded_in_s=round(loaded, 1), **sizes())
        return series


def turn(
    chosen: Sequence[tuple[int, int, int]], us: Client, bare: "psycopg.Connection[tuple[object, ...]]",
    peers: dict[str, Client], series: dict[str, Series],
) -> None:  # fmt: skip
    """All tiles by one way, then by the next.

    Tile by tile, each of ours would follow 28 MB of a peer's, and find nothing of its own in the processor's cache.
    """
    for z, x, y in chosen:
        began = time.perf_counter()
        size = pyramid(bare, z, x, y)
        series["bare SQL of the pyramid"].seconds.append(time.perf_counter() - began)
        series["bare SQL of the pyramid"].bytes.append(size)
    paths = [f"/tiles/issues/{z}/{x}/{y}.mvt" for z, x, y in chosen]
    tags = [us.timed(series["ours, made anew"], path)["ETag"] for path in paths]
    for path in paths:
        us.timed(series["ours, filtered"], f"{path}?{FILTER}")
    for path in paths:
        us.timed(series["ours, kept"], path)
    for path, tag in zip(paths, tags, strict=True):
        us.timed(series["ours, 304"], path, {"If-None-Match": tag})
    for name, peer in peers.items():
        cap = CAP if name.endswith("10,000") else 10_000_000
        for z, x, y in chosen:
            peer.timed(series[name], f"/collections/bench.slim/tiles/WebMercatorQuad/{z}/{x}/{y}?limit={cap}")


def goals(series: dict[str, Series], peers: dict[str, Client]) -> list[Goal]:
    fresh, bare = series["ours, made anew"], series["bare SQL of the pyramid"]
    found = [
        Goal("1: p95 against bare SQL of the pyramid", 2, fresh.at(95) / bare.at(95), at_most=True),
        Goal("2: filtered against unfiltered, median", 2, median_ratio(series["ours, filtered"], fresh), at_most=True),
        Goal("2: filtered against unfiltered, in all", 2, throughput(fresh, series["ours, filtered"]), at_most=True),
    ]
    if peers:
        capped = series["tipg, at most 10,000"]
        found += [
            Goal("1: as fast as tipg, all, ×", 35, throughput(fresh, series["tipg, all"])),
            Goal("1: as fast as tipg, at most 10,000, ×", 10, throughput(fresh, capped)),
            Goal("1: kept, as fast as tipg, at most 10,000, ×", 30, throughput(series["ours, kept"], capped)),
            Goal("1: 304, as fast as tipg, at most 10,000, ×", 30, throughput(series["ours, 304"], capped)),
        ]
    return found


def renew() -> None:
    """Nothing that was kept is of use any more."""
    with session.transaction() as db:
        db.execute(
            text(
                "INSERT INTO data_version (part, version) VALUES ('counts', 1) "
                "ON CONFLICT (part) DO UPDATE SET version = data_version.version + 1"
            )
        )


def some_tiles(number: int) -> list[tuple[int, int, int]]:
    """Tiles that hold something, at random: around issues, from the whole district down to a street."""
    random = np.random.default_rng(2)
    with session.snapshot() as db:
        points = db.execute(
            text("SELECT ST_X(public_3857), ST_Y(public_3857) FROM issue ORDER BY id LIMIT :n"), {"n": number}
        ).all()
    half = 20037508.342789244
    tiles = []
    for x, y in points:
        z = int(random.integers(8, 17))
        side = 2 * half / 2**z
        tiles.append((z, int((x + half) // side), int((half - y) // side)))
    return tiles


def pyramid(bare: "psycopg.Connection[tuple[object, ...]]", z: int, x: int, y: int) -> int:
    """What must be read at least: the block and the log, and where single issues are drawn, these."""
    cell = counts.morton(x, y)
    begin, end = counts.span(z, cell)
    row = bare.execute(BLOCK, {"at": z, "first": cell, "behind": cell + 1}, binary=True).fetchone()
    bare.execute(LOG, {"a": begin, "b": end}, binary=True).fetchall()
    body = row[3] if row else b""
    n = counts.total(counts.read(body)) if isinstance(body, bytes) else 0
    if n > (40 if z < 15 else 2000):
        return len(body) if isinstance(body, bytes) else 0
    bounds = Tile(z, x, y).bounds
    box = {"w": bounds.west, "s": bounds.south, "e": bounds.east, "n": bounds.north, "a": begin, "b": end}
    drawn = bare.execute(POINTS, box, binary=True).fetchone()
    return len(bytes(drawn[0])) if drawn else 0  # type: ignore[call-overload]


def sizes() -> dict[str, object]:
    """What it takes on the disk, in MB."""
    with session.snapshot() as db:
        found = db.execute(
            text(
                "SELECT relname, pg_total_relation_size(oid) FROM pg_class "
                "WHERE relname IN ('issue', 'count_block', 'ix_issue_public_cell') "
                "AND relnamespace = 'public'::regnamespace"
            )
        )
        return {f"{name}_mb": round(size / 2**20, 1) for name, size in found}


if __name__ == "__main__":
    main(sys.argv[1:])
