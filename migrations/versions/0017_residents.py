"""What residents add, what waits for a review, ratings, and where nobody may report."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def _instant(name: str, *, needed: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not needed)


def _words(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _of_issue(name: str, *columns: object, key: tuple[str, ...] = ("id",)) -> None:
    ids = [sa.Column(part, sa.Integer() if part == "round" else sa.Uuid(), nullable=False) for part in key]
    op.create_table(
        name,
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        *ids,
        *columns,
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f(f"fk_{name}_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", *key, name=op.f(f"pk_{name}")),
    )


def upgrade() -> None:
    op.add_column("category", sa.Column("release", sa.String(), server_default="after_review", nullable=False))
    op.create_check_constraint(op.f("ck_category_release_known"), "category", "release IN ('at_once', 'after_review')")
    op.add_column("photo", sa.Column("report_id", sa.Uuid(), nullable=True))
    op.add_column("photo", sa.Column("original_sha256", sa.String(), nullable=True))
    op.add_column("photo", sa.Column("boxes", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("report", _instant("withdrawn_at"))
    _of_issue(
        "remark",
        sa.Column("report_id", sa.Uuid(), nullable=False),
        _instant("at", needed=True),
        _words("text"),
        _instant("released_at"),
        _instant("withdrawn_at"),
    )
    _of_issue(
        "rating",
        _instant("at", needed=True),
        sa.Column("score", sa.String(), nullable=False),
        _words("reason"),
        sa.Column("reason_released", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("score IN ('solved', 'partly', 'not')", name=op.f("ck_rating_score_known")),
        sa.CheckConstraint("round > 0", name=op.f("ck_rating_rounds_count_from_one")),
        key=("report_id", "round"),
    )
    _of_issue(
        "review",
        sa.Column("matter", sa.String(), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        _instant("at", needed=True),
        sa.Column("spam", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("reasons", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        _instant("decided_at"),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("released", sa.Boolean(), nullable=True),
        sa.CheckConstraint("matter IN ('words', 'photo', 'remark', 'rating')", name=op.f("ck_review_matter_known")),
        sa.CheckConstraint("(decided_at IS NULL) = (released IS NULL)", name=op.f("ck_review_decided_one_way")),
    )
    op.create_index("ix_review_waiting", "review", ["at"], postgresql_where=sa.text("decided_at IS NULL"))
    op.create_table(
        "block_zone",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("area", Geometry("MULTIPOLYGON", srid=4326, spatial_index=False), nullable=False),
        _words("reason"),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_block_zone")),
    )
    op.create_index("ix_block_zone_area", "block_zone", ["area"], postgresql_using="gist")


def downgrade() -> None:
    for table in ("block_zone", "review", "rating", "remark"):
        op.drop_table(table)
    op.drop_column("report", "withdrawn_at")
    for column in ("boxes", "original_sha256", "report_id"):
        op.drop_column("photo", column)
    op.drop_column("category", "release")
