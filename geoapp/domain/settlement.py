"""Settling responsibility (确权): land goes to one unit, and every other claim on it is cut back.

Pure: jurisdictions in force in, the versions that replace them out. A claim on more categories than are
settled is split first: what is not settled keeps its whole area.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry

from geoapp.domain.geometry import geodesic_area_m2
from geoapp.domain.overlay import SLIVER_M2, branches
from geoapp.domain.values import Name

Paths = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Claim:
    """A jurisdiction in force on the day of the settlement; ``area`` is what it holds, in EPSG:4326."""

    code: str
    unit: str
    name: Name
    categories: tuple[str, ...]
    area: BaseGeometry
    evidence: str = ""
    origin: str = ""
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class Award:
    """What is settled: this land, for these branches of categories (none: all), is this unit's."""

    unit: str
    categories: tuple[str, ...]
    area: BaseGeometry


@dataclass(frozen=True, slots=True)
class Cut:
    """What becomes of one claim: the versions that follow it. None at all: it ends."""

    claim: Claim
    become: tuple[Claim, ...]


def cut_back(claims: Iterable[Claim], award: Award, paths: Paths) -> list[Cut]:
    """Every claim of another unit on the settled land and categories, with what is left of it."""
    return list(_cuts(claims, award, paths))


def _cuts(claims: Iterable[Claim], award: Award, paths: Paths) -> Iterator[Cut]:
    settled = _leaves(award.categories, paths)
    for claim in claims:
        held = _leaves(claim.categories, paths)
        if claim.unit == award.unit or not held & settled or not _overlap(claim.area, award.area):
            continue
        left = _without(claim.area, award.area)
        untouched = held - settled
        become = []
        if untouched:
            become.append(_like(claim, claim.code, branches(untouched, paths), claim.area))
        if left is not None:
            code = f"{claim.code}~{award.unit}" if untouched else claim.code
            become.append(_like(claim, code, branches(held & settled, paths) if untouched else claim.categories, left))
        yield Cut(claim, tuple(become))


def _leaves(categories: Sequence[str], paths: Paths) -> set[str]:
    """The leaves of the tree below these branches; all of them when none is named."""
    inner = {code for path in paths.values() for code in path[:-1]}
    leaves = [code for code in paths if code not in inner]
    return {code for code in leaves if not categories or set(paths[code]) & set(categories)}


def _overlap(one: BaseGeometry, other: BaseGeometry) -> bool:
    return bool(one.intersects(other)) and geodesic_area_m2(_areas(one.intersection(other))) > SLIVER_M2


def _without(area: BaseGeometry, settled: BaseGeometry) -> BaseGeometry | None:
    """What is left of an area, without slivers; None when nothing is."""
    parts = [part for part in _areas(area.difference(settled)).geoms if geodesic_area_m2(part) > SLIVER_M2]
    return shapely.MultiPolygon(parts) if parts else None


def _areas(shape: BaseGeometry) -> shapely.MultiPolygon:
    """The polygons in whatever an overlay has left: touching outlines leave lines and points behind."""
    parts = shapely.get_parts(shapely.make_valid(shape))
    flat = [piece for part in parts for piece in shapely.get_parts(part)]
    return shapely.MultiPolygon([piece for piece in flat if piece.geom_type == "Polygon" and not piece.is_empty])


def _like(claim: Claim, code: str, categories: tuple[str, ...], area: BaseGeometry) -> Claim:
    return Claim(code, claim.unit, claim.name, categories, area, claim.evidence, claim.origin, claim.synthetic)
