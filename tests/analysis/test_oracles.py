"""Held to the libraries of the field, on the demonstration and on Los Angeles: equal to rounding where exact."""

import numpy as np
import pytest
import shapely

from geoapp.domain.spatial import association, clusters, compare, density, grid, groups, hotspots, trends
from geoapp.domain.spatial.grid import Shape
from geoapp.domain.spatial.ground import ground, lattice
from tests.analysis.places import demonstration, los_angeles


@pytest.fixture(scope="module", params=["demonstration", "los angeles"])
def issues(request):
    if request.param == "los angeles":
        return los_angeles()
    return demonstration(request.getfixturevalue("demo_database"))


@pytest.fixture(scope="module")
def base(issues):
    return ground(issues)


@pytest.fixture(scope="module", params=list(Shape))
def net(request, issues):
    return lattice(ground(issues), 1500.0, request.param)


@pytest.fixture(scope="module")
def graph(net):
    from libpysal.graph import Graph

    near = association.lattice(net.inside, grid.ring(net.grid))
    return Graph.from_sparse(near)


def test_gi_star_is_that_of_esda(net, graph):
    from esda.getisord import G_Local

    counts = grid.counts(net.cell, net.grid)
    ours = hotspots.on_grid(counts, net.share, grid.ring(net.grid))
    theirs = G_Local(counts[net.inside].astype(float), graph, transform="B", star=True, permutations=0)

    assert ours.z == pytest.approx(theirs.Zs, abs=1e-9)


def test_q_is_that_of_scipy(net):
    from scipy.stats import false_discovery_control

    ours = hotspots.on_grid(grid.counts(net.cell, net.grid), net.share, grid.ring(net.grid))

    assert ours.q == pytest.approx(false_discovery_control(ours.p), rel=1e-12)


@pytest.mark.filterwarnings("ignore:The alternative hypothesis for conditional randomization:DeprecationWarning")
def test_moran_is_that_of_esda(net, graph):
    from esda.moran import Moran, Moran_Local

    counts = grid.counts(net.cell, net.grid)[net.inside].astype(float)
    weights = association.row_standardised(association.lattice(net.inside, grid.ring(net.grid)))
    ours, local = association.moran(counts, weights), association.local_moran(counts, weights, permutations=499)
    theirs = Moran(counts, graph, permutations=199)
    theirs_local = Moran_Local(counts, graph, permutations=499, seed=1, keep_simulations=False)

    assert (ours.i, ours.expected) == pytest.approx((theirs.I, theirs.EI), rel=1e-9)
    assert (ours.variance, ours.z) == pytest.approx((theirs.VI_rand, theirs.z_rand), rel=1e-6)
    assert ours.p_permuted == pytest.approx(theirs.p_sim, abs=0.01)
    assert local.i == pytest.approx(theirs_local.Is, abs=1e-9)
    # Two seeds of 499 permutations: pseudo p-values agree as far as chance lets them; ours is two-sided. Of equal
    # values esda counts none in the lower tail, so that ours is larger there.
    apart, upper = local.p / 2 - theirs_local.p_sim, theirs_local.p_sim < 0.4
    assert np.quantile(np.abs(apart[upper & (local.quadrant <= 2)]), 0.99) < 0.08
    assert np.quantile(apart[upper], 0.01) > -0.08


def test_dbscan_is_that_of_scikit_learn(base):
    from sklearn.cluster import DBSCAN

    for within, least in ((150.0, 4), (400.0, 8), (1500.0, 12)):
        ours = clusters.dbscan(base.xy, within_m=within, least=least)
        theirs = DBSCAN(eps=within, min_samples=least).fit(base.xy)
        core = np.zeros(len(base.xy), dtype=bool)
        core[theirs.core_sample_indices_] = True

        assert (ours.core == core).all()
        assert (ours.label[core] == theirs.labels_[core]).all()
        assert ((ours.label >= 0) == (theirs.labels_ >= 0)).all()


def test_dbscan_in_space_and_time_is_that_of_scikit_learn_with_both_distances(base, issues):
    from sklearn.cluster import DBSCAN

    order = np.argsort(base.xy[:, 0])[:900]
    xy, days = base.xy[order], issues.reported[base.kept][order].astype(np.int64) / 86_400
    far = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) / 800
    long = np.abs(days[:, None] - days[None]) / 30
    theirs = DBSCAN(eps=1, min_samples=3, metric="precomputed").fit(np.maximum(far, long))
    ours = clusters.dbscan(xy, within_m=800, least=3, days=days, within_days=30)
    core = theirs.core_sample_indices_

    assert np.flatnonzero(ours.core).tolist() == core.tolist()
    assert (ours.label[core] == theirs.labels_[core]).all()
    assert ((ours.label >= 0) == (theirs.labels_ >= 0)).all()


def test_hdbscan_is_that_of_scikit_learn(base):
    from sklearn.cluster import HDBSCAN

    xy = base.xy[:1500]

    assert (clusters.hdbscan(xy, least=8).label == HDBSCAN(min_cluster_size=8, copy=True).fit_predict(xy)).all()


def test_kernel_density_is_that_of_kdepy(base):
    """To its direct sum: its fast form cuts the kernel off and is some percent away from it. Its bins are ours."""
    from KDEpy import NaiveKDE
    from KDEpy.binning import linear_binning

    xy = base.xy[:: max(len(base.xy) // 3_000, 1)]
    size, width = 160, density.suggest_bandwidth(xy).metres
    west, south, east, north = density.bounds_round(xy, width)
    ours = density.surface(xy, width, (west, south, east, north), size=size)
    axis = np.arange(size) * ours.step_m
    nodes = np.array([(x, y) for x in west + axis for y in south + axis])
    bins = linear_binning(xy, nodes).reshape(size, size).T * len(xy)
    some = np.argsort(-ours.values.T.ravel())[:10_000:100]
    theirs = NaiveKDE(kernel="gaussian", bw=width).fit(xy).evaluate(nodes[some]) * len(xy) * 1e6

    assert np.abs(density.linear_bins(xy, west, south, ours.step_m, size) - bins).max() < 1e-9
    assert ours.values.T.ravel()[some] == pytest.approx(theirs, abs=5e-3 * theirs.max())


def test_mann_kendall_is_that_of_pymannkendall(net, issues):
    import pymannkendall

    slot = (issues.reported[net.ground.kept].astype("datetime64[D]").astype(np.int64) // 7) % 20
    cube = grid.cube(net.cell, slot, net.grid, 20)[:, net.inside]
    busiest = np.argsort(-cube.sum(axis=0), kind="stable")[:40]
    ours = trends.mann_kendall(cube[:, busiest])

    for n, cell in enumerate(busiest.tolist()):
        theirs = pymannkendall.original_test(cube[:, cell])
        assert (ours.s[n], ours.variance[n]) == (theirs.s, pytest.approx(theirs.var_s))
        assert (ours.z[n], ours.p[n]) == pytest.approx((theirs.z, theirs.p), abs=1e-12)
        assert ours.tau[n] == pytest.approx(theirs.Tau)


def test_shrunken_rates_are_those_of_esda(net):
    from esda.smoothing import Empirical_Bayes

    counts = grid.counts(net.cell, net.grid)[net.inside]
    residents = 50.0 + np.arange(len(counts)) % 17 * 100
    theirs = Empirical_Bayes(counts, residents).r.ravel()

    assert compare.shrunk(counts, residents) == pytest.approx(theirs, rel=1e-9)


def test_the_middle_of_a_cluster_is_that_of_pointpats(issues):
    from pointpats.centrography import mean_center, std_distance

    found = groups.find_clusters(issues, within_m=600, least=6)
    base = ground(issues)
    for row in range(min(len(found), 3)):
        members = base.xy[found.cases(row)]
        at = base.projection.projected(shapely.Point(found.columns["lon"][row], found.columns["lat"][row]))

        assert (at.x, at.y) == pytest.approx(mean_center(members).tolist(), abs=1e-3)
        assert found.columns["spread_m"][row] == pytest.approx(std_distance(members), rel=1e-3)
    assert len(found) > 0
