"""Issues as columns for analyses: a million of them in a second or two.

The server strings each column together into one value; a row at a time, by COPY or a cursor, takes many times as long.
Words travel as their hashes. The filter and what the viewer may see are the same as behind list and map; of what is
not seen in full only the public place is read.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.spatial.columns import Areas, Codes, Issues
from geoapp.domain.values import IssueFilter, IssueState, PlaceKind, VerdictClass, Viewer
from geoapp.store.condition import condition, seen_in_full
from geoapp.store.session import driver

_EPOCH = np.datetime64("2000-01-01T00:00:00", "s")
"""PostgreSQL counts microseconds from here."""
_NEVER = np.iinfo(np.int64).max
_LONGEST = 48
"""A number for people takes at most so many bytes."""
_STATES = tuple(map(str, IssueState))
_VERDICTS = tuple(map(str, VerdictClass))
_WORD = "hashtextextended({}, {})"
"""The seed tells the columns apart, so that equal words in two of them do not cancel each other out."""
_THEN = (
    "(SELECT h.to_state FROM history h WHERE h.issue_id = i.id AND h.to_state IS NOT NULL AND h.at < :as_of "
    "ORDER BY h.seq DESC LIMIT 1)"
)


def read(
    db: Session, wanted: IssueFilter, viewer: Viewer, *, zone: ZoneInfo, as_of: date | None = None, ids: bool = False
) -> Issues:
    """The issues that match, in no particular order; with ``ids`` also the 16 bytes of each one's, and its number.

    As of the end of a day: only what had been reported, open if it had not ended by then, in the state that its
    history had brought it to. Verdict, community and unit are today's.
    """
    ended, state, more, binds = "i.ended_at", "i.state", "", dict[str, Any]()
    if as_of is not None:
        binds["as_of"] = datetime.combine(as_of + timedelta(days=1), time(), zone)
        state = f"coalesce({_THEN}, i.state)"
        ended = "CASE WHEN i.ended_at < :as_of THEN i.ended_at END"
        more = " AND i.reported_at < :as_of"
        if wanted.states:
            more += f" AND {state} = ANY (:then)"
            binds["then"] = [str(one) for one in wanted.states]
            wanted = replace(wanted, states=())
    where, own = condition(db, wanted, viewer, zone=zone)
    full, seen = seen_in_full(viewer)
    shown = {"true": "i.geom", "false": "i.public_geom"}.get(
        full, f"CASE WHEN {full} THEN i.geom ELSE i.public_geom END"
    )
    kinds = " # ".join(_WORD.format(word, seed) for seed, word in enumerate(("i.category_code", state, "i.verdict")))
    columns = {
        "lon": f"float8send(ST_X({shown}))",
        "lat": f"float8send(ST_Y({shown}))",
        "reported": "timestamptz_send(i.reported_at)",
        "ended": f"timestamptz_send(coalesce({ended}, 'infinity'))",
        "kinds": f"int8send({kinds})",
        "owners": "int8send((coalesce(i.community_id, 0) << 32) + coalesce(i.unit_id, 0))",
    }
    if ids:
        columns["named"] = (
            f"uuid_send(i.id) || substring(convert_to(rpad(i.number, {_LONGEST}), 'UTF8') FROM 1 FOR {_LONGEST})"
        )
    found = _strung(db, columns, f"FROM issue i WHERE {where}{more}", {**own, **seen, **binds})
    category, state_of, verdict = _words(db, np.frombuffer(found["kinds"], ">i8").astype(np.int64))
    owners = np.frombuffer(found["owners"], ">i8").astype(np.int64)
    named = np.frombuffer(found["named"], [("id", "V16"), ("number", f"S{_LONGEST}")]) if ids else None
    return Issues(
        np.frombuffer(found["lon"], ">f8").astype(float), np.frombuffer(found["lat"], ">f8").astype(float),
        _instants(found["reported"]), _instants(found["ended"]), category, state_of, verdict,
        _codes(db, "place", owners >> 32), _codes(db, "unit", owners & 0xFFFFFFFF),
        None if named is None else named["id"].copy(),
        None if named is None else np.char.decode(np.char.rstrip(named["number"]), "utf-8"),
    )  # fmt: skip


def areas(db: Session, kind: PlaceKind, *, day: date, within: Sequence[str] = ()) -> Areas:
    """The boundaries of a kind in force on a day, by code; of some places only those that lie in them or are them."""
    rows = db.execute(
        text(
            """
            SELECT p.code, p.name_zh, p.name_en, ST_AsBinary(b.area) AS area
            FROM place p JOIN boundary b ON b.place_id = p.id AND b.validity @> CAST(:day AS date)
            LEFT JOIN place up ON up.id = p.parent_id LEFT JOIN place top ON top.id = up.parent_id
            WHERE p.kind = :kind
              AND (:everywhere OR CAST(ARRAY[p.code, up.code, top.code] AS text[]) && CAST(:within AS text[]))
            ORDER BY p.code
            """
        ),
        {"kind": str(kind), "day": day, "within": list(within), "everywhere": not within},
    ).all()
    return Areas(
        tuple(row.code for row in rows), tuple(row.name_zh for row in rows), tuple(row.name_en for row in rows),
        np.asarray(shapely.from_wkb([bytes(row.area) for row in rows])), np.full(len(rows), np.nan),
    )  # fmt: skip


def land_of_units(db: Session, *, day: date) -> Areas:
    """Every unit with the land of its jurisdictions in force on a day, by code; empty where it has none."""
    rows = db.execute(
        text(
            """
            SELECT u.code, u.name_zh, u.name_en, ST_AsBinary(coalesce(
                (SELECT ST_Multi(ST_UnaryUnion(ST_Collect(j.area))) FROM jurisdiction j
                 WHERE j.unit_id = u.id AND j.validity @> CAST(:day AS date)),
                ST_GeomFromText('MULTIPOLYGON EMPTY', 4326))) AS area
            FROM unit u ORDER BY u.code
            """
        ),
        {"day": day},
    ).all()
    return Areas(
        tuple(row.code for row in rows), tuple(row.name_zh for row in rows), tuple(row.name_en for row in rows),
        np.asarray(shapely.from_wkb([bytes(row.area) for row in rows]), dtype=object), np.full(len(rows), np.nan),
        of="unit",
    )  # fmt: skip


def study_area(db: Session, *, day: date, within: Sequence[str] = ()) -> Any:
    """The polygon of these places, or of all districts, or else of all communities; None where nothing is drawn."""
    row = db.execute(
        text(
            """
            SELECT ST_AsBinary(ST_UnaryUnion(ST_Collect(b.area))) AS area
            FROM place p JOIN boundary b ON b.place_id = p.id AND b.validity @> CAST(:day AS date)
            WHERE CASE WHEN :everywhere
                THEN p.kind = (SELECT o.kind FROM place o WHERE o.kind IN ('district', 'community')
                               ORDER BY o.kind = 'community' LIMIT 1)
                ELSE p.code = ANY (CAST(:within AS text[])) END
            """
        ),
        {"day": day, "within": list(within), "everywhere": not within},
    ).one()
    return None if row.area is None else shapely.from_wkb(bytes(row.area))


def districts(db: Session) -> dict[str, str]:
    """The code of the district of each community, as the places stand today; empty where none is known."""
    rows = db.execute(
        text(
            "SELECT p.code, coalesce((SELECT d.code FROM place d WHERE d.kind = 'district' AND d.id IN "
            "(up.id, top.id)), (SELECT min(d.code) FROM place d WHERE d.kind = 'district' "
            "HAVING count(*) = 1), '') AS district FROM place p LEFT JOIN place up ON up.id = p.parent_id "
            "LEFT JOIN place top ON top.id = up.parent_id WHERE p.kind = 'community'"
        )
    )
    return {row.code: row.district for row in rows}


def _strung(db: Session, columns: dict[str, str], rest: str, binds: dict[str, Any]) -> dict[str, bytes]:
    """Each column, an expression of bytes, over all rows in the same order, as one value."""
    strung = ", ".join(f"coalesce(string_agg({sql}, ''), '') AS {name}" for name, sql in columns.items())
    statement = text(f"SELECT {strung} {rest}").compile(dialect=db.get_bind().dialect)
    connection = driver(db)
    # In binary: as text, bytes are sent as twice as many digits.
    with connection.cursor(binary=True) as cursor:
        row = cursor.execute(str(statement), {key: binds[key] for key in statement.params}).fetchone()
    return dict(zip(columns, row, strict=True))


def _words(db: Session, hashes: NDArray[np.int64]) -> tuple[Codes, Codes, Codes]:
    """Category, state and verdict of each hash over the three of them."""
    categories = db.execute(text(f"SELECT code, {_WORD.format('code', 0)} FROM category ORDER BY code")).all()
    of_words = text(
        f"SELECT {_WORD.format('word', 1)}, {_WORD.format('word', 2)} FROM unnest(CAST(:w AS text[])) AS word"
    )
    states = [row[0] for row in db.execute(of_words, {"w": list(_STATES)})]
    verdicts = [row[1] for row in db.execute(of_words, {"w": list(_VERDICTS)})]
    of_category = np.array([row[1] for row in categories], dtype=np.int64)
    all_ = of_category[:, None, None] ^ np.array(states)[:, None] ^ np.array(verdicts)
    order = np.argsort(all_.ravel())
    at = (
        order[np.searchsorted(all_.ravel(), hashes, sorter=order).clip(max=max(all_.size - 1, 0))]
        if hashes.size
        else hashes
    )
    category, state, verdict = (
        one.astype(np.int32) for one in np.unravel_index(at, (max(len(categories), 1), *all_.shape[1:]))
    )
    return Codes(category, tuple(row[0] for row in categories)), Codes(state, _STATES), Codes(verdict, _VERDICTS)


def _instants(packed: bytes) -> NDArray[np.datetime64]:
    micros = np.frombuffer(packed, ">i8").astype(np.int64)
    instants = _EPOCH + (micros // 1_000_000).astype("timedelta64[s]")
    instants[micros == _NEVER] = np.datetime64("NaT")
    return np.asarray(instants)


def _codes(db: Session, table: str, ids: NDArray[np.int64]) -> Codes:
    """Database ids as codes, 0 for none; only those that occur are named."""
    highest = int(ids.max(initial=0))
    present = np.zeros(highest + 1, dtype=bool)
    present[ids] = True
    rows = db.execute(text(f"SELECT id, code FROM {table} ORDER BY code")).all()
    rows = [row for row in rows if row.id <= highest and present[row.id]]
    number = np.full(highest + 1, -1, dtype=np.int32)
    number[[row.id for row in rows]] = np.arange(len(rows), dtype=np.int32)
    return Codes(number[ids], tuple(row.code for row in rows))
