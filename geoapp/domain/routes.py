"""The order of a site visit's stops: what fits into the day, when one is where, and why the rest stays out.

A ``Matrix`` of legs comes from ``services.roads``; nothing here knows how it was measured, and nothing asks
the clock. Minutes are those of the day of the visit; times of a plan are seconds since its midnight.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from geoapp.domain import ordering
from geoapp.domain.ordering import NEVER, Order, Problem

MOST_STOPS = 200
MINUTE = 60


class Basis(StrEnum):
    """How the legs were measured: along roads, by estimate, or some of each."""

    ROADS = "roads"
    ESTIMATE = "estimate"
    MIXED = "mixed"


class Reason(StrEnum):
    """Why a stop is left out."""

    UNREACHABLE = "unreachable"
    WINDOW_MISSED = "window_missed"
    NO_TIME_LEFT = "no_time_left"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Stop:
    """A place to visit for ``minutes``. One has to be there within ``window`` (opens, closes), and may wait for it.

    The window bounds when the visit begins, not when it ends. ``pinned`` goes before any worth; ``worth`` is at
    least 1, or nothing would ever be visited for its sake.
    """

    id: str
    minutes: int
    window: tuple[int, int] | None = None
    pinned: bool = False
    worth: int = 1

    def __post_init__(self) -> None:
        if self.minutes < 0 or self.worth < 1 or (self.window and self.window[0] > self.window[1]):
            raise ValueError(f"no such stop: {self}")


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """Metres and seconds of every leg over (start, the stops in their order, end); infinite where there is no way.

    ``estimated`` says which legs are estimates though others follow roads; ``far`` are the rows whose place lies far
    from the nearest road, so that a long straight walk is part of every leg.
    """

    metres: NDArray[np.float64]
    seconds: NDArray[np.float64]
    basis: Basis
    estimated: frozenset[tuple[int, int]] = frozenset()
    far: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One stop of a plan: the leg that leads there, and when one arrives, begins and leaves.

    ``late_s`` is by how much its window was missed, which only an order made by hand can do; ``cut_off`` says
    that no way leads here, and then the leg counts as nothing.
    """

    stop: Stop
    metres: int
    seconds: int
    arrives: int
    begins: int
    leaves: int
    late_s: int = 0
    cut_off: bool = False

    @property
    def waits_s(self) -> int:
        return self.begins - self.arrives


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A stop that is not visited, and why, with what a sentence about it needs.

    ``unreachable``: nothing. ``window_missed``: ``opens``, ``closes`` and ``arrives``, the earliest minute of the day
    at which one could be there. ``no_time_left``: ``over``, the minutes by which the visit would run over with it, or
    by which the appointment at ``before`` (the id of that stop) would be missed. ``by_hand``: it would have fitted.
    """

    stop: Stop
    reason: Reason
    params: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """An order with its times. ``metres`` and ``travel_s`` hold the way home, whose own leg is ``home_*``."""

    calls: tuple[Call, ...]
    left_out: tuple[LeftOut, ...]
    starts: int
    ends: int
    home_metres: int
    home_seconds: int
    budget_s: int
    basis: Basis
    exact: bool
    home_cut_off: bool = False

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(call.stop.id for call in self.calls)

    @property
    def metres(self) -> int:
        return sum(call.metres for call in self.calls) + self.home_metres

    @property
    def travel_s(self) -> int:
        return sum(call.seconds for call in self.calls) + self.home_seconds

    @property
    def wait_s(self) -> int:
        return sum(call.waits_s for call in self.calls)

    @property
    def visit_s(self) -> int:
        return sum(call.stop.minutes * MINUTE for call in self.calls)

    @property
    def total_s(self) -> int:
        return self.ends - self.starts

    @property
    def worth(self) -> int:
        return sum(call.stop.worth for call in self.calls)

    @property
    def over_s(self) -> int:
        """Seconds beyond the budget."""
        return max(0, self.total_s - self.budget_s)

    @property
    def late(self) -> tuple[Call, ...]:
        return tuple(call for call in self.calls if call.late_s)

    @property
    def pinned_left_out(self) -> tuple[LeftOut, ...]:
        return tuple(left for left in self.left_out if left.stop.pinned)

    @property
    def fits(self) -> bool:
        """Within the budget and all windows, and no leg without a way."""
        return not (self.over_s or self.late or self.home_cut_off or any(call.cut_off for call in self.calls))


def plan(stops: Sequence[Stop], matrix: Matrix, *, starts: int, budget_min: int) -> Plan:
    """The best visit that starts at minute ``starts`` of the day and is over within the budget.

    First as many of the pinned stops as possible, then as much worth, then the least time, then the least length.
    Up to nine stops that is proven (``exact``); beyond, it is searched for, always with the same result. Stops that
    do not fit are named with the reason. Raises ValueError for a matrix of another size or too many stops.
    """
    problem = _problem(stops, matrix, starts=starts, budget_min=budget_min)
    reachable = [node for node in range(1, len(stops) + 1) if not _unreachable(problem, node)]
    order = ordering.best(problem, reachable)
    return _plan(problem, order, stops, matrix.basis, exact=len(reachable) <= ordering.MOST_EXACT)


def evaluate(order: Iterable[str], stops: Sequence[Stop], matrix: Matrix, *, starts: int, budget_min: int) -> Plan:
    """The times of an order made by hand, whatever it breaks: lateness at each stop, and the overrun.

    ``stops`` are all that were to be visited, in the order of the matrix; those not in ``order`` are left out, with
    what keeps them out of this order. Raises ValueError for an id that is not there, or is there twice.
    """
    problem = _problem(stops, matrix, starts=starts, budget_min=budget_min)
    node_of = {stop.id: node for node, stop in enumerate(stops, start=1)}
    ids = list(order)
    if len(set(ids)) < len(ids) or not set(ids) <= set(node_of):
        raise ValueError(f"not an order of these stops: {ids}")
    return _plan(problem, tuple(node_of[one] for one in ids), stops, matrix.basis, exact=False)


def _problem(stops: Sequence[Stop], matrix: Matrix, *, starts: int, budget_min: int) -> Problem:
    size = len(stops) + 2
    if matrix.seconds.shape != (size, size) or matrix.metres.shape != (size, size):
        raise ValueError(f"the matrix must be {size} × {size}: start, {len(stops)} stops, end")
    if len(stops) > MOST_STOPS or len({stop.id for stop in stops}) < len(stops):
        raise ValueError(f"at most {MOST_STOPS} stops, each with an id of its own")
    # One pinned stop outweighs all that is not pinned.
    pin = sum(stop.worth for stop in stops) + 1
    windows = [stop.window or (0, NEVER // MINUTE) for stop in stops]
    return Problem(
        seconds=_whole(matrix.seconds),
        metres=_whole(matrix.metres),
        visit=[0, *(stop.minutes * MINUTE for stop in stops), 0],
        opens=[0, *(opens * MINUTE for opens, _ in windows), 0],
        closes=[NEVER, *(closes * MINUTE for _, closes in windows), NEVER],
        worth=[0, *(stop.worth + pin * stop.pinned for stop in stops), 0],
        starts=starts * MINUTE,
        ends=(starts + budget_min) * MINUTE,
    )


def _whole(legs: NDArray[np.float64]) -> list[list[int]]:
    # Rounded up: who plans to the second must not arrive a fraction after the door has closed.
    whole = np.where(np.isfinite(legs), np.ceil(legs), NEVER)
    return [[int(leg) for leg in row] for row in np.minimum(whole, NEVER)]


def _unreachable(problem: Problem, node: int) -> bool:
    into = min(row[node] for at, row in enumerate(problem.seconds) if at not in {node, problem.end})
    out = min(leg for at, leg in enumerate(problem.seconds[node]) if at not in {node, 0})
    return max(into, out) >= NEVER


def _plan(problem: Problem, order: Order, stops: Sequence[Stop], basis: Basis, *, exact: bool) -> Plan:
    calls: list[Call] = []
    here, when = 0, problem.starts
    for node in order:
        call = _call(problem, here, when, node, stops[node - 1])
        calls.append(call)
        here, when = node, call.leaves
    cut_off = problem.seconds[here][problem.end] >= NEVER
    metres, seconds = (0, 0) if cut_off else (problem.metres[here][problem.end], problem.seconds[here][problem.end])
    return Plan(
        calls=tuple(calls),
        left_out=tuple(_left_out(problem, order, node, stops) for node in range(1, problem.end) if node not in order),
        starts=problem.starts,
        ends=when + seconds,
        home_metres=metres,
        home_seconds=seconds,
        budget_s=problem.ends - problem.starts,
        basis=basis,
        exact=exact,
        home_cut_off=cut_off,
    )


def _call(problem: Problem, here: int, leaves: int, node: int, stop: Stop) -> Call:
    cut_off = problem.seconds[here][node] >= NEVER
    seconds, metres = (0, 0) if cut_off else (problem.seconds[here][node], problem.metres[here][node])
    arrives = leaves + seconds
    begins = max(arrives, problem.opens[node])
    return Call(
        stop=stop,
        metres=metres,
        seconds=seconds,
        arrives=arrives,
        begins=begins,
        leaves=begins + problem.visit[node],
        late_s=max(0, arrives - problem.closes[node]),
        cut_off=cut_off,
    )


def _left_out(problem: Problem, order: Order, node: int, stops: Sequence[Stop]) -> LeftOut:
    """Why this stop is not in this order: what would break least if it were put in where that is."""
    stop = stops[node - 1]
    if _unreachable(problem, node):
        return LeftOut(stop, Reason.UNREACHABLE)
    arrives, over, before = min(
        (_squeezed(problem, (*order[:at], node, *order[at:]), node) for at in range(len(order) + 1)),
        key=lambda tried: (tried[0] > problem.closes[node], tried[1], tried[0]),
    )
    if max(arrives, over) >= NEVER // 2:
        return LeftOut(stop, Reason.UNREACHABLE)
    if arrives > problem.closes[node]:
        opens, closes = problem.opens[node] // MINUTE, problem.closes[node] // MINUTE
        return LeftOut(stop, Reason.WINDOW_MISSED, {"opens": opens, "closes": closes, "arrives": _minutes(arrives)})
    if not over:
        return LeftOut(stop, Reason.BY_HAND)
    params: dict[str, int | str] = {"over": _minutes(over)}
    return LeftOut(stop, Reason.NO_TIME_LEFT, params | ({"before": stops[before - 1].id} if before else {}))


def _squeezed(problem: Problem, order: Order, node: int) -> tuple[int, int, int]:
    """When one arrives at ``node`` in this order; the worst that breaks elsewhere (s); at which stop (0: the end)."""
    here, when, arrives, worst, where = 0, problem.starts, 0, 0, 0
    for there in order:
        came = when + problem.seconds[here][there]
        if there == node:
            arrives = came
        elif came - problem.closes[there] > worst:
            worst, where = came - problem.closes[there], there
        here, when = there, max(came, problem.opens[there]) + problem.visit[there]
    over = when + problem.seconds[here][problem.end] - problem.ends
    return (arrives, over, 0) if over > worst else (arrives, worst, where)


def _minutes(seconds: int) -> int:
    """Full minutes, begun ones counted."""
    return -(-seconds // MINUTE)
