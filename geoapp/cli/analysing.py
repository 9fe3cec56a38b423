"""What a planner computes without a browser: analyses into a file, and the issue set as GeoParquet."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from geoapp import config, words
from geoapp.cli.ground import database, require_schema, today
from geoapp.errors import BadFile

SOURCE = click.Path(exists=True, path_type=Path)
DAY = click.DateTime(["%Y-%m-%d"])
_Command = TypeVar("_Command", bound=Callable[..., Any])


class Measure(click.FloatRange):
    """So many metres or days, and never what is no number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = float(super().convert(value, param, ctx))
        if not math.isfinite(found):
            self.fail("is no number to reckon with", param, ctx)
        return found


@click.group()
def analyse() -> None:
    """Hot spots, clusters, density, trends, comparisons: from the database or a file, into a file."""


def _asking(command: _Command) -> _Command:
    """The options that say which issues."""
    for option in (
        click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path),
                     help="File to write: .gpkg, .geojson, .parquet or .csv."),
        click.option("--from", "source", type=SOURCE,
                     help="File or GeoParquet folder to read; default: the database."),
        click.option("--category", "categories", multiple=True, help="Only this branch; may be repeated."),
        click.option("--state", "states", multiple=True, help="Only this state; may be repeated."),
        click.option("--community", "communities", multiple=True, help="Only this community; may be repeated."),
        click.option("--since", type=DAY, help="Reported on this day or later."),
        click.option("--until", type=DAY, help="Reported on this day or earlier."),
        click.option("--as-of", type=DAY, help="What was known at the end of this day."),
        click.option("--area", type=SOURCE, help="File with the study area; default: the district, or the hull."),
    ):  # fmt: skip
        command = option(command)
    return command


_CELLS = (
    click.option("--processes", default=1, show_default=True, type=click.IntRange(1, 64),
                 help="Read a GeoParquet folder part by part in so many processes."),
    click.option("--cell", type=Measure(), help="Size of a cell in metres; default: suggested from the data."),
    click.option("--shape", default="square", type=click.Choice(["square", "hexagon"]), help="Shape of the cells."),
    click.option("--reach", type=Measure(min=1),
                 help="Metres to the centres of neighbouring cells; default: those that touch."),
    click.option("--keep", default="occupied", type=click.Choice(["occupied", "significant", "all"]),
                 help="Which cells are written."),
)  # fmt: skip


def _cells(command: _Command) -> _Command:
    for option in _CELLS:
        command = option(command)
    return command


@analyse.command("hot-spots")
@_cells
@_asking
def hot_spots(*, cell: float | None, shape: str, reach: float | None, keep: str, processes: int, **asked: Any) -> None:
    """Getis-Ord Gi* per cell, with false-discovery control."""
    _grid("hot_spots", asked, processes, cell=cell, shape=shape, reach_m=reach, keep=keep)


@analyse.command("trends")
@_cells
@_asking
def trends(*, cell: float | None, shape: str, reach: float | None, keep: str, processes: int, **asked: Any) -> None:
    """Emerging hot spots by month: new, intensifying, persistent, diminishing and so on."""
    _grid("trends", asked, processes, cell=cell, shape=shape, reach_m=reach, keep=keep, zone=config.read().zone)


@analyse.command("clusters")
@click.option("--within", type=Measure(min=1), help="Reach in metres; default: suggested from the data.")
@click.option("--least", default=10, show_default=True, type=click.IntRange(2), help="Points that make a cluster.")
@click.option("--days", type=Measure(min=1), help="Also within so many days.")
@click.option("--hdbscan", is_flag=True, help="HDBSCAN instead, which needs no reach.")
@click.option("--by-category", is_flag=True, help="Each branch of categories by itself.")
@click.option("--seed", default=1, show_default=True, help="For the sample that HDBSCAN takes of very many points.")
@_asking
def clusters(
    *, within: float | None, least: int, days: float | None, hdbscan: bool, by_category: bool, seed: int, **asked: Any
) -> None:
    """DBSCAN in metres, or in metres and days, or HDBSCAN."""
    from geoapp import analysis  # noqa: PLC0415 - slow to import

    with _ground(asked) as (frame, area):
        found = analysis.clusters(
            frame, within=within, least=least, days=days, method="hdbscan" if hdbscan else None, area=area,
            by_category=by_category, seed=seed,
        )  # fmt: skip
    _tell(found, asked["out"])


@analyse.command("density")
@click.option("--bandwidth", type=Measure(min=1), help="Width of the kernel in metres; default: Scott's rule.")
@click.option(
    "--levels", default=6, show_default=True, type=click.IntRange(2, 20), help="Bands between 0 and the peak."
)
@_asking
def density(*, bandwidth: float | None, levels: int, **asked: Any) -> None:
    """Kernel density in issues per km², as bands."""
    from geoapp import analysis  # noqa: PLC0415

    with _ground(asked) as (frame, area):
        found = analysis.density(frame, bandwidth=bandwidth, area=area, levels=levels)
    _tell(found, asked["out"])


@analyse.command("repeats")
@click.option(
    "--within", type=Measure(min=1), default=30.0, show_default=True, help="Metres between reports of one place."
)
@_asking
def repeats(*, within: float, **asked: Any) -> None:
    """Places where the same is reported again and again."""
    from geoapp import analysis  # noqa: PLC0415

    with _ground(asked) as (frame, area):
        found = analysis.repeats(frame, within=within, area=area)
    _tell(found, asked["out"])


@analyse.command("compare")
@click.option(
    "--kind", default="community", type=click.Choice(["community", "street", "district"]), help="Of which kind."
)
@click.option("--areas", "areas_file", type=SOURCE, help="File with the areas; default: those of the database.")
@click.option("--per", default="count", type=click.Choice(["count", "km2", "residents"]), help="What is counted per.")
@click.option("--residents", type=SOURCE, help="CSV file with the columns code and residents.")
@_asking
def compare(*, kind: str, areas_file: Path | None, per: str, residents: Path | None, **asked: Any) -> None:
    """Areas side by side: rates with intervals, ratio to all together, shrunken rates."""
    from geoapp import analysis  # noqa: PLC0415

    with _ground(asked, always=areas_file is None) as (frame, _):
        areas = analysis.read_areas(areas_file, kind, on=today(config.read()), residents=residents)
        found = analysis.compare(frame, areas, denominator=per)
    _tell(found, asked["out"])


@click.group()
def export() -> None:
    """The issue set for other programs."""


@export.command("parquet")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--as-of", type=DAY, help="What was known at the end of this day.")
def export_parquet(folder: Path, *, as_of: datetime | None) -> None:
    """All issues as GeoParquet in FOLDER, partitioned by district and month."""
    from geoapp.domain.values import OPERATOR, IssueFilter  # noqa: PLC0415
    from geoapp.services import parquet  # noqa: PLC0415

    settings = config.read()
    with database(settings):
        require_schema()
        told = parquet.export(
            OPERATOR, IssueFilter(), folder, zone=settings.zone, as_of=as_of.date() if as_of else None
        )
    for line in told.lines():
        click.echo(line)


def _grid(name: str, asked: dict[str, Any], processes: int, **more: Any) -> None:
    from geoapp import analysis  # noqa: PLC0415
    from geoapp.analysis import partitions  # noqa: PLC0415

    source = asked["source"]
    try:
        if processes > 1:
            if source is None or not source.is_dir():
                raise BadFile(
                    "--processes", "is for a folder that `geoapp export parquet` has written: name it with --from"
                )
            if any(asked[name] for name in ("states", "communities", "since", "until", "as_of")):
                raise BadFile("--processes", "goes with --category and --area only; export what else is to be left out")
            more.pop("zone", None)
            area = analysis.read_areas(asked["area"]) if asked["area"] else None
            found = getattr(partitions, name)(
                source, area=area, categories=asked["categories"], processes=processes, **more
            )
        else:
            with _ground(asked) as (frame, area):
                found = getattr(analysis, name)(frame, area=area, **more)
    except ValueError as error:
        raise BadFile("--cell", str(error)) from error
    _tell(found, asked["out"])


@contextmanager
def _ground(asked: dict[str, Any], *, always: bool = False) -> Iterator[tuple[Any, Any]]:
    """The issues that were asked for and the study area; the database runs meanwhile if it is needed."""
    from geoapp import analysis  # noqa: PLC0415

    settings = config.read()
    days = {name: asked[name].date() for name in ("since", "until", "as_of") if asked[name]}
    chosen = {name: asked[name] for name in ("categories", "states", "communities")}

    def read() -> tuple[Any, Any]:
        frame = analysis.read_issues(asked["source"], **chosen, **days, zone=settings.zone)
        if asked["area"]:
            return frame, analysis.read_areas(asked["area"])
        if asked["source"]:
            return frame, None
        within = chosen["communities"]
        kind = "community" if within else "district"
        areas = analysis.read_areas(None, kind, on=today(settings), within=within)
        return frame, areas if len(areas) else None

    if asked["source"] and not always:
        yield read()
        return
    with database(settings):
        require_schema()
        yield read()


def _tell(found: Any, out: Path) -> None:
    """Write the result and say what was done."""
    from geoapp import analysis  # noqa: PLC0415

    analysis.write(found, out)
    how = found.attrs["how"]
    click.echo(f"{words.say('en', 'analysis.method.' + how['method'])}: {how['used']:,} issues, {len(found):,} rows")
    for why, number in how["dropped"].items():
        click.echo(f"left out {number:,} {words.say('en', 'analysis.dropped.' + why)}")
    click.echo(f"{out}, {out}.how.json")
