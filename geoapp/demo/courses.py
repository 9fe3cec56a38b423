"""What happens to a made-up issue after its report: a walk through the state machine, cut off at the present.

Units that a place is claimed by decide the walk. One claimant works; two send the case to and fro until the
joint meeting decides; where there is none, the case waits for a settlement on site.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from geoapp.domain.values import Event, IssueState

REFUSED, DUPLICATE, DEFERRED, REWORKED, REOPENED = 0.03, 0.025, 0.04, 0.12, 0.03
"""Shares of issues that go these ways."""
STUCK, STUCK_FACTOR = 0.25, 25
"""A step of so many takes so many times as long: leave, money, weather, nobody's job."""
NOT_OURS = ("经核实不在我单位管辖范围内。", "该处未移交我单位管理。", "请转相邻单位处理。")


@dataclass(slots=True)
class Course:
    """Where an issue stands at present, and how it came there."""

    state: IssueState
    events: list[Event] = field(default_factory=list)
    unit: str | None = None
    ended_at: datetime | None = None

    @property
    def updated_at(self) -> datetime:
        return self.events[-1].at


@dataclass(frozen=True, slots=True)
class _Step:
    action: str
    to_state: IssueState | None
    actor: str
    hours: float
    unit: str | None = None
    note: str = ""


def run(
    random: np.random.Generator, reported_at: datetime, now: datetime, claimants: tuple[str, ...], street: str
) -> Course:
    """Walk until the case ends or the present is reached. ``street`` is the office that settles orphans."""
    course = Course(IssueState.REPORTED, [Event(reported_at, "report", IssueState.REPORTED, "resident")])
    at = reported_at
    for step in _steps(random, claimants, street):
        factor = STUCK_FACTOR if random.random() < STUCK else 1
        at += timedelta(hours=float(random.gamma(2, step.hours / 2)) * factor)
        if at > now:
            break
        course.events.append(Event(at, step.action, step.to_state, step.actor, step.note))
        course.state = step.to_state or course.state
        course.unit = step.unit or course.unit
    course.ended_at = course.updated_at if course.state.ended else None
    return course


def _steps(random: np.random.Generator, claimants: tuple[str, ...], street: str) -> Iterator[_Step]:
    chance = random.random()
    if chance < REFUSED:
        yield _Step("refuse", IssueState.REFUSED, "community", 20)
        return
    if chance < REFUSED + DUPLICATE:
        yield _Step("duplicate", IssueState.DUPLICATE, "community", 12)
        return
    yield _Step("accept", IssueState.ACCEPTED, "community", 12)
    if not claimants:
        yield from _settled(street)
        unit = street
    elif len(claimants) > 1:
        yield from _to_and_fro(random, claimants)
        unit = claimants[int(random.random() < 1 / 2)]
    else:
        unit = claimants[0]
    yield _Step("dispatch", IssueState.DISPATCHED, "community", 10, unit)
    if chance > 1 - DEFERRED:
        yield _Step("defer", IssueState.DEFERRED, "unit", 30, note="等待资金计划。")
        yield _Step("dispatch", IssueState.DISPATCHED, "community", 900, unit)
    yield from _work(random)
    if random.random() < REOPENED:
        yield _Step("reopen", IssueState.REOPENED, "resident", 240, note="问题再次出现。")
        yield _Step("accept", IssueState.ACCEPTED, "community", 12)
        yield _Step("dispatch", IssueState.DISPATCHED, "community", 10, unit)
        yield from _work(random)


def _work(random: np.random.Generator) -> Iterator[_Step]:
    yield _Step("start", IssueState.HANDLING, "unit", 90)
    yield _Step("report_done", IssueState.DONE, "unit", 260)
    if random.random() < REWORKED:
        yield _Step("rework", IssueState.REWORK, "supervisor", 40, note="现场核查未达标。")
        yield _Step("report_done", IssueState.DONE, "unit", 90)
    yield _Step("close", IssueState.CLOSED, "supervisor", 36)


def _settled(street: str) -> Iterator[_Step]:
    yield _Step("to_agenda", IssueState.AGENDA, "community", 500)
    yield _Step("visit", None, "secretary", 500)
    yield _Step("settle", None, "secretary", 200)
    yield _Step("decide", IssueState.ACCEPTED, "meeting", 300, street)


def _to_and_fro(random: np.random.Generator, claimants: tuple[str, ...]) -> Iterator[_Step]:
    for unit in claimants[: 1 + int(random.random() < 1 / 2)]:
        yield _Step("dispatch", IssueState.DISPATCHED, "community", 10, unit)
        note = NOT_OURS[int(random.integers(len(NOT_OURS)))]
        yield _Step("return", IssueState.RETURNED, "unit", 60, note=note)
    if random.random() < 1 / 2:
        yield _Step("to_agenda", IssueState.AGENDA, "community", 120)
        yield _Step("decide", IssueState.ACCEPTED, "meeting", 400)
