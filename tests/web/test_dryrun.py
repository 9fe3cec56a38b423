"""The dry run over HTTP: what would move is counted, nothing of it stays, and only administrators save."""

import io
import json
import re

import numpy as np
import pytest
import shapely
from sqlalchemy import text

from geoapp.domain.geometry import geodesic_distances_m
from geoapp.domain.values import OPERATOR, Point
from geoapp.services import accounts
from geoapp.store import session
from tests.builders import TODAY, a_category, a_jurisdiction, an_issue, square, store
from tests.web.test_desk import SECRET, fields, ground, signed_in, words  # noqa: F401 - ground is a fixture

LAND = json.dumps(shapely.geometry.mapping(square(106.645, 29.025, 0.01)))


@pytest.fixture
def staff(app):
    for login, role, where in (
        ("planner", "planner", {}), ("admin", "administrator", {}), ("secretary", "secretary", {"place": "C2"}),
    ):  # fmt: skip
        accounts.add(OPERATOR, login, login, SECRET)
        accounts.grant(OPERATOR, login, role, **where)
    store(*(an_issue(f"9{nth}", point=Point(106.65, 29.03), reported_at=an_issue().reported_at) for nth in range(3)))
    return {login: signed_in(app, login) for login in ("planner", "admin", "secretary")}


def send(client, **given):
    token = fields(client.get("/desk/dry-run"))["csrf_token"]
    return client.post("/desk/dry-run?lang=en", data={"csrf_token": token, "do": "rehearse"} | given,
                       content_type="multipart/form-data")  # fmt: skip


def everything():
    with session.snapshot() as db:
        return [
            db.execute(text(f"SELECT count(*), max(xmin::text::bigint) FROM {table}")).one()  # noqa: S608
            for table in ("jurisdiction", "boundary", "unit", "issue", "history", "unclear_land", "data_version")
        ]


def test_a_drawn_piece_shows_what_would_move_and_keeps_nothing(staff):
    before = everything()

    page = words(send(staff["planner"], what="draw", unit="U2", area=LAND))

    assert "Of 7 issues of the last 12 months 6 would change." in page
    assert '<th scope="row">Unit U1</th><td class="n">6</td><td class="n">0</td>' in page
    assert '<th scope="row">Unit U2</th><td class="n">0</td><td class="n">6</td>' in page
    assert everything() == before


def test_it_says_how_far_each_unit_would_have_to_go(staff):
    a_jurisdiction("U2", square(106.70, 29.02))

    page = words(send(staff["planner"], what="draw", unit="U2", area=LAND))

    with session.snapshot() as db:
        (base,) = db.execute(text("SELECT ST_X(label), ST_Y(label) FROM jurisdiction WHERE unit_id = 2")).all()
        places = db.execute(text("SELECT ST_X(geom), ST_Y(geom) FROM issue")).all()
    metres = geodesic_distances_m(np.array([tuple(one) for one in (base, *places)]))[0][1:]
    cells = re.search(r'<th scope="row">Unit U2</th>(.*?)</tr>', page)[1]
    # One lies in its own land; drawn, it has all seven.
    assert re.findall(r">([^<>]*)</td>", cells) == [
        "1", "7", f"{metres.min():,.0f} → {metres.mean():,.0f}", f"{metres.min():,.0f} → {np.median(metres):,.0f}"
    ]  # fmt: skip
    assert "as it is today" in page


def test_a_rule_that_ends_leaves_its_issues_to_nobody(staff):
    page = words(send(staff["planner"], what="rule", jurisdiction="U1-0", rule="drop"))

    assert "nobody" in page
    assert "clear → orphan" in page


def test_a_rule_for_another_category_moves_what_it_no_longer_holds(staff):
    a_category("waste")

    page = words(send(staff["planner"], what="rule", jurisdiction="U1-0", rule_category="waste"))

    assert "clear → orphan" in page


def a_file(**properties):
    area = shapely.geometry.mapping(square(106.64, 29.02))
    found = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": properties, "geometry": area}]}
    return io.BytesIO(json.dumps(found).encode()), "new.geojson"


def test_an_uploaded_file_is_tried_out_as_the_import_would_take_it(staff):
    before = everything()

    page = words(send(staff["planner"], what="file", file=a_file(name="New", code="N1", owner="U2"), of_unit="owner"))

    assert "1 rows were read." in page
    assert "clear → contested" in page
    assert everything() == before


def test_the_list_of_what_moves_comes_as_csv(staff):
    table = send(staff["planner"], what="draw", unit="U2", area=LAND, do="csv")

    assert table.mimetype == "text/csv"
    assert len(words(table).strip().splitlines()) == 7


def test_one_counts_only_what_one_sees_in_full(staff):
    page = words(send(staff["secretary"], what="draw", unit="U2", area=LAND))

    assert "Of 1 issues of the last 12 months 0 would change." in page


def test_only_an_administrator_saves_and_then_it_holds(staff):
    refused = send(staff["planner"], what="draw", unit="U2", area=LAND, do="save")
    saved = send(staff["admin"], what="draw", unit="U2", area=LAND, do="save", day=TODAY.isoformat())

    assert refused.status_code == 403
    assert saved.status_code == 303
    assert "the verdicts of 6 issues have changed" in words(staff["admin"].get(saved.location))
    with session.snapshot() as db:
        lead = db.execute(
            text("SELECT DISTINCT u.code FROM issue i JOIN unit u ON u.id = i.candidate_ids[1]")
        ).scalars()
        assert set(lead) == {"U2"}


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"what": "draw", "unit": "", "area": LAND}, 400),
        ({"what": "draw", "unit": "U9", "area": LAND}, 400),
        ({"what": "draw", "unit": "U1", "area": "x"}, 400),
        ({"what": "draw", "unit": "U1", "area": LAND, "category": "nothing"}, 400),
        ({"what": "rule", "jurisdiction": ""}, 400),
        ({"what": "rule", "jurisdiction": "nothing"}, 400),
        ({"what": "rule", "jurisdiction": "U1-0", "rule_category": "nothing"}, 400),
        ({"what": "file"}, 400),
        ({"what": "file", "file": (io.BytesIO(b"x"), "x.exe")}, 400),
        ({"what": "file", "file": (io.BytesIO(b"x"), "x.geojson")}, 400),
        ({"what": "file", "file": (io.BytesIO(b"{}"), "x.geojson"), "code": "nothing"}, 400),
    ],
)
def test_what_cannot_be_tried_out_is_said_and_nothing_has_changed(staff, given, status):
    before = everything()

    answer = send(staff["planner"], **given)

    assert answer.status_code == status
    assert 'role="alert"' in words(answer)
    assert everything() == before
