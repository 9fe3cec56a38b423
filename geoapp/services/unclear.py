"""Unclear land as a worklist: the overlaps and gaps that cost most come first."""

from datetime import datetime
from zoneinfo import ZoneInfo

from geoapp.domain.permissions import sight
from geoapp.domain.values import Point, Viewer
from geoapp.store import unclear
from geoapp.store.session import snapshot
from geoapp.store.unclear import Piece

__all__ = ["Piece", "around", "worklist"]

MOST = 200
NEAREST = 12


def worklist(viewer: Viewer, *, now: datetime, zone: ZoneInfo) -> tuple[list[Piece], int]:
    """The costliest pieces in the communities that the viewer sees in full, and how many there are in all."""
    with snapshot() as db:
        return unclear.worklist(db, sight(viewer), today=now.astimezone(zone).date(), now=now, limit=MOST)


def around(viewer: Viewer, point: Point, category: str, *, now: datetime, zone: ZoneInfo) -> list[Piece]:  # noqa: ARG001
    """Pieces about a place, with their shapes: what a settlement can take over as it is."""
    with snapshot() as db:
        return unclear.around(db, point, category, today=now.astimezone(zone).date(), now=now, limit=NEAREST)
