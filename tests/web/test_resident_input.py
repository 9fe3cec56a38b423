"""What residents write and send never runs and never breaks: every field, every file (TRUST T19, T21)."""

import io
from datetime import UTC, datetime
from uuid import UUID

import pytest
from PIL import Image

from geoapp.domain.values import OPERATOR
from geoapp.services import accounts, moderation
from tests.builders import CENTRE, a_category, a_place, square
from tests.web.mappage import DESKTOP
from tests.web.test_injection import PAYLOADS

KEY = "k" * 30
SECRET = "paving stones 62"  # noqa: S105


@pytest.fixture
def place(app):
    a_category()
    a_place("C1", square(106.64, 29.02))
    accounts.add(OPERATOR, "staff", "Staff", SECRET)
    accounts.grant(OPERATOR, "staff", "community", place="C1")
    return app


def report(client, nth, payload):
    told = {"category": "road", "lat": CENTRE.lat + nth / 1e4, "lon": CENTRE.lon, "title": payload, "text": payload,
            "address": payload, "name": payload, "contact": payload, "key": KEY,
            "id": str(UUID(int=(nth + 1) << 100))}  # fmt: skip
    sent = client.post("/api/issues", json=told)
    assert sent.status_code == 201, sent.get_data(as_text=True)
    return sent.get_json()


@pytest.mark.browser
def test_whatever_residents_write_is_shown_as_they_wrote_it_and_never_runs(place, live_server, new_context, watch):
    client = place.test_client()
    told = [payload.replace("\u2028", " ") for payload in PAYLOADS]
    sent = []
    for nth, payload in enumerate(told):
        sent.append(report(client, nth, payload))
        client.post(f"{sent[-1]['link']}/remarks", data={"id": str(UUID(int=nth + 1)), "remark": payload})
    page = watch.attach(new_context(**DESKTOP).new_page())
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))

    def inert():
        return page.evaluate("globalThis.hit === undefined")

    for one, payload in zip(sent, told, strict=True):
        page.goto(f"{live_server}{one['link']}?lang=en")
        assert page.locator(".facts dd").all_text_contents().count(payload) >= 4
        assert page.input_value("#title") == payload
        assert inert()
    token = accounts.sign_in("staff", SECRET, address="x", browser="", now=datetime.now(UTC)).token
    page.context.add_cookies([{"name": "geoapp", "value": token, "url": live_server}])
    page.goto(f"{live_server}/desk/moderation?lang=en")
    assert sorted(set(page.locator(".review .words").all_text_contents())) == sorted(told)
    assert inert()
    for one in moderation.waiting(OPERATOR)[0]:
        moderation.decide(OPERATOR, one.number, one.id, release=True, now=datetime.now(UTC), zone=UTC)
    for one, payload in zip(sent, told, strict=True):
        page.goto(f"{live_server}/issues/{one['number']}?lang=en")
        assert page.text_content("h1") == payload
        assert payload in page.text_content(".remark")
        assert inert()
    for path in (
        "/communities/C1/poster",
        f"/place?lat={CENTRE.lat}&lon={CENTRE.lon}",
        f"/desk/issues/{one['number']}",
    ):
        page.goto(f"{live_server}{path}")
        assert inert()
    assert dialogs == []


def saved(size=(60, 40), kind="JPEG"):
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind)
    return out.getvalue()


BAD_FILES = {
    "nothing": b"",
    "words": b"this is no photo",
    "a page": b"<!doctype html><script>alert(1)</script>",
    "a drawing with a script": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "a document": b"%PDF-1.7\n",
    "an archive": b"PK\x03\x04" + b"x" * 100,
    "a gif that runs": b"GIF89a/*" + b"*/=alert(1)//",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "half a photo": saved()[:200],
    "a photo of one broken byte": b"\xff\xd8\xff" + b"\x00" * 50,
    "too large": saved() + b"x" * (20 << 20),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_what_is_no_photo_is_refused_by_its_field_at_every_door_and_nothing_of_it_is_kept(place, settings, name):
    client = place.test_client()
    sent = report(client, 1, "A broken kerb")
    issue = sent["link"].split("/")[2]
    path = f"/api/reports/{issue}/{issue}/photos/{UUID(int=5)}"
    by_program = client.post(
        path, data={"photo": (io.BytesIO(BAD_FILES[name]), "../../x.jpg"), "phase": "before"},
        headers={"Report-Key": KEY},
    )  # fmt: skip
    by_form = client.post(
        f"{sent['link']}/photos", data={"id": str(UUID(int=6)), "photo": (io.BytesIO(BAD_FILES[name]), "a.svg")}
    )
    # A body that nobody reads to its end lies in a file until its request is forgotten.
    for answer in (by_program, by_form):
        answer.request.input_stream.close()

    assert by_program.status_code in {400, 413}
    assert by_program.get_json()["error"]["field"] in {"photo", None}
    assert by_form.status_code in {400, 413}
    assert list((settings.data_dir / "photos").rglob("*.jpg")) == []


@pytest.mark.parametrize("key", ["", "x" * 30, "k" * 29, "' OR 1=1 --" + "x" * 20])
def test_without_the_key_no_door_of_a_report_opens(place, key):
    client = place.test_client()
    sent = report(client, 1, "A broken kerb")
    issue = sent["link"].split("/")[2]
    photo = {"photo": (io.BytesIO(saved()), "x.jpg"), "phase": "before"}
    program = client.post(
        f"/api/reports/{issue}/{issue}/photos/{UUID(int=5)}", data=photo, headers={"Report-Key": key}
    )  # fmt: skip
    codes = {client.get(f"/mine/{issue}/{issue}/{key or 'x'}{rest}").status_code for rest in ("", "/export.zip")}
    for act in ("correct", "remarks", "withdraw", "rating", "erase"):
        given = {"id": str(UUID(int=5)), "remark": "x", "score": "not", "reason": "x", "sure": "yes", "text": "x"}
        codes.add(client.post(f"/mine/{issue}/{issue}/{key or 'x'}/{act}", data=given).status_code)

    assert program.status_code == 404
    assert codes == {404}
