import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN

from geoapp.domain.spatial import blocks, clusters, components


def crowds(seed=1, count=600):
    random = np.random.default_rng(seed)
    middles = random.uniform(0, 5_000, (6, 2))
    return np.concatenate(
        [
            random.uniform(0, 5_000, (count, 2)),
            middles[random.integers(6, size=count)] + random.normal(0, 90, (count, 2)),
        ]
    )


@pytest.mark.parametrize("within", [20, 60, 150, 700])
@pytest.mark.parametrize("least", [1, 3, 12])
def test_core_points_and_their_numbers_are_those_of_scikit_learn(within, least):
    xy = crowds()
    ours, theirs = clusters.dbscan(xy, within_m=within, least=least), DBSCAN(eps=within, min_samples=least).fit(xy)
    core = theirs.core_sample_indices_

    assert np.flatnonzero(ours.core).tolist() == core.tolist()
    assert (ours.label[core] == theirs.labels_[core]).all()
    assert ((ours.label < 0) == (theirs.labels_ < 0)).all()
    assert ours.count == theirs.labels_.max() + 1


def scattered(random, n):
    return random.uniform(0, 40, (n, 2))


def crowded(random, n):
    middles = random.uniform(0, 60, (3, 2))
    return middles[random.integers(3, size=n)] + random.normal(0, random.uniform(0.1, 6), (n, 2))


def at_addresses(random, n):
    """Many at one place, beside some that lie anywhere."""
    addresses = random.uniform(0, 30, (8, 2))
    return np.where(random.random((n, 1)) < 0.8, addresses[random.integers(8, size=n)], scattered(random, n))


def on_a_lattice(random, n):
    """Of whole metres, so that many are exactly as far away as allowed, and many equally near."""
    return random.integers(0, int(random.integers(2, 40)), (n, 2)).astype(float) + random.choice([0, 3_200_000])


def slowly(xy, reach, days, within_days):
    """DBSCAN as it is defined, from a table of all pairs."""
    square = ((xy[:, None] - xy[None]) ** 2).sum(axis=2)
    near = (square <= reach**2) & (np.abs(days[:, None] - days[None]) <= within_days)
    return np.where(near, square, np.inf)


@pytest.mark.parametrize("lie", [scattered, crowded, at_addresses, on_a_lattice])
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 160),
    reach=st.sampled_from([1.0, 2.0, 5.0, 10.0, 25.0]),
    least=st.integers(1, 14),
    within_days=st.sampled_from([None, 1.0, 7.0, 30.0]),
    portion=st.sampled_from([3, 100, 10_000]),
    table=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_clusters_are_those_of_scikit_learn_and_a_border_point_is_of_its_nearest(
    *, lie, seed, n, reach, least, within_days, portion, table
):
    random = np.random.default_rng(seed)
    xy, days = lie(random, n), random.integers(0, 60, n).astype(float)
    square = slowly(xy, reach, days, np.inf if within_days is None else within_days)
    theirs = DBSCAN(eps=reach**2, min_samples=least, metric="precomputed").fit(np.minimum(square, 2 * reach**2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_POINTS", portion)
        patch.setattr(blocks, "_PAIRS", portion)
        patch.setattr(components, "_LARGE", portion)
        patch.setattr(blocks, "_TABLE", blocks._TABLE if table else 0)
        timed = {} if within_days is None else {"days": days, "within_days": within_days}
        ours = clusters.dbscan(xy, within_m=reach, least=least, **timed)
    core = theirs.core_sample_indices_
    border = np.setdiff1d(np.flatnonzero(theirs.labels_ >= 0), core)

    assert np.flatnonzero(ours.core).tolist() == core.tolist()
    assert ours.label[core].tolist() == theirs.labels_[core].tolist()
    assert ((ours.label < 0) == (theirs.labels_ < 0)).all()
    if border.size:
        # Of equal values argmin takes the first.
        nearest = core[square[np.ix_(border, core)].argmin(axis=1)]
        assert ours.label[border].tolist() == ours.label[nearest].tolist()


@pytest.mark.parametrize("nothing", [{"within_m": 0.0}, {"within_m": 1e-9}, {"within_days": 0.0}])
def test_a_reach_of_nothing_is_refused(nothing):
    with pytest.raises(ValueError, match="too small"):
        clusters.dbscan(
            crowds(), **{"within_m": 100, "least": 3, "days": np.arange(1200.0), "within_days": 1} | nothing
        )


def test_a_point_on_the_other_side_of_the_world_changes_nothing():
    xy = crowds()
    here = clusters.dbscan(xy, within_m=60, least=6)
    there = clusters.dbscan(np.concatenate([xy, [(2e7, -1e7)]]), within_m=60, least=6)

    assert there.label.tolist() == [*here.label.tolist(), -1]


def test_points_on_a_lattice_reach_those_exactly_as_far_away_as_allowed():
    xy = np.stack(np.meshgrid(np.arange(0.0, 2_000, 100), np.arange(0.0, 1_000, 100)), axis=-1).reshape(-1, 2)

    assert clusters.dbscan(xy, within_m=100, least=5).core.sum() == 18 * 8
    assert clusters.dbscan(xy, within_m=99.999, least=2).count == 0


def test_a_border_point_goes_to_its_nearest_core_point():
    left, right = [(x, 0.0) for x in (-20, -19, -18, -17, -9.9)], [(x, 0.0) for x in (9.0, 17, 18, 19, 20)]
    xy = np.array([*left, *right, (0.0, 0.0)])
    found = clusters.dbscan(xy, within_m=10, least=4)

    assert found.label.tolist() == [0] * 5 + [1] * 5 + [1]
    assert not found.core[-1]


def test_crowded_blocks_are_compared_in_pieces(monkeypatch):
    random = np.random.default_rng(2)
    xy = np.concatenate(
        [random.uniform(0, 60, (300, 2)), random.uniform(0, 60, (300, 2)) + np.array([150.0, 0]), [(105.0, 30.0)]]
    )
    days = np.concatenate([random.uniform(0, 2, 300), random.uniform(50, 52, 300), [1.0]])
    whole = clusters.dbscan(xy, within_m=95, least=4)
    timed = clusters.dbscan(xy, within_m=95, least=4, days=days, within_days=5)
    monkeypatch.setattr(blocks, "_PAIRS", 50)
    monkeypatch.setattr(components, "_LARGE", 50)

    assert (clusters.dbscan(xy, within_m=95, least=4).label == whole.label).all()
    assert (clusters.dbscan(xy, within_m=95, least=4, days=days, within_days=5).label == timed.label).all()
    assert (whole.count, timed.count) == (1, 2)


def test_crowds_in_near_blocks_whose_points_are_out_of_reach_stay_apart(monkeypatch):
    monkeypatch.setattr(components, "_LARGE", 50)
    step = np.linspace(0, 60, 20)
    xy = np.concatenate([np.column_stack([step, 60 - step]), np.column_stack([110 + step, 170 - step])])

    assert clusters.dbscan(xy, within_m=100, least=4).count == 2


def test_crowds_are_one_cluster_when_only_some_of_their_middle_points_are_within_reach(monkeypatch):
    x = np.array([0.0] * 9 + [60.0] + [0.0] * 9 + [150.0] * 9)
    xy = np.column_stack([x, np.zeros(len(x))])
    for pairs in (components._LARGE, 5):
        monkeypatch.setattr(components, "_LARGE", pairs)
        for days in (None, np.zeros(len(x))):
            assert clusters.dbscan(xy, within_m=100, least=4, days=days, within_days=1).count == 1


def test_two_rows_abreast_are_one_cluster_when_the_gap_between_them_is_within_reach():
    rows = np.array([(x, y) for y in (0.0, 90.0) for x in np.linspace(0, 65, 12)])

    assert clusters.dbscan(rows, within_m=100, least=4).count == 1
    assert clusters.dbscan(rows, within_m=80, least=4).count == 2


@pytest.mark.parametrize("gap", [60.0, 160.0])
def test_two_crowds_are_one_cluster_only_if_some_pair_is_within_reach(gap, monkeypatch):
    monkeypatch.setattr(components, "_LARGE", 50)
    random = np.random.default_rng(2)
    xy = np.concatenate([random.uniform(0, 60, (60, 2)), random.uniform(0, 60, (60, 2)) + np.array([60 + gap, 0])])

    for days in (None, np.zeros(120)):
        found = clusters.dbscan(xy, within_m=100, least=4, days=days, within_days=1)
        assert found.count == (1 if gap < 100 else 2)


def test_near_in_space_but_months_apart_is_no_cluster_in_space_and_time():
    xy = np.random.default_rng(3).normal(0, 20, (40, 2))
    days = np.arange(40) * 15.0

    assert clusters.dbscan(xy, within_m=200, least=5).count == 1
    assert clusters.dbscan(xy, within_m=200, least=5, days=days, within_days=10).count == 0
    assert clusters.dbscan(xy, within_m=200, least=5, days=days, within_days=30).count == 1


def test_of_nothing_there_are_no_clusters():
    assert clusters.dbscan(np.zeros((0, 2)), within_m=10, least=3).count == 0
    assert clusters.dbscan(np.array([(0.0, 0.0), (1e6, 0.0)]), within_m=10, least=2).label.tolist() == [-1, -1]
    assert clusters.hdbscan(np.zeros((3, 2)), least=5).count == 0


def test_hdbscan_of_a_seeded_sample_finds_the_same_large_crowds():
    xy = crowds(count=2_000)
    whole = clusters.hdbscan(xy, least=60)
    sampled = clusters.hdbscan(xy, least=60, sample=1_200, seed=7)
    again = clusters.hdbscan(xy, least=60, sample=1_200, seed=7)

    assert whole.sampled is None
    assert sampled.sampled == 1_200
    assert (sampled.label == again.label).all()
    for one in range(whole.count):
        members = whole.label == one
        theirs = np.bincount(sampled.label[members & (sampled.label >= 0)])
        assert theirs.max() > 0.6 * members.sum()


def test_hdbscan_of_a_sample_without_any_crowd_finds_none():
    xy = np.stack(np.meshgrid(np.arange(40.0), np.arange(40.0)), axis=-1).reshape(-1, 2)

    assert clusters.hdbscan(xy, least=900, sample=1_000).count == 0


def test_a_reach_is_suggested_at_which_chance_would_hardly_make_a_cluster():
    assert clusters.suggest_reach(3_000, 300e6, 10).metres == 250
    assert clusters.suggest_reach(10**7, 1e6, 3).metres == 25
