"""Random filters while others write: do the tiles of a zoom add up to what SQL counts in the same snapshot?

``./run bench equality [--rows N] [--rounds FILTERS]``; all issues lie in two towns, or the tiles of zoom 16 would be
too many to ask for all of them.
"""

import random
import sys
import time
from collections.abc import Sequence

from sqlalchemy import text

from geoapp.domain.values import ANONYMOUS
from geoapp.store import census, session
from tests.bench._place import fill, place
from tests.bench._report import Options, options
from tests.store.test_counts import ZONE, counted, differences, random_filter, somebody_writes, sum_of_tiles

ZOOMS = (0, 6, 8, 10, 12, 14, 15, 16)


def main(argv: Sequence[str]) -> None:
    asked = options(argv, rows=100_000, rounds=200)
    with place():
        sys.exit(1 if measure(asked) else 0)


def measure(asked: Options) -> list[str]:
    """What did not add up."""
    fill(asked.rows, in_towns=1)
    with session.transaction() as db:
        db.execute(text("INSERT INTO unit (code, name_zh, name_en) VALUES ('U1', 'U1', 'U1') ON CONFLICT DO NOTHING"))
        for code in ("road.hole", "waste.bag"):
            db.execute(
                text(
                    "INSERT INTO category (code, parent_code, path, kind, name_zh, name_en) "
                    "VALUES (CAST(:code AS text), CAST(:top AS text), ARRAY[CAST(:code AS text), CAST(:top AS text)], "
                    "'event', '', CAST(:code AS text)) ON CONFLICT DO NOTHING"
                ),
                {"code": code, "top": code.partition(".")[0]},
            )
    chance = random.Random(11)  # noqa: S311 - chance that can be had again
    wrong, truths = [], set()
    began = time.perf_counter()
    with somebody_writes():
        for _ in range(asked.rounds):
            wanted = random_filter(chance)
            with session.snapshot() as db:
                db.execute(text("SET LOCAL statement_timeout = 0"))
                truth = counted(db, wanted)
                told = {f"tiles of zoom {zoom}": sum_of_tiles(db, zoom, wanted) for zoom in ZOOMS}
                told["list"] = census.count(db, wanted, ANONYMOUS, ZONE)
            truths.add(truth)
            if amiss := {way: n for way, n in told.items() if n != truth}:
                wrong.append(f"{wanted}: SQL {truth}, {amiss}")
    wrong += [f"the pyramid differs: {one}" for one in differences()]
    print(  # noqa: T201
        f"equality: {asked.rows:,} issues, {asked.rounds} filters × {len(ZOOMS)} zooms in "
        f"{time.perf_counter() - began:.0f} s, {len(truths)} different counts; {len(wrong)} wrong"
    )
    for line in wrong[:20]:
        print(f"  {line}")  # noqa: T201
    return wrong


if __name__ == "__main__":
    main(sys.argv[1:])
