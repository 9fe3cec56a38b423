"""The ground that a phone takes along: cut from a local base map, tile by tile the same."""

import io
import sqlite3

import pytest
from pmtiles.reader import MemorySource, Reader
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from geoapp.domain.tiles import Tile
from geoapp.domain.values import Point
from geoapp.services import fieldmap

BOX = fieldmap.area([Point(106.65, 29.03)])


def picture(tile):
    return f"tile {tile.z}/{tile.x}/{tile.y}".encode()


def tiles(zooms):
    return [tile for zoom in zooms for tile in fieldmap.tiles_of(BOX, zoom, ring=2)]


def an_mbtiles(folder, zooms):
    file = folder / "ground.mbtiles"
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE metadata (name text, value text)")
        db.execute("INSERT INTO metadata VALUES ('format', 'png')")
        db.execute("CREATE TABLE tiles (zoom_level int, tile_column int, tile_row int, tile_data blob)")
        rows = [(one.z, one.x, (1 << one.z) - 1 - one.y, picture(one)) for one in tiles(zooms)]
        db.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", rows)
    return file


def a_pmtiles(folder, zooms):
    out = io.BytesIO()
    writer = Writer(out)
    for one in sorted(tiles(zooms), key=lambda one: zxy_to_tileid(one.z, one.x, one.y)):
        writer.write_tile(zxy_to_tileid(one.z, one.x, one.y), picture(one))
    writer.finalize(
        {
            "tile_type": TileType.PNG, "tile_compression": Compression.NONE, "min_zoom": min(zooms),
            "max_zoom": max(zooms), "min_lon_e7": 0, "min_lat_e7": 0, "max_lon_e7": 0, "max_lat_e7": 0,
            "center_zoom": 0, "center_lon_e7": 0, "center_lat_e7": 0,
        },
        {},
    )  # fmt: skip
    file = folder / "ground.pmtiles"
    file.write_bytes(out.getvalue())
    return file


@pytest.mark.parametrize("make", [an_mbtiles, a_pmtiles])
def test_a_local_base_map_is_cut_to_the_visit_and_every_tile_is_the_same(tmp_path, make):
    ground = fieldmap.base_map(str(make(tmp_path, range(10, 15))), BOX, attribution="(c) somebody")
    archive = Reader(MemorySource(ground.body))
    here = [tile for zoom in range(12, 15) for tile in fieldmap.tiles_of(BOX, zoom)]
    far = Tile(14, here[-1].x + 2, here[-1].y)

    assert (ground.kind, ground.min_zoom, ground.max_zoom) == ("png", 12, 14)
    assert [archive.get(one.z, one.x, one.y) for one in here] == [picture(one) for one in here]
    assert archive.get(far.z, far.x, far.y) is None
    assert archive.metadata()["attribution"] == "(c) somebody"


@pytest.mark.parametrize("make", [an_mbtiles, a_pmtiles])
def test_of_a_base_map_that_is_coarser_its_finest_zoom_is_taken(tmp_path, make):
    ground = fieldmap.base_map(str(make(tmp_path, range(4, 7))), BOX, attribution="")
    here = next(fieldmap.tiles_of(BOX, 6))

    assert (ground.min_zoom, ground.max_zoom) == (6, 6)
    assert Reader(MemorySource(ground.body)).get(here.z, here.x, here.y) == picture(here)


@pytest.mark.parametrize("source", ["", "https://tiles.example.org/{z}/{x}/{y}.png", "/nowhere/ground.pmtiles"])
def test_what_is_no_local_file_is_not_taken_along(source):
    assert fieldmap.base_map(source, BOX, attribution="") is None
