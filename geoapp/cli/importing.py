"""What an operator brings in: boundaries, issues, layers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from geoapp import config
from geoapp.cli.ground import FILE, database, phases, print_report, progress, require_schema, today
from geoapp.words import say


@click.group()
def boundaries() -> None:
    """Places and jurisdictions: who lies where, and who is responsible there."""


@boundaries.command("import")
@click.argument("file", type=FILE)
@click.option("--kind", required=True, type=click.Choice(["community", "street", "jurisdiction", "district"]))
@click.option("--name", required=True, help="Field with the name.")
@click.option("--code", required=True, help="Field with the code, which stays the same from version to version.")
@click.option("--name-en", help="Field with the English name.")
@click.option("--parent", help="Field with the code of the place above.")
@click.option("--unit", help="Field with the code of the responsible unit (jurisdictions).")
@click.option("--unit-name", help="Field with the name of the responsible unit.")
@click.option("--categories", default="", help="Codes of the categories that count, with commas; default: all.")
@click.option("--evidence", default="", help="What the jurisdictions are founded on.")
@click.option("--reach", "reach_m", type=float, help="Metres beside a line for which its unit is responsible.")
@click.option("--crs", help="Coordinate system, if the file does not state it: EPSG:n or gcj02.")
@click.option("--origin", default="", help="Whom to credit on the map; default: the file's name.")
@click.option("--valid-from", type=click.DateTime(["%Y-%m-%d"]), help="First day of this version.")
@click.option("--dry-run", is_flag=True, help="Read, check and report, but store nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def import_boundaries(file: Path, *, categories: str, valid_from: datetime | None, as_json: bool, **more: Any) -> None:
    """Bring in areas or lines from GeoJSON, GeoPackage, FlatGeobuf or a zipped Shapefile."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import boundaries as service  # noqa: PLC0415

    settings = config.read()
    with database(settings), progress(f"Importing {file.name}") as shown:
        require_schema()
        report = service.import_file(
            OPERATOR,
            file,
            categories=tuple(code.strip() for code in categories.split(",") if code.strip()),
            valid_from=valid_from.date() if valid_from else None,
            today=today(settings),
            progress=shown,
            **more,
        )
    print_report(report, as_json=as_json)


@boundaries.command("contact")
@click.argument("code")
@click.argument("words")
def contact(code: str, words: str) -> None:
    """Say whom residents call about the place of this code, as "023-48660000, weekdays 9 to 17"; "" for nobody."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import places  # noqa: PLC0415

    with database(config.read()):
        require_schema()
        places.tell_contact(OPERATOR, {code: words})
    click.echo("It is on the page of every place there.")


@click.group()
def places() -> None:
    """What is known of places besides their boundaries."""


@places.command("residents")
@click.argument("file", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def import_residents(file: Path, *, as_json: bool) -> None:
    """Bring in how many people live where: a CSV file with the columns code, residents, year, source."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import residents  # noqa: PLC0415

    settings = config.read()
    with database(settings):
        require_schema()
        report = residents.import_file(OPERATOR, file, today=today(settings))
    print_report(report, as_json=as_json)


@places.command("assets")
@click.argument("file", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def import_assets(file: Path, *, as_json: bool) -> None:
    """Bring in how many assets stand where: a CSV file with the columns code, kind, assets, year, source."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import assets  # noqa: PLC0415

    settings = config.read()
    with database(settings):
        require_schema()
        report = assets.import_file(OPERATOR, file, today=today(settings))
    print_report(report, as_json=as_json)


@click.group()
def issues() -> None:
    """Issues from other systems, and whose they are."""


@issues.command("import")
@click.argument("files", type=FILE, nargs=-1, required=True, metavar="FILE...")
@click.option("--mapping", required=True, type=FILE, help="TOML file that says which column is what.")
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Where to write the rows not taken.")
@click.option("--dry-run", is_flag=True, help="Read, check and report, but store nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def import_issues(
    files: tuple[Path, ...], mapping: Path, *, rejects: Path | None, dry_run: bool, as_json: bool
) -> None:
    """Bring in issues from CSV or GeoJSON; the same file again changes nothing."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import imports  # noqa: PLC0415

    settings = config.read()
    with database(settings), phases() as shown:
        require_schema()
        report = imports.import_files(
            OPERATOR,
            files,
            mapping,
            today=today(settings),
            now=datetime.now(UTC),
            zone=settings.zone,
            number_prefix=settings.number_prefix,
            dry_run=dry_run,
            rejects=rejects or Path(f"{files[0].stem}.rejects.csv"),
            told=lambda phase, read: shown(say("en", f"importing.{phase}"), read),
        )
    print_report(report, as_json=as_json)


@issues.command("judge")
def judge_issues() -> None:
    """Judge again whose every issue is: after boundaries whose first day was in the future have begun."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import judging  # noqa: PLC0415

    settings = config.read()
    with database(settings):
        require_schema()
        changed = judging.judge_all(OPERATOR, today=today(settings))
    click.echo(f"{changed} verdicts changed.")


@click.group()
def layers() -> None:
    """The layer files of the map."""


@layers.command("check")
def check_layers() -> None:
    """Read every layer file; the first wrong one is named with its key."""
    from geoapp.services import layers as service  # noqa: PLC0415

    for layer in service.read(config.read().layers_dir):
        click.echo(f"{layer.id}: {layer.title.en}")


@issues.command("deadlines")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_deadlines(file: Path) -> None:
    """Replace all local rules of deadlines by those of a CSV file: place,category,stage,unit,amount."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import clocks  # noqa: PLC0415

    settings = config.read()
    calendar = clocks.read_calendar(settings.calendar_file, settings.zone)
    with database(settings):
        require_schema()
        rules = clocks.import_rules(OPERATOR, file, calendar, now=datetime.now(UTC))
    click.echo(f"{rules} local rules hold.")


@issues.command("reckon")
def reckon_deadlines() -> None:
    """Compute every running deadline anew: after the calendar or the categories have changed."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import clocks  # noqa: PLC0415

    settings = config.read()
    calendar = clocks.read_calendar(settings.calendar_file, settings.zone)
    with database(settings):
        require_schema()
        running = clocks.reckon_all(OPERATOR, calendar, now=datetime.now(UTC))
    click.echo(f"{running} deadlines run.")
