"""Which rows of a place a viewer reaches: meetings, needs, resources and projects belong to one.

A place is a community, a street or the district. A right reaches a row when it holds in *every* community
below its place; a look at it needs one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.permissions import Right, communities_of, sight
from geoapp.domain.values import Box, Name, PlaceKind, Viewer
from geoapp.store.condition import seen_in_full
from geoapp.store.issues import key

_BELOW = (
    "SELECT FROM place c LEFT JOIN place s ON s.id = c.parent_id "
    "WHERE c.kind = 'community' AND {place} IN (c.id, s.id, s.parent_id)"
)


@dataclass(frozen=True, slots=True)
class Ground:
    """A place that something can belong to."""

    id: int
    kind: PlaceKind
    code: str
    name: Name


def covers(viewer: Viewer, right: Right, place: str) -> tuple[str, dict[str, Any]]:
    """SQL that is true where the viewer has ``right`` in all communities below ``place`` (an id), and its binds."""
    known = communities_of(viewer, right)
    if known is None:
        return "true", {}
    below = _BELOW.format(place=place)
    bind = f"may_{right}"
    return f"(EXISTS ({below}) AND NOT EXISTS ({below} AND c.code <> ALL (:{bind})))", {bind: sorted(known)}


def touches(viewer: Viewer, place: str) -> tuple[str, dict[str, Any]]:
    """SQL that is true where the viewer sees at least one community below ``place`` in full, and its binds."""
    known = sight(viewer).communities
    if known is None:
        return "true", {}
    return f"EXISTS ({_BELOW.format(place=place)} AND c.code = ANY (:sees))", {"sees": sorted(known)}


def own_units(viewer: Viewer) -> tuple[str, dict[str, Any]]:
    """SQL of the ids of the units for which the viewer works, as an array, and its binds."""
    return "ARRAY(SELECT id FROM unit WHERE code = ANY (:works_for))", {"works_for": sorted(sight(viewer).units)}


def grounds(db: Session, viewer: Viewer, right: Right) -> list[Ground]:
    """The places for which the viewer may do this, larger ones first."""
    may, binds = covers(viewer, right, "p.id")
    rows = db.execute(
        text(
            f"SELECT p.id, p.kind, p.code, p.name_zh, p.name_en FROM place p WHERE {may} "
            "ORDER BY array_position(ARRAY['district', 'street', 'community'], p.kind), p.code"
        ),
        binds,
    )
    return [Ground(row.id, PlaceKind(row.kind), row.code, Name(row.name_zh, row.name_en)) for row in rows]


def ground(db: Session, viewer: Viewer, right: Right, code: str) -> Ground | None:
    """The place with this code, if the viewer may do this there; of several the smallest."""
    may, binds = covers(viewer, right, "p.id")
    row = db.execute(
        text(
            f"SELECT p.id, p.kind, p.code, p.name_zh, p.name_en FROM place p WHERE p.code = :code AND {may} "
            "ORDER BY array_position(ARRAY['community', 'street', 'district'], p.kind) LIMIT 1"
        ),
        binds | {"code": code},
    ).first()
    return None if row is None else Ground(row.id, PlaceKind(row.kind), row.code, Name(row.name_zh, row.name_en))


def of_issues(db: Session, ids: Sequence[UUID]) -> str | None:
    """The code of the smallest place that holds all these issues; None where there is none."""
    rows = db.execute(
        text(
            "SELECT DISTINCT c.code, s.code AS street, d.code AS district FROM issue i "
            "LEFT JOIN place c ON c.id = i.community_id LEFT JOIN place s ON s.id = c.parent_id "
            "LEFT JOIN place d ON d.id = s.parent_id WHERE i.id = ANY (:ids)"
        ),
        {"ids": list(ids)},
    ).all()
    for level in range(3):
        found = {row[level] for row in rows}
        if len(found) == 1 and None not in found:
            return str(found.pop())
    return None


def box_of(db: Session, place_id: int) -> Box | None:
    """The box of a place by its newest boundary."""
    row = db.execute(
        text(
            "SELECT ST_XMin(area) AS w, ST_YMin(area) AS s, ST_XMax(area) AS e, ST_YMax(area) AS n FROM boundary "
            "WHERE place_id = :id ORDER BY lower(validity) DESC NULLS LAST LIMIT 1"
        ),
        {"id": place_id},
    ).first()
    return None if row is None else Box(row.w, row.s, row.e, row.n)


def issue(db: Session, viewer: Viewer, name: str) -> UUID | None:
    """The id of an issue by number or id; None where there is none that the viewer may see."""
    named, binds = key(name)
    full, own = seen_in_full(viewer)
    found: UUID | None = db.execute(
        text(f"SELECT i.id FROM issue i WHERE {named} AND (i.public_geom IS NOT NULL OR {full})"), binds | own
    ).scalar()
    return found
