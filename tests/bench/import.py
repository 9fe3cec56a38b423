"""Importing issues with community and verdict, against COPY and geopandas: ``./run bench import [--rows N]``.

The limits are a bare COPY of the file's rows into a table without index, and the rows as we have stored them copied
once more within the database, with all their indexes. geopandas joins the same points and stores what it has found.
"""

import statistics
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import text

from geoapp.config import Settings
from geoapp.domain.values import OPERATOR
from geoapp.services import imports
from geoapp.store import session
from tests.bench._place import TODAY, Burnt, a_table, place, timed
from tests.bench._report import Goal, Options, Series, median_ratio, options, tell

LIMIT, FLOOR, FIRST, AGAIN, PEER = "COPY alone", "stored rows once more", "ours", "ours, the same file", "geopandas"
BARE = "CREATE UNLOGGED TABLE bench_bare (id text, opened timestamptz, type text, state text, title text, lon float8, lat float8)"  # noqa: E501 - one thing
FORGET = "TRUNCATE issue, count_block, count_change, count_area CASCADE"


def main(argv: Sequence[str]) -> None:
    asked = options(argv, rows=1_000_000)
    with place() as (settings, url):
        measure(asked, settings, url)


def measure(asked: Options, settings: Settings, url: str) -> dict[str, Series]:  # noqa: ARG001 - as all measurements
    """In a database that has categories and no issues."""
    series = {way: Series() for way in (LIMIT, FLOOR, FIRST, AGAIN, PEER)}
    burnt = {way: Series() for way in series}
    most = 0.0
    with TemporaryDirectory() as folder, psycopg.connect(url, autocommit=True) as bare:
        file, mapping = a_table(Path(folder), asked.rows)
        burning = Burnt()

        def run(way: str, work: Callable[[], object]) -> None:
            burnt[way].seconds.append(burning.of(lambda: series[way].seconds.append(timed(work))))

        for _ in range(asked.rounds):
            run(LIMIT, lambda: copy(bare, file))
            begin_again()
            run(FIRST, lambda: bring(file, mapping))
            run(LIMIT, lambda: copy(bare, file))
            run(AGAIN, lambda: bring(file, mapping))
            # Before the peer, which takes far more and does not give all of it back.
            most = most or peak_mb()
            run(FLOOR, lambda: once_more(bare))
            if asked.peers:
                run(PEER, lambda: join(url, file))
        with session.bulk() as db:
            db.execute(text(FORGET))
    copies = Series([sum(pair) / 2 for pair in zip(*[iter(series[LIMIT].seconds)] * 2, strict=True)])
    goals = [
        Goal("4: against COPY alone, ×", 8, median_ratio(series[FIRST], copies), at_most=True),
        Goal("4: memory of this process, MB", 300, most, at_most=True),
        Goal("4: the same file again, against the first", 1, median_ratio(series[AGAIN], series[FIRST]), at_most=True),
    ]
    if asked.peers:
        goals.append(Goal("4: as fast as geopandas, ×", 8, median_ratio(series[PEER], series[FIRST])))
    floor = round(median_ratio(series[FIRST], series[FLOOR]), 2)
    spent = {way: round(statistics.median(one.seconds), 2) for way, one in burnt.items() if one.seconds}
    tell(
        "import", asked, series, goals, against_the_stored_rows_once_more=floor, memory_mb=round(most),
        seconds_of_processor=spent,
    )  # fmt: skip
    return series


def begin_again() -> None:
    with session.bulk() as db:
        db.execute(text(FORGET))
    # Reset the high-water mark of memory, where the kernel lets us.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def copy(bare: "psycopg.Connection[tuple[object, ...]]", file: Path) -> None:
    bare.execute("DROP TABLE IF EXISTS bench_bare")
    bare.execute(BARE)
    with (
        file.open("rb") as rows,
        bare.cursor() as cursor,
        cursor.copy("COPY bench_bare FROM STDIN (FORMAT csv, HEADER true)") as stream,
    ):
        while piece := rows.read(1 << 20):
            stream.write(piece)
    bare.execute("DROP TABLE bench_bare")


def bring(file: Path, mapping: Path) -> None:
    imports.import_files(
        OPERATOR, [file], mapping, today=TODAY, now=datetime(2026, 11, 20, tzinfo=UTC), zone=ZoneInfo("UTC"),
        number_prefix="QJ",
    )  # fmt: skip


def once_more(bare: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Issues and histories as they are into new tables, and then their indexes: what storing them takes at least."""
    with bare.transaction(force_rollback=True):
        bare.execute("CREATE SCHEMA bench_more")
        for table in ("issue", "history"):
            indexes = bare.execute(
                "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = %s", [table]
            ).fetchall()
            stored = bare.execute(
                "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute "
                "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
                [f"public.{table}"],
            ).fetchone()
            names = stored[0] if stored else ""
            bare.execute(
                f"CREATE TABLE bench_more.{table} (LIKE public.{table} INCLUDING GENERATED INCLUDING CONSTRAINTS)"
            )
            bare.execute(f"INSERT INTO bench_more.{table} ({names}) SELECT {names} FROM public.{table}")  # type: ignore[arg-type] # noqa: S608
            for (made,) in indexes:
                bare.execute(str(made).replace(" ON public.", " ON bench_more."))  # type: ignore[arg-type]


def join(url: str, file: Path) -> None:
    import geopandas
    import pandas as pd
    from sqlalchemy import create_engine

    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    try:
        told = pd.read_csv(file, parse_dates=["opened"])
        points = geopandas.GeoDataFrame(told, geometry=geopandas.points_from_xy(told["lon"], told["lat"]), crs=4326)
        communities = geopandas.read_postgis(
            "SELECT b.place_id, b.area FROM boundary b JOIN place p ON p.id = b.place_id AND p.kind = 'community'",
            engine, geom_col="area",
        )  # fmt: skip
        jurisdictions = geopandas.read_postgis("SELECT unit_id, area FROM jurisdiction", engine, geom_col="area")
        placed = geopandas.sjoin(points, communities, how="left", predicate="within").drop(columns="index_right")
        links = geopandas.sjoin(points[["id", "geometry"]], jurisdictions, predicate="within")[["id", "unit_id"]]
        placed.to_postgis("bench_placed", engine, if_exists="replace", index=False, chunksize=100_000)
        links.to_sql("bench_link", engine, if_exists="replace", index=False, chunksize=100_000)
        with engine.begin() as connection:
            connection.execute(text("CREATE INDEX ON bench_link (id)"))
            connection.execute(text("DROP TABLE bench_placed, bench_link"))
    finally:
        engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1:])
