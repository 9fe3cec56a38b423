"""Many areas laid over each other: unclear land from jurisdictions, overlaps and gaps between neighbours.

Everything is found from one overlay: all outlines are cut where they cross, the faces between them are
told apart by which areas hold them, and faces alike are put together again. Pairs are never united in a loop.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from geoapp.domain.boundaries import Gap, Overlap
from geoapp.domain.geometry import geodesic_area_m2
from geoapp.domain.values import VerdictClass

SLIVER_M2 = 1.0
"""Smaller pieces of land are the noise of digitising, not somebody's problem (square metres)."""
GAP_WIDTH_M = 200.0
"""Land that none holds lies *between* neighbours when they are nearer to each other than this (metres)."""

_DEGREE_M = 111_195.08
_SLIT, _ENCLOSED = 0.8, 0.999
_TOUCH_M = 0.01
_STUDY = -1

Paths = Mapping[str, Sequence[str]]
"""Each category's code with its path: its own code and those of all nodes above it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A jurisdiction in force: whose (the unit's id), for which branches of the tree (none: all), where."""

    unit: int
    categories: tuple[str, ...]
    area: BaseGeometry


@dataclass(frozen=True, slots=True)
class UnclearArea:
    """One connected piece of unclear land, for these branches of the tree (none: all)."""

    verdict: VerdictClass
    units: tuple[int, ...]
    categories: tuple[str, ...]
    area: BaseGeometry
    area_m2: float


def unclear_land(claims: Sequence[Claim], study_area: BaseGeometry, paths: Paths) -> list[UnclearArea]:
    """Contested land (claims of two or more units) and, in the study area, orphan land (of none), EPSG:4326.

    Categories with the same claims are one case; the same land between the same units in several
    cases comes once, with all their categories.
    """
    faces, holders = _faces([study_area, *(claim.area for claim in claims)])
    leaves_of: dict[tuple[VerdictClass, tuple[int, ...], tuple[int, ...]], set[str]] = defaultdict(set)
    for profile, leaves in _profiles(claims, paths).items():
        for (verdict, units), alike in _cases(holders, claims, profile).items():
            leaves_of[verdict, units, tuple(alike)].update(leaves)
    pieces: dict[tuple[VerdictClass, tuple[int, ...], bytes], set[str]] = defaultdict(set)
    for (verdict, units, members), leaves in leaves_of.items():
        for part in shapely.get_parts(shapely.coverage_union_all(faces[list(members)])):
            pieces[verdict, units, shapely.to_wkb(shapely.normalize(part))].update(leaves)
    found = []
    for (verdict, units, wkb), leaves in pieces.items():
        area = shapely.from_wkb(wkb)
        if (area_m2 := geodesic_area_m2(area)) > SLIVER_M2:
            found.append(UnclearArea(verdict, units, branches(leaves, paths), area, area_m2))
    return found


def branches(leaves: Iterable[str], paths: Paths) -> tuple[str, ...]:
    """The fewest branches of the tree that hold exactly these leaves; none when these are all leaves."""
    chosen, below, leaves_of_tree = set(leaves), defaultdict(set), _leaves(paths)
    for leaf in leaves_of_tree:
        for node in paths[leaf]:
            below[node].add(leaf)
    if chosen == set(leaves_of_tree):
        return ()
    full = {node for node, held in below.items() if held <= chosen}
    return tuple(sorted(node for node in full if not any(above in full for above in paths[node] if above != node)))


def overlaps(areas: Mapping[str, BaseGeometry]) -> tuple[Overlap, ...]:
    """Every two areas (EPSG:4326, by name) that hold the same land, largest first."""
    names, shapes = list(areas), np.array(list(areas.values()), dtype=object)
    first, second = STRtree(shapes).query(shapes, predicate="intersects")
    first, second = first[first < second], second[first < second]
    common = shapely.intersection(shapes[first], shapes[second])
    found = (
        Overlap(names[a], names[b], round(area_m2, 1))
        for a, b, shape in zip(first, second, common, strict=True)
        if (area_m2 := geodesic_area_m2(shape)) > SLIVER_M2
    )
    return tuple(sorted(found, key=lambda overlap: (-overlap.m2, overlap.a, overlap.b)))


def gaps(areas: Mapping[str, BaseGeometry]) -> tuple[Gap, ...]:
    """Land between these areas (EPSG:4326, by name) that none holds, largest first.

    That is land which they enclose, and open slits between neighbours nearer than ``GAP_WIDTH_M``:
    what closing the union (growing and shrinking it by half of that) adds, where at least four
    fifths of its outline are outlines of two or more areas. An outward corner is not a slit.
    """
    if not areas:
        return ()
    names, shapes = list(areas), np.array(list(areas.values()), dtype=object)
    middle = float(np.mean(shapely.total_bounds(shapes)[[1, 3]]))
    scale = np.array([_DEGREE_M * math.cos(math.radians(middle)), _DEGREE_M])
    flat = shapely.transform(shapes, lambda xy: xy * scale)
    parts = _empty_parts(shapely.union_all(flat))
    found = []
    for part, (share, beside) in zip(parts, _neighbours(parts, flat), strict=True):
        between = share >= _ENCLOSED or (share >= _SLIT and len(beside) > 1)
        if between and (area_m2 := geodesic_area_m2(shapely.transform(part, lambda xy: xy / scale))) > SLIVER_M2:
            found.append(Gap(tuple(sorted(names[i] for i in beside)), round(area_m2, 1)))
    return tuple(sorted(found, key=lambda gap: (-gap.m2, gap.beside)))


def _faces(areas: Sequence[BaseGeometry]) -> tuple[Any, dict[frozenset[int], list[int]]]:
    """All faces between the outlines, and for each set of holders its faces; the first area is _STUDY."""
    outlines = {shapely.to_wkb(outline): outline for outline in shapely.boundary(areas)}
    noded = shapely.union_all(list(outlines.values()))
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    inside = STRtree(shapely.point_on_surface(faces)).query(np.array(areas, dtype=object), predicate="contains")
    held: dict[int, set[int]] = {index: set() for index in range(len(faces))}
    for area, face in zip(*inside.tolist(), strict=True):
        held[face].add(area - 1)
    alike: dict[frozenset[int], list[int]] = defaultdict(list)
    for face, holders in held.items():
        alike[frozenset(holders)].append(face)
    return faces, alike


def _profiles(claims: Sequence[Claim], paths: Paths) -> dict[frozenset[int], set[str]]:
    """The sets of claims that apply together, each with the leaves of the tree to which they apply."""
    profiles: dict[frozenset[int], set[str]] = defaultdict(set)
    for leaf in _leaves(paths):
        above = set(paths[leaf])
        applying = (i for i, claim in enumerate(claims) if not claim.categories or above & set(claim.categories))
        profiles[frozenset(applying)].add(leaf)
    if not profiles:
        profiles[frozenset(i for i, claim in enumerate(claims) if not claim.categories)] = set()
    return profiles


def _cases(
    holders: Mapping[frozenset[int], list[int]], claims: Sequence[Claim], profile: frozenset[int]
) -> dict[tuple[VerdictClass, tuple[int, ...]], list[int]]:
    """The unclear faces of one profile, by verdict and units."""
    cases: dict[tuple[VerdictClass, tuple[int, ...]], list[int]] = defaultdict(list)
    for holding, faces in holders.items():
        units = tuple(sorted({claims[i].unit for i in holding & profile}))
        if len(units) > 1:
            cases[VerdictClass.CONTESTED, units] += faces
        elif not units and _STUDY in holding:
            cases[VerdictClass.ORPHAN, units] += faces
    return {case: sorted(faces) for case, faces in cases.items()}


def _leaves(paths: Paths) -> list[str]:
    inner = {node for code, path in paths.items() for node in path if node != code}
    return [code for code in paths if code not in inner]


def _empty_parts(whole: BaseGeometry) -> list[Any]:
    """What closing adds to a shape in metres, and its holes, in connected parts."""
    closed = whole.buffer(GAP_WIDTH_M / 2).buffer(-GAP_WIDTH_M / 2)
    holes = [shapely.Polygon(ring) for part in shapely.get_parts(whole) for ring in part.interiors]
    added = shapely.difference(shapely.union_all([closed, *holes]), whole)
    return [part for part in shapely.get_parts(added) if part.area > SLIVER_M2 / 2]


def _neighbours(parts: Sequence[BaseGeometry], areas: Any) -> list[tuple[float, set[int]]]:
    """For each part the share of its outline that lies on the areas' outlines, and which areas those are."""
    rings, part_of = shapely.get_parts(shapely.boundary(parts), return_index=True)
    points, ring_of = shapely.get_coordinates(rings, return_index=True)
    joined = ring_of[:-1] == ring_of[1:]
    starts, ends, owner = points[:-1][joined], points[1:][joined], part_of[ring_of[:-1][joined]]
    middles, lengths = shapely.points((starts + ends) / 2), np.hypot(*(ends - starts).T)
    side, area = STRtree(areas).query(middles, predicate="dwithin", distance=_TOUCH_M)
    along = np.zeros(len(lengths))
    along[side] = lengths[side]
    shares = np.bincount(owner, along, len(parts)) / np.bincount(owner, lengths, len(parts))
    beside: list[set[int]] = [set() for _ in parts]
    for part, index in zip(owner[side].tolist(), area.tolist(), strict=True):
        beside[part].add(index)
    return list(zip(shares.tolist(), beside, strict=True))
