from datetime import UTC
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from geoapp.domain.spatial import trends
from geoapp.domain.spatial.localtime import local
from geoapp.domain.spatial.trends import Trend

H, C, N = 1, -1, 0


def named(verdicts, rising=None):
    verdict = np.array(verdicts, dtype=np.int8)[:, None]
    course = {None: [5] * len(verdicts), True: range(len(verdicts)), False: range(len(verdicts), 0, -1)}[rising]
    found = int(trends.classes(verdict, trends.mann_kendall(np.array(list(course))[:, None]))[0])
    return Trend(abs(found)), int(np.sign(found))


@pytest.mark.parametrize(
    ("verdicts", "rising", "name"),
    [
        ([N] * 9 + [H], None, Trend.NEW),
        ([N] * 7 + [H] * 3, None, Trend.CONSECUTIVE),
        ([H] * 10, True, Trend.INTENSIFYING),
        ([H] * 10, None, Trend.PERSISTENT),
        ([N] + [H] * 9, None, Trend.PERSISTENT),
        ([H] * 10, False, Trend.DIMINISHING),
        ([N, H, N, N, H, N, H, N, N, H], None, Trend.SPORADIC),
        ([N, C, N, N, H, N, H, N, N, H], None, Trend.OSCILLATING),
        ([H] * 9 + [N], None, Trend.HISTORICAL),
        ([N, H, H, N, N, N, N, N, N, N], None, Trend.NONE),
        ([N] * 10, None, Trend.NONE),
    ],
)
def test_each_course_has_its_name_for_hot_and_for_cold(verdicts, rising, name):
    turned = [-one for one in verdicts]
    opposite = None if rising is None else not rising

    assert named(verdicts, rising) == (name, 0 if name is Trend.NONE else 1)
    assert named(turned, opposite) == (name, 0 if name is Trend.NONE else -1)


def test_what_was_long_hot_and_is_now_cold_is_told_as_what_it_is_now():
    assert named([H] * 19 + [C]) == (Trend.NEW, -1)


@pytest.mark.parametrize("cells", [1, 3, 7])
def test_mann_kendall_corrects_for_ties(cells, monkeypatch):
    monkeypatch.setattr(trends, "_ONCE", 20)
    values = np.tile(np.array([1, 1, 2, 2, 2, 3, 1, 4])[:, None], (1, cells))
    found = trends.mann_kendall(values)
    groups = 3 * 2 * 11 + 3 * 2 * 11

    assert found.s.tolist() == [14] * cells
    assert found.variance.tolist() == [pytest.approx((8 * 7 * 21 - groups) / 18)] * cells


def test_a_level_course_has_no_trend():
    found = trends.mann_kendall(np.full((12, 1), 3))

    assert (found.z[0], found.p[0]) == (0, 1)


def test_seasons_count_each_category_by_month_of_the_year():
    reported = np.array(["2025-01-03", "2026-01-09", "2026-07-01"], dtype="datetime64[s]")
    found = trends.seasons(reported, np.array([0, 0, 1]), 2)

    assert (found[0, 0], found[1, 6], found.sum()) == (2, 1, 3)


def test_months_are_those_of_the_places_clock():
    late = np.array(["2026-01-31T16:30:00", "NaT"], dtype="datetime64[s]")
    dst = np.array(["2026-03-29T00:30:00", "2026-03-29T01:30:00", "2026-01-01T00:00:00"], dtype="datetime64[s]")

    assert local(late, ZoneInfo("Asia/Shanghai")).astype(str).tolist() == ["2026-02-01T00:30:00", "NaT"]
    assert local(dst, ZoneInfo("Europe/Berlin")).astype(str).tolist() == [
        "2026-03-29T01:30:00", "2026-03-29T03:30:00", "2026-01-01T01:00:00",
    ]  # fmt: skip
    assert local(np.array(["NaT"], dtype="datetime64[s]"), UTC).astype(str).tolist() == ["NaT"]
