"""Which layers a viewer gets, and one layer as tile bytes, GeoJSON or a table; file layers kept in step."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from geoapp import catalog
from geoapp.catalog import Layer
from geoapp.config import Settings
from geoapp.domain.tiles import Tile
from geoapp.domain.values import Box, IssueFilter, Viewer
from geoapp.errors import BadLayer, NotFound, OutOfRange
from geoapp.store import features, versions
from geoapp.store.session import snapshot, transaction

OFFERED: Mapping[str, tuple[str, ...]] = {
    **{name: query.fields for name, query in features.QUERIES.items()},
    features.ISSUES: features.ISSUE_FIELDS,
}
_PARTS = {features.ISSUES: "issues", "roads": "roads"}
"""The part of the data whose version counts for a query; for all others it is the places."""
CACHE_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """Bytes with the tag of the data they were made from; None when the asker already has them."""

    tag: str
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Sketched:
    """One shape of a layer (GeoJSON, EPSG:4326) for a drawing, with the fields that the layer publishes."""

    fields: dict[str, Any]
    shape: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Features:
    texts: list[str]
    matched: int


def read(folder: Path) -> tuple[Layer, ...]:
    """The layers of a folder in drawing order; raises BadLayer."""
    return catalog.read(folder, OFFERED)


def for_viewer(viewer: Viewer, layers: tuple[Layer, ...], face: str) -> tuple[Layer, ...]:  # noqa: ARG001
    """Layers that open this door for this viewer; today every layer's audience is everyone."""
    return tuple(layer for layer in layers if face in layer.faces)


def named(viewer: Viewer, layers: tuple[Layer, ...], name: str, *, face: str) -> Layer:
    for layer in for_viewer(viewer, layers, face):
        if layer.id == name:
            return layer
    raise NotFound("layer", name)


def tile(
    viewer: Viewer, layer: Layer, at: Tile, wanted: IssueFilter, *, today: date, zone: ZoneInfo, known: str | None
) -> Answer:
    """One vector tile. Its tag is made of data versions, so a known one is answered before any other query."""
    if not at.exists:
        raise OutOfRange("tile", "tile", z=at.z, x=at.x, y=at.y)
    with snapshot() as db:
        current = versions.current(db)
        part = "layers" if layer.file else _PARTS.get(layer.query or "", "places")
        tag = _tag(layer, at, wanted, today, current.get("places", 0), current.get(part, 0))
        if tag == known:
            return Answer(tag, None)
        if (body := _cache.get(tag)) is None:
            if layer.query == features.ISSUES:
                body = features.issue_tile(db, at, wanted, viewer, zone)
            else:
                body = features.area_tile(db, _query(layer), layer.id, layer.fields, tile=at, day=today)
            _cache.put(tag, body)
    return Answer(tag, body)


def bundle(taken: Sequence[Layer], at: Sequence[Tile], *, today: date) -> list[bytes]:
    """Several layers of areas in each of these tiles, all read from one moment; empty where there is nothing.

    The layers of a vector tile may follow one another as they are: that is how protocol buffers repeat a field.
    """
    made = []
    with snapshot() as db:
        current = versions.current(db)
        for tile in at:
            parts = []
            for layer in taken:
                part = "layers" if layer.file else _PARTS.get(layer.query or "", "places")
                tag = _tag(layer, tile, IssueFilter(), today, current.get("places", 0), current.get(part, 0))
                if (body := _cache.get(tag)) is None:
                    body = features.area_tile(db, _query(layer), layer.id, layer.fields, tile=tile, day=today)
                    _cache.put(tag, body)
                parts.append(body)
            made.append(b"".join(parts))
    return made


def collection(viewer: Viewer, layer: Layer, *, box: Box | None, today: date, limit: int) -> Features:  # noqa: ARG001
    """An area layer as GeoJSON feature texts."""
    with snapshot() as db:
        return Features(*features.geojson(db, _query(layer), layer.id, layer.fields, box=box, day=today, limit=limit))


def sketch(viewer: Viewer, layer: Layer, *, box: Box, step: float, today: date) -> list[Sketched]:  # noqa: ARG001
    """An area layer within a box, cut and simplified to ``step`` degrees: what a printed map needs of it."""
    with snapshot() as db:
        rows = features.sketch(db, _query(layer), layer.id, layer.fields, box=box, day=today, step=step)
    return [Sketched(json.loads(fields), json.loads(shape)) for fields, shape in rows]


def table(viewer: Viewer, layer: Layer, *, today: date) -> list[tuple[Any, ...]]:  # noqa: ARG001
    with snapshot() as db:
        return features.table(db, _query(layer), layer.id, layer.fields, day=today)


def sync_files(settings: Settings) -> int:
    """Load the GeoJSON of each file layer that is new or has changed; returns how many were loaded."""
    loaded = 0
    with transaction() as db:
        before = features.loaded_files(db)
        for layer in read(settings.layers_dir):
            if layer.file is None:
                continue
            raw = layer.file.read_bytes()
            digest = hashlib.sha256(raw + repr(layer.fields).encode()).hexdigest()
            if before.get(layer.id) != digest:
                features.replace_file(db, layer.id, digest, _features_of(layer, raw))
                loaded += 1
        if loaded:
            versions.bump(db, "layers")
    return loaded


def _features_of(layer: Layer, raw: bytes) -> list[tuple[int, str, str]]:
    name = layer.file.name if layer.file else layer.id
    if layer.crs != "EPSG:4326":
        raise BadLayer(
            layer.id,
            "crs",
            "a file layer is drawn as it is and must be EPSG:4326; "
            "bring other systems in with `geoapp boundaries import --crs`",
        )
    try:
        found = json.loads(raw)["features"]
        return [
            (
                fid,
                json.dumps({key: (item.get("properties") or {}).get(key) for key in layer.fields}, ensure_ascii=False),
                json.dumps(item["geometry"]),
            )
            for fid, item in enumerate(found, start=1)
            if item["geometry"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadLayer(name, "source.file", f"is not a GeoJSON FeatureCollection: {error!r}") from None


def _query(layer: Layer) -> features.Query:
    if layer.query == features.ISSUES:
        raise NotFound("layer of areas", layer.id)
    return features.QUERIES[layer.query] if layer.query else features.FILE


def _tag(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()


class _Cache:
    """Rendered tiles of this process by tag, the longest unused thrown out first.

    A tag names the data version, so an entry is never wrong, only useless.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, tag: str) -> bytes | None:
        with self._lock:
            if tag in self._held:
                self._held.move_to_end(tag)
            return self._held.get(tag)

    def put(self, tag: str, body: bytes) -> None:
        with self._lock:
            if tag in self._held:
                return
            self._held[tag] = body
            self._size += len(body)
            while self._size > self._room:
                self._size -= len(self._held.popitem(last=False)[1])


_cache = _Cache(CACHE_BYTES)
