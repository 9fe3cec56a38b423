"""Nobody is shut out: axe-core finds nothing on any public page, in both languages, sizes and colour schemes."""

from pathlib import Path

import pytest
from sqlalchemy import text

from geoapp.store import session
from tests.web.mappage import DESKTOP, PHONE

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "static" / "node_modules" / "axe-core" / "axe.min.js"
RULES = """async () => {
  const { violations } = await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  });
  const where = (nodes) => nodes.slice(0, 3).map((one) => one.target.join(" ")).join(" | ");
  return violations.map(({ id, nodes }) => `${id}: ${where(nodes)} ${nodes[0].failureSummary}`);
}"""
PAGES = (
    "/?at=15/29.02790/106.65100", "/?issue={number}", "/issues", "/issues/{number}", "/issues/{number}/follow",
    "/place?lat=29.0279&lon=106.651", "/place?q=古", "/report", "/about", "/developers", "/sign-in",
    "/communities/500110001005/poster", "/embed?community=500110001005", "/issues/QJ-1999-000001",
)  # fmt: skip
LOOKS = [(PHONE, "zh", "light"), (DESKTOP, "en", "dark"), (PHONE, "en", "dark"), (DESKTOP, "zh", "light")]


def an_issue_with_photos():
    with session.snapshot() as db:
        return db.execute(
            text(
                "SELECT i.number FROM issue i JOIN photo p ON p.issue_id = i.id AND p.released_at IS NOT NULL "
                "WHERE i.public_geom IS NOT NULL ORDER BY i.number LIMIT 1"
            )
        ).scalar_one()


@pytest.mark.parametrize(
    ("screen", "lang", "scheme"), LOOKS, ids=["phone-zh", "desk-en-dark", "phone-en-dark", "desk-zh"]
)
def test_axe_finds_nothing_on_any_public_page(demo_server, new_context, watch, screen, lang, scheme):  # noqa: PLR0917
    watch.expected_statuses.add(404)
    page = watch.attach(new_context(**screen, color_scheme=scheme, reduced_motion="reduce").new_page())
    number = an_issue_with_photos()
    found = {}
    for path in PAGES:
        address = path.format(number=number)
        page.goto(f"{demo_server}{address}{'&' if '?' in address else '?'}lang={lang}")
        if page.locator(".folium-map").count() and "/report" not in path:
            page.wait_for_selector("html[data-map-ready]")
        if path == "/report":
            page.wait_for_selector("html[data-report-ready]")
        page.wait_for_timeout(300)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        if wrong := page.evaluate(RULES):
            found[path] = wrong

    assert found == {}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_step_of_a_report_is_without_fault(demo_server, new_context, watch, lang):
    page = watch.attach(new_context(**PHONE).new_page())
    page.goto(f"{demo_server}/report?lang={lang}&lat=29.0279&lon=106.651&category=road")
    page.wait_for_selector("html[data-report-ready]")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(RULES)
    page.click("#step-next")
    page.wait_for_selector("#goes-to[data-at]")
    found += page.evaluate(RULES)
    page.click("#step-next")
    if page.is_visible("#edge-yes"):
        page.click("#edge-yes")
        page.click("#step-next")
    found += page.evaluate(RULES)

    assert found == []


@pytest.mark.parametrize("path", ["/issues", "/report", "/about", "/place?lat=29.0279&lon=106.651", "/sign-in"])
def test_at_two_hundred_percent_nothing_has_to_be_scrolled_sideways(demo_server, new_context, watch, path):
    page = watch.attach(new_context(viewport={"width": 640, "height": 400}).new_page())
    for width in (640, 320):
        page.set_viewport_size({"width": width, "height": 400})
        page.goto(f"{demo_server}{path}")
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
