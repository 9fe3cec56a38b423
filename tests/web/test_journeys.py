"""What visitors do, in a real browser, on the demonstration place."""

import csv
import io
import json
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect

from tests.web.mappage import DESKTOP, PHONE, MapPage

pytestmark = pytest.mark.browser

LANGS = ("zh", "en")
FILTERS = {
    "category": ["", "category=waste", "category=light.broken-street-light", "category=road.manhole-cover,water"],
    "state": ["state=open", "state=in_work,open", "state=solved", "state=dropped"],
    "place": ["community=500110001005", "community=500110003003,500110109001", "verdict=contested"],
    "unit": ["unit=municipal", "unit=cleaning,power", "verdict=near,orphan"],
    "period": ["from=2026-09-01", "from=2026-01-01&to=2026-03-31", "to=2024-12-31"],
    "mixed": [
        "category=waste&state=in_work,open",
        "category=fire&verdict=contested&to=2026-06-30",
        "category=waste&state=solved&community=500110002007",
        "unit=housing&verdict=clear&from=2025-06-01",
    ],
    "empty": ["community=500110001005&from=2026-11-20", "state=dropped&unit=lighting&verdict=orphan&from=2026-10-01"],
}


@pytest.fixture
def visit(new_context, watch, demo_server):
    """Opens the map in a context of its own: ``visit("state=open", PHONE)``."""

    def go(query="", device=DESKTOP):
        page = watch.attach(new_context(**device).new_page())
        return MapPage(page, demo_server, touch=device is PHONE).open(query)

    return go


def ask(seen, path):
    return json.loads(seen.page.request.get(f"{seen.address}{path}").body())


@pytest.mark.parametrize(("screen", "lang"), [(DESKTOP, "zh"), (PHONE, "en")], ids=["desktop-zh", "phone-en"])
def test_from_the_map_to_an_issue_and_back_nothing_is_lost(visit, screen, lang):
    seen = visit(f"lang={lang}", screen)
    page = seen.page
    assert seen.drawn() == seen.counts()[0] > 2000
    assert seen.ink("ground") > 5
    assert seen.ink("issues") > 5

    if seen.touch:
        page.tap("#open-filters")
    with seen.redrawn():
        page.click("#state-in_work")
    in_work = ask(seen, "/api/issues?state=in_work&limit=1")["numberMatched"]
    seen.eventually(lambda: seen.counts()[1], in_work)
    if seen.touch:
        page.click("#drawer-handle")
        seen.eventually(lambda: page.get_attribute("body", "data-drawer"), "peek")
        page.wait_for_timeout(300)

    issue = seen.free_issue()
    seen.press(issue)
    known = ask(seen, f"/api/issues/{issue['number']}?lang={lang}")["properties"]
    seen.eventually(lambda: page.text_content("#issue-title"), known["title"] or known["category_name"])
    expect(page.locator("#view-issue .number")).to_have_text(issue["number"])
    seen.eventually(lambda: page.locator("#view-issue .facts").count(), 1)
    assert known["category_name"] in page.text_content("#view-issue .facts")
    assert known["verdict_name"] in page.text_content("#view-issue .verdict-box")
    seen.settle()
    before, drawn = seen.parameters(), seen.visible()
    assert before["state"] == "in_work"
    assert before["issue"] == issue["number"]

    with page.expect_navigation():
        page.click("#issue-link")
    page.wait_for_selector("html[data-map-ready]")
    assert page.url.split("?")[0] == f"{seen.address}/issues/{issue['number']}"
    assert page.text_content("h1") == (known["title"] or known["category_name"])
    assert seen.ink("selection") > 1
    with page.expect_navigation():
        page.click("#back-to-map")
    page.wait_for_selector("html[data-map-ready]")
    seen.settle()
    assert seen.parameters() == before
    assert seen.shows(drawn)
    expect(page.locator("#state-in_work")).to_have_attribute("aria-pressed", "true")


def test_the_browsers_own_back_keeps_the_view_too(visit):
    seen = visit("lang=zh&state=open&at=13/29.03000/106.65000")
    page = seen.page
    before, drawn = seen.parameters(), seen.visible()

    page.click("#issue-list a >> nth=2")
    page.wait_for_selector("#view-issue .facts")
    with page.expect_navigation():
        page.click("#issue-link")
    page.go_back()
    page.wait_for_selector("#view-issue .facts")
    page.go_back()
    page.wait_for_selector("#view-list:not([hidden])")
    seen.settle()

    assert seen.parameters() == before
    assert seen.shows(drawn)


@pytest.mark.parametrize("kind", FILTERS)
def test_map_list_and_table_count_the_same(visit, kind):
    seen = visit("layers=issues")

    for query in FILTERS[kind]:
        seen.open(f"{query}&layers=issues")
        matched = ask(seen, f"/api/issues?{query}&limit=1")["numberMatched"]
        assert (matched == 0) == (kind == "empty")
        seen.eventually(lambda: (seen.drawn(), *seen.counts()), (matched,) * 3)

        table = seen.page.request.get(f"{seen.address}/issues.csv?{query}").text()
        listed = seen.page.request.get(f"{seen.address}/issues?{query}").text()
        assert len(list(csv.reader(io.StringIO(table)))) - 1 == matched
        assert f'<b id="total">{matched:,}</b>' in listed
        assert seen.page.get_attribute("#csv", "href").startswith(f"/issues.csv?{query}")


def test_filters_are_set_shown_and_taken_out_by_hand(visit):
    seen = visit("lang=en")
    page = seen.page
    every = seen.counts()[1]

    page.click("#filter-category")
    page.fill("#question-drawer .choice-search", "dumping")
    with seen.redrawn():
        page.check("#question-drawer .choice input[value='waste.dumping-site']")
    page.click("#filter-verdict")
    with seen.redrawn():
        page.check("#question-drawer .choice input[value='orphan']")
    page.click("#filter-period")
    with seen.redrawn():
        page.fill("#filter-from", "2025-01-01")
        page.press("#filter-from", "Tab")
    asked = {"category": "waste.dumping-site", "verdict": "orphan", "from": "2025-01-01"}
    matched = ask(seen, "/api/issues?limit=1&" + "&".join(f"{k}={v}" for k, v in asked.items()))["numberMatched"]

    seen.eventually(lambda: (seen.drawn(), *seen.counts()), (matched,) * 3)
    assert asked.items() <= seen.parameters().items()
    assert page.locator(".removable").all_text_contents() == ["Dumping site", "orphan", "Since 1 Jan 2025"]
    with seen.redrawn():
        page.click(".removable >> nth=0")
    assert "category" not in seen.parameters()
    with seen.redrawn():
        page.click("#clear-filters")
    seen.eventually(lambda: (seen.drawn(), *seen.counts()), (every,) * 3)


@pytest.mark.parametrize(
    ("screen", "lang", "words"), [(DESKTOP, "zh", "沱湾"), (PHONE, "en", "sidewalk")], ids=["desktop-zh", "phone-en"]
)
def test_a_search_is_typed_shown_shared_and_emptied(visit, screen, lang, words):
    seen = visit(f"lang={lang}&layers=issues", screen)
    page = seen.page
    every = seen.counts()[1]
    matched = ask(seen, f"/api/issues?q={words}&limit=1")["numberMatched"]
    assert 0 < matched < every

    if seen.touch:
        page.tap("#open-filters")
    page.focus("#search")
    with seen.redrawn():
        page.keyboard.type(words)
    seen.eventually(lambda: (seen.drawn(), *seen.counts()), (matched,) * 3)
    assert seen.parameters()["q"] == words
    assert page.locator(".removable").all_text_contents() == [f"“{words}”"]
    assert page.evaluate("document.activeElement.id") == "search"
    assert words in unquote(page.get_attribute("#csv", "href"))

    theirs = visit(page.url.split("?")[1], screen)
    assert theirs.page.input_value("#search") == words
    assert theirs.counts() == seen.counts()

    with seen.redrawn():
        page.keyboard.press("Escape")
    seen.eventually(lambda: seen.counts()[1], every)
    assert "q" not in seen.parameters()
    page.keyboard.type("zzzz")
    page.keyboard.press("Enter")
    seen.eventually(lambda: seen.counts()[1], 0)
    with seen.redrawn():
        page.click("#clear-search")
    seen.eventually(lambda: seen.counts()[1], every)
    assert page.evaluate("document.activeElement.id") == "search"


def test_a_search_on_the_list_keeps_the_other_filters(visit):
    seen = visit("lang=en")
    page = seen.page
    matched = ask(seen, "/api/issues?q=垃圾&state=open&limit=1")["numberMatched"]

    page.goto(f"{seen.address}/issues?state=open&lang=en")
    page.fill("#search", "垃圾")
    with page.expect_navigation():
        page.press("#search", "Enter")

    expect(page.locator("#total")).to_have_text(f"{matched:,}")
    assert seen.parameters()["state"] == "open"
    with page.expect_navigation():
        page.click(".search-clear")
    expect(page.locator(".search-clear")).to_have_count(0)
    expect(page.locator("#search")).to_have_value("")
    assert seen.parameters()["state"] == "open"


def test_a_link_shows_the_same_to_somebody_else(visit):
    mine = visit("lang=zh&category=waste&state=open,in_work&at=12/29.02000/106.66000")
    with mine.redrawn():
        mine.page.click("#layer-contested-land")
    mine.page.click("#layer-communities")
    mine.settle()

    theirs = visit(mine.page.url.split("?")[1])

    assert theirs.parameters() == mine.parameters()
    assert theirs.shows(mine.visible())
    assert theirs.counts() == mine.counts()
    for seen in (mine, theirs):
        switches = seen.page.locator("#legend-body input:checked").evaluate_all("all => all.map(one => one.id)")
        assert switches == ["layer-issues", "layer-contested-land", "layer-streets", "layer-district"]
        assert len(seen.page.locator(".removable").all()) == 3


def test_everything_can_be_done_from_the_keyboard(visit):
    seen = visit("lang=en")
    page = seen.page
    focused = "document.activeElement.matches({0!r})".format

    def tab_to(selector):
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate(focused(selector)):
                return
        raise AssertionError(selector)

    tab_to("#filter-verdict")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    with seen.redrawn():
        page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(page.locator("#filter-verdict")).to_be_focused()
    assert "verdict" in seen.parameters()

    tab_to("#issue-list a")
    number = page.evaluate("document.activeElement.dataset.issue")
    page.keyboard.press("Enter")
    page.wait_for_selector("#view-issue .facts")
    expect(page.locator("#issue-title")).to_be_focused()
    assert seen.parameters()["issue"] == number
    page.keyboard.press("Escape")
    page.wait_for_selector("#view-list:not([hidden])")
    seen.eventually(lambda: page.evaluate("document.activeElement.dataset.issue"), number)
    assert "issue" not in seen.parameters()

    page.focus(".folium-map")
    with seen.redrawn():
        page.keyboard.press("+")
    page.focus("#ask-whose")
    page.keyboard.press("Enter")
    expect(page.locator("#whose-note")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_selector("#view-issue .verdict-box")
    page.keyboard.press("Escape")
    page.wait_for_selector("#view-list:not([hidden])")


@pytest.mark.parametrize("lang", LANGS)
def test_pages_fit_a_phone(visit, lang):
    seen = visit(f"lang={lang}", PHONE)
    number = ask(seen, "/api/issues?limit=1")["features"][0]["properties"]["number"]
    clipped = """() => [...document.querySelectorAll("h1:not(.unseen), h2, .brand span, #top nav a, .button, .plain")]
      .filter((one) => one.checkVisibility())
      .filter((one) => {
        const { left, right } = one.getBoundingClientRect();
        return one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline"
          || one.matches(".brand span, h1, h2") && one.scrollHeight > one.clientHeight + 4
          || left < 0 || right > innerWidth;
      })
      .map((one) => one.textContent)"""

    for path in ("/", "/issues", f"/issues/{number}", "/about"):
        seen.page.goto(f"{seen.address}{path}?lang={lang}")
        seen.page.wait_for_timeout(100)
        width = seen.page.evaluate("document.documentElement.scrollWidth")

        assert (path, width) == (path, 390)
        assert (path, seen.page.evaluate(clipped)) == (path, [])


@pytest.mark.parametrize("lang", LANGS)
def test_the_drawer_of_a_phone_opens_reads_and_closes(visit, lang):
    seen = visit(f"lang={lang}", PHONE)
    page = seen.page

    page.tap("#drawer-handle")
    seen.eventually(lambda: page.get_attribute("body", "data-drawer"), "half")
    page.wait_for_timeout(300)
    page.tap("#issue-list a >> nth=0")
    page.wait_for_selector("#view-issue .facts")
    spot = page.evaluate("innerHeight") / 2
    page.tap("#view-issue .back")
    page.wait_for_selector("#view-list:not([hidden])", state="attached")
    seen.eventually(lambda: page.get_attribute("body", "data-drawer"), "peek")

    seen.until(lambda: page.locator("#panel").bounding_box()["y"] > spot)
