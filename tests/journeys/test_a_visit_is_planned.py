"""A first secretary surveys the community, chooses issues on the map, plans the visit and hands it to a calendar."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from icalendar import Calendar
from playwright.sync_api import expect

from geoapp.domain.values import OPERATOR, Point
from geoapp.services import accounts, visits
from tests.builders import a_category, a_jurisdiction, a_place, an_issue, square, store
from tests.web.mappage import DESKTOP, PHONE
from tests.web.test_accessibility import AXE, RULES

pytestmark = pytest.mark.browser
SECRET = "paving stones 62"  # noqa: S105
NEAR = [Point(106.648 + east / 1000, 29.029 + north / 1000) for east, north in ((0, 0), (2, 0), (4, 1), (1, 3), (3, 3))]
EVIL = "<img src=x onerror=alert(1)> `${alert(2)}`"
"""What somebody may call an issue: nothing of it may run, on the map, in the list or in the plan."""
FAR = Point(106.657, 29.037)


@pytest.fixture
def town(live_server):
    a_category()
    a_place("C1", square(106.64, 29.02))
    a_jurisdiction("U1", square(106.64, 29.02))
    near = (an_issue(f"near {nth}", point=point, title=f"near {nth} {EVIL}") for nth, point in enumerate(NEAR))
    store(*near, an_issue("far", point=FAR))
    accounts.add(OPERATOR, "li", "Li", SECRET)
    accounts.grant(OPERATOR, "li", "secretary", place="C1")
    return live_server


def entered(watch, new_context, address, **screen):
    context = new_context(**screen, reduced_motion="reduce", accept_downloads=True)
    session = accounts.sign_in("li", SECRET, address="127.0.0.1", browser="", now=datetime.now(UTC))
    context.add_cookies([{"name": "geoapp", "value": session.token, "url": address}])
    return watch.attach(context.new_page())


def wrong(page):
    """What axe-core finds."""
    page.evaluate(Path(AXE).read_text(encoding="utf-8"))
    return page.evaluate(RULES)


def draw_round(page, places):
    """Draw a ring round these issues of the map, with the pointer held down."""
    seen = {one["number"]: one for one in page.evaluate("() => GeoApp.visible()") if one["kind"] == "issue"}
    spots = [seen[number] for number in places]
    box = page.locator(".folium-map").bounding_box()
    west, east = min(s["x"] for s in spots) - 25, max(s["x"] for s in spots) + 25
    north, south = min(s["y"] for s in spots) - 25, max(s["y"] for s in spots) + 25
    corners = [(west, north), (east, north), (east, south), (west, south), (west, north)]
    page.mouse.move(box["x"] + west, box["y"] + north)
    page.mouse.down()
    for x, y in corners[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
    page.mouse.up()


def numbers(page):
    """The numbers of the near issues, as the list names them."""
    rows = page.locator("#issue-list li[data-number]")
    rows.first.wait_for(state="attached")
    told = {row.text_content(): row.get_attribute("data-number") for row in rows.all()}
    return [number for words, number in told.items() if "near" in words]


@pytest.mark.parametrize(("screen", "lang"), [(DESKTOP, "zh"), (PHONE, "en")], ids=["desk-zh", "phone-en"])
def test_lasso_plan_reorder_and_calendar(town, new_context, watch, screen, lang):
    page = entered(watch, new_context, town, **screen)
    phone = screen is PHONE

    # The survey map: every issue of the community, at its place and in the list.
    page.goto(f"{town}/field?lang={lang}&at=16/29.0310/106.6505")
    page.wait_for_selector("html[data-map-ready]")
    near = numbers(page)
    expect(page.locator("#count-all")).to_have_text("6")
    found = wrong(page)

    # Chosen with one stroke.
    page.click("#lasso")
    draw_round(page, near)
    page.wait_for_selector("#chosen-bar:not([hidden])")
    expect(page.locator("#count-chosen")).to_have_text("5")
    assert {one["number"] for one in page.evaluate("() => GeoApp.visible()") if one.get("chosen")} == set(near)

    # Planned: the best order with its times, over what it is measured, and what a change costs before it is kept.
    page.click("#plan-visit")
    page.wait_for_selector("#stops .stop .stop-times b")
    expect(page.locator("#stops .stop")).to_have_count(5)
    order = [row.get_attribute("data-issue") for row in page.locator("#stops .stop").all()]
    expect(page.locator(".plan-route > .hint")).to_contain_text("1.3")
    found += wrong(page)
    # By hand: a finger or mouse drags, a keyboard moves with the arrows.
    if phone:
        page.locator("#stops .stop").nth(1).locator(".move").nth(1).click()
    else:
        page.locator("#stops .stop-n").nth(1).focus()
        page.keyboard.press("ArrowDown")
    page.wait_for_selector(".cost:not([hidden])")
    expect(page.locator(".cost b")).to_contain_text("多" if lang == "zh" else "+")
    page.wait_for_selector("#best-order:enabled")
    after = [row.get_attribute("data-issue") for row in page.locator("#stops .stop").all()]
    assert after == [order[0], order[2], order[1], *order[3:]]
    expect(page.locator(".stop-pin")).to_have_count(5)
    assert page.locator('img[src="x"]').count() == 0

    # Kept, and handed on to a calendar.
    page.click("#save-plan")
    page.wait_for_selector("#visit-ics")
    with page.expect_download() as download:
        page.click("#visit-ics")
    (event,) = Calendar.from_ical(Path(download.value.path()).read_bytes()).walk("VEVENT")
    (row,) = visits.mine(OPERATOR)
    assert str(event["UID"]).startswith(f"visit-{row.id}@")
    assert (row.by_hand, row.stops, row.person_name) == (True, 5, "Li")
    assert urlsplit(page.url).path == f"/field/visits/{row.id}"
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert found == []


def test_an_issue_opens_beside_the_map_and_the_list_chooses_by_keyboard(town, new_context, watch):
    page = entered(watch, new_context, town, **DESKTOP)
    page.goto(f"{town}/field?lang=en")
    page.wait_for_selector("#issue-list input[type=checkbox]")

    page.locator("#issue-list input[type=checkbox]").first.focus()
    page.keyboard.press("Space")
    expect(page.locator("#count-chosen")).to_have_text("1")
    page.locator("#issue-list .issue-row").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#view-issue .verdict-box")
    assert urlsplit(page.url).path == "/field"
    expect(page.locator("#choose-this")).to_have_attribute("aria-pressed", "true")
    assert page.locator("#view-issue .timeline, #view-issue .facts").count() >= 1
    page.keyboard.press("Escape")
    page.wait_for_selector("#view-list:not([hidden])")


def test_a_street_corridor_takes_what_lies_along_it(town, new_context, watch):
    page = entered(watch, new_context, town, **DESKTOP)
    page.goto(f"{town}/field?lang=en&at=16/29.0310/106.6505")
    page.wait_for_selector("#issue-list li[data-number]")
    page.wait_for_selector("html[data-map-ready]")
    spots = sorted((one for one in page.evaluate("() => GeoApp.visible()")), key=lambda one: (-one["y"], one["x"]))
    box = page.locator(".folium-map").bounding_box()

    page.click("#corridor")
    for spot in spots[:2]:
        page.mouse.click(box["x"] + spot["x"], box["y"] + spot["y"])
        page.wait_for_timeout(350)
    page.click("#corridor-done")
    expect(page.locator("#count-chosen")).to_have_text("2")
