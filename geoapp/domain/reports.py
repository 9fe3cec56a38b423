"""What somebody reports (上报): checked, with a fingerprint that tells the same report sent again from another.

Pure. Whoever reports chooses the id of the issue and the key of the private link, so a phone without a
line can make both, and sending the same report twice makes one issue.
"""

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from uuid import UUID

from geoapp.domain.values import PlacedBy, Point, Privacy, Source

LONGEST_TITLE, LONGEST_TEXT, LONGEST_ADDRESS = 200, 4000, 200
LONGEST_NAME, LONGEST_CONTACT = 100, 200
KEY = re.compile(r"[A-Za-z0-9_-]{22,100}")
"""At least 128 bits, written in base64url."""
MAX_ACCURACY_M = 100_000.0
_STRICT = (Privacy.PUBLIC, Privacy.BLURRED, Privacy.PRIVATE)


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports: stored apart from the issue, never public. ``key`` opens the private link."""

    key: str
    name: str = ""
    contact: str = ""
    lang: str = "zh"


@dataclass(frozen=True, slots=True)
class Submission:
    """A report as it comes in. ``extent`` is WKB in EPSG:4326; ``privacy`` None: what the category says."""

    id: UUID
    category: str
    point: Point
    reporter: Reporter
    placed_by: PlacedBy = PlacedBy.PIN
    title: str = ""
    text: str = ""
    address: str = ""
    accuracy_m: float | None = None
    extent: bytes | None = None
    privacy: Privacy | None = None
    source: Source = Source.RESIDENT


def fingerprint(told: object) -> str:
    """The same for the same words, whatever the order they came in: SHA-256 of a submission's or reporter's fields.

    The key is among them, so nobody can pass off what is public of a report as the report itself.
    """
    plain = json.dumps(told, sort_keys=True, default=_plain, ensure_ascii=False)
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def stricter(wish: Privacy | None, rule: Privacy) -> Privacy:
    """What holds between a person's wish and the category's rule: the one that shows less."""
    return max(rule, wish or rule, key=_STRICT.index)


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return value.hex() if isinstance(value, bytes) else str(value)


def fresh_id(at: datetime) -> UUID:
    """An id of this moment: UUIDv7 (RFC 9562), so that what is reported together lies together in an index."""
    milliseconds = int(at.timestamp() * 1000)
    filled = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return UUID(int=filled)


def fresh_key() -> str:
    """A key for a private link, of 256 bits."""
    return secrets.token_urlsafe(32)


def named_by(key: str) -> tuple[UUID, str]:
    """The id of a report and the key of its private link, from an ``Idempotency-Key`` that only its sender knows."""
    return (
        UUID(bytes=hashlib.sha256(b"id:" + key.encode()).digest()[:16], version=5),
        base64.urlsafe_b64encode(hashlib.sha256(b"key:" + key.encode()).digest()).decode().rstrip("="),
    )
