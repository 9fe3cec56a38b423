"""An issue while it is worked on: locked, decided about elsewhere, written with its line of history."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.permissions import Right, Subject
from geoapp.domain.values import ANONYMOUS, IssueFilter, IssueState, Viewer
from geoapp.domain.workflow import Case, Transition, after_its_parts
from geoapp.store import counts, history, outbox
from geoapp.store.condition import condition
from geoapp.store.issues import key


@dataclass(frozen=True, slots=True)
class Standing:
    """A case with the version that a change must name, and the category that its deadlines come from."""

    case: Case
    number: str
    version: int
    category: str


def read(db: Session, name: str, viewer: Viewer, zone: ZoneInfo, *, lock: bool = False) -> Standing | None:
    """An issue by number or id as the workflow sees it; locked until the end of the transaction on demand.

    None when there is none that this viewer may see.
    """
    where, binds = condition(db, IssueFilter(), viewer, zone=zone)
    named, name_binds = key(name)
    row = db.execute(
        text(
            f"""
            SELECT i.id, i.number, i.version, i.state, i.category_code,
                   (SELECT code FROM place WHERE place.id = i.community_id) AS community,
                   (SELECT code FROM unit WHERE unit.id = i.unit_id) AS unit,
                   ARRAY(SELECT code FROM unit WHERE unit.id = ANY (i.helping_unit_ids)) AS helping,
                   EXISTS (SELECT FROM photo p WHERE p.issue_id = i.id AND p.phase = 'after'
                           AND p.withdrawn_at IS NULL AND p.added_at >= coalesce((
                               SELECT max(h.at) FROM history h WHERE h.issue_id = i.id
                               AND h.to_state IN ('dispatched', 'rework')), '-infinity')) AS after_photo,
                   i.part_of, (SELECT count(*) FROM issue part WHERE part.part_of = i.id) AS parts,
                   (SELECT count(*) FROM issue part WHERE part.part_of = i.id AND part.ended_at IS NULL) AS open_parts
            FROM issue i WHERE {named} AND {where} {"FOR UPDATE OF i" if lock else ""}
            """
        ),
        binds | name_binds,
    ).first()
    if row is None:
        return None
    subject = Subject(row.community, row.unit, frozenset(row.helping))
    case = Case(row.id, IssueState(row.state), subject, row.after_photo, row.parts, row.open_parts, row.part_of)
    return Standing(case, row.number, row.version, row.category_code)


def follow_parts(db: Session, parent: UUID, *, now: datetime) -> None:
    """Carry an issue on after one of its parts has ended or come back to life."""
    row = db.execute(
        text(
            "SELECT i.id, i.state, (SELECT count(*) FROM issue part WHERE part.part_of = i.id "
            "AND part.ended_at IS NULL) AS open_parts FROM issue i WHERE i.id = :id FOR UPDATE"
        ),
        {"id": parent},
    ).one()
    state = after_its_parts(IssueState(row.state), open_parts=row.open_parts)
    if state:
        action = Right.REPORT_DONE if state is IssueState.DONE else Right.REWORK
        change = Transition(action, state, "", "", {"open_parts": row.open_parts})
        write(db, Case(row.id, IssueState(row.state), Subject()), change, viewer=ANONYMOUS, now=now)


def tell(
    db: Session, issue_id: UUID, action: str, *, actor: str, person: UUID | None, at: datetime,
    detail: Mapping[str, Any] = MappingProxyType({}), note: str = "", internal: bool = False,
) -> None:  # fmt: skip
    """A line of history that changes no fact which staff edit, so the version stays."""
    db.execute(
        text(
            f"""
            WITH line AS (
                SELECT CAST(:id AS uuid) AS issue_id, CAST(:at AS timestamptz) AS at, CAST(:action AS text) AS action,
                       CAST(NULL AS text) AS to_state, CAST(:actor AS text) AS actor, CAST(:note AS text) AS note,
                       CAST(:detail AS jsonb) AS detail, CAST(:person AS uuid) AS person_id,
                       CAST(:internal AS boolean) AS internal
            ),
            changed AS (
                UPDATE issue SET {history.head("line")} FROM line WHERE issue.id = line.issue_id
                RETURNING issue.id AS issue_id, issue.history_seq AS seq, issue.history_hash AS hash
            )
            {history.append("changed", "line")}
            """
        ),
        {
            "id": issue_id, "at": at, "action": action, "actor": actor, "person": person, "internal": internal,
            "note": note, "detail": json.dumps(dict(detail), ensure_ascii=False),
        },
    )  # fmt: skip


def unknown_units(db: Session, codes: list[str]) -> list[str]:
    found = db.execute(
        text("SELECT code FROM unnest(CAST(:codes AS text[])) AS code EXCEPT SELECT code FROM unit"), {"codes": codes}
    )
    return list(found.scalars())


def write(
    db: Session,
    case: Case,
    change: Transition,
    *,
    viewer: Viewer,
    now: datetime,
    also: Mapping[str, tuple[str, Mapping[str, Any]]] = MappingProxyType({}),
) -> int:
    """Store a transition, its line of history and its notices; returns the new version. The caller holds the lock.

    ``also`` names further columns of the issue, each with its SQL and binds.
    """
    ends = "CAST(:at AS timestamptz)" if change.to_state and change.to_state.ended else "NULL"
    facts = {
        "state": "coalesce(line.to_state, state)",
        "updated_at": "line.at",
        "version": "version + 1",
    }
    if change.to_state:
        facts |= {"ended_at": ends, "merged_into": "CAST(:original AS uuid)"}
    if change.unit:
        facts |= {
            "unit_id": "(SELECT id FROM unit WHERE code = :unit)",
            "helping_unit_ids": "ARRAY(SELECT id FROM unit WHERE code = ANY (CAST(:helping AS text[])) "
            "ORDER BY array_position(CAST(:helping AS text[]), code))",
        }
    if change.level:
        facts["level"] = ":level"
    facts |= {column: sql for column, (sql, _) in also.items()}
    if change.counted:
        facts[change.counted] = f"{change.counted} + 1"
    written = db.execute(
        text(
            f"""
                WITH line AS (
                    SELECT CAST(:id AS uuid) AS issue_id, CAST(:at AS timestamptz) AS at,
                           CAST(:action AS text) AS action, CAST(:to_state AS text) AS to_state,
                           CAST(:actor AS text) AS actor, CAST(:note AS text) AS note,
                           CAST(:detail AS jsonb) AS detail, CAST(:person AS uuid) AS person_id,
                           CAST(:internal AS boolean) AS internal
                ),
                before AS MATERIALIZED ({counts.before("SELECT line.issue_id FROM line")}),
                changed AS (
                    UPDATE issue SET {", ".join(f"{name} = {value}" for name, value in facts.items())},
                           {history.head("line")}
                    FROM line JOIN (SELECT issue_id FROM before) AS held USING (issue_id)
                    WHERE issue.id = line.issue_id
                    RETURNING issue.id AS issue_id, issue.history_seq AS seq, issue.history_hash AS hash,
                              issue.version, {counts.returned()}
                ),
                counted AS ({counts.moved("before", "changed")}),
                told AS ({history.append("changed", "line")})
                SELECT version, seq FROM changed
                """
        ),
        {
            "id": case.id,
            "at": now,
            "action": str(change.action),
            "to_state": change.to_state and str(change.to_state),
            "actor": str(change.actor),
            "note": change.note,
            "detail": json.dumps(change.detail, ensure_ascii=False),
            "person": viewer.person,
            "internal": change.internal,
            "original": change.original,
            "unit": change.unit,
            "helping": list(change.helping or ()),
            "level": change.level and str(change.level),
            **{name: value for _, binds in also.values() for name, value in binds.items()},
        },
    ).one()
    line = "SELECT CAST(:told_of AS uuid) AS issue_id, CAST(:told_seq AS int) AS seq"
    outbox.tell(db, line, {"told_of": case.id, "told_seq": written.seq}, now=now)
    return int(written.version)
