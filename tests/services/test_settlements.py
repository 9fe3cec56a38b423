"""A settlement on the real database: one transaction, the past as it was, the rehearsal without a trace."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

import pytest
import shapely
from sqlalchemy import text

from geoapp.domain.boundaries import NewUnit
from geoapp.domain.values import ANONYMOUS, OPERATOR, Grant, IssueState, Name, Point, Role, Viewer
from geoapp.errors import BadInput, Conflict, Incomplete, NotFound, NotYours, Unavailable, VersionNeeded
from geoapp.services import boundaries, settlements
from geoapp.services.settlements import Draft
from geoapp.store import history, session
from tests.builders import CENTRE, NOON, TODAY, a_category, a_jurisdiction, a_place, an_issue, square, store

ZONE = ZoneInfo("Asia/Shanghai")
SECRETARY = Viewer((Grant(Role.SECRETARY, frozenset({"C1"})),), UUID(int=7), "Chen")
OFFICER = Viewer((Grant(Role.UNIT, None, "U1"),))
LAND = square(106.645, 29.025, 0.01)
FAR = Point(106.642, 29.022)


@pytest.fixture(autouse=True)
def ground(app):  # noqa: ARG001 - the database must be connected
    a_category("road")
    a_category("waste")
    a_place("C1", square(106.64, 29.02))
    boundaries.store_units(OPERATOR, [NewUnit(code, Name("", code)) for code in ("U1", "U2", "U3")], today=TODAY)
    a_jurisdiction("U1", square(106.64, 29.02), categories=("road",))
    a_jurisdiction("U2", square(106.64, 29.02))
    store(
        an_issue("1"),
        an_issue("2", point=FAR),
        an_issue("3", state=IssueState.CLOSED, ended_at=NOON - timedelta(days=9)),
        an_issue("4", category="waste"),
    )


def settle(viewer=SECRETARY, *, version=1, **changes):
    draft = Draft(**{"unit": "U3", "area": LAND, "categories": ("road",), "note": "signed", **changes})
    number = rows("SELECT number FROM issue WHERE title LIKE '% 1'")[0][0]
    return settlements.settle(viewer, number, draft, id=UUID(int=5), version=version, now=NOON, zone=ZONE)


def rows(sql):
    with session.snapshot() as db:
        return [tuple(row) for row in db.execute(text(sql))]


def verdicts():
    return [
        f"{title[-1]} {verdict} {' '.join(units)}"
        for title, verdict, units in rows(
            "SELECT title, verdict, ARRAY(SELECT code FROM unit WHERE id = ANY (candidate_ids) ORDER BY code) "
            "FROM issue ORDER BY title"
        )
    ]


def test_settled_land_is_one_units_and_the_rest_stays_as_it_was():
    before = verdicts()
    receipt = settle()

    assert before == ["1 contested U1 U2", "2 contested U1 U2", "3 contested U1 U2", "4 clear U2"]
    assert verdicts() == ["1 clear U3", "2 contested U1 U2", "3 contested U1 U2", "4 clear U2"]
    assert receipt.version == 3
    assert rows("SELECT settled_on, participants, person_id, jurisdiction_code FROM settlement")[0][2] == UUID(int=7)
    assert rows("SELECT array_agg(action ORDER BY seq) FROM history WHERE issue_id = (SELECT id FROM issue WHERE title "
                "LIKE '% 1')") == [(["settle", "judge"],)]  # fmt: skip
    with session.snapshot() as db:
        assert history.verify(db)[1] == []


def test_the_map_of_the_day_before_is_still_there():
    settle()

    yesterday = rows(
        "SELECT j.code FROM jurisdiction j WHERE j.validity @> date '2026-11-19' "
        "AND ST_Intersects(j.area, ST_SetSRID(ST_MakePoint(106.65, 29.03), 4326)) ORDER BY 1"
    )
    today = rows(
        "SELECT u.code, j.categories FROM jurisdiction j JOIN unit u ON u.id = unit_id "
        "WHERE j.validity @> date '2026-11-20' "
        "AND ST_Intersects(j.area, ST_SetSRID(ST_MakePoint(106.65, 29.03), 4326)) ORDER BY 1"
    )
    assert yesterday == [("U1-0",), ("U2-1",)]
    assert today == [("U2", ["waste"]), ("U3", ["road"])]


def test_unclear_land_shrinks_by_what_is_settled():
    contested = "SELECT sum(area_m2) FROM unclear_land WHERE class = 'contested' AND validity @> date "
    before = rows(f"{contested} '2026-11-20'")[0][0]
    settle()
    after, day_before = rows(f"{contested} '2026-11-20'")[0][0], rows(f"{contested} '2026-11-19'")[0][0]
    settled = rows("SELECT area_m2 FROM settlement")[0][0]

    assert abs(before - after - settled) < 1
    assert day_before == before


def test_a_rehearsal_tells_what_would_move_and_keeps_nothing():
    found = settlements.rehearse(SECRETARY, Draft("U3", LAND, ("road",)), now=NOON, zone=ZONE)

    assert found.judged == 4
    assert [(move.unit_before, move.unit_after, move.verdict_after) for move in found.moves] == [
        ("U1", "U3", "clear"),
        ("U1", "U3", "clear"),
    ]
    assert found.load_before == {"U1": 3, "U2": 1}
    assert found.load_after == {"U1": 1, "U2": 1, "U3": 2}
    assert verdicts()[0] == "1 contested U1 U2"
    assert rows("SELECT count(*) FROM jurisdiction") == [(2,)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"unit": "nobody"}, "unit"),
        ({"categories": ("nothing",)}, "category"),
        ({"area": shapely.LineString([(106, 29), (107, 29)])}, "area"),
        ({"area": square(106, 29, 0.5)}, "area"),
        ({"settled_on": TODAY + timedelta(days=1)}, "settled_on"),
        ({"documents": "x" * 2001}, "documents"),
    ],
)
def test_what_cannot_be_settled_is_named(changes, field):
    with pytest.raises(BadInput) as refused:
        settle(**changes)

    assert refused.value.field == field
    assert rows("SELECT count(*) FROM settlement") == [(0,)]


def test_only_who_may_settle_does_and_says_why():
    with pytest.raises(NotYours):
        settle(ANONYMOUS)
    with pytest.raises(NotYours):
        settlements.rehearse(OFFICER, Draft("U3", LAND), now=NOON, zone=ZONE)
    with pytest.raises(Incomplete, match="needs_reason"):
        settle(note="")
    with pytest.raises(VersionNeeded):
        settle(version=None)
    with pytest.raises(Conflict):
        settle(version=9)
    with pytest.raises(NotFound):
        settlements.settle(
            SECRETARY, str(uuid5(NAMESPACE_URL, "x")), Draft("U3", LAND), id=UUID(int=5), version=1, now=NOON, zone=ZONE
        )


def test_a_second_settlement_of_the_same_land_takes_it_from_the_first():
    settle()
    number = rows("SELECT number FROM issue WHERE title LIKE '% 1'")[0][0]
    settlements.settle(
        SECRETARY,
        number,
        Draft("U2", LAND, ("road",), note="after all"),
        id=UUID(int=6),
        version=3,
        now=NOON,
        zone=ZONE,
    )

    assert verdicts()[0] == "1 clear U2"
    assert Point(106.65, 29.03) == CENTRE


def state_of_the_land():
    """What a settlement changes, as one snapshot sees it."""
    return rows(
        "SELECT (SELECT count(*) FROM settlement), "
        "(SELECT count(*) FROM jurisdiction WHERE code LIKE 'settled-%'), "
        "(SELECT count(*) FROM issue WHERE verdict = 'contested' AND state <> 'closed' AND category_code = 'road'), "
        "(SELECT count(*) FROM history WHERE action = 'judge'), "
        "(SELECT round(sum(area_m2)) FROM unclear_land WHERE class = 'contested' AND upper(validity) IS NULL), "
        "(SELECT sum(version) FROM data_version)"
    )[0]


def test_nobody_ever_sees_half_of_a_settlement():
    store(*(an_issue(f"more {number}", point=Point(106.6455 + number * 4e-6, 29.03)) for number in range(600)))
    before, seen, over = state_of_the_land(), [], threading.Event()

    def watch():
        while not over.is_set():
            seen.append(state_of_the_land())

    with ThreadPoolExecutor(3) as pool:
        watchers = [pool.submit(watch) for _ in range(3)]
        settle()
        over.set()
        for watcher in watchers:
            watcher.result()

    after = state_of_the_land()
    assert set(seen) <= {before, after}
    assert before in seen
    assert (after[0], after[1], after[3]) == (1, 1, 601)
    assert after[2] == before[2] - 601


def test_a_settlement_that_is_killed_in_the_middle_has_not_been(monkeypatch):
    before = state_of_the_land()

    def killed(db, **_):
        db.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    monkeypatch.setattr(settlements.judging, "rejudge", killed)
    with pytest.raises(Unavailable):
        settle()

    assert state_of_the_land() == before
    monkeypatch.undo()
    settle()
    assert state_of_the_land()[0] == 1
