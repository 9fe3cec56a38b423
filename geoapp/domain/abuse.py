"""How suspicious a report looks, and how many somebody may send.

Pure. A suspicious report is stored like any other: it only waits for somebody to look at it before the public reads
a word of it. How much somebody may send is counted by network, phone, contact and place, never by a name alone.
"""

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from geoapp.domain import counts
from geoapp.domain.values import Point

HELD = 50
"""From this score on a report waits for a review, whatever its category says."""
CROWD_M, CROWD_WINDOW, CROWD = 150.0, timedelta(hours=1), 5
"""So many reports within so many metres in so short a time are a crowd."""
CROWD_ZOOM = 17
"""Of the tiles by which reports around are looked up; the index of issues has it too."""
REPEATED_WINDOW = timedelta(days=1)
TELLING = 6
"""Words shorter than this are the same by chance."""
HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
PER_DEVICE, PER_CONTACT, PER_CELL = 5, 5, 30
"""Reports in a quarter of an hour from one phone and for one contact, and in an hour in one cell."""
CELL_DEG = 0.0025
"""The side of a cell in degrees: about 250 m."""
_LINK = re.compile(r"https?://|www\.|[\w-]+\.(?:com|cn|net|org|top|xyz|ru)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sender:
    """From where something is sent: the network, and the mark that the phone gives itself."""

    network: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a report beside its words: how many the same words, reports around, earlier ones."""

    repeated: int = 0
    around: int = 0
    known: bool = False


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A score and what it is made of: keys under ``spam.`` in words."""

    score: int = 0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counter:
    """How often something may be done in a span of time."""

    key: str
    most: int
    window: timedelta


def telling(title: str, text: str) -> str:
    """The words by which another report is the same as this one; empty where that would be chance."""
    return (text or title) if len((title + text).strip()) >= TELLING else ""


def suspicion(words: str, signs: Signs) -> Suspicion:
    """How suspicious words look. Each sign alone lets a report pass; two strong ones hold it."""
    found = {
        "link": 50 if _LINK.search(words) else 0,
        "repeated": 40 if signs.repeated and len(words.strip()) >= TELLING else 0,
        "crowd": 30 if signs.around >= CROWD else 0,
        "short": 10 if 0 < len(words.strip()) < TELLING else 0,
        "new": 0 if signs.known else 10,
    }
    return Suspicion(sum(found.values()), tuple(name for name, weight in found.items() if weight))


def counters(sender: Sender, *, contact: str, point: Point | None, per_hour: int) -> Iterator[Counter]:
    """What a report counts against, in one order for everybody; ``per_hour`` is of a network. What is told is hashed.

    An address of a whole network is shared by many behind it, so the phone and the place have counters of their own.
    """
    if per_hour <= 0:
        return
    if point is not None:
        yield Counter(f"report:cell:{cell(point)}", PER_CELL, HOUR)
    if contact.strip():
        yield Counter(f"report:contact:{_hashed(contact.strip().lower())}", PER_CONTACT, QUARTER)
    if sender.device:
        yield Counter(f"report:device:{_hashed(sender.device)}", PER_DEVICE, QUARTER)
    if sender.network:
        yield Counter(f"report:net:{sender.network}", per_hour, HOUR)


def crowd_cells(point: Point) -> list[int]:
    """The tiles of zoom 17 within reach of a crowd, as numbers of ``domain.counts``; the point's own before the others.

    Where there is a crowd most of it lies in that one, so no other is looked up. Beyond 75° of latitude not all are
    told: nobody lives there who could be a crowd.
    """
    high = CROWD_M / 110_000
    wide = high / max(0.25, math.cos(math.radians(point.lat)))
    own, one, other = (
        counts.cell_at(point.lon + side * wide, point.lat + side * high) >> 2 * (counts.LEVEL - CROWD_ZOOM)
        for side in (0, -1, 1)
    )
    return sorted(counts.between(one, other), key=lambda tile: tile != own)


def cell(point: Point) -> str:
    return f"{math.floor(point.lat / CELL_DEG)}:{math.floor(point.lon / CELL_DEG)}"


def _hashed(told: str) -> str:
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
