"""Rows of a mapped file as issues, each a NewIssue or the Problem that it has. Pure: texts in, values out."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import shapely

from geoapp.domain.geometry import to_wgs84
from geoapp.domain.mapping import Mapping, WrongMapping
from geoapp.domain.values import Event, IssueState, NewIssue, PlacedBy, Point, Problem, Source

NAMESPACE: Final = UUID("7f0b8f6a-1c7e-5b57-9a3e-5d0c9f6b2a11")
"""Names of imported issues: the same source and id give the same UUID (version 5) on every machine."""
PLACED = ("lon", "lat", "place")
NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
LATLON = re.compile(rf"^\(?\s*({NUMBER})\s*[,;\s]\s*({NUMBER})\s*\)?$")
WKT = re.compile(rf"^POINT\s*\(\s*({NUMBER})\s+({NUMBER})\s*\)$", re.IGNORECASE)
DEGREES = ("EPSG:4326", "EPSG:4490")
"""Systems whose coordinates are taken as they are."""
LONGEST = 20_000
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
"""What no text in the database can hold: NUL, and halves of characters, which JSON can escape one by one."""
MOST_INSTANTS = 20_000
"""So many dates are remembered by their text: rows of one day, and the dates within a row, are largely the same."""

_ACTIONS = {IssueState.CLOSED: "close", IssueState.REFUSED: "refuse", IssueState.DUPLICATE: "duplicate"}
_SEVERITIES = {"": 2, "1": 1, "2": 2, "3": 3, "4": 4}


@dataclass(slots=True)
class Reader:
    """Turns the rows of one file into issues; remembers the categories and units that it had to name anew."""

    mapping: Mapping
    header: Sequence[str]
    now: datetime
    default_prefix: str = "QJ"
    new_categories: dict[str, str] = field(default_factory=dict)
    new_units: dict[str, str] = field(default_factory=dict)
    _at: dict[str, int] = field(default_factory=dict)
    _slugs: dict[str, str] = field(default_factory=dict)
    _imported: Event = field(init=False)
    _names: Any = field(init=False)
    _instant: Callable[[str], datetime | None] = field(init=False)
    _degrees: bool = field(init=False)
    _moved: dict[tuple[float, float], tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._imported = Event(self.now, "import")
        parsed = partial(_instant, formats=self.mapping.formats, zone=self.mapping.zone)
        self._instant = lru_cache(MOST_INSTANTS)(parsed)
        self._degrees = self.mapping.crs.upper() in DEGREES
        self._names = hashlib.sha1(NAMESPACE.bytes + f"{self.mapping.name}\n".encode(), usedforsecurity=False)
        where = {name.strip().lstrip("\ufeff").casefold(): index for index, name in enumerate(self.header)}
        mapping = self.mapping
        wanted = {**mapping.columns, "lon": mapping.lon, "lat": mapping.lat, "place": mapping.place}
        for key, names in wanted.items():
            if found := [where[name.casefold()] for name in names if name.casefold() in where]:
                self._at[key] = found[0]
        needed = ["id", "reported_at", "category"]
        needed += {"columns": ["lon", "lat"], "geometry": []}.get(mapping.form, ["place"])
        for key in needed:
            if key not in self._at:
                raise WrongMapping(f"no column {' or '.join(wanted[key])} in the file; it has {', '.join(self.header)}")

    def read(self, row: Sequence[str], point: Point | None = None) -> NewIssue | Problem | None:
        """One row: an issue, why it cannot be one, or None when it has no coordinates at all.

        ``point`` is given by formats that carry geometry (``form = "geometry"``).
        """
        try:
            return self._issue(row, point)
        except _Wrong as wrong:
            return wrong.problem

    def foresee(self, rows: Iterable[tuple[Sequence[str], Point | None]]) -> None:
        """Move the places of many rows to WGS-84 at once, for ``read`` to find them: one by one takes a millisecond.

        What cannot be moved is left to ``read``, which says why.
        """
        if self._degrees:
            return
        given = list({found: None for row, point in rows if (found := self._foreseen(row, point))})
        try:
            moved = to_wgs84(shapely.points(given), self.mapping.crs) if given else []
        except ValueError:
            moved = []
        self._moved = {one: (there.x, there.y) for one, there in zip(given, moved, strict=False)}

    def _foreseen(self, row: Sequence[str], point: Point | None) -> tuple[float, float] | None:
        if self.mapping.form == "geometry":
            return (point.lon, point.lat) if point else None
        if len(row) != len(self.header):
            return None
        cells = {key: row[index].strip() for key, index in self._at.items() if key in PLACED}
        try:
            return self._given(cells)
        except _Wrong:
            return None

    def _issue(self, row: Sequence[str], point: Point | None) -> NewIssue | None:
        if len(row) != len(self.header):
            raise _Wrong("row", f"has {len(row)} fields, the header {len(self.header)}", "")
        whole = "\x1f".join(row)
        if len(whole) > LONGEST or UNSTORABLE.search(whole):
            self._storable(row)
        cells = {key: row[index].strip() for key, index in self._at.items()}
        source_id = self._need(cells, "id")
        reported = self._date(cells, "reported_at")
        if reported is None:
            raise _Wrong(self._name("reported_at"), "is empty", "")
        if reported > self.now:
            raise _Wrong(self._name("reported_at"), "lies in the future", cells["reported_at"])
        place = self._point(cells) if self.mapping.form != "geometry" else point and self.place(point.lon, point.lat)
        category_name = self._need(cells, "category")
        category = self._category(category_name)
        state = self._state(cells)
        updated = self._date(cells, "updated_at") or reported
        ended = None
        if state.ended:
            ended = max(reported, self._date(cells, "ended_at") or updated)
        if place is None:
            return None
        unit = self._unit(cells)
        title = cells.get("title") or category_name
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
            text=cells.get("text", ""),
            text_released=self.mapping.released,
            address=cells.get("address", ""),
            severity=self._severity(cells),
            accuracy_m=self._accuracy(cells),
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

    def _name(self, key: str) -> str:
        index = self._at.get(key)
        return key if index is None else self.header[index]

    def _need(self, cells: dict[str, str], key: str) -> str:
        if not (value := cells[key]):
            raise _Wrong(self._name(key), "is empty", "")
        return value

    def _date(self, cells: dict[str, str], key: str) -> datetime | None:
        if not (value := cells.get(key)):
            return None
        if found := self._instant(value):
            return found
        raise _Wrong(self._name(key), "is not a date in a form that the mapping names", value)

    def _point(self, cells: dict[str, str]) -> Point | None:
        given = self._given(cells)
        return given and self.place(*given, self._name("lon" if self.mapping.form == "columns" else "place"))

    def _given(self, cells: dict[str, str]) -> tuple[float, float] | None:
        """The two numbers of a row as the file has them."""
        if self.mapping.form == "columns":
            texts = (cells["lon"], cells["lat"])
            if not any(texts):
                return None
            first = "lon"
        else:
            first = "place"
            if not (value := cells["place"]):
                return None
            match = (LATLON if self.mapping.form == "latlon_text" else WKT).match(value)
            if not match:
                raise _Wrong(self._name("place"), f"is not a place in the form {self.mapping.form}", value)
            texts = (match[2], match[1]) if self.mapping.form == "latlon_text" else (match[1], match[2])
        try:
            return float(texts[0]), float(texts[1])
        except ValueError:
            raise _Wrong(self._name(first), "is not a number", ", ".join(texts)) from None

    def place(self, lon: float, lat: float, name: str = "geometry") -> Point:
        """Coordinates of the mapping's system as WGS-84; raises a problem for what lies nowhere."""
        given = lon, lat
        if there := self._moved.get(given):
            lon, lat = there
        elif not self._degrees:
            try:
                moved = to_wgs84(shapely.Point(lon, lat), self.mapping.crs)
            except ValueError as error:
                raise _Wrong(name, str(error), _shown(given)) from None
            lon, lat = moved.x, moved.y
        if -180 <= lat <= 180 and -85 <= lon <= 85 and abs(lat) > 85:  # noqa: PLR2004 - degrees
            raise _Wrong(name, "lies outside the map; longitude and latitude seem to be swapped", _shown(given))
        if not (-180 <= lon <= 180 and -85 <= lat <= 85):  # noqa: PLR2004
            raise _Wrong(name, "lies outside the map (degrees of EPSG:4326 are expected)", _shown(given))
        if lon == 0 and lat == 0:
            raise _Wrong(name, "is 0, 0: a missing place written as numbers", _shown(given))
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

    def _state(self, cells: dict[str, str]) -> IssueState:
        value = cells.get("state")
        if value is None:
            return IssueState.REPORTED
        state = self.mapping.states.get(value) or self.mapping.states.get("*")
        if state is None:
            raise _Wrong(self._name("state"), "is no state that the mapping names", value)
        return state

    def _unit(self, cells: dict[str, str]) -> str | None:
        if not (value := cells.get("unit")):
            return None
        if code := self.mapping.units.get(value):
            return code
        if not self.mapping.create_units:
            raise _Wrong(self._name("unit"), "is no unit that the mapping names", value)
        code = self._slug(value)
        self.new_units[code] = value
        return code

    def _severity(self, cells: dict[str, str]) -> int:
        value = cells.get("severity", "")
        if value not in _SEVERITIES:
            raise _Wrong(self._name("severity"), "must be 1, 2, 3 or 4", value)
        return _SEVERITIES[value]

    def _accuracy(self, cells: dict[str, str]) -> float | None:
        if not (value := cells.get("accuracy")):
            return None
        if not re.fullmatch(NUMBER, value) or not 0 <= float(value) <= 100_000:  # noqa: PLR2004 - metres
            raise _Wrong(self._name("accuracy"), "must be metres between 0 and 100,000", value)
        return float(value)


class _Wrong(Exception):
    def __init__(self, name: str, why: str, value: str) -> None:
        super().__init__(why)
        self.problem = Problem(field=name, reason=why, value=value)


def _shown(given: tuple[float, float]) -> str:
    return f"{given[0]}, {given[1]}"


def _instant(value: str, *, formats: Sequence[str], zone: ZoneInfo) -> datetime | None:
    """The text of a date in the first of these forms that it has; None: in none, or of no time that we know."""
    for form in formats:
        try:
            # The zone is the mapping's: a format without one is meant locally.
            found = datetime.fromisoformat(value) if form == "iso" else datetime.strptime(value, form)  # noqa: DTZ007
        except ValueError:
            continue
        found = found if found.tzinfo else found.replace(tzinfo=zone)
        # No issue is older or newer.
        return found.astimezone(UTC) if 1900 <= found.year <= 2200 else None  # noqa: PLR2004
    return None


@lru_cache(MOST_INSTANTS)
def _begun(reported: datetime) -> Event:
    return Event(reported, "report", IssueState.REPORTED)


def _history(
    reported: datetime, updated: datetime, ended: datetime | None, state: IssueState, imported: Event
) -> tuple[Event, ...]:
    """What the dates of a row tell: reported, where it stands since when, and that it was imported."""
    begun = _begun(reported)
    if state is IssueState.REPORTED:
        return begun, imported
    return begun, Event(ended or max(updated, reported), _ACTIONS.get(state, "update"), state), imported
