"""Deadlines of issues: computed from their histories, kept for lists, explained for pages."""

import csv
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from geoapp.domain import calendar, deadlines
from geoapp.domain.calendar import WorkCalendar
from geoapp.domain.deadlines import Clock
from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.values import Event, IssueState, Name, Viewer
from geoapp.errors import BadFile, NotYours
from geoapp.store import clocks, people
from geoapp.store.clocks import Rule, Running, Told
from geoapp.store.session import bulk, snapshot, transaction

RULE_COLUMNS = ("place", "category", "stage", "unit", "amount")
MOST_AMOUNT = 1000

__all__ = ["WorkCalendar", "begun", "import_rules", "of_issue", "read_calendar", "reckon", "reckon_all"]


def read_calendar(file: Path, zone: ZoneInfo) -> WorkCalendar:
    """Raises BadFile or BadLayer for a file that cannot be."""
    try:
        return calendar.parse(file.read_text(encoding="utf-8-sig"), file=file.name, zone=zone)
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(str(file), str(error)) from None


def begun(issue_id: UUID, limits: dict[str, dict[str, int]], known: WorkCalendar, *, now: datetime) -> Running:
    """The clock of an issue that is reported at this moment: what ``reckon`` would find in its history."""
    reported = Event(now, "report", IssueState.REPORTED)
    return _running(Told(issue_id, limits, (reported,)), known, now)


def reckon(db: Any, issue_id: UUID, known: WorkCalendar, *, now: datetime) -> None:
    """Compute the running clock of one issue anew, within the transaction that changed it."""
    clocks.keep(db, [_running(one, known, now) for one in clocks.told(db, only=issue_id)])


def reckon_all(viewer: Viewer, known: WorkCalendar, *, now: datetime) -> int:  # noqa: ARG001 - the operator's
    """Compute them all: after the calendar or the categories have changed; returns how many run."""
    with bulk() as db:
        running = [_running(one, known, now) for one in clocks.told(db)]
        clocks.keep(db, running)
    return sum(bool(one.stage) for one in running)


def of_issue(issue_id: UUID) -> tuple[tuple[Clock, ...], Name | None]:
    """Every clock that ever ran for an issue, and the place whose own rule holds (None: the category's).

    It tells nothing that the issue's public history does not.
    """
    with snapshot() as db:
        return next(((_clocks(one), one.local) for one in clocks.told(db, only=issue_id)), ((), None))


def import_rules(viewer: Viewer, file: Path, known: WorkCalendar, *, now: datetime) -> int:
    """Replace all local rules by those of a CSV file and reckon every deadline anew; returns how many rules hold.

    Columns: place (code), category (code), stage, unit, amount. Raises NotYours, and BadFile with the line and
    what is wrong; then nothing has changed.
    """
    if not may_anywhere(viewer, Right.PEOPLE):
        raise NotYours("not_yours", "action")
    rows = _read_rules(file)
    with transaction() as db:
        categories = clocks.category_codes(db)
        found: dict[tuple[int, str], dict[str, dict[str, int]]] = {}
        for line, row in rows:
            place = people.place_id(db, row["place"])
            if place is None:
                raise BadFile(file.name, f"line {line}: place: there is no {row['place']!r}")
            if row["category"] not in categories:
                raise BadFile(file.name, f"line {line}: category: there is no {row['category']!r}")
            found.setdefault((place, row["category"]), {})[row["stage"]] = {row["unit"]: int(row["amount"])}
        clocks.replace_rules(db, [Rule(place, category, limits) for (place, category), limits in found.items()])
    reckon_all(viewer, known, now=now)
    return len(found)


def _read_rules(file: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(enumerate(csv.DictReader(opened), start=2))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadFile(str(file), str(error)) from None
    for line, row in rows:
        for column in RULE_COLUMNS:
            row[column] = (row.get(column) or "").strip()
            if not row[column]:
                raise BadFile(file.name, f"line {line}: {column}: is missing; columns are {', '.join(RULE_COLUMNS)}")
        for column, known in (("stage", deadlines.Stage), ("unit", deadlines.Unit)):
            if row[column] not in set(known):
                raise BadFile(file.name, f"line {line}: {column}: {row[column]!r} is none of {', '.join(known)}")
        if not (row["amount"].isascii() and row["amount"].isdigit() and 0 < int(row["amount"]) <= MOST_AMOUNT):
            raise BadFile(file.name, f"line {line}: amount: {row['amount']!r} is no whole number up to {MOST_AMOUNT}")
    return rows


def _clocks(one: Told) -> tuple[Clock, ...]:
    return deadlines.clocks(one.events, deadlines.limits(one.limits))


def _running(one: Told, known: WorkCalendar, now: datetime) -> Running:
    clock = deadlines.current(_clocks(one))
    if clock is None:
        return Running(one.issue_id, "", None, paused=False)
    found = deadlines.standing(clock, known, now=now)
    return Running(one.issue_id, str(clock.stage), found.due_at, found.paused)
