"""Analyses of areas side by side: rates and their ranking, hot spots of communities, Moran's I, did it work."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoapp.domain.spatial import association, compare, hotspots
from geoapp.domain.spatial import effect as effects
from geoapp.domain.spatial.association import Moran
from geoapp.domain.spatial.columns import Areas, Issues, Table
from geoapp.domain.spatial.effect import Effect
from geoapp.domain.spatial.exposure import PER, of_areas
from geoapp.domain.spatial.grid import Floats, Ints
from geoapp.domain.spatial.ground import Ground, ground
from geoapp.domain.spatial.how import How
from geoapp.domain.spatial.surfaces import VERDICTS

_MISSING = {
    "residents": "residents_missing", "road_km": "roads_missing", "asset": "assets_missing", "km2": "land_missing",
}  # fmt: skip
QUADRANTS = np.array(["", "high_high", "low_high", "low_low", "high_low"], dtype=object)


@dataclass(frozen=True, slots=True)
class Placed:
    """Areas in metres with their issues: which area each lies in, how many, and what they are counted per."""

    ground: Ground
    areas: Areas
    shapes: NDArray[Any]
    member: Ints
    count: Ints
    exposure: Floats
    missing: int


def place(issues: Issues, areas: Areas, denominator: str) -> Placed:
    """Count issues by area: by the community that they are known to belong to, else by where they lie.

    The issues of a unit are those that it is responsible for, wherever they lie. ``denominator`` is count (all areas
    alike), km2, residents, road_km or asset. Raises ValueError for another.
    """
    whole = shapely.union_all(shapely.envelope(areas.geometry))
    # Units may have issues and no land at all.
    base = ground(issues, None if shapely.is_empty(whole) else whole)
    shapes = base.projection.projected(areas.geometry)
    number = {code: n for n, code in enumerate(areas.code)}
    codes = issues.unit if areas.of == "unit" else issues.community
    known = np.array([*(number.get(name, -1) for name in codes.names), -1], dtype=np.int64)
    member = known[codes.index[base.kept]]
    lost = np.flatnonzero(member < 0)
    if lost.size and areas.of != "unit":
        points = shapely.points(base.xy[lost])
        which, area = shapely.STRtree(np.asarray(points)).query(shapes, predicate="intersects")[::-1]
        # Where areas overlap, the first of them.
        member[lost[which[::-1]]] = area[::-1]
    if denominator == "count":
        exposure = np.ones(len(shapes))
    elif denominator == "km2":
        exposure = np.asarray(shapely.area(shapes)) / 1e6
    else:
        exposure = of_areas(areas, denominator)
    missing = int((~(np.nan_to_num(exposure) > 0)).sum())
    return Placed(
        base, areas, shapes, member, np.bincount(member[member >= 0], minlength=len(shapes)), exposure, missing
    )


def compare_areas(
    issues: Issues, areas: Areas, *, denominator: str = "count", confidence: float = compare.CONFIDENCE
) -> Table:
    """Areas side by side, highest rate first.

    Columns: code, zh, en, count, exposure, rate, low, high (exact), ratio, ratio_low, ratio_high (to all together),
    shrunk, unlike (the interval of the ratio leaves out 1), contested, contested_low, contested_high, small. A rate is
    per area, per km², per 1,000 residents, per km of road or per asset; NaN where that is not known.
    """
    placed = place(issues, areas, denominator)
    found = compare.rates(placed.count, placed.exposure, per=PER[denominator], confidence=confidence)
    contested = issues.verdict.words()[placed.ground.kept] == "contested"
    here = placed.member >= 0
    part = np.bincount(placed.member[here & contested], minlength=len(placed.shapes))
    share = compare.shares(part, placed.count, confidence=confidence)
    columns = {
        "code": np.array(areas.code, dtype=object), "zh": np.array(areas.zh, dtype=object),
        "en": np.array(areas.en, dtype=object), "count": placed.count, "exposure": placed.exposure,
        "rate": found.rate, "low": found.low, "high": found.high, "ratio": found.ratio,
        "ratio_low": found.ratio_low, "ratio_high": found.ratio_high, "shrunk": found.shrunk,
        "unlike": (found.ratio_low > 1) | (found.ratio_high < 1), "contested": share.share,
        "contested_low": share.low, "contested_high": share.high, "small": placed.count < hotspots.LEAST,
    }  # fmt: skip
    order = np.argsort(-np.nan_to_num(found.rate, nan=-1.0), kind="stable")
    number = np.empty(len(order) + 1, dtype=np.int64)
    number[order], number[-1] = np.arange(len(order)), -1
    how = _how(
        placed, issues, "compare",
        parameters={"denominator": denominator, "confidence": confidence, "overall": found.overall},
        sources=compare.SOURCES,
    )  # fmt: skip
    return Table(
        {name: column[order] for name, column in columns.items()}, areas.geometry[order], how,
        placed.ground.members(number[placed.member]),
    )  # fmt: skip


def hot_areas(
    issues: Issues,
    areas: Areas,
    *,
    denominator: str = "km2",
    alpha: float = hotspots.ALPHA,
    least: int = hotspots.LEAST,
) -> Table:
    """Gi* of the rates of areas that touch; columns as of hot_spots, with code, zh, en and exposure."""
    placed = place(issues, areas, denominator)
    near = association.contiguity(placed.shapes, itself=True)
    exposure = np.nan_to_num(placed.exposure)
    counts = np.where(exposure > 0, placed.count, 0)
    found = hotspots.on_areas(counts, near, exposure=exposure, alpha=alpha, least=least)
    columns = {
        "code": np.array(areas.code, dtype=object), "zh": np.array(areas.zh, dtype=object),
        "en": np.array(areas.en, dtype=object), "count": found.count, "exposure": placed.exposure,
        "neighbours": found.neighbours, "around": found.around, "expected": found.expected, "z": found.z,
        "p": found.p, "q": found.q, "verdict": VERDICTS[found.verdict + 1], "small": found.small,
    }  # fmt: skip
    how = _how(
        placed, issues, "gi_star_areas",
        parameters={"denominator": denominator, "alpha": alpha, "least": least},
        notes=("exact_tails", "fdr", "minimum_n"), sources=hotspots.SOURCES,
    )  # fmt: skip
    return Table(columns, areas.geometry, how, placed.ground.members(placed.member))


def likeness(
    issues: Issues, areas: Areas, *, denominator: str = "km2", permutations: int = 999, seed: int = 1,
    alpha: float = hotspots.ALPHA,
) -> tuple[Table, Moran]:  # fmt: skip
    """Moran's I of the rates of areas that touch, local and global.

    Columns: code, zh, en, count, rate, i, quadrant (high_high, low_high, low_low, high_low), p, q, significant.
    Areas without a denominator are left out. Raises ValueError where all rates are the same.
    """
    placed = place(issues, areas, denominator)
    chosen = np.flatnonzero(np.nan_to_num(placed.exposure) > 0)
    rate = placed.count[chosen] / placed.exposure[chosen] * PER[denominator]
    weights = association.row_standardised(association.contiguity(placed.shapes[chosen]))
    whole = association.moran(rate, weights, permutations=permutations, seed=seed)
    local = association.local_moran(rate, weights, permutations=permutations, seed=seed)
    q = hotspots.adjusted(local.p)
    columns = {
        "code": np.array(areas.code, dtype=object)[chosen], "zh": np.array(areas.zh, dtype=object)[chosen],
        "en": np.array(areas.en, dtype=object)[chosen], "count": placed.count[chosen], "rate": rate, "i": local.i,
        "quadrant": QUADRANTS[local.quadrant], "p": local.p, "q": q, "significant": q <= alpha,
    }  # fmt: skip
    how = _how(
        placed, issues, "moran", seed=seed,
        parameters={"denominator": denominator, "permutations": permutations, "alpha": alpha},
        notes=("fdr",), sources=association.SOURCES,
    )  # fmt: skip
    number = np.full(len(placed.shapes) + 1, -1, dtype=np.int64)
    number[chosen] = np.arange(len(chosen))
    return Table(columns, areas.geometry[chosen], how, placed.ground.members(number[placed.member])), whole


def did_it_work(
    issues: Issues,
    areas: Areas,
    treated: Any,
    *,
    began: np.datetime64,
    ended: np.datetime64,
    now: np.datetime64,
    days: int = 180,
    controls: int = 5,
) -> tuple[Effect, tuple[str, ...], How]:
    """Issues reported in the ``treated`` polygon (EPSG:4326) before ``began`` and after ``ended``, against controls.

    Both periods are ``days`` long; the one after is shorter if ``now`` is. Controls are the areas that do not touch the
    treated one and whose course by 30 days before was most alike. Returns the effect, the controls' codes, and how.
    """
    placed = place(issues, areas, "count")
    project = placed.ground.projection.projected(treated)
    shapely.prepare(project)
    inside = shapely.contains_xy(project, placed.ground.xy[:, 0], placed.ground.xy[:, 1])
    reported = issues.reported[placed.ground.kept].astype("datetime64[s]")
    span = np.timedelta64(days, "D")
    until = min(ended + span, now).astype("datetime64[s]")
    start = (began - span).astype("datetime64[s]")
    before = (reported >= start) & (reported < began)
    after = (reported >= ended) & (reported < until)
    free = np.flatnonzero(~shapely.intersects(placed.shapes, project))
    slot = np.clip((reported - start) // np.timedelta64(30, "D"), 0, max(-(-days // 30) - 1, 0)).astype(np.int64)
    slots = max(-(-days // 30), 1)
    own = np.bincount(slot[before & inside], minlength=slots)
    here = before & ~inside & (placed.member >= 0)
    grid = np.bincount(placed.member[here] * slots + slot[here], minlength=len(placed.shapes) * slots)
    chosen = free[effects.matched(own, grid.reshape(-1, slots)[free], count=controls)]
    of_area = np.where(inside, -1, placed.member)
    c0, c1 = (
        np.array([(when & (of_area == one)).sum() for one in chosen.tolist()], dtype=np.int64)
        for when in (before, after)
    )
    length = max((until - ended.astype("datetime64[s]")) / np.timedelta64(1, "D"), 0.0)
    found = effects.effect(
        int((before & inside).sum()), int((after & inside).sum()), c0, c1, days=(float(days), float(length))
    )
    how = _how(
        placed, issues, "did_it_work",
        parameters={
            "began": str(began), "ended": str(ended), "days_before": days, "days_after": round(float(length), 1),
            "controls": [areas.code[one] for one in chosen.tolist()], "inflation": found.inflation,
        },
        notes=("ratio_of_ratios", found.why), sources=effects.SOURCES,
    )  # fmt: skip
    return found, tuple(areas.code[one] for one in chosen.tolist()), how


def _how(placed: Placed, issues: Issues, method: str, **more: Any) -> How:
    here = int((placed.member >= 0).sum())
    by_unit = placed.areas.of == "unit"
    lost = "of_no_unit" if by_unit else "in_no_area"
    parameters = more.pop("parameters")
    notes = (*more.pop("notes", ()), *((_MISSING[parameters.get("denominator", "")],) if placed.missing else ()),
             *(("land_overlaps",) if by_unit else ()))  # fmt: skip
    parameters = {**parameters, "areas": len(placed.shapes), "without_denominator": placed.missing}
    return placed.ground.how(
        method, used=here, dropped={lost: len(placed.member) - here}, notes=notes, parameters=parameters,
        query=issues.query, **more,
    )  # fmt: skip
