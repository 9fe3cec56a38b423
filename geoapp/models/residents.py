"""What residents add to an issue, what waits for a look before the public sees it, and where nobody may report.

All of it but the zones hangs on the issue.
"""

from datetime import date
from uuid import UUID

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from geoapp.domain.values import Matter, Score
from geoapp.models.base import Base, codes, count, created_at, geometry, instant, one_of, serial, words, yes_no


class Remark(Base):
    """What somebody added to an issue in words, by whose report."""

    __tablename__ = "remark"

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    report_id: Mapped[UUID]
    at: Mapped[instant]
    text: Mapped[words]
    released_at: Mapped[instant | None]
    withdrawn_at: Mapped[instant | None]


class Rating(Base):
    """满意度: what a reporter or witness says of a result; ``round`` counts how often the issue had been closed."""

    __tablename__ = "rating"
    __table_args__ = (one_of("score", Score), CheckConstraint("round > 0", name="rounds_count_from_one"))

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    report_id: Mapped[UUID] = mapped_column(primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[instant]
    score: Mapped[str]
    reason: Mapped[words]
    reason_released: Mapped[yes_no]


class Review(Base):
    """审核: something of a resident that waits until somebody lets the public see it, or not.

    ``ref`` is the photo, the remark, or the report of the words or the rating; ``spam`` and ``reasons`` say how
    suspicious it looked. The newest row of a matter is the one that counts.
    """

    __tablename__ = "review"
    __table_args__ = (
        one_of("matter", Matter),
        CheckConstraint("(decided_at IS NULL) = (released IS NULL)", name="decided_one_way"),
        Index("ix_review_waiting", "at", postgresql_where=text("decided_at IS NULL")),
    )

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    matter: Mapped[str]
    ref: Mapped[UUID]
    at: Mapped[instant]
    spam: Mapped[count]
    reasons: Mapped[codes]
    decided_at: Mapped[instant | None]
    decided_by: Mapped[UUID | None]
    released: Mapped[bool | None]


class BlockZone(Base):
    """Land on which nobody without an account may report for a while, and why: against floods of made-up reports."""

    __tablename__ = "block_zone"
    __table_args__ = (Index("ix_block_zone_area", "area", postgresql_using="gist"),)

    id: Mapped[serial]
    area: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))
    reason: Mapped[words]
    until: Mapped[date | None]
    created_at: Mapped[created_at]
