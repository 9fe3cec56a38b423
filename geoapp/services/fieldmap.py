"""The ground under a visit as one PMTiles archive: cut from the base map of the settings, or made of our own layers.

Why an archive and not single tiles? A phone keeps it as one sealed piece and reads from it without a line. A base map
that is asked for by address cannot be taken along: its licence is somebody else's, and so is its server.
"""

import gzip
import io
import json
import math
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from geoapp.catalog import Layer
from geoapp.domain.tiles import Tile
from geoapp.domain.values import Box, Point, Viewer
from geoapp.services import layers
from geoapp.store import features

LOWEST, HIGHEST = 12, 16
WIDE = 14
"""To this zoom the tiles about the box come along too, so that a screen is filled when one looks from afar."""
PADDING_M = 400.0
WIDEST_DEG = 0.5
MOST_TILES, MOST_BYTES = 600, 24 << 20
"""Of a visit that spreads far the highest zooms are left out until it fits."""
KEPT = 8
METRES_PER_DEGREE = 111_320.0
_MEDIA = {"mvt": 1, "png": 2, "jpg": 3, "jpeg": 3, "webp": 4}


@dataclass(frozen=True, slots=True)
class Ground:
    """An archive (empty where there is nothing to draw), what its tiles are, and the zooms that it holds."""

    body: bytes
    kind: str
    min_zoom: int
    max_zoom: int


def area(points: list[Point]) -> Box:
    """The box of a visit with some room about it; of one that spreads over half a degree, its middle."""
    west, east = min(one.lon for one in points), max(one.lon for one in points)
    south, north = min(one.lat for one in points), max(one.lat for one in points)
    lon, lat = (west + east) / 2, (south + north) / 2
    tall = PADDING_M / METRES_PER_DEGREE
    wide = tall / math.cos(math.radians(lat))
    across, up = min(WIDEST_DEG, east - west) / 2 + wide, min(WIDEST_DEG, north - south) / 2 + tall
    # Rounded, so that the same visit is the same cut.
    return Box(*(round(value, 4) for value in (lon - across, lat - up, lon + across, lat + up)))


def own_layers(viewer: Viewer, all_layers: tuple[Layer, ...], box: Box, *, today: date) -> Ground:
    """Boundaries, jurisdictions, unclear land and whatever else is a layer of areas or lines, as vector tiles."""
    taken = [layer for layer in layers.for_viewer(viewer, all_layers, "tiles") if layer.query != features.ISSUES]

    def read(tiles: list[Tile]) -> list[bytes | None]:
        found = layers.bundle(taken, tiles, today=today)
        return [gzip.compress(body, 6, mtime=0) if body else None for body in found]

    fields = [{"id": layer.id, "fields": dict.fromkeys(layer.fields, "")} for layer in taken]
    return _packed(read, box, LOWEST, HIGHEST, kind="mvt", packed=True, about={"vector_layers": fields})


def base_map(source: str, box: Box, *, attribution: str) -> Ground | None:
    """The part of a local base map under the visit; None where there is no local one."""
    if not source or "://" in source or not Path(source).is_file():
        return None
    return _cut(source, box, attribution, Path(source).stat().st_mtime_ns)


@lru_cache(maxsize=KEPT)
def _cut(source: str, box: Box, attribution: str, stamp: int) -> Ground | None:  # noqa: ARG001 - another file is another cut
    about = {"attribution": attribution}
    if source.endswith(".mbtiles"):
        with sqlite3.connect(f"file:{source}?mode=ro&immutable=1", uri=True) as db:
            kind = str(dict(db.execute("SELECT name, value FROM metadata")).get("format", "png"))

            def of_rows(tiles: list[Tile]) -> list[bytes | None]:
                # MBTiles counts rows from the south (TMS).
                ask = "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?"
                found = [db.execute(ask, (one.z, one.x, (1 << one.z) - 1 - one.y)).fetchone() for one in tiles]
                return [bytes(row[0]) if row else None for row in found]

            low, high = db.execute("SELECT min(zoom_level), max(zoom_level) FROM tiles").fetchone()
            if low is None:
                return None
            is_vector = kind == "pbf"
            return _packed(
                of_rows, box, *_zooms(low, high), kind="mvt" if is_vector else kind, packed=is_vector, about=about,
            )  # fmt: skip
    from pmtiles.reader import MmapSource, Reader  # noqa: PLC0415 - only with such a base map
    from pmtiles.tile import Compression, TileType  # noqa: PLC0415

    with Path(source).open("rb") as file:
        reader = Reader(MmapSource(file))
        header = reader.header()
        kind = {TileType.MVT: "mvt", TileType.PNG: "png", TileType.JPEG: "jpg", TileType.WEBP: "webp"}.get(
            header["tile_type"], "png"
        )
        packed = header["tile_compression"] is Compression.GZIP

        def of_archive(tiles: list[Tile]) -> list[bytes | None]:
            return [reader.get(one.z, one.x, one.y) for one in tiles]

        zooms = _zooms(header["min_zoom"], header["max_zoom"])
        return _packed(of_archive, box, *zooms, kind=kind, packed=packed, about=about)


def _zooms(low: int, high: int) -> tuple[int, int]:
    """What is taken of the zooms that a base map has; of one that is coarser than we want, its finest."""
    return min(max(low, LOWEST), high), min(high, HIGHEST)


def _packed(
    read: Callable[[list[Tile]], list[bytes | None]], box: Box, low: int, high: int, *, kind: str, packed: bool,
    about: dict[str, Any],
) -> Ground:  # fmt: skip
    """Write an archive zoom by zoom, so that what is too much is left out at the top."""
    from pmtiles.tile import Compression, TileType, zxy_to_tileid  # noqa: PLC0415 - loaded when somebody packs
    from pmtiles.writer import Writer  # noqa: PLC0415

    tiles: list[tuple[int, bytes]] = []
    size, top = 0, low
    for zoom in range(low, max(low, high) + 1):
        wanted = list(tiles_of(box, zoom, ring=1 if zoom <= WIDE else 0))
        if len(tiles) + len(wanted) > MOST_TILES and zoom > low:
            break
        found = [
            (zxy_to_tileid(one.z, one.x, one.y), body) for one, body in zip(wanted, read(wanted), strict=True) if body
        ]
        if (size := size + sum(len(body) for _, body in found)) > MOST_BYTES and zoom > low:
            break
        tiles += found
        top = zoom
    if not tiles:
        return Ground(b"", kind, low, top)
    out = io.BytesIO()
    writer = Writer(out)
    for tile_id, body in sorted(tiles):
        writer.write_tile(tile_id, body)
    writer.finalize(
        {
            "tile_type": TileType(_MEDIA.get(kind, _MEDIA["png"])),
            "tile_compression": Compression.GZIP if packed else Compression.NONE,
            "min_zoom": low,
            "max_zoom": top,
            "min_lon_e7": int(box.west * 1e7),
            "min_lat_e7": int(box.south * 1e7),
            "max_lon_e7": int(box.east * 1e7),
            "max_lat_e7": int(box.north * 1e7),
            "center_zoom": low,
            "center_lon_e7": int((box.west + box.east) / 2 * 1e7),
            "center_lat_e7": int((box.south + box.north) / 2 * 1e7),
        },
        json.loads(json.dumps(about)),
    )
    return Ground(out.getvalue(), kind, low, top)


def tiles_of(box: Box, zoom: int, *, ring: int = 0) -> Iterator[Tile]:
    """The tiles of one zoom that a box touches, with so many more about them."""
    west, north = _tile(box.west, box.north, zoom)
    east, south = _tile(box.east, box.south, zoom)
    last = (1 << zoom) - 1
    for y in range(max(0, north - ring), min(last, south + ring) + 1):
        for x in range(max(0, west - ring), min(last, east + ring) + 1):
            yield Tile(zoom, x, y)


def _tile(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    side = 1 << zoom
    x = (lon + 180) / 360 * side
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * side
    return min(side - 1, max(0, int(x))), min(side - 1, max(0, int(y)))
