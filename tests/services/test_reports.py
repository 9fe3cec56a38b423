import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import shapely
from sqlalchemy import text

from geoapp import config
from geoapp.domain.reports import Reporter, Submission
from geoapp.domain.values import ANONYMOUS, OPERATOR, Grant, IssueState, Point, Privacy, Role, Source, Viewer
from geoapp.domain.workflow import Given
from geoapp.errors import BadInput, BadSetting, NotFound, Refused, Unavailable
from geoapp.services import audit, clocks, issues, reports, triage
from geoapp.store import locks, session
from geoapp.store.locks import Lock
from tests.builders import CENTRE, a_category, a_jurisdiction, a_place, square

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
KEY = "0123456789abcdefghijklmnop"
TOLD = Submission(UUID(int=1 << 100), "road", CENTRE, Reporter(KEY, "Wang", "13800138000"), title="Broken kerb")


@pytest.fixture
def calendar(settings):
    return clocks.read_calendar(settings.calendar_file, ZONE)


@pytest.fixture
def submit(clean, calendar):  # noqa: ARG001 - a clean database
    a_category()
    with session.transaction() as opened:
        opened.execute(text("""UPDATE category SET deadlines = '{"verify": {"work_hours": 4}}'"""))
    a_place("C1", square(106.64, 29.02))
    a_jurisdiction("U1", square(106.64, 29.02))
    return lambda told=TOLD, viewer=ANONYMOUS: reports.submit(viewer, told, prefix="QJ", now=NOW, calendar=calendar)


def one(sql, **binds):
    with session.snapshot() as db:
        return db.execute(text(sql), binds).one()


def test_a_report_becomes_a_judged_issue_with_a_history_and_a_running_deadline(submit):
    done = submit()

    found = issues.get(OPERATOR, done.number, zone=ZONE)
    assert done.number == "QJ-2026-000001"
    assert (found.detail.row.state, found.detail.row.community, found.detail.row.verdict) == (
        IssueState.REPORTED, "C1", "clear",
    )  # fmt: skip
    assert [(line.action, line.actor) for line in found.detail.history] == [("report", "resident")]
    assert found.detail.row.stage
    assert audit.verify(OPERATOR).breaks == ()


def test_while_boundaries_change_a_new_report_waits_and_one_sent_again_does_not(submit):
    submit()
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with ThreadPoolExecutor(1) as pool:
        with session.transaction() as changing:
            locks.alone(changing, Lock.BOUNDARIES)
            new = pool.submit(submit, replace(TOLD, id=UUID(int=2 << 100)))
            while not one(waiting)[0] and not new.done():
                pass

            assert submit().replayed
            assert not new.done()
        assert new.result().number == "QJ-2026-000002"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({}, True),
        ({"DATABASE_URL": "postgresql://db.example.org/map"}, False),
        ({"DATABASE_URL": "postgresql://db.example.org/map", "PREPARED": "yes"}, True),
        ({"PREPARED": "no"}, False),
    ],
)
def test_plans_of_a_new_report_are_kept_where_nothing_lies_before_the_database(submit, db_url, said, kept):
    settings = config.read({f"GEOAPP_{name}": value for name, value in said.items()})
    session.connect(db_url, pool_size=1, prepared=settings.keeps_plans)
    for nth in range(8):
        submit(replace(TOLD, id=UUID(int=nth << 100)))
        issues.get(OPERATOR, "QJ-2026-000001", zone=ZONE)

    assert one("SELECT count(*) FROM pg_prepared_statements")[0] == (3 if kept else 0)


def test_whether_plans_are_kept_is_said_in_three_words():
    with pytest.raises(BadSetting, match="GEOAPP_PREPARED"):
        config.read({"GEOAPP_PREPARED": "maybe"})


def test_who_reported_is_stored_apart_and_the_public_reads_neither_words_nor_name(submit):
    done = submit()

    seen = issues.get(ANONYMOUS, done.number, zone=ZONE)
    assert seen.detail.row.title is None
    assert "13800138000" not in str(seen)
    assert one("SELECT name, contact, witness FROM report") == ("Wang", "13800138000", False)
    assert KEY.encode() not in bytes(one("SELECT key_hash FROM report")[0])


def test_a_thousand_submissions_from_a_hundred_threads_make_one_issue_and_the_same_answer(submit):
    gate = threading.Barrier(100)

    def insist():
        """As a telephone does: where all connections are busy it sends the same again."""
        while True:
            with contextlib.suppress(Unavailable):
                return submit()

    def ten(_):
        gate.wait()
        return [insist() for _ in range(10)]

    with ThreadPoolExecutor(100) as pool:
        answers = [done for found in pool.map(ten, range(100)) for done in found]

    assert len({(done.id, done.number, done.reported_at) for done in answers}) == 1
    assert sum(done.replayed for done in answers) == 999
    for table in ("issue", "history", "report"):
        assert one(f"SELECT count(*) FROM {table}") == (1,)  # noqa: S608


def test_another_report_cannot_take_an_id_or_learn_the_number_by_guessing_the_words(submit):
    submit()

    for other in (replace(TOLD, title="x"), replace(TOLD, reporter=replace(TOLD.reporter, key="x" * 30))):
        with pytest.raises(Refused) as refusal:
            submit(other)
        assert refusal.value.reason == "id_taken"


def test_a_place_is_at_least_as_private_as_its_category_says(submit):
    with session.transaction() as db:
        db.execute(text("UPDATE category SET privacy = 'blurred'"))

    blurred = submit(replace(TOLD, privacy=Privacy.PUBLIC))
    hidden = submit(replace(TOLD, id=UUID(int=2 << 100), privacy=Privacy.PRIVATE))

    assert issues.get(ANONYMOUS, blurred.number, zone=ZONE).detail.row.lon != CENTRE.lon
    with pytest.raises(NotFound):
        issues.get(ANONYMOUS, hidden.number, zone=ZONE)


def test_only_staff_can_say_that_a_call_brought_it(submit):
    steward = Viewer((Grant(Role.STEWARD),))
    for name, viewer, said, stored in (
        (1, ANONYMOUS, Source.HOTLINE, "resident"),
        (2, steward, Source.RESIDENT, "steward"),
        (3, steward, Source.HOTLINE, "hotline"),
    ):
        submit(replace(TOLD, id=UUID(int=name << 100), source=said), viewer)
        assert one("SELECT source FROM issue WHERE id = :id", id=UUID(int=name << 100)) == (stored,)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"category": "nothing"}, "category"),
        ({"point": Point(200, 29)}, "lon"),
        ({"point": Point(106, 89)}, "lat"),
        ({"point": Point(float("nan"), 29)}, "lon"),
        ({"accuracy_m": -1.0}, "accuracy_m"),
        ({"title": "x" * 201}, "title"),
        ({"text": "a\x00b"}, "text"),
        ({"reporter": Reporter("short")}, "key"),
        ({"reporter": Reporter(KEY, lang="fr")}, "lang"),
        ({"extent": shapely.to_wkb(shapely.Point(106.65, 29.03))}, "extent"),
        ({"extent": shapely.to_wkb(square(106.6, 29.0, side=0.1))}, "extent"),
        ({"extent": shapely.to_wkb(shapely.LineString([(100, 20), (100.001, 20)]))}, "extent"),
        ({"extent": shapely.to_wkb(shapely.LineString([(106.65, 29), (106.65, 89)]))}, "extent"),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_of_its_field_and_nothing_is_stored(submit, change, field):
    with pytest.raises(BadInput) as refusal:
        submit(replace(TOLD, **change))

    assert refusal.value.field == field
    assert one("SELECT count(*) FROM issue") == (0,)


@pytest.mark.parametrize(
    "drawn",
    [
        shapely.LineString([(106.65, 29.03), (106.651, 29.03)]),
        square(106.65, 29.03, side=0.001),
        shapely.MultiPoint([(106.65, 29.03), (106.651, 29.031)]),
    ],
)
def test_a_line_an_area_or_several_points_are_kept_as_the_extent(submit, drawn):
    done = submit(replace(TOLD, extent=shapely.to_wkb(drawn)))

    assert issues.get(OPERATOR, done.number, zone=ZONE).detail.extent


def test_a_witness_counts_once_and_the_version_that_staff_edit_stays(submit, calendar):
    done = submit()

    def me_too(name, key=KEY):
        return reports.witness(ANONYMOUS, done.number, UUID(int=name), Reporter(key), now=NOW, calendar=calendar)

    before = one("SELECT version FROM issue")
    answers = [me_too(1), me_too(1), me_too(2)]

    found = issues.get(ANONYMOUS, done.number, zone=ZONE).detail
    assert [answer.replayed for answer in answers] == [False, True, False]
    assert (found.witnesses, [line.action for line in found.history]) == (2, ["report", "witness", "witness"])
    assert one("SELECT version FROM issue") == before
    assert audit.verify(OPERATOR).breaks == ()
    with pytest.raises(Refused):
        me_too(1, "y" * 30)


def test_who_reported_a_duplicate_becomes_a_witness_of_the_original_until_it_is_un_merged(submit, calendar):
    original, copy = submit(), submit(replace(TOLD, id=UUID(int=2 << 100), reporter=Reporter("z" * 30)))
    reports.witness(ANONYMOUS, copy.number, UUID(int=3), Reporter("w" * 30), now=NOW, calendar=calendar)

    def act(action, given):
        version = triage.work_on(OPERATOR, copy.number, zone=ZONE).version
        triage.act(OPERATOR, copy.number, action, given, version=version, now=NOW, calendar=calendar)
        return issues.get(ANONYMOUS, original.number, zone=ZONE).detail.witnesses

    assert act("duplicate", Given(original=original.id)) == 2
    with pytest.raises(Refused, match="has_ended"):
        reports.witness(ANONYMOUS, copy.number, UUID(int=4), Reporter("w" * 30), now=NOW, calendar=calendar)
    assert act("restore", Given(note="another place")) == 0
