"""Reads files of shapes: GeoJSON, GeoPackage, FlatGeobuf, zipped Shapefile; whatever they hold, in EPSG:4326.

The file is sniffed here, copied to a name of ours, and opened only in the locked-down child process
``vectorreader``. What cannot be right as a whole is a BadFile; one bad feature is a feature with a problem.
"""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geoapp.config import PACKAGE
from geoapp.domain import geometry as geo
from geoapp.errors import BadFile
from geoapp.services import vectorreader

MAX_BYTES = 256 << 20
MAX_ZIP_MEMBERS = 1_000
MAX_UNPACKED_BYTES = 512 << 20
MAX_ZIP_RATIO = 200
TIMEOUT_S = 60
SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
SHAPEFILE_NEEDS = SHAPEFILE_PARTS[:3]
CHINESE_ENCODINGS = ("UTF-8", "GB18030")
"""Tried in this order where a shapefile does not say its encoding; GB18030 holds all of GBK."""

Property = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature, numbered from 1: its geometry in EPSG:4326, or None with the problem that took it away."""

    row: int
    properties: dict[str, Property]
    geometry: BaseGeometry | None
    problem: str = ""
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VectorFile:
    """A file as read: the system its coordinates were in, its fields and features, and what to know of it."""

    crs: str
    fields: tuple[str, ...]
    features: tuple[Feature, ...]
    notes: tuple[str, ...] = ()


def read(file: Path | str, *, crs: str | None = None) -> VectorFile:
    """Read a file of shapes and bring it to EPSG:4326.

    ``crs`` (``EPSG:n``, ``gcj02``, ``bd09``) overrides what the file says of itself; a file that says
    nothing is taken as WGS-84 if its coordinates can be degrees. Raises BadFile.
    """
    name = str(file)
    if name.startswith("/vsi") or "://" in name:
        raise BadFile(name, "must be a file on this machine")
    path = Path(file)
    if crs is not None and not geo.is_known_crs(crs):
        raise BadFile(path.name, f"{crs!r} is no known coordinate system; use EPSG:n, gcj02 or bd09")
    with tempfile.TemporaryDirectory(prefix="geoapp-") as folder:
        copied, encodings = _copied(path, Path(folder))
        header, lines = _in_child(path.name, copied, encodings)
        features = [_parsed(row, line) for row, line in enumerate(lines, start=1)]
    if not features:
        raise BadFile(path.name, "holds no features")
    notes = []
    if header["encoding"] not in {None, CHINESE_ENCODINGS[0]}:
        notes.append(f"the file does not say its encoding; its text was read as {header['encoding']}")
    if (stated := crs or header["crs"]) is None:
        notes.append("the file states no coordinate system; its degrees were taken as WGS-84")
    placed = _to_wgs84(path.name, features, stated or "EPSG:4326", said=crs is not None)
    return VectorFile(stated or "EPSG:4326", tuple(header["fields"]), tuple(placed), tuple(notes))


def _copied(path: Path, folder: Path) -> tuple[Path, tuple[str, ...]]:
    """Sniff the file and copy it to a name of ours; also the encodings to try, where the file says none."""
    try:
        if not path.is_file():
            raise BadFile(path.name, "there is no such file")
        if path.stat().st_size > MAX_BYTES:
            raise BadFile(path.name, f"is larger than {MAX_BYTES >> 20} MB")
        with path.open("rb") as source:
            kind = _sniffed(source.read(4096))
        if kind == "zip":
            return _unpacked(path, folder)
        if not kind:
            raise BadFile(path.name, "is neither GeoJSON (in UTF-8), GeoPackage, FlatGeobuf nor a zipped Shapefile")
        return shutil.copyfile(path, folder / f"shapes.{kind}"), ()
    except OSError as error:
        raise BadFile(path.name, f"cannot be read: {error.strerror or error}") from error


def _sniffed(start: bytes) -> str:
    if start.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").startswith(b"{"):
        return "geojson"
    for magic, kind in ((b"SQLite format 3\x00", "gpkg"), (b"fgb", "fgb"), (b"PK\x03\x04", "zip")):
        if start.startswith(magic):
            return kind
    return ""


def _unpacked(path: Path, folder: Path) -> tuple[Path, tuple[str, ...]]:
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.infolist()
            _refuse_traps(path.name, members)
            parts = _shapefile_parts(path.name, members)
            for suffix, member in parts.items():
                with packed.open(member) as source, (folder / f"shapes{suffix}").open("wb") as target:
                    shutil.copyfileobj(source, target)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise BadFile(path.name, f"cannot be unpacked: {error}") from error
    return folder / "shapes.shp", () if ".cpg" in parts else CHINESE_ENCODINGS


def _refuse_traps(name: str, members: list[zipfile.ZipInfo]) -> None:
    """Zip bombs, and names that point out of the archive; nothing has been unpacked yet."""
    if len(members) > MAX_ZIP_MEMBERS:
        raise BadFile(name, f"holds more than {MAX_ZIP_MEMBERS:,} files")
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if unpacked > MAX_UNPACKED_BYTES:
        raise BadFile(name, f"unpacks to more than {MAX_UNPACKED_BYTES >> 20} MB")
    if unpacked > MAX_ZIP_RATIO * max(packed, 1):
        raise BadFile(name, f"unpacks to more than {MAX_ZIP_RATIO} times its size")
    for member in members:
        inside = PurePosixPath(member.filename.replace("\\", "/"))
        if inside.is_absolute() or ".." in inside.parts or ":" in member.filename:
            raise BadFile(name, f"holds a name that points outside: {member.filename!r}")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise BadFile(name, f"holds a link: {member.filename!r}")
        if member.flag_bits & 1:
            raise BadFile(name, f"holds an encrypted file: {member.filename!r}")


def _shapefile_parts(name: str, members: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    real = [m for m in members if not PurePosixPath(m.filename).name.startswith("._")]
    shapes = [m.filename for m in real if m.filename.lower().endswith(".shp")]
    if len(shapes) != 1:
        found = f"{len(shapes)} ({', '.join(shapes[:10])})" if shapes else "none"
        raise BadFile(name, f"must hold one .shp file, but holds {found}")
    stem = shapes[0][:-4].lower()
    parts = {s: m for m in real for s in SHAPEFILE_PARTS if m.filename.lower() == stem + s}
    if missing := [suffix for suffix in SHAPEFILE_NEEDS if suffix not in parts]:
        raise BadFile(name, f"the shapefile has no {' and no '.join(missing)} file")
    return parts


def _in_child(name: str, copied: Path, encodings: tuple[str, ...]) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    """The header and the lines that the child wrote; raises BadFile with what it says, or how it ended."""
    output = copied.with_name("features.jsonl")
    with output.open("wb") as stdout:
        try:
            ended = _run((str(copied), *encodings), stdout, skip=_other_drivers())
        except subprocess.TimeoutExpired:
            raise BadFile(name, f"could not be read within {TIMEOUT_S} s") from None
    with output.open("rb") as written:
        first = written.readline()
        try:
            header = json.loads(first)
        except ValueError:
            header = {}
        if error := header.get("error"):
            raise BadFile(name, f"cannot be read: {error}")
        lines = written.readlines()
    if ended != 0 or len(lines) != header.get("features"):
        raise BadFile(name, "cannot be read: the reader ran out of memory or time, or the file is broken")
    return header, map(json.loads, lines)


def _run(arguments: tuple[str, ...], stdout: Any, *, skip: str) -> int:
    environment = {
        "PYTHONPATH": str(PACKAGE.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        "OGR_SKIP": skip,
        "GDAL_DRIVER_PATH": "disable",
        "GDAL_DISABLE_READDIR_ON_OPEN": "TRUE",
        "GDAL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
        "PROJ_NETWORK": "OFF",
    }
    return subprocess.run(  # noqa: S603 - our own interpreter and module; the only free text is a name of ours
        [sys.executable, "-P", "-m", vectorreader.__name__, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=os.sep,
        timeout=TIMEOUT_S,
        check=False,
    ).returncode


@cache
def _other_drivers() -> str:
    """All drivers that this GDAL has but the reader must not know, for OGR_SKIP."""
    with tempfile.TemporaryFile() as stdout:
        _run(("--drivers",), stdout, skip="")
        stdout.seek(0)
        known = json.load(stdout)
    return ",".join(sorted(set(known) - vectorreader.ALLOWED_DRIVERS))


def _parsed(row: int, line: dict[str, Any]) -> Feature:
    feature = Feature(row, line["properties"], None)
    if line["wkb"] is None:
        return replace(feature, problem="has no geometry")
    wkb = bytes.fromhex(line["wkb"])
    try:
        return replace(feature, geometry=shapely.from_wkb(wkb))
    except shapely.errors.ShapelyError:
        fixed: BaseGeometry | None = shapely.from_wkb(wkb, on_invalid="fix")
    if fixed is None:
        return replace(feature, problem="has a geometry that cannot be read")
    return replace(feature, geometry=fixed, repairs=("open rings were closed",))


def _to_wgs84(name: str, features: list[Feature], crs: str, *, said: bool) -> Iterator[Feature]:
    try:
        geographic = geo.is_geographic(crs)
    except ValueError as error:
        raise BadFile(name, f"states a coordinate system that cannot be used: {error}; say which it is") from error
    shapes = np.array([feature.geometry for feature in features], dtype=object)
    sizes = shapely.get_num_coordinates(shapes)
    bounds = [tuple(map(float, row)) for row in shapely.bounds(shapes)]
    filled = [row for row, size in zip(bounds, sizes, strict=True) if size]
    _refuse_wrong_system(name, filled, crs, geographic=geographic, said=said)
    placed = geo.to_wgs84(shapes, crs)
    for feature, size, row, shape in zip(features, sizes, bounds, placed, strict=True):
        yield replace(feature, **_judged(feature, int(size), row, shape, geographic=geographic))


def _refuse_wrong_system(name: str, bounds: list[tuple[Any, ...]], crs: str, *, geographic: bool, said: bool) -> None:
    """Refuse a file most of whose features cannot be where its coordinate system puts them."""
    degrees = sum(geo.looks_like_degrees(row) for row in bounds)
    swapped = sum(geo.looks_swapped(row) for row in bounds)
    if not geographic and bounds and degrees == len(bounds):
        raise BadFile(
            name,
            f"its coordinates look like degrees, but {crs if said else 'the file says'} is a map in metres",
        )
    if not geographic or degrees * 2 >= len(bounds):
        return
    example = next(row for row in bounds if not geo.looks_like_degrees(row))
    if swapped * 2 > len(bounds):
        raise BadFile(
            name,
            f"latitude and longitude look exchanged (first number {example[0]:g}, second {example[1]:g})",
        )
    if said:
        raise BadFile(name, f"coordinates like ({example[0]:g}, {example[1]:g}) cannot be degrees, as {crs} needs")
    raise BadFile(
        name,
        f"coordinates like ({example[0]:g}, {example[1]:g}) cannot be degrees, and the file states no other "
        "coordinate system: say which it is with --crs EPSG:n",
    )


def _judged(
    feature: Feature, size: int, bounds: tuple[Any, ...], shape: BaseGeometry | None, *, geographic: bool
) -> dict[str, Any]:
    if feature.problem or shape is None:
        return {}
    problem = ""
    if size == 0:
        problem = "has an empty geometry"
    elif size > geo.MAX_VERTICES or len(shapely.get_rings(shape)) > geo.MAX_RINGS:
        problem = f"has {size:,} vertices; at most {geo.MAX_VERTICES:,} in {geo.MAX_RINGS:,} rings are read"
    elif not np.isfinite(shapely.get_coordinates(shape)).all():
        problem = "has coordinates that are no numbers, or that its coordinate system cannot hold"
    elif geographic and not geo.looks_like_degrees(bounds):
        problem = "has coordinates that cannot be degrees"
    elif not geo.looks_like_degrees(shape.bounds):
        problem = "has coordinates outside its coordinate system"
    elif max(-shape.bounds[1], shape.bounds[3]) > geo.MAX_LATITUDE:
        problem = f"reaches beyond {geo.MAX_LATITUDE:g}° of latitude, where the map ends"
    return {"problem": problem, "geometry": None} if problem else {"geometry": shape}
