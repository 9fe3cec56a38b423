"""Signing in with an OpenID provider: away to it, and back."""

import secrets

from flask import Blueprint, Response, request

from geoapp.errors import NotFound, Unavailable, WrongIdentity, status_of
from geoapp.web import account, errors, gate, page

blueprint = Blueprint("openid", __name__, url_prefix="/sign-in/oidc")
COOKIE = "geoapp-away"
AWAY_S = 600


@blueprint.get("")
def begin() -> Response:
    # Its libraries take a second to load, and few places sign in this way.
    from geoapp.services import openid  # noqa: PLC0415

    provider, seed = openid.Provider(*_provider()), secrets.token_urlsafe(32)
    try:
        address = openid.begin(provider, seed, gate.local(request.args.get("next")))
    except (WrongIdentity, Unavailable) as refusal:
        return _refused(refusal)
    return gate.keep(page.go(address), COOKIE, seed, longest=AWAY_S)


@blueprint.get("/callback")
def callback() -> Response:
    """Back from the provider; whatever comes of it, the seed is used up."""
    from geoapp.services import openid  # noqa: PLC0415

    provider = openid.Provider(*_provider())
    try:
        done, onward = openid.finish(
            provider, gate.kept(COOKIE), request.args, browser=request.user_agent.string, now=page.now()
        )
    except (WrongIdentity, Unavailable) as refusal:
        return gate.drop(_refused(refusal), COOKIE)
    onward = gate.local(onward)
    answer = page.go(page.url("/sign-in/code", next=onward) if done.half else onward)
    return gate.drop(gate.remember(answer, done.token), COOKIE)


def _refused(refusal: WrongIdentity | Unavailable) -> Response:
    told = errors.sentence(refusal) if isinstance(refusal, WrongIdentity) else page.say("account.oidc_down")
    return account.sign_in_form(status=status_of(refusal), refused=told)


def _provider() -> tuple[str, str, str, str]:
    settings = page.settings()
    if not settings.oidc_issuer:
        raise NotFound("page", request.path)
    home = (settings.public_url or request.host_url).rstrip("/")
    return (
        settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, f"{home}/sign-in/oidc/callback"
    )  # fmt: skip
