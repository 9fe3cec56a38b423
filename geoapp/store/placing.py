"""Which issues may be judged together: tables of this transaction, from points and outlines read as arrays.

The database asks an index once for each point; arrays ask once for each area, which is several times as quick.
"""

from collections.abc import Generator, Mapping
from contextlib import closing
from datetime import date
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.placement import SINGLY, Placement
from geoapp.store.session import driver

PORTION = 50_000
"""So many points are placed at once: their memory is bounded, whatever is imported."""
_EPOCH = date(1970, 1, 1).toordinal()
# What COPY sends and takes in its binary form: before each value its length, before each row how many values.
_HEAD = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_POINT = np.dtype(
    [("n", ">i2")]
    + [
        one
        for name, kind in (
            ("id", "V16"), ("lon", ">f8"), ("lat", ">f8"), ("category", ">i4"), ("accuracy", ">f8"), ("day", ">i4"),
        )
        for one in ((f"{name}_length", ">i4"), (name, kind))
    ]
)  # fmt: skip
_PLACED = np.dtype([("n", ">i2"), ("id_length", ">i4"), ("id", "V16"), ("nth_length", ">i4"), ("nth", ">i4")])


_ALIKE = "id int, category_code text, day date, boundary_ids int[], jurisdiction_ids int[]"
_TABLES = (
    "DROP TABLE IF EXISTS judged, placed, alike, verdict",
    "CREATE TEMP TABLE placed (id uuid, nth int) ON COMMIT DROP",
    f"CREATE TEMP TABLE alike ({_ALIKE}) ON COMMIT DROP",
)
_HELD = (
    "boundary AS held JOIN place ON place.id = held.place_id AND place.kind = 'community'",
    "jurisdiction AS held",
)


def place(db: Session, target: str, *, today: date, binds: Mapping[str, Any]) -> None:
    """Make temporary tables ``judged``, ``placed`` and ``alike`` from a SELECT as ``judgement`` takes it.

    ``judged`` is what was asked for; ``placed`` names the group (``nth``) of each issue, SINGLY for those near an edge;
    ``alike`` says of each group, by ``id``, a category and day, and which boundaries and jurisdictions hold it.
    """
    for statement in (*_TABLES, f"CREATE TEMP TABLE judged ON COMMIT DROP AS {target}"):
        db.execute(text(statement), dict(binds))
    names: list[list[int]] = []
    placement, codes = _read(db, names)
    # Closed at once if anything goes wrong: while the database still sends, nothing can be rolled back.
    with closing(_points(db, today)) as portions:
        numbers = [_numbered(portion, placement) for portion in portions]
    connection = driver(db)
    with connection.cursor() as cursor:
        with cursor.copy("COPY placed FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(_HEAD)
            for portion in numbers:
                copy.write(portion.tobytes())
            copy.write(_END)
        with cursor.copy("COPY alike FROM STDIN") as copy:
            for nth, group in enumerate(placement.groups):
                copy.write_row(
                    (
                        nth,
                        codes[group.category],
                        date.fromordinal(_EPOCH + group.day),
                        [names[0][one] for one in group.boundaries],
                        [names[1][one] for one in group.jurisdictions],
                    )
                )
    for table in ("judged", "placed", "alike"):
        db.execute(text(f"ANALYZE {table}"))


def _numbered(points: NDArray[Any], placement: Placement) -> NDArray[Any]:
    native = {name: points[name].astype(points[name].dtype.newbyteorder("=")) for name in points.dtype.names or ()}
    placed = np.empty(len(points), _PLACED)
    placed["n"], placed["id_length"], placed["nth_length"], placed["id"] = 2, 16, 4, points["id"]
    placed["nth"] = placement.place(native["lon"], native["lat"], native["category"], native["accuracy"], native["day"])
    return placed


def _points(db: Session, today: date) -> Generator[NDArray[Any], None, None]:
    connection = driver(db)
    asked = (
        "COPY (SELECT j.id, ST_X(j.geom), ST_Y(j.geom), c.nth, coalesce(j.accuracy_m, 0), "
        f"coalesce(j.ended_on, '{today.isoformat()}'::date) - '1970-01-01'::date "
        f"FROM judged j JOIN ({_NUMBERED}) AS c ON c.code = j.category_code) TO STDOUT (FORMAT BINARY)"
    )
    with connection.cursor() as cursor, cursor.copy(asked) as copy:
        held = bytearray()
        skip = len(_HEAD)
        for piece in copy:
            held += piece
            if len(held) >= skip + PORTION * _POINT.itemsize:
                whole = (len(held) - skip) // _POINT.itemsize
                yield np.frombuffer(bytes(held), _POINT, offset=skip, count=whole)
                del held[: skip + whole * _POINT.itemsize]
                skip = 0
        if whole := (len(held) - skip) // _POINT.itemsize:
            yield np.frombuffer(bytes(held), _POINT, offset=skip, count=whole)


_NUMBERED = "SELECT code, path, CAST(row_number() OVER (ORDER BY code) - 1 AS int) AS nth FROM category"


def _read(db: Session, names: list[list[int]]) -> tuple[Placement, list[str]]:
    """All boundaries of communities and all jurisdictions, whose ids go into ``names``; and the categories' codes."""
    areas: list[list[BaseGeometry]] = []
    turns: set[int] = set()
    for held in _HELD:
        rows = db.execute(
            text(
                "SELECT held.id, ST_AsBinary(held.area) AS area, lower(held.validity) AS since, "
                f"upper(held.validity) AS until FROM {held} ORDER BY held.id"
            )
        ).all()
        areas.append(list(shapely.from_wkb([bytes(row.area) for row in rows])))
        names.append([row.id for row in rows])
        turns |= {day.toordinal() - _EPOCH for row in rows for day in (row.since, row.until) if day}
    places = {name: nth for nth, name in enumerate(names[1])}
    rows = db.execute(
        text(
            f"SELECT c.nth, c.code, ARRAY(SELECT j.id FROM jurisdiction j "
            f"WHERE j.categories = '{{}}' OR j.categories && c.path ORDER BY j.id) AS fitting "
            f"FROM ({_NUMBERED}) AS c ORDER BY c.nth"
        )
    ).all()
    fitting = {row.nth: [places[name] for name in row.fitting] for row in rows}
    return Placement(areas[0], areas[1], fitting, sorted(turns)), [row.code for row in rows]


__all__ = ["SINGLY", "place"]
