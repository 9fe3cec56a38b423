"""The counts pyramid's own chores: folding its log, counting everything anew, and comparing it with a recount."""

from zoneinfo import ZoneInfo

from geoapp.domain.values import Viewer
from geoapp.store import blocks, counts
from geoapp.store.counts import Difference
from geoapp.store.session import bulk, snapshot, transaction

__all__ = ["Difference", "check", "fold", "rebuild", "settle"]


def fold() -> int:
    """Take the log into the blocks, unless somebody else is at it; returns how many changes."""
    with transaction() as db:
        return counts.fold(db)


def rebuild(viewer: Viewer, zone: ZoneInfo) -> int:  # noqa: ARG001 - whoever holds the command line may
    """Count everything anew; returns how many issues the public may see."""
    with bulk() as db:
        return counts.rebuild(db, zone)


def settle(viewer: Viewer, zone: ZoneInfo) -> bool:
    """Count anew where months begin in another zone than before, or nothing was counted yet; True if that was so."""
    with snapshot() as db:
        if blocks.zone_of(db) == zone.key:
            return False
    rebuild(viewer, zone)
    return True


def check(viewer: Viewer) -> list[Difference]:  # noqa: ARG001 - whoever holds the command line may
    """Where the pyramid differs from a recount of the same moment; nowhere, if all is well."""
    with snapshot() as db:
        return counts.check(db)
