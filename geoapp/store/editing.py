"""Words, facts and costs of an issue as staff change them; what was before is kept for staff."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.editing import Cost, Facts
from geoapp.domain.geometry import blur
from geoapp.domain.values import Point, Privacy


@dataclass(frozen=True, slots=True)
class Revision:
    """One field that somebody changed."""

    at: datetime
    person: str
    field: str
    before: str
    after: str


def facts(db: Session, issue_id: UUID) -> tuple[Facts, Cost, bool]:
    """What can be edited as it stands, and whether the words are released."""
    row = db.execute(
        text(
            "SELECT title, text, address, category_code, severity, privacy, ST_X(geom) AS lon, ST_Y(geom) AS lat, "
            "cost_planned, cost_spent, fund_source, text_released FROM issue WHERE id = :id"
        ),
        {"id": issue_id},
    ).one()
    known = Facts(
        row.title, row.text, row.address, row.category_code, row.severity, Privacy(row.privacy), Point(row.lon, row.lat)
    )
    return known, Cost(row.cost_planned, row.cost_spent, row.fund_source), row.text_released


def assignments(known: Facts, changed: Mapping[str, tuple[object, object]]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The columns that follow from a change of facts: each with its SQL and binds."""
    plain = {name: name for name in ("title", "text", "address", "severity")} | {"category": "category_code"}
    found: dict[str, tuple[str, dict[str, Any]]] = {
        column: (f":new_{column}", {f"new_{column}": changed[field][1]})
        for field, column in plain.items()
        if field in changed
    }
    if "point" in changed or "privacy" in changed:
        point = changed["point"][1] if "point" in changed else known.point
        privacy = changed["privacy"][1] if "privacy" in changed else known.privacy
        if not isinstance(point, Point) or not isinstance(privacy, Privacy):
            raise TypeError(privacy)
        shown = (point.lon, point.lat) if privacy is Privacy.PUBLIC else blur(point.lon, point.lat)
        placed = {"new_lon": point.lon, "new_lat": point.lat}
        found["geom"] = ("ST_SetSRID(ST_MakePoint(:new_lon, :new_lat), 4326)", placed)
        found["public_geom"] = (
            "NULL" if privacy is Privacy.PRIVATE else "ST_SetSRID(ST_MakePoint(:shown_lon, :shown_lat), 4326)",
            {} if privacy is Privacy.PRIVATE else {"shown_lon": shown[0], "shown_lat": shown[1]},
        )
        found["privacy"] = (":new_privacy", {"new_privacy": str(privacy)})
    return found


def keep(
    db: Session,
    issue_id: UUID,
    changed: Mapping[str, tuple[object, object]],
    *,
    person: UUID | None,
    now: datetime,
) -> None:
    """Remember what was changed, under the number of the newest line of history."""
    db.execute(
        text(
            "INSERT INTO revision (issue_id, seq, field, at, person_id, before, after) "
            "SELECT id, history_seq, :field, :at, :person, :before, :after FROM issue WHERE id = :id"
        ),
        [
            {"id": issue_id, "field": field, "at": now, "person": person, "before": _say(was), "after": _say(new)}
            for field, (was, new) in changed.items()
        ],
    )


def revisions(db: Session, issue_id: UUID) -> list[Revision]:
    rows = db.execute(
        text(
            "SELECT r.at, coalesce(nullif(p.name, ''), p.login, '') AS person, r.field, r.before, r.after "
            "FROM revision r LEFT JOIN person p ON p.id = r.person_id WHERE r.issue_id = :id "
            "ORDER BY r.seq DESC, r.field"
        ),
        {"id": issue_id},
    )
    return [Revision(*row) for row in rows]


def _say(value: object) -> str:
    if isinstance(value, Point):
        return f"{value.lat:.7f}, {value.lon:.7f}"
    return "" if value is None else str(value)
