"""The brief of a visit: page and PDF show the same, the PDF can be searched and scanned, and strangers see nothing."""

import io
import re
from datetime import UTC, datetime, time
from urllib.parse import parse_qs, urlsplit
from uuid import UUID
from xml.etree import ElementTree as ET

import pypdf
import pypdfium2
import pytest
import zxingcpp
from pyproj import Geod

from geoapp.domain.geometry import wgs84_to_bd09, wgs84_to_gcj02
from geoapp.domain.values import OPERATOR, IssueState, Phase, Point, Privacy
from geoapp.domain.visiting import Draft, DraftGuest, DraftStop
from geoapp.services import accounts, photos, prints, visits
from tests.builders import NOON, TODAY, a_category, a_jurisdiction, a_place, an_issue, square, store
from tests.web.test_desk import shot

SECRET = "paving stones 62"  # noqa: S105
VISIT = UUID(int=100)
BRIEF = f"/field/visits/{VISIT}/brief"
SITE = "http://localhost"
WHO = {
    "secretary": ("secretary", {"place": "C1"}),
    "elsewhere": ("secretary", {"place": "C2"}),
    "staff": ("community", {"place": "C1"}),
    "officer": ("unit", {"unit": "U1"}),
}


@pytest.fixture
def town(app, settings):
    a_category("road")
    a_place("C1", square(106.64, 29.02))
    a_place("C2", square(106.66, 29.02))
    a_jurisdiction("U1", square(106.64, 29.02))
    a_jurisdiction("U2", square(106.645, 29.025, 0.01))
    store(
        an_issue("one", point=Point(106.6421, 29.0301), text="夜里没有灯"),
        an_issue("two", point=Point(106.6502, 29.0303), state=IssueState.HANDLING, unit="U1"),
        an_issue("three", point=Point(106.6503, 29.0304), privacy=Privacy.PRIVATE),
        an_issue("beside", point=Point(106.6512, 29.0306)),
    )
    for login, (role, where) in WHO.items():
        accounts.add(OPERATOR, login, login, SECRET)
        accounts.grant(OPERATOR, login, role, **where)
    photos.add(
        OPERATOR, str(an_issue("one").id), shot().read(), phase=Phase.BEFORE, caption="路口", now=NOON,
        folder=settings.photos_dir, zone=settings.zone,
    )  # fmt: skip
    draft = Draft(
        title="沱湾现场办公", on_day=TODAY, starts_at=time(9), start=Point(106.6415, 29.0295),
        start_name="党群服务中心",
        stops=tuple(DraftStop(an_issue(name).id) for name in ("one", "two", "three")), by_hand=True,
        guests=(DraftGuest(UUID(int=1), name="张工", phone="023-4866"),),
    )  # fmt: skip
    visits.create(OPERATOR, draft, id=VISIT, zone=settings.zone, now=NOON)
    return app


def client(app, login):
    made = app.test_client()
    made.set_cookie("geoapp", accounts.sign_in(login, SECRET, address=login, browser="", now=datetime.now(UTC)).token)
    return made


def numbers():
    return [stop.issue.number for stop in visits.get(OPERATOR, VISIT).stops]


def metres(one, other):
    return Geod(ellps="WGS84").inv(*one, *other)[2]


def test_page_and_pdf_show_the_same_and_the_pdf_can_be_read_searched_and_scanned(town, monkeypatch):
    # One printing for all of it, because it takes seconds: given the sheets as they go to the press …
    secretary, sent = client(town, "secretary"), []
    press = prints.pdf
    monkeypatch.setattr(prints, "pdf", lambda html, *, files: sent.append(html) or press(html, files=files))

    # when page and PDF are asked for,
    answer = secretary.get(f"{BRIEF}.pdf?lang=zh")
    page = secretary.get(f"{BRIEF}?lang=zh").get_data(as_text=True)

    # then both hold the very same maps,
    maps = re.compile(r'<svg class="map-sheet".*?</svg>', re.DOTALL)
    assert len(maps.findall(page)) == 4
    assert maps.findall(page) == maps.findall(sent[0])
    overview = maps.findall(page)[0]
    assert re.findall(r'data-n="(\d)" data-lon="([\d.]+)"', overview) == [
        ("1", "106.6421000"), ("2", "106.6502000"), ("3", "106.6503000"),
    ]  # fmt: skip
    # two independent readers open it,
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    read = pypdf.PdfReader(io.BytesIO(answer.data))
    seen = pypdfium2.PdfDocument(answer.data)
    assert len(read.pages) == len(seen) == 4
    assert (read.metadata.title, read.trailer["/Root"]["/Lang"]) == ("现场清单 · 沱湾现场办公", "zh-CN")
    # its words are text in Chinese,
    for words in (
        "\n".join(one.extract_text() for one in read.pages),
        "\n".join(one.get_textpage().get_text_bounded() for one in seen),
    ):
        for phrase in ("沱湾现场办公", "党群服务中心", "夜里没有灯", "单位U1", "023-4866", "现场核对", *numbers()):
            assert phrase in words
    # each stop's code leads to its issue, a private one's to the desk,
    codes = [zxingcpp.read_barcodes(seen[n].render(scale=3).to_pil())[0].text for n in (1, 2, 3)]
    one, two, three = numbers()
    assert codes == [f"{SITE}/issues/{one}", f"{SITE}/issues/{two}", f"{SITE}/desk/issues/{three}"]
    # and the links lie where those map programs have the place.
    links = {note["/A"]["/URI"] for note in (item.get_object() for item in read.pages[1]["/Annots"])
             if "/URI" in note.get("/A", {})}  # fmt: skip
    amap = next(parse_qs(urlsplit(one).query) for one in links if "amap" in one)
    baidu = next(parse_qs(urlsplit(one).query) for one in links if "baidu" in one)
    there = (106.6421, 29.0301)
    assert metres(map(float, amap["position"][0].split(",")), wgs84_to_gcj02(*there)) < 1
    assert metres(map(float, baidu["location"][0].split(",")[::-1]), wgs84_to_bd09(*there)) < 1
    assert any(link.startswith("geo:29.0301000,106.6421000") for link in links)
    # The photo is in it, and nothing of it may be kept by anybody on the way.
    assert len(read.pages[1].images) == 1
    assert answer.headers["Cache-Control"] == "private, no-store"
    seen.close()


def test_the_page_tells_of_each_stop_what_one_needs_there(town):
    page = client(town, "secretary").get(f"{BRIEF}?lang=en")
    said = page.get_data(as_text=True)

    assert page.headers["Cache-Control"] == "private, no-store"
    for words in ("jurisdictions of two or more units overlap here", "Unit U2",
                  "Measure length and width of the damage",
                  "29.030100, 106.642100", "09:0", "before · 2026-11-20"):  # fmt: skip
        assert words in said
    assert "style=" not in said
    assert said.count('class="stop-sheet"') == 3


def test_only_who_may_visit_there_sees_any_of_it(town, monkeypatch):
    monkeypatch.setattr(prints, "pdf", lambda html, *, files: b"%PDF")  # noqa: ARG005 - whoever comes so far is let in
    clients = {login: client(town, login) for login in WHO}

    for door in ("brief", "brief.pdf", "brief.gpx", "brief.kml"):
        path = f"/field/visits/{VISIT}/{door}"
        answers = {login: one.get(path).status_code for login, one in clients.items()}
        assert answers == {"secretary": 200, "elsewhere": 404, "staff": 404, "officer": 404}
        assert town.test_client().get(path).status_code in {303, 401}
        assert clients["secretary"].get(path.replace(str(VISIT), str(UUID(int=5)))).status_code == 404
        assert clients["secretary"].get(path.replace(str(VISIT), "five")).status_code == 404


def test_gpx_and_kml_name_the_stops_in_their_order(town):
    secretary = client(town, "secretary")

    gpx = ET.fromstring(secretary.get(f"{BRIEF}.gpx?lang=zh").data)  # noqa: S314 - our own file
    kml = secretary.get(f"{BRIEF}.kml?lang=zh").get_data(as_text=True)
    names = [node.text for node in gpx.iterfind("{*}wpt/{*}name")]
    assert names == ["起点", "1 人行道破损 one", "2 人行道破损 two", "3 人行道破损 three"]
    assert f"{SITE}/issues/{numbers()[0]}" in kml
