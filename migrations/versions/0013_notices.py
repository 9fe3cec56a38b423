"""Followers, the outbox, people's addresses, the queue of jobs, and an index of news for the feeds.

The queue is procrastinate's: its tables come from its own SchemaManager, as the installed release has them. A later
release that changes them needs a migration here that applies its steps (``SchemaManager.get_migrations_path()``).
"""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# All of the queue, whatever its release has made, but nothing else.
DROP_QUEUE = """
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT oid::regclass AS name FROM pg_class
               WHERE relkind = 'r' AND relname LIKE 'procrastinate\\_%' AND relnamespace = current_schema()::regnamespace LOOP
        EXECUTE format('DROP TABLE %s CASCADE', one.name);
    END LOOP;
    FOR one IN SELECT oid::regprocedure AS name FROM pg_proc
               WHERE proname LIKE 'procrastinate\\_%' AND pronamespace = current_schema()::regnamespace LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', one.name);
    END LOOP;
    FOR one IN SELECT oid::regtype AS name FROM pg_type
               WHERE typname LIKE 'procrastinate\\_%' AND typnamespace = current_schema()::regnamespace LOOP
        EXECUTE format('DROP TYPE %s CASCADE', one.name);
    END LOOP;
END $$
"""


def upgrade() -> None:
    # The driver itself: there are several statements in it, and signs that SQLAlchemy would take for parameters.
    with op.get_bind().connection.cursor() as cursor:
        cursor.execute(SchemaManager.get_schema())
    op.add_column("person", sa.Column("email", sa.String(), nullable=True))
    op.add_column("person", sa.Column("lang", sa.String(), server_default="zh", nullable=False))
    op.add_column("person", sa.Column("notices", sa.String(), server_default="all", nullable=False))
    op.create_check_constraint(op.f("ck_person_email_is_not_empty"), "person", "email <> ''")
    op.create_check_constraint(op.f("ck_person_lang_known"), "person", "lang IN ('zh', 'en')")
    op.create_check_constraint(op.f("ck_person_notices_known"), "person", "notices IN ('all', 'none')")
    op.create_table(
        "follower",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("lang", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("token_hashes", postgresql.ARRAY(sa.LargeBinary()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("lang IN ('zh', 'en')", name=op.f("ck_follower_lang_known")),
        sa.CheckConstraint(
            "(email = '') = (left_at IS NOT NULL)", name=op.f("ck_follower_whoever_left_has_no_address")
        ),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_follower_issue_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_follower_person_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("issue_id", "id", name=op.f("pk_follower")),
    )
    op.create_table(
        "notice",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("follows", sa.Uuid(), nullable=True),
        sa.Column("lang", sa.String(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "kind IN ('confirm', 'news', 'dispatched', 'returned', 'rework', 'overdue')",
            name=op.f("ck_notice_kind_known"),
        ),
        sa.CheckConstraint("recipient IN ('follower', 'person')", name=op.f("ck_notice_recipient_known")),
        sa.CheckConstraint("lang IN ('zh', 'en')", name=op.f("ck_notice_lang_known")),
        sa.CheckConstraint(
            "(recipient = 'follower') = (follows IS NOT NULL)", name=op.f("ck_notice_a_follower_follows")
        ),
        sa.CheckConstraint("sent_at IS NULL OR failed_at IS NULL", name=op.f("ck_notice_sent_or_failed")),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_notice_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", "id", name=op.f("pk_notice")),
    )
    op.create_index(
        "ix_notice_waiting",
        "notice",
        ["not_before"],
        postgresql_where=sa.text("sent_at IS NULL AND failed_at IS NULL"),
    )
    op.create_index("ix_notice_failed", "notice", ["failed_at"], postgresql_where=sa.text("failed_at IS NOT NULL"))
    op.create_index(
        "ix_history_news",
        "history",
        [sa.text("at DESC")],
        postgresql_where=sa.text("NOT internal AND action <> 'judge'"),
    )


def downgrade() -> None:
    op.drop_index("ix_history_news", table_name="history")
    op.drop_table("notice")
    op.drop_table("follower")
    for name in ("notices_known", "lang_known", "email_is_not_empty"):
        op.drop_constraint(op.f(f"ck_person_{name}"), "person", type_="check")
    for name in ("notices", "lang", "email"):
        op.drop_column("person", name)
    op.execute(DROP_QUEUE)
