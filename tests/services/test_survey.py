"""The survey map: one's own realm in full, what has changed since a moment, and past visits."""

from datetime import time, timedelta
from uuid import UUID

import pytest

from geoapp.domain.values import ANONYMOUS, Grant, IssueFilter, IssueState, Point, Privacy, Role, Viewer
from geoapp.domain.visiting import Draft, DraftGuest, DraftStop
from geoapp.domain.workflow import Given
from geoapp.services import clocks, survey, triage, visits
from tests.builders import NOON, TODAY, a_category, a_jurisdiction, a_place, an_issue, square, store

SECRETARY = Viewer((Grant(Role.SECRETARY, frozenset({"C1"})),), UUID(int=7), "Li")
ELSEWHERE = Viewer((Grant(Role.SECRETARY, frozenset({"C2"})),), UUID(int=9), "He")
HIDDEN = Point(106.6503217, 29.0301234)


@pytest.fixture
def town(app, settings):  # noqa: ARG001 - the database must be connected
    a_category("road")
    a_place("C1", square(106.64, 29.02))
    a_place("C2", square(106.66, 29.02))
    a_jurisdiction("U1", square(106.64, 29.02))
    store(
        an_issue("old", point=HIDDEN, privacy=Privacy.PRIVATE, severity=4),
        an_issue("fresh", point=Point(106.645, 29.03), reported_at=NOON - timedelta(days=2),
                 updated_at=NOON - timedelta(days=2), state=IssueState.DISPATCHED, unit="U1"),
        an_issue("other", point=Point(106.665, 29.03)),
    )  # fmt: skip
    return clocks.read_calendar(settings.calendar_file, settings.zone)


def look(calendar, viewer=SECRETARY, wanted=IssueFilter(), **more):  # noqa: B008 - a frozen value
    return survey.look(viewer, wanted, zone=calendar.zone, now=NOON, **more)


def test_one_sees_the_own_community_at_its_true_places_and_nothing_of_another(town):
    found = look(town)

    assert [(row.id, row.severity) for row in found.rows] == [(an_issue("fresh").id, 2), (an_issue("old").id, 4)]
    assert (found.rows[1].lon, found.rows[1].lat) == (HIDDEN.lon, HIDDEN.lat)
    assert found.matched == 2
    assert [row.id for row in look(town, ELSEWHERE).rows] == [an_issue("other").id]
    assert look(town, ANONYMOUS).rows == []


def test_a_filter_narrows_the_own_realm_and_never_widens_it(town):
    assert look(town, wanted=IssueFilter(communities=("C2",))).rows == []
    assert look(town, wanted=IssueFilter(states=(IssueState.DISPATCHED,))).matched == 1


def test_what_is_new_is_told_since_a_day(town):
    found = {row.id: row.since for row in look(town, since=NOON - timedelta(days=5)).rows}

    assert found[an_issue("fresh").id].new
    assert not any((found[an_issue("old").id].new, found[an_issue("old").id].moved))


def test_what_was_returned_or_ended_since_is_told(town):
    store(an_issue("done", state=IssueState.CLOSED, ended_at=NOON - timedelta(days=1)))
    officer = Viewer((Grant(Role.UNIT, unit="U1"),), UUID(int=12), "Zhao")
    triage.act(officer, str(an_issue("fresh").id), "return", Given(note="not ours"), version=1, now=NOON, calendar=town)

    found = {row.id: row.since for row in look(town, since=NOON - timedelta(days=3)).rows}
    assert (found[an_issue("fresh").id].returned, found[an_issue("fresh").id].moved) == (True, True)
    assert found[an_issue("done").id].ended
    assert not look(town, since=NOON).rows[0].since.returned


def planned(calendar, viewer=SECRETARY):
    draft = Draft("Tuesday", TODAY, time(9), Point(106.644, 29.03), (DraftStop(an_issue("fresh").id),),
                  guests=(DraftGuest(UUID(int=1), name="Zhao", phone="13800138000"),))  # fmt: skip
    return visits.create(viewer, draft, id=UUID(int=100), now=NOON, zone=calendar.zone)


def test_changes_count_from_the_end_of_the_own_last_visit(town):
    usual = look(town)
    planned(town)
    ended = NOON - timedelta(days=1)
    visits.end(SECRETARY, UUID(int=100), version=1, now=ended, calendar=town)

    assert not usual.visited
    assert usual.since < NOON - timedelta(days=29)
    assert (look(town).since, look(town).visited) == (ended, True)
    colleague = Viewer((Grant(Role.SECRETARY, frozenset({"C1"})),), UUID(int=8), "Wu")
    assert not look(town, colleague).visited


def test_past_visits_are_a_layer_of_whoever_sees_their_communities_without_names_of_guests(town):
    planned(town)
    planned_only = survey.past(SECRETARY)
    visits.end(SECRETARY, UUID(int=100), version=1, now=NOON, calendar=town, summary="dry")

    (past,) = survey.past(Viewer((Grant(Role.COMMUNITY, frozenset({"C1"})),)))
    assert planned_only == []
    assert (past.title, past.summary, [number for _, _, number in past.places]) == (
        "Tuesday",
        "dry",
        [past.places[0][2]],
    )
    assert "13800138000" not in repr(past)
    assert survey.past(ELSEWHERE) == survey.past(ANONYMOUS) == []


def test_the_map_opens_at_the_own_communities(town):  # noqa: ARG001
    home = survey.home(SECRETARY, now=NOON)

    assert (round(home.west, 3), round(home.north, 3)) == (106.64, 29.04)
    assert survey.home(Viewer((Grant(Role.SECRETARY),)), now=NOON) is None
    assert survey.home(Viewer((Grant(Role.SECRETARY, frozenset({"none"})),)), now=NOON) is None
