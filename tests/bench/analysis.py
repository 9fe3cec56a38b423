"""The analyses against the libraries of the field, in turns: ``./run bench analysis [--rows N] [--out FILE]``.

Reading from the database, hot spots, DBSCAN, density and trends of ``N`` made-up issues (default 1,000,000). Where a
library would take minutes it works on a part, and the line says so. Seconds are medians of rounds in turns by the clock
on the wall; cpu is what this process worked, over all its threads, and the server process that it asked.
"""

import argparse
import json
import os
import resource
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import text

from geoapp.domain.spatial import association, clusters, density, grid, hotspots, trends
from geoapp.domain.spatial.projection import metres_for
from geoapp.domain.values import OPERATOR, IssueFilter
from geoapp.services import snapshots
from geoapp.store import session
from tests.bench._place import place

ROUNDS = 3
SLICES = 56
CELL, REACH, LEAST, WIDTH = 250.0, 100.0, 10, 500.0
FEW = 100_000
GOALS = {"reading": 2.0, "hot spots": 0.3, "DBSCAN": 3.0, "density": 0.3, "trends": 1.5}
INSERT = """
    INSERT INTO issue (id, number, category_code, title, severity, privacy, source, geom, public_geom, placed_by, state,
        level, reported_at, updated_at, community_verdict, verdict, judged_on, candidate_ids, helping_unit_ids,
        text_released, history_seq, history_hash, synthetic)
    SELECT gen_random_uuid(), 'B-' || n, 'waste.dumping-site', 'Issue', 2, 'public', 'import', at, at, 'import',
        (ARRAY['closed', 'accepted', 'handling'])[1 + n % 3], 'community', day, day, 'clear', 'clear', '2026-11-20',
        '{}', '{}', true, 0, '', true
    FROM (SELECT n, ST_SetSRID(ST_MakePoint(x, y), 4326) AS at, timestamptz '2022-04-01' + d * interval '1 day' AS day
          FROM unnest(CAST(:x AS float8[]), CAST(:y AS float8[]), CAST(:d AS int[]))
              WITH ORDINALITY AS t (x, y, d, n)) AS made
"""
CLUSTER_SQL = """
    SELECT count(*) FROM (SELECT ST_ClusterDBSCAN(ST_Transform(geom, 4545), CAST(:reach AS float8), CAST(:least AS int))
    OVER () AS c FROM (SELECT geom FROM issue ORDER BY id LIMIT :few) AS part) AS found WHERE c IS NOT NULL
"""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--out", type=Path, help="write all figures as JSON into this file")
    asked.add_argument("--no-database", action="store_true", help="without reading and PostGIS, which need a filling")
    chosen = asked.parse_args()
    warnings.simplefilter("ignore")
    lon, lat, days = made_up(chosen.rows)
    lines: list[dict[str, Any]] = []
    say(f"{chosen.rows:,} issues; medians of {ROUNDS} rounds in turns")
    say(f"{'analysis':10}  {'way':38}  {'seconds':>9}  {'ratio':>7}  {'cpu':>9}  goal")
    if chosen.no_database:
        compute(lines, lon, lat, days)
    else:
        with place():
            fill(lon, lat, days)
            turns(lines, "reading", {"geoapp": (read, 1.0), "rows of psycopg": (by_rows, 1.0)})
            compute(lines, lon, lat, days, database=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"largest memory of the process, libraries and all: {peak:,.0f} MiB")
    if chosen.out:
        chosen.out.write_text(json.dumps({"rows": chosen.rows, "peak_mib": peak, "lines": lines}, indent=2))


def compute(lines: list[dict[str, Any]], lon: Any, lat: Any, days: Any, *, database: bool = False) -> None:
    """Our functions have been warmed up once before; then each takes its turn with the libraries."""
    xy = metres_for(float(np.median(lon)), float(np.median(lat))).metres(lon, lat)
    bounds = (*xy.min(axis=0).tolist(), *xy.max(axis=0).tolist())
    net = grid.over(bounds, CELL)
    ones, kernel = np.ones((net.rows, net.columns)), grid.ring(net)

    def hot_spots() -> Any:
        return hotspots.on_grid(grid.counts(grid.cells_of(xy, net), net), ones, kernel)

    hot_spots()
    ours = peak_mib()
    turns(lines, "hot spots", {"geoapp": (hot_spots, 1.0), "esda, analytic": (lambda: esda(xy, net, kernel), 1.0)})
    some = min(FEW, len(xy))
    part = xy[np.random.default_rng(4).permutation(len(xy))[:some]]
    others = {f"scikit-learn, {some:,}": (lambda: scikit(part), 1.0)}
    if database:
        others[f"PostGIS, {some:,}"] = (lambda: postgis(some), 1.0)
    turns(
        lines,
        "DBSCAN",
        {
            "geoapp": (lambda: clusters.dbscan(xy, within_m=REACH, least=LEAST), 1.0),
            f"geoapp, {some:,}": (lambda: clusters.dbscan(part, within_m=REACH, least=LEAST), 1.0),
            **others,
        },
    )
    if database and len(xy) > some:
        # Half a minute, and hardly any noise: once.
        turns(lines, "DBSCAN", {"geoapp": (lambda: clusters.dbscan(xy, within_m=REACH, least=LEAST), 1.0),
                                "PostGIS, all": (lambda: postgis(len(xy)), 1.0)}, rounds=1)  # fmt: skip
    wide = (bounds[0] - 3 * WIDTH, bounds[1] - 3 * WIDTH, bounds[2] + 3 * WIDTH, bounds[3] + 3 * WIDTH)
    turns(
        lines,
        "density",
        {
            "geoapp": (lambda: density.surface(xy, WIDTH, wide), 1.0),
            "KDEpy FFT": (lambda: kdepy(xy, wide), 1.0),
            "scipy, 64 x 64, 10,000 points": (lambda: scipy_kde(part[:10_000], wide), 1.0),
        },
    )
    slot = (days * SLICES // (days.max() + 1)).astype(np.int64)

    def emerging() -> Any:
        cube = grid.cube(grid.cells_of(xy, net), slot, net, SLICES)
        found = hotspots.on_grid(cube, ones, kernel)
        return trends.classes(found.verdict, trends.mann_kendall(found.around))

    columns = np.random.default_rng(5).poisson(3, (SLICES, 500))
    # The library takes one cell at a time: 500 of them, counted up to all.
    turns(
        lines,
        "trends",
        {
            "geoapp": (emerging, 1.0),
            "pymannkendall alone, from 500 cells": (lambda: one_by_one(columns), net.size / 500),
        },
    )
    say(f"largest memory when hot spots were computed, before any library: {ours:,.0f} MiB")


def turns(
    lines: list[dict[str, Any]], name: str, ways: dict[str, tuple[Callable[[], object], float]], *, rounds: int = ROUNDS
) -> None:
    """A B C A B C …: all ways in turn, so that a noisy minute strikes all of them.

    What asks a server returns the seconds of CPU that this has worked for it.
    """
    spent: dict[str, list[float]] = {way: [] for way in ways}
    busy: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, (work, times) in ways.items():
            began, worked = time.perf_counter(), time.process_time()
            elsewhere = work()
            worked = time.process_time() - worked + (elsewhere if isinstance(elsewhere, float) else 0.0)
            busy[way].append(worked * times)
            spent[way].append((time.perf_counter() - began) * times)
    first = statistics.median(spent["geoapp"])
    for way, seconds in spent.items():
        middle, worked = statistics.median(seconds), statistics.median(busy[way])
        lines.append({"analysis": name, "way": way, "seconds": middle, "ratio": middle / first, "cpu": worked})
        goal = f"<= {GOALS[name]}" if way == "geoapp" else ""
        say(f"{name:10}  {way:38}  {middle:9.3f}  {middle / first:7.1f}  {worked:9.3f}  {goal}")


def made_up(count: int) -> tuple[Any, Any, Any]:
    """Half of them anywhere in the district's box, half in forty crowds; over 56 months."""
    random = np.random.default_rng(1)
    crowds = random.uniform((106.4, 28.5), (107.0, 29.2), (40, 2))
    half = count // 2
    anywhere = random.uniform((106.4, 28.5), (107.0, 29.2), (count - half, 2))
    crowded = crowds[random.integers(40, size=half)] + random.normal(0, 0.008, (half, 2))
    lon, lat = np.concatenate([anywhere, crowded]).T
    return np.clip(lon, 106.4, 107.0), np.clip(lat, 28.5, 29.2), random.integers(0, 1_700, count)


def fill(lon: Any, lat: Any, days: Any) -> None:
    """Without the indexes, which reading everything does not use and filling pays for."""
    with session.bulk() as db:
        named = db.execute(text("SELECT indexname FROM pg_indexes WHERE tablename = 'issue' AND indexname LIKE 'ix_%'"))
        for name in named.scalars().all():
            db.execute(text(f"DROP INDEX {name}"))
        for part in np.array_split(np.arange(len(lon)), max(len(lon) // 100_000, 1)):
            binds = {"x": lon[part].tolist(), "y": lat[part].tolist(), "d": days[part].tolist()}
            db.execute(text(INSERT), binds)
    with session.engine().connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE issue"))


def server_seconds(pid: int) -> float:
    """The CPU seconds that a server process has worked so far."""
    told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def asked(statement: str, **binds: Any) -> float:
    """Run a statement and fetch all of it; returns what the server has worked for it."""
    with session.bulk() as db:
        pid = db.execute(text("SELECT pg_backend_pid()")).scalar_one()
        before = server_seconds(pid)
        db.execute(text(statement), binds).all()
        return server_seconds(pid) - before


def read() -> float:
    """Of all server processes that stay connected, so that the one that was asked is among them."""
    before = standing()
    snapshots.read(OPERATOR, IssueFilter(), zone=ZoneInfo("Asia/Shanghai"))
    return sum(spent - before.get(pid, 0.0) for pid, spent in standing().items())


def standing() -> dict[int, float]:
    with session.engine().connect() as connection:
        pids = connection.execute(text("SELECT pid FROM pg_stat_activity WHERE usename = current_user")).scalars().all()
    return {pid: server_seconds(pid) for pid in pids}


def by_rows() -> float:
    return asked(
        "SELECT ST_X(geom), ST_Y(geom), reported_at, ended_at, category_code, state, verdict, community_id FROM issue"
    )


def esda(xy: Any, net: grid.Grid, kernel: Any) -> None:
    from esda.getisord import G_Local
    from libpysal.graph import Graph

    counts = grid.counts(grid.cells_of(xy, net), net).ravel().astype(float)
    near = Graph.from_sparse(association.lattice(np.ones((net.rows, net.columns), dtype=bool), kernel))
    G_Local(counts, near, transform="B", star=True, permutations=0)


def scikit(xy: Any) -> None:
    from sklearn.cluster import DBSCAN

    DBSCAN(eps=REACH, min_samples=LEAST).fit(xy)


def postgis(few: int) -> float:
    return asked(CLUSTER_SQL, reach=REACH, least=LEAST, few=few)


def kdepy(xy: Any, bounds: tuple[float, float, float, float]) -> None:
    from KDEpy import FFTKDE

    west, south, east, north = bounds
    x, y = np.linspace(west, east, density.SIZE), np.linspace(south, north, density.SIZE)
    nodes = np.column_stack([np.repeat(x, density.SIZE), np.tile(y, density.SIZE)])
    FFTKDE(kernel="gaussian", bw=WIDTH).fit(xy).evaluate(nodes)


def scipy_kde(xy: Any, bounds: tuple[float, float, float, float]) -> None:
    from scipy.stats import gaussian_kde

    west, south, east, north = bounds
    x, y = np.meshgrid(np.linspace(west, east, 64), np.linspace(south, north, 64))
    gaussian_kde(xy.T)(np.vstack([x.ravel(), y.ravel()]))


def one_by_one(columns: Any) -> None:
    import pymannkendall

    for column in columns.T:
        pymannkendall.original_test(column)


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a table to be read


if __name__ == "__main__":
    main()
