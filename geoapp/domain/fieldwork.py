"""What is recorded on a site visit (现场办公), without a line and sent later: its kinds, and what becomes of it.

Pure. A phone names everything itself, so sending twice is recording once. What adds to an issue is always taken;
what changes it is taken only when nobody has changed the issue meanwhile, else a person decides between the two.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from geoapp.domain.permissions import Right
from geoapp.domain.values import Point

EARTH_M = 6371008.8
FURTHEST_AHEAD = timedelta(hours=26)
"""A phone's clock may be set to any zone, and be a little wrong; beyond this it tells nothing."""
LONGEST_WORDS, LONGEST_FOLLOW_UP, LONGEST_NAME = 4000, 500, 100
MOST_ANSWERS, LONGEST_KEY, LONGEST_ANSWER = 60, 200, 500
MOST_SIGNATURES, MOST_STROKES, MOST_POINTS = 12, 200, 4000
SIDE = 1000
"""A signature is drawn on a square of so many units; the picture may use a part of it only."""


class Kind(StrEnum):
    """What can be recorded."""

    CHECK_IN = "check_in"
    FINDING = "finding"
    PHOTO = "photo"
    ISSUE = "issue"
    EXTENT = "extent"
    SETTLEMENT = "settlement"


CHANGING = frozenset({Kind.EXTENT, Kind.SETTLEMENT})
"""What changes the issue, and so must know what it was made from."""
RIGHTS: Mapping[Kind, Right] = {
    Kind.CHECK_IN: Right.VISIT,
    Kind.FINDING: Right.VISIT,
    Kind.PHOTO: Right.PHOTO,
    Kind.EXTENT: Right.VISIT,
    Kind.SETTLEMENT: Right.SETTLE,
}


class Seen(StrEnum):
    """How an issue was found on site."""

    AS_REPORTED = "as_reported"
    WORSE = "worse"
    BETTER = "better"
    SOLVED = "solved"
    NOT_FOUND = "not_found"


class Fate(StrEnum):
    """What became of a record: stored at once; in conflict; and how that was decided."""

    STORED = "stored"
    CONFLICT = "conflict"
    MINE = "mine"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True)
class Base:
    """What of an issue a phone knew: its version, and the number of the newest line of its history."""

    version: int
    seq: int


@dataclass(frozen=True, slots=True)
class Change:
    """A line of history that was written after the pack was made. ``visit`` is true for one of the visit itself."""

    seq: int
    at: datetime
    action: str
    actor: str = ""
    person: str = ""
    note: str = ""
    visit: bool = False


ADDING = frozenset({"photo", "note", "witness", "remark", "rate", "notice"})
"""Lines of history that add to an issue and change nothing of it."""


def others(changes: Iterable[Change]) -> tuple[Change, ...]:
    """What somebody else has changed meanwhile: neither the visit's own lines nor what only adds."""
    return tuple(one for one in changes if not one.visit and one.action not in ADDING)


def fate(kind: Kind, changes: Iterable[Change]) -> tuple[Fate, bool]:
    """What becomes of a record made before these changes, and whether the issue had changed meanwhile."""
    changed = bool(others(changes))
    return (Fate.CONFLICT if changed and kind in CHANGING else Fate.STORED), changed


@dataclass(frozen=True, slots=True)
class CheckIn:
    """Being there, as the phone's receiver says."""

    point: Point
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found on site. ``answers`` are those of the checklist, ``follow_up`` is to be done by ``due``."""

    seen: Seen | None = None
    words: str = ""
    answers: Mapping[str, Any] | None = None
    follow_up: str = ""
    due: date | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """Who was present and signed: strokes as lists of points on a square of ``SIDE`` units."""

    name: str
    unit: str
    strokes: tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A record as a phone sends it. ``body`` is all of it as plain JSON: what tells it from another of this id."""

    id: UUID
    issue: UUID
    kind: Kind
    at: datetime
    base: Base | None
    body: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        plain = json.dumps(
            [str(self.issue), self.kind, self.at.isoformat(), dict(self.body)], sort_keys=True, ensure_ascii=False
        )
        return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Wrong:
    """The field of a record that cannot be, and why: a key under ``reason.`` in words."""

    field: str
    reason: str
    params: Mapping[str, Any]


def wrong_finding(told: Finding) -> Wrong | None:
    """Why a finding cannot be taken; None for one that can."""
    answers = told.answers or {}
    if not (told.seen or told.words.strip() or answers or told.follow_up.strip()):
        return Wrong("words", "missing", {})
    for field, said, most in (
        ("words", told.words, LONGEST_WORDS),
        ("follow_up", told.follow_up, LONGEST_FOLLOW_UP),
    ):
        if len(said) > most:
            return Wrong(field, "too_long", {"most": most})
    if told.due and not told.follow_up.strip():
        return Wrong("follow_up", "missing", {})
    if len(answers) > MOST_ANSWERS:
        return Wrong("answers", "too_many", {"most": MOST_ANSWERS})
    for key, value in answers.items():
        if not _is_answer(key, value):
            return Wrong("answers", "answer", {"key": str(key)[:20]})
    return None


def wrong_signatures(signed: Iterable[Signature]) -> Wrong | None:
    """Why these signatures cannot be taken; None for some that can."""
    found = tuple(signed)
    if not found:
        return Wrong("signatures", "missing", {})
    if len(found) > MOST_SIGNATURES:
        return Wrong("signatures", "too_many", {"most": MOST_SIGNATURES})
    for one in found:
        points = [point for stroke in one.strokes for point in stroke]
        if not one.name.strip() or max(len(one.name), len(one.unit)) > LONGEST_NAME:
            return Wrong("signatures", "signature_name", {"most": LONGEST_NAME})
        if not points or len(one.strokes) > MOST_STROKES or len(points) > MOST_POINTS:
            return Wrong("signatures", "signature_drawn", {})
        if not all(0 <= x <= SIDE and 0 <= y <= SIDE for x, y in points):
            return Wrong("signatures", "signature_drawn", {})
    return None


def path_of(strokes: Iterable[Iterable[tuple[int, int]]]) -> str:
    """A signature as the path of an SVG: a point alone becomes a dot."""
    lines = [[f"{x} {y}" for x, y in stroke] for stroke in strokes]
    return " ".join(f"M{line[0]} L{' '.join(line[1:] or line)}" for line in lines if line)


def distance_m(here: Point, there: Point) -> float:
    """Metres between two places on the sphere: what a phone shows, and right to half a percent."""
    lat1, lat2 = math.radians(here.lat), math.radians(there.lat)
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin(math.radians(there.lon - here.lon) / 2) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(half)))


def _is_answer(key: object, value: object) -> bool:
    if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY:
        return False
    if isinstance(value, str):
        return len(value) <= LONGEST_ANSWER
    return isinstance(value, bool) or (isinstance(value, int | float) and math.isfinite(value))
