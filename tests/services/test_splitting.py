"""An issue that needs several units: its parts are issues of their own, and it waits for them all."""

from dataclasses import replace
from uuid import UUID

import pytest

from geoapp.domain.boundaries import NewUnit
from geoapp.domain.values import ANONYMOUS, OPERATOR, Grant, IssueState, Name, Point, Role, Viewer
from geoapp.domain.workflow import Given
from geoapp.errors import BadInput, Conflict, Incomplete, NotFound, NotYours, Refused, VersionNeeded
from geoapp.services import audit, boundaries, clocks, issues, splitting, triage
from geoapp.services.splitting import Part
from tests.builders import CENTRE, NOON, TODAY, a_category, a_place, an_issue, square, store

STAFF = Viewer((Grant(Role.COMMUNITY, frozenset({"C1"})),), UUID(int=7), "Chen")
OTHERS = Viewer((Grant(Role.COMMUNITY, frozenset({"C2"})),), UUID(int=8), "Wu")
PARTS = (
    Part(UUID(int=1), "Pipes of tower 1", unit="U1"),
    Part(UUID(int=2), "Pump", point=Point(106.651, 29.031), unit="U2", helping=("U1",)),
    Part(UUID(int=3), "Paint"),
)


@pytest.fixture
def desk(app, settings):  # noqa: ARG001 - the database must be connected
    calendar = clocks.read_calendar(settings.calendar_file, settings.zone)
    a_category("road")
    a_place("C1", square(106.64, 29.02))
    boundaries.store_units(OPERATOR, [NewUnit(code, Name("", code)) for code in ("U1", "U2")], today=TODAY)
    store(an_issue("towers"))
    return Desk(settings.zone, calendar)


class Desk:
    def __init__(self, zone, calendar):
        self.zone, self.calendar = zone, calendar
        self.number = self.find("towers").row.number

    def find(self, name, viewer=OPERATOR):
        issue = an_issue(name).id if name == "towers" else name
        return issues.get(viewer, str(issue), zone=self.zone).detail

    def split(self, parts=PARTS, viewer=STAFF, version=1):
        return splitting.split(
            viewer, self.number, parts, version=version, prefix="QJ", now=NOON, calendar=self.calendar
        )

    def act(self, name, action, given=None, viewer=OPERATOR):
        version = triage.work_on(viewer, str(name), zone=self.zone).version
        return triage.act(
            viewer, str(name), action, given or Given(note="x"), version=version, now=NOON, calendar=self.calendar
        )

    def end(self, part):
        self.act(part, "duplicate", Given(original=an_issue("towers").id))


def test_each_part_is_an_issue_of_its_own_and_dispatched_to_its_unit(desk):
    desk.split()

    whole, pipes, pump, paint = (desk.find(name) for name in ("towers", UUID(int=1), UUID(int=2), UUID(int=3)))
    assert whole.row.state is IssueState.HANDLING
    assert [part.number for part in whole.parts] == [one.row.number for one in (pipes, pump, paint)]
    assert [one.row.state for one in (pipes, pump, paint)] == [
        IssueState.DISPATCHED, IssueState.DISPATCHED, IssueState.ACCEPTED,
    ]  # fmt: skip
    assert (pipes.row.unit, pump.row.unit, paint.row.unit) == ("U1", "U2", None)
    assert (pipes.row.lon, pump.row.lon) == (CENTRE.lon, 106.651)
    assert {one.part_of for one in (pipes, pump, paint)} == {whole.row.number}
    assert [line.action for line in pump.history] == ["report", "accept", "dispatch"]
    assert audit.verify(OPERATOR).breaks == ()


def test_the_same_split_sent_again_is_answered_as_before(desk):
    first, again = desk.split(), desk.split()

    assert (first.state, again.state, len(desk.find("towers").parts)) == (IssueState.HANDLING, IssueState.HANDLING, 3)


def test_the_whole_waits_for_its_parts_and_is_verified_when_the_last_has_ended(desk):
    desk.split([replace(part, unit=None, helping=()) for part in PARTS])
    with pytest.raises(Refused, match="work_is_in_parts"):
        desk.act("QJ-2026-000001", "report_done")
    states = []
    for part in PARTS:
        desk.end(part.id)
        states.append(desk.find("towers").row.state)

    assert states == [IssueState.HANDLING, IssueState.HANDLING, IssueState.DONE]
    desk.act(PARTS[0].id, "restore")
    assert desk.find("towers").row.state is IssueState.HANDLING
    desk.end(PARTS[0].id)
    desk.act("QJ-2026-000001", "close", viewer=STAFF)
    assert desk.find("towers").row.state is IssueState.CLOSED
    assert audit.verify(OPERATOR).breaks == ()


def test_the_public_sees_the_parts_that_are_public(desk):
    desk.split()

    seen = desk.find("towers", ANONYMOUS)
    assert [part.title for part in seen.parts] == ["Pipes of tower 1", "Pump", "Paint"]


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        (PARTS[:1], Incomplete),
        (PARTS * 2, BadInput),
        ((PARTS[0], replace(PARTS[1], title=" ")), BadInput),
        ((PARTS[0], replace(PARTS[1], title="x" * 201)), BadInput),
        ((PARTS[0], replace(PARTS[1], unit="U9")), BadInput),
        ((PARTS[0], replace(PARTS[1], unit="U1")), BadInput),
        ((PARTS[0], replace(PARTS[1], category="nothing")), BadInput),
        ((PARTS[0], replace(PARTS[1], id=an_issue("towers").id)), Refused),
    ],
)
def test_a_split_that_cannot_be_leaves_nothing_behind(desk, parts, error):
    with pytest.raises(error):
        desk.split(parts)

    assert desk.find("towers").parts == ()
    assert desk.find("towers").row.version == 1


def test_only_whoever_may_splits_and_only_what_was_read(desk):
    for viewer, version, error in (
        (OTHERS, 1, NotYours), (ANONYMOUS, 1, NotYours), (STAFF, 9, Conflict), (STAFF, None, VersionNeeded),
    ):  # fmt: skip
        with pytest.raises(error):
            desk.split(viewer=viewer, version=version)
    desk.number = "QJ-2026-999999"
    with pytest.raises(NotFound):
        desk.split()


def test_a_part_is_not_split_again(desk):
    desk.split()
    desk.number = desk.find(PARTS[2].id).row.number
    parts = (replace(PARTS[0], id=UUID(int=11)), replace(PARTS[1], id=UUID(int=12)))

    with pytest.raises(Refused, match="is_a_part"):
        desk.split(parts, version=desk.find(PARTS[2].id).row.version)
