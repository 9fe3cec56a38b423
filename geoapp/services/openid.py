"""Signing in with an OpenID provider: authorization code flow with PKCE, by Authlib and joserfc.

State, nonce and verifier are derived from a random seed that only the browser holds in a cookie, so nothing
is stored while somebody is away at the provider. A person is known by issuer and subject, which an
administrator has linked: an e-mail address that a provider tells opens no account.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.values import Viewer
from geoapp.errors import BadInput, NotFound, NotYours, Unavailable, WrongIdentity
from geoapp.services import accounts
from geoapp.services.accounts import SignedIn
from geoapp.store import people
from geoapp.store.session import transaction

__all__ = ["Provider", "begin", "finish", "link"]

PATIENCE_S = 10
LEEWAY_S = 60
LONGEST_SUBJECT = 255
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
"""Signatures that are taken: none with a shared key, and never none."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where to sign in, as whom we are known there, and where the browser comes back to."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str


def begin(provider: Provider, seed: str, onward: str) -> str:
    """The provider's address to go to. Raises Unavailable when the provider does not answer."""
    known = _configuration(provider)
    with _session(provider) as client:
        address, _ = client.create_authorization_url(
            known["authorization_endpoint"],
            state=_state(seed, onward),
            nonce=_derived(seed, "nonce"),
            code_verifier=_derived(seed, "verifier"),
        )
    return str(address)


def finish(
    provider: Provider, seed: str, answer: Mapping[str, str], *, browser: str, now: datetime
) -> tuple[SignedIn, str]:
    """Open a session for who comes back with this answer; returns it and where they wanted to go.

    Raises WrongIdentity with the reason, and Unavailable when the provider does not answer.
    """
    onward = _decoded(answer.get("state", "").partition(".")[2])
    if not seed or not hmac.compare_digest(_state(seed, onward).encode(), answer.get("state", "").encode()):
        raise WrongIdentity("oidc_state")
    if "code" not in answer:
        raise WrongIdentity("oidc_denied")
    subject = _subject(provider, seed, answer["code"], now=now)
    signed_in = accounts.admit(provider.issuer, subject, browser=browser, now=now)
    if signed_in is None:
        raise WrongIdentity("oidc_unknown", subject=subject[:80])
    return signed_in, onward


def link(viewer: Viewer, login: str, issuer: str, subject: str) -> None:
    """Let who is ``subject`` at a provider sign in as this person. Raises NotYours, NotFound and BadInput."""
    if not may_anywhere(viewer, Right.PEOPLE):
        raise NotYours("not_yours", "action")
    if not issuer:
        raise BadInput("issuer", "missing")
    if not subject or len(subject) > LONGEST_SUBJECT or not subject.isprintable():
        raise BadInput("subject", "too_long", most=LONGEST_SUBJECT)
    with transaction() as db:
        account = people.find(db, login.lower())
        if account is None:
            raise NotFound("person", login)
        if not people.link(db, account.id, issuer, subject):
            raise BadInput("subject", "taken", value=subject)


def _subject(provider: Provider, seed: str, code: str, *, now: datetime) -> str:
    """Who the provider says it is: the subject of a verified ID token."""
    known = _configuration(provider)
    with _session(provider) as client:
        tokens = _asked(
            lambda: client.fetch_token(
                known["token_endpoint"], code=code[:2000], grant_type="authorization_code",
                code_verifier=_derived(seed, "verifier"), timeout=PATIENCE_S,
            )
        )  # fmt: skip
        keys: Any = _asked(lambda: _json(client.get(known["jwks_uri"], withhold_token=True, timeout=PATIENCE_S)))
    try:
        token = jwt.decode(tokens["id_token"], KeySet.import_key_set(keys), algorithms=ALGORITHMS)
        jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": known["issuer"]},
            aud={"essential": True, "value": provider.client_id},
            exp={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": _derived(seed, "nonce")},
        ).validate(token.claims)
    except (JoseError, KeyError, ValueError, TypeError) as error:
        raise WrongIdentity("oidc_token") from error
    if token.claims.get("azp", provider.client_id) != provider.client_id:
        raise WrongIdentity("oidc_token")
    return str(token.claims["sub"])


def _configuration(provider: Provider) -> dict[str, Any]:
    found = _asked(lambda: _discovered(provider.issuer))
    if found.get("issuer", "").rstrip("/") != provider.issuer.rstrip("/"):
        raise WrongIdentity("oidc_token")
    return found


@lru_cache(maxsize=4)
def _discovered(issuer: str) -> dict[str, Any]:
    """The provider's own description: read once, errors are not remembered."""
    address = issuer.rstrip("/") + "/.well-known/openid-configuration"
    return _json(requests.get(address, timeout=PATIENCE_S, allow_redirects=False))


def _json(response: requests.Response) -> dict[str, Any]:
    response.raise_for_status()
    found = response.json()
    if not isinstance(found, dict):
        raise requests.JSONDecodeError("no object", "", 0)
    return found


def _asked(ask: Callable[[], Any]) -> dict[str, Any]:
    try:
        return dict(ask())
    except requests.RequestException as error:
        raise Unavailable(f"the sign-in service does not answer: {error}") from error
    except (AuthlibBaseError, ValueError) as error:
        raise WrongIdentity("oidc_token") from error


def _session(provider: Provider) -> OAuth2Session:
    return OAuth2Session(
        provider.client_id, provider.client_secret, scope="openid", redirect_uri=provider.redirect_uri,
        code_challenge_method="S256",
    )  # fmt: skip


def _state(seed: str, onward: str) -> str:
    return f"{_derived(seed, f'state {onward}')}.{base64.urlsafe_b64encode(onward.encode()).decode().rstrip('=')}"


def _decoded(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return ""


def _derived(seed: str, what: str) -> str:
    return (
        base64.urlsafe_b64encode(hmac.new(seed.encode(), what.encode(), hashlib.sha256).digest()).decode().rstrip("=")
    )
