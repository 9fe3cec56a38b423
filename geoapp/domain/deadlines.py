"""Staged deadlines (核实, 派遣, 处置, 核查), computed from the history alone, so that each can be recomputed.

A clock runs in one of three kinds of time: urgent hours (紧急工作时), which are hours of the day and night;
working hours (工作时); working days (工作日), of which the last one counts in full. It stands still while
an issue is deferred, shelved or waits for the joint meeting. A day that a joint meeting has agreed upon takes
the place of the limit.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from geoapp.domain.calendar import WorkCalendar
from geoapp.domain.values import Event, IssueState


class Stage(StrEnum):
    VERIFY = "verify"
    DISPATCH = "dispatch"
    HANDLE = "handle"
    CHECK = "check"


class Unit(StrEnum):
    URGENT_HOURS = "urgent_hours"
    WORK_HOURS = "work_hours"
    WORK_DAYS = "work_days"


@dataclass(frozen=True, slots=True)
class Limit:
    unit: Unit
    amount: int


Limits = Mapping[Stage, Limit]


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which a clock stood still, and the state that was the reason; ``ended`` None: it still does."""

    began: datetime
    ended: datetime | None
    reason: IssueState


@dataclass(frozen=True, slots=True)
class Clock:
    """One stage of one round. ``broken_off`` marks a stage that ended without its work: returned, or refused.

    ``agreed`` is the day until which a joint meeting wants the work done; it goes before the limit.
    """

    stage: Stage
    limit: Limit
    began: datetime
    ended: datetime | None = None
    broken_off: bool = False
    pauses: tuple[Pause, ...] = ()
    agreed: date | None = None

    @property
    def is_paused(self) -> bool:
        return bool(self.pauses) and self.pauses[-1].ended is None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a clock stands: in hours (``left`` a timedelta) or in working days (``left`` a number).

    ``due_at`` is None while it is paused; ``left`` is negative beyond the deadline. ``sure`` is False when the
    time reaches into a year whose holidays are not known.
    """

    due_at: datetime | None
    left: timedelta | int
    overdue: bool
    paused: bool
    sure: bool


_S = IssueState
_STAGE = {
    _S.REPORTED: Stage.VERIFY,
    _S.REOPENED: Stage.VERIFY,
    _S.ACCEPTED: Stage.DISPATCH,
    _S.RETURNED: Stage.DISPATCH,
    _S.DISPATCHED: Stage.HANDLE,
    _S.HANDLING: Stage.HANDLE,
    _S.REWORK: Stage.HANDLE,
    _S.DONE: Stage.CHECK,
}
_STILL = {_S.AGENDA, _S.DEFERRED, _S.SHELVED}
BY_AGREEMENT = Limit(Unit.WORK_DAYS, 0)
"""What a clock counts in whose end is an agreed day."""


def limits(found: Mapping[str, Mapping[str, int]]) -> dict[Stage, Limit]:
    """A category's deadlines as its file has them: ``{"verify": {"work_hours": 4}}``."""
    return {Stage(stage): Limit(Unit(unit), amount) for stage, span in found.items() for unit, amount in span.items()}


def clocks(events: Iterable[Event], known: Limits) -> tuple[Clock, ...]:
    """Every clock that ever ran, in order; stages without a limit have none.

    A failed check does not buy time: rework goes on with the clock of the work, which stood still meanwhile.
    """
    run: list[Clock] = []
    current: int | None = None
    handling: int | None = None
    stage: Stage | None = None
    for event in events:
        state = event.to_state
        agreed = _agreed(event)
        if state is None:
            if agreed and stage is Stage.HANDLE:
                current = handling = _agree(run, handling, agreed, event.at)
            continue
        if state in _STILL:
            if current is not None and not run[current].is_paused:
                run[current] = _pause(run[current], event.at, state)
            continue
        stage = _STAGE.get(state)
        if current is not None:
            clock = _go_on(run[current], event.at)
            goes_on = clock.stage is stage and not (state is _S.RETURNED or clock.ended)
            if goes_on:
                run[current] = clock
                continue
            broken = state in {_S.RETURNED, _S.REFUSED, _S.DUPLICATE}
            run[current] = dataclasses.replace(clock, ended=event.at, broken_off=broken)
            current = None
        if state is _S.REWORK and handling is not None:
            reopened = dataclasses.replace(run[handling], ended=None)
            checked = Pause(run[handling].ended or event.at, event.at, _S.DONE)
            run.append(dataclasses.replace(reopened, pauses=(*reopened.pauses, checked)))
            del run[handling]
            current = handling = len(run) - 1
        elif begun := _begin(stage, known, agreed, event.at):
            run.append(begun)
            current = len(run) - 1
            handling = current if stage is Stage.HANDLE else handling
    return tuple(run)


def _begin(stage: Stage | None, known: Limits, agreed: date | None, at: datetime) -> Clock | None:
    if stage is Stage.HANDLE and agreed:
        return Clock(stage, BY_AGREEMENT, at, agreed=agreed)
    return Clock(stage, known[stage], at) if stage is not None and stage in known else None


def _agree(run: list[Clock], handling: int | None, agreed: date, at: datetime) -> int:
    """Let the clock of the work end on an agreed day, and begin one where none runs; returns its place."""
    if handling is None or run[handling].ended:
        run.append(Clock(Stage.HANDLE, BY_AGREEMENT, at))
        handling = len(run) - 1
    run[handling] = dataclasses.replace(run[handling], limit=BY_AGREEMENT, agreed=agreed)
    return handling


def current(found: Sequence[Clock]) -> Clock | None:
    """The clock that runs or stands still now; None when nothing waits for anybody."""
    return next((clock for clock in reversed(found) if clock.ended is None), None)


def standing(clock: Clock, calendar: WorkCalendar, *, now: datetime) -> Standing:
    """How much is left of a clock, at ``now`` or when it ended."""
    at = clock.ended or now
    due = _due(clock, calendar)
    if clock.is_paused:
        # While it stands still, what is left is what was left when it stopped.
        at = clock.pauses[-1].began
    left: timedelta | int
    if clock.limit.unit is Unit.WORK_DAYS:
        # The deadline is the closing of a day, which belongs to that day and not to the next.
        last = due - timedelta(microseconds=1)
        left = calendar.days_between(at, last) if at <= due else -max(1, calendar.days_between(last, at))
    elif clock.limit.unit is Unit.WORK_HOURS:
        left = calendar.hours_between(at, due)
    else:
        left = due - at
    sure = clock.limit.unit is Unit.URGENT_HOURS or all(
        calendar.knows(instant.astimezone(calendar.zone).date()) for instant in (clock.began, due)
    )
    return Standing(None if clock.is_paused else due, left, at > due, clock.is_paused, sure)


def explain(clock: Clock, calendar: WorkCalendar, *, now: datetime) -> list[tuple[str, dict[str, Any]]]:
    """How the deadline comes about, line by line: keys under ``deadline.why.`` in words, with their parameters."""
    found = standing(clock, calendar, now=now)
    lines: list[tuple[str, dict[str, Any]]] = [
        ("agreed", {"at": clock.began, "day": clock.agreed.isoformat()})
        if clock.agreed
        else ("began", {"at": clock.began, "amount": clock.limit.amount, "unit": clock.limit.unit})
    ]
    for pause in clock.pauses:
        if pause.ended is None:
            lines.append(("stands_still", {"at": pause.began, "state": pause.reason}))
        else:
            lines.append(("stood_still", {"at": pause.began, "until": pause.ended, "state": pause.reason}))
    if clock.limit.unit is not Unit.URGENT_HOURS and found.due_at:
        if free := calendar.free_days(clock.began, found.due_at):
            lines.append(("holidays", {"count": len(free), "first": free[0], "last": free[-1]}))
        if not found.sure:
            lines.append(("unsure", {"year": found.due_at.astimezone(calendar.zone).year}))
    return lines


def _due(clock: Clock, calendar: WorkCalendar) -> datetime:
    """When it runs out, with every pause added in the clock's own kind of time; an open pause adds nothing yet.

    Nor does one that begins after the deadline: what is late does not become punctual by being deferred.
    """
    due = _add(clock, calendar, [])
    counted: list[tuple[datetime, datetime]] = []
    for pause in clock.pauses:
        if pause.ended and pause.began <= due:
            counted.append((pause.began, pause.ended))
            due = _add(clock, calendar, counted)
    return due


def _add(clock: Clock, calendar: WorkCalendar, pauses: Sequence[tuple[datetime, datetime]]) -> datetime:
    amount, unit = clock.limit.amount, clock.limit.unit
    if clock.agreed:
        end = datetime.combine(clock.agreed, calendar.hours[-1][1], calendar.zone)
        away = sum(calendar.days_between(*span) for span in pauses)
        # The agreed day holds as it was said, be it a working day or not; only what was lost moves it.
        return calendar.add_days(end - timedelta(microseconds=1), away) if away else end
    if unit is Unit.WORK_DAYS:
        return calendar.add_days(clock.began, amount + sum(calendar.days_between(*span) for span in pauses))
    if unit is Unit.WORK_HOURS:
        lost = sum((calendar.hours_between(*span) for span in pauses), timedelta())
        return calendar.add_hours(clock.began, timedelta(hours=amount) + lost)
    return clock.began + timedelta(hours=amount) + sum((end - begin for begin, end in pauses), timedelta())


def _agreed(event: Event) -> date | None:
    """The day until which a meeting wants it done; what is no day (of a foreign import) is none."""
    try:
        return date.fromisoformat(str(event.detail.get("due", "")))
    except ValueError:
        return None


def _pause(clock: Clock, at: datetime, reason: IssueState) -> Clock:
    return dataclasses.replace(clock, pauses=(*clock.pauses, Pause(at, None, reason)))


def _go_on(clock: Clock, at: datetime) -> Clock:
    if not clock.is_paused:
        return clock
    return dataclasses.replace(clock, pauses=(*clock.pauses[:-1], dataclasses.replace(clock.pauses[-1], ended=at)))
