import pytest

from geoapp.domain.permissions import (
    TABLE,
    Right,
    Scope,
    Sight,
    Subject,
    communities_of,
    grants_for,
    may,
    may_anywhere,
    sight,
    works_for_its_unit,
)
from geoapp.domain.values import ANONYMOUS, OPERATOR, Grant, Role, Viewer

HERE, THERE = Subject("C1", "U1", frozenset({"U2"})), Subject("C9", "U9")


def a_viewer(role: Role, *, communities=frozenset({"C1"}), unit=None) -> Viewer:
    return Viewer((Grant(role, communities, unit),))


def test_every_role_has_a_row():
    assert set(TABLE) == set(Role)


@pytest.mark.parametrize("right", Right)
def test_the_public_and_residents_have_no_right_on_the_desk(right):
    resident = a_viewer(Role.RESIDENT, communities=None)

    assert not may(ANONYMOUS, right, HERE)
    assert not may(resident, right, HERE)
    assert not may_anywhere(resident, right)
    assert may(OPERATOR, right, HERE)


@pytest.mark.parametrize("role", [role for role in Role if Right.VIEW in TABLE[role].get(Scope.COMMUNITY, ())])
def test_a_right_holds_in_the_communities_of_the_grant_and_nowhere_else(role):
    local, general = a_viewer(role), a_viewer(role, communities=None)

    assert may(local, Right.VIEW, HERE)
    assert not may(local, Right.VIEW, THERE)
    assert not may(local, Right.VIEW, Subject())
    assert may(general, Right.VIEW, THERE)


def test_an_officer_works_where_the_unit_leads_and_looks_on_where_it_helps():
    lead, helping, other = (a_viewer(Role.UNIT, communities=None, unit=unit) for unit in ("U1", "U2", "U3"))

    assert [may(viewer, Right.START, HERE) for viewer in (lead, helping, other)] == [True, False, False]
    assert [may(viewer, Right.VIEW, HERE) for viewer in (lead, helping, other)] == [True, True, False]
    assert not may(Viewer((Grant(Role.UNIT),)), Right.VIEW, Subject())


def test_no_right_reaches_from_one_grant_into_the_place_of_another():
    both = Viewer((Grant(Role.STEWARD, frozenset({"C1"})), Grant(Role.COMMUNITY, frozenset({"C9"}))))

    assert not may(both, Right.ACCEPT, HERE)
    assert may(both, Right.ACCEPT, THERE)
    assert grants_for(both, Right.VIEW, HERE) == (both.grants[0],)


def test_who_supervises_does_not_command():
    supervisor = a_viewer(Role.SUPERVISOR)

    assert [may(supervisor, right, HERE) for right in (Right.DISPATCH, Right.DECIDE, Right.CLOSE)] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("viewer", "seen"),
    [
        (ANONYMOUS, Sight(frozenset(), frozenset())),
        (OPERATOR, Sight(None, frozenset())),
        (a_viewer(Role.COMMUNITY), Sight(frozenset({"C1"}), frozenset())),
        (a_viewer(Role.UNIT, communities=None, unit="U1"), Sight(frozenset(), frozenset({"U1"}))),
        (a_viewer(Role.PLANNER, communities=None), Sight(None, frozenset())),
        (
            Viewer((Grant(Role.STEWARD, frozenset({"C1"})), Grant(Role.SECRETARY, frozenset({"C2"})))),
            Sight(frozenset({"C1", "C2"}), frozenset()),
        ),
    ],
)
def test_what_a_viewer_sees_in_full_is_the_sum_of_the_grants(viewer, seen):
    assert sight(viewer) == seen
    assert seen.is_nothing == (viewer == ANONYMOUS)


def test_whoever_works_for_a_unit_that_leads_or_helps_is_known():
    officers = [a_viewer(Role.UNIT, communities=None, unit=unit) for unit in ("U1", "U2", "U3")]

    assert [works_for_its_unit(viewer, HERE) for viewer in officers] == [True, True, False]
    assert not works_for_its_unit(officers[0], Subject())


def test_a_viewer_tells_its_roles():
    assert ANONYMOUS.is_public
    assert a_viewer(Role.RESIDENT).is_public
    assert not OPERATOR.is_public
    assert OPERATOR.has(Role.OPERATOR, Role.PLANNER)
    assert not OPERATOR.has(Role.PLANNER)


def test_where_a_right_holds_is_the_union_of_the_grants_that_give_it():
    two = Viewer((Grant(Role.COMMUNITY, frozenset({"C1"})), Grant(Role.COMMUNITY, frozenset({"C2"}))))

    assert communities_of(two, Right.RELEASE) == {"C1", "C2"}
    assert communities_of(a_viewer(Role.STEWARD), Right.RELEASE) == frozenset()
    assert communities_of(a_viewer(Role.ADMINISTRATOR, communities=None), Right.RELEASE) is None
    assert communities_of(ANONYMOUS, Right.RELEASE) == frozenset()
