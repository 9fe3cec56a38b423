"""Where a frame comes from: the database, a file that geopandas reads, or a folder of GeoParquet partitions."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import geopandas
import pandas as pd

from geoapp.analysis.convert import frame_of_areas, frame_of_issues
from geoapp.config import read as read_settings
from geoapp.domain.values import OPERATOR, IssueFilter, IssueState, PlaceKind, VerdictClass, Viewer
from geoapp.errors import BadFile, BadInput
from geoapp.services import parquet, snapshots
from geoapp.store import session

_Word = TypeVar("_Word", IssueState, VerdictClass)


def read_issues(
    source: str | Path | None,
    *,
    categories: tuple[str, ...] = (),
    states: tuple[str, ...] = (),
    communities: tuple[str, ...] = (),
    units: tuple[str, ...] = (),
    verdicts: tuple[str, ...] = (),
    since: date | None = None,
    until: date | None = None,
    as_of: date | None = None,
    columns: Mapping[str, str] | None = None,
    viewer: Viewer = OPERATOR,
    zone: ZoneInfo | None = None,
) -> geopandas.GeoDataFrame:
    """Issues as a frame with category, state, verdict, community, unit, reported_at and ended_at, as far as known.

    ``source`` is ``postgresql://…`` (None: the database that is connected already), a file, or a folder that
    ``geoapp export parquet`` has written. ``columns`` says for files what ours are called there, as
    ``{"reported_at": "opened"}``. ``categories`` name whole branches; days are of ``zone``, both included.
    """
    zone = zone or read_settings({}).zone
    wanted = IssueFilter(
        categories=categories, states=_known(IssueState, "state", states), communities=communities, units=units,
        verdicts=_known(VerdictClass, "verdict", verdicts), since=since, until=until,
    )  # fmt: skip
    if source is None or str(source).startswith(("postgresql://", "postgres://")):
        with _database(source):
            return frame_of_issues(snapshots.read(viewer, wanted, zone=zone, as_of=as_of, ids=True))
    path = Path(source)
    if path.is_dir():
        frame = frame_of_issues(parquet.read(path, since=since, until=until))
    else:
        frame = _file(path).rename(columns={theirs: ours for ours, theirs in (columns or {}).items()})
    return _matching(frame, wanted, as_of, zone)


def read_areas(
    source: str | Path | None,
    kind: str = "community",
    *,
    on: date | None = None,
    within: tuple[str, ...] = (),
    residents: Path | None = None,
    viewer: Viewer = OPERATOR,
) -> geopandas.GeoDataFrame:
    """Communities, streets or districts in force on a day, with code, zh, en and residents (from a CSV file)."""
    known = snapshots.residents_of(residents) if residents else None
    if source is None or str(source).startswith(("postgresql://", "postgres://")):
        with _database(source):
            day = on or datetime.now(UTC).date()
            found = snapshots.areas(viewer, PlaceKind(kind), on=day, within=within, residents=known)
        return frame_of_areas(found)
    frame = _file(Path(source))
    if known is not None:
        frame["residents"] = frame["code"].astype(str).map(known)
    return frame


def _known(words: type[_Word], field: str, given: tuple[str, ...]) -> tuple[_Word, ...]:
    for one in given:
        if one not in set(words):
            raise BadInput(field, "one_of", value=one, choices=", ".join(words))
    return tuple(words(one) for one in given)


@contextmanager
def _database(source: str | Path | None) -> Iterator[None]:
    if source is None:
        yield
        return
    session.connect(str(source))
    try:
        yield
    finally:
        session.disconnect()


def _file(path: Path) -> geopandas.GeoDataFrame:
    try:
        return geopandas.read_parquet(path) if path.suffix == ".parquet" else geopandas.read_file(path)
    except Exception as error:  # a dozen libraries may fail in their own ways
        raise BadFile(path.name, f"cannot be read: {error}") from error


def _matching(
    frame: geopandas.GeoDataFrame, wanted: IssueFilter, as_of: date | None, zone: ZoneInfo
) -> geopandas.GeoDataFrame:
    """The rows of a file that a filter leaves; a filter on a column that the file does not have is refused."""
    chosen = pd.Series(data=True, index=frame.index)

    def column(name: str) -> pd.Series:
        if name not in frame:
            raise BadFile("file", f"it has no column {name}; name it with columns={{{name!r}: …}}")
        return frame[name]

    if wanted.categories:
        codes = column("category").astype(str)
        chosen &= codes.map(lambda code: any(f"{code}.".startswith(f"{one}.") for one in wanted.categories))
    for name, values in (
        ("state", wanted.states), ("community", wanted.communities), ("unit", wanted.units),
        ("verdict", wanted.verdicts),
    ):  # fmt: skip
        if values:
            chosen &= column(name).astype(str).isin([str(one) for one in values])
    if wanted.since or wanted.until or as_of:
        reported = pd.to_datetime(column("reported_at"), utc=True, errors="coerce")
        if wanted.since:
            chosen &= reported >= datetime.combine(wanted.since, time(), zone)
        for day in (wanted.until, as_of):
            if day:
                chosen &= reported < datetime.combine(day + timedelta(days=1), time(), zone)
    found = frame[chosen]
    found.attrs = dict(frame.attrs)
    return found
