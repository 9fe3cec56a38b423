"""A first secretary walks a visit without a signal: kept on the phone, sent once, nothing of others overwritten."""

import io
import re
from contextlib import suppress
from datetime import UTC, date, datetime, time
from types import SimpleNamespace
from uuid import UUID

import pytest
from PIL import Image
from playwright.sync_api import Error, expect
from sqlalchemy import text

from geoapp.domain.editing import Facts
from geoapp.domain.values import OPERATOR, Point
from geoapp.domain.visiting import Draft, DraftStop
from geoapp.services import accounts, audit, clocks, editing, issues, visits
from geoapp.store import session
from tests.builders import TODAY, a_category, a_jurisdiction, a_place, an_issue, square, store
from tests.line import Line
from tests.web.mappage import DESKTOP, PHONE

pytestmark = pytest.mark.browser
SECRET = "paving stones 62"  # noqa: S105
VISIT = UUID("01a1f71c-7600-7db1-89ba-b81a817a62c2")
NAMES = [str(nth) for nth in range(1, 9)]
PATIENCE_MS = 60_000
HERE = {"geolocation": {"longitude": 106.6452, "latitude": 29.03, "accuracy": 12}, "permissions": ["geolocation"]}
IN_THE_STORE = """async () => ({
  names: (await indexedDB.databases()).map((one) => one.name), caches: await caches.keys(),
})"""
STORE = """(act) => new Promise((resolve, reject) => {
  const opened = indexedDB.open("geoapp-field");
  opened.onerror = () => reject(opened.error);
  opened.onsuccess = () => {
    const moved = opened.result.transaction(["records", "pieces", "facts"], "readwrite");
    const records = moved.objectStore("records");
    if (act === "copy") records.getAll().onsuccess = (event) => { window.copied = event.target.result; };
    if (act === "put back") for (const row of window.copied) records.put(row);
    if (act === "spill") {
      window.spilt = { text: "", rows: 0, extractable: true };
      moved.objectStore("pieces").getAll().onsuccess = ({ target }) => {
        window.spilt.rows = target.result.length;
        for (const row of target.result) {
          window.spilt.text += JSON.stringify(row) + new TextDecoder().decode(row.sealed.data);
        }
      };
      moved.objectStore("facts").get("key").onsuccess = ({ target }) => {
        window.spilt.extractable = target.result.key.extractable;
      };
    }
    moved.oncomplete = () => resolve(act === "spill" ? window.spilt : window.copied?.length);
  };
})"""
WAITING = "async (visit) => (await GeoApp.recorded(visit)).filter((one) => one.open.state === 'waiting').length"
BOX = "async (visit) => (await GeoApp.recorded(visit)).map((one) => one.told.record.kind)"


@pytest.fixture
def town(app, settings):
    a_category("road", "道路", "Roads")
    a_place("C1", square(106.64, 29.02))
    a_jurisdiction("U1", square(106.64, 29.02))
    a_jurisdiction("U2", square(106.64, 29.02))
    store(*(an_issue(name, point=Point(106.645 + int(name) / 2000, 29.03)) for name in NAMES))
    accounts.add(OPERATOR, "li", "Li Min", SECRET)
    accounts.grant(OPERATOR, "li", "secretary", place="C1")
    accounts.add(OPERATOR, "chen", "Chen", SECRET)
    accounts.grant(OPERATOR, "chen", "community", place="C1")
    stops = tuple(DraftStop(an_issue(name).id) for name in NAMES)
    plan = Draft(title="周二现场办公", on_day=TODAY, starts_at=time(9), start=Point(106.644, 29.03), stops=stops,
                 by_hand=True)  # fmt: skip
    now = datetime.now(UTC)
    viewer = accounts.viewer_of(token("li"), now=now)
    visits.create(viewer, plan, id=VISIT, now=now, zone=settings.zone)
    return SimpleNamespace(
        app=app, settings=settings, calendar=clocks.read_calendar(settings.calendar_file, settings.zone)
    )


def token(login):
    return accounts.sign_in(login, SECRET, address="::1", browser="", now=datetime.now(UTC)).token


def stored(sql):
    with session.snapshot() as db:
        return [tuple(row) for row in db.execute(text(sql))]


def picture(shade):
    out = io.BytesIO()
    Image.radial_gradient("L").resize((800, 600)).point(lambda one: (one + shade) % 256).convert("RGB").save(
        out, "JPEG"
    )
    return {"name": f"{shade}.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


@pytest.fixture
def line(live_server):
    opened = Line(live_server)
    yield opened
    opened.close()


@pytest.fixture
def phone(browser_type, browser_type_launch_args, tmp_path, line):
    """A browser that keeps what it has stored; Li is signed in. ``phone()`` opens it anew on the page of the visit."""
    opened = []

    def start(lang="zh", path=f"/field/visits/{VISIT}/go"):
        context = browser_type.launch_persistent_context(
            tmp_path / "phone", **browser_type_launch_args, **PHONE, **HERE
        )
        context.set_default_timeout(PATIENCE_MS)
        if not opened:
            # As the server sets it: it outlives the browser.
            tomorrow = datetime.now(UTC).timestamp() + 86_400
            cookie = {"name": "geoapp", "value": token("li"), "url": line.address, "expires": tomorrow}
            context.add_cookies([cookie])
        opened.append(context)
        page = context.new_page()
        page.goto(f"{line.address}{path}?lang={lang}")
        page.wait_for_selector("html[data-field-ready]")
        return page

    yield start
    for context in opened:
        with suppress(Error):
            context.close()


def load(page):
    page.click("#load-pack")
    page.wait_for_selector("#view-stops .stops")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")


def go_to(page, nth):
    page.click("[data-tab=stops]")
    page.click(f"#view-stops .stop-row >> nth={nth}")
    page.wait_for_selector("#view-stop #check-in")


def recorded(page, kind, act, *, more=1):
    """Does something and waits until the phone has kept ``more`` records of it."""
    before = kept(page).get(kind, 0)
    act()
    for _ in range(300):
        if kept(page).get(kind, 0) >= before + more:
            return
        page.wait_for_timeout(50)
    raise AssertionError(kind)


def kept(page):
    kinds = page.evaluate(BOX, str(VISIT))
    return {kind: kinds.count(kind) for kind in set(kinds)}


def tap_three_corners(page):
    page.wait_for_selector("#draw-bar:not([hidden])")
    for spot in ((150, 250), (250, 250), (200, 330)):
        page.locator(".folium-map").click(position={"x": spot[0], "y": spot[1]})
    page.click("#draw-done")


def sign(page, name):
    page.click("#add-signature")
    page.locator("[data-sign=name]").last.fill(name)
    pad = page.locator(".sign-pad").last
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 40)
    page.mouse.down()
    for step in range(1, 8):
        page.mouse.move(box["x"] + 30 + 20 * step, box["y"] + 40 + (30 if step % 2 else 0))
    page.mouse.up()


def report(page, title, shade):
    page.click("[data-tab=new]")
    page.select_option("#new-issue [name=category]", "road")
    page.click("#new-here")
    page.wait_for_selector("#new-issue [role=status]:has-text('12')")
    page.fill("#new-issue [name=title]", title)
    page.set_input_files("#new-photo", picture(shade))
    page.wait_for_selector("label[for=new-photo]:has-text('1')")
    recorded(page, "photo", lambda: page.click("#new-issue .primary"))


def walk(page):
    """Eight stops: a check-in and a photo at each; findings with a photo at two, one extent, one settlement."""
    for nth in range(8):
        go_to(page, nth)
        recorded(page, "check_in", lambda: page.click("#check-in"))
        shot = picture(10 * nth)
        recorded(page, "photo", lambda shot=shot: page.set_input_files("#photo-before", shot))
        if nth in {0, 7}:
            find(page, nth)
    redraw(page)
    go_to(page, 2)
    page.locator("details:has(#settle) summary").click()
    page.select_option("#settle [name=unit]", "U2")
    page.click("#draw-land")
    tap_three_corners(page)
    page.fill("#settle [name=note]", "Both units agreed")
    sign(page, "王强")
    recorded(page, "settlement", lambda: page.click("#settle .primary"))


def find(page, nth):
    recorded(page, "photo", lambda: page.set_input_files("#photo-during", picture(10 * nth + 5)))
    page.locator("#finding .choice input[value=worse]").check()
    page.fill("#finding [name=words]", f"Seen {nth}")
    page.fill("#finding [name=follow_up]", "Fence it off")
    page.fill("#finding [name=due]", "2026-12-24")
    recorded(page, "finding", lambda: page.click("#finding .primary"))


def redraw(page):
    go_to(page, 1)
    page.locator("details:has(#redraw) summary").click()
    page.click("#redraw")
    recorded(page, "extent", lambda: tap_three_corners_of_an_area(page))


def tap_three_corners_of_an_area(page):
    page.wait_for_selector("#draw-bar:not([hidden])")
    page.select_option("#draw-kind", "area")
    tap_three_corners(page)


def somebody_at_the_desk_edits(town, name):
    viewer = accounts.viewer_of(token("chen"), now=datetime.now(UTC))
    known = issues.get(OPERATOR, str(an_issue(name).id), zone=town.settings.zone).detail.row
    editing.edit(
        viewer, known.number, Facts(title="Another title"), version=known.version, now=datetime.now(UTC),
        calendar=town.calendar,
    )  # fmt: skip


def wait_until_sent(page):
    """Nothing waits in the phone's store any more, and the page says so."""
    for _ in range(PATIENCE_MS // 50):
        if not page.evaluate(WAITING, str(VISIT)):
            break
        page.wait_for_timeout(50)
    page.wait_for_selector("html[data-waits='0']")


WALKED = {"check_in": 8, "photo": 12, "finding": 2, "extent": 1, "settlement": 1, "issue": 2}


def test_a_visit_without_a_signal_arrives_exactly_once_and_overwrites_nothing(town, line, phone):
    # Given a pack, no line, and a browser that is closed in the middle of the walk
    page = phone()
    load(page)
    line.cut()
    page.context.set_offline(True)
    page.reload()
    page.wait_for_selector("html[data-field-ready]")
    walk(page)
    report(page, "井盖缺失", 101)
    page.context.close()
    page = phone()
    page.context.set_offline(True)
    report(page, "路灯不亮", 102)
    assert kept(page) == WALKED
    expect(page.locator("#field-waits")).to_have_text("26")
    assert stored("SELECT count(*) FROM field_record") == [(0,)]
    page.evaluate(STORE, "copy")

    # when somebody at a desk edits two of the issues, and the line comes back
    somebody_at_the_desk_edits(town, "2")
    somebody_at_the_desk_edits(town, "3")
    line.mend()
    page.context.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    wait_until_sent(page)

    # then everything is there exactly once, also when the same is sent once more
    assert_all_is_there_once()
    page.evaluate(STORE, "put back")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    wait_until_sent(page)
    assert_all_is_there_once()

    # and what would have overwritten something is decided by a person: the settlement is signed, the extent stays
    page.click("[data-tab=outbox]")
    page.wait_for_selector(".clash >> nth=1")
    assert {"Chen", "Li Min"} <= set(re.findall("Chen|Li Min", page.inner_text(".clash >> nth=0")))
    take(page, "settlement", "mine")
    take(page, "extent", "theirs")
    assert stored("SELECT fate FROM field_record WHERE fate <> 'stored' ORDER BY 1") == [("mine",), ("theirs",)]
    assert stored("SELECT participants FROM settlement") == [("王强",)]
    assert stored("SELECT name, jsonb_array_length(strokes->'strokes') FROM signature") == [("王强", 1)]

    # and the end of the visit is told by the histories, in public without the internal words
    end(page)
    assert stored("SELECT state FROM visit") == [("ended",)]
    assert stored("SELECT count(*), bool_or(internal) FROM history WHERE action = 'visit'") == [(8, False)]
    assert stored("SELECT DISTINCT internal FROM history WHERE note LIKE 'Seen%'") == [(True,)]
    assert audit.verify(OPERATOR).breaks == ()


def assert_all_is_there_once():
    assert stored("SELECT kind, count(*) FROM field_record GROUP BY 1 ORDER BY 1") == sorted(WALKED.items())
    assert stored("SELECT count(*) FROM photo") == [(12,)]
    assert stored("SELECT count(*) FROM check_in") == [(8,)]
    assert stored("SELECT count(*) FROM issue") == [(10,)]
    assert stored("SELECT DISTINCT due_on FROM finding") == [(date(2026, 12, 24),)]
    assert stored("SELECT kind FROM field_record WHERE fate = 'conflict' ORDER BY 1") == [("extent",), ("settlement",)]
    assert stored("SELECT count(*) FROM settlement") == [(0,)]


def take(page, kind, choice):
    ((record,),) = stored(f"SELECT id FROM field_record WHERE kind = '{kind}'")  # noqa: S608 - our own words
    page.click(f".clash[data-id='{record}'] [data-choice={choice}]")
    page.wait_for_selector(f".clash[data-id='{record}']", state="detached")


def end(page):
    page.click("[data-tab=stops]")
    page.locator("details:has(#end-visit) summary").click()
    page.click("#end-visit")
    page.wait_for_selector("#view-stops .said")


@pytest.mark.usefixtures("town")
def test_after_signing_out_nothing_is_left_on_the_phone(line, phone):
    page = phone(lang="en")
    load(page)
    line.cut()
    page.context.set_offline(True)
    page.reload()
    page.wait_for_selector("html[data-field-ready]")
    expect(page.locator("#field-line")).to_have_text("No signal")
    go_to(page, 0)
    recorded(page, "check_in", lambda: page.click("#check-in"))
    expect(page.locator(".done-here")).to_contain_text("from the stop")
    line.mend()
    page.context.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    wait_until_sent(page)
    assert stored("SELECT count(*) FROM check_in") == [(1,)]
    before = page.evaluate(IN_THE_STORE)
    page.goto(f"{line.address}/account?lang=en")
    with page.expect_navigation():
        page.click("form[action*='sign-out'] button")
    page.goto(f"{line.address}/about?lang=en")

    assert "geoapp-field" in before["names"]
    after = page.evaluate(IN_THE_STORE)
    assert "geoapp-field" not in after["names"]
    assert after["caches"] == []


@pytest.mark.usefixtures("town")
def test_what_lies_on_the_phone_cannot_be_read_without_the_key_and_not_at_all_without_the_pin(phone):
    page = phone(lang="en")
    load(page)
    plain = page.evaluate(STORE, "spill")
    page.click("[data-tab=outbox]")
    page.locator("details:has(#set-pin) summary").click()
    page.fill("#new-pin", "4711")
    page.click("#set-pin")
    page.wait_for_selector("#field-refused:not([hidden])")
    too_short = page.inner_text("#field-refused")
    page.fill("#new-pin", "471147")
    page.click("#set-pin")
    page.wait_for_selector("#field-said:has-text('PIN is set')")
    page.reload()
    page.wait_for_selector("#pin")
    page.fill("#pin", "000000")
    page.click("#view-pin .primary")
    page.wait_for_selector("#field-refused:not([hidden])")
    shown = page.locator("#view-stops .stop-row").count()
    page.fill("#pin", "471147")
    page.click("#view-pin .primary")
    page.wait_for_selector("#view-outbox #send-now")
    page.click("[data-tab=stops]")
    page.wait_for_selector("#view-stops .stop-row")

    assert plain["rows"] > 1
    assert not re.search("人行道|周二", plain["text"])
    assert plain["extractable"] is False
    assert "6" in too_short
    assert shown == 0


def test_the_records_of_a_visit_are_a_page_at_the_desk_where_conflicts_are_decided_too(town, line, phone, new_context):
    page = phone(lang="en")
    load(page)
    somebody_at_the_desk_edits(town, "2")
    redraw(page)
    wait_until_sent(page)
    context = new_context(**DESKTOP)
    context.add_cookies([{"name": "geoapp", "value": token("li"), "url": line.address}])
    desk = context.new_page()
    desk.goto(f"{line.address}/field/visits/{VISIT}/records?lang=en")
    sides = desk.inner_text(".clash")
    desk.click(".clash button >> nth=0")
    desk.wait_for_selector(".said")

    assert "Chen" in sides
    assert stored("SELECT fate FROM field_record") == [("mine",)]
    assert stored("SELECT count(*) FROM issue WHERE extent IS NOT NULL") == [(1,)]
