"""Which resource fits which need: a score in parts, each with what was measured, its value and its weight.

Pure. Only resources of the kind that is wanted are compared; what cannot be compared (no place, no quantity)
counts half, so that a gap in what is known neither wins nor loses.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from geoapp.domain.editing import Wrong
from geoapp.domain.projects import LONGEST_TITLE, wrong_amount, wrong_days, wrong_note

LONGEST_MEASURE, MOST_SPANS = 20, 24
FAR_M = 5000.0
"""From this distance on nearness counts nothing."""
UNKNOWN = 0.5


class ResourceKind(StrEnum):
    """A place (场地), a crew (队伍), a machine (设备), a fund (资金), volunteers (志愿者), material (物资)."""

    PLACE = "place"
    CREW = "crew"
    MACHINE = "machine"
    FUND = "fund"
    VOLUNTEERS = "volunteers"
    MATERIAL = "material"


class NeedState(StrEnum):
    OPEN = "open"
    MET = "met"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Span:
    """Days from the first to the last, both included; None: without an end on that side."""

    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class ResourceFacts:
    """What a resource says of itself. ``shape`` is WKB in EPSG:4326; without ``free`` it is always free."""

    kind: ResourceKind
    name: str
    unit: str | None = None
    owner: str = ""
    capacity: Decimal | None = None
    measure: str = ""
    note: str = ""
    shape: bytes | None = None
    free: tuple[Span, ...] = ()
    active: bool = True


@dataclass(frozen=True, slots=True)
class NeedFacts:
    """What a need says of itself; ``shape`` is WKB of a point in EPSG:4326."""

    kind: ResourceKind
    title: str
    note: str = ""
    quantity: Decimal | None = None
    measure: str = ""
    begins: date | None = None
    ends: date | None = None
    shape: bytes | None = None
    state: NeedState = NeedState.OPEN


class Term(StrEnum):
    DISTANCE = "distance"
    CAPACITY = "capacity"
    CALENDAR = "calendar"


WEIGHTS: Mapping[Term, int] = {Term.DISTANCE: 40, Term.CAPACITY: 40, Term.CALENDAR: 20}
"""What each part can add to a score of at most 100."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a score: a key below ``match.`` in words says why, with its parameters."""

    term: Term
    value: float
    reason: str
    params: Mapping[str, Any]

    @property
    def points(self) -> float:
        return round(WEIGHTS[self.term] * self.value, 1)


@dataclass(frozen=True, slots=True)
class Match:
    parts: tuple[Part, ...]

    @property
    def score(self) -> float:
        return round(sum(part.points for part in self.parts), 1)


def match(need: NeedFacts, resource: ResourceFacts, *, distance_m: float | None) -> Match | None:
    """How well a resource fits; None when it is another thing, or not to be had at all in that time."""
    if not resource.active or resource.kind is not need.kind:
        return None
    calendar = _calendar(need, resource.free)
    if calendar.value == 0:
        return None
    return Match((_distance(need.kind, distance_m), _capacity(need, resource), calendar))


def _distance(kind: ResourceKind, distance_m: float | None) -> Part:
    if kind is ResourceKind.FUND:
        # Money has no place.
        return Part(Term.DISTANCE, 1.0, "anywhere", {})
    if distance_m is None:
        return Part(Term.DISTANCE, UNKNOWN, "no_place", {})
    return Part(Term.DISTANCE, max(0.0, 1 - distance_m / FAR_M), "distance", {"m": round(distance_m)})


def _capacity(need: NeedFacts, resource: ResourceFacts) -> Part:
    if need.quantity is None or resource.capacity is None:
        return Part(Term.CAPACITY, UNKNOWN, "no_quantity", {})
    if need.measure != resource.measure:
        said = {"wanted": need.measure or "–", "offered": resource.measure or "–"}
        return Part(Term.CAPACITY, UNKNOWN, "other_measure", said)
    said = {"wanted": _plain(need.quantity), "offered": _plain(resource.capacity), "measure": need.measure}
    if need.quantity <= resource.capacity:
        return Part(Term.CAPACITY, 1.0, "enough", said)
    return Part(Term.CAPACITY, float(resource.capacity / need.quantity), "part_of_it", said)


def _plain(amount: Decimal) -> str:
    """A quantity without needless zeros."""
    return f"{amount.normalize():,f}"


def _calendar(need: NeedFacts, free: tuple[Span, ...]) -> Part:
    if not free:
        return Part(Term.CALENDAR, 1.0, "always_free", {})
    if need.begins is None or need.ends is None:
        return Part(Term.CALENDAR, UNKNOWN, "no_days", {})
    wanted = (need.ends - need.begins).days + 1
    held = len({day for span in free for day in _days(span, need.begins, need.ends)})
    reason = "free" if held == wanted else "partly_free" if held else "not_free"
    return Part(Term.CALENDAR, held / wanted, reason, {"days": held, "wanted": wanted})


def _days(span: Span, begins: date, ends: date) -> range:
    """The ordinals of the days of a span that lie in the time that is wanted."""
    first, last = max(span.first or begins, begins), min(span.last or ends, ends)
    return range(first.toordinal(), last.toordinal() + 1)


def ranked(found: Iterable[tuple[str, Match]]) -> list[tuple[str, Match]]:
    """The best first; what scores the same in the order of its key, so that two looks agree."""
    return sorted(found, key=lambda one: (-one[1].score, one[0]))


def wrong_resource(facts: ResourceFacts) -> Iterator[Wrong]:
    yield from _wrong_line("name", facts.name, LONGEST_TITLE, needed=True)
    yield from _wrong_line("owner", facts.owner, LONGEST_TITLE)
    yield from _wrong_line("measure", facts.measure, LONGEST_MEASURE)
    yield from wrong_note(facts.note)
    yield from wrong_amount("capacity", facts.capacity)
    if len(facts.free) > MOST_SPANS:
        yield "free", "too_many", {"most": MOST_SPANS}
    for span in facts.free:
        yield from (("free", reason, params) for _, reason, params in wrong_days(span.first, span.last))


def wrong_need(facts: NeedFacts) -> Iterator[Wrong]:
    yield from _wrong_line("title", facts.title, LONGEST_TITLE, needed=True)
    yield from _wrong_line("measure", facts.measure, LONGEST_MEASURE)
    yield from wrong_note(facts.note)
    yield from wrong_amount("quantity", facts.quantity)
    yield from wrong_days(facts.begins, facts.ends)


def _wrong_line(field: str, told: str, most: int, *, needed: bool = False) -> Iterator[Wrong]:
    if needed and not told:
        yield field, "missing", {}
    if len(told) > most or (told and not told.isprintable()):
        yield field, "too_long", {"most": most}
