"""A visit's itinerary: the draft and its issues in, the best order (or the one by hand) with times and metres out."""

from collections.abc import Mapping
from uuid import UUID
from zoneinfo import ZoneInfo

from shapely.geometry import LineString

from geoapp.domain import visiting
from geoapp.domain.geometry import geodesic_length_m
from geoapp.domain.visiting import Basis, Draft, Finish, Schedule, Scheduled
from geoapp.store.session import Session
from geoapp.store.visits import Target

DETOUR = 1.3
SPEED_M_PER_MIN = {visiting.Mode.WALKING: 75.0, visiting.Mode.DRIVING: 330.0}


def schedule(db: Session, draft: Draft, found: Mapping[UUID, Target], *, zone: ZoneInfo) -> Schedule:  # noqa: ARG001
    """The stops in the order of the draft, over the great circle × detour factor."""
    here, minute, metres = (draft.start.lon, draft.start.lat), visiting.minute_of(draft.starts_at), 0.0
    stops, route = [], [here]
    for stop in draft.stops:
        issue = found[stop.issue].issue
        leg = DETOUR * geodesic_length_m(LineString([here, (issue.lon, issue.lat)]))
        here = (issue.lon, issue.lat)
        arrives = minute + round(leg / SPEED_M_PER_MIN[draft.mode])
        minute = arrives + (stop.minutes or draft.minutes_per_stop)
        metres += leg
        stops.append(Scheduled(stop.issue, arrives, minute, leg))
        route.append(here)
    last = {Finish.START: draft.start, Finish.PLACE: draft.end, Finish.LAST_STOP: None}[draft.finish]
    if last:
        leg = DETOUR * geodesic_length_m(LineString([here, (last.lon, last.lat)]))
        metres += leg
        minute += round(leg / SPEED_M_PER_MIN[draft.mode])
        route.append((last.lon, last.lat))
    return Schedule(
        tuple(stops), (), metres, minute - visiting.minute_of(draft.starts_at), Basis.ESTIMATE, DETOUR, tuple(route)
    )
