"""Reading for analyses: issues as columns, areas and the study area, all as this viewer may see them."""

import csv
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from numpy.typing import NDArray

from geoapp.domain.spatial.columns import Areas, Issues
from geoapp.domain.values import Box, IssueFilter, PlaceKind, Viewer
from geoapp.errors import BadFile
from geoapp.store import columns, counts, roads, versions
from geoapp.store.session import Session, snapshot


def read(
    viewer: Viewer, wanted: IssueFilter, *, zone: ZoneInfo, as_of: date | None = None, ids: bool = False
) -> Issues:
    """The matching issues that this viewer may see, each where the viewer may see it; see store.columns.read.

    What was asked is kept in ``query``, with the version of the data.
    """
    with snapshot() as db:
        found = columns.read(db, wanted, viewer, zone=zone, as_of=as_of, ids=ids)
        asked = {key: value for key, value in asdict(wanted).items() if value}
        if as_of is not None:
            asked["as_of"] = as_of
        return replace(found, query={**_plain(asked), "data_version": _version(db)})


def areas(
    viewer: Viewer,  # noqa: ARG001 - boundaries are everybody's
    kind: PlaceKind,
    *,
    on: date,
    within: tuple[str, ...] = (),
    residents: Mapping[str, float] | None = None,
) -> Areas:
    """Communities, streets or districts in force on a day, those within some places or all.

    ``residents`` says by code how many live there; who is not named is not known, and never guessed.
    """
    with snapshot() as db:
        found = columns.areas(db, kind, day=on, within=within)
    known = residents or {}
    return replace(found, residents=np.array([known.get(code, np.nan) for code in found.code], dtype=float))


def land_of_units(viewer: Viewer, *, on: date, area: Any) -> Areas:  # noqa: ARG001 - jurisdictions are everybody's
    """Every unit with its land in force on a day, as far as it lies in the study area (EPSG:4326; None: all of it)."""
    with snapshot() as db:
        found = columns.land_of_units(db, day=on)
    if area is None or not len(found.code):
        return found
    shapely.prepare(area)
    cut = np.array(
        [one if shapely.covers(area, one) else _polygons(shapely.intersection(one, area)) for one in found.geometry],
        dtype=object,
    )
    return replace(found, geometry=cut)


def road_lines(viewer: Viewer, shapes: NDArray[Any]) -> NDArray[Any]:  # noqa: ARG001 - roads are public ground
    """The lines (EPSG:4326) of all roads round these shapes."""
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    if not west <= east:
        return np.zeros(0, dtype=object)
    with snapshot() as db:
        found = roads.lines(db, Box(west, south, east, north))
    return np.asarray(shapely.from_wkb(found), dtype=object)


def _polygons(shape: Any) -> Any:
    """Without the points and lines in which areas only touch."""
    parts = [one for one in shapely.get_parts(shape) if one.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts)


def study_area(viewer: Viewer, *, on: date, within: tuple[str, ...] = ()) -> Any:  # noqa: ARG001 - as above
    """The polygon (EPSG:4326) of these places, or of the whole district; None where no boundary is known."""
    with snapshot() as db:
        return columns.study_area(db, day=on, within=within)


def data_version() -> str:
    """Another as soon as an issue or a boundary has changed: the key of whatever is kept of a result.

    Issues, private ones too, have no version of their own in a row that all writers would wait for; what stands for it
    is how many changes of them were ever written down, in the log of counts and in what was folded of it. Both are
    written by the transaction that changes the issue, so in one snapshot version and data agree.
    """
    with snapshot() as db:
        return "-".join(f"{part}{number}" for part, number in sorted(_version(db).items()))


def residents_of(file: Path) -> dict[str, float]:
    """Residents by code of the place, from a CSV file with the columns code and residents. Raises BadFile."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = csv.DictReader(opened)
            if not {"code", "residents"} <= set(rows.fieldnames or ()):
                raise BadFile(file.name, "needs the columns code and residents")
            found: dict[str, float] = {}
            for row in rows:
                number = _number(row["residents"])
                if number is None:
                    raise BadFile(file.name, f"row {rows.line_num}: residents {row['residents']!r} is no number")
                found[row["code"].strip()] = number
            return found
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadFile(file.name, f"cannot be read: {error}") from error


def _version(db: Session) -> dict[str, int]:
    return {**versions.current(db), "issues": counts.edition(db)}


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _plain(asked: Any) -> Any:
    """What was asked in the types of JSON."""
    if isinstance(asked, dict):
        return {key: _plain(value) for key, value in asked.items()}
    if isinstance(asked, (list, tuple, frozenset)):
        return [_plain(one) for one in asked]
    return asked if asked is None or isinstance(asked, (bool, int, float)) else str(asked)
