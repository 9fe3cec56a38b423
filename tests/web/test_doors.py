import csv
import io
import json

import mapbox_vector_tile
import pytest

from geoapp.domain.tiles import Tile, mercator
from geoapp.domain.values import IssueState, Name, Point, Privacy
from tests.builders import CENTRE, NOON, a_category, a_jurisdiction, a_place, an_issue, square, store

WRONG = [
    ("bbox=1,2,3", "bbox", 400),
    ("bbox=a,b,c,d", "bbox", 400),
    ("bbox=nan,0,1,1", "bbox", 400),
    ("bbox=5,0,1,1", "bbox", 400),
    ("bbox=0,0,999,1", "bbox", 422),
    ("state=broken", "state", 400),
    ("verdict=mine", "verdict", 400),
    ("category=none", "category", 400),
    ("community=none", "community", 400),
    ("unit=none", "unit", 400),
    ("from=yesterday", "from", 400),
    ("from=2026-13-01", "from", 400),
    ("to=0001-01-01", "to", 400),
    ("from=2026-02-01&to=2026-01-01", "to", 400),
    ("limit=-1", "limit", 400),
    ("limit=1000000", "limit", 400),
    ("limit=ten", "limit", 400),
    ("after=%00", "after", 400),
    ("after=bm9uc2Vuc2U", "after", 400),
    ("category=" + "x" * 500, "category", 400),
    ("category=a%00b", "category", 400),
    ("q=a%00b", "q", 400),
    ("q=" + "x" * 101, "q", 400),
]


@pytest.fixture
def place(client):
    """Two communities side by side, overlapping jurisdictions, and six issues of all kinds."""
    a_category()
    a_category("road.sidewalk", "人行道", "Sidewalk", parent="road")
    a_category("waste", "垃圾", "Waste")
    a_place("A", square(106.64, 29.02))
    a_place("B", square(106.66, 29.02))
    a_jurisdiction("city", square(106.64, 29.02, 0.04), categories=("road",))
    a_jurisdiction("estate", square(106.655, 29.025, 0.01))
    store(
        an_issue("1"),
        an_issue("2", state=IssueState.CLOSED, ended_at=NOON, category="road.sidewalk"),
        an_issue("3", point=Point(106.66, 29.03), state=IssueState.HANDLING, unit="city"),
        an_issue("4", point=Point(106.645, 29.035), category="waste"),
        an_issue("hidden", privacy=Privacy.PRIVATE, title="机密"),
        an_issue("blurred", privacy=Privacy.BLURRED, title="模糊", address="秘密路 1 号"),
    )
    return client


@pytest.mark.parametrize(("query", "field", "status"), WRONG)
def test_a_wrong_parameter_is_named(place, query, field, status):
    answer = place.get(f"/api/issues?{query}")

    assert answer.status_code == status
    assert answer.json["error"]["field"] == field
    assert answer.json["error"]["message"]


@pytest.mark.parametrize("door", ["/issues", "/issues.csv"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_refuse_wrong_parameters_in_words(place, door, lang):
    answer = place.get(f"{door}?from=yesterday&lang={lang}", headers={"Accept": "text/html"})

    assert answer.status_code == 400
    assert ("应为日期" if lang == "zh" else "must be a day") in answer.text


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/tiles/issues/3/9/0.mvt", 422),
        ("/tiles/issues/99/0/0.mvt", 422),
        ("/tiles/issues/x/0/0.mvt", 400),
        ("/tiles/issues/1/0/-1.mvt", 400),
        ("/tiles/none/1/0/0.mvt", 404),
        ("/tiles/none.json", 404),
        ("/tiles/issues/3/1/1.mvt?state=x", 400),
        ("/api/issues/QJ-2026-999999", 404),
        ("/api/whose?lat=29", 400),
        ("/api/whose?lat=106&lon=29", 422),
        ("/api/whose?lat=29&lon=106.6&category=x", 400),
        ("/api/layers/none/features", 404),
        ("/api/duplicates?lat=29", 400),
        ("/api/duplicates?lat=29&lon=106.6&category=x", 400),
        ("/api/duplicates?lat=29&lon=106.6&text=%00", 400),
        ("/tiles/issues/3/1/1.mvt?q=%00", 400),
        ("/issues/none", 404),
        ("/no/such/page", 404),
        ("/static/../geoapp/config.py", 404),
        ("/static/secret.txt", 404),
        ("/base/1/0/0", 404),
    ],
)
def test_what_is_not_there_is_said_with_its_status(place, address, status):
    assert place.get(address).status_code == status


@pytest.mark.parametrize(
    "query",
    ["", "state=open", "state=in_work,solved", "state=closed", "category=road", "category=waste",
     "community=A", "unit=city", "unit=estate", "verdict=contested", "verdict=orphan", "to=2026-09-30",
     "from=2026-10-01&to=2026-10-01",     "category=road&state=open&community=A",
     "q=破损", "q=路", "q=broken", "q=%25", "q=QJ-2026-000003", "q=道路&state=open", "q=机密", "q=秘密路", "q=社区B"],
)  # fmt: skip
def test_list_csv_api_and_tiles_always_give_the_same_count(place, query):
    matched = place.get(f"/api/issues?{query}").json["numberMatched"]
    rows = list(csv.reader(io.StringIO(place.get(f"/issues.csv?{query}").text)))[1:]
    page = place.get(f"/issues?{query}").text
    tiles = sum(
        feature["properties"]["n"]
        for x in (101, 102, 103)
        for y in (51, 52, 53, 54)
        for feature in features(place.get(f"/tiles/issues/7/{x}/{y}.mvt?{query}").data)
    )

    assert len(rows) == matched
    assert f'<b id="total">{matched}</b>' in page
    assert tiles == matched


def test_a_search_is_kept_in_every_link_of_the_list(place):
    page = place.get("/issues?q=破损&state=open&lang=zh").text

    assert 'name="q" id="search" value="破损"' in page
    for link in ("/issues.csv?q=%E7%A0%B4%E6%8D%9F&amp;state=open", "/?q=%E7%A0%B4%E6%8D%9F&amp;state=open"):
        assert f'href="{link}' in page
    assert 'class="search-clear" href="/issues?state=open&amp;lang=zh"' in page


@pytest.mark.parametrize("words", ["机密", "秘密路", "未发布"])
def test_no_door_finds_by_words_that_are_hidden(place, words):
    store(an_issue("later", title="未发布", text="未发布", text_released=False))

    assert place.get(f"/api/issues?q={words}").json["numberMatched"] == 0
    assert '<b id="total">0</b>' in place.get(f"/issues?q={words}").text
    assert len(place.get(f"/issues.csv?q={words}").text.splitlines()) == 1
    assert features(place.get(tile_of(CENTRE, 7) + f"?q={words}").data) == []


def test_a_tile_of_a_search_is_another_tile(place):
    tile = tile_of(CENTRE, 14)
    every = place.get(tile)
    searched = place.get(f"{tile}?q=模糊", headers={"If-None-Match": every.headers["ETag"]})

    assert searched.status_code == 200
    assert sum(f["properties"]["n"] for f in features(searched.data)) == 1


def test_possible_duplicates_are_told_with_their_reasons(place):
    answer = place.get(f"/api/duplicates?lat={CENTRE.lat}&lon={CENTRE.lon}&category=road&text=人行道破损&lang=en").json
    titles = [found["properties"]["title"] for found in answer["features"]]
    first = answer["features"][0]["properties"]["likeness"]

    assert answer["threshold"] == 0.5
    assert "人行道破损 1" in titles
    assert "机密" not in titles
    assert first["distance_m"] == 0
    assert first["reason"].startswith("the same category, 0 m away, at the same time, words ")


def features(body: bytes) -> list[dict]:
    return [feature for layer in mapbox_vector_tile.decode(body).values() for feature in layer["features"]]


def test_paging_visits_every_issue_once(place):
    seen, after = [], ""
    while after is not None:
        answer = place.get(f"/api/issues?limit=2&after={after}").json
        seen += [feature["properties"]["number"] for feature in answer["features"]]
        after = answer["next"]

    assert len(seen) == len(set(seen)) == 5


def test_a_box_is_half_open_so_neighbours_share_no_issue(place):
    west = place.get("/api/issues?bbox=106.64,29.02,106.65,29.04").json["numberMatched"]
    east = place.get("/api/issues?bbox=106.65,29.02,106.67,29.04").json["numberMatched"]
    both = place.get("/api/issues?bbox=106.64,29.02,106.67,29.04").json["numberMatched"]

    assert west + east == both == 5


@pytest.mark.parametrize("door", ["/issues", "/issues.csv", "/api/issues?limit=1000", "/?x=1"])
def test_a_private_issue_is_behind_no_door(place, door):
    assert "机密" not in place.get(door).text


def test_a_private_issue_is_not_found_by_its_number(place):
    numbers = {feature["properties"]["number"] for feature in place.get("/api/issues").json["features"]}
    missing = {f"QJ-2026-{serial:06d}" for serial in range(1, 7)} - numbers

    assert len(missing) == 1
    for number in missing:
        assert place.get(f"/api/issues/{number}").status_code == 404
        assert place.get(f"/issues/{number}").status_code == 404


def test_a_blurred_issue_shows_a_point_of_the_grid_and_no_address(place):
    found = next(f for f in place.get("/api/issues").json["features"] if f["properties"]["title"] == "模糊")
    whole = place.get(f"/api/issues/{found['id']}").json

    assert found["geometry"]["coordinates"] != [CENTRE.lon, CENTRE.lat]
    assert whole["geometry"] == found["geometry"]
    assert whole["properties"]["address"] == ""
    assert whole["properties"]["extent"] is None
    assert "秘密路" not in place.get(f"/issues/{found['properties']['number']}").text


def test_text_appears_only_after_its_release(client):
    a_category()
    store(an_issue("1", title="未发布的标题", text="未发布的说明", text_released=False))

    answer = client.get("/api/issues").json["features"][0]
    page = client.get(f"/issues/{answer['properties']['number']}").text

    assert answer["properties"]["title"] == "道路"
    assert "未发布" not in page


def test_whose_says_unit_reason_and_distance(place):
    answer = place.get("/api/whose?lat=29.03&lon=106.66&category=road&lang=en").json

    assert answer["verdict"] == "contested"
    assert [one["unit"] for one in answer["candidates"]] == ["city", "estate"] or answer["candidates"][0]["inside"]
    assert all("inside it" in one["reason"] for one in answer["candidates"])
    assert answer["candidates"][0]["edge_m"] > 0
    assert answer["community"]["code"] in {"A", "B"}


def test_whose_of_nobodys_land_is_orphan(place):
    answer = place.get("/api/whose?lat=28&lon=106").json

    assert answer["verdict"] == "orphan"
    assert answer["community"] is None
    assert answer["candidates"] == []


def test_a_tile_is_answered_304_until_an_issue_changes(place):
    tile = tile_of(CENTRE, 14)
    first = place.get(tile)
    again = place.get(tile, headers={"If-None-Match": first.headers["ETag"]})
    store(an_issue("new"))
    later = place.get(tile, headers={"If-None-Match": first.headers["ETag"]})

    assert first.status_code == 200
    assert again.status_code == 304
    assert again.data == b""
    assert later.status_code == 200


def tile_of(point: Point, zoom: int) -> str:
    x, y = mercator(point.lon, point.lat)
    side = 40075016.685578488 / (1 << zoom)
    tile = Tile(zoom, int((x + 20037508.342789244) / side), int((20037508.342789244 - y) / side))
    return f"/tiles/issues/{tile.z}/{tile.x}/{tile.y}.mvt"


def test_a_crowded_tile_counts_and_a_deep_one_tells_them_apart(client):
    a_category()
    store(*(an_issue(str(n), point=Point(106.65 + n * 1e-5, 29.03)) for n in range(100)))

    high = features(client.get(tile_of(CENTRE, 10)).data)
    deep = features(client.get(tile_of(CENTRE, 16)).data)

    assert sum(f["properties"]["n"] for f in high) == 100
    assert len(high) < 10
    assert high[0]["properties"]["open"] == high[0]["properties"]["n"]
    assert all(f["properties"]["n"] == 1 and f["properties"]["number"] for f in deep)


def test_a_csv_cell_is_never_a_formula(client):
    a_category()
    store(an_issue("1", title="=cmd|' /C calc'!A0"), an_issue("2", title="＝1+1"))

    rows = list(csv.reader(io.StringIO(client.get("/issues.csv").text.lstrip("\ufeff"))))

    assert {row[1][0] for row in rows[1:]} == {"'"}


def test_a_csv_opens_right_in_a_spreadsheet(place):
    assert place.get("/issues.csv").data.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("path", ["/", "/issues", "/about", "/api/issues", "/livez", "/nowhere"])
def test_every_answer_has_the_security_headers(place, path):
    headers = place.get(path).headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/issues", "/about"])
def test_a_page_speaks_the_language_that_was_asked_for(place, path):
    assert '<html lang="zh-CN"' in place.get(path, headers={"Accept-Language": "zh-CN"}).text
    assert '<html lang="en"' in place.get(path, headers={"Accept-Language": "en-GB"}).text
    assert '<html lang="en"' in place.get(path + "?lang=en", headers={"Accept-Language": "zh"}).text


def test_tilejson_names_what_is_in_the_tiles(place):
    answer = place.get("/tiles/communities.json").json

    assert answer["tilejson"] == "3.0.0"
    assert [layer["id"] for layer in answer["vector_layers"]] == ["communities", "communities_labels"]
    assert answer["tiles"][0].endswith("/tiles/communities/{z}/{x}/{y}.mvt")


def test_boundary_tiles_hold_areas_and_the_places_of_their_names(place):
    x, y = tile_of(CENTRE, 9).split("/")[-2:]
    layers = mapbox_vector_tile.decode(place.get(f"/tiles/communities/9/{x}/{y}").data)

    assert {f["properties"]["code"] for f in layers["communities"]["features"]} == {"A", "B"}
    assert {f["properties"]["name_zh"] for f in layers["communities_labels"]["features"]} == {"社区A", "社区B"}


def test_a_layer_of_areas_refuses_a_filter_that_cannot_be(place):
    answer = place.get("/api/layers/communities/features?verdict=perhaps")

    assert answer.status_code == 400
    assert "verdict" in answer.text


def test_a_layer_comes_as_geojson_and_as_a_table(place):
    found = json.loads(place.get("/api/layers/communities/features?bbox=106.63,29.01,106.65,29.05").text)
    rows = list(csv.DictReader(io.StringIO(place.get("/api/layers/communities.csv").text.lstrip("\ufeff"))))

    assert [f["properties"]["code"] for f in found["features"]] == ["A"]
    assert [row["code"] for row in rows] == ["A", "B"]


def test_the_issue_layer_has_the_same_doors(place):
    assert place.get("/api/layers/issues/features").json["numberMatched"] == 5
    assert place.get("/api/layers/issues.csv").headers["Location"].startswith("/issues.csv")


def test_an_issue_page_says_whose_it_is_and_why(place):
    number = place.get("/api/issues?verdict=contested").json["features"][0]["properties"]["number"]

    page = place.get(f"/issues/{number}?lang=zh").text

    assert "争议" in page
    assert "单位city" in page
    assert "距边界" in page


def test_the_map_page_carries_no_issue(place):
    page = place.get("/").text

    assert "人行道破损" not in page
    assert "GeoApp.layer(" in page


def test_an_empty_database_still_gives_every_page(client):
    for path in ("/", "/issues", "/issues.csv", "/about", "/api/issues", "/readyz"):
        assert client.get(path).status_code == 200, path


def test_names_of_places_are_data_never_markup(client):
    a_category("road", "<img src=x onerror=alert(1)>", "${alert(1)}")
    a_place("A", square(106.64, 29.02), name=Name("</script><b>", "`${alert(2)}`"))
    a_jurisdiction("u", square(106.64, 29.02), name=Name("<svg onload=alert(3)>", "\\`"))
    store(an_issue("1", title="</script><script>alert(4)</script>", text="${alert(5)}"))

    for path in ("/", "/issues", "/issues/QJ-2026-000001"):
        page = client.get(path).text
        assert "<img src=x" not in page
        assert "<svg onload" not in page
        assert "<script>alert" not in page
        assert "</script><b>" not in page


def test_a_number_next_to_nothing_is_nothing(client):
    assert client.get("/api/whose?lat=5e-324&lon=-5e-324").status_code == 200
