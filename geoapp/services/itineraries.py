"""A visit's itinerary: the draft and its issues in; the best order, or the one by hand, with times and metres out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import numpy as np

from geoapp.domain import routes, visiting
from geoapp.domain.routes import Call, Matrix, Plan, Stop
from geoapp.domain.visiting import Basis, Draft, Finish, LeftOut, Mode, Schedule, Scheduled
from geoapp.store.visits import Target

DETOUR = 1.3
SPEED_M_PER_S = {Mode.WALKING: 1.25, Mode.DRIVING: 5.5}


def schedule(draft: Draft, found: Mapping[UUID, Target], *, now: datetime) -> Schedule:
    """The best order of a draft's stops, or what its own order comes to when that was made by hand."""
    places = [(found[stop.issue].issue.lon, found[stop.issue].issue.lat) for stop in draft.stops]
    end = draft.end or draft.start
    points = [(draft.start.lon, draft.start.lat), *places, (end.lon, end.lat)]
    matrix = _matrix(points, draft.mode)
    if draft.finish is Finish.LAST_STOP:
        # No way is walked after the last stop, whichever it is.
        for table in (matrix.metres, matrix.seconds):
            table[:, -1] = table[-1, :] = 0
    stops = _stops(draft, found, now=now)
    starts = visiting.minute_of(draft.starts_at)
    budget = draft.budget_min or visiting.LONGEST_VISIT_MIN
    if draft.by_hand:
        order = [str(stop.issue) for stop in draft.stops if not stop.out]
        plan = routes.evaluate(order, stops, matrix, starts=starts, budget_min=budget)
    else:
        plan = routes.plan(stops, matrix, starts=starts, budget_min=budget)
    place_of = dict(zip((str(stop.issue) for stop in draft.stops), places, strict=True))
    way = [points[0], *(place_of[one] for one in plan.order)]
    if draft.finish is not Finish.LAST_STOP:
        way.append(points[-1])
    return _schedule(plan, way)


def _stops(draft: Draft, found: Mapping[UUID, Target], *, now: datetime) -> list[Stop]:
    """The graver and the later an issue is, the more it is worth a visit; what is pinned goes before all."""
    codes = {key: frozenset(unit.code for unit in one.candidates) for key, one in found.items()}
    windows = visiting.windows(draft, codes)
    return [
        Stop(
            str(stop.issue),
            stop.minutes or draft.minutes_per_stop,
            windows[stop.issue],
            stop.pinned,
            visiting.worth(found[stop.issue].severity, overdue=_overdue(found[stop.issue], now)),
        )
        for stop in draft.stops
    ]


def _overdue(target: Target, now: datetime) -> bool:
    return target.issue.due_at is not None and target.issue.due_at < now


def _schedule(plan: Plan, way: Sequence[tuple[float, float]]) -> Schedule:
    basis = Basis(plan.basis)
    return Schedule(
        stops=tuple(_scheduled(call) for call in plan.calls),
        left_out=tuple(LeftOut(UUID(one.stop.id), str(one.reason), one.params) for one in plan.left_out),
        length_m=plan.metres,
        minutes=_minutes(plan.total_s),
        basis=basis,
        detour_factor=None if basis is Basis.ROADS else DETOUR,
        route=tuple(way),
        home_m=plan.home_metres,
        ends=_minutes(plan.ends),
        over=_minutes(plan.over_s),
        exact=plan.exact,
    )


def _scheduled(call: Call) -> Scheduled:
    return Scheduled(
        issue=UUID(call.stop.id),
        arrives=_minutes(call.arrives),
        leaves=_minutes(call.leaves),
        leg_m=call.metres,
        waits=call.waits_s // routes.MINUTE,
        late=_minutes(call.late_s),
        window=call.stop.window,
        cut_off=call.cut_off,
    )


def _minutes(seconds: int) -> int:
    """Full minutes, begun ones counted."""
    return -(-seconds // routes.MINUTE)


def _matrix(points: Sequence[tuple[float, float]], mode: Mode) -> Matrix:
    lon, lat = np.radians(np.asarray(points, dtype=float)).T
    half = np.sin((lat[:, None] - lat) / 2) ** 2 + np.cos(lat[:, None]) * np.cos(lat) * (
        np.sin((lon[:, None] - lon) / 2) ** 2
    )
    metres = DETOUR * 2 * 6371008.8 * np.arcsin(np.sqrt(half))
    return Matrix(metres, metres / SPEED_M_PER_S[mode], routes.Basis.ESTIMATE)
