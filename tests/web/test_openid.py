"""Signing in with a real OpenID provider: pyop, a library that providers are built with, on a port of its own."""

import re
import threading
import time
import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from flask import Flask, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

from geoapp.domain.values import OPERATOR, Viewer
from geoapp.errors import BadInput, NotFound, NotYours
from geoapp.services import accounts, keys, openid

SECRET = "paving stones 62"  # noqa: S105
CLIENT, CLIENT_SECRET = "geoapp", "s3cret-of-the-app"
CALLBACK = "http://localhost/sign-in/oidc/callback"


class OpenProvider:
    """An OpenID provider at which ``who`` is always signed in; ``spoil`` changes what its token endpoint answers."""

    def __init__(self):
        with warnings.catch_warnings(action="ignore"):
            from jwkest.jwk import RSAKey as SigningKey
            from jwkest.jwk import rsa_load  # noqa: F401
            from pyop.authz_state import AuthorizationState
            from pyop.exceptions import InvalidAuthorizationCode, OAuthError
            from pyop.provider import Provider
            from pyop.subject_identifier import HashBasedSubjectIdentifierFactory
            from pyop.userinfo import Userinfo
        self.app, self.who, self.spoil = Flask("provider"), "wang", lambda answer: answer
        self.refusals = (InvalidAuthorizationCode, OAuthError)
        self.server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.issuer = f"http://127.0.0.1:{self.server.port}"
        pem = RSAKey.generate_key(2048).as_pem(private=True)
        from Cryptodome.PublicKey import RSA

        self.key = RSA.import_key(pem)
        clients = {
            CLIENT: {
                "client_secret": CLIENT_SECRET, "redirect_uris": [CALLBACK], "response_types": ["code"],
                "token_endpoint_auth_method": "client_secret_basic",
            }
        }  # fmt: skip
        about = {
            "issuer": self.issuer.replace("http:", "https:"),
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "scopes_supported": ["openid"],
        }
        self.provider = Provider(
            SigningKey(key=self.key, alg="RS256", kid="one"), about,
            AuthorizationState(HashBasedSubjectIdentifierFactory("salt")), clients, Userinfo({"wang": {}, "li": {}}),
        )  # fmt: skip
        # It insists on HTTPS, which on the same machine nobody needs.
        self.provider.configuration_information["issuer"] = self.issuer
        self.app.add_url_rule("/.well-known/openid-configuration", "about", self.about)
        self.app.add_url_rule("/authorize", "authorize", self.authorize)
        self.app.add_url_rule("/token", "token", self.token, methods=["POST"])
        self.app.add_url_rule("/jwks", "jwks", lambda: jsonify(self.provider.jwks))
        self.thread = threading.Thread(target=self.server.serve_forever)

    def about(self):
        return jsonify(self.provider.provider_configuration.to_dict())

    def authorize(self):
        asked = self.provider.parse_authentication_request(request.query_string.decode(), request.headers)
        answer = self.provider.authorize(asked, self.who)
        return redirect(answer.request(asked["redirect_uri"]))

    def token(self):
        try:
            answer = self.provider.handle_token_request(request.get_data(as_text=True), dict(request.headers))
        except self.refusals as refusal:
            return jsonify({"error": getattr(refusal, "oauth_error", "invalid_grant")}), 400
        return jsonify(self.spoil(answer.to_dict()))

    def subject(self, who):
        return self.provider.authz_state.get_subject_identifier("public", who, "")


@pytest.fixture(scope="module")
def provider():
    found = OpenProvider()
    found.thread.start()
    yield found
    found.server.shutdown()
    found.thread.join()
    found.server.server_close()


@pytest.fixture
def site(app, client, provider):
    provider.who, provider.spoil = "wang", lambda answer: answer
    app.config["GEOAPP"] = replace(
        app.config["GEOAPP"], oidc_issuer=provider.issuer, oidc_client_id=CLIENT, oidc_client_secret=CLIENT_SECRET,
        oidc_name="District login",
    )  # fmt: skip
    accounts.add(OPERATOR, "wang", "Wang Fang", SECRET)
    openid._discovered.cache_clear()
    return client


def away(client, onward="/about"):
    """From our page to the provider and back, as a browser goes; returns the address of the way back."""
    gone = client.get(f"/sign-in/oidc?next={onward}")
    assert gone.status_code == 303, gone.get_data(as_text=True)
    return requests.get(gone.location, allow_redirects=False, timeout=10).headers["Location"]


def back(client, address, **changed):
    sent = dict(parse_qsl(urlsplit(address).query)) | changed
    return client.get("/sign-in/oidc/callback?lang=en&" + urlencode({k: v for k, v in sent.items() if v is not None}))


def linked(provider, who="wang"):
    openid.link(OPERATOR, "wang", provider.issuer, provider.subject(who))


def reason(answer):
    return re.search(r'role="alert">([^<]+)', answer.get_data(as_text=True))[1]


def test_who_is_linked_signs_in_and_goes_on(site, provider):
    linked(provider)

    page = site.get("/sign-in?lang=en").get_data(as_text=True)
    done = back(site, away(site))

    assert "Sign in with District login" in page
    assert (done.status_code, done.location) == (303, "/about")
    assert "Wang Fang" in site.get("/account").get_data(as_text=True)


def test_nobody_gets_an_account_by_being_somebody_elsewhere(site):
    refused = back(site, away(site))

    assert refused.status_code == 401
    assert "nobody here is known as" in reason(refused)
    assert site.get("/account").status_code == 303


def test_the_way_back_can_be_gone_once_and_only_by_the_browser_that_went(app, site, provider):
    linked(provider)
    address = away(site)

    assert back(app.test_client(), address).status_code == 401
    assert back(site, address).status_code == 303
    site.post("/sign-out", data={"csrf_token": csrf(site)})
    assert back(site, address).status_code == 401


def csrf(client):
    return re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").get_data(as_text=True))[1]


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "x"},
        {"state": None},
        {"code": None},
        {"code": "wrong"},
        {"state": "x.\udcff".encode("utf-8", "replace")},
    ],
)
def test_an_answer_that_was_tampered_with_opens_nothing(site, provider, changed):
    linked(provider)

    refused = back(site, away(site), **changed)

    assert refused.status_code == 401
    assert reason(refused)
    assert site.get("/account").status_code == 303


def test_a_person_who_declines_is_told_so(site):
    state = dict(parse_qsl(urlsplit(site.get("/sign-in/oidc").location).query))["state"]

    refused = site.get("/sign-in/oidc/callback?" + urlencode({"error": "access_denied", "state": state, "lang": "en"}))

    assert "did not let you through" in reason(refused)


def token(provider, **claims):
    """A token of this provider with other claims; its key can be another one."""
    key = claims.pop("key", None) or RSAKey.import_key(provider.key.export_key())
    now = int(time.time())
    known = {"iss": provider.issuer, "aud": [CLIENT], "sub": provider.subject("wang"), "iat": now, "exp": now + 60}
    return jwt.encode({"alg": "RS256", "kid": "one"}, known | claims, key)


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda found, provider: found | {"id_token": token(provider, nonce="another")},
        lambda found, provider: found | {"id_token": token(provider)},
        lambda found, provider: (
            found | {"id_token": token(provider, nonce=nonce_of(found), iss="https://evil.example")}
        ),
        lambda found, provider: found | {"id_token": token(provider, nonce=nonce_of(found), aud=["another"])},
        lambda found, provider: found | {"id_token": token(provider, nonce=nonce_of(found), exp=1)},
        lambda found, provider: found | {"id_token": token(provider, nonce=nonce_of(found), azp="another")},
        lambda found, provider: (
            found | {"id_token": token(provider, nonce=nonce_of(found), key=RSAKey.generate_key(2048))}
        ),
        lambda found, _: found | {"id_token": found["id_token"][:-9] + "AAAAAAAAA"},
        lambda found, _: found | {"id_token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."},
        lambda found, _: {name: value for name, value in found.items() if name != "id_token"},
    ],
    ids=["other-nonce", "no-nonce", "issuer", "audience", "expired", "party", "signature", "torn", "none", "missing"],
)
def test_a_token_that_does_not_hold_opens_nothing(site, provider, spoiled):
    linked(provider)
    provider.spoil = lambda found: spoiled(found, provider)

    refused = back(site, away(site))

    assert refused.status_code == 401
    assert "cannot be verified" in reason(refused)
    assert site.get("/account").status_code == 303


def nonce_of(found):
    import base64
    import json

    body = found["id_token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["nonce"]


def test_a_token_made_by_hand_with_the_right_claims_holds(site, provider):
    linked(provider)
    provider.spoil = lambda found: found | {"id_token": token(provider, nonce=nonce_of(found))}

    assert back(site, away(site)).status_code == 303


def test_one_who_is_shut_out_stays_out(site, provider):
    linked(provider)
    accounts.disable(OPERATOR, "wang", now=datetime.now(UTC))

    assert back(site, away(site)).status_code == 401


def test_one_time_codes_are_asked_for_here_too(site, provider):
    import pyotp

    linked(provider)
    now = datetime.now(UTC) - timedelta(minutes=5)
    signed_in = accounts.sign_in("wang", SECRET, address="x", browser="", now=now)
    keys.propose(signed_in.viewer)
    secret = keys.own(signed_in.viewer, issuer="").proposal.secret
    keys.confirm(signed_in.viewer, pyotp.TOTP(secret).at(now), token=signed_in.token, now=now)

    done = back(site, away(site))

    assert done.location.startswith("/sign-in/code?")
    assert site.get("/account").status_code == 303


def test_a_provider_that_does_not_answer_is_said_and_the_password_still_works(app, site):
    app.config["GEOAPP"] = replace(app.config["GEOAPP"], oidc_issuer="http://127.0.0.1:9")

    down = site.get("/sign-in/oidc?lang=en")

    assert down.status_code == 503
    assert "does not answer" in reason(down)
    assert 'name="password"' in down.get_data(as_text=True)


@pytest.mark.parametrize("onward", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_nobody_is_led_elsewhere(site, provider, onward):
    linked(provider)

    assert back(site, away(site, onward)).location == "/desk"


def test_where_no_provider_is_set_there_is_no_such_door(client):
    assert client.get("/sign-in/oidc").status_code == 404
    assert "District login" not in client.get("/sign-in").get_data(as_text=True)


@pytest.mark.usefixtures("site")
def test_an_administrator_links_one_subject_to_one_person(provider):
    linked(provider)
    linked(provider)
    accounts.add(OPERATOR, "li", "Li", SECRET)
    subject = provider.subject("wang")
    for act, error in (
        (lambda: openid.link(OPERATOR, "li", provider.issuer, subject), BadInput),
        (lambda: openid.link(OPERATOR, "nobody", provider.issuer, "x"), NotFound),
        (lambda: openid.link(OPERATOR, "li", "", "x"), BadInput),
        (lambda: openid.link(OPERATOR, "li", provider.issuer, "a\x00"), BadInput),
        (lambda: openid.link(Viewer(), "li", provider.issuer, "x"), NotYours),
    ):
        with pytest.raises(error):
            act()
