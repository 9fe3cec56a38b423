"""Deadlines, counters and merging of issues; a history that is chained and only grows."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LINK = """
CREATE FUNCTION history_link(before bytea, content text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT sha256(before || convert_to(content, 'UTF8')) $$
"""
CHAIN = "CREATE AGGREGATE history_chain(text) (SFUNC = history_link, STYPE = bytea, INITCOND = '')"
CONTENT = """
CREATE FUNCTION history_content(issue_id uuid, seq int, at timestamptz, action text, to_state text, actor text,
                                note text, detail jsonb, person_id uuid, internal boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT jsonb_build_array(issue_id, seq, at AT TIME ZONE 'UTC', action, to_state, actor, note, detail, person_id,
                             internal)::text
$$
"""
REFUSE = """
CREATE FUNCTION history_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'history is append-only' USING ERRCODE = 'insufficient_privilege'; END $$
"""
GUARD = """
CREATE TRIGGER history_only_grows BEFORE UPDATE OR DELETE ON history
FOR EACH ROW EXECUTE FUNCTION history_only_grows()
"""
FILL = """
UPDATE history SET hash = should.hash FROM (
    SELECT issue_id, seq, history_chain(history_content(issue_id, seq, at, action, to_state, actor, note, detail,
        person_id, internal)) OVER (PARTITION BY issue_id ORDER BY seq) AS hash FROM history) AS should
WHERE should.issue_id = history.issue_id AND should.seq = history.seq
"""
HEADS = """
UPDATE issue SET history_seq = last.seq, history_hash = last.hash, returns = last.returns, reworks = last.reworks
FROM (SELECT DISTINCT ON (issue_id) issue_id, seq, hash,
             count(*) FILTER (WHERE action = 'return') OVER same AS returns,
             count(*) FILTER (WHERE action = 'rework') OVER same AS reworks
      FROM history WINDOW same AS (PARTITION BY issue_id) ORDER BY issue_id, seq DESC) AS last
WHERE last.issue_id = issue.id
"""


def upgrade() -> None:
    op.drop_column("issue", "due_on")
    op.add_column("issue", sa.Column("stage", sa.Text(), server_default="", nullable=False))
    op.add_column("issue", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("issue", sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("issue", sa.Column("returns", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("issue", sa.Column("reworks", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("issue", sa.Column("merged_into", sa.Uuid(), nullable=True))
    op.add_column("issue", sa.Column("part_of", sa.Uuid(), nullable=True))
    op.add_column("issue", sa.Column("history_seq", sa.Integer(), server_default=sa.text("0"), nullable=False))
    empty = sa.text("''::bytea")
    op.add_column("issue", sa.Column("history_hash", sa.LargeBinary(), server_default=empty, nullable=False))
    op.create_check_constraint(op.f("ck_issue_not_its_own_part"), "issue", "merged_into <> id AND part_of <> id")
    op.create_check_constraint(
        op.f("ck_issue_merged_is_a_duplicate"), "issue", "merged_into IS NULL OR state = 'duplicate'"
    )
    op.create_index("ix_issue_due", "issue", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_index(
        "ix_issue_merged_into", "issue", ["merged_into"], postgresql_where=sa.text("merged_into IS NOT NULL")
    )
    op.create_index("ix_issue_part_of", "issue", ["part_of"], postgresql_where=sa.text("part_of IS NOT NULL"))
    op.add_column("history", sa.Column("person_id", sa.Uuid(), nullable=True))
    op.add_column("history", sa.Column("internal", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("history", sa.Column("hash", sa.LargeBinary(), server_default=empty, nullable=False))
    for statement in (LINK, CHAIN, CONTENT, FILL, HEADS, REFUSE, GUARD):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER history_only_grows ON history")
    op.execute("DROP FUNCTION history_only_grows()")
    op.execute("DROP AGGREGATE history_chain(text)")
    op.execute("DROP FUNCTION history_link(bytea, text)")
    op.execute("DROP FUNCTION history_content(uuid, int, timestamptz, text, text, text, text, jsonb, uuid, boolean)")
    op.drop_column("history", "hash")
    op.drop_column("history", "internal")
    op.drop_column("history", "person_id")
    op.drop_index("ix_issue_part_of", table_name="issue")
    op.drop_index("ix_issue_merged_into", table_name="issue")
    op.drop_index("ix_issue_due", table_name="issue")
    op.drop_constraint(op.f("ck_issue_merged_is_a_duplicate"), "issue")
    op.drop_constraint(op.f("ck_issue_not_its_own_part"), "issue")
    for name in (
        "history_hash",
        "history_seq",
        "part_of",
        "merged_into",
        "reworks",
        "returns",
        "paused",
        "due_at",
        "stage",
    ):
        op.drop_column("issue", name)
    op.add_column("issue", sa.Column("due_on", sa.Date(), nullable=True))
