"""Which layers a viewer gets, and one layer as tile bytes, GeoJSON or a table; file layers kept in step."""

import gzip
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from geoapp import __version__, catalog
from geoapp.catalog import Layer
from geoapp.config import Settings
from geoapp.domain.counts import morton
from geoapp.domain.tiles import Tile
from geoapp.domain.values import Box, IssueFilter, Viewer
from geoapp.errors import BadLayer, NotFound, OutOfRange
from geoapp.services import counting
from geoapp.services.tilecache import TileCache
from geoapp.store import blocks, counts, features, tiles, versions
from geoapp.store.blocks import Stamp
from geoapp.store.session import Db, Session, glance, line, snapshot, transaction
from geoapp.store.tiles import Drawn

OFFERED: Mapping[str, tuple[str, ...]] = {
    **{name: query.fields for name, query in features.QUERIES.items()},
    features.ISSUES: features.ISSUE_FIELDS,
}
WORTH_PACKING = 500


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
    """One vector tile. Its tag is made of data versions, so a known one is answered before any other query.

    Only the public's tiles are kept; whoever may see more has each made, and with a tag that nobody else is given.
    """
    if not at.exists:
        raise OutOfRange("tile", "tile", z=at.z, x=at.x, y=at.y)
    asked = Asked(layer, at, wanted, today)
    if not viewer.is_public:
        with snapshot() as db:
            return Answer(secrets.token_hex(12), asked.drawn(db, viewer, zone).body)
    with line() as to:
        seen = asked.stamp(to)
    tag = asked.tag(seen)
    if tag == known:
        return Answer(tag, None)
    if (body := _cache.get(tag)) is not None:
        return Answer(tag, body)
    with glance() as db:
        drawn = asked.drawn(db, viewer, zone)
        # A transaction would take longer than to look again whether anything was changed in the meantime.
        of = drawn.stamp or asked.stamp(db)
    if drawn.stamp is None and of != seen:
        with snapshot() as db:
            of, drawn = asked.stamp(db), asked.drawn(db, viewer, zone)
    if drawn.unfolded > counts.FEW_CHANGES:
        counting.fold()
    tag = asked.tag(of)
    _cache.put(tag, drawn.body)
    return Answer(tag, drawn.body)


def packed(answer: Answer) -> bytes | None:
    """The tile gzipped, once for all who ask; None where that saves nothing."""
    if answer.body is None or len(answer.body) < WORTH_PACKING:
        return None
    tag = answer.tag + "z"
    small = _cache.get(tag)
    if small is None:
        small = gzip.compress(answer.body, 6, mtime=0)
        _cache.put(tag, small)
    return small


@dataclass(frozen=True, slots=True)
class Asked:
    """A tile of a layer with a filter; areas are those in force ``today``."""

    layer: Layer
    at: Tile
    wanted: IssueFilter
    today: date

    def stamp(self, db: Db) -> Stamp:
        return blocks.stamp(db, self.at.z, morton(self.at.x, self.at.y))

    def drawn(self, db: Session, viewer: Viewer, zone: ZoneInfo) -> Drawn:
        if self.layer.query == features.ISSUES:
            return tiles.issue_tile(db, self.at, self.wanted, viewer, zone)
        layer = self.layer
        return Drawn(features.area_tile(db, _query(layer), layer.id, layer.fields, tile=self.at, day=self.today))

    def tag(self, stamp: Stamp) -> str:
        """Names all that the tile is made from: the version of its area and of the other data, and our own."""
        if self.layer.query == features.ISSUES:
            return _tag(__version__, self.layer.id, self.at, self.wanted, stamp)
        return self.tag_of_areas(stamp.parts)

    def tag_of_areas(self, parts: tuple[tuple[str, int], ...]) -> str:
        """The tag of a layer without issues, from the versions of all other data: places, roads and files alike."""
        return _tag(__version__, self.layer, self.at, self.today, parts)


def open_cache(folder: Path | None) -> None:
    """Keep tiles in this folder, for all workers; None: only in memory."""
    global _cache  # noqa: PLW0603 - one per process, as the engine
    _cache = TileCache(folder)


def bundle(taken: Sequence[Layer], at: Sequence[Tile], *, today: date) -> list[bytes]:
    """Several layers of areas in each of these tiles, all read from one moment; empty where there is nothing.

    The layers of a vector tile may follow one another as they are: that is how protocol buffers repeat a field.
    """
    made = []
    with snapshot() as db:
        current = tuple(sorted(versions.current(db).items()))
        for tile in at:
            parts = []
            for layer in taken:
                tag = Asked(layer, tile, IssueFilter(), today).tag_of_areas(current)
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


_cache = TileCache()
