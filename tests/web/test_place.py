"""One place explained, places by name, and what is around me."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from geoapp.domain.values import OPERATOR, IssueState, Name, Point, Privacy
from geoapp.errors import BadInput
from geoapp.services import meetings, places
from geoapp.services.meetings import MeetingFacts
from geoapp.store import session
from tests.builders import CENTRE, a_category, a_jurisdiction, a_place, an_issue, square, store
from tests.web.mappage import DESKTOP, PHONE, MapPage

HERE = f"lat={CENTRE.lat}&lon={CENTRE.lon}"
EARLIER = datetime.now(UTC) - timedelta(days=100)


@pytest.fixture
def place(app):
    a_category("road", "道路", "Roads")
    a_category("road.hole", "坑洞", "Pothole", parent="road")
    a_category("light", "照明", "Lighting")
    a_place("S1", square(106.60, 29.00, 0.2), kind="street", name=Name("古南街道", "Gunan Subdistrict"))
    a_place("C1", square(106.64, 29.02), name=Name("农场社区", "Nongchang Community"))
    a_place("C2", square(106.6601, 29.02), name=Name("古松村", "Gusong Village"))
    a_jurisdiction("U1", square(106.64, 29.02), categories=("road",))
    a_jurisdiction("U2", square(106.64, 29.02), categories=("road.hole",))
    return app


def text_of(app, path):
    answer = app.test_client().get(path)
    assert answer.status_code == 200, path
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def solved(count, days=10, **how):
    ended = EARLIER + timedelta(days=days)
    store(
        *(
            an_issue(
                f"solved {days} {nth}",
                state=IssueState.CLOSED,
                reported_at=EARLIER,
                updated_at=ended,
                ended_at=ended,
                **how,
            )
            for nth in range(count)
        )
    )


def test_it_says_whose_each_kind_of_problem_is_and_why(place):
    said = text_of(place, f"/place?{HERE}&lang=en")

    assert "Nongchang Community" in said
    assert re.search(r"Roads clear Unit U1 .* the place lies inside", said)
    assert re.search(r"Pothole contested", said)
    assert re.search(r"Lighting orphan No unit yet", said)


def test_it_tells_what_is_open_and_solved_nearby_but_nothing_private_and_blurred_ones_by_their_cell(place):
    store(
        an_issue("near", title="Broken kerb"),
        an_issue("far", title="Too far", point=Point(106.6559, 29.03)),
        an_issue("private", title="Secret", privacy=Privacy.PRIVATE),
        an_issue("blurred", title="Blurred", privacy=Privacy.BLURRED, point=Point(106.6501, 29.0301)),
        an_issue("hidden", title="Not released", text_released=False),
    )
    said = text_of(place, f"/place?{HERE}&lang=en")

    assert "Broken kerb" in said
    assert "Blurred" in said
    assert not any(word in said for word in ("Too far", "Secret", "Not released"))


def test_the_usual_time_is_a_median_with_its_number_and_hidden_below_five(place):
    solved(4)
    few = text_of(place, f"/place?{HERE}&lang=en")
    solved(3, days=30)
    enough = text_of(place, f"/place?{HERE}&lang=en")
    solved(9, days=1, privacy=Privacy.PRIVATE)

    assert "Too few have ended" in few
    assert "Roads 10 days (n = 7)" in enough
    assert "n = 7" in text_of(place, f"/place?{HERE}&lang=en")


def test_whom_to_call_is_said_by_the_community_or_else_by_the_street_above_it(place):
    where = "/place?lat=29.03&lon=106.65&lang=en"
    before = text_of(place, where)
    places.tell_contact(OPERATOR, {"S1": "023-4866 0000, weekdays 9 to 17"})
    by_street = text_of(place, where)
    with session.transaction() as db:
        db.execute(text("UPDATE place SET parent_id = (SELECT id FROM place WHERE code = 'S1') WHERE code = 'C1'"))
    of_street = text_of(place, where)
    places.tell_contact(OPERATOR, {"C1": "<b>Gate 1</b>"})
    of_community = place.test_client().get(where).get_data(as_text=True)

    assert "Contact" not in before
    assert "Contact" not in by_street, "it does not lie below that street"
    assert "Gunan Subdistrict 023-4866 0000, weekdays 9 to 17" in of_street
    assert "&lt;b&gt;Gate 1&lt;/b&gt;" in of_community


@pytest.mark.parametrize(
    ("told", "field"), [({"S1": "x" * 201}, "contact"), ({"S1": "a\x07"}, "contact"), ({"S1": "1", "S9": "2"}, "place")]
)
def test_a_contact_that_cannot_be_is_refused_by_its_field_and_none_is_stored(place, told, field):  # noqa: ARG001
    with pytest.raises(BadInput) as refused:
        places.tell_contact(OPERATOR, told)
    with session.snapshot() as db:
        kept = db.execute(text("SELECT count(*) FROM place WHERE contact <> ''")).scalar_one()

    assert refused.value.field == field
    assert kept == 0


def test_the_next_joint_meeting_of_the_community_or_of_a_place_around_it_is_said(place):
    where = "/place?lat=29.03&lon=106.65&lang=en"
    soon, late = (datetime(2036, 11, day, 6, 30, tzinfo=UTC) for day in (3, 9))
    with session.transaction() as db:
        db.execute(text("UPDATE place SET parent_id = (SELECT id FROM place WHERE code = 'S1') WHERE code = 'C1'"))
    now = datetime.now(UTC)
    meetings.plan(OPERATOR, "C1", MeetingFacts("Meeting of the community", late), now=now)
    before = text_of(place, where)
    meetings.plan(OPERATOR, "S1", MeetingFacts("Meeting of the street", soon), now=now)
    meetings.plan(OPERATOR, "C2", MeetingFacts("Meeting next door", soon - timedelta(days=1)), now=now)

    assert "Next joint meeting 2036-11-09 14:30 Nongchang Community" in before
    assert "Next joint meeting 2036-11-03 14:30 Gunan Subdistrict" in text_of(place, where)


def test_outside_of_every_community_it_says_so(place):
    assert "lies in no community" in text_of(place, "/place?lat=10&lon=10&lang=en")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("lat=99&lon=1", "lat"),
        ("lat=1&lon=x", "lon"),
        ("lat=1", "lon"),
        ("community=nowhere", "community"),
        ("q=" + "x" * 61, "q"),
    ],
)
def test_what_is_no_place_is_refused_by_its_field(place, query, field):
    answer = place.test_client().get(f"/place?{query}&lang=en", headers={"Accept": "application/json"})

    assert 400 <= answer.status_code < 500
    assert answer.get_json()["error"]["field"] == field


def test_places_are_found_by_part_of_their_name_in_both_languages(place):
    client = place.test_client()

    def found(words):
        return [
            one["name"]
            for one in client.get("/api/places", query_string={"q": words, "lang": "zh"}).get_json()["places"]
        ]

    assert found("古") == ["古南街道", "古松村"]
    assert found("NONGCHANG") == ["农场社区"]
    assert found("%") == []
    assert client.get("/api/places").status_code == 400
    assert "Gusong Village" in text_of(place, "/place?q=gusong&lang=en")
    assert "No place is called so" in text_of(place, "/place?q=zzz&lang=en")
    assert "Nongchang" in text_of(place, "/place?community=C1&lang=en")


@pytest.fixture
def visit(place, new_context, watch):  # noqa: ARG001 - the place is there before anybody comes
    return lambda **how: watch.attach(new_context(**how).new_page())


@pytest.mark.browser
@pytest.mark.parametrize(("screen", "lang"), [(PHONE, "zh"), (DESKTOP, "en")], ids=["phone", "desk"])
def test_around_me_and_by_name_the_map_goes_there(visit, live_server, screen, lang):
    store(an_issue("near"))
    at = {"longitude": CENTRE.lon, "latitude": CENTRE.lat, "accuracy": 25}
    page = visit(**screen, geolocation=at, permissions=["geolocation"])
    seen = MapPage(page, live_server, touch=screen is PHONE).open(f"lang={lang}")
    page.click("#locate")
    seen.until(lambda: "25" in page.text_content("#around-note"))
    seen.until(lambda: seen.parameters().get("at", "").startswith("16/"))
    near = seen.parameters()["at"]

    if seen.touch:
        page.tap("#open-filters")
    page.fill("#search", "古松" if lang == "zh" else "gusong")
    page.click("#place-names button")
    seen.until(lambda: abs(float(seen.parameters()["at"].split("/")[2]) - 106.6701) < 2e-3)
    zoom, lat, lon = near.split("/")
    assert (int(zoom), float(lat), float(lon)) == (
        16,
        pytest.approx(CENTRE.lat, abs=1e-4),
        pytest.approx(CENTRE.lon, abs=1e-4),
    )


@pytest.mark.browser
def test_a_long_press_leads_to_the_place_and_to_a_report_from_there(visit, live_server):
    page = visit(**DESKTOP)
    MapPage(page, live_server).open(f"lang=en&at=16/{CENTRE.lat}/{CENTRE.lon}")
    page.mouse.click(900, 450, button="right")
    page.wait_for_selector("#about-place")
    to_report = page.get_attribute("#report-here", "href")
    page.click("#about-place")
    page.wait_for_selector(".whose-table")

    assert re.search(r"/report\?lat=29\.\d+&lon=106\.\d+", to_report)
    assert "Nongchang" in page.inner_text("h1")
