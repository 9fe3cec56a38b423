"""What of residents waits for a review (审核), and what was decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.abuse import Suspicion
from geoapp.domain.values import Matter, Name, Score


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something to look at: of which issue, what it is, and how suspicious it looked."""

    id: UUID
    number: str
    category: Name
    community: Name
    matter: Matter
    ref: UUID
    at: datetime
    spam: int
    reasons: tuple[str, ...]
    title: str
    text: str
    score: Score | None


@dataclass(frozen=True, slots=True)
class Pending:
    """A review that nobody has decided."""

    id: UUID
    matter: Matter
    ref: UUID


def ask(db: Session, issue_id: UUID, matter: Matter, ref: UUID, looked: Suspicion, *, at: datetime) -> None:
    """Let somebody look at it; what waited of the same matter before is overtaken."""
    db.execute(
        text(
            "WITH overtaken AS (DELETE FROM review "
            "WHERE issue_id = :issue AND matter = :matter AND ref = :ref AND decided_at IS NULL) "
            "INSERT INTO review (issue_id, id, matter, ref, at, spam, reasons) "
            "VALUES (:issue, :id, :matter, :ref, :at, :spam, :reasons)"
        ),
        {
            "issue": issue_id,
            "id": uuid4(),
            "matter": str(matter),
            "ref": ref,
            "at": at,
            "spam": looked.score,
            "reasons": list(looked.reasons),
        },
    )


def pending(db: Session, issue_id: UUID, review: UUID) -> Pending | None:
    row = db.execute(
        text("SELECT id, matter, ref FROM review WHERE issue_id = :issue AND id = :id AND decided_at IS NULL"),
        {"issue": issue_id, "id": review},
    ).first()
    return None if row is None else Pending(row.id, Matter(row.matter), row.ref)


def decide(
    db: Session, issue_id: UUID, matter: Matter, *, released: bool, person: UUID | None, now: datetime,
    ref: UUID | None = None,
) -> None:  # fmt: skip
    """Put on record what was decided about all of a matter that waits, or about one ``ref`` of it."""
    db.execute(
        text(
            "UPDATE review SET decided_at = :now, decided_by = :person, released = :released "
            "WHERE issue_id = :issue AND matter = :matter AND decided_at IS NULL "
            "AND (CAST(:ref AS uuid) IS NULL OR ref = CAST(:ref AS uuid))"
        ),
        {"now": now, "person": person, "released": released, "issue": issue_id, "matter": str(matter), "ref": ref},
    )


def forget(db: Session, issue_id: UUID, refs: Sequence[UUID]) -> None:
    """Take what is gone out of the queue."""
    db.execute(
        text("DELETE FROM review WHERE issue_id = :issue AND ref = ANY (:refs) AND decided_at IS NULL"),
        {"issue": issue_id, "refs": list(refs)},
    )


def count(db: Session, communities: frozenset[str] | None) -> int:
    where, binds = _within(communities)
    return int(
        db.execute(
            text(f"SELECT count(*) FROM review r JOIN issue i ON i.id = r.issue_id WHERE r.decided_at IS NULL {where}"),
            binds,
        ).scalar_one()
    )


def waiting(db: Session, communities: frozenset[str] | None, *, limit: int) -> list[Waiting]:
    """The oldest first; of the issues of these communities (None: of all)."""
    where, binds = _within(communities)
    rows = db.execute(
        text(
            f"""
            SELECT r.id, i.number, c.name_zh, c.name_en, p.name_zh AS place_zh, p.name_en AS place_en, r.matter, r.ref,
                   r.at, r.spam, r.reasons, i.title,
                   CASE r.matter WHEN 'words' THEN i.text WHEN 'remark' THEN remark.text WHEN 'photo' THEN photo.caption
                        ELSE rating.reason END AS said,
                   rating.score
            FROM review r JOIN issue i ON i.id = r.issue_id JOIN category c ON c.code = i.category_code
            LEFT JOIN place p ON p.id = i.community_id
            LEFT JOIN remark ON r.matter = 'remark' AND remark.issue_id = r.issue_id AND remark.id = r.ref
            LEFT JOIN photo ON r.matter = 'photo' AND photo.issue_id = r.issue_id AND photo.id = r.ref
            LEFT JOIN LATERAL (
                SELECT score, reason FROM rating WHERE r.matter = 'rating' AND rating.issue_id = r.issue_id
                AND rating.report_id = r.ref ORDER BY round DESC LIMIT 1) AS rating ON true
            WHERE r.decided_at IS NULL {where} ORDER BY r.at, r.id LIMIT :limit
            """
        ),
        binds | {"limit": limit},
    )
    return [
        Waiting(
            row.id, row.number, Name(row.name_zh, row.name_en), Name(row.place_zh or "", row.place_en or ""),
            Matter(row.matter), row.ref, row.at, row.spam, tuple(row.reasons), row.title, row.said or "",
            Score(row.score) if row.score else None,
        )
        for row in rows
    ]  # fmt: skip


def _within(communities: frozenset[str] | None) -> tuple[str, dict[str, Any]]:
    if communities is None:
        return "", {}
    return (
        "AND i.community_id = ANY (ARRAY(SELECT id FROM place WHERE kind = 'community' AND code = ANY (:communities)))",
        {"communities": sorted(communities)},
    )
