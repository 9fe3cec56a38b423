"""Land on the desk: the worklist of unclear land, and settling it from the page of an issue."""

import json
from typing import Any
from uuid import UUID, uuid4

import shapely
from flask import Blueprint, Response, request
from shapely.geometry.base import BaseGeometry

from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.values import Viewer
from geoapp.errors import BadInput, Conflict, NotYours, Refused, status_of
from geoapp.services import issues, settlements, triage, unclear
from geoapp.services.settlements import Draft, Rehearsal
from geoapp.web import errors, gate, page, params, public, shapes

blueprint = Blueprint("land", __name__, url_prefix="/desk")
MOST_VERTICES = 2000
SHOWN_MOVES = 50


@blueprint.get("/unclear")
def worklist() -> Response:
    viewer = gate.staff()
    found = page.choices()
    zone = page.settings().zone
    pieces, total = unclear.worklist(viewer, now=page.now(), zone=zone)
    names = {row.code: row.name for row in found.categories}
    context = public.map_context(found, found.home)
    rows = [piece(one, names) for one in pieces]
    context["config"]["land"] = True
    return page.render("unclear.html", found, rows=rows, total=total, **context)


@blueprint.get("/issues/<number>/settlement")
def settlement_page(number: str) -> Response:
    return _page(gate.staff(), number)


@blueprint.post("/issues/<number>/settlement")
def settle(number: str) -> Response:
    """Settle, or with ``do=rehearse`` show what would move; a refusal shows the page again with what was typed."""
    viewer = gate.staff()
    typed = {name: request.form.get(name, "").strip() for name in _FIELDS}
    try:
        draft = _draft(typed)
        if request.form.get("do") == "rehearse":
            rehearsal = settlements.rehearse(viewer, draft, now=page.now(), zone=page.settings().zone)
            return _page(viewer, number, typed=typed, rehearsal=rehearsal)
        done = settlements.settle(
            viewer, number, draft, id=_id(typed["id"]), version=params.version(request.form.get("version")),
            now=page.now(), zone=page.settings().zone,
        )  # fmt: skip
    except Conflict:
        return _page(viewer, number, typed=typed, status=409, refused=page.say("desk.changed"))
    except (Refused, BadInput) as refusal:
        return _page(viewer, number, typed=typed, status=status_of(refusal), refused=errors.sentence(refusal))
    return page.go(page.url(f"/desk/issues/{done.number}", done="settle"))


_FIELDS = ("id", "unit", "category", "settled_on", "participants", "documents", "note", "area")


def _page(
    viewer: Viewer,
    number: str,
    *,
    typed: dict[str, str] | None = None,
    rehearsal: Rehearsal | None = None,
    status: int = 200,
    refused: str = "",
) -> Response:
    if not may_anywhere(viewer, Right.SETTLE):
        raise NotYours("not_yours", "action")
    zone = page.settings().zone
    case = issues.get(viewer, number, zone=zone)
    work = triage.work_on(viewer, number, zone=zone)
    found = page.choices()
    row = case.detail.row
    names = {one.code: one.name for one in found.categories}
    point = shapes.point_of(row)
    pieces = [piece(one, names) for one in unclear.around(viewer, point, row.category, now=page.now(), zone=zone)]
    context = public.map_context(found, public.around(row))
    context["config"]["settlement"] = {"lon": row.lon, "lat": row.lat, "group": row.state.group,
                                       "verdict": row.verdict, "pieces": pieces}  # fmt: skip
    branch = row.category.partition(".")[0]
    candidates = {hit.unit for hit in case.verdict.candidates}
    return page.render(
        "settlement.html",
        found,
        status=status,
        issue=shapes.whole_feature(case)["properties"],
        version=work.version,
        typed={"id": str(uuid4()), "category": branch, "settled_on": page.today().isoformat()} | (typed or {}),
        refused=refused,
        pieces=pieces,
        branches=[
            {"code": code, "name": names[code].say(page.lang())}
            for code in dict.fromkeys((branch, row.category))
            if code in names
        ],
        units=sorted(
            ({"code": unit.code, "name": unit.name.say(page.lang()), "candidate": unit.code in candidates}
             for unit in found.units),
            key=lambda unit: not unit["candidate"],
        ),
        today=page.today().isoformat(),
        rehearsal=rehearsal and _rehearsed(rehearsal, {unit.code: unit.name.say(page.lang()) for unit in found.units}),
        **context,
    )  # fmt: skip


def piece(one: unclear.Piece, names: dict[str, Any]) -> dict[str, Any]:
    """A piece of unclear land as pages and programs read it."""
    tongue = page.lang()
    middle = one.label
    return {
        "id": one.id,
        "verdict": one.verdict,
        "verdict_name": page.say(f"verdict.{one.verdict}"),
        "units": [name.say(tongue) for name in one.units],
        "categories": [names[code].say(tongue) for code in one.categories if code in names]
        or [page.say("land.every_category")],
        "area_m2": round(one.area_m2),
        "community": one.community.say(tongue),
        "issues": one.issues,
        "returns": one.returns,
        "days": one.days,
        "box": [[one.box.south, one.box.west], [one.box.north, one.box.east]],
        "map_url": page.url(
            "/", at=f"16/{middle.lat:.5f}/{middle.lon:.5f}",
            layers=f"issues,{one.verdict}-land,jurisdictions,communities,streets,district",
        ),
        "area": json.loads(one.area) if one.area else None,
    }  # fmt: skip


def _rehearsed(found: Rehearsal, names: dict[str, str]) -> dict[str, Any]:
    nobody = page.say("land.nobody")

    def name(code: str | None) -> str:
        return names.get(code or "", nobody)

    units = sorted(set(found.load_before) | set(found.load_after), key=name)
    return {
        "judged": found.judged,
        "moved": len(found.moves),
        "contested": found.contested_areas,
        "orphan": found.orphan_areas,
        "moves": [
            {
                "number": move.number,
                "before": f"{name(move.unit_before)} ({page.say(f'verdict.{move.verdict_before}')})",
                "after": f"{name(move.unit_after)} ({page.say(f'verdict.{move.verdict_after}')})",
            }
            for move in found.moves[:SHOWN_MOVES]
        ],
        "loads": [
            {"name": name(code), "before": found.load_before.get(code, 0), "after": found.load_after.get(code, 0)}
            for code in units
            if found.load_before.get(code, 0) != found.load_after.get(code, 0)
        ],
    }


def _draft(typed: dict[str, str]) -> Draft:
    if not typed["unit"]:
        raise BadInput("unit", "missing")
    return Draft(
        unit=typed["unit"],
        area=area_of(typed["area"]),
        categories=(typed["category"],) if typed["category"] else (),
        settled_on=params.day(request.form, "settled_on"),
        participants=typed["participants"],
        documents=typed["documents"],
        note=typed["note"],
    )


def area_of(text: str) -> BaseGeometry:
    """A drawn polygon as GeoJSON; raises BadInput for anything else."""
    try:
        drawn = shapely.geometry.shape(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, shapely.errors.ShapelyError):
        raise BadInput("area", "no_area") from None
    if drawn.geom_type not in {"Polygon", "MultiPolygon"} or drawn.is_empty:
        raise BadInput("area", "no_area")
    if shapely.get_num_coordinates(drawn) > MOST_VERTICES:
        raise BadInput("area", "too_many_vertices", most=MOST_VERTICES)
    west, south, east, north = drawn.bounds
    if not (-180 <= west <= east <= 180 and -85 <= south <= north <= 85):  # noqa: PLR2004 - degrees
        raise BadInput("area", "degrees")
    return drawn


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadInput("id", "missing") from None
