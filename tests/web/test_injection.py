"""What people write is shown as they wrote it, wherever it appears, and never runs."""

import pytest

from geoapp.domain.values import Name, Point
from tests.builders import a_category, a_jurisdiction, a_place, an_issue, square, store
from tests.web.mappage import DESKTOP, MapPage

pytestmark = pytest.mark.browser

PAYLOADS = [
    "${globalThis.hit=1}",
    "`+(globalThis.hit=1)+`",
    "<script>globalThis.hit=1</script>",
    "</script><script>globalThis.hit=1</script><!--",
    "<img src=x onerror=globalThis.hit=1>",
    '"><svg onload=globalThis.hit=1>',
    "';globalThis.hit=1;alert(1)//",
    "{{ config }}{% raw %}&lt;b&gt;\\u003cscript\\u003e",
    "javascript:alert(1)//\u2028globalThis.hit=1",
]
WEST, SOUTH, SIDE = 106.64, 29.02, 0.004


@pytest.fixture
def seen(live_server, new_context, watch):
    """Nine communities in a square; in each an issue whose every word, category, unit and place is one payload."""
    issues = []
    for i, payload in enumerate(PAYLOADS):
        west, south = WEST + i % 3 * SIDE, SOUTH + i // 3 * SIDE
        name, area = Name(payload, payload), square(west, south, SIDE)
        a_category(f"c{i}", payload, payload)
        a_place(f"p{i}", area, name=name)
        a_jurisdiction(f"u{i}", area, name=name)
        words = {"title": payload, "text": payload, "address": payload}
        point = Point(west + SIDE / 2, south + SIDE / 2)
        issues.append(an_issue(str(i), category=f"c{i}", point=point, unit=f"u{i}", **words))
    store(*issues)
    page = watch.attach(new_context(**DESKTOP).new_page())
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    yield MapPage(page, live_server).open("lang=zh&at=15/29.02600/106.64600&layers=issues,communities,jurisdictions")
    assert dialogs == []


def shown(seen, selector):
    return seen.page.locator(selector).all_text_contents()


def inert(seen):
    return seen.page.evaluate("globalThis.hit === undefined")


def test_on_the_map_in_tooltip_panel_and_list(seen):
    page = seen.page
    assert sorted(shown(seen, "#issue-list .issue-title")) == sorted(PAYLOADS)

    drawn = seen.visible()
    assert len(drawn) == len(PAYLOADS)
    for issue in drawn:
        page.mouse.move(*seen.place(issue))
        seen.until(lambda issue=issue: page.text_content("#tooltip").endswith(issue["number"]))
        category = page.text_content("#tooltip b")
        assert category in PAYLOADS
        seen.press(issue)
        page.wait_for_selector(f"#view-issue:has(.facts) .number:text-is('{issue['number']}')")

        for selector in ("#issue-title", "#view-issue .issue-text", "#view-issue .candidates b"):
            assert (selector, page.text_content(selector)) == (selector, category)
        facts = shown(seen, "#view-issue .facts dd")
        assert facts.count(category) == 4  # category, community, unit, address
        seen.until(lambda category=category: page.title().startswith(f"{category} · "))
    assert inert(seen)


def test_in_the_filter_and_in_whose_place_it_is(seen):
    page = seen.page

    for question in ("category", "community", "unit"):
        page.click(f"#filter-{question}")
        seen.eventually(lambda: sorted(shown(seen, "#question-drawer .choice-name")), sorted(PAYLOADS))
        for payload in PAYLOADS:
            page.fill("#question-drawer .choice-search", payload)
            seen.until(lambda payload=payload: payload in shown(seen, "#question-drawer .choice-name"))
    assert inert(seen)
    for key, letter in (("category", "c"), ("community", "p"), ("unit", "u")):
        seen.open("at=15/29.02600/106.64600&" + key + "=" + ",".join(f"{letter}{i}" for i in range(len(PAYLOADS))))
        assert sorted(shown(seen, ".removable")) == sorted(PAYLOADS)
        assert inert(seen)

    for issue in seen.visible():
        page.click("#ask-whose")
        seen.press({"x": issue["x"] + 30, "y": issue["y"] + 30})
        page.wait_for_selector("#view-issue .verdict-box")
        assert page.text_content("#view-issue .facts dd") in PAYLOADS
        assert page.text_content("#view-issue .candidates b") in PAYLOADS
    assert inert(seen)


def test_on_the_list_and_on_an_issues_own_page(seen):
    page = seen.page

    page.goto(f"{seen.address}/issues?lang=zh&category=c0&community=p0&unit=u0")
    assert shown(seen, ".what a") == PAYLOADS[:1]
    page.goto(f"{seen.address}/issues?lang=zh")
    assert sorted(shown(seen, ".what a")) == sorted(PAYLOADS)
    for box in page.locator(".filter-form details").all()[:3]:
        assert sorted(box.locator(".choice-name").all_text_contents()) == sorted(PAYLOADS)
    assert inert(seen)

    links = page.locator(".what a").evaluate_all("all => all.map(one => one.href)")
    for link in links:
        page.goto(link)
        page.wait_for_selector("html[data-map-ready]")
        title = page.text_content("h1")
        assert title in PAYLOADS
        assert page.text_content(".issue-text") == title
        assert shown(seen, ".candidates b") == [title]
        assert shown(seen, ".facts dd").count(title) == 4
        assert inert(seen)
