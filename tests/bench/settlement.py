"""A settlement among many issues, against a bare UPDATE of as many rows: ``./run bench settlement [ISSUES]``."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID
from zoneinfo import ZoneInfo

import shapely
from sqlalchemy import text

from geoapp.domain.values import OPERATOR
from geoapp.services import imports, settlements
from geoapp.services.settlements import Draft
from geoapp.store import session
from tests.bench._place import TODAY, a_table, place, timed

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
AROUND = """
    SELECT number, version, ST_X(geom) AS lon, ST_Y(geom) AS lat FROM issue
    WHERE verdict = 'contested' AND state <> 'closed' AND category_code = 'road.broken-sidewalk' ORDER BY id LIMIT 1
"""


def main(count: int) -> None:
    with place(), TemporaryDirectory() as folder:
        file, mapping = a_table(Path(folder), count)
        imports.import_files(
            OPERATOR, [file], mapping, today=TODAY, now=NOW, zone=ZoneInfo("UTC"), number_prefix="QJ"
        )  # fmt: skip
        with session.bulk() as db:
            db.execute(text("ANALYZE"))
            unit = db.execute(text("SELECT code FROM unit ORDER BY id LIMIT 1")).scalar_one()
        for nth, side in enumerate((0.002, 0.01, 0.02), start=1):
            one_settlement(nth, side, unit)


def one_settlement(nth: int, side: float, unit: str) -> None:
    with session.snapshot() as db:
        row = db.execute(text(AROUND)).one()
        lines = judged(db)
    area = shapely.box(row.lon - side / 2, row.lat - side / 2, row.lon + side / 2, row.lat + side / 2)
    draft = Draft(unit, area, ("road",), note="signed")
    seconds = timed(
        lambda: settlements.settle(
            OPERATOR, row.number, draft, id=UUID(int=nth), version=row.version, now=NOW, zone=ZONE
        )
    )  # fmt: skip
    with session.snapshot() as db:
        changed = judged(db) - lines
    bare = timed(lambda: bare_update(area))
    say(
        f"{side * 111:5.2f} km square: {seconds:6.2f} s, {changed:,} issues judged anew; "
        f"a bare UPDATE of what lies there {bare:.2f} s: {seconds / bare:.0f} × as long"
    )


def judged(db: session.Session) -> int:
    return int(db.execute(text("SELECT count(*) FROM history WHERE action = 'judge'")).scalar_one())


def bare_update(area: shapely.Geometry) -> None:
    with session.bulk() as db:
        db.execute(
            text("UPDATE issue SET version = version WHERE geom && ST_Expand(ST_GeomFromText(:area, 4326), 0.01)"),
            {"area": area.wkt},
        )


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 100_000)
