"""What if a crew moved, over HTTP: figures that shapely measures too, nothing stored, and nobody else's district."""

import re

import numpy as np
import pytest
import shapely
from sqlalchemy import text

from geoapp.domain.matching import ResourceFacts, ResourceKind
from geoapp.domain.roadnet import line_of
from geoapp.domain.roads import RoadClass
from geoapp.domain.spatial.projection import metres_for
from geoapp.domain.values import OPERATOR, IssueState, Point
from geoapp.services import accounts, crews, lists, roads
from geoapp.store import session
from tests.builders import NOON, a_jurisdiction, an_issue, square, store
from tests.web.test_desk import SECRET, ground, signed_in, words  # noqa: F401 - ground is a fixture

HERE, THERE = (106.641, 29.021), (106.659, 29.039)


@pytest.fixture
def staff(app):
    """Twelve issues of U1 on a diagonal of C1, and three of U3 beside it, in C3; one is closed."""
    a_jurisdiction("U3", square(106.66, 29.02))
    store(
        *(an_issue(f"mine{n}", point=Point(106.642 + n * 0.0014, 29.022 + n * 0.0014)) for n in range(12)),
        *(an_issue(f"theirs{n}", point=Point(106.662 + n * 0.002, 29.038)) for n in range(3)),
        an_issue("done", point=Point(106.65, 29.025), state=IssueState.CLOSED),
    )
    for login, where in (("planner", {}), ("abroad", {"place": "C2"})):
        accounts.add(OPERATOR, login, login, SECRET)
        accounts.grant(OPERATOR, login, "planner", **where)
    return {login: signed_in(app, login) for login in ("planner", "abroad", "staff", "officer")}


def at(where, name):
    return f"{name}_lon={where[0]}&{name}_lat={where[1]}"


def table(page):
    """Per unit what it says of number, mean and median, before and after."""
    body = re.search(r'id="crew-table">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)[1]
    rows = re.findall(r'<th scope="row">([^<]*?)(?: <small>[^<]*</small>)?</th>(.*?)</tr>', body, re.DOTALL)
    return {
        name: [tuple(re.sub(r"<[^>]+>", "", cell).split(" → ")) for cell in re.findall(r"<td[^>]*>(.*?)</td>", cells)]
        for name, cells in rows
    }


def lying(unit_of):
    """Where the issues lie that are not done, in metres."""
    with session.snapshot() as db:
        rows = db.execute(
            text(
                "SELECT ST_X(i.geom), ST_Y(i.geom) FROM issue i JOIN unit u ON u.id = i.candidate_ids[1] "
                "WHERE u.code = :unit AND i.state NOT IN ('closed', 'rejected', 'withdrawn', 'merged')"
            ),
            {"unit": unit_of},
        ).all()
    return np.array([tuple(row) for row in rows])


def told(where, base):
    projection = metres_for(*HERE)
    metres = [
        float(shapely.distance(*(shapely.Point(*projection.metres(*np.array([[x], [y]], float))[0]) for x, y in pair)))
        for pair in ((tuple(one), base) for one in where.tolist())
    ]
    return f"{np.mean(metres):,.0f}", f"{np.median(metres):,.0f}"


def everything():
    with session.snapshot() as db:
        names = db.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")).scalars()
        return {
            name: db.execute(text(f'SELECT count(*), max(xmin::text::bigint) FROM "{name}"')).one()  # noqa: S608
            for name in names if name not in {"session", "login_session", "spatial_ref_sys"}
        }  # fmt: skip


def test_a_moved_crew_has_the_distances_that_shapely_measures_and_nothing_is_stored(staff):
    before = everything()

    page = words(staff["planner"].get(f"/planning/crew?lang=en&unit=U1&{at(HERE, 'from')}&{at(THERE, 'to')}"))

    mine = lying("U1")
    row = table(page)["Unit U1"]
    (mean_before, median_before), (mean_after, median_after) = told(mine, HERE), told(mine, THERE)
    assert row[0] == (f"{len(mine)}", f"{len(mine)}")
    assert row[1:3] == [(mean_before, mean_after), (median_before, median_after)]
    assert table(page)["Unit U3"][0] == ("3", "3")
    assert "No roads are loaded here" in page
    assert everything() == before


def test_without_a_word_where_it_starts_a_base_is_assumed_and_said_to_be(staff):
    assumed = words(staff["planner"].get("/planning/crew?lang=en&unit=U1"))
    shape = shapely.to_wkb(shapely.Point(*HERE))
    lists.add_resource(OPERATOR, "C1", ResourceFacts(ResourceKind.CREW, "Road gang", unit="U1", shape=shape), now=NOON)
    known = words(staff["planner"].get("/planning/crew?lang=en&unit=U1"))

    assert "Nobody has said where it starts" in assumed
    assert "has the crew “Road gang” (29.021000, 106.641000)" in known
    assert table(known)["Unit U1"][1][0] == told(lying("U1"), HERE)[0]


def test_shared_out_by_the_nearest_base_issues_go_over(staff):
    near_theirs = (106.665, 29.0385)
    asked = f"/planning/crew?lang=en&unit=U3&share=nearest&{at(near_theirs, 'from')}&{at((106.655, 29.035), 'to')}"

    page = words(staff["planner"].get(asked))

    rows = table(page)
    gone = int(re.search(r"(\d+) issues would go to another unit", page)[1])
    assert gone > 0
    assert int(rows["Unit U3"][0][1]) == 3 + gone
    assert int(rows["Unit U1"][0][1]) == len(lying("U1")) - gone


def test_along_roads_only_what_roads_lead_to_is_counted(staff):
    way = line_of(shapely.LineString([HERE, (106.641, 29.039), THERE]), RoadClass.STREET, direction=0)
    roads.store(OPERATOR, [way], origin="test")

    page = words(staff["planner"].get(f"/planning/crew?lang=en&unit=U1&{at(HERE, 'from')}&{at(THERE, 'to')}"))

    row = table(page)["Unit U1"]
    assert "shortest way by car" in page
    assert row[4] == (str(len(lying("U1"))),) * 2
    road, straight = ([int(one.replace(",", "")) for one in row[column]] for column in (3, 2))
    assert road[0] > straight[0]
    assert road[1] > straight[1]


def test_a_planner_of_another_district_sees_none_of_it(staff):
    page = words(staff["abroad"].get(f"/planning/crew?lang=en&unit=U1&{at(HERE, 'from')}"))
    numbers = re.findall(r"QJ-\d{4}-\d+", words(staff["planner"].get(f"/planning/crew?unit=U1&{at(HERE, 'from')}")))

    assert len(numbers) > 5
    assert not any(number in page for number in numbers)
    assert table(page)["Unit U1"][0] == ("0", "0")
    assert 'value="U3"' not in page
    assert {staff[who].get("/planning/crew").status_code for who in ("staff", "officer")} == {403}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("unit=U9", "unit"), ("unit=U1&to_lat=29", "to_lon"), ("unit=U1&to_lat=x&to_lon=106", "to_lat"),
        ("unit=U1&to_lat=95&to_lon=106", "to_lat"), ("unit=U1&category=nothing", "category"), ("unit=U2", "from"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_by_name(staff, query, field):
    page = staff["planner"].get(f"/planning/crew?lang=en&{query}")

    assert page.status_code in {400, 422}
    assert re.search(rf'role="alert">{field}:', words(page))


def test_where_one_unit_has_no_roads_around_the_ways_of_the_others_are_told_all_the_same(staff):  # noqa: ARG001
    way = line_of(shapely.LineString([HERE, (106.641, 29.039), THERE]), RoadClass.STREET, direction=0)
    roads.store(OPERATOR, [way], origin="test")
    far = (116.4, 39.9)
    starts = [crews.Base("U1", *HERE, ""), crews.Base("U3", *far, "")]

    metres = crews._along([THERE, far], np.array([0, 1]), starts)

    assert metres[0] > 0
    assert np.isnan(metres[1])
    assert crews._along([far], np.array([1]), starts) is None
