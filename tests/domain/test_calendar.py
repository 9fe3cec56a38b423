from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoapp.config import shipped
from geoapp.domain.calendar import WorkCalendar, parse
from geoapp.errors import BadFile, BadLayer

ZONE = ZoneInfo("Asia/Shanghai")
FILE = (shipped("layers") / "data" / "calendar.toml").read_text(encoding="utf-8")
CHINA = parse(FILE, file="calendar.toml", zone=ZONE)
WEST = parse(FILE, file="calendar.toml", zone=ZoneInfo("America/Los_Angeles"))
NEVER = WorkCalendar(ZONE, CHINA.hours, frozenset(), frozenset(), frozenset(), frozenset())
instants = st.datetimes(datetime(2025, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001


def at(text: str, zone=ZONE) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-02-13", True),
        ("2026-02-14", True),
        ("2026-02-16", False),
        ("2026-02-23", False),
        ("2026-02-24", True),
        ("2026-02-28", True),
        ("2026-03-01", False),
        ("2025-10-08", False),
        ("2025-10-11", True),
        ("2024-02-29", True),
        ("2028-02-29", True),
    ],
)
def test_holidays_are_free_and_make_up_days_are_worked(day, works):
    assert CHINA.is_working(date.fromisoformat(day)) == works
    assert CHINA.knows(date.fromisoformat(day)) == (2025 <= int(day[:4]) <= 2027)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-20T09:00", 3, "2026-11-20T12:00"),
        ("2026-11-20T11:00", 4, "2026-11-20T17:00"),
        ("2026-11-20T17:00", 4, "2026-11-23T12:00"),
        ("2026-11-20T12:30", 1, "2026-11-20T15:00"),
        ("2026-11-21T03:00", 1, "2026-11-23T10:00"),
        ("2026-02-14T17:00", 2, "2026-02-24T10:00"),
        ("2025-12-31T17:00", 2, "2026-01-04T10:00"),
    ],
)
def test_working_hours_pass_only_in_working_hours_of_working_days(start, hours, due):
    assert CHINA.add_hours(at(start), timedelta(hours=hours)) == at(due)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-11-18T10:00", 1, "2026-11-19T18:00"),
        ("2026-11-18T10:00", 5, "2026-11-25T18:00"),
        ("2026-11-20T18:00", 1, "2026-11-24T18:00"),
        ("2026-11-21T10:00", 1, "2026-11-24T18:00"),
        ("2026-02-13T10:00", 2, "2026-02-24T18:00"),
        ("2028-02-28T10:00", 1, "2028-02-29T18:00"),
    ],
)
def test_working_days_end_with_the_last_of_them(start, days, due):
    assert CHINA.add_days(at(start), days) == at(due)
    assert CHINA.days_between(at(start), at(due) - timedelta(minutes=1)) == days


@settings(max_examples=150, deadline=None)
@given(instants, st.integers(1, 200 * 60), st.sampled_from([CHINA, WEST]))
def test_what_is_added_is_what_is_measured_and_ends_in_working_time(start, minutes, calendar):
    amount = timedelta(minutes=minutes)
    due = calendar.add_hours(start, amount)
    local = due.astimezone(calendar.zone)

    assert calendar.hours_between(start, due) == amount
    assert calendar.hours_between(due, start) == -amount
    assert calendar.is_working(local.date())
    assert any(opens <= local.time() <= closes for opens, closes in calendar.hours)
    assert calendar.add_hours(start, amount + timedelta(minutes=1)) > due


@settings(max_examples=100, deadline=None)
@given(instants, st.integers(1, 60))
def test_days_added_are_days_measured(start, days):
    due = CHINA.add_days(start, days)

    assert CHINA.days_between(start, due - timedelta(seconds=1)) == days
    assert CHINA.days_between(due - timedelta(seconds=1), start) == -days


def test_the_free_days_between_are_named():
    assert CHINA.free_days(at("2026-09-24T10:00"), at("2026-10-09T10:00")) == tuple(
        date.fromisoformat(f"2026-{day}") for day in ("09-25", "10-01", "10-02", "10-05", "10-06", "10-07")
    )


def test_a_calendar_without_working_time_is_told_and_not_searched_for_ever():
    with pytest.raises(ValueError, match="no working time"):
        NEVER.add_hours(at("2026-01-01T10:00"), timedelta(hours=1))
    with pytest.raises(ValueError, match="no working time"):
        NEVER.add_days(at("2026-01-01T10:00"), 1)


YEAR = 'hours = [["09:00", "17:00"]]\n[2026]\norigin = "x"\nconfidence = "local"\n'


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("week = [0]\n" + YEAR, "week"),
        ("week = []\n" + YEAR, "week"),
        ("week = 5\n" + YEAR, "week"),
        ("", "hours"),
        ("hours = []", "hours"),
        ('hours = [["9", "17:00"]]', "hours"),
        ('hours = [["09:00", "12:00"], ["11:00", "18:00"]]', "hours"),
        (YEAR.replace("[2026]", "[nonsense]"), "nonsense"),
        ("more = 1\n" + YEAR, "more"),
        (YEAR + "holidays = []", "2026.holidays"),
        (YEAR.replace("local", "sure"), "2026.confidence"),
        (YEAR.replace('"x"', '""'), "2026.confidence"),
        (YEAR + 'free = "2026-01-01"', "2026.free"),
        (YEAR + 'free = ["New Year"]', "2026.free"),
        (YEAR + 'free = ["2027-01-01"]', "2026.free"),
        (YEAR + 'working = ["2026-01-03/2026-01-01"]', "2026.working"),
        (YEAR + 'free = ["2026-01-03"]\nworking = ["2026-01-03"]', "working"),
    ],
)
def test_a_wrong_file_is_refused_with_its_key(text, key):
    with pytest.raises(BadLayer) as refused:
        parse(text, file="mine.toml", zone=ZONE)

    assert refused.value.params["key"] == key


def test_a_file_that_is_no_toml_is_told():
    with pytest.raises(BadFile, match=r"mine\.toml"):
        parse("week = ", file="mine.toml", zone=ZONE)
    assert parse(YEAR, file="mine.toml", zone=ZONE).week == {1, 2, 3, 4, 5}
