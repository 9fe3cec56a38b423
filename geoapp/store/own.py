"""What somebody reported, added and rated, for whoever holds the key of the private link; and its erasure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.values import IssueState, Name, Release, Score
from geoapp.store import counts
from geoapp.store.photos import Photo, get
from geoapp.store.reports import WITNESSES, hash_of


@dataclass(frozen=True, slots=True)
class RemarkRow:
    """Words that were added to an issue."""

    id: UUID
    at: datetime
    text: str
    released: bool


@dataclass(frozen=True, slots=True)
class RatingRow:
    """What somebody says of a result."""

    at: datetime
    score: Score
    reason: str


@dataclass(frozen=True, slots=True)
class Ratings:
    """How often each score was given, and the reasons that the public may read."""

    counts: Mapping[Score, int] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Own:
    """A report as its reporter sees it.

    ``public``: the issue has a page that everybody may see; ``rating`` is of the issue's newest end.
    """

    issue_id: UUID
    id: UUID
    number: str
    state: IssueState
    at: datetime
    ended_at: datetime | None
    due_at: datetime | None
    stage: str
    unit: Name
    witness: bool
    public: bool
    category: Name
    title: str
    text: str
    address: str
    released: bool
    lon: float
    lat: float
    name: str
    contact: str
    lang: str
    withdrawn: bool
    witnesses: int
    at_once: bool
    remarks: tuple[RemarkRow, ...] = ()
    photos: tuple[Photo, ...] = ()
    rating: RatingRow | None = None


def by_key(db: Session, issue_id: UUID, report_id: UUID, key: str) -> Own | None:
    """What somebody reported, for whoever holds the key of its private link."""
    row = db.execute(
        text(
            f"""
            SELECT r.at, r.witness, r.name, r.contact, r.lang, r.withdrawn_at IS NOT NULL AS withdrawn, i.number,
                   i.state, i.ended_at, i.due_at, i.stage, i.title, i.text, i.address, i.text_released,
                   ST_X(i.geom) AS lon, ST_Y(i.geom) AS lat, c.name_zh, c.name_en, c.release,
                   u.name_zh AS unit_zh, u.name_en AS unit_en, i.public_geom IS NOT NULL AS public,
                   {WITNESSES} AS witnesses
            FROM report r JOIN issue i ON i.id = r.issue_id JOIN category c ON c.code = i.category_code
            LEFT JOIN unit u ON u.id = i.unit_id
            WHERE r.issue_id = :issue AND r.id = :report AND r.key_hash = :key AND r.erased_at IS NULL
            """
        ),
        {"issue": issue_id, "report": report_id, "key": hash_of(key)},
    ).first()
    if row is None:
        return None
    # A witness has not written the words, and what is not released is between its author and staff.
    title, said, where = ("", "", "") if row.witness else (row.title, row.text, row.address)
    return Own(
        issue_id, report_id, row.number, IssueState(row.state), row.at, row.ended_at, row.due_at, row.stage,
        Name(row.unit_zh or "", row.unit_en or ""), row.witness, row.public, Name(row.name_zh, row.name_en),
        title, said, where, row.text_released, row.lon, row.lat, row.name, row.contact, row.lang, row.withdrawn,
        row.witnesses, row.release == Release.AT_ONCE, tuple(_remarks(db, issue_id, report_id)),
        tuple(_photos(db, issue_id, report_id)), _rating(db, issue_id, report_id),
    )  # fmt: skip


def round_of(db: Session, issue_id: UUID) -> int:
    """How often an issue has been closed."""
    return int(
        db.execute(
            text("SELECT count(*) FROM history WHERE issue_id = :id AND to_state = 'closed'"), {"id": issue_id}
        ).scalar_one()
    )


def rate(db: Session, own: Own, score: Score, reason: str, *, now: datetime) -> None:
    """Keep a rating of the newest end; a later one takes its place."""
    db.execute(
        text(
            "INSERT INTO rating (issue_id, report_id, round, at, score, reason) "
            "VALUES (:issue, :report, :round, :at, :score, :reason) ON CONFLICT (issue_id, report_id, round) "
            "DO UPDATE SET at = excluded.at, score = excluded.score, reason = excluded.reason, reason_released = false"
        ),
        {
            "issue": own.issue_id,
            "report": own.id,
            "round": max(1, round_of(db, own.issue_id)),
            "at": now,
            "score": str(score),
            "reason": reason,
        },
    )


def add_remark(db: Session, own: Own, remark: UUID, said: str, *, now: datetime) -> bool:
    """Store words; False when they were there already."""
    done = db.execute(
        text(
            "INSERT INTO remark (issue_id, id, report_id, at, text) VALUES (:issue, :id, :report, :at, :text) "
            "ON CONFLICT DO NOTHING RETURNING id"
        ),
        {"issue": own.issue_id, "id": remark, "report": own.id, "at": now, "text": said},
    )
    return done.first() is not None


def release_remark(db: Session, issue_id: UUID, remark: UUID, *, released: bool, now: datetime) -> None:
    column = "released_at" if released else "withdrawn_at"
    db.execute(
        text(f"UPDATE remark SET {column} = :now WHERE issue_id = :issue AND id = :id"),
        {"now": now, "issue": issue_id, "id": remark},
    )


def release_reason(db: Session, issue_id: UUID, report_id: UUID, *, released: bool) -> None:
    """Let the public read why somebody rated so, or not."""
    db.execute(
        text(
            "UPDATE rating SET reason_released = :released WHERE issue_id = :issue AND report_id = :report "
            "AND round = (SELECT max(round) FROM rating WHERE issue_id = :issue AND report_id = :report)"
        ),
        {"released": released, "issue": issue_id, "report": report_id},
    )


def withdraw(db: Session, own: Own, *, now: datetime) -> None:
    db.execute(
        text("UPDATE report SET withdrawn_at = :now WHERE issue_id = :issue AND id = :id AND withdrawn_at IS NULL"),
        {"now": now, "issue": own.issue_id, "id": own.id},
    )


def erase(db: Session, issue_id: UUID, report_id: UUID, *, now: datetime, wholly: bool) -> None:
    """Forget who reported, and what of theirs the public does not see; ``wholly``: what it does see as well.

    The issue stays with its category, place and history, in which nobody is named. Files that no photo names any more
    are swept later.
    """
    binds = {"issue": issue_id, "report": report_id, "now": now, "wholly": wholly}
    for statement in (
        """UPDATE issue SET text = '', address = '', text_released = true,
               title = (SELECT coalesce(nullif(name_zh, ''), name_en) FROM category WHERE code = issue.category_code)
           WHERE id = :issue AND (:wholly OR NOT text_released)
           AND EXISTS (SELECT FROM report r WHERE r.issue_id = :issue AND r.id = :report AND NOT r.witness)""",
        """DELETE FROM revision WHERE issue_id = :issue AND field IN ('title', 'text', 'address')
           AND EXISTS (SELECT FROM report r WHERE r.issue_id = :issue AND r.id = :report AND NOT r.witness)""",
        """DELETE FROM follower f USING report r WHERE r.issue_id = :issue AND r.id = :report
           AND f.issue_id = r.issue_id AND lower(f.email) = lower(trim(r.contact))""",
        "DELETE FROM photo WHERE issue_id = :issue AND report_id = :report AND (:wholly OR released_at IS NULL)",
        """UPDATE photo SET original_sha256 = NULL, boxes = '{}' WHERE issue_id = :issue AND report_id = :report""",
        "DELETE FROM remark WHERE issue_id = :issue AND report_id = :report AND (:wholly OR released_at IS NULL)",
        """UPDATE rating SET reason = '' WHERE issue_id = :issue AND report_id = :report
           AND (:wholly OR NOT reason_released)""",
        """DELETE FROM review v WHERE v.issue_id = :issue AND v.decided_at IS NULL AND (v.ref = :report
               OR v.matter = 'photo' AND NOT EXISTS (SELECT FROM photo p WHERE p.issue_id = v.issue_id AND p.id = v.ref)
               OR v.matter = 'remark'
                  AND NOT EXISTS (SELECT FROM remark m WHERE m.issue_id = v.issue_id AND m.id = v.ref))""",
        """UPDATE report SET name = '', contact = '', fingerprint = '', key_hash = '', person_id = NULL,
               erased_at = CAST(:now AS timestamptz) WHERE issue_id = :issue AND id = :report""",
    ):
        db.execute(text(statement), binds)
    counts.note(db, issue_id)


def over(db: Session, *, now: datetime, after: timedelta, limit: int) -> list[tuple[UUID, UUID]]:
    """Reports (issue, id) whose issue ended so long ago that nobody needs to know any more who made them."""
    rows = db.execute(
        text(
            "SELECT r.issue_id, r.id FROM report r JOIN issue i ON i.id = r.issue_id WHERE r.erased_at IS NULL "
            "AND i.ended_at < :before ORDER BY i.ended_at LIMIT :limit"
        ),
        {"before": now - after, "limit": limit},
    )
    return [(row.issue_id, row.id) for row in rows]


def ratings(db: Session, issue_id: UUID) -> Ratings:
    """What is said of the newest end."""
    rows = db.execute(
        text(
            "SELECT score, count(*) AS n, "
            "array_agg(reason ORDER BY at) FILTER (WHERE reason_released AND reason <> '') AS reasons "
            "FROM rating WHERE issue_id = :issue AND round = (SELECT max(round) FROM rating WHERE issue_id = :issue) "
            "GROUP BY score"
        ),
        {"issue": issue_id},
    ).all()
    return Ratings({Score(row.score): row.n for row in rows}, tuple(why for row in rows for why in row.reasons or ()))


def remarks(db: Session, issue_id: UUID, *, unreleased: bool) -> list[RemarkRow]:
    """What residents added to an issue, the oldest first."""
    rows = db.execute(
        text(
            "SELECT id, at, text, released_at IS NOT NULL AS released FROM remark WHERE issue_id = :issue "
            "AND withdrawn_at IS NULL AND (:unreleased OR released_at IS NOT NULL) ORDER BY at, id"
        ),
        {"issue": issue_id, "unreleased": unreleased},
    )
    return [RemarkRow(*row) for row in rows]


def _remarks(db: Session, issue_id: UUID, report_id: UUID) -> list[RemarkRow]:
    rows = db.execute(
        text(
            "SELECT id, at, text, released_at IS NOT NULL AND withdrawn_at IS NULL AS released FROM remark "
            "WHERE issue_id = :issue AND report_id = :report ORDER BY at, id"
        ),
        {"issue": issue_id, "report": report_id},
    )
    return [RemarkRow(*row) for row in rows]


def _photos(db: Session, issue_id: UUID, report_id: UUID) -> list[Photo]:
    ids: Sequence[UUID] = (
        db.execute(
            text(
                "SELECT id FROM photo WHERE issue_id = :issue AND report_id = :report AND withdrawn_at IS NULL "
                "ORDER BY added_at, id"
            ),
            {"issue": issue_id, "report": report_id},
        )
        .scalars()
        .all()
    )
    return [photo for one in ids if (photo := get(db, issue_id, one, unreleased=True))]


def _rating(db: Session, issue_id: UUID, report_id: UUID) -> RatingRow | None:
    row = db.execute(
        text(
            "SELECT at, score, reason FROM rating WHERE issue_id = :issue AND report_id = :report "
            "AND round = greatest(1, :round)"
        ),
        {"issue": issue_id, "report": report_id, "round": round_of(db, issue_id)},
    ).first()
    return None if row is None else RatingRow(row.at, Score(row.score), row.reason)
