"""``geoapp analyse`` and ``geoapp export``: from the database or a file into a file."""

import json

import geopandas
import pytest
from click.testing import CliRunner

from geoapp.cli import main
from tests.conftest import DEMO_NOW

GRID = ("--cell", "2000", "--keep", "significant")


@pytest.fixture
def run(demo_database, tmp_path, monkeypatch):
    monkeypatch.setenv("GEOAPP_DATABASE_URL", demo_database)
    monkeypatch.setenv("GEOAPP_DATA_DIR", str(tmp_path))

    def run(*words):
        return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)

    return run


def test_an_analysis_of_the_database_becomes_a_file_that_says_how(run, tmp_path):
    out = tmp_path / "hot.gpkg"
    done = run("analyse", "hot-spots", *GRID, "--category", "waste", "--since", "2025-06-01", "--out", out)
    found = geopandas.read_file(out)
    how = json.loads((tmp_path / "hot.gpkg.how.json").read_text())["how"]

    assert done.exit_code == 0, done.output
    assert done.output.startswith("Getis-Ord Gi* on a grid: ")
    assert set(found["verdict"]) <= {"hot", "cold"}
    assert how["query"]["categories"] == ["waste"]
    assert how["query"]["since"] == "2025-06-01"


@pytest.mark.parametrize(
    ("words", "columns"),
    [
        (("clusters", "--within", "300", "--by-category"), {"cluster", "share_contested"}),
        (("clusters", "--within", "400", "--days", "60", "--least", "4"), {"median_age_days"}),
        (("density", "--bandwidth", "1500"), {"low", "high"}),
        (("trends", *GRID), {"trend", "tau"}),
        (("repeats",), {"place", "count"}),
        (("compare", "--kind", "street", "--per", "km2"), {"zh", "rate", "shrunk"}),
    ],
    ids=lambda one: one[0] if isinstance(one, tuple) else "",
)
def test_every_analysis_can_be_asked_for(run, tmp_path, words, columns):
    done = run("analyse", *words, "--out", tmp_path / "out.geojson")

    assert done.exit_code == 0, done.output
    assert columns <= set(geopandas.read_file(tmp_path / "out.geojson").columns)


def test_an_export_is_analysed_away_from_the_database_also_part_by_part(run, tmp_path, monkeypatch):
    assert run("export", "parquet", tmp_path / "set", "--as-of", DEMO_NOW.date()).exit_code == 0
    monkeypatch.setenv("GEOAPP_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    ask = ("analyse", "hot-spots", *GRID, "--from", tmp_path / "set")
    frame = geopandas.read_parquet(tmp_path / "set" / "district=500110" / "month=2026-05" / "issues.parquet")
    frame.dissolve().convex_hull.to_frame("geometry").to_file(tmp_path / "area.geojson")
    area = ("--area", tmp_path / "area.geojson")
    whole = run(*ask, *area, "--out", tmp_path / "whole.csv")
    parts = run(*ask, *area, "--processes", "2", "--out", tmp_path / "parts.csv")

    assert (whole.exit_code, parts.exit_code) == (0, 0), whole.output + parts.output
    assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "parts.csv").read_bytes()
    assert run(*ask, "--out", tmp_path / "hull.csv").exit_code == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("hot-spots", "--cell", "0.01"), "--cell"),
        (("hot-spots", "--processes", "2"), "--processes"),
        (("clusters", "--state", "gone"), "state"),
        (("clusters", "--out", "none.xyz"), "none.xyz"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(run, tmp_path, words, why):
    done = run("analyse", *words, *(() if "--out" in words else ("--out", tmp_path / "out.csv")))

    assert done.exit_code == 1
    assert why in done.output
    assert len(done.output.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("clusters", "--within", "0"),
        ("clusters", "--within", "nan"),
        ("clusters", "--days", "0"),
        ("repeats", "--within", "-1"),
        ("hot-spots", "--reach", "0"),
        ("density", "--bandwidth", "inf"),
    ],
)
def test_a_reach_of_nothing_is_refused_before_anything_is_read(run, words):
    done = run("analyse", *words, "--out", "out.csv")

    assert done.exit_code == 2
    assert words[1] in done.output


def test_a_folder_in_parts_takes_no_filter_that_it_would_ignore(run, tmp_path):
    done = run(
        "analyse", "hot-spots", "--from", tmp_path, "--processes", "2", "--state", "closed", "--out", tmp_path / "a.csv"
    )

    assert done.exit_code == 1
    assert "--category" in done.output
