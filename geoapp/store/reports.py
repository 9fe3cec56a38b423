"""Reports: the issue that one makes, who told of it, and who has seen it too."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.geometry import blur
from geoapp.domain.reports import Reporter, Submission
from geoapp.domain.values import Privacy, Release
from geoapp.store import counts, history, locks
from geoapp.store.judging import judgement
from geoapp.store.locks import Lock

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


def rule(db: Session, category: str) -> Rule | None:
    """What holds for reports of a category; None for one that there is not or that is switched off."""
    row = db.execute(
        text("SELECT privacy, severity, name_zh, name_en, release FROM category WHERE code = :code AND active"),
        {"code": category},
    ).first()
    if row is None:
        return None
    return Rule(Privacy(row.privacy), row.severity, row.name_zh, row.name_en, Release(row.release))


def one_at_a_time(db: Session, issue_id: UUID) -> None:
    """Whoever sends the same report at the same moment waits here until the first is stored."""
    db.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:id, 0))"), {"id": str(issue_id)})


def told(db: Session, issue_id: UUID, report_id: UUID) -> Told | None:
    row = db.execute(
        text(
            "SELECT r.id, r.issue_id, i.number, r.at, r.fingerprint FROM report r "
            "JOIN issue i ON i.id = r.issue_id WHERE r.issue_id = :issue AND r.id = :id"
        ),
        {"issue": issue_id, "id": report_id},
    ).first()
    return None if row is None else Told(*row)


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


def issue_exists(db: Session, issue_id: UUID) -> bool:
    return bool(db.execute(text("SELECT EXISTS (SELECT FROM issue WHERE id = :id)"), {"id": issue_id}).scalar())


def store(
    db: Session,
    submission: Submission,
    known: Rule,
    privacy: Privacy,
    *,
    released: bool,
    actor: str,
    person: UUID | None,
    prefix: str,
    at: datetime,
    today: date,
) -> str:
    """Store what is reported as a judged issue with its first line of history; returns the number.

    The caller has made sure that the id is free, and keeps who told it.
    """
    locks.beside(db, Lock.BOUNDARIES)
    lon, lat = submission.point.lon, submission.point.lat
    shown = (lon, lat) if privacy is Privacy.PUBLIC else blur(lon, lat)
    line = history.content("v.id", "1", "line.")
    number = db.execute(
        text(
            f"""
            WITH v AS MATERIALIZED ({judgement(_TARGET)}),
            line AS (
                SELECT CAST(:id AS uuid) AS issue_id, CAST(:at AS timestamptz) AS at, 'report' AS action,
                       'reported' AS to_state, CAST(:actor AS text) AS actor, '' AS note,
                       jsonb_build_object('verdict', v.verdict) AS detail, CAST(:person AS uuid) AS person_id,
                       false AS internal
                FROM v
            ),
            made AS (
                INSERT INTO issue (id, number, category_code, title, text, text_released, address, severity, privacy,
                                   source, geom, public_geom, extent, accuracy_m, placed_by, state, level, reported_at,
                                   updated_at, community_id, community_verdict, verdict, judged_on, candidate_ids,
                                   history_seq, history_hash)
                SELECT v.id, CAST(:prefix AS text) || '-' || CAST(:year AS text) || '-'
                             || lpad(serial.n::text, greatest(6, length(serial.n::text)), '0'),
                       CAST(:category AS text), :title, :text, :released, :address, :severity, CAST(:privacy AS text),
                       :source, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326),
                       CASE WHEN CAST(:privacy AS text) <> 'private'
                            THEN ST_SetSRID(ST_MakePoint(:shown_lon, :shown_lat), 4326) END,
                       ST_GeomFromWKB(CAST(:extent AS bytea), 4326), CAST(:accuracy AS float8), :placed_by, 'reported',
                       'community', CAST(:at AS timestamptz), CAST(:at AS timestamptz), v.community_id,
                       v.community_verdict, v.verdict, v.judged_on, v.candidate_ids, 1,
                       history_link(''::bytea, {line})
                FROM v JOIN line ON line.issue_id = v.id
                     CROSS JOIN (SELECT nextval('issue_serial') AS n) AS serial
                RETURNING id AS issue_id, history_seq AS seq, history_hash AS hash, number, {counts.returned()}
            ),
            counted AS ({counts.moved(None, "made")}),
            written AS ({history.append("made", "line")})
            SELECT number FROM made
            """
        ),
        {
            "id": submission.id,
            "lon": lon,
            "lat": lat,
            "shown_lon": shown[0],
            "shown_lat": shown[1],
            "category": submission.category,
            "accuracy": submission.accuracy_m,
            "today": today,
            "at": at,
            "actor": actor,
            "person": person,
            "prefix": prefix,
            "year": today.year,
            "title": submission.title or known.name_zh or known.name_en,
            "text": submission.text,
            "released": released,
            "address": submission.address,
            "severity": known.severity,
            "privacy": str(privacy),
            "source": str(submission.source),
            "extent": submission.extent,
            "placed_by": str(submission.placed_by),
        },
    ).scalar_one()
    return str(number)


def keep(
    db: Session,
    issue_id: UUID,
    report_id: UUID,
    reporter: Reporter,
    told_as: str,
    *,
    person: UUID | None,
    at: datetime,
    witness: bool = False,
) -> None:
    """Store who told of an issue."""
    db.execute(
        text(
            "INSERT INTO report (issue_id, id, witness, at, person_id, name, contact, lang, key_hash, fingerprint) "
            "VALUES (:issue, :id, :witness, :at, :person, :name, :contact, :lang, :key_hash, :fingerprint)"
        ),
        {
            "issue": issue_id,
            "id": report_id,
            "witness": witness,
            "at": at,
            "person": person,
            "name": reporter.name,
            "contact": reporter.contact,
            "lang": reporter.lang,
            "key_hash": hash_of(reporter.key),
            "fingerprint": told_as,
        },
    )


WITNESSES = """
    (WITH RECURSIVE same AS (
        SELECT i.id UNION SELECT d.id FROM issue d JOIN same ON d.merged_into = same.id
     ) SELECT count(*) FROM report r JOIN same ON r.issue_id = same.id
     WHERE (r.witness OR r.issue_id <> i.id) AND r.withdrawn_at IS NULL)
"""
"""SQL: how many others have seen ``issue i`` too. Who reported what was merged into it counts; un-merged, no more."""


def hash_of(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
