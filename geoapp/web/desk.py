"""The desk of staff: what waits for me, one issue to work on, and every action on it."""

import json
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from geoapp.domain import workflow
from geoapp.domain.permissions import Right, may, may_anywhere
from geoapp.domain.reports import fresh_id
from geoapp.domain.values import IssueFilter, Phase, Viewer
from geoapp.domain.workflow import TABLE, Given, Need, Option
from geoapp.errors import BadInput, Conflict, GeoAppError, NotFound, Refused, status_of
from geoapp.services import clocks, duplicates, editing, issues, moderation, photos, reports, saved, splitting, triage
from geoapp.services.places import Choices
from geoapp.services.splitting import Part
from geoapp.services.triage import Receipt
from geoapp.web import api, clockshapes, errors, gate, page, params, public, shapes
from geoapp.web.forms import change_form

blueprint = Blueprint("desk", __name__, url_prefix="/desk")
PAGE = 50
MOST_AT_ONCE = 100
MINE, ALL = "mine", "all"
ONE_BY_ONE = {Need.UNTIL, Need.ORIGINAL, Need.AFTER_PHOTO, Need.PARTS}
TOLD = {*TABLE, Right.PHOTO, Right.EDIT, Right.COST, Right.RELEASE}
Filters = dict[str, IssueFilter]


@blueprint.get("")
def inbox() -> Response:
    return _inbox(gate.staff())


@blueprint.get("/issues/<number>")
def work(number: str) -> Response:
    return _work(gate.staff(), number)


@blueprint.get("/issues/<number>.json")
def feature(number: str) -> Response:
    """The issue as this viewer sees it, for the map of its page."""
    return api.geojson(shapes.whole_feature(issues.get(gate.staff(), number, zone=page.settings().zone)))


@blueprint.post("/issues/<number>/<action>")
def act(number: str, action: str) -> Response:
    """Take one action; a refusal shows the page again as it now stands, with what was typed."""
    viewer = gate.staff()
    given = Given()
    try:
        given = _given(viewer)
        done = triage.act(
            viewer, number, action, given, version=params.version(request.form.get("version")), now=page.now(),
            calendar=page.calendar(),
        )  # fmt: skip
    except NotFound:
        raise
    except Conflict as late:
        return _work(viewer, late.params["number"], status=409, refused=page.say("desk.changed"), given=given,
                     opened=action)  # fmt: skip
    except (Refused, BadInput) as refusal:
        return _work(viewer, number, status=status_of(refusal), refused=errors.sentence(refusal), given=given,
                     opened=action)  # fmt: skip
    return page.go(page.url(f"/desk/issues/{done.number}", done=action))


@blueprint.post("/issues/<number>/parts")
def split(number: str) -> Response:
    """Split an issue into parts, each for a unit of its own; rows without a title are left out."""
    viewer = gate.staff()
    try:
        done = splitting.split(
            viewer, number, [_part(row) for row in _part_forms() if row["title"]], note=_given(viewer).note,
            version=params.version(request.form.get("version")), prefix=page.settings().number_prefix, now=page.now(),
            calendar=page.calendar(),
        )  # fmt: skip
    except Conflict as late:
        return _work(viewer, late.params["number"], status=409, refused=page.say("desk.changed"), opened="split")
    except (Refused, BadInput) as refusal:
        return _work(viewer, number, status=status_of(refusal), refused=errors.sentence(refusal), opened="split")
    return page.go(page.url(f"/desk/issues/{done.number}", done="split"))


@blueprint.post("/actions")
def act_on_many() -> Response:
    """One action on every ticked issue, each by itself: what is refused does not hold up the rest."""
    viewer = gate.staff()
    ticked = [name.rpartition(":") for name in request.form.getlist("issue")][:MOST_AT_ONCE]
    action, given = request.form.get("action", ""), _given(viewer)
    done: list[Receipt] = []
    refused: list[str] = []
    for number, _, version in ticked:
        try:
            done.append(
                triage.act(
                    viewer,
                    number,
                    action,
                    given,
                    version=params.version(version),
                    now=page.now(),
                    calendar=page.calendar(),
                )
            )
        except Conflict:
            refused.append(page.say("desk.refused_one", number=number, why=page.say("desk.changed")))
        except (Refused, BadInput, NotFound) as refusal:
            refused.append(page.say("desk.refused_one", number=number, why=errors.sentence(refusal)))
    told = page.say("desk.done_many", done=len(done), refused=len(refused))
    return _inbox(viewer, said=" ".join([told, *refused]) if ticked else page.say("desk.nothing_ticked"))


def _inbox(viewer: Viewer, *, said: str = "") -> Response:
    found = page.choices()
    zone = page.settings().zone
    wanted = params.issue_filter(lambda: page.known_codes(found))
    filters: Filters = {
        MINE: replace(wanted, duties=workflow.duties(viewer)),
        ALL: replace(wanted, duties=workflow.realm(viewer)),
    }
    which = ALL if request.args.get("in") == ALL else MINE
    after = params.token(request.args, "after")
    result = issues.search(viewer, filters[which], zone=zone, limit=PAGE, after=after, by_deadline=True)
    kept = params.active(request.args)
    rows = [
        shapes.properties(row)
        | {"url": page.url(f"/desk/issues/{row.number}"), "version": row.version, "deadline": clockshapes.deadline(row)}
        for row in result.rows
    ]
    context = public.map_context(found, found.home)
    context["config"]["desk"] = [
        {"number": row.number, "lon": row.lon, "lat": row.lat, "url": page.url(f"/desk/issues/{row.number}"),
         "title": shape["title"], "group": row.state.group, "verdict": row.verdict, "state": shape["state_name"]}
        for row, shape in zip(result.rows, rows, strict=True)
    ]  # fmt: skip
    return page.render(
        "desk.html",
        found,
        filter=public.chosen(wanted, kept),
        filtered=bool(kept),
        choices=shapes.choices(found),
        which=which,
        kept=kept | ({"in": ALL} if which == ALL else {}),
        tabs=[
            {
                "name": page.say(f"desk.{name}"),
                "url": page.url("/desk", **kept, **({"in": ALL} if name == ALL else {})),
                "here": name == which,
                "count": result.matched if name == which else issues.count(viewer, one, zone=zone),
            }
            for name, one in filters.items()
        ],
        rows=rows,
        may_rehearse=may_anywhere(viewer, Right.REHEARSE),
        to_review=moderation.count(viewer) if may_anywhere(viewer, Right.RELEASE) else None,
        filters=[
            {
                "id": str(one.id),
                "name": one.name,
                "url": page.url("/desk", **dict(parse_qsl(one.query))),
                "count": issues.count(viewer, _kept_filter(viewer, one.query, found), zone=zone),
            }
            for one in saved.of(viewer)
        ],
        next_url=page.url("/desk", **kept, **({"in": which}), after=result.after) if result.after else None,
        bulk=[
            {"action": action, "name": page.say(f"act.{action}")}
            for action, rule in TABLE.items()
            if may_anywhere(viewer, action) and not ONE_BY_ONE & set(rule.needs)
        ],
        said=said,
        **context,
    )


def _kept_filter(viewer: Viewer, query: str, found: Choices) -> IssueFilter:
    """A kept filter as it counts today; one that names what there is no more finds nothing."""
    args = MultiDict(parse_qsl(query))
    try:
        wanted = params.issue_filter(lambda: page.known_codes(found), args)
    except BadInput:
        return IssueFilter(duties=())
    inside = workflow.realm(viewer) if args.get("in") == ALL else workflow.duties(viewer)
    return replace(wanted, duties=inside)


def _work(
    viewer: Viewer, number: str, *, status: int = 200, refused: str = "", given: Given | None = None, opened: str = ""
) -> Response:
    zone = page.settings().zone
    case = issues.get(viewer, number, zone=zone)
    work = triage.work_on(viewer, number, zone=zone)
    found = page.choices()
    row = case.detail.row
    candidates = {hit.unit for hit in case.verdict.candidates}
    units = [
        {"code": unit.code, "name": unit.name.say(page.lang()), "candidate": unit.code in candidates}
        for unit in found.units
    ]
    done = request.args.get("done", "")
    subject = work.subject
    ran, local = clocks.of_issue(row.id)
    may_change = editing.editable(viewer, number, zone=zone)
    return page.render(
        "work.html",
        found,
        status=status,
        issue=shapes.whole_feature(case)["properties"],
        phases=[{"phase": one, "name": page.say(f"phase.{one}")} for one in Phase],
        may_add=may(viewer, Right.PHOTO, subject),
        may_release=may(viewer, Right.RELEASE, subject),
        back_url=page.url("/desk"),
        back_words="desk.back",
        source=page.url(f"/desk/issues/{row.number}.json"),
        clocks=[clockshapes.clock(clock) for clock in ran],
        local_rule=local and page.say("deadline.why.local", place=local.say(page.lang())),
        options=[option(one) for one in work.options],
        version=work.version,
        may_merge=any(option.action is Right.DUPLICATE and option.refusal is None for option in work.options),
        original_number=request.args.get("original", "")[:40],
        alike=[
            shapes.alike(one)["properties"]
            | {"url": page.url(f"/desk/issues/{one.row.number}"), "photo": _first_photo(viewer, one.row.number)}
            for one in duplicates.of_issue(viewer, number, now=page.now())
        ],
        units=sorted(units, key=lambda unit: not unit["candidate"]),
        is_work=True,
        reporters=[
            {"at": page.minute(one.at), "name": one.name, "contact": one.contact, "witness": one.witness}
            for one in reports.reporters(viewer, number, zone=zone)
        ],
        edit=change_form(may_change) if may_change else None,
        category_list=[{"code": one.code, "name": one.name.say(page.lang())} for one in found.categories],
        part_places=_places(case.detail.extent),
        part_forms=_part_forms(),
        given=given or Given(),
        opened=opened or ("duplicate" if request.args.get("original") else ""),
        refused=refused,
        said=page.say("desk.done_one", number=row.number, action=page.say(f"action.{done}"),
                      state=page.say(f"state.{row.state}")) if done in TOLD else "",
        **public.map_context(found, public.around(row)),
    )  # fmt: skip


def show(viewer: Viewer, number: str, refusal: GeoAppError, *, refused: str, opened: str = "") -> Response:
    """The page of an issue with why something was not done."""
    return _work(viewer, number, status=status_of(refusal), refused=refused, opened=opened)


def option(one: Option) -> dict[str, Any]:
    refusal = one.refusal
    return {
        "action": one.action,
        "name": page.say(f"act.{one.action}"),
        "needs": one.needs,
        "refusal": refusal and page.say(f"refusal.{refusal.reason}", **refusal.params),
    }


def _given(viewer: Viewer) -> Given:
    """What was typed; raises BadInput naming the field for what cannot be read."""
    form = request.form
    until = form.get("until", "").strip()
    try:
        day = date.fromisoformat(until) if until else None
    except ValueError:
        raise BadInput("until", "day") from None
    note = form.get("note", "").replace("\r\n", "\n")
    if "\x00" in note:
        raise BadInput("note", "characters")
    return Given(
        note=note,
        unit=form.get("unit", "").strip() or None,
        helping=tuple(dict.fromkeys(code for code in form.getlist("helping") if code)),
        until=day,
        original=original(viewer, form.get("original", "").strip()),
    )


PART_FIELDS = ("title", "unit", "place")
SHOWN_PARTS = 4


def _first_photo(viewer: Viewer, number: str) -> dict[str, Any] | None:
    shown = photos.of_issue(viewer, number, zone=page.settings().zone)
    return shapes.photo(number, shown[0]) if shown else None


def _part_forms() -> list[dict[str, str]]:
    """The rows of the form that splits, as they were typed, or new ones; each with the id that its part will have."""
    form = request.form
    ids = form.getlist("part")[: workflow.MOST_PARTS]
    if not ids:
        return [{"id": str(fresh_id(page.now())), "title": "", "unit": "", "place": ""} for _ in range(SHOWN_PARTS)]
    typed = {field: form.getlist(f"part_{field}") + [""] * len(ids) for field in PART_FIELDS}
    return [{"id": one, **{field: typed[field][nth].strip() for field in PART_FIELDS}} for nth, one in enumerate(ids)]


def _part(row: dict[str, str]) -> Part:
    try:
        named = UUID(row["id"])
    except ValueError:
        raise BadInput("part", "uuid") from None
    lat, _, lon = row["place"].partition(",")
    point = params.point(MultiDict({"lat": lat, "lon": lon})) if row["place"] else None
    return Part(named, row["title"], point=point, unit=row["unit"] or None)


def _places(extent: str | None) -> list[dict[str, str]]:
    """The points of an issue that has several: where its parts may lie."""
    drawn = json.loads(extent) if extent else {}
    points = drawn["coordinates"] if drawn.get("type") == "MultiPoint" else []
    return [
        {"value": f"{lat},{lon}", "name": page.say("split.nth_place", n=nth)}
        for nth, (lon, lat) in enumerate(points, start=1)
    ]


def original(viewer: Viewer, name: str) -> UUID | None:
    """The id of the issue that another repeats, by its number or id; raises BadInput where there is none to be seen."""
    if not name:
        return None
    try:
        return issues.get(viewer, name[:100], zone=page.settings().zone).detail.row.id
    except NotFound:
        raise BadInput("original", "unknown", value=name[:40]) from None
