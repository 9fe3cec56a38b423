"""Reads a record that a phone has sent into typed values; everything wrong is BadInput with the field's name."""

import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry

from geoapp.domain.fieldwork import MOST_POINTS, Base, CheckIn, Finding, Kind, Seen, Signature, Told
from geoapp.domain.reports import Reporter, Submission
from geoapp.domain.values import Phase, PlacedBy, Point
from geoapp.errors import BadInput, OutOfRange
from geoapp.services.fieldwork import Extent, Settling, Snap, What
from geoapp.services.settlements import Draft
from geoapp.web import land, params

LARGEST_INT = 2**31 - 1
LONGEST_KEY = 100
LARGEST_BODY = 128 * 1024


def told(sent: object) -> Told:
    """The envelope of a record."""
    if not isinstance(sent, dict):
        raise BadInput("record", "object")
    kind = _text(sent, "kind", 20)
    if kind not in set(Kind):
        raise BadInput("kind", "one_of", value=kind[:20], choices=", ".join(Kind))
    body = sent.get("body")
    if not isinstance(body, dict):
        raise BadInput("body", "object")
    _plain(body)
    named = _uuid(sent, "id")
    issue = _uuid(sent, "issue")
    if kind == Kind.ISSUE and named != issue:
        raise BadInput("issue", "names_itself")
    return Told(named, issue, Kind(kind), _instant(sent, "at"), _base(sent.get("base")), body)


def what(record: Told, raw: bytes | None = None) -> What:
    """What a record says; ``raw`` is the photo that came with it."""
    body = record.body
    if record.kind is Kind.CHECK_IN:
        return CheckIn(_point(body), _metres(body, "accuracy_m"))
    if record.kind is Kind.FINDING:
        return _finding(body)
    if record.kind is Kind.PHOTO:
        return _snap(body, raw)
    if record.kind is Kind.EXTENT:
        return Extent(_drawn(body.get("extent")))
    if record.kind is Kind.SETTLEMENT:
        return _settling(body)
    return _new_issue(record)


def _plain(body: dict[str, Any]) -> None:
    """Refuse what no database can keep as JSON, and what is too much for one record."""
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (ValueError, RecursionError):
        raise BadInput("body", "characters") from None
    if "\\u0000" in text:
        raise BadInput("body", "characters")
    if size > LARGEST_BODY:
        raise BadInput("body", "too_long", most=LARGEST_BODY)


def _finding(body: Mapping[str, Any]) -> Finding:
    seen = _text(body, "seen", 20)
    if seen and seen not in set(Seen):
        raise BadInput("seen", "one_of", value=seen, choices=", ".join(Seen))
    answers = body.get("answers") or {}
    if not isinstance(answers, dict):
        raise BadInput("answers", "object")
    return Finding(
        Seen(seen) if seen else None, _text(body, "words"), answers, _text(body, "follow_up"), _day(body, "due")
    )


def _snap(body: Mapping[str, Any], raw: bytes | None) -> Snap:
    phase = _text(body, "phase", 20)
    if phase not in set(Phase):
        raise BadInput("phase", "one_of", value=phase, choices=", ".join(Phase))
    return Snap(raw or b"", Phase(phase), _text(body, "caption"))


def _settling(body: Mapping[str, Any]) -> Settling:
    if not (unit := _text(body, "unit", params.LONGEST)):
        raise BadInput("unit", "missing")
    categories = body.get("categories") or []
    if not isinstance(categories, list) or not all(isinstance(one, str) and len(one) < 100 for one in categories):  # noqa: PLR2004
        raise BadInput("categories", "list")
    draft = Draft(
        unit=unit,
        area=land.area_of(_json("area", body.get("area"))),
        categories=tuple(categories),
        settled_on=_day(body, "settled_on"),
        participants=_text(body, "participants"),
        documents=_text(body, "documents"),
        note=_text(body, "note"),
    )
    return Settling(draft, _signatures(body.get("signatures")))


def _signatures(sent: object) -> tuple[Signature, ...]:
    if not isinstance(sent, list) or not all(isinstance(one, dict) for one in sent):
        raise BadInput("signatures", "list")
    return tuple(Signature(_text(one, "name"), _text(one, "unit"), _strokes(one.get("strokes"))) for one in sent)


def _strokes(sent: object) -> tuple[tuple[tuple[int, int], ...], ...]:
    if not isinstance(sent, list) or sum(len(one) for one in sent if isinstance(one, list)) > MOST_POINTS:
        raise BadInput("signatures", "signature_drawn")
    try:
        return tuple(tuple((_whole(x), _whole(y)) for x, y in stroke) for stroke in sent)
    except (TypeError, ValueError):
        raise BadInput("signatures", "signature_drawn") from None


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(value)
    return max(-1, min(LARGEST_INT, round(value)))


def _new_issue(record: Told) -> Submission:
    body = record.body
    if not (category := _text(body, "category", params.LONGEST)):
        raise BadInput("category", "missing")
    placed_by = _text(body, "placed_by", 20) or PlacedBy.PIN
    if placed_by not in {PlacedBy.PIN, PlacedBy.GPS, PlacedBy.EXIF}:
        raise BadInput("placed_by", "one_of", value=placed_by, choices="pin, gps, exif")
    lang = _text(body, "lang", 2) or "zh"
    drawn = body.get("extent")
    return Submission(
        id=record.id,
        category=category,
        point=_point(body),
        reporter=Reporter(_text(body, "key", LONGEST_KEY), lang=lang),
        placed_by=PlacedBy(placed_by),
        title=_text(body, "title"),
        text=_text(body, "text"),
        address=_text(body, "address"),
        accuracy_m=_metres(body, "accuracy_m"),
        extent=bytes(shapely.to_wkb(_drawn(drawn))) if drawn else None,
    )


def _drawn(sent: object) -> BaseGeometry:
    text = _json("extent", sent)
    try:
        drawn = shapely.geometry.shape(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, shapely.errors.ShapelyError):
        raise BadInput("extent", "extent") from None
    if drawn.is_empty or drawn.geom_type not in {"LineString", "MultiLineString", "Polygon", "MultiPolygon",
                                                 "MultiPoint"}:  # fmt: skip
        raise BadInput("extent", "extent")
    return drawn


def _json(field: str, sent: object) -> str:
    if not isinstance(sent, dict):
        raise BadInput(field, "extent" if field == "extent" else "no_area")
    return json.dumps(sent)


def _base(sent: object) -> Base | None:
    if sent is None:
        return None
    if not isinstance(sent, dict):
        raise BadInput("base", "object")
    found = [sent.get(name) for name in ("version", "seq")]
    if not all(type(value) is int and 0 <= value <= LARGEST_INT for value in found):
        raise BadInput("base", "whole_number")
    return Base(int(found[0] or 0), int(found[1] or 0))


def _uuid(sent: Mapping[str, Any], name: str) -> UUID:
    try:
        return UUID(str(sent.get(name, "")))
    except ValueError:
        raise BadInput(name, "uuid") from None


def _instant(sent: Mapping[str, Any], name: str) -> datetime:
    try:
        found = datetime.fromisoformat(str(sent.get(name, "")))
    except ValueError:
        raise BadInput(name, "instant") from None
    if found.tzinfo is None or not 2000 <= found.year <= 2200:  # noqa: PLR2004 - no visit is older or newer
        raise BadInput(name, "instant")
    return found


def _day(sent: Mapping[str, Any], name: str) -> date | None:
    text = _text(sent, name, 10)
    found = params.date_of(name, text) if text else None
    if found and not 1900 <= found.year <= 2200:  # noqa: PLR2004
        raise BadInput(name, "day")
    return found


def _point(body: Mapping[str, Any]) -> Point:
    found = params.place(_number(body, "lon"), _number(body, "lat"))
    if not -180 <= found.lon <= 180:  # noqa: PLR2004 - degrees
        raise OutOfRange("lon", "longitude")
    if not -85 <= found.lat <= 85:  # noqa: PLR2004
        raise OutOfRange("lat", "latitude")
    return found


def _metres(body: Mapping[str, Any], name: str) -> float | None:
    if body.get(name) is None:
        return None
    value = _number(body, name)
    if not 0 <= value <= 100_000:  # noqa: PLR2004 - worse is no position
        raise BadInput(name, "between", low=0, high=100_000)
    return value


def _number(body: Mapping[str, Any], name: str) -> float:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadInput(name, "number" if value is not None else "missing")
    return float(value)


def _text(body: Mapping[str, Any], name: str, most: int = 4000) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadInput(name, "text")
    if len(value) > most:
        raise BadInput(name, "too_long", most=most)
    # What a browser's text area breaks lines with; and PostgreSQL keeps neither NUL nor half a pair.
    plain = value.replace("\r\n", "\n").strip()
    if not plain.replace("\n", "").replace("\t", "").isprintable():
        raise BadInput(name, "characters")
    return plain
