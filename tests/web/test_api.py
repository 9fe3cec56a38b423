"""The API as programs meet it: one report however often it is sent, one error shape, and what OpenAPI promises."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from geoapp import words
from geoapp.domain.values import OPERATOR
from geoapp.services import accounts
from geoapp.web import contract
from tests.builders import a_category, a_place, an_issue, square, store

KEY = "0123456789abcdefghijklmnop"
REPORT = {"category": "road", "lat": 29.03, "lon": 106.65, "title": "Broken kerb", "contact": "13800138000"}
ID = "0193f2c0-0000-7000-8000-000000000001"


@pytest.fixture
def api(client):
    a_category()
    a_place("C1", square(106.64, 29.02))
    store(an_issue("first"))
    return client


def test_the_same_report_is_answered_the_same_and_stored_once(api):
    sent = REPORT | {"id": ID, "key": KEY}

    first, again = (api.post("/api/issues", json=sent) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    assert first.get_json()["link"] == f"/mine/{ID}/{ID}/{KEY}"
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert api.get("/api/issues").get_json()["numberMatched"] == 2


def test_an_idempotency_key_stands_in_for_id_and_key(api):
    header = {"Idempotency-Key": "one-report-of-one-client-1"}

    first, again = (api.post("/api/issues", json=REPORT, headers=header).get_json() for _ in range(2))
    other = api.post("/api/issues", json=REPORT | {"title": "x"}, headers=header)
    without = [api.post("/api/issues", json=REPORT).get_json()["number"] for _ in range(2)]

    assert first == again
    assert (other.status_code, other.get_json()["error"]["code"]) == (409, "refused")
    assert len(set(without)) == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"category": None}, "category"),
        ({"category": "nothing"}, "category"),
        ({"lat": "29"}, "lat"),
        ({"lat": 91}, "lat"),
        ({"colour": "red"}, "colour"),
        ({"id": "7"}, "id"),
        ({"id": ID}, "key"),
        ({"key": "short"}, "key"),
        ({"privacy": "secret"}, "privacy"),
        ({"title": "x" * 201}, "title"),
        ({"text": "a\u0000b"}, "text"),
        ({"extent": {"type": "LineString", "coordinates": [[1]]}}, "extent"),
        ({"extent": {"type": "LineString", "coordinates": [[106.65, 29.03], [106.66, "x"]]}}, "extent"),
        ({"extent": "x"}, "extent"),
    ],
)
def test_a_report_that_cannot_be_read_is_refused_by_field_in_both_languages(api, change, field):
    for lang in words.LANGS:
        answer = api.post(f"/api/issues?lang={lang}", json=REPORT | change)
        assert (answer.status_code, answer.get_json()["error"]["field"]) == (400, field)
        assert answer.get_json()["error"]["message"]
    assert api.get("/api/issues").get_json()["numberMatched"] == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'"x"', b"\xff", b"[" * 20000])
def test_a_body_that_is_no_object_is_refused(api, body):
    answer = api.post("/api/issues", data=body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.get_json()["error"]["field"] in {"body", "category"}


def test_a_report_in_a_form_of_another_page_is_not_believed(api):
    answer = api.post("/api/issues", data=json.dumps(REPORT), content_type="text/plain")

    assert answer.status_code == 400
    assert api.get("/api/issues").get_json()["numberMatched"] == 1


def test_whoever_has_no_key_is_told_to_bring_one(api):
    number = api.get("/api/issues").get_json()["features"][0]["properties"]["number"]
    for answer in (
        api.get("/api/me"),
        api.get("/api/inbox"),
        api.get("/api/unclear"),
        api.get(f"/api/issues/{number}/work"),
        api.post(f"/api/issues/{number}/actions/note", json={"note": "x"}, headers={"If-Match": '"1"'}),
        api.post(f"/api/issues/{number}/photos"),
    ):
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (401, "not_signed_in")


def test_a_witness_is_counted_on_the_issue(api):
    number = api.get("/api/issues").get_json()["features"][0]["properties"]["number"]

    answers = [api.post(f"/api/issues/{number}/witnesses", json={"id": ID, "key": KEY}) for _ in range(2)]
    nowhere = api.post("/api/issues/QJ-2026-999999/witnesses", json={})

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].get_json() == answers[1].get_json()
    assert api.get(f"/api/issues/{number}").get_json()["properties"]["witnesses"] == 1
    assert nowhere.status_code == 404
    assert UUID(answers[0].get_json()["id"]) == UUID(ID)


def test_every_door_of_the_api_stands_in_the_document_and_the_document_is_sound(app, api):
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")]
    documents = [api.get(f"/api/openapi.json?lang={lang}").get_json() for lang in words.LANGS]

    assert {rule.endpoint for rule in rules} == {*contract.OPERATIONS, "openapi.for_programs"}
    for document in documents:
        OpenAPIV30SpecValidator(document).validate()
    assert documents[0]["openapi"].startswith("3.0")
    assert documents[0] != documents[1]


def test_the_page_for_developers_names_every_operation(api):
    for lang in words.LANGS:
        page = api.get(f"/developers?lang={lang}").get_data(as_text=True)
        for name in contract.OPERATIONS:
            assert words.say(lang, f"api.operation.{name.replace('.', '_')}").replace("'", "&#39;") in page


def test_the_private_link_shows_the_report_to_its_holder_and_to_nobody_else(api):
    sent = REPORT | {"id": ID, "key": KEY, "name": "Wang <b>Fang", "text": "call me"}
    link = api.post("/api/issues", json=sent).get_json()["link"]

    page = api.get(f"{link}?lang=en")
    shown = page.get_data(as_text=True)
    strangers = [link[:-1] + "x", link.replace(ID, ID[:-1] + "2"), link.rpartition("/")[0] + "/%00"]

    assert all(word in shown for word in ("Broken kerb", "13800138000", "Wang &lt;b&gt;Fang", "call me"))
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Cache-Control"] == "private, no-store"
    assert [api.get(stranger).status_code for stranger in strangers] == [404, 404, 404]


def test_a_witness_sees_by_the_private_link_what_they_sent_and_not_the_words_of_another(api):
    number = api.post("/api/issues", json=REPORT | {"id": ID, "key": KEY}).get_json()["number"]
    other = {"id": ID[:-1] + "2", "key": KEY[::-1], "name": "Li"}

    link = api.post(f"/api/issues/{number}/witnesses", json=other).get_json()["link"]
    shown = api.get(f"{link}?lang=en").get_data(as_text=True)

    assert "I have seen it too" in shown
    assert "Li" in shown
    assert "13800138000" not in shown
    assert "Broken kerb" not in shown


def test_who_reported_is_known_to_those_who_ask_back_and_to_nobody_else(app, api):
    number = api.post("/api/issues", json=REPORT | {"id": ID, "key": KEY, "name": "Wang Fang"}).get_json()["number"]
    shown = {}
    for role in ("community", "planner"):
        accounts.add(OPERATOR, role, role, "paving stones 62")
        accounts.grant(OPERATOR, role, role)
        browser = app.test_client()
        token = accounts.sign_in(role, "paving stones 62", address=role, browser="", now=datetime.now(UTC)).token
        browser.set_cookie("geoapp", token)
        shown[role] = browser.get(f"/desk/issues/{number}").get_data(as_text=True)

    assert "Wang Fang" in shown["community"]
    assert "13800138000" in shown["community"]
    assert "Wang Fang" not in shown["planner"]
    assert "13800138000" not in shown["planner"]
