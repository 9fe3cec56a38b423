"""Did it work? Issues in a project's boundary before it began and after it ended, against places like it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from geoapp.domain.spatial import sides
from geoapp.domain.spatial.effect import Effect
from geoapp.domain.values import IssueFilter, PlaceKind, Viewer
from geoapp.services import planning, projects, snapshots
from geoapp.services.projects import ProjectRow

DAYS = 180


@dataclass(frozen=True, slots=True)
class Outcome:
    """A project, and what can be said of it: ``missing`` names what there must be before anything can be."""

    project: ProjectRow
    categories: tuple[str, ...]
    began: date | None
    ended: date | None
    missing: str = ""
    effect: Effect | None = None
    controls: tuple[str, ...] = ()
    how: dict[str, Any] | None = None


def of_project(viewer: Viewer, project: UUID, *, days: int = DAYS, now: datetime, zone: ZoneInfo) -> Outcome:
    """Before and after of a project with a boundary and days. Raises NotYours and NotFound."""
    allowed = planning.scope(viewer)
    whole = projects.get(viewer, project)
    row = whole.row
    kinds = tuple(sorted({case.category for case in whole.cases}))
    today = now.astimezone(zone).date()
    missing = "area" if not row.area else "days" if not row.begins or not row.ends else ""
    if not missing and row.ends is not None and row.ends >= today:
        missing = "not_over"
    if missing or row.area is None or row.begins is None or row.ends is None:
        return Outcome(row, kinds, row.begins, row.ends, missing)
    inside = () if allowed is None else tuple(sorted(allowed))
    issues = snapshots.read(viewer, IssueFilter(categories=kinds, communities=inside), zone=zone)
    areas = snapshots.areas(viewer, PlaceKind.COMMUNITY, on=today, within=inside)
    found, controls, how = sides.did_it_work(
        issues, areas, shapely.from_geojson(row.area), began=_instant(row.begins, zone), ended=_instant(row.ends, zone),
        now=np.datetime64(int(now.timestamp()), "s"), days=days,
    )  # fmt: skip
    return Outcome(row, kinds, row.begins, row.ends, "", found, controls, how.as_json())


def _instant(day: date, zone: ZoneInfo) -> np.datetime64:
    """The beginning of a day of the zone, as an instant."""
    return np.datetime64(int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()), "s")
