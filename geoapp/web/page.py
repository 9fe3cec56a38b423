"""What every page shares: language, addresses, the nonce, versioned files and the security headers."""

import hashlib
import mimetypes
import re
import secrets
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, abort, current_app, g, redirect, render_template, request, send_from_directory

from geoapp import words
from geoapp.catalog import Layer
from geoapp.config import Settings, shipped
from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.values import ANONYMOUS
from geoapp.services import places
from geoapp.services.categories import Checklists
from geoapp.services.clocks import WorkCalendar
from geoapp.services.places import Choices
from geoapp.web import gate, scripts, still

blueprint = Blueprint("page", __name__)
FORMS = {"sign_in.html", "sign_in_code.html", "follow.html", "following.html", "report.html"}
"""Pages with a form for whoever has not signed in."""
FORMS_WITH_MAIL = {"issue.html"}
"""Those that have one where mail is offered."""
FAR_FUTURE_S = 365 * 24 * 3600


def settings() -> Settings:
    return current_app.config["GEOAPP"]  # type: ignore[no-any-return]


def all_layers() -> tuple[Layer, ...]:
    return current_app.config["LAYERS"]  # type: ignore[no-any-return]


def calendar() -> WorkCalendar:
    return current_app.config["CALENDAR"]  # type: ignore[no-any-return]


def checklists() -> Checklists:
    return current_app.config["CHECKLISTS"]  # type: ignore[no-any-return]


def now() -> datetime:
    return datetime.now(settings().zone)


def today() -> date:
    return now().date()


def minute(instant: datetime) -> str:
    """An instant as pages show it, in the zone of the settings."""
    return instant.astimezone(settings().zone).strftime("%Y-%m-%d %H:%M")


def lang() -> str:
    """The page's language: what the link says, else what the browser prefers, else the setting."""
    asked = request.args.get("lang", "")
    if asked in words.LANGS:
        return asked
    return request.accept_languages.best_match(words.LANGS) or settings().lang


def say(key: str, **params: Any) -> str:
    return words.say(lang(), key, **params)


def say_or(key: str, other: str) -> str:
    """The word of ``key``, or ``other`` where there is none."""
    return say(key) if key in words.catalogue() else other


def url(path: str, **query: Any) -> str:
    """An address of ours that keeps the language, without empty parameters."""
    asked = {"lang": request.args.get("lang")} if request.args.get("lang") in words.LANGS else {}
    kept = {key: value for key, value in (query | asked).items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path


def choices() -> Choices:
    return places.choices(ANONYMOUS, today=today())


def known_codes(found: Choices | None = None) -> dict[str, set[str]]:
    """What a filter may name, by the field's name."""
    found = found or choices()
    return {
        "category": {row.code for row in found.categories},
        "community": {choice.code for choice in found.communities},
        "unit": {choice.code for choice in found.units},
    }


def render(template: str, found: Choices, *, status: int = 200, **context: Any) -> Response:
    """A page with all that base.html needs."""
    tongue = lang()
    other = "en" if tongue == "zh" else "zh"
    args = {**request.args.to_dict(), "lang": other}
    district = found.district.say(tongue) if found.district else ""
    viewer = gate.viewer()
    html = render_template(
        template,
        lang=tongue,
        say=say,
        url=url,
        nonce=nonce(),
        asset=asset,
        vendor=vendor,
        importmap=scripts.importmap(),
        start_of=scripts.start_of,
        needed=scripts.needed,
        entry=scripts.entry,
        static_address=static_address,
        title=site_title(district),
        status=status,
        place_name=district,
        other_lang_url=f"{request.path}?{urlencode(args)}",
        review_no=settings().map_review_no,
        synthetic=found.synthetic,
        viewer_name=viewer.name,
        is_staff=not viewer.is_public,
        is_surveyor=may_anywhere(viewer, Right.VISIT),
        may_analyse=may_anywhere(viewer, Right.ANALYSE),
        offers_mail=settings().offers_mail,
        csrf_token=gate.csrf_token() if viewer.person or _has_form(template) else "",
        **context,
    )
    response = Response(html, status=status, mimetype="text/html")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Accept-Language, Cookie"
    return response


def _has_form(template: str) -> bool:
    return template in FORMS or (template in FORMS_WITH_MAIL and settings().offers_mail)


def go(address: str) -> Response:
    """To another page of ours, after something was done."""
    return cast("Response", redirect(address, 303))


def site_title(district: str) -> str:
    own = settings().title_en if lang() == "en" else settings().title_zh
    return own or (say("site.title", district=district) if district else say("site.title_plain"))


def nonce() -> str:
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def secure(response: Response) -> Response:
    """Headers of every answer: nothing from elsewhere, nothing inline without this answer's nonce."""
    images = "'self' data:"
    base = urlsplit(settings().basemap)
    if base.scheme in {"http", "https"}:
        images += f" {base.scheme}://{base.netloc.replace('{s}', '*')}"
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce()}'; style-src 'self'; img-src {images}; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; object-src 'none'; "
        f"base-uri 'none'; form-action 'self'; frame-ancestors {_ancestors()}"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "geolocation=(self), camera=(), microphone=()"
    return response


def _ancestors() -> str:
    """Who may show this answer in a frame: for the map that is made for it, the sites of the settings."""
    if request.endpoint != "outside.embed":
        return "'none'"
    return " ".join(["'self'", *settings().embed_ancestors.split()])


# --- our own files, versioned by their content so that a browser may keep them for ever ---


@cache
def version() -> str:
    digest = hashlib.sha256()
    for file in sorted(static_folder().glob("*/*")):
        if file.is_file() and file.parent.name in {"js", "css", "img"}:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def static_folder() -> Path:
    return shipped("static")


def asset(path: str) -> str:
    return f"/static/{version()}/{path}"


def static_address(path: str) -> str:
    """The address of a file below ``static``, of ours or of a library."""
    return f"/static/{path}" if path.startswith("vendor/") else asset(path)


def vendor(name: str, path: str) -> str:
    return f"/static/{scripts.vendored(name, path)}"


@blueprint.get("/static/<path:path>")
def static(path: str) -> Response:
    first, _, rest = path.partition("/")
    if first != "vendor" and re.fullmatch(r"[0-9a-f]{12}", first):
        path = rest
    if path.split("/")[0] not in {"js", "css", "img", "vendor"}:
        abort(404)
    accepted = [name for name in still.FORMS if request.accept_encodings[name]]
    form = still.form_of(settings().still_dir, path, accepted)
    if form is None:
        return send_from_directory(static_folder(), path, max_age=FAR_FUTURE_S)
    kind = mimetypes.guess_type(path)[0]
    response = send_from_directory(settings().still_dir, form[1], max_age=FAR_FUTURE_S, mimetype=kind)
    response.headers["Content-Encoding"] = form[0]
    response.vary.add("Accept-Encoding")
    return response
