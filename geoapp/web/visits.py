"""Site visits (现场办公): the list, planning one on the map, setting out, ending, calling off, the calendar file."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from geoapp.domain import visiting
from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.reports import fresh_id
from geoapp.domain.values import Box, Viewer
from geoapp.domain.visiting import Step, VisitState
from geoapp.errors import BadInput, Conflict, NotFound, NotYours, Refused, status_of
from geoapp.services import issues, visits
from geoapp.services.places import Choices
from geoapp.services.visits import StopRow, Target, VisitDetail, VisitRow
from geoapp.web import api, drafts, errors, gate, invitations, page, params, public, shapes

blueprint = Blueprint("visits", __name__, url_prefix="/field/visits")
PAGE = 50
AROUND_DEG = 0.004
LONGEST_NAMES = 8000


@blueprint.get("")
def listed() -> Response:
    viewer = _visitor()
    last = params.code(request.args, "after")
    rows = visits.mine(viewer, limit=PAGE + 1, after=_after(last) if last else None)
    shown = rows[:PAGE]
    next_url = None
    if len(rows) > PAGE:
        next_url = page.url("/field/visits", after=f"{shown[-1].on_day.isoformat()}_{shown[-1].id}")
    return page.render("visits.html", page.choices(), rows=[_line(row) for row in shown], next_url=next_url)


@blueprint.get("/new")
def new() -> Response:
    """The plan page for the issues of ``issues``: numbers or ids with commas, as the survey map chose them."""
    viewer = _visitor()
    found = _chosen(viewer)
    tomorrow = page.today() + timedelta(days=1)
    draft = drafts.new_draft(found, title=page.say("visit.usual_title", day=tomorrow.isoformat()), on_day=tomorrow)
    config = {"id": str(fresh_id(page.now())), "version": None, "state": VisitState.PLANNED, "draft": draft}
    return _page(config, found)


@blueprint.post("/preview.json")
def preview() -> Response:
    """What a plan comes to, and nothing is kept."""
    viewer = _visitor()
    draft, _ = drafts.read()
    plan = visits.preview(viewer, draft, now=page.now())
    named = visits.targets(viewer, tuple(stop.issue for stop in draft.stops))
    return api.json_answer(
        drafts.schedule(plan, {key: shapes.properties(one.issue)["title"] for key, one in named.items()})
    )


@blueprint.post("/<uuid:visit>.json")
def save(visit: UUID) -> Response:
    """Store a plan: without a ``version`` a new visit under the id that the page chose, else that version changed."""
    viewer = _visitor()
    draft, version = drafts.read()
    zone = page.settings().zone
    if version is None:
        kept = visits.create(viewer, draft, id=visit, now=page.now(), zone=zone)
    else:
        kept = visits.change(viewer, visit, draft, version=version, now=page.now(), zone=zone)
    return api.json_answer({"id": str(visit), "version": kept.visit.version, "url": page.url(f"/field/visits/{visit}")})


@blueprint.get("/<uuid:visit>")
def show(visit: UUID) -> Response:
    return _show(visits.get(_visitor(), visit))


@blueprint.get("/<uuid:visit>.ics")
def calendar(visit: UUID) -> Response:
    detail = visits.get(_visitor(), visit)
    body = invitations.calendar_of(detail, now=page.now(), zone=page.settings().zone)
    response = Response(body, mimetype="text/calendar")
    response.headers["Content-Disposition"] = f'attachment; filename="visit-{detail.visit.on_day}.ics"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.post("/<uuid:visit>/<step>")
def carry_on(visit: UUID, step: str) -> Response:
    """Set out, end or call off, from the version that the page showed; a refusal shows the page as it now stands."""
    viewer = _visitor()
    if step not in set(Step):
        raise NotFound("step", step[:20])
    version = params.version(request.form.get("version"))
    now = page.now()
    try:
        if step == Step.START:
            visits.start(viewer, visit, version=version, now=now)
        elif step == Step.CANCEL:
            visits.cancel(viewer, visit, version=version, now=now)
        else:
            visits.end(viewer, visit, version=version, now=now, calendar=page.calendar(), summary=_summary())
    except Conflict:
        return _show(visits.get(viewer, visit), status=409, refused=page.say("visit.changed"))
    except (Refused, BadInput) as refusal:
        return _show(visits.get(viewer, visit), status=status_of(refusal), refused=errors.sentence(refusal))
    return page.go(page.url(f"/field/visits/{visit}", done=step))


def _summary() -> str:
    summary = request.form.get("summary", "").replace("\r\n", "\n")
    if "\x00" in summary:
        raise BadInput("summary", "characters")
    return summary


def _visitor() -> Viewer:
    viewer = gate.staff()
    if not may_anywhere(viewer, Right.VISIT):
        raise NotYours("not_yours", "action")
    return viewer


def _chosen(viewer: Viewer) -> list[Target]:
    """The issues that the address names, in its order; raises BadInput for none, too many, or one not to be seen."""
    names = [name for name in request.args.get("issues", "")[:LONGEST_NAMES].split(",") if name]
    if not names:
        raise BadInput("issues", "missing")
    if len(names) > visiting.MOST_STOPS:
        raise BadInput("issues", "too_many", most=visiting.MOST_STOPS)
    zone = page.settings().zone
    ids = []
    for name in dict.fromkeys(names):
        try:
            ids.append(issues.get(viewer, name[:100], zone=zone).detail.row.id)
        except NotFound:
            raise BadInput("issues", "unknown", value=name[:40]) from None
    found = visits.targets(viewer, tuple(ids))
    if missing := [one for one in ids if one not in found]:
        raise BadInput("issues", "unknown", value=str(missing[0]))
    return [found[one] for one in ids]


def _show(detail: VisitDetail, *, status: int = 200, refused: str = "") -> Response:
    visit = detail.visit
    config = {"id": str(visit.id), "version": visit.version, "state": visit.state, "draft": drafts.draft_of(detail),
              "route": drafts.way(visit.route)}  # fmt: skip
    done = request.args.get("done", "")
    said = page.say(f"visit.done.{done}") if done in set(Step) else ""
    return _page(config, list(detail.stops), detail=detail, status=status, refused=refused, said=said)


def _page(
    visit: dict[str, Any],
    stops: list[Target] | list[StopRow],
    *,
    detail: VisitDetail | None = None,
    status: int = 200,
    refused: str = "",
    said: str = "",
) -> Response:
    found = page.choices()
    context = public.map_context(found, _around(found, stops))
    state = VisitState(visit["state"])
    context["config"]["visit"] = visit | {
        "csrf": gate.csrf_token(),
        "editable": visiting.is_open(state),
        "issues": {str(one.issue.id): drafts.issue(one) for one in stops},
        "most": visiting.MOST_STOPS,
    }
    return page.render(
        "visit.html",
        found,
        status=status,
        visit=detail and _line(detail.visit),
        stops=[_stop(one) for one in detail.stops] if detail else [],
        guests=drafts.draft_of(detail)["guests"] if detail else [],
        editable=visiting.is_open(state),
        steps=[step for step, (origins, _) in visiting.STEPS.items() if detail and state in origins],
        refused=refused,
        said=said,
        **context,
    )


def _around(found: Choices, stops: list[Target] | list[StopRow]) -> Box:
    if not stops:
        return found.home
    lons, lats = [one.issue.lon for one in stops], [one.issue.lat for one in stops]
    return Box(min(lons) - AROUND_DEG, min(lats) - AROUND_DEG, max(lons) + AROUND_DEG, max(lats) + AROUND_DEG)


def _line(row: VisitRow) -> dict[str, Any]:
    """A visit as lists and the head of its page show it."""
    names = {choice.code: choice.name.say(page.lang()) for choice in page.choices().communities}
    return {
        "id": str(row.id),
        "title": row.title,
        "url": page.url(f"/field/visits/{row.id}"),
        "day": row.on_day.isoformat(),
        "at": row.starts_at.strftime("%H:%M"),
        "state": row.state,
        "state_name": page.say(f"visit.state.{row.state}"),
        "mode_name": page.say(f"visit.mode.{row.mode}"),
        "stops": row.stops,
        "km": f"{row.length_m / 1000:.1f}",
        "minutes": row.minutes_total,
        "person": row.person_name,
        "communities": [names.get(code, code) for code in row.communities],
        "version": row.version,
        "summary": row.summary,
        "synthetic": row.synthetic,
        "basis": drafts.basis(row.basis, row.detour_factor),
        "ended_at": row.ended_at and page.minute(row.ended_at),
    }


def _stop(stop: StopRow) -> dict[str, Any]:
    """A stop as the page tells it without a script."""
    zone = page.settings().zone
    left = visiting.LeftOut(stop.issue.id, stop.left_out, stop.left_params)
    return drafts.issue(stop) | {
        "seq": stop.seq,
        "arrives": stop.arrives_at and stop.arrives_at.astimezone(zone).strftime("%H:%M"),
        "leaves": stop.leaves_at and stop.leaves_at.astimezone(zone).strftime("%H:%M"),
        "leg_m": round(stop.leg_m or 0),
        "why": drafts.why(left, {}) if stop.left_out else "",
    }


def _after(text: str) -> tuple[date, UUID]:
    day, _, last = text.partition("_")
    try:
        return date.fromisoformat(day), UUID(last)
    except ValueError:
        raise BadInput("after", "token") from None
