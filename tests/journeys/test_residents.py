"""What a resident does, in a real browser: report with a photo, be a witness, lose the line, rate, leave."""

import io
import json
import re
import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from PIL import Image
from playwright.sync_api import Error, expect
from sqlalchemy import text

from geoapp.domain.values import OPERATOR, IssueState, Point
from geoapp.domain.workflow import Given
from geoapp.services import clocks, issues, moderation, triage
from geoapp.store import session
from tests.builders import a_category, a_jurisdiction, a_place, an_issue, square, store
from tests.line import Line
from tests.web.mappage import DESKTOP, PHONE

pytestmark = pytest.mark.browser
SPOT = (106.6512345, 29.0312345)
HERE = {"geolocation": {"longitude": SPOT[0], "latitude": SPOT[1], "accuracy": 30}, "permissions": ["geolocation"]}
EVERY_SCREEN = pytest.mark.parametrize(
    ("screen", "lang"),
    [(PHONE, "en"), (DESKTOP, "zh")],
    ids=["phone-en", "desk-zh"],
)
DESCRIPTION, GPS = 0x010E, 0x8825
PATIENCE_MS = 30_000


@pytest.fixture
def place(app, settings):
    a_category("road", "道路", "Roads")
    a_category("road.hole", "路面坑洞", "Pothole", parent="road")
    a_category("light", "照明", "Street light")
    a_place("C1", square(106.64, 29.02))
    a_place("C2", square(106.66, 29.02))
    a_jurisdiction("U1", square(106.64, 29.02))
    calendar = clocks.read_calendar(settings.calendar_file, settings.zone)
    return SimpleNamespace(app=app, settings=settings, calendar=calendar)


@pytest.fixture
def visit(new_context, watch, live_server):
    def go(path, screen=PHONE, **how):
        page = watch.attach(new_context(**screen, **how).new_page())
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{live_server}{path}")
        return page

    return go


def ready(page):
    page.wait_for_selector("html[data-report-ready]")
    return page


def photo(lon=SPOT[0], lat=SPOT[1]):
    """A picture with the place where it was taken, and a phone number in its notes."""

    def degrees(value):
        whole = int(value)
        minutes = int((value - whole) * 60)
        return whole, minutes, (value - whole - minutes / 60) * 3600

    notes = Image.Exif()
    notes[DESCRIPTION] = "13800138000"
    notes[GPS] = {1: "N", 2: degrees(lat), 3: "E", 4: degrees(lon)}
    out = io.BytesIO()
    Image.radial_gradient("L").resize((800, 600)).convert("RGB").save(out, "JPEG", exif=notes)
    return {"name": "hole.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def stored(sql):
    with session.snapshot() as db:
        return [tuple(row) for row in db.execute(text(sql))]


def close(place, number):
    with session.transaction() as db:
        db.execute(text("UPDATE issue SET state = 'done'"))
    version = issues.get(OPERATOR, number, zone=place.settings.zone).detail.row.version
    triage.act(
        OPERATOR, number, "close", Given(), version=version, now=datetime.now(UTC), calendar=place.calendar
    )  # fmt: skip


@EVERY_SCREEN
def test_a_report_with_a_photo_takes_its_place_from_it_and_ends_with_a_number_and_a_link(place, visit, screen, lang):
    page = ready(visit(f"/report?lang={lang}", screen))
    page.set_input_files("#photo", photo())
    page.wait_for_selector("#photos canvas")
    page.click(".kind[data-code=road]")
    page.click(".exact .chip[data-code='road.hole']")
    page.click("#step-next")
    page.wait_for_selector("#goes-to[data-at]")
    goes_to = page.inner_text("#goes-to")
    page.click("#step-next")
    page.fill("#text", "A deep hole")
    page.click("#send")
    number = page.inner_text("#done-number")
    page.wait_for_selector("#done:not(:has([role=status]))")

    ((lon, lat, by, category, said),) = stored(
        "SELECT ST_X(geom), ST_Y(geom), placed_by, category_code, text FROM issue"
    )
    assert (lon, lat) == pytest.approx(SPOT, abs=3e-5)
    assert (by, category, said) == ("exif", "road.hole", "A deep hole")
    assert ("社区C1" if lang == "zh" else "Community C1") in goes_to
    assert ("单位U1" if lang == "zh" else "Unit U1") in goes_to
    assert len(stored("SELECT 1 FROM photo WHERE report_id IS NOT NULL")) == 1
    file = next((place.settings.data_dir / "photos").rglob("*-large.jpg")).read_bytes()
    assert b"13800138000" not in file
    assert b"Exif" not in file
    page.click("#done-link")
    page.wait_for_selector(".own-photos img")
    assert number in page.inner_text("h1")


@EVERY_SCREEN
def test_whoever_finds_their_issue_reported_already_becomes_a_witness_of_it(place, visit, screen, lang):
    store(an_issue("known", title="A deep hole", category="road", point=Point(*SPOT), state=IssueState.HANDLING))
    page = ready(visit(f"/report?lang={lang}&lat={SPOT[1]}&lon={SPOT[0]}&category=road", screen))
    page.click("#step-next")
    page.wait_for_selector("#alike li")
    shown = page.inner_text("#alike")
    page.click("#alike li .button")
    number = page.inner_text("#done-number")

    assert "A deep hole" in shown
    assert stored("SELECT count(*) FROM issue") == [(1,)]
    assert stored("SELECT witness FROM report") == [(True,)]
    assert issues.get(OPERATOR, number, zone=place.settings.zone).detail.witnesses == 1


@pytest.mark.usefixtures("place")
def test_near_the_border_it_asks_before_it_goes_on(visit):
    page = ready(visit("/report?lang=en&lat=29.03&lon=106.65995&category=road", PHONE))
    page.click("#step-next")
    page.wait_for_selector("#edge-yes")
    page.click("#step-next")
    expect(page.locator("#refused")).not_to_be_empty()
    page.click("#edge-yes")
    page.click("#step-next")

    expect(page.locator("#send")).to_be_visible()


@pytest.mark.usefixtures("place")
def test_a_question_about_the_place_before_keeps_nobody_from_going_on(visit):
    page = ready(visit("/report?lang=en&lat=29.03&lon=106.65995&category=road", PHONE, **HERE))
    page.click("#step-next")
    page.wait_for_selector("#edge-yes")
    page.route("**/api/whose*", lambda _route: None)  # whose the next place is, is never told
    page.click("#use-here")
    page.wait_for_selector("#where-note:has-text('30 m')")
    asked = page.inner_text("#edge")
    page.click("#step-next")

    assert asked == ""
    expect(page.locator("#send")).to_be_visible()


@pytest.mark.usefixtures("place")
def test_my_position_is_shown_with_how_sure_it_is_and_a_refusal_is_said(visit):
    page = ready(visit("/report?lang=en&category=road", PHONE, **HERE))
    page.click("#step-next")
    page.click("#use-here")
    page.wait_for_selector("#where-note:has-text('30 m')")
    page.click("#step-next")
    page.click("#send")
    page.wait_for_selector("#done-number")
    other = ready(visit("/report?lang=en&category=road", PHONE, permissions=[]))
    other.click("#step-next")
    other.click("#use-here")
    other.wait_for_selector("#where-note:has-text('may not be used')")

    assert stored("SELECT placed_by, accuracy_m FROM issue") == [("gps", 30.0)]


@pytest.mark.usefixtures("place")
def test_a_path_is_drawn_as_a_line(visit):
    page = ready(visit(f"/report?lang=en&lat={SPOT[1]}&lon={SPOT[0]}&category=road", DESKTOP))
    page.click("#step-next")
    page.wait_for_selector("#goes-to[data-at]")
    page.select_option("#draw-kind", "line")
    for _ in range(3):
        page.click("#draw-add")
        page.focus(".folium-map")
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(500)
    expect(page.locator("#draw-hint")).to_contain_text("A line of about")
    page.click("#step-next")
    page.click("#send")
    page.wait_for_selector("#done-number")

    ((kind, length),) = stored("SELECT GeometryType(extent), ST_Length(extent::geography) FROM issue")
    assert kind.endswith("LINESTRING")
    assert length > 5


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_whole_report_is_made_with_the_keyboard_alone(visit, lang):
    page = ready(visit(f"/report?lang={lang}&lat={SPOT[1]}&lon={SPOT[0]}", DESKTOP))

    def tab_to(selector):
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("(wanted) => document.activeElement?.matches(wanted)", selector):
                return
        raise AssertionError(selector)

    tab_to(".kind[data-code=light]")
    page.keyboard.press("Enter")
    tab_to("#step-next")
    page.keyboard.press("Enter")
    page.wait_for_selector("#goes-to[data-at]")
    tab_to("#step-next")
    page.keyboard.press("Enter")
    tab_to("#text")
    page.keyboard.type("The lamp is out")
    tab_to("#send")
    page.keyboard.press("Enter")
    page.wait_for_selector("#done-number")
    tab_to("#done-link")

    assert stored("SELECT category_code, text FROM issue") == [("light", "The lamp is out")]


@pytest.fixture
def line(live_server):
    opened = Line(live_server)
    yield opened
    opened.close()


@pytest.fixture
def phone(browser_type, browser_type_launch_args, tmp_path):
    """A browser that keeps what it has stored: ``phone()`` opens it, its context is closed by the test."""
    opened = []

    def start():
        context = browser_type.launch_persistent_context(tmp_path / "phone", **browser_type_launch_args, **PHONE)
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        return context

    yield start
    for context in opened:
        with suppress(Error):
            context.close()


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_report_made_without_a_line_survives_a_closed_browser_and_arrives_exactly_once(line, phone, lang):
    context = phone()
    page = context.new_page()
    page.goto(f"{line.address}/report?lang={lang}&lat={SPOT[1]}&lon={SPOT[0]}")
    ready(page)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    line.cut()
    page.goto(f"{line.address}/report?lang={lang}&lat={SPOT[1]}&lon={SPOT[0]}")
    ready(page)
    page.set_input_files("#photo", photo())
    page.wait_for_selector("#photos canvas")
    page.click(".kind[data-code=road]")
    page.click("#step-next")
    page.wait_for_selector("#goes-to[data-at]")
    page.click("#step-next")
    page.fill("#text", "Without a line")
    page.click("#send")
    page.wait_for_selector("#done h2")
    waiting = page.inner_text("#done")
    page.wait_for_timeout(500)
    context.close()
    nothing = stored("SELECT count(*) FROM issue")

    # The line comes back, hears the report, and is lost again before the phone learns of it; then it is back for good.
    context = phone()
    page = context.new_page()
    page.goto(f"{line.address}/report?lang={lang}")
    ready(page)
    page.wait_for_selector(".parcel-waiting")
    line.mend()
    line.swallow = True
    page.click(".parcel-waiting .plain")
    for _ in range(100):
        if stored("SELECT count(*) FROM issue") == [(1,)]:
            break
        page.wait_for_timeout(100)
    still = page.locator(".parcel-waiting").count()
    line.mend()
    page.reload()
    page.wait_for_selector(".parcel-sent")
    for _ in range(100):
        if stored("SELECT count(*) FROM photo") == [(1,)]:
            break
        page.wait_for_timeout(100)

    assert ("联网后" if lang == "zh" else "when there is a line") in waiting
    assert nothing == [(0,)]
    assert still == 1
    assert stored("SELECT text FROM issue") == [("Without a line",)]
    assert stored("SELECT count(*) FROM report") == [(1,)]
    assert stored("SELECT count(*) FROM photo WHERE withdrawn_at IS NULL") == [(1,)]


@pytest.mark.usefixtures("place")
def test_what_was_typed_is_there_again_after_the_browser_was_killed(line, phone):
    context = phone()
    page = ready_at(context, f"{line.address}/report?lang=en")
    page.click(".kind[data-code=road]")
    page.set_input_files("#photo", photo())
    page.wait_for_selector("#photos canvas")
    page.wait_for_timeout(600)
    context.close()
    page = ready_at(phone(), f"{line.address}/report?lang=en")

    expect(page.locator("#photos canvas")).to_have_count(1)
    expect(page.locator("#category")).to_have_value("road")
    expect(page.locator("#said")).to_contain_text("not sent last time")


def ready_at(context, address):
    page = context.new_page()
    page.goto(address)
    return ready(page)


@EVERY_SCREEN
def test_an_unhappy_answer_reopens_the_issue_and_all_of_one_s_data_can_be_taken_and_deleted(place, visit, screen, lang):
    client = place.app.test_client()
    told = {"category": "road", "lat": SPOT[1], "lon": SPOT[0], "text": "A deep hole", "name": "Wang",
            "contact": "13800138000", "key": "k" * 30, "id": "01a1f71c-7600-7db1-89ba-b81a817a62c2"}  # fmt: skip
    sent = client.post("/api/issues", json=told).get_json()
    close(place, sent["number"])
    page = visit(f"{sent['link']}?lang={lang}", screen)
    page.check("input[name=score][value=not]", force=True)
    page.fill("#reason", "It is there again")
    page.click("#rate .button.primary")
    page.wait_for_selector(".said")
    public = visit(f"/issues/{sent['number']}?lang={lang}", screen)
    with page.expect_download() as got:
        page.click("#export")
    with zipfile.ZipFile(got.value.path()) as packed:
        carried = json.loads(packed.read("report.json"))

    assert issues.get(OPERATOR, sent["number"], zone=place.settings.zone).detail.row.state is IssueState.REOPENED
    assert public.locator(".ratings li").count() == 3
    assert "It is there again" not in public.content()
    assert (carried["contact"], carried["rating"]["reason"]) == ("13800138000", "It is there again")

    page.locator(".card").last.locator("summary").click()
    page.check("input[name=sure]")
    page.click(".button.danger")
    page.wait_for_selector("h1:text-matches('已删除|Deleted')")
    gone = client.get(sent["link"])
    assert gone.status_code == 404
    assert stored("SELECT name, contact FROM report") == [("", "")]


def test_the_steward_of_the_community_lets_the_public_see_what_was_sent(place, visit):
    client = place.app.test_client()
    told = {"category": "road", "lat": SPOT[1], "lon": SPOT[0], "text": "A deep hole", "key": "k" * 30,
            "id": "01a1f71c-7600-7db1-89ba-b81a817a62c2"}  # fmt: skip
    sent = client.post("/api/issues", json=told).get_json()
    before = visit(f"/issues/{sent['number']}?lang=en").inner_text("main")
    for one in moderation.waiting(OPERATOR)[0]:
        moderation.decide(
            OPERATOR, one.number, one.id, release=True, now=datetime.now(UTC), zone=place.settings.zone
        )  # fmt: skip
    after = visit(f"/issues/{sent['number']}?lang=en").inner_text("main")

    assert "A deep hole" not in before
    assert "A deep hole" in after


def test_without_scripts_one_form_does_it_and_a_mistake_keeps_what_was_typed(place):
    client = place.app.test_client()
    page = client.get("/report?lang=en").get_data(as_text=True)
    hidden = dict(re.findall(r'name="(csrf_token|id|key|photo_id)" value="([^"]*)"', page))
    wrong = client.post("/report?lang=en", data=hidden | {"category": "road", "text": "A deep hole"})
    taken = {"photo": (io.BytesIO(photo()["buffer"]), "x.jpg")}
    done = client.post("/report?lang=en", data=hidden | {"category": "road", "text": "A deep hole"} | taken)
    again = client.post("/report?lang=en", data=hidden | {"category": "road", "text": "A deep hole"} | {
        "photo": (io.BytesIO(photo()["buffer"]), "x.jpg")})  # fmt: skip
    fresh = dict(re.findall(r'name="(csrf_token|id|key|photo_id)" value="([^"]*)"', client.get("/report").text))
    near = client.post("/report?lang=en", data=fresh | {"category": "light", "community": "C2"})

    assert wrong.status_code == 400
    assert "A deep hole" in wrong.get_data(as_text=True)
    assert "community" in wrong.get_data(as_text=True)
    assert (done.status_code, again.status_code, near.status_code) == (303, 303, 303)
    assert done.location == again.location
    assert stored("SELECT placed_by FROM issue ORDER BY placed_by") == [("address",), ("exif",)]
    assert stored("SELECT count(*) FROM photo") == [(1,)]
    assert client.get(done.location).status_code == 200
