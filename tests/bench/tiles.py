"""Vector tiles of issues through the app, against bare ST_AsMVT of every point: ``./run bench tiles [ISSUES]``."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import text

from geoapp.app import create_app
from geoapp.domain.values import OPERATOR
from geoapp.services import imports
from geoapp.store import session
from tests.bench._place import TODAY, a_table, place, timed

ROUNDS, TILES = 2, 60
BARE = """
    SELECT ST_AsMVT(t, 'issues', 4096, 'geom') FROM (
        SELECT number, state, ST_AsMVTGeom(public_3857, ST_TileEnvelope(:z, :x, :y), 4096, 0, false) AS geom
        FROM issue WHERE public_3857 && ST_TileEnvelope(:z, :x, :y)) AS t
"""


def main(count: int) -> None:
    with place() as (settings, url), TemporaryDirectory() as folder:
        file, mapping = a_table(Path(folder), count)
        imports.import_files(
            OPERATOR, [file], mapping, today=TODAY, now=datetime(2026, 11, 20, tzinfo=UTC), zone=ZoneInfo("UTC"),
            number_prefix="QJ",
        )  # fmt: skip
        client = create_app(settings, url).test_client()
        chosen = some_tiles()
        spent: dict[str, list[float]] = {"bare": [], "first": [], "filtered": [], "known": []}
        for turn in range(ROUNDS):
            for z, x, y in chosen:
                path = f"/tiles/issues/{z}/{x}/{y}.mvt?from=2020-01-{turn + 1:02}"
                spent["bare"].append(timed(lambda z=z, x=x, y=y: bare(z, x, y)))
                spent["first"].append(timed(lambda path=path: client.get(path)))
                spent["filtered"].append(timed(lambda path=path: client.get(path + "&category=road&state=open")))
                spent["known"].append(timed(lambda path=path: client.get(path)))
        limit = np.array(spent.pop("bare"))
        print(f"{count:,} issues, {len(chosen)} tiles of z8 to z16, {ROUNDS} rounds")  # noqa: T201
        print(f"every point, bare SQL  p50 {ms(limit, 50)}  p95 {ms(limit, 95)} ms")  # noqa: T201
        for name, seconds in spent.items():
            own = np.array(seconds)
            ratio = limit.sum() / own.sum()
            print(f"{name:21}  p50 {ms(own, 50)}  p95 {ms(own, 95)} ms  {ratio:6.1f} × as fast")  # noqa: T201


def some_tiles() -> list[tuple[int, int, int]]:
    """Tiles that hold something, at random: around issues, from the whole district down to a street."""
    random = np.random.default_rng(2)
    with session.snapshot() as db:
        points = db.execute(text("SELECT ST_X(public_3857), ST_Y(public_3857) FROM issue ORDER BY id LIMIT :n"),
                            {"n": TILES}).all()  # fmt: skip
    half = 20037508.342789244
    tiles = []
    for x, y in points:
        z = int(random.integers(8, 17))
        side = 2 * half / 2**z
        tiles.append((z, int((x + half) // side), int((half - y) // side)))
    return tiles


def bare(z: int, x: int, y: int) -> None:
    with session.snapshot() as db:
        db.execute(text(BARE), {"z": z, "x": x, "y": y}).scalar()


def ms(seconds: "np.typing.NDArray[np.float64]", percent: int) -> str:
    return f"{np.percentile(seconds, percent) * 1000:7.1f}"


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 200_000)
