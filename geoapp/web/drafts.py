"""A visit's plan as the browser's script sends and reads it: JSON to a draft, and drafts and schedules to JSON."""

import json
import re
from collections.abc import Iterable
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from flask import request

from geoapp.domain import visiting
from geoapp.domain.values import Point
from geoapp.domain.visiting import Draft, DraftGuest, DraftStop, Finish, LeftOut, Mode, Schedule, Scheduled
from geoapp.errors import BadInput
from geoapp.services.visits import Candidate, StopRow, Target, VisitDetail
from geoapp.web import page, params, shapes

Word = TypeVar("Word", bound=StrEnum)
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
MOST_ITEMS = 200


def read() -> tuple[Draft, int | None]:
    """The draft of a body and the version that it was made from; raises BadInput naming the field."""
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict):
        raise BadInput("body", "json")
    version = sent.get("version")
    return _draft(_object(sent, "draft")), version if isinstance(version, int) and version > 0 else None


def _draft(sent: dict[str, Any]) -> Draft:
    end = sent.get("end")
    return Draft(
        title=_text(sent, "title", most=visiting.LONGEST_TITLE),
        on_day=_day(sent, "on"),
        starts_at=_needed_clock(sent, "at"),
        start=_point(_object(sent, "start"), "start"),
        start_name=_text(_object(sent, "start"), "name", most=visiting.LONGEST_NAME),
        stops=tuple(_stop(one) for one in _items(sent, "stops")),
        mode=_word(sent, "mode", Mode),
        finish=_word(sent, "finish", Finish),
        end=None if end is None else _point(_object(sent, "end"), "end"),
        end_name="" if end is None else _text(_object(sent, "end"), "name", most=visiting.LONGEST_NAME),
        minutes_per_stop=_whole(sent, "minutes") or visiting.USUAL_MINUTES,
        budget_min=_whole(sent, "budget"),
        guests=tuple(_guest(one) for one in _items(sent, "guests")),
        by_hand=sent.get("by_hand") is True,
    )


def _stop(sent: dict[str, Any]) -> DraftStop:
    return DraftStop(
        issue=_uuid(sent, "issue"),
        minutes=_whole(sent, "minutes"),
        window_from=_clock(sent, "from"),
        window_to=_clock(sent, "to"),
        pinned=sent.get("pinned") is True,
        out=sent.get("out") is True,
    )


def _guest(sent: dict[str, Any]) -> DraftGuest:
    return DraftGuest(
        id=_uuid(sent, "id"),
        name=_text(sent, "name", most=visiting.LONGEST_NAME),
        unit=_text(sent, "unit", most=visiting.LONGEST_NAME) or None,
        phone=_text(sent, "phone", most=visiting.LONGEST_NAME),
        email=_text(sent, "email", most=visiting.LONGEST_NAME),
        window_from=_clock(sent, "from"),
        window_to=_clock(sent, "to"),
    )


def draft_of(detail: VisitDetail) -> dict[str, Any]:
    """A stored visit as the script edits it."""
    visit = detail.visit
    return {
        "title": visit.title,
        "on": visit.on_day.isoformat(),
        "at": _time(visit.starts_at),
        "mode": visit.mode,
        "start": {"lat": visit.start.lat, "lon": visit.start.lon, "name": visit.start_name},
        "finish": visit.finish,
        "end": visit.end and {"lat": visit.end.lat, "lon": visit.end.lon, "name": visit.end_name},
        "minutes": visit.minutes_per_stop,
        "budget": visit.budget_min,
        "by_hand": visit.by_hand,
        "stops": [_stop_of(stop) for stop in detail.stops],
        "guests": [
            {
                "id": str(guest.id),
                "name": guest.name,
                "unit": guest.unit,
                "unit_name": guest.unit_name.say(page.lang()),
                "phone": guest.phone,
                "email": guest.email,
                "from": guest.window_from and _time(guest.window_from),
                "to": guest.window_to and _time(guest.window_to),
            }
            for guest in detail.guests
        ],
    }


def new_draft(found: Iterable[Target], *, title: str, on_day: date) -> dict[str, Any]:
    """A visit that somebody begins to plan: it starts in the middle of what was chosen until they say where."""
    chosen = list(found)
    middle = {
        "lat": round(sum(one.issue.lat for one in chosen) / len(chosen), 6),
        "lon": round(sum(one.issue.lon for one in chosen) / len(chosen), 6),
        "name": "",
    }
    stops = [
        {"issue": str(one.issue.id), "minutes": None, "from": None, "to": None, "pinned": False, "out": False}
        for one in chosen
    ]
    return {
        "title": title, "on": on_day.isoformat(), "at": "09:00", "mode": Mode.WALKING, "start": middle,
        "finish": Finish.START, "end": None, "minutes": visiting.USUAL_MINUTES, "budget": 180, "by_hand": False,
        "stops": stops, "guests": [],
    }  # fmt: skip


def issue(target: Target | StopRow) -> dict[str, Any]:
    """What the plan shows of an issue, with the units that may come and their phones."""
    row = target.issue
    known = shapes.properties(row)
    return {
        "id": str(row.id),
        **{key: known[key] for key in ("number", "title", "state_name", "group", "verdict", "verdict_name")},
        "severity": target.severity,
        "lat": row.lat,
        "lon": row.lon,
        "url": page.url(f"/desk/issues/{row.number}"),
        "units": [_unit(one) for one in target.candidates],
    }


def schedule(plan: Schedule, found: dict[UUID, str]) -> dict[str, Any]:
    """What a plan comes to; ``found`` names the issues for sentences about them."""
    return {
        "stops": [_scheduled(one) for one in plan.stops],
        "left_out": [{"issue": str(one.issue), "reason": one.reason, "why": why(one, found)} for one in plan.left_out],
        "length_m": round(plan.length_m),
        "minutes": plan.minutes,
        "ends": clock_of(plan.ends),
        "over": plan.over,
        "exact": plan.exact,
        "home_m": round(plan.home_m),
        "basis": plan.basis,
        "basis_text": basis(plan.basis, plan.detour_factor),
        "route": [[round(lat, 6), round(lon, 6)] for lon, lat in plan.route],
    }


def way(route: str | None) -> list[list[float]]:
    """A stored way as the map draws it, latitude first."""
    return [[lat, lon] for lon, lat in json.loads(route)["coordinates"]] if route else []


def basis(kind: str, factor: float | None) -> str:
    """Over what the distances were measured, in one sentence."""
    return page.say(f"visit.basis.{kind}", factor=f"{factor or 1:g}")


def why(left: LeftOut, found: dict[UUID, str]) -> str:
    """Why a stop does not fit, in one sentence."""
    given = dict(left.params)
    if left.reason == "window_missed":
        given = {name: clock_of(int(given[name])) for name in ("opens", "closes", "arrives")}
    key = f"visit.left_out.{left.reason}"
    if "before" in given:
        given["before"] = found.get(UUID(str(given["before"])), "")
        key += "_before"
    return page.say(key, **given)


def clock_of(minute: int) -> str:
    """A minute of the day as a clock shows it; past midnight it goes on from 00:00."""
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def _scheduled(one: Scheduled) -> dict[str, Any]:
    return {
        "issue": str(one.issue),
        "arrives": clock_of(one.arrives),
        "begins": clock_of(one.arrives + one.waits),
        "leaves": clock_of(one.leaves),
        "leg_m": round(one.leg_m),
        "waits": one.waits,
        "late": one.late,
        "cut_off": one.cut_off,
        "window": one.window and [clock_of(at) for at in one.window],
    }


def _stop_of(stop: StopRow) -> dict[str, Any]:
    return {
        "issue": str(stop.issue.id),
        "minutes": stop.minutes,
        "from": stop.window_from and _time(stop.window_from),
        "to": stop.window_to and _time(stop.window_to),
        "pinned": stop.pinned,
        "out": stop.seq is None,
    }


def _unit(one: Candidate) -> dict[str, Any]:
    return {"code": one.code, "name": one.name.say(page.lang()), "phone": one.phone}


# --- one value of a body each ---


def _object(sent: dict[str, Any], name: str) -> dict[str, Any]:
    value = sent.get(name)
    if not isinstance(value, dict):
        raise BadInput(name, "missing")
    return value


def _items(sent: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = sent.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadInput(name, "json")
    if len(value) > MOST_ITEMS:
        raise BadInput(name, "too_many", most=MOST_ITEMS)
    return value


def _text(sent: dict[str, Any], name: str, *, most: int) -> str:
    value = sent.get(name) or ""
    if not isinstance(value, str) or params.CONTROLS.search(value):
        raise BadInput(name, "characters")
    if len(value) > most:
        raise BadInput(name, "too_long", most=most)
    return value.strip()


def _whole(sent: dict[str, Any], name: str) -> int | None:
    value = sent.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > visiting.DAY_MIN:
        raise BadInput(name, "whole_number")
    return value


def _uuid(sent: dict[str, Any], name: str) -> UUID:
    try:
        return UUID(str(sent.get(name)))
    except ValueError:
        raise BadInput(name, "uuid") from None


def _day(sent: dict[str, Any], name: str) -> date:
    return params.date_of(name, str(sent.get(name, "")))


def _clock(sent: dict[str, Any], name: str) -> time | None:
    value = sent.get(name)
    if value in (None, ""):
        return None
    if not isinstance(value, str) or not CLOCK.fullmatch(value):
        raise BadInput(name, "clock")
    return time.fromisoformat(value)


def _needed_clock(sent: dict[str, Any], name: str) -> time:
    value = _clock(sent, name)
    if value is None:
        raise BadInput(name, "missing")
    return value


def _point(sent: dict[str, Any], name: str) -> Point:
    lat, lon = sent.get("lat"), sent.get("lon")
    for value, most in ((lat, 85), (lon, 180)):
        if not isinstance(value, int | float) or isinstance(value, bool) or not -most <= value <= most:
            raise BadInput(name, "degrees")
    return params.place(float(str(lon)), float(str(lat)))


def _word(sent: dict[str, Any], name: str, words: type[Word]) -> Word:
    value = sent.get(name)
    if value not in set(words):
        raise BadInput(name, "one_of", value=str(value)[:20], choices=", ".join(words))
    return words(value)


def _time(at: time | datetime) -> str:
    return at.strftime("%H:%M")
