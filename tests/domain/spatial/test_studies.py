"""Whole analyses: issues in degrees in, tables in degrees out, each row leading to its cases."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely

from geoapp.domain.spatial import groups, sides, surfaces
from geoapp.domain.spatial.columns import Areas, Codes, Issues, Table
from geoapp.domain.spatial.exposure import Below
from geoapp.domain.spatial.grid import Shape
from geoapp.domain.spatial.ground import ground, lattice, lay
from geoapp.domain.spatial.how import How
from geoapp.domain.spatial.projection import metres_for

AREA = shapely.box(106.55, 28.95, 106.75, 29.10)
CROWD = (106.64, 29.02)
NOW = np.datetime64("2026-11-20", "s")
DAY = np.timedelta64(1, "D")


def issues(count=900, crowd=80, seed=1):
    random = np.random.default_rng(seed)
    n = count + crowd
    lon = np.concatenate([random.uniform(106.55, 106.75, count), random.normal(CROWD[0], 0.0015, crowd)])
    lat = np.concatenate([random.uniform(28.95, 29.10, count), random.normal(CROWD[1], 0.0015, crowd)])
    reported = NOW - random.integers(1, 700, n) * DAY
    state = Codes(random.integers(2, size=n).astype(np.int32), ("accepted", "closed"))
    return Issues.points(
        lon, lat, reported=reported, state=state,
        ended=np.where(state.index == 1, np.minimum(reported + 30 * DAY, NOW), np.datetime64("NaT")),
        category=Codes(random.integers(3, size=n).astype(np.int32), ("road.path", "road.sidewalk", "waste")),
        verdict=Codes(random.integers(2, size=n).astype(np.int32), ("clear", "contested")),
    )  # fmt: skip


def quarters(residents=1_000.0):
    x, y = np.linspace(106.55, 106.75, 6), np.linspace(28.95, 29.10, 6)
    boxes = [shapely.box(x[a], y[b], x[a + 1], y[b + 1]) for b in range(5) for a in range(5)]
    names = tuple(f"q{n:02}" for n in range(25))
    return Areas(names, names, names, np.array(boxes), np.full(25, residents))


@pytest.mark.parametrize("shape", list(Shape))
def test_the_crowd_is_hot_and_leads_to_its_cases(shape):
    asked = issues()
    found = surfaces.hot_spots(asked, area=AREA, cell_m=500, shape=shape)
    hot = np.flatnonzero(found.columns["verdict"] == "hot")
    cases = np.concatenate([found.cases(row) for row in hot.tolist()])

    assert hot.size
    assert np.isin(np.arange(900, 980), cases).mean() > 0.9
    assert shapely.union_all(found.geometry[hot]).covers(shapely.Point(CROWD))
    assert (np.bincount(found.member[found.member >= 0], minlength=len(found)) == found.columns["count"]).all()
    assert found.columns["count"].sum() == found.how.used
    assert found.how.crs.startswith("EPSG:4545 CGCS2000")


def test_the_counts_of_two_parts_laid_on_one_grid_add_up_to_those_of_the_whole():
    whole = issues()
    net = lattice(ground(whole, AREA), 500)
    parts = [lay(net, whole.at(np.arange(len(whole)) % 3 == 0)), lay(net, whole.at(np.arange(len(whole)) % 3 != 0))]

    counts = [np.bincount(one.cell[one.cell >= 0], minlength=net.share.size) for one in (net, *parts)]
    assert counts[0].sum() > 970
    assert (counts[1] + counts[2] == counts[0]).all()
    assert [one.ground.count for one in parts] == [327, 653]


def test_which_cells_come_out_can_be_chosen():
    asked = issues()
    sizes = [
        len(surfaces.hot_spots(asked, area=AREA, cell_m=500, keep=keep)) for keep in ("significant", "occupied", "all")
    ]

    assert sizes == sorted(sizes)
    with pytest.raises(ValueError, match="keep"):
        surfaces.hot_spots(asked, area=AREA, keep="some")


def test_without_size_or_area_both_are_found_and_said():
    found = surfaces.hot_spots(issues())

    assert found.how.parameters["cell_m"] == 750
    assert found.how.parameters["suggested_from"]["n"] == 980
    assert "area_hull" in found.how.notes


def test_what_cannot_be_used_is_counted_by_reason():
    asked = issues(20, 0)
    asked.lon[0] = np.nan
    asked.lon[1] = 110
    found = surfaces.hot_spots(asked, area=AREA, cell_m=1_000)

    assert found.how.dropped == {"no_place": 1, "outside_area": 1}
    assert found.how.used == 18
    assert found.member[:2].tolist() == [-1, -1]


def test_residents_are_spread_over_the_cells_of_their_area():
    areas = quarters()
    tiny = shapely.box(106.6001, 29.0001, 106.6002, 29.0002)
    areas = Areas(
        (*areas.code, "t"),
        (*areas.zh, "t"),
        (*areas.en, "t"),
        np.append(areas.geometry, tiny),
        np.append(areas.residents, 500.0),
    )
    found = surfaces.hot_spots(issues(), area=AREA, cell_m=500, keep="all", below=Below("residents", areas))

    assert found.columns["residents"].sum() == pytest.approx(25_500, rel=1e-6)
    assert "residents_spread" in found.how.notes
    assert np.nanmin(found.columns["per_1000"]) >= 0


def test_a_growing_crowd_intensifies():
    random = np.random.default_rng(2)
    months = np.repeat(np.arange(12), np.linspace(50, 95, 12).astype(int))
    day = np.datetime64("2025-01-15", "s") + months * 30 * DAY
    base = issues(400, 0)
    lon = np.concatenate([base.lon, random.normal(CROWD[0], 0.001, len(day))])
    lat = np.concatenate([base.lat, random.normal(CROWD[1], 0.001, len(day))])
    reported = np.concatenate([np.datetime64("2025-01-05", "s") + random.integers(0, 350, 400) * DAY, day])
    reported[0] = np.datetime64("NaT")
    found = surfaces.trends(
        Issues.points(lon, lat, reported=reported), area=AREA, cell_m=1_000, zone=ZoneInfo("Asia/Shanghai"),
        slices=(np.datetime64("2025-01"), np.datetime64("2025-12")),
    )  # fmt: skip
    at = int(np.argmax(found.columns["count"]))

    assert (found.columns["trend"][at], found.columns["kind"][at]) == ("intensifying", "hot")
    assert found.columns["counts"].shape == (len(found), 12)
    assert found.how.parameters["slices"][-1] == "2025-12"
    assert found.how.dropped["no_date"] == 1


def test_issues_outside_the_period_are_left_out_of_trends():
    found = surfaces.trends(
        issues(), area=AREA, cell_m=1_000, slices=(np.datetime64("2026-01"), np.datetime64("2026-03"))
    )
    whole = surfaces.trends(issues(), area=AREA, cell_m=1_000)
    undated = surfaces.trends(Issues.points(np.array([106.6]), np.array([29.0])), area=AREA, cell_m=1_000)

    assert sum(found.how.dropped.values()) == 980 - found.how.used
    assert found.columns["count"].sum() == found.how.used
    assert whole.columns["count"].sum() == whole.how.used
    assert len(undated) == 0


def test_density_peaks_at_the_crowd():
    found = surfaces.density(issues(), area=AREA, bandwidth_m=400, size=200)
    scott = surfaces.density(issues(), area=AREA, size=64)

    assert found.contours.geometry[-1].buffer(0.003).covers(shapely.Point(CROWD))
    assert found.contours.how.parameters["bandwidth_m"] == 400
    assert "bandwidth_scott" in scott.contours.how.notes
    assert len(surfaces.density(Issues.points(np.zeros(0), np.zeros(0)), size=16).contours) == 0


@pytest.mark.parametrize("method", groups.METHODS)
def test_the_crowd_is_a_cluster_with_its_description(method):
    found = groups.find_clusters(issues(), area=AREA, method=method, within_m=200, least=12, within_days=400, now=NOW)
    row = int(np.argmax([len(set(found.cases(n)) & set(range(900, 980))) for n in range(len(found))]))
    one = {name: column[row] for name, column in found.columns.items()}

    assert np.isin(np.arange(900, 980), found.cases(row)).mean() > 0.7
    assert (one["lon"], one["lat"]) == pytest.approx(CROWD, abs=2e-3)
    assert found.geometry[row].covers(shapely.Point(one["lon"], one["lat"]))
    assert one["count"] == len(found.cases(row))
    assert 0 < one["share_contested"] < 1
    assert one["median_age_days"] > 0
    assert one["category"] in one["top"]


def test_clusters_can_be_looked_for_in_each_branch_by_itself():
    found = groups.find_clusters(issues(900, 150), area=AREA, within_m=250, least=12, by_category=True)

    assert {one.partition(".")[0] for one in found.columns["category"]} == {"road", "waste"}
    assert (np.diff(found.columns["count"]) <= 0).all()


def test_without_clusters_there_are_no_rows():
    found = groups.find_clusters(issues(30, 0), area=AREA, least=20)

    assert len(found) == 0
    assert (found.member == -1).all()
    assert found.how.parameters["suggested"]["n"] == 30


def test_hdbscan_of_very_many_says_that_it_sampled(monkeypatch):
    monkeypatch.setattr(groups.clusters.hdbscan, "__kwdefaults__", {"seed": 1, "sample": 500})
    found = groups.find_clusters(issues(), method="hdbscan", least=20)

    assert "sampled" in found.how.notes
    assert found.how.seed == 1


def test_clusters_know_issues_without_category_or_open_ones():
    lon, lat = np.full(20, 106.6), np.full(20, 29.0)
    found = groups.find_clusters(Issues.points(lon, lat), within_m=100, least=5)
    ended = groups.find_clusters(
        Issues.points(lon, lat, reported=np.full(20, NOW), ended=np.full(20, NOW)), within_m=100, least=5
    )

    assert found.columns["category"].tolist() == [""]
    assert np.isnan(found.columns["median_age_days"]).all()
    assert np.isnat(found.columns["first"]).all()
    assert np.isnan(ended.columns["median_age_days"]).all()


@pytest.mark.parametrize(
    "ask",
    [lambda: groups.find_clusters(issues(), method="k-means"), lambda: sides.place(issues(), quarters(), "cars")],
)
def test_a_wrong_word_is_refused_with_those_that_are_known(ask):
    with pytest.raises(ValueError, match="known are"):
        ask()


def test_a_place_of_many_reports_is_told_with_its_extent():
    asked = issues(50, 0)
    asked.lon[:5], asked.lat[:5] = CROWD
    asked.category.index[:5] = 0
    found = groups.repeats(asked, within_m=5)

    assert (found.columns["count"][0], found.columns["category"][0]) == (5, "road.path")
    assert found.cases(0).tolist() == [0, 1, 2, 3, 4]
    assert found.how.parameters["share_repeated"] == pytest.approx(4 / 50)
    assert len(groups.repeats(Issues.points(np.zeros(0), np.zeros(0)))) == 0


def test_what_comes_back_after_closing_is_counted_among_what_was_watched():
    asked = issues(3, 0)
    asked.lon[:], asked.lat[:] = CROWD
    asked.category.index[:], asked.state.index[:] = 0, [1, 0, 0]
    asked.reported[:] = [NOW - 200 * DAY, NOW - 130 * DAY, NOW - 10 * DAY]
    asked.ended[:] = [NOW - 150 * DAY, np.datetime64("NaT"), np.datetime64("NaT")]
    found, rates = groups.recurrence(asked, now=NOW)

    assert (found.columns["issue"].tolist(), found.columns["again"].tolist(), found.columns["days"].tolist()) == (
        [0],
        [1],
        [20],
    )
    assert [(one.days, one.watched, one.returned) for one in rates] == [(30, 1, 1), (90, 1, 1)]
    assert found.cases(0).tolist() == [0]


def test_pairs_of_categories_are_all_asked_and_rare_ones_left_out():
    found = groups.colocation(issues(), least=10, permutations=19)
    rare = groups.colocation(issues(), least=10_000)

    assert len(found) == 9
    assert (len(rare), rare.how.dropped["rare_category"]) == (0, 980)


def test_the_season_of_a_category_adds_up():
    asked = issues()
    asked.reported[0] = np.datetime64("NaT")
    found = groups.seasons(asked)

    assert found.columns["count"].sum() == 979
    assert found.how.dropped == {"no_date": 1}


def test_areas_are_compared_by_rate_highest_first():
    found = sides.compare_areas(issues(), quarters(), denominator="residents")
    top = found.columns["code"][0]

    assert found.columns["count"].sum() == 980
    assert quarters().geometry[int(top[1:])].covers(shapely.Point(CROWD))
    assert found.columns["unlike"][0]
    assert found.columns["rate"][0] == found.columns["count"][0]
    assert len(found.cases(0)) == found.columns["count"][0]


def test_an_issue_counts_where_it_is_known_to_belong_else_where_it_lies():
    asked = issues(2, 0)
    known = Issues.points(asked.lon, asked.lat, community=Codes(np.array([0, -1], dtype=np.int32), ("q24",)))
    known.lon[1], known.lat[1] = 106.56, 28.96
    found = sides.compare_areas(known, quarters())
    assigned = sides.compare_areas(known.at([0]), quarters())

    assert dict(zip(found.columns["code"][:2], found.columns["count"][:2], strict=True)) == {"q00": 1, "q24": 1}
    assert assigned.columns["code"][0] == "q24"


def test_missing_residents_are_said_and_not_guessed():
    found = sides.compare_areas(issues(), quarters(np.nan), denominator="residents")

    assert np.isnan(found.columns["rate"]).all()
    assert "residents_missing" in found.how.notes
    assert found.how.parameters["without_denominator"] == 25


def test_hot_areas_and_likeness_speak_of_the_same_areas():
    asked = issues(900, 200)
    hot = sides.hot_areas(asked, quarters())
    like, whole = sides.likeness(asked, quarters(), permutations=199)

    assert len(hot) == len(like) == 25
    assert -1 < whole.i < 1
    assert set(like.columns["quadrant"]) <= {"high_high", "low_high", "low_low", "high_low"}


def test_a_project_that_emptied_its_area_worked_and_one_that_did_nothing_cannot_tell():
    asked = issues(4_000, 300)
    treated = shapely.Point(CROWD).buffer(0.01)
    inside = shapely.contains_xy(treated, asked.lon, asked.lat)
    began, ended = NOW - 300 * DAY, NOW - 270 * DAY
    kept = asked.at(~(inside & (asked.reported >= ended)))
    ask = {"began": began, "ended": ended, "now": NOW}
    worked, controls, how = sides.did_it_work(kept, quarters(), treated, **ask)
    nothing, _, _ = sides.did_it_work(asked, quarters(), treated, **ask)

    assert (worked.verdict, worked.after) == ("fewer", 0)
    assert nothing.verdict == "cannot_tell"
    assert len(controls) == 5
    assert how.parameters["controls"] == list(controls)
    assert all(not quarters().geometry[int(code[1:])].intersects(treated) for code in controls)


def test_metres_are_of_one_stated_zone_even_across_its_border():
    west, east, abroad, south = (metres_for(*at) for at in ((106.4, 29), (106.6, 29), (-118.3, 34), (151, -33)))

    assert (west.epsg, east.epsg, abroad.epsg, south.epsg) == (4544, 4545, 32611, 32756)
    assert (east.why, abroad.why) == ("zone_cgcs2000", "zone_utm")
    assert south.name.endswith("56S")
    there = east.projected(shapely.Point(106.4, 29))
    assert shapely.distance(east.degrees(there), shapely.Point(106.4, 29)) < 1e-9


def test_columns_can_be_cut_and_named():
    codes = Codes.of(np.array(["b", "", "a"]))
    asked = issues(3, 0)
    named = replace(asked, ids=np.zeros(3, "V16"), numbers=np.array(["1", "2", "3"]))
    how = How("compare", used=1, crs="")
    table = Table({"a": np.arange(3)}, np.full(3, None), how, np.array([0, 2, -1, 1]))

    assert codes.words().tolist() == ["b", "", "a"]
    assert Codes.of(np.array(["x"])).index.tolist() == [0]
    assert Codes.of(np.zeros(0, dtype=str)).names == ()
    assert named.at([2]).numbers.tolist() == ["3"]
    assert named.at([2]).ids.shape == (1,)
    assert table.only(np.array([True, False, True])).member.tolist() == [0, 1, -1, -1]
    assert Table({}, np.full(0, None), how).only(np.zeros(0, dtype=bool)).cases(0).size == 0


def test_of_no_issues_there_is_still_a_ground():
    assert ground(Issues.points(np.zeros(0), np.zeros(0))).area.area > 0
