"""The shapes in which needs, resources and projects leave the house, and what their forms send."""

import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import shapely
from werkzeug.datastructures import MultiDict

from geoapp.domain.matching import Match, NeedFacts, NeedState, ResourceFacts, ResourceKind, Span
from geoapp.domain.projects import Entry, Line, ProjectFacts, ProjectState
from geoapp.domain.values import Point
from geoapp.errors import BadInput
from geoapp.services.lists import NeedRow, ResourceRow, Suggested, point_wkb
from geoapp.services.projects import ProjectRow, area_of
from geoapp.web import page, params
from geoapp.web.agendashapes import money

SPAN = re.compile(r"\s*(\d{4}-\d\d-\d\d)?\s*(?:–|—|至|\.\.|/|~|to)\s*(\d{4}-\d\d-\d\d)?\s*")
NEED_FIELDS = ("place", "kind", "title", "quantity", "measure", "begins", "ends", "note", "issues", "point", "state")
RESOURCE_FIELDS = ("place", "kind", "name", "unit", "owner", "capacity", "measure", "note", "free", "point", "area")
PROJECT_FIELDS = (
    "place", "title", "note", "state", "budget_low", "budget_high", "begins", "ends", "unit", "area", "cases",
)  # fmt: skip


def amount(value: Decimal | None) -> str:
    """A number without needless zeros."""
    return "" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")


def resource_shape(row: ResourceRow) -> dict[str, Any]:
    facts, tongue = row.facts, page.lang()
    return {
        "id": str(row.id),
        "url": page.url(f"/lists/resources/{row.id}"),
        "kind": facts.kind,
        "kind_name": page.say(f"lists.kind_of.{facts.kind}"),
        "title": facts.name,
        "owner": row.unit_name.say(tongue) or facts.owner,
        "much": " ".join(filter(None, (amount(facts.capacity), facts.measure))),
        "note": facts.note,
        "free": [span_words(span) for span in facts.free],
        "place": row.place_name.say(tongue),
        "active": facts.active,
        "state_name": "" if facts.active else page.say("lists.inactive"),
        "projects": page.say("lists.in_projects", n=row.projects) if row.projects else "",
        "synthetic": row.synthetic,
    }


def need_shape(row: NeedRow) -> dict[str, Any]:
    facts = row.facts
    days = page.say("project.until", first=facts.begins or "…", last=facts.ends or "…")
    return {
        "id": str(row.id),
        "url": page.url(f"/lists/needs/{row.id}"),
        "kind": facts.kind,
        "kind_name": page.say(f"lists.kind_of.{facts.kind}"),
        "title": facts.title,
        "much": " ".join(filter(None, (amount(facts.quantity), facts.measure))),
        "note": facts.note,
        "free": [days] if facts.begins or facts.ends else [],
        "place": row.place_name.say(page.lang()),
        "owner": page.say("lists.from", numbers=page.say("js.list_comma").join(row.issues)) if row.issues else "",
        "state": facts.state,
        "state_name": page.say(f"lists.need_state.{facts.state}"),
        "projects": page.say("lists.in_projects", n=row.projects) if row.projects else "",
        "synthetic": row.synthetic,
    }


def project_shape(row: ProjectRow) -> dict[str, Any]:
    tongue = page.lang()
    budget = " – ".join(
        f"¥{amount(one)}" for one in dict.fromkeys((row.budget_low, row.budget_high)) if one is not None
    )
    left = row.promised - row.spent
    return {
        "id": str(row.id),
        "url": page.url(f"/projects/{row.id}"),
        "kind": "project",
        "kind_name": page.say(f"project.state_of.{row.state}"),
        "title": row.title,
        "note": row.note,
        "much": budget,
        "owner": row.unit_name.say(tongue),
        "person": page.say("project.person", name=row.person) if row.person else "",
        "origin": page.say("project.origin") if row.origin.get("kind") == "cluster" else "",
        "free": [page.say("project.until", first=row.begins or "…", last=row.ends or "…")]
        if row.begins or row.ends
        else [],
        "place": row.place_name.say(tongue),
        "state": row.state,
        "state_name": page.say("project.n_cases", n=row.cases),
        "projects": page.say("project.left_of", promised=amount(row.promised) or "0", spent=amount(row.spent) or "0",
                             left=amount(left) or "0") if row.promised or row.spent else "",
        "overdrawn": left < 0,
        "synthetic": row.synthetic,
        "version": row.version,
    }  # fmt: skip


def suggestion_shape(one: Suggested) -> dict[str, Any]:
    return resource_shape(one.resource) | {"score": one.match.score, "why": why(one.match)}


def why(found: Match) -> str:
    """Every part of a score in words, with its points."""
    said = [f"{page.say(f'match.{part.reason}', **part.params)} (+{part.points:g})" for part in found.parts]
    return page.say("duplicates.comma").join(said)


def spot(row: ResourceRow | NeedRow | ProjectRow, shape: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the map shows of a row; None for one without a place."""
    if row.lon is None or row.lat is None:
        return None
    drawn = row.shape if isinstance(row, ResourceRow) else row.area if isinstance(row, ProjectRow) else None
    area = json.loads(drawn) if drawn else None
    return {
        "id": shape["id"], "url": shape["url"], "kind": shape["kind"], "title": shape["title"],
        "kind_name": shape["kind_name"], "lon": row.lon, "lat": row.lat,
        "area": area if area and area["type"].endswith("Polygon") else None,
    }  # fmt: skip


def feature(row: ResourceRow) -> dict[str, Any] | None:
    """A resource as GeoJSON; None for one without a place."""
    if row.shape is None:
        return None
    shape = resource_shape(row)
    keep = ("id", "kind", "kind_name", "title", "owner", "much", "place", "active", "synthetic", "url")
    note = " · ".join(filter(None, (shape["kind_name"], shape["much"], shape["owner"], shape["state_name"])))
    return {
        "type": "Feature", "id": shape["id"], "geometry": json.loads(row.shape),
        "properties": {name: shape[name] for name in keep} | {"note": note},
    }  # fmt: skip


def span_words(span: Span) -> str:
    return f"{span.first or ''} – {span.last or ''}".strip()


def typed_resource(row: ResourceRow) -> dict[str, Any]:
    facts = row.facts
    area = json.loads(row.shape) if row.shape else None
    drawn = bool(area and area["type"].endswith("Polygon"))
    return {
        "place": row.place, "kind": facts.kind, "name": facts.name, "unit": facts.unit or "", "owner": facts.owner,
        "capacity": amount(facts.capacity), "measure": facts.measure, "note": facts.note,
        "free": "\n".join(span_words(span) for span in facts.free), "area": row.shape if drawn else "",
        "point": f"{row.lat:.6f}, {row.lon:.6f}" if area and not drawn else "", "active": facts.active,
    }  # fmt: skip


def typed_need(row: NeedRow) -> dict[str, Any]:
    facts = row.facts
    return {
        "place": row.place, "kind": facts.kind, "title": facts.title, "quantity": amount(facts.quantity),
        "measure": facts.measure, "note": facts.note, "begins": facts.begins or "", "ends": facts.ends or "",
        "issues": " ".join(row.issues), "state": facts.state,
        "point": f"{row.lat:.6f}, {row.lon:.6f}" if row.lat is not None else "",
    }  # fmt: skip


def typed_project(row: ProjectRow) -> dict[str, Any]:
    return {
        "place": row.place, "title": row.title, "note": row.note, "state": row.state, "area": row.area or "",
        "budget_low": amount(row.budget_low), "budget_high": amount(row.budget_high), "begins": row.begins or "",
        "ends": row.ends or "", "unit": row.unit or "",
    }  # fmt: skip


def resource_of(form: MultiDict[str, str]) -> ResourceFacts:
    """Raises BadInput naming the field for what cannot be read."""
    drawn = area_of(form.get("area", "").strip())
    at = point_of(form)
    return ResourceFacts(
        kind=_kind(form), name=params.words(form, "name", most=1000), unit=params.code(form, "unit"),
        owner=params.words(form, "owner", most=1000), capacity=money(form, "capacity"),
        measure=params.words(form, "measure", most=200), note=lines(form, "note"), free=spans(form.get("free", "")),
        shape=drawn or at, active="active" in form,
    )  # fmt: skip


def need_of(form: MultiDict[str, str]) -> NeedFacts:
    state = form.get("state", "") or NeedState.OPEN
    if state not in set(NeedState):
        raise BadInput("state", "unknown", value=state[:20])
    return NeedFacts(
        kind=_kind(form), title=params.words(form, "title", most=1000), note=lines(form, "note"),
        quantity=money(form, "quantity"), measure=params.words(form, "measure", most=200),
        begins=params.day(form, "begins"), ends=params.day(form, "ends"), shape=point_of(form), state=NeedState(state),
    )  # fmt: skip


def project_of(form: MultiDict[str, str]) -> ProjectFacts:
    state = form.get("state", "") or ProjectState.PLANNED
    if state not in set(ProjectState):
        raise BadInput("state", "unknown", value=state[:20])
    return ProjectFacts(
        title=params.words(form, "title", most=1000), note=lines(form, "note"),
        area=area_of(form.get("area", "").strip()), state=ProjectState(state), budget_low=money(form, "budget_low"),
        budget_high=money(form, "budget_high"), begins=params.day(form, "begins"), ends=params.day(form, "ends"),
        unit=params.code(form, "unit"),
    )  # fmt: skip


def line_of(form: MultiDict[str, str]) -> Line:
    entry = form.get("entry", "")
    if entry not in set(Entry):
        raise BadInput("entry", "missing")
    paid = money(form, "amount")
    if paid is None:
        raise BadInput("amount", "missing")
    return Line(Entry(entry), params.words(form, "source", most=1000), paid, lines(form, "note"))


def numbers(form: MultiDict[str, str], name: str) -> list[str]:
    """Numbers of issues, written with blanks or commas between."""
    return [part[:100] for part in re.split(r"[\s,，、]+", form.get(name, "")) if part][:1000]


def lines(form: MultiDict[str, str], name: str) -> str:
    return form.get(name, "").replace("\r\n", "\n").strip()


def spans(text: str) -> tuple[Span, ...]:
    """Spans of days, one a line; a single day is a span of one."""
    found = []
    for line in filter(None, (one.strip() for one in text.splitlines())):
        match = SPAN.fullmatch(line)
        try:
            if match and (match[1] or match[2]):
                first, last = (date.fromisoformat(day) if day else None for day in match.groups())
            else:
                first = last = date.fromisoformat(line)
        except ValueError:
            raise BadInput("free", "span", value=line[:40]) from None
        found.append(Span(first, last))
    return tuple(found)


def point_of(form: MultiDict[str, str]) -> bytes | None:
    """A point written as latitude and longitude."""
    text = form.get("point", "").strip().replace("，", ",")
    if not text:
        return None
    try:
        lat, lon = (float(part) for part in text.split(","))
    except ValueError:
        raise BadInput("point", "lat_lon") from None
    if not (-85 <= lat <= 85 and -180 <= lon <= 180):  # noqa: PLR2004 - degrees; NaN lies nowhere
        raise BadInput("point", "lat_lon")
    return point_wkb(Point(lon, lat))


def bounds_of(shape: bytes) -> tuple[float, float, float, float]:
    west, south, east, north = shapely.from_wkb(shape).bounds
    return west, south, east, north


def _kind(form: MultiDict[str, str]) -> ResourceKind:
    kind = form.get("kind", "")
    if kind not in set(ResourceKind):
        raise BadInput("kind", "missing" if not kind else "unknown", **({"value": kind[:20]} if kind else {}))
    return ResourceKind(kind)
