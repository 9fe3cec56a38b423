"""The words of the domain: enumerations and frozen values that cross the borders of rooms.

The Chinese term stands once, at the definition; README has the whole glossary.
"""

import dataclasses
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class StateGroup(StrEnum):
    """How a state looks to the public: four groups, apart by shape and colour."""

    OPEN = "open"
    IN_WORK = "in_work"
    SOLVED = "solved"
    DROPPED = "dropped"


class IssueState(StrEnum):
    """The states of an issue, from report (上报) to close (结案)."""

    REPORTED = "reported"
    ACCEPTED = "accepted"
    AGENDA = "agenda"
    DISPATCHED = "dispatched"
    RETURNED = "returned"
    HANDLING = "handling"
    DEFERRED = "deferred"
    SHELVED = "shelved"
    DONE = "done"
    REWORK = "rework"
    CLOSED = "closed"
    REOPENED = "reopened"
    REFUSED = "refused"
    DUPLICATE = "duplicate"

    @property
    def group(self) -> StateGroup:
        return _GROUP[self]

    @property
    def ended(self) -> bool:
        """True when nothing more will happen unless somebody reopens it."""
        return self.group in {StateGroup.SOLVED, StateGroup.DROPPED}


_GROUP = {
    IssueState.REPORTED: StateGroup.OPEN,
    IssueState.ACCEPTED: StateGroup.OPEN,
    IssueState.AGENDA: StateGroup.OPEN,
    IssueState.RETURNED: StateGroup.OPEN,
    IssueState.DEFERRED: StateGroup.OPEN,
    IssueState.SHELVED: StateGroup.OPEN,
    IssueState.REOPENED: StateGroup.OPEN,
    IssueState.DISPATCHED: StateGroup.IN_WORK,
    IssueState.HANDLING: StateGroup.IN_WORK,
    IssueState.DONE: StateGroup.IN_WORK,
    IssueState.REWORK: StateGroup.IN_WORK,
    IssueState.CLOSED: StateGroup.SOLVED,
    IssueState.REFUSED: StateGroup.DROPPED,
    IssueState.DUPLICATE: StateGroup.DROPPED,
}


def states_of(group: StateGroup) -> tuple[IssueState, ...]:
    return tuple(state for state in IssueState if state.group is group)


class VerdictClass(StrEnum):
    """Whose it is (权责判定): how sure the map is."""

    CLEAR = "clear"
    NEAR = "near"
    CONTESTED = "contested"
    ORPHAN = "orphan"


class Privacy(StrEnum):
    """What the public sees of the place: exact, a 100 m grid, or nothing of the issue at all."""

    PUBLIC = "public"
    BLURRED = "blurred"
    PRIVATE = "private"


class Release(StrEnum):
    """When the public reads the words of a report: at once, or after somebody has looked at them."""

    AT_ONCE = "at_once"
    AFTER_REVIEW = "after_review"


class Matter(StrEnum):
    """What of a resident waits for a review (审核): the words of a report, a photo, a remark, or why of a rating."""

    WORDS = "words"
    PHOTO = "photo"
    REMARK = "remark"
    RATING = "rating"


class Score(StrEnum):
    """What a resident says of a result (满意度)."""

    SOLVED = "solved"
    PARTLY = "partly"
    NOT = "not"


class Source(StrEnum):
    RESIDENT = "resident"
    STEWARD = "steward"
    PATROL = "patrol"
    HOTLINE = "hotline"
    IMPORT = "import"
    OPEN311 = "open311"


class PlacedBy(StrEnum):
    """How the point was given."""

    PIN = "pin"
    GPS = "gps"
    EXIF = "exif"
    ADDRESS = "address"
    IMPORT = "import"


class Level(StrEnum):
    COMMUNITY = "community"
    JOINT_MEETING = "joint_meeting"


class Phase(StrEnum):
    """What a photo shows: before, during or after the work, or a rendering (效果图) of what is planned."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"
    RENDERING = "rendering"


class PlaceKind(StrEnum):
    """District 区县, street or town 街道/镇, community or village 社区/村."""

    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"


class CategoryKind(StrEnum):
    """The split of Chinese digital urban management: things (部件) and events (事件)."""

    COMPONENT = "component"
    EVENT = "event"
    OTHER = "other"


SEVERITIES = (1, 2, 3, 4)
NEAR_EDGE_M = 25.0
"""An edge closer than this, or than the point's own accuracy, makes a verdict *near the edge* (metres)."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name in both languages; one may stand in for the other."""

    zh: str
    en: str

    def say(self, lang: str) -> str:
        first, second = (self.en, self.zh) if lang == "en" else (self.zh, self.en)
        return first or second


@dataclass(frozen=True, slots=True)
class Point:
    """A place in EPSG:4326, degrees."""

    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Box:
    """West, south, east, north in EPSG:4326, degrees; half-open: a point on the east or north side is outside."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class Circle:
    """All within ``radius_m`` metres of a place."""

    centre: Point
    radius_m: float


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where what is in force comes from, and whether any of it was made up for a demonstration."""

    origins: tuple[str, ...] = ()
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one row or field cannot be taken: where, what, and a sentence's key with its parameters."""

    field: str
    reason: str
    value: str = ""
    row: int | None = None
    params: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Duty:
    """Issues that wait for somebody: in these states, in these communities (None: all) or led by this unit."""

    states: tuple[IssueState, ...]
    communities: frozenset[str] | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class IssueFilter:
    """Which issues: the same value behind map, list, CSV, API and tiles, so their counts agree.

    ``categories`` name whole branches of the tree; ``since`` and ``until`` are days of report,
    both included, in the zone of the settings. ``words`` must all occur in what the viewer may read.
    ``duties`` (None: whatever they are) leave what waits for one of them.
    """

    categories: tuple[str, ...] = ()
    states: tuple[IssueState, ...] = ()
    communities: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    verdicts: tuple[VerdictClass, ...] = ()
    since: date | None = None
    until: date | None = None
    box: Box | None = None
    duties: tuple[Duty, ...] | None = None
    words: str = ""


class ImportPhase(StrEnum):
    """What an import does, in this order; indexes are built only where they were put aside for many issues."""

    READING = "reading"
    JUDGING = "judging"
    STORING = "storing"
    INDEXES = "indexes"
    COUNTING = "counting"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an issue's history: what happened, when, by whom (a role or unit, never a resident)."""

    at: datetime
    action: str
    to_state: IssueState | None = None
    actor: str = ""
    note: str = ""
    detail: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewIssue:
    """An issue about to be stored. Geometries are WKB in EPSG:4326; instants are aware datetimes."""

    id: UUID
    category: str
    title: str
    point: Point
    reported_at: datetime
    updated_at: datetime
    state: IssueState
    source: Source
    placed_by: PlacedBy
    text: str = ""
    text_released: bool = False
    address: str = ""
    severity: int = 2
    privacy: Privacy = Privacy.PUBLIC
    accuracy_m: float | None = None
    extent: bytes | None = None
    ended_at: datetime | None = None
    unit: str | None = None
    helping_units: tuple[str, ...] = ()
    level: Level = Level.COMMUNITY
    cost_planned: float | None = None
    cost_spent: float | None = None
    fund_source: str = ""
    source_name: str = ""
    source_id: str = ""
    source_hash: str = ""
    number_prefix: str = ""
    synthetic: bool = False
    history: tuple[Event, ...] = ()


class Role(StrEnum):
    """Who looks or acts. The operator is whoever holds the command line."""

    ANONYMOUS = "anonymous"
    RESIDENT = "resident"
    STEWARD = "steward"
    COMMUNITY = "community"
    UNIT = "unit"
    SECRETARY = "secretary"
    PLANNER = "planner"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"


GRANTABLE = tuple(role for role in Role if role not in {Role.ANONYMOUS, Role.OPERATOR})
"""What a person can be given."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role and where it holds: in these communities (None: in all) or, for an officer, for this unit."""

    role: Role
    communities: frozenset[str] | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever looks or acts, with all that was granted. Without a grant one is the public."""

    grants: tuple[Grant, ...] = ()
    person: UUID | None = None
    name: str = ""

    @property
    def is_public(self) -> bool:
        """True for whoever may see only what everybody may see."""
        return all(grant.role in {Role.ANONYMOUS, Role.RESIDENT} for grant in self.grants)

    def has(self, *roles: Role) -> bool:
        return any(grant.role in roles for grant in self.grants)


ANONYMOUS = Viewer()
OPERATOR = Viewer((Grant(Role.OPERATOR),))
