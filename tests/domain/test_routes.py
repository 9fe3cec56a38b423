"""The best order of a visit: equal to a brute force for few stops, sound for many, and honest about the rest."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geoapp.domain import ordering
from geoapp.domain.routes import Basis, Matrix, Reason, Stop, evaluate, plan

NINE = 9 * 60


def matrix(seconds, metres=None):
    seconds = np.array(seconds, dtype=float)
    return Matrix(seconds * 1.4 if metres is None else np.array(metres, dtype=float), seconds, Basis.ROADS)


def in_a_plane(count, seed, *, speed=1.4):
    """Places in a square of 3 km, straight ways at a walk."""
    places = np.random.default_rng(seed).uniform(0, 3000, (count + 2, 2))
    metres = np.round(np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)))
    return Matrix(metres, np.ceil(metres / speed), Basis.ESTIMATE)


def some_stops(count, seed):
    random = np.random.default_rng(seed)
    stops = []
    for number in range(count):
        opens = int(random.integers(NINE, NINE + 200))
        window = (opens, opens + int(random.integers(10, 90))) if random.random() < 0.3 else None
        pinned = bool(random.random() < 0.2)
        stops.append(Stop(str(number), int(random.integers(5, 30)), window, pinned, int(random.integers(1, 5))))
    return stops


def brute_force(stops, legs, *, starts, budget_min):
    """(pinned, worth, -seconds, -metres) of the best of all orders of all subsets; written apart from the solver."""
    ends = (starts + budget_min) * 60
    last = len(stops) + 1
    best = (-1, -1, 0, 0)

    def go(here, when, metres, visited):
        nonlocal best
        home = when + legs.seconds[here, last]
        if home <= ends:
            served = [stops[one - 1] for one in visited]
            score = (
                sum(stop.pinned for stop in served),
                sum(stop.worth for stop in served),
                -(home - starts * 60),
                -(metres + legs.metres[here, last]),
            )
            best = max(best, score)
        for node, stop in enumerate(stops, start=1):
            if node in visited:
                continue
            arrives = when + legs.seconds[here, node]
            if stop.window:
                if arrives > stop.window[1] * 60:
                    continue
                arrives = max(arrives, stop.window[0] * 60)
            if (leaves := arrives + stop.minutes * 60) <= ends:
                go(node, leaves, metres + legs.metres[here, node], (*visited, node))

    go(0, starts * 60, 0, ())
    return best


def score(made):
    return (sum(call.stop.pinned for call in made.calls), made.worth, -made.total_s, -made.metres)


def keeps_the_rules(made, stops):
    served = {call.stop.id for call in made.calls}
    left = {one.stop.id for one in made.left_out}
    assert made.fits
    assert made.total_s <= made.budget_s
    assert served | left == {stop.id for stop in stops}
    assert not served & left
    assert Reason.BY_HAND not in {one.reason for one in made.left_out}
    when = made.starts
    for call in made.calls:
        assert call.arrives == when + call.seconds
        assert call.begins >= call.arrives
        if call.stop.window:
            assert call.stop.window[0] * 60 <= call.begins <= call.stop.window[1] * 60
        assert call.leaves == call.begins + call.stop.minutes * 60
        when = call.leaves
    assert made.ends == when + made.home_seconds
    assert made.total_s == made.travel_s + made.wait_s + made.visit_s


@st.composite
def a_day(draw):
    count = draw(st.integers(0, 6))
    whole = st.integers(0, 1800)
    size = count + 2
    seconds = draw(st.lists(st.lists(whole, min_size=size, max_size=size), min_size=size, max_size=size))
    metres = draw(st.lists(st.lists(whole, min_size=size, max_size=size), min_size=size, max_size=size))
    stops = []
    for number in range(count):
        opens = draw(st.integers(NINE - 30, NINE + 120))
        window = draw(st.sampled_from([None, (opens, opens + draw(st.integers(0, 60)))]))
        stops.append(Stop(str(number), draw(st.integers(0, 40)), window, draw(st.booleans()), draw(st.integers(1, 3))))
    return stops, matrix(seconds, metres), draw(st.integers(0, 200))


@given(a_day())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
def test_a_plan_of_few_stops_is_as_good_as_the_best_of_all_orders(day):
    stops, legs, budget = day
    expected = brute_force(stops, legs, starts=NINE, budget_min=budget)

    made = plan(stops, legs, starts=NINE, budget_min=budget)

    assert made.exact
    if expected[0] < 0:
        assert (made.calls, made.fits) == ((), False)
    else:
        assert score(made) == expected
        keeps_the_rules(made, stops)


@pytest.mark.parametrize("seed", range(4))
def test_nine_stops_equal_brute_force(seed):
    stops, legs = some_stops(9, seed), in_a_plane(9, seed)

    made = plan(stops, legs, starts=NINE, budget_min=150)

    assert made.exact
    assert score(made) == brute_force(stops, legs, starts=NINE, budget_min=150)


@pytest.mark.parametrize("seed", range(3))
def test_the_search_for_many_stops_finds_the_best_where_that_is_known(monkeypatch, seed):
    stops, legs = some_stops(9, seed + 50), in_a_plane(9, seed + 50)
    expected = brute_force(stops, legs, starts=NINE, budget_min=170)
    monkeypatch.setattr(ordering, "MOST_EXACT", 0)

    made = plan(stops, legs, starts=NINE, budget_min=170)

    assert not made.exact
    assert score(made) == expected


def nearest_neighbour(stops, legs, *, budget_min):
    """What a person does without a plan: always on to the nearest stop that still fits."""
    order = []
    while True:
        here = int(order[-1]) + 1 if order else 0
        nearest = sorted((legs.seconds[here, int(s.id) + 1], s.id) for s in stops if s.id not in order)
        for _, one in nearest:
            if evaluate([*order, one], stops, legs, starts=NINE, budget_min=budget_min).fits:
                order.append(one)
                break
        else:
            return evaluate(order, stops, legs, starts=NINE, budget_min=budget_min)


def test_sixty_stops_keep_the_rules_and_are_no_worse_than_going_to_the_nearest():
    stops, legs = some_stops(60, 7), in_a_plane(60, 7)

    made = plan(stops, legs, starts=NINE, budget_min=480)
    again = plan(stops, legs, starts=NINE, budget_min=480)

    keeps_the_rules(made, stops)
    assert made.left_out
    assert made.order == again.order
    assert score(made) >= score(nearest_neighbour(stops, legs, budget_min=480))


def test_waiting_for_an_appointment_costs_no_detour():
    # Three stops on a line, then an appointment: every order is as long in time, one is the shortest walk.
    along = np.array([0, 300, 200, 100, 400, 400], dtype=float)
    legs = matrix(np.abs(along[:, None] - along[None]))
    stops = [Stop("far", 5), Stop("middle", 5), Stop("near", 5), Stop("meeting", 10, (NINE + 100, NINE + 110))]

    made = plan(stops, legs, starts=NINE, budget_min=240)

    assert made.order == ("near", "middle", "far", "meeting")
    assert made.calls[-1].waits_s == made.wait_s > 0


def test_a_pinned_stop_goes_before_any_worth():
    seconds = [[0, 600, 600, 0], [600, 0, 1200, 600], [600, 1200, 0, 600], [0, 600, 600, 0]]
    stops = [Stop("must", 20, pinned=True), Stop("dear", 20, worth=99)]

    made = plan(stops, matrix(seconds), starts=NINE, budget_min=45)

    assert made.order == ("must",)
    assert made.pinned_left_out == ()
    (left,) = made.left_out
    assert (left.stop.id, left.reason, left.params) == ("dear", Reason.NO_TIME_LEFT, {"over": 35})


def test_a_pinned_stop_that_cannot_be_served_is_named():
    made = plan([Stop("far", 5, pinned=True)], matrix([[0, 3600, 0], [3600, 0, 3600], [0, 0, 0]]), starts=NINE,
                budget_min=60)  # fmt: skip

    assert [(left.stop.id, left.reason) for left in made.pinned_left_out] == [("far", Reason.NO_TIME_LEFT)]
    assert made.pinned_left_out[0].params == {"over": 65}


def test_a_stop_whose_window_closes_before_one_can_be_there_says_when_that_would_be():
    stops = [Stop("early", 5, (NINE, NINE + 4))]

    made = plan(stops, matrix([[0, 301, 0], [300, 0, 300], [0, 300, 0]]), starts=NINE, budget_min=60)

    (left,) = made.left_out
    assert left.reason is Reason.WINDOW_MISSED
    assert left.params == {"opens": NINE, "closes": NINE + 4, "arrives": NINE + 6}


def test_a_stop_that_would_make_an_appointment_missed_says_which():
    seconds = np.full((4, 4), 300.0)
    stops = [Stop("meeting", 10, (NINE + 10, NINE + 10), pinned=True), Stop("long", 30)]

    made = plan(stops, matrix(seconds), starts=NINE, budget_min=40)

    (left,) = made.left_out
    assert (left.stop.id, left.reason) == ("long", Reason.NO_TIME_LEFT)
    # Before the meeting it would be missed by 30 minutes; after it the day would end 20 minutes too late.
    assert left.params == {"over": 20}
    wider = plan(stops, matrix(seconds), starts=NINE, budget_min=500)
    assert wider.order == ("meeting", "long")
    crowded = evaluate(["meeting"], [stops[0], Stop("first", 30, (NINE, NINE + 6))], matrix(seconds), starts=NINE,
                       budget_min=500)  # fmt: skip
    assert [(left.reason, left.params) for left in crowded.left_out] == [
        (Reason.NO_TIME_LEFT, {"over": 30, "before": "meeting"})
    ]


@pytest.mark.parametrize("when", ["in", "out", "among themselves"])
def test_a_stop_without_a_way_is_unreachable(when):
    seconds = np.full((4, 4), 60.0)
    if when != "out":
        seconds[:, 1] = np.inf
    if when != "in":
        seconds[1, :] = np.inf
    if when == "among themselves":
        seconds[:, 2], seconds[2, :] = np.inf, np.inf
        seconds[1, 2], seconds[2, 1] = 60.0, 60.0

    made = plan([Stop("island", 5), Stop("other", 5)], matrix(seconds), starts=NINE, budget_min=60)

    assert "island" in {left.stop.id for left in made.left_out if left.reason is Reason.UNREACHABLE}
    assert made.fits


def test_an_order_by_hand_shows_what_it_breaks():
    seconds = np.full((4, 4), 600.0)
    stops = [Stop("a", 30), Stop("b", 30, (NINE, NINE + 20))]

    made = evaluate(["a", "b"], stops, matrix(seconds), starts=NINE, budget_min=60)

    assert not made.fits
    assert [(call.stop.id, call.late_s) for call in made.late] == [("b", 30 * 60)]
    assert made.over_s == 30 * 60
    assert made.left_out == ()


def test_an_order_by_hand_may_leave_out_what_would_fit():
    seconds = np.full((4, 4), 60.0)

    made = evaluate(["a"], [Stop("a", 5), Stop("b", 5)], matrix(seconds), starts=NINE, budget_min=60)

    assert made.fits
    assert [(left.stop.id, left.reason) for left in made.left_out] == [("b", Reason.BY_HAND)]


def test_an_order_by_hand_over_no_way_says_so_instead_of_counting_it():
    seconds = np.full((4, 4), 60.0)
    seconds[0, 1] = seconds[2, 3] = np.inf

    made = evaluate(["a", "b"], [Stop("a", 5), Stop("b", 5)], matrix(seconds), starts=NINE, budget_min=60)

    assert [call.cut_off for call in made.calls] == [True, False]
    assert made.home_cut_off
    assert not made.fits
    assert made.total_s == 60 + 600


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Stop("a", -1),
        lambda: Stop("a", 5, worth=0),
        lambda: Stop("a", 5, (600, 500)),
        lambda: plan([Stop("a", 5)], matrix(np.zeros((2, 2))), starts=NINE, budget_min=60),
        lambda: plan([Stop("a", 5)] * 2, matrix(np.zeros((4, 4))), starts=NINE, budget_min=60),
        lambda: evaluate(["b"], [Stop("a", 5)], matrix(np.zeros((3, 3))), starts=NINE, budget_min=60),
        lambda: evaluate(["a", "a"], [Stop("a", 5)], matrix(np.zeros((3, 3))), starts=NINE, budget_min=60),
    ],
)
def test_what_cannot_be_a_day_is_refused(wrong):
    with pytest.raises(ValueError, match=r"stop|matrix|order"):
        wrong()


def test_a_polish_leaves_an_order_alone_that_does_not_fit():
    problem = ordering.Problem(
        [[0, 9], [9, 0]], [[0, 9], [9, 0]], visit=[0, 0], opens=[0, 0], closes=[99, 99], worth=[0, 0], starts=0, ends=5
    )

    assert ordering.polish(problem, (), ()) == ()


def test_a_polish_puts_a_crossed_way_in_order():
    line = [0, 100, 200, 300, 400, 500]
    ways = [[abs(one - other) for other in line] for one in line]
    problem = ordering.Problem(
        ways, ways, visit=[0] * 6, opens=[0] * 6, closes=[9999] * 6, worth=[0, 1, 1, 1, 1, 0], starts=0, ends=9999
    )  # fmt: skip

    assert ordering.polish(problem, (3, 1), range(1, 5)) == (1, 2, 3, 4)


def test_many_stops_on_a_day_too_short_for_the_way_home_are_all_left_out():
    legs = in_a_plane(12, 3)

    made = plan([Stop(str(one), 5) for one in range(12)], legs, starts=NINE, budget_min=0)

    assert made.calls == ()
    assert {left.reason for left in made.left_out} == {Reason.NO_TIME_LEFT}
    assert made.over_s > 0


def test_a_plan_of_nothing_is_the_way_home():
    made = plan([], matrix([[0, 60], [60, 0]]), starts=NINE, budget_min=10)

    assert (made.calls, made.total_s, made.metres, made.order) == ((), 60, 84, ())
    assert all(one <= two for one, two in pairwise([made.starts, made.ends]))
