"""Outlines of boundaries in a box, simplified for a small drawing; and what of a community ended in a span of time."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.values import Box, Name, PlaceKind

DETAIL = 400
"""A drawing is so many steps wide; what is smaller is left out."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A boundary as GeoJSON (EPSG:4326)."""

    kind: PlaceKind
    code: str
    name: Name
    shape: dict[str, Any]


def within(db: Session, box: Box, *, day: date) -> list[Outline]:
    """Boundaries in force that touch a box, larger kinds first."""
    rows = db.execute(
        text(
            """
            SELECT p.kind, p.code, p.name_zh, p.name_en,
                   ST_AsGeoJSON(ST_SimplifyPreserveTopology(ST_ClipByBox2D(b.area, wide.box), :step), 6) AS shape
            FROM (SELECT ST_Expand(ST_MakeEnvelope(:west, :south, :east, :north, 4326), :step * 40) AS box) AS wide
            JOIN boundary b ON b.area && wide.box AND b.validity @> CAST(:day AS date)
            JOIN place p ON p.id = b.place_id
            WHERE ST_Intersects(b.area, wide.box)
            ORDER BY array_position(ARRAY['district', 'street', 'community'], p.kind), p.code LIMIT 200
            """
        ),
        {
            "west": box.west, "south": box.south, "east": box.east, "north": box.north, "day": day,
            "step": (box.east - box.west) / DETAIL,
        },
    )  # fmt: skip
    return [
        Outline(PlaceKind(row.kind), row.code, Name(row.name_zh, row.name_en), json.loads(row.shape))
        for row in rows
        if row.shape
    ]


def extent(db: Session, community: str, *, day: date) -> Box | None:
    """The box of a community in force."""
    row = db.execute(
        text(
            "SELECT ST_XMin(b.area) AS w, ST_YMin(b.area) AS s, ST_XMax(b.area) AS e, ST_YMax(b.area) AS n "
            "FROM place p JOIN boundary b ON b.place_id = p.id AND b.validity @> CAST(:day AS date) "
            "WHERE p.kind = 'community' AND p.code = :code"
        ),
        {"code": community, "day": day},
    ).first()
    return None if row is None else Box(row.w, row.s, row.e, row.n)


def ended(db: Session, community: str, *, since: datetime, until: datetime) -> list[UUID]:
    """Public issues of a community that were closed in this time, the newest first."""
    rows = db.execute(
        text(
            "SELECT i.id FROM issue i WHERE i.community_id = (SELECT id FROM place WHERE kind = 'community' "
            "AND code = :code) AND i.state = 'closed' AND i.ended_at >= :since AND i.ended_at < :until "
            "AND i.public_geom IS NOT NULL ORDER BY i.ended_at DESC, i.id"
        ),
        {"code": community, "since": since, "until": until},
    )
    return list(rows.scalars())
