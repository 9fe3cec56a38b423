"""The three lists (三张清单): needs, resources and the projects that join them, with their money.

Needs, resources and projects point at no issue: the joining rows hang on the issue.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, text
from sqlalchemy.dialects.postgresql import DATERANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from geoapp.domain.matching import NeedState, ResourceKind
from geoapp.domain.projects import Entry, ProjectState
from geoapp.models.base import Base, created_at, document, geometry, instant, one_of, words, yes_no


class Resource(Base):
    """资源: a place that stands empty, a crew, a machine, a fund, volunteers; whose, how much, where.

    ``capacity`` counts in ``measure`` (m², people, yuan). Without rows in ``resource_days`` it is always free.
    """

    __tablename__ = "resource"
    __table_args__ = (
        one_of("kind", ResourceKind),
        CheckConstraint("name <> ''", name="has_a_name"),
        CheckConstraint("capacity >= 0", name="capacity_not_negative"),
        Index(None, "place_id"),
        Index("ix_resource_geom", "geom", postgresql_using="gist"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"))
    kind: Mapped[str]
    name: Mapped[words]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    owner: Mapped[words]
    capacity: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    measure: Mapped[words]
    note: Mapped[words]
    geom: Mapped[WKBElement | None] = mapped_column(geometry("GEOMETRY"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    synthetic: Mapped[yes_no]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[created_at]


class ResourceDays(Base):
    """Days on which a resource is free, the end excluded."""

    __tablename__ = "resource_days"
    __table_args__ = (CheckConstraint("NOT isempty(days)", name="days_not_empty"),)

    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resource.id", ondelete="CASCADE"), primary_key=True)
    days: Mapped[Range[date]] = mapped_column(DATERANGE, primary_key=True)


class Need(Base):
    """需求: what is wanted, how much of it, where and when; from issues, or by hand."""

    __tablename__ = "need"
    __table_args__ = (
        one_of("kind", ResourceKind),
        one_of("state", NeedState),
        CheckConstraint("title <> ''", name="has_a_title"),
        CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        CheckConstraint("begins <= ends", name="begins_first"),
        Index(None, "place_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"))
    kind: Mapped[str]
    title: Mapped[words]
    note: Mapped[words]
    quantity: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    measure: Mapped[words]
    begins: Mapped[date | None]
    ends: Mapped[date | None]
    geom: Mapped[WKBElement | None] = mapped_column(geometry("POINT"))
    state: Mapped[str] = mapped_column(server_default="open")
    synthetic: Mapped[yes_no]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[created_at]


class NeedIssue(Base):
    """An issue from which a need comes."""

    __tablename__ = "need_issue"
    __table_args__ = (Index(None, "need_id"),)

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    need_id: Mapped[UUID] = mapped_column(ForeignKey("need.id"), primary_key=True)


class Project(Base):
    """项目: needs and resources brought together on some land. ``origin`` says what it was made from."""

    __tablename__ = "project"
    __table_args__ = (
        one_of("state", ProjectState),
        CheckConstraint("title <> ''", name="has_a_title"),
        CheckConstraint("0 <= budget_low AND budget_low <= budget_high", name="budget_is_a_range"),
        CheckConstraint("begins <= ends", name="begins_first"),
        Index(None, "place_id"),
        Index("ix_project_area", "area", postgresql_using="gist"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"))
    title: Mapped[words]
    note: Mapped[words]
    area: Mapped[WKBElement | None] = mapped_column(geometry("MULTIPOLYGON"))
    state: Mapped[str] = mapped_column(server_default="planned")
    budget_low: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    budget_high: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    begins: Mapped[date | None]
    ends: Mapped[date | None]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    person_id: Mapped[UUID | None]
    origin: Mapped[document]
    synthetic: Mapped[yes_no]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[created_at]


class ProjectCase(Base):
    """An issue that a project is to solve."""

    __tablename__ = "project_case"
    __table_args__ = (Index(None, "project_id"),)

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), primary_key=True)


class ProjectNeed(Base):
    """A need that a project meets."""

    __tablename__ = "project_need"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), primary_key=True)
    need_id: Mapped[UUID] = mapped_column(ForeignKey("need.id"), primary_key=True)


class ProjectResource(Base):
    """A resource that a project uses: how much of it, and when."""

    __tablename__ = "project_resource"
    __table_args__ = (CheckConstraint("amount >= 0", name="amount_not_negative"),)

    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), primary_key=True)
    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resource.id"), primary_key=True)
    amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    days: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    note: Mapped[words]


class Money(Base):
    """A line of a project's ledger: promised or spent, of one source. Lines are only added (a trigger sees to it).

    What was entered wrongly is put right by a line of the opposite sign.
    """

    __tablename__ = "money"
    __table_args__ = (
        one_of("entry", Entry),
        CheckConstraint("amount <> 0", name="amount_not_zero"),
        CheckConstraint("source <> ''", name="has_a_source"),
    )

    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[instant]
    entry: Mapped[str]
    source: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(Numeric(14, 2))
    note: Mapped[words]
    person_id: Mapped[UUID | None]
