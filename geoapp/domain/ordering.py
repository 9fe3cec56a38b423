"""Finds the best order of stops: exactly for few, by PyVRP and a polish for many. Whole numbers in, an order out.

What a stop, a window and a plan are to people is ``domain.routes``; this file only searches.

Best is one order of three things: most worth served, then the earliest end, then the fewest metres. Two orders
are compared by that triple and by nothing else, so no price decides how many minutes a stop is worth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

MOST_EXACT = 9
"""So many stops are solved exactly: 2⁹ sets of stops times nine last ones are some 20,000 steps."""
SEED = 20
EFFORT = 48_000
"""Iterations of PyVRP's local search, times stops: 800 for 60 stops, a good second of work. Counted, not timed, so
that the same stops give the same plan on any machine."""
NEVER = 10_000_000
"""Seconds (or metres) of a leg that does not exist: more than any day, and small enough to be added up."""

Order = tuple[int, ...]
Score = tuple[int, int, int]
_Label = tuple[int, int, Order]
"""When one may leave, metres so far, the stops so far."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Node 0 is the start, the last one the end, those between are stops; seconds of the day, and metres.

    One has to be at the end by ``ends``. ``opens`` and ``closes`` bound when a stop may begin.
    """

    seconds: list[list[int]]
    metres: list[list[int]]
    visit: list[int]
    opens: list[int]
    closes: list[int]
    worth: list[int]
    starts: int
    ends: int

    @property
    def end(self) -> int:
        return len(self.seconds) - 1

    def then(self, here: int, leaves: int, there: int) -> int | None:
        """When one may leave ``there``, having left ``here`` at ``leaves``; None where that is too late."""
        begins = max(leaves + self.seconds[here][there], self.opens[there])
        return begins + self.visit[there] if begins <= self.closes[there] and begins <= self.ends else None

    def score(self, order: Sequence[int]) -> Score | None:
        """Greater is better; None for an order that breaks a window or ends too late."""
        when, length, worth, here = self.starts, 0, 0, 0
        for there in (*order, self.end):
            leaves = self.then(here, when, there)
            if leaves is None:
                return None
            when, length, worth, here = leaves, length + self.metres[here][there], worth + self.worth[there], there
        return worth, -when, -length


def best(problem: Problem, stops: Sequence[int]) -> Order:
    """The best order of those of ``stops`` that are worth it; the same stops give the same order."""
    if len(stops) <= MOST_EXACT:
        return exact(problem, stops)
    tried = (_nearest_first(problem, stops), _by_pyvrp(problem, stops))
    return polish(problem, max(tried, key=lambda order: problem.score(order) or (-1, 0, 0)), stops)


def exact(problem: Problem, stops: Sequence[int]) -> Order:
    """Dynamic programming over sets of stops and the last one of them.

    Two ways through the same set to the same stop are compared by time and metres: the later may still be the
    better when both wait for the same appointment, so all that nothing beats in both are kept.
    """
    found: list[dict[int, list[_Label]]] = [{} for _ in range(1 << len(stops))]
    found[0][0] = [(problem.starts, 0, ())]
    winner: tuple[Score, Order] = ((-1, 0, 0), ())
    for chosen, by_last in enumerate(found):
        for last, labels in by_last.items():
            for leaves, metres, order in labels:
                winner = max(winner, _ended(problem, last, leaves, metres, order), key=lambda one: one[0])
                for bit, stop in enumerate(stops):
                    after = None if chosen >> bit & 1 else problem.then(last, leaves, stop)
                    if after is not None:
                        label = (after, metres + problem.metres[last][stop], (*order, stop))
                        _keep(found[chosen | 1 << bit].setdefault(stop, []), label)
    return winner[1]


def polish(problem: Problem, order: Order, stops: Sequence[int]) -> Order:
    """Move, turn round, put in and exchange single stops for as long as that makes the order better."""
    held = problem.score(order)
    if held is None:
        return order
    while True:
        for other in _neighbours(order, stops):
            score = problem.score(other)
            if score and score > held:
                order, held = other, score
                break
        else:
            return order


def _ended(problem: Problem, last: int, leaves: int, metres: int, order: Order) -> tuple[Score, Order]:
    """The order with the way to the end added; nothing is worse than one that comes too late there."""
    when = problem.then(last, leaves, problem.end)
    if when is None:
        return (-1, 0, 0), ()
    return (sum(problem.worth[stop] for stop in order), -when, -metres - problem.metres[last][problem.end]), order


def _keep(labels: list[_Label], new: _Label) -> None:
    if any(old[0] <= new[0] and old[1] <= new[1] for old in labels):
        return
    labels[:] = [old for old in labels if not (new[0] <= old[0] and new[1] <= old[1])]
    labels.append(new)


def _neighbours(order: Order, stops: Sequence[int]) -> Iterator[Order]:
    outside = [stop for stop in stops if stop not in order]
    size = len(order)
    yield from ((*order[:at], stop, *order[at:]) for stop in outside for at in range(size + 1))
    yield from ((*order[:at], stop, *order[at + 1 :]) for stop in outside for at in range(size))
    for first in range(size - 1):
        for last in range(first + 2, size + 1):
            yield (*order[:first], *reversed(order[first:last]), *order[last:])
    for length in (1, 2, 3):
        for first in range(size - length + 1):
            piece, rest = order[first : first + length], (*order[:first], *order[first + length :])
            yield from ((*rest[:at], *piece, *rest[at:]) for at in range(len(rest) + 1) if at != first)


def _nearest_first(problem: Problem, stops: Sequence[int]) -> Order:
    """Always on to the stop that can be left first and still lets the day end in time."""
    order: Order = ()
    while True:
        tried = [(*order, stop) for stop in stops if stop not in order]
        fitting = [(score[1], way) for way in tried if (score := problem.score(way))]
        if not fitting:
            return order
        order = max(fitting)[1]


def _by_pyvrp(problem: Problem, stops: Sequence[int]) -> Order:
    """One vehicle that leaves at ``starts``; every stop is optional and has a prize.

    PyVRP adds costs up, where we compare one thing after the other. So a second costs 1,000 and a metre 1
    (metres decide between orders of nearly the same time, such as those that wait for the same appointment), and
    one unit of worth more than the whole day with all its metres: no stop is dropped to save time. The little that
    adding up gets wrong, a second for a kilometre, is put right by ``polish``, which compares strictly.
    """
    import pyvrp  # noqa: PLC0415 - takes a moment to load, and only long lists need it
    from pyvrp.stop import MaxIterations  # noqa: PLC0415

    nodes = [0, problem.end, *stops]
    seconds = np.minimum(np.array(problem.seconds, dtype=np.int64), NEVER)[np.ix_(nodes, nodes)]
    metres = np.minimum(np.array(problem.metres, dtype=np.int64), NEVER)[np.ix_(nodes, nodes)]
    for matrix in (seconds, metres):
        np.fill_diagonal(matrix, 0)
    a_second = 1_000
    prize = a_second * (problem.ends - problem.starts + 1) + len(nodes) * int(metres[metres < NEVER].max())
    clients = [
        pyvrp.Client(
            location,
            service_duration=problem.visit[stop],
            tw_early=problem.opens[stop],
            tw_late=max(problem.opens[stop], min(problem.closes[stop], problem.ends)),
            prize=prize * problem.worth[stop],
            required=False,
        )
        for location, stop in enumerate(stops, start=2)
    ]
    walker = pyvrp.VehicleType(
        num_available=1,
        start_depot=0,
        end_depot=1,
        tw_early=problem.starts,
        tw_late=problem.ends,
        start_late=problem.starts,
        unit_distance_cost=1,
        unit_duration_cost=a_second,
    )
    locations = [pyvrp.Location(0, 0) for _ in nodes]
    depots = [pyvrp.Depot(0), pyvrp.Depot(1)]
    asked = pyvrp.ProblemData(locations, clients, depots, [walker], [metres], [seconds])  # type: ignore[list-item] # its stub says ndarray[int]
    # A minute too late must never be paid for by a prize, however great.
    dear = pyvrp.PenaltyParams(max_penalty=float(prize * max(problem.worth[stop] for stop in stops)))
    found = pyvrp.solve(
        asked,
        MaxIterations(EFFORT // len(stops)),
        seed=SEED,
        display=False,
        collect_stats=False,
        params=pyvrp.SolveParams(penalty=dear),
    ).best
    return tuple(stops[step.idx] for route in found.routes() for step in route if step.is_client())
