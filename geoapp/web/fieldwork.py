"""The field: the pack that a phone takes along, the page that works without a line, and what comes back from it.

The page itself (``/field/visits/<id>/go``) holds nothing of anybody: it is the same for all, so that a service worker
may keep it; what is private comes with the pack and is kept sealed by the page.
"""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from geoapp.domain.fieldwork import Kind
from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.values import ANONYMOUS, Viewer
from geoapp.errors import BadInput, Conflict, GeoAppError, NotYours, Refused, Unavailable, status_of
from geoapp.services import fieldmap, fieldwork, pack, visits
from geoapp.services.fieldmap import Ground
from geoapp.services.fieldwork import Answer, Recorded
from geoapp.web import errors, fieldshapes, gate, page, params, public, records
from geoapp.web.api import json_answer

blueprint = Blueprint("fieldwork", __name__, url_prefix="/field")
BATCH_BYTES, FORM_BYTES = 1 << 20, 256 * 1024
MOST_AT_ONCE = 50
PMTILES = "application/vnd.pmtiles"
SENDING = "fieldwork.send"


@blueprint.before_app_request
def let_records_in() -> None:
    """What comes back from the field is more than a form's worth of bytes."""
    if request.endpoint == SENDING:
        is_form = request.mimetype == "multipart/form-data"
        request.max_content_length = fieldwork.MAX_BYTES + FORM_BYTES if is_form else BATCH_BYTES


@blueprint.get("/visits/<uuid:visit>/go")
def go(visit: UUID) -> Response:
    """The page on the phone. Without a line the service worker answers with the same page, as it was kept."""
    visits.get(_visiting(), visit)
    return shell()


@blueprint.get("/shell")
def shell() -> Response:
    """The page without any visit: public, and the same for everybody."""
    found = page.choices()
    return page.render("field.html", found, **public.map_context(found, found.home, ground=False))


@blueprint.get("/line.json")
def line() -> Response:
    """Who the server takes the phone for, and what a change must carry."""
    viewer = _visiting()
    return _private(json_answer({"person": str(viewer.person), "name": viewer.name, "csrf": gate.csrf_token()}))


@blueprint.get("/visits/<uuid:visit>/pack.json")
def take(visit: UUID) -> Response:
    """All that the visit needs; with ``only=size`` just how much that is."""
    viewer, settings = _visiting(), page.settings()
    found = pack.gather(viewer, visit, folder=settings.photos_dir, now=page.now(), zone=settings.zone)
    told = fieldshapes.pack(viewer, found, _grounds(viewer, visit))
    if request.args.get("only") == "size":
        return _private(json_answer({"bytes": told["bytes"], "made_at": told["made_at"]}))
    return _private(json_answer(told))


@blueprint.get("/visits/<uuid:visit>/pack.pmtiles")
def take_map(visit: UUID) -> Response:
    """The ground under the visit: ``part=base`` cut from the base map, ``part=layers`` from our own layers."""
    grounds = _grounds(_visiting(), visit)
    part = request.args.get("part") or next(iter(grounds))
    if part not in grounds:
        raise BadInput("part", "one_of", value=part[:20], choices=", ".join(grounds))
    response = Response(grounds[part].body, mimetype=PMTILES)
    response.headers["Content-Disposition"] = 'attachment; filename="pack.pmtiles"'
    return _private(response)


@blueprint.post("/visits/<uuid:visit>/records")
def send(visit: UUID) -> Response:
    """Records from a phone: one with its photo as a form, or a batch as JSON; each is answered by itself."""
    viewer = _visiting()
    visits.get(viewer, visit)
    if request.mimetype == "multipart/form-data":
        given = request.files.get("photo")
        sent = _read(request.form.get("record", ""))
        return _private(json_answer({"answers": [_taken(viewer, visit, sent, given.read() if given else b"")]}))
    told = _read(request.get_data(as_text=True))
    batch = told.get("records") if isinstance(told, dict) and "records" in told else [told]
    if not isinstance(batch, list):
        raise BadInput("records", "list")
    if len(batch) > MOST_AT_ONCE:
        raise BadInput("records", "too_many", most=MOST_AT_ONCE)
    return _private(json_answer({"answers": [_taken(viewer, visit, one, None) for one in batch]}))


@blueprint.get("/visits/<uuid:visit>/records")
def show(visit: UUID) -> Response:
    """What came back from a visit, what is in conflict, and what is still to be done."""
    return _journal(_visiting(), visit)


@blueprint.get("/visits/<uuid:visit>/records.json")
def show_json(visit: UUID) -> Response:
    """The same for the phone: what waits for a decision."""
    found = fieldwork.journal(_visiting(), visit)
    return _private(json_answer({"conflicts": [fieldshapes.clash(one) for one in found.clashes]}))


@blueprint.post("/visits/<uuid:visit>/records/<uuid:issue>/<uuid:record>/<choice>")
def decide(visit: UUID, issue: UUID, record: UUID, choice: str) -> Response:
    """Decide a conflict: ``mine`` is applied, ``theirs`` stays; ``seq`` names what the decision was made from."""
    viewer = _visiting()
    sent = request.get_json() if request.is_json else request.form
    seq = params.version(str(sent.get("seq", "")) if isinstance(sent, dict) else "")

    def read(held: Recorded) -> fieldwork.What:
        return records.what(fieldshapes.told(held))

    try:
        done = fieldwork.decide(
            viewer, visit, issue, record, choice=choice, what=read, seq=seq, now=page.now(), calendar=page.calendar()
        )
    except (Conflict, Refused, BadInput) as refusal:
        if request.is_json:
            raise
        why = page.say("field.changed_again") if isinstance(refusal, Conflict) else errors.sentence(refusal)
        return _journal(viewer, visit, refused=why, status=status_of(refusal))
    if request.is_json:
        return _private(json_answer({"answers": [_told(done)]}))
    return page.go(page.url(f"/field/visits/{visit}/records", done=choice))


@blueprint.post("/visits/<uuid:visit>/follow-ups/<uuid:issue>/<uuid:finding>")
def tick(visit: UUID, issue: UUID, finding: UUID) -> Response:
    """A follow-up is done."""
    fieldwork.tick(_visiting(), visit, issue, finding, now=page.now(), calendar=page.calendar())
    return page.go(page.url(f"/field/visits/{visit}/records", done="followed"))


@blueprint.post("/visits/<uuid:visit>/home")
def come_home(visit: UUID) -> Response:
    """The end of a visit on the phone: each issue's history tells it. Ended twice is ended once."""
    viewer = _visiting()
    sent = request.get_json()
    summary = sent.get("summary", "") if isinstance(sent, dict) else ""
    if not isinstance(summary, str):
        raise BadInput("summary", "text")
    detail = visits.get(viewer, visit)
    if detail.visit.ended_at is None:
        told = fieldshapes.sentences(fieldwork.journal(viewer, visit))
        detail = visits.end(
            viewer, visit, version=detail.visit.version, now=page.now(), calendar=page.calendar(),
            summary=summary.strip(), findings=told,
        ).detail  # fmt: skip
    return _private(json_answer({"state": detail.visit.state, "ended_at": fieldshapes.instant(detail.visit.ended_at)}))


def _taken(viewer: Viewer, visit: UUID, sent: object, raw: bytes | None) -> dict[str, Any]:
    """One record and its answer: what is wrong with it does not hold up the others."""
    named = sent.get("id") if isinstance(sent, dict) else None
    settings = page.settings()

    def store() -> Answer:
        told = records.told(sent)
        if told.kind is Kind.PHOTO and raw is None:
            raise BadInput("photo", "photo_missing")
        return fieldwork.record(
            viewer, visit, told, records.what(told, raw), folder=settings.photos_dir, prefix=settings.number_prefix,
            now=page.now(), calendar=page.calendar(),
        )  # fmt: skip

    return _answered(store, str(named)[:40] if named else None)


def _answered(store: Callable[[], Answer], named: str | None) -> dict[str, Any]:
    try:
        return _told(store())
    except Unavailable:
        # Nobody's fault: the phone keeps it and comes again.
        raise
    except GeoAppError as error:
        field = error.field if isinstance(error, BadInput | Refused) else None
        return {
            "id": named, "outcome": "refused", "status": status_of(error), "code": error.code, "field": field,
            "message": errors.sentence(error),
        }  # fmt: skip


def _told(done: Answer) -> dict[str, Any]:
    outcome = "conflict" if done.fate == "conflict" else "already" if done.replayed else "stored"
    return {
        "id": str(done.id), "issue": str(done.issue), "number": done.number, "outcome": outcome, "fate": done.fate,
        "meanwhile": done.meanwhile,
    }  # fmt: skip


def _journal(viewer: Viewer, visit: UUID, *, refused: str = "", status: int = 200) -> Response:
    detail = visits.get(viewer, visit)
    found = fieldwork.journal(viewer, visit)
    done = request.args.get("done", "")
    return page.render(
        "fieldwork.html", page.choices(), status=status, refused=refused,
        said=page.say(f"field.done.{done}") if done in {"mine", "theirs", "followed"} else "",
        **fieldshapes.journal(detail, found),
    )  # fmt: skip


def _grounds(viewer: Viewer, visit: UUID) -> dict[str, Ground]:
    settings = page.settings()
    box = fieldmap.area(pack.places(viewer, visit))
    cut = fieldmap.base_map(settings.basemap, box, attribution=settings.basemap_attribution)
    own = fieldmap.own_layers(ANONYMOUS, page.all_layers(), box, today=page.today())
    return {**({"base": cut} if cut else {}), "layers": own}


def _visiting() -> Viewer:
    viewer = gate.staff()
    if not may_anywhere(viewer, Right.VISIT):
        raise NotYours("not_yours", "action")
    return viewer


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadInput("records", "json_object") from None


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    return response
