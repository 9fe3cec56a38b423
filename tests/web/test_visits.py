"""The survey map and the plan of a visit over HTTP: what they answer, to whom, and what happens to bad input."""

import json
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from icalendar import Calendar

from geoapp.domain.values import OPERATOR, Point, Privacy
from geoapp.services import accounts
from tests.builders import a_category, a_jurisdiction, a_place, an_issue, square, store

SECRET = "paving stones 62"  # noqa: S105
VISIT = UUID(int=100)
PATH = f"/field/visits/{VISIT}"
NAMES = ("one", "two", "three")


@pytest.fixture(autouse=True)
def ground(app):  # noqa: ARG001 - the database must be connected
    a_category()
    a_place("C1", square(106.64, 29.02))
    a_place("C2", square(106.70, 29.02))
    a_jurisdiction("U1", square(106.64, 29.02))
    store(
        *(an_issue(name, point=Point(106.645 + nth / 500, 29.03)) for nth, name in enumerate(NAMES)),
        an_issue("hidden", point=Point(106.6503217, 29.0301234), privacy=Privacy.PRIVATE),
        an_issue("far", point=Point(106.71, 29.03)),
    )
    for login, role, place in (("li", "secretary", "C1"), ("he", "secretary", "C2"), ("chen", "community", "C1")):
        accounts.add(OPERATOR, login, login.title(), SECRET)
        accounts.grant(OPERATOR, login, role, place=place)


class Browser:
    """A client that carries the token of our pages."""

    def __init__(self, app, login):
        self.client = app.test_client()
        session = accounts.sign_in(login, SECRET, address="::1", browser="", now=datetime.now(UTC))
        self.client.set_cookie("geoapp", session.token)
        page = self.client.get("/account").get_data(as_text=True)
        self.csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]

    def get(self, path):
        return self.client.get(path)

    def send(self, path, body):
        return self.client.post(path, json=body, headers={"X-CSRF-Token": self.csrf})

    def post(self, path, **form):
        return self.client.post(path, data={"csrf_token": self.csrf, **form})


@pytest.fixture
def li(app):
    return Browser(app, "li")


def a_draft(*names, **changes):
    stops = [{"issue": str(an_issue(name).id)} for name in names or NAMES]
    draft = {
        "title": "Tuesday", "on": "2026-11-24", "at": "09:00", "mode": "walking", "finish": "start",
        "start": {"lat": 29.03, "lon": 106.644, "name": "office"}, "minutes": 15, "budget": 180, "by_hand": True,
        "stops": stops, "guests": [],
    }  # fmt: skip
    return draft | changes


def saved(browser, **changes):
    return browser.send(f"{PATH}.json", {"draft": a_draft(**changes), "version": None})


def config(answer):
    text = re.search(r'<script type="application/json" id="geoapp-config"[^>]*>(.*?)</script>', answer.text, re.DOTALL)
    return json.loads(text[1])


def test_the_survey_map_shows_the_own_issues_at_their_true_places_and_no_others(app, li):
    mine = li.get("/field/issues.json").get_json()
    theirs = Browser(app, "he").get("/field/issues.json")

    places = {(one["lon"], one["lat"]) for one in mine["issues"]}
    assert (106.6503217, 29.0301234) in places
    assert (mine["numberMatched"], mine["numberReturned"], mine["most"], mine["visited"]) == (4, 4, 5000, False)
    assert len(theirs.get_json()["issues"]) == 1
    assert "29.0301234" not in theirs.text
    assert theirs.headers["Cache-Control"] == "private, no-store"


def test_the_map_of_whoever_may_not_visit_offers_no_choosing(app, li):
    staff = Browser(app, "chen")

    assert 'id="plan-visit"' in li.get("/field").text
    assert config(li.get("/field"))["survey"]["mayVisit"] is True
    assert 'id="plan-visit"' not in staff.get("/field").text
    assert 'id="nav-field"' not in staff.get("/desk").text
    assert staff.get("/field/visits").status_code == 403


@pytest.mark.parametrize("query", ["since=yesterday", "bbox=1", "state=sleeping", "community=nowhere"])
def test_a_bad_question_to_the_survey_map_names_its_field(li, query):
    answer = li.get(f"/field/issues.json?{query}")

    assert (answer.status_code, answer.get_json()["error"]["field"]) == (400, query.partition("=")[0])


def test_the_plan_page_carries_what_was_chosen_with_phones_of_its_units(li):
    numbers = ",".join(one["number"] for one in li.get("/field/issues.json").get_json()["issues"][:2])

    visit = config(li.get(f"/field/visits/new?issues={numbers}"))["visit"]
    assert (len(visit["issues"]), len(visit["draft"]["stops"]), visit["version"]) == (2, 2, None)
    assert [unit["code"] for unit in next(iter(visit["issues"].values()))["units"]] == ["U1"]


@pytest.mark.parametrize(
    "names", ["", "QJ-2026-999999", str(an_issue("far").id), ",".join(f"QJ-{n}" for n in range(61))]
)
def test_the_plan_page_for_issues_that_cannot_be_visited_says_so(li, names):
    assert li.get(f"/field/visits/new?issues={names}").status_code == 400


def test_a_preview_tells_times_lengths_and_what_does_not_fit(li):
    one, two, three = a_draft()["stops"]
    late = three | {"from": "08:00", "to": "08:30"}

    plan = li.send("/field/visits/preview.json", {"draft": a_draft(stops=[one, two, late], by_hand=False)}).get_json()
    assert [stop["issue"] for stop in plan["stops"]] == [one["issue"], two["issue"]]
    assert (plan["stops"][0]["arrives"] >= "09:00", plan["exact"], plan["basis"]) == (True, True, "estimate")
    assert "1.3" in plan["basis_text"]
    assert [(left["issue"], left["reason"]) for left in plan["left_out"]] == [(three["issue"], "window_missed")]
    assert "08:00" in plan["left_out"][0]["why"]
    assert li.get("/field/visits").text.count("/field/visits/0") == 0


def test_an_order_by_hand_tells_the_appointment_that_it_breaks(li):
    one, two, three = a_draft()["stops"]
    first = one | {"from": "09:00", "to": "09:10"}

    plan = li.send("/field/visits/preview.json", {"draft": a_draft(stops=[three, two, first])}).get_json()
    assert [bool(stop["late"]) for stop in plan["stops"]] == [False, False, True]
    assert plan["stops"][2]["window"] == ["09:00", "09:10"]


def test_a_visit_is_stored_changed_and_a_late_change_is_told(app, li):
    first = saved(li)
    again = saved(li)
    changed = li.send(f"{PATH}.json", {"draft": a_draft(title="Wednesday"), "version": 1})
    late = li.send(f"{PATH}.json", {"draft": a_draft(title="Thursday"), "version": 1})

    assert [answer.status_code for answer in (first, again, changed, late)] == [200, 200, 200, 409]
    assert (first.get_json()["version"], changed.get_json()["version"], late.headers["ETag"]) == (1, 2, '"2"')
    assert "Wednesday" in li.get(PATH).text
    assert config(li.get(PATH))["visit"]["draft"]["start"] == {"lat": 29.03, "lon": 106.644, "name": "office"}
    stranger = Browser(app, "he")
    assert [stranger.get(path).status_code for path in (PATH, f"{PATH}.ics")] == [404, 404]
    assert stranger.send(f"{PATH}.json", {"draft": a_draft("far"), "version": 2}).status_code == 404
    assert "Wednesday" not in stranger.get("/field/visits").text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": 5}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"on": "soon"}, "on"),
        ({"at": None}, "at"),
        ({"at": "25:00"}, "at"),
        ({"mode": "flying"}, "mode"),
        ({"finish": "moon"}, "finish"),
        ({"start": None}, "start"),
        ({"start": {"lat": 91, "lon": 0}}, "start"),
        ({"start": {"lat": True, "lon": 0}}, "start"),
        ({"finish": "place", "end": {"lat": "x", "lon": 0}}, "end"),
        ({"minutes": "many"}, "minutes"),
        ({"budget": -5}, "budget"),
        ({"stops": "all"}, "stops"),
        ({"stops": [5]}, "stops"),
        ({"stops": [{"issue": "x"}]}, "issue"),
        ({"stops": [{"issue": str(UUID(int=1))}] * 201}, "stops"),
        ({"stops": [{"issue": str(UUID(int=1))}]}, "stops"),
        ({"stops": [{"issue": str(an_issue("one").id), "from": "9"}]}, "from"),
        ({"guests": [{"id": str(UUID(int=1)), "unit": "U9"}]}, "guests"),
    ],
)
def test_a_draft_that_cannot_be_read_names_the_field(li, changes, field):
    answer = saved(li, **changes)

    assert (answer.status_code, answer.get_json()["error"]["field"]) == (400, field)


@pytest.mark.parametrize("body", [[], "x", {}, {"draft": 5}])
def test_a_body_that_is_no_draft_is_refused(li, body):
    assert li.send(f"{PATH}.json", body).status_code == 400


def test_the_calendar_file_is_the_same_event_from_version_to_version(li):
    guest = {"id": str(UUID(int=1)), "name": "Zhao", "email": "zhao@example.org", "phone": "13800138000"}
    saved(li)
    told = Calendar.from_ical(li.get(f"{PATH}.ics").data)
    li.send(f"{PATH}.json", {"draft": a_draft(guests=[guest]), "version": 1})
    body = li.get(f"{PATH}.ics").data

    asked = Calendar.from_ical(body)
    (before,), (after,) = told.walk("VEVENT"), asked.walk("VEVENT")
    assert (told["METHOD"], asked["METHOD"]) == ("PUBLISH", "REQUEST")
    assert before["UID"] == after["UID"]
    assert (before["SEQUENCE"], after["SEQUENCE"]) == (0, 1)
    assert after["DTSTART"].dt.isoformat() == "2026-11-24T09:00:00+08:00"
    assert (after["GEO"].latitude, after["GEO"].longitude) == (29.03, 106.644)
    assert str(after["ATTENDEE"]) == "mailto:zhao@example.org"
    assert b"13800138000" not in body
    li.post(f"{PATH}/cancel", version="2")
    assert Calendar.from_ical(li.get(f"{PATH}.ics").data)["METHOD"] == "CANCEL"


def test_a_visit_is_begun_and_ended_and_the_issue_tells_of_it(li):
    saved(li)
    begun = li.post(f"{PATH}/start", version="1")
    late = li.post(f"{PATH}/end", version="1")
    ended = li.post(f"{PATH}/end", version="2", summary="dry")
    over = li.post(f"{PATH}/cancel", version="3")

    assert (begun.status_code, begun.location) == (303, f"{PATH}?done=start")
    assert (late.status_code, ended.status_code, over.status_code) == (409, 303, 409)
    assert "dry" in li.get(PATH).text
    assert "Tuesday" in li.get(f"/desk/issues/{an_issue('one').id}.json").text
    features = li.get("/field/past.json").get_json()["features"]
    assert [one["geometry"]["type"] for one in features] == ["LineString", "Point", "Point", "Point"]


@pytest.mark.parametrize(("step", "status"), [("fly", 404), ("end", 400), ("start", 428)])
def test_a_step_that_cannot_be_taken_says_why(li, step, status):
    saved(li)
    form = {"end": {"version": "1", "summary": "x\x00"}, "start": {}}.get(step, {"version": "1"})

    assert li.post(f"{PATH}/{step}", **form).status_code == status


def test_the_list_goes_on_from_a_day_and_refuses_what_is_none(li):
    saved(li)

    assert "Tuesday" in li.get("/field/visits").text
    assert "Tuesday" not in li.get(f"/field/visits?after=2026-11-24_{VISIT}").text
    assert li.get("/field/visits?after=x").status_code == 400
