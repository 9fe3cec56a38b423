"""Vector tiles of issues: aggregates or single issues, and always complete: the sum of ``n`` is their number.

What the pyramid can tell is drawn from it, and only single issues are read; other filters are counted from the
issues of the tile. An aggregate lies at the mean of its members, so that no lattice shows. A tile is a span of
cells (``public_cell``), so each issue lies in exactly one, and its bounds are plain numbers in every plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from geoapp.domain import counts as pyramid
from geoapp.domain import mvt
from geoapp.domain.counts import LEVEL, Heap
from geoapp.domain.tiles import Tile
from geoapp.domain.values import IssueFilter, StateGroup, Viewer, states_of
from geoapp.store import blocks, census, session
from geoapp.store.blocks import Stamp
from geoapp.store.condition import condition
from geoapp.store.session import Statement

AGGREGATE_BELOW_ZOOM = 15
FITS = 40
"""So many issues are shown one by one even below that zoom."""
MOST_SINGLES = 2000
"""And never more than so many from that zoom on."""
LONE_AMONG = 5000
"""In a tile of more, a cell of one issue is drawn as such but cannot be opened."""

_SINGLE = """
    i.id::text AS id, i.number, i.state, i.verdict, i.category_code AS category,
    (extract(epoch FROM i.reported_at) / 86400)::int AS reported,
    CASE WHEN i.extent IS NULL OR i.privacy <> 'public' THEN 'point'
         WHEN ST_Dimension(i.extent) = 0 THEN 'points'
         WHEN ST_Dimension(i.extent) = 1 THEN 'line' ELSE 'area' END AS extent
"""
_SAID = ("id", "number", "state", "verdict", "category", "reported", "extent")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A tile's bytes, and how many changes of the log were met on the way.

    ``stamp`` tells of what data it is where all statements are known to have told of the same; else the caller must
    see to it that they do.
    """

    body: bytes
    unfolded: int = 0
    stamp: Stamp | None = None


def issue_tile(db: Session, tile: Tile, wanted: IssueFilter, viewer: Viewer, zone: ZoneInfo) -> Drawn:
    cell = pyramid.morton(tile.x, tile.y)
    deep = tile.z + pyramid.depth(min(tile.z, pyramid.LAST))
    known = census.of_tile(db, tile.z, cell, wanted, viewer, zone=zone, deep=deep)
    if known is None:
        return Drawn(_counted_tile(db, tile, wanted, viewer, zone=zone))
    if known.n == 0:
        return Drawn(b"", known.unfolded, known.stamp)
    if known.n <= (FITS if tile.z < AGGREGATE_BELOW_ZOOM else MOST_SINGLES):
        spans = census.spans_of(db, tile.z, cell, known, deep=deep)
        body, stamp = _single_tile(db, tile, wanted, viewer, zone=zone, spans=spans)
        return Drawn(body, known.unfolded, _both(known.stamp, stamp))
    heaps = pyramid.heaps(known.parts)
    alone = [heap.cell for heap in heaps if heap.n == 1] if known.crowd <= LONE_AMONG else []
    if not alone:
        return Drawn(_aggregates(tile, heaps, {}), known.unfolded, known.stamp)
    singles, seen = _singles(db, tile, wanted, viewer, zone=zone, cells=alone, deep=deep)
    return Drawn(_aggregates(tile, heaps, singles), known.unfolded, _both(known.stamp, seen))


def _both(one: Stamp | None, other: Stamp | None) -> Stamp | None:
    """The stamp of what two statements told, one after the other; None where anything changed in between."""
    return one if one == other else None


def _aggregates(tile: Tile, heaps: list[Heap], singles: Mapping[int, dict[str, Any]]) -> bytes:
    """Every heap at its mean; one of a single issue that is known as that issue."""
    told = [(*_place(tile, heap.x, heap.y), singles.get(heap.cell) or _said(heap)) for heap in heaps]
    return mvt.encode("issues", told)


def _said(heap: Heap) -> dict[str, int]:
    parts = dict(zip((str(group) for group in pyramid.GROUPS), heap.groups, strict=True))
    return {"n": heap.n, **parts, "contested": heap.contested, "orphan": heap.orphan}


def _place(tile: Tile, x: float, y: float) -> tuple[int, int]:
    bounds = tile.bounds
    size = (bounds.east - bounds.west) / mvt.EXTENT
    return round((x - bounds.west) / size), round((bounds.north - y) / size)


def _rows(db: Session, sql: str, binds: Mapping[str, object]) -> list[Any]:
    """Asked by the driver itself: what a session does around a statement takes as long as most of these."""
    return session.rows(db, _ready(sql), binds)


@lru_cache(64)
def _ready(sql: str) -> Statement:
    return Statement(sql)


def _stamp_binds(tile: Tile) -> dict[str, int]:
    return blocks.area(tile.z, pyramid.morton(tile.x, tile.y))


def _singles(
    db: Session, tile: Tile, wanted: IssueFilter, viewer: Viewer, *, zone: ZoneInfo, cells: list[int], deep: int
) -> tuple[dict[int, dict[str, Any]], Stamp | None]:
    """The issue that alone lies in each of these cells of zoom ``deep``, by its cell; and of what data that is."""
    spans = [pyramid.span(deep, cell) for cell in cells]
    where, binds = condition(db, wanted, viewer, zone=zone)
    inside, more = census.in_spans(spans)
    rows = _rows(
        db,
        f"SELECT {blocks.STAMP}, i.public_cell >> :shift AS cell, {_SINGLE} FROM issue i WHERE {inside} AND {where}",
        binds | more | _stamp_binds(tile) | {"shift": 2 * (LEVEL - deep)},
    )
    groups = {str(state): str(group) for group in StateGroup for state in states_of(group)}
    found = {row.cell: {"n": 1, **dict(zip(_SAID, row[-len(_SAID) :], strict=True)), "group": groups[row.state]}
             for row in rows}  # fmt: skip
    return found, blocks.stamp_of(rows[0]) if rows else None


def _single_tile(
    db: Session, tile: Tile, wanted: IssueFilter, viewer: Viewer, *, zone: ZoneInfo, spans: list[tuple[int, int]]
) -> tuple[bytes, Stamp]:
    """Every issue of the spans by itself; and of what data that is."""
    inside, more = census.in_spans(spans)
    where, binds = condition(db, wanted, viewer, zone=zone)
    groups = {group.value: [str(state) for state in states_of(group)] for group in StateGroup}
    sql = f"""
        SELECT {blocks.STAMP}, ST_AsMVT(feature, 'issues', {mvt.EXTENT}, 'geom') AS body FROM (
            SELECT {_geom("i.public_3857")} AS geom, 1 AS n, {_SINGLE},
                   CASE WHEN i.state = ANY (:open) THEN 'open' WHEN i.state = ANY (:in_work) THEN 'in_work'
                        WHEN i.state = ANY (:solved) THEN 'solved' ELSE 'dropped' END AS group
            FROM issue i WHERE {inside} AND {where} ORDER BY i.number
        ) AS feature
    """
    del groups["dropped"]
    (row,) = _rows(db, sql, binds | more | groups | _box(tile) | _stamp_binds(tile))
    return row.body, blocks.stamp_of(row)


def _counted_tile(db: Session, tile: Tile, wanted: IssueFilter, viewer: Viewer, *, zone: ZoneInfo) -> bytes:
    """Counted from the issues themselves: singly where they fit, else by cell."""
    where, binds = condition(db, wanted, viewer, zone=zone)
    is_deep = tile.z >= AGGREGATE_BELOW_ZOOM
    groups = {group.value: [str(state) for state in states_of(group)] for group in StateGroup}
    sql = f"""
        WITH hit AS MATERIALIZED (
            SELECT {_SINGLE}, i.public_cell, ST_X(i.public_3857) AS x, ST_Y(i.public_3857) AS y
            FROM issue i WHERE i.public_cell >= :first AND i.public_cell < :behind AND {where}
        ),
        total AS (SELECT count(*) AS n FROM hit),
        cell AS (
            SELECT count(*)::int AS n, avg(x) AS x, avg(y) AS y,
                   count(*) FILTER (WHERE state = ANY (:open))::int AS open,
                   count(*) FILTER (WHERE state = ANY (:in_work))::int AS in_work,
                   count(*) FILTER (WHERE state = ANY (:solved))::int AS solved,
                   count(*) FILTER (WHERE state = ANY (:dropped))::int AS dropped,
                   count(*) FILTER (WHERE verdict = 'contested')::int AS contested,
                   count(*) FILTER (WHERE verdict = 'orphan')::int AS orphan,
                   min(id) AS id, min(number) AS number, min(state) AS state, min(verdict) AS verdict,
                   min(category) AS category, min(reported) AS reported, min(extent) AS extent
            FROM hit
            GROUP BY CASE WHEN (SELECT n FROM total) <= :fits THEN id ELSE (public_cell >> :shift)::text END
        )
        SELECT ST_AsMVT(feature, 'issues', {mvt.EXTENT}, 'geom') AS body FROM (
            SELECT {_geom("ST_SetSRID(ST_MakePoint(x, y), 3857)")} AS geom,
                   n, CASE WHEN n > 1 THEN open END AS open, CASE WHEN n > 1 THEN in_work END AS in_work,
                   CASE WHEN n > 1 THEN solved END AS solved, CASE WHEN n > 1 THEN dropped END AS dropped,
                   CASE WHEN n > 1 THEN contested END AS contested, CASE WHEN n > 1 THEN orphan END AS orphan,
                   CASE WHEN n = 1 THEN id END AS id, CASE WHEN n = 1 THEN number END AS number,
                   CASE WHEN n = 1 THEN state END AS state, CASE WHEN n = 1 THEN verdict END AS verdict,
                   CASE WHEN n = 1 THEN category END AS category, CASE WHEN n = 1 THEN reported END AS reported,
                   CASE WHEN n = 1 THEN extent END AS extent,
                   CASE WHEN n = 1 THEN CASE WHEN open = 1 THEN 'open' WHEN in_work = 1 THEN 'in_work'
                        WHEN solved = 1 THEN 'solved' ELSE 'dropped' END END AS group
            FROM cell ORDER BY n DESC, number
        ) AS feature
    """
    first, behind = pyramid.span(tile.z, pyramid.morton(tile.x, tile.y))
    more = {
        "fits": MOST_SINGLES if is_deep else FITS,
        "first": first,
        "behind": behind,
        "shift": max(0, 2 * (LEVEL - tile.z - pyramid.depth(min(tile.z, pyramid.LAST)))),
    }
    (row,) = _rows(db, sql, binds | _box(tile) | groups | more)
    return bytes(row.body)


def _geom(point: str) -> str:
    box = "ST_MakeEnvelope(:tile_west, :tile_south, :tile_east, :tile_north, 3857)"
    return f"ST_AsMVTGeom({point}, {box}, {mvt.EXTENT}, 0, false)"


def _box(tile: Tile) -> dict[str, float]:
    bounds = tile.bounds
    return {"tile_west": bounds.west, "tile_south": bounds.south, "tile_east": bounds.east, "tile_north": bounds.north}
