"""Joint meetings with their agendas, and the places near which a defect weighs more."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0017"
branch_labels = None
depends_on = None


def _words(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _instant(name: str, *, needed: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not needed)


def _no(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "meeting",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.BigInteger(), nullable=False),
        _words("title"),
        _words("venue"),
        _instant("starts_at", needed=True),
        sa.Column("state", sa.String(), server_default="planned", nullable=False),
        _words("attendees"),
        _words("minutes"),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        _instant("closed_at"),
        _no("synthetic"),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('planned', 'open', 'closed')", name=op.f("ck_meeting_state_known")),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_meeting_closed_at_some_time")),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_meeting_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
    )
    op.create_index(op.f("ix_meeting_place_id_starts_at"), "meeting", ["place_id", "starts_at"])
    op.create_table(
        "agenda_item",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("score", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        _words("outcome"),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("helping_unit_ids", sa.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("amount", sa.Numeric(14, 2), nullable=True),
        _words("fund"),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("visit_on", sa.Date(), nullable=True),
        _words("words"),
        sa.Column("votes_for", sa.Integer(), nullable=True),
        sa.Column("votes_against", sa.Integer(), nullable=True),
        sa.Column("votes_open", sa.Integer(), nullable=True),
        _instant("decided_at"),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        _instant("applied_at"),
        sa.CheckConstraint(
            "outcome IN ('', 'assign', 'stay', 'go_on', 'postpone')", name=op.f("ck_agenda_item_outcome_known")
        ),
        sa.CheckConstraint("(outcome = '') = (decided_at IS NULL)", name=op.f("ck_agenda_item_decided_at_some_time")),
        sa.CheckConstraint(
            "outcome <> 'assign' OR unit_id IS NOT NULL", name=op.f("ck_agenda_item_assigned_to_a_unit")
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_agenda_item_amount_not_negative")),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_agenda_item_issue_id")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name=op.f("fk_agenda_item_meeting_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_agenda_item_unit_id")),
        sa.PrimaryKeyConstraint("issue_id", "meeting_id", name=op.f("pk_agenda_item")),
    )
    op.create_index(op.f("ix_agenda_item_meeting_id_position"), "agenda_item", ["meeting_id", "position"])
    op.create_table(
        "sensitive_place",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        _words("name_zh"),
        _words("name_en"),
        sa.Column("geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
        _words("origin"),
        _no("synthetic"),
        sa.CheckConstraint(
            "kind IN ('school', 'kindergarten', 'clinic', 'aged')", name=op.f("ck_sensitive_place_kind_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sensitive_place")),
    )
    op.create_index("ix_sensitive_place_geom", "sensitive_place", ["geom"], postgresql_using="gist")


def downgrade() -> None:
    for table in ("sensitive_place", "agenda_item", "meeting"):
        op.drop_table(table)
