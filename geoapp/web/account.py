"""Signing in and out, and one's own account: roles, sessions, password, one-time codes, keys."""

import re
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

import segno
from flask import Blueprint, Response, request

from geoapp.domain.values import Viewer
from geoapp.errors import BadInput, GeoAppError, NotFound, NotSignedIn, TooMany, WrongCode, WrongLogin, status_of
from geoapp.services import accounts, contacts, keys
from geoapp.web import errors, gate, notices, page, params

blueprint = Blueprint("account", __name__)
DONE = {"password": "account.password_changed", "notices": "own_notices.saved"}


@blueprint.get("/sign-in")
def sign_in_page() -> Response:
    return sign_in_form()


@blueprint.post("/sign-in")
def sign_in() -> Response:
    form = request.form
    try:
        done = accounts.sign_in(
            form.get("login", ""),
            form.get("password", ""),
            address=request.remote_addr or "",
            browser=request.user_agent.string,
            now=page.now(),
        )
    except (WrongLogin, TooMany) as refusal:
        return _patient(sign_in_form(status=status_of(refusal), refused=errors.sentence(refusal)), refusal)
    onward = gate.local(form.get("next"))
    return gate.remember(page.go(page.url("/sign-in/code", next=onward) if done.half else onward), done.token)


@blueprint.get("/sign-in/code")
def code_page() -> Response:
    return _code_page()


@blueprint.post("/sign-in/code")
def give_code() -> Response:
    """The one-time code after the password."""
    try:
        fresh = keys.finish_sign_in(
            gate.token(), request.form.get("code", "")[:40], browser=request.user_agent.string, now=page.now()
        )
    except (WrongCode, TooMany) as refusal:
        return _patient(_code_page(status=status_of(refusal), refused=errors.sentence(refusal)), refusal)
    return gate.remember(page.go(gate.local(request.form.get("next"))), fresh)


@blueprint.post("/sign-out")
def sign_out() -> Response:
    if held := gate.token():
        accounts.sign_out(held)
    return gate.forget(page.go("/"))


@blueprint.get("/account")
def own() -> Response:
    return _own()


@blueprint.post("/account/password")
def change_password() -> Response:
    viewer = _signed_in()
    try:
        accounts.change_own_password(
            viewer, request.form.get("old", ""), request.form.get("new", ""), token=gate.token()
        )
    except (WrongLogin, BadInput) as refusal:
        return _own(status=status_of(refusal), refused=errors.sentence(refusal))
    return page.go(page.url("/account", done="password"))


@blueprint.post("/account/notices")
def choose_notices() -> Response:
    viewer, form = _signed_in(), request.form
    try:
        contacts.choose(viewer, form.get("email", ""), lang=form.get("lang", ""), wish=form.get("wish", ""))
    except BadInput as refusal:
        return _own(status=status_of(refusal), refused=errors.sentence(refusal))
    return page.go(page.url("/account", done="notices"))


@blueprint.post("/account/sessions/<mark>")
def end_session(mark: str) -> Response:
    accounts.end_session(_signed_in(), mark)
    return page.go(page.url("/account"))


@blueprint.post("/account/codes/<step>")
def codes(step: str) -> Response:
    """Begin, confirm or drop one-time codes; what is told once is on the answer itself."""
    viewer, form = _signed_in(), request.form
    told: tuple[str, ...] = ()
    try:
        if step == "begin":
            keys.propose(viewer)
        elif step == "confirm":
            told = keys.confirm(viewer, form.get("code", "")[:40], token=gate.token(), now=page.now())
        elif step == "drop":
            keys.drop(viewer, form.get("old", ""), form.get("code", "")[:40], now=page.now())
        else:
            raise NotFound("step", step[:40])
    except (WrongLogin, WrongCode, TooMany, BadInput) as refusal:
        return _patient(_own(status=status_of(refusal), refused=errors.sentence(refusal)), refusal)
    return _own(recovery_codes=told) if told else page.go(page.url("/account") + "#codes")


@blueprint.post("/account/keys")
def make_key() -> Response:
    """Make a key for a program; it is told once, on the answer itself."""
    viewer = _signed_in()
    try:
        last = params.day(request.form, "expires")
        ends = datetime.combine(last + timedelta(days=1), time.min, page.settings().zone) if last else None
        made = keys.make(viewer, request.form.get("name", ""), now=page.now(), expires=ends)
    except BadInput as refusal:
        return _own(status=status_of(refusal), refused=errors.sentence(refusal))
    return _own(new_key=made)


@blueprint.post("/account/keys/<uuid:key>")
def revoke_key(key: UUID) -> Response:
    keys.revoke(_signed_in(), key)
    return page.go(page.url("/account") + "#keys")


def _patient(response: Response, refusal: GeoAppError) -> Response:
    if isinstance(refusal, TooMany):
        response.headers["Retry-After"] = str(refusal.seconds)
    return response


def _code_page(*, status: int = 200, refused: str = "") -> Response:
    return page.render(
        "sign_in_code.html", page.choices(), status=status, refused=refused, next=gate.local(request.values.get("next"))
    )


def sign_in_form(*, status: int = 200, refused: str = "") -> Response:
    return page.render(
        "sign_in.html",
        page.choices(),
        status=status,
        refused=refused,
        next=gate.local(request.values.get("next")),
        login=request.form.get("login", "")[:64],
        provider=page.settings().oidc_name if page.settings().oidc_issuer else "",
    )


def _own(*, status: int = 200, refused: str = "", new_key: str = "", recovery_codes: tuple[str, ...] = ()) -> Response:
    viewer = _signed_in()
    found = page.choices()
    district = found.district.say(page.lang()) if found.district else ""
    beyond = keys.own(viewer, issuer=page.site_title(district))
    grants, sessions = accounts.own(viewer, now=page.now())
    tongue, zone = page.lang(), page.settings().zone
    return page.render(
        "account.html",
        found,
        status=status,
        refused=refused,
        said=page.say(DONE[done]) if (done := request.args.get("done", "")) in DONE else "",
        mail=notices.card(viewer),
        new_key=new_key,
        recovery_codes=recovery_codes,
        codes_on=beyond.codes_on,
        recovery_codes_left=beyond.recovery_codes_left,
        secret=beyond.proposal and " ".join(re.findall(".{1,4}", beyond.proposal.secret)),
        qr=beyond.proposal and _picture(beyond.proposal.address),
        keys=[
            {"id": str(row.id), "name": row.name, "used": _day(row.used_at), "expires": _day(row.expires_at, less=1)}
            for row in beyond.keys
        ],
        grants=[
            {
                "role": page.say(f"role.{row.role}"),
                "where": row.unit_name.say(tongue) or row.place_name.say(tongue) or page.say("account.everywhere"),
            }
            for row in grants
        ],
        sessions=[
            {"mark": row.mark, "seen": row.seen_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"), "browser": row.browser}
            for row in sessions
        ],
    )


def _picture(address: str) -> dict[str, Any]:
    """A QR code of whole pixels, dark on white with its margin whatever the colours of the page."""
    code = segno.make(address, error="l")
    look: dict[str, Any] = {"scale": 4, "border": 4}
    return {"src": code.svg_data_uri(light="#fff", **look), "side": code.symbol_size(**look)[0]}


def _day(at: datetime | None, *, less: int = 0) -> str:
    """The day of an instant; of the end of a key the last day on which it holds."""
    return (at.astimezone(page.settings().zone) - timedelta(days=less)).date().isoformat() if at else ""


def _signed_in() -> Viewer:
    viewer = gate.viewer()
    if viewer.person is None:
        raise NotSignedIn("account")
    return viewer
