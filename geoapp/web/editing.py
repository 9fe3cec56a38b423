"""Changing an issue at the desk: its words and facts, its costs, what the public may read; and filters kept."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from geoapp.domain.editing import Cost, Facts
from geoapp.domain.values import SEVERITIES, Point, Privacy
from geoapp.errors import BadInput, Conflict, NotFound, Refused
from geoapp.services import editing, saved
from geoapp.services.triage import Receipt
from geoapp.web import desk, errors, gate, page, params

blueprint = Blueprint("editing", __name__, url_prefix="/desk")


@blueprint.post("/issues/<number>/facts")
def facts(number: str) -> Response:
    viewer = gate.staff()
    return _changed(
        number,
        "edit",
        lambda version: editing.edit(
            viewer, number, _facts(request.form), version=version, now=page.now(), calendar=page.calendar()
        ),
    )


@blueprint.post("/issues/<number>/cost")
def cost(number: str) -> Response:
    viewer = gate.staff()
    return _changed(
        number,
        "cost",
        lambda version: editing.enter_cost(
            viewer, number, cost_of(request.form), version=version, now=page.now(), zone=page.settings().zone
        ),
    )


@blueprint.post("/issues/<number>/words/<change>")
def release(number: str, change: str) -> Response:
    """Let the public read the words (``release``), or take them back (``withdraw``)."""
    viewer = gate.staff()
    if change not in {"release", "withdraw"}:
        raise NotFound("change", change[:40])
    return _changed(
        number,
        "release",
        lambda version: editing.release(
            viewer, number, released=change == "release", version=version, now=page.now(), zone=page.settings().zone
        ),
    )


@blueprint.post("/filters")
def keep_filter() -> Response:
    """Keep the filter that the desk shows, under a name."""
    viewer, form = gate.staff(), request.form
    kept = params.active(MultiDict((name, value) for name, value in form.items() if name in params.FILTERS))
    inside = {"in": desk.ALL} if form.get("in") == desk.ALL else {}
    saved.keep(viewer, form.get("name", ""), urlencode(inside | kept), id=_id(form.get("id", "")))
    return page.go(page.url("/desk", **inside, **kept))


@blueprint.post("/filters/<uuid:kept>/forget")
def forget_filter(kept: UUID) -> Response:
    saved.forget(gate.staff(), kept)
    return page.go(page.url("/desk"))


def _changed(number: str, opened: str, change: Callable[[int | None], Receipt]) -> Response:
    try:
        done = change(params.version(request.form.get("version")))
    except Conflict as late:
        return desk.show(gate.staff(), late.params["number"], late, refused=page.say("desk.changed"), opened=opened)
    except (Refused, BadInput) as refusal:
        return desk.show(gate.staff(), number, refusal, refused=errors.sentence(refusal), opened=opened)
    return page.go(page.url(f"/desk/issues/{done.number}", done=opened))


def _facts(form: MultiDict[str, str]) -> Facts:
    def told(name: str) -> str | None:
        return form[name].replace("\r\n", "\n").strip() if name in form else None

    severity, privacy, place = told("severity"), told("privacy"), told("place")
    if privacy and privacy not in set(Privacy):
        raise BadInput("privacy", "one_of", value=privacy[:40], choices=", ".join(Privacy))
    return Facts(
        title=told("title"),
        text=told("text"),
        address=told("address"),
        category=told("category") or None,
        severity=params.whole(form, "severity", 0, low=SEVERITIES[0], high=SEVERITIES[-1]) if severity else None,
        privacy=Privacy(privacy) if privacy else None,
        point=_point(place) if place else None,
    )


def _point(place: str) -> Point:
    lat, _, lon = place.partition(",")
    return params.point(MultiDict({"lat": lat, "lon": lon}))


def cost_of(form: MultiDict[str, str]) -> Cost:
    def amount(name: str) -> Decimal | None:
        typed = form.get(name, "").replace(",", "").replace("，", "").strip()
        try:
            return round(Decimal(typed), 2) if typed else None
        except InvalidOperation:
            raise BadInput(name, "number") from None

    return Cost(amount("planned"), amount("spent"), form.get("fund", "").strip())


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise BadInput("id", "uuid") from None
