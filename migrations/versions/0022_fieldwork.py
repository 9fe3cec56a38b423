"""What is recorded on a site visit: envelopes, check-ins, findings and signatures. All of it hangs on the issue."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def _instant(name: str, *, needed: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not needed)


def _words(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _document(name: str) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _of_visit(name: str, *columns: object) -> None:
    op.create_table(
        name,
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f(f"fk_{name}_issue_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f(f"fk_{name}_visit_id")),
        sa.PrimaryKeyConstraint("issue_id", "id", name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_visit_id"), name, ["visit_id"])


def upgrade() -> None:
    _of_visit(
        "field_record",
        sa.Column("kind", sa.String(), nullable=False),
        _instant("at", needed=True),
        _instant("received_at", needed=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=True),
        sa.Column("base_seq", sa.Integer(), nullable=True),
        sa.Column("fate", sa.String(), nullable=False),
        sa.Column("meanwhile", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _document("body"),
        _instant("decided_at"),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("stored_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        _check(
            "field_record",
            "kind_known",
            "kind IN ('check_in', 'finding', 'photo', 'issue', 'extent', 'settlement')",
        ),
        _check("field_record", "fate_known", "fate IN ('stored', 'conflict', 'mine', 'theirs')"),
        _check("field_record", "decided_when_decided", "(fate IN ('mine', 'theirs')) = (decided_at IS NOT NULL)"),
        _check("field_record", "only_a_change_conflicts", "fate = 'stored' OR kind IN ('extent', 'settlement')"),
    )
    _of_visit(
        "check_in",
        _instant("at", needed=True),
        sa.Column("geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
        sa.Column("accuracy_m", sa.Float(), nullable=True),
        sa.Column("distance_m", sa.Float(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        _check(
            "check_in",
            "geom_on_earth",
            "NOT ST_IsEmpty(geom) AND ST_X(geom) BETWEEN -180 AND 180 AND ST_Y(geom) BETWEEN -85 AND 85",
        ),
        _check("check_in", "metres_not_negative", "accuracy_m >= 0 AND distance_m >= 0"),
    )
    _of_visit(
        "finding",
        _instant("at", needed=True),
        sa.Column("seen", sa.String(), nullable=True),
        _words("words"),
        _document("answers"),
        _words("follow_up"),
        sa.Column("due_on", sa.Date(), nullable=True),
        _instant("done_at"),
        sa.Column("done_by", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        _check("finding", "seen_known", "seen IN ('as_reported', 'worse', 'better', 'solved', 'not_found')"),
        _check("finding", "due_for_something", "due_on IS NULL OR follow_up <> ''"),
        _check("finding", "done_of_something", "done_at IS NULL OR follow_up <> ''"),
    )
    op.create_index(op.f("ix_finding_due_on"), "finding", ["due_on"])
    op.create_table(
        "signature",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("settlement_id", sa.Uuid(), nullable=False),
        sa.Column("nth", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        _words("unit"),
        _document("strokes"),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_signature_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", "settlement_id", "nth", name=op.f("pk_signature")),
        _check("signature", "somebody", "name <> '' AND nth > 0"),
    )


def downgrade() -> None:
    for table in ("signature", "finding", "check_in", "field_record"):
        op.drop_table(table)
