"""What a planner does, in a real browser, on the demonstration place: from a planted cluster to a project."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from geoapp.app import create_app
from geoapp.demo.planted import CLUSTERS
from geoapp.domain.values import OPERATOR
from geoapp.services import accounts
from geoapp.store import session
from tests.conftest import serving
from tests.web.mappage import DESKTOP, PHONE
from tests.web.test_accessibility import AXE, RULES

pytestmark = pytest.mark.browser
SECRET = "paving stones 62"  # noqa: S105
PATIENCE_MS = 60_000
PAGES = (
    ("/planning?analysis=compare&cells=unit&lang=zh", DESKTOP, "light"),
    ("/planning?analysis=density&lang=en&place=500110001", PHONE, "dark"),
    ("/planning?analysis=trends&lang=zh&cell=2000&place=500110004", PHONE, "light"),
    ("/planning?analysis=hotspots&lang=en&cell=2000", DESKTOP, "dark"),
    ("/planning/cases?analysis=hotspots&part=all&cell=2000&lang=zh", DESKTOP, "dark"),
    ("/planning/crew?lang=en&unit=500110110&share=nearest", PHONE, "light"),
    ("/planning/crew?lang=zh&unit=500110110&from_lat=28.7&from_lon=106.7", DESKTOP, "dark"),
)
PLANTED = next(one for one in CLUSTERS if one.name == "leaking towers of Wansheng")


@pytest.fixture
def visit(new_context, watch, server, settings, demo_database):
    """A browser of somebody, on a copy of the demonstration that may be changed."""
    app = create_app(replace(settings, database_url=server.clone("demo", "planning"), data_dir=server.home))
    assert demo_database
    for login, role, where in (("planner", "planner", {}), ("secretary", "secretary", {"place": PLANTED.street})):
        accounts.add(OPERATOR, login, login, SECRET)
        accounts.grant(OPERATOR, login, role, **where)
    with serving(app) as address:

        def go(login, path, screen=DESKTOP, **how):
            context = new_context(**screen, **how)
            token = accounts.sign_in(login, SECRET, address=login, browser="", now=datetime.now(UTC)).token
            context.add_cookies([{"name": "geoapp", "value": token, "url": address}])
            page = watch.attach(context.new_page())
            page.set_default_timeout(PATIENCE_MS)
            page.goto(f"{address}{path}")
            return page

        yield go
    session.disconnect()


def drawn(page):
    page.wait_for_selector("html[data-plan-ready]", state="attached")
    return page


def test_a_planted_cluster_is_found_opened_and_made_a_project_that_its_secretary_sees(visit):
    page = drawn(visit("planner", f"/planning?analysis=clusters&each=1&lang=zh&place={PLANTED.street}"))

    row = page.locator("#part-clusters tr", has_text="消防管网漏水").first
    said = int(row.locator("td a").first.inner_text())
    assert PLANTED.count * 0.7 <= said <= PLANTED.count * 1.5
    row.locator("button.plan-find").click()
    expect(page.locator(".plan-popup")).to_contain_text(f"查看 {said} 个问题")
    with page.expect_navigation():
        page.locator(".plan-popup a").first.click()
    expect(page.locator("#case-count")).to_have_text(str(said))
    expect(page.locator("table.issues tbody tr")).to_have_count(said)

    with page.expect_navigation():
        page.get_by_role("link", name="立项").click()
    drawn(page)
    page.get_by_label("项目名称").fill("万盛楼栋消防管网改造")
    with page.expect_navigation():
        page.get_by_role("button", name="立项").click()
    expect(page.locator("h1")).to_contain_text("万盛楼栋消防管网改造")
    expect(page.locator("li[data-number]")).to_have_count(said)

    own = visit("secretary", "/lists?in=projects&lang=zh")
    expect(own.get_by_role("link", name="万盛楼栋消防管网改造")).to_have_count(1)
    own.goto(own.url.partition("/lists")[0] + "/planning?analysis=compare&lang=zh")
    drawn(own)
    titles = own.evaluate(
        "async () => (await (await fetch('/lists/projects.json')).json()).features.map((one) => one.properties.title)"
    )
    assert "万盛楼栋消防管网改造" in titles
    assert own.locator("input[name='place'][value='500110001']").count() == 0


def test_months_play_and_a_link_shows_the_same_month(visit):
    page = drawn(visit("planner", "/planning?analysis=trends&lang=en&cell=1000&month=2026-03"))

    expect(page.locator("#plan-month-said")).to_have_text("2026-03")
    page.locator("#plan-month").press("ArrowRight")
    expect(page.locator("#plan-month-said")).to_have_text("2026-04")
    expect(page).to_have_url(re.compile("month=2026-04"))
    page.get_by_role("button", name="Play").click()
    page.locator("#plan-month-said", has_text="2026-05").wait_for()


def test_a_crew_is_moved_by_hand_and_by_keyboard_and_the_figures_follow(visit):
    page = visit("planner", "/planning/crew?lang=en&unit=500110110")
    page.wait_for_selector("html[data-crew-ready='0']", state="attached")
    row = page.locator("#crew-table tbody tr").first.locator("td")
    stood = row.nth(1).inner_text().split(" → ")
    assert stood[0] == stood[1]

    pin = page.locator(".crew-base.after")
    box = pin.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] - 90, steps=6)
    page.mouse.up()
    page.wait_for_selector("html[data-crew-ready='1']", state="attached")
    dragged = row.nth(1).inner_text().split(" → ")
    assert dragged[0] == stood[0]
    assert dragged[1] != stood[1]
    expect(page).to_have_url(re.compile("to_lat="))

    page.locator(".crew-base.after").focus()
    before = page.locator("#to_lat").input_value()
    page.keyboard.press("ArrowUp")
    page.wait_for_selector("html[data-crew-ready='2']", state="attached")
    assert float(page.locator("#to_lat").input_value()) > float(before)
    moved = row.nth(1).inner_text()
    page.reload()
    expect(row.nth(1)).to_have_text(moved)


def test_shapes_are_walked_by_keyboard_and_the_bandwidth_is_slid(visit):
    page = drawn(visit("planner", "/planning?analysis=density&lang=en&place=500110001"))

    page.locator("#plan-after").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#plan-at")).to_have_text(re.compile("^2 of "))
    said = page.locator("#plan-open").inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/planning/cases**")
    assert page.locator("#case-count").inner_text() in said

    page.go_back()
    rule = int(page.locator("#plan-slide").get_attribute("data-rule"))
    page.locator("#plan-width").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**bandwidth=**")
    drawn(page)
    assert 0.9 * rule < int(page.locator("[name=bandwidth]").input_value()) < rule
    page.get_by_role("button", name="Scott's rule").click()
    page.wait_for_url(lambda url: "bandwidth=&" in url or "bandwidth=" not in url)


def test_axe_finds_nothing_on_the_planners_pages(visit):
    found = {}
    for path, screen, look in PAGES:
        page = visit("planner", path, screen, color_scheme=look, reduced_motion="reduce")
        if "/crew" in path:
            page.wait_for_selector("html[data-crew-ready]", state="attached")
        elif "/cases" not in path:
            drawn(page)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        if wrong := page.evaluate(RULES):
            found[path] = wrong
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[path] = [*found.get(path, []), "has to be scrolled sideways"]
        page.close()

    assert found == {}


@pytest.mark.parametrize("analysis", ["hotspots", "compare"])
def test_on_a_phone_it_can_be_asked_and_read(visit, analysis):
    page = drawn(visit("planner", f"/planning?analysis={analysis}&lang=en&place=500110004", PHONE))

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#plan-legend li").count() > 0
    assert page.get_by_role("button", name="Analyse").bounding_box()["height"] >= 44
