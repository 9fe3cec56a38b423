"""Storing many issues at once: what store.staging holds, judged and merged set by set.

All of it happens in the caller's one transaction: either every good row lands or none does.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.values import ImportPhase
from geoapp.store import counts, history, loading, locks, outbox
from geoapp.store.judging import judge_many
from geoapp.store.locks import Lock

_COPIED = (
    "category_code", "title", "text", "text_released", "address", "severity", "privacy", "source", "source_name",
    "source_id", "source_hash", "geom", "public_geom", "extent", "accuracy_m", "placed_by", "state", "level",
    "reported_at", "updated_at", "ended_at", "cost_planned", "cost_spent", "fund_source", "synthetic",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of the staged rows, and the verdicts of those that are stored now."""

    stored: int
    updated: int
    unchanged: int
    verdicts: dict[str, int]
    community_verdicts: dict[str, int]


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
    new = _count(
        db,
        "CREATE TEMP TABLE fresh ON COMMIT DROP AS "
        "SELECT row FROM staging s WHERE NOT EXISTS (SELECT FROM issue WHERE issue.id = s.id)",
    )
    # Else the planner would hash the wide rows that it joins with these numbers.
    db.execute(text("ANALYZE fresh"))
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
    verdicts, community_verdicts = _shares(db)
    return Merged(stored, updated, verdicts.total() - stored - updated, verdicts, community_verdicts)


def _insert(db: Session, *, counted: bool) -> int:
    """Store what is new; ``counted`` in the log of changes, or else by whoever counts everything anew."""
    listed = ", ".join(_COPIED)
    insert = f"""
        INSERT INTO issue (id, number, {listed}, community_id, community_verdict, verdict, judged_on, candidate_ids,
                           unit_id, helping_unit_ids, returns, reworks, history_seq, history_hash)
        SELECT s.id, s.prefix || '-' || extract(year FROM s.reported_at) || '-'
                     || lpad(s.serial::text, greatest(6, length(s.serial::text)), '0'),
               {", ".join(f"s.{name}" for name in _COPIED)},
               s.community_id, s.community_verdict, s.verdict, s.judged_on, s.candidate_ids, s.unit_id,
               CASE WHEN s.helping = '{{}}' THEN '{{}}' ELSE ARRAY(
                   SELECT u.id FROM unit u WHERE u.code = ANY (s.helping) ORDER BY array_position(s.helping, u.code))
               END,
               s.returns, s.reworks, jsonb_array_length(s.history), {_hash("jsonb_array_length(s.history)")}
        FROM (SELECT ready.*, nextval('issue_serial') AS serial FROM (
                SELECT staging.*, v.community_id, v.community_verdict, v.verdict, v.judged_on, v.candidate_ids,
                       unit.id AS unit_id
                FROM fresh JOIN staging USING (row) JOIN verdict v USING (id) LEFT JOIN unit ON unit.code = staging.unit
                ORDER BY row) AS ready) AS s
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
            f"""
            INSERT INTO history (issue_id, seq, at, action, to_state, actor, note, detail, hash)
            SELECT s.id, e.nth, CAST(e.line ->> 0 AS timestamp) AT TIME ZONE 'UTC', e.line ->> 1, e.line ->> 2,
                   e.line ->> 3, e.line ->> 4, e.line -> 5, {_hash("e.nth")}
            FROM fresh JOIN staging s USING (row), jsonb_array_elements(s.history) WITH ORDINALITY AS e (line, nth)
            """
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


def _hash(nth: str) -> str:
    """SQL of the staged hash of the nth line; none has none."""
    return f"substring(s.hashes FROM 32 * (CAST({nth} AS int) - 1) + 1 FOR 32)"


def _shares(db: Session) -> tuple[Counter[str], Counter[str]]:
    """How many of the staged issues have each verdict, and each verdict of their community."""
    found = db.execute(
        text("SELECT verdict, community_verdict, count(*) AS n FROM issue JOIN staging USING (id) GROUP BY 1, 2")
    )
    verdicts, community_verdicts = Counter[str](), Counter[str]()
    for row in found:
        verdicts[row.verdict] += row.n
        community_verdicts[row.community_verdict] += row.n
    return verdicts, community_verdicts


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
