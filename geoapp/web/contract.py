"""What programs may ask and are answered: each operation of the API once, as data.

From it come the OpenAPI document and the page that people read (``openapi``), and the check of every body.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jsonschema
from flask import request

from geoapp.domain import reports
from geoapp.domain.values import SEVERITIES, IssueState, Phase, PlacedBy, Privacy, Source, StateGroup, VerdictClass
from geoapp.domain.workflow import FEWEST_PARTS, LONGEST_NOTE, MOST_PARTS, TABLE
from geoapp.errors import BadInput

Schema = dict[str, Any]

_UUID = {"type": "string", "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"}
_LON = {"type": "number", "minimum": -180, "maximum": 180}
_LAT = {"type": "number", "minimum": -85, "maximum": 85}
# Blanks of every kind are let in, as at the doors.
_WORDS = "^[^\\x00-\\x08\\x0e-\\x1b\\x7f]*$"
_WORD = "^[^\\x00-\\x08\\x0e-\\x1b\\x7f,]*$"


def _one_of(values: Any) -> Schema:
    return {"type": "string", "enum": [str(value) for value in values]}


def _text(most: int, least: int = 0) -> Schema:
    shape = {"type": "string", "maxLength": most, "pattern": "^[^\\x00]*$"}
    return shape | ({"minLength": least} if least else {})


def _listed(items: Schema) -> Schema:
    return {"type": "array", "items": items, "maxItems": 100}


def _object(required: str = "", **properties: Schema) -> Schema:
    named = {"required": required.split()} if required else {}
    return {"type": "object", "properties": properties, "additionalProperties": False, **named}


_REPORTER = {
    "key": {"type": "string", "pattern": f"^{reports.KEY.pattern}$"},
    "name": _text(reports.LONGEST_NAME),
    "contact": _text(reports.LONGEST_CONTACT),
    "lang": _one_of(("zh", "en")),
}
_EXTENT = {
    "type": "object",
    "properties": {
        "type": _one_of(("LineString", "MultiLineString", "Polygon", "MultiPolygon", "MultiPoint")),
        "coordinates": {"type": "array", "items": {}, "minItems": 1},
    },
    "required": ["type", "coordinates"],
    "additionalProperties": False,
}
_AREA = {
    "type": "object",
    "properties": {"type": _one_of(("Polygon", "MultiPolygon")), "coordinates": {"type": "array", "items": {}}},
    "required": ["type", "coordinates"],
    "additionalProperties": False,
}
SCHEMAS: Mapping[str, Schema] = {
    "Error": _object(
        "error",
        error=_object(
            "status code field message",
            status={"type": "integer"},
            code={"type": "string"},
            field={"type": "string", "nullable": True},
            message={"type": "string"},
        ),
    ),
    "NewReport": _object(
        "category lat lon",
        id=_UUID,
        category=_text(100, 1),
        lat=_LAT,
        lon=_LON,
        placed_by=_one_of(PlacedBy),
        accuracy_m={"type": "number", "minimum": 0, "maximum": reports.MAX_ACCURACY_M},
        title=_text(reports.LONGEST_TITLE),
        text=_text(reports.LONGEST_TEXT),
        address=_text(reports.LONGEST_ADDRESS),
        extent=_EXTENT,
        privacy=_one_of(Privacy),
        source=_one_of(Source),
        **_REPORTER,
    ),
    "NewWitness": _object("", id=_UUID, **_REPORTER),
    "Receipt": _object(
        "id number reported_at url link",
        id=_UUID,
        number={"type": "string"},
        reported_at={"type": "string"},
        url={"type": "string"},
        link={"type": "string"},
    ),
    "Action": _object(
        "",
        note=_text(LONGEST_NOTE),
        unit=_text(100),
        helping=_listed(_text(100, 1)),
        until={"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
        original=_text(100),
    ),
    "NewParts": _object(
        "parts",
        parts={
            "type": "array",
            "minItems": FEWEST_PARTS,
            "maxItems": MOST_PARTS,
            "items": _object(
                "title", id=_UUID, title=_text(reports.LONGEST_TITLE, 1), category=_text(100), lat=_LAT, lon=_LON,
                unit=_text(100), helping=_listed(_text(100, 1)),
            ),
        },
        note=_text(LONGEST_NOTE),
    ),
    "NewFacts": _object(
        "",
        title=_text(reports.LONGEST_TITLE, 1),
        text=_text(reports.LONGEST_TEXT),
        address=_text(reports.LONGEST_ADDRESS),
        category=_text(100, 1),
        severity={"type": "integer", "minimum": SEVERITIES[0], "maximum": SEVERITIES[-1]},
        privacy=_one_of(Privacy),
        lat=_LAT,
        lon=_LON,
        released={"type": "boolean"},
    ),
    "NewCost": _object(
        "",
        planned={"type": "number", "minimum": 0, "maximum": 10**11},
        spent={"type": "number", "minimum": 0, "maximum": 10**11},
        fund=_text(200),
    ),
    "Done": _object(
        "number state version",
        number={"type": "string"},
        state=_one_of(IssueState),
        version={"type": "integer"},
    ),
    "Work": _object(
        "number version options",
        number={"type": "string"},
        version={"type": "integer"},
        options=_listed(
            _object(
                "action name needs refusal",
                action=_one_of(TABLE),
                name={"type": "string"},
                needs=_listed({"type": "string"}),
                refusal={"type": "string", "nullable": True},
            )
        ),
    ),
    "NewSettlement": _object(
        "unit area",
        id=_UUID,
        unit=_text(100, 1),
        area=_AREA,
        categories=_listed(_text(100, 1)),
        settled_on={"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
        participants=_text(2000),
        documents=_text(2000),
        note=_text(2000),
        rehearse={"type": "boolean"},
    ),
    "Feature": {"type": "object", "required": ["type", "geometry", "properties"], "properties": {
        "type": _one_of(("Feature",)), "geometry": {"type": "object", "nullable": True},
        "properties": {"type": "object"},
    }},
    "Features": {"type": "object", "required": ["type", "features"], "properties": {
        "type": _one_of(("FeatureCollection",)), "numberMatched": {"type": "integer"},
        "numberReturned": {"type": "integer"}, "next": {"type": "string", "nullable": True},
        "features": {"type": "array", "items": {"$ref": "#/components/schemas/Feature"}},
    }},
    "Object": {"type": "object"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something that is asked beside the body: where it stands and what it may be."""

    name: str
    schema: Schema
    where: str = "query"
    required: bool = False

    def shape(self) -> Schema:
        commas = {"style": "form", "explode": False} if self.schema["type"] == "array" else {}
        required = self.required or self.where == "path"
        return {"name": self.name, "in": self.where, "required": required, "schema": self.schema, **commas}


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a program may ask. ``answers`` name a schema for each status that is not an error."""

    answers: Mapping[int, str]
    parameters: tuple[Parameter, ...] = ()
    body: str = ""
    upload: bool = False
    media: str = "application/json"
    key: str = "useful"
    """Whether a key is of no use, useful (more is seen) or needed."""
    errors: tuple[int, ...] = field(default=())


_NAME = Parameter("name", _text(100, 1), "path")
_LAYER = Parameter("name", {"type": "string", "pattern": "^[a-z-]{1,40}$"}, "path")
# Not so many different ones as a hundred, but repeated ones do not count.
_CODES = {"type": "array", "items": {"type": "string", "pattern": _WORD, "maxLength": 100}}
_CHANGE = Parameter("change", _one_of(("release", "withdraw")), "path")
_DAY = {"type": "string", "pattern": "^$|^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$"}
_BBOX = Parameter("bbox", {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4})
LANG = Parameter("lang", {"type": "string"})
# A language that we do not have is answered in the one of the settings, not refused.
_POINT = (Parameter("lat", _LAT, required=True), Parameter("lon", _LON, required=True))
_CATEGORY = Parameter("category", {"type": "string", "pattern": _WORD, "maxLength": 100})
_MATCH = Parameter("If-Match", {"type": "string", "pattern": '^"[0-9]{1,9}"$'}, "header", required=True)
_KEY = Parameter("Report-Key", {"type": "string", "pattern": "^[A-Za-z0-9_-]{22,100}$"}, "header", required=True)
_IDEMPOTENCY = Parameter("Idempotency-Key", {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{22,200}$"}, "header")


def _count(name: str, most: int) -> Parameter:
    return Parameter(name, {"type": "integer", "minimum": 0, "maximum": most})


# An empty parameter is one that is not there: forms send all their fields.
FILTERS = (
    Parameter("q", {"type": "string", "maxLength": 100, "pattern": _WORDS}),
    Parameter("category", _CODES),
    Parameter("state", {"type": "array", "items": _one_of([*StateGroup, *IssueState, ""])}),
    Parameter("community", _CODES),
    Parameter("unit", _CODES),
    Parameter("verdict", {"type": "array", "items": _one_of([*VerdictClass, ""])}),
    Parameter("from", _DAY),
    Parameter("to", _DAY),
    _BBOX,
)
_PAGED = (
    _count("limit", 10_000),
    Parameter("after", {"type": "string", "pattern": "^[A-Za-z0-9_-]*$", "maxLength": 200}),
)
_GEO = "application/geo+json"

OPERATIONS: Mapping[str, Operation] = {
    "api.search": Operation({200: "Features"}, (*FILTERS, *_PAGED), media=_GEO, errors=(422,)),
    "api.one": Operation({200: "Feature"}, (_NAME,), media=_GEO, errors=(404,)),
    "api.whose": Operation(
        {200: "Object"}, (*_POINT, _CATEGORY, Parameter("on", _DAY)), key="useless", errors=(422,)
    ),
    "api.duplicates_near": Operation(
        {200: "Features"},
        (*_POINT, _CATEGORY, Parameter("text", FILTERS[0].schema | {"maxLength": 2000})),
        media=_GEO, key="useless", errors=(422,),
    ),
    "place.by_name": Operation(
        {200: "Object"}, (Parameter("q", FILTERS[0].schema | {"maxLength": 60, "minLength": 1}, required=True),),
        key="useless",
    ),
    "api.listed": Operation({200: "Object"}, key="useless"),
    "api.features": Operation(
        {200: "Features"}, (_LAYER, *FILTERS, _count("limit", 10_000)), media=_GEO, key="useless", errors=(404, 422)
    ),
    "api.table": Operation({200: ""}, (_LAYER, *FILTERS), media="text/csv", key="useless", errors=(302, 404, 422)),
    "rest.report": Operation({201: "Receipt"}, (_IDEMPOTENCY,), body="NewReport", errors=(409, 429)),
    "rest.witness": Operation({201: "Receipt"}, (_NAME, _IDEMPOTENCY), body="NewWitness", errors=(404, 409, 429)),
    "rest.add_own_photo": Operation(
        {201: "Object"},
        (*(Parameter(name, _UUID, "path") for name in ("issue", "report", "photo")), _KEY),
        upload=True, key="useless", errors=(404, 409, 413, 422, 429),
    ),
    "rest.work": Operation({200: "Work"}, (_NAME,), key="needed", errors=(403, 404)),
    "rest.act": Operation(
        {200: "Done"}, (_NAME, Parameter("action", _one_of(TABLE), "path"), _MATCH), body="Action", key="needed",
        errors=(403, 404, 409, 422, 428),
    ),
    "rest.edit": Operation(
        {200: "Done"}, (_NAME, _MATCH), body="NewFacts", key="needed", errors=(403, 404, 409, 422, 428)
    ),
    "rest.enter_cost": Operation(
        {200: "Done"}, (_NAME, _MATCH), body="NewCost", key="needed", errors=(403, 404, 409, 422, 428)
    ),
    "rest.split": Operation(
        {201: "Done"}, (_NAME, _MATCH), body="NewParts", key="needed", errors=(403, 404, 409, 422, 428)
    ),
    "rest.settle": Operation(
        {200: "Object", 201: "Done"}, (_NAME, _MATCH), body="NewSettlement", key="needed",
        errors=(403, 404, 409, 422, 428),
    ),
    "rest.add_photo": Operation(
        {201: "Object"}, (_NAME,), upload=True, key="needed", errors=(403, 404, 409, 413, 422)
    ),
    "rest.change_photo": Operation(
        {200: "Object"}, (_NAME, Parameter("photo", _UUID, "path"), _CHANGE),
        key="needed", errors=(403, 404),
    ),
    "rest.inbox": Operation({200: "Features"}, (*FILTERS, *_PAGED), media=_GEO, key="needed", errors=(403, 422)),
    "rest.unclear_land": Operation({200: "Object"}, key="needed", errors=(403,)),
    "rest.me": Operation({200: "Object"}, key="needed"),
}  # fmt: skip
"""Every operation by the name of its door."""

UPLOAD = {
    "type": "object",
    "required": ["photo", "phase"],
    "properties": {
        "photo": {"type": "string", "format": "binary"},
        "phase": _one_of(Phase),
        "caption": _text(200),
    },
}


def refuse_strangers() -> None:
    """Refuse a parameter that the operation does not have: who misspells a filter must not believe in the answer."""
    if operation := OPERATIONS.get(request.endpoint or ""):
        known = {one.name for one in (*operation.parameters, LANG) if one.where == "query"}
        for name in request.args:
            if name not in known:
                raise BadInput(name[:40] if name.isprintable() else "?", "not_known")


def body(operation: str) -> dict[str, Any]:
    """What was sent, when it is what the operation takes; raises BadInput naming the field."""
    try:
        sent = request.get_json(silent=True) if request.get_data(cache=True) else {}
    except RecursionError:
        sent = None
    if not isinstance(sent, dict):
        raise BadInput("body", "json_object")
    for name, value in sent.items():
        if not _is_text(json.dumps([name, value], ensure_ascii=False)):
            raise BadInput(name[:40] if _is_text(name) else "body", "characters")
    for wrong in sorted(_checker(OPERATIONS[operation].body).iter_errors(sent), key=lambda one: str(list(one.path))):
        raise _refusal(wrong)
    return sent


def _is_text(told: str) -> bool:
    """False for half a character, which JSON can carry and no database can."""
    return told.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in told)


def _checker(name: str) -> Any:
    return jsonschema.Draft202012Validator(SCHEMAS[name])


_FORMS = {"key": "key", "id": "uuid", "until": "day", "settled_on": "day"}
_REASONS = {
    "maxLength": ("too_long", "most"),
    "minLength": ("too_short", "least"),
    "maxItems": ("too_many", "most"),
    "minItems": ("too_few", "least"),
    "type": ("json_type", "type"),
}


def _refusal(wrong: Any) -> BadInput:
    """A finding of the checker in our words."""
    name = str(wrong.path[0]) if wrong.path else ""
    rule, limit, value = wrong.validator, wrong.validator_value, str(wrong.instance)[:40]
    if rule == "additionalProperties" and not name:
        stranger = next(key for key in wrong.instance if key not in wrong.schema["properties"])
        return BadInput(stranger[:40], "not_known")
    if rule == "required" and not name:
        return BadInput(next(key for key in limit if key not in wrong.instance), "missing")
    if rule in {"minimum", "maximum"}:
        return BadInput(name, "between", low=wrong.schema["minimum"], high=wrong.schema["maximum"])
    if rule == "enum":
        return BadInput(name, "one_of", value=value, choices=", ".join(limit))
    if rule in _REASONS:
        reason, called = _REASONS[rule]
        return BadInput(name, reason, **{called: limit})
    return BadInput(name, _FORMS.get(name, "characters"))
