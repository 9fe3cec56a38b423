"""Measurements can be run: each with a handful of issues, without peers and without looking at its figures."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import pytest

from geoapp.domain.values import OPERATOR
from geoapp.services import categories
from tests.bench import geojson, page, rejudge, tiles, write
from tests.bench._report import Options


@pytest.mark.server
@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize(
    "one",
    [
        tiles,
        geojson,
        rejudge,
        write,
        pytest.param(import_module("tests.bench.import"), id="import"),
        pytest.param(page, marks=pytest.mark.browser),
    ],
)
def test_a_measurement_runs_and_writes_its_figures(settings, db_url, tmp_path, one, monkeypatch):
    monkeypatch.setattr(page, "VISITS", 1)
    monkeypatch.setattr(write, "SINGLE", 5)
    monkeypatch.setattr(write, "PROCESSES", 1)
    monkeypatch.setattr(write, "SECONDS", 0.1)
    categories.sync(OPERATOR, settings.categories_file)
    # In a thread of its own: in this one the browser of other tests may be running, and there may be one only.
    with ThreadPoolExecutor(1) as beside:
        asked = Options(300, peers=False, rounds=1, out=tmp_path / "out.json")
        series = beside.submit(one.measure, asked, settings, db_url).result()
    told = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))

    assert set(told["figures"]) == {way for way, some in series.items() if some.seconds}
    assert told["goals"]


@pytest.mark.server
def test_the_analyses_are_measured_against_every_library(tmp_path):
    out = tmp_path / "out.json"
    command = [sys.executable, "-m", "tests.bench.analysis", "--rows", "2000", "--out", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=300)
    told = json.loads(out.read_text(encoding="utf-8"))

    names = {"reading", "binning", "hot spots", "DBSCAN", "density", "trends"}
    assert {line["analysis"] for line in told["lines"]} == names
    assert all(line["seconds"] > 0 for line in told["lines"])
