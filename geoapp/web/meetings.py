"""Joint meetings (联席会议): the list, and one meeting whose map is its agenda. Minutes have doors of their own."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from geoapp.domain.agenda import Decision, MeetingState
from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.reports import fresh_id
from geoapp.domain.values import Viewer
from geoapp.errors import BadInput, Conflict, GeoAppError, NotApplied, NotFound, NotYours, Refused, status_of
from geoapp.services import agendas, decisions, meetings
from geoapp.services.meetings import MeetingFacts, Whole
from geoapp.web import errors, gate, page, params, public
from geoapp.web.agendashapes import decision_of, item_shape, places_of, row_shape, suggestion_shape, typed_decision

blueprint = Blueprint("meetings", __name__, url_prefix="/meetings")
TAKE = 12
DONE = ("plan", "save", "keep", "close", "took")
CHANGES = ("decide", "undecide", "drop", "up", "down")


@blueprint.get("")
def listing() -> Response:
    return _list(gate.staff())


@blueprint.post("")
def plan() -> Response:
    viewer = _host()
    try:
        made = meetings.plan(viewer, _text("place"), _facts(), id=_id(), now=page.now())
    except (BadInput, NotYours) as refusal:
        return _list(viewer, refusal)
    return page.go(page.url(f"/meetings/{made}", done="plan"))


@blueprint.get("/<uuid:meeting>")
def show(meeting: UUID) -> Response:
    return _page(gate.staff(), meeting)


@blueprint.post("/<uuid:meeting>/facts")
def facts(meeting: UUID) -> Response:
    viewer = _host()
    try:
        meetings.change(viewer, meeting, _facts(), version=_version())
    except (BadInput, Refused, Conflict) as refusal:
        return _page(viewer, meeting, refusal)
    return page.go(page.url(f"/meetings/{meeting}", done="save"))


@blueprint.post("/<uuid:meeting>/begin")
def begin(meeting: UUID) -> Response:
    viewer = _host()
    try:
        meetings.begin(viewer, meeting, version=_version(), now=page.now())
    except (BadInput, Refused, Conflict) as refusal:
        return _page(viewer, meeting, refusal)
    return page.go(page.url(f"/meetings/{meeting}"))


@blueprint.post("/<uuid:meeting>/items")
def add(meeting: UUID) -> Response:
    """Put one issue on the agenda by its ``number``, or with ``most`` the first of what is suggested."""
    viewer = _host()
    try:
        if number := _text("number"):
            agendas.add(
                viewer, meeting, number, words=_added(viewer, meeting), version=_version(), now=page.now(),
                calendar=page.calendar(),
            )  # fmt: skip
            return page.go(page.url(f"/meetings/{meeting}", done="took", n=1) + f"#item-{number}")
        most = params.whole(request.form, "most", TAKE, low=1, high=agendas.MOST_ITEMS)
        taken = agendas.take_over(
            viewer, meeting, most=most, words=_added(viewer, meeting), version=_version(), now=page.now(),
            calendar=page.calendar(),
        )  # fmt: skip
    except (BadInput, Refused, Conflict) as refusal:
        return _page(viewer, meeting, refusal)
    return page.go(page.url(f"/meetings/{meeting}", done="took", n=taken))


@blueprint.post("/<uuid:meeting>/items/<number>/<change>")
def item(meeting: UUID, number: str, change: str) -> Response:
    """Decide about an item (``decide``), take that back (``undecide``), move it (``up``, ``down``) or ``drop`` it."""
    viewer = _host()
    if change not in CHANGES:
        raise NotFound("change", change[:40])
    try:
        if change in {"decide", "undecide"}:
            decision: Decision | None = decision_of(request.form) if change == "decide" else None
            decisions.decide(
                viewer, meeting, number, decision, version=_version(), now=page.now(), calendar=page.calendar()
            )
        elif change == "drop":
            agendas.drop(viewer, meeting, number, version=_version())
            return page.go(page.url(f"/meetings/{meeting}"))
        else:
            to = params.whole(request.form, "position", 1, low=0, high=1000) + (1 if change == "down" else -1)
            agendas.move(viewer, meeting, number, to=to, version=_version())
    except (BadInput, Refused, Conflict) as refusal:
        return _page(viewer, meeting, refusal, at=number)
    done = "keep" if change == "decide" else None
    return page.go(page.url(f"/meetings/{meeting}", done=done) + f"#item-{number}")


@blueprint.post("/<uuid:meeting>/rest")
def rest(meeting: UUID) -> Response:
    viewer = _host()
    try:
        words = page.say("meeting.rest_words")
        decisions.postpone_rest(viewer, meeting, words=words, version=_version(), now=page.now())
    except (BadInput, Refused, Conflict) as refusal:
        return _page(viewer, meeting, refusal)
    return page.go(page.url(f"/meetings/{meeting}"))


@blueprint.post("/<uuid:meeting>/close")
def close(meeting: UUID) -> Response:
    """Carry out every decision, or none: then each refusal is shown beside its item."""
    viewer = gate.staff()
    if not may_anywhere(viewer, Right.DECIDE):
        raise NotYours("not_yours", "action")
    try:
        closed = decisions.close(viewer, meeting, version=_version(), now=page.now(), calendar=page.calendar())
    except NotApplied as refusal:
        return _page(viewer, meeting, refusal, refusals=refusal.refusals)
    except (BadInput, Refused, Conflict) as refusal:
        return _page(viewer, meeting, refusal)
    return page.go(page.url(f"/meetings/{meeting}", done="close", n=closed.applied))


def _host() -> Viewer:
    """Who asks, when it is somebody who holds meetings somewhere."""
    viewer = gate.staff()
    if not may_anywhere(viewer, Right.MEET):
        raise NotYours("not_yours", "action")
    return viewer


def _list(viewer: Viewer, refusal: GeoAppError | None = None) -> Response:
    found = page.choices()
    rows = meetings.listed(viewer)
    grounds = meetings.places_for(viewer)
    context = public.map_context(found, found.home)
    return page.render(
        "meetings.html",
        found,
        status=status_of(refusal) if refusal else 200,
        refused=errors.sentence(refusal) if refusal else "",
        coming=[row_shape(one) for one in rows if one.state is not MeetingState.CLOSED][::-1],
        past=[row_shape(one) for one in rows if one.state is MeetingState.CLOSED],
        places=[{"code": one.code, "name": f"{one.name.say(page.lang())} · {page.say(f'place.{one.kind}')}"}
                for one in grounds],
        typed={name: request.form.get(name, "") for name in ("place", "title", "starts_at", "venue")},
        id=str(fresh_id(page.now())),
        **context,
    )  # fmt: skip


def _page(
    viewer: Viewer, meeting: UUID, refusal: GeoAppError | None = None, *, at: str = "",
    refusals: dict[str, Refused] | None = None,
) -> Response:  # fmt: skip
    """The meeting; after a refusal with the reason, at the item that it is about, and what was typed."""
    if isinstance(refusal, NotFound):
        raise refusal
    whole = meetings.get(viewer, meeting)
    row = whole.row
    may = row.may_change and row.state is not MeetingState.CLOSED
    suggestions = agendas.suggested(viewer, meeting, now=page.now(), calendar=page.calendar()) if may else []
    found = page.choices()
    reasons = {number: errors.sentence(one) for number, one in (refusals or {}).items()}
    said = _sentence(refusal) if refusal else ""
    items = [item_shape(one) | {"refused": reasons.get(one.row.number, "")} for one in whole.items]
    for one in items:
        if at and one["number"] == at:
            one |= {"refused": said, "open": True}
            if "outcome" in request.form:
                one["typed"] = typed_decision(request.form)
    context = public.map_context(found, whole.box or found.home)
    context["config"]["agenda"] = places_of(whole, suggestions)
    tongue = page.lang()
    return page.render(
        "meeting.html",
        found,
        status=status_of(refusal) if refusal else 200,
        refused="" if at and any(one["number"] == at for one in items) else said,
        said=_done(),
        meeting=row_shape(row),
        may_change=may,
        may_note=row.may_change,
        may_close=row.may_close and may,
        items=items,
        hidden_items=whole.hidden,
        suggestions=[suggestion_shape(one) for one in suggestions],
        take=min(TAKE, len(suggestions)),
        visits=_visits(whole),
        units=[{"code": unit.code, "name": unit.name.say(tongue)} for unit in found.units],
        **context,
    )


def _visits(whole: Whole) -> list[dict[str, Any]]:
    """The days on which the meeting wants somebody on site, each with its issues."""
    days: dict[str, list[str]] = {}
    for one in whole.items:
        decision = one.row.decision
        if decision and decision.visit_on:
            days.setdefault(decision.visit_on.isoformat(), []).append(one.row.number)
    return [
        {"words": page.say("meeting.plan_visit", day=day, n=len(numbers)),
         "url": page.url("/field/visits/new", issues=",".join(numbers), on_day=day)}
        for day, numbers in sorted(days.items())
    ]  # fmt: skip


def _done() -> str:
    done = request.args.get("done", "")
    if done not in DONE:
        return ""
    n = params.whole(request.args, "n", 0, low=0, high=1000)
    return page.say("meeting.took" if done == "took" else f"meeting.done_{done}", n=n)


def _sentence(refusal: GeoAppError) -> str:
    if isinstance(refusal, Conflict):
        return page.say("meeting.changed")
    if isinstance(refusal, NotApplied):
        return page.say("meeting.not_applied", n=len(refusal.refusals))
    return errors.sentence(refusal)


def _added(viewer: Viewer, meeting: UUID) -> str:
    """What the history says of an issue that goes to this meeting."""
    day = meetings.row(viewer, meeting).facts.starts_at.astimezone(page.settings().zone).date()
    return page.say("meeting.added_words", day=day.isoformat())


def _facts() -> MeetingFacts:
    return MeetingFacts(
        title=params.words(request.form, "title", most=1000),
        starts_at=_instant(_text("starts_at")),
        venue=params.words(request.form, "venue", most=1000),
        attendees=_lines("attendees"),
        minutes=_lines("minutes"),
    )


def _instant(text: str) -> datetime:
    if not text:
        raise BadInput("starts_at", "missing")
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("starts_at", "minute") from None
    if not 2000 <= found.year <= 2200 or found.tzinfo is not None:  # noqa: PLR2004 - no meeting is older or newer
        raise BadInput("starts_at", "minute")
    return found.replace(tzinfo=page.settings().zone)


def _text(name: str) -> str:
    return request.form.get(name, "").strip()[:200]


def _lines(name: str) -> str:
    return request.form.get(name, "").replace("\r\n", "\n").strip()


def _version() -> int | None:
    return params.version(request.form.get("version"))


def _id() -> UUID | None:
    try:
        return UUID(request.form.get("id", ""))
    except ValueError:
        return None
