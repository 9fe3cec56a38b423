"""The servers that we are measured against: ourselves as installed, tipg and pygeoapi, on the same database.

The peers come from PyPI into environments of their own below ``.geoapp/bench``, which may be thrown away.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from sqlalchemy import text

from geoapp.config import Settings
from geoapp.store import session
from tests.bench._report import Client, free_port

ROOT = Path(__file__).resolve().parents[2]
PEERS = {
    "tipg": ("tipg==1.6.1", "uvicorn"),
    "pygeoapi": ("pygeoapi==0.21.0", "psycopg2-binary", "sqlalchemy", "geoalchemy2", "gunicorn"),
}
# What the peers serve: one slim table, as somebody would make it for them.
SLIM = """
DROP SCHEMA IF EXISTS bench CASCADE;
CREATE SCHEMA bench;
CREATE TABLE bench.slim AS SELECT row_number() OVER (ORDER BY id)::int AS id, number, state, verdict,
    category_code AS category, reported_at, public_geom AS geom, public_3857 FROM issue WHERE public_geom IS NOT NULL;
ALTER TABLE bench.slim ADD PRIMARY KEY (id);
CREATE INDEX ON bench.slim USING gist (geom);
CREATE INDEX ON bench.slim USING gist (public_3857);
CREATE VIEW bench.issue AS SELECT id, number, state, verdict, category, reported_at, geom FROM bench.slim;
"""
PYGEOAPI = """
server: {{bind: {{host: 127.0.0.1, port: {port}}}, url: 'http://127.0.0.1:{port}', mimetype: application/json,
  encoding: utf-8, language: en-US, limits: {{default_items: 10, max_items: 100000, on_exceed: throttle}},
  map: {{url: 'x', attribution: x}}}}
logging: {{level: ERROR}}
metadata:
  identification: {{title: t, description: d, keywords: [k], keywords_type: theme, terms_of_service: t, url: 'http://x'}}
  license: {{name: l, url: 'http://x'}}
  provider: {{name: p, url: 'http://x'}}
  contact: {{name: c, position: p, address: a, city: c, stateorprovince: s, postalcode: p, country: c, phone: p, fax: f,
    email: e@x, url: 'http://x', hours: h, instructions: i, role: r}}
resources:
  issue: {{type: collection, title: t, description: d, keywords: [k], links: [],
    extents: {{spatial: {{bbox: [-180, -90, 180, 90], crs: 'http://www.opengis.net/def/crs/OGC/1.3/CRS84'}}}},
    providers: [{{type: feature, name: PostgreSQL, data: {{host: {host}, dbname: {name}, user: {user},
      search_path: [bench, public]}}, id_field: id, table: slim, geom_field: geom, count: false,
      properties: [id, number, state, verdict, category, reported_at]}}]}}
"""


def slim() -> None:
    with session.bulk() as db:
        db.connection().exec_driver_sql(SLIM)
    with session.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE bench.slim"))


@contextmanager
def ours(settings: Settings, url: str, **more: str) -> Iterator[tuple[Client, int]]:
    """Our own server with its workers and further settings, and its port."""
    port = free_port()
    env = os.environ | {
        "GEOAPP_DATABASE_URL": url, "GEOAPP_DATA_DIR": str(settings.data_dir), "GEOAPP_PORT": str(port), **more,
    }  # fmt: skip
    with _running([sys.executable, "-m", "geoapp", "serve"], env=env), closing(Client(port)) as client:
        client.wait("/readyz")
        yield client, port


def weights(port: int) -> list[float]:
    """What each of the web workers below the server that listens there holds in memory, in MB."""
    pages = os.sysconf("SC_PAGE_SIZE")
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            told = (folder / "environ").read_bytes()
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if b"geoapp\0serve" in command and f"GEOAPP_PORT={port}".encode() in told and parent != str(os.getpid()):
                found.append(int((folder / "statm").read_text().split()[1]) * pages / 2**20)
        except OSError:
            continue
    return found


@contextmanager
def tipg(url: str, *, most: int) -> Iterator[Client]:
    """tipg, which leaves out of a tile what goes beyond ``most``."""
    port = free_port()
    env = os.environ | {
        "DATABASE_URL": _with_password(url),
        "TIPG_DB_SCHEMAS": '["bench"]',
        "TIPG_DB_EXCLUDE_TABLES": '["bench.issue"]',
        "TIPG_MAX_FEATURES_PER_TILE": str(most),
        "TIPG_MAX_FEATURES_PER_QUERY": "100000",
        "TIPG_CATALOG_TTL": "100000",
        "WEB_CONCURRENCY": "2",
    }
    with (
        _running([_env("tipg") / "bin/uvicorn", "tipg.main:app", "--port", str(port)], env=env),
        closing(Client(port)) as client,
    ):
        client.wait("/collections/bench.slim")
        yield client


@contextmanager
def pygeoapi(url: str, folder: Path) -> Iterator[Client]:
    port = free_port()
    parts = urlsplit(url)
    host = parse_qs(parts.query)["host"][0]
    config, document = folder / "pygeoapi.yml", folder / "pygeoapi-openapi.yml"
    told = {"port": port, "host": host, "name": parts.path.strip("/"), "user": parts.username}
    config.write_text(PYGEOAPI.format(**told), encoding="utf-8")
    env = os.environ | {"PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(document)}
    home = _env("pygeoapi")
    subprocess.run(
        [home / "bin/pygeoapi", "openapi", "generate", config, "--output-file", document], env=env, check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    serve = [home / "bin/gunicorn", "--workers", "2", "--bind", f"127.0.0.1:{port}", "pygeoapi.flask_app:APP"]
    with _running(serve, env=env), closing(Client(port)) as client:
        client.wait("/collections/issue?f=json")
        yield client


def _with_password(url: str) -> str:
    # tipg wants all the parts of an address, and the host where others read the folder of the socket.
    parts = urlsplit(url)
    host = quote(parse_qs(parts.query)["host"][0], safe="")
    return f"postgresql://{parts.username}:x@{host}:5432{parts.path}"


def _env(name: str) -> Path:
    home = ROOT / ".geoapp" / "bench" / name
    if not (home / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([home / "bin/pip", "install", "--quiet", *PEERS[name]], check=True)
        (home / "ready").touch()
    return home


@contextmanager
def _running(command: list[str | Path], *, env: dict[str, str]) -> Iterator[None]:
    log = None if os.environ.get("BENCH_LOUD") else subprocess.DEVNULL
    process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)
