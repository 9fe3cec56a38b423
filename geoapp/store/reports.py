"""Reports: the issue that one makes, who told of it, and who has seen it too."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from geoapp.domain.abuse import CROWD, CROWD_M, CROWD_WINDOW, REPEATED_WINDOW, Signs, Suspicion, crowd_cells
from geoapp.domain.geometry import blur
from geoapp.domain.reports import Reporter, Submission
from geoapp.domain.values import Matter, Privacy, Release
from geoapp.store import abuse, counts, history, session
from geoapp.store.clocks import Running, local_rule
from geoapp.store.judging import Judged, judgement
from geoapp.store.locks import Lock
from geoapp.store.session import Db, Session, Statement

_TARGET = (
    "SELECT CAST(:id AS uuid) AS id, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) AS geom, "
    "CAST(:category AS text) AS category_code, CAST(:accuracy AS float8) AS accuracy_m, CAST(NULL AS date) AS ended_on"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a category says of its reports, and its names: an issue without a title is called by them."""

    privacy: Privacy
    severity: int
    name_zh: str
    name_en: str
    release: Release


@dataclass(frozen=True, slots=True)
class Ground:
    """What is to be known before a report is stored: of its id, its category, and the place that it names.

    ``rule`` and ``judged`` are None for a category that there is not or that is switched off; ``limits`` are the
    deadlines of the category or of the place's own rule; ``blocked`` is why the public may not report here.
    """

    taken: bool
    rule: Rule | None
    judged: Judged | None
    limits: dict[str, dict[str, int]]
    blocked: str | None
    signs: Signs


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who told of an issue, as those see it whom they may be known to."""

    at: datetime
    witness: bool
    name: str
    contact: str
    erased: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A report that is stored: the number of its issue, and what tells the same one sent again."""

    id: UUID
    issue_id: UUID
    number: str
    at: datetime
    fingerprint: str


def one_at_a_time(db: Db, issue_id: UUID) -> bool:
    """Whoever sends the same report at the same moment waits here until the first is stored.

    Returns whether no boundary changes from here on, as for everyone who stores issues; False while one is being
    changed, for which ``locks.beside`` then waits. Both have to be had before ``look``, which else would still see
    what was before.
    """
    binds = {"id": str(issue_id), "boundaries": int(Lock.BOUNDARIES)}
    (row,) = session.rows(db, _ALONE, binds)
    return bool(row.steady)


_ALONE = Statement(
    """
    SELECT pg_try_advisory_xact_lock_shared(CAST(:boundaries AS bigint)) AS steady
    FROM (SELECT pg_advisory_xact_lock(hashtextextended(:id, 0)) OFFSET 0) AS first
    """,
    prepared=True,
)


def look(db: Db, submission: Submission, *, words: str, now: datetime, today: date) -> Ground:
    """See what ``store`` and the decisions before it need, in one statement. The caller keeps boundaries as they are.

    ``words`` are those by which the same report of another sender is told; empty: they tell nothing.
    """
    (row,) = session.rows(
        db,
        _LOOK,
        {
            "id": submission.id,
            "category": submission.category,
            "lon": submission.point.lon,
            "lat": submission.point.lat,
            "accuracy": submission.accuracy_m,
            "today": today,
            "words": words,
            "day": now - REPEATED_WINDOW,
            "hour": now - CROWD_WINDOW,
            "cells": crowd_cells(submission.point),
        },
    )
    signs = Signs(int(row.repeated), row.around)
    if row.privacy is None:
        return Ground(row.taken, None, None, {}, row.blocked, signs)
    return Ground(
        row.taken,
        Rule(Privacy(row.privacy), row.severity, row.name_zh, row.name_en, Release(row.release)),
        Judged(row.community_id, row.community_verdict, row.verdict, row.candidate_ids, row.judged_on),
        row.deadlines | (row.local or {}),
        row.blocked,
        signs,
    )


_REPORTED_HERE = "i.source NOT IN ('import', 'open311')"
"""Not brought from elsewhere; in the words of the indexes that hold only these."""
_SAME = (
    f"EXISTS (SELECT FROM issue i WHERE {_REPORTED_HERE} AND i.{{0}} <> '' AND hashtext(i.{{0}}) = hashtext(:words) "
    "AND i.reported_at > :day AND i.{0} = :words "
    "AND EXISTS (SELECT FROM report r WHERE r.issue_id = i.id AND r.id = i.id))"
)
# No more are counted than tell: one that is the same, and a crowd. Each tile is looked up by itself, in order of time
# and apart from the rest (OFFSET 0), and each index is of rows that only its own question says it is about: else the
# planner, which knows little of a young table, may read the whole last hour or day through another index.
_LOOK = Statement(
    f"""
    WITH v AS MATERIALIZED ({judgement(_TARGET)})
    SELECT EXISTS (SELECT FROM issue WHERE id = :id) AS taken,
           c.privacy, c.severity, c.name_zh, c.name_en, c.release, c.deadlines, rule.deadlines AS local,
           v.community_id, v.community_verdict, v.verdict, v.candidate_ids, v.judged_on,
           ({abuse.blocked(":lon", ":lat")}) AS blocked,
           :words <> '' AND ({_SAME.format("text")} OR {_SAME.format("title")}) AS repeated,
           (SELECT count(*) FROM (
               SELECT FROM unnest(CAST(:cells AS bigint[])) AS near (cell), LATERAL (
                   SELECT i.geom FROM issue i
                   WHERE {_REPORTED_HERE} AND i.geom IS NOT NULL
                   AND map_cell(ST_X(i.geom), ST_Y(i.geom)) >> 18 = near.cell AND i.reported_at > :hour
                   ORDER BY i.reported_at OFFSET 0) AS new
               WHERE ST_DWithin(new.geom::geography, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)::geography, {CROWD_M})
               LIMIT {CROWD}) AS crowd) AS around
    FROM (VALUES (true)) AS always LEFT JOIN category c ON c.code = :category AND c.active LEFT JOIN v ON true
         LEFT JOIN LATERAL ({local_rule("v.community_id", "c.path")}) AS rule ON true
    """,
    prepared=True,
)


def may_name(db: Session, category: str) -> bool:
    """True for a category that there is and that is not switched off."""
    found = db.execute(text("SELECT FROM category WHERE code = :code AND active"), {"code": category})
    return found.first() is not None


def told(db: Db, issue_id: UUID, report_id: UUID) -> Told | None:
    found = session.rows(db, _TOLD_BEFORE, {"issue": issue_id, "id": report_id})
    return Told(*found[0]) if found else None


_TOLD_BEFORE = Statement(
    "SELECT r.id, r.issue_id, i.number, r.at, r.fingerprint FROM report r "
    "JOIN issue i ON i.id = r.issue_id WHERE r.issue_id = :issue AND r.id = :id"
)


def of_issue(db: Session, issue_id: UUID) -> list[Person]:
    """Who told of an issue, the first before the witnesses."""
    rows = db.execute(
        text(
            "SELECT at, witness, name, contact, erased_at IS NOT NULL AS erased FROM report "
            "WHERE issue_id = :id ORDER BY witness, at, id"
        ),
        {"id": issue_id},
    )
    return [Person(*row) for row in rows]


def store(
    db: Db,
    submission: Submission,
    ground: Ground,
    privacy: Privacy,
    *,
    released: bool,
    actor: str,
    person: UUID | None,
    prefix: str,
    at: datetime,
    told_as: str | None = None,
    waits: Suspicion | None = None,
    running: Running | None = None,
) -> str:
    """Store what is reported as a judged issue with its first line of history; returns the number.

    With ``told_as`` also who told it, with ``waits`` that its words wait for a review, and how suspicious they looked.
    The caller has made sure that the id is free, and that there is a rule for the category.
    """
    known, judged = ground.rule, ground.judged
    if known is None or judged is None:
        raise ValueError(f"there is no category {submission.category}")
    lon, lat = submission.point.lon, submission.point.lat
    shown = (lon, lat) if privacy is Privacy.PUBLIC else blur(lon, lat)
    binds: dict[str, Any] = {
        "id": submission.id,
        "lon": lon,
        "lat": lat,
        "shown_lon": shown[0],
        "shown_lat": shown[1],
        "category": submission.category,
        "accuracy": submission.accuracy_m,
        "at": at,
        "actor": actor,
        "person": person,
        "number": f"{prefix}-{judged.judged_on.year}-",
        "title": submission.title or known.name_zh or known.name_en,
        "text": submission.text,
        "released": released,
        "address": submission.address,
        "severity": known.severity,
        "privacy": str(privacy),
        "source": str(submission.source),
        "extent": submission.extent,
        "placed_by": str(submission.placed_by),
        "community": judged.community_id,
        "community_verdict": judged.community_verdict,
        "verdict": judged.verdict,
        "judged_on": judged.judged_on,
        "candidates": judged.candidate_ids,
        "stage": running.stage if running else "",
        "due": running.due_at if running else None,
        "paused": running.paused if running else False,
    }
    if told_as is not None:
        binds |= _binds(submission.reporter, told_as)
    if waits is not None:
        binds |= {"review": uuid4(), "matter": str(Matter.WORDS), "spam": waits.score, "reasons": list(waits.reasons)}
    (row,) = session.rows(db, _storing(told=told_as is not None, waits=waits is not None), binds)
    return str(row.number)


@cache
def _storing(*, told: bool, waits: bool) -> Statement:
    """One statement for everything that a new issue writes, of which each row costs less than its own way there."""
    line = history.content("line.issue_id", "1", "line.")
    kept = asked = ""
    if told:
        kept = f""", told AS (
            INSERT INTO report ({_REPORT})
            SELECT issue_id, issue_id, false, CAST(:at AS timestamptz), CAST(:person AS uuid), {_TOLD} FROM made)"""
    if waits:
        asked = """, asked AS (
            INSERT INTO review (issue_id, id, matter, ref, at, spam, reasons)
            SELECT issue_id, CAST(:review AS uuid), :matter, issue_id, CAST(:at AS timestamptz), CAST(:spam AS int),
                   CAST(:reasons AS text[]) FROM made)"""
    return Statement(
        f"""
        WITH line AS (
            SELECT CAST(:id AS uuid) AS issue_id, CAST(:at AS timestamptz) AS at, 'report' AS action,
                   'reported' AS to_state, CAST(:actor AS text) AS actor, '' AS note,
                   jsonb_build_object('verdict', CAST(:verdict AS text)) AS detail, CAST(:person AS uuid) AS person_id,
                   false AS internal
        ),
        made AS (
            INSERT INTO issue (id, number, category_code, title, text, text_released, address, severity, privacy,
                               source, geom, public_geom, extent, accuracy_m, placed_by, state, level, reported_at,
                               updated_at, community_id, community_verdict, verdict, judged_on, candidate_ids,
                               stage, due_at, paused, history_seq, history_hash)
            SELECT line.issue_id,
                   CAST(:number AS text) || lpad(serial.n::text, greatest(6, length(serial.n::text)), '0'),
                   CAST(:category AS text), :title, :text, :released, :address, CAST(:severity AS int),
                   CAST(:privacy AS text), :source, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326),
                   CASE WHEN CAST(:privacy AS text) <> 'private'
                        THEN ST_SetSRID(ST_MakePoint(:shown_lon, :shown_lat), 4326) END,
                   ST_GeomFromWKB(CAST(:extent AS bytea), 4326), CAST(:accuracy AS float8), :placed_by, 'reported',
                   'community', line.at, line.at, CAST(:community AS bigint), :community_verdict,
                   CAST(:verdict AS text), CAST(:judged_on AS date), CAST(:candidates AS bigint[]), :stage,
                   CAST(:due AS timestamptz), CAST(:paused AS boolean), 1, history_link(''::bytea, {line})
            FROM line CROSS JOIN (SELECT nextval('issue_serial') AS n) AS serial
            RETURNING id AS issue_id, history_seq AS seq, history_hash AS hash, number, {counts.returned()}
        ),
        counted AS ({counts.moved(None, "made")}),
        written AS ({history.append("made", "line")}){kept}{asked}
        SELECT number FROM made
        """,
        prepared=True,
    )


def keep_witness(
    db: Session, issue_id: UUID, report_id: UUID, reporter: Reporter, told_as: str, *, person: UUID | None, at: datetime
) -> None:
    """Store who has seen an issue too."""
    db.execute(
        text(f"INSERT INTO report ({_REPORT}) VALUES (:issue, :id, true, :at, :person, {_TOLD})"),
        {"issue": issue_id, "id": report_id, "at": at, "person": person, **_binds(reporter, told_as)},
    )


_REPORT = "issue_id, id, witness, at, person_id, name, contact, lang, key_hash, fingerprint"
_TOLD = ":name, :contact, :lang, :key_hash, :fingerprint"


def _binds(reporter: Reporter, told_as: str) -> dict[str, Any]:
    """Binds of ``_TOLD``."""
    return {
        "name": reporter.name,
        "contact": reporter.contact,
        "lang": reporter.lang,
        "key_hash": hash_of(reporter.key),
        "fingerprint": told_as,
    }


WITNESSES = """
    (WITH RECURSIVE same AS (
        SELECT i.id UNION SELECT d.id FROM issue d JOIN same ON d.merged_into = same.id
     ) SELECT count(*) FROM report r JOIN same ON r.issue_id = same.id
     WHERE (r.witness OR r.issue_id <> i.id) AND r.withdrawn_at IS NULL)
"""
"""SQL: how many others have seen ``issue i`` too. Who reported what was merged into it counts; un-merged, no more."""


def hash_of(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
