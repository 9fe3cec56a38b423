"""A mapping: how the columns and words of somebody's file become issues. Pure: tables in, values out.

``parse`` reads a mapping file's table and refuses what it does not know; ``Reader`` turns rows into
NewIssue or Problems. layers/mappings/README.md is the contract of a mapping file.
"""

import hashlib
import re
from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import shapely

from geoapp.domain.geometry import to_wgs84
from geoapp.domain.values import Event, IssueState, NewIssue, PlacedBy, Point, Problem, Source

NAMESPACE: Final = UUID("7f0b8f6a-1c7e-5b57-9a3e-5d0c9f6b2a11")
"""Names of imported issues: the same source and id give the same UUID (version 5) on every machine."""

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
NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
LATLON = re.compile(rf"^\(?\s*({NUMBER})\s*[,;\s]\s*({NUMBER})\s*\)?$")
WKT = re.compile(rf"^POINT\s*\(\s*({NUMBER})\s+({NUMBER})\s*\)$", re.IGNORECASE)
LONGEST = 20_000
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
"""What no text in the database can hold: NUL, and halves of characters, which JSON can escape one by one."""


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


@dataclass(slots=True)
class Reader:
    """Turns the rows of one file into issues; remembers the categories and units that it had to name anew."""

    mapping: Mapping
    header: Sequence[str]
    now: datetime
    default_prefix: str = "QJ"
    new_categories: dict[str, str] = field(default_factory=dict)
    new_units: dict[str, str] = field(default_factory=dict)
    _at: dict[str, int | None] = field(default_factory=dict)
    _slugs: dict[str, str] = field(default_factory=dict)
    _imported: Event = field(init=False)
    _names: Any = field(init=False)

    def __post_init__(self) -> None:
        self._imported = Event(self.now, "import")
        self._names = hashlib.sha1(NAMESPACE.bytes + f"{self.mapping.name}\n".encode(), usedforsecurity=False)
        where = {name.strip().lstrip("\ufeff").casefold(): index for index, name in enumerate(self.header)}
        mapping = self.mapping
        wanted = {**mapping.columns, "lon": mapping.lon, "lat": mapping.lat, "place": mapping.place}
        for key, names in wanted.items():
            self._at[key] = next((where[name.casefold()] for name in names if name.casefold() in where), None)
        needed = ["id", "reported_at", "category"]
        needed += {"columns": ["lon", "lat"], "geometry": []}.get(mapping.form, ["place"])
        for key in needed:
            if self._at[key] is None:
                raise WrongMapping(f"no column {' or '.join(wanted[key])} in the file; it has {', '.join(self.header)}")

    def read(self, row: Sequence[str], point: Point | None = None) -> NewIssue | Problem | None:
        """One row: an issue, why it cannot be one, or None when it has no coordinates at all.

        ``point`` is given by formats that carry geometry (``form = "geometry"``).
        """
        try:
            return self._issue(row, point)
        except _Wrong as wrong:
            return wrong.problem

    def _issue(self, row: Sequence[str], point: Point | None) -> NewIssue | None:
        if len(row) != len(self.header):
            raise _Wrong("row", f"has {len(row)} fields, the header {len(self.header)}", "")
        whole = "\x1f".join(row)
        if len(whole) > LONGEST or UNSTORABLE.search(whole):
            self._storable(row)
        source_id = self._need(row, "id")
        reported = self._date(row, "reported_at")
        if reported is None:
            raise _Wrong(self._name("reported_at"), "is empty", "")
        if reported > self.now:
            raise _Wrong(self._name("reported_at"), "lies in the future", self._get(row, "reported_at"))
        place = self._point(row) if self.mapping.form != "geometry" else point and self.place(point.lon, point.lat)
        category_name = self._need(row, "category")
        category = self._category(category_name)
        state = self._state(row)
        updated = self._date(row, "updated_at") or reported
        ended = None
        if state.ended:
            ended = max(reported, self._date(row, "ended_at") or updated)
        if place is None:
            return None
        unit = self._unit(row)
        title = self._get(row, "title") or category_name
        return NewIssue(
            id=self._id(source_id),
            category=category,
            title=title[:200],
            point=place,
            reported_at=reported,
            updated_at=max(updated, reported),
            state=state,
            source=Source.IMPORT,
            placed_by=PlacedBy.IMPORT,
            text=self._get(row, "text"),
            text_released=self.mapping.released,
            address=self._get(row, "address"),
            severity=self._severity(row),
            accuracy_m=self._accuracy(row),
            ended_at=ended,
            unit=unit,
            source_name=self.mapping.name,
            source_id=source_id,
            source_hash=hashlib.blake2b(whole.encode(), digest_size=16).hexdigest(),
            number_prefix=self.mapping.number_prefix or self.default_prefix,
            history=_history(reported, updated, ended, state, self._imported),
        )

    def _storable(self, row: Sequence[str]) -> None:
        for name, value in zip(self.header, row, strict=True):
            if UNSTORABLE.search(value) or len(value) > LONGEST:
                shown = UNSTORABLE.sub("\ufffd", value[:40])
                raise _Wrong(name, "holds a NUL, half a character or more than 20,000 characters", shown)

    def _id(self, source_id: str) -> UUID:
        """The UUID (version 5) of the source's name and the id: their common beginning is hashed once for all rows."""
        name = self._names.copy()
        name.update(source_id.encode())
        return UUID(bytes=name.digest()[:16], version=5)

    def _get(self, row: Sequence[str], key: str) -> str:
        index = self._at.get(key)
        return "" if index is None else row[index].strip()

    def _name(self, key: str) -> str:
        index = self._at.get(key)
        return key if index is None else self.header[index]

    def _need(self, row: Sequence[str], key: str) -> str:
        if not (value := self._get(row, key)):
            raise _Wrong(self._name(key), "is empty", "")
        return value

    def _date(self, row: Sequence[str], key: str) -> datetime | None:
        value = self._get(row, key)
        if not value:
            return None
        for form in self.mapping.formats:
            try:
                # The zone is the mapping's: a format without one is meant locally.
                found = datetime.fromisoformat(value) if form == "iso" else datetime.strptime(value, form)  # noqa: DTZ007
            except ValueError:
                continue
            found = found if found.tzinfo else found.replace(tzinfo=self.mapping.zone)
            if not 1900 <= found.year <= 2200:  # noqa: PLR2004 - no issue is older or newer
                break
            return found.astimezone(UTC)
        raise _Wrong(self._name(key), "is not a date in a form that the mapping names", value)

    def _point(self, row: Sequence[str]) -> Point | None:
        if self.mapping.form == "columns":
            texts = (self._get(row, "lon"), self._get(row, "lat"))
            if not any(texts):
                return None
            first = "lon"
        else:
            first = "place"
            if not (value := self._get(row, "place")):
                return None
            match = (LATLON if self.mapping.form == "latlon_text" else WKT).match(value)
            if not match:
                raise _Wrong(self._name("place"), f"is not a place in the form {self.mapping.form}", value)
            texts = (match[2], match[1]) if self.mapping.form == "latlon_text" else (match[1], match[2])
        try:
            lon, lat = float(texts[0]), float(texts[1])
        except ValueError:
            raise _Wrong(self._name(first), "is not a number", ", ".join(texts)) from None
        return self.place(lon, lat, self._name(first))

    def place(self, lon: float, lat: float, name: str = "geometry") -> Point:
        """Coordinates of the mapping's system as WGS-84; raises a problem for what lies nowhere."""
        shown = f"{lon}, {lat}"
        if self.mapping.crs.upper() not in {"EPSG:4326", "EPSG:4490"}:
            try:
                moved = to_wgs84(shapely.Point(lon, lat), self.mapping.crs)
            except ValueError as error:
                raise _Wrong(name, str(error), shown) from None
            lon, lat = moved.x, moved.y
        if -180 <= lat <= 180 and -85 <= lon <= 85 and abs(lat) > 85:  # noqa: PLR2004 - degrees
            raise _Wrong(name, "lies outside the map; longitude and latitude seem to be swapped", shown)
        if not (-180 <= lon <= 180 and -85 <= lat <= 85):  # noqa: PLR2004
            raise _Wrong(name, "lies outside the map (degrees of EPSG:4326 are expected)", shown)
        if lon == 0 and lat == 0:
            raise _Wrong(name, "is 0, 0: a missing place written as numbers", shown)
        return Point(lon, lat)

    def _category(self, value: str) -> str:
        if code := self.mapping.categories.get(value):
            return code
        if not self.mapping.create_under:
            raise _Wrong(self._name("category"), "is no category that the mapping names", value)
        code = f"{self.mapping.create_under}.{self._slug(value)}"
        self.new_categories[code] = value
        return code

    def _slug(self, value: str) -> str:
        if value not in self._slugs:
            plain = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")
            mark = hashlib.blake2b(value.encode(), digest_size=4).hexdigest()
            self._slugs[value] = plain if plain and plain.isascii() and value.isascii() else f"{plain or 'c'}-{mark}"
        return self._slugs[value]

    def _state(self, row: Sequence[str]) -> IssueState:
        value = self._get(row, "state")
        if not value and self._at.get("state") is None:
            return IssueState.REPORTED
        state = self.mapping.states.get(value) or self.mapping.states.get("*")
        if state is None:
            raise _Wrong(self._name("state"), "is no state that the mapping names", value)
        return state

    def _unit(self, row: Sequence[str]) -> str | None:
        value = self._get(row, "unit")
        if not value:
            return None
        if code := self.mapping.units.get(value):
            return code
        if not self.mapping.create_units:
            raise _Wrong(self._name("unit"), "is no unit that the mapping names", value)
        code = self._slug(value)
        self.new_units[code] = value
        return code

    def _severity(self, row: Sequence[str]) -> int:
        value = self._get(row, "severity")
        if not value:
            return 2
        if value not in {"1", "2", "3", "4"}:
            raise _Wrong(self._name("severity"), "must be 1, 2, 3 or 4", value)
        return int(value)

    def _accuracy(self, row: Sequence[str]) -> float | None:
        value = self._get(row, "accuracy")
        if not value:
            return None
        if not re.fullmatch(NUMBER, value) or not 0 <= float(value) <= 100_000:  # noqa: PLR2004 - metres
            raise _Wrong(self._name("accuracy"), "must be metres between 0 and 100,000", value)
        return float(value)


class _Wrong(Exception):
    def __init__(self, name: str, why: str, value: str) -> None:
        super().__init__(why)
        self.problem = Problem(field=name, reason=why, value=value)


def _history(
    reported: datetime, updated: datetime, ended: datetime | None, state: IssueState, imported: Event
) -> tuple[Event, ...]:
    """What the dates of a row tell: reported, where it stands since when, and that it was imported."""
    events = [Event(reported, "report", IssueState.REPORTED)]
    if state is not IssueState.REPORTED:
        action = {IssueState.CLOSED: "close", IssueState.REFUSED: "refuse", IssueState.DUPLICATE: "duplicate"}
        events.append(Event(ended or max(updated, reported), action.get(state, "update"), state))
    return (*events, imported)


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
