"""The chain of a history: each line has a hash of its content and of the hash before it.

The database does the same with ``history_content`` and ``history_link`` (migration 0002), for every line that is added
to an issue that it holds; here it is done for all lines of an issue that is yet to be stored. Why twice? An import
brings hundreds of thousands of lines, and to chain them in SQL takes ten times as long. A test holds the two together.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring as quoted
from typing import Any
from uuid import UUID

from geoapp.domain.values import Event, IssueState

_MOST_LINES = 4096


def line(event: Event) -> str:
    """What is hashed of a line besides its issue and its place, as JSON and exactly as the database writes it."""
    # Only times of UTC are remembered: of a night in autumn, 2:30 is the same to a zone whichever of both is meant.
    if event.at.tzinfo is UTC and not (event.actor or event.note or event.detail):
        return _without_words(event.at, event.action, event.to_state)
    return _told(event)


def hashes(issue: UUID, lines: Iterable[str]) -> list[bytes]:
    """The hash of each of these lines of an issue's history, its first ones, and of all before it."""
    found = []
    link = b""
    begins = f'["{issue}"'
    for seq, told in enumerate(lines, start=1):
        link = sha256(link + f"{begins}, {seq}, {told}, null, false]".encode()).digest()
        found.append(link)
    return found


@lru_cache(_MOST_LINES)
def _without_words(at: datetime, action: str, to_state: IssueState | None) -> str:
    """Largely the same lines come again: of one day, and as of everything that is imported."""
    return _told(Event(at, action, to_state))


def _told(event: Event) -> str:
    instant = event.at.astimezone(UTC).replace(tzinfo=None).isoformat()
    if event.at.microsecond:
        instant = instant.rstrip("0")
    state = "null" if event.to_state is None else quoted(event.to_state)
    words = f"{quoted(event.actor)}, {quoted(event.note)}, {_text(event.detail)}"
    return f'"{instant}", {quoted(event.action)}, {state}, {words}'


def _text(value: Any) -> str:
    """JSON as PostgreSQL keeps it: short keys before long ones, and numbers without a power of ten."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return "{" + ", ".join(f"{quoted(key)}: {_text(value[key])}" for key in keys) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    if isinstance(value, float):
        # There is no zero below zero.
        return format(Decimal(repr(value or 0.0)), "f")
    return json.dumps(value, ensure_ascii=False)
