"""The counts pyramid: cells of issues, sums of them in blocks, the log of changes, versions of areas."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# The rule of geoapp.domain.counts.cell_at. Only what PostgreSQL itself brings: a dump is restored with an empty
# search path. The masks spread 26 bits, so that those of x and y can be laid one beside the other.
SPREAD = """
    {v} := ({v} | ({v} << 16)) & 281470681808895;
    {v} := ({v} | ({v} << 8)) & 71777214294589695;
    {v} := ({v} | ({v} << 4)) & 1085102592571150095;
    {v} := ({v} | ({v} << 2)) & 3689348814741910323;
    {v} := ({v} | ({v} << 1)) & 6148914691236517205;
"""
MAP_CELL = f"""
CREATE FUNCTION map_cell(lon float8, lat float8) RETURNS bigint LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    x bigint := greatest(0, least(67108863, floor((lon + 180) / 360 * 67108864)));
    y bigint := greatest(0, least(67108863,
        floor((0.5 - ln(tan(pi() / 4 + radians(lat) / 2)) / (2 * pi())) * 67108864)));
BEGIN
    {SPREAD.format(v="x")}
    {SPREAD.format(v="y")}
    RETURN x | (y << 1);
END $$
"""


def _number(name: str, kind: type[sa.types.TypeEngine] = sa.Integer) -> sa.Column:
    return sa.Column(name, kind(), nullable=False)


def upgrade() -> None:
    op.execute(MAP_CELL)
    op.execute(
        "ALTER TABLE issue ADD COLUMN public_cell bigint "
        "GENERATED ALWAYS AS (map_cell(ST_X(public_geom), ST_Y(public_geom))) STORED"
    )
    op.create_index("ix_issue_public_cell", "issue", ["public_cell"])
    op.create_table(
        "count_base",
        sa.Column("id", sa.Integer(), server_default=sa.text("1"), autoincrement=False, nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_count_base_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_base")),
    )
    op.create_table(
        "count_block",
        _number("zoom", sa.SmallInteger),
        _number("cell", sa.BigInteger),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("split", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("zoom", "cell", "kind", name=op.f("pk_count_block")),
    )
    # Sums hardly shrink, and a tile should not wait for them to be unpacked.
    op.execute("ALTER TABLE count_block ALTER COLUMN entries SET STORAGE EXTERNAL")
    op.create_table(
        "count_change",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        _number("cell", sa.BigInteger),
        sa.Column("category", sa.String(), nullable=False),
        _number("month"),
        _number("state_group"),
        _number("n"),
        _number("contested"),
        _number("orphan"),
        _number("x", sa.BigInteger),
        _number("y", sa.BigInteger),
        sa.PrimaryKeyConstraint("issue_id", "id", name=op.f("pk_count_change")),
    )
    op.create_index("ix_count_change_cell", "count_change", ["cell"])
    # It is emptied all the time, so a scan of it should find few dead rows.
    op.execute("ALTER TABLE count_change SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)")
    op.create_table(
        "count_area",
        _number("zoom", sa.SmallInteger),
        _number("cell", sa.BigInteger),
        _number("version", sa.BigInteger),
        sa.PrimaryKeyConstraint("zoom", "cell", name=op.f("pk_count_area")),
    )
    # What is there already is counted by `geoapp init`, which comes next: the arithmetic is the app's.
    op.execute("INSERT INTO count_base (zone) SELECT CASE WHEN EXISTS (SELECT FROM issue) THEN '' ELSE 'UTC' END")


def downgrade() -> None:
    for table in ("count_area", "count_change", "count_block", "count_base"):
        op.drop_table(table)
    op.drop_index("ix_issue_public_cell", "issue")
    op.drop_column("issue", "public_cell")
    op.execute("DROP FUNCTION map_cell(float8, float8)")
