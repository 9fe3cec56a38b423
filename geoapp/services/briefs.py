"""What a visit's printed sheets need: the plan, and of each stop all that is known, with its small photos."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from geoapp.domain.values import Box, IssueFilter, Phase, StateGroup, Viewer, states_of
from geoapp.errors import NotFound
from geoapp.services import issues, visits
from geoapp.services.issues import Case, IssueRow
from geoapp.services.visits import StopRow, VisitDetail
from geoapp.store import photos
from geoapp.store.photos import Photo

__all__ = ["Brief", "Briefed", "IssueRow", "Photo", "brief", "nearby"]

PHOTOS = 3
"""So many find room beside each other."""
MOST_NEARBY = 80
OF_INTEREST = (Phase.BEFORE, Phase.DURING, Phase.RENDERING, Phase.AFTER)


@dataclass(frozen=True, slots=True)
class Briefed:
    """A stop with all that is known of its issue; ``pictures`` are its newest photos with their files."""

    stop: StopRow
    case: Case
    pictures: tuple[tuple[Photo, Path], ...]


@dataclass(frozen=True, slots=True)
class Brief:
    """A plan, and the stops that fit into it in their order."""

    detail: VisitDetail
    stops: tuple[Briefed, ...]


def brief(viewer: Viewer, visit: UUID, *, folder: Path, zone: ZoneInfo) -> Brief:
    """All that is printed for a visit; raises NotFound also for one that this viewer may not see."""
    detail = visits.get(viewer, visit)
    found = []
    for stop in detail.stops:
        if stop.seq is None:
            continue
        try:
            case = issues.get(viewer, str(stop.issue.id), zone=zone)
        except NotFound:
            # It has come into another community meanwhile: the list of stops still names it, nothing more is told.
            continue
        found.append(Briefed(stop, case, _pictures(case, folder)))
    return Brief(detail, tuple(found))


def nearby(viewer: Viewer, box: Box, *, zone: ZoneInfo) -> list[IssueRow]:
    """Issues in a box that nobody has solved yet, the newest first; at most as many as a map can show."""
    wanted = IssueFilter(box=box, states=(*states_of(StateGroup.OPEN), *states_of(StateGroup.IN_WORK)))
    return issues.search(viewer, wanted, zone=zone, limit=MOST_NEARBY).rows


def _pictures(case: Case, folder: Path) -> tuple[tuple[Photo, Path], ...]:
    """The newest photo of each phase, then what came before, as many as find room; those whose file is there."""
    newest = {photo.phase: photo for photo in case.photos}
    chosen = [newest[phase] for phase in OF_INTEREST if phase in newest]
    chosen += [photo for photo in reversed(case.photos) if photo not in chosen]
    files = [(photo, photos.path(folder, photo.sha256, "small")) for photo in chosen[:PHOTOS]]
    return tuple((photo, file) for photo, file in files if file.is_file())
