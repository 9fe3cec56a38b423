"""Editing on the real database: what was before is kept apart, a new place is judged anew, amounts are exact."""

from decimal import Decimal
from uuid import UUID

import pytest

from geoapp.domain.boundaries import NewUnit
from geoapp.domain.editing import Cost, Facts
from geoapp.domain.values import ANONYMOUS, OPERATOR, Grant, IssueState, Name, Point, Privacy, Role, Viewer
from geoapp.errors import BadInput, Conflict, NotFound, NotYours, Refused, VersionNeeded
from geoapp.services import accounts, audit, boundaries, clocks, editing, issues, saved
from tests.builders import NOON, TODAY, a_category, a_jurisdiction, a_place, an_issue, square, store

STAFF = Viewer((Grant(Role.COMMUNITY, frozenset({"C1"})),), UUID(int=7), "Chen")
OFFICER = Viewer((Grant(Role.UNIT, None, "U1"),), UUID(int=8), "Wu")
FAR = Point(106.75, 29.03)


@pytest.fixture
def issue(app, settings):  # noqa: ARG001 - the database must be connected
    a_category("road")
    a_category("waste")
    a_place("C1", square(106.64, 29.02))
    a_place("C2", square(106.74, 29.02))
    boundaries.store_units(OPERATOR, [NewUnit("U1", Name("", "U1"))], today=TODAY)
    a_jurisdiction("U1", square(106.64, 29.02))
    store(an_issue("1", text_released=False, unit="U1"))
    calendar = clocks.read_calendar(settings.calendar_file, settings.zone)
    return One(settings.zone, calendar)


class One:
    def __init__(self, zone, calendar):
        self.zone, self.calendar, self.name = zone, calendar, str(an_issue("1").id)

    def seen(self, viewer=OPERATOR):
        return issues.get(viewer, self.name, zone=self.zone).detail

    def edit(self, version=1, viewer=STAFF, **change):
        return editing.edit(
            viewer, self.name, Facts(**change), version=version, now=NOON, calendar=self.calendar
        ).version

    def cost(self, cost, version=1, viewer=STAFF):
        return editing.enter_cost(viewer, self.name, cost, version=version, now=NOON, zone=self.zone).version

    def release(self, version=1, viewer=STAFF, *, released=True):
        return editing.release(viewer, self.name, released=released, version=version, now=NOON, zone=self.zone).version

    def open(self, viewer=STAFF):
        return editing.editable(viewer, self.name, zone=self.zone)


def test_the_original_is_kept_for_staff_and_stands_in_no_history(issue):
    issue.edit(title="Kerb broken", text="call nobody")

    assert (issue.seen().row.title, issue.seen().text) == ("Kerb broken", "call nobody")
    assert [(one.field, one.before, one.after) for one in issue.open().revisions] == [
        ("text", "说明 1", "call nobody"), ("title", "人行道破损 1", "Kerb broken"),
    ]  # fmt: skip
    line = issue.seen().history[-1]
    assert (line.action, line.internal, line.detail) == ("edit", True, {"fields": ["text", "title"]})
    assert issue.seen(ANONYMOUS).history == ()
    assert audit.verify(OPERATOR).breaks == ()


def test_what_does_not_differ_is_no_change(issue):
    assert issue.edit(title="人行道破损 1", severity=2) == 1
    assert issue.open().revisions == ()


def test_a_new_place_is_judged_anew(issue):
    version = issue.edit(point=FAR)

    row = issue.seen().row
    assert (row.community, row.verdict, (row.lon, row.lat)) == ("C2", "orphan", (FAR.lon, FAR.lat))
    assert row.version == version
    assert [line.action for line in issue.seen().history] == ["edit", "judge"]


def test_a_place_made_private_leaves_the_map_and_comes_back_blurred(issue):
    version = issue.edit(privacy=Privacy.PRIVATE)
    with pytest.raises(NotFound):
        issue.seen(ANONYMOUS)
    issue.edit(version, privacy=Privacy.BLURRED)

    assert issue.seen(ANONYMOUS).row.lon != issue.seen().row.lon


def test_words_are_public_when_they_are_released_and_no_longer_when_taken_back(issue):
    titles = [issue.seen(ANONYMOUS).row.title]
    version = issue.release()
    titles.append(issue.seen(ANONYMOUS).row.title)
    issue.release(version, released=False)
    titles.append(issue.seen(ANONYMOUS).row.title)

    assert titles == [None, "人行道破损 1", None]
    assert issue.release(3, released=False) == 3


def test_costs_are_exact_and_told_in_the_history(issue):
    issue.cost(Cost(Decimal("12000.10"), None, "社区资金"), viewer=OFFICER)

    found = issue.open().cost
    assert found == Cost(Decimal("12000.10"), None, "社区资金")
    assert issue.seen(ANONYMOUS).history[-1].detail == {"planned": "12000.10", "spent": None, "fund": "社区资金"}
    assert issue.cost(found, version=2) == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"text": "x" * 4001}, "text"),
        ({"address": "a\x00"}, "address"),
        ({"severity": 9}, "severity"),
        ({"category": "nothing"}, "category"),
    ],
)
def test_a_change_that_cannot_be_names_its_field_and_changes_nothing(issue, change, field):
    with pytest.raises(BadInput) as refusal:
        issue.edit(**change)

    assert (refusal.value.field, issue.seen().row.version) == (field, 1)


@pytest.mark.parametrize(
    "cost", [Cost(Decimal(-1)), Cost(None, Decimal("NaN")), Cost(Decimal("1e12")), Cost(fund="x" * 201)]
)
def test_a_cost_that_cannot_be_is_refused(issue, cost):
    with pytest.raises(BadInput):
        issue.cost(cost)


def test_only_whoever_may_changes_and_only_what_was_read(issue):
    for act, error in (
        (lambda: issue.edit(title="x", viewer=OFFICER), NotYours),
        (lambda: issue.edit(9, title="x"), Conflict),
        (lambda: issue.edit(None, title="x"), VersionNeeded),
        (lambda: issue.cost(Cost(Decimal(1)), viewer=Viewer()), NotYours),
        (lambda: issue.release(viewer=OFFICER), NotYours),
    ):
        with pytest.raises(error):
            act()
    assert issue.open(ANONYMOUS) is None
    assert (issue.open(OFFICER).may_cost, issue.open(OFFICER).may_edit) == (True, False)


def test_a_merged_issue_is_not_edited(issue):
    store(an_issue("2", state=IssueState.DUPLICATE, ended_at=NOON))
    issue.name = str(an_issue("2").id)

    with pytest.raises(Refused):
        issue.edit(title="x")


# --- filters ---


def test_a_filter_is_kept_renamed_and_forgotten_by_its_owner_alone(app):  # noqa: ARG001
    person = accounts.add(OPERATOR, "li", "Li", "paving stones 62")
    li = Viewer((Grant(Role.SUPERVISOR),), person)
    kept = saved.keep(li, " Late ", "state=open")
    saved.keep(li, "Late ones", "state=open&in=all", id=kept.id)

    assert [(one.name, one.query) for one in saved.of(li)] == [("Late ones", "state=open&in=all")]
    for act, error in (
        (lambda: saved.forget(Viewer(), kept.id), NotFound),
        (lambda: saved.forget(li, UUID(int=1)), NotFound),
        (lambda: saved.keep(Viewer(), "x", ""), NotYours),
        (lambda: saved.keep(li, " ", ""), BadInput),
        (lambda: saved.keep(li, "x" * 61, ""), BadInput),
        (lambda: saved.keep(li, "x", "y" * 5000), BadInput),
    ):
        with pytest.raises(error):
            act()
    for number in range(saved.MOST - 1):
        saved.keep(li, str(number), "")
    with pytest.raises(BadInput):
        saved.keep(li, "one more", "")
    saved.forget(li, kept.id)
    assert len(saved.of(li)) == saved.MOST - 1
    assert saved.of(ANONYMOUS) == []
