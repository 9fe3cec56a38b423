"""What the deadlines of issues are computed from, and where the running one is kept for lists."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.values import Event, IssueState, Name


@dataclass(frozen=True, slots=True)
class Told:
    """An issue's deadlines, of its category or by the rule of its place, and its changes of state, oldest first.

    ``local`` names the place of the rule that holds.
    """

    issue_id: UUID
    limits: dict[str, dict[str, int]]
    events: tuple[Event, ...]
    local: Name | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """The clock of an issue that lists sort by; an empty stage: nothing runs."""

    issue_id: UUID
    stage: str
    due_at: datetime | None
    paused: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """Deadlines that hold in a place for a category and all below it."""

    place_id: int
    category: str
    deadlines: dict[str, dict[str, int]]


def local_rule(community: str, path: str) -> str:
    """SQL of the rule that holds in a community for a category: of the nearest place, and there nearest category.

    It yields deadlines, and name_zh and name_en of the place.
    """
    return f"""
        SELECT r.deadlines, p.name_zh, p.name_en FROM deadline_rule r JOIN place p ON p.id = r.place_id
        JOIN place home ON home.id = {community} LEFT JOIN place street ON street.id = home.parent_id
        WHERE r.place_id IN (home.id, street.id, street.parent_id) AND r.category_code = ANY ({path})
        ORDER BY array_position(ARRAY[home.id, street.id, street.parent_id], r.place_id),
                 array_position({path}, r.category_code) LIMIT 1"""


def told(db: Session, *, only: UUID | None = None, among: Sequence[UUID] | None = None) -> Iterator[Told]:
    """One issue, or all that have not ended and whose deadlines are ours: an import's are its source's.

    ``among`` leaves of these only some.
    """
    where = "i.id = :only" if only else "i.source NOT IN ('import', 'open311') AND i.ended_at IS NULL"
    if among is not None:
        where += " AND i.id = ANY (:among)"
    rows = db.execute(
        text(
            "SELECT i.id, c.deadlines, rule.deadlines AS local, rule.name_zh, rule.name_en, h.at, h.action, "
            "h.to_state, h.detail "
            "FROM issue i JOIN category c ON c.code = i.category_code JOIN history h ON h.issue_id = i.id "
            f"LEFT JOIN LATERAL ({local_rule('i.community_id', 'c.path')}) AS rule ON true "
            f"WHERE (h.to_state IS NOT NULL OR h.detail ? 'due') AND {where} ORDER BY i.id, h.at, h.seq"
        ),
        {"only": only, "among": None if among is None else list(among)},
    )
    for issue_id, lines in groupby(rows, key=lambda row: row.id):
        found = list(lines)
        events = tuple(
            Event(line.at, line.action, IssueState(line.to_state) if line.to_state else None, detail=line.detail)
            for line in found
        )
        first = found[0]
        # Stage by stage: a rule that says how soon to handle leaves the rest to the category.
        local = Name(first.name_zh, first.name_en) if first.local else None
        yield Told(issue_id, first.deadlines | (first.local or {}), events, local)


def keep(db: Session, running: Iterable[Running]) -> None:
    """Write the running clocks. It is no change of the issue: version and history stay."""
    rows: list[dict[str, Any]] = [
        {"id": one.issue_id, "stage": one.stage, "due": one.due_at, "paused": one.paused} for one in running
    ]
    if rows:
        db.execute(text("UPDATE issue SET stage = :stage, due_at = :due, paused = :paused WHERE id = :id"), rows)


def replace_rules(db: Session, rules: Iterable[Rule]) -> None:
    """Put these rules in the place of all that were there."""
    db.execute(text("DELETE FROM deadline_rule"))
    rows = [{"place": one.place_id, "category": one.category, "deadlines": json.dumps(one.deadlines)} for one in rules]
    if rows:
        db.execute(
            text(
                "INSERT INTO deadline_rule (place_id, category_code, deadlines) "
                "VALUES (:place, :category, CAST(:deadlines AS jsonb))"
            ),
            rows,
        )


def category_codes(db: Session) -> set[str]:
    return set(db.execute(text("SELECT code FROM category")).scalars())
