import numpy as np
import pytest
import shapely

from geoapp.domain.spatial import density

XY = np.random.default_rng(1).normal(0, 800, (500, 2))


def test_a_surface_holds_as_many_issues_as_went_in():
    found = density.surface(XY, 300, density.bounds_round(XY, 300), size=256)

    assert found.values.sum() * found.step_m**2 / 1e6 == pytest.approx(500, rel=2e-3)


def test_points_beyond_the_bounds_are_left_out():
    found = density.surface(np.vstack([XY, [(1e6, 0.0)]]), 300, density.bounds_round(XY, 300), size=128)

    assert found.values.sum() * found.step_m**2 / 1e6 == pytest.approx(500, rel=2e-3)


def test_evenly_strewn_issues_are_level_up_to_the_edge_of_the_study_area():
    axis = np.arange(25, 4_000, 50.0)
    xy = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    area = shapely.box(0, 0, 4_000, 4_000)
    corrected = density.surface(xy, 300, (-500, -500, 4_500, 4_500), area=area, size=201)
    plain = density.surface(xy, 300, (-500, -500, 4_500, 4_500), size=201)
    edge = corrected.values[100, 21]

    assert edge == pytest.approx(400, rel=0.05)
    assert plain.values[100, 20] == pytest.approx(200, rel=0.05)
    assert np.isnan(corrected.values[100, 5])


def test_a_kernel_narrower_than_a_step_keeps_its_mass():
    found = density.surface(np.array([(50.0, 50.0)]), 0.1, (0, 0, 100, 100), size=11)

    assert found.values.sum() * 100 / 1e6 == pytest.approx(1)


def test_bandwidth_follows_scotts_rule_and_shrugs_off_outliers():
    n = len(XY)
    scott = np.sqrt((XY.std(axis=0, ddof=1) ** 2).mean()) * n ** (-1 / 6)

    assert density.suggest_bandwidth(XY).metres == pytest.approx(scott, rel=0.06)
    assert density.suggest_bandwidth(np.vstack([XY, [(1e6, 1e6)]])).metres < 1.1 * scott
    assert density.suggest_bandwidth(np.zeros((0, 2))).metres == 1
    assert density.suggest_bandwidth(np.zeros((9, 2))).metres == 1


def test_contours_lie_one_in_the_other_and_hold_the_peak():
    found = density.surface(XY, 300, density.bounds_round(XY, 300), size=128)
    bands = density.contours(found, 4)

    assert len(bands) == 3
    assert [high for _, high, _ in bands[:-1]] == [low for low, _, _ in bands[1:]]
    peak = np.unravel_index(found.values.argmax(), found.values.shape)
    at = shapely.Point(found.west + peak[1] * found.step_m, found.south + peak[0] * found.step_m)
    assert bands[-1][2].covers(at)
    assert all(shape.is_valid for _, _, shape in bands)


def test_without_issues_there_are_no_contours():
    assert density.contours(density.surface(np.zeros((0, 2)), 300, (0, 0, 100, 100), size=16)) == []


def test_a_narrow_peak_between_levels_leaves_no_empty_band():
    values = np.zeros((5, 5))
    values[2, 2] = 100.0
    bands = density.contours(density.Surface(values, 0, 0, 1.0, 1.0), 2)
    flat = density.contours(density.Surface(np.full((5, 5), 1.0), 0, 0, 1.0, 1.0), 3)

    assert len(bands) == 1
    assert [round(low, 3) for low, _, _ in flat] == [0.667]
