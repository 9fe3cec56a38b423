"""How likely two reports tell of the same thing: from place, time, category and words, each part explained.

Only a likeness is told here. Whether two issues *are* the same, a person decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from geoapp.domain.bigrams import similarity
from geoapp.domain.values import CategoryKind

THRESHOLD = 0.5
"""From this score on, an issue is shown as a possible duplicate."""
NEAR, KIN, WORDS = 0.4, 0.3, 0.3
"""What place, category and words add to a score at most. What is not known adds nothing."""
FULL_DAYS, MOST_DAYS = 30, 180
"""So far apart in time does not matter; from here on, two reports tell of different things."""
WIDE_M, USUAL_M, POINT_M = 150.0, 50.0, 30.0
REACH_M = {
    "road.abandoned-path": WIDE_M,
    "road.broken-carriageway": WIDE_M,
    "road.manhole-cover": POINT_M,
    "road.sign": POINT_M,
    "waste.dumping-site": WIDE_M,
    "waste.dirty-road": WIDE_M,
    "waste.burning": WIDE_M,
    "waste.bin": POINT_M,
    "water.flooded-road": WIDE_M,
    "water.dirty-water": WIDE_M,
    "water.broken-bank": WIDE_M,
    "fire.hydrant": POINT_M,
    "light.broken-street-light": POINT_M,
    "light.missing-street-light": WIDE_M,
    "green.tree-pit": POINT_M,
    "green.untended": WIDE_M,
    "facility": POINT_M,
    "air": WIDE_M,
}
"""How far apart two reports of the same thing may lie, in metres, by branch: what is long or wide is reported from
both its ends. Else it is ``POINT_M`` for things that stand in one place (部件) and ``USUAL_M`` for the rest."""


Name = TypeVar("Name")


class Kinship(StrEnum):
    """How two categories stand to each other."""

    SAME = "same"
    BRANCH = "branch"
    OTHER = "other"


_CLOSENESS = {Kinship.SAME: 1.0, Kinship.BRANCH: 0.5, Kinship.OTHER: 0.0}


@dataclass(frozen=True, slots=True)
class Report:
    """What is compared: ``path`` holds the category and all above it; ``ended_at`` is None while it is open."""

    path: frozenset[str]
    category: str
    kind: CategoryKind
    reported_at: datetime
    ended_at: datetime | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Likeness:
    """The parts of a score, so that a page can say why. Metres; whole days between the two; words from 0 to 1."""

    distance_m: float
    reach_m: float
    days: int
    kinship: Kinship
    words: float

    @property
    def near(self) -> float:
        """1 in the same place, 0 at the reach and beyond."""
        return max(0.0, 1 - self.distance_m / self.reach_m)

    @property
    def timely(self) -> float:
        """1 up to ``FULL_DAYS`` apart, 0 from ``MOST_DAYS`` on."""
        return min(1.0, max(0.0, (MOST_DAYS - self.days) / (MOST_DAYS - FULL_DAYS)))

    @property
    def score(self) -> float:
        """From 0 to 1. Beyond the reach nothing is alike, whatever the words."""
        if self.near == 0:
            return 0.0
        return self.timely * (NEAR * self.near + KIN * _CLOSENESS[self.kinship] + WORDS * self.words)


def compare(one: Report, other: Report, *, distance_m: float, now: datetime) -> Likeness:
    """How alike two reports are that lie so many metres apart."""
    return Likeness(
        distance_m=distance_m,
        reach_m=max(reach_m(one), reach_m(other)),
        days=_apart(one, other, now).days,
        kinship=_kinship(one, other),
        words=similarity(one.words, other.words),
    )


def reach_m(report: Report) -> float:
    """How far a duplicate of it may lie: as its category says, or the nearest one above, or its kind."""
    said = [code for code in REACH_M if code in report.path]
    if said:
        # A code grows longer with each branch.
        return REACH_M[max(said, key=len)]
    return POINT_M if report.kind is CategoryKind.COMPONENT else USUAL_M


def ranked(candidates: Sequence[tuple[Name, Likeness]], *, most: int) -> tuple[tuple[Name, Likeness], ...]:
    """Those at or above the threshold, the most alike first."""
    likely = [one for one in candidates if one[1].score >= THRESHOLD]
    return tuple(sorted(likely, key=lambda one: one[1].score, reverse=True)[:most])


def _apart(one: Report, other: Report, now: datetime) -> timedelta:
    """The time between the two; none while both were open."""
    first, second = sorted((one, other), key=lambda report: report.reported_at)
    return max(timedelta(), second.reported_at - (first.ended_at or now))


def _kinship(one: Report, other: Report) -> Kinship:
    if one.category == other.category:
        return Kinship.SAME
    return Kinship.BRANCH if one.path & other.path else Kinship.OTHER
