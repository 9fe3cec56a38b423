"""From analyses to projects: what a project out of a cluster would hold, making it, and whether one has worked."""

from typing import Any
from uuid import UUID

import shapely
from flask import Blueprint, Response, request

from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.planning import Ask
from geoapp.domain.reports import fresh_id
from geoapp.domain.values import Box, Viewer
from geoapp.errors import BadInput, NotYours, Refused, status_of
from geoapp.services import effects, planning
from geoapp.services.planning import Result
from geoapp.web import errors, page, params, planask, planshapes, public, shapes
from geoapp.web.planclasses import number_of
from geoapp.web.planning import figure_of, planner, result_of

blueprint = Blueprint("planprojects", __name__, url_prefix="/planning")


@blueprint.get("/project")
def project_page() -> Response:
    """What a project out of this cluster would hold, before it is made."""
    viewer = _maker()
    ask = planask.asked()
    result = result_of(viewer, ask)
    if isinstance(result, Response):
        return page.go(page.url("/planning", **planask.link(ask)))
    return _project_page(viewer, ask, result)


@blueprint.post("/project")
def make_project() -> Response:
    """Make it, and go to its page."""
    viewer = _maker()
    ask = planask.asked(args=request.form)
    result = result_of(viewer, ask)
    if isinstance(result, Response):
        return page.go(page.url("/planning", **planask.link(ask)))
    part, row = figure_of(result, request.form)
    drawn = planning.draft(viewer, result, part, row)
    try:
        made = planning.project(
            viewer, drawn, title=request.form.get("title", ""), made=_id(request.form.get("id")),
            origin={"analysis": ask.as_json(), "how": {"method": result.how["method"], "version": result.how["version"],
                                                       "parameters": result.how["parameters"]}},
            now=page.now(),
        )  # fmt: skip
    except (BadInput, Refused) as refusal:
        return _project_page(viewer, ask, result, refusal)
    return page.go(page.url(f"/projects/{made}", done="save"))


@blueprint.get("/effect")
def effect() -> Response:
    """Did a project work: before and after, against places like it."""
    viewer = planner()
    project = _id(request.args.get("project"), field="project")
    days = params.whole(request.args, "days", effects.DAYS, low=30, high=730)
    found = effects.of_project(viewer, project, days=days, now=page.now(), zone=page.settings().zone)
    known = planshapes.names()
    tongue = page.lang() == "en"
    return page.render(
        "planning_effect.html",
        page.choices(),
        project=found.project,
        days=days,
        missing=page.say(f"planning.effect.missing_{found.missing}") if found.missing else "",
        effect=found.effect,
        verdict=page.say(f"planning.effect.{found.effect.verdict}") if found.effect else "",
        why=page.say_or(f"analysis.note.{found.effect.why}", "") if found.effect else "",
        ratio={} if found.effect is None else {
            name: number_of(float(getattr(found.effect, name)))
            for name in ("ratio", "low", "high", "expected")
        },
        categories=[known.of("category", code)[tongue] for code in found.categories],
        controls=[known.of("community", code)[tongue] for code in found.controls],
        how=planshapes.told_how(found.how) if found.how else [],
    )  # fmt: skip


def _maker() -> Viewer:
    viewer = planner()
    if not may_anywhere(viewer, Right.PROJECT):
        raise NotYours("not_yours", "action")
    return viewer


def _project_page(viewer: Viewer, ask: Ask, result: Result, refusal: Any = None) -> Response:
    args = request.form if request.method == "POST" else request.args
    part, row = figure_of(result, args)
    drawn = planning.draft(viewer, result, part, row)
    known = planshapes.names()
    where = page.choices()
    tongue = page.lang() == "en"
    kind = known.of("category", drawn.category)[tongue]
    street = known.of("community", drawn.community)[tongue]
    title = page.say("planning.project.title_of", kind=kind, place=street, n=len(drawn.cases))
    area = shapely.from_wkb(drawn.area)
    west, south, east, north = area.bounds
    context = public.map_context(where, Box(west - 0.003, south - 0.003, east + 0.003, north + 0.003))
    context["config"]["planning"] = {
        "data": page.url(f"/planning/{ask.analysis}/map.geojson", **planask.link(ask), part=part),
        "job": "", "part": part, "row": str(row), "month": "", "link": "",
        "cases": page.url("/planning/cases", **planask.link(ask), part=part), "project": "", "only": row,
        "zoom": [[south, west], [north, east]],
    }  # fmt: skip
    return page.render(
        "planning_project.html",
        where,
        status=status_of(refusal) if refusal else 200,
        refused=errors.sentence(refusal) if refusal else "",
        link=planask.link(ask, part=part, row=row),
        id=str(fresh_id(page.now())),
        title_=args.get("title", title)[:200],
        n=len(drawn.cases),
        left=drawn.open,
        counted=result.parts[part].count(row),
        cases_url=page.url("/planning/cases", **planask.link(ask), part=part, row=row),
        back_url=page.url("/planning", **planask.link(ask), part=part, row=row),
        costs=drawn.costs,
        cases=[shapes.properties(one) for one in drawn.cases[:10]],
        **context,
    )


def _id(text: str | None, *, field: str = "id") -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        raise BadInput(field, "missing") from None
