"""Deadlines of issues: computed from their histories, kept for lists, explained for pages."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from geoapp.domain import calendar, deadlines
from geoapp.domain.calendar import WorkCalendar
from geoapp.domain.deadlines import Clock
from geoapp.domain.values import Viewer
from geoapp.errors import BadFile
from geoapp.store import clocks, versions
from geoapp.store.clocks import Running, Told
from geoapp.store.session import bulk, snapshot

__all__ = ["WorkCalendar", "of_issue", "read_calendar", "reckon", "reckon_all"]


def read_calendar(file: Path, zone: ZoneInfo) -> WorkCalendar:
    """Raises BadFile or BadLayer for a file that cannot be."""
    try:
        return calendar.parse(file.read_text(encoding="utf-8-sig"), file=file.name, zone=zone)
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(str(file), str(error)) from None


def reckon(db: Any, issue_id: UUID, known: WorkCalendar, *, now: datetime) -> None:
    """Compute the running clock of one issue anew, within the transaction that changed it."""
    clocks.keep(db, [_running(one, known, now) for one in clocks.told(db, only=issue_id)])


def reckon_all(viewer: Viewer, known: WorkCalendar, *, now: datetime) -> int:  # noqa: ARG001 - the operator's
    """Compute them all: after the calendar or the categories have changed; returns how many run."""
    with bulk() as db:
        running = [_running(one, known, now) for one in clocks.told(db)]
        clocks.keep(db, running)
        versions.bump(db, "issues")
    return sum(bool(one.stage) for one in running)


def of_issue(issue_id: UUID) -> tuple[Clock, ...]:
    """Every clock that ever ran for an issue; it tells nothing that its public history does not."""
    with snapshot() as db:
        return next((_clocks(one) for one in clocks.told(db, only=issue_id)), ())


def _clocks(one: Told) -> tuple[Clock, ...]:
    return deadlines.clocks(one.events, deadlines.limits(one.limits))


def _running(one: Told, known: WorkCalendar, now: datetime) -> Running:
    clock = deadlines.current(_clocks(one))
    if clock is None:
        return Running(one.issue_id, "", None, paused=False)
    found = deadlines.standing(clock, known, now=now)
    return Running(one.issue_id, str(clock.stage), found.due_at, found.paused)
