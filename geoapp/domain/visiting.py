"""A site visit (现场办公) as it is planned: its words, what is asked for, and when it may begin, end or be called off.

Pure. In which order the stops are best visited is domain.routes'; what is found on site is not here either.
Minutes are whole; times of day are local, in the zone of the settings; places are EPSG:4326; lengths are metres.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from geoapp.domain.permissions import Right, Subject, may
from geoapp.domain.values import Point, Problem, Viewer
from geoapp.domain.workflow import Refusal

MOST_STOPS = 60
MOST_GUESTS = 60
LONGEST_STOP_MIN = 480
LONGEST_VISIT_MIN = 960
LONGEST_TITLE, LONGEST_NAME, LONGEST_SUMMARY = 120, 100, 4000
USUAL_MINUTES = 15
DAY_MIN = 24 * 60


class Mode(StrEnum):
    """How one gets from stop to stop."""

    WALKING = "walking"
    DRIVING = "driving"


class Finish(StrEnum):
    """Where a visit ends: back where it began, at its last stop, or at a place of its own."""

    START = "start"
    LAST_STOP = "last_stop"
    PLACE = "place"


class VisitState(StrEnum):
    PLANNED = "planned"
    UNDER_WAY = "under_way"
    ENDED = "ended"
    CANCELLED = "cancelled"


class Basis(StrEnum):
    """What distances were measured over: roads that are loaded, the great circle × a detour factor, some of each."""

    ROADS = "roads"
    ESTIMATE = "estimate"
    MIXED = "mixed"


class Step(StrEnum):
    """What carries a visit on from one state to the next."""

    START = "start"
    END = "end"
    CANCEL = "cancel"


STEPS: Mapping[Step, tuple[frozenset[VisitState], VisitState]] = MappingProxyType(
    {
        Step.START: (frozenset({VisitState.PLANNED}), VisitState.UNDER_WAY),
        # A visit that was walked without telling anybody at its beginning ends all the same.
        Step.END: (frozenset({VisitState.PLANNED, VisitState.UNDER_WAY}), VisitState.ENDED),
        Step.CANCEL: (frozenset({VisitState.PLANNED, VisitState.UNDER_WAY}), VisitState.CANCELLED),
    }
)


@dataclass(frozen=True, slots=True)
class DraftStop:
    """An issue to be visited. ``minutes`` None: as long as every stop.

    A window is a fixed appointment: when the visit of this stop begins (local time). ``out``: somebody who orders
    the stops by hand has taken it out for now.
    """

    issue: UUID
    minutes: int | None = None
    window_from: time | None = None
    window_to: time | None = None
    pinned: bool = False
    out: bool = False


@dataclass(frozen=True, slots=True)
class DraftGuest:
    """参加人员: somebody who comes along, of a unit (its code) or by name; the window is when they can at all."""

    id: UUID
    name: str = ""
    unit: str | None = None
    person: UUID | None = None
    phone: str = ""
    email: str = ""
    window_from: time | None = None
    window_to: time | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A visit as somebody wants it. ``by_hand``: the stops in this order; else the best order is looked for.

    ``budget_min`` None: as long as it takes. ``end`` is given exactly when ``finish`` is a place.
    """

    title: str
    on_day: date
    starts_at: time
    start: Point
    stops: tuple[DraftStop, ...]
    mode: Mode = Mode.WALKING
    finish: Finish = Finish.START
    end: Point | None = None
    start_name: str = ""
    end_name: str = ""
    minutes_per_stop: int = USUAL_MINUTES
    budget_min: int | None = None
    guests: tuple[DraftGuest, ...] = ()
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A stop that is visited: when one arrives and leaves (minutes of the day), after how many metres, and the wait.

    ``late``: minutes after its ``window`` has closed, which only an order by hand can bring about; ``cut_off``: no way
    is known that leads here.
    """

    issue: UUID
    arrives: int
    leaves: int
    leg_m: float
    waits: int = 0
    late: int = 0
    window: tuple[int, int] | None = None
    cut_off: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A stop that does not fit, and why: a key under ``visit.left_out.`` in words with its parameters."""

    issue: UUID
    reason: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a draft comes to: the stops in their order, those that do not fit, metres and minutes in all.

    ``minutes`` run from the beginning to the return, ``over`` by so many beyond the budget; ``ends`` is the minute of
    the day; ``detour_factor`` is there when distances are an estimate; ``route`` is the way as points in EPSG:4326;
    ``exact``: no order is better.
    """

    stops: tuple[Scheduled, ...]
    left_out: tuple[LeftOut, ...]
    length_m: float
    minutes: int
    basis: Basis
    detour_factor: float | None = None
    route: tuple[tuple[float, float], ...] = ()
    home_m: float = 0.0
    ends: int = 0
    over: int = 0
    exact: bool = False


def problems(draft: Draft) -> Iterator[Problem]:
    """What of a draft cannot be, each with its field."""
    yield from _problems_of_visit(draft)
    yield from _problems_of_stops(draft)
    yield from _problems_of_guests(draft.guests)
    windows = [(one.window_from, one.window_to) for one in draft.stops]
    windows += [(one.window_from, one.window_to) for one in draft.guests]
    if not all(_is_window(begin, end) for begin, end in windows):
        yield Problem("window", "window")


def windows(draft: Draft, candidates: Mapping[UUID, frozenset[str]]) -> dict[UUID, tuple[int, int] | None]:
    """When each stop can be visited, in minutes of the day; None: at any time.

    An appointment of the stop itself holds; else the time of the guests whose units the stop concerns
    (``candidates``: codes by issue). Where those leave no common time, the first guest's holds.
    """
    found: dict[UUID, tuple[int, int] | None] = {}
    for stop in draft.stops:
        window = _minutes(stop.window_from, stop.window_to)
        if window is None:
            for guest in draft.guests:
                if guest.unit in candidates.get(stop.issue, frozenset()):
                    window = _both(window, _minutes(guest.window_from, guest.window_to))
        found[stop.issue] = window
    return found


def worth(severity: int, *, overdue: bool) -> int:
    """What it is worth to see an issue, when not all fit: its severity twice, and one more past its deadline."""
    return 2 * severity + overdue


def may_visit(viewer: Viewer, communities: frozenset[str | None]) -> bool:
    """A visit is somebody's who may visit in every community that it touches (None: land outside all of them)."""
    return all(may(viewer, Right.VISIT, Subject(community)) for community in communities)


def take(step: Step, state: VisitState) -> VisitState | Refusal:
    """The state after a step, or why it cannot be taken now."""
    origins, target = STEPS[step]
    if state not in origins:
        return Refusal("visit_not_now", "action")
    return target


def is_open(state: VisitState) -> bool:
    """True while a plan may still be changed."""
    return state in {VisitState.PLANNED, VisitState.UNDER_WAY}


def minute_of(at: time) -> int:
    return at.hour * 60 + at.minute


def _problems_of_visit(draft: Draft) -> Iterator[Problem]:
    if not draft.title.strip():
        yield Problem("title", "missing")
    if len(draft.title) > LONGEST_TITLE:
        yield Problem("title", "too_long", params={"most": LONGEST_TITLE})
    if max(len(draft.start_name), len(draft.end_name)) > LONGEST_NAME:
        yield Problem("start", "too_long", params={"most": LONGEST_NAME})
    if (draft.finish is Finish.PLACE) != (draft.end is not None):
        yield Problem("end", "missing" if draft.end is None else "unwanted")
    if draft.budget_min is not None and not 1 <= draft.budget_min <= LONGEST_VISIT_MIN:
        yield Problem("budget", "between", params={"low": 1, "high": LONGEST_VISIT_MIN})


def _problems_of_stops(draft: Draft) -> Iterator[Problem]:
    if not draft.stops:
        yield Problem("stops", "missing")
    if len(draft.stops) > MOST_STOPS:
        yield Problem("stops", "too_many", params={"most": MOST_STOPS})
    if len({stop.issue for stop in draft.stops}) < len(draft.stops):
        yield Problem("stops", "repeated")
    own = [stop.minutes for stop in draft.stops if stop.minutes is not None]
    if not all(1 <= minutes <= LONGEST_STOP_MIN for minutes in (draft.minutes_per_stop, *own)):
        yield Problem("minutes", "between", params={"low": 1, "high": LONGEST_STOP_MIN})


def _problems_of_guests(guests: tuple[DraftGuest, ...]) -> Iterator[Problem]:
    if len(guests) > MOST_GUESTS:
        yield Problem("guests", "too_many", params={"most": MOST_GUESTS})
    if len({guest.id for guest in guests}) < len(guests):
        yield Problem("guests", "repeated")
    if not all(guest.name.strip() or guest.unit for guest in guests):
        yield Problem("guests", "missing")
    if any(max(len(guest.name), len(guest.phone), len(guest.email)) > LONGEST_NAME for guest in guests):
        yield Problem("guests", "too_long", params={"most": LONGEST_NAME})


def _is_window(begin: time | None, end: time | None) -> bool:
    if begin is None or end is None:
        return begin is None and end is None
    return begin < end


def _minutes(begin: time | None, end: time | None) -> tuple[int, int] | None:
    return (minute_of(begin), minute_of(end)) if begin is not None and end is not None else None


def _both(one: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int] | None:
    if one is None or other is None:
        return one or other
    common = max(one[0], other[0]), min(one[1], other[1])
    return common if common[0] < common[1] else one
