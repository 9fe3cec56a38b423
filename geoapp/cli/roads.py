"""The road network that routes of visits are computed on."""

from pathlib import Path
from typing import Any

import click

from geoapp import config
from geoapp.cli.ground import FILE, database, print_report, progress, require_schema


@click.group()
def roads() -> None:
    """The road network: without one, distances of a visit are estimates."""


@roads.command("import")
@click.argument("file", type=FILE)
@click.option("--class", "kind", metavar="FIELD", help="Field with the class; default: every line is a street.")
@click.option("--oneway", metavar="FIELD", help="Field that says yes, no or -1 (against the line); or F, T, B.")
@click.option("--name", metavar="FIELD", help="Field with the name.")
@click.option(
    "--as", "meanings", multiple=True, metavar="WORD=CLASS", help="What a word in the field of classes means."
)
@click.option("--crs", help="Coordinate system, if the file does not state it: EPSG:n or gcj02.")
@click.option("--node-crossings", is_flag=True, help="Join lines that cross without a common vertex; else bridges.")
@click.option("--origin", default="", help="Whom to credit; default: the file's name.")
@click.option("--dry-run", is_flag=True, help="Read, check and report, but store nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def import_roads(file: Path, *, meanings: tuple[str, ...], as_json: bool, **more: Any) -> None:
    """Bring in lines from GeoJSON, GeoPackage, FlatGeobuf or a zipped Shapefile, in place of what is there.

    Classes are those of OpenStreetMap (also as its extracts write them) or motorway, trunk, primary, secondary,
    tertiary, street, service, track, path, steps.
    """
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import roads as service  # noqa: PLC0415

    settings = config.read()
    words = _meanings(meanings)
    with database(settings), progress(f"Importing {file.name}"):
        require_schema()
        report = service.import_file(OPERATOR, file, words=words, **more)
    print_report(report, as_json=as_json)


@roads.command("remove")
def remove_roads() -> None:
    """Take the road network away; distances of visits are estimates from then on."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import roads as service  # noqa: PLC0415

    with database(config.read()):
        require_schema()
        gone = service.remove(OPERATOR)
    click.echo(f"{gone} edges removed." if gone else "There was no road network.")


def _meanings(given: tuple[str, ...]) -> dict[str, Any]:
    from geoapp.domain.roads import RoadClass  # noqa: PLC0415

    found = {}
    for one in given:
        word, _, kind = one.rpartition("=")
        if not word or kind not in set(RoadClass):
            raise click.BadParameter(
                f"{one!r} is not WORD=CLASS with a class of {', '.join(RoadClass)}", param_hint="--as"
            )
        found[word.strip().lower()] = RoadClass(kind)
    return found
