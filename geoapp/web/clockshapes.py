"""The shapes of deadlines: what is left of one, how it comes about, and what is to be expected next."""

from datetime import datetime, timedelta
from typing import Any

from geoapp.domain.deadlines import Clock, explain, standing
from geoapp.domain.values import Name
from geoapp.services.issues import IssueRow
from geoapp.web import page


def deadline(row: IssueRow) -> dict[str, Any] | None:
    """The running deadline as lists show it: what is left in working time. None when nothing runs."""
    if not row.stage:
        return None
    shape: dict[str, Any] = {"stage": row.stage, "stage_name": page.say(f"deadline.stage.{row.stage}"), "due_at": None}
    if row.due_at is None:
        return shape | {"look": "paused", "countdown": page.say("deadline.left.paused"), "overdue": False}
    now = page.now()
    overdue = now > row.due_at
    return shape | {
        "due_at": row.due_at.astimezone(page.settings().zone).isoformat(timespec="minutes"),
        "due_text": page.minute(row.due_at),
        "look": "overdue" if overdue else "soon" if _is_soon(now, row.due_at) else "",
        "countdown": _countdown(now, row.due_at),
        "overdue": overdue,
    }


def expectation(stage: str, due_at: datetime | None, unit: Name) -> str:
    """When what is to be expected next, in one sentence; empty when nothing runs."""
    if not stage:
        return ""
    who = unit.say(page.lang()) or page.say("expect.nobody")
    if due_at is None:
        return page.say("expect.paused", who=who)
    at = page.minute(due_at)
    return page.say(f"expect.{'late' if page.now() > due_at else stage}", at=at, who=who)


def clock(one: Clock) -> dict[str, Any]:
    """One stage with how its deadline comes about, line by line."""
    found = standing(one, page.calendar(), now=page.now())
    due, ended = found.due_at, one.ended
    end = "broken_off" if one.broken_off else "ended"
    return {
        "stage_name": page.say(f"deadline.stage.{one.stage}"),
        "running": ended is None,
        "late": found.overdue and not one.broken_off,
        "look": "paused" if found.paused else "overdue" if found.overdue else "",
        "countdown": page.say(f"deadline.why.{end}", at=page.minute(ended)) if ended else
        _countdown(page.now(), due) if due else page.say("deadline.left.paused"),
        "due": page.say("deadline.why.due", at=page.minute(due)) if due else "",
        "why": [page.say(f"deadline.why.{key}", **_said(params)) for key, params in
                explain(one, page.calendar(), now=page.now())],
    }  # fmt: skip


def _said(params: dict[str, Any]) -> dict[str, Any]:
    said = {key: page.minute(value) if isinstance(value, datetime) else value for key, value in params.items()}
    if "unit" in params:
        said["limit"] = page.say(f"deadline.unit.{params['unit']}", n=params["amount"])
    if "state" in params:
        said["state"] = page.say(f"state.{params['state']}")
    return said


def _countdown(now: datetime, due: datetime) -> str:
    """Days while there are at least two, then working hours, then minutes."""
    late = "late_" if now > due else ""
    first, last = (due, now) if late else (now, due)
    known = page.calendar()
    days, hours = known.days_between(first, last - timedelta(microseconds=1)), known.hours_between(first, last)
    if days > 1:
        return page.say(f"deadline.left.{late}days", n=days)
    if hours >= timedelta(hours=1):
        return page.say(f"deadline.left.{late}hours", n=int(hours / timedelta(hours=1)))
    return page.say(f"deadline.left.{late}minutes", n=int((last - first) / timedelta(minutes=1)))


def _is_soon(now: datetime, due: datetime) -> bool:
    return page.calendar().hours_between(now, due) <= timedelta(hours=7)
