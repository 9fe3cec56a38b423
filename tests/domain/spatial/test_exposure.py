"""Roads are as long inside each area as geopandas says, every metre falls into one cell, and the unknown stays so."""

import geopandas
import numpy as np
import pytest
import shapely

from geoapp.domain.spatial import exposure, facets, sides, surfaces
from geoapp.domain.spatial.columns import Areas, Codes, Issues
from geoapp.domain.spatial.exposure import Below
from geoapp.domain.spatial.grid import Shape
from geoapp.domain.spatial.projection import metres_for

AREA = shapely.box(106.60, 29.00, 106.70, 29.08)


def areas():
    x, y = np.linspace(106.60, 106.70, 5), np.linspace(29.00, 29.08, 5)
    boxes = [shapely.box(x[a], y[b], x[a + 1], y[b + 1]) for b in range(4) for a in range(4)]
    # One with a hole, one in two pieces.
    boxes[5] = boxes[5].difference(shapely.centroid(boxes[5]).buffer(0.004))
    boxes[6] = shapely.union(boxes[6], shapely.box(106.71, 29.0, 106.72, 29.01))
    return np.array(boxes, dtype=object)


def roads(count=300, seed=4):
    random = np.random.default_rng(seed)
    start = random.uniform((106.59, 28.99), (106.72, 29.09), (count, 2))
    steps = random.normal(0, 0.004, (count, 6, 2)).cumsum(axis=1)
    return np.asarray(shapely.linestrings(start[:, None, :] + steps), dtype=object)


def a_table(**more):
    shapes = areas()
    names = tuple(f"a{n:02}" for n in range(len(shapes)))
    return Areas(names, names, names, shapes, np.full(len(shapes), np.nan), **more)


def some_issues(n=400, seed=6):
    random = np.random.default_rng(seed)
    return Issues.points(random.uniform(106.60, 106.70, n), random.uniform(29.00, 29.08, n))


def test_the_length_of_roads_in_each_area_is_that_of_a_geopandas_overlay():
    shapes, lines = areas(), roads()

    found = exposure.road_km(shapes, lines)

    west, south, east, north = shapely.total_bounds(shapes)
    crs = metres_for((west + east) / 2, (south + north) / 2).code
    left = geopandas.GeoDataFrame({"area": np.arange(len(shapes))}, geometry=shapes, crs=4326).to_crs(crs)
    right = geopandas.GeoDataFrame(geometry=lines, crs=4326).to_crs(crs)
    cut = geopandas.overlay(right, left, how="intersection", keep_geom_type=True)
    told = cut.length.groupby(cut["area"]).sum().reindex(range(len(shapes)), fill_value=0.0) / 1000
    assert found.min() > 1
    assert found == pytest.approx(told.to_numpy(), rel=1e-9)


def test_an_area_that_touches_itself_is_measured_too():
    bow = shapely.Polygon([(106.60, 29.00), (106.70, 29.08), (106.70, 29.00), (106.60, 29.08)])

    left, right = (shapely.clip_by_rect(shapely.make_valid(bow), *box) for box in (
        (106.60, 29.0, 106.65, 29.08), (106.65, 29.0, 106.70, 29.08)))  # fmt: skip

    told = exposure.road_km(np.array([left, right], dtype=object), roads()).sum()
    assert exposure.road_km(np.array([bow], dtype=object), roads())[0] == pytest.approx(told, rel=1e-3)


def test_without_roads_or_areas_there_is_no_length():
    assert exposure.road_km(areas(), roads()[:0]).tolist() == [0.0] * 16
    assert exposure.road_km(areas()[:0], roads()).tolist() == []


@pytest.mark.parametrize("shape", list(Shape))
def test_cells_hold_the_roads_of_the_study_area(shape):
    lines = roads()

    found = surfaces.hot_spots(
        some_issues(), area=AREA, cell_m=500, shape=shape, keep="all", below=Below("road_km", roads=lines)
    )

    # Cells at the edge count whole what lies in them: as long as their outlines say, but for pieces of 10 m.
    told = exposure.road_km(found.geometry, lines)
    assert found.columns["road_km"] == pytest.approx(told, abs=0.04)
    assert found.columns["road_km"].sum() == pytest.approx(told.sum(), rel=1e-3)
    rate = found.columns["count"] / np.where(found.columns["road_km"] > 0, found.columns["road_km"], np.nan)
    assert found.columns["per_road_km"] == pytest.approx(rate, nan_ok=True)
    assert "roads_cut" in found.how.notes


def test_assets_of_an_area_are_spread_over_its_cells():
    table = a_table(assets=np.full(16, 40.0))

    found = surfaces.hot_spots(some_issues(), area=AREA, cell_m=500, keep="all", below=Below("asset", table))

    assert found.columns["assets"].sum() == pytest.approx(640, rel=0.02)
    assert "assets_spread" in found.how.notes


def test_a_rate_per_road_is_the_count_over_its_length_and_none_where_none_is_known():
    known = exposure.road_km(areas(), roads())
    known[3] = np.nan
    table = sides.compare_areas(some_issues(), a_table(road_km=known), denominator="road_km")

    row = {code: n for n, code in enumerate(table.columns["code"])}
    for n in (0, 5, 6):
        at = row[f"a{n:02}"]
        assert table.columns["rate"][at] == pytest.approx(table.columns["count"][at] / known[n])
    assert np.isnan(table.columns["rate"][row["a03"]])
    assert "roads_missing" in table.how.notes


def test_what_nobody_asked_for_is_not_known_and_what_there_is_not_is_refused():
    assert np.isnan(exposure.of_areas(a_table(), "asset")).all()
    with pytest.raises(ValueError, match="known are count"):
        exposure.of_areas(a_table(), "heads")
    with pytest.raises(ValueError, match="needs areas or roads"):
        surfaces.hot_spots(some_issues(), area=AREA, cell_m=500, below=Below("asset"))


def test_the_issues_of_a_unit_are_its_own_wherever_they_lie():
    issues = some_issues(60)
    whose = np.where(np.arange(60) < 40, np.arange(60) % 2, -1).astype(np.int32)
    issues = Issues.points(issues.lon, issues.lat, unit=Codes(whose, ("U1", "U2")))
    land = np.array([areas()[0], shapely.MultiPolygon()], dtype=object)
    units = Areas(("U1", "U2"), ("甲", "乙"), ("A", "B"), land, np.full(2, np.nan), of="unit")

    table = sides.compare_areas(issues, units)
    by_land = sides.compare_areas(issues, units, denominator="km2")

    assert dict(zip(table.columns["code"], table.columns["count"], strict=True)) == {"U1": 20, "U2": 20}
    assert table.how.dropped == {"of_no_unit": 20}
    assert np.isnan(by_land.columns["rate"][by_land.columns["code"] == "U2"]).all()
    assert "land_missing" in by_land.how.notes


def test_small_maps_are_of_branches_or_of_the_categories_of_the_only_branch():
    names = ("road.path", "road.sidewalk", "waste", "water")
    index = np.array([0, 1, 0, 2, 2, 3, -1, 1, 0], dtype=np.int32)
    member = np.array([0, 0, 1, 0, 1, -1, 0, 1, 1])

    several, kinds = facets.by_branch(Codes(index, names), member)
    only, leaves = facets.by_branch(Codes(index[:3], names), member[:3])
    many, most = facets.by_branch(Codes(np.arange(20, dtype=np.int32), tuple(map(str, range(20)))), np.zeros(20, int))

    assert kinds.tolist() == ["road", "waste"]
    assert several.tolist() == [0, 0, 0, 1, 1, -1, -1, 0, 0]
    assert leaves.tolist() == ["road.path", "road.sidewalk"]
    assert only.tolist() == [0, 1, 0]
    assert (len(most), (many >= 0).sum()) == (12, 12)


@pytest.mark.parametrize(
    ("days", "names", "first"),
    [
        (("2026-03-01", "2026-01-31"), ["2026-01", "2026-02", "2026-03"], 2),
        (("2025-02-01", "2026-05-01"), ["2025 Q1", "2025 Q2", "2025 Q3", "2025 Q4", "2026 Q1", "2026 Q2"], 0),
        (("2020-02-01", "2024-05-01"), ["2020", "2021", "2022", "2023", "2024"], 0),
        (("2001-02-01", "2024-05-01"), [str(year) for year in range(2013, 2025)], -1),
    ],
)
def test_periods_are_the_shortest_of_which_few_suffice(days, names, first):
    reported = np.array([*days, "NaT", days[1]], dtype="datetime64[s]")

    facet, found = facets.by_period(reported, np.array([0, 0, 0, -1]))

    assert found.tolist() == names
    assert facet[0] == first
    assert facet[2:].tolist() == [-1, -1]


def test_without_any_day_there_is_no_period():
    facet, found = facets.by_period(np.array(["NaT"], dtype="datetime64[s]"), np.zeros(1, dtype=int))

    assert (facet.tolist(), found.tolist()) == ([-1], [])
