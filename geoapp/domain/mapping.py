"""A mapping: how the columns and words of somebody's file become issues. Pure: tables in, values out.

``parse`` reads a mapping file's table and refuses what it does not know; domain.mappedrows reads rows by it.
layers/mappings/README.md is the contract of a mapping file.
"""

from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from geoapp.domain.values import IssueState

SECTIONS = ("source", "columns", "coordinates", "dates", "states", "categories", "units")
KEYS = {
    "source": ("name", "encoding", "delimiter", "timezone", "number_prefix", "released"),
    "columns": (
        "id", "reported_at", "updated_at", "ended_at", "category", "state", "unit", "title", "text", "address",
        "severity", "accuracy",
    ),
    "coordinates": ("form", "lon", "lat", "column", "crs"),
    "dates": ("formats",),
    "categories": ("create_under", "values"),
    "units": ("create", "values"),
}  # fmt: skip
FORMS = ("columns", "latlon_text", "wkt", "geometry")


class WrongMapping(ValueError):
    """Names the key of a mapping file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping file, checked. Columns are lists of alternatives, compared without regard to case."""

    name: str
    encoding: str
    delimiter: str
    zone: ZoneInfo
    number_prefix: str
    released: bool
    columns: dict[str, tuple[str, ...]]
    form: str
    lon: tuple[str, ...]
    lat: tuple[str, ...]
    place: tuple[str, ...]
    crs: str
    formats: tuple[str, ...]
    states: dict[str, IssueState]
    categories: dict[str, str]
    create_under: str | None
    units: dict[str, str]
    create_units: bool


def parse(raw: Table[str, Any]) -> Mapping:
    """Check a mapping's table; raises WrongMapping with the key and what is known."""
    _known("", raw, SECTIONS)
    tables = {name: _table(raw, name) for name in SECTIONS}
    for name, keys in KEYS.items():
        _known(f"{name}.", tables[name], keys)
    source, coordinates = tables["source"], tables["coordinates"]
    columns = {key: _names(f"columns.{key}", value) for key, value in tables["columns"].items()}
    for needed in ("id", "reported_at", "category"):
        if needed not in columns:
            raise WrongMapping(f"columns.{needed} is missing")
    form = _text(coordinates, "coordinates.form", "columns")
    if form not in FORMS:
        raise WrongMapping(f"coordinates.form must be one of {', '.join(FORMS)}")
    for key in {"columns": ("lon", "lat"), "geometry": ()}.get(form, ("column",)):
        if key not in coordinates:
            raise WrongMapping(f"coordinates.{key} is missing")
    return Mapping(
        name=_text(source, "source.name"),
        encoding=_text(source, "source.encoding", "auto"),
        delimiter=_text(source, "source.delimiter", "auto"),
        zone=_zone(_text(source, "source.timezone", "UTC")),
        number_prefix=_text(source, "source.number_prefix", ""),
        released=_yes(source, "source.released"),
        columns=columns,
        form=form,
        lon=_names("coordinates.lon", coordinates.get("lon", [])),
        lat=_names("coordinates.lat", coordinates.get("lat", [])),
        place=_names("coordinates.column", coordinates.get("column", [])),
        crs=_text(coordinates, "coordinates.crs", "EPSG:4326"),
        formats=_names("dates.formats", tables["dates"].get("formats", ["iso"])),
        states={key: _state(key, value) for key, value in tables["states"].items()},
        categories={str(k): str(v) for k, v in _table(tables["categories"], "categories.values").items()},
        create_under=_text(tables["categories"], "categories.create_under", "") or None,
        units={str(k): str(v) for k, v in _table(tables["units"], "units.values").items()},
        create_units=_yes(tables["units"], "units.create"),
    )


def _table(raw: Table[str, Any], key: str) -> dict[str, Any]:
    value = raw.get(key.rpartition(".")[2], {})
    if not isinstance(value, dict):
        raise WrongMapping(f"{key} must be a table")
    return value


def _known(stem: str, raw: Table[str, Any], keys: Sequence[str]) -> None:
    for key in raw:
        if key not in keys:
            raise WrongMapping(f"{stem}{key} is not known; known are {', '.join(keys)}")


def _names(key: str, value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise WrongMapping(f"{key} must be a text or a list of texts")
    return tuple(names)


def _text(raw: Table[str, Any], key: str, default: str | None = None) -> str:
    value = raw.get(key.rpartition(".")[2], default)
    if not isinstance(value, str) or (default is None and not value):
        raise WrongMapping(f"{key} must be a text")
    return value


def _yes(raw: Table[str, Any], key: str) -> bool:
    value = raw.get(key.rpartition(".")[2], False)
    if not isinstance(value, bool):
        raise WrongMapping(f"{key} must be true or false")
    return value


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError: "Asia" is a folder of the zones.
        raise WrongMapping(f"source.timezone: {name!r} is not a time zone") from None


def _state(key: str, value: Any) -> IssueState:
    if value not in list(IssueState):
        raise WrongMapping(f"states.{key}: {value!r} is not one of {', '.join(IssueState)}")
    return IssueState(value)
