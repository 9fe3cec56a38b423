"""Reporting as residents do it: a page with steps, the same form without scripts, and what works without a line."""

import json
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from werkzeug.datastructures import MultiDict

from geoapp.domain import reports as rules
from geoapp.domain.reports import Reporter, Submission
from geoapp.domain.values import ANONYMOUS, PlacedBy, Point, Privacy
from geoapp.errors import BadInput, Refused, TooMany, status_of
from geoapp.services import own, photos, places, reports
from geoapp.web import base, errors, gate, page, params, public, scripts, shapes
from geoapp.words import LANGS

blueprint = Blueprint("reporting", __name__)


@blueprint.get("/report")
def form() -> Response:
    return _form()


@blueprint.post("/report")
def send() -> Response:
    """The form of a browser without scripts: one page, one photo; leads to the private page of the report."""
    sent = request.form
    try:
        given = request.files.get("photo")
        raw = given.read() if given else b""
        told = _submission(sent, raw)
        done = reports.submit(
            ANONYMOUS, told, prefix=page.settings().number_prefix, now=page.now(), calendar=page.calendar(),
            limits=gate.limits(),
        )  # fmt: skip
        if raw:
            own.add_photo(
                done.issue, done.id, told.reporter.key, raw, id=_id("photo_id"), caption="",
                folder=page.settings().photos_dir, now=page.now(), zone=page.settings().zone,
            )  # fmt: skip
    except (BadInput, Refused) as refusal:
        response = _form(status=status_of(refusal), refused=errors.sentence(refusal), typed=sent)
        if isinstance(refusal, TooMany):
            response.headers["Retry-After"] = str(refusal.seconds)
        return response
    return page.go(page.url(f"/mine/{done.issue}/{done.id}/{told.reporter.key}"))


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    """What a phone needs to keep the page among its apps."""
    found = page.choices()
    title = page.site_title(found.district.say(page.lang()) if found.district else "")
    icon = {"src": page.asset("img/icon.svg"), "sizes": "any", "type": "image/svg+xml"}
    told = {
        "name": title,
        "short_name": page.say("report.short_name"),
        "lang": "zh-CN" if page.lang() == "zh" else "en",
        "start_url": page.url("/report", lang=page.lang()),
        "scope": "/",
        "display": "standalone",
        "background_color": "#fbfaf7",
        "theme_color": "#fbfaf7",
        "icons": [icon, icon | {"purpose": "maskable"}],
    }
    return Response(json.dumps(told, ensure_ascii=False), mimetype="application/manifest+json")


@blueprint.get("/sw.js")
def worker() -> Response:
    """The service worker: what it keeps is named by content, so a new version of ours is a new worker."""
    text = render_template(
        "sw.js",
        version=page.version(),
        outbox=page.asset("js/outbox.js"),
        fieldbox=page.asset("js/fieldbox.js"),
        keep=json.dumps(
            {
                "pages": [f"{path}?lang={lang}" for path in ("/report", "/", "/field/shell") for lang in LANGS],
                "files": _files(),
                "name": f"geoapp-{page.version()}",
            }
        ),
    )
    response = Response(text, mimetype="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


def _files() -> list[str]:
    """All that the pages for reporting and for the field are made of."""
    styles = [f"css/{file.name}" for file in sorted((page.static_folder() / "css").glob("*.css"))]
    ours = [page.static_address(path) for path in (*scripts.everything(), *styles, "img/icon.svg")]
    vendored = [page.vendor("leaflet", name) for name in ("leaflet.js", "leaflet.css")]
    modules = [page.vendor("exifr", "lite.esm.js"), page.vendor("pmtiles", "pmtiles.js")]
    if (ground := base.description(page.settings())) and ground["kind"] == "pmtiles":
        modules.append(page.vendor("protomaps-leaflet", "protomaps-leaflet.js"))
    return list(dict.fromkeys([*ours, *vendored, *modules]))


def _form(*, status: int = 200, refused: str = "", typed: MultiDict[str, str] | None = None) -> Response:
    found = page.choices()
    now = page.now()
    asked = typed if typed is not None else request.args
    context = public.map_context(found, found.home)
    context["config"]["keepDays"] = page.settings().keep_reporters_days
    return page.render(
        "report.html",
        found,
        status=status,
        choices=shapes.choices(found),
        typed=asked,
        fresh={"id": asked.get("id") or rules.fresh_id(now), "key": asked.get("key") or rules.fresh_key(),
               "photo_id": rules.fresh_id(now)},
        refused=refused,
        keep_days=page.settings().keep_reporters_days,
        **context,
    )  # fmt: skip


def _submission(sent: MultiDict[str, str], raw: bytes) -> Submission:
    point, placed_by, accuracy = _place(sent, raw)
    category = params.code(sent, "category")
    if category is None:
        raise BadInput("category", "missing")
    return Submission(
        id=_id("id"),
        category=category,
        point=point,
        reporter=Reporter(
            key=sent.get("key", ""), name=sent.get("name", "").strip(), contact=sent.get("contact", "").strip(),
            lang=page.lang(),
        ),
        placed_by=placed_by,
        title=sent.get("title", "").strip(),
        text=sent.get("text", "").replace("\r\n", "\n").strip(),
        address=sent.get("address", "").strip(),
        accuracy_m=accuracy,
        privacy=Privacy.PRIVATE if sent.get("private") else None,
    )  # fmt: skip


def _place(sent: MultiDict[str, str], raw: bytes) -> tuple[Point, PlacedBy, float | None]:
    """Where it is: as the form says, else where the photo was taken, else somewhere in the community that was named."""
    if sent.get("lat", "").strip() or sent.get("lon", "").strip():
        return params.point(sent), PlacedBy.PIN, None
    if raw and (taken := photos.look(page.settings().photos_dir, raw)):
        return taken, PlacedBy.EXIF, None
    if (code := params.code(sent, "community")) is None:
        raise BadInput("community", "missing")
    middle = places.middle(ANONYMOUS, code, day=page.today())
    return middle.centre, PlacedBy.ADDRESS, middle.radius_m


def _id(name: str) -> UUID:
    try:
        return UUID(request.form.get(name, ""))
    except ValueError:
        raise BadInput(name, "uuid") from None
