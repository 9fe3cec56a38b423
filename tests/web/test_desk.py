"""The desk over HTTP: who gets in, what waits, what may be done, and what happens to bad input."""

import io
import json
import re
from datetime import UTC, datetime

import pytest
from PIL import Image
from shapely.geometry import mapping
from sqlalchemy import text

from geoapp.domain.boundaries import NewUnit
from geoapp.domain.values import OPERATOR, IssueState, Name, Point, Privacy
from geoapp.services import accounts, boundaries, photos
from geoapp.store import history, session
from tests.builders import TODAY, a_category, a_jurisdiction, a_place, an_issue, square, store

SECRET = "paving stones 62"  # noqa: S105


@pytest.fixture(autouse=True)
def ground(app):  # noqa: ARG001 - the database must be connected
    a_category()
    a_place("C1", square(106.64, 29.02))
    a_place("C2", square(106.70, 29.02))
    units = [NewUnit(code, Name(f"单位{code}", f"Unit {code}")) for code in ("U1", "U2")]
    boundaries.store_units(OPERATOR, units, today=TODAY)
    a_jurisdiction("U1", square(106.64, 29.02))
    store(
        an_issue("1", state=IssueState.REPORTED, text_released=False),
        an_issue("2"),
        an_issue("3", privacy=Privacy.PRIVATE),
        an_issue("4", point=Point(106.71, 29.03)),
    )
    for login, role, where in (
        ("staff", "community", {"place": "C1"}),
        ("officer", "unit", {"unit": "U1"}),
        ("boss", "supervisor", {}),
        ("resident", "resident", {}),
    ):
        accounts.add(OPERATOR, login, login.title(), SECRET)
        accounts.grant(OPERATOR, login, role, **where)


def number(name):
    with session.snapshot() as db:
        return db.execute(text("SELECT number FROM issue WHERE title LIKE :t"), {"t": f"% {name}"}).scalar_one()


def signed_in(app, login):
    client = app.test_client()
    client.set_cookie("geoapp", accounts.sign_in(login, SECRET, address="::1", browser="", now=datetime.now(UTC)).token)
    return client


def words(answer):
    return answer.get_data(as_text=True)


def fields(answer):
    return dict(re.findall(r'name="(csrf_token|version)" value="([^"]*)"', words(answer)))


def act(client, name, action, **given):
    path = f"/desk/issues/{number(name)}"
    return client.post(f"{path}/{action}", data=fields(client.get(path)) | given)


def test_the_desk_is_only_for_staff(app, client):
    assert client.get("/desk?in=all").location == "/sign-in?next=%2Fdesk%3Fin%3Dall"
    assert signed_in(app, "resident").get("/desk").status_code == 403
    assert signed_in(app, "staff").get("/desk").status_code == 200


def test_what_waits_is_listed_and_counted_alike(app):
    inbox = words(signed_in(app, "staff").get("/desk?lang=en"))
    everything = words(signed_in(app, "staff").get("/desk?in=all&lang=en"))

    assert re.findall(r'data-number="(\S+)"', inbox) == re.findall(r'data-number="(\S+)"', everything)
    assert len(re.findall(r'data-number="', everything)) == 3
    assert re.findall(r'class="count">(\d+)<', everything) == ["3", "3"]
    assert "人行道破损 1" in inbox


def test_filters_narrow_the_desk_as_they_do_the_map(app):
    found = words(signed_in(app, "staff").get("/desk?in=all&state=accepted&lang=en"))

    assert re.findall(r'class="count">(\d+)<', found) == ["2", "2"]
    assert signed_in(app, "staff").get("/desk?state=nonsense").status_code == 400
    assert signed_in(app, "staff").get("/desk?after=nonsense").status_code == 400


def test_an_issue_goes_from_report_to_verified_end_and_the_unit_does_not_check_itself(app):
    staff, officer, boss = (signed_in(app, login) for login in ("staff", "officer", "boss"))

    assert act(staff, "1", "accept").status_code == 303
    assert act(staff, "1", "dispatch", unit="U1", helping=["U2"]).status_code == 303
    assert act(officer, "1", "start").status_code == 303
    early = act(officer, "1", "report_done")
    assert early.status_code == 422
    assert "请先上传处置后的照片" in words(early)
    assert act(boss, "1", "close").status_code == 409
    assert [line["action"] for line in boss.get(f"/api/issues/{number('1')}").get_json()["properties"]["history"]] == [
        "accept", "dispatch", "start",
    ]  # fmt: skip


def test_a_refused_action_shows_the_page_as_it_stands_with_the_reason_and_what_was_typed(app):
    staff = signed_in(app, "staff")

    late = staff.post(
        f"/desk/issues/{number('1')}/refuse", data=fields(staff.get("/account")) | {"version": "9", "note": "my words"}
    )
    lacking = act(staff, "2", "dispatch", note="my words")
    unknown = act(staff, "2", "dispatch", unit="nobody")
    assert (late.status_code, lacking.status_code, unknown.status_code) == (409, 422, 400)
    assert "刚被别人修改过" in words(late)
    assert "my words" in words(late)
    assert "请选择责任单位" in words(lacking)
    assert "没有“nobody”" in words(unknown)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"until": "soon", "note": "x"}, 400),
        ({"until": "2020-01-01", "note": "x"}, 409),
        ({"note": "x\x00"}, 400),
        ({"original": "QJ-1"}, 400),
        ({"note": "x" * 4001}, 409),
        ({"version": ""}, 428),
        ({"version": "9" * 40}, 428),
        ({"version": "-1"}, 428),
    ],
)
def test_bad_input_is_refused_by_name_and_changes_nothing(app, given, status):
    answer = act(signed_in(app, "staff"), "1", "defer", **given)

    assert answer.status_code == status
    assert 'role="alert"' in words(answer)


def test_one_action_on_many_does_what_it_can_and_tells_the_rest(app):
    staff = signed_in(app, "staff")
    page = staff.get("/desk?in=all&lang=en")
    ticked = re.findall(r'name="issue" value="([^"]+)"', words(page))
    done = staff.post(
        "/desk/actions?lang=en",
        data={"csrf_token": fields(page)["csrf_token"], "issue": [*ticked, "QJ-0:1"], "action": "accept"},
    )
    nothing = staff.post("/desk/actions?lang=en", data={"csrf_token": fields(page)["csrf_token"], "action": "accept"})

    assert "1 done, 3 refused." in words(done)
    assert "Tick the issues first." in words(nothing)


def test_a_private_issue_is_on_the_desk_of_its_place_and_on_no_other(app):
    path = f"/desk/issues/{number('3')}"

    assert signed_in(app, "staff").get(path).status_code == 200
    assert signed_in(app, "boss").get(path).status_code == 200
    assert signed_in(app, "officer").get(path).status_code == 404
    assert signed_in(app, "staff").get(f"/issues/{number('3')}").status_code == 404


def test_unreleased_words_and_internal_notes_stay_on_the_desk(app, client):
    staff = signed_in(app, "staff")
    act(staff, "1", "note", note="the owner is difficult")

    assert "the owner is difficult" in words(staff.get(f"/desk/issues/{number('1')}"))
    for path in (f"/issues/{number('1')}", f"/api/issues/{number('1')}"):
        assert "difficult" not in words(client.get(path))
        assert "人行道破损" not in words(client.get(path))


def test_the_deadline_runs_in_working_time_and_explains_itself(app):
    with session.transaction() as db:
        db.execute(text("""UPDATE category SET deadlines = '{"handle": {"work_days": 5}}'"""))
    staff = signed_in(app, "staff")
    act(staff, "2", "dispatch", unit="U1")
    page = words(staff.get(f"/desk/issues/{number('2')}?lang=en"))

    assert "5 working days left" in page
    assert "limit 5 working days" in page
    assert "working days left" in words(staff.get("/desk?in=all&lang=en"))
    assert "working days left" in words(app.test_client().get(f"/issues/{number('2')}?lang=en"))
    act(staff, "2", "defer", note="no money", until="2099-01-01")
    assert "paused" in words(staff.get(f"/desk/issues/{number('2')}?lang=en"))


# --- land ---


AREA = json.dumps(mapping(square(106.645, 29.025, 0.01)))


@pytest.fixture
def secretary(app):
    accounts.add(OPERATOR, "chen", "Chen", SECRET)
    accounts.grant(OPERATOR, "chen", "secretary", place="C1")
    return signed_in(app, "chen")


def settle(client, **changes):
    path = f"/desk/issues/{number('1')}/settlement"
    page = client.get(path)
    known = dict(re.findall(r'name="(csrf_token|version|id)" value="([^"]*)"', words(page)))
    typed = {"unit": "U2", "category": "road", "settled_on": "2026-11-01", "note": "signed", "area": AREA}
    return client.post(path, data={**known, **typed, **changes})


def test_land_is_settled_from_the_page_of_an_issue(secretary):
    done = settle(secretary)

    assert done.status_code == 303
    after = secretary.get(done.location.replace("?", "?lang=en&"))
    assert "Unit U2" in words(after)
    assert "responsibility settled on site" in words(after)


def test_a_rehearsal_shows_what_would_move_and_keeps_it_as_it_was(secretary):
    shown = words(settle(secretary, do="rehearse"))

    assert "会改变归属" in shown
    assert "单位U2" in shown
    assert "signed" in shown
    with session.snapshot() as db:
        assert db.execute(text("SELECT count(*) FROM settlement")).scalar_one() == 0


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"area": ""}, 400),
        ({"area": "nonsense"}, 400),
        ({"area": '{"type":"Point","coordinates":[106,29]}'}, 400),
        ({"area": '{"type":"Polygon","coordinates":[[[0,0],[900,0],[900,9],[0,0]]]}'}, 400),
        ({"area": '{"type":"Polygon","coordinates":[[["a",0],[1,0],[1,1],["a",0]]]}'}, 400),
        ({"area": '{"type":"Polygon","coordinates":[]}'}, 400),
        ({"area": "[" * 9000}, 400),
        ({"unit": ""}, 400),
        ({"unit": "nobody"}, 400),
        ({"category": "nothing"}, 400),
        ({"settled_on": "2099-01-01"}, 400),
        ({"settled_on": "today"}, 400),
        ({"note": ""}, 422),
        ({"id": "x"}, 400),
        ({"version": "77"}, 409),
    ],
)
def test_a_settlement_that_cannot_be_is_refused_by_name_and_keeps_what_was_typed(secretary, changes, status):
    answer = settle(secretary, participants="three units", **changes)

    assert answer.status_code == status
    assert 'role="alert"' in words(answer)
    assert "three units" in words(answer)


def test_only_who_may_settle_sees_the_page(app):
    assert signed_in(app, "officer").get(f"/desk/issues/{number('1')}/settlement").status_code == 403


def test_unclear_land_is_a_worklist_in_the_order_of_what_it_costs(app, secretary):
    a_jurisdiction("U2", square(106.645, 29.025, 0.01))
    found = words(secretary.get("/desk/unclear?lang=en"))

    rows = re.findall(r'verdict-(\w+)">[^<]*</span>\s*<small>.*?<td class="n">(\d+)</td>', found, re.DOTALL)
    assert rows[0] == ("contested", "3")
    assert len(rows) == len(words(signed_in(app, "boss").get("/desk/unclear")).split("<tr data-box")) - 2


# --- photos ---


def shot(colour="grey") -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(out, "JPEG")
    out.seek(0)
    return out


def add_photo(client, name="2", *, phase="after", file=None, **more):
    path = f"/desk/issues/{number(name)}"
    given = {
        "csrf_token": fields(client.get(path))["csrf_token"],
        "phase": phase,
        "photo": (file or shot(), "../x.jpg"),
    }
    return client.post(f"{path}/photos", data=given | more, content_type="multipart/form-data")


def photo_of(client, name="2", door="desk/issues"):
    return re.findall(r'<a href="(/photos/[^"]+large\.jpg)"', words(client.get(f"/{door}/{number(name)}")))


def look(client, path):
    """Status and headers of a file; the file is closed."""
    with client.get(path) as answer:
        return answer.status_code, answer.headers


def test_the_loop_closes_only_with_a_photo_of_this_round_and_by_somebody_else(app):
    staff, officer, boss = (signed_in(app, login) for login in ("staff", "officer", "boss"))
    act(staff, "2", "dispatch", unit="U1")
    act(officer, "2", "start")
    add_photo(officer, caption="new slabs")
    done = act(officer, "2", "report_done")
    failed = act(boss, "2", "rework", note="still loose")
    again = act(officer, "2", "report_done")
    add_photo(officer, file=shot("red"))
    redone = act(officer, "2", "report_done")
    closed = act(boss, "2", "close")

    assert (done.status_code, failed.status_code, again.status_code) == (303, 303, 422)
    assert (redone.status_code, closed.status_code) == (303, 303)
    facts = boss.get(f"/api/issues/{number('2')}").get_json()["properties"]
    assert (facts["state"], facts["reworks"], facts["deadline"]) == ("closed", 1, None)
    with session.snapshot() as db:
        assert history.verify(db)[1] == []


def test_a_photo_is_public_when_somebody_has_released_it_and_no_longer_when_withdrawn(app, client):
    staff = signed_in(app, "staff")
    add_photo(staff, phase="before")
    (large,) = photo_of(staff)
    hidden, _ = look(client, large)
    base = f"/desk/issues/{number('2')}/photos/{large.split('/')[3]}"
    token = {"csrf_token": fields(staff.get("/account"))["csrf_token"]}

    status, headers = look(staff, large)
    assert (status, hidden, photo_of(client, door="issues")) == (200, 404, [])
    assert headers["Cache-Control"] == "private, no-store"
    assert staff.post(f"{base}/release", data=token).status_code == 303
    status, headers = look(client, large)
    assert (status, headers["Content-Type"], photo_of(client, door="issues")) == (200, "image/jpeg", [large])
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert staff.post(f"{base}/withdraw", data=token).status_code == 303
    assert look(client, large)[0] == 404
    assert staff.post(f"{base}/withdraw", data=token).status_code == 404
    assert staff.post(f"{base}/explode", data=token).status_code == 404


def test_a_photo_of_a_private_issue_is_seen_by_nobody_outside(app, client):
    staff = signed_in(app, "staff")
    add_photo(staff, "3")
    (large,) = photo_of(staff, "3")

    assert look(client, large)[0] == look(signed_in(app, "officer"), large)[0] == 404


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"file": io.BytesIO(b"not a photo")}, 400),
        ({"file": io.BytesIO(b"")}, 400),
        ({"phase": "never"}, 400),
        ({"caption": "x" * 201}, 400),
    ],
)
def test_a_photo_that_is_not_taken_is_told_on_the_page(app, given, status):
    refused = add_photo(signed_in(app, "staff"), **given)

    assert refused.status_code == status
    assert 'role="alert"' in words(refused)


def test_a_body_beyond_all_measure_is_refused_before_it_is_read(app, monkeypatch):
    monkeypatch.setattr(photos, "MAX_BYTES", 100_000)
    staff = signed_in(app, "staff")
    token = fields(staff.get("/account"))["csrf_token"]

    assert staff.post("/account/password", data={"csrf_token": token, "old": "x" * 100_000}).status_code == 413
    assert add_photo(staff, file=io.BytesIO(b"\xff\xd8\xff" + b"x" * 200_000)).status_code == 413


def test_a_unit_may_not_release_a_photo(app):
    staff, officer = signed_in(app, "staff"), signed_in(app, "officer")
    act(staff, "2", "dispatch", unit="U1")
    add_photo(officer)
    (large,) = photo_of(officer)
    token = {"csrf_token": fields(officer.get("/account"))["csrf_token"]}

    path = f"/desk/issues/{number('2')}/photos/{large.split('/')[3]}/release"
    assert officer.post(path, data=token).status_code == 403


# --- duplicates ---


def test_an_issue_that_may_be_the_same_is_shown_with_its_reason_and_merged_and_parted_again(app, client):
    store(an_issue("7", title="人行道破损 2 号门口", text_released=True))
    staff = signed_in(app, "staff")
    page = words(staff.get(f"/desk/issues/{number('2')}?lang=en"))
    other = client.get("/api/issues?q=号门口").get_json()["features"][0]["properties"]["number"]

    assert other in page.split('id="alike-title"')[1].split("</section>")[0]
    assert "the same category, 0 m away" in page
    assert act(staff, "2", "duplicate", original=other).status_code == 303
    public = client.get(f"/api/issues/{number('2')}").get_json()["properties"]
    assert (public["state"], public["merged_into"]) == ("duplicate", other)
    assert act(staff, "2", "restore", note="two different holes").status_code == 303
    assert client.get(f"/api/issues/{number('2')}").get_json()["properties"]["merged_into"] is None
