"""Projects on the real database: who may make one, what it joins, and a ledger that is never silently overdrawn."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid4, uuid5

import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geoapp.domain.boundaries import NewUnit
from geoapp.domain.matching import NeedFacts, ResourceFacts, ResourceKind, Span
from geoapp.domain.projects import Entry, Line, ProjectFacts, ProjectState
from geoapp.domain.values import OPERATOR, Grant, Name, Point, Privacy, Role, Viewer
from geoapp.errors import BadInput, Conflict, Incomplete, NotFound, NotYours, VersionNeeded
from geoapp.services import accounts, boundaries, lists, projects
from geoapp.services.projects import NewProject
from geoapp.store import session
from tests.builders import NOON, TODAY, a_category, a_place, an_issue, square, store

STAFF = Viewer((Grant(Role.COMMUNITY, frozenset({"C1"})),), None, "Li")
SECRETARY = Viewer((Grant(Role.SECRETARY, frozenset({"C1", "C2"})),), None, "Chen")
PLANNER = Viewer((Grant(Role.PLANNER),), None, "Zhou")
STEWARD = Viewer((Grant(Role.STEWARD, frozenset({"C1"})),), None, "Liu")
ELSEWHERE = Viewer((Grant(Role.COMMUNITY, frozenset({"C9"})),), None, "Zhao")
OFFICER = Viewer((Grant(Role.UNIT, None, "U1"),), None, "Wang")
PUBLIC = Viewer()
AREA = shapely.box(106.641, 29.021, 106.645, 29.025)


@pytest.fixture(autouse=True)
def ground(app):  # noqa: ARG001 - the database must be connected
    a_category()
    a_place("S1", square(106.60, 29.00, 0.2), kind="street")
    for code, west in (("C1", 106.64), ("C2", 106.66), ("C9", 106.70)):
        a_place(code, square(west, 29.02))
    with session.transaction() as db:
        db.execute(text("UPDATE place SET parent_id = (SELECT id FROM place WHERE code = 'S1') WHERE code <> 'S1'"))
    boundaries.store_units(OPERATOR, [NewUnit("U1", Name("", "U1")), NewUnit("U2", Name("", "U2"))], today=TODAY)
    store(
        an_issue("1"), an_issue("2", point=Point(106.67, 29.03)), an_issue("3", point=Point(106.71, 29.03)),
        an_issue("hidden", privacy=Privacy.PRIVATE, point=Point(106.71, 29.031)),
    )  # fmt: skip


def number(name):
    with session.snapshot() as db:
        return db.execute(
            text("SELECT number FROM issue WHERE id = :id"), {"id": uuid5(NAMESPACE_URL, name)}
        ).scalar_one()


def a_project(viewer=STAFF, **changes):
    known = {"title": "Pavement", "area": shapely.to_wkb(AREA), "cases": [number("1")]}
    return projects.create(viewer, NewProject(**{**known, **changes}), now=NOON)


def test_a_project_belongs_to_the_smallest_place_that_holds_its_cases():
    own = projects.get(STAFF, a_project()).row
    wide = projects.get(PLANNER, a_project(PLANNER, cases=[number("1"), number("2")])).row

    assert (own.place, own.cases, own.state) == ("C1", 1, ProjectState.PLANNED)
    assert (wide.place, wide.cases) == ("S1", 2)


def test_a_cluster_becomes_a_project_with_its_area_cost_range_and_origin():
    area = '{"type":"Polygon","coordinates":[[[106.641,29.021],[106.645,29.021],[106.645,29.025],[106.641,29.021]]]}'
    made = a_project(
        PLANNER, area=area, budget_low=Decimal(20000), budget_high=Decimal(35000),
        origin={"kind": "cluster", "eps_m": 150},
    )  # fmt: skip

    row = projects.get(PLANNER, made).row
    assert (row.budget_low, row.budget_high, row.origin) == (20000, 35000, {"kind": "cluster", "eps_m": 150})
    assert '"MultiPolygon"' in row.area


def test_the_same_project_sent_twice_is_one():
    named = uuid4()

    assert a_project(id=named) == a_project(id=named, title="Other") == named
    assert [(row.title, row.cases) for row in projects.listed(STAFF)] == [("Pavement", 1)]


def test_whoever_does_not_plan_here_makes_none():
    for viewer in (STEWARD, OFFICER, PUBLIC, ELSEWHERE):
        with pytest.raises(NotYours):
            a_project(viewer)


def test_a_right_in_one_community_is_none_for_the_street():
    with pytest.raises(NotYours):
        a_project(STAFF, cases=[number("1"), number("2")])


WRONG = [
    ("title", {"title": " "}),
    ("title", {"title": "x" * 201}),
    ("area", {"area": "{"}),
    ("area", {"area": b"\x00"}),
    ("area", {"area": '{"type":"Point","coordinates":[106.6,29.0]}'}),
    ("area", {"area": '{"type":"Polygon","coordinates":[[[500,29],[501,29],[501,30],[500,29]]]}'}),
    ("area", {"area": '{"type":"Polygon","coordinates":[[[106,29],[107,29],[106,29],[106,29]]]}'}),
    ("cases", {"cases": ["QJ-1999-000001"]}),
    ("cases", {"cases": ["x"] * 501}),
    ("budget_low", {"budget_low": Decimal(-1)}),
    ("budget_high", {"budget_low": Decimal(2), "budget_high": Decimal(1)}),
    ("ends", {"begins": TODAY, "ends": TODAY - timedelta(days=1)}),
    ("unit", {"unit": "U9"}),
    ("place", {"cases": []}),
]


def test_what_cannot_be_is_refused_with_its_field():
    for field, given in WRONG:
        with pytest.raises(BadInput) as wrong:
            a_project(**given)
        assert wrong.value.field == field
    assert projects.listed(OPERATOR) == []


def test_an_issue_that_one_may_not_see_cannot_become_a_case():
    with pytest.raises(BadInput):
        a_project(STAFF, cases=[number("1"), number("hidden")])


def test_who_is_elsewhere_sees_no_project_and_a_unit_sees_its_own():
    own, other = a_project(unit="U1"), a_project(title="Other", unit="U2")

    assert projects.listed(ELSEWHERE) == projects.listed(PUBLIC) == []
    assert [row.id for row in projects.listed(OFFICER)] == [own]
    for viewer in (ELSEWHERE, PUBLIC, OFFICER):
        with pytest.raises(NotFound):
            projects.get(viewer, other)
    assert not projects.get(OFFICER, own).row.may_change
    with pytest.raises(NotYours):
        projects.book(OFFICER, own, Line(Entry.PROMISED, "Fund", Decimal(1)), now=NOON)


def test_of_the_cases_one_sees_those_that_one_may_see():
    wide = a_project(PLANNER, cases=[number("1"), number("hidden")])

    assert [row.number for row in projects.get(STAFF, wide).cases] == [number("1")]
    assert len(projects.get(PLANNER, wide).cases) == 2


def test_facts_change_from_the_version_that_was_read():
    made = a_project()
    new = ProjectFacts("Pavement and lamps", area=shapely.to_wkb(AREA), state=ProjectState.RUNNING, unit="U1")

    projects.change(STAFF, made, new, version=1)

    row = projects.get(STAFF, made).row
    assert (row.title, row.state, row.unit, row.version) == ("Pavement and lamps", ProjectState.RUNNING, "U1", 2)
    with pytest.raises(Conflict):
        projects.change(STAFF, made, new, version=1)
    with pytest.raises(VersionNeeded):
        projects.change(STAFF, made, new, version=None)
    with pytest.raises(BadInput):
        projects.change(STAFF, made, replace(new, unit="U9"), version=2)
    with pytest.raises(NotFound):
        projects.change(ELSEWHERE, made, new, version=2)


def test_cases_come_and_go():
    made = a_project(SECRETARY)

    projects.add_case(SECRETARY, made, number("2"))
    assert [row.id for row in projects.of_issue(SECRETARY, number("2"))] == [made]
    projects.drop_case(SECRETARY, made, number("1"))

    assert [row.number for row in projects.get(SECRETARY, made).cases] == [number("2")]
    with pytest.raises(BadInput):
        projects.add_case(SECRETARY, made, "nothing")


def test_a_project_joins_needs_and_resources():
    made = a_project()
    need = lists.add_need(STAFF, "C1", NeedFacts(ResourceKind.CREW, "Two pavers"), now=NOON)
    crew = lists.add_resource(STAFF, "C1", ResourceFacts(ResourceKind.CREW, "Crew", unit="U2"), now=NOON)

    projects.add_need(STAFF, made, need)
    projects.use(STAFF, made, crew, amount=Decimal(2), first=TODAY, last=TODAY, note="two days")
    projects.use(STAFF, made, crew, amount=Decimal(3))

    whole = projects.get(STAFF, made)
    assert [one.title for one in whole.needs] == ["Two pavers"]
    assert [(one.name, one.amount, one.first, one.note) for one in whole.uses] == [("Crew", 3, None, "")]
    # Whose resource it uses sees the project.
    assert [row.id for row in projects.listed(Viewer((Grant(Role.UNIT, None, "U2"),)))] == [made]
    projects.release(STAFF, made, crew)
    assert projects.get(STAFF, made).uses == ()
    for wrong in (lambda: projects.add_need(STAFF, made, uuid4()), lambda: projects.use(STAFF, made, uuid4())):
        with pytest.raises(NotFound):
            wrong()
    with pytest.raises(BadInput):
        projects.use(STAFF, made, crew, amount=Decimal(-1))


def test_the_ledger_adds_up_by_source_and_in_all():
    made = a_project()
    for entry, source, amount in (
        ("promised", "Street", 20000), ("promised", "Owners", 5000), ("spent", "Street", 12500),
        ("spent", "Street", -500), ("promised", "Owners", -1000),
    ):  # fmt: skip
        projects.book(STAFF, made, Line(Entry(entry), source, Decimal(amount)), now=NOON)

    money = projects.get(STAFF, made).money
    row = projects.listed(STAFF)[0]
    assert [(one.source, one.promised, one.spent, one.left) for one in money.sources] == [
        ("Owners", 4000, 0, 4000), ("Street", 20000, 12000, 8000),
    ]  # fmt: skip
    assert (money.whole.promised, money.whole.spent, money.whole.left) == (24000, 12000, 12000)
    assert (row.promised, row.spent) == (24000, 12000)
    assert len(money.lines) == 5


def test_a_source_is_not_overdrawn_unless_that_is_meant_and_said_why():
    made = a_project()
    projects.book(STAFF, made, Line(Entry.PROMISED, "Street", Decimal(100)), now=NOON)
    too_much = Line(Entry.SPENT, "Street", Decimal(130))

    with pytest.raises(Incomplete) as refused:
        projects.book(STAFF, made, too_much, now=NOON)
    with pytest.raises(Incomplete) as silent:
        projects.book(STAFF, made, too_much, beyond=True, now=NOON)
    projects.book(STAFF, made, replace(too_much, note="bill came higher"), beyond=True, now=NOON)

    assert (refused.value.reason, refused.value.params["over"]) == ("overdrawn", "30.00")
    assert silent.value.reason == "needs_reason"
    assert projects.get(STAFF, made).money.whole.left == -30
    # Paying back is never refused, however deep it stands.
    projects.book(STAFF, made, Line(Entry.PROMISED, "Street", Decimal(10)), now=NOON)


WRONG_LINES = [
    ("source", Line(Entry.SPENT, "", Decimal(1))),
    ("source", Line(Entry.SPENT, "x" * 121, Decimal(1))),
    ("amount", Line(Entry.SPENT, "Street", Decimal(0))),
    ("amount", Line(Entry.SPENT, "Street", Decimal("nan"))),
    ("note", Line(Entry.SPENT, "Street", Decimal(1), "x" * 4001)),
]


def test_a_line_that_cannot_be_is_refused_with_its_field():
    made = a_project()

    for field, line in WRONG_LINES:
        with pytest.raises(BadInput) as wrong:
            projects.book(STAFF, made, line, now=NOON)
        assert wrong.value.field == field


def test_the_database_lets_nobody_change_the_ledger():
    made = a_project()
    projects.book(STAFF, made, Line(Entry.PROMISED, "Street", Decimal(100)), now=NOON)

    for statement in ("UPDATE money SET amount = 1", "DELETE FROM money"):
        with pytest.raises(DBAPIError), session.transaction() as db:
            db.execute(text(statement))


def test_who_wrote_a_line_and_who_made_a_project_is_told():
    accounts.add(OPERATOR, "li", "Li Min", "paving stones 62")
    with session.snapshot() as db:
        person = db.execute(text("SELECT id FROM person")).scalar_one()
    li = replace(STAFF, person=person)
    made = a_project(li)
    projects.book(li, made, Line(Entry.PROMISED, "Street", Decimal(1)), now=NOON)

    whole = projects.get(li, made)
    assert (whole.row.person, whole.money.lines[0].person) == ("Li Min", "Li Min")


def test_a_resource_has_days():
    made = lists.add_resource(
        STAFF, "C1", ResourceFacts(ResourceKind.PLACE, "Hall", free=(Span(TODAY, None), Span(None, TODAY))), now=NOON
    )

    assert lists.resource(STAFF, made).facts.free == (Span(None, TODAY), Span(TODAY, None))
