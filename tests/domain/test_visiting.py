"""What a visit can be, whose it is, and when it may begin, end or be called off."""

from dataclasses import replace
from datetime import date, time
from uuid import UUID

import pytest

from geoapp.domain import visiting
from geoapp.domain.values import Grant, Point, Role, Viewer
from geoapp.domain.visiting import Draft, DraftGuest, DraftStop, Finish, Step, VisitState
from geoapp.domain.workflow import Refusal

ONE, TWO = UUID(int=1), UUID(int=2)
DRAFT = Draft("Tuesday", date(2026, 11, 24), time(9), Point(106.65, 29.03), (DraftStop(ONE), DraftStop(TWO)))
GUEST = DraftGuest(UUID(int=9), unit="U1", window_from=time(14), window_to=time(15))


def test_a_sound_draft_has_no_problem():
    whole = replace(DRAFT, finish=Finish.PLACE, end=Point(106.66, 29.03), budget_min=60, guests=(GUEST,))

    assert list(visiting.problems(whole)) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"title": " "}, ("title", "missing")),
        ({"title": "x" * 121}, ("title", "too_long")),
        ({"start_name": "x" * 101}, ("start", "too_long")),
        ({"stops": ()}, ("stops", "missing")),
        ({"stops": tuple(DraftStop(UUID(int=n)) for n in range(61))}, ("stops", "too_many")),
        ({"stops": (DraftStop(ONE), DraftStop(ONE))}, ("stops", "repeated")),
        ({"finish": Finish.PLACE}, ("end", "missing")),
        ({"end": Point(1, 1)}, ("end", "unwanted")),
        ({"budget_min": 961}, ("budget", "between")),
        ({"minutes_per_stop": 0}, ("minutes", "between")),
        ({"stops": (DraftStop(ONE, minutes=481),)}, ("minutes", "between")),
        ({"stops": (DraftStop(ONE, window_from=time(9)),)}, ("window", "window")),
        ({"guests": (replace(GUEST, window_to=time(14)),)}, ("window", "window")),
        ({"guests": tuple(replace(GUEST, id=UUID(int=n)) for n in range(61))}, ("guests", "too_many")),
        ({"guests": (GUEST, GUEST)}, ("guests", "repeated")),
        ({"guests": (DraftGuest(ONE),)}, ("guests", "missing")),
        ({"guests": (DraftGuest(ONE, name="x" * 101),)}, ("guests", "too_long")),
    ],
)
def test_a_draft_that_cannot_be_names_its_field(changes, problem):
    assert [(one.field, one.reason) for one in visiting.problems(replace(DRAFT, **changes))] == [problem]


def test_an_appointment_of_a_stop_goes_before_the_hours_of_a_unit():
    stops = (DraftStop(ONE, window_from=time(10), window_to=time(11)), DraftStop(TWO))
    draft = replace(DRAFT, stops=stops, guests=(GUEST,))

    found = visiting.windows(draft, {ONE: frozenset({"U1"}), TWO: frozenset({"U1", "U2"})})
    assert found == {ONE: (600, 660), TWO: (840, 900)}


@pytest.mark.parametrize(
    ("begin", "end", "window"),
    [(time(14, 30), time(16), (870, 900)), (time(16), time(17), (840, 900)), (None, None, (840, 900))],
)
def test_two_units_of_a_stop_are_met_at_their_common_time_else_the_first_counts(begin, end, window):
    other = DraftGuest(UUID(int=8), unit="U2", window_from=begin, window_to=end)
    draft = replace(DRAFT, stops=(DraftStop(ONE),), guests=(GUEST, other))

    assert visiting.windows(draft, {ONE: frozenset({"U1", "U2"})}) == {ONE: window}


def test_a_stop_that_concerns_no_guest_is_visited_at_any_time():
    assert visiting.windows(replace(DRAFT, guests=(GUEST,)), {ONE: frozenset({"U3"})}) == {ONE: None, TWO: None}


def test_a_visit_is_somebodys_who_may_visit_in_every_community_of_it():
    secretary = Viewer((Grant(Role.SECRETARY, frozenset({"C1"})),))

    assert visiting.may_visit(secretary, frozenset({"C1"}))
    assert not visiting.may_visit(secretary, frozenset({"C1", "C2"}))
    assert not visiting.may_visit(secretary, frozenset({None}))
    assert not visiting.may_visit(Viewer((Grant(Role.COMMUNITY),)), frozenset({"C1"}))


@pytest.mark.parametrize("state", list(VisitState))
@pytest.mark.parametrize("step", list(Step))
def test_a_step_leads_on_or_says_why_not(step, state):
    allowed = {
        (Step.START, VisitState.PLANNED): VisitState.UNDER_WAY,
        (Step.END, VisitState.PLANNED): VisitState.ENDED,
        (Step.END, VisitState.UNDER_WAY): VisitState.ENDED,
        (Step.CANCEL, VisitState.PLANNED): VisitState.CANCELLED,
        (Step.CANCEL, VisitState.UNDER_WAY): VisitState.CANCELLED,
    }

    assert visiting.take(step, state) == allowed.get((step, state), Refusal("visit_not_now", "action"))


def test_only_what_is_not_over_can_be_changed():
    assert {state for state in VisitState if visiting.is_open(state)} == {VisitState.PLANNED, VisitState.UNDER_WAY}


def test_the_graver_and_the_later_an_issue_the_more_it_is_worth():
    assert visiting.worth(4, overdue=False) > visiting.worth(3, overdue=True) > visiting.worth(3, overdue=False) > 0
