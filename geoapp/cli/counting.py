"""The counts behind map and lists: compared with a recount, or made anew."""

import click

from geoapp import config
from geoapp.cli.ground import database, require_schema

SHOWN = 20


@click.group()
def counts() -> None:
    """The counts behind map and lists, which every change of an issue keeps true."""


@counts.command("check")
def check_counts() -> None:
    """Compare them with a recount of all issues; exit 1 where they differ."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import counting  # noqa: PLC0415

    with database(config.read()):
        require_schema()
        wrong = counting.check(OPERATOR)
    for one in wrong[:SHOWN]:
        click.echo(f"zoom {one.zoom}, cell {one.cell}, {one.kind or 'all'}: not what the issues say")
    if wrong:
        click.echo(f"{len(wrong)} blocks are wrong: run `geoapp counts rebuild`")
        raise SystemExit(1)
    click.echo("All counts are what a recount says.")


@counts.command("rebuild")
def rebuild_counts() -> None:
    """Count all issues anew; also after a backup was restored, so that no tile of before is taken for one of now."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import counting  # noqa: PLC0415

    settings = config.read()
    with database(settings):
        require_schema()
        counted = counting.rebuild(OPERATOR, settings.zone)
    click.echo(f"Counted {counted:,} issues that the public may see.")
