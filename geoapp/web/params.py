"""Reads what a visitor sent into typed values; everything wrong is BadInput with the field's name."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import TypeVar

from flask import request
from werkzeug.datastructures import MultiDict

from geoapp.domain.values import Box, Circle, IssueFilter, IssueState, Point, StateGroup, VerdictClass, states_of
from geoapp.errors import BadInput, OutOfRange

FILTERS = ("q", "category", "state", "community", "unit", "verdict", "from", "to", "bbox")
MOST_VALUES = 100
LONGEST = 200
LONGEST_SEARCH = 100
WIDEST_M = 5000
CONTROLS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
Word = TypeVar("Word", bound=StrEnum)
Known = Callable[[], Mapping[str, set[str]]]
"""What a filter may name, by the field; asked only where something is named, as it takes two queries."""


def issue_filter(known: Known | None = None, args: MultiDict[str, str] | None = None) -> IssueFilter:
    """The filter in the address, or in ``args``; ``known`` tells the codes of categories, communities and units."""
    args = request.args if args is None else args
    states: list[IssueState] = []
    for value in _values(args, "state"):
        if value in set(StateGroup):
            states += states_of(StateGroup(value))
        else:
            states.append(_word("state", value, IssueState, also=StateGroup))
    since, until = day(args, "from"), day(args, "to")
    if since and until and since > until:
        raise BadInput("to", "before_from")
    return IssueFilter(
        categories=_codes(args, "category", known),
        states=tuple(dict.fromkeys(states)),
        communities=_codes(args, "community", known),
        units=_codes(args, "unit", known),
        verdicts=tuple(_word("verdict", value, VerdictClass) for value in _values(args, "verdict")),
        since=since,
        until=until,
        box=box(args),
        words=words(args, "q", most=LONGEST_SEARCH),
    )


def active(args: MultiDict[str, str]) -> dict[str, str]:
    """The filter as it stands in the address, for links that keep it."""
    kept = {name: ",".join(values) for name in FILTERS if name != "q" and (values := _values(args, name))}
    searched = words(args, "q", most=LONGEST_SEARCH)
    return {"q": searched} | kept if searched else kept


def box(args: MultiDict[str, str]) -> Box | None:
    text = args.get("bbox", "").strip()
    if not text:
        return None
    parts = text.split(",")
    if len(parts) != 4:  # noqa: PLR2004 - west, south, east, north
        raise BadInput("bbox", "four_numbers")
    west, south, east, north = (number("bbox", part) for part in parts)
    if max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90:  # noqa: PLR2004 - degrees
        raise OutOfRange("bbox", "degrees")
    if west >= east or south >= north:
        raise BadInput("bbox", "west_south_first")
    return Box(west, south, east, north)


def point(args: MultiDict[str, str]) -> Point:
    lat, lon = number("lat", _needed(args, "lat")), number("lon", _needed(args, "lon"))
    if not -85 <= lat <= 85:  # noqa: PLR2004 - the reach of Web Mercator
        raise OutOfRange("lat", "latitude")
    if not -180 <= lon <= 180:  # noqa: PLR2004
        raise OutOfRange("lon", "longitude")
    return Point(lon, lat)


def circle(args: MultiDict[str, str]) -> Circle | None:
    """A place and a radius in metres, all three or none of them."""
    given = [name for name in ("lat", "lon", "radius") if args.get(name, "").strip()]
    if not given:
        return None
    if len(given) != 3:  # noqa: PLR2004 - lat, lon, radius
        raise BadInput(next(name for name in ("lat", "lon", "radius") if name not in given), "circle")
    radius = number("radius", args["radius"])
    if not 0 < radius <= WIDEST_M:
        raise BadInput("radius", "between", low=1, high=WIDEST_M)
    return Circle(point(args), radius)


def words(args: MultiDict[str, str], name: str, *, most: int) -> str:
    """What somebody wrote in one line, with single blanks."""
    text = " ".join(args.get(name, "").split())
    if len(text) > most:
        raise BadInput(name, "too_long", most=most)
    if CONTROLS.search(text):
        raise BadInput(name, "characters")
    return text


def code(args: MultiDict[str, str], name: str) -> str | None:
    """The code of something, None without one; what no code can be is unknown before anybody looks it up."""
    value = args.get(name, "").strip()
    if len(value) > LONGEST or CONTROLS.search(value):
        raise BadInput(name, "unknown", value=CONTROLS.sub("", value)[:20])
    return value or None


def whole(args: MultiDict[str, str], name: str, default: int, *, low: int, high: int) -> int:
    text = args.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 9:  # noqa: PLR2004
        raise BadInput(name, "whole_number")
    value = int(text)
    if not low <= value <= high:
        raise BadInput(name, "between", low=low, high=high)
    return value


def version(text: str | None) -> int | None:
    """The version that a change was made from; None for what is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004


def token(args: MultiDict[str, str], name: str) -> str | None:
    value = args.get(name, "").strip()
    if len(value) > LONGEST:
        raise BadInput(name, "token")
    return value or None


def day(args: MultiDict[str, str], name: str) -> date | None:
    text = args.get(name, "").strip()
    if not text:
        return None
    try:
        value = date.fromisoformat(text)
    except ValueError:
        raise BadInput(name, "day") from None
    if len(text) != len("2026-01-31") or not 1900 <= value.year <= 2200:  # noqa: PLR2004 - no issue is older or newer
        raise BadInput(name, "day")
    return value


def date_of(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(name, "day") from None


def number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise BadInput(name, "number") from None
    if not math.isfinite(value):
        raise BadInput(name, "number")
    return _sizeable(value)


def place(lon: float, lat: float) -> Point:
    """A point of numbers that a program has sent."""
    return Point(_sizeable(lon), _sizeable(lat))


def _sizeable(value: float) -> float:
    """Nothing in place of next to nothing: PostgreSQL takes no number as small as 5e-324."""
    return value if abs(value) > 1e-300 else 0.0  # noqa: PLR2004


def _values(args: MultiDict[str, str], name: str) -> list[str]:
    """All values of a parameter, repeated or with commas, in order and once each."""
    values = [part.strip() for text in args.getlist(name) for part in text.split(",")]
    if name == "bbox":
        return [text for text in args.getlist(name) if text.strip()]
    found = list(dict.fromkeys(value for value in values if value))
    if len(found) > MOST_VALUES:
        raise BadInput(name, "too_many", most=MOST_VALUES)
    for value in found:
        if len(value) > LONGEST or "\x00" in value:
            raise BadInput(name, "unknown", value=value[:20].replace("\x00", ""))
    return found


def _codes(args: MultiDict[str, str], name: str, known: Known | None) -> tuple[str, ...]:
    values = _values(args, name)
    codes = known()[name] if values and known else set(values)
    for value in values:
        if value not in codes:
            raise BadInput(name, "unknown", value=value)
    return tuple(values)


def _word(name: str, value: str, words: type[Word], also: Iterable[StrEnum] = ()) -> Word:
    if value not in set(words):
        choices = dict.fromkeys([*map(str, also), *map(str, words)])
        raise BadInput(name, "one_of", value=value, choices=", ".join(choices))
    return words(value)


def _needed(args: MultiDict[str, str], name: str) -> str:
    text = args.get(name, "").strip()
    if not text:
        raise BadInput(name, "missing")
    return text
