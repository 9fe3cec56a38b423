"""The doors of the field: the pack, its map, and what a phone may send; wrong input is told by its field."""

import io
import json
from datetime import UTC, datetime, time
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from PIL import Image
from pmtiles.reader import MemorySource, Reader
from sqlalchemy import text

from geoapp.domain.editing import Facts
from geoapp.domain.values import OPERATOR, Point
from geoapp.domain.visiting import Draft, DraftStop
from geoapp.services import accounts, clocks, editing, fieldmap, photos, visits
from geoapp.store import session
from tests.builders import TODAY, a_category, a_jurisdiction, a_place, an_issue, square, store

SECRET = "paving stones 62"  # noqa: S105
VISIT = UUID(int=100)
HERE = f"/field/visits/{VISIT}"
AT = "2026-11-20T09:00:00+08:00"
LINE = {"type": "LineString", "coordinates": [[106.65, 29.03], [106.651, 29.03]]}
AREA = {
    "type": "Polygon",
    "coordinates": [[[106.649, 29.029], [106.651, 29.029], [106.651, 29.031], [106.649, 29.029]]],
}
INK = [{"name": "王强", "unit": "", "strokes": [[[1, 2], [300, 400]]]}]


@pytest.fixture
def field(app, settings):
    a_category("road", "道路", "Roads")
    a_place("C1", square(106.64, 29.02))
    a_jurisdiction("U1", square(106.64, 29.02))
    store(an_issue("1"), an_issue("2", point=Point(106.652, 29.03)))
    accounts.add(OPERATOR, "li", "Li Min", SECRET)
    accounts.grant(OPERATOR, "li", "secretary", place="C1")
    now = datetime.now(UTC)
    token = accounts.sign_in("li", SECRET, address="::1", browser="", now=now).token
    stops = tuple(DraftStop(an_issue(name).id) for name in ("1", "2"))
    plan = Draft(title="Tuesday", on_day=TODAY, starts_at=time(9), start=Point(106.648, 29.03), stops=stops,
                 by_hand=True)  # fmt: skip
    visits.create(accounts.viewer_of(token, now=now), plan, id=VISIT, now=now, zone=settings.zone)
    client = app.test_client()
    client.set_cookie("geoapp", token)
    head = {"X-CSRF-Token": client.get("/field/line.json").get_json()["csrf"]}
    return SimpleNamespace(client=client, head=head, settings=settings)


def a_record(kind="check_in", name="1", **changes):
    bodies = {
        "check_in": {"lon": 106.65, "lat": 29.03, "accuracy_m": 12},
        "finding": {"seen": "worse", "words": "Wet"},
        "extent": {"extent": LINE},
        "settlement": {"unit": "U1", "area": AREA, "note": "Agreed", "signatures": INK},
        "issue": {"category": "road", "lon": 106.65, "lat": 29.03, "key": "k" * 30, "title": "Manhole"},
        "photo": {"phase": "before"},
    }
    issue = an_issue(name).id
    sent = {"id": str(uuid4()), "issue": str(issue), "kind": kind, "at": AT, "base": {"version": 1, "seq": 1},
            "body": bodies[kind]}  # fmt: skip
    return sent | changes


def send(field, *sent):
    answer = field.client.post(f"{HERE}/records?lang=en", json={"records": list(sent)}, headers=field.head)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()["answers"]


def test_the_pack_holds_what_the_visit_needs_and_says_how_much_that_is(field):
    told = field.client.get(f"{HERE}/pack.json?lang=en")
    pack = told.get_json()
    size = field.client.get(f"{HERE}/pack.json?only=size").get_json()

    first = pack["stops"][0]
    assert [stop["seq"] for stop in pack["stops"]] == [1, 2]
    assert (first["issue"]["title"], first["base"]["version"]) == ("人行道破损 1", 1)
    assert first["units"][0]["code"] == "U1"
    assert len(first["checklist"]) > 0
    assert pack["bytes"]["all"] == sum(pack["bytes"][part] for part in ("words", "photos", "map"))
    assert set(size) == {"bytes", "made_at"}
    assert told.headers["Cache-Control"] == "private, no-store"


def test_photos_come_along_with_their_size(field):
    out = io.BytesIO()
    Image.new("RGB", (60, 40)).save(out, "JPEG")
    photos.add(
        OPERATOR, str(an_issue().id), out.getvalue(), phase="before", caption="", folder=field.settings.photos_dir,
        now=datetime.now(UTC), zone=field.settings.zone,
    )  # fmt: skip
    (photo,) = field.client.get(f"{HERE}/pack.json").get_json()["stops"][0]["photos"]

    with field.client.get(photo["url"]) as answer:
        assert len(answer.data) == photo["bytes"]


def test_the_map_that_comes_along_holds_our_layers_about_the_visit(field):
    (told,) = field.client.get(f"{HERE}/pack.json").get_json()["maps"]
    body = field.client.get(told["url"]).data
    header = Reader(MemorySource(body)).header()

    assert len(body) == told["bytes"]
    assert (header["min_zoom"], header["max_zoom"]) == (12, 16)
    here = next(fieldmap.tiles_of(fieldmap.area([Point(106.65, 29.03)]), 14))
    tile = Reader(MemorySource(body)).get(here.z, here.x, here.y)
    assert tile[:2] == b"\x1f\x8b"
    assert field.client.get(f"{HERE}/pack.pmtiles?part=base").status_code == 400


def test_a_visit_that_spreads_far_gets_fewer_zooms_and_no_more_bytes_than_a_phone_can_take(field):  # noqa: ARG001
    box = fieldmap.area([Point(106.0, 29.0), Point(108.0, 30.5)])

    assert box.east - box.west < 0.6
    found = fieldmap.own_layers(OPERATOR, (), box, today=TODAY)
    assert (found.body, found.max_zoom < 16) == (b"", True)


def test_the_page_itself_holds_nothing_of_anybody(field):
    page = field.client.get(f"{HERE}/go?lang=en").get_data(as_text=True)
    kept = field.client.get("/field/shell?lang=en").get_data(as_text=True)

    for said in (page, kept):
        assert "Li Min" not in said
        assert "Tuesday" not in said
        assert field.head["X-CSRF-Token"] not in said


def test_each_kind_of_record_is_stored_once_and_answered_by_itself(field):
    new = str(uuid4())
    sent = [
        a_record("check_in"), a_record("finding"), a_record("extent"),
        a_record("settlement", name="2"), a_record("issue", id=new, issue=new), {"kind": "nonsense"},
    ]  # fmt: skip

    first, again = send(field, *sent), send(field, *sent)

    assert [one["outcome"] for one in first] == ["stored"] * 5 + ["refused"]
    assert [one["outcome"] for one in again] == ["already"] * 5 + ["refused"]
    assert (first[5]["field"], first[5]["status"]) == ("kind", 400)
    with session.snapshot() as db:
        assert db.execute(text("SELECT count(*) FROM field_record")).scalar_one() == 5


def test_a_photo_comes_with_its_record_as_a_form(field):
    out = io.BytesIO()
    Image.new("RGB", (60, 40)).save(out, "JPEG")
    record = json.dumps(a_record("photo"))

    def post():
        given = {"record": record, "photo": (io.BytesIO(out.getvalue()), "x.jpg")}
        return field.client.post(f"{HERE}/records", data=given, headers=field.head).get_json()["answers"][0]["outcome"]

    assert [post(), post()] == ["stored", "already"]
    assert send(field, a_record("photo"))[0]["field"] == "photo"


WRONG = [
    ("check_in", {"id": "x"}, "id"),
    ("check_in", {"issue": 5}, "issue"),
    ("check_in", {"at": "yesterday"}, "at"),
    ("check_in", {"at": "2026-11-20T09:00:00"}, "at"),
    ("check_in", {"base": 5}, "base"),
    ("check_in", {"base": {"version": True, "seq": 1}}, "base"),
    ("check_in", {"body": []}, "body"),
    ("check_in", {"body": {"x": "\x00"}}, "body"),
    ("check_in", {"body": {"x": "\ud800"}}, "body"),
    ("check_in", {"body": {"x": "y" * 200_000}}, "body"),
    ("check_in", {"body": {}}, "lon"),
    ("check_in", {"body": {"lon": 1e999, "lat": 0}}, "body"),
    ("check_in", {"body": {"lon": 200, "lat": 0}}, "lon"),
    ("check_in", {"body": {"lon": 0, "lat": 89}}, "lat"),
    ("check_in", {"body": {"lon": 0, "lat": 0, "accuracy_m": -1}}, "accuracy_m"),
    ("finding", {"body": {"seen": "maybe"}}, "seen"),
    ("finding", {"body": {"words": 5}}, "words"),
    ("finding", {"body": {"words": "x", "answers": [1]}}, "answers"),
    ("finding", {"body": {"follow_up": "x", "due": "soon"}}, "due"),
    ("finding", {"body": {"follow_up": "x", "due": "0001-01-01"}}, "due"),
    ("extent", {"body": {}}, "extent"),
    ("extent", {"body": {"extent": {"type": "Point", "coordinates": [1, 2]}}}, "extent"),
    ("extent", {"body": {"extent": {"type": "LineString"}}}, "extent"),
    ("settlement", {"body": {}}, "unit"),
    ("settlement", {"body": {"unit": "U1", "area": LINE}}, "area"),
    ("settlement", {"body": {"unit": "U1", "area": AREA, "categories": "road"}}, "categories"),
    ("settlement", {"body": {"unit": "U1", "area": AREA}}, "signatures"),
    ("settlement", {"body": {"unit": "U1", "area": AREA, "signatures": [{"name": "Li", "strokes": 5}]}},
     "signatures"),
    ("settlement", {"body": {"unit": "U1", "area": AREA, "signatures": [{"name": "Li", "strokes": [[[1]]]}]}},
     "signatures"),
    ("issue", {}, "issue"),
]  # fmt: skip
"""Kind, what is changed in a good record, and the field that the refusal must name."""


def test_what_cannot_be_read_is_refused_by_its_field(field):
    body = json.dumps({"records": [a_record(kind, **changes) for kind, changes, _ in WRONG]})

    answer = field.client.post(
        f"{HERE}/records?lang=en", data=body, headers=field.head | {"Content-Type": "application/json"}
    )
    answers = answer.get_json()["answers"]

    assert [(one["outcome"], one.get("field")) for one in answers] == [("refused", name) for _, _, name in WRONG]
    assert all(one["message"] for one in answers)


def test_a_batch_that_is_none_and_a_body_too_large_are_refused_whole(field):
    def post(body):
        head = field.head | {"Content-Type": "application/json"}
        return field.client.post(f"{HERE}/records", data=body, headers=head).status_code

    assert post("{") == 400
    assert post('{"records": 5}') == 400
    assert post(json.dumps({"records": [1] * 51})) == 400
    assert post("x" * (2 << 20)) == 413
    assert field.client.post(f"{HERE}/records", json={}).status_code == 403


def test_what_a_conflict_is_about_is_told_side_by_side_and_decided_once_on_its_page(field):
    editing.edit(
        OPERATOR, str(an_issue().id), Facts(title="Another"), version=1, now=datetime.now(UTC),
        calendar=clocks.read_calendar(field.settings.calendar_file, field.settings.zone),
    )  # fmt: skip
    sent = a_record("extent", base={"version": 1, "seq": 0})
    assert send(field, sent)[0]["outcome"] == "conflict"
    (clash,) = field.client.get(f"{HERE}/records.json?lang=en").get_json()["conflicts"]
    page = field.client.get(f"{HERE}/records?lang=en").get_data(as_text=True)
    way = f"{HERE}/records/{clash['issue']}/{clash['id']}"
    stale = field.client.post(f"{way}/mine?lang=en", data={"seq": 0, "csrf_token": field.head["X-CSRF-Token"]})
    done = field.client.post(f"{way}/mine", json={"seq": clash["seq"]}, headers=field.head)

    assert (clash["mine"], bool(clash["theirs"])) == ("a line of 97 m", True)
    assert "a line of 97 m" in page
    assert stale.status_code == 409
    assert "changed again" in stale.get_data(as_text=True)
    assert done.get_json()["answers"][0]["fate"] == "mine"
    assert field.client.post(f"{way}/both", json={"seq": 1}, headers=field.head).status_code == 400


def test_the_end_of_the_visit_is_told_to_the_public_without_the_internal_words(field):
    send(field, a_record("finding"), a_record("check_in", name="2"))

    home = [field.client.post(f"{HERE}/home", json={"summary": "Good"}, headers=field.head) for _ in range(2)]

    assert [one.get_json()["state"] for one in home] == ["ended", "ended"]
    with session.snapshot() as db:
        told = db.execute(text("SELECT note FROM history WHERE action = 'visit' ORDER BY note")).scalars().all()
    assert len(told) == 2
    assert all("第一书记已到现场查看" in note for note in told)
    assert "Wet" not in " ".join(told)
    assert field.client.post(f"{HERE}/home", json={"summary": 5}, headers=field.head).status_code == 400


def test_a_follow_up_is_ticked_off_on_the_page(field):
    sent = a_record("finding", body={"words": "Wet", "follow_up": "Pump it dry", "due": "2026-11-01"})
    send(field, sent)
    page = field.client.get(f"{HERE}/records?lang=en").get_data(as_text=True)
    done = field.client.post(
        f"{HERE}/follow-ups/{sent['issue']}/{sent['id']}", data={"csrf_token": field.head["X-CSRF-Token"]}
    )

    assert "Pump it dry" in page
    assert "overdue" in page
    assert done.status_code == 303
    assert "done 20" in field.client.get(f"{HERE}/records?lang=en").get_data(as_text=True)
