"""What planners compute, kept so that it is computed once, and how many people live and how many assets stand where.

Reference tables all: nothing here points at an issue. A kept result names its issues only inside its bytes.
"""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from geoapp.models.base import Base, count, created_at, document, instant, one_of, words, yes_no

STATES = ("waiting", "working", "done", "failed", "cancelled")


class ResidentsOfPlace(Base):
    """居民数: how many people live in a place, by year and with its source; the newest year counts."""

    __tablename__ = "residents_of_place"
    __table_args__ = (
        CheckConstraint("residents >= 0", name="residents_not_negative"),
        CheckConstraint("year BETWEEN 1900 AND 2200", name="year_known"),
    )

    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    residents: Mapped[int]
    source: Mapped[words]
    synthetic: Mapped[yes_no]


class AssetsOfPlace(Base):
    """设施数: how many assets of a kind, such as street lamps, stand in a place, as told; the newest year counts."""

    __tablename__ = "assets_of_place"
    __table_args__ = (
        CheckConstraint("kind <> ''", name="has_a_kind"),
        CheckConstraint("assets >= 0", name="assets_not_negative"),
        CheckConstraint("year BETWEEN 1900 AND 2200", name="year_known"),
    )

    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    assets: Mapped[int]
    source: Mapped[words]
    synthetic: Mapped[yes_no]


class AnalysisResult(Base):
    """One question to these data by people who see the same: its state, and its answer once there is one.

    ``key`` is a hash of the question, what its viewers see, and the version of data and program.
    """

    __tablename__ = "analysis_result"
    __table_args__ = (one_of("state", STATES), Index(None, "used_at"))

    key: Mapped[str] = mapped_column(primary_key=True)
    question: Mapped[document]
    scope: Mapped[words]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    state: Mapped[str]
    progress: Mapped[count]
    problem: Mapped[document]
    packed: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[created_at]
    began_at: Mapped[instant]
    used_at: Mapped[instant]
