"""Results of analyses, kept so that the same question is computed once."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def _instant(name: str, *, default: str | None = None) -> sa.Column:
    given = sa.text(default) if default else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=given, nullable=False)


def upgrade() -> None:
    op.create_table(
        "analysis_result",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("question", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("scope", sa.Text(), server_default="", nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("progress", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("problem", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=True),
        _instant("created_at", default="now()"),
        _instant("began_at"),
        _instant("used_at"),
        sa.CheckConstraint(
            "state IN ('waiting', 'working', 'done', 'failed', 'cancelled')",
            name=op.f("ck_analysis_result_state_known"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_analysis_result_person_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_analysis_result")),
    )
    op.create_index(op.f("ix_analysis_result_used_at"), "analysis_result", ["used_at"])


def downgrade() -> None:
    op.drop_table("analysis_result")
