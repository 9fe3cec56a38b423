"""Site visits (现场办公): the plan, its stops, and who comes along.

A visit is a reference table: it never points at an issue. The stop hangs on the issue and points at the visit.
"""

from datetime import date, time
from uuid import UUID

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from geoapp.domain.visiting import Basis, Finish, Mode, VisitState
from geoapp.models.base import Base, created_at, document, geometry, instant, numbers, on_earth, one_of, words, yes_no


class Visit(Base):
    """A visit: when, how, from where to where, and what its plan comes to.

    ``community_ids`` are the communities that its stops lie in (0: outside all): whoever may visit in each of them
    sees it. ``route`` is the way as it is drawn; minutes are whole, lengths metres, geometries EPSG:4326.
    """

    __tablename__ = "visit"
    __table_args__ = (
        one_of("mode", Mode),
        one_of("finish", Finish),
        one_of("state", VisitState),
        one_of("basis", Basis),
        on_earth("start_geom"),
        on_earth("end_geom", optional=True),
        CheckConstraint("(finish = 'place') = (end_geom IS NOT NULL)", name="ends_somewhere"),
        CheckConstraint("title <> '' AND length(title) <= 120", name="title_length"),
        CheckConstraint("minutes_per_stop BETWEEN 1 AND 480", name="minutes_per_stop_in_minutes"),
        CheckConstraint("budget_min BETWEEN 1 AND 960", name="budget_in_minutes"),
        CheckConstraint("length_m >= 0 AND minutes_total >= 0 AND detour_factor >= 1", name="figures_not_negative"),
        CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name="ended_at_its_end"),
        Index("ix_visit_community_ids", "community_ids", postgresql_using="gin"),
        Index("ix_visit_day", text("on_day DESC"), text("id DESC")),
        Index("ix_visit_route", "route", postgresql_using="gist"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
    on_day: Mapped[date]
    starts_at: Mapped[time]
    mode: Mapped[str]
    start_geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))
    start_name: Mapped[words]
    finish: Mapped[str]
    end_geom: Mapped[WKBElement | None] = mapped_column(geometry("POINT"))
    end_name: Mapped[words]
    minutes_per_stop: Mapped[int]
    budget_min: Mapped[int | None]
    by_hand: Mapped[yes_no]
    state: Mapped[str]
    person_id: Mapped[UUID | None]
    person_name: Mapped[words]
    community_ids: Mapped[numbers]
    basis: Mapped[str]
    detour_factor: Mapped[float | None]
    length_m: Mapped[float]
    minutes_total: Mapped[int]
    route: Mapped[WKBElement | None] = mapped_column(geometry("LINESTRING"))
    summary: Mapped[words]
    synthetic: Mapped[yes_no]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[created_at]
    started_at: Mapped[instant | None]
    ended_at: Mapped[instant | None]


class VisitStop(Base):
    """An issue that a visit leads to; ``seq`` counts from 1, and is empty with the reason when it does not fit.

    ``minutes`` empty: as long as every stop of the visit. ``leg_m`` are the metres from the stop before.
    """

    __tablename__ = "visit_stop"
    __table_args__ = (
        CheckConstraint("(seq IS NULL) = (left_out <> '')", name="left_out_for_a_reason"),
        CheckConstraint("(seq IS NULL) = (arrives_at IS NULL)", name="arrives_when_visited"),
        CheckConstraint("seq > 0 AND leg_m >= 0", name="seq_counts_from_one"),
        CheckConstraint("leaves_at >= arrives_at", name="leaves_after_it_arrives"),
        CheckConstraint("minutes BETWEEN 1 AND 480", name="minutes_in_minutes"),
        CheckConstraint("(window_from IS NULL) = (window_to IS NULL)", name="window_has_two_ends"),
        CheckConstraint("window_from < window_to", name="window_opens_before_it_closes"),
        Index(None, "visit_id"),
    )

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id"), primary_key=True)
    seq: Mapped[int | None]
    left_out: Mapped[words]
    left_params: Mapped[document]
    minutes: Mapped[int | None]
    window_from: Mapped[time | None]
    window_to: Mapped[time | None]
    pinned: Mapped[yes_no]
    arrives_at: Mapped[instant | None]
    leaves_at: Mapped[instant | None]
    leg_m: Mapped[float | None]


class VisitGuest(Base):
    """参加人员: of a unit, a person with an account, or just a name; with the hours at which they can come."""

    __tablename__ = "visit_guest"
    __table_args__ = (
        CheckConstraint("name <> '' OR unit_id IS NOT NULL", name="somebody"),
        CheckConstraint("(window_from IS NULL) = (window_to IS NULL)", name="window_has_two_ends"),
        CheckConstraint("window_from < window_to", name="window_opens_before_it_closes"),
    )

    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    nth: Mapped[int]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    person_id: Mapped[UUID | None]
    name: Mapped[words]
    phone: Mapped[words]
    email: Mapped[words]
    window_from: Mapped[time | None]
    window_to: Mapped[time | None]
