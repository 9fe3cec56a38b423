"""Signs of floods: the same words again, and a crowd of reports, are found without reading those of the whole day."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# What is imported is no sign of a flood, and need not pay for being found as one.
REPORTED_HERE = sa.text("source NOT IN ('import', 'open311')")
INDEXES = {
    "ix_issue_same_title": "hashtext(title)",
    "ix_issue_same_text": "hashtext(text)",
    "ix_issue_crowd": "(map_cell(st_x(geom), st_y(geom)) >> 22)",
}


def upgrade() -> None:
    for name, expression in INDEXES.items():
        op.create_index(name, "issue", [sa.text(expression), "reported_at"], postgresql_where=REPORTED_HERE)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, table_name="issue")
