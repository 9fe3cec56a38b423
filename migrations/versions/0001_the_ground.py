"""The ground: categories, places, units, jurisdictions, issues and their history."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("issue_serial")))
    op.create_table(
        "category",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("parent_code", sa.String(), nullable=True),
        sa.Column("path", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name_zh", sa.Text(), server_default="", nullable=False),
        sa.Column("name_en", sa.Text(), server_default="", nullable=False),
        sa.Column("scheme", sa.Text(), server_default="", nullable=False),
        sa.Column("scheme_code", sa.Text(), server_default="", nullable=False),
        sa.Column("origin", sa.Text(), server_default="", nullable=False),
        sa.Column("confidence", sa.Text(), server_default="", nullable=False),
        sa.Column("icon", sa.Text(), server_default="", nullable=False),
        sa.Column("colour", sa.Text(), server_default="", nullable=False),
        sa.Column("severity", sa.Integer(), server_default=sa.text("2"), nullable=False),
        sa.Column("privacy", sa.String(), server_default="public", nullable=False),
        sa.Column(
            "deadlines",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("sort", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint("kind IN ('component', 'event', 'other')", name=op.f("ck_category_kind_known")),
        sa.CheckConstraint("privacy IN ('public', 'blurred', 'private')", name=op.f("ck_category_privacy_known")),
        sa.CheckConstraint("severity BETWEEN 1 AND 4", name=op.f("ck_category_severity_known")),
        sa.ForeignKeyConstraint(["parent_code"], ["category.code"], name=op.f("fk_category_parent_code")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_category")),
    )
    op.create_index("ix_category_path", "category", ["path"], unique=False, postgresql_using="gin")
    op.create_table(
        "data_version",
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("part", name=op.f("pk_data_version")),
    )
    op.create_table(
        "layer_feature",
        sa.Column("layer", sa.String(), nullable=False),
        sa.Column("fid", sa.BigInteger(), nullable=False),
        sa.Column(
            "properties",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "geom",
            Geometry(
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("layer", "fid", name=op.f("pk_layer_feature")),
    )
    op.create_index("ix_layer_feature_geom", "layer_feature", ["geom"], unique=False, postgresql_using="gist")
    op.create_table(
        "layer_file",
        sa.Column("layer", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("layer", name=op.f("pk_layer_file")),
    )
    op.create_table(
        "place",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name_zh", sa.Text(), server_default="", nullable=False),
        sa.Column("name_en", sa.Text(), server_default="", nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("origin", sa.Text(), server_default="", nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("kind IN ('district', 'street', 'community')", name=op.f("ck_place_kind_known")),
        sa.ForeignKeyConstraint(["parent_id"], ["place.id"], name=op.f("fk_place_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place")),
        sa.UniqueConstraint("kind", "code", name=op.f("uq_place_kind_code")),
    )
    op.create_index(op.f("ix_place_parent_id"), "place", ["parent_id"], unique=False)
    op.create_table(
        "unclear_land",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("class", sa.String(), nullable=False),
        sa.Column("categories", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("unit_ids", sa.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "area",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("area_m2", sa.Double(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("class IN ('contested', 'orphan')", name=op.f("ck_unclear_land_class_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unclear_land")),
    )
    op.create_index("ix_unclear_land_area", "unclear_land", ["area"], unique=False, postgresql_using="gist")
    op.create_table(
        "unit",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name_zh", sa.Text(), server_default="", nullable=False),
        sa.Column("name_en", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("origin", sa.Text(), server_default="", nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("code", name=op.f("uq_unit_code")),
    )
    op.create_table(
        "boundary",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("place_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "validity",
            postgresql.DATERANGE(),
            server_default=sa.text("daterange(NULL, NULL)"),
            nullable=False,
        ),
        sa.Column(
            "area",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column(
            "label",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("area_m2", sa.Double(), nullable=False),
        sa.Column("origin", sa.Text(), server_default="", nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("place_id"), "="),
            (sa.column("validity"), "&&"),
            using="gist",
            name="ex_boundary_one_version_a_day",
        ),
        sa.CheckConstraint("NOT ST_IsEmpty(area)", name=op.f("ck_boundary_area_not_empty")),
        sa.CheckConstraint("NOT isempty(validity)", name=op.f("ck_boundary_validity_not_empty")),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_boundary_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_boundary")),
    )
    op.create_index("ix_boundary_area", "boundary", ["area"], unique=False, postgresql_using="gist")
    op.create_table(
        "issue",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("category_code", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("text_released", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("privacy", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_name", sa.Text(), server_default="", nullable=False),
        sa.Column("source_id", sa.Text(), server_default="", nullable=False),
        sa.Column("source_hash", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column(
            "public_geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column(
            "public_3857",
            Geometry(
                geometry_type="POINT",
                srid=3857,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            sa.Computed("ST_Transform(public_geom, 3857)", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "extent",
            Geometry(srid=4326, dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"),
            nullable=True,
        ),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("placed_by", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("community_id", sa.BigInteger(), nullable=True),
        sa.Column("community_verdict", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("judged_on", sa.Date(), nullable=False),
        sa.Column("candidate_ids", sa.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("helping_unit_ids", sa.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("cost_planned", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("cost_spent", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("fund_source", sa.Text(), server_default="", nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(privacy = 'private') = (public_geom IS NULL)", name=op.f("ck_issue_private_has_no_public_place")
        ),
        sa.CheckConstraint(
            "community_verdict IN ('clear', 'near', 'contested', 'orphan')",
            name=op.f("ck_issue_community_verdict_known"),
        ),
        sa.CheckConstraint(
            "extent IS NULL OR (NOT ST_IsEmpty(extent) AND GeometryType(extent) IN ('LINESTRING','MULTILINESTRING','POLYGON','MULTIPOLYGON','MULTIPOINT'))",
            name=op.f("ck_issue_extent_kind"),
        ),
        sa.CheckConstraint("level IN ('community', 'joint_meeting')", name=op.f("ck_issue_level_known")),
        sa.CheckConstraint(
            "placed_by IN ('pin', 'gps', 'exif', 'address', 'import')", name=op.f("ck_issue_placed_by_known")
        ),
        sa.CheckConstraint(
            "privacy <> 'public' OR public_geom = geom", name=op.f("ck_issue_public_place_is_the_place")
        ),
        sa.CheckConstraint("privacy IN ('public', 'blurred', 'private')", name=op.f("ck_issue_privacy_known")),
        sa.CheckConstraint(
            "source IN ('resident', 'steward', 'patrol', 'hotline', 'import', 'open311')",
            name=op.f("ck_issue_source_known"),
        ),
        sa.CheckConstraint(
            "state IN ('reported', 'accepted', 'agenda', 'dispatched', 'returned', 'handling', 'deferred', 'shelved', 'done', 'rework', 'closed', 'reopened', 'refused', 'duplicate')",
            name=op.f("ck_issue_state_known"),
        ),
        sa.CheckConstraint("title <> '' AND length(title) <= 200", name=op.f("ck_issue_title_length")),
        sa.CheckConstraint("verdict IN ('clear', 'near', 'contested', 'orphan')", name=op.f("ck_issue_verdict_known")),
        sa.CheckConstraint(
            "NOT ST_IsEmpty(geom) AND ST_X(geom) BETWEEN -180 AND 180 AND ST_Y(geom) BETWEEN -85 AND 85",
            name=op.f("ck_issue_geom_on_earth"),
        ),
        sa.CheckConstraint("accuracy_m >= 0 AND accuracy_m <= 100000", name=op.f("ck_issue_accuracy_in_metres")),
        sa.CheckConstraint("cost_planned >= 0 AND cost_spent >= 0", name=op.f("ck_issue_cost_not_negative")),
        sa.CheckConstraint("ended_at IS NULL OR ended_at >= reported_at", name=op.f("ck_issue_ends_after_report")),
        sa.CheckConstraint(
            "public_geom IS NULL OR (NOT ST_IsEmpty(public_geom) AND ST_X(public_geom) BETWEEN -180 AND 180 AND ST_Y(public_geom) BETWEEN -85 AND 85)",
            name=op.f("ck_issue_public_geom_on_earth"),
        ),
        sa.CheckConstraint("severity BETWEEN 1 AND 4", name=op.f("ck_issue_severity_known")),
        sa.ForeignKeyConstraint(["category_code"], ["category.code"], name=op.f("fk_issue_category_code")),
        sa.ForeignKeyConstraint(["community_id"], ["place.id"], name=op.f("fk_issue_community_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_issue_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue")),
    )
    op.create_index("ix_issue_candidate_ids", "issue", ["candidate_ids"], unique=False, postgresql_using="gin")
    op.create_index(op.f("ix_issue_category_code_reported_at"), "issue", ["category_code", "reported_at"], unique=False)
    op.create_index(op.f("ix_issue_community_id_reported_at"), "issue", ["community_id", "reported_at"], unique=False)
    op.create_index("ix_issue_geom", "issue", ["geom"], unique=False, postgresql_using="gist")
    op.create_index(
        "ix_issue_newest",
        "issue",
        [sa.literal_column("reported_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(op.f("ix_issue_number"), "issue", ["number"], unique=False)
    op.create_index("ix_issue_public_3857", "issue", ["public_3857"], unique=False, postgresql_using="gist")
    op.create_index(op.f("ix_issue_unit_id"), "issue", ["unit_id"], unique=False)
    op.create_table(
        "jurisdiction",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("name_zh", sa.Text(), server_default="", nullable=False),
        sa.Column("name_en", sa.Text(), server_default="", nullable=False),
        sa.Column("categories", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "validity",
            postgresql.DATERANGE(),
            server_default=sa.text("daterange(NULL, NULL)"),
            nullable=False,
        ),
        sa.Column(
            "shape",
            Geometry(
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("reach_m", sa.Double(), nullable=True),
        sa.Column(
            "area",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column(
            "label",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("area_m2", sa.Double(), nullable=False),
        sa.Column("evidence", sa.Text(), server_default="", nullable=False),
        sa.Column("origin", sa.Text(), server_default="", nullable=False),
        sa.Column("synthetic", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("code"), "="),
            (sa.column("validity"), "&&"),
            using="gist",
            name="ex_jurisdiction_one_version_a_day",
        ),
        sa.CheckConstraint(
            "(ST_Dimension(shape) = 1) = (reach_m IS NOT NULL)",
            name=op.f("ck_jurisdiction_a_line_has_a_reach"),
        ),
        sa.CheckConstraint("NOT ST_IsEmpty(area)", name=op.f("ck_jurisdiction_area_not_empty")),
        sa.CheckConstraint("NOT isempty(validity)", name=op.f("ck_jurisdiction_validity_not_empty")),
        sa.CheckConstraint("reach_m > 0 AND reach_m <= 1000", name=op.f("ck_jurisdiction_reach_in_metres")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_jurisdiction_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jurisdiction")),
    )
    op.create_index("ix_jurisdiction_area", "jurisdiction", ["area"], unique=False, postgresql_using="gist")
    op.create_index(op.f("ix_jurisdiction_unit_id"), "jurisdiction", ["unit_id"], unique=False)
    op.create_table(
        "boundary_part",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("boundary_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "area",
            Geometry(
                geometry_type="POLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["boundary_id"], ["boundary.id"], name=op.f("fk_boundary_part_boundary_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_boundary_part")),
    )
    op.create_index("ix_boundary_part_area", "boundary_part", ["area"], unique=False, postgresql_using="gist")
    op.create_index(op.f("ix_boundary_part_boundary_id"), "boundary_part", ["boundary_id"], unique=False)
    op.create_table(
        "history",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("to_state", sa.String(), nullable=True),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("action <> ''", name=op.f("ck_history_action_named")),
        sa.CheckConstraint("seq > 0", name=op.f("ck_history_seq_counts_from_one")),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_history_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", "seq", name=op.f("pk_history")),
    )
    op.create_table(
        "jurisdiction_part",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("jurisdiction_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "area",
            Geometry(
                geometry_type="POLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["jurisdiction_id"],
            ["jurisdiction.id"],
            name=op.f("fk_jurisdiction_part_jurisdiction_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jurisdiction_part")),
    )
    op.create_index("ix_jurisdiction_part_area", "jurisdiction_part", ["area"], unique=False, postgresql_using="gist")
    op.create_index(
        op.f("ix_jurisdiction_part_jurisdiction_id"), "jurisdiction_part", ["jurisdiction_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_jurisdiction_part_jurisdiction_id"), table_name="jurisdiction_part")
    op.drop_index("ix_jurisdiction_part_area", table_name="jurisdiction_part", postgresql_using="gist")
    op.drop_table("jurisdiction_part")
    op.drop_table("history")
    op.drop_index(op.f("ix_boundary_part_boundary_id"), table_name="boundary_part")
    op.drop_index("ix_boundary_part_area", table_name="boundary_part", postgresql_using="gist")
    op.drop_table("boundary_part")
    op.drop_index(op.f("ix_jurisdiction_unit_id"), table_name="jurisdiction")
    op.drop_index("ix_jurisdiction_area", table_name="jurisdiction", postgresql_using="gist")
    op.drop_table("jurisdiction")
    op.drop_index(op.f("ix_issue_unit_id"), table_name="issue")
    op.drop_index("ix_issue_public_3857", table_name="issue", postgresql_using="gist")
    op.drop_index(op.f("ix_issue_number"), table_name="issue")
    op.drop_index("ix_issue_newest", table_name="issue")
    op.drop_index("ix_issue_geom", table_name="issue", postgresql_using="gist")
    op.drop_index(op.f("ix_issue_community_id_reported_at"), table_name="issue")
    op.drop_index(op.f("ix_issue_category_code_reported_at"), table_name="issue")
    op.drop_index("ix_issue_candidate_ids", table_name="issue", postgresql_using="gin")
    op.drop_table("issue")
    op.drop_index("ix_boundary_area", table_name="boundary", postgresql_using="gist")
    op.drop_table("boundary")
    op.drop_table("unit")
    op.drop_index("ix_unclear_land_area", table_name="unclear_land", postgresql_using="gist")
    op.drop_table("unclear_land")
    op.drop_index(op.f("ix_place_parent_id"), table_name="place")
    op.drop_table("place")
    op.drop_table("layer_file")
    op.drop_index("ix_layer_feature_geom", table_name="layer_feature", postgresql_using="gist")
    op.drop_table("layer_feature")
    op.drop_table("data_version")
    op.drop_index("ix_category_path", table_name="category", postgresql_using="gin")
    op.drop_table("category")
    op.execute(sa.schema.DropSequence(sa.Sequence("issue_serial")))
