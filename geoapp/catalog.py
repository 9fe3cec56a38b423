"""Reads ``layers/*.toml`` into frozen Layer values: one file is one layer, its name is the layer's id.

The same value serves map, tiles, GeoJSON, CSV and legend. A wrong file is refused with its name,
the key, and what is known. layers/README.md is the contract of a file.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geoapp.domain.values import Name
from geoapp.errors import BadLayer

GEOMETRIES = ("Point", "LineString", "Polygon")
FACES = ("map", "tiles", "features", "export")
AUDIENCES = ("everyone",)
FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
LAYER_ID = re.compile(r"[a-z][a-z0-9-]{0,40}")
STYLE_KEYS = (
    "by", "stroke", "width", "dash", "fill", "fillOpacity", "hatch", "label", "labelMinZoom", "labelSize", "casing",
    "colourBy",
)  # fmt: skip
FILE_KEYS = ("origin", "licence", "date", "crs")
KEYS = (
    "title", "source", "geometry", "audience", "fields", "faces", "min_zoom", "max_zoom", "order", "shown", "style",
    "note", *FILE_KEYS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layer:
    """One description, four doors. ``query`` names a query of store.features; ``file`` is a GeoJSON beside it."""

    id: str
    title: Name
    query: str | None
    file: Path | None
    geometry: str
    fields: tuple[str, ...]
    faces: tuple[str, ...]
    audience: tuple[str, ...] = ("everyone",)
    min_zoom: int = 0
    max_zoom: int = 22
    order: int = 100
    shown: bool = True
    style: Mapping[str, Any] = field(default_factory=dict)
    note: Name = field(default=Name("", ""))
    origin: str = ""
    licence: str = ""
    date: str = ""
    crs: str = "EPSG:4326"


def read(folder: Path, queries: Mapping[str, tuple[str, ...]]) -> tuple[Layer, ...]:
    """All layers of a folder in drawing order; ``queries`` maps a known query to the fields it offers.

    Raises BadLayer for the first wrong file.
    """
    if not folder.is_dir():
        raise BadLayer(str(folder), "folder", "is not there; set GEOAPP_LAYERS_DIR or restore it")
    layers = [_layer(file, queries) for file in sorted(folder.glob("*.toml"))]
    return tuple(sorted(layers, key=lambda layer: (layer.order, layer.id)))


def _layer(file: Path, queries: Mapping[str, tuple[str, ...]]) -> Layer:
    check = _Check(file.name)
    if not LAYER_ID.fullmatch(file.stem):
        raise check.bad("file name", "must be small letters, digits and hyphens, as in issues-open.toml")
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise check.bad("syntax", str(error)) from None
    check.known("", raw, KEYS)
    query, path = _source(check, raw, file.parent, queries)
    fields = check.texts(raw, "fields")
    for name in fields:
        if not FIELD.fullmatch(name):
            raise check.bad("fields", f"{name!r} is not a field name (letters, digits and _)")
        if query and name not in queries[query]:
            raise check.bad("fields", f"{name!r} is not offered by {query}; known are {', '.join(queries[query])}")
    style = check.table(raw, "style")
    check.known("style.", style, STYLE_KEYS)
    return Layer(
        id=file.stem,
        title=check.name(raw, "title"),
        query=query,
        file=path,
        geometry=check.one_of(raw, "geometry", GEOMETRIES),
        fields=fields,
        faces=check.some_of(raw, "faces", FACES),
        audience=check.some_of(raw, "audience", AUDIENCES, ("everyone",)),
        min_zoom=check.zoom(raw, "min_zoom", 0),
        max_zoom=check.zoom(raw, "max_zoom", 22),
        order=check.whole(raw, "order", 100),
        shown=check.yes_no(raw, "shown"),
        style=style,
        note=check.name(raw, "note", required=False),
        **{key: check.text(raw, key, required=path is not None) for key in FILE_KEYS},
    )


def _source(
    check: "_Check", raw: Mapping[str, Any], folder: Path, queries: Mapping[str, tuple[str, ...]]
) -> tuple[str | None, Path | None]:
    source = check.table(raw, "source", required=True)
    check.known("source.", source, ("query", "file"))
    if len(source) != 1:
        raise check.bad("source", "needs either query or file")
    if "query" in source:
        return check.one_of(source, "query", tuple(queries)), None
    path = (folder / check.text(source, "file")).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise check.bad("source.file", "must lie in the folder of layers")
    if not path.is_file():
        raise check.bad("source.file", f"no file {source['file']}")
    return None, path


@dataclass(frozen=True, slots=True)
class _Check:
    """Reads typed values out of a parsed file and says what is wrong by key."""

    file: str

    def bad(self, key: str, why: str) -> BadLayer:
        return BadLayer(self.file, key, why)

    def known(self, stem: str, raw: Mapping[str, Any], keys: tuple[str, ...]) -> None:
        for key in raw:
            if key not in keys:
                raise self.bad(stem + key, f"is not known; known are {', '.join(keys)}")

    def table(self, raw: Mapping[str, Any], key: str, *, required: bool = False) -> Mapping[str, Any]:
        value = raw.get(key, None if required else {})
        if not isinstance(value, dict):
            raise self.bad(key, 'must be a table, as in { query = "communities" }')
        return value

    def text(self, raw: Mapping[str, Any], key: str, *, required: bool = True) -> str:
        value = raw.get(key, None if required else "")
        if not isinstance(value, str) or (required and not value):
            raise self.bad(key, "must be a text" + (" (a file layer has to state it)" if key in FILE_KEYS else ""))
        return value

    def texts(self, raw: Mapping[str, Any], key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        value = raw.get(key, default)
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise self.bad(key, "must be a list of texts")
        return tuple(value)

    def name(self, raw: Mapping[str, Any], key: str, *, required: bool = True) -> Name:
        value = raw.get(key, None if required else {"zh": "", "en": ""})
        if (
            not isinstance(value, dict)
            or set(value) != {"zh", "en"}
            or not all(isinstance(v, str) for v in value.values())
        ):
            raise self.bad(key, 'must be { zh = "…", en = "…" }')
        return Name(value["zh"], value["en"])

    def one_of(self, raw: Mapping[str, Any], key: str, known: tuple[str, ...]) -> str:
        if raw.get(key) not in known:
            raise self.bad(key, f"must be one of {', '.join(known)}, not {raw.get(key)!r}")
        return str(raw[key])

    def some_of(
        self, raw: Mapping[str, Any], key: str, known: tuple[str, ...], default: tuple[str, ...] | None = None
    ) -> tuple[str, ...]:
        values = self.texts(raw, key, default)
        for value in values:
            if value not in known:
                raise self.bad(key, f"{value!r} is not known; known are {', '.join(known)}")
        return values

    def whole(self, raw: Mapping[str, Any], key: str, default: int) -> int:
        value = raw.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.bad(key, "must be a whole number")
        return value

    def zoom(self, raw: Mapping[str, Any], key: str, default: int) -> int:
        value = self.whole(raw, key, default)
        if not 0 <= value <= 22:  # noqa: PLR2004 - the zooms of web maps
            raise self.bad(key, "must lie between 0 and 22")
        return value

    def yes_no(self, raw: Mapping[str, Any], key: str) -> bool:
        value = raw.get(key, True)
        if not isinstance(value, bool):
            raise self.bad(key, "must be true or false")
        return value
