"""Alembic's entry: runs inside a connection that the app hands over, under an advisory lock."""

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import Connection, text

from geoapp.models import counts, issues, layers, notices, people, places, residents  # noqa: F401 - importing fills the metadata
from geoapp.models.base import Base

MIGRATION_LOCK = 20_261_124


def ours(kind_of: object, name: str | None, type_: str, reflected: bool, compare_to: object) -> bool:  # noqa: FBT001
    """Leave alone the tables that extensions and the queue of jobs bring."""
    if type_ == "table" and reflected and compare_to is None:
        return (
            name != "spatial_ref_sys"
            and not str(name).startswith("procrastinate_")
            and getattr(kind_of, "schema", None) is None
        )
    return bool(alembic_helpers.include_object(kind_of, name, type_, reflected, compare_to))


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=ours,
        render_item=alembic_helpers.render_item,
        compare_server_default=False,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        # Two starting servers must not migrate at once, and a migration must never queue behind a long reader.
        connection.execute(text("SET lock_timeout = '3s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        context.run_migrations()


run(context.config.attributes["connection"])
