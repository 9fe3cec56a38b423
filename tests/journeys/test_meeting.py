"""A first secretary takes a joint meeting from its suggested agenda to its minutes, at a desk and on a phone."""

import io
import json
from datetime import UTC, datetime

import pytest
from docx import Document
from playwright.sync_api import expect
from pypdf import PdfReader
from sqlalchemy import text

from geoapp.domain.boundaries import NewUnit
from geoapp.domain.values import OPERATOR, Event, IssueState, Name, Point
from geoapp.services import accounts, boundaries
from geoapp.store import history, session
from tests.builders import TODAY, a_category, a_jurisdiction, a_place, an_issue, square, store
from tests.web.mappage import DESKTOP, PHONE

pytestmark = pytest.mark.browser
SECRET = "paving stones 62"  # noqa: S105
AT = datetime(2026, 10, 1, 4, 0, tzinfo=UTC)
ON_AGENDA, DECIDED = 12, 10
LOOKS = {"desk zh": ("zh", DESKTOP), "phone en": ("en", PHONE)}


@pytest.fixture
def waiting(app):  # noqa: ARG001 - the database must be connected
    a_category()
    a_place("C1", square(106.64, 29.02))
    a_jurisdiction("U1", square(106.64, 29.02))
    boundaries.store_units(OPERATOR, [NewUnit("U2", Name("单位U2", "Unit U2"))], today=TODAY)
    told = (
        Event(AT, "report", IssueState.REPORTED),
        Event(AT, "to_agenda", IssueState.AGENDA, "community", "两次退件"),
    )
    store(*(
        an_issue(
            str(nth), state=IssueState.AGENDA, history=told, severity=1 + nth % 4,
            point=Point(106.642 + 0.0012 * nth, 29.022 + 0.0009 * nth),
        )
        for nth in range(ON_AGENDA)
    ))  # fmt: skip
    accounts.add(OPERATOR, "chen", "陈书记", SECRET)
    accounts.grant(OPERATOR, "chen", "secretary", place="C1")


def states():
    with session.snapshot() as db:
        found = db.execute(text("SELECT state, count(*) FROM issue GROUP BY state")).all()
        assert history.verify(db)[1] == []
    return dict(tuple(row) for row in found)


@pytest.mark.parametrize("look", LOOKS)
def test_a_meeting_from_its_suggested_agenda_to_its_minutes(live_server, waiting, new_context, watch, look):  # noqa: ARG001
    lang, screen = LOOKS[look]
    context = new_context(**screen, reduced_motion="reduce")
    token = accounts.sign_in("chen", SECRET, address="::1", browser="", now=datetime.now(UTC)).token
    context.add_cookies([{"name": "geoapp", "value": token, "url": live_server}])
    page = watch.attach(context.new_page())

    page.goto(f"{live_server}/meetings?lang={lang}")
    page.fill("#meeting-title", "十一月联席会议")
    page.fill("#meeting-at", "2026-11-28T14:30")
    page.click(".plan-meeting form button")
    page.wait_for_selector("html[data-map-ready]")
    expect(page.locator(".suggestions > li")).to_have_count(ON_AGENDA)
    expect(page.locator(".suggested-pin")).to_have_count(ON_AGENDA)
    with page.expect_navigation():
        page.click("#take-over")
    expect(page.locator(".agenda-pin")).to_have_count(ON_AGENDA)

    # The map is the agenda: as many pins as items, a click either way.
    assert [one.inner_text() for one in page.locator(".agenda-item .agenda-number").all()] == [
        str(nth) for nth in range(1, ON_AGENDA + 1)
    ]
    assert sorted(int(one.inner_text()) for one in page.locator(".agenda-pin b").all()) == list(range(1, ON_AGENDA + 1))
    page.locator(".agenda-number").nth(4).click()
    expect(page.locator(".agenda-pin.lit")).to_have_text("5")
    expect(page.locator(".agenda-item.lit .agenda-number")).to_have_text("5")
    page.locator(".agenda-pin", has_text="5").first.press("Enter")
    expect(page.locator(".agenda-item.lit[data-number]:focus")).to_have_count(1)

    with page.expect_navigation():
        page.click(".meeting-head ~ form .primary, .in-line .primary")
    decide(page)

    watch.expected_statuses.add(409)
    with page.expect_navigation():
        page.click("#close-meeting")
    expect(page.locator(".agenda-item .refused")).to_have_count(ON_AGENDA - DECIDED)
    assert states() == {"agenda": ON_AGENDA}
    with page.expect_navigation():
        page.locator(".close-meeting form").first.locator("button").click()
    with page.expect_navigation():
        page.click("#close-meeting")
    expect(page.locator(".meeting-closed")).to_be_visible()
    assert states() == {"dispatched": 5, "accepted": 5, "agenda": 2}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    the_minutes_say_it(page)
    public = json.loads(context.request.get(f"{live_server}/api/issues?state=dispatched&limit=1").text())["features"][0]
    told = context.request.get(f"{live_server}/api/issues/{public['properties']['number']}").json()["properties"][
        "history"
    ]
    assert [line["actor"] for line in told if line["action"] == "decide"] in (["联席会议"], ["joint meeting"])


def decide(page):
    for nth in range(DECIDED):
        item = page.locator(".agenda-item").nth(nth)
        item.locator("details.decide > summary").click()
        if nth % 2:
            item.locator('[name="outcome"][value="stay"]').check()
            expect(item.locator('[name="unit"]')).to_be_hidden()
        else:
            expect(item.locator('[name="unit"]')).to_have_value("U1")
            item.locator('[name="amount"]').fill(str(1000 * (nth + 1)))
            item.locator('[name="due_on"]').fill("2026-12-20")
        item.locator('[name="words"]').fill(f"决定 {nth + 1}")
        with page.expect_navigation():
            item.locator("details.decide form .primary").click()
        expect(page.locator(".agenda-item.is-decided")).to_have_count(nth + 1)


def the_minutes_say_it(page):
    page.click(".meeting-ways a.button")
    with page.expect_download() as pdf:
        page.click("#minutes-pdf")
    with page.expect_download() as docx:
        page.click("#minutes-docx")
    printed = "".join(one.extract_text() for one in PdfReader(pdf.value.path()).pages)
    document = Document(io.BytesIO(docx.value.path().read_bytes()))
    assert all(f"决定 {nth + 1}" in printed for nth in range(DECIDED))
    assert len(document.tables[0].rows) == ON_AGENDA + 1
