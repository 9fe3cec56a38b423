"""Storing many issues at once: COPY into a staging table, judged and merged set by set.

All of it happens in the caller's one transaction: either every good row lands or none does.
"""

import json
import re
import struct
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.geometry import blur
from geoapp.domain.values import Event, ImportPhase, NewIssue, Privacy
from geoapp.store import counts, history, loading, locks, outbox
from geoapp.store.judging import judge_many
from geoapp.store.locks import Lock

_STAGING = """
CREATE TEMP TABLE staging (
    row bigint, id uuid, prefix text, category_code text, title text, text text, text_released boolean, address text,
    severity int, privacy text, source text, source_name text, source_id text, source_hash text,
    geom geometry(Point, 4326), public_geom geometry(Point, 4326), extent geometry(Geometry, 4326),
    accuracy_m float8, placed_by text, state text, level text, reported_at timestamptz, updated_at timestamptz,
    ended_at timestamptz, unit text, helping text[], cost_planned numeric, cost_spent numeric, fund_source text,
    synthetic boolean, history jsonb
) ON COMMIT DROP
"""
_COPIED = (
    "category_code", "title", "text", "text_released", "address", "severity", "privacy", "source", "source_name",
    "source_id", "source_hash", "geom", "public_geom", "extent", "accuracy_m", "placed_by", "state", "level",
    "reported_at", "updated_at", "ended_at", "cost_planned", "cost_spent", "fund_source", "synthetic",
)  # fmt: skip


_AT_ONCE = 500
_NULL = "\\N"
_ESCAPED = re.compile(r"[\\\t\n\r]")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
# EWKB, as the database keeps it: byte order, a point that names its system, EPSG:4326, and two numbers.
_POINT = struct.Struct("<BIIdd")
_KIND = 0x20000001
_MOST_INSTANTS = 4096


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of the staged rows, and the verdicts of those that are stored now."""

    stored: int
    updated: int
    unchanged: int
    verdicts: dict[str, int]
    community_verdicts: dict[str, int]


def stage(db: Session, issues: Iterable[NewIssue]) -> int:
    """COPY issues into a new staging table of this transaction, as a stream; returns how many."""
    db.execute(text(_STAGING))
    connection: Any = db.connection().connection.driver_connection
    count = 0
    lines: list[str] = []
    with connection.cursor() as cursor, cursor.copy("COPY staging FROM STDIN") as copy:
        for count, issue in enumerate(issues, start=1):
            lines.append(_line(count, issue))
            if len(lines) == _AT_ONCE:
                copy.write("".join(lines))
                lines.clear()
        copy.write("".join(lines))
    db.execute(text("CREATE INDEX ON staging (id)"))
    db.execute(text("ANALYZE staging (row, id, source_hash, updated_at, category_code, unit)"))
    return count


def unknown_codes(db: Session) -> dict[str, list[str]]:
    """Categories and units that staged rows name and that do not exist."""
    return {
        "category": _column(db, "SELECT DISTINCT category_code FROM staging EXCEPT SELECT code FROM category"),
        "unit": _column(
            db,
            "(SELECT unit FROM staging WHERE unit IS NOT NULL UNION SELECT unnest(helping) FROM staging) "
            "EXCEPT SELECT code FROM unit",
        ),
    }


def duplicates(db: Session) -> list[tuple[int, str]]:
    """Drop all but the newest of rows with the same id; returns the numbers and sources' ids of the dropped ones."""
    dropped = db.execute(
        text(
            "DELETE FROM staging s USING (SELECT row, row_number() OVER (PARTITION BY id ORDER BY updated_at DESC, "
            "row DESC) AS nth FROM staging) AS n WHERE n.row = s.row AND n.nth > 1 RETURNING s.row, s.source_id"
        )
    )
    return [(row.row, row.source_id) for row in dropped]


def merge(db: Session, *, today: date, told: Callable[[ImportPhase], None] = lambda _: None) -> Merged:
    """Judge and store what is staged: new issues, those that a newer row changes, and nothing else.

    ``told`` is called as each phase begins.
    """
    told(ImportPhase.JUDGING)
    locks.alone(db, Lock.IMPORTS)
    locks.beside(db, Lock.BOUNDARIES)
    judge_many(
        db,
        "SELECT s.id, s.geom, s.category_code, s.accuracy_m, s.ended_at::date AS ended_on FROM staging s "
        "LEFT JOIN issue i USING (id) WHERE i.id IS NULL "
        "OR (i.source_hash <> s.source_hash AND s.updated_at >= i.updated_at)",
        today=today,
    )
    told(ImportPhase.STORING)
    updated = _update(db)
    if updated:
        # So far only those are judged of which there was an older row, and each has one new line.
        outbox.tell(db, "SELECT i.id AS issue_id, i.history_seq AS seq FROM issue i JOIN verdict USING (id)", {})
    total, new = db.execute(
        text(
            "SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (SELECT FROM issue i WHERE i.id = s.id)) FROM staging s"
        )
    ).one()
    anew = counts.is_many(db, new)
    aside = loading.outweighs(db, new)
    with loading.indexes_after(db) if aside else nullcontext():
        stored = _insert(db, counted=not anew)
        if aside:
            told(ImportPhase.INDEXES)
    told(ImportPhase.COUNTING)
    if anew:
        counts.rebuild(db)
    else:
        counts.fold_many(db, stored + updated, wait=True)
    return Merged(stored, updated, total - stored - updated, _shares(db, "verdict"), _shares(db, "community_verdict"))


def _insert(db: Session, *, counted: bool) -> int:
    """Store what is new; ``counted`` in the log of changes, or else by whoever counts everything anew."""
    listed = ", ".join(_COPIED)
    # The chain of a new issue is made before the issue, which carries its head. An updated one has a history.
    db.execute(
        text(
            f"""
            CREATE TEMP TABLE line ON COMMIT DROP AS
            SELECT l.*, history_chain({history.content("l.issue_id", "l.seq", "l.")})
                            OVER (PARTITION BY l.issue_id ORDER BY l.seq) AS hash
            FROM (SELECT s.id AS issue_id, CAST(e.nth AS int) AS seq, (e.line ->> 'at')::timestamptz AS at,
                         e.line ->> 'action' AS action, e.line ->> 'to_state' AS to_state,
                         coalesce(e.line ->> 'actor', '') AS actor, coalesce(e.line ->> 'note', '') AS note,
                         coalesce(e.line -> 'detail', '{{}}') AS detail, CAST(NULL AS uuid) AS person_id,
                         false AS internal
                  FROM staging s, jsonb_array_elements(s.history) WITH ORDINALITY AS e (line, nth)
                  WHERE NOT EXISTS (SELECT FROM issue WHERE issue.id = s.id)) AS l
            """
        )
    )
    insert = f"""
        INSERT INTO issue (id, number, {listed}, community_id, community_verdict, verdict, judged_on, candidate_ids,
                           unit_id, helping_unit_ids, returns, reworks, history_seq, history_hash)
        SELECT s.id, s.prefix || '-' || extract(year FROM s.reported_at) || '-'
                     || lpad(s.serial::text, greatest(6, length(s.serial::text)), '0'),
               {", ".join(f"s.{name}" for name in _COPIED)},
               v.community_id, v.community_verdict, v.verdict, v.judged_on, v.candidate_ids, unit.id,
               ARRAY(SELECT u.id FROM unit u WHERE u.code = ANY (s.helping) ORDER BY array_position(s.helping, u.code)),
               coalesce(told.returns, 0), coalesce(told.reworks, 0), coalesce(told.seq, 0), coalesce(told.hash, '')
        FROM (SELECT staging.*, nextval('issue_serial') AS serial FROM staging
              WHERE NOT EXISTS (SELECT FROM issue WHERE issue.id = staging.id) ORDER BY row) AS s
        JOIN verdict v USING (id) LEFT JOIN unit ON unit.code = s.unit
        LEFT JOIN (SELECT issue_id, max(seq) AS seq, (array_agg(hash ORDER BY seq DESC))[1] AS hash,
                          count(*) FILTER (WHERE action = 'return') AS returns,
                          count(*) FILTER (WHERE action = 'rework') AS reworks
                   FROM line GROUP BY issue_id) AS told ON told.issue_id = s.id
        ORDER BY s.row
        """
    if counted:
        insert = f"""
            WITH made AS ({insert} RETURNING issue.id AS issue_id, {counts.returned()}),
            counted AS ({counts.moved(None, "made")})
            SELECT count(*) FROM made
        """
    written = db.execute(text(insert))
    stored = int(written.scalar_one() if counted else written.rowcount)  # type: ignore[attr-defined]
    db.execute(
        text(
            f"INSERT INTO history (issue_id, seq, {history.COLUMNS}, hash) "
            f"SELECT issue_id, seq, {history.COLUMNS}, hash FROM line"
        )
    )
    return stored


def _update(db: Session) -> int:
    """Write newer rows over what their source told before, and tell it in the history."""
    listed = ", ".join(f"{name} = s.{name}" for name in _COPIED)
    return _count(
        db,
        f"""
        WITH line AS MATERIALIZED (
            SELECT i.id AS issue_id, s.updated_at AS at, 'update' AS action,
                   CASE WHEN s.state <> i.state THEN s.state END AS to_state, '' AS actor, '' AS note,
                   jsonb_build_object('was_state', i.state) AS detail, CAST(NULL AS uuid) AS person_id,
                   false AS internal
            FROM issue i JOIN staging s USING (id) JOIN verdict USING (id)
        ),
        before AS MATERIALIZED ({counts.before("SELECT line.issue_id FROM line")}),
        changed AS (
            UPDATE issue SET {listed}, unit_id = unit.id, community_id = v.community_id,
                   community_verdict = v.community_verdict, verdict = v.verdict, judged_on = v.judged_on,
                   candidate_ids = v.candidate_ids, version = issue.version + 1, {history.head("line")}
            FROM staging s JOIN verdict v USING (id) JOIN line ON line.issue_id = s.id
                 JOIN (SELECT issue_id FROM before) AS held ON held.issue_id = s.id LEFT JOIN unit ON unit.code = s.unit
            WHERE issue.id = s.id
            RETURNING issue.id AS issue_id, issue.history_seq AS seq, issue.history_hash AS hash, {counts.returned()}
        ),
        counted AS ({counts.moved("before", "changed")})
        {history.append("changed", "line")}
        """,
    )


def _shares(db: Session, column: str) -> dict[str, int]:
    found = db.execute(text(f"SELECT {column}, count(*) FROM issue JOIN staging USING (id) GROUP BY 1"))
    return {row[0]: row[1] for row in found}


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
        f"[{','.join(map(_event, issue.history))}]\n",
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


def _event(event: Event) -> str:
    if event.actor or event.note or event.detail:
        told = {"actor": event.actor, "note": event.note, "detail": event.detail}
        more = "," + _told(json.dumps(told, ensure_ascii=False)[1:-1])
    else:
        more = ""
    state = "null" if event.to_state is None else f'"{event.to_state}"'
    return f'{{"at":"{_instant(event.at)}","action":"{event.action}","to_state":{state}{more}}}'


def _column(db: Session, sql: str) -> list[Any]:
    return list(db.execute(text(sql)).scalars())


def _count(db: Session, sql: str) -> int:
    return int(db.execute(text(sql)).rowcount)  # type: ignore[attr-defined]


def category_exists(db: Session, code: str) -> bool:
    return bool(db.execute(text("SELECT EXISTS (SELECT FROM category WHERE code = :code)"), {"code": code}).scalar())


def create_categories(db: Session, parent: str, names: dict[str, str], *, origin: str) -> None:
    """Categories below ``parent`` by code and name; those that exist stay as they are."""
    if names:
        db.execute(
            text(
                "INSERT INTO category (code, parent_code, path, kind, name_zh, name_en, origin, icon, colour, sort) "
                "SELECT CAST(:code AS text), p.code, ARRAY[CAST(:code AS text)] || p.path, p.kind, '', :name, :origin, "
                "p.icon, p.colour, 900 "
                "FROM category p WHERE p.code = :parent ON CONFLICT (code) DO NOTHING"
            ),
            [{"code": code, "name": name, "parent": parent, "origin": origin} for code, name in names.items()],
        )


def create_units(db: Session, names: dict[str, str], *, origin: str) -> None:
    if names:
        db.execute(
            text(
                "INSERT INTO unit (code, name_zh, name_en, origin) VALUES (:code, '', :name, :origin) "
                "ON CONFLICT (code) DO NOTHING"
            ),
            [{"code": code, "name": name, "origin": origin} for code, name in names.items()],
        )
