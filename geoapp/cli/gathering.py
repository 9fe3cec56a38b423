"""What joint meetings weigh: places near which the same defect hurts more."""

from pathlib import Path

import click

from geoapp import config
from geoapp.cli.ground import FILE, database, require_schema


@click.group()
def vulnerable() -> None:
    """Schools, clinics, homes for the aged: an issue near one stands higher on an agenda."""


@vulnerable.command("import")
@click.argument("file", type=FILE)
@click.option("--kind", required=True, help="school, kindergarten, clinic or aged.")
@click.option("--name", required=True, help="The field with the name.")
@click.option("--name-en", default="", help="The field with the English name.")
@click.option("--crs", help="The system of its coordinates, where the file does not say: EPSG:n, gcj02 or bd09.")
@click.option("--origin", default="", help="Where the file comes from; default: its name.")
def import_places(file: Path, *, kind: str, name: str, name_en: str, crs: str | None, origin: str) -> None:
    """Read places from FILE (GeoJSON, GeoPackage, …); they replace all of their kind."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import vulnerable as places  # noqa: PLC0415

    with database(config.read()):
        require_schema()
        count = places.import_file(OPERATOR, file, kind=kind, name=name, name_en=name_en, crs=crs, origin=origin)
        click.echo(f"{count} places of the kind {kind}")
