"""Joint meetings and the items of their agendas."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geoapp.domain.agenda import Decision, MeetingState, Outcome
from geoapp.domain.permissions import Right
from geoapp.domain.values import Name, Viewer
from geoapp.store.reach import covers, own_units, touches

_NAMES = (
    "ARRAY(SELECT jsonb_build_array(u.code, u.name_zh, u.name_en) FROM unit u WHERE u.id = ANY (a.helping_unit_ids) "
    "ORDER BY array_position(a.helping_unit_ids, u.id))"
)


@dataclass(frozen=True, slots=True)
class MeetingFacts:
    """What a meeting says of itself."""

    title: str
    starts_at: datetime
    venue: str = ""
    attendees: str = ""
    minutes: str = ""


@dataclass(frozen=True, slots=True)
class MeetingRow:
    """A meeting as lists and its page show it. Who only sees single items of it (a unit) is no ``insider``."""

    id: UUID
    facts: MeetingFacts
    state: MeetingState
    place: str
    place_id: int
    place_name: Name
    closed_at: datetime | None
    version: int
    synthetic: bool
    items: int
    decided: int
    insider: bool
    may_change: bool
    may_close: bool


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item of an agenda, with the names of the units that its decision tells."""

    issue_id: UUID
    number: str
    position: int
    score: dict[str, Any]
    decision: Decision | None
    unit_name: Name
    helping_names: tuple[Name, ...]
    decided_at: datetime | None
    applied_at: datetime | None


def found(db: Session, viewer: Viewer, *, only: UUID | None = None, limit: int) -> list[MeetingRow]:
    """Meetings that the viewer may see, the latest first: of the own communities, or with an item for the own unit."""
    sees, binds = touches(viewer, "m.place_id")
    may, more = covers(viewer, Right.MEET, "m.place_id")
    close, most = covers(viewer, Right.DECIDE, "m.place_id")
    units, own = own_units(viewer)
    rows = db.execute(
        text(
            f"""
            SELECT m.id, m.title, m.venue, m.starts_at, m.state, m.attendees, m.minutes, m.closed_at, m.version,
                   m.synthetic, m.place_id, place.code AS place, place.name_zh, place.name_en,
                   {sees} AS insider, {may} AS may_change, {close} AS may_close,
                   (SELECT count(*) FROM agenda_item a WHERE a.meeting_id = m.id) AS items,
                   (SELECT count(*) FROM agenda_item a WHERE a.meeting_id = m.id AND a.outcome <> '') AS decided
            FROM meeting m JOIN place ON place.id = m.place_id
            WHERE (CAST(:only AS uuid) IS NULL OR m.id = :only) AND ({sees} OR EXISTS (
                SELECT FROM agenda_item a WHERE a.meeting_id = m.id AND {_of_units(units)}))
            ORDER BY m.starts_at DESC, m.id LIMIT :limit
            """
        ),
        binds | more | most | own | {"only": only, "limit": limit},
    )
    return [_meeting(row) for row in rows]


def next_of(db: Session, community: str, *, now: datetime) -> tuple[datetime, Name] | None:
    """When the next meeting of a community or of a place around it is, and of which place: everybody may know."""
    row = db.execute(
        text(
            """
            WITH RECURSIVE up AS (
                SELECT id, parent_id, name_zh, name_en FROM place WHERE kind = 'community' AND code = :code
                UNION ALL SELECT p.id, p.parent_id, p.name_zh, p.name_en FROM up JOIN place p ON p.id = up.parent_id
            )
            SELECT m.starts_at, up.name_zh, up.name_en FROM up JOIN meeting m ON m.place_id = up.id
            WHERE m.state = 'planned' AND m.starts_at >= :now ORDER BY m.starts_at, m.id LIMIT 1
            """
        ),
        {"code": community, "now": now},
    ).first()
    return None if row is None else (row.starts_at, Name(row.name_zh, row.name_en))


def lock(db: Session, meeting: UUID) -> None:
    """Hold a meeting until the end of the transaction."""
    db.execute(text("SELECT FROM meeting WHERE id = :id FOR UPDATE"), {"id": meeting})


def add(
    db: Session, meeting: UUID, place_id: int, facts: MeetingFacts, *, person: UUID | None, synthetic: bool,
    now: datetime,
) -> bool:  # fmt: skip
    """Store a meeting; False when there is one with this id."""
    made = db.execute(
        text(
            "INSERT INTO meeting (id, place_id, title, venue, starts_at, attendees, minutes, person_id, synthetic, "
            "created_at) VALUES (:id, :place, :title, :venue, :starts_at, :attendees, :minutes, :person, :synthetic, "
            ":now) ON CONFLICT (id) DO NOTHING RETURNING id"
        ),
        _binds(facts) | {"id": meeting, "place": place_id, "person": person, "synthetic": synthetic, "now": now},
    ).scalar()
    return made is not None


def change(db: Session, meeting: UUID, facts: MeetingFacts) -> None:
    db.execute(
        text(
            "UPDATE meeting SET title = :title, venue = :venue, starts_at = :starts_at, attendees = :attendees, "
            "minutes = :minutes WHERE id = :id"
        ),
        _binds(facts) | {"id": meeting},
    )


def set_state(db: Session, meeting: UUID, state: MeetingState, *, now: datetime) -> None:
    closed = now if state is MeetingState.CLOSED else None
    db.execute(
        text("UPDATE meeting SET state = :state, closed_at = :closed WHERE id = :id"),
        {"id": meeting, "state": str(state), "closed": closed},
    )


def touch(db: Session, meeting: UUID) -> None:
    """Count a change, whatever it was."""
    db.execute(text("UPDATE meeting SET version = version + 1 WHERE id = :id"), {"id": meeting})


def items(db: Session, meeting: UUID, viewer: Viewer, *, insider: bool) -> list[ItemRow]:
    """The items in their order; whoever is no insider gets those of the own units."""
    units, own = own_units(viewer)
    rows = db.execute(
        text(
            f"""
            SELECT a.issue_id, i.number, a.position, a.score, a.outcome, a.words, u.code AS unit, u.name_zh, u.name_en,
                   {_NAMES} AS helping, a.amount, a.fund, a.due_on, a.visit_on, a.votes_for, a.votes_against,
                   a.votes_open, a.decided_at, a.applied_at
            FROM agenda_item a JOIN issue i ON i.id = a.issue_id LEFT JOIN unit u ON u.id = a.unit_id
            WHERE a.meeting_id = :id AND (:insider OR {_of_units(units)}) ORDER BY a.position, i.number
            """
        ),
        own | {"id": meeting, "insider": insider},
    )
    return [_item(row) for row in rows]


def put(db: Session, meeting: UUID, issue: UUID, score: str) -> bool:
    """Put an issue at the end of an agenda; ``score`` is JSON. False when it is there already."""
    made = db.execute(
        text(
            "INSERT INTO agenda_item (issue_id, meeting_id, position, score) VALUES (:issue, :id, "
            "(SELECT coalesce(max(position), 0) + 1 FROM agenda_item WHERE meeting_id = :id), CAST(:score AS jsonb)) "
            "ON CONFLICT DO NOTHING RETURNING position"
        ),
        {"issue": issue, "id": meeting, "score": score},
    ).scalar()
    return made is not None


def order(db: Session, meeting: UUID, issues: list[UUID]) -> None:
    """Let the items stand in this order, numbered from 1."""
    if issues:
        db.execute(
            text("UPDATE agenda_item SET position = :position WHERE meeting_id = :id AND issue_id = :issue"),
            [{"id": meeting, "issue": issue, "position": nth} for nth, issue in enumerate(issues, start=1)],
        )


def drop(db: Session, meeting: UUID, issue: UUID) -> None:
    db.execute(
        text("DELETE FROM agenda_item WHERE meeting_id = :id AND issue_id = :issue"), {"id": meeting, "issue": issue}
    )


def decide(
    db: Session, meeting: UUID, issue: UUID, decision: Decision | None, *, person: UUID | None, now: datetime
) -> None:
    """Write what was decided, or with None that nothing is."""
    said = decision or Decision(Outcome.STAY, "")
    votes = dict(zip(("for", "against", "open"), said.votes, strict=True))
    db.execute(
        text(
            "UPDATE agenda_item SET outcome = :outcome, words = :words, "
            "unit_id = (SELECT id FROM unit WHERE code = :unit), "
            "helping_unit_ids = ARRAY(SELECT id FROM unit WHERE code = ANY (CAST(:helping AS text[])) "
            "ORDER BY array_position(CAST(:helping AS text[]), code)), amount = :amount, fund = :fund, "
            "due_on = :due_on, visit_on = :visit_on, votes_for = :for, votes_against = :against, votes_open = :open, "
            "decided_at = :at, decided_by = :person WHERE meeting_id = :id AND issue_id = :issue"
        ),
        votes
        | {
            "id": meeting, "issue": issue, "outcome": str(decision.outcome) if decision else "", "words": said.words,
            "unit": said.unit, "helping": list(said.helping), "amount": said.amount, "fund": said.fund,
            "due_on": said.due_on, "visit_on": said.visit_on, "at": now if decision else None,
            "person": person if decision else None,
        },
    )  # fmt: skip


def applied(db: Session, meeting: UUID, *, now: datetime) -> None:
    db.execute(text("UPDATE agenda_item SET applied_at = :now WHERE meeting_id = :id"), {"id": meeting, "now": now})


def elsewhere(db: Session, meeting: UUID, issue: UUID) -> str | None:
    """The title of another meeting, not closed yet, that has this issue on its agenda."""
    found: str | None = db.execute(
        text(
            "SELECT m.title FROM agenda_item a JOIN meeting m ON m.id = a.meeting_id WHERE a.issue_id = :issue "
            "AND m.id <> :id AND m.state <> 'closed' ORDER BY m.starts_at LIMIT 1"
        ),
        {"issue": issue, "id": meeting},
    ).scalar()
    return found


def _of_units(units: str) -> str:
    """SQL: the item ``a`` is of one of these units, by its decision or because they have its issue."""
    return (
        f"(a.unit_id = ANY ({units}) OR a.helping_unit_ids && {units} OR EXISTS (SELECT FROM issue mine "
        f"WHERE mine.id = a.issue_id AND (mine.unit_id = ANY ({units}) OR mine.helping_unit_ids && {units})))"
    )


def _binds(facts: MeetingFacts) -> dict[str, Any]:
    return {
        "title": facts.title, "venue": facts.venue, "starts_at": facts.starts_at, "attendees": facts.attendees,
        "minutes": facts.minutes,
    }  # fmt: skip


def _meeting(row: Row[Any]) -> MeetingRow:
    # Attendees and notes are for whoever belongs there; a unit is told its own items.
    inside = (row.attendees, row.minutes) if row.insider else ("", "")
    return MeetingRow(
        row.id, MeetingFacts(row.title, row.starts_at, row.venue, *inside), MeetingState(row.state), row.place,
        row.place_id, Name(row.name_zh, row.name_en), row.closed_at, row.version, row.synthetic, row.items,
        row.decided, bool(row.insider), bool(row.may_change), bool(row.may_close),
    )  # fmt: skip


def _item(row: Row[Any]) -> ItemRow:
    decision = None
    if row.outcome:
        decision = Decision(
            Outcome(row.outcome), row.words, row.unit, tuple(code for code, _, _ in row.helping), row.amount, row.fund,
            row.due_on, row.visit_on, (row.votes_for, row.votes_against, row.votes_open),
        )  # fmt: skip
    return ItemRow(
        row.issue_id, row.number, row.position, row.score, decision, Name(row.name_zh or "", row.name_en or ""),
        tuple(Name(zh, en) for _, zh, en in row.helping), row.decided_at, row.applied_at,
    )  # fmt: skip
