"""Issues of a box as GeoJSON over HTTP, against bare SQL, tipg and pygeoapi: ``./run bench geojson [--rows N]``.

Boxes around issues at random that hold at least 100, 1,000 or 10,000 of them, which are asked for, in turns.
"""

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psycopg
from sqlalchemy import text

from geoapp.config import Settings
from geoapp.domain.values import StateGroup, VerdictClass, states_of
from geoapp.store import issuetexts, session
from tests.bench import _peers
from tests.bench._place import fill, place
from tests.bench._report import Client, Goal, Options, Series, options, tell, throughput

LIMITS = (100, 1000, 10_000)
BOXES = 4
NAMES = {name: f"coalesce(nullif({of}.name_zh, ''), {of}.name_en)" for name, of in
         (("category", "cat"), ("community", "place"), ("unit", "unit"))}  # fmt: skip
Box = tuple[float, float, float, float]


def main(argv: Sequence[str]) -> None:
    asked = options(argv, rows=1_000_000)
    with place() as (settings, url):
        measure(asked, settings, url)


def measure(asked: Options, settings: Settings, url: str) -> dict[str, Series]:
    """In a database that has categories and no issues."""
    with ExitStack() as running, TemporaryDirectory() as folder:
        fill(asked.rows)
        boxes = [(limit, box) for limit in LIMITS for box in some_boxes(limit)]
        us, _ = running.enter_context(_peers.ours(settings, url))
        peers: dict[str, Client] = {}
        if asked.peers:
            _peers.slim()
            peers["tipg"] = running.enter_context(_peers.tipg(url, most=10_000))
            peers["pygeoapi"] = running.enter_context(_peers.pygeoapi(url, Path(folder)))
        bare = running.enter_context(psycopg.connect(url, autocommit=True, prepare_threshold=None))
        series = {way: Series() for way in ("bare SQL, the same answer", "ours", *peers)}
        for _ in range(asked.rounds):
            turn(boxes, us=us, bare=bare, peers=peers, series=series)
        goals = [Goal("3: against bare SQL", 1.6, throughput(series["bare SQL, the same answer"], series["ours"]),
                      at_most=True)]  # fmt: skip
        goals += [Goal(f"3: as fast as {name}, ×", 8, throughput(series["ours"], series[name])) for name in peers]
        tell("geojson", asked, series, goals)
        return series


def turn(
    boxes: Sequence[tuple[int, Box]], *, us: Client, bare: "psycopg.Connection[tuple[object, ...]]",
    peers: dict[str, Client], series: dict[str, Series],
) -> None:  # fmt: skip
    """All boxes by one way, then by the next."""
    for limit, box in boxes:
        began = time.perf_counter()
        size = sum(len(str(row[0])) for row in bare.execute(bare_sql(), bare_binds(box, limit)))
        series["bare SQL, the same answer"].seconds.append(time.perf_counter() - began)
        series["bare SQL, the same answer"].bytes.append(size)
    asked = [(limit, ",".join(f"{side:.6f}" for side in box)) for limit, box in boxes]
    for limit, told in asked:
        us.timed(series["ours"], f"/api/issues?bbox={told}&limit={limit}")
    for name, peer in peers.items():
        path = "/collections/bench.slim/items" if name == "tipg" else "/collections/issue/items"
        for limit, told in asked:
            peer.timed(series[name], f"{path}?f={'geojson' if name == 'tipg' else 'json'}&bbox={told}&limit={limit}")


def bare_sql() -> str:
    """The features as one text each, as our own query makes them, and nothing besides."""
    feature = issuetexts._FEATURE.format(**NAMES).partition("i.due_at,")[2]
    said = ", ".join(
        f"('{state}', '{state}', '{group}', '{group}')" for group in StateGroup for state in states_of(group)
    )
    verdicts = ", ".join(f"('{one}', '{one}')" for one in VerdictClass)
    sql = f"""
        SELECT {feature}
        FROM issue i JOIN category cat ON cat.code = i.category_code LEFT JOIN place ON place.id = i.community_id
             LEFT JOIN unit ON unit.id = i.unit_id CROSS JOIN LATERAL (SELECT i.public_geom AS geom) AS shown
             CROSS JOIN (SELECT false AS full) AS sight
             LEFT JOIN (VALUES {said}) AS said_state (code, name, group_code, group_name) ON said_state.code = i.state
             LEFT JOIN (VALUES {verdicts}) AS said_verdict (code, name) ON said_verdict.code = i.verdict
        WHERE i.public_3857 && ST_Transform(ST_MakeEnvelope(%(w)s, %(s)s, %(e)s, %(n)s, 4326), 3857)
        ORDER BY i.reported_at DESC, i.id DESC LIMIT %(limit)s
    """  # noqa: S608 - our own words
    return sql.replace(":zone", "'Asia/Shanghai'")


def bare_binds(box: Box, limit: int) -> dict[str, object]:
    west, south, east, north = box
    return {"w": west, "s": south, "e": east, "n": north, "limit": limit}


def some_boxes(limit: int) -> list[Box]:
    """Boxes around issues at random, each made wider until it holds as many as are asked for."""
    random = np.random.default_rng(limit)
    found: list[Box] = []
    with session.snapshot() as db:
        whole = int(db.execute(text("SELECT count(*) FROM issue")).scalar_one())
        points = db.execute(
            text("SELECT ST_X(public_geom), ST_Y(public_geom) FROM issue ORDER BY id LIMIT :n"), {"n": BOXES * 20}
        ).all()
        for nth in random.choice(len(points), BOXES, replace=False):
            lon, lat = points[nth]
            half, held = 0.0005, 0
            while held < min(limit, whole // 2):
                half *= 1.4
                box = (lon - half, lat - half, lon + half, lat + half)
                held = int(
                    db.execute(
                        text("SELECT count(*) FROM issue WHERE public_geom && ST_MakeEnvelope(:w, :s, :e, :n, 4326)"),
                        dict(zip("wsen", box, strict=True)),
                    ).scalar_one()
                )
            found.append(box)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
