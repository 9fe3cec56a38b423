"""The Atom feeds, read back by a feed reader: what is in them, what never is, and that they are not fetched in vain."""

import re
from dataclasses import replace
from datetime import timedelta

import feedparser
import pytest
from sqlalchemy import text

from geoapp.app import create_app
from geoapp.domain.values import Event, IssueState, Point, Privacy
from geoapp.store import session
from tests.builders import a_category, a_place, an_issue, square, store
from tests.correspondence import number
from tests.web.test_desk import fields, words

HERE, FAR = Point(106.65, 29.03), Point(106.71, 29.03)


@pytest.fixture(autouse=True)
def ground(app):  # noqa: ARG001 - the database must be connected
    a_category()
    a_category("lamp", "路灯", "Lamps")
    a_place("C1", square(106.64, 29.02))
    a_place("C2", square(106.70, 29.02))
    with session.snapshot() as db:
        now = db.execute(text("SELECT now()")).scalar_one()

    def happened(*lines):
        return tuple(
            Event(now - timedelta(days=days), action, IssueState(state), "community", note)
            for days, action, state, note in lines
        )

    store(
        an_issue(
            "1",
            history=happened(
                (9, "report", "reported", ""), (5, "accept", "accepted", "收到"), (1, "judge", "accepted", "")
            ),
        ),
        an_issue("2", category="lamp", point=FAR, history=happened((4, "report", "reported", ""))),
        an_issue("3", privacy=Privacy.PRIVATE, history=happened((3, "report", "reported", "secret note"))),
        an_issue(
            "4",
            privacy=Privacy.BLURRED,
            point=Point(106.6503217, 29.0301234),
            text_released=False,
            title="hidden title",
            history=happened((2, "report", "reported", "")),
        ),
        an_issue("5", history=happened((40, "report", "reported", ""))),
    )


def read(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.content_type == "application/atom+xml; charset=utf-8"
    found = feedparser.parse(answer.data)
    assert not found.bozo, found.bozo_exception
    assert found.version == "atom10"
    return found


def numbers(found):
    return [re.match(r"\S+", entry.title)[0] for entry in found.entries]


def test_the_feed_tells_what_happened_in_public_lately_the_newest_first(client):
    found = read(client, "/feed.atom?lang=zh")

    assert numbers(found) == [number("4"), number("2"), number("1"), number("1")]
    assert found.entries[2].title == f"{number('1')} 人行道破损 1：已立案"
    assert found.entries[2].author == "社区"
    assert "收到" in found.entries[2].content[0].value
    assert found.entries[2].link == f"http://localhost/issues/{number('1')}?lang=zh"
    assert found.feed.updated == found.entries[0].updated


def test_every_entry_has_a_name_that_stays_and_is_its_own(client):
    first, again, english = (read(client, f"/feed.atom?lang={lang}") for lang in ("zh", "zh", "en"))
    ids = [entry.id for entry in first.entries]

    assert ids == [entry.id for entry in again.entries] == [entry.id for entry in english.entries]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"tag:localhost,2026:issue/[0-9a-f-]{36}/\d+", one) for one in ids)
    assert set(ids) >= {entry.id for entry in read(client, f"/issues/{number('2')}.atom").entries}


def test_names_and_links_are_made_of_the_address_that_is_set(settings, clean):  # noqa: ARG001
    client = create_app(replace(settings, public_url="https://map.example.org/")).test_client()
    found = read(client, "/feed.atom?community=C2")

    assert found.entries[0].id.startswith("tag:map.example.org,2026:issue/")
    assert found.entries[0].link == f"https://map.example.org/issues/{number('2')}"
    assert {link.rel: link.href for link in found.feed.links} == {
        "self": "https://map.example.org/feed.atom?community=C2",
        "alternate": "https://map.example.org/issues?community=C2",
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("category=lamp", ["2"]),
        ("community=C1", ["4", "1", "1"]),
        ("state=closed", []),
        ("bbox=106.7,29.0,106.8,29.1", ["2"]),
        ("q=人行道破损", ["2", "1", "1"]),
        ("lat=29.03&lon=106.71&radius=500", ["2"]),
        ("lat=29.03&lon=106.65&radius=5000", ["4", "1", "1"]),
        ("lat=29.03&lon=106.65&radius=5000&category=lamp", []),
    ],
)
def test_the_feed_takes_the_filter_of_the_list_and_a_circle(client, query, names):
    assert numbers(read(client, f"/feed.atom?{query}")) == [number(name) for name in names]


@pytest.mark.parametrize(
    "query",
    [
        "lat=29", "lat=29&lon=106", "radius=100", "lat=29&lon=106&radius=0", "lat=29&lon=106&radius=5001",
        "lat=29&lon=106&radius=nan", "lat=99&lon=106&radius=5", "category=nothing", "bbox=1,2", "lat=x&lon=1&radius=1",
    ],
)  # fmt: skip
def test_a_wrong_filter_is_named(client, query):
    answer = client.get(f"/feed.atom?{query}", headers={"Accept": "application/json"})

    assert answer.status_code in {400, 422}
    assert answer.get_json()["error"]["field"] in {"lat", "lon", "radius", "category", "bbox"}


def test_the_place_is_the_public_one_and_no_circle_finds_the_hidden_one(client):
    (entry,) = [one for one in read(client, "/feed.atom").entries if one.title.startswith(number("4"))]
    lon, lat = entry["where"]["coordinates"]
    near = read(client, "/feed.atom?lat=29.0301234&lon=106.6503217&radius=5")
    exact = read(client, f"/issues/{number('1')}.atom").entries[0]["where"]["coordinates"]

    assert (round(lon, 7), round(lat, 7)) != (106.6503217, 29.0301234)
    assert abs(lon - 106.6503217) < 0.002
    assert number("4") not in numbers(near)
    assert exact == (106.65, 29.03)


def test_nothing_hidden_stands_in_a_feed(client):
    everything = words(client.get("/feed.atom")) + words(client.get(f"/issues/{number('4')}.atom"))

    for hidden in ("secret note", "hidden title", number("3"), "106.6503217"):
        assert hidden not in everything
    assert client.get(f"/issues/{number('3')}.atom").status_code == 404
    assert client.get("/issues/QJ-2026-999999.atom").status_code == 404


def test_internal_lines_are_in_no_feed(client):
    with session.transaction() as db:
        db.execute(
            text(
                "INSERT INTO history (issue_id, seq, at, action, note, internal) "
                "VALUES (:id, 9, now(), 'note', 'the owner is difficult', true)"
            ),
            {"id": an_issue("2").id},
        )

    assert "difficult" not in words(client.get("/feed.atom")) + words(client.get(f"/issues/{number('2')}.atom"))


def test_the_feed_of_an_issue_is_its_public_history(client):
    found = read(client, f"/issues/{number('1')}.atom?lang=en")

    assert [entry.title.rpartition(": ")[2] for entry in found.entries] == [
        "accepted",
        "accepted",
        "reported",
    ]
    assert found.feed.title == f"History of {number('1')} · 人行道破损 1"
    assert found.feed.id == f"tag:localhost,2026:issue/{an_issue('1').id}"


@pytest.mark.parametrize("address", ["/feed.atom", "/feed.atom?category=road", "/issues/{number}.atom"])
def test_what_has_not_changed_is_not_sent_again(client, address):
    address = address.format(number=number("1"))
    first = client.get(address)
    same = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    with session.transaction() as db:
        db.execute(
            text("INSERT INTO history (issue_id, seq, at, action) VALUES (:id, 9, now(), 'visit')"),
            {"id": an_issue("1").id},
        )
    changed = client.get(address, headers={"If-None-Match": first.headers["ETag"]})

    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_signs_that_xml_cannot_say_and_marks_that_it_means_something_by_do_no_harm(client):
    store(an_issue("6", title="<b>&\x0b]]>\ufffe</b>"))
    with session.transaction() as db:
        db.execute(
            text("INSERT INTO history (issue_id, seq, at, action, note) VALUES (:id, 1, now(), 'visit', :note)"),
            {"id": an_issue("6").id, "note": "a\x01<script>&amp;"},
        )
    entry = read(client, "/feed.atom").entries[0]

    assert "<b>&]]></b>" in entry.title
    assert "a<script>&amp;" in entry.content[0].value


def test_pages_name_their_feed(client):
    listed = words(client.get("/issues?category=lamp&lang=en"))
    one = words(client.get(f"/issues/{number('1')}"))

    assert (
        'type="application/atom+xml" title="News of the issues" href="/feed.atom?category=lamp&amp;lang=en"' in listed
    )
    assert f'href="/issues/{number("1")}.atom"' in one
    assert fields(client.get("/sign-in"))
