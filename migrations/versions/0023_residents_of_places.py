"""How many people live in a place, by year."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "residents_of_place",
        sa.Column("place_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("residents", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("residents >= 0", name=op.f("ck_residents_of_place_residents_not_negative")),
        sa.CheckConstraint("year BETWEEN 1900 AND 2200", name=op.f("ck_residents_of_place_year_known")),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_residents_of_place_place_id")),
        sa.PrimaryKeyConstraint("place_id", "year", name=op.f("pk_residents_of_place")),
    )


def downgrade() -> None:
    op.drop_table("residents_of_place")
