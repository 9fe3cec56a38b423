"""geoapp.analysis as a notebook uses it, from the database, from files, and from partitions."""

import csv
import json
import subprocess
import sys
from datetime import UTC, date, timedelta

import geopandas
import numpy as np
import pytest
import shapely

from geoapp import analysis, words
from geoapp.analysis import partitions
from geoapp.domain.values import ANONYMOUS, OPERATOR, Grant, IssueFilter, IssueState, Role, VerdictClass, Viewer
from geoapp.errors import BadFile, BadInput
from geoapp.services import issues as rows
from geoapp.services import parquet, snapshots
from geoapp.store import session
from tests.analysis.places import ZONE
from tests.conftest import DEMO_NOW

STAFF = Viewer((Grant(Role.COMMUNITY, frozenset({"500110001001", "500110001002"})),))
UNIT = Viewer((Grant(Role.UNIT, unit="unit-that-is-not"),))


@pytest.fixture(scope="module", autouse=True)
def _connected(demo_database):
    session.connect(demo_database)
    yield
    session.disconnect()


@pytest.fixture(scope="module")
def frame():
    return analysis.read_issues(None, zone=ZONE)


@pytest.fixture(scope="module")
def communities():
    return analysis.read_areas(None, on=DEMO_NOW.date())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "issues"
    parquet.export(OPERATOR, IssueFilter(), folder, zone=ZONE)
    return folder


# --- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("viewer", [OPERATOR, ANONYMOUS, STAFF, UNIT], ids=["operator", "public", "staff", "unit"])
@pytest.mark.parametrize(
    "wanted",
    [
        IssueFilter(),
        IssueFilter(categories=("waste",), states=(IssueState.CLOSED, IssueState.HANDLING)),
        IssueFilter(since=date(2026, 3, 1), until=date(2026, 9, 30), verdicts=(VerdictClass.CONTESTED,)),
        IssueFilter(communities=("500110001001",)),
    ],
    ids=["all", "category and state", "period and verdict", "community"],
)
def test_columns_hold_just_what_the_list_shows_this_viewer(viewer, wanted):
    found = snapshots.read(viewer, wanted, zone=ZONE, ids=True)
    ours = sorted(zip(found.numbers.tolist(), found.lon.tolist(), found.lat.tolist(), found.category.words(),
                      found.state.words(), found.verdict.words(), found.community.words(), found.unit.words(),
                      found.reported.tolist(), strict=True))  # fmt: skip
    theirs = sorted(
        (row.number, row.lon, row.lat, row.category, str(row.state), str(row.verdict), row.community or "",
         row.unit or "", row.reported_at.astimezone(UTC).replace(tzinfo=None, microsecond=0))
        for row in rows.every(viewer, wanted, zone=ZONE)
    )  # fmt: skip

    assert len(ours) > (0 if wanted.communities or wanted.since else 100)
    assert ours == theirs


def test_as_of_a_day_nothing_later_is_known():
    day = date(2026, 3, 31)
    found = snapshots.read(OPERATOR, IssueFilter(), zone=ZONE, as_of=day)
    open_ = snapshots.read(OPERATOR, IssueFilter(states=(IssueState.CLOSED,)), zone=ZONE, as_of=day)
    cut = np.datetime64("2026-03-31T16:00:00")

    assert 0 < len(found) < len(snapshots.read(OPERATOR, IssueFilter(), zone=ZONE))
    assert found.reported.max() < cut
    assert found.ended[~np.isnat(found.ended)].max() < cut
    assert set(open_.state.words()) == {"closed"}
    assert len(open_) == (found.state.words() == "closed").sum()
    assert found.query["as_of"] == "2026-03-31"


def test_of_nothing_nothing_is_read():
    found = snapshots.read(OPERATOR, IssueFilter(since=date(2099, 1, 1)), zone=ZONE, ids=True)

    assert len(found) == len(found.numbers) == 0


def test_the_study_area_is_the_district_or_the_places_asked_for():
    day = DEMO_NOW.date()
    district = snapshots.study_area(OPERATOR, on=day)
    street = snapshots.study_area(OPERATOR, on=day, within=("500110001",))
    inside = snapshots.areas(OPERATOR, "community", on=day, within=("500110001",), residents={"500110001001": 900})

    assert district.buffer(1e-6).covers(street)
    assert shapely.union_all(inside.geometry).area == pytest.approx(street.area, rel=1e-3)
    assert inside.residents[0] == 900
    assert np.isnan(inside.residents[1:]).all()
    assert "issues" in snapshots.data_version()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("code,people\n1,2\n", "columns"),
        ("code,residents\n1,many\n", "no number"),
        ("code,residents\n1,-4\n", "no number"),
    ],
)
def test_a_file_of_residents_that_cannot_be_right_is_refused(tmp_path, text, why):
    file = tmp_path / "residents.csv"
    file.write_text(text)

    with pytest.raises(BadFile, match=why):
        snapshots.residents_of(file)
    with pytest.raises(BadFile, match="cannot be read"):
        snapshots.residents_of(tmp_path / "none.csv")


def test_a_database_is_read_by_its_address_and_left_again(demo_database):
    found = analysis.read_issues(demo_database, categories=("waste",))
    streets = analysis.read_areas(demo_database, "street", on=DEMO_NOW.date())

    assert set(found["category"].str.partition(".")[0]) == {"waste"}
    assert (len(streets), str(streets.crs)) == (31, "EPSG:4326")
    session.connect(demo_database)


def test_the_same_filter_holds_for_a_file(frame, tmp_path):
    for name in ("issues.gpkg", "issues.parquet"):
        file = tmp_path / name
        frame.to_parquet(file) if name.endswith("parquet") else frame.to_file(file)
        found = analysis.read_issues(
            file, categories=("waste",), states=("closed",), since=date(2026, 1, 1), as_of=date(2026, 6, 30), zone=ZONE
        )
        theirs = analysis.read_issues(
            None, categories=("waste",), states=("closed",), since=date(2026, 1, 1), until=date(2026, 6, 30), zone=ZONE
        )
        assert sorted(found["number"]) == sorted(theirs["number"])


def test_columns_of_a_file_can_be_named(tmp_path):
    file = tmp_path / "other.geojson"
    geopandas.GeoDataFrame(
        {"kind": ["a.b", "c"], "opened": ["2026-01-01", "2026-02-01"]},
        geometry=geopandas.points_from_xy([1, 2], [3, 4]),
        crs=4326,
    ).to_file(file)

    assert len(analysis.read_issues(file, columns={"category": "kind"}, categories=("a",))) == 1
    with pytest.raises(BadFile, match="category"):
        analysis.read_issues(file, categories=("a",))
    with pytest.raises(BadInput, match="state"):
        analysis.read_issues(file, states=("gone",))
    with pytest.raises(BadFile, match="cannot be read"):
        analysis.read_issues(tmp_path / "none.gpkg")


# --- analysing ----------------------------------------------------------------------------------


def test_no_web_server_is_imported():
    code = "import sys, geoapp.analysis; print({'flask', 'werkzeug', 'folium', 'sklearn'} & set(sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def untold(how):
    """What a result says that has no words in both languages."""
    keys = [
        f"method.{how['method']}",
        *(f"note.{one}" for one in how["notes"]),
        *(f"dropped.{one}" for one in how["dropped"]),
    ]
    return [key for key in keys if f"analysis.{key}" not in words.catalogue()]


def test_results_are_frames_in_degrees_that_say_how(frame, communities):
    district = analysis.read_areas(None, "district", on=DEMO_NOW.date())
    results = {
        "hot_spots": analysis.hot_spots(frame, cell=1_000, area=district),
        "hot areas": analysis.hot_spots(frame, areas=communities, denominator="km2"),
        "clusters": analysis.clusters(frame, within=200, area=district),
        "space and time": analysis.clusters(frame, within=300, days=30, least=5),
        "density": analysis.density(frame, bandwidth=1_500, area=district, size=256),
        "trends": analysis.trends(frame, cell=2_000, area=district, months=("2025-01", "2025-12"), zone=ZONE),
        "compare": analysis.compare(frame, communities),
        "repeats": analysis.repeats(frame),
        "recurrence": analysis.recurrence(frame, now=DEMO_NOW.date()),
        "association": analysis.association(frame, communities),
        "colocation": analysis.colocation(frame, permutations=19),
        "seasons": analysis.seasons(frame, zone=ZONE),
    }

    for name, found in results.items():
        assert len(found) > 0, name
        assert str(found.crs) == "EPSG:4326"
        assert found.attrs["how"]["used"] > 0
        assert untold(found.attrs["how"]) == []
    assert "data_version" in results["hot_spots"].attrs["how"]["query"]
    assert {"z_2025_01", "counts_2025_12"} <= set(results["trends"].columns)
    assert results["clusters"].attrs["label"].shape == (len(frame),)
    assert results["density"].attrs["surface"]["epsg"] == 4545
    assert [rate["days"] for rate in results["recurrence"].attrs["rates"]] == [30, 90]
    assert results["association"].attrs["moran"]["i"] > 0


def test_residents_of_areas_can_be_the_denominator_of_cells(frame, communities):
    known = communities.assign(residents=1_000.0)
    found = analysis.hot_spots(frame, cell=2_000, denominator=known)

    assert found["residents"].sum() > 0


def test_an_effect_is_told_with_its_controls(frame, communities):
    day = DEMO_NOW.date()
    found = analysis.effect(
        frame,
        communities,
        communities.geometry.iloc[[0]],
        began=day - timedelta(400),
        ended=day - timedelta(390),
        now=day,
    )

    assert found["verdict"] in {"fewer", "more", "cannot_tell"}
    assert len(found["controls"]) == 5


def test_lines_and_areas_count_by_a_point_on_them_and_a_frame_must_say_its_system():
    squares = geopandas.GeoDataFrame(geometry=[shapely.box(0, 0, 10, 10)] * 12, crs=32648)

    assert analysis.clusters(squares, within=5, least=3)["count"].tolist() == [12]
    with pytest.raises(BadInput, match="crs"):
        analysis.clusters(squares.set_crs(None, allow_override=True))


# --- writing and partitions ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["out.gpkg", "out.geojson", "out.parquet"])
def test_what_is_written_is_read_again_with_rows_columns_and_system(frame, tmp_path, name):
    found = analysis.hot_spots(frame, cell=2_000)
    file = analysis.write(found, tmp_path / name)
    again = geopandas.read_parquet(file) if name.endswith("parquet") else geopandas.read_file(file)

    assert (len(again), again.crs.to_epsg()) == (len(found), 4326)
    assert set(again.columns) == set(found.columns)
    assert again["z"].sum() == pytest.approx(found["z"].sum())
    assert json.loads((tmp_path / f"{name}.how.json").read_text())["how"]["method"] == "gi_star"


def test_a_table_is_written_for_spreadsheets(frame, tmp_path):
    file = analysis.write(analysis.seasons(frame), tmp_path / "seasons.csv")
    with file.open(encoding="utf-8-sig") as opened:
        assert next(csv.reader(opened)) == ["category", "month", "count"]

    with pytest.raises(BadFile, match="known are"):
        analysis.write(analysis.seasons(frame), tmp_path / "seasons.xyz")
    with pytest.raises(BadFile, match="folder"):
        analysis.write(analysis.seasons(frame), tmp_path / "no" / "seasons.csv")


def test_an_export_holds_every_issue_by_district_and_month(folder, frame):
    whole = geopandas.read_parquet(folder / "district=500110" / "month=2026-05" / "issues.parquet")
    again = analysis.read_issues(folder, zone=ZONE)

    assert whole.crs.to_epsg() == 4326
    assert set(whole["reported_at"].dt.tz_convert(ZONE).dt.strftime("%Y-%m")) == {"2026-05"}
    assert sorted(again["number"]) == sorted(frame["number"])
    assert json.loads((folder / "export.json").read_text())["rows"] == len(frame)
    assert len(analysis.read_issues(folder, since=date(2026, 5, 1), until=date(2026, 5, 31), zone=ZONE)) == len(whole)
    assert len(analysis.read_issues(folder, since=date(2099, 5, 1), zone=ZONE)) == 0


def test_an_export_replaces_its_forerunner_but_nothing_else(tmp_path):
    wanted = IssueFilter(communities=("500110001001",))
    once = parquet.export(OPERATOR, wanted, tmp_path / "issues", zone=ZONE)
    again = parquet.export(OPERATOR, wanted, tmp_path / "issues", zone=ZONE)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()

    assert once == again
    assert again.lines() == [f"{again.rows} issues in {again.files} files."]
    with pytest.raises(BadFile, match="not empty"):
        parquet.export(OPERATOR, wanted, tmp_path / "mine", zone=ZONE)
    with pytest.raises(BadFile, match="export"):
        parquet.stamp_of(tmp_path / "mine")


def test_part_by_part_comes_out_what_comes_out_of_the_whole(folder, frame):
    area = analysis.read_areas(None, "district", on=DEMO_NOW.date())
    whole = analysis.hot_spots(frame, cell=1_500, area=area)
    parts = partitions.hot_spots(folder, cell=1_500, area=area, processes=1)

    assert parts.drop(columns="geometry").equals(whole.drop(columns="geometry"))
    assert parts.attrs["how"]["used"] == whole.attrs["how"]["used"]


def test_trends_and_density_come_part_by_part_too(folder, frame):
    area = analysis.read_areas(None, "district", on=DEMO_NOW.date())
    whole = analysis.trends(frame, cell=3_000, area=area, zone=ZONE)
    parts = partitions.trends(folder, cell=3_000, area=area, processes=1)
    smooth = analysis.density(frame, bandwidth=2_000, area=area, size=128)
    smooth_parts = partitions.density(folder, bandwidth=2_000, area=area, size=128, processes=1)

    assert parts.drop(columns="geometry").equals(whole.drop(columns="geometry"))
    assert smooth_parts["high"].tolist() == pytest.approx(smooth["high"].tolist())


def test_some_categories_of_a_folder_without_a_given_area(folder, frame):
    found = partitions.hot_spots(folder, categories=("waste",), processes=1)
    waste = int((frame["category"].str.partition(".")[0] == "waste").sum())

    assert found.attrs["how"]["used"] == waste
    assert found.attrs["how"]["dropped"]["other_category"] == len(frame) - waste
