"""The order of a visit: seconds for 60 stops, and how far the search is from the best at 9: ``./run bench route``."""

import sys

import numpy as np

from geoapp.domain import ordering
from geoapp.domain.routes import Basis, Matrix, Plan, Stop, plan
from tests.bench._place import timed

NINE, DAY_MIN, WANTED_S = 9 * 60, 480, 2.0
SEEDS = range(10)


def main(count: int) -> None:
    print(f"{count} stops, a third with appointments, a day of {DAY_MIN // 60} h (wanted: {WANTED_S} s)")  # noqa: T201
    for seed in SEEDS[:3]:
        made: list[Plan] = []
        stops, legs = a_day(count, seed)
        seconds = timed(lambda s=stops, m=legs, into=made: into.append(plan(s, m, starts=NINE, budget_min=DAY_MIN)))
        print(f"  {seconds:.2f} s: {len(made[0].calls)} served, {made[0].total_s // 60} min")  # noqa: T201
    worth = extra = 0
    for seed in SEEDS:
        stops, legs = a_day(ordering.MOST_EXACT, seed)
        best = plan(stops, legs, starts=NINE, budget_min=150)
        found = searched(stops, legs)
        worth += best.worth - found.worth
        extra += found.total_s - best.total_s if best.worth == found.worth else 0
    print(f"gap of the search at {ordering.MOST_EXACT} stops: worth {worth}, {extra} s over {len(SEEDS)} days")  # noqa: T201


def a_day(count: int, seed: int) -> tuple[list[Stop], Matrix]:
    random = np.random.default_rng(seed)
    places = random.uniform(0, 3000, (count + 2, 2))
    metres = np.round(np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)))
    stops = []
    for number in range(count):
        opens = int(random.integers(NINE, NINE + 300))
        window = (opens, opens + 60) if number % 3 == 0 else None
        stops.append(
            Stop(str(number), int(random.integers(5, 15)), window, number % 10 == 0, int(random.integers(1, 5)))
        )
    return stops, Matrix(metres, np.ceil(metres / 1.4), Basis.ESTIMATE)


def searched(stops: list[Stop], legs: Matrix) -> Plan:
    """The plan that the search for many stops makes of few."""
    held, ordering.MOST_EXACT = ordering.MOST_EXACT, 0
    try:
        return plan(stops, legs, starts=NINE, budget_min=150)
    finally:
        ordering.MOST_EXACT = held


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
