"""A visit's itinerary: the draft and its issues in; the best order, or the one by hand, with times and metres out."""

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from geoapp.domain import roads as roads_of
from geoapp.domain import routes, visiting
from geoapp.domain.routes import Call, Plan, Stop
from geoapp.domain.visiting import Basis, Draft, Finish, LeftOut, Schedule, Scheduled
from geoapp.services import roads
from geoapp.store.visits import Target


def schedule(draft: Draft, found: Mapping[UUID, Target], *, now: datetime) -> Schedule:
    """The best order of a draft's stops, or what its own order comes to when that was made by hand."""
    places = [(found[stop.issue].issue.lon, found[stop.issue].issue.lat) for stop in draft.stops]
    end = draft.end or draft.start
    points = [(draft.start.lon, draft.start.lat), *places, (end.lon, end.lat)]
    mode = roads_of.Mode(draft.mode)
    matrix = roads.matrix(points, mode=mode)
    if draft.finish is Finish.LAST_STOP:
        matrix = dataclasses.replace(matrix, metres=_open_ended(matrix.metres), seconds=_open_ended(matrix.seconds))
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
    legs = roads.legs(way, mode=mode) if len(way) > 1 else []
    return _schedule(plan, tuple(place for leg in legs for place in leg.coordinates), roads_of.DETOUR[mode])


def _open_ended(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same without a way after the last stop, whichever it is."""
    free = table.copy()
    free[:, -1] = free[-1, :] = 0
    return free


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


def _schedule(plan: Plan, way: tuple[tuple[float, float], ...], detour: float) -> Schedule:
    basis = Basis(plan.basis)
    return Schedule(
        stops=tuple(_scheduled(call) for call in plan.calls),
        left_out=tuple(LeftOut(UUID(one.stop.id), str(one.reason), one.params) for one in plan.left_out),
        length_m=plan.metres,
        minutes=_minutes(plan.total_s),
        basis=basis,
        detour_factor=None if basis is Basis.ROADS else detour,
        route=way,
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
