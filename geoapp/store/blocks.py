"""The counts pyramid as it is read: blocks, and on top of them the changes that no block knows yet.

All reads of one answer belong in one snapshot; store.counts says how both come about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import text

from geoapp.domain import counts
from geoapp.domain.counts import ALL, LEVEL, PART, Array, Question
from geoapp.store import session
from geoapp.store.session import Db, Session, Statement


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells whether a tile is still the same: the version of its area, and those of the other data."""

    area: int
    parts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What the pyramid knows of a span: parts by cell, and spans (first, behind) where the issues must be asked.

    ``crowd`` is how many issues there are whatever the filter, ``unfolded`` how many changes were met in the log.
    ``stamp`` is of the same moment.
    """

    stamp: Stamp
    parts: Array
    ask: tuple[tuple[int, int], ...]
    crowd: int
    unfolded: int


STAMP = """
    CAST(coalesce((SELECT sum(version) FROM count_area
                   WHERE zoom = :of AND cell >= :first_area AND cell < :behind_area), 0) AS bigint)
    + (SELECT count(*) FROM count_change WHERE cell >= :area_begin AND cell < :area_end) AS area,
    ARRAY(SELECT part || ' ' || version FROM data_version ORDER BY part) AS parts
"""
"""SQL: the two columns of a ``Stamp``, for ``stamp_of``; with the binds of ``area``."""
_LOOK = Statement(
    f"""
    SELECT able.*, found.*
    FROM (SELECT {STAMP}, coalesce((SELECT zone FROM count_base), 'UTC') AS zone,
                 (SELECT count(*) FROM category WHERE code = ANY (:codes) AND parent_code IS NULL) AS tops) AS able
    LEFT JOIN (
        SELECT cell, kind, split, entries, 0 AS month, 0 AS state_group, 0 AS n, 0 AS contested, 0 AS orphan,
               CAST(0 AS bigint) AS x, CAST(0 AS bigint) AS y
        FROM count_block WHERE zoom = :at AND cell >= :first AND cell < :behind AND kind = ANY (:kinds)
        UNION ALL
        SELECT cell, category, NULL, NULL, month, state_group, n, contested, orphan, x, y
        FROM count_change WHERE cell >= :begin AND cell < :end
    ) AS found ON true
    """
)
_STAMP_ALONE = Statement(f"SELECT {STAMP}")


def stamp(db: Db, zoom: int, cell: int) -> Stamp:
    """The version of a tile's area: as long as it is the same, so is all that the tile is made from."""
    (row,) = session.rows(db, _STAMP_ALONE, area(zoom, cell))
    return stamp_of(row)


def area(zoom: int, cell: int) -> dict[str, int]:
    """Binds of ``STAMP``."""
    of, first, behind = counts.areas_of(zoom, cell)
    begin, end = counts.span(of, first)[0], counts.span(of, behind)[0]
    return {"of": of, "first_area": first, "behind_area": behind, "area_begin": begin, "area_end": end}


def stamp_of(row: Any) -> Stamp:
    parts = (part.split(" ") for part in row.parts)
    return Stamp(row.area, tuple((name, int(version)) for name, version in parts))


def zone_of(db: Session) -> str:
    """In which zone the counts' months begin; empty: they are yet to be made."""
    return str(db.execute(text("SELECT coalesce((SELECT zone FROM count_base), 'UTC')")).scalar_one())


def look(db: Session, zoom: int, cell: int, asked: Question, zone: ZoneInfo, *, deep: int) -> Found | None:
    """What is asked of a tile down to zoom 16, with cells of zoom ``deep``; without the edges of the question.

    None where blocks and question are not of the same months, or not all its categories are top ones.
    """
    at = max(zoom, counts.FIRST)
    first, behind = cell << 2 * (at - zoom), (cell + 1) << 2 * (at - zoom)
    kinds = [ALL] if asked.is_plain else [ALL, *asked.kinds]
    begin, end = counts.span(at, first)[0], counts.span(at, behind)[0]
    span = {"at": at, "first": first, "behind": behind, "begin": begin, "end": end}
    told = session.rows(db, _LOOK, area(zoom, cell) | span | {"kinds": kinds, "codes": list(asked.categories)})
    able = told[0]
    if not able.zone or able.tops < len(asked.categories):
        return None
    if asked.months is not None and able.zone != zone.key:
        return None
    blocks = {(row.cell, row.kind): row for row in told if row.entries is not None}
    log = _log([row for row in told if row.entries is None and row.cell is not None], asked, deep=deep)
    crowd = sum(counts.total(counts.read(row.entries)) for (_, kind), row in blocks.items() if kind == ALL) + log.crowd
    pieces, ask = [], []
    for (of, kind), row in blocks.items():
        if kind == ALL and not asked.is_plain and not row.split:
            ask.append(counts.span(at, of))
        elif (kind == ALL) == asked.is_plain:
            pieces.append(counts.parts(counts.read(row.entries), at, of, asked, deep=deep))
    known = {of for of, _ in blocks}
    if not asked.is_plain:
        # The log holds what no block knows yet: there the issues themselves are asked.
        ask += [counts.span(at, of) for of in log.blocks(at) - known]
    parts = log.outside(ask, asked)
    return Found(stamp_of(able), np.concatenate([*pieces, parts]), tuple(ask), crowd, log.rows)


def total(db: Session, tiles: Sequence[tuple[int, int]], asked: Question) -> int | None:
    """How many issues of a plain question lie in these tiles (zoom, cell); None: the counts are yet to be made."""
    if not zone_of(db):
        return None
    at = [max(zoom, counts.FIRST) for zoom, _ in tiles]
    deeper = [2 * (to - zoom) for to, (zoom, _) in zip(at, tiles, strict=True)]
    spans = [counts.span(zoom, cell) for zoom, cell in tiles]
    found = db.execute(
        _TOTAL,
        {
            "zooms": at,
            "firsts": [cell << by for by, (_, cell) in zip(deeper, tiles, strict=True)],
            "behinds": [(cell + 1) << by for by, (_, cell) in zip(deeper, tiles, strict=True)],
            "begins": [begin for begin, _ in spans],
            "ends": [end for _, end in spans],
            "all": ALL,
        },
    ).all()
    groups = range(len(counts.GROUPS)) if asked.groups is None else asked.groups
    entries = counts.read(b"".join(row.entries for row in found if row.entries is not None))
    in_blocks = entries["n"][np.isin(entries["key"] & 3, list(groups))].sum()
    return int(in_blocks) + sum(int(row.n) for row in found if row.entries is None and row.state_group in groups)


_TOTAL = text(
    """
    WITH tile AS (
        SELECT * FROM unnest(CAST(:zooms AS smallint[]), CAST(:firsts AS bigint[]), CAST(:behinds AS bigint[]),
                             CAST(:begins AS bigint[]), CAST(:ends AS bigint[])) AS t (zoom, first, behind, begin, till)
    )
    SELECT b.entries, 0 AS state_group, 0 AS n FROM tile t
    JOIN count_block b ON b.zoom = t.zoom AND b.cell >= t.first AND b.cell < t.behind AND b.kind = :all
    UNION ALL
    SELECT NULL, c.state_group, sum(c.n) FROM tile t
    JOIN count_change c ON c.cell >= t.begin AND c.cell < t.till GROUP BY c.state_group
    """
)


@dataclass(frozen=True, slots=True)
class _Log:
    """The unfolded changes of a span: all of them by cell, and which of them the question is about."""

    cells: Array
    parts: Array
    matches: Array
    rows: int
    crowd: int

    def blocks(self, zoom: int) -> set[int]:
        return {int(cell) for cell in np.unique(self.cells >> 2 * (LEVEL - zoom))}

    def outside(self, spans: Sequence[tuple[int, int]], asked: Question) -> Array:
        """What is asked, but for cells in ``spans``."""
        kept = self.matches.copy()
        for first, behind in spans:
            kept &= (self.cells < first) | (self.cells >= behind)
        return counts.of_groups(self.parts[kept], asked)


def _log(found: Sequence[Any], asked: Question, *, deep: int) -> _Log:
    parts = counts.rows(((row.cell >> 2 * (LEVEL - deep), *row[-1 - len(counts.SUMS) :]) for row in found), PART)
    cells = np.array([row.cell for row in found], np.int64)
    matches = np.array([_is_asked(row.kind, row.month, asked) for row in found], bool)
    return _Log(cells, parts, matches, len(found), int(parts["n"].sum()))


def _is_asked(category: str, month: int, asked: Question) -> bool:
    if asked.categories and category not in asked.categories:
        return False
    return asked.months is None or asked.months[0] <= month <= asked.months[1]


def narrow(db: Session, zoom: int, cells: Sequence[int], asked: Question) -> list[tuple[int, int]]:
    """The smallest spans below tiles of ``zoom`` in which anything is that is asked."""
    spans: list[tuple[int, int]] = []
    kinds = [ALL] if asked.is_plain else [ALL, *asked.kinds]
    while cells and zoom <= counts.LAST:
        rows = db.execute(
            text(
                "SELECT cell, kind, split, entries FROM count_block "
                "WHERE zoom = :zoom AND cell = ANY (:cells) AND kind = ANY (:kinds)"
            ),
            {"zoom": zoom, "cells": list(cells), "kinds": kinds},
        ).all()
        deep = zoom + counts.depth(zoom)
        spans += [counts.span(zoom, row.cell) for row in rows if row.kind == ALL and not row.split]
        cells = sorted(
            {
                int(cell)
                for row in rows
                if row.split and (row.kind == ALL) == asked.is_plain
                for cell in counts.parts(counts.read(row.entries), zoom, row.cell, asked, deep=deep)["cell"]
            }
        )
        zoom = deep
    return spans + [counts.span(zoom, cell) for cell in cells]


def held(db: Session, zoom: int) -> list[int] | None:
    """The tiles of a zoom of the pyramid in which the public may see any issue; None: the counts are yet to be made."""
    if not zone_of(db):
        return None
    found = db.execute(
        text(
            "SELECT cell FROM count_block WHERE zoom = :zoom AND kind = :all "
            "UNION SELECT cell >> :deeper FROM count_change WHERE cell >= 0"
        ),
        {"zoom": zoom, "all": ALL, "deeper": 2 * (LEVEL - zoom)},
    )
    return sorted(found.scalars())


def touched(db: Session, begin: int, end: int) -> list[tuple[int, int]]:
    """The cells of a span that the log knows of."""
    found = db.execute(
        text("SELECT DISTINCT cell FROM count_change WHERE cell >= :begin AND cell < :end"),
        {"begin": begin, "end": end},
    )
    return [(cell, cell + 1) for cell in found.scalars()]
