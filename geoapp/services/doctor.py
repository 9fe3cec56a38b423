"""Looks at everything the app needs and says what to do about what is wrong.

It changes nothing. What only the command line may touch (programs and processes) it is told as ``Server``.
"""

import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from geoapp.config import Settings, shipped
from geoapp.domain import categories
from geoapp.errors import GeoAppError
from geoapp.services import layers, notices, roads
from geoapp.store import schema, session

OLDEST_PYTHON = (3, 11)
OLDEST_POSTGRESQL = 15
ENOUGH_BYTES = 2**30
MAGIC = {".pmtiles": b"PMTiles", ".mbtiles": b"SQLite format 3\x00"}


@dataclass(frozen=True, slots=True)
class Server:
    """What the machine has of PostgreSQL: versions with and without PostGIS, and the way to the database.

    ``url`` is None where there is no database yet or it would not start; ``trouble`` says why.
    """

    versions: tuple[tuple[int, bool], ...]
    url: str | None
    running: bool
    trouble: str = ""
    web: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing examined: ``saw`` is what is there, ``advice`` what to do when it is not right."""

    name: str
    ok: bool
    saw: str
    advice: str = ""


def examine(settings: Settings, server: Server) -> list[Finding]:
    return [
        _python(),
        *(_postgresql(server) if settings.private else ()),
        _data_dir(settings.data_dir),
        _disk(settings.data_dir),
        *_database(settings, server),
        _front_end(),
        _layers(settings.layers_dir),
        _categories(settings.categories_file),
        _basemap(settings.basemap),
        _mail(settings),
        _port(settings, server),
    ]


def _python() -> Finding:
    saw = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("Python", sys.version_info >= OLDEST_PYTHON, saw, "install Python 3.11 or newer")


def _postgresql(server: Server) -> Iterator[Finding]:
    newest = max((version for version, _ in server.versions), default=None)
    with_postgis = [version for version, postgis in server.versions if postgis]
    yield Finding(
        "PostgreSQL",
        newest is not None,
        ", ".join(str(version) for version, _ in server.versions) or "not installed",
        f"install PostgreSQL {OLDEST_POSTGRESQL} or newer: apt-get install postgresql-{OLDEST_POSTGRESQL}",
    )
    yield Finding(
        "PostGIS",
        bool(with_postgis),
        f"for PostgreSQL {', '.join(map(str, with_postgis))}" if with_postgis else "not installed",
        f"apt-get install postgresql-{newest or OLDEST_POSTGRESQL}-postgis-3",
    )


def _data_dir(folder: Path) -> Finding:
    there = _nearest(folder)
    fine = os.access(there, os.W_OK | os.X_OK)
    saw = f"{folder}" if there == folder else f"{folder}, to be made"
    return Finding("Data folder", fine, saw, f"make {there} writable or set GEOAPP_DATA_DIR to another folder")


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(_nearest(folder)).free
    return Finding("Disk space", free >= ENOUGH_BYTES, f"{free / 2**30:.1f} GB free", "make room: 1 GB at least")


def _nearest(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _database(settings: Settings, server: Server) -> Iterator[Finding]:
    if server.url is None:
        saw = server.trouble or "not made yet"
        yield Finding("Database", ok=False, saw=saw, advice="run `geoapp init`, or `./run demo`")
        return
    where = "GEOAPP_DATABASE_URL"
    if settings.private:
        where = "private server, " + ("running" if server.running else "stopped; it starts when needed")
    try:
        engine = session.connect(server.url)
        postgresql, postgis = schema.versions(engine)
        yield Finding("Database", ok=True, saw=f"{where}; PostgreSQL {postgresql}, PostGIS {postgis or 'missing'}")
        current = schema.at_head(engine)
        yield Finding("Schema", current, "up to date" if current else "not of this version", "run `geoapp init`")
        yield _connections(settings, schema.room(engine))
        if current:
            yield _roads()
    except GeoAppError as error:
        advice = "look at postgres.log in the data folder" if settings.private else "check GEOAPP_DATABASE_URL"
        yield Finding("Database", ok=False, saw=f"{where}; {error}", advice=advice)
    finally:
        session.disconnect()


def _roads() -> Finding:
    there = roads.standing()
    if not there.edges:
        return Finding("Roads", ok=True, saw="none; distances of visits are estimates (`geoapp roads import`)")
    made_up = ", synthetic" if there.synthetic else ""
    return Finding("Roads", ok=True, saw=f"{there.metres / 1000:,.0f} km in {there.edges:,} edges{made_up}")


def _connections(settings: Settings, there: int) -> Finding:
    saw = f"{there}, of which serving may take {settings.connections}"
    advice = "lower GEOAPP_WORKERS or GEOAPP_THREADS, or raise max_connections"
    return Finding("Connections", settings.connections <= there, saw, advice)


def _front_end() -> Finding:
    static = shipped("static")
    wanted = json.loads((static / "package.json").read_text(encoding="utf-8"))["dependencies"]
    folders = [f"{name.rpartition('/')[2]}-{version}" for name, version in wanted.items()]
    missing = [folder for folder in folders if not (static / "vendor" / folder).is_dir()]
    saw = f"missing: {', '.join(missing)}" if missing else f"{len(folders)} libraries"
    return Finding("Front-end files", not missing, saw, "run `./run demo` or `./run test`, which install them")


def _layers(folder: Path) -> Finding:
    try:
        return Finding("Layer files", ok=True, saw=f"{len(layers.read(folder))} layers in {folder}")
    except GeoAppError as error:
        return Finding("Layer files", ok=False, saw=str(error), advice="correct the file; layers/README.md says how")


def _categories(file: Path) -> Finding:
    try:
        found = categories.parse(file.read_text(encoding="utf-8"), file=file.name)
    except (GeoAppError, OSError, UnicodeDecodeError) as error:
        return Finding("Categories", ok=False, saw=str(error), advice="correct the file or GEOAPP_CATEGORIES_FILE")
    return Finding("Categories", ok=True, saw=f"{len(found)} categories in {file}")


def _basemap(basemap: str) -> Finding:
    if not basemap or "://" in basemap:
        return Finding("Base map", ok=True, saw=basemap or "none, as set")
    try:
        with Path(basemap).open("rb") as file:
            fine = file.read(16).startswith(MAGIC[Path(basemap).suffix])
    except OSError as error:
        return Finding("Base map", ok=False, saw=str(error), advice="make the file readable")
    return Finding("Base map", fine, basemap, f"the file is not of the kind that {Path(basemap).suffix} says")


def _mail(settings: Settings) -> Finding:
    try:
        way = notices.way_out(settings)
        if way is None:
            return Finding("Mail", ok=True, saw="not offered; GEOAPP_SMTP_URL is not set")
        notices.knock(way)
    except GeoAppError as error:
        return Finding("Mail", ok=False, saw=str(error), advice="check GEOAPP_SMTP_URL and the mail server")
    return Finding("Mail", ok=True, saw=f"{way.host}:{way.port} takes mail from {way.sender.email}")


def _port(settings: Settings, server: Server) -> Finding:
    if server.web:
        return Finding("Web server", ok=True, saw=f"running at {', '.join(server.web)}")
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        saw = f"{settings.host}:{settings.port} cannot be used: {os.strerror(error.errno or 0)}"
        return Finding("Web server", ok=False, saw=saw, advice="set GEOAPP_PORT to a free port")
    return Finding("Web server", ok=True, saw=f"stopped; {settings.host}:{settings.port} is free")
