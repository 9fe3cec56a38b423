"""What comes back from the field: stored once, nothing of anybody else overwritten, told by the histories."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, time, timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
import shapely
from PIL import Image
from sqlalchemy import text

from geoapp.domain import permissions
from geoapp.domain.editing import Facts
from geoapp.domain.fieldwork import Base, CheckIn, Fate, Finding, Kind, Seen, Signature, Told
from geoapp.domain.reports import Reporter, Submission
from geoapp.domain.values import OPERATOR, Grant, Phase, Point, Role, Viewer
from geoapp.domain.visiting import Draft, DraftStop
from geoapp.domain.workflow import Given
from geoapp.errors import BadInput, Conflict, NotFound, NotYours, Refused
from geoapp.services import audit, clocks, editing, fieldwork, issues, triage, visits
from geoapp.services.fieldwork import Extent, Settling, Snap
from geoapp.services.settlements import Draft as Settlement
from geoapp.store import session
from tests.builders import CENTRE, NOON, TODAY, a_category, a_jurisdiction, a_place, an_issue, square, store

SECRETARY = Viewer((Grant(Role.SECRETARY, frozenset({"C1"})),), UUID(int=7), "Li")
ELSEWHERE = Viewer((Grant(Role.SECRETARY, frozenset({"C2"})),), UUID(int=9), "He")
STAFF = Viewer((Grant(Role.COMMUNITY, frozenset({"C1"})),), UUID(int=10), "Chen")
VISIT = UUID(int=100)
LINE = shapely.LineString([(106.65, 29.03), (106.651, 29.03)])
HERE = CheckIn(Point(106.6501, 29.03), 12.0)
INK = (Signature("王强", "城管局", (((1, 2), (300, 400)), ((5, 5),))),)
BASE = Base(1, 1)


@pytest.fixture
def town(app, settings):  # noqa: ARG001 - the database must be connected
    a_category("road")
    a_place("C1", square(106.64, 29.02))
    a_place("C2", square(106.66, 29.02))
    a_jurisdiction("U1", square(106.64, 29.02))
    a_jurisdiction("U2", square(106.64, 29.02))
    store(an_issue("1"), an_issue("2", point=Point(106.652, 29.03)), an_issue("other"))
    calendar = clocks.read_calendar(settings.calendar_file, settings.zone)
    stops = tuple(DraftStop(an_issue(name).id) for name in ("1", "2"))
    plan = Draft(title="Tuesday", on_day=TODAY, starts_at=time(9), start=CENTRE, stops=stops, by_hand=True)
    visits.create(SECRETARY, plan, id=VISIT, now=NOON, zone=settings.zone)
    return SimpleNamespace(calendar=calendar, zone=settings.zone, photos=settings.photos_dir)


def send(town, what, *, kind, name="1", base=BASE, viewer=SECRETARY, visit=VISIT, body=None, **changes):
    told = Told(uuid4(), an_issue(name).id, kind, NOON, base, body or {"said": str(what)[:50]})
    told = replace(told, **changes)
    return fieldwork.record(
        viewer, visit, told, what, folder=town.photos, prefix="QJ", now=NOON, calendar=town.calendar
    )  # fmt: skip


def check_in(town, **how):
    return send(town, HERE, kind=Kind.CHECK_IN, **how)


def redraw(town, **how):
    return send(town, Extent(LINE), kind=Kind.EXTENT, body={"extent": shapely.geometry.mapping(LINE)}, **how)


def settle(town, **how):
    area = square(106.649, 29.029, 0.002)
    draft = Settlement("U2", area, ("road",), note="Agreed on site", participants="王强")
    return send(town, Settling(draft, INK), kind=Kind.SETTLEMENT, **how)


def somebody_else_edits(town, name="1"):
    version = issues.get(OPERATOR, str(an_issue(name).id), zone=town.zone).detail.row.version
    return editing.edit(
        STAFF, str(an_issue(name).id), Facts(title="Another title"), version=version, now=NOON, calendar=town.calendar
    )


def stored(sql, **binds):
    with session.snapshot() as db:
        return [tuple(row) for row in db.execute(text(sql), binds)]


def rows(table):
    return stored(f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608 - the tests' own words


def seq(name="1"):
    ((found,),) = stored("SELECT history_seq FROM issue WHERE id = :id", id=an_issue(name).id)
    return found


def picture(shade=90):
    out = io.BytesIO()
    Image.new("RGB", (60, 40), (shade, 120, 90)).save(out, "JPEG")
    return out.getvalue()


def test_a_check_in_tells_how_far_from_the_stop_the_phone_was(town):
    answer = check_in(town)

    (arrived,) = fieldwork.journal(SECRETARY, VISIT).arrivals
    assert (answer.fate, answer.meanwhile, answer.replayed) == (Fate.STORED, False, False)
    assert arrived.distance_m == pytest.approx(9.7, abs=0.2)
    assert (arrived.accuracy_m, arrived.at) == (12.0, NOON)


@pytest.mark.parametrize("act", [check_in, redraw, settle], ids=["check-in", "extent", "settlement"])
def test_the_same_record_sent_by_many_at_once_is_stored_once_and_answered_alike(town, act):
    one = uuid4()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: act(town, id=one), range(6)))

    assert {(answer.id, answer.fate, answer.number) for answer in answers} == {(one, Fate.STORED, answers[0].number)}
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 5
    assert stored("SELECT count(*) FROM field_record") == [(1,)]
    assert rows("check_in") == (act is check_in)
    assert rows("settlement") == (act is settle)


def test_another_record_of_the_same_id_is_refused(town):
    one = uuid4()
    check_in(town, id=one)

    with pytest.raises(Refused, match="id_taken"):
        check_in(town, id=one, body={"said": "something else"})
    assert stored("SELECT count(*) FROM check_in") == [(1,)]


def test_a_photo_sent_twice_is_one_photo_and_another_of_its_id_is_refused(town):
    one = uuid4()
    snap = Snap(picture(), Phase.DURING, "Dug up")
    first = send(town, snap, kind=Kind.PHOTO, id=one, body={"phase": "during"})
    again = send(town, snap, kind=Kind.PHOTO, id=one, body={"phase": "during"})

    with pytest.raises(Refused, match="id_taken"):
        send(town, Snap(picture(10), Phase.DURING, "Dug up"), kind=Kind.PHOTO, id=one, body={"phase": "during"})
    assert (first.replayed, again.replayed) == (False, True)
    assert stored("SELECT id, phase, caption FROM photo") == [(one, "during", "Dug up")]
    assert stored("SELECT count(*) FROM history WHERE action = 'photo'") == [(1,)]


def test_a_finding_is_told_to_staff_and_not_to_the_public(town):
    found = Finding(Seen.WORSE, "The slab has sunk", {"wide": 2, "lit": True}, "Fence it off", date(2026, 12, 1))
    send(town, found, kind=Kind.FINDING)

    (kept,) = fieldwork.journal(SECRETARY, VISIT).findings
    assert (kept.seen, kept.words, dict(kept.answers)) == (Seen.WORSE, "The slab has sunk", {"wide": 2, "lit": True})
    assert (kept.follow_up, kept.due) == ("Fence it off", date(2026, 12, 1))
    assert stored("SELECT note, internal FROM history WHERE action = 'note'") == [("The slab has sunk", True)]
    assert audit.verify(OPERATOR).breaks == ()


def test_what_adds_is_stored_though_the_issue_has_changed_and_is_marked(town):
    base = Base(1, seq())
    somebody_else_edits(town)

    answers = [
        check_in(town, base=base),
        send(town, Finding(words="Wet"), kind=Kind.FINDING, base=base),
        send(town, Snap(picture(), Phase.BEFORE), kind=Kind.PHOTO, base=base),
    ]

    assert {(answer.fate, answer.meanwhile) for answer in answers} == {(Fate.STORED, True)}
    assert [rows(table) for table in ("check_in", "finding", "photo")] == [1, 1, 1]


def test_what_changes_is_applied_when_nobody_else_has_changed_the_issue(town):
    base = Base(1, seq())
    send(town, Snap(picture(), Phase.BEFORE), kind=Kind.PHOTO, base=base)
    send(town, Finding(words="Wet"), kind=Kind.FINDING, base=base)

    drawn = redraw(town, base=base)
    settled = settle(town, base=base)

    assert (drawn.fate, settled.fate) == (Fate.STORED, Fate.STORED)
    assert issues.get(SECRETARY, settled.number, zone=town.zone).detail.length_m == pytest.approx(97.4, abs=0.5)
    assert stored("SELECT participants FROM settlement") == [("王强",)]
    (signed,) = fieldwork.journal(SECRETARY, VISIT).signatures
    assert (signed.name, signed.unit, signed.strokes) == ("王强", "城管局", INK[0].strokes)


@pytest.mark.parametrize("act", [redraw, settle], ids=["extent", "settlement"])
def test_what_changes_is_kept_as_a_conflict_when_somebody_else_was_there_and_overwrites_nothing(town, act):
    base = Base(1, seq())
    somebody_else_edits(town)
    one = uuid4()

    answer = act(town, base=base, id=one)

    again = act(town, base=base, id=one)
    (clash,) = fieldwork.journal(SECRETARY, VISIT).clashes
    assert (answer.fate, again.fate, again.replayed) == (Fate.CONFLICT, Fate.CONFLICT, True)
    assert (clash.mine.id, [change.action for change in clash.theirs]) == (one, ["edit"])
    assert stored("SELECT count(*) FROM settlement") == [(0,)]
    assert stored("SELECT count(*) FROM issue WHERE extent IS NOT NULL") == [(0,)]


def decide(town, record, choice, *, viewer=SECRETARY, at=None, visit=VISIT):
    area = square(106.649, 29.029, 0.002)

    def what(held):
        if held.kind is Kind.EXTENT:
            return Extent(LINE)
        return Settling(Settlement("U2", area, ("road",), note="Agreed"), INK)

    return fieldwork.decide(
        viewer, visit, an_issue().id, record, choice=choice, what=what, seq=seq() if at is None else at, now=NOON,
        calendar=town.calendar,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("act", "table"), [(redraw, "issue WHERE extent IS NOT NULL"), (settle, "settlement")], ids=["extent", "settlement"]
)
@pytest.mark.parametrize(("choice", "applied"), [("mine", 1), ("theirs", 0)])
def test_a_person_decides_a_conflict_and_deciding_twice_is_deciding_once(town, act, table, choice, applied):
    base, one = Base(1, seq()), uuid4()
    somebody_else_edits(town)
    act(town, base=base, id=one)

    first = decide(town, one, choice)
    again = decide(town, one, choice)

    sent_again = act(town, base=base, id=one)
    assert (first.fate, again.replayed, sent_again.fate) == (choice, True, choice)
    assert rows(table) == applied
    assert fieldwork.journal(SECRETARY, VISIT).clashes == ()
    assert audit.verify(OPERATOR).breaks == ()
    with pytest.raises(Refused, match="conflict_decided"):
        decide(town, one, {"mine": "theirs", "theirs": "mine"}[choice])


def test_a_conflict_that_has_changed_again_is_looked_at_again_before_it_is_decided(town):
    base, one = Base(1, seq()), uuid4()
    somebody_else_edits(town)
    redraw(town, base=base, id=one)
    shown = fieldwork.clash(SECRETARY, VISIT, an_issue().id, one).seq
    triage.act(
        STAFF, str(an_issue().id), "note", Given(note="Wait"), now=NOON, calendar=town.calendar,
        version=issues.get(STAFF, str(an_issue().id), zone=town.zone).detail.row.version,
    )  # fmt: skip

    with pytest.raises(Conflict):
        decide(town, one, "mine", at=shown)
    with pytest.raises(BadInput, match="choice"):
        decide(town, one, "both")
    with pytest.raises(NotFound):
        decide(town, uuid4(), "mine")
    with pytest.raises(NotFound):
        decide(town, one, "mine", viewer=ELSEWHERE)


def test_a_new_issue_on_the_way_is_made_once_and_belongs_to_the_visit(town):
    one = uuid4()
    told = Submission(one, "road", Point(106.651, 29.031), Reporter("k" * 30), title="Open manhole")

    def report():
        return send(town, told, kind=Kind.ISSUE, id=one, issue=one, base=None, body={"title": "Open manhole"})

    first, again = report(), report()
    photo = send(town, Snap(picture(), Phase.BEFORE), kind=Kind.PHOTO, issue=one, base=None, body={"phase": "before"})

    assert (first.replayed, again.replayed, first.number) == (False, True, again.number)
    assert photo.number == first.number
    assert stored("SELECT count(*) FROM issue WHERE title = 'Open manhole'") == [(1,)]
    with pytest.raises(Refused, match="id_taken"):
        send(town, replace(told, title="Another"), kind=Kind.ISSUE, id=one, issue=one, base=None, body={"t": "Another"})


def test_what_broke_off_between_report_and_envelope_is_made_up_for(town):
    one = uuid4()
    told = Submission(one, "road", Point(106.651, 29.031), Reporter("k" * 30), title="Open manhole")
    send(town, told, kind=Kind.ISSUE, id=one, issue=one, base=None)
    with session.transaction() as db:
        db.execute(text("DELETE FROM field_record"))

    again = send(town, told, kind=Kind.ISSUE, id=one, issue=one, base=None)

    assert again.replayed
    assert stored("SELECT kind FROM field_record") == [("issue",)]


def test_of_another_s_visit_nothing_is_there(town):
    for act in (check_in, redraw, settle):
        with pytest.raises(NotFound):
            act(town, viewer=ELSEWHERE)
        with pytest.raises(NotFound):
            act(town, visit=uuid4())
    with pytest.raises(NotFound):
        fieldwork.journal(ELSEWHERE, VISIT)
    with pytest.raises(NotFound):
        fieldwork.journal(STAFF, VISIT)
    assert stored("SELECT count(*) FROM field_record") == [(0,)]


def test_an_issue_that_is_no_stop_takes_no_record(town):
    with pytest.raises(BadInput, match="not_a_stop"):
        check_in(town, name="other")
    with pytest.raises(BadInput, match="not_a_stop"):
        send(town, Snap(picture(), Phase.BEFORE), kind=Kind.PHOTO, name="other")


@pytest.mark.parametrize(
    ("what", "kind", "field"),
    [
        (Finding(), Kind.FINDING, "words"),
        (Finding(words="x" * 4001), Kind.FINDING, "words"),
        (Finding(words="\x07"), Kind.FINDING, "words"),
        (Finding(words="x", answers={"q": None}), Kind.FINDING, "answers"),
        (Finding(words="x", due=date(2026, 12, 1)), Kind.FINDING, "follow_up"),
        (Snap(b"no photo", Phase.BEFORE), Kind.PHOTO, "photo"),
        (Snap(b"", Phase.BEFORE), Kind.PHOTO, "photo"),
        (Snap(picture(), Phase.BEFORE, "x" * 201), Kind.PHOTO, "caption"),
        (Extent(shapely.LineString([(0, 0), (50, 50)])), Kind.EXTENT, "extent"),
        (Settling(Settlement("U2", square(106.649, 29.029, 0.002), note="x"), ()), Kind.SETTLEMENT, "signatures"),
        (Settling(Settlement("U9", square(106.649, 29.029, 0.002), note="x"), INK), Kind.SETTLEMENT, "unit"),
        (Settling(Settlement("U2", square(90, 20, 9.0), note="x"), INK), Kind.SETTLEMENT, "area"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_its_field_and_leaves_nothing(town, what, kind, field):
    with pytest.raises(BadInput) as refusal:
        send(town, what, kind=kind, base=Base(1, seq()))

    assert refusal.value.field == field
    assert stored("SELECT count(*) FROM field_record") == [(0,)]


def test_a_change_without_what_it_was_made_from_is_refused_and_so_is_one_from_the_future(town):
    with pytest.raises(BadInput, match="base"):
        redraw(town, base=None)
    with pytest.raises(BadInput, match="in_the_future"):
        check_in(town, at=NOON + timedelta(days=2))


def test_a_settlement_that_needs_a_reason_is_refused_and_leaves_nothing(town):
    draft = Settlement("U2", square(106.649, 29.029, 0.002), ("road",))
    with pytest.raises(Refused, match="needs_reason"):
        send(town, Settling(draft, INK), kind=Kind.SETTLEMENT, base=Base(1, seq()))
    assert stored("SELECT count(*) FROM field_record") == [(0,)]


def test_a_follow_up_is_ticked_off_once_and_only_by_whoever_may_visit(town):
    one = uuid4()
    send(town, Finding(words="Wet", follow_up="Pump it dry"), kind=Kind.FINDING, id=one)

    def tick(viewer=SECRETARY, finding=one):
        return fieldwork.tick(viewer, VISIT, an_issue().id, finding, now=NOON, calendar=town.calendar)

    assert [tick(), tick()] == [True, False]
    assert fieldwork.journal(SECRETARY, VISIT).findings[0].done_at == NOON
    with pytest.raises(NotFound):
        tick(finding=uuid4())
    with pytest.raises(NotFound):
        tick(viewer=ELSEWHERE)


def test_whoever_sees_the_visit_but_may_not_settle_is_refused(town, monkeypatch):
    less = {Role.SECRETARY: {permissions.Scope.COMMUNITY: permissions.TABLE[Role.SECRETARY][
        permissions.Scope.COMMUNITY] - {permissions.Right.SETTLE, permissions.Right.PHOTO}}}  # fmt: skip
    monkeypatch.setattr(permissions, "TABLE", {**permissions.TABLE, **less})

    with pytest.raises(NotYours):
        settle(town, base=Base(1, seq()))
    with pytest.raises(NotYours):
        send(town, Snap(picture(), Phase.BEFORE), kind=Kind.PHOTO)
