import numpy as np
import pytest
import shapely
from scipy.stats import binom, norm

from geoapp.domain.spatial import association, grid, hotspots
from geoapp.domain.spatial.grid import Shape
from geoapp.domain.spatial.how import How

AREA = shapely.Polygon([(0, 0), (30_000, 2_000), (28_000, 21_000), (15_000, 12_000), (4_000, 25_000)])
SEEDS = 200


def scattered(random, count):
    """Points that lie anywhere in the area alike."""
    found = np.zeros((0, 2))
    while len(found) < count:
        some = random.uniform((0, 0), (30_000, 25_000), (2 * count, 2))
        found = np.concatenate([found, some[shapely.contains_xy(AREA, *some.T)]])
    return found[:count]


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize("count", [300, 6_000], ids=["sparse", "dense"])
def test_chance_alone_makes_hot_or_cold_spots_no_more_often_than_is_nominal(shape, count, capsys):
    net = grid.over(tuple(AREA.bounds), 1_000, shape)
    share, kernel = grid.shares(net, AREA), grid.ring(net)
    alarms = {"ours": 0, "normal": 0}
    for seed in range(SEEDS):
        counts = grid.counts(grid.cells_of(scattered(np.random.default_rng(seed), count), net), net)
        found = hotspots.on_grid(counts, share, kernel, least=1)
        alarms["ours"] += bool(found.verdict.any())
        alarms["normal"] += bool((hotspots.adjusted(2 * hotspots._beyond(np.abs(found.z))) <= 0.05).any())
    with capsys.disabled():
        print(f"\nchance, {count} points, {shape}: alarms in {alarms} of {SEEDS} runs")  # noqa: T201 - to be read

    assert alarms["ours"] <= binom.ppf(0.99, SEEDS, hotspots.ALPHA)


def test_the_normal_distribution_would_call_too_much_where_counts_are_few():
    net = grid.over((0, 0, 29_999, 29_999), 1_000)
    random, alarms = np.random.default_rng(5), 0
    for _ in range(50):
        counts = grid.counts(grid.cells_of(random.uniform(0, 30_000, (100, 2)), net), net)
        z = hotspots.on_grid(counts, np.ones(counts.shape), grid.ring(net)).z
        alarms += bool((hotspots.adjusted(2 * hotspots._beyond(np.abs(z))) <= 0.05).any())

    assert alarms > binom.ppf(0.99, 50, hotspots.ALPHA)


def test_a_crowd_is_hot_and_an_empty_quarter_cold():
    counts = np.full((20, 20), 6)
    counts[3:6, 3:6], counts[12:17, 12:17] = 30, 0
    found = hotspots.on_grid(counts, np.ones(counts.shape), np.ones((3, 3), dtype=bool))
    verdict = found.verdict.reshape(20, 20)

    assert (verdict[4, 4], verdict[14, 14], verdict[9, 2]) == (1, -1, 0)
    assert found.around.reshape(20, 20)[4, 4] == 270
    assert found.neighbours.reshape(20, 20)[0, 0] == 4


def test_too_few_issues_are_never_hot_and_are_marked():
    counts = np.zeros((30, 30), dtype=int)
    counts[5:7, 5:7] = 1
    found = hotspots.on_grid(counts, np.ones(counts.shape), np.ones((3, 3), dtype=bool), least=5)

    assert not found.verdict.any()
    assert found.small.all()
    assert hotspots.on_grid(counts, np.ones(counts.shape), np.ones((3, 3), dtype=bool), least=3).verdict.any()


def test_with_residents_a_crowd_where_many_live_is_no_hot_spot():
    counts, residents = np.full((20, 20), 3), np.full((20, 20), 100.0)
    counts[5:8, 5:8], residents[5:8, 5:8] = 30, 1_000.0
    counts[14:17, 14:17] = 30
    residents[0, 0] = 0
    ones = np.ones(counts.shape)
    found = hotspots.on_grid(counts, ones, np.ones((3, 3), dtype=bool), exposure=residents).verdict.reshape(20, 20)

    assert (found[6, 6], found[15, 15]) == (0, 1)


def test_what_lies_outside_the_area_is_neither_counted_nor_judged():
    counts, share = np.full((5, 5), 7), np.ones((5, 5))
    share[:, 0] = 0
    found = hotspots.on_grid(counts, share, np.ones((3, 3), dtype=bool))

    assert found.count.size == 20
    assert found.around[0] == 4 * 7


def test_a_single_crowded_cell_is_hot():
    counts = np.random.default_rng(1).poisson(0.3, (30, 30))
    counts[15, 15] = 40
    found = hotspots.on_grid(counts, np.ones(counts.shape), np.ones((3, 3), dtype=bool))

    assert found.verdict.reshape(30, 30)[15, 15] == 1
    assert found.p.reshape(30, 30)[15, 15] > 0


def test_p_is_never_below_the_exact_chance_nor_below_the_normal_one():
    counts = np.random.default_rng(3).poisson(0.5, (12, 12))
    found = hotspots.on_grid(counts, np.ones(counts.shape), np.ones((3, 3), dtype=bool))
    part = found.neighbours / 144
    least, most = binom.sf(found.around - 1, counts.sum(), part), binom.cdf(found.around, counts.sum(), part)
    exact, normal = np.where(found.z > 0, least, most), norm.sf(np.abs(found.z))

    assert found.p == pytest.approx(np.minimum(2 * np.maximum(exact, normal), 1), rel=1e-9)


def test_many_different_sums_are_looked_up_one_by_one(monkeypatch):
    counts = np.random.default_rng(2).poisson(4, (15, 15))
    kernel = np.ones((3, 3), dtype=bool)
    whole = hotspots.on_grid(counts, np.ones(counts.shape), kernel)
    monkeypatch.setattr(hotspots, "_KEYS", 0)

    assert (hotspots.on_grid(counts, np.ones(counts.shape), kernel).p == whole.p).all()


def test_nothing_says_nothing():
    none = hotspots.on_grid(np.zeros((0, 0), dtype=int), np.zeros((0, 0)), np.ones((1, 1), dtype=bool))
    level = hotspots.on_grid(np.full((4, 4), 2), np.ones((4, 4)), np.ones((3, 3), dtype=bool))

    assert none.p.size == 0
    assert (level.z == 0).all()
    assert not level.verdict.any()
    assert hotspots.gi_star(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0)).size == 0


def test_of_areas_that_touch_the_crowded_ones_are_hot_by_rate():
    boxes = np.array(
        [shapely.box(x, y, x + 1_000, y + 1_000) for y in range(0, 12_000, 1_000) for x in range(0, 12_000, 1_000)]
    )
    near = association.contiguity(boxes, itself=True)
    counts, residents = np.full(144, 5), np.full(144, 1_000.0)
    for at in (26, 27, 28, 38, 39, 40, 50, 51, 52):
        counts[at] = 30
    residents[143] = 0
    counts[143] = 0
    found = hotspots.on_areas(counts, near, exposure=residents)

    assert found.verdict[39] == 1
    assert found.verdict[100] == 0


def test_how_a_result_came_about_can_be_written_down():
    how = How("gi_star", used=3, crs="EPSG:4545", parameters={"cell_m": 250.0})

    assert how.as_json()["parameters"] == {"cell_m": 250.0}
    assert how.as_json()["version"]
