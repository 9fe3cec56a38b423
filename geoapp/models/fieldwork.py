"""What a phone brings back from a site visit. All of it hangs on the issue and points at the visit.

``id`` is always the phone's own: the key ``(issue_id, id)`` is what makes the same record, sent twice, one row.
"""

from datetime import date
from uuid import UUID

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from geoapp.domain.fieldwork import Fate, Kind, Seen
from geoapp.models.base import Base, created_at, document, geometry, instant, on_earth, one_of, words, yes_no


class FieldRecord(Base):
    """The envelope of everything recorded: of which visit, made from what, by whom, and what became of it.

    ``at`` is the phone's clock, ``received_at`` ours. ``body`` is what was sent, so that a conflict can be shown and
    decided later; ``meanwhile`` says that somebody had changed the issue since the pack was made.
    """

    __tablename__ = "field_record"
    __table_args__ = (
        one_of("kind", Kind),
        one_of("fate", Fate),
        CheckConstraint("(fate IN ('mine', 'theirs')) = (decided_at IS NOT NULL)", name="decided_when_decided"),
        CheckConstraint("fate = 'stored' OR kind IN ('extent', 'settlement')", name="only_a_change_conflicts"),
        Index(None, "visit_id"),
    )

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id"))
    kind: Mapped[str]
    at: Mapped[instant]
    received_at: Mapped[instant]
    person_id: Mapped[UUID | None]
    fingerprint: Mapped[str]
    base_version: Mapped[int | None]
    base_seq: Mapped[int | None]
    fate: Mapped[str]
    meanwhile: Mapped[yes_no]
    body: Mapped[document]
    decided_at: Mapped[instant | None]
    decided_by: Mapped[UUID | None]
    stored_at: Mapped[created_at]


class CheckIn(Base):
    """签到: where the phone said that it was, and how far that is from the issue (metres)."""

    __tablename__ = "check_in"
    __table_args__ = (
        on_earth("geom"),
        CheckConstraint("accuracy_m >= 0 AND distance_m >= 0", name="metres_not_negative"),
        Index(None, "visit_id"),
    )

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id"))
    at: Mapped[instant]
    geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))
    accuracy_m: Mapped[float | None]
    distance_m: Mapped[float]
    person_id: Mapped[UUID | None]


class Finding(Base):
    """现场发现: how the issue was seen, the answers to the checklist, and what is to be done by when."""

    __tablename__ = "finding"
    __table_args__ = (
        CheckConstraint(f"seen IN ({', '.join(repr(str(one)) for one in Seen)})", name="seen_known"),
        CheckConstraint("due_on IS NULL OR follow_up <> ''", name="due_for_something"),
        CheckConstraint("done_at IS NULL OR follow_up <> ''", name="done_of_something"),
        Index(None, "visit_id"),
        Index("ix_finding_due_on", "due_on"),
    )

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id"))
    at: Mapped[instant]
    seen: Mapped[str | None]
    follow_up: Mapped[words]
    words: Mapped[words]
    answers: Mapped[document]
    due_on: Mapped[date | None]
    done_at: Mapped[instant | None]
    done_by: Mapped[UUID | None]
    person_id: Mapped[UUID | None]


class Signature(Base):
    """签字: who was present at a settlement on site and signed it, as strokes on a square of 1000 units."""

    __tablename__ = "signature"
    __table_args__ = (CheckConstraint("name <> '' AND nth > 0", name="somebody"),)

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    settlement_id: Mapped[UUID] = mapped_column(primary_key=True)
    nth: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    unit: Mapped[words]
    strokes: Mapped[document]
