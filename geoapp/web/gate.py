"""Who asks: the cookie of a session, and what every change must prove to come from our own pages.

A change needs the same origin (as the browser says it) and a token that only our pages know. The token is
derived from the cookie, so there is no secret to keep. A program with a ``Bearer`` token uses no
cookie and needs neither.
"""

import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request

from geoapp.domain.abuse import Sender
from geoapp.domain.values import ANONYMOUS, Viewer
from geoapp.errors import NotSignedIn, NotYours
from geoapp.services import accounts, keys
from geoapp.services.reports import Limits

COOKIE, BEFORE = "geoapp", "geoapp-before"
"""Names of the session's cookie, and of the one that stands in for it on the page that signs in."""
PERSONAL = {"text/html", "application/json", "application/geo+json", "text/csv"}
BEARER = "Bearer "
SAFE = {"GET", "HEAD", "OPTIONS"}
OWN_KEY = {
    "notices.leave", "own.correct", "own.remark", "own.photo", "own.withdraw", "own.rate", "own.erase",
}  # fmt: skip
"""Doors whose address holds a key of its own, which nobody has who may not use it."""


def install(app: Flask) -> None:
    app.before_request(guard)
    app.after_request(leave_nothing_behind)


def viewer() -> Viewer:
    """Who asks, by the key of a program or by the cookie; without either nothing is looked up."""
    if "viewer" not in g and _is_program():
        # Whatever comes of it, the page that tells of a wrong key must not look it up again.
        g.viewer = ANONYMOUS
        key = request.headers["Authorization"].removeprefix(BEARER).strip()[:200]
        g.viewer = keys.viewer_of(key, address=request.remote_addr or "", now=datetime.now(UTC))
    elif "viewer" not in g:
        held = token()
        g.viewer = accounts.viewer_of(held, now=datetime.now(UTC)) if held else ANONYMOUS
    return g.viewer  # type: ignore[no-any-return]


def limits() -> Limits:
    """Who sends, as far as floods of reports are counted: the network, and the mark that a phone gives itself."""
    device = request.headers.get("Device", "")[:100]
    per_hour = current_app.config["GEOAPP"].reports_per_hour
    return Limits(Sender(accounts.network(request.remote_addr or ""), device), per_hour)


def staff() -> Viewer:
    """Who asks, when that is somebody with work to do here; raises NotSignedIn or NotYours."""
    asking = viewer()
    if asking.person is None:
        raise NotSignedIn("desk")
    if asking.is_public:
        raise NotYours("not_yours", "action")
    if current_app.config["GEOAPP"].staff_codes == "required" and not keys.is_enrolled(asking.person):
        raise NotYours("codes_needed", "code")
    return asking


def signed_in() -> Viewer:
    """Who asks, when it is somebody; raises NotSignedIn."""
    asking = viewer()
    if asking.person is None:
        raise NotSignedIn("desk")
    return asking


def token() -> str:
    """The token of the session that the request carries; empty without one, and for the API, which knows no cookies."""
    if _is_program() or _for_programs():
        return ""
    return request.cookies.get(_named(COOKIE), "")[:200]


def csrf_token() -> str:
    """What a form of ours carries and nobody else can know."""
    held = token() or request.cookies.get(_named(BEFORE), "") or _fresh()
    return hmac.new(held.encode(), b"form", hashlib.sha256).hexdigest()


def guard() -> None:
    """Refuse a change that does not come from a page of ours."""
    if request.method in SAFE or _is_program() or _for_programs():
        return
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    foreign = site not in {"same-origin", "none"} or (origin is not None and not _ours(origin))
    sent = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    if request.endpoint in OWN_KEY and not foreign:
        return
    if foreign or not hmac.compare_digest(sent.encode(), csrf_token().encode()):
        raise NotYours("not_our_page", "csrf_token")


def remember(response: Response, held: str) -> Response:
    """Put a new session into the cookie."""
    _set(response, COOKIE, held, longest=int(accounts.LONGEST_SESSION.total_seconds()))
    response.delete_cookie(_named(BEFORE), path="/", secure=request.is_secure, httponly=True, samesite="Lax")
    return response


def keep(response: Response, name: str, value: str, *, longest: int) -> Response:
    """Give the browser something to hold for a while that no script can read."""
    _set(response, name, value, longest=longest)
    return response


def kept(name: str) -> str:
    return request.cookies.get(_named(name), "")[:200]


def drop(response: Response, name: str) -> Response:
    response.delete_cookie(_named(name), path="/", secure=request.is_secure, httponly=True, samesite="Lax")
    return response


def forget(response: Response) -> Response:
    response.delete_cookie(_named(COOKIE), path="/", secure=request.is_secure, httponly=True, samesite="Lax")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def leave_nothing_behind(response: Response) -> Response:
    """What was made for somebody stays out of every cache; and the page that signs in gets its cookie."""
    if fresh := g.pop("before", None):
        _set(response, BEFORE, fresh, longest=3600)
    if (token() or _is_program()) and response.mimetype in PERSONAL:
        response.headers["Cache-Control"] = "private, no-store"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


def local(address: str | None) -> str:
    """A path of ours to go on to; the desk for everything that could lead elsewhere."""
    plain = address or ""
    sound = plain.startswith("/") and plain[1:2] not in {"/", "\\"} and plain.isprintable() and "\\" not in plain
    return plain if sound and not urlsplit(plain).netloc else "/desk"


def _is_program() -> bool:
    # Not any authorization: browsers send a Basic one again by themselves.
    return request.headers.get("Authorization", "").startswith(BEARER)


def _for_programs() -> bool:
    # Nothing that a browser sends by itself is believed there, so no other page can use it.
    return request.path.startswith("/api/")


def _ours(origin: str) -> bool:
    return urlsplit(origin).netloc == request.host


def _fresh() -> str:
    if "before" not in g:
        g.before = secrets.token_urlsafe(32)
    return str(g.before)


def _named(name: str) -> str:
    # The prefix binds a cookie to this very host, but browsers take it only over HTTPS.
    return f"__Host-{name}" if request.is_secure else name


def _set(response: Response, name: str, value: str, *, longest: int) -> None:
    response.set_cookie(
        _named(name), value, max_age=longest, path="/", secure=request.is_secure, httponly=True, samesite="Lax"
    )
