"""Joint meetings (联席会议): planned, read, and carried to their end.

Who may hold one: staff with the right in every community of its place. Others who see one of these
communities read; a unit reads the items that are its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from geoapp.domain import agenda
from geoapp.domain.agenda import MeetingState
from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.reports import fresh_id
from geoapp.domain.responsibility import Verdict, judge, tolerance_m
from geoapp.domain.values import Box, Point, Viewer
from geoapp.errors import BadInput, Conflict, NotFound, NotYours, Refused, VersionNeeded
from geoapp.services.projects import refuse
from geoapp.store import agendas, issues, meetings, outlines, places, reach
from geoapp.store.agendas import Facts, SensitiveRow, Usual
from geoapp.store.issues import HistoryRow, IssueRow
from geoapp.store.meetings import ItemRow, MeetingFacts, MeetingRow
from geoapp.store.outlines import Outline
from geoapp.store.reach import Ground
from geoapp.store.session import Session, snapshot, transaction

__all__ = ["Facts", "Item", "MeetingFacts", "MeetingRow", "Outline", "Usual", "Whole"]

MOST = 200
MOST_SENSITIVE = 300


@dataclass(frozen=True, slots=True)
class Item:
    """An item with what is known of its issue: what was tried, whose it may be, what such things have cost."""

    row: ItemRow
    issue: IssueRow
    facts: Facts
    tried: tuple[HistoryRow, ...]
    verdict: Verdict
    usual: Usual | None


@dataclass(frozen=True, slots=True)
class Whole:
    """A meeting with its agenda, and what its map shows. ``hidden`` counts items that this viewer may not read."""

    row: MeetingRow
    items: tuple[Item, ...]
    hidden: int
    box: Box | None
    sensitive: tuple[SensitiveRow, ...]


def listed(viewer: Viewer) -> list[MeetingRow]:
    """The meetings that the viewer may see, the latest first."""
    with snapshot() as db:
        return meetings.found(db, viewer, limit=MOST)


def get(viewer: Viewer, meeting: UUID) -> Whole:
    """A meeting with its agenda; raises NotFound also for one that this viewer may not see."""
    with snapshot() as db:
        row = seen(db, viewer, meeting)
        rows = meetings.items(db, meeting, viewer, insider=row.insider)
        known = {
            key: one for key, one in issues.some(db, [one.issue_id for one in rows], viewer).items() if one.in_full
        }
        facts = agendas.facts(db, list(known))
        tried = agendas.tried(db, list(known))
        usual = agendas.usual_costs(db, [one.category for one in known.values()])
        items = [
            Item(
                one, known[one.issue_id], facts[one.issue_id], tuple(tried.get(one.issue_id, ())),
                _verdict(db, known[one.issue_id], facts[one.issue_id]), usual.get(known[one.issue_id].category),
            )
            for one in rows
            if one.issue_id in known
        ]  # fmt: skip
        sensitive = agendas.sensitive_around(db, row.place_id, limit=MOST_SENSITIVE)
        box = reach.box_of(db, row.place_id)
    return Whole(row, tuple(items), row.items - len(items), box, tuple(sensitive))


def row(viewer: Viewer, meeting: UUID) -> MeetingRow:
    """A meeting without its agenda; raises NotFound."""
    with snapshot() as db:
        return seen(db, viewer, meeting)


def sheet(viewer: Viewer, whole: Whole, box: Box, *, zone: ZoneInfo, now: datetime) -> list[Outline]:  # noqa: ARG001
    """The boundaries for the map of an agenda."""
    with snapshot() as db:
        return outlines.within(db, box, day=now.astimezone(zone).date())


def places_for(viewer: Viewer) -> list[Ground]:
    """The places for which the viewer may hold meetings, larger ones first."""
    if not may_anywhere(viewer, Right.MEET):
        return []
    with snapshot() as db:
        return reach.grounds(db, viewer, Right.MEET)


def plan(
    viewer: Viewer, place: str, facts: MeetingFacts, *, id: UUID | None = None, now: datetime,  # noqa: A002 - its own id
    synthetic: bool = False,
) -> UUID:  # fmt: skip
    """Plan a meeting of a place; the same id again is the same meeting. Raises NotYours, BadInput naming the field."""
    if not may_anywhere(viewer, Right.MEET):
        raise NotYours("not_yours", "action")
    sound = _sound(facts)
    made = id or fresh_id(now)
    with transaction() as db:
        ground = reach.ground(db, viewer, Right.MEET, place)
        if ground is None:
            raise NotYours("not_yours", "place")
        meetings.add(db, made, ground.id, sound, person=viewer.person, synthetic=synthetic, now=now)
    return made


def change(viewer: Viewer, meeting: UUID, facts: MeetingFacts, *, version: int | None) -> None:
    """Change what a meeting says of itself; notes and attendees also after it was closed.

    Raises NotFound, NotYours, VersionNeeded, Conflict, and BadInput naming the field.
    """
    sound = _sound(facts)
    with transaction() as db:
        row = held(db, viewer, meeting, version=version, closed=True)
        if row.state is MeetingState.CLOSED:
            sound = replace(sound, starts_at=row.facts.starts_at)
        meetings.change(db, meeting, sound)
        meetings.touch(db, meeting)


def begin(viewer: Viewer, meeting: UUID, *, version: int | None, now: datetime) -> None:
    """Open a meeting; one that is open stays so."""
    with transaction() as db:
        row = held(db, viewer, meeting, version=version)
        if row.state is MeetingState.PLANNED:
            meetings.set_state(db, meeting, MeetingState.OPEN, now=now)
            meetings.touch(db, meeting)


def seen(db: Session, viewer: Viewer, meeting: UUID) -> MeetingRow:
    """Raises NotFound."""
    found: Sequence[MeetingRow] = meetings.found(db, viewer, only=meeting, limit=1)
    if not found:
        raise NotFound("meeting", str(meeting))
    return found[0]


def held(db: Session, viewer: Viewer, meeting: UUID, *, version: int | None, closed: bool = False) -> MeetingRow:
    """A meeting that the viewer may hold, locked; raises NotFound, NotYours, VersionNeeded, Conflict.

    Raises Refused (``meeting_closed``) for one that is over, unless ``closed`` ones are wanted too.
    """
    meetings.lock(db, meeting)
    row = seen(db, viewer, meeting)
    if not row.may_change:
        raise NotYours("not_yours", "action")
    if row.state is MeetingState.CLOSED and not closed:
        raise Refused("meeting_closed", "action")
    if version is None:
        raise VersionNeeded("version", "missing")
    if version != row.version:
        raise Conflict(row.facts.title, row.version)
    return row


def _sound(facts: MeetingFacts) -> MeetingFacts:
    sound = replace(facts, title=facts.title.strip(), venue=facts.venue.strip())
    refuse(agenda.wrong_meeting(sound.title, sound.venue, sound.attendees, sound.minutes))
    if sound.starts_at.tzinfo is None:
        raise BadInput("starts_at", "day")
    return sound


def _verdict(db: Session, row: IssueRow, facts: Facts) -> Verdict:
    hits = places.hits(
        db, Point(row.lon, row.lat), category=row.category, tolerance=tolerance_m(facts.accuracy_m), day=facts.judged_on
    )
    return judge(hits)
