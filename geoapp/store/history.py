"""The history of issues: rows are only added, each chained to the one before by a hash.

``history_content`` and ``history_link`` are functions of the database (migration 0002), so that one row
and a hundred thousand are chained by the same words. Only what an import brings comes with its hashes (domain.chain).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

COLUMNS = "at, action, to_state, actor, note, detail, person_id, internal"


@dataclass(frozen=True, slots=True)
class Break:
    """The first row of an issue's history that is not what it was when it was written; ``seq`` 0: its end is lost."""

    issue_id: UUID
    number: str
    seq: int
    at: datetime | None


def content(issue_id: str, seq: str, line: str = "") -> str:
    """SQL of a row's content for its hash; ``line`` prefixes the names of its columns, as ``h.``."""
    return f"history_content({issue_id}, {seq}, {', '.join(line + name for name in COLUMNS.split(', '))})"


def head(line: str) -> str:
    """The SET clause that moves an issue's head over one new row; ``line`` names a relation with the row's columns."""
    linked = content("issue.id", "issue.history_seq + 1", f"{line}.")
    return f"history_seq = issue.history_seq + 1, history_hash = history_link(issue.history_hash, {linked})"


def append(changed: str, line: str) -> str:
    """SQL that writes the rows of the relation ``changed``, which an UPDATE with ``head`` has returned.

    It needs issue_id, seq and hash, and the row's columns from the relation ``line`` by issue_id.
    """
    columns = ", ".join(f"{line}.{name}" for name in COLUMNS.split(", "))
    return (
        f"INSERT INTO history (issue_id, seq, {COLUMNS}, hash) "
        f"SELECT {changed}.issue_id, {changed}.seq, {columns}, {changed}.hash "
        f"FROM {changed} JOIN {line} USING (issue_id)"
    )


def verify(db: Session, *, limit: int = 100) -> tuple[int, list[Break]]:
    """Walk every chain; returns how many rows were read, and at most ``limit`` issues that were tampered with."""
    rows = int(db.execute(text("SELECT count(*) FROM history")).scalar_one())
    found = db.execute(
        text(
            f"""
            WITH walked AS (
                SELECT h.issue_id, h.seq, h.at, h.hash,
                       history_chain({content("h.issue_id", "h.seq", "h.")})
                           OVER (PARTITION BY h.issue_id ORDER BY h.seq) AS should,
                       row_number() OVER (PARTITION BY h.issue_id ORDER BY h.seq) AS nth
                FROM history h
            ), wrong AS (
                SELECT issue_id, seq, at FROM walked WHERE hash <> should OR seq <> nth
                UNION ALL
                SELECT i.id, 0, NULL FROM issue i LEFT JOIN history h ON h.issue_id = i.id AND h.seq = i.history_seq
                WHERE i.history_hash <> coalesce(h.hash, '') OR EXISTS (
                    SELECT FROM history later WHERE later.issue_id = i.id AND later.seq > i.history_seq)
            )
            SELECT DISTINCT ON (wrong.issue_id) wrong.issue_id, issue.number, wrong.seq, wrong.at
            FROM wrong JOIN issue ON issue.id = wrong.issue_id
            ORDER BY wrong.issue_id, nullif(wrong.seq, 0) NULLS LAST LIMIT :limit
            """
        ),
        {"limit": limit},
    )
    return rows, [Break(row.issue_id, row.number, row.seq, row.at) for row in found]
