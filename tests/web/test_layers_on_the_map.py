"""Layer control, legend and hatching, on a small place whose pixels are known."""

import re

import pytest
from playwright.sync_api import expect

from geoapp.domain.values import Name, Point
from tests.builders import a_category, a_jurisdiction, a_place, an_issue, square, store
from tests.web.mappage import DESKTOP, MapPage

pytestmark = pytest.mark.browser

ALL = {
    "layer-issues",
    "layer-orphan-land",
    "layer-roads",
    "layer-contested-land",
    "layer-jurisdictions",
    "layer-streets",
    "layer-communities",
    "layer-district",
}
STEP = 12
SPOTS = {"contested": Point(106.65, 29.03), "orphan": Point(106.67, 29.03), "clear": Point(106.632, 29.03)}


@pytest.fixture
def seen(live_server, new_context, watch):
    """West: two units claim the middle square, one alone lies left of it; east: a community without any unit."""
    a_category()
    a_place("D", square(106.60, 29.00, 0.1), kind="district", name=Name("试区", "Test district"))
    a_place("W", square(106.63, 29.02, 0.03))
    a_place("E", square(106.66, 29.02, 0.03))
    a_jurisdiction("city", square(106.63, 29.02, 0.03))
    a_jurisdiction("estate", square(106.64, 29.02, 0.02))
    store(an_issue("1", point=SPOTS["contested"]))
    page = watch.attach(new_context(**DESKTOP).new_page())
    return MapPage(page, live_server).open("lang=en&at=14/29.03000/106.65000")


def around(seen, spot, side=4 * STEP):
    """Pixels of the ground about a place, as a square of rows; north-east of it, where no symbol stands."""
    x, y = seen.page.evaluate(
        """([lat, lon]) => {
          const [issue] = GeoApp.visible();
          const world = (a, o) => {
            const size = 256 * 2 ** 14, s = Math.sin((a * Math.PI) / 180);
            return [(o / 360 + 0.5) * size, (0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI)) * size];
          };
          const [x, y] = world(lat, lon), [ix, iy] = world(issue.lat, issue.lon);
          return [issue.x + x - ix, issue.y + y - iy];
        }""",
        [spot.lat, spot.lon],
    )
    flat = seen.pixels("ground", x + 20, y - 20 - side, side, side)
    return [flat[row * side : (row + 1) * side] for row in range(side)]


def marks(rows):
    """Pixels that stand out from the ground, row by row."""
    ground = max((tuple(pixel) for row in rows for pixel in row), key=[tuple(p) for r in rows for p in r].count)
    return [[sum(abs(a - b) for a, b in zip(pixel, ground, strict=True)) > 30 for pixel in row] for row in rows]


def test_switches_show_and_hide_layers_and_the_address_tells_it(seen):
    page = seen.page
    switches = page.locator("#legend-body input[role=switch]")
    assert set(switches.evaluate_all("all => all.map(one => one.id)")) == ALL
    plain = around(seen, SPOTS["clear"])

    with seen.redrawn():
        page.click("#layer-jurisdictions")
    shown = around(seen, SPOTS["clear"])
    assert "jurisdictions" in seen.parameters()["layers"].split(",")
    with seen.redrawn():
        page.click("#layer-jurisdictions")

    assert shown != plain
    assert around(seen, SPOTS["clear"]) == plain
    assert "layers" not in seen.parameters()
    page.click("#layer-issues")
    seen.eventually(seen.visible, [])


def test_the_legend_names_every_layer_and_what_its_marks_mean(seen):
    words = seen.page.text_content("#legend-body")

    for name in (
        "Issues",
        "Orphan land",
        "Contested land",
        "Jurisdictions of units",
        "Streets",
        "Communities",
        "Roads",
    ):
        assert name in words
    for name in ("open", "in work", "solved", "not pursued", "near the edge", "contested", "orphan"):
        assert name in words
    seen.page.click("#legend-toggle")
    expect(seen.page.locator("#legend-body")).to_be_hidden()


def test_contested_land_is_hatched_with_lines_and_only_there(seen):
    with seen.redrawn():
        seen.page.click("#layer-contested-land")

    here = marks(around(seen, SPOTS["contested"]))
    for row in here:
        strokes = sum(after and not before for before, after in zip([False, *row], row, strict=False))
        assert strokes in {3, 4, 5}
    for spot in ("orphan", "clear"):
        assert not any(map(any, marks(around(seen, SPOTS[spot]))))


def test_orphan_land_is_hatched_with_dots_and_only_there(seen):
    with seen.redrawn():
        seen.page.click("#layer-orphan-land")

    here = marks(around(seen, SPOTS["orphan"]))
    share = sum(map(sum, here)) / (48 * 48)
    assert 0.03 < share < 0.25
    assert any(not any(row) for row in here)
    for spot in ("contested", "clear"):
        assert not any(map(any, marks(around(seen, SPOTS[spot]))))


def test_no_tile_is_asked_for_where_a_layer_has_nothing(live_server, new_context, watch):
    """Nothing of a layer lies beyond its extent; an issue may lie beyond all places, and then is found there."""
    a_category()
    a_place("D", square(106.60, 29.00, 0.1), kind="district", name=Name("试区", "Test district"))
    a_place("W", square(106.63, 29.02, 0.03))
    store(an_issue("1", point=Point(106.64, 29.03)), an_issue("2", point=Point(107.95, 29.03)))
    page = watch.attach(new_context(**DESKTOP).new_page())
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    seen = MapPage(page, live_server).open("lang=en&at=10/29.03000/106.65000")
    tiles = [tuple(map(int, re.findall(r"\d+", url.partition("/tiles/")[2])[:3])) for url in asked if "/tiles/" in url]
    kinds = {url.partition("/tiles/")[2].partition("/")[0] for url in asked if "/tiles/" in url}

    assert {"issues", "district"} <= kinds
    assert {column for _, column, _ in tiles if column < 815} == set()
    assert {column for url in asked for column in re.findall(r"/tiles/district/10/(\d+)", url)} == {"815"}
    assert {one["number"] for one in seen.page.evaluate("GeoApp.visible()")} == {"QJ-2026-000001"}
    seen.page.goto(f"{live_server}/?lang=en&at=12/29.03000/107.95000")
    seen.until(lambda: seen.page.evaluate("GeoApp.visible().map((one) => one.number)") == ["QJ-2026-000002"])
