"""The named queries that a layer file may use, as vector tile bytes, GeoJSON text and rows.

A query yields ``fid``, ``geom`` and ``label`` (both EPSG:4326; ``label`` is where its name goes) and
the fields it offers; a layer publishes those that it lists and no others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.tiles import Tile
from geoapp.domain.values import Box

EXTENT = 4096
BUFFER = 64
MOST_DRAWN = 300

_PLACE = """
    SELECT b.id AS fid, b.area AS geom, b.label, p.code, p.name_zh, p.name_en, round(b.area_m2) AS area_m2,
           up.name_zh AS parent_zh, up.name_en AS parent_en, p.synthetic, b.origin
    FROM boundary b JOIN place p ON p.id = b.place_id LEFT JOIN place up ON up.id = p.parent_id
    WHERE p.kind = '{kind}' AND b.validity @> CAST(:day AS date)
"""
_PLACE_FIELDS = ("code", "name_zh", "name_en", "parent_zh", "parent_en", "area_m2", "synthetic", "origin")
_UNCLEAR = """
    SELECT l.id AS fid, l.area AS geom, ST_PointOnSurface(l.area) AS label, l.class AS verdict,
           array_to_string(l.categories, ',') AS categories, round(l.area_m2) AS area_m2,
           (SELECT string_agg(u.name_zh, '、' ORDER BY u.code) FROM unit u WHERE u.id = ANY (l.unit_ids)) AS units_zh,
           (SELECT string_agg(coalesce(nullif(u.name_en, ''), u.name_zh), ', ' ORDER BY u.code)
            FROM unit u WHERE u.id = ANY (l.unit_ids)) AS units_en
    FROM unclear_land l WHERE l.class = '{verdict}' AND l.validity @> CAST(:day AS date)
"""
_UNCLEAR_FIELDS = ("verdict", "categories", "units_zh", "units_en", "area_m2")


@dataclass(frozen=True, slots=True)
class Query:
    """SQL over which a layer lies, the fields it offers, and whether it may be drawn as areas."""

    sql: str
    fields: tuple[str, ...]


QUERIES: dict[str, Query] = {
    "district": Query(_PLACE.format(kind="district"), _PLACE_FIELDS),
    "streets": Query(_PLACE.format(kind="street"), _PLACE_FIELDS),
    "communities": Query(_PLACE.format(kind="community"), _PLACE_FIELDS),
    "jurisdictions": Query(
        """
        SELECT j.id AS fid, j.area AS geom, j.label, j.code, u.code AS unit, u.name_zh, u.name_en,
               j.name_zh AS own_zh, j.name_en AS own_en, array_to_string(j.categories, ',') AS categories,
               round(j.area_m2) AS area_m2, j.evidence, j.synthetic, u.id % 8 AS tint
        FROM jurisdiction j JOIN unit u ON u.id = j.unit_id WHERE j.validity @> CAST(:day AS date)
        """,
        (
            "code", "unit", "name_zh", "name_en", "own_zh", "own_en", "categories", "area_m2", "evidence",
            "synthetic", "tint",
        ),
    ),
    "contested_land": Query(_UNCLEAR.format(verdict="contested"), _UNCLEAR_FIELDS),
    "orphan_land": Query(_UNCLEAR.format(verdict="orphan"), _UNCLEAR_FIELDS),
    "roads": Query(
        """
        SELECT r.id AS fid, r.geom, ST_LineInterpolatePoint(r.geom, 0.5) AS label, r.class, r.oneway, r.name,
               round(r.metres) AS metres, r.synthetic, r.origin
        FROM road r
        """,
        ("class", "oneway", "name", "metres", "synthetic", "origin"),
    ),
}  # fmt: skip
ISSUES = "issues"
ISSUE_FIELDS = ("number", "id", "state", "group", "verdict", "category", "reported", "extent")
FILE = Query(
    "SELECT fid, geom, ST_PointOnSurface(geom) AS label, properties FROM layer_feature WHERE layer = :layer", ()
)


def area_tile(db: Session, query: Query, layer: str, fields: Sequence[str], *, tile: Tile, day: date) -> bytes:
    """Areas of one tile as MVT layer ``layer``, and where their names go as ``<layer>_labels``."""
    box = tile.bounds
    binds: dict[str, Any] = {
        "west": box.west, "south": box.south, "east": box.east, "north": box.north, "day": day, "layer": layer,
    }  # fmt: skip
    listed = _listed(query, fields)
    sql = f"""
        WITH box AS (SELECT ST_MakeEnvelope(:west, :south, :east, :north, 3857) AS geom),
        wide AS (SELECT ST_Transform(ST_Expand(geom, (:east - :west) * {BUFFER} / {EXTENT}), 4326) AS geom FROM box),
        hit AS MATERIALIZED (
            SELECT q.*, ST_Transform(q.label, 3857) AS at FROM ({query.sql}) AS q, wide WHERE q.geom && wide.geom
        )
        SELECT
          (SELECT ST_AsMVT(f, :layer, {EXTENT}, 'geom', 'fid') FROM (
            SELECT fid, ST_AsMVTGeom(ST_Transform(hit.geom, 3857), box.geom, {EXTENT}, {BUFFER}, true) AS geom {listed}
            FROM hit, box) AS f WHERE f.geom IS NOT NULL)
          ||
          (SELECT ST_AsMVT(f, :layer || '_labels', {EXTENT}, 'geom', 'fid') FROM (
            SELECT fid, ST_AsMVTGeom(hit.at, box.geom, {EXTENT}, 0, false) AS geom {listed} FROM hit, box
            WHERE ST_X(at) >= :west AND ST_X(at) < :east AND ST_Y(at) >= :south AND ST_Y(at) < :north) AS f)
    """
    return bytes(db.execute(text(sql), binds).scalar_one())


def geojson(
    db: Session, query: Query, layer: str, fields: Sequence[str], *, box: Box | None, day: date, limit: int
) -> tuple[list[str], int]:
    """Features as GeoJSON texts (RFC 7946), at most ``limit`` in order of ``fid``, and how many match in all."""
    where, binds = "true", {"day": day, "layer": layer}
    if box is not None:
        where = "q.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)"
        binds |= {"west": box.west, "south": box.south, "east": box.east, "north": box.north}
    listed = ", ".join(f"'{field}', {_value(query, field)}" for field in fields)
    total = db.execute(text(f"SELECT count(*) FROM ({query.sql}) AS q WHERE {where}"), binds).scalar_one()
    rows = db.execute(
        text(
            "SELECT json_build_object('type', 'Feature', 'id', fid, 'geometry', "
            f"ST_AsGeoJSON(ST_ForcePolygonCCW(q.geom), 7)::json, 'properties', json_build_object({listed}))::text "
            f"FROM ({query.sql}) AS q WHERE {where} ORDER BY fid LIMIT :limit"
        ),
        binds | {"limit": limit},
    )
    return [row[0] for row in rows], int(total)


def sketch(
    db: Session, query: Query, layer: str, fields: Sequence[str], *, box: Box, day: date, step: float
) -> list[tuple[str, str]]:
    """What of a layer lies in a box, cut a little outside of it and simplified to ``step`` degrees, for a drawing.

    Each is its fields as JSON text and its shape as GeoJSON text, in order of ``fid``.
    """
    listed = ", ".join(f"'{field}', {_value(query, field)}" for field in fields)
    rows = db.execute(
        text(
            f"""
            SELECT json_build_object({listed})::text AS fields,
                   ST_AsGeoJSON(ST_SimplifyPreserveTopology(ST_ClipByBox2D(q.geom, wide.box), :step), 7) AS shape
            FROM ({query.sql}) AS q, (SELECT ST_Expand(ST_MakeEnvelope(:west, :south, :east, :north, 4326),
                                                       :step * 40) AS box) AS wide
            WHERE q.geom && wide.box AND ST_Intersects(q.geom, wide.box)
            ORDER BY fid LIMIT {MOST_DRAWN}
            """
        ),
        {
            "day": day, "layer": layer, "west": box.west, "south": box.south, "east": box.east, "north": box.north,
            "step": step,
        },
    )  # fmt: skip
    return [(row.fields, row.shape) for row in rows if row.shape]


def table(db: Session, query: Query, layer: str, fields: Sequence[str], *, day: date) -> list[tuple[Any, ...]]:
    """The fields of every feature, without geometry, in order of ``fid``."""
    listed = ", ".join(_value(query, field) for field in fields)
    found = db.execute(text(f"SELECT {listed} FROM ({query.sql}) AS q ORDER BY fid"), {"day": day, "layer": layer})
    return [tuple(row) for row in found]


def replace_file(db: Session, layer: str, sha256: str, features: Sequence[tuple[int, str, str]]) -> None:
    """Store a file layer's features (fid, properties as JSON text, geometry as GeoJSON text) in place of the old."""
    db.execute(text("DELETE FROM layer_feature WHERE layer = :layer"), {"layer": layer})
    if features:
        db.execute(
            text(
                "INSERT INTO layer_feature (layer, fid, properties, geom) VALUES (:layer, :fid, "
                "CAST(:properties AS jsonb), ST_Force2D(ST_SetSRID(ST_GeomFromGeoJSON(:geom), 4326)))"
            ),
            [{"layer": layer, "fid": fid, "properties": props, "geom": geom} for fid, props, geom in features],
        )
    db.execute(
        text(
            "INSERT INTO layer_file (layer, sha256) VALUES (:layer, :sha256) "
            "ON CONFLICT (layer) DO UPDATE SET sha256 = excluded.sha256, loaded_at = now()"
        ),
        {"layer": layer, "sha256": sha256},
    )


def loaded_files(db: Session) -> dict[str, str]:
    """The hash of each file layer as it was last loaded."""
    return {row.layer: row.sha256 for row in db.execute(text("SELECT layer, sha256 FROM layer_file"))}


def _listed(query: Query, fields: Sequence[str]) -> str:
    return "".join(f', {_value(query, field)} AS "{field}"' for field in fields)


def _value(query: Query, field: str) -> str:
    # Field names come from a checked layer file; of a file layer they are keys of a JSON object.
    return f"properties ->> '{field}'" if query is FILE else f'"{field}"'
