"""What issues are counted per: residents, assets and roads of the areas of a question, and where they come from.

What is not known is said and never guessed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoapp.domain.planning import Ask, Cells, Per
from geoapp.domain.spatial.columns import Areas, Issues
from geoapp.domain.spatial.exposure import road_km
from geoapp.domain.spatial.grid import Floats
from geoapp.domain.values import PlaceKind, Viewer
from geoapp.services import assets, residents, roads, snapshots
from geoapp.services.assets import Stock
from geoapp.services.residents import Count

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Given:
    """Areas with their denominators, the lines of roads where they are one, and ``told``: of how many it is known."""

    areas: Areas
    told: dict[str, Any]
    roads: NDArray[Any] | None = None


def of_places(viewer: Viewer, ask: Ask, areas: Areas) -> Given:
    """Of communities or streets, or of the communities under a grid."""
    if ask.per is Per.ROAD_KM:
        return _roads(viewer, areas)
    counts: Sequence[Count | Stock] = assets.known(ask.asset) if ask.per is Per.ASSET else residents.known()
    per_place = {one.code: float(one.assets if isinstance(one, Stock) else one.residents) for one in counts}
    if ask.cells is Cells.STREET:
        numbers = np.array([_of_street(viewer, code, ask, per_place) for code in areas.code], dtype=float)
    else:
        numbers = np.array([per_place.get(code, np.nan) for code in areas.code], dtype=float)
    areas = replace(areas, assets=numbers) if ask.per is Per.ASSET else replace(areas, residents=numbers)
    return Given(areas, _told(areas, numbers, counts))


def of_units(viewer: Viewer, ask: Ask, issues: Issues, land: Areas) -> Given:
    """Of units with land in the study area or issues of the question; nobody counts residents or assets by unit."""
    with_issues = {issues.unit.names[n] for n in np.unique(issues.unit.index[issues.unit.index >= 0]).tolist()}
    here = ~shapely.is_empty(land.geometry) | np.array([code in with_issues for code in land.code], dtype=bool)
    kept = np.flatnonzero(here).tolist()
    land = Areas(
        tuple(land.code[n] for n in kept), tuple(land.zh[n] for n in kept), tuple(land.en[n] for n in kept),
        land.geometry[here], land.residents[here], of=land.of,
    )  # fmt: skip
    return _roads(viewer, land) if ask.per is Per.ROAD_KM else Given(land, _told(land, land.residents, ()))


def _roads(viewer: Viewer, areas: Areas) -> Given:
    lines = snapshots.road_lines(viewer, areas.geometry)
    metres = road_km(areas.geometry, lines)
    # Of an area without any road that is known nobody can say that it has none.
    known = np.where(metres > 0, metres, np.nan)
    standing = roads.standing()
    told = {
        "known": int(np.isfinite(known).sum()), "areas": len(areas.code), "km": float(np.nansum(known)),
        "missing": _missing(areas, known), "years": [], "sources": list(standing.origins)[:5],
        "synthetic": standing.synthetic,
    }  # fmt: skip
    return Given(replace(areas, road_km=known), told, lines)


def _told(areas: Areas, numbers: Floats, counts: Iterable[Count | Stock]) -> dict[str, Any]:
    counts = list(counts)
    return {
        "known": int(np.isfinite(numbers).sum()), "areas": len(areas.code), "missing": _missing(areas, numbers),
        "years": sorted({one.year for one in counts}), "sources": sorted({one.source for one in counts})[:5],
        "synthetic": any(one.synthetic for one in counts),
    }  # fmt: skip


def _missing(areas: Areas, numbers: Floats) -> list[str]:
    return [code for code, n in zip(areas.code, numbers.tolist(), strict=True) if not n >= 0][:SHOWN]


def _of_street(viewer: Viewer, code: str, ask: Ask, known: Mapping[str, float]) -> float:
    """Of a street: as told, else of its communities together, if all of them are known."""
    if code in known:
        return known[code]
    parts = snapshots.areas(viewer, PlaceKind.COMMUNITY, on=ask.day, within=(code,)).code
    counts = [known.get(one, np.nan) for one in parts]
    return float(np.sum(counts)) if counts else float("nan")
