"""The three lists: needs, resources, projects, and the money of projects."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
KINDS = "'place', 'crew', 'machine', 'fund', 'volunteers', 'material'"
REFUSE = """
CREATE FUNCTION money_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'a ledger is append-only' USING ERRCODE = 'insufficient_privilege'; END $$
"""
GUARD = """
CREATE TRIGGER money_only_grows BEFORE UPDATE OR DELETE ON money
FOR EACH ROW EXECUTE FUNCTION money_only_grows()
"""


def _words(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _amount(name: str, *, needed: bool = False) -> sa.Column:
    return sa.Column(name, sa.Numeric(14, 2), nullable=not needed)


def _day(name: str) -> sa.Column:
    return sa.Column(name, sa.Date(), nullable=True)


def _table(name: str, *columns: object) -> None:
    """A reference table of a place, with what all of them have."""
    op.create_table(
        name,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.BigInteger(), nullable=False),
        *columns,
        sa.Column("synthetic", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f(f"fk_{name}_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_place_id"), name, ["place_id"])


def _join(name: str, first: str, second: str, *columns: object) -> None:
    op.create_table(
        name,
        sa.Column(f"{first}_id", sa.Uuid(), nullable=False),
        sa.Column(f"{second}_id", sa.Uuid(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint([f"{first}_id"], [f"{first}.id"], name=op.f(f"fk_{name}_{first}_id")),
        sa.ForeignKeyConstraint([f"{second}_id"], [f"{second}.id"], name=op.f(f"fk_{name}_{second}_id")),
        sa.PrimaryKeyConstraint(f"{first}_id", f"{second}_id", name=op.f(f"pk_{name}")),
    )


def upgrade() -> None:
    _table(
        "resource",
        sa.Column("kind", sa.String(), nullable=False),
        _words("name"),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        _words("owner"),
        _amount("capacity"),
        _words("measure"),
        _words("note"),
        sa.Column("geom", Geometry("GEOMETRY", srid=4326, spatial_index=False), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_resource_kind_known")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_resource_has_a_name")),
        sa.CheckConstraint("capacity >= 0", name=op.f("ck_resource_capacity_not_negative")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_resource_unit_id")),
    )
    op.create_index("ix_resource_geom", "resource", ["geom"], postgresql_using="gist")
    op.create_table(
        "resource_days",
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("days", postgresql.DATERANGE(), nullable=False),
        sa.CheckConstraint("NOT isempty(days)", name=op.f("ck_resource_days_days_not_empty")),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resource.id"], name=op.f("fk_resource_days_resource_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("resource_id", "days", name=op.f("pk_resource_days")),
    )
    _table(
        "need",
        sa.Column("kind", sa.String(), nullable=False),
        _words("title"),
        _words("note"),
        _amount("quantity"),
        _words("measure"),
        _day("begins"),
        _day("ends"),
        sa.Column("geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=True),
        sa.Column("state", sa.String(), server_default="open", nullable=False),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_need_kind_known")),
        sa.CheckConstraint("state IN ('open', 'met', 'dropped')", name=op.f("ck_need_state_known")),
        sa.CheckConstraint("title <> ''", name=op.f("ck_need_has_a_title")),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_need_quantity_not_negative")),
        sa.CheckConstraint("begins <= ends", name=op.f("ck_need_begins_first")),
    )
    _join("need_issue", "issue", "need")
    op.create_index(op.f("ix_need_issue_need_id"), "need_issue", ["need_id"])
    _table(
        "project",
        _words("title"),
        _words("note"),
        sa.Column("area", Geometry("MULTIPOLYGON", srid=4326, spatial_index=False), nullable=True),
        sa.Column("state", sa.String(), server_default="planned", nullable=False),
        _amount("budget_low"),
        _amount("budget_high"),
        _day("begins"),
        _day("ends"),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("origin", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'approved', 'running', 'done', 'dropped')", name=op.f("ck_project_state_known")
        ),
        sa.CheckConstraint("title <> ''", name=op.f("ck_project_has_a_title")),
        sa.CheckConstraint("0 <= budget_low AND budget_low <= budget_high", name=op.f("ck_project_budget_is_a_range")),
        sa.CheckConstraint("begins <= ends", name=op.f("ck_project_begins_first")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_project_unit_id")),
    )
    op.create_index("ix_project_area", "project", ["area"], postgresql_using="gist")
    _join("project_case", "issue", "project")
    op.create_index(op.f("ix_project_case_project_id"), "project_case", ["project_id"])
    _join("project_need", "project", "need")
    _join(
        "project_resource",
        "project",
        "resource",
        _amount("amount"),
        sa.Column("days", postgresql.DATERANGE(), nullable=True),
        _words("note"),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_project_resource_amount_not_negative")),
    )
    op.create_table(
        "money",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        _amount("amount", needed=True),
        _words("note"),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("entry IN ('promised', 'spent')", name=op.f("ck_money_entry_known")),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_money_amount_not_zero")),
        sa.CheckConstraint("source <> ''", name=op.f("ck_money_has_a_source")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_money_project_id")),
        sa.PrimaryKeyConstraint("project_id", "seq", name=op.f("pk_money")),
    )
    op.execute(REFUSE)
    op.execute(GUARD)


def downgrade() -> None:
    op.drop_table("money")
    op.execute("DROP FUNCTION money_only_grows()")
    for table in (
        "project_resource", "project_need", "project_case", "project", "need_issue", "need", "resource_days", "resource",
    ):  # fmt: skip
        op.drop_table(table)
