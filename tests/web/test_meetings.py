"""Joint meetings over HTTP: forms, refusals with their field, and minutes that say what was decided in three forms."""

import io
import re
from datetime import UTC, datetime

import pytest
from docx import Document
from docx.oxml.ns import qn
from pypdf import PdfReader

from geoapp.domain.agenda import Kind
from geoapp.domain.values import OPERATOR, Event, IssueState, Name, Point
from geoapp.services import accounts, vulnerable
from geoapp.services.vulnerable import Spot
from tests.builders import an_issue, store
from tests.web.test_desk import SECRET, fields, ground, number, signed_in, words  # noqa: F401 - ground is a fixture

AT = datetime(2026, 10, 1, 4, 0, tzinfo=UTC)
MEETING = {"place": "C1", "title": "<b>November</b> 会议", "starts_at": "2026-11-28T14:30", "venue": "Hall"}
DECISION = {
    "outcome": "assign", "unit": "U1", "helping": ["U2"], "amount": "12,000.50", "fund": "街道资金",
    "due_on": "2026-12-20", "visit_on": "2026-12-01", "votes_for": "9", "votes_against": "1",
    "words": "由单位一牵头修复",
}  # fmt: skip


@pytest.fixture
def secretary(app):
    accounts.add(OPERATOR, "chen", "Chen", SECRET)
    accounts.grant(OPERATOR, "chen", "secretary", place="C1")
    told = (
        Event(AT, "report", IssueState.REPORTED),
        Event(AT, "to_agenda", IssueState.AGENDA, "community", "退回两次"),
    )
    store(*(an_issue(f"m{nth}", state=IssueState.AGENDA, history=told, severity=nth) for nth in (1, 2, 3)))
    vulnerable.store(
        OPERATOR, Kind.SCHOOL, [Spot(Name("小学", "Primary School"), Point(106.6505, 29.03))], origin="test"
    )
    return signed_in(app, "chen")


def post(client, path, **given):
    """Send a form with the version that its meeting has now."""
    known = fields(client.get("/account"))
    if path != "/meetings":
        known |= fields(client.get("/".join(path.split("/")[:3])))
    return client.post(f"{path}?lang=en", data=known | given)


def a_meeting(client, **changes):
    answer = post(client, "/meetings", **(MEETING | changes))
    assert answer.status_code == 303, words(answer)
    return answer.location.split("?")[0]


def test_a_meeting_goes_from_its_suggested_agenda_to_minutes(secretary):
    meeting = a_meeting(secretary)
    page = words(secretary.get(f"{meeting}?lang=en"))
    assert re.findall(r'<li data-number="(\S+)"', page) == [number("m3"), number("m2"), number("m1")]
    assert "&lt;b&gt;November&lt;/b&gt;" in page
    assert "<b>November" not in page

    assert post(secretary, f"{meeting}/items", most="2").status_code == 303
    assert post(secretary, f"{meeting}/items", number=number("m1")).status_code == 303
    assert post(secretary, f"{meeting}/begin").status_code == 303
    first, second, third = number("m3"), number("m2"), number("m1")
    assert post(secretary, f"{meeting}/items/{third}/up", position="3").status_code == 303
    assert post(secretary, f"{meeting}/items/{first}/decide", **DECISION).status_code == 303
    assert post(secretary, f"{meeting}/items/{second}/drop").status_code == 303
    early = post(secretary, f"{meeting}/close")
    assert early.status_code == 409
    assert "nothing is decided about this one" in words(early)
    assert post(secretary, f"{meeting}/rest").status_code == 303
    assert post(secretary, f"{meeting}/close").status_code == 303

    page = words(secretary.get(f"{meeting}?lang=en"))
    assert "carried out" in page
    assert "Plan a visit on 2026-12-01 to 1 issues" in page
    assert f"/field/visits/new?issues={first}" in page.replace("%2C", ",").replace("&amp;", "&")
    assert 'name="outcome"' not in page
    assert 'state": "dispatched"' in words(secretary.get(f"/desk/issues/{first}.json"))
    assert post(secretary, f"{meeting}/close").status_code == 303


def test_minutes_say_the_decisions_on_the_page_in_the_pdf_and_in_the_document(secretary):
    meeting = a_meeting(secretary, title="十一月联席会议")
    post(secretary, f"{meeting}/items", number=number("m3"))
    post(secretary, f"{meeting}/items/{number('m3')}/decide", **DECISION)
    post(secretary, f"{meeting}/facts", title="十一月联席会议", starts_at=MEETING["starts_at"],
         attendees="陈书记\n李社工", minutes="先听取情况")  # fmt: skip
    facts = ("十一月联席会议", number("m3"), "由单位一牵头修复", "单位U1", "单位U2", "12,000.50", "街道资金",
             "2026-12-20", "赞成 9", "陈书记", "先听取情况")  # fmt: skip

    page = words(secretary.get(f"{meeting}/minutes?lang=zh"))
    pdf = secretary.get(f"{meeting}/minutes.pdf?lang=zh")
    docx = secretary.get(f"{meeting}/minutes.docx?lang=zh")

    paper = PdfReader(io.BytesIO(pdf.data))
    printed = re.sub(r"\s+", "", "".join(one.extract_text() for one in paper.pages))
    document = Document(io.BytesIO(docx.data))
    cells = [cell.text for row in document.tables[0].rows for cell in row.cells]
    written = "\n".join([*(one.text for one in document.paragraphs), *cells])
    for fact in facts:
        assert fact in page
        assert fact.replace(" ", "") in printed
        assert fact in written
    assert pdf.headers["Content-Disposition"] == 'attachment; filename="minutes-C1-2026-11-28.pdf"'
    assert "草稿" in printed
    # Word takes a Chinese typeface only where it is named for East Asia; and the map of the agenda is in it.
    fonts = document.styles["Normal"].element.rPr.rFonts
    assert fonts.get(qn("w:eastAsia")) == "宋体"
    assert len(document.inline_shapes) == 1
    assert page.count("<circle") == 1
    english = words(secretary.get(f"{meeting}/minutes?lang=en"))
    assert "Minutes: 十一月联席会议" in english
    assert "9 for, 1 against, 0 abstained" in english


BAD = [
    ("/meetings", {**MEETING, "title": ""}, "title: is missing"),
    ("/meetings", {**MEETING, "starts_at": "soon"}, "starts_at: must be a day and time"),
    ("/meetings", {**MEETING, "starts_at": ""}, "starts_at: is missing"),
    ("/meetings", {**MEETING, "starts_at": "0001-01-01T00:00"}, "starts_at: must be a day and time"),
    ("/meetings", {**MEETING, "place": "C2"}, "does not include this"),
    ("/items", {"number": "QJ-1999-000001"}, "number: there is no “QJ-1999-000001”"),
    ("/items", {"most": "many"}, "most: must be a whole number"),
    ("/items/{n}/decide", {**DECISION, "outcome": "burn"}, "outcome: is missing"),
    ("/items/{n}/decide", {**DECISION, "unit": ""}, "unit: is missing"),
    ("/items/{n}/decide", {**DECISION, "unit": "U9"}, "unit: there is no “U9”"),
    ("/items/{n}/decide", {**DECISION, "amount": "much"}, "amount: must be a number"),
    ("/items/{n}/decide", {**DECISION, "amount": "nan"}, "amount: must be a number"),
    ("/items/{n}/decide", {**DECISION, "amount": "-5"}, "amount: must lie between"),
    ("/items/{n}/decide", {**DECISION, "due_on": "2026-11-01"}, "due_on: must not lie before the day of the meeting"),
    ("/items/{n}/decide", {**DECISION, "due_on": "tomorrow"}, "due_on: must be a day"),
    ("/items/{n}/decide", {**DECISION, "votes_for": "all"}, "votes_for: must be a whole number"),
    ("/items/{n}/decide", {**DECISION, "words": ""}, "words: is missing"),
]


def test_bad_input_is_refused_with_its_field_and_what_was_typed_is_kept(secretary):
    meeting = a_meeting(secretary)
    post(secretary, f"{meeting}/items", number=number("m3"))

    for path, given, sentence in BAD:
        full = path if path == "/meetings" else meeting + path.format(n=number("m3"))
        answer = post(secretary, full, **given)
        assert answer.status_code in {400, 403}, (path, given)
        assert sentence in words(answer), (path, given)
    assert "由单位一牵头修复" in words(
        post(secretary, f"{meeting}/items/{number('m3')}/decide", **DECISION | {"unit": "U9"})
    )
    assert post(secretary, f"{meeting}/items/{number('m3')}/burn").status_code == 404
    stale = secretary.post(f"{meeting}/begin?lang=en", data=fields(secretary.get(meeting)) | {"version": "1"})
    assert stale.status_code == 409
    assert "Somebody has just changed this meeting" in words(stale)


def test_others_read_and_strangers_find_nothing(app, secretary):
    meeting = a_meeting(secretary)
    post(secretary, f"{meeting}/items", number=number("m3"))
    boss = signed_in(app, "boss")

    assert "人行道破损 m3" in words(boss.get(meeting))
    assert 'name="outcome"' not in words(boss.get(meeting))
    assert post(boss, f"{meeting}/begin").status_code == 403
    accounts.add(OPERATOR, "far", "Far", SECRET)
    accounts.grant(OPERATOR, "far", "secretary", place="C2")
    far = signed_in(app, "far")
    for path in (meeting, f"{meeting}/minutes", f"{meeting}/minutes.pdf", f"{meeting}/minutes.docx"):
        assert far.get(path).status_code == 404
        assert app.test_client().get(path).status_code == 303
    assert meeting not in words(far.get("/meetings"))
    assert post(far, f"{meeting}/close").status_code == 404
