from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from geoapp.domain.deadlines import Limit, Stage, Unit, clocks, current, explain, limits, standing
from geoapp.domain.values import Event, IssueState
from tests.domain.test_calendar import CHINA

ZONE = ZoneInfo("Asia/Shanghai")
KNOWN = limits(
    {
        "verify": {"work_hours": 4},
        "dispatch": {"urgent_hours": 8},
        "handle": {"work_days": 5},
        "check": {"work_days": 1},
    }
)


def at(text: str) -> datetime:
    """A time of November 2026: ``20 10:00``; the 20th is a Friday."""
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=ZONE)


def ran(*steps: str, known=KNOWN):
    """Clocks after steps such as ``20 10:00 accepted``; a dash stands for a line without a new state."""
    events = []
    for step in steps:
        day, hour, state = step.split()
        events.append(Event(at(f"{day} {hour}"), "x", None if state == "-" else IssueState(state)))
    return clocks(events, known)


def test_limits_are_read_as_the_category_file_has_them():
    assert KNOWN[Stage.HANDLE] == Limit(Unit.WORK_DAYS, 5)


def test_each_stage_has_its_clock_from_state_to_state():
    found = ran(
        "18 09:00 reported", "18 10:00 accepted", "18 11:00 -", "18 12:00 dispatched", "19 09:00 handling",
        "20 09:00 done", "20 10:00 closed",
    )  # fmt: skip

    assert [(clock.stage, clock.began, clock.ended) for clock in found] == [
        ("verify", at("18 09:00"), at("18 10:00")),
        ("dispatch", at("18 10:00"), at("18 12:00")),
        ("handle", at("18 12:00"), at("20 09:00")),
        ("check", at("20 09:00"), at("20 10:00")),
    ]
    assert current(found) is None
    assert not any(clock.broken_off for clock in found)


def test_a_return_breaks_the_work_off_and_each_dispatch_begins_it_anew():
    found = ran(
        "18 09:00 accepted", "18 10:00 dispatched", "19 10:00 returned", "19 11:00 dispatched", "20 09:00 handling"
    )

    assert [(clock.stage, clock.broken_off) for clock in found] == [
        ("dispatch", False), ("handle", True), ("dispatch", False), ("handle", False),
    ]  # fmt: skip
    assert current(found) == found[-1]


def test_a_failed_check_buys_no_time():
    found = ran("16 10:00 dispatched", "18 10:00 done", "20 10:00 rework", "23 10:00 done", "23 11:00 closed")

    (work,) = (clock for clock in found if clock.stage is Stage.HANDLE)
    assert (work.began, work.ended) == (at("16 10:00"), at("23 10:00"))
    assert [(pause.began, pause.ended, pause.reason) for pause in work.pauses] == [
        (at("18 10:00"), at("20 10:00"), "done")
    ]
    assert standing(work, CHINA, now=at("23 10:00")).due_at == at("25 18:00")
    assert [clock.stage for clock in found] == ["check", "handle", "check"]


def test_while_deferred_the_clock_stands_still():
    found = ran("16 10:00 dispatched", "17 10:00 deferred")

    stopped = standing(found[-1], CHINA, now=at("27 10:00"))
    assert (stopped.due_at, stopped.left, stopped.paused, stopped.overdue) == (None, 4, True, False)
    went_on = ran("16 10:00 dispatched", "17 10:00 deferred", "18 10:00 shelved", "24 10:00 dispatched")
    assert len(went_on) == 1
    assert standing(went_on[0], CHINA, now=at("24 10:00")).due_at == at("30 18:00")


def test_what_is_late_does_not_become_punctual_by_being_deferred():
    late = ran("02 10:00 dispatched", "16 10:00 deferred", "25 10:00 dispatched")[0]

    found = standing(late, CHINA, now=at("25 11:00"))
    assert (found.due_at, found.overdue) == (at("09 18:00"), True)


def test_an_hour_that_ends_with_the_day_is_overdue_in_the_evening():
    found = standing(ran("20 14:00 reported")[0], CHINA, now=at("20 20:00"))

    assert (found.due_at, found.left, found.overdue) == (at("20 18:00"), timedelta(), True)


def test_the_way_to_the_meeting_stops_the_dispatch_clock():
    found = ran("16 10:00 accepted", "16 12:00 agenda", "20 10:00 accepted")

    assert [clock.stage for clock in found] == ["dispatch"]
    assert standing(found[0], CHINA, now=at("20 10:00")).due_at == at("20 16:00")


def test_a_state_that_stands_still_without_a_clock_changes_nothing():
    assert ran("16 10:00 agenda") == ()
    assert ran("16 10:00 shelved", "17 10:00 accepted")[0].pauses == ()


def test_a_stage_without_a_limit_has_no_clock():
    assert ran("16 10:00 reported", "16 11:00 accepted", known={}) == ()
    assert ran("16 10:00 done", "16 11:00 rework", known=limits({"check": {"work_days": 1}}))[0].ended == at("16 11:00")


def test_what_is_refused_was_broken_off_and_what_is_reopened_begins_anew():
    found = ran("16 10:00 reported", "16 11:00 refused", "17 09:00 reported", "17 10:00 accepted")
    reopened = ran("16 10:00 done", "16 11:00 closed", "17 09:00 reopened")

    assert [(clock.stage, clock.broken_off) for clock in found] == [
        ("verify", True), ("verify", False), ("dispatch", False),
    ]  # fmt: skip
    assert current(reopened).stage is Stage.VERIFY


@pytest.mark.parametrize(
    ("steps", "now", "due", "left", "overdue"),
    [
        (["20 16:00 reported"], "20 17:00", "23 11:00", timedelta(hours=3), False),
        (["20 16:00 reported"], "23 15:00", "23 11:00", timedelta(hours=-2), True),
        (["20 16:00 accepted"], "20 22:00", "21 00:00", timedelta(hours=2), False),
        (["20 16:00 accepted"], "21 01:00", "21 00:00", timedelta(hours=-1), True),
        (["16 10:00 dispatched"], "18 10:00", "23 18:00", 3, False),
        (["16 10:00 dispatched"], "23 17:59", "23 18:00", 0, False),
        (["16 10:00 dispatched"], "23 18:01", "23 18:00", -1, True),
        (["16 10:00 dispatched"], "25 10:00", "23 18:00", -2, True),
        (["16 10:00 dispatched"], "26 10:00", "23 18:00", -3, True),
    ],
)
def test_what_is_left_is_counted_in_the_clocks_own_time(*, steps, now, due, left, overdue):
    found = standing(ran(*steps)[-1], CHINA, now=at(now))

    assert (found.due_at, found.left, found.overdue, found.sure) == (at(due), left, overdue, True)


def test_an_ended_clock_stands_as_it_ended():
    late = ran("16 10:00 reported", "20 10:00 accepted")[0]

    assert standing(late, CHINA, now=at("30 10:00")).overdue


def test_the_countdown_explains_itself():
    deferred = ran("16 10:00 dispatched", "17 10:00 deferred", "18 10:00 dispatched", "19 10:00 shelved")[0]
    spring = clocks([Event(datetime(2026, 2, 13, 10, tzinfo=ZONE), "x", IssueState.DISPATCHED)], KNOWN)[0]
    far = clocks([Event(datetime(2027, 12, 30, 10, tzinfo=ZONE), "x", IssueState.DISPATCHED)], KNOWN)[0]
    urgent = ran("16 10:00 accepted")[0]

    def told(clock):
        return [(key, params) for key, params in explain(clock, CHINA, now=at("19 12:00"))]

    assert told(deferred) == [
        ("began", {"at": at("16 10:00"), "amount": 5, "unit": "work_days"}),
        ("stood_still", {"at": at("17 10:00"), "until": at("18 10:00"), "state": "deferred"}),
        ("stands_still", {"at": at("19 10:00"), "state": "shelved"}),
    ]
    assert [(key, params.get("count")) for key, params in told(spring)] == [("began", None), ("holidays", 6)]
    assert [key for key, _ in told(far)] == ["began", "unsure"]
    assert [key for key, _ in told(urgent)] == ["began"]


def agreed(*steps: str, known=KNOWN):
    """Clocks after steps such as ``20 10:00 dispatched 2026-11-30``, of which the last word is an agreed day."""
    events = []
    for step in steps:
        day, hour, state, *until = step.split()
        detail = {"due": until[0]} if until else {}
        events.append(Event(at(f"{day} {hour}"), "x", None if state == "-" else IssueState(state), detail=detail))
    return clocks(events, known)


def test_an_agreed_day_goes_before_the_limit_of_the_category():
    (clock,) = agreed("20 10:00 dispatched 2026-11-28")

    # A Saturday: it holds as it was said.
    assert standing(clock, CHINA, now=at("20 12:00")).due_at == at("28 18:00")
    assert explain(clock, CHINA, now=at("20 12:00"))[0] == ("agreed", {"at": at("20 10:00"), "day": "2026-11-28"})


def test_a_day_agreed_later_takes_the_place_of_the_running_deadline_and_no_other():
    (clock,) = agreed("16 10:00 dispatched", "17 10:00 - 2026-11-30")
    waits = agreed("16 10:00 accepted", "17 10:00 - 2026-11-30")

    assert standing(clock, CHINA, now=at("18 10:00")).due_at == at("30 18:00")
    assert waits[0].agreed is None


def test_an_agreed_day_moves_by_what_stood_still():
    (clock,) = agreed("16 10:00 dispatched 2026-11-20", "17 10:00 deferred", "19 10:00 handling")

    assert standing(clock, CHINA, now=at("19 12:00")).due_at == at("24 18:00")


def test_an_agreed_day_runs_where_the_category_has_no_limit():
    first = agreed("16 10:00 dispatched", "17 10:00 - 2026-11-30", known={})
    again = agreed(
        "16 10:00 dispatched 2026-11-18", "17 10:00 done", "18 10:00 dispatched", "18 11:00 - 2026-11-30", known={}
    )

    assert [clock.agreed.day for clock in first] == [30]
    assert [(clock.agreed.day, clock.ended is None) for clock in again] == [(18, False), (30, True)]


def test_what_is_no_day_agrees_upon_nothing():
    (clock,) = agreed("16 10:00 dispatched soon")

    assert clock.limit == KNOWN[Stage.HANDLE]
