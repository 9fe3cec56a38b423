"""Editing, splitting and kept filters over HTTP: as a person at the desk does it, and with what cannot be."""

import re

import pytest

from tests.web.test_desk import fields, ground, number, signed_in, words  # noqa: F401 - ground is a fixture

PART = "00000000-0000-7000-8000-00000000000{}"


def send(client, name, door, **given):
    path = f"/desk/issues/{number(name)}"
    return client.post(f"{path}/{door}", data=fields(client.get(path)) | given)


def test_words_are_edited_and_the_original_is_shown_to_staff(app):
    staff = signed_in(app, "staff")
    path = f"/desk/issues/{number('1')}"

    done = send(staff, "1", "facts", title="Kerb <b>1", text="x", severity="3", privacy="public", place="29.03,106.65")
    page = words(staff.get(path + "?lang=en"))

    assert done.status_code == 303
    assert "<del>人行道破损 1</del>" in page
    assert "<ins>Kerb &lt;b&gt;1</ins>" in page


@pytest.mark.parametrize(
    ("door", "given", "status"),
    [
        ("facts", {"title": ""}, 400),
        ("facts", {"title": "x", "severity": "9"}, 400),
        ("facts", {"title": "x", "privacy": "secret"}, 400),
        ("facts", {"title": "x", "place": "here"}, 400),
        ("facts", {"title": "x", "place": "99,106"}, 422),
        ("facts", {"title": "x", "version": "77"}, 409),
        ("cost", {"planned": "a lot"}, 400),
        ("cost", {"spent": "-1"}, 400),
        ("words/release", {"version": ""}, 428),
        ("words/shout", {}, 404),
        ("parts", {"part": ["x", "y"], "part_title": ["a", "b"]}, 400),
        ("parts", {"part": [PART.format(1)], "part_title": ["a"]}, 422),
        ("parts", {"part": [PART.format(1), PART.format(2)], "part_title": ["a", "b"], "part_place": ["1", "2"]}, 400),
        ("parts", {"part": [PART.format(1), PART.format(2)], "part_title": ["a", "b"], "version": "77"}, 409),
    ],
)
def test_what_cannot_be_shows_the_page_again_with_the_reason(app, door, given, status):
    staff = signed_in(app, "staff")

    answer = send(staff, "2", door, **given)

    assert answer.status_code == status
    assert status == 404 or 'role="alert"' in words(answer)


def test_words_are_released_and_costs_entered(app, client):
    staff = signed_in(app, "staff")
    address = f"/issues/{number('1')}"
    before = words(client.get(address))

    assert send(staff, "1", "words/release").status_code == 303
    assert send(staff, "1", "cost", planned="12,000", fund="社区资金").status_code == 303
    assert "人行道破损 1" not in before
    assert "人行道破损 1" in words(client.get(address))
    assert "社区资金" in words(client.get(address))


def test_an_issue_is_split_and_shows_its_parts_to_everybody(app, client):
    staff = signed_in(app, "staff")
    given = {"part": [PART.format(1), PART.format(2), PART.format(3)], "part_title": ["Pipes", "Pump", ""],
             "part_unit": ["U1", "U2", ""], "part_place": ["", "29.031,106.651", ""]}  # fmt: skip

    done = send(staff, "2", "parts", **given)

    assert done.status_code == 303
    page = words(client.get(f"/issues/{number('2')}?lang=en"))
    assert "0 of 2 parts have ended" in page
    assert page.index("Pipes") < page.index("Pump")
    part = re.search(r'href="(/issues/[^"?]+)[^"]*">Pump', page)[1]
    assert number("2") in words(client.get(part))


def test_a_filter_is_kept_as_a_chip_that_counts(app):
    staff = signed_in(app, "staff")
    token = fields(staff.get(f"/desk/issues/{number('1')}"))["csrf_token"]

    done = staff.post(
        "/desk/filters", data={"csrf_token": token, "name": "New <ones>", "state": "reported", "in": "all"}
    )
    page = words(staff.get("/desk"))
    chip = re.search(r'href="([^"]+)">New &lt;ones&gt; <b class="count">(\d+)<', page)
    forget = re.search(r'action="(/desk/filters/[^"?]+)', page)[1]

    assert done.location == "/desk?in=all&state=reported"
    assert (chip[1].replace("&amp;", "&"), chip[2]) == ("/desk?in=all&state=reported", "1")
    assert staff.post(forget, data={"csrf_token": token}).status_code == 303
    assert "New &lt;ones&gt;" not in words(staff.get("/desk"))
    assert staff.post(forget, data={"csrf_token": token}).status_code == 404
    assert staff.post("/desk/filters", data={"csrf_token": token, "name": ""}).status_code == 400
    assert staff.post("/desk/filters", data={"csrf_token": token, "name": "x", "id": "7"}).status_code == 400


def test_a_likely_duplicate_is_one_press_from_being_merged(app):
    staff = signed_in(app, "staff")

    page = words(staff.get(f"/desk/issues/{number('1')}?lang=en"))
    link = re.search(r'href="([^"]+original=[^"]+)#duplicate"', page)[1].replace("&amp;", "&")
    form = words(staff.get(link))

    assert f'value="{number("2")}"' in form
    assert re.search(r'id="duplicate" open', form)
