"""What is private stays so through every door, and a blurred place is its cell however one asks (TRUST T22, T33)."""

import math
import re
from datetime import UTC, datetime

import mapbox_vector_tile
import pytest
from pyproj import Geod
from sqlalchemy import text

from geoapp.domain.geometry import blur
from geoapp.domain.reports import Reporter
from geoapp.domain.values import OPERATOR, IssueState, Point, Privacy
from geoapp.services import clocks, photos, reports
from geoapp.store import session
from tests.builders import a_category, a_jurisdiction, a_place, an_issue, square, store
from tests.web.test_desk import shot

SECRET = Point(106.6503217, 29.0301234)
MASKED = Point(*(float(part) for part in blur(SECRET.lon, SECRET.lat)))
WORDS = ("Hidden-Title", "Hidden-Text", "Hidden-Gate", "106.6503217", "29.0301234", "106.65032", "29.03012")
GEOD = Geod(ellps="WGS84")
NOW = datetime.now(UTC)
HERE = f"lat={SECRET.lat}&lon={SECRET.lon}"


def place(app, privacy):
    a_category()
    a_place("C1", square(106.64, 29.02))
    a_jurisdiction("U1", square(106.64, 29.02))
    told = {"title": "Hidden-Title", "text": "Hidden-Text", "address": "Hidden-Gate", "text_released": True}
    released = told if privacy is Privacy.PRIVATE else {**told, "text_released": False}
    store(
        an_issue(
            "secret", point=SECRET, privacy=privacy, state=IssueState.HANDLING, unit="U1", reported_at=NOW, **released
        )
    )
    with session.snapshot() as db:
        number, issue = db.execute(text("SELECT number, id FROM issue")).one()
    return app.test_client(), number, issue


def tile_of(point, zoom):
    n = 1 << zoom
    x = int((point.lon + 180) / 360 * n)
    y = int((1 - math.asinh(math.tan(math.radians(point.lat))) / math.pi) / 2 * n)
    return f"{zoom}/{x}/{y}"


def doors(number, issue):
    """Every public door that tells of issues, asked in the way that would tell most."""
    box = f"{SECRET.lon - 1e-4},{SECRET.lat - 1e-4},{SECRET.lon + 1e-4},{SECRET.lat + 1e-4}"
    return [
        "/", f"/?issue={number}", "/issues", f"/issues?q={number}", "/issues?q=Hidden-Title", "/issues?q=Hidden-Gate",
        "/issues?category=road&state=in_work&unit=U1", "/issues.csv", "/issues.csv?community=C1", f"/issues/{number}",
        f"/issues/{issue}", f"/issues/{number}.atom", f"/issues/{number}/follow", f"/issues/{number}/preview.png",
        "/feed.atom", f"/feed.atom?{HERE}&radius=50", "/api/issues", f"/api/issues?bbox={box}",
        f"/api/issues?q={number}",
        f"/api/issues/{number}", f"/api/issues/{issue}", f"/api/duplicates?{HERE}&category=road&text=Hidden-Title",
        "/api/layers/issues/features", f"/api/layers/issues/features?bbox={box}", "/api/layers/issues.csv",
        f"/place?{HERE}", "/communities/C1/poster", "/embed?community=C1", f"/tiles/issues/{tile_of(SECRET, 22)}.mvt",
        f"/tiles/issues/{tile_of(SECRET, 14)}.mvt", "/tiles/issues/8/203/106.mvt", f"/api/whose?{HERE}", "/about",
        "/api/openapi.json", "/api/places?q=C1",
    ]  # fmt: skip


def test_of_a_private_issue_no_public_door_tells_anything(app, settings):
    client, number, issue = place(app, Privacy.PRIVATE)
    photo = photos.add(
        OPERATOR, number, shot().read(), phase="before", caption="Hidden-Text", folder=settings.photos_dir,
        now=datetime.now(UTC), zone=settings.zone,
    ).photo.id  # fmt: skip
    photos.release(OPERATOR, number, photo, now=datetime.now(UTC), zone=settings.zone)
    told = []
    for door in [*doors(number, issue), f"/photos/{number}/{photo}/large.jpg"]:
        answer = client.get(door, follow_redirects=True)
        said = answer.data.decode(errors="replace").replace(f"q={number}", "").replace(f'value="{number}"', "")
        asked = (number, str(issue)) if answer.status_code == 200 else ()
        told += [(door, word) for word in (*WORDS, *asked) if word in said and word not in door]
    counts = [
        client.get(f"/api/issues?{query}").get_json()["numberMatched"] for query in ("", "state=in_work", "q=Hidden")
    ]
    codes = {
        door: client.get(door).status_code for door in doors(number, issue)
        if f"/issues/{number}" in door or str(issue) in door
    }  # fmt: skip

    assert told == []
    assert counts == [0, 0, 0]
    assert set(codes.values()) == {404}
    assert client.get(f"/photos/{number}/{photo}/large.jpg").status_code == 404
    assert not mapbox_vector_tile.decode(client.get(f"/tiles/issues/{tile_of(SECRET, 22)}.mvt").data)


def test_who_tells_of_a_private_issue_gets_no_way_to_it_in_public(app):
    client, number, _ = place(app, Privacy.PRIVATE)
    told = {"category": "road", "lat": SECRET.lat, "lon": SECRET.lon, "text": "Hidden-Text", "privacy": "private",
            "key": "k" * 30, "id": "01a1f71c-7600-7db1-89ba-b81a817a62c2"}  # fmt: skip
    sent = client.post("/api/issues", json=told).get_json()
    mine = client.get(sent["link"]).data.decode(errors="replace")

    assert f'href="/issues/{sent["number"]}' not in mine
    assert client.get(f"/issues/{sent['number']}").status_code == 404
    assert client.post(f"/api/issues/{number}/witnesses", json={}).status_code == 404


def test_of_a_blurred_issue_every_door_tells_its_cell_and_no_word_that_is_not_released(app):
    client, number, issue = place(app, Privacy.BLURRED)
    told = []
    for door in doors(number, issue):
        said = client.get(door, follow_redirects=True).data.decode(errors="replace")
        told += [(door, word) for word in WORDS if word in said and word not in door and HERE not in door]

    assert told == []


def search(count, low, high):
    """Where something lies between two numbers, by asking again and again whether it lies in a half."""
    for _ in range(40):
        middle = (low + high) / 2
        if count(low, middle):
            high = middle
        else:
            low = middle
    return (low + high) / 2


def test_boxes_drawn_smaller_and_smaller_end_at_the_cell(app):
    client, _, _ = place(app, Privacy.BLURRED)

    def matched(west, south, east, north):
        if not (east > west and north > south):
            return 0
        return client.get(f"/api/issues?bbox={west},{south},{east},{north}&limit=0").get_json()["numberMatched"]

    lon = search(lambda low, high: matched(low, 29.0, high, 29.06), 106.6, 106.7)
    lat = search(lambda low, high: matched(106.6, low, 106.7, high), 29.0, 29.06)

    assert (lon, lat) == (pytest.approx(MASKED.lon, abs=1e-6), pytest.approx(MASKED.lat, abs=1e-6))
    assert GEOD.inv(lon, lat, SECRET.lon, SECRET.lat)[2] > 5


def test_the_deepest_tiles_hold_it_in_its_cell_and_not_where_it_is(app):
    client, number, _ = place(app, Privacy.BLURRED)

    def numbers(point):
        layers = mapbox_vector_tile.decode(client.get(f"/tiles/issues/{tile_of(point, 22)}.mvt").data)
        return [one["properties"].get("number") for layer in layers.values() for one in layer["features"]]

    assert numbers(MASKED) == [number]
    assert numbers(SECRET) == []


def test_circles_and_distances_lead_to_the_cell_too(app):
    client, number, _ = place(app, Privacy.BLURRED)
    client.post(f"/api/issues/{number}/witnesses", json={})
    far = GEOD.inv(SECRET.lon, SECRET.lat, MASKED.lon, MASKED.lat)[2]
    near = client.get(f"/feed.atom?{HERE}&radius={far - 1:.2f}").data.decode(errors="replace")
    wide = client.get(f"/feed.atom?{HERE}&radius={far + 1:.2f}").data.decode(errors="replace")
    told = []
    for east, north in ((2e-4, 0), (0, 2e-4), (-2e-4, -1e-4)):
        lon, lat = MASKED.lon + east, MASKED.lat + north
        (found,) = client.get(f"/api/duplicates?lat={lat}&lon={lon}&category=road").get_json()["features"]
        page = client.get(f"/place?lat={lat}&lon={lon}&lang=en").data.decode(errors="replace")
        true = GEOD.inv(lon, lat, MASKED.lon, MASKED.lat)[2]
        told.append(
            (found["properties"]["likeness"]["distance_m"] - true, int(re.search(r"(\d+) m · ", page)[1]) - true)
        )

    assert number not in near
    assert number in wide
    assert all(abs(part) < 1 for pair in told for part in pair)


def test_what_a_report_says_of_its_sender_leaves_through_no_public_door(app, settings):
    client, number, issue = place(app, Privacy.BLURRED)
    calendar = clocks.read_calendar(settings.calendar_file, settings.zone)
    reporter = Reporter("k" * 30, "Hidden-Name", "13800138000")
    reports.witness(OPERATOR, number, issue.__class__(int=7), reporter, now=datetime.now(UTC), calendar=calendar)
    leaks = [
        (door, word) for door in doors(number, issue) for word in ("Hidden-Name", "13800138000", "k" * 30)
        if word in client.get(door, follow_redirects=True).data.decode(errors="replace")
    ]  # fmt: skip

    assert leaks == []
