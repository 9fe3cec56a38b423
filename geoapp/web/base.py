"""The base map: what the browser is told of it, and the tiles of a local PMTiles or MBTiles file."""

import gzip
import sqlite3
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, send_file

from geoapp.config import Settings
from geoapp.web import page

blueprint = Blueprint("base", __name__, url_prefix="/base")
DAY_S = 24 * 3600
PICTURES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp"}


def description(settings: Settings) -> dict[str, Any] | None:
    """How the browser gets the base map; None when there is none."""
    source = settings.basemap
    if not source:
        return None
    common = {"attribution": settings.basemap_attribution, "maxZoom": settings.basemap_max_zoom}
    if "://" in source:
        return {"kind": "xyz", "url": source, **common}
    path = Path(source)
    if path.suffix == ".mbtiles":
        return {"kind": "raster", "url": "/base/{z}/{x}/{y}", **common, **_zooms(source)}
    kind = "pmtiles" if _is_vector(source) else "raster"
    return {"kind": kind, "url": "/base/file.pmtiles" if kind == "pmtiles" else "/base/{z}/{x}/{y}", **common}


@blueprint.get("/file.pmtiles")
def whole_file() -> Response:
    """The archive itself, read by the browser in ranges."""
    source = page.settings().basemap
    if not source.endswith(".pmtiles"):
        abort(404)
    return send_file(source, mimetype="application/vnd.pmtiles", conditional=True, max_age=DAY_S)


@blueprint.get("/<int:z>/<int:x>/<int:y>")
def tile(z: int, x: int, y: int) -> Response:
    source = page.settings().basemap
    if not source or "://" in source or z > 22 or x >= 1 << z or y >= 1 << z:  # noqa: PLR2004
        abort(404)
    body = _mbtile(source, z, x, y) if source.endswith(".mbtiles") else _pmtile(source, z, x, y)
    # A file need not cover everything. Nothing to show is no failure: a 404 would fill the browser's console.
    response = Response(body, mimetype=_kind(body)) if body is not None else Response(status=204)
    response.headers["Cache-Control"] = f"public, max-age={DAY_S}"
    return response


def _mbtile(source: str, z: int, x: int, y: int) -> bytes | None:
    # MBTiles counts rows from the south (TMS).
    with _open(source) as db:
        row = db.execute(
            "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?",
            (z, x, (1 << z) - 1 - y),
        ).fetchone()
    return bytes(row[0]) if row else None


@cache
def _zooms(source: str) -> dict[str, int]:
    with _open(source) as db:
        low, high = db.execute("SELECT min(zoom_level), max(zoom_level) FROM tiles").fetchone()
    return {} if high is None else {"minZoom": low, "maxZoom": high}


def _open(source: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{source}?mode=ro&immutable=1", uri=True)


def _pmtile(source: str, z: int, x: int, y: int) -> bytes | None:
    from pmtiles.reader import MmapSource, Reader  # noqa: PLC0415 - only with such a base map

    with Path(source).open("rb") as file:
        body = Reader(MmapSource(file)).get(z, x, y)
    return body if body is None or body[:2] != b"\x1f\x8b" else gzip.decompress(body)


@cache
def _is_vector(source: str) -> bool:
    from pmtiles.reader import MmapSource, Reader  # noqa: PLC0415
    from pmtiles.tile import TileType  # noqa: PLC0415

    with Path(source).open("rb") as file:
        return bool(Reader(MmapSource(file)).header()["tile_type"] == TileType.MVT)


def _kind(body: bytes) -> str:
    if body[:8] == b"\x89PNG\r\n\x1a\n":
        return PICTURES["png"]
    if body[:3] == b"\xff\xd8\xff":
        return PICTURES["jpg"]
    return PICTURES["webp"] if body[8:12] == b"WEBP" else "application/octet-stream"
