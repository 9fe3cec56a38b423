"""The counts pyramid is what a recount says, whatever was done to the issues, and every filter finds the same by it."""

import random
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from threading import Event, Thread
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import mapbox_vector_tile
import pytest
import shapely
from sqlalchemy import text

from geoapp.config import shipped
from geoapp.domain import counts as pyramid
from geoapp.domain.agenda import Decision, Outcome
from geoapp.domain.editing import Facts
from geoapp.domain.fieldwork import Base, Finding, Kind, Seen, Signature, Told
from geoapp.domain.permissions import Right
from geoapp.domain.reports import Reporter, Submission, fresh_id
from geoapp.domain.tiles import Tile
from geoapp.domain.values import (
    ANONYMOUS,
    OPERATOR,
    Box,
    Grant,
    IssueFilter,
    IssueState,
    PlacedBy,
    Point,
    Privacy,
    Role,
    StateGroup,
    VerdictClass,
    Viewer,
    states_of,
)
from geoapp.domain.visiting import Draft, DraftStop
from geoapp.domain.workflow import Given
from geoapp.errors import GeoAppError
from geoapp.services import (
    agendas,
    clocks,
    counting,
    decisions,
    editing,
    fieldwork,
    judging,
    meetings,
    reports,
    snapshots,
    splitting,
    triage,
    visits,
)
from geoapp.services.fieldwork import Extent, Settling
from geoapp.services.meetings import MeetingFacts
from geoapp.services.settlements import Draft as Settlement
from geoapp.services.splitting import Part
from geoapp.store import census, counts, session, tiles
from geoapp.store.condition import condition
from tests.builders import CENTRE, TODAY, a_category, a_jurisdiction, a_place, an_issue, square, store

pytestmark = pytest.mark.usefixtures("clean")
ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
CALENDAR = clocks.read_calendar(shipped("layers") / "data" / "calendar.toml", ZONE)
ROLES = (Role.ADMINISTRATOR, Role.COMMUNITY, Role.SECRETARY, Role.SUPERVISOR)
STAFF = Viewer((*(Grant(role) for role in ROLES), Grant(Role.UNIT, unit="U1")), UUID(int=1), "Li")
STATES = list(IssueState)


def ground():
    a_category("road")
    a_category("road.hole", parent="road")
    a_category("waste", "垃圾", "Waste")
    a_category("waste.bag", parent="waste")
    with session.transaction() as db:
        # As a file of categories has it; imports write the way from below.
        db.execute(text("UPDATE category SET path = '{road,road.hole}' WHERE code = 'road.hole'"))
    a_place("C1", square(106.60, 28.98, 0.1))
    a_jurisdiction("U1", square(106.64, 29.02))


def some_issues(count: int, seed: int = 1):
    chance = random.Random(seed)  # noqa: S311 - chance that can be had again
    towns = [(106.65, 29.03), (106.95, 28.6), (-118.2, 34.1)]
    for nth in range(count):
        lon, lat = towns[chance.choices((0, 1, 2), (12, 3, 1))[0]]
        state = chance.choice(STATES[:-1])
        reported = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(1_500_000))
        yield an_issue(
            f"{seed}-{nth}",
            point=Point(lon + chance.gauss(0, 0.004), lat + chance.gauss(0, 0.004)),
            category=chance.choice(("road", "road.hole", "waste.bag")),
            state=state,
            reported_at=reported,
            updated_at=reported,
            ended_at=reported + timedelta(days=1) if state.ended else None,
            privacy=chance.choices(list(Privacy), (8, 1, 1))[0],
            unit="U1",
        )


def differences():
    return counting.check(OPERATOR)


def fold_all():
    while counting.fold():
        pass


# --- nobody who changes an issue is forgotten ---------------------------------------------------


def moves(chance, number):
    """One thing at random that staff, residents or an operator may do to issues."""
    with session.snapshot() as db:
        row = db.execute(text("SELECT id, state, version FROM issue WHERE number = :n"), {"n": number}).one()
    point = Point(CENTRE.lon + chance.gauss(0, 0.01), CENTRE.lat + chance.gauss(0, 0.01))
    kind = chance.choice(["act", "act", "act", "place", "privacy", "category", "report", "split", "again", "land"])
    if kind == "act":
        options = [one for one in triage.work_on(STAFF, number, zone=ZONE).options if one.refusal is None]
        if options:
            action = chance.choice(options).action
            given = Given(
                note="why", unit="U1", helping=(), until=date(2026, 12, 24),
                original=other(number) if action == Right.DUPLICATE else None,
            )  # fmt: skip
            triage.act(STAFF, number, action, given, version=row.version, now=NOW, calendar=CALENDAR)
    elif kind in {"place", "privacy", "category"}:
        change = {
            "place": Facts(point=point),
            "privacy": Facts(privacy=chance.choice(list(Privacy))),
            "category": Facts(category=chance.choice(("road", "waste"))),
        }[kind]
        editing.edit(STAFF, number, change, version=row.version, now=NOW, calendar=CALENDAR)
    elif kind == "report":
        told = Submission(
            id=fresh_id(NOW), category="road", point=point, reporter=Reporter("k" * 30), placed_by=PlacedBy.PIN,
            text="a hole", privacy=chance.choice(list(Privacy)),
        )  # fmt: skip
        reports.submit(STAFF, told, prefix="QJ", now=NOW, calendar=CALENDAR)
    elif kind == "split":
        parts = [Part(fresh_id(NOW), "a part", "", point, "U1"), Part(fresh_id(NOW), "another", "waste", None, "U1")]
        splitting.split(STAFF, number, parts, note="", version=row.version, prefix="QJ", now=NOW, calendar=CALENDAR)
    elif kind == "again":
        store(replace(next(some_issues(1, chance.randrange(20))), updated_at=NOW, source_hash=str(chance.random())))
    else:
        a_jurisdiction(
            f"U{chance.randrange(9)}", square(106.62 + chance.random() * 0.04, 29.0 + chance.random() * 0.04)
        )
        judging.judge_all(OPERATOR, today=TODAY)


def other(number):
    with session.snapshot() as db:
        sql = "SELECT id FROM issue WHERE number <> :n AND state <> 'duplicate' ORDER BY number LIMIT 1"
        return db.execute(text(sql), {"n": number}).scalar()


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_done_to_issues_the_pyramid_is_what_a_recount_says(seed, monkeypatch):
    monkeypatch.setattr(pyramid, "CROWDED", 30)
    ground()
    store(*some_issues(120))
    chance = random.Random(seed)  # noqa: S311 - chance that can be had again
    done = refused = 0
    for nth in range(60):
        with session.snapshot() as db:
            number = chance.choice(db.execute(text("SELECT number FROM issue ORDER BY number")).scalars().all())
        try:
            moves(chance, number)
            done += 1
        except GeoAppError:
            refused += 1
        if nth % 20 == 7:
            counting.fold()
    unfolded = differences()
    fold_all()

    assert done > 30
    assert unfolded == differences() == []


def standing(name):
    """Number, version and length of the history of an issue."""
    with session.snapshot() as db:
        sql = "SELECT number, version, history_seq FROM issue WHERE id = :id"
        return db.execute(text(sql), {"id": an_issue(name).id}).one()


def meet(name):
    """Bring an issue to a joint meeting, which assigns it; the version of the data after each step."""
    meeting = meetings.plan(STAFF, "C1", MeetingFacts("November", NOW), now=NOW)
    number = standing(name).number

    def version():
        return meetings.row(OPERATOR, meeting).version

    agendas.add(STAFF, meeting, number, words="for all", version=version(), now=NOW, calendar=CALENDAR)
    yield snapshots.data_version()
    decision = Decision(Outcome.ASSIGN, "U1 mends it", "U1", (), Decimal(12000), "Street fund", date(2026, 12, 24))
    decisions.decide(STAFF, meeting, number, decision, version=version(), now=NOW, calendar=CALENDAR)
    decisions.close(STAFF, meeting, version=version(), now=NOW, calendar=CALENDAR)
    yield snapshots.data_version()


def visit(name, folder):
    """Bring back from the issue what changes it; the version of the data after each record."""
    visit, issue = uuid4(), an_issue(name).id
    plan = Draft(
        title="Tuesday", on_day=NOW.date(), starts_at=time(9), start=CENTRE, stops=(DraftStop(issue),), by_hand=True
    )
    visits.create(STAFF, plan, id=visit, now=NOW, zone=ZONE)
    settled = Settlement("U1", square(106.649, 29.029, 0.002), ("road",), note="Agreed on site", participants="Li")
    new = fresh_id(NOW)
    for kind, of, what in (
        (Kind.FINDING, issue, Finding(Seen.WORSE, "The slab has sunk")),
        (Kind.EXTENT, issue, Extent(shapely.LineString([(106.65, 29.03), (106.651, 29.03)]))),
        (Kind.SETTLEMENT, issue, Settling(settled, (Signature("Li", "", (((1, 2), (300, 400)),)),))),
        (Kind.ISSUE, new, Submission(new, "road", CENTRE, Reporter("k" * 30), title="A hole",
                                     privacy=an_issue(name).privacy)),
    ):  # fmt: skip
        _, version, seq = standing(name)
        told = Told(new if kind is Kind.ISSUE else uuid4(), of, kind, NOW, Base(version, seq), {"of": str(kind)})
        fieldwork.record(STAFF, visit, told, what, folder=folder, prefix="QJ", now=NOW, calendar=CALENDAR)
        yield snapshots.data_version()


@pytest.mark.parametrize("privacy", list(Privacy))
def test_what_meetings_decide_and_visits_bring_back_is_counted_and_makes_the_data_new(privacy, tmp_path):
    ground()
    store(an_issue("met", privacy=privacy), an_issue("visited", privacy=privacy))
    seen = [snapshots.data_version(), *meet("met"), *visit("visited", tmp_path)]
    unfolded = differences()
    fold_all()

    assert len(set(seen)) == len(seen) == 7
    assert snapshots.data_version() == seen[-1]
    assert unfolded == differences() == []
    with session.snapshot() as db:
        blocks = db.execute(text("SELECT count(*) FROM count_block WHERE cell < 0")).scalar_one()
        telling = db.execute(text("SELECT count(*) FROM count_change")).scalar_one()
    assert (blocks, telling) == (0, 0)


def test_of_what_the_public_may_not_see_the_log_tells_neither_what_nor_where():
    ground()
    store(an_issue("secret", privacy=Privacy.PRIVATE))
    editing.edit(
        STAFF, standing("secret").number, Facts(category="waste"), version=1, now=NOW, calendar=CALENDAR
    )  # fmt: skip

    with session.snapshot() as db:
        told = db.execute(text("SELECT DISTINCT cell, category, month, state_group, n, x, y FROM count_change")).all()
    assert [tuple(row) for row in told] == [(pyramid.NOWHERE, "", 0, 0, 0, 0, 0)]


# --- every filter finds the same by pyramid, tiles and SQL --------------------------------------


def random_filter(chance):
    wanted = IssueFilter()
    if chance.random() < 0.5:
        groups = chance.sample(list(StateGroup), chance.randrange(1, 4))
        wanted = replace(wanted, states=tuple(state for group in groups for state in states_of(group)))
    if chance.random() < 0.5:
        wanted = replace(wanted, categories=tuple(chance.sample(["road", "waste", "road.hole", "no"], 1)))
    if chance.random() < 0.6:
        since = date(2024, 1, 1) + timedelta(days=chance.randrange(900))
        until = since + timedelta(days=chance.randrange(500))
        if chance.random() < 0.5:
            since, until = since.replace(day=1), until.replace(day=1) - timedelta(days=1)
        first, last = chance.choice([(since, until), (since, None), (None, until)])
        wanted = replace(wanted, since=first, until=last)
    if chance.random() < 0.1:
        wanted = replace(wanted, states=(IssueState.REPORTED,))
    if chance.random() < 0.1:
        wanted = replace(wanted, verdicts=(VerdictClass.ORPHAN,))
    if chance.random() < 0.1:
        wanted = replace(wanted, communities=("C1",))
    return wanted


def random_box(chance):
    """From a street to the whole world, some with their sides on those of tiles."""
    lon, lat = chance.choice([(106.65, 29.03), (106.95, 28.6), (0.0, 0.0)])
    half = chance.choice([0.003, 0.02, 0.1, 1.0, 80.0])
    sides = [lon - half * chance.random(), lat - half * chance.random(), lon + half, lat + half * chance.random()]
    if chance.random() < 0.3:
        sides[0] = round(sides[0] / 360 * 2**12) * 360 / 2**12
    return Box(*sides)


def counted(db, wanted):
    """The truth, in plain SQL."""
    where, binds = condition(db, wanted, ANONYMOUS, zone=ZONE)
    return db.execute(text(f"SELECT count(*) FROM issue i WHERE {where}"), binds).scalar_one()  # noqa: S608 - ours


def tiles_with_something(db, zoom):
    cells = db.execute(
        text("SELECT DISTINCT public_cell >> :by FROM issue WHERE public_cell IS NOT NULL"),
        {"by": 2 * (pyramid.LEVEL - zoom)},
    ).scalars()
    return [unmorton(cell, zoom) for cell in cells]


def unmorton(cell, zoom):
    x = sum(((cell >> 2 * bit) & 1) << bit for bit in range(zoom))
    y = sum(((cell >> (2 * bit + 1)) & 1) << bit for bit in range(zoom))
    return Tile(zoom, x, y)


def sum_of_tiles(db, zoom, wanted):
    drawn = [
        tiles.issue_tile(db, tile, wanted, ANONYMOUS, ZONE).body for tile in tiles_with_something(db, zoom)
    ]  # fmt: skip
    return sum(
        one["properties"]["n"]
        for body in drawn if body
        for layer in mapbox_vector_tile.decode(body).values() for one in layer["features"]
    )  # fmt: skip


@contextmanager
def somebody_writes():
    """Another thread stores, moves and ends issues, and folds, as fast as it can."""
    stop = Event()
    wrong = []

    def write():
        try:
            for nth in range(10_000):
                if stop.is_set():
                    return
                store(*some_issues(3, seed=1000 + nth % 40))
                with session.transaction() as db:
                    db.execute(text("SELECT 1"))
                if nth % 4 == 0:
                    counting.fold()
        except Exception as error:  # noqa: BLE001 - told by the test
            wrong.append(error)

    thread = Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert wrong == []


def test_for_any_filter_and_zoom_the_tiles_add_up_to_what_sql_counts_while_others_write(monkeypatch):
    monkeypatch.setattr(pyramid, "CROWDED", 150)
    ground()
    with session.bulk() as db:
        counts.rebuild(db, ZONE)
    store(*some_issues(3000))
    chance = random.Random(7)  # noqa: S311 - chance that can be had again
    seen = []
    with somebody_writes():
        for nth in range(25):
            wanted = random_filter(chance)
            zoom = (0, 5, 8, 10, 12, 14, 15, 16)[nth % 8]
            with session.snapshot() as db:
                seen.append(
                    (counted(db, wanted), sum_of_tiles(db, zoom, wanted), census.count(db, wanted, ANONYMOUS, ZONE))
                )

    assert [(tiled, listed) for _, tiled, listed in seen] == [(true, true) for true, _, _ in seen]
    assert len({true for true, _, _ in seen}) > 10
    assert differences() == []


def test_of_any_box_as_many_are_told_as_sql_counts_while_others_write():
    ground()
    with session.bulk() as db:
        counts.rebuild(db, ZONE)
    store(*some_issues(1500))
    # On the very side of a tile.
    store(*(an_issue(f"side {nth}", point=Point(106.875, 29.0 + nth / 1000)) for nth in range(20)))
    chance = random.Random(3)  # noqa: S311 - chance that can be had again
    seen = []
    with somebody_writes():
        for nth in range(80):
            box = Box(106.875, 28.9, 107.0, 29.2) if nth % 8 == 0 else random_box(chance)
            wanted = replace(random_filter(chance) if nth % 3 == 0 else IssueFilter(), box=box)
            with session.snapshot() as db:
                seen.append((counted(db, wanted), census.count(db, wanted, ANONYMOUS, ZONE)))

    assert [told for _, told in seen] == [true for true, _ in seen]
    assert len({true for true, _ in seen}) > 20


def test_before_the_counts_are_made_a_box_is_counted_all_the_same():
    ground()
    store(*some_issues(30))
    with session.transaction() as db:
        db.execute(text("UPDATE count_base SET zone = ''"))
        db.execute(text("INSERT INTO count_base (zone) VALUES ('') ON CONFLICT (id) DO UPDATE SET zone = ''"))
    with session.snapshot() as db:
        wanted = IssueFilter(box=Box(100, 20, 120, 40))
        assert census.count(db, wanted, ANONYMOUS, ZONE) == counted(db, wanted) > 0
