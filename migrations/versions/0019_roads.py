"""The road network that routes are computed on."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

CLASSES = ("motorway", "trunk", "primary", "secondary", "tertiary", "street", "service", "track", "path", "steps")


def _words(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _yes_no(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "road",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("geom", Geometry("LINESTRING", srid=4326, spatial_index=False), nullable=False),
        sa.Column("class", sa.String(), nullable=False),
        _yes_no("oneway"),
        _words("name"),
        sa.Column("metres", sa.Float(), nullable=False),
        _words("origin"),
        _yes_no("synthetic"),
        sa.CheckConstraint(f"class IN ({', '.join(repr(one) for one in CLASSES)})", name=op.f("ck_road_class_known")),
        sa.CheckConstraint("metres > 0", name=op.f("ck_road_metres_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_road")),
    )
    op.create_index("ix_road_geom", "road", ["geom"], postgresql_using="gist")


def downgrade() -> None:
    op.drop_table("road")
