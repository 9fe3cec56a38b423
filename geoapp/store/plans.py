"""The plan of a site visit, written as a whole: its facts, its stops with their times, and who comes along."""

import json
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.values import Viewer
from geoapp.domain.visiting import Draft, Schedule


def write(
    db: Session,
    visit: UUID,
    draft: Draft,
    schedule: Schedule,
    *,
    viewer: Viewer,
    zone: ZoneInfo,
    synthetic: bool = False,
) -> None:
    """Store a visit or change it in place: all its facts, stops and guests; a change counts its version up.

    The caller holds the lock of a visit that is there, and has checked who may visit these issues.
    """
    names = (
        "title, on_day, starts_at, mode, start_geom, start_name, finish, end_geom, end_name, minutes_per_stop, "
        "budget_min, by_hand, basis, detour_factor, length_m, minutes_total, route, community_ids"
    )
    facts = (
        ":title, :on_day, :starts_at, :mode, ST_SetSRID(ST_MakePoint(:start_lon, :start_lat), 4326), :start_name, "
        ":finish, CASE WHEN CAST(:end_lon AS float) IS NOT NULL "
        "THEN ST_SetSRID(ST_MakePoint(:end_lon, :end_lat), 4326) END, "
        ":end_name, :minutes_per_stop, :budget_min, :by_hand, :basis, :detour_factor, :length_m, :minutes_total, "
        "ST_GeomFromText(CAST(:route AS text), 4326), "
        "ARRAY(SELECT DISTINCT coalesce(i.community_id, 0) FROM issue i WHERE i.id = ANY (:issues) ORDER BY 1)"
    )
    db.execute(
        text(
            f"""
            INSERT INTO visit (id, state, person_id, person_name, synthetic, {names})
            VALUES (:id, 'planned', :person, :person_name, :synthetic, {facts})
            ON CONFLICT (id) DO UPDATE SET ({names}) = ROW ({facts}), version = visit.version + 1
            """
        ),
        {
            "id": visit,
            "person": viewer.person,
            "person_name": viewer.name,
            "synthetic": synthetic,
            "title": draft.title.strip(),
            "on_day": draft.on_day,
            "starts_at": draft.starts_at,
            "mode": str(draft.mode),
            "start_lon": draft.start.lon,
            "start_lat": draft.start.lat,
            "start_name": draft.start_name,
            "finish": str(draft.finish),
            "end_lon": draft.end and draft.end.lon,
            "end_lat": draft.end and draft.end.lat,
            "end_name": draft.end_name,
            "minutes_per_stop": draft.minutes_per_stop,
            "budget_min": draft.budget_min,
            "by_hand": draft.by_hand,
            "basis": str(schedule.basis),
            "detour_factor": schedule.detour_factor,
            "length_m": schedule.length_m,
            "minutes_total": schedule.minutes,
            "route": _line(schedule.route),
            "issues": [stop.issue for stop in draft.stops],
        },
    )
    _write_stops(db, visit, draft, schedule, zone=zone)
    _write_guests(db, visit, draft)


def _write_stops(db: Session, visit: UUID, draft: Draft, schedule: Schedule, *, zone: ZoneInfo) -> None:
    midnight = datetime.combine(draft.on_day, time(), zone)

    def at(minute: int) -> datetime:
        return midnight + timedelta(minutes=minute)

    wanted = {stop.issue: stop for stop in draft.stops}
    placed: dict[UUID, dict[str, Any]] = {
        stop.issue: {"seq": seq, "arrives_at": at(stop.arrives), "leaves_at": at(stop.leaves), "leg_m": stop.leg_m,
                     "left_out": "", "left_params": "{}"}
        for seq, stop in enumerate(schedule.stops, start=1)
    } | {
        left.issue: {"seq": None, "arrives_at": None, "leaves_at": None, "leg_m": None, "left_out": left.reason,
                     "left_params": json.dumps(dict(left.params), ensure_ascii=False)}
        for left in schedule.left_out
    }  # fmt: skip
    db.execute(text("DELETE FROM visit_stop WHERE visit_id = :visit"), {"visit": visit})
    db.execute(
        text(
            """
            INSERT INTO visit_stop (issue_id, visit_id, seq, left_out, left_params, minutes, window_from, window_to,
                                    pinned, arrives_at, leaves_at, leg_m)
            VALUES (:issue, :visit, :seq, :left_out, CAST(:left_params AS jsonb), :minutes, :window_from, :window_to,
                    :pinned, :arrives_at, :leaves_at, :leg_m)
            """
        ),
        [
            {"issue": issue, "visit": visit, "minutes": stop.minutes, "window_from": stop.window_from,
             "window_to": stop.window_to, "pinned": stop.pinned, **placed[issue]}
            for issue, stop in wanted.items()
        ],
    )  # fmt: skip


def _write_guests(db: Session, visit: UUID, draft: Draft) -> None:
    db.execute(text("DELETE FROM visit_guest WHERE visit_id = :visit"), {"visit": visit})
    if not draft.guests:
        return
    db.execute(
        text(
            """
            INSERT INTO visit_guest (visit_id, id, nth, unit_id, person_id, name, phone, email, window_from, window_to)
            VALUES (:visit, :id, :nth, (SELECT id FROM unit WHERE code = :unit), :person, :name, :phone, :email,
                    :window_from, :window_to)
            """
        ),
        [
            {"visit": visit, "id": guest.id, "nth": nth, "unit": guest.unit, "person": guest.person,
             "name": guest.name.strip(), "phone": guest.phone.strip(), "email": guest.email.strip(),
             "window_from": guest.window_from, "window_to": guest.window_to}
            for nth, guest in enumerate(draft.guests)
        ],
    )  # fmt: skip


def _line(route: tuple[tuple[float, float], ...]) -> str | None:
    if len(route) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    return f"LINESTRING({', '.join(f'{lon:.7f} {lat:.7f}' for lon, lat in route)})"
