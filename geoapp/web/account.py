"""Signing in and out, and one's own account: roles, sessions, password."""

from flask import Blueprint, Response, request

from geoapp.domain.values import Viewer
from geoapp.errors import BadInput, NotSignedIn, TooMany, WrongLogin, status_of
from geoapp.services import accounts, contacts
from geoapp.web import errors, gate, notices, page

blueprint = Blueprint("account", __name__)
DONE = {"password": "account.password_changed", "notices": "own_notices.saved"}


@blueprint.get("/sign-in")
def sign_in_page() -> Response:
    return _sign_in_page()


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
        response = _sign_in_page(status=status_of(refusal), refused=errors.sentence(refusal))
        if isinstance(refusal, TooMany):
            response.headers["Retry-After"] = str(refusal.seconds)
        return response
    return gate.remember(page.go(gate.local(form.get("next"))), done.token)


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


def _sign_in_page(*, status: int = 200, refused: str = "") -> Response:
    return page.render(
        "sign_in.html",
        page.choices(),
        status=status,
        refused=refused,
        next=gate.local(request.values.get("next")),
        login=request.form.get("login", "")[:64],
    )


def _own(*, status: int = 200, refused: str = "") -> Response:
    viewer = _signed_in()
    grants, sessions = accounts.own(viewer, now=page.now())
    tongue, zone = page.lang(), page.settings().zone
    return page.render(
        "account.html",
        page.choices(),
        status=status,
        refused=refused,
        said=page.say(DONE[done]) if (done := request.args.get("done", "")) in DONE else "",
        mail=notices.card(viewer),
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


def _signed_in() -> Viewer:
    viewer = gate.viewer()
    if viewer.person is None:
        raise NotSignedIn("account")
    return viewer
