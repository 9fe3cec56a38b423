"""The stories of the product, from the first report to a verified end, each by the people whose job it is.

Each is told three times: over HTTP, in a browser at a desk in Chinese, and in one on a phone in English.
"""

import io
import json
import math
import re
from datetime import UTC, datetime

import pytest
import shapely
from PIL import Image
from shapely.geometry import mapping

from geoapp.domain.boundaries import NewUnit
from geoapp.domain.values import OPERATOR, IssueState, Name, Point
from geoapp.services import accounts, boundaries
from geoapp.store import history, session
from tests.builders import TODAY, a_category, a_jurisdiction, a_place, an_issue, square, store
from tests.web.mappage import DESKTOP, PHONE

SECRET = "paving stones 62"  # noqa: S105
SPOT = Point(106.65, 29.03)
PEOPLE = {
    "community": {"place": "C1"},
    "municipal": {"unit": "municipal"},
    "roads": {"unit": "roads"},
    "secretary": {"place": "C1"},
    "supervisor": {},
}


class Person:
    """Somebody who sends what the forms would send."""

    def __init__(self, app, login):
        self.client = app.test_client()
        self.client.set_cookie("geoapp", session_of(login))

    def read(self, path):
        return self.client.get(f"{path}{'&' if '?' in path else '?'}lang=en").get_data(as_text=True)

    def does(self, number, action, **given):
        return self._send(number, action, **given) == 303

    def is_refused(self, number, action):
        return self._send(number, action) in {403, 422}

    def _send(self, number, action, **given):
        page = self.read(f"/desk/issues/{number}")
        hidden = dict(re.findall(r'name="(csrf_token|version)" value="([^"]*)"', page))
        return self.client.post(f"/desk/issues/{number}/{action}", data=hidden | given).status_code

    def adds_photo(self, number, phase):
        page = self.read(f"/desk/issues/{number}")
        token = re.search(r'name="csrf_token" value="([^"]*)"', page)[1]
        data = {"csrf_token": token, "phase": phase, "photo": (io.BytesIO(a_photo()), "x.jpg")}
        path = f"/desk/issues/{number}/photos"
        return self.client.post(path, data=data, content_type="multipart/form-data").status_code == 303

    def settles(self, number, unit, area, category="road"):
        path = f"/desk/issues/{number}/settlement"
        hidden = dict(re.findall(r'name="(csrf_token|version|id)" value="([^"]*)"', self.read(path)))
        typed = {"unit": unit, "category": category, "note": "signed on site", "area": json.dumps(mapping(area))}
        return self.client.post(path, data=hidden | typed).status_code == 303

    def waits(self):
        return re.findall(r'data-number="(\S+?)"', self.read("/desk"))


class Visitor:
    """The same somebody at a browser, who sees what is offered, types and presses buttons."""

    def __init__(self, context, address, login, lang):
        self.context, self.address, self.lang = context, address, lang
        context.add_cookies([{"name": "geoapp", "value": session_of(login), "url": address}])
        self.page = context.new_page()

    def read(self, path):
        return self.context.request.get(f"{self.address}{path}{'&' if '?' in path else '?'}lang=en").text()

    def does(self, number, action, **given):
        self._open(number)
        self.page.locator(f"#{action} > summary").click()
        form = self.page.locator(f"#{action} form")
        for field, value in given.items():
            control = form.locator(f"[name={field}]")
            if control.evaluate("(one) => one.tagName") == "SELECT":
                control.select_option(value)
            else:
                control.fill(value)
        form.locator("button").click()
        return self._is_done()

    def is_refused(self, number, action):
        self._open(number)
        return self.page.locator(f"#{action}").count() == 0

    def adds_photo(self, number, phase):
        self._open(number)
        self.page.locator("#add-photo > summary").click()
        self.page.set_input_files("#photo-file", {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": a_photo()})
        self.page.select_option("#photo-phase", phase)
        self.page.locator("#add-photo form button").click()
        return self._is_done()

    def settles(self, number, unit, area, category="road"):
        """Draws the area about the issue, which is in the middle of the map, corner by corner."""
        self.page.goto(f"{self.address}/desk/issues/{number}/settlement?lang={self.lang}")
        self.page.wait_for_selector("html[data-map-ready]")
        frame = self.page.locator(".folium-map")
        frame.scroll_into_view_if_needed()
        box = frame.bounding_box()
        west, south, east, north = area.bounds
        wide = (east - west) / 360 * 256 * 2**16 / 2
        high = wide * (north - south) / (east - west) / math.cos(math.radians(SPOT.lat))
        for dx, dy in ((-wide, -high), (wide, -high), (wide, high), (-wide, high), (-wide, -high)):
            self.page.mouse.click(box["x"] + box["width"] / 2 + dx, box["y"] + box["height"] / 2 + dy)
        self.page.select_option("#unit", unit)
        self.page.select_option("#category", category)
        self.page.fill("#note", "signed on site")
        self.page.locator("button[value=settle]").click()
        return self._is_done()

    def waits(self):
        self.page.goto(f"{self.address}/desk?lang={self.lang}")
        return self.page.locator("tr[data-number]").evaluate_all("(rows) => rows.map((row) => row.dataset.number)")

    def _is_done(self):
        """The next page says what was done, or why it was not."""
        self.page.wait_for_selector(".said, .refused")
        return self.page.locator(".said").count() == 1

    def _open(self, number):
        self.page.goto(f"{self.address}/desk/issues/{number}?lang={self.lang}")


def session_of(login):
    return accounts.sign_in(login, SECRET, address=login, browser="", now=datetime.now(UTC)).token


def a_photo():
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(out, "JPEG")
    return out.getvalue()


WAYS = {"http": None, "desk zh": ("zh", DESKTOP), "phone en": ("en", PHONE)}


@pytest.fixture(params=[
    pytest.param(way, id=way, marks=[pytest.mark.browser] if seen else []) for way, seen in WAYS.items()
])  # fmt: skip
def people(app, request):
    for code in ("road", "waste", "fire"):
        a_category(code)
    a_place("C1", square(106.64, 29.02))
    units = ("municipal", "roads", "cleaning", "housing", "fire", "estates")
    boundaries.store_units(OPERATOR, [NewUnit(code, Name("", code.title())) for code in units], today=TODAY)
    roles = {"municipal": "unit", "roads": "unit"}
    for login, where in PEOPLE.items():
        accounts.add(OPERATOR, login, login, SECRET)
        accounts.grant(OPERATOR, login, roles.get(login, login), **where)
    if not WAYS[request.param]:
        yield {login: Person(app, login) for login in PEOPLE}
        return
    lang, look = WAYS[request.param]
    watch, make = request.getfixturevalue("watch"), request.getfixturevalue("new_context")
    address = request.getfixturevalue("live_server")
    visitors = {login: Visitor(make(**look), address, login, lang) for login in PEOPLE}
    for visitor in visitors.values():
        watch.attach(visitor.page)
    yield visitors
    for visitor in visitors.values():
        visitor.context.close()


def an_open_issue(client, **facts):
    store(an_issue("1", state=IssueState.REPORTED, point=SPOT, **facts))
    return client.get("/api/issues").get_json()["features"][0]["properties"]["number"]


def public(client, number):
    return client.get(f"/api/issues/{number}?lang=en").get_json()["properties"]


def told(client, number):
    return [line["action"] for line in public(client, number)["history"]]


def test_the_sidewalk_that_two_units_disown_is_settled_repaired_and_verified(client, people):
    """Contested: both return it, the secretary settles it on site, one repairs it, another checks."""
    a_jurisdiction("municipal", square(106.64, 29.02), categories=("road",))
    a_jurisdiction("roads", square(106.645, 29.025, 0.01), categories=("road",))
    number = an_open_issue(client, category="road")
    assert public(client, number)["verdict"] == "contested"

    community = people["community"]
    assert community.does(number, "accept")
    for unit in ("municipal", "roads"):
        assert community.does(number, "dispatch", unit=unit)
        assert number in people[unit].waits()
        assert people[unit].does(number, "return", note="not our sidewalk")
    assert community.does(number, "to_agenda", note="returned twice")
    assert number in people["secretary"].waits()
    assert people["secretary"].does(number, "decide", note="settle it on site")
    assert people["secretary"].settles(number, "municipal", square(106.648, 29.028, 0.004))
    assert public(client, number)["verdict"] == "clear"
    assert community.does(number, "dispatch", unit="municipal")
    assert people["municipal"].does(number, "start")
    assert people["municipal"].is_refused(number, "report_done")
    assert people["municipal"].adds_photo(number, "after")
    assert people["municipal"].does(number, "report_done")
    assert people["municipal"].is_refused(number, "close")
    assert people["supervisor"].does(number, "rework", note="two slabs are loose")
    assert people["municipal"].adds_photo(number, "after")
    assert people["municipal"].does(number, "report_done")
    assert people["supervisor"].does(number, "close")

    facts = public(client, number)
    assert (facts["state"], facts["returns"], facts["reworks"], facts["unit"]) == ("closed", 2, 1, "municipal")
    assert told(client, number).count("return") == 2
    with session.snapshot() as db:
        assert history.verify(db)[1] == []


def test_the_dump_that_is_nobodys_becomes_somebodys_and_a_square(client, people):
    """Orphan: no unit holds the place; the meeting decides, the land is settled, the area stands on the page."""
    area = square(106.6495, 29.0295, 0.001)
    number = an_open_issue(client, category="waste", extent=shapely.to_wkb(area))
    assert public(client, number)["verdict"] == "orphan"
    assert public(client, number)["area_m2"] > 10_000
    assert "nobody" in people["secretary"].read("/desk/unclear") or "no unit" in people["community"].read(
        f"/desk/issues/{number}"
    )

    community, secretary = people["community"], people["secretary"]
    assert community.does(number, "accept")
    assert community.does(number, "to_agenda", note="no unit holds this land")
    assert secretary.does(number, "decide", note="clear it, then make it a square; 86,000 yuan")
    assert secretary.settles(number, "municipal", area, category="waste")
    assert public(client, number)["verdict"] in {"clear", "near"}
    assert community.does(number, "dispatch", unit="municipal", helping=["cleaning", "roads"])
    assert public(client, number)["helping_units"] == ["Cleaning", "Roads"]
    assert public(client, number)["level_name"] == "joint meeting"
    assert people["municipal"].does(number, "start")
    assert people["municipal"].adds_photo(number, "after")
    assert people["municipal"].does(number, "report_done")
    assert people["roads"].is_refused(number, "close")
    assert community.does(number, "close")
    assert public(client, number)["state"] == "closed"


def test_the_dark_path_waits_for_money_and_goes_on_without_losing_time(client, people):
    """A line, handled at the level of the community: deferred, taken up again, closed; the pause is told."""
    line = shapely.LineString([(106.6495, 29.03), (106.651, 29.0302)])
    a_jurisdiction("municipal", square(106.64, 29.02), categories=("road",))
    with session.transaction() as db:
        from sqlalchemy import text

        db.execute(text("""UPDATE category SET deadlines = '{"handle": {"work_days": 20}}'"""))
    number = an_open_issue(client, category="road", extent=shapely.to_wkb(line))
    community, unit = people["community"], people["municipal"]

    assert 140 < public(client, number)["length_m"] < 160
    assert community.does(number, "accept")
    assert community.does(number, "dispatch", unit="municipal")
    assert community.does(number, "defer", note="the enterprise pays next year", until="2099-01-01")
    assert public(client, number)["deadline"]["look"] == "paused"
    assert "stands still since" in community.read(f"/desk/issues/{number}")
    assert community.does(number, "dispatch", unit="municipal")
    assert "working days left" in public(client, number)["deadline"]["countdown"]
    assert unit.does(number, "start")
    assert unit.adds_photo(number, "after")
    assert unit.does(number, "report_done")
    assert people["supervisor"].does(number, "close")
    assert people["supervisor"].does(number, "reopen", note="three lamps are dark again")
    assert number in community.waits()


def test_the_four_towers_have_a_lead_two_helpers_and_four_places(client, people):
    """Several points, one lead and two helping units: every one of them sees it, none of them checks it."""
    towers = shapely.MultiPoint([(106.6495, 29.0295), (106.6505, 29.0295), (106.6505, 29.0305), (106.6495, 29.0305)])
    number = an_open_issue(client, category="fire", extent=shapely.to_wkb(towers), cost_planned=420_000.0)
    community = people["community"]

    assert len(public(client, number)["extent"]["coordinates"]) == 4
    assert public(client, number)["cost_planned"] == 420_000.0
    assert community.does(number, "accept")
    assert community.does(number, "dispatch", unit="roads", helping=["municipal", "fire"])
    assert people["municipal"].is_refused(number, "start")
    assert people["municipal"].does(number, "note", note="valves ordered")
    assert people["roads"].does(number, "start")
    assert people["municipal"].adds_photo(number, "after")
    assert people["roads"].does(number, "report_done")
    assert people["municipal"].is_refused(number, "close")
    assert people["supervisor"].does(number, "close")
    assert "valves ordered" not in json.dumps(public(client, number))
