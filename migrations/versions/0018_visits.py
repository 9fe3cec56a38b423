"""Site visits: the plan, its stops, and who comes along."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def _words(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _word(name: str) -> sa.Column:
    return sa.Column(name, sa.String(), nullable=False)


def _whole(name: str, *, needed: bool = False) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=not needed)


def _yes_no(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def _instant(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _window() -> tuple[sa.Column, sa.Column]:
    return sa.Column("window_from", sa.Time(), nullable=True), sa.Column("window_to", sa.Time(), nullable=True)


def _shape(name: str, kind: str, *, needed: bool = False) -> sa.Column:
    return sa.Column(name, Geometry(kind, srid=4326, spatial_index=False), nullable=not needed)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _on_earth(column: str) -> str:
    return f"NOT ST_IsEmpty({column}) AND ST_X({column}) BETWEEN -180 AND 180 AND ST_Y({column}) BETWEEN -85 AND 85"


def _windows(table: str) -> tuple[sa.CheckConstraint, sa.CheckConstraint]:
    return (
        _check(table, "window_has_two_ends", "(window_from IS NULL) = (window_to IS NULL)"),
        _check(table, "window_opens_before_it_closes", "window_from < window_to"),
    )


def upgrade() -> None:
    op.create_table(
        "visit",
        sa.Column("id", sa.Uuid(), nullable=False),
        _word("title"),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.Time(), nullable=False),
        _word("mode"),
        _shape("start_geom", "POINT", needed=True),
        _words("start_name"),
        _word("finish"),
        _shape("end_geom", "POINT"),
        _words("end_name"),
        _whole("minutes_per_stop", needed=True),
        _whole("budget_min"),
        _yes_no("by_hand"),
        _word("state"),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        _words("person_name"),
        sa.Column("community_ids", sa.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        _word("basis"),
        sa.Column("detour_factor", sa.Float(), nullable=True),
        sa.Column("length_m", sa.Float(), nullable=False),
        _whole("minutes_total", needed=True),
        _shape("route", "LINESTRING"),
        _words("summary"),
        _yes_no("synthetic"),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        _instant("started_at"),
        _instant("ended_at"),
        _check("visit", "mode_known", "mode IN ('walking', 'driving')"),
        _check("visit", "finish_known", "finish IN ('start', 'last_stop', 'place')"),
        _check("visit", "state_known", "state IN ('planned', 'under_way', 'ended', 'cancelled')"),
        _check("visit", "basis_known", "basis IN ('roads', 'estimate', 'mixed')"),
        _check("visit", "start_geom_on_earth", _on_earth("start_geom")),
        _check("visit", "end_geom_on_earth", f"end_geom IS NULL OR ({_on_earth('end_geom')})"),
        _check("visit", "ends_somewhere", "(finish = 'place') = (end_geom IS NOT NULL)"),
        _check("visit", "title_length", "title <> '' AND length(title) <= 120"),
        _check("visit", "minutes_per_stop_in_minutes", "minutes_per_stop BETWEEN 1 AND 480"),
        _check("visit", "budget_in_minutes", "budget_min BETWEEN 1 AND 960"),
        _check("visit", "figures_not_negative", "length_m >= 0 AND minutes_total >= 0 AND detour_factor >= 1"),
        _check("visit", "ended_at_its_end", "(state = 'ended') = (ended_at IS NOT NULL)"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
    )
    op.create_index("ix_visit_community_ids", "visit", ["community_ids"], postgresql_using="gin")
    op.create_index("ix_visit_day", "visit", [sa.text("on_day DESC"), sa.text("id DESC")])
    op.create_index("ix_visit_route", "visit", ["route"], postgresql_using="gist")
    op.create_table(
        "visit_stop",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        _whole("seq"),
        _words("left_out"),
        sa.Column("left_params", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        _whole("minutes"),
        *_window(),
        _yes_no("pinned"),
        _instant("arrives_at"),
        _instant("leaves_at"),
        sa.Column("leg_m", sa.Float(), nullable=True),
        _check("visit_stop", "left_out_for_a_reason", "(seq IS NULL) = (left_out <> '')"),
        _check("visit_stop", "arrives_when_visited", "(seq IS NULL) = (arrives_at IS NULL)"),
        _check("visit_stop", "seq_counts_from_one", "seq > 0 AND leg_m >= 0"),
        _check("visit_stop", "leaves_after_it_arrives", "leaves_at >= arrives_at"),
        _check("visit_stop", "minutes_in_minutes", "minutes BETWEEN 1 AND 480"),
        *_windows("visit_stop"),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_visit_stop_issue_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_visit_stop_visit_id")),
        sa.PrimaryKeyConstraint("issue_id", "visit_id", name=op.f("pk_visit_stop")),
    )
    op.create_index(op.f("ix_visit_stop_visit_id"), "visit_stop", ["visit_id"])
    op.create_table(
        "visit_guest",
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        _whole("nth", needed=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        _words("name"),
        _words("phone"),
        _words("email"),
        *_window(),
        _check("visit_guest", "somebody", "name <> '' OR unit_id IS NOT NULL"),
        *_windows("visit_guest"),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_visit_guest_visit_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_visit_guest_unit_id")),
        sa.PrimaryKeyConstraint("visit_id", "id", name=op.f("pk_visit_guest")),
    )


def downgrade() -> None:
    for table in ("visit_guest", "visit_stop", "visit"):
        op.drop_table(table)
