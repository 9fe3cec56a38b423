"""What a visit came to: the plan beside what was recorded on site and what the histories tell of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from geoapp.domain.fieldwork import Fate, Kind
from geoapp.domain.values import Phase, Viewer
from geoapp.errors import NotFound
from geoapp.services import briefs, fieldwork, issues
from geoapp.services.briefs import Brief, Briefed
from geoapp.services.fieldwork import Arrival, Found, Journal, Signed
from geoapp.services.issues import Case, HistoryRow
from geoapp.store import photos
from geoapp.store.photos import Photo

__all__ = ["Met", "Outcome", "Settled", "outcome"]

APPLIED = {Fate.STORED, Fate.MINE}
MOST_PICTURES = 6


@dataclass(frozen=True, slots=True)
class Settled:
    """A settlement that was made on site: by the line of history that tells it, with who signed."""

    line: HistoryRow
    signatures: tuple[Signed, ...]


@dataclass(frozen=True, slots=True)
class Met:
    """An issue that was met on site: what is known of it now, and all that this visit recorded of it.

    ``pictures`` are the last photo from before the visit, and those taken on it. ``told`` are the lines that the
    visit wrote into the history. ``in_conflict`` counts what waits for somebody's decision.
    """

    case: Case
    arrivals: tuple[Arrival, ...]
    findings: tuple[Found, ...]
    pictures: tuple[tuple[Photo, Path], ...]
    settled: tuple[Settled, ...]
    redrawn: bool
    in_conflict: int
    told: tuple[HistoryRow, ...]

    @property
    def was_visited(self) -> bool:
        return bool(self.arrivals or self.findings or self.settled or self.redrawn or self.told or self.in_conflict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A visit after it: each planned stop with what was met there, issues found on the way, who recorded."""

    brief: Brief
    stops: tuple[tuple[Briefed, Met], ...]
    found: tuple[Met, ...]
    people: tuple[str, ...]


def outcome(viewer: Viewer, visit: UUID, *, folder: Path, zone: ZoneInfo) -> Outcome:
    """Everything that is known of a visit, also while it is under way; raises NotFound where it is not theirs."""
    planned = briefs.brief(viewer, visit, folder=folder, zone=zone)
    held = fieldwork.journal(viewer, visit)
    stops = tuple((one, _met(one.case, held, visit, folder)) for one in planned.stops)
    found = []
    for record in held.records:
        if record.kind is not Kind.ISSUE:
            continue
        try:
            case = issues.get(viewer, str(record.issue), zone=zone)
        except NotFound:
            # It lies in a community of somebody else.
            continue
        found.append(_met(case, held, visit, folder))
    people = [record.person for record in held.records if record.person]
    return Outcome(planned, stops, tuple(found), tuple(dict.fromkeys(people)))


def _met(case: Case, held: Journal, visit: UUID, folder: Path) -> Met:
    issue = case.detail.row.id
    records = [one for one in held.records if one.issue == issue]
    taken = {one.id for one in records if one.kind is Kind.PHOTO}
    return Met(
        case,
        tuple(one for one in held.arrivals if one.issue == issue),
        tuple(one for one in held.findings if one.issue == issue),
        _pictures(case, taken, folder),
        tuple(_settled(case, held, {one.id for one in records if one.kind is Kind.SETTLEMENT})),
        any(one.kind is Kind.EXTENT and one.fate in APPLIED for one in records),
        sum(one.fate is Fate.CONFLICT for one in records),
        tuple(line for line in case.detail.history if line.action == "visit" and _of(line.detail, visit)),
    )


def _of(detail: Mapping[str, Any], visit: UUID) -> bool:
    return str(detail.get("visit")) == str(visit)


def _settled(case: Case, held: Journal, ids: set[UUID]) -> list[Settled]:
    named = {str(one): one for one in ids}
    return [
        Settled(line, tuple(one for one in held.signatures if one.settlement == named[str(line.detail["settlement"])]))
        for line in case.detail.history
        if line.action == "settle" and str(line.detail.get("settlement")) in named
    ]


def _pictures(case: Case, taken: set[UUID], folder: Path) -> tuple[tuple[Photo, Path], ...]:
    """The last photo from before, then what was taken on the visit; those whose file is there."""
    before = [photo for photo in case.photos if photo.phase is Phase.BEFORE and photo.id not in taken][-1:]
    chosen = [*before, *(photo for photo in case.photos if photo.id in taken)][:MOST_PICTURES]
    files = [(photo, photos.path(folder, photo.sha256, "small")) for photo in chosen]
    return tuple((photo, file) for photo, file in files if file.is_file())
