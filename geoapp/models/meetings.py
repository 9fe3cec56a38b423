"""Joint meetings (联席会议), what they decide about each issue, and the places near which a defect weighs more.

A meeting points at no issue: the item of its agenda hangs on the issue and points to the meeting.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from geoapp.domain.agenda import Kind, MeetingState, Outcome
from geoapp.models.base import (
    Base,
    created_at,
    document,
    geometry,
    instant,
    numbers,
    one_of,
    serial,
    words,
    yes_no,
)


class Meeting(Base):
    """A meeting of a community, a street or the district. ``minutes`` are notes; decisions stand in the items."""

    __tablename__ = "meeting"
    __table_args__ = (
        one_of("state", MeetingState),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_at_some_time"),
        Index(None, "place_id", "starts_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"))
    title: Mapped[words]
    venue: Mapped[words]
    starts_at: Mapped[instant]
    state: Mapped[str] = mapped_column(server_default="planned")
    attendees: Mapped[words]
    minutes: Mapped[words]
    person_id: Mapped[UUID | None]
    closed_at: Mapped[instant | None]
    synthetic: Mapped[yes_no]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[created_at]


class AgendaItem(Base):
    """An issue on the agenda of a meeting. ``score`` holds its parts as they were when it was put there.

    ``outcome`` is what is to follow (empty: nothing is decided yet); ``applied_at`` when it was carried out.
    """

    __tablename__ = "agenda_item"
    __table_args__ = (
        CheckConstraint("outcome IN ('', " + ", ".join(f"'{one}'" for one in Outcome) + ")", name="outcome_known"),
        CheckConstraint("(outcome = '') = (decided_at IS NULL)", name="decided_at_some_time"),
        CheckConstraint("outcome <> 'assign' OR unit_id IS NOT NULL", name="assigned_to_a_unit"),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        Index(None, "meeting_id", "position"),
    )

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"), primary_key=True)
    position: Mapped[int]
    score: Mapped[document]
    outcome: Mapped[words]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    helping_unit_ids: Mapped[numbers]
    amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    fund: Mapped[words]
    due_on: Mapped[date | None]
    visit_on: Mapped[date | None]
    words: Mapped[words]
    votes_for: Mapped[int | None]
    votes_against: Mapped[int | None]
    votes_open: Mapped[int | None]
    decided_at: Mapped[instant | None]
    decided_by: Mapped[UUID | None]
    applied_at: Mapped[instant | None]


class SensitivePlace(Base):
    """A school, a clinic, a home for the aged: where the same defect hurts more."""

    __tablename__ = "sensitive_place"
    __table_args__ = (one_of("kind", Kind), Index("ix_sensitive_place_geom", "geom", postgresql_using="gist"))

    id: Mapped[serial]
    kind: Mapped[str]
    name_zh: Mapped[words]
    name_en: Mapped[words]
    geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))
    origin: Mapped[words]
    synthetic: Mapped[yes_no]
