"""Each analysis that planners can ask for, from columns of issues to a result with its parts.

No database: what an analysis needs is read before it begins. What a column means stands in domain.spatial.
"""

from dataclasses import asdict, dataclass, replace
from datetime import date, tzinfo
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoapp.domain.planning import Analysis, Ask, Cells, Per
from geoapp.domain.spatial import facets, grid, groups, sides, surfaces
from geoapp.domain.spatial.columns import Areas, Codes, Issues, Table
from geoapp.domain.spatial.exposure import Below, of_areas
from geoapp.domain.spatial.grid import Shape
from geoapp.domain.spatial.ground import ground, within
from geoapp.domain.spatial.how import How
from geoapp.domain.spatial.localtime import local
from geoapp.errors import BadInput
from geoapp.services.packing import Part, Result, part

REPEAT_M = 30.0
MOST_MONTHS = 240
NOTHING_KNOWN = {Per.RESIDENTS: "no_residents", Per.ROAD_KM: "no_roads", Per.ASSET: "no_assets"}
"""Denominators that somebody must have told, and what is said where nobody has."""
DENSITY_SIZE = 512
PERMUTATIONS = 9_999
"""Of several hundred areas none could be called significant after fewer."""


@dataclass(frozen=True, slots=True)
class Material:
    """What an analysis works on: issues, the study area, areas with their denominators (and where those are from)."""

    issues: Issues
    area: Any
    areas: Areas
    zone: tzinfo
    known: dict[str, Any]
    roads: NDArray[Any] | None = None


def compute(ask: Ask, given: Material) -> Result:
    """The answer to a question that is ``normal``. Raises BadInput naming what cannot be computed so."""
    if ask.per in NOTHING_KNOWN and not (of_areas(given.areas, str(ask.per)) > 0).any():
        raise BadInput("per", NOTHING_KNOWN[ask.per])
    try:
        parts, how, told = _ANALYSES[ask.analysis](ask, given)
    except ValueError as error:
        if ask.cell_m is not None and "too many" in str(error):
            raise BadInput("cell", "too_fine", most=grid.MAX_CELLS) from error
        raise
    parts["all"] = _all(given)
    ids = given.issues.ids if given.issues.ids is not None else np.zeros(0, dtype="V16")
    return Result(parts, ids, how.as_json(), told | {"denominator": given.known, "read": len(given.issues)})


def _hot_spots(ask: Ask, given: Material) -> tuple[dict[str, Part], How, dict[str, Any]]:
    if ask.of_areas:
        denominator = "count" if ask.per is Per.COUNT else str(ask.per)
        table = sides.hot_areas(given.issues, given.areas, denominator=denominator)
    else:
        table = surfaces.hot_spots(
            given.issues, area=given.area, cell_m=ask.cell_m, shape=Shape(str(ask.cells)), keep="occupied",
            below=_below(ask, given),
        )  # fmt: skip
    parts = {"cells": _placed(table, given.issues)}
    hot = np.flatnonzero(table.columns["verdict"] == "hot")
    parts["groups"] = _hot_groups(table, hot, given.issues)
    return parts, table.how, _suggested(ask, given)


def _below(ask: Ask, given: Material) -> Below | None:
    """The denominator of cells; None where they are only counted, for all are alike in size."""
    if ask.per not in NOTHING_KNOWN:
        return None
    return Below(str(ask.per), given.areas, given.roads if ask.per is Per.ROAD_KM else None)


def _hot_groups(table: Table, hot: NDArray[Any], issues: Issues) -> Part:
    """Hot cells that touch, as one: what a project can be made of."""
    shapes = shapely.get_parts(shapely.union_all(table.geometry[hot])) if hot.size else np.zeros(0, dtype=object)
    of_cell = np.full(len(table) + 1, -1, dtype=np.int64)
    if hot.size:
        cell, group = shapely.STRtree(shapes).query(shapely.point_on_surface(table.geometry[hot]), "intersects")
        of_cell[hot[cell]] = group
    member = of_cell[table.member] if table.member is not None else np.full(len(issues), -1)
    sizes = np.bincount(member[member >= 0], minlength=len(shapes))
    order = np.argsort(-sizes, kind="stable")
    rank = np.full(len(shapes) + 1, -1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    member = rank[member]
    cells = np.bincount(of_cell[of_cell >= 0], minlength=len(shapes))[order]
    columns = {"group": np.arange(len(order)), "count": sizes[order], "cells": cells,
               "category": _top(issues.category, member, len(order)),
               "community": _top(issues.community, member, len(order))}  # fmt: skip
    return part(columns, np.asarray(shapes)[order], member)


def _clusters(ask: Ask, given: Material) -> tuple[dict[str, Part], How, dict[str, Any]]:
    table = groups.find_clusters(
        given.issues, area=given.area, method=str(ask.method), within_m=ask.within_m, least=ask.least,
        within_days=ask.within_days, by_category=ask.by_category, now=_midnight(ask.day),
    )  # fmt: skip
    return {"clusters": _placed(table, given.issues)}, table.how, {}


def _density(ask: Ask, given: Material) -> tuple[dict[str, Part], How, dict[str, Any]]:
    if not len(given.issues):
        raise BadInput("category", "no_issues")
    found = surfaces.density(given.issues, area=given.area, bandwidth_m=ask.bandwidth_m, size=DENSITY_SIZE)
    table = found.contours
    member = np.full(len(given.issues), -1, dtype=np.int64)
    if len(table):
        points = shapely.points(given.issues.lon, given.issues.lat)
        point, band = shapely.STRtree(table.geometry).query(np.asarray(points), predicate="intersects")
        # On a line between two bands the issue belongs to the higher.
        np.maximum.at(member, point, band)
    told = {"peak": float(np.nanmax(found.surface.values, initial=0.0))}
    sizes = np.bincount(member[member >= 0], minlength=len(table))
    return {"bands": of_table(replace(table, columns=table.columns | {"count": sizes}, member=member))}, table.how, told


def _trends(ask: Ask, given: Material) -> tuple[dict[str, Part], How, dict[str, Any]]:
    if not len(given.issues):
        raise BadInput("category", "no_issues")
    slices = None
    if ask.since or ask.until:
        known = local(given.issues.reported, given.zone)
        first = np.datetime64(ask.since, "M") if ask.since else known.min().astype("datetime64[M]")
        last = np.datetime64(ask.until, "M") if ask.until else known.max().astype("datetime64[M]")
        slices = (first, last)
    table = surfaces.trends(
        given.issues, area=given.area, cell_m=ask.cell_m, shape=Shape(str(ask.cells)), slices=slices, zone=given.zone,
    )  # fmt: skip
    months = tuple(table.how.parameters["slices"])
    if len(months) > MOST_MONTHS:
        raise BadInput("from", "too_many_months", most=MOST_MONTHS)
    parts = {"cells": _placed(table, given.issues, series=months)}
    parts["months"] = _by_month(given, months)
    parts["seasons"] = _seasons(given)
    return parts, table.how, _suggested(ask, given)


def _by_month(given: Material, months: tuple[str, ...]) -> Part:
    """How many were reported in each month."""
    inside = _inside(given)
    slot, _ = surfaces.month_slots(
        local(given.issues.reported, given.zone), (np.datetime64(months[0], "M"), np.datetime64(months[-1], "M"))
    )
    member = np.where(inside, slot, -1)
    counts = np.bincount(member[member >= 0], minlength=len(months))
    return part({"month": np.array(months), "count": counts}, None, member)


def _seasons(given: Material) -> Part:
    """Each category by month of the year, most frequent first."""
    issues = given.issues
    kinds = len(issues.category.names)
    dated = _inside(given) & ~np.isnat(issues.reported) & (issues.category.index >= 0)
    month = np.zeros(len(issues), dtype=np.int64)
    month[dated] = local(issues.reported[dated], given.zone).astype("datetime64[M]").astype(np.int64) % 12
    often = np.bincount(issues.category.index[dated], minlength=kinds)
    order = np.argsort(-often, kind="stable")
    order = order[often[order] > 0]
    rank = np.full(kinds + 1, -1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    member = np.where(dated, rank[issues.category.index] * 12 + month, -1)
    counts = np.bincount(member[member >= 0], minlength=12 * len(order))
    names = np.array(issues.category.names, dtype=object)[order]
    columns = {"category": np.repeat(names, 12), "month": np.tile(np.arange(1, 13), len(order)), "count": counts}
    return part(columns, None, member)


def _repeats(ask: Ask, given: Material) -> tuple[dict[str, Part], How, dict[str, Any]]:
    reach = ask.within_m or REPEAT_M
    table = groups.repeats(given.issues, area=given.area, within_m=reach)
    back, rates = groups.recurrence(given.issues, area=given.area, within_m=reach, now=_midnight(ask.day))
    after = of_table(replace(back, columns={k: v for k, v in back.columns.items() if k not in {"issue", "again"}}))
    # A return is two issues: the one that was closed, and the one that followed.
    issue, again = back.columns["issue"], back.columns["again"]
    pairs = np.column_stack([issue, again]).ravel().astype(np.int32) if len(issue) else np.zeros(0, dtype=np.int32)
    after = replace(after, members=pairs, starts=np.arange(0, 2 * len(issue) + 1, 2))
    return {"places": _placed(table, given.issues), "returns": after}, table.how, {
        "rates": [asdict(rate) for rate in rates], "how_returns": back.how.as_json()
    }  # fmt: skip


def _association(ask: Ask, given: Material) -> tuple[dict[str, Part], How, dict[str, Any]]:
    try:
        table, moran = sides.likeness(given.issues, given.areas, denominator=str(ask.per), permutations=PERMUTATIONS)
    except (ValueError, ZeroDivisionError) as error:
        # All alike, fewer than four, or none with a neighbour.
        raise BadInput("place", "too_few_areas") from error
    pairs = groups.colocation(given.issues, area=given.area)
    keep = pairs.columns["from"] != pairs.columns["to"]
    order = np.argsort(pairs.columns["q"][keep] - pairs.columns["quotient"][keep] * 1e-9, kind="stable")
    flat = {name: column[keep][order] for name, column in pairs.columns.items()}
    parts = {"areas": of_table(table), "pairs": part(flat, None, None), "categories": _categories(given)}
    return parts, table.how, {"moran": asdict(moran), "how_pairs": pairs.how.as_json()}


def _categories(given: Material) -> Part:
    base = within(ground(given.issues, given.area))
    index = given.issues.category.index[base.kept].astype(np.int64)
    names = np.array(given.issues.category.names, dtype=object)
    counts = np.bincount(index[index >= 0], minlength=len(names))
    return part({"category": names, "count": counts}, None, base.members(index))


def _compare(ask: Ask, given: Material) -> tuple[dict[str, Part], How, dict[str, Any]]:
    table = sides.compare_areas(given.issues, given.areas, denominator=str(ask.per))
    reported = local(given.issues.reported, given.zone)
    member = table.member if table.member is not None else np.full(len(reported), -1)
    columns = dict(table.columns)
    series: tuple[str, ...] = ()
    known = ~np.isnat(reported)
    if known.any():
        last = reported[known].max().astype("datetime64[M]")
        first = max(reported[known].min().astype("datetime64[M]"), last - 23)
        slot, months = surfaces.month_slots(reported, (first, last))
        counts = np.zeros((len(table), len(months)), dtype=np.int64)
        here = (member >= 0) & (slot >= 0)
        np.add.at(counts, (member[here], slot[here]), 1)
        columns["monthly"], series = counts, tuple(str(month) for month in months)
    parts = {"areas": part(columns, table.geometry, member, series=series)}
    if len(table):
        kinds, names = facets.by_branch(given.issues.category, member)
        parts["by_category"] = _facet(table, member, kinds, {"category": names})
        times, names = facets.by_period(reported, member)
        parts["by_period"] = _facet(table, member, times, {"period": names})
    return parts, table.how, {"overall": table.how.parameters["overall"]}


def _facet(table: Table, member: NDArray[Any], kind: NDArray[Any], named: dict[str, NDArray[Any]]) -> Part:
    """Every area under every facet: what small maps with the same classes are drawn from. ``area`` is its row."""
    areas, panels = len(table), len(next(iter(named.values())))
    row = np.where((member >= 0) & (kind >= 0), kind * areas + member, -1)
    counts = np.bincount(row[row >= 0], minlength=areas * panels)
    area = np.tile(np.arange(areas), panels)
    # As the rate of the area itself: its count is so many times that rate, whatever it is per.
    whole = table.columns["count"][area]
    rate = table.columns["rate"][area] * np.divide(counts, whole, out=np.zeros(len(area)), where=whole > 0)
    columns = {name: np.repeat(column, areas) for name, column in named.items()}
    columns |= {"area": area, "code": table.columns["code"][area], "zh": table.columns["zh"][area],
                "en": table.columns["en"][area], "count": counts, "rate": rate}  # fmt: skip
    return part(columns, None, row)


def of_table(table: Table, *, series: tuple[str, ...] = ()) -> Part:
    """A table of the analyses as a part, with the issues of its rows."""
    return part(table.columns, table.geometry, table.member, series=series)


def _placed(table: Table, issues: Issues, *, series: tuple[str, ...] = ()) -> Part:
    """A table of grid cells or groups, each with the community that most of its issues lie in."""
    if "code" in table.columns or table.member is None:
        return of_table(table, series=series)
    where = _top(issues.community, table.member, len(table))
    return of_table(replace(table, columns=table.columns | {"community": where}), series=series)


def _all(given: Material) -> Part:
    """Every issue that went in, as one row: the figure ``n`` leads to its cases too."""
    inside = _inside(given)
    return part({"count": np.array([int(inside.sum())])}, None, np.where(inside, 0, -1))


def _inside(given: Material) -> NDArray[np.bool_]:
    inside = np.zeros(len(given.issues), dtype=bool)
    inside[within(ground(given.issues, given.area)).kept] = True
    return inside


def _suggested(ask: Ask, given: Material) -> dict[str, Any]:
    """The size of a cell that suits the data, whether or not it was taken."""
    if ask.cells in {Cells.COMMUNITY, Cells.STREET}:
        return {}
    base = within(ground(given.issues, given.area))
    found = grid.suggest_cell(len(base.kept), shapely.area(base.area))
    return {"suggested_cell": {"metres": found.metres, "reason": found.reason, "params": found.params}}


def _top(codes: Codes, member: NDArray[Any], rows: int) -> NDArray[Any]:
    """The most frequent code among the issues of each row, empty where none has one."""
    kinds = max(len(codes.names), 1)
    known = (member >= 0) & (codes.index >= 0)
    pair, often = np.unique(member[known].astype(np.int64) * kinds + codes.index[known], return_counts=True)
    order = np.argsort(often, kind="stable")
    found = np.full(rows, len(codes.names), dtype=np.int64)
    # Of several assignments to one row the last stays: the most frequent.
    found[pair[order] // kinds] = pair[order] % kinds
    return np.asarray(np.array([*codes.names, ""], dtype=object)[found])


def _midnight(day: date) -> np.datetime64:
    return np.datetime64(day, "s") + np.timedelta64(1, "D")


_ANALYSES = {
    Analysis.HOT_SPOTS: _hot_spots,
    Analysis.CLUSTERS: _clusters,
    Analysis.DENSITY: _density,
    Analysis.TRENDS: _trends,
    Analysis.REPEATS: _repeats,
    Analysis.ASSOCIATION: _association,
    Analysis.COMPARE: _compare,
}
