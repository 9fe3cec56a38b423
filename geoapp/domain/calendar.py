"""Working time (工作时, 工作日): which days and hours count, and how an instant moves on by them.

Instants are aware; days and hours are those of the calendar's own time zone. A year that the file does
not have counts its working week only.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise, takewhile
from typing import Any
from zoneinfo import ZoneInfo

from geoapp.errors import BadFile, BadLayer

_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_KEYS = ("origin", "confidence", "free", "working")
_CONFIDENCE = ("published", "statutory", "local")
FARTHEST = timedelta(days=20 * 366)
"""No deadline lies farther off: the loop over days must end whatever a file says."""


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The working hours of a day, the working days of a week (1 is Monday), and the days that differ."""

    zone: ZoneInfo
    hours: tuple[tuple[time, time], ...]
    week: frozenset[int]
    free: frozenset[date]
    working: frozenset[date]
    years: frozenset[int]

    def knows(self, day: date) -> bool:
        """True when the holidays of that year are in the file."""
        return day.year in self.years

    def is_working(self, day: date) -> bool:
        return day in self.working or (day.isoweekday() in self.week and day not in self.free)

    def add_hours(self, start: datetime, amount: timedelta) -> datetime:
        """The instant by which ``amount`` of working time has passed since ``start``."""
        left = amount
        for begins, ends in self._spans(start):
            if ends - begins >= left:
                return begins + left
            left -= ends - begins
        raise ValueError("the calendar has no working time")

    def hours_between(self, start: datetime, end: datetime) -> timedelta:
        """Working time from ``start`` to ``end``; negative when ``end`` comes first."""
        if end < start:
            return -self.hours_between(end, start)
        before = takewhile(lambda span: span[0] < end, self._spans(start))
        return sum((min(ends, end) - begins for begins, ends in before), timedelta())

    def add_days(self, start: datetime, amount: int) -> datetime:
        """The end of the ``amount``-th working day after that of ``start``.

        A start on a free day or after closing counts as one at the opening of the next working day.
        """
        day = self._day_of(start)
        for _ in range(amount):
            day = self._next(day)
        return datetime.combine(day, self.hours[-1][1], self.zone)

    def days_between(self, start: datetime, end: datetime) -> int:
        """How many working days ``end`` lies after ``start``: 0 on the same one; negative when it comes first."""
        first, last = self._day_of(start), self._day_of(end)
        if last < first:
            return -self.days_between(end, start)
        return sum(self.is_working(first + timedelta(days=n + 1)) for n in range((last - first).days))

    def free_days(self, start: datetime, end: datetime) -> tuple[date, ...]:
        """Days between two instants that a working week would have and that were free."""
        first, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return tuple(day for day in days if day.isoweekday() in self.week and not self.is_working(day))

    def _spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Working hours from ``start`` on, one span after the other."""
        day = start.astimezone(self.zone).date()
        last = day + FARTHEST
        while day < last:
            if self.is_working(day):
                for opens, closes in self.hours:
                    begins = max(start, datetime.combine(day, opens, self.zone))
                    ends = datetime.combine(day, closes, self.zone)
                    if begins < ends:
                        yield begins, ends
            day += timedelta(days=1)

    def _day_of(self, instant: datetime) -> date:
        """The working day that an instant belongs to: its own, or the next after closing and on a free day."""
        local = instant.astimezone(self.zone)
        after = local.time() >= self.hours[-1][1]
        return self._next(local.date()) if after or not self.is_working(local.date()) else local.date()

    def _next(self, day: date) -> date:
        last = day + FARTHEST
        while day < last:
            day += timedelta(days=1)
            if self.is_working(day):
                return day
        raise ValueError("the calendar has no working time")


def parse(text: str, *, file: str, zone: ZoneInfo) -> WorkCalendar:
    """Read a calendar; raises BadFile for text that is not TOML, BadLayer naming the key of a wrong value."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadFile(file, f"is not TOML: {error}") from error
    week = table.pop("week", [1, 2, 3, 4, 5])
    if not isinstance(week, list) or not week or not all(day in range(1, 8) for day in week):
        raise BadLayer(file, "week", "must list working days, 1 (Monday) to 7")
    hours = _hours(file, table.pop("hours", None))
    free: set[date] = set()
    working: set[date] = set()
    for year, known in table.items():
        if not year.isdigit() or not isinstance(known, dict):
            raise BadLayer(file, year, "is not known here; known are week, hours and years such as [2026]")
        for key in known:
            if key not in _KEYS:
                raise BadLayer(file, f"{year}.{key}", f"is not known here; known are {', '.join(_KEYS)}")
        if known.get("confidence") not in _CONFIDENCE or not known.get("origin"):
            raise BadLayer(file, f"{year}.confidence", f"must be one of {', '.join(_CONFIDENCE)}, with an origin")
        free |= set(_days(file, f"{year}.free", known.get("free", []), int(year)))
        working |= set(_days(file, f"{year}.working", known.get("working", []), int(year)))
    if both := free & working:
        raise BadLayer(file, "working", f"{min(both)} is named as free too")
    return WorkCalendar(
        zone, hours, frozenset(week), frozenset(free), frozenset(working), frozenset(int(year) for year in table)
    )


def _hours(file: str, found: Any) -> tuple[tuple[time, time], ...]:
    sound = isinstance(found, list) and found and all(isinstance(span, list) and len(span) == 2 for span in found)  # noqa: PLR2004
    flat = [text for span in found for text in span] if sound else []
    if not flat or not all(isinstance(text, str) and _HOUR.fullmatch(text) for text in flat):
        raise BadLayer(file, "hours", 'must list spans such as [["09:00", "12:00"], ["14:00", "18:00"]]')
    times = [time.fromisoformat(text) for text in flat]
    if any(later <= earlier for earlier, later in pairwise(times)):
        raise BadLayer(file, "hours", "must go forward, without overlap")
    return tuple(zip(times[::2], times[1::2], strict=True))


def _days(file: str, key: str, found: Any, year: int) -> Iterator[date]:
    """Days as ``2026-01-04``, or spans with both ends as ``2026-01-01/2026-01-03``."""
    if not isinstance(found, list):
        raise BadLayer(file, key, "must be a list of days")
    for text in found:
        try:
            first, _, last = str(text).partition("/")
            day, end = date.fromisoformat(first), date.fromisoformat(last or first)
        except ValueError:
            raise BadLayer(file, key, f"{text!r} is not a day such as 2026-01-04, nor a span of two") from None
        if not (day.year == end.year == year and day <= end):
            raise BadLayer(file, key, f"{text} must lie within {year}")
        while day <= end:
            yield day
            day += timedelta(days=1)
