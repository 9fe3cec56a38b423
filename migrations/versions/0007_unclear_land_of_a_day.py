"""Unclear land holds for days, so that the map of an earlier day stays what it was."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "unclear_land",
        sa.Column("validity", postgresql.DATERANGE(), server_default=sa.text("daterange(NULL, NULL)"), nullable=False),
    )


def downgrade() -> None:
    op.execute("DELETE FROM unclear_land WHERE NOT upper_inf(validity)")
    op.drop_column("unclear_land", "validity")
