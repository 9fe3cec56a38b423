"""The three lists (三张清单), each beside its map; and the forms of needs and resources."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from geoapp.domain.matching import NeedState, ResourceKind
from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.reports import fresh_id
from geoapp.domain.values import Viewer
from geoapp.errors import BadInput, Conflict, GeoAppError, NotFound, NotYours, Refused, status_of
from geoapp.services import lists, projects
from geoapp.services.lists import NeedRow, ResourceRow
from geoapp.web import api, errors, gate, listshapes, page, params, public

blueprint = Blueprint("lists", __name__, url_prefix="/lists")
NEEDS, RESOURCES, PROJECTS = "needs", "resources", "projects"
SHAPES: dict[str, Callable[[Any], dict[str, Any]]] = {
    NEEDS: listshapes.need_shape,
    RESOURCES: listshapes.resource_shape,
    PROJECTS: listshapes.project_shape,
}


@blueprint.get("")
def listing() -> Response:
    viewer = gate.staff()
    asked = request.args.get("in", NEEDS)
    which = asked if asked in SHAPES else NEEDS
    rows: dict[str, list[Any]] = {
        NEEDS: lists.needs(viewer), RESOURCES: lists.resources(viewer), PROJECTS: projects.listed(viewer),
    }  # fmt: skip
    found = page.choices()
    shown = [SHAPES[which](row) for row in rows[which]]
    context = public.map_context(found, found.home)
    context["config"]["lists"] = [
        spot for row, shape in zip(rows[which], shown, strict=True) if (spot := listshapes.spot(row, shape))
    ]
    right = Right.PROJECT if which == PROJECTS else Right.LIST
    one = which.removesuffix("s")
    return page.render(
        "lists.html",
        found,
        which=which,
        tabs=[{"name": page.say(f"lists.{name}"), "url": page.url("/lists", **{"in": name}), "here": name == which,
               "count": len(rows[name])} for name in SHAPES],
        rows=shown,
        new_url=page.url("/projects/new" if which == PROJECTS else f"/lists/{which}/new"),
        new_words=page.say(f"lists.new_{one}"),
        may_add=may_anywhere(viewer, right),
        **context,
    )  # fmt: skip


@blueprint.get("/resources.json")
def resources_json() -> Response:
    """The resources that this viewer may see as GeoJSON, for the maps of staff."""
    found = [listshapes.feature(row) for row in lists.resources(gate.staff())]
    return api.geojson({"type": "FeatureCollection", "features": [one for one in found if one]})


@blueprint.get("/projects.json")
def projects_json() -> Response:
    """The projects that this viewer may see as GeoJSON: boundaries, else points; for the maps of staff."""
    rows = [(row, listshapes.project_shape(row)) for row in projects.listed(gate.staff())]
    found = [
        {
            "type": "Feature",
            "id": str(row.id),
            "geometry": json.loads(row.area) if row.area else {"type": "Point", "coordinates": [row.lon, row.lat]},
            "properties": {
                "title": row.title,
                "note": " · ".join(filter(None, (shape["state_name"], row.place_name.say(page.lang())))),
                "url": page.url(f"/projects/{row.id}"),
                "cases": row.cases,
            },
        }
        for row, shape in rows
        if row.area or row.lon is not None
    ]
    return api.geojson({"type": "FeatureCollection", "features": found})


@blueprint.get("/resources/new")
def new_resource() -> Response:
    return _form(_keeper(), RESOURCES)


@blueprint.post("/resources")
def add_resource() -> Response:
    viewer = _keeper()
    try:
        made = lists.add_resource(
            viewer, request.form.get("place", "").strip(), listshapes.resource_of(request.form), id=_id(),
            now=page.now(),
        )  # fmt: skip
    except (BadInput, NotYours) as refusal:
        return _form(viewer, RESOURCES, refusal=refusal)
    return page.go(page.url(f"/lists/resources/{made}", done="save"))


@blueprint.get("/resources/<uuid:resource>")
def resource(resource: UUID) -> Response:
    viewer = gate.staff()
    return _form(viewer, RESOURCES, row=lists.resource(viewer, resource))


@blueprint.post("/resources/<uuid:resource>")
def change_resource(resource: UUID) -> Response:
    viewer = _keeper()
    try:
        lists.change_resource(
            viewer, resource, listshapes.resource_of(request.form), version=params.version(request.form.get("version"))
        )
    except (BadInput, Refused, Conflict) as refusal:
        return _form(viewer, RESOURCES, row=lists.resource(viewer, resource), refusal=refusal)
    return page.go(page.url(f"/lists/resources/{resource}", done="save"))


@blueprint.get("/needs/new")
def new_need() -> Response:
    return _form(_keeper(), NEEDS)


@blueprint.post("/needs")
def add_need() -> Response:
    viewer = _keeper()
    try:
        made = lists.add_need(
            viewer, request.form.get("place", "").strip(), listshapes.need_of(request.form),
            issues=listshapes.numbers(request.form, "issues"), id=_id(), now=page.now(),
        )  # fmt: skip
    except (BadInput, NotYours) as refusal:
        return _form(viewer, NEEDS, refusal=refusal)
    return page.go(page.url(f"/lists/needs/{made}", done="save"))


@blueprint.get("/needs/<uuid:need>")
def need(need: UUID) -> Response:
    viewer = gate.staff()
    return _form(viewer, NEEDS, row=lists.need(viewer, need))


@blueprint.post("/needs/<uuid:need>")
def change_need(need: UUID) -> Response:
    viewer = _keeper()
    try:
        lists.change_need(
            viewer, need, listshapes.need_of(request.form), issues=listshapes.numbers(request.form, "issues"),
            version=params.version(request.form.get("version")),
        )  # fmt: skip
    except (BadInput, Refused, Conflict) as refusal:
        return _form(viewer, NEEDS, row=lists.need(viewer, need), refusal=refusal)
    return page.go(page.url(f"/lists/needs/{need}", done="save"))


def _keeper() -> Viewer:
    """Who asks, when it is somebody who keeps lists somewhere."""
    viewer = gate.staff()
    if not may_anywhere(viewer, Right.LIST):
        raise NotYours("not_yours", "action")
    return viewer


def _form(
    viewer: Viewer, which: str, *, row: NeedRow | ResourceRow | None = None, refusal: GeoAppError | None = None
) -> Response:
    """A need or a resource to read and to change; after a refusal with what was typed."""
    if isinstance(refusal, NotFound):
        raise refusal
    is_need = which == NEEDS
    fields = listshapes.NEED_FIELDS if is_need else listshapes.RESOURCE_FIELDS
    typed: dict[str, Any] = dict.fromkeys(fields, "") | {"active": True}
    if isinstance(row, NeedRow):
        typed = listshapes.typed_need(row)
    elif isinstance(row, ResourceRow):
        typed = listshapes.typed_resource(row)
    else:
        typed |= {"issues": request.args.get("issue", "")[:200], "state": NeedState.OPEN}
    if refusal is not None:
        typed |= {name: request.form[name] for name in fields if name in request.form}
    grounds = lists.places(viewer)
    matches = lists.matches(viewer, row.id) if isinstance(row, NeedRow) else []
    found = page.choices()
    tongue = page.lang()
    shown = [listshapes.suggestion_shape(one) for one in matches]
    context = public.map_context(found, found.home)
    context["config"]["listform"] = {
        "matches": [spot for one, shape in zip(matches, shown, strict=True)
                    if (spot := listshapes.spot(one.resource, shape))],
    }  # fmt: skip
    return page.render(
        "list_form.html",
        found,
        status=status_of(refusal) if refusal else 200,
        refused=_sentence(refusal) if refusal else "",
        said=page.say("lists.done") if request.args.get("done") == "save" else "",
        is_need=is_need,
        heading=page.say(f"lists.{'edit' if row else 'new'}_{'need' if is_need else 'resource'}"),
        action=f"/lists/{which}/{row.id}" if row else f"/lists/{which}",
        back_url=page.url("/lists", **{"in": which}),
        id=str(fresh_id(page.now())),
        version=row.version if row else "",
        may_change=row.may_change if row else True,
        row_id=str(row.id) if row else "",
        typed=typed,
        kinds=[{"value": one, "name": page.say(f"lists.kind_of.{one}")} for one in ResourceKind],
        states=[{"value": one, "name": page.say(f"lists.need_state.{one}")} for one in NeedState],
        places=[{"code": one.code, "name": f"{one.name.say(tongue)} · {page.say(f'place.{one.kind}')}"}
                for one in grounds],
        units=[{"code": unit.code, "name": unit.name.say(tongue)} for unit in found.units],
        matches=shown,
        **context,
    )  # fmt: skip


def _sentence(refusal: GeoAppError) -> str:
    return page.say("project.changed") if isinstance(refusal, Conflict) else errors.sentence(refusal)


def _id() -> UUID | None:
    try:
        return UUID(request.form.get("id", ""))
    except ValueError:
        return None
