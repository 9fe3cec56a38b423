"""Where and whose: categories, places with their dated boundaries, units with their jurisdictions.

All of these are reference tables (TRUST rule of scale-out): nothing here points at an issue.
"""

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geoapp.domain.values import SEVERITIES, CategoryKind, PlaceKind, Privacy, Release, VerdictClass
from geoapp.models.base import (
    Base,
    codes,
    created_at,
    document,
    geometry,
    numbers,
    one_of,
    serial,
    words,
    yes_no,
)
from geoapp.models.base import validity as days


class Category(Base):
    """类别: a node of the tree. ``path`` holds its own code and those of all nodes above it."""

    __tablename__ = "category"
    __table_args__ = (
        one_of("kind", CategoryKind),
        one_of("privacy", Privacy),
        one_of("release", Release),
        CheckConstraint(f"severity BETWEEN {SEVERITIES[0]} AND {SEVERITIES[-1]}", name="severity_known"),
        Index("ix_category_path", "path", postgresql_using="gin"),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("category.code"))
    path: Mapped[codes]
    kind: Mapped[str]
    name_zh: Mapped[words]
    name_en: Mapped[words]
    scheme: Mapped[words]
    scheme_code: Mapped[words]
    origin: Mapped[words]
    confidence: Mapped[words]
    icon: Mapped[words]
    colour: Mapped[words]
    severity: Mapped[int] = mapped_column(server_default=text("2"))
    privacy: Mapped[str] = mapped_column(server_default="public")
    release: Mapped[str] = mapped_column(server_default="after_review")
    deadlines: Mapped[document]
    sort: Mapped[int] = mapped_column(server_default=text("0"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class Place(Base):
    """A district, street or community (社区); its area is in ``boundary``, one row a version.

    ``contact`` is what residents are told of whom to call: a number, an address, office hours.
    """

    __tablename__ = "place"
    __table_args__ = (UniqueConstraint("kind", "code"), one_of("kind", PlaceKind), Index(None, "parent_id"))

    id: Mapped[serial]
    kind: Mapped[str]
    code: Mapped[str]
    name_zh: Mapped[words]
    name_en: Mapped[words]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("place.id"))
    origin: Mapped[words]
    contact: Mapped[words]
    synthetic: Mapped[yes_no]


class DeadlineRule(Base):
    """Deadlines that hold in a place instead of the category's own: ``{"handle": {"work_days": 3}}``."""

    __tablename__ = "deadline_rule"

    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"), primary_key=True)
    category_code: Mapped[str] = mapped_column(ForeignKey("category.code"), primary_key=True)
    deadlines: Mapped[document]


class Boundary(Base):
    """One version of a place's area; the versions of a place never overlap in time."""

    __tablename__ = "boundary"
    __table_args__ = (
        ExcludeConstraint(("place_id", "="), ("validity", "&&"), name="ex_boundary_one_version_a_day"),
        CheckConstraint("NOT ST_IsEmpty(area)", name="area_not_empty"),
        CheckConstraint("NOT isempty(validity)", name="validity_not_empty"),
        Index("ix_boundary_area", "area", postgresql_using="gist"),
    )

    id: Mapped[serial]
    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"))
    validity: Mapped[days]
    area: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))
    label: Mapped[WKBElement] = mapped_column(geometry("POINT"))
    area_m2: Mapped[float]
    origin: Mapped[words]
    recorded_at: Mapped[created_at]


class BoundaryPart(Base):
    """A boundary cut into pieces of few vertices: asking which holds a point reads pieces, not coastlines."""

    __tablename__ = "boundary_part"
    __table_args__ = (
        Index(None, "boundary_id"),
        Index("ix_boundary_part_area", "area", postgresql_using="gist"),
    )

    id: Mapped[serial]
    boundary_id: Mapped[int] = mapped_column(ForeignKey("boundary.id", ondelete="CASCADE"))
    area: Mapped[WKBElement] = mapped_column(geometry("POLYGON"))


class Unit(Base):
    """责任单位: who can be responsible."""

    __tablename__ = "unit"
    __table_args__ = (UniqueConstraint("code"),)

    id: Mapped[serial]
    code: Mapped[str]
    name_zh: Mapped[words]
    name_en: Mapped[words]
    kind: Mapped[words]
    phone: Mapped[words]
    origin: Mapped[words]
    synthetic: Mapped[yes_no]


class Jurisdiction(Base):
    """管辖范围: one version of unit × categories × area or line, with the evidence for it.

    ``shape`` is as drawn; ``area`` is what holds points: the shape itself, or for a line all within
    ``reach_m`` metres of it. ``categories`` names branches of the tree; empty means every category.
    ``code`` stays the same from version to version.
    """

    __tablename__ = "jurisdiction"
    __table_args__ = (
        ExcludeConstraint(("code", "="), ("validity", "&&"), name="ex_jurisdiction_one_version_a_day"),
        CheckConstraint("NOT ST_IsEmpty(area)", name="area_not_empty"),
        CheckConstraint("NOT isempty(validity)", name="validity_not_empty"),
        CheckConstraint("(ST_Dimension(shape) = 1) = (reach_m IS NOT NULL)", name="a_line_has_a_reach"),
        CheckConstraint("reach_m > 0 AND reach_m <= 1000", name="reach_in_metres"),
        Index("ix_jurisdiction_area", "area", postgresql_using="gist"),
        Index(None, "unit_id"),
    )

    id: Mapped[serial]
    code: Mapped[str]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    name_zh: Mapped[words]
    name_en: Mapped[words]
    categories: Mapped[codes]
    validity: Mapped[days]
    shape: Mapped[WKBElement] = mapped_column(geometry("GEOMETRY"))
    reach_m: Mapped[float | None]
    area: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))
    label: Mapped[WKBElement] = mapped_column(geometry("POINT"))
    area_m2: Mapped[float]
    evidence: Mapped[words]
    origin: Mapped[words]
    synthetic: Mapped[yes_no]
    recorded_at: Mapped[created_at]


class JurisdictionPart(Base):
    """A jurisdiction cut into pieces, as BoundaryPart."""

    __tablename__ = "jurisdiction_part"
    __table_args__ = (
        Index(None, "jurisdiction_id"),
        Index("ix_jurisdiction_part_area", "area", postgresql_using="gist"),
    )

    id: Mapped[serial]
    jurisdiction_id: Mapped[int] = mapped_column(ForeignKey("jurisdiction.id", ondelete="CASCADE"))
    area: Mapped[WKBElement] = mapped_column(geometry("POLYGON"))


class UnclearLand(Base):
    """Where jurisdictions overlap (contested) or leave a gap (orphan), for a set of categories; computed.

    A piece holds from the day on which it was first found until the day on which it was gone.
    """

    __tablename__ = "unclear_land"
    __table_args__ = (
        one_of("class", (VerdictClass.CONTESTED, VerdictClass.ORPHAN)),
        Index("ix_unclear_land_area", "area", postgresql_using="gist"),
    )

    id: Mapped[serial]
    verdict: Mapped[str] = mapped_column("class")
    categories: Mapped[codes]
    unit_ids: Mapped[numbers]
    area: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))
    area_m2: Mapped[float]
    validity: Mapped[days]
    computed_at: Mapped[created_at]
