"""The survey map: issues of a realm with all that the map draws of them, and what happened to each since a day."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geoapp.domain.permissions import Sight
from geoapp.domain.values import IssueFilter, IssueState, Name, VerdictClass, Viewer
from geoapp.store.condition import condition


@dataclass(frozen=True, slots=True)
class Moved:
    """What has happened to an issue since a moment (UTC); ``overdue``: its deadline has passed in that time."""

    new: bool = False
    returned: bool = False
    reopened: bool = False
    ended: bool = False
    moved: bool = False
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class SurveyRow:
    """An issue on the survey map; ``lon`` and ``lat`` are its true place (EPSG:4326), instants UTC.

    ``extent`` is GeoJSON text, made simpler to about a metre.
    """

    id: UUID
    number: str
    title: str
    category: str
    state: IssueState
    severity: int
    verdict: VerdictClass
    lon: float
    lat: float
    reported_at: datetime
    ended_at: datetime | None
    due_at: datetime | None
    returns: int
    reworks: int
    community: str | None
    unit_name: Name
    extent: str | None
    since: Moved


@dataclass(frozen=True, slots=True)
class PastVisit:
    """A visit that has ended, as a layer draws it: the day, its way (GeoJSON text) and the places of its stops."""

    id: UUID
    title: str
    ended_at: datetime
    summary: str
    person_name: str
    route: str | None
    places: tuple[tuple[float, float, str], ...]


def issues(
    db: Session, wanted: IssueFilter, viewer: Viewer, *, zone: ZoneInfo, since: datetime, now: datetime, limit: int
) -> list[SurveyRow]:
    """The newest so many issues of a filter, all of which the viewer sees in full."""
    where, binds = condition(db, wanted, viewer, zone=zone)
    rows = db.execute(
        text(
            f"""
            WITH found AS MATERIALIZED (
                SELECT i.* FROM issue i WHERE {where} ORDER BY i.reported_at DESC, i.id DESC LIMIT :limit
            ),
            told AS (
                SELECT h.issue_id, bool_or(h.to_state = 'returned') AS returned,
                       bool_or(h.to_state = 'reopened') AS reopened, bool_or(h.to_state IS NOT NULL) AS moved
                FROM history h JOIN found ON found.id = h.issue_id
                WHERE h.at > :since GROUP BY h.issue_id
            )
            SELECT i.id, i.number, i.title, i.category_code, i.state, i.severity, i.verdict,
                   ST_X(i.geom) AS lon, ST_Y(i.geom) AS lat, i.reported_at, i.ended_at, i.due_at, i.returns, i.reworks,
                   place.code AS community, unit.name_zh, unit.name_en,
                   ST_AsGeoJSON(ST_SimplifyPreserveTopology(i.extent, 0.00001), 6) AS extent,
                   i.reported_at > :since AS is_new, coalesce(told.returned, false) AS returned,
                   coalesce(told.reopened, false) AS reopened, coalesce(told.moved, false) AS moved,
                   coalesce(i.ended_at > :since, false) AS has_ended,
                   coalesce(i.due_at > :since AND i.due_at <= :now, false) AS overdue
            FROM found i
            LEFT JOIN told ON told.issue_id = i.id
            LEFT JOIN place ON place.id = i.community_id
            LEFT JOIN unit ON unit.id = i.unit_id
            ORDER BY i.reported_at DESC, i.id DESC
            """
        ),
        binds | {"since": since, "now": now, "limit": limit},
    )
    return [_row(row) for row in rows]


def past_visits(db: Session, sight: Sight, *, limit: int) -> list[PastVisit]:
    """The latest visits that have ended, in communities of which the viewer sees everything; each stop with its number.

    Who came along and with which phone number is not for this layer.
    """
    rows = db.execute(
        text(
            """
            SELECT v.id, v.title, v.ended_at, v.summary, v.person_name, ST_AsGeoJSON(v.route, 6) AS route,
                   ARRAY(SELECT jsonb_build_array(ST_X(i.geom), ST_Y(i.geom), i.number)
                         FROM visit_stop s JOIN issue i ON i.id = s.issue_id
                         WHERE s.visit_id = v.id AND s.seq IS NOT NULL ORDER BY s.seq) AS places
            FROM visit v
            WHERE v.state = 'ended' AND (:everywhere OR v.community_ids <@ ARRAY(
                SELECT id FROM place WHERE kind = 'community' AND code = ANY (:communities)))
            ORDER BY v.ended_at DESC, v.id LIMIT :limit
            """
        ),
        {"everywhere": sight.communities is None, "communities": sorted(sight.communities or ()), "limit": limit},
    )
    return [
        PastVisit(
            row.id, row.title, row.ended_at, row.summary, row.person_name, row.route,
            tuple((lon, lat, number) for lon, lat, number in row.places),
        )
        for row in rows
    ]  # fmt: skip


def _row(row: Row[Any]) -> SurveyRow:
    return SurveyRow(
        id=row.id,
        number=row.number,
        title=row.title,
        category=row.category_code,
        state=IssueState(row.state),
        severity=row.severity,
        verdict=VerdictClass(row.verdict),
        lon=row.lon,
        lat=row.lat,
        reported_at=row.reported_at,
        ended_at=row.ended_at,
        due_at=row.due_at,
        returns=row.returns,
        reworks=row.reworks,
        community=row.community,
        unit_name=Name(row.name_zh or "", row.name_en or ""),
        extent=row.extent,
        since=Moved(row.is_new, row.returned, row.reopened, row.has_ended, row.moved, row.overdue),
    )
