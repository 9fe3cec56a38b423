"""The analyses against the libraries of the field, in turns: ``./run bench analysis [--rows N] [--out FILE]``.

Reading from the database, binning, hot spots, DBSCAN, density and trends of ``N`` made-up issues (default 1,000,000).
Where a library would take minutes it works on a part, and the line says so. Hot spots are reckoned from the counts of
hexagons, which binning has made, and esda has its neighbours at hand. Seconds are medians of rounds in turns by the
clock on the wall; cpu is what this process worked, over all its threads, and the server process that it asked.
"""

import argparse
import gc
import json
import os
import resource
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
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

ROUNDS = 5
SLICES = 56
CELL, HEXAGON, REACH, LEAST, WIDTH = 250.0, 280.0, 100.0, 10, 500.0
FEW = 100_000
GOALS = {"reading": 2.0, "binning": 0.2, "hot spots": 0.02, "DBSCAN": 3.0, "density": 0.3, "trends": 1.5}
"""Seconds."""
RATIOS = {"esda": 30, "PostGIS, all": 8, "KDEpy": 3, "pymannkendall": 20}
"""How many times as long as ours a library should take at least."""
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
    comb = grid.over(bounds, HEXAGON, grid.Shape.HEXAGON)
    middles, ring = grid.centres(comb), grid.ring(comb)
    share = ((middles >= bounds[:2]) & (middles <= bounds[2:])).all(axis=1).reshape(comb.rows, comb.columns)

    def binning() -> Any:
        return grid.counts(grid.cells_of(xy, comb), comb)

    counts = binning()

    def hot_spots() -> Any:
        return hotspots.on_grid(counts, share.astype(float), ring)

    z = hot_spots().z
    ours = peak_mib()
    say(f"binning and hot spots: {share.sum():,} hexagons; what esda has its neighbours from is not counted")
    turns(lines, "binning", {"geoapp": (binning, 1.0)})
    turns(lines, "hot spots", {"geoapp": (hot_spots, 1.0), **esda(counts[share], share, ring, z)})
    some = min(FEW, len(xy))
    part = xy[np.random.default_rng(4).permutation(len(xy))[:some]]
    fewer = {
        f"geoapp, {some:,}": (lambda: clusters.dbscan(part, within_m=REACH, least=LEAST), 1.0),
        f"scikit-learn, {some:,}": (lambda: scikit(part), 1.0),
    }
    whole = {"geoapp": (lambda: clusters.dbscan(xy, within_m=REACH, least=LEAST), 1.0)}
    if database:
        fewer[f"PostGIS, {some:,}"] = (lambda: postgis(some), 1.0)
        whole["PostGIS, all"] = (lambda: postgis(len(xy)), 1.0)
    turns(lines, "DBSCAN", whole)
    turns(lines, "DBSCAN", fewer)
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


def turns(lines: list[dict[str, Any]], name: str, ways: dict[str, tuple[Callable[[], object], float]]) -> None:
    """A B C A B C …: all ways in turn, so that a noisy minute strikes all of them.

    What asks a server returns the seconds of CPU that this has worked for it.
    """
    spent: dict[str, list[float]] = {way: [] for way in ways}
    busy: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, (work, times) in ways.items():
            seconds, worked = timed(work)
            spent[way].append(seconds * times)
            busy[way].append(worked * times)
    first = statistics.median(next(iter(spent.values())))
    for way in ways:
        middle, worked = statistics.median(spent[way]), statistics.median(busy[way])
        lines.append({"analysis": name, "way": way, "seconds": middle, "ratio": middle / first, "cpu": worked})
        goal = f"<= {GOALS[name]} s" if way == "geoapp" else ""
        goal = next((f">= {times}" for peer, times in RATIOS.items() if way.startswith(peer)), goal)
        say(f"{name:10}  {way:38}  {middle:9.3f}  {middle / first:7.1f}  {worked:9.3f}  {goal}")


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of CPU; what the way before has left is cleared away first, not in this one's time."""
    gc.collect()
    began, worked = time.perf_counter(), time.process_time()
    elsewhere = work()
    worked = time.process_time() - worked
    return time.perf_counter() - began, worked + (elsewhere if isinstance(elsewhere, float) else 0.0)


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


def esda(counts: Any, share: Any, kernel: Any, z: Any) -> dict[str, tuple[Callable[[], object], float]]:
    """Its analytic Gi* by either kind of neighbours that libpysal knows; refuses to be timed for another answer."""
    from esda.getisord import G_Local
    from libpysal.graph import Graph
    from libpysal.weights import WSP, WSP2W

    values, near = counts.astype(float), association.lattice(share, kernel)
    ways = {"esda, analytic, Graph": Graph.from_sparse(near), "esda, analytic, W": WSP2W(WSP(near.tocsr()))}

    def run(neighbours: Any) -> Any:
        return G_Local(values, neighbours, transform="B", star=True, permutations=0)

    for neighbours in ways.values():
        np.testing.assert_allclose(run(neighbours).Zs, z, atol=1e-9)
    return {way: (partial(run, neighbours), 1.0) for way, neighbours in ways.items()}


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
