"""On a base map in GCJ-02 our data, stored in WGS-84, are shifted for display: exactly once."""

import csv
import math
import sqlite3
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from geoapp.domain.geometry import gcj02_to_wgs84, wgs84_to_gcj02
from geoapp.domain.values import Point
from tests.builders import CENTRE, a_category, a_place, an_issue, square, store
from tests.web.mappage import DESKTOP, MapPage

pytestmark = pytest.mark.browser

ZOOM = 16
PIXEL_DEG = 360 / (256 << ZOOM)
VECTORS = Path(__file__).parents[1] / "data" / "gcj02_bd09_vectors.csv"
OTHER = Point(106.6527, 29.0287)
REVIEW, CREDIT = "GS(2026)0001号", "© <b>某图</b> & Co"


def grey_tile() -> bytes:
    """A 256 x 256 PNG of one grey."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 256, 256, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\xdd" * 256) * 256)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def on_base(place: Point) -> tuple[float, float]:
    """World pixel of a place on the base map."""
    lon, lat = wgs84_to_gcj02(place.lon, place.lat)
    size, sine = 256 << ZOOM, math.sin(math.radians(lat))
    return (lon / 360 + 0.5) * size, (0.5 - math.log((1 + sine) / (1 - sine)) / (4 * math.pi)) * size


@pytest.fixture
def settings(settings, tmp_path):
    """A base map of grey tiles about the centre, one zoom deep."""
    file = tmp_path / "base.mbtiles"
    column, row = (int(pixel // 256) for pixel in on_base(CENTRE))
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE tiles (zoom_level, tile_column, tile_row, tile_data)")
        around = [(column + i, row + j) for i in range(-8, 9) for j in range(-8, 9)]
        tile = grey_tile()
        db.executemany(
            "INSERT INTO tiles VALUES (?, ?, ?, ?)", [(ZOOM, x, (1 << ZOOM) - 1 - y, tile) for x, y in around]
        )
    db.close()
    return replace(
        settings,
        basemap=str(file),
        basemap_crs="gcj02",
        basemap_attribution=CREDIT,
        map_review_no=REVIEW,
    )


@pytest.fixture
def seen(live_server, new_context, watch):
    a_category()
    a_place("A", square(106.648, 29.028, 0.006))
    store(an_issue("1"), an_issue("2", point=OTHER))
    page = watch.attach(new_context(**DESKTOP).new_page())
    return MapPage(page, live_server).open(f"lang=zh&at={ZOOM}/{CENTRE.lat:.5f}/{CENTRE.lon:.5f}")


def on_screen(seen, place: Point) -> tuple[float, float]:
    """Where the base map shows a place, found through the very picture that shows it."""
    x, y = on_base(place)
    picture = seen.page.locator(f"img[src$='/base/{ZOOM}/{int(x // 256)}/{int(y // 256)}']")
    box = picture.bounding_box()
    return box["x"] + x % 256, box["y"] + y % 256


def test_issues_lie_where_the_base_map_shows_their_place(seen):
    drawn = {(round(one["lon"], 3), round(one["lat"], 3)): one for one in seen.visible()}

    for place in (CENTRE, OTHER):
        issue = drawn[round(place.lon, 3), round(place.lat, 3)]
        assert seen.place(issue) == pytest.approx(on_screen(seen, place), abs=1)
        ink = seen.pixels("issues", issue["x"] - 2, issue["y"] - 2, 4, 4)
        assert all(pixel[3] == 255 for pixel in ink)
    assert seen.counts() == (2, 2)


def test_boundaries_lie_where_the_base_map_shows_them(seen):
    corner = Point(106.648, 29.031)
    frame = seen.page.locator(".folium-map").bounding_box()
    x, y = on_screen(seen, corner)

    row = seen.pixels("ground", x - frame["x"] - 30, y - frame["y"], 61, 1)
    inked = [i - 30 for i, pixel in enumerate(row) if pixel[3] > 60]
    assert inked
    assert max(map(abs, inked)) <= 2


def test_the_address_and_a_click_speak_wgs84(seen):
    lat, lon = seen.parameters()["at"].split("/")[1:]
    assert (float(lon), float(lat)) == pytest.approx((CENTRE.lon, CENTRE.lat), abs=PIXEL_DEG)

    seen.page.click("#ask-whose")
    with seen.page.expect_request("**/api/whose*") as asked:
        seen.page.mouse.click(*on_screen(seen, OTHER))
    said = parse_qs(urlsplit(asked.value.url).query)
    assert float(said["lon"][0]) == pytest.approx(OTHER.lon, abs=PIXEL_DEG)
    assert float(said["lat"][0]) == pytest.approx(OTHER.lat, abs=PIXEL_DEG)
    seen.page.wait_for_selector("#view-issue .verdict-box")
    expect(seen.page.locator("#view-issue")).to_contain_text("社区A")


def test_review_number_and_attribution_are_printed_on_every_map(seen):
    for page in ("/", f"/issues/{seen.visible()[0]['number']}"):
        seen.page.goto(f"{seen.address}{page}?lang=zh&at={ZOOM}/{CENTRE.lat}/{CENTRE.lon}")
        seen.page.wait_for_selector("html[data-map-ready]")
        printed = seen.page.locator(".leaflet-control-attribution")

        assert printed.is_visible()
        assert f"审图号：{REVIEW}" in printed.text_content()
        assert CREDIT in printed.text_content()


def test_the_browser_shifts_as_the_server_does(seen):
    with VECTORS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["wgs84_lng"] and row["gcj02_lng"]]
    wgs = [(float(row["wgs84_lng"]), float(row["wgs84_lat"])) for row in rows]
    gcj = [(float(row["gcj02_lng"]), float(row["gcj02_lat"])) for row in rows]

    there, back = seen.page.evaluate(
        """async ([wgs, gcj]) => {
          const { toGcj02, fromGcj02 } = await import("/static/js/gcj02.js");
          const move = (how) => ([lon, lat]) => how(lat, lon).reverse();
          return [wgs.map(move(toGcj02)), gcj.map(move(fromGcj02))];
        }""",
        [wgs, gcj],
    )

    for start, end, forth, home in zip(wgs, gcj, there, back, strict=True):
        assert forth == pytest.approx(wgs84_to_gcj02(*start), abs=1e-9)
        assert forth == pytest.approx(end, abs=1e-5)
        assert home == pytest.approx(gcj02_to_wgs84(*end), abs=1e-9)
