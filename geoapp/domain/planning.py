"""What a planner can ask for: one value per question, whose parts that do not matter are left out.

Pure. Two planners who ask the same have the same ``Ask``, and so the same kept result.
"""

import json
from dataclasses import dataclass, fields, replace
from datetime import date
from enum import StrEnum
from typing import Any

from geoapp.domain.values import IssueState, VerdictClass


class Analysis(StrEnum):
    HOT_SPOTS = "hotspots"
    CLUSTERS = "clusters"
    DENSITY = "density"
    TRENDS = "trends"
    REPEATS = "repeats"
    ASSOCIATION = "association"
    COMPARE = "compare"


class Cells(StrEnum):
    """The unit of analysis: places with a name, or cells of a grid."""

    COMMUNITY = "community"
    STREET = "street"
    SQUARE = "square"
    HEXAGON = "hexagon"
    UNIT = "unit"


class Per(StrEnum):
    """What issues are counted per (分母)."""

    COUNT = "count"
    RESIDENTS = "residents"
    KM2 = "km2"
    ROAD_KM = "road_km"
    ASSET = "asset"


class Method(StrEnum):
    """How clusters are found."""

    DBSCAN = "dbscan"
    SPACE_TIME = "space_time"
    HDBSCAN = "hdbscan"


AREAS = (Cells.COMMUNITY, Cells.STREET)
GRIDS = (Cells.SQUARE, Cells.HEXAGON)
UNITS = {
    Analysis.HOT_SPOTS: (*AREAS, *GRIDS),
    Analysis.TRENDS: GRIDS,
    Analysis.ASSOCIATION: AREAS,
    Analysis.COMPARE: (*AREAS, Cells.UNIT),
}
"""The units that an analysis can be made of; one that is not named here has none."""
MATTERS: dict[Analysis, frozenset[str]] = {
    Analysis.HOT_SPOTS: frozenset({"cells", "cell_m", "per", "asset"}),
    Analysis.CLUSTERS: frozenset({"method", "within_m", "within_days", "least", "by_category"}),
    Analysis.DENSITY: frozenset({"bandwidth_m"}),
    Analysis.TRENDS: frozenset({"cells", "cell_m"}),
    Analysis.REPEATS: frozenset({"within_m"}),
    Analysis.ASSOCIATION: frozenset({"cells", "per", "asset"}),
    Analysis.COMPARE: frozenset({"cells", "per", "asset"}),
}
_ALWAYS = frozenset({"analysis", "day", "places", "categories", "states", "verdicts", "since", "until"})


@dataclass(frozen=True, slots=True)
class Ask:
    """An analysis of the issues of some places, as of ``day``; sizes that are None are suggested from the data."""

    analysis: Analysis
    day: date
    places: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    states: tuple[IssueState, ...] = ()
    verdicts: tuple[VerdictClass, ...] = ()
    since: date | None = None
    until: date | None = None
    cells: Cells = Cells.SQUARE
    cell_m: float | None = None
    per: Per = Per.COUNT
    method: Method = Method.DBSCAN
    within_m: float | None = None
    within_days: float = 30.0
    least: int = 10
    bandwidth_m: float | None = None
    by_category: bool = False
    asset: str = ""
    """The kind of assets, where issues are counted per asset."""

    @property
    def of_areas(self) -> bool:
        """True when it is about places with a name, not about a grid."""
        return self.cells not in GRIDS

    def normal(self) -> "Ask":
        """The same question without what makes no difference to its answer."""
        matter = MATTERS[self.analysis] | _ALWAYS
        defaults = {field.name: field.default for field in fields(self) if field.name not in matter}
        plain = replace(self, **defaults)  # type: ignore[arg-type]
        units = UNITS.get(plain.analysis)
        if units and plain.cells not in units:
            plain = replace(plain, cells=units[0])
        if plain.of_areas:
            plain = replace(plain, cell_m=None)
        if plain.per is not Per.ASSET:
            plain = replace(plain, asset="")
        if plain.method is Method.HDBSCAN:
            plain = replace(plain, within_m=None)
        if plain.method is not Method.SPACE_TIME:
            plain = replace(plain, within_days=30.0)
        return replace(
            plain,
            places=tuple(sorted(set(plain.places))),
            categories=tuple(sorted(set(plain.categories))),
            states=tuple(sorted(set(plain.states))),
            verdicts=tuple(sorted(set(plain.verdicts))),
        )

    def as_json(self) -> dict[str, Any]:
        """What differs from the usual, in the types of JSON."""
        told: dict[str, Any] = {"analysis": str(self.analysis), "day": self.day.isoformat()}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in told or value == field.default:
                continue
            if isinstance(value, tuple):
                value = [str(one) for one in value]
            told[field.name] = value if isinstance(value, (int, float, list)) else str(value)
        return told

    def words(self) -> str:
        """The same question is the same text, and another question another."""
        return json.dumps(self.normal().as_json(), sort_keys=True, ensure_ascii=False)


def read(told: dict[str, Any]) -> Ask:
    """What ``as_json`` has told."""
    turned = dict(told) | {"analysis": Analysis(told["analysis"])}
    for name, kind in (("cells", Cells), ("per", Per), ("method", Method)):
        if name in turned:
            turned[name] = kind(turned[name])
    for name in ("day", "since", "until"):
        if name in turned:
            turned[name] = date.fromisoformat(turned[name])
    for name, part in (("places", str), ("categories", str), ("states", IssueState), ("verdicts", VerdictClass)):
        turned[name] = tuple(part(one) for one in turned.get(name, ()))
    return Ask(**turned)
