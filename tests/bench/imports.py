"""Importing issues with community and verdict, against plain COPY of the same rows: ``./run bench imports [ROWS]``."""

import resource
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from sqlalchemy import text

from geoapp.domain.values import OPERATOR
from geoapp.services import imports
from geoapp.store import session
from tests.bench._place import TODAY, a_table, place, timed


def main(count: int) -> None:
    with place(), TemporaryDirectory() as folder:
        file, mapping = a_table(Path(folder), count)
        copies, first = [timed(lambda: copy(file))], timed(lambda: bring(file, mapping))
        copies.append(timed(lambda: copy(file)))
        again = timed(lambda: bring(file, mapping))
        limit = sum(copies) / len(copies)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{count:,} rows; plain COPY {limit:.2f} s")  # noqa: T201
        print(f"import     {first:7.2f} s  {first / limit:5.1f} × COPY")  # noqa: T201
        print(f"the same   {again:7.2f} s  {again / limit:5.1f} × COPY")  # noqa: T201
        print(f"memory     {memory:7.0f} MB at most, in this process")  # noqa: T201


def copy(file: Path) -> None:
    """The limit: the bare rows into a table without index, every row as a point."""
    with session.transaction() as db:
        db.execute(text("CREATE TEMP TABLE bare (id text, opened timestamptz, type text, state text, title text, "
                        "lon float8, lat float8) ON COMMIT DROP"))  # fmt: skip
        connection = db.connection().connection.driver_connection
        if connection is None:
            raise RuntimeError("the connection is gone")
        with connection.cursor() as cursor, cursor.copy("COPY bare FROM STDIN (FORMAT csv, HEADER true)") as stream:
            stream.write(file.read_bytes())


def bring(file: Path, mapping: Path) -> None:
    imports.import_files(
        OPERATOR, [file], mapping, today=TODAY, now=datetime(2026, 11, 20, tzinfo=UTC), zone=ZoneInfo("UTC"),
        number_prefix="QJ",
    )  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 100_000)
