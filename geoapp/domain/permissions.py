"""Who may do what: role × right × where, as one table, and what of an issue each may see.

Pure. A right is something a person may do to an issue; the workflow asks here for every action, the
store asks here whose issues a viewer sees in full, and the pages ask before they show a door.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from geoapp.domain.values import Grant, Role, Viewer


class Right(StrEnum):
    """What may be done. All but the last few are the actions of the workflow, by the same word."""

    VIEW = "view"
    ACCEPT = "accept"
    REFUSE = "refuse"
    DUPLICATE = "duplicate"
    RESTORE = "restore"
    TO_AGENDA = "to_agenda"
    DECIDE = "decide"
    DISPATCH = "dispatch"
    RETURN = "return"
    START = "start"
    REPORT_DONE = "report_done"
    REWORK = "rework"
    CLOSE = "close"
    REOPEN = "reopen"
    DEFER = "defer"
    SHELVE = "shelve"
    RESUME = "resume"
    VISIT = "visit"
    SETTLE = "settle"
    NOTE = "note"
    SPLIT = "split"
    EDIT = "edit"
    COST = "cost"
    RELEASE = "release"
    PHOTO = "photo"
    REPORTER = "reporter"
    REHEARSE = "rehearse"
    MEET = "meet"
    LIST = "list"
    PROJECT = "project"
    ANALYSE = "analyse"
    PEOPLE = "people"


class Scope(StrEnum):
    """Where a right of a role holds."""

    COMMUNITY = "community"
    """In the communities of the grant; one without communities holds in all."""
    LEAD = "lead"
    """Where the grant's unit has the lead."""
    UNIT = "unit"
    """Where the grant's unit leads or helps."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The facts of an issue that decide who may touch it: codes of its community and units."""

    community: str | None = None
    unit: str | None = None
    helping: frozenset[str] = field(default_factory=frozenset)


_R = Right
_ON_SITE = frozenset({_R.VIEW, _R.NOTE, _R.PHOTO})
_JUDGING = frozenset({_R.CLOSE, _R.REWORK, _R.REOPEN})
_WAITING = frozenset({_R.TO_AGENDA, _R.DISPATCH, _R.DEFER, _R.SHELVE, _R.RESUME})
_PLANS = frozenset({_R.MEET, _R.LIST, _R.PROJECT})
"""Holding joint meetings, keeping needs and resources, and joining them in projects."""

TABLE: Mapping[Role, Mapping[Scope, frozenset[Right]]] = {
    Role.ANONYMOUS: {},
    Role.RESIDENT: {},
    Role.STEWARD: {Scope.COMMUNITY: _ON_SITE},
    Role.COMMUNITY: {
        Scope.COMMUNITY: _ON_SITE | _JUDGING | _WAITING
        | {_R.ACCEPT, _R.REFUSE, _R.DUPLICATE, _R.RESTORE, _R.SPLIT, _R.EDIT, _R.COST, _R.RELEASE, _R.REPORTER}
        | _PLANS,
    },
    Role.UNIT: {
        Scope.LEAD: frozenset({_R.START, _R.RETURN, _R.REPORT_DONE, _R.COST}),
        Scope.UNIT: _ON_SITE,
    },
    Role.SECRETARY: {
        Scope.COMMUNITY: _ON_SITE | _JUDGING | _WAITING
        | {_R.DECIDE, _R.SPLIT, _R.COST, _R.VISIT, _R.SETTLE, _R.REHEARSE, _R.REPORTER, _R.ANALYSE} | _PLANS,
    },
    Role.PLANNER: {Scope.COMMUNITY: frozenset({_R.VIEW, _R.REHEARSE, _R.PROJECT, _R.ANALYSE})},
    # Who supervises does not command: no dispatch, no decision.
    Role.SUPERVISOR: {Scope.COMMUNITY: _ON_SITE | _JUDGING | {_R.REPORTER, _R.ANALYSE}},
    Role.ADMINISTRATOR: {
        Scope.COMMUNITY: frozenset(
            {_R.VIEW, _R.EDIT, _R.RELEASE, _R.RESTORE, _R.SETTLE, _R.REHEARSE, _R.ANALYSE, _R.PEOPLE}
        ),
    },
    Role.OPERATOR: {Scope.COMMUNITY: frozenset(Right)},
}  # fmt: skip
"""What each role may do, by where it holds. A right that stands nowhere in a row is refused."""


def grants_for(viewer: Viewer, right: Right, subject: Subject) -> tuple[Grant, ...]:
    """The grants by which the viewer may do this to this issue; empty: it is not allowed."""
    return tuple(grant for grant in viewer.grants if _holds(grant, right, subject))


def may(viewer: Viewer, right: Right, subject: Subject) -> bool:
    return bool(grants_for(viewer, right, subject))


def may_anywhere(viewer: Viewer, right: Right) -> bool:
    """True when some issue could exist to which the viewer may do this: whether to show a door at all."""
    return any(right in rights for grant in viewer.grants for rights in TABLE[grant.role].values())


def communities_of(viewer: Viewer, right: Right) -> frozenset[str] | None:
    """In which communities the viewer may do this by a grant for a place; None: in all."""
    found: set[str] = set()
    for grant in viewer.grants:
        if right in TABLE[grant.role].get(Scope.COMMUNITY, ()):
            if grant.communities is None:
                return None
            found |= grant.communities
    return frozenset(found)


def works_for_its_unit(viewer: Viewer, subject: Subject) -> bool:
    """True for an officer of a unit that leads or helps: whoever did the work never checks it."""
    involved = subject.helping | {subject.unit} if subject.unit else subject.helping
    return any(grant.role is Role.UNIT and grant.unit in involved for grant in viewer.grants)


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose issues a viewer sees in full: ``communities`` None means everywhere."""

    communities: frozenset[str] | None
    units: frozenset[str]

    @property
    def is_nothing(self) -> bool:
        return self.communities is not None and not self.communities and not self.units


def sight(viewer: Viewer) -> Sight:
    """What ``VIEW`` comes to over all grants, in the form that a query can use."""
    communities: set[str] = set()
    units: set[str] = set()
    for grant in viewer.grants:
        scopes = TABLE[grant.role]
        if Right.VIEW in scopes.get(Scope.COMMUNITY, ()):
            if grant.communities is None:
                return Sight(None, frozenset())
            communities |= grant.communities
        if Right.VIEW in scopes.get(Scope.UNIT, ()) and grant.unit:
            units.add(grant.unit)
    return Sight(frozenset(communities), frozenset(units))


def _holds(grant: Grant, right: Right, subject: Subject) -> bool:
    return any(right in rights and _reaches(grant, scope, subject) for scope, rights in TABLE[grant.role].items())


def _reaches(grant: Grant, scope: Scope, subject: Subject) -> bool:
    if scope is Scope.COMMUNITY:
        return grant.communities is None or subject.community in grant.communities
    if scope is Scope.LEAD:
        return grant.unit is not None and grant.unit == subject.unit
    return grant.unit is not None and (grant.unit == subject.unit or grant.unit in subject.helping)
