"""How many assets of a kind stand in a place, by year."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "assets_of_place",
        sa.Column("place_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("assets", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("kind <> ''", name=op.f("ck_assets_of_place_has_a_kind")),
        sa.CheckConstraint("assets >= 0", name=op.f("ck_assets_of_place_assets_not_negative")),
        sa.CheckConstraint("year BETWEEN 1900 AND 2200", name=op.f("ck_assets_of_place_year_known")),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_assets_of_place_place_id")),
        sa.PrimaryKeyConstraint("place_id", "kind", "year", name=op.f("pk_assets_of_place")),
    )


def downgrade() -> None:
    op.drop_table("assets_of_place")
