"""Land on which nobody without an account may report for a while."""

from datetime import datetime
from pathlib import Path

import click

from geoapp import config
from geoapp.cli.ground import FILE, database, require_schema


@click.group()
def zones() -> None:
    """Where no reports are taken from the public, against floods of made-up ones."""


@zones.command("add")
@click.argument("file", type=FILE)
@click.option("--reason", default="", help="What a resident is told who tries to report there.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day on which it holds; default: for good.")
def add_zone(file: Path, *, reason: str, until: datetime | None) -> None:
    """Take no reports within the areas of a file of boundaries (GeoJSON, GeoPackage, …)."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import moderation  # noqa: PLC0415

    with database(config.read()):
        require_schema()
        for zone in moderation.block_file(OPERATOR, file, reason, until.date() if until else None):
            click.echo(f"zone {zone}")


@zones.command("list")
def list_zones() -> None:
    """Each zone: its number, size, last day, and the reason that is told."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import moderation  # noqa: PLC0415

    with database(config.read()):
        require_schema()
        for zone in moderation.zones(OPERATOR):
            click.echo(f"{zone.id}  {zone.area_m2:,.0f} m²  {zone.until or 'for good'}  {zone.reason}")


@zones.command("remove")
@click.argument("zone", type=int)
def remove_zone(zone: int) -> None:
    """Take reports there again; ZONE is its number."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import moderation  # noqa: PLC0415

    with database(config.read()):
        require_schema()
        moderation.unblock(OPERATOR, zone)
