"""Every layer file that ships is tried by this one list; a new file is tested without writing a test."""

import json
from datetime import date

import pytest

from geoapp import catalog
from geoapp.config import read, shipped
from geoapp.domain.tiles import Tile
from geoapp.domain.values import ANONYMOUS, IssueFilter, Provenance
from geoapp.errors import BadLayer
from geoapp.maps import builder
from geoapp.services import layers

LAYERS = layers.read(shipped("layers"))
GOOD = """
title = { zh = "网格", en = "Grid" }
source = { file = "data/grid.geojson" }
geometry = "Polygon"
fields = ["code"]
faces = ["map", "tiles", "features"]
origin = "a survey"
licence = "CC0"
date = "2026-01-01"
crs = "EPSG:4326"
"""
GRID = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"code": "A1", "secret": "x"},
            "geometry": {"type": "Polygon", "coordinates": [[[106, 29], [107, 29], [107, 30], [106, 30], [106, 29]]]},
        }
    ],
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "grid.geojson").write_text(json.dumps(GRID))
    (tmp_path / "grid.toml").write_text(GOOD, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.id)
def test_a_shipped_layer_is_drawn_on_the_map(layer):
    sheet = builder.build(
        [layer],
        home=builder.Box(106, 28, 107, 29),
        lang="zh",
        provenance=lambda _: Provenance(("a survey",)),
        extent=lambda _: None,
    )

    assert "GeoApp.layer(" in sheet.script
    assert f'"/tiles/{layer.id}/{{z}}/{{x}}/{{y}}.mvt"' in sheet.script


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.id)
@pytest.mark.usefixtures("clean")
def test_a_shipped_layer_answers_as_tile_features_and_table(layer, settings):
    today = date(2026, 11, 20)
    tile = layers.tile(ANONYMOUS, layer, Tile(8, 203, 106), IssueFilter(), today=today, zone=settings.zone, known=None)

    assert tile.body is not None
    if layer.query != "issues":
        assert layers.collection(ANONYMOUS, layer, box=None, today=today, limit=10).matched >= 0
        assert layers.table(ANONYMOUS, layer, today=today) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('fields = ["code"]', 'fields = ["co;de"]'), "is not a field name"),
        (('geometry = "Polygon"', 'geometry = "Blob"'), "must be one of Point"),
        (('licence = "CC0"', ""), "licence"),
        (('crs = "EPSG:4326"', 'crs = "EPSG:4326"\ncolor = "red"'), "known are title"),
        (('{ file = "data/grid.geojson" }', '{ file = "../../etc/passwd" }'), "must lie in the folder"),
        (('{ file = "data/grid.geojson" }', '{ file = "data/none.geojson" }'), "no file"),
        (('{ file = "data/grid.geojson" }', '{ query = "secrets" }'), "must be one of district"),
        (('{ file = "data/grid.geojson" }', "{ }"), "needs either query or file"),
        (('{ file = "data/grid.geojson" }', '"communities"'), "must be a table"),
        (('{ file = "data/grid.geojson" }', '{ query = "communities", sql = "x" }'), "source.sql"),
        (('{ zh = "网格", en = "Grid" }', '"Grid"'), "must be { zh"),
        (('faces = ["map", "tiles", "features"]', 'faces = ["door"]'), "is not known; known are map"),
        (('faces = ["map", "tiles", "features"]', 'faces = "map"'), "must be a list"),
        (('date = "2026-01-01"', 'date = "2026-01-01"\nmin_zoom = 99'), "between 0 and 22"),
        (('date = "2026-01-01"', 'date = "2026-01-01"\norder = "first"'), "whole number"),
        (('date = "2026-01-01"', 'date = "2026-01-01"\nshown = "yes"'), "true or false"),
        (('date = "2026-01-01"', 'date = "2026-01-01"\nstyle = { colour = "red" }'), "style.colour"),
        (('date = "2026-01-01"', "date = = 1"), "syntax"),
    ],
)
def test_a_wrong_layer_file_is_refused_with_file_key_and_what_is_known(folder, change, says):
    (folder / "grid.toml").write_text(GOOD.replace(*change), encoding="utf-8")

    with pytest.raises(BadLayer) as refused:
        layers.read(folder)

    assert says in str(refused.value)
    assert "grid.toml" in str(refused.value)


def test_a_field_that_its_query_does_not_offer_is_refused(folder):
    (folder / "grid.toml").write_text(
        GOOD.replace('{ file = "data/grid.geojson" }', '{ query = "communities" }').replace('"code"', '"phone"'),
        encoding="utf-8",
    )

    with pytest.raises(BadLayer, match="not offered by communities"):
        layers.read(folder)


def test_a_layer_with_an_impossible_name_is_refused(folder):
    (folder / "grid.toml").rename(folder / "Grid Cells.toml")

    with pytest.raises(BadLayer, match="small letters"):
        layers.read(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadLayer, match="is not there"):
        catalog.read(tmp_path / "none", {})


@pytest.mark.usefixtures("clean")
def test_adding_a_boundary_layer_is_adding_two_files(folder):
    settings = read({"GEOAPP_LAYERS_DIR": str(folder)})

    loaded, again = layers.sync_files(settings), layers.sync_files(settings)
    layer = layers.read(folder)[0]
    found = layers.collection(ANONYMOUS, layer, box=None, today=date(2026, 1, 1), limit=10)
    tile = layers.tile(
        ANONYMOUS, layer, Tile(8, 203, 105), IssueFilter(), today=date(2026, 1, 1), zone=settings.zone, known=None
    )

    assert (loaded, again) == (1, 0)
    assert found.matched == 1
    assert "A1" in found.texts[0]
    assert "secret" not in found.texts[0]
    assert tile.body


@pytest.mark.usefixtures("clean")
def test_a_file_layer_in_another_system_is_refused_with_the_way_out(folder):
    (folder / "grid.toml").write_text(GOOD.replace("EPSG:4326", "EPSG:4545"), encoding="utf-8")

    with pytest.raises(BadLayer, match="boundaries import --crs"):
        layers.sync_files(read({"GEOAPP_LAYERS_DIR": str(folder)}))


@pytest.mark.parametrize("text", ["[]", "{}", "nonsense", '{"features": [1]}'])
@pytest.mark.usefixtures("clean")
def test_a_file_that_is_no_geojson_is_refused(folder, text):
    (folder / "data" / "grid.geojson").write_text(text)

    with pytest.raises(BadLayer, match="GeoJSON"):
        layers.sync_files(read({"GEOAPP_LAYERS_DIR": str(folder)}))
