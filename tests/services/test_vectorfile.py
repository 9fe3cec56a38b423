"""Files of shapes from strangers: four formats give the same, and no file can do harm."""

import json
import os
import tempfile
import zipfile
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from geoapp.domain.geometry import wgs84_to_gcj02
from geoapp.errors import BadFile
from geoapp.services import vectorfile, vectorreader

SQUARE = shapely.box(106.60, 29.00, 106.62, 29.02)
TRIANGLE = shapely.Polygon([(106.62, 29.0), (106.64, 29.0), (106.63, 29.02)])


@pytest.fixture
def frame():
    return geopandas.GeoDataFrame(
        {"code": ["A", "B"], "name": ["沱湾社区", "双桥社区"]}, geometry=[SQUARE, TRIANGLE], crs="EPSG:4326"
    )


def written(frame, folder, kind):
    """The frame as a file of this kind."""
    if kind == "zip":
        return zipped_shapefile(frame, folder)
    file = folder / f"places.{kind}"
    frame.to_file(file)
    return file


def zipped_shapefile(frame, folder, *, encoding="UTF-8", without=()):
    parts = folder / "parts"
    parts.mkdir()
    frame.to_file(parts / "places.shp", encoding=encoding)
    file = folder / "places.zip"
    with zipfile.ZipFile(file, "w") as packed:
        for part in parts.iterdir():
            if part.suffix not in without:
                packed.write(part, f"somewhere/{part.name}")
    return file


def geojson(folder, *geometries, **more):
    features = [{"type": "Feature", "properties": {"code": "A"}, "geometry": geometry} for geometry in geometries]
    file = folder / "places.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features} | more))
    return file


def polygon(*corners):
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in corners]]}


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "fgb", "zip"])
def test_the_four_formats_give_the_same(frame, tmp_path, kind):
    found = vectorfile.read(written(frame, tmp_path, kind))

    by_code = {feature.properties["code"]: feature for feature in found.features}
    assert set(by_code) == {"A", "B"}
    assert by_code["A"].properties["name"] == "沱湾社区"
    assert shapely.equals(by_code["A"].geometry, SQUARE)
    assert found.crs == "EPSG:4326"


def test_a_shapefile_that_does_not_say_its_encoding_may_be_gbk(frame, tmp_path):
    found = vectorfile.read(zipped_shapefile(frame, tmp_path, encoding="GBK", without={".cpg"}))

    assert [feature.properties["name"] for feature in found.features] == ["沱湾社区", "双桥社区"]
    assert any("GB18030" in note for note in found.notes)


def test_metres_of_a_chinese_zone_are_brought_to_degrees(frame, tmp_path):
    found = vectorfile.read(written(frame.to_crs("EPSG:4544"), tmp_path, "gpkg"))

    assert shapely.hausdorff_distance(found.features[0].geometry, SQUARE) < 1e-8


def test_shifted_coordinates_are_shifted_back_when_said(frame, tmp_path):
    shifted = shapely.transform(SQUARE, lambda xy: np.column_stack(wgs84_to_gcj02(xy[:, 0], xy[:, 1])))
    file = written(frame.iloc[:1].set_geometry([shifted], crs="EPSG:4326"), tmp_path, "geojson")

    found = vectorfile.read(file, crs="gcj02")

    assert shapely.hausdorff_distance(found.features[0].geometry, SQUARE) < 1e-8


def test_metres_without_a_system_are_refused_and_not_put_into_the_gulf_of_guinea(frame, tmp_path):
    metres = frame.to_crs("EPSG:4544")

    with pytest.raises(BadFile, match=r"cannot be degrees.*--crs EPSG:n"):
        vectorfile.read(zipped_shapefile(metres, tmp_path, without={".prj"}))


def test_the_same_metres_are_read_when_the_system_is_said(frame, tmp_path):
    metres = frame.to_crs("EPSG:4544")

    found = vectorfile.read(zipped_shapefile(metres, tmp_path, without={".prj"}), crs="EPSG:4544")

    assert shapely.hausdorff_distance(found.features[0].geometry, SQUARE) < 1e-8


@pytest.mark.parametrize(
    ("crs", "corners", "why"),
    [
        (None, [(29.0, 106.6), (29.02, 106.6), (29.02, 106.62), (29.0, 106.6)], "look exchanged"),
        ("EPSG:4544", [(106.6, 29.0), (106.62, 29.0), (106.62, 29.02), (106.6, 29.0)], "look like degrees"),
        ("EPSG:4490", [(5e5, 3e6), (6e5, 3e6), (6e5, 4e6), (5e5, 3e6)], "cannot be degrees, as EPSG:4490 needs"),
        ("EPSG:1", [(106.6, 29.0), (106.62, 29.0), (106.62, 29.02), (106.6, 29.0)], "is no known coordinate system"),
    ],
)
def test_coordinates_that_contradict_their_system_are_refused(tmp_path, crs, corners, why):
    with pytest.raises(BadFile, match=why):
        vectorfile.read(geojson(tmp_path, polygon(*corners)), crs=crs)


def test_one_bad_feature_among_good_ones_is_named_and_the_rest_is_read(tmp_path):
    good = polygon((106.6, 29.0), (106.62, 29.0), (106.62, 29.02), (106.6, 29.0))
    huge = {"type": "LineString", "coordinates": [[106 + n / 1e6, 29.0] for n in range(50_001)]}
    lost = polygon((5e5, 29), (5e5, 30), (6e5, 30), (5e5, 29))
    empty = {"type": "Polygon", "coordinates": []}

    found = vectorfile.read(geojson(tmp_path, good, good, good, good, huge, lost, empty, None))

    assert [bool(feature.geometry) for feature in found.features] == [True] * 4 + [False] * 4
    problems = [feature.problem for feature in found.features[4:]]
    for problem, words in zip(problems, ("50,001 vertices", "cannot be degrees", "empty", "no geometry"), strict=True):
        assert words in problem


# --- attacks: what is refused names a reason, and leaves no process and no file behind ---


def a_zip(folder, members, **write):
    file = folder / "places.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content, **write)
    return file


def a_link(folder):
    file = folder / "places.zip"
    with zipfile.ZipFile(file, "w") as packed:
        member = zipfile.ZipInfo("places.shp")
        member.external_attr = 0o120777 << 16
        packed.writestr(member, "/etc/passwd")
    return file


def text_file(folder, content, name="places.geojson"):
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource>'
    "</OGRVRTLayer></OGRVRTDataSource>"
)
DEEP = '{"type":"FeatureCollection","features":' + "[" * 200_000 + "]" * 200_000 + "}"
ATTACKS = {
    "bomb": (lambda folder: a_zip(folder, {"places.shp": bytes(40 << 20)}), "times its size"),
    "many files": (lambda folder: a_zip(folder, {f"{n}.txt": "" for n in range(1001)}), "more than 1,000 files"),
    "path out": (lambda folder: a_zip(folder, {"../../etc/cron.d/x.shp": "x"}), "points outside"),
    "absolute path": (lambda folder: a_zip(folder, {"/etc/x.shp": "x"}), "points outside"),
    "windows path": (lambda folder: a_zip(folder, {"..\\x.shp": "x"}), "points outside"),
    "link": (a_link, "holds a link"),
    "no shapefile": (lambda folder: a_zip(folder, {"readme.txt": "hello"}), "one .shp file, but holds none"),
    "two shapefiles": (lambda folder: a_zip(folder, {"a.shp": "", "b.shp": ""}), "but holds 2"),
    "half a shapefile": (lambda folder: a_zip(folder, {"a.shp": ""}), "has no .shx and no .dbf"),
    "broken zip": (lambda folder: text_file(folder, b"PK\x03\x04 and nothing", "places.zip"), "cannot be unpacked"),
    "vrt": (lambda folder: text_file(folder, VRT, "places.vrt"), "is neither GeoJSON"),
    "vrt named geojson": (lambda folder: text_file(folder, VRT), "is neither GeoJSON"),
    "address in json": (
        lambda folder: text_file(folder, '{"type":"FeatureCollection","features":"http://127.0.0.1:9/x"}'),
        "cannot be read",
    ),
    "topojson": (lambda folder: text_file(folder, '{"type":"Topology","objects":{},"arcs":[]}'), "cannot be read"),
    "esri json": (lambda folder: text_file(folder, '{"rings":[],"spatialReference":{}}'), "cannot be read"),
    "deep": (lambda folder: text_file(folder, DEEP), "cannot be read"),
    "cut off": (lambda folder: text_file(folder, '{"type":"FeatureCollection","features":[{"type":'), "cannot be read"),
    "empty": (lambda folder: text_file(folder, ""), "is neither GeoJSON"),
    "no features": (geojson, "holds no features"),
    "broken geopackage": (
        lambda folder: text_file(folder, b"SQLite format 3\x00" + os.urandom(4000), "places.gpkg"),
        "cannot be read",
    ),
    "broken flatgeobuf": (lambda folder: text_file(folder, b"fgb\x03fgb\x00" + b"\xff" * 500), "cannot be read"),
    "gone": (lambda folder: folder / "nowhere.geojson", "there is no such file"),
    "folder": (lambda folder: folder, "there is no such file"),
    "network path": (lambda _: "/vsicurl/http://127.0.0.1:9/x.geojson", "must be a file on this machine"),
    "address": (lambda _: "http://127.0.0.1:9/x.geojson", "must be a file on this machine"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_with_a_sentence_and_leaves_nothing_behind(name, tmp_path, monkeypatch):
    make, why = ATTACKS[name]
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(work))

    with pytest.raises(BadFile, match=why) as refused:
        vectorfile.read(make(tmp_path))

    assert len(str(refused.value)) < 400
    assert "Traceback" not in str(refused.value)
    assert not list(work.iterdir())
    assert not children()


def children():
    tasks = Path("/proc/self/task").glob("*/children")
    return [pid for task in tasks for pid in task.read_text().split() if "vectorreader" in _command(pid)]


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_a_file_that_takes_too_long_is_given_up(frame, tmp_path, monkeypatch):
    file = written(frame, tmp_path, "geojson")
    vectorfile._other_drivers()
    monkeypatch.setattr(vectorfile, "TIMEOUT_S", 0.01)

    with pytest.raises(BadFile, match="could not be read within"):
        vectorfile.read(file)


def test_a_file_that_is_too_large_is_not_even_opened(tmp_path):
    file = tmp_path / "huge.geojson"
    with file.open("wb") as sparse:
        sparse.truncate(vectorfile.MAX_BYTES + 1)

    with pytest.raises(BadFile, match="is larger than 256 MB"):
        vectorfile.read(file)


def test_a_file_of_too_many_features_is_refused(tmp_path):
    many = geopandas.GeoDataFrame(
        {"code": np.arange(vectorreader.MAX_FEATURES + 1)},
        geometry=shapely.points(np.full(vectorreader.MAX_FEATURES + 1, 106.6), 29.0),
        crs="EPSG:4326",
    )
    file = written(many, tmp_path, "fgb")

    with pytest.raises(BadFile, match="more than 100,000 features"):
        vectorfile.read(file)


def test_text_that_looks_like_code_stays_text(frame, tmp_path):
    frame["name"] = ["=cmd|' /C calc'!A0", "<script>alert(1)</script>"]

    found = vectorfile.read(written(frame, tmp_path, "geojson"))

    assert [feature.properties["name"] for feature in found.features] == list(frame["name"])
