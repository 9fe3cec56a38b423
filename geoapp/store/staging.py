"""The staging table of an import: issues as a stream of COPY, and what is wrong with all of them together.

It lives as long as the transaction. store.bulk judges and merges what is staged.
"""

import json
import re
import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain import chain
from geoapp.domain.geometry import blur
from geoapp.domain.values import NewIssue, Privacy
from geoapp.store.session import driver

_STAGING = """
CREATE TEMP TABLE staging (
    row bigint, id uuid, prefix text, category_code text, title text, text text, text_released boolean, address text,
    severity int, privacy text, source text, source_name text, source_id text, source_hash text,
    geom geometry(Point, 4326), public_geom geometry(Point, 4326), extent geometry(Geometry, 4326),
    accuracy_m float8, placed_by text, state text, level text, reported_at timestamptz, updated_at timestamptz,
    ended_at timestamptz, unit text, helping text[], cost_planned numeric, cost_spent numeric, fund_source text,
    synthetic boolean, returns int, reworks int, history jsonb, hashes bytea
) ON COMMIT DROP
"""
_AT_ONCE = 500
_NULL = "\\N"
_ESCAPED = re.compile(r"[\\\t\n\r]")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
# EWKB, as the database keeps it: byte order, a point that names its system, EPSG:4326, and two numbers.
_POINT = struct.Struct("<BIIdd")
_KIND = 0x20000001
_MOST_INSTANTS = 4096


def stage(db: Session, issues: Iterable[NewIssue]) -> int:
    """COPY issues into a new staging table of this transaction, as a stream; returns how many."""
    db.execute(text(_STAGING))
    connection = driver(db)
    count = 0
    lines: list[str] = []
    with connection.cursor() as cursor, cursor.copy("COPY staging FROM STDIN") as copy:
        for count, issue in enumerate(issues, start=1):
            lines.append(_line(count, issue))
            if len(lines) == _AT_ONCE:
                copy.write("".join(lines))
                lines.clear()
        copy.write("".join(lines))
    db.execute(text("ANALYZE staging (row, id, source_hash, updated_at, category_code, unit)"))
    return count


def unknown_codes(db: Session) -> dict[str, list[str]]:
    """Categories and units that staged rows name and that do not exist."""
    return {
        "category": _column(db, "SELECT DISTINCT category_code FROM staging EXCEPT SELECT code FROM category"),
        "unit": _column(
            db,
            "(SELECT unit FROM staging WHERE unit IS NOT NULL UNION "
            "SELECT unnest(helping) FROM staging WHERE helping <> '{}') EXCEPT SELECT code FROM unit",
        ),
    }


def duplicates(db: Session) -> list[tuple[int, str]]:
    """Drop all but the newest of rows with the same id; returns the numbers and sources' ids of the dropped ones."""
    dropped = db.execute(
        text(
            "DELETE FROM staging s USING (SELECT row, row_number() OVER (PARTITION BY id ORDER BY updated_at DESC, "
            "row DESC) AS nth FROM staging WHERE id IN (SELECT id FROM staging GROUP BY id HAVING count(*) > 1)) AS n "
            "WHERE n.row = s.row AND n.nth > 1 RETURNING s.row, s.source_id"
        )
    )
    return [(row.row, row.source_id) for row in dropped]


def _line(number: int, issue: NewIssue) -> str:
    """A row of COPY's text form: written here, because to let the driver find out each value's kind takes longer."""
    lon, lat = issue.point.lon, issue.point.lat
    place = public = _place(lon, lat)
    if issue.privacy is not Privacy.PUBLIC:
        public = _NULL if issue.privacy is Privacy.PRIVATE else _place(*blur(lon, lat))
    texts: Sequence[str] = (
        issue.number_prefix, issue.category, issue.title, issue.text, issue.address, issue.source_name,
        issue.source_id, issue.fund_source,
    )  # fmt: skip
    if _ESCAPED.search("".join(texts)):
        texts = [_told(words) for words in texts]
    lines = [chain.line(event) for event in issue.history]
    actions = [event.action for event in issue.history]
    prefix, category, title, words, address, source_name, source_id, fund_source = texts
    return "\t".join((
        str(number),
        f"{issue.id.int:032x}",
        prefix,
        category,
        title,
        words,
        "t" if issue.text_released else "f",
        address,
        str(issue.severity),
        issue.privacy,
        issue.source,
        source_name,
        source_id,
        issue.source_hash,
        place,
        public,
        _NULL if issue.extent is None else _geometry(issue.extent),
        _NULL if issue.accuracy_m is None else repr(issue.accuracy_m),
        issue.placed_by,
        issue.state,
        issue.level,
        _instant(issue.reported_at),
        _instant(issue.updated_at),
        _NULL if issue.ended_at is None else _instant(issue.ended_at),
        _NULL if issue.unit is None else _told(issue.unit),
        "{}" if not issue.helping_units else _told(_array(issue.helping_units)),
        _NULL if issue.cost_planned is None else repr(issue.cost_planned),
        _NULL if issue.cost_spent is None else repr(issue.cost_spent),
        fund_source,
        "t" if issue.synthetic else "f",
        str(actions.count("return")),
        str(actions.count("rework")),
        _told(f"[[{'],['.join(lines)}]]") if lines else "[]",
        f"\\\\x{b''.join(chain.hashes(issue.id, lines)).hex()}\n",
    ))  # fmt: skip


def _place(lon: float, lat: float) -> str:
    return _POINT.pack(1, _KIND, 4326, lon, lat).hex()


def _instant(at: datetime) -> str:
    """Largely the same instants come again: a row tells its dates as columns and in its history.

    Only those of UTC are kept: the two hours 2:30 of a night in autumn are the same to a zone of its own.
    """
    return _of_utc(at) if at.tzinfo is UTC else at.isoformat()


_of_utc = lru_cache(_MOST_INSTANTS)(datetime.isoformat)


def _told(words: str) -> str:
    return words.translate(_ESCAPES) if _ESCAPED.search(words) else words


def _geometry(wkb: bytes) -> str:
    return str(shapely.to_wkb(shapely.set_srid(shapely.from_wkb(wkb), 4326), hex=True, include_srid=True))


def _array(words: Sequence[str]) -> str:
    return "{" + ",".join(json.dumps(word, ensure_ascii=False) for word in words) + "}"


def _column(db: Session, sql: str) -> list[Any]:
    return list(db.execute(text(sql)).scalars())
