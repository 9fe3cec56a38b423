"""Projects (项目): one with its cases, needs, resources, boundary and money; and the forms that change it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.projects import Balance, Entry, ProjectState
from geoapp.domain.reports import fresh_id
from geoapp.domain.values import Viewer
from geoapp.errors import BadInput, Conflict, GeoAppError, NotFound, NotYours, Refused, status_of
from geoapp.services import lists, projects
from geoapp.services.projects import NewProject, Whole
from geoapp.web import errors, gate, listshapes, page, params, public, shapes
from geoapp.web.agendashapes import money

blueprint = Blueprint("projects", __name__, url_prefix="/projects")


@blueprint.get("/new")
def new() -> Response:
    return _new(_planner())


@blueprint.post("")
def create() -> Response:
    viewer = _planner()
    form = request.form
    try:
        facts = listshapes.project_of(form)
        made = projects.create(
            viewer,
            NewProject(
                title=facts.title, area=facts.area, cases=listshapes.numbers(form, "cases"),
                budget_low=facts.budget_low, budget_high=facts.budget_high, note=facts.note, begins=facts.begins,
                ends=facts.ends, unit=facts.unit, place=form.get("place", "").strip() or None, id=_id(form.get("id")),
            ),
            now=page.now(),
        )  # fmt: skip
        if need := _id(form.get("need")):
            projects.add_need(viewer, made, need)
    except (BadInput, NotYours) as refusal:
        return _new(viewer, refusal)
    return page.go(page.url(f"/projects/{made}", done="save"))


@blueprint.get("/<uuid:project>")
def show(project: UUID) -> Response:
    return _page(gate.staff(), project)


@blueprint.post("/<uuid:project>")
def change(project: UUID) -> Response:
    viewer = _planner()
    version = params.version(request.form.get("version"))
    return _changed(
        viewer, project, "facts",
        lambda: projects.change(viewer, project, listshapes.project_of(request.form), version=version),
    )  # fmt: skip


@blueprint.post("/<uuid:project>/cases")
def add_case(project: UUID) -> Response:
    viewer = _planner()
    number = request.form.get("number", "").strip()[:100]
    return _changed(viewer, project, "cases", lambda: projects.add_case(viewer, project, number))


@blueprint.post("/<uuid:project>/cases/<number>/drop")
def drop_case(project: UUID, number: str) -> Response:
    viewer = _planner()
    return _changed(viewer, project, "cases", lambda: projects.drop_case(viewer, project, number))


@blueprint.post("/<uuid:project>/needs")
def add_need(project: UUID) -> Response:
    viewer = _planner()
    return _changed(viewer, project, "needs", lambda: projects.add_need(viewer, project, _named("need")))


@blueprint.post("/<uuid:project>/resources")
def use(project: UUID) -> Response:
    viewer = _planner()
    form = request.form
    return _changed(
        viewer, project, "uses",
        lambda: projects.use(
            viewer, project, _named("resource"), amount=money(form, "amount"), first=params.day(form, "begins"),
            last=params.day(form, "ends"), note=listshapes.lines(form, "note"),
        ),
    )  # fmt: skip


@blueprint.post("/<uuid:project>/resources/<uuid:resource>/drop")
def release(project: UUID, resource: UUID) -> Response:
    viewer = _planner()
    return _changed(viewer, project, "uses", lambda: projects.release(viewer, project, resource))


@blueprint.post("/<uuid:project>/money")
def book(project: UUID) -> Response:
    """Add a line to the ledger; one that overdraws needs ``beyond`` and a reason."""
    viewer = _planner()
    return _changed(
        viewer, project, "money",
        lambda: projects.book(
            viewer, project, listshapes.line_of(request.form), beyond="beyond" in request.form, now=page.now()
        ),
    )  # fmt: skip


def _planner() -> Viewer:
    """Who asks, when it is somebody who makes projects somewhere."""
    viewer = gate.staff()
    if not may_anywhere(viewer, Right.PROJECT):
        raise NotYours("not_yours", "action")
    return viewer


def _changed(viewer: Viewer, project: UUID, part: str, act: Callable[[], None]) -> Response:
    """Do it and show the part of the page that it changed, or why it was not done."""
    try:
        act()
    except (BadInput, Refused, Conflict) as refusal:
        return _page(viewer, project, refusal, part=part)
    return page.go(page.url(f"/projects/{project}", done="save") + f"#{part}")


def _new(viewer: Viewer, refusal: GeoAppError | None = None) -> Response:
    found = page.choices()
    typed: dict[str, Any] = dict.fromkeys(listshapes.PROJECT_FIELDS, "")
    typed["cases"] = request.args.get("cases", "").replace(",", " ")[:4000]
    need = request.args.get("need", "")
    if refusal is not None:
        typed |= {name: request.form[name] for name in typed if name in request.form}
        need = request.form.get("need", "")
    elif (named := _id(need)) is not None:
        wanted = lists.need(viewer, named)
        typed |= {"title": wanted.facts.title, "cases": " ".join(wanted.issues), "place": wanted.place}
    context = public.map_context(found, found.home)
    context["config"]["project"] = {"cases": [], "uses": []}
    return page.render(
        "project_new.html",
        found,
        status=status_of(refusal) if refusal else 200,
        refused=_sentence(refusal) if refusal else "",
        typed=typed,
        need=need[:40],
        id=str(fresh_id(page.now())),
        places=[{"code": one.code, "name": f"{one.name.say(page.lang())} · {page.say(f'place.{one.kind}')}"}
                for one in lists.places(viewer, Right.PROJECT)],
        **_choices(),
        **context,
    )  # fmt: skip


def _page(viewer: Viewer, project: UUID, refusal: GeoAppError | None = None, *, part: str = "") -> Response:
    if isinstance(refusal, NotFound):
        raise refusal
    whole = projects.get(viewer, project)
    row = whole.row
    found = page.choices()
    typed = listshapes.typed_project(row)
    if part == "facts":
        typed |= {name: request.form[name] for name in typed if name in request.form}
    context = public.map_context(found, found.home)
    context["config"]["project"] = _places(viewer, whole)
    shape = listshapes.project_shape(row)
    return page.render(
        "project.html",
        found,
        status=status_of(refusal) if refusal else 200,
        refused=_sentence(refusal) if refusal else "",
        at=part,
        said=page.say("project.done") if request.args.get("done") == "save" else "",
        project=shape,
        typed=typed,
        form=request.form if part == "money" else {},
        may_change=row.may_change,
        cases=[shapes.properties(one) | {"url": page.url(f"/desk/issues/{one.number}")} for one in whole.cases],
        needs=[{"title": one.title, "kind_name": page.say(f"lists.kind_of.{one.kind}"),
                "much": " ".join(filter(None, (listshapes.amount(one.quantity), one.measure))),
                "url": page.url(f"/lists/needs/{one.need}")} for one in whole.needs],
        uses=[_used(one) for one in whole.uses],
        sources=[_balance(one) for one in whole.money.sources],
        all_sources=_balance(whole.money.whole),
        lines=[
            {"at": page.minute(one.at)[:10], "entry": page.say(f"project.entry_of.{one.line.entry}"),
             "source": one.line.source, "amount": f"{one.line.amount:,.2f}", "note": one.line.note,
             "person": one.person}
            for one in reversed(whole.money.lines)
        ],
        entries=[{"value": one, "name": page.say(f"project.entry_of.{one}")} for one in Entry],
        offered=[listshapes.resource_shape(one) for one in lists.resources(viewer) if one.facts.active]
        if row.may_change else [],
        open_needs=[listshapes.need_shape(one) for one in lists.needs(viewer)] if row.may_change else [],
        **_choices(),
        **context,
    )  # fmt: skip


def _choices() -> dict[str, Any]:
    return {
        "units": [{"code": unit.code, "name": unit.name.say(page.lang())} for unit in page.choices().units],
        "states": [{"value": one, "name": page.say(f"project.state_of.{one}")} for one in ProjectState],
    }


def _places(viewer: Viewer, whole: Whole) -> dict[str, Any]:
    """What the map of a project shows: its cases and the resources that it uses; its boundary lies in the form."""
    used = {one.resource for one in whole.uses}
    spots = [(row, listshapes.resource_shape(row)) for row in lists.resources(viewer) if row.id in used]
    return {
        "area": whole.row.area,
        "lon": whole.row.lon,
        "lat": whole.row.lat,
        "cases": [
            {"number": one.number, "lon": one.lon, "lat": one.lat, "group": one.state.group, "verdict": one.verdict,
             "title": shapes.properties(one)["title"], "url": page.url(f"/desk/issues/{one.number}")}
            for one in whole.cases
        ],
        "uses": [spot for row, shape in spots if (spot := listshapes.spot(row, shape))],
    }  # fmt: skip


def _used(one: Any) -> dict[str, Any]:
    days = page.say("project.until", first=one.first or "…", last=one.last or "…") if one.first or one.last else ""
    return {
        "id": str(one.resource),
        "title": one.name,
        "kind_name": page.say(f"lists.kind_of.{one.kind}"),
        "much": " ".join(filter(None, (listshapes.amount(one.amount), one.measure if one.amount else ""))),
        "days": days,
        "note": one.note,
        "url": page.url(f"/lists/resources/{one.resource}"),
    }


def _balance(one: Balance) -> dict[str, Any]:
    return {
        "source": one.source,
        "promised": f"{one.promised:,.2f}",
        "spent": f"{one.spent:,.2f}",
        "left": f"{one.left:,.2f}",
        "overdrawn": one.left < 0,
    }


def _sentence(refusal: GeoAppError) -> str:
    return page.say("project.changed") if isinstance(refusal, Conflict) else errors.sentence(refusal)


def _named(field: str) -> UUID:
    found = _id(request.form.get(field))
    if found is None:
        raise BadInput(field, "missing")
    return found


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
