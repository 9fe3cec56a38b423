"""Signing in and out over HTTP, the throttle, and where a change must come from."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pyotp
import pytest
from sqlalchemy import text

from geoapp.domain.boundaries import NewUnit
from geoapp.domain.values import ANONYMOUS, OPERATOR, Grant, Name, Role
from geoapp.errors import BadInput, NotFound, NotYours, TooMany, WrongLogin
from geoapp.services import accounts, boundaries
from geoapp.store import session
from geoapp.web import gate
from tests.builders import TODAY, a_place, square

SECRET = "paving stones 62"  # noqa: S105
NOW = datetime.now(UTC)


@pytest.fixture
def li(app) -> UUID:  # noqa: ARG001 - the database must be connected
    return accounts.add(OPERATOR, "li", "Li Min", SECRET)


def field(page, name="csrf_token") -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', page.get_data(as_text=True))[1]


def sign_in(client, login="li", password=SECRET, **more):
    token = field(client.get("/sign-in"))
    return client.post("/sign-in", data={"login": login, "password": password, "csrf_token": token} | more)


def open_session(now=NOW, login="li", password=SECRET):
    return accounts.sign_in(login, password, address="10.1.2.3", browser="a browser", now=now)


@pytest.mark.usefixtures("li")
def test_a_session_begins_with_signing_in_and_ends_with_signing_out(client):
    gone_on = sign_in(client, next="/about")
    cookie = next(header for header in gone_on.headers.getlist("Set-Cookie") if header.startswith("geoapp="))
    mine = client.get("/account")
    out = client.post("/sign-out", data={"csrf_token": field(mine)})

    assert (gone_on.status_code, gone_on.location) == (303, "/about")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Li Min" in mine.get_data(as_text=True)
    assert mine.headers["Cache-Control"] == "private, no-store"
    assert out.headers["Clear-Site-Data"]
    assert client.get("/account").location.startswith("/sign-in?next=")


@pytest.mark.usefixtures("li")
def test_over_https_the_cookie_is_bound_to_this_very_host(client):
    secure = {"base_url": "https://localhost"}
    token = field(client.get("/sign-in", **secure))
    done = client.post("/sign-in", data={"login": "li", "password": SECRET, "csrf_token": token}, **secure)

    cookie = next(header for header in done.headers.getlist("Set-Cookie") if header.startswith("__Host-geoapp="))
    assert "Secure" in cookie
    assert done.headers["Strict-Transport-Security"]


@pytest.mark.usefixtures("li")
@pytest.mark.parametrize(("login", "password"), [("li", "wrong"), ("nobody", SECRET), ("", ""), ("li", "x" * 5000)])
def test_what_does_not_fit_is_told_in_the_same_words(client, login, password):
    refused = sign_in(client, login, password)

    assert refused.status_code == 401
    assert "geoapp=" not in refused.headers.get("Set-Cookie", "")
    assert "账号或密码不对" in refused.get_data(as_text=True)


@pytest.mark.usefixtures("li")
def test_an_unknown_login_costs_a_verification_too(monkeypatch):
    seen = []
    real = accounts._hasher

    class Counting:
        def verify(self, held, password):
            seen.append(held)
            return real.verify(held, password)

        def hash(self, password):
            return real.hash(password)

    monkeypatch.setattr(accounts, "_hasher", Counting())
    for login in ("li", "nobody"):
        with pytest.raises(WrongLogin):
            open_session(login=login, password="wrong again")  # noqa: S106

    assert len(seen) == 2


@pytest.mark.parametrize(
    "bad", ["//evil.example", "/\\evil.example", "https:evil.example", "\t//x", "/\tx", "https://x/y", ""]
)
def test_nobody_is_sent_elsewhere(bad):
    assert gate.local(bad) == "/desk"


@pytest.mark.parametrize("good", ["/", "/desk?in=all", "/issues/QJ-2026-000001?lang=en"])
def test_a_path_of_ours_is_gone_on_to(good):
    assert gate.local(good) == good


@pytest.mark.usefixtures("li")
def test_ten_wrong_attempts_shut_a_login_for_a_while_however_many_try_at_once():
    def attempt(_):
        try:
            open_session(password="wrong again")  # noqa: S106
        except (WrongLogin, TooMany) as refusal:
            return refusal.reason
        return "in"

    with ThreadPoolExecutor(5) as pool:
        told = list(pool.map(attempt, range(25)))

    assert (told.count("wrong_login"), told.count("too_often")) == (10, 15)
    with pytest.raises(TooMany) as shut:
        open_session()
    assert 0 < shut.value.seconds <= 15 * 60
    assert open_session(now=NOW + timedelta(minutes=16)).token


@pytest.mark.usefixtures("li")
def test_one_network_guesses_fifty_times_and_no_more():
    outcomes = []
    for nth in range(52):
        try:
            open_session(login=f"guess{nth}", password="wrong again")  # noqa: S106
        except (WrongLogin, TooMany) as refusal:
            outcomes.append(refusal.reason)

    assert outcomes.count("wrong_login") == 50
    assert accounts.network("2001:db8:1:2ff::1") == "2001:db8:1:200::/56"
    assert accounts.network("nonsense") == "unknown"


@pytest.mark.usefixtures("li")
def test_a_right_password_clears_the_count_of_its_login():
    for _ in range(3):
        for _ in range(9):
            with pytest.raises(WrongLogin):
                accounts.sign_in("li", "wrong again", address=f"10.9.{_}.1", browser="", now=NOW)
        assert open_session().token


@pytest.mark.usefixtures("li")
def test_a_session_ends_when_idle_and_at_last_in_any_case():
    token = open_session().token

    assert accounts.viewer_of(token, now=NOW + timedelta(minutes=29)).name == "Li Min"
    assert accounts.viewer_of(token, now=NOW + timedelta(minutes=29 + 31)) == ANONYMOUS
    token = open_session().token
    for half_hours in range(1, 24):
        accounts.viewer_of(token, now=NOW + timedelta(minutes=29 * half_hours))
    assert accounts.viewer_of(token, now=NOW + timedelta(hours=12, minutes=1)) == ANONYMOUS


@pytest.mark.usefixtures("li")
def test_only_the_hash_of_a_token_is_stored():
    token = open_session().token
    with session.snapshot() as db:
        held = db.execute(text("SELECT token_hash FROM sign_in")).scalar_one()

    assert token.encode() not in bytes(held)
    assert accounts.viewer_of(bytes(held).hex(), now=NOW) == ANONYMOUS


def test_a_new_password_and_a_shut_door_end_every_session(li):
    first, second = open_session(), open_session()
    accounts.change_own_password(first.viewer, SECRET, "lamps along the path", token=first.token)

    assert accounts.viewer_of(first.token, now=NOW).person == li
    assert accounts.viewer_of(second.token, now=NOW) == ANONYMOUS
    accounts.disable(OPERATOR, "li", now=NOW)
    assert accounts.viewer_of(first.token, now=NOW) == ANONYMOUS
    with pytest.raises(WrongLogin):
        open_session(password="lamps along the path")  # noqa: S106
    accounts.enable(OPERATOR, "li")
    assert open_session(password="lamps along the path").token  # noqa: S106
    accounts.set_password(OPERATOR, "li", SECRET)
    assert open_session().token


@pytest.mark.usefixtures("li")
def test_a_person_changes_the_own_password_and_ends_own_sessions_on_the_page(client):
    sign_in(client)
    elsewhere = open_session()
    token = field(client.get("/account"))
    wrong = client.post("/account/password", data={"csrf_token": token, "old": "no", "new": "lamps along it"})
    weak = client.post("/account/password", data={"csrf_token": token, "old": SECRET, "new": "12345678"})
    mark = accounts.own(elsewhere.viewer, now=datetime.now(UTC))[1]
    for one in mark:
        client.post(f"/account/sessions/{one.mark}", data={"csrf_token": token})

    assert (wrong.status_code, weak.status_code) == (401, 400)
    assert "太容易猜到" in weak.get_data(as_text=True)
    assert client.get("/account").status_code == 303
    sign_in(client)
    done = client.post(
        "/account/password",
        data={"csrf_token": field(client.get("/account")), "old": SECRET, "new": "lamps along it"},
        follow_redirects=True,
    )
    assert "密码已修改" in done.get_data(as_text=True)


@pytest.mark.parametrize(
    ("login", "password", "named"),
    [("", SECRET, "login"), ("a b", SECRET, "login"), ("li", SECRET, "login"), ("wu", "short", "password"),
     ("wu", "x" * 129, "password"), ("wu", "qijiang2026", "password"), ("wulongfei", "wulongfei1", "password"),
     ("wu", "aaaabbbb", "password")],
)  # fmt: skip
@pytest.mark.usefixtures("li")
def test_a_login_or_password_that_cannot_be_is_named(login, password, named):
    with pytest.raises(BadInput) as refused:
        accounts.add(OPERATOR, login, "", password)

    assert refused.value.field == named


def test_a_grant_on_a_street_reaches_its_communities(li):
    a_place("D", square(106.6, 29.0, 0.1), kind="district")
    boundaries.store_units(OPERATOR, [NewUnit("U1", Name("", "U1"))], today=TODAY)
    from geoapp.domain.boundaries import NewPlace
    from geoapp.domain.values import PlaceKind

    wkb = __import__("shapely").to_wkb(square(106.61, 29.01))
    boundaries.store_places(
        OPERATOR,
        [
            NewPlace(PlaceKind.STREET, "S", Name("", "S"), wkb, parent="D"),
            NewPlace(PlaceKind.COMMUNITY, "C1", Name("", "C1"), wkb, parent="S"),
            NewPlace(PlaceKind.COMMUNITY, "C2", Name("", "C2"), wkb),
        ],
        today=TODAY,
    )
    for role, where in (("community", {"place": "S"}), ("secretary", {"place": "D"}), ("unit", {"unit": "U1"})):
        assert accounts.grant(OPERATOR, "li", role, **where)
    assert not accounts.grant(OPERATOR, "li", "community", place="S")
    accounts.grant(OPERATOR, "li", "planner")

    assert open_session().viewer.grants == (
        Grant(Role.COMMUNITY, frozenset({"C1"})),
        Grant(Role.SECRETARY, frozenset({"C1"})),
        Grant(Role.UNIT, None, "U1"),
        Grant(Role.PLANNER),
    )
    assert accounts.revoke(OPERATOR, "li", "planner")
    assert not accounts.revoke(OPERATOR, "li", "planner")
    assert accounts.everybody(OPERATOR)[0][0].id == li


@pytest.mark.usefixtures("li")
@pytest.mark.parametrize(
    ("role", "where", "error"),
    [
        ("king", {}, BadInput),
        ("unit", {}, BadInput),
        ("planner", {"unit": "U1"}, BadInput),
        ("planner", {"place": "nowhere"}, BadInput),
        ("unit", {"unit": "nobody"}, BadInput),
    ],
)
def test_a_grant_that_cannot_be_is_refused(role, where, error):
    with pytest.raises(error):
        accounts.grant(OPERATOR, "li", role, **where)


@pytest.mark.usefixtures("li")
def test_only_who_may_looks_after_people():
    for act in (
        lambda: accounts.add(ANONYMOUS, "x", "x", SECRET),
        lambda: accounts.grant(ANONYMOUS, "li", "planner"),
        lambda: accounts.everybody(ANONYMOUS),
        lambda: accounts.disable(ANONYMOUS, "li", now=NOW),
    ):
        with pytest.raises(NotYours):
            act()
    with pytest.raises(NotFound):
        accounts.disable(OPERATOR, "nobody", now=NOW)
    assert accounts.own(ANONYMOUS, now=NOW) == ([], [])
    assert accounts.end_session(ANONYMOUS, "x") == 0


# --- where a change must come from ---


NOBODY = "00000000-0000-4000-8000-000000000000"


def changes(app):
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods - {"GET", "HEAD", "OPTIONS"}):
            yield rule.endpoint, method, re.sub(r"<[^>]+>", "x", re.sub("<uuid:[^>]+>", NOBODY, rule.rule))


@pytest.mark.usefixtures("li")
def test_no_change_without_the_token_of_a_page_of_ours(app, client):
    sign_in(client)
    token = field(client.get("/account"))
    elsewhere = [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]

    # The API believes no cookie, so a token that proves the page would prove nothing there.
    found = [change for change in changes(app) if not change[2].startswith("/api/")]
    for endpoint, method, path in found:
        # Where the address itself is a key it stands for the token; this one is nobody's.
        without = 404 if endpoint in gate.OWN_KEY else 403
        assert client.open(path, method=method).status_code == without, path
        assert client.open(path, method=method, data={"csrf_token": "0" * 64}).status_code == without, path
        for headers in elsewhere:
            answer = client.open(path, method=method, data={"csrf_token": token}, headers=headers)
            assert answer.status_code == 403, (path, headers)
    assert len(found) >= 5


@pytest.mark.usefixtures("li")
def test_the_token_of_one_session_is_worth_nothing_in_another(app):
    first, second = app.test_client(), app.test_client()
    sign_in(first)
    sign_in(second)

    stolen = field(first.get("/account"))
    assert second.post("/sign-out", data={"csrf_token": stolen}).status_code == 403


def test_a_page_without_a_cookie_asks_no_database_who_it_is(client, monkeypatch):
    monkeypatch.setattr(accounts, "viewer_of", lambda *_, **__: pytest.fail("asked"))

    assert client.get("/about").status_code == 200


# --- one-time codes and keys, as a person and a program meet them ---


def told_once(answer):
    return re.search(r'<pre class="told-once">([^<]+)</pre>', answer.get_data(as_text=True))[1]


@pytest.mark.usefixtures("li")
def test_a_code_is_asked_for_after_the_password_once_it_is_set_up(app, client):
    sign_in(client)
    token = field(client.get("/account"))
    client.post("/account/codes/begin", data={"csrf_token": token})
    page = client.get("/account").get_data(as_text=True)
    made = pyotp.TOTP(re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", ""))
    wrong = client.post("/account/codes/confirm", data={"csrf_token": token, "code": "000000"})
    recovery = told_once(client.post("/account/codes/confirm", data={"csrf_token": token, "code": made.now()})).split()

    second = app.test_client()
    asked = sign_in(second, next="/about")
    shut = second.get("/account")
    form = {"csrf_token": field(second.get(asked.location)), "next": "/about"}
    refused = second.post("/sign-in/code", data=form | {"code": "000000"})
    done = second.post("/sign-in/code", data=form | {"code": recovery[0]})

    assert "data:image/svg+xml" in page
    assert (wrong.status_code, len(recovery)) == (400, 10)
    assert asked.location.startswith("/sign-in/code?next=")
    assert shut.location.startswith("/sign-in?next=")
    assert (refused.status_code, done.location) == (401, "/about")
    assert second.get("/account").status_code == 200


def test_where_codes_are_required_staff_set_them_up_before_anything_else(client, app, li):  # noqa: ARG001
    accounts.grant(OPERATOR, "li", "supervisor")
    app.config["GEOAPP"] = replace(app.config["GEOAPP"], staff_codes="required")
    sign_in(client)

    shut = client.get("/desk?lang=en")

    assert shut.status_code == 403
    assert "one-time codes" in shut.get_data(as_text=True)
    assert client.get("/account").status_code == 200


@pytest.mark.usefixtures("li")
def test_a_key_opens_the_api_for_its_person_and_nothing_once_revoked(app, client):
    accounts.grant(OPERATOR, "li", "supervisor")
    sign_in(client)
    token = field(client.get("/account"))
    key = told_once(client.post("/account/keys", data={"csrf_token": token, "name": "import", "expires": "2199-01-01"}))
    program = app.test_client()
    head = {"Authorization": f"Bearer {key}"}

    mine = program.get("/api/me", headers=head)
    inbox = program.get("/api/inbox", headers=head)
    address = re.search(r'action="(/account/keys/[^"?]+)', client.get("/account").get_data(as_text=True))[1]
    client.post(address, data={"csrf_token": token})
    refused = [program.get(path, headers=head) for path in ("/api/me", "/api/issues", "/issues", "/desk")]

    assert mine.get_json() == {"name": "Li Min", "grants": [{"role": "supervisor", "unit": None, "communities": None}]}
    assert (inbox.status_code, mine.headers["Cache-Control"]) == (200, "private, no-store")
    assert [answer.status_code for answer in refused] == [401] * 4
    assert refused[0].get_json()["error"]["code"] == "wrong_key"


@pytest.mark.usefixtures("li")
@pytest.mark.parametrize(
    "sent", [{"name": ""}, {"name": "x", "expires": "soon"}, {"name": "x", "expires": "2001-01-01"}]
)
def test_a_key_that_cannot_be_is_refused_on_the_page(client, sent):
    sign_in(client)

    answer = client.post("/account/keys", data=sent | {"csrf_token": field(client.get("/account"))})

    assert answer.status_code == 400
    assert 'role="alert"' in answer.get_data(as_text=True)
