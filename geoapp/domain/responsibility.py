"""Whose is it? — the verdict (权责判定) over one place, from the jurisdictions in and around it.

Pure: hits in, a ranked and explained verdict out. store.judging states the same rule in SQL for
many issues at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from geoapp.domain.values import NEAR_EDGE_M, Name, VerdictClass


class Fit(IntEnum):
    """How closely a jurisdiction's categories fit the issue's."""

    ANY = 0
    BRANCH = 1
    EXACT = 2


@dataclass(frozen=True, slots=True)
class Hit:
    """One jurisdiction in or near a place. ``edge_m``: metres to its edge, whichever side the place is on."""

    unit: str
    unit_name: Name
    jurisdiction: str
    jurisdiction_name: Name
    inside: bool
    edge_m: float
    area_m2: float
    fit: Fit
    evidence: str = ""
    phone: str = ""
    reach_m: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The class, and for each unit its best hit: units that hold the place first, then those close by."""

    verdict: VerdictClass
    candidates: tuple[Hit, ...]


def classify(inside: int, near: int) -> VerdictClass:
    """The class from two counts of units: those that hold the place, and those that hold it or are near."""
    if inside == 0:
        return VerdictClass.ORPHAN
    if inside > 1:
        return VerdictClass.CONTESTED
    return VerdictClass.NEAR if near > 1 else VerdictClass.CLEAR


def tolerance_m(accuracy_m: float | None) -> float:
    """How close an edge must be to matter, in metres: 25 m, or the point's own accuracy when that is worse."""
    return max(accuracy_m or 0.0, NEAR_EDGE_M)


def judge(hits: Iterable[Hit]) -> Verdict:
    """Rank the units by their best hit and class the place.

    A unit that holds the place comes before one nearby; then the closer fit of categories, then the
    smaller (more particular) jurisdiction, then the nearer edge.
    """
    best: dict[str, Hit] = {}
    for hit in hits:
        if hit.unit not in best or _rank(hit) < _rank(best[hit.unit]):
            best[hit.unit] = hit
    ranked = tuple(sorted(best.values(), key=_rank))
    return Verdict(classify(sum(hit.inside for hit in ranked), len(ranked)), ranked)


def _rank(hit: Hit) -> tuple[bool, int, float, float, str]:
    if hit.inside:
        return (False, -hit.fit, hit.area_m2, -hit.edge_m, hit.unit)
    return (True, 0, hit.edge_m, hit.area_m2, hit.unit)
