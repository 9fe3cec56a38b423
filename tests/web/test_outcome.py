"""The report of a visit tells what was planned beside what was recorded, and only to those who see the visit."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pypdf
import pytest
import shapely

from geoapp.domain.editing import Facts
from geoapp.domain.fieldwork import Base, CheckIn, Finding, Kind, Seen, Signature, Told
from geoapp.domain.reports import Reporter, Submission
from geoapp.domain.values import OPERATOR, Phase, Point
from geoapp.services import clocks, editing, fieldwork, issues, prints, visits
from geoapp.services.fieldwork import Extent, Settling, Snap
from geoapp.services.settlements import Draft as Settlement
from tests.builders import NOON, an_issue
from tests.web.test_brief import VISIT, WHO, client, town
from tests.web.test_desk import shot

__all__ = ["town"]
REPORT = f"/field/visits/{VISIT}/report"
INK = (((1, 2), (300, 400)),)


@pytest.fixture
def walked(town, settings):
    """The first of three stops was visited in full, the second looked at, the third left out."""
    calendar = clocks.read_calendar(settings.calendar_file, settings.zone)

    def send(name, what, kind, *, nth, body=None):
        row = issues.get(OPERATOR, str(an_issue(name).id), zone=settings.zone).detail.row
        told = Told(UUID(int=nth), row.id, kind, NOON, Base(row.version, 10_000), body or {"said": kind})
        return fieldwork.record(
            OPERATOR, VISIT, told, what, folder=settings.photos_dir, prefix="QJ", now=NOON, calendar=calendar
        )

    send("one", CheckIn(Point(106.6422, 29.0301), 12.0), Kind.CHECK_IN, nth=1)
    send("one", Finding(Seen.WORSE, "路面下沉", {"量出破损的长和宽（米）": True}, "设置围挡", date(2026, 11, 24)),
         Kind.FINDING, nth=2)  # fmt: skip
    send("one", Snap(shot().read(), Phase.DURING, "下沉处"), Kind.PHOTO, nth=3, body={"phase": "during"})
    land = shapely.box(106.6415, 29.0295, 106.6425, 29.0305)
    send("one", Settling(Settlement("U2", land, ("road",), note="当场商定"), (Signature("王强", "城管局", INK),)),
         Kind.SETTLEMENT, nth=4)  # fmt: skip
    send("two", Extent(shapely.LineString([(106.65, 29.03), (106.651, 29.03)])), Kind.EXTENT, nth=5)
    return town


def test_the_report_tells_planned_and_done(walked):
    said = client(walked, "secretary").get(f"{REPORT}?lang=zh").get_data(as_text=True)

    for words in (
        "计划 3 站，到访 2 站；照片 1 张，现场确权 1 处，途中新问题 0 个。",
        "12:00 签到，定位精度 12 米，距点位 10 米",
        "比上报的严重", "路面下沉", "量出破损的长和宽（米）", "下沉处", "现场确权：单位U2", "当场商定", "王强 的签字",
        "M1 2 L300 400",
        "设置围挡", "期限 2026-11-24", "现场重画了范围。", "张工",
    ):  # fmt: skip
        assert words in said
    assert said.count("未到访") == 2
    assert "style=" not in said


def test_the_pdf_holds_the_same_words(walked):
    answer = client(walked, "secretary").get(f"{REPORT}.pdf?lang=en")

    read = pypdf.PdfReader(io.BytesIO(answer.data))
    words = " ".join(" ".join(one.extract_text() for one in read.pages).split())
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("application/pdf", "private, no-store")
    assert (read.metadata.title, read.trailer["/Root"]["/Lang"]) == ("Report · 沱湾现场办公", "en")
    for phrase in ("worse than reported", "路面下沉", "Settled on site: Unit U2", "due 2026-11-24", "not visited"):
        assert phrase in words
    assert sum(len(one.images) for one in read.pages) == 2


def test_only_who_may_visit_there_reads_the_report(walked, monkeypatch):
    monkeypatch.setattr(prints, "pdf", lambda html, *, files: b"%PDF")  # noqa: ARG005 - whoever comes so far is let in
    clients = {login: client(walked, login) for login in WHO}

    for path in (REPORT, f"{REPORT}.pdf"):
        answers = {login: one.get(path).status_code for login, one in clients.items()}
        assert answers == {"secretary": 200, "elsewhere": 404, "staff": 404, "officer": 404}
        assert walked.test_client().get(path).status_code in {303, 401}


def test_what_was_found_on_the_way_and_what_waits_for_a_decision_are_told(walked, settings):
    calendar = clocks.read_calendar(settings.calendar_file, settings.zone)
    found = UUID(int=77)
    told = Told(found, found, Kind.ISSUE, NOON, None, {"title": "x"})
    somebody = Reporter("k" * 30)
    submission = Submission(found, "road", Point(106.651, 29.031), somebody, title="途中看到的坑", text="很深")
    # Made from an older version of the issue than the one that stands.
    row = issues.get(OPERATOR, str(an_issue("two").id), zone=settings.zone).detail.row
    editing.edit(
        OPERATOR, row.number, Facts(title="新标题"), version=row.version, now=datetime.now(UTC), calendar=calendar
    )
    late = replace(told, id=UUID(int=78), issue=an_issue("two").id, kind=Kind.EXTENT, base=Base(1, 0))
    line = Extent(shapely.LineString([(106.65, 29.03), (106.652, 29.03)]))
    for one, what in ((told, submission), (late, line)):
        fieldwork.record(
            OPERATOR,
            VISIT,
            one,
            what,
            folder=settings.photos_dir,
            prefix="QJ",
            now=datetime.now(UTC),
            calendar=calendar,
        )

    said = client(walked, "secretary").get(f"{REPORT}?lang=en").get_data(as_text=True)
    assert "途中看到的坑" in said
    assert "1 found on the way" in said
    assert "wait for a decision: 1" in said
    assert visits.get(OPERATOR, VISIT).visit.state == "planned"
