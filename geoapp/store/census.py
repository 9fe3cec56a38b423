"""How many issues a filter finds, in all and by cell: from the pyramid where it can tell, else from the issues.

The pyramid tells for the public, of filters by state group, top category and period. Of a period that begins or
ends within a month the whole months are its, and the days before and after are counted from the issues. Of a box
without category and period the tiles within it are its, and the edge is counted. All other filters, and whoever sees
more than the public, are counted from the issues alone. Both ways give the same numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain import counts as pyramid
from geoapp.domain.counts import LEVEL, PART, Array, Question
from geoapp.domain.tiles import box_bounds
from geoapp.domain.values import Box, IssueFilter, Viewer
from geoapp.store import blocks, counts
from geoapp.store.blocks import Stamp
from geoapp.store.condition import condition, inside, seen_in_full


@dataclass(frozen=True, slots=True)
class Census:
    """Sums by cell and state group; ``crowd`` is how many issues the span holds whatever the filter.

    ``stamp`` tells of what data it is where one statement has told everything.
    """

    stamp: Stamp | None
    asked: Question
    parts: Array
    crowd: int
    unfolded: int

    @property
    def n(self) -> int:
        return int(self.parts["n"].sum())


def of_tile(
    db: Session, zoom: int, cell: int, wanted: IssueFilter, viewer: Viewer, *, zone: ZoneInfo, deep: int
) -> Census | None:
    """What the pyramid knows of a tile, with cells of zoom ``deep``; None where it cannot tell."""
    asked = pyramid.question(wanted)
    if asked is None or zoom > pyramid.LAST or seen_in_full(viewer)[0] != "false":
        return None
    found = blocks.look(db, zoom, cell, asked, zone, deep=deep)
    if found is None:
        return None
    pieces = [found.parts]
    if found.ask:
        pieces.append(_counted(db, wanted, viewer, zone=zone, deep=deep, spans=found.ask))
    begin, end = pyramid.span(zoom, cell)
    for since, until in asked.edges:
        edge = replace(wanted, since=since, until=until)
        pieces.append(_counted(db, edge, viewer, zone=zone, deep=deep, spans=[(begin, end)], beside=found.ask))
    stamp = found.stamp if len(pieces) == 1 else None
    return Census(stamp, asked, np.concatenate(pieces), found.crowd, found.unfolded)


def count(db: Session, wanted: IssueFilter, viewer: Viewer, zone: ZoneInfo) -> int:
    """How many issues there are, exactly."""
    known = of_tile(db, 0, 0, wanted, viewer, zone=zone, deep=0)
    if known is not None:
        return known.n
    if wanted.box is not None and (found := _of_box(db, wanted, viewer, wanted.box, zone=zone)) is not None:
        return found
    where, binds = condition(db, wanted, viewer, zone=zone)
    return int(db.execute(text(f"SELECT count(*) FROM issue i WHERE {where}"), binds).scalar_one())


def _of_box(db: Session, wanted: IssueFilter, viewer: Viewer, box: Box, *, zone: ZoneInfo) -> int | None:
    """How many issues of a filter lie in a box: of the tiles within it by their sums, and one by one along its edge.

    None where the pyramid cannot tell, or has nothing in the box; its sums by category and month are not asked.
    """
    unbound = replace(wanted, box=None)
    asked = pyramid.question(unbound)
    if asked is None or not asked.is_plain or seen_in_full(viewer)[0] != "false":
        return None
    bounds = box_bounds(box)
    whole, edge = pyramid.cover(bounds)
    known = blocks.total(db, whole, asked) if whole else None
    if known is None:
        return None
    where, binds = condition(db, unbound, viewer, zone=zone)
    exact, more = inside(bounds)
    spans = {"firsts": [first for first, _ in edge], "behinds": [behind for _, behind in edge]}
    # Each span by itself: of how many issues there are in all the planner knows nothing.
    sql = f"""
        SELECT coalesce(sum(part.n), 0)
        FROM unnest(CAST(:firsts AS bigint[]), CAST(:behinds AS bigint[])) AS span (first, behind), LATERAL (
            SELECT count(*) AS n FROM issue i
            WHERE i.public_cell >= span.first AND i.public_cell < span.behind AND {exact} AND {where}) AS part
    """
    return known + int(db.execute(text(sql), binds | more | spans).scalar_one())


def spans_of(db: Session, zoom: int, cell: int, known: Census, *, deep: int) -> list[tuple[int, int]]:
    """Few and small spans of a tile that hold all that is asked, of which ``known`` has cells of zoom ``deep``."""
    if known.crowd <= pyramid.CROWDED:
        return [pyramid.span(zoom, cell)]
    held = [pyramid.span(deep, heap.cell) for heap in pyramid.heaps(known.parts)]
    found = blocks.narrow(db, deep, [first >> 2 * (LEVEL - deep) for first, _ in held], known.asked)
    # What no block knows yet lies in the log, and what the question leaves to the issues may lie anywhere in a cell.
    return pyramid.joined(held if known.asked.edges else [*found, *blocks.touched(db, *pyramid.span(zoom, cell))])


def in_spans(spans: Sequence[tuple[int, int]], name: str = "span") -> tuple[str, dict[str, int]]:
    """SQL that is true for an ``issue i`` in one of the spans, and its binds.

    As numbers, one pair beside the other: of rows of ``unnest`` the planner knows nothing, and would rather read
    all issues in order of their numbers than trust that a span holds few.
    """
    pairs = [f"i.public_cell >= :{name}_{nth}_from AND i.public_cell < :{name}_{nth}_to" for nth in range(len(spans))]
    binds = {
        f"{name}_{nth}_{side}": cell
        for nth, span in enumerate(spans)
        for side, cell in zip(("from", "to"), span, strict=True)
    }
    return f"({' OR '.join(pairs)})", binds


def _counted(
    db: Session,
    wanted: IssueFilter,
    viewer: Viewer,
    *,
    zone: ZoneInfo,
    deep: int,
    spans: Sequence[tuple[int, int]],
    beside: Sequence[tuple[int, int]] = (),
) -> Array:
    """Issues of a filter within spans, by cell and state group, but for those in ``beside``."""
    where, binds = condition(db, wanted, viewer, zone=zone)
    inside, more = in_spans(spans)
    binds |= more
    if beside:
        known, more = in_spans(beside, "known")
        inside, binds = f"{inside} AND NOT {known}", binds | more
    found = db.execute(
        text(
            f"""
            SELECT i.public_cell >> {2 * (LEVEL - deep)}, {counts.group_of("i")}, CAST(count(*) AS int),
                   CAST(count(*) FILTER (WHERE i.verdict = 'contested') AS int),
                   CAST(count(*) FILTER (WHERE i.verdict = 'orphan') AS int),
                   CAST(sum(round(ST_X(i.public_3857) * {pyramid.MM})) AS bigint),
                   CAST(sum(round(ST_Y(i.public_3857) * {pyramid.MM})) AS bigint)
            FROM issue i WHERE {inside} AND {where} GROUP BY 1, 2
            """
        ),
        binds,
    )
    return pyramid.rows(found, PART)
