"""Analyses of single issues among each other: clusters, repeated places, returns after closing, co-location."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoapp.domain.spatial import association, clusters, compare
from geoapp.domain.spatial import repeats as again
from geoapp.domain.spatial.clusters import Labels
from geoapp.domain.spatial.columns import Issues, Table
from geoapp.domain.spatial.grid import Floats, Ints
from geoapp.domain.spatial.ground import Ground, ground, within
from geoapp.domain.spatial.hotspots import adjusted
from geoapp.domain.spatial.how import How
from geoapp.domain.spatial.localtime import local
from geoapp.domain.spatial.trends import seasons as calendar

METHODS = ("dbscan", "space_time", "hdbscan")
_DAY = np.timedelta64(86_400, "s")
_HULL_M = 10.0
_TOP = 3


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Closed issues that were watched for ``days``, and how many came back, with Wilson's interval."""

    days: int
    watched: int
    returned: int
    share: float
    low: float
    high: float


def find_clusters(
    issues: Issues,
    *,
    area: Any = None,
    method: str = "dbscan",
    within_m: float | None = None,
    least: int = 10,
    within_days: float = 30.0,
    by_category: bool = False,
    now: np.datetime64 | None = None,
    seed: int = 1,
) -> Table:
    """Clusters in metres, the largest first; with ``by_category`` each branch of categories by itself.

    Columns: cluster, count, core, hull_m2, spread_m, lon, lat, category, top (up to three codes with counts), first,
    last, median_age_days (of open issues at ``now``), open, share_contested. Geometry: the hull, 10 m wider.
    """
    if method not in METHODS:
        raise ValueError(f"method {method!r}: known are {', '.join(METHODS)}")
    base = within(ground(issues, area))
    used = issues.at(base.kept)
    branch = _branches(used) if by_category else np.zeros(len(used), dtype=np.int64)
    groups = np.unique(branch)
    suggestion = clusters.suggest_reach(len(used) // max(len(groups), 1), _settled_m2(base.xy), least)
    reach = within_m or suggestion.metres
    label, core = np.full(len(used), -1, dtype=np.int64), np.zeros(len(used), dtype=bool)
    known, sampled = 0, False
    for one in groups.tolist():
        those = np.flatnonzero(branch == one)
        found = _labels(base.xy[those], used.at(those), method, reach=reach, least=least, days=within_days, seed=seed)
        label[those] = np.where(found.label >= 0, found.label + known, -1)
        core[those] = found.core
        known += found.count
        sampled |= found.sampled is not None
    label = _largest_first(label, known, base.xy)
    columns, shapes = _described(base, used, label, core=core, count=known, now=now)
    parameters: dict[str, dict[str, Any]] = {
        "dbscan": {"within_m": reach, "least": least},
        "space_time": {"within_m": reach, "within_days": within_days, "least": least},
        "hdbscan": {"least": least, "sample": clusters.SAMPLE if sampled else None},
    }
    how = base.how(
        method,
        parameters={
            **parameters[method],
            "by_category": by_category,
            "suggested": {"metres": suggestion.metres, **suggestion.params},
        },
        notes=("sampled",) if sampled else ("border_points",) if method != "hdbscan" else (),
        sources={"dbscan": clusters.SOURCES, "space_time": clusters.TIME_SOURCES, "hdbscan": clusters.HDBSCAN_SOURCES}[
            method
        ],
        seed=seed if method == "hdbscan" else None,
        query=issues.query,
    )
    return Table(columns, base.projection.degrees(shapes), how, base.members(label))


def repeats(issues: Issues, *, area: Any = None, within_m: float = 30.0, least: int = 2) -> Table:
    """Places of one category with at least ``least`` issues, the busiest first.

    Columns: place, category, count, extent_m, lon, lat, first, last. ``how.parameters`` has share_repeated (of all
    issues, not the first at their place), places, and gini (0: all places alike, 1: one has all).
    """
    base = within(ground(issues, area))
    used = issues.at(base.kept)
    found = again.places(base.xy, used.category.index.astype(np.int64), within_m=within_m)
    chosen = np.flatnonzero(found.count >= least)
    chosen = chosen[np.argsort(-found.count[chosen], kind="stable")]
    number = np.full(len(found.count), -1, dtype=np.int64)
    number[chosen] = np.arange(len(chosen))
    row = number[found.place] if len(used) else found.place
    middle = _means(base.xy, row, len(chosen))
    first, last = _ends(used.reported, row, len(chosen))
    kind = np.zeros(len(chosen), dtype=np.int64)
    kind[row[row >= 0]] = used.category.index[row >= 0]
    shapes = base.projection.degrees(np.asarray(shapely.points(middle)))
    columns = {
        "place": np.arange(len(chosen)),
        "category": _named(used, kind),
        "count": found.count[chosen],
        "extent_m": found.extent_m[chosen],
        "lon": shapely.get_x(shapes),
        "lat": shapely.get_y(shapes),
        "first": first,
        "last": last,
    }
    how = base.how(
        "repeats",
        parameters={
            "within_m": within_m,
            "least": least,
            "places": len(found.count),
            "share_repeated": found.share_repeated,
            "gini": again.concentration(found.count),
        },
        notes=("chained",),
        sources=again.SOURCES,
        query=issues.query,
    )
    return Table(columns, shapes, how, base.members(row))


def recurrence(
    issues: Issues, *, now: np.datetime64, area: Any = None, within_m: float = 30.0, days: tuple[int, ...] = (30, 90)
) -> tuple[Table, tuple[Recurrence, ...]]:
    """Closed issues after which the same was reported nearby, and the shares within each number of days.

    Columns: issue (position), again (position of the first that followed), category, community, unit, days.
    Only issues watched for the whole time count in a share.
    """
    base = within(ground(issues, area))
    used = issues.at(base.kept)
    closed = used.state.words() == "closed"
    ended = np.where(closed, used.ended, np.datetime64("NaT"))
    found = again.returns(
        base.xy, used.category.index, used.reported, ended, within_m=within_m, now=now.astype("datetime64[s]")
    )
    rates = []
    for span in days:
        watched, returned = found.within(span)
        share = compare.shares(np.array([returned.sum()]), np.array([watched.sum()]))
        rates.append(
            Recurrence(
                span,
                int(watched.sum()),
                int(returned.sum()),
                *(float(x[0]) for x in (share.share, share.low, share.high)),
            )
        )
    rows = np.flatnonzero((found.by >= 0) & (found.days <= max(days)))
    member = np.full(len(used), -1, dtype=np.int64)
    member[rows] = np.arange(len(rows))
    columns = {
        "issue": base.kept[rows],
        "again": base.kept[found.by[rows]],
        "category": used.category.words()[rows],
        "community": used.community.words()[rows],
        "unit": used.unit.words()[rows],
        "days": found.days[rows],
    }
    shapes = np.asarray(shapely.points(issues.lon[base.kept[rows]], issues.lat[base.kept[rows]]))
    how = base.how(
        "recurrence",
        used=int(closed.sum()),
        parameters={"within_m": within_m, "days": list(days), "now": str(now)},
        dropped={"not_closed": int((~closed).sum())},
        notes=("watched_long_enough",),
        sources=(*again.SOURCES, compare.SOURCES[1]),
        query=issues.query,
    )
    return Table(columns, shapes, how, base.members(member)), tuple(rates)


def colocation(issues: Issues, *, area: Any = None, least: int = 10, permutations: int = 199, seed: int = 1) -> Table:
    """For each ordered pair of categories with at least ``least`` issues: do they keep company?

    Columns: from, to, quotient, p, q (adjusted over all pairs), n_from, n_to. No geometry (None).
    """
    base = within(ground(issues, area))
    kind = issues.category.index[base.kept].astype(np.int64)
    names = np.array([*issues.category.names], dtype=object)
    often = np.bincount(kind[kind >= 0], minlength=len(names))
    chosen = np.flatnonzero(often >= least)
    number = np.full(len(names) + 1, -1, dtype=np.int64)
    number[chosen] = np.arange(len(chosen))
    kept = np.flatnonzero(number[kind] >= 0)
    if len(kept) > 1:
        found = association.colocation(
            base.xy[kept], number[kind[kept]], len(chosen), permutations=permutations, seed=seed
        )
        quotient, p = found.quotient.ravel(), found.p.ravel()
    else:
        quotient, p, chosen = np.zeros(0), np.zeros(0), chosen[:0]
    left, right = (axis.ravel() for axis in np.meshgrid(chosen, chosen, indexing="ij"))
    columns = {
        "from": names[left], "to": names[right], "quotient": quotient, "p": p, "q": adjusted(p),
        "n_from": often[left], "n_to": often[right],
    }  # fmt: skip
    how = base.how(
        "colocation",
        used=len(kept),
        parameters={"least": least, "permutations": permutations},
        dropped={"rare_category": len(kind) - len(kept)},
        sources=association.COLOCATION_SOURCES,
        seed=seed,
        query=issues.query,
    )
    return Table(columns, np.full(len(left), None), how)


def seasons(issues: Issues, *, zone: tzinfo = UTC) -> Table:
    """How many of each category were reported in each month of the year.

    Columns: category, month (1 to 12), count. No geometry (None).
    """
    dated = np.flatnonzero(~np.isnat(issues.reported) & (issues.category.index >= 0))
    kinds = len(issues.category.names)
    found = calendar(local(issues.reported[dated], zone), issues.category.index[dated].astype(np.int64), kinds)
    columns = {
        "category": np.repeat(np.array(issues.category.names, dtype=object), 12),
        "month": np.tile(np.arange(1, 13), kinds),
        "count": found.ravel(),
    }
    how = How("seasons", used=len(dated), crs="", dropped={"no_date": len(issues) - len(dated)}, query=issues.query)
    return Table(columns, np.full(12 * kinds, None), how)


def _named(used: Issues, kind: Ints) -> NDArray[Any]:
    return np.array([*used.category.names, ""], dtype=object)[kind]


def _settled_m2(xy: Floats) -> float:
    """The area of the square kilometres in which anything is reported: empty hills say nothing about towns."""
    return 1e6 * len(np.unique(np.floor(xy / 1000), axis=0))


def _labels(xy: Floats, used: Issues, method: str, *, reach: float, least: int, days: float, seed: int) -> Labels:
    if method == "hdbscan":
        return clusters.hdbscan(xy, least=least, seed=seed)
    if method == "dbscan":
        return clusters.dbscan(xy, within_m=reach, least=least)
    dated = np.flatnonzero(~np.isnat(used.reported))
    day = used.reported[dated].astype("datetime64[s]").astype(np.int64) / 86_400
    found = clusters.dbscan(xy[dated], within_m=reach, least=least, days=day, within_days=days)
    label, core = np.full(len(xy), -1, dtype=np.int64), np.zeros(len(xy), dtype=bool)
    label[dated], core[dated] = found.label, found.core
    return Labels(label, core)


def _branches(used: Issues) -> Ints:
    """The branch of the category tree that each issue belongs to, as a number."""
    branches = [name.partition(".")[0] for name in used.category.names]
    number = {name: n for n, name in enumerate(sorted(set(branches)))}
    numbers: Ints = np.array([*(number[name] for name in branches), -1], dtype=np.int64)
    return np.asarray(numbers[used.category.index])


def _largest_first(label: Ints, count: int, xy: Floats) -> Ints:
    """Numbered by size, and of equal sizes the westernmost first: the same in whatever order issues were read."""
    sizes = np.bincount(label[label >= 0], minlength=count)
    rank = np.empty(count + 1, dtype=np.int64)
    rank[np.lexsort((*_means(xy, label, count).T[::-1], -sizes))] = np.arange(count)
    rank[-1] = -1
    return np.asarray(rank[label])


def _described(
    base: Ground, used: Issues, label: Ints, *, core: Any, count: int, now: np.datetime64 | None
) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
    members = np.flatnonzero(label >= 0)
    members = members[np.argsort(label[members], kind="stable")]
    groups = np.split(members, np.flatnonzero(np.diff(label[members])) + 1) if count else []
    hulls = np.array([shapely.convex_hull(shapely.multipoints(base.xy[one])) for one in groups], dtype=object)
    hulls = np.asarray(shapely.buffer(hulls, _HULL_M)) if count else hulls
    middle = _means(base.xy, label, count)
    apart = ((base.xy[members] - middle[label[members]]) ** 2).sum(axis=1)
    sizes = np.bincount(label[members], minlength=count)
    at = shapely.get_coordinates(base.projection.degrees(np.asarray(shapely.points(middle)))).reshape(-1, 2)
    first, last = _ends(used.reported, label, count)
    open_ = np.isnat(used.ended)
    newest = now if now is not None else np.append(last, np.datetime64(0, "s")).max()
    age = (newest.astype("datetime64[s]") - used.reported) / _DAY
    contested = used.verdict.words() == "contested"
    tops = [_top(used, one) for one in groups]
    columns = {
        "cluster": np.arange(count),
        "count": sizes,
        "core": np.bincount(label[members], core[members], minlength=count).astype(np.int64),
        "hull_m2": np.asarray(shapely.area(hulls)) if count else np.zeros(0),
        "spread_m": np.sqrt(np.bincount(label[members], apart, minlength=count) / np.maximum(sizes, 1)),
        "lon": at[:, 0],
        "lat": at[:, 1],
        "category": np.array([top[0][0] if top else "" for top in tops], dtype=object),
        "top": np.array([", ".join(f"{name} {n}" for name, n in top) for top in tops], dtype=object),
        "first": first,
        "last": last,
        "open": np.bincount(label[members], open_[members], minlength=count).astype(np.int64),
        "median_age_days": np.array([_median(age[one[open_[one]]]) for one in groups]),
        "share_contested": np.bincount(label[members], contested[members], minlength=count) / np.maximum(sizes, 1),
    }
    return columns, hulls


def _median(values: NDArray[Any]) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else float("nan")


def _top(used: Issues, members: Ints) -> list[tuple[str, int]]:
    kinds, often = np.unique(used.category.index[members], return_counts=True)
    order = np.argsort(-often, kind="stable")[:_TOP]
    return [(used.category.names[kinds[n]], int(often[n])) for n in order.tolist() if kinds[n] >= 0]


def _means(xy: Floats, row: Ints, count: int) -> Floats:
    known = row >= 0
    sizes = np.maximum(np.bincount(row[known], minlength=count), 1)
    return np.column_stack([np.bincount(row[known], xy[known, axis], minlength=count) / sizes for axis in (0, 1)])


def _ends(
    instants: NDArray[np.datetime64], row: Ints, count: int
) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64]]:
    """The first and last instant of each row; NaT where none is known."""
    first, last = np.full(count, "NaT", dtype="datetime64[s]"), np.full(count, "NaT", dtype="datetime64[s]")
    known = (row >= 0) & ~np.isnat(instants)
    # fmin and fmax pass NaT over.
    np.fmin.at(first, row[known], instants[known].astype("datetime64[s]"))
    np.fmax.at(last, row[known], instants[known].astype("datetime64[s]"))
    return first, last
