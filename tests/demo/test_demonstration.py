"""The demonstration place: complete, true to what is planted in it, and said to be made up."""

from datetime import timedelta

import numpy as np
import pytest
import shapely
from pyproj import Geod
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from geoapp import config, demo
from geoapp.demo import land, reports
from geoapp.demo.planted import BACKGROUND, CLUSTERS
from geoapp.domain.permissions import Right
from geoapp.domain.values import OPERATOR, IssueState
from geoapp.domain.workflow import TABLE
from geoapp.services import vectorfile
from geoapp.store import history
from tests.conftest import DEMO_NOW

ELLIPSOID = Geod(ellps="WGS84")
DATA = config.shipped("layers") / "data"


@pytest.fixture(scope="module")
def ground() -> land.Land:
    district = vectorfile.read(DATA / demo.DISTRICT, crs="gcj02").features[0].geometry
    return land.draw(district, DATA / demo.PLACES)


@pytest.fixture(scope="module")
def ask(demo_database):
    engine = create_engine(demo_database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        yield lambda sql, **binds: connection.execute(text(sql), binds).all()
    engine.dispose()


def area_m2(shape) -> float:
    return abs(ELLIPSOID.geometry_area_perimeter(shape)[0])


def test_communities_tile_their_streets_and_streets_the_district(ground):
    streets = [cell.area for cell in ground.streets.values()]
    communities = [cell.area for cell in ground.communities.values()]

    assert (len(streets), len(communities)) == (31, 480)
    # Cut edges are straight in degrees, not on the ellipsoid: some square metres in 2,750 km².
    for areas in (streets, communities):
        assert sum(map(area_m2, areas)) == pytest.approx(area_m2(ground.district), rel=1e-6)
        assert area_m2(shapely.union_all(areas)) == pytest.approx(area_m2(ground.district), rel=1e-6)
    for cell in ground.communities.values():
        assert cell.area.geom_type == "Polygon"
        assert shapely.area(cell.area.difference(ground.streets[cell.parent].area)) < 1e-12


def test_the_land_is_the_same_every_time(ground):
    again = land.draw(ground.district, DATA / demo.PLACES)

    assert all(
        shapely.equals_exact(cell.area, again.communities[code].area) for code, cell in ground.communities.items()
    )


def test_the_district_lies_where_qijiang_is_and_not_500_m_beside(ask):
    (row,) = ask("SELECT ST_X(c) AS lon, ST_Y(c) AS lat FROM (SELECT ST_Centroid(area) c FROM boundary b "
                 "JOIN place p ON p.id = b.place_id WHERE p.kind = 'district') AS x")  # fmt: skip
    raw = vectorfile.read(DATA / demo.DISTRICT, crs="EPSG:4326").features[0].geometry.centroid
    shift = ELLIPSOID.inv(row.lon, row.lat, raw.x, raw.y)[2]

    # GCJ-02 lies some hundred metres from WGS-84 everywhere in China.
    assert 300 < shift < 800


def test_everything_drawn_or_made_up_says_so(ask):
    assert ask("SELECT count(*) FROM place WHERE kind <> 'district' AND NOT synthetic") == [(0,)]
    assert ask("SELECT count(*) FROM place WHERE kind = 'district' AND synthetic") == [(0,)]
    assert ask("SELECT count(*) FROM unit WHERE NOT synthetic") == [(0,)]
    assert ask("SELECT count(*) FROM jurisdiction WHERE NOT synthetic") == [(0,)]
    assert ask("SELECT count(*) FROM issue WHERE NOT synthetic") == [(0,)]


def test_there_are_units_with_overlapping_and_missing_jurisdictions(ask):
    ((units,),) = ask("SELECT count(*) FROM unit")
    unclear = dict(map(tuple, ask("SELECT class, count(*) FROM unclear_land GROUP BY class")))
    share = {row[0]: row[1] for row in ask("SELECT verdict, count(*) * 1.0 / 3004 FROM issue GROUP BY 1")}

    assert 38 <= units <= 46
    assert min(unclear["contested"], unclear["orphan"]) > 50
    assert 0.6 < share["clear"] < 0.85
    assert min(share["contested"], share["orphan"], share["near"]) > 0.02


def test_the_four_stories_have_the_size_and_the_verdict_that_they_are_about(ask):
    rows = ask(
        "SELECT category_code, verdict, state, round(ST_Area(extent::geography)) AS m2, "
        "round(ST_Length(extent::geography)) AS m, ST_NumGeometries(extent) AS parts, "
        "(SELECT count(*) FROM history h WHERE h.issue_id = issue.id) AS steps "
        "FROM issue WHERE source_id LIKE 'story-%' ORDER BY 1"
    )

    assert [tuple(row)[:6] for row in rows] == [
        ("fire.leaking-pipe", "contested", "dispatched", 0, 0, 4),
        ("road.abandoned-path", "orphan", "closed", 0, 160, 1),
        ("road.broken-sidewalk", "contested", "closed", None, None, None),
        ("waste.dumping-site", "orphan", "handling", 2000, 0, 1),
    ]
    assert all(row.steps >= 8 for row in rows)


def test_every_history_begins_with_the_report_and_ends_in_the_state_of_the_issue(ask):
    assert ask("SELECT count(*) FROM issue WHERE NOT EXISTS (SELECT FROM history h WHERE h.issue_id = issue.id "
               "AND h.seq = 1 AND h.action = 'report' AND h.at = issue.reported_at)") == [(0,)]  # fmt: skip
    assert ask("SELECT count(*) FROM issue WHERE state <> (SELECT to_state FROM history h WHERE h.issue_id = issue.id "
               "AND to_state IS NOT NULL ORDER BY seq DESC LIMIT 1)") == [(0,)]  # fmt: skip
    assert ask("SELECT count(*) FROM (SELECT at, lag(at) OVER (PARTITION BY issue_id ORDER BY seq) AS before "
               "FROM history) AS h WHERE at < before") == [(0,)]  # fmt: skip
    assert ask("SELECT count(*) FROM history WHERE at > :now", now=DEMO_NOW) == [(0,)]


def test_as_many_issues_as_were_planted(ask):
    assert ask("SELECT count(*) FROM issue") == [(BACKGROUND + sum(c.count for c in CLUSTERS) + 4,)]


@pytest.mark.parametrize("cluster", CLUSTERS, ids=lambda cluster: cluster.name)
def test_a_planted_cluster_is_where_and_when_it_is_said_to_be(cluster, ground, ask):
    lon, lat = reports.seat_of(cluster, ground)
    ((near, latest, earliest),) = ask(
        "SELECT count(*), max(reported_at), min(reported_at) FROM issue WHERE category_code = :category AND "
        "ST_DWithin(geom::geography, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)::geography, 3 * :spread)",
        category=cluster.category, lon=lon, lat=lat, spread=cluster.spread_m,
    )  # fmt: skip

    # Within three standard deviations lie 98.9 % of a bell in the plane; a few of the background may join them.
    assert 0.93 * cluster.count <= near <= cluster.count + 12
    if cluster.trend == "new":
        assert DEMO_NOW - latest < timedelta(days=cluster.first_day)
    assert earliest >= DEMO_NOW - timedelta(days=731)


def test_the_background_grows_as_it_is_said_to(ask):
    named = [cluster.category for cluster in CLUSTERS]
    days = [row[0] for row in ask("SELECT extract(epoch FROM :now - reported_at) / 86400 FROM issue "
                                  "WHERE NOT category_code = ANY (:named) AND source_id NOT LIKE 'story-%'",
                                  now=DEMO_NOW, named=named)]  # fmt: skip
    late = np.mean(np.array(days, dtype=float) < 365)

    # A rate that rises evenly from 1 to 1.5 has 1.375 / 2.5 of its events in the second half.
    assert late == pytest.approx(0.55, abs=4 * (0.55 * 0.45 / len(days)) ** 0.5)


@pytest.mark.usefixtures("clean")
def test_a_filling_that_was_broken_off_is_completed_by_the_next(monkeypatch, settings, db):
    from geoapp.services import categories

    categories.sync(OPERATOR, settings.categories_file)
    with monkeypatch.context() as broken:
        broken.setattr(demo.imports, "store_issues", _power_cut)
        with pytest.raises(KeyboardInterrupt):
            demo.load(OPERATOR, settings, now=DEMO_NOW)

    completed = demo.load(OPERATOR, settings, now=DEMO_NOW)
    again = demo.load(OPERATOR, settings, now=DEMO_NOW)

    assert (completed, again) == (True, False)
    assert db.execute(text("SELECT count(*) FROM boundary WHERE upper(validity) IS NOT NULL")).scalar() == 0


def _power_cut(*_, **__):
    raise KeyboardInterrupt


def test_every_course_walks_the_table_of_the_workflow(ask):
    lines = ask("SELECT issue_id, action, to_state FROM history ORDER BY issue_id, seq")
    state, last, strays = IssueState.REPORTED, None, []
    for issue_id, action, to_state in lines:
        if issue_id != last:
            state, last = IssueState.REPORTED, issue_id
        elif action not in {"judge", "photo", "release", "cost", "postpone", "agree"}:
            rule = TABLE[Right(action)]
            if state not in rule.origins or rule.to_state != (to_state and IssueState(to_state)):
                strays.append((state, action, to_state))
            state = rule.to_state or state

    assert strays == []


def test_the_histories_are_unbroken_chains_and_the_counters_follow_from_them(ask, demo_database):
    assert ask("SELECT count(*) FROM issue WHERE returns <> (SELECT count(*) FROM history h "
               "WHERE h.issue_id = issue.id AND action = 'return')") == [(0,)]  # fmt: skip
    engine = create_engine(demo_database.replace("postgresql:", "postgresql+psycopg:"))
    with Session(engine) as db:
        rows, breaks = history.verify(db)
    engine.dispose()

    assert rows > 10_000
    assert breaks == []
