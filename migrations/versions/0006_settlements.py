"""Settlements of responsibility, as they were signed."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0006"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "settlement",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("categories", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "area",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("area_m2", sa.Double(), nullable=False),
        sa.Column("jurisdiction_code", sa.String(), nullable=False),
        sa.Column("participants", sa.Text(), server_default="", nullable=False),
        sa.Column("documents", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("NOT ST_IsEmpty(area)", name=op.f("ck_settlement_area_not_empty")),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_settlement_issue_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_settlement_unit_id")),
        sa.PrimaryKeyConstraint("issue_id", "id", name=op.f("pk_settlement")),
    )
    op.create_index("ix_settlement_area", "settlement", ["area"], postgresql_using="gist")


def downgrade() -> None:
    op.drop_index("ix_settlement_area", table_name="settlement")
    op.drop_table("settlement")
