"""The words of a road network: classes, ways of getting about with their speeds, and estimates where no road is known.

How lines become a network is ``domain.roadnet``, how a way is found in it ``domain.roadgraph``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoapp.domain.boundaries import Remark
from geoapp.domain.geometry import geodesic_distances_m


class Mode(StrEnum):
    """How one gets about: on foot 步行, or by car 驾车."""

    WALKING = "walking"
    DRIVING = "driving"


class RoadClass(StrEnum):
    """Ten kinds of roads, the great ones first; names and meaning follow OpenStreetMap where it has them."""

    MOTORWAY = "motorway"
    TRUNK = "trunk"
    PRIMARY = "primary"
    SECONDARY = "secondary"
    TERTIARY = "tertiary"
    STREET = "street"
    SERVICE = "service"
    TRACK = "track"
    PATH = "path"
    STEPS = "steps"


_C = RoadClass
_WALK_KMH = 5.0
KMH: Mapping[Mode, Mapping[RoadClass, float]] = {
    Mode.WALKING: {one: _WALK_KMH for one in _C if one not in {_C.MOTORWAY, _C.STEPS}} | {_C.STEPS: 3.0},
    Mode.DRIVING: {
        _C.MOTORWAY: 80.0,
        _C.TRUNK: 50.0,
        _C.PRIMARY: 40.0,
        _C.SECONDARY: 35.0,
        _C.TERTIARY: 30.0,
        _C.STREET: 20.0,
        _C.SERVICE: 12.0,
        _C.TRACK: 12.0,
    },
}
"""Speeds that one really makes, waiting included, not those on the signs. A class that is missing is closed."""

DETOUR: Mapping[Mode, float] = {Mode.WALKING: 1.3, Mode.DRIVING: 1.4}
"""How much longer a way is than the great circle, where no road is known.

Newell (Traffic Flow on Transportation Networks, 1980) gives 1.2 for random points of a city; Kim et al. (J. Korean
Soc. Agric. Eng. 57(4), 2015) measured 1.26 for South Korea and 1.435 for Gangwon, its most mountainous province.
Towns in valleys lie between: on foot, where steps and passages help, 1.3; by car 1.4.
"""
ESTIMATED_KMH: Mapping[Mode, float] = {Mode.WALKING: _WALK_KMH, Mode.DRIVING: 25.0}
WALK_MPS = _WALK_KMH / 3.6

FAR_M = 500.0
"""Farther than this from any road, a place is said to be far; its last bit is a straight walk in any case."""
BEYOND_M = 2000.0
"""Farther than this, the network says nothing about the place, and its legs are estimated."""

_SAME = {
    "residential": _C.STREET,
    "unclassified": _C.STREET,
    "living_street": _C.STREET,
    "road": _C.STREET,
    "footway": _C.PATH,
    "pedestrian": _C.PATH,
    "cycleway": _C.PATH,
    "bridleway": _C.PATH,
    "高速公路": _C.MOTORWAY,
    "快速路": _C.TRUNK,
    "国道": _C.TRUNK,
    "主干路": _C.PRIMARY,
    "省道": _C.PRIMARY,
    "次干路": _C.SECONDARY,
    "县道": _C.SECONDARY,
    "支路": _C.TERTIARY,
    "乡道": _C.TERTIARY,
    "街巷": _C.STREET,
    "村道": _C.STREET,
    "内部道路": _C.SERVICE,
    "机耕道": _C.TRACK,
    "步行道": _C.PATH,
    "人行道": _C.PATH,
    "梯道": _C.STEPS,
}
_BOTH = {"", "no", "0", "false", "none", "both", "b", "双向"}
_FORWARD = {"yes", "1", "true", "forward", "ft", "单向"}
_BACKWARD = {"-1", "reverse", "backward", "tf"}


def class_of(word: str, further: Mapping[str, RoadClass]) -> RoadClass | None:
    """The class that a word of a file means; ``further`` are words of that file. None for an unknown word."""
    word = word.strip().lower()
    if word in further:
        return further[word]
    word = word.removesuffix("_link")
    if word.startswith("track"):
        return RoadClass.TRACK
    if word in _SAME:
        return _SAME[word]
    return RoadClass(word) if word in set(RoadClass) else None


def direction_of(word: str, *, letters: bool) -> int | None:
    """1 along the line only, -1 against it only, 0 both ways; None for a word that says nothing.

    With ``letters``, F and T are Geofabrik's "from-to" and "to-from"; else they could as well be false and true.
    """
    word = word.strip().lower()
    if letters and word in {"f", "t"}:
        return 1 if word == "f" else -1
    for words, direction in ((_BOTH, 0), (_FORWARD, 1), (_BACKWARD, -1)):
        if word in words:
            return direction
    return None


def estimate(points: NDArray[np.float64], mode: Mode) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Metres and seconds between all of these points (rows of lon, lat): great circle times the detour factor."""
    metres = geodesic_distances_m(points) * DETOUR[mode]
    return metres, metres / (ESTIMATED_KMH[mode] / 3.6)


@dataclass(frozen=True, slots=True)
class RoadReport:
    """What became of a file of roads. ``parts`` of the network are not joined; ``largest`` is the share of the first.

    ``crossings`` are places where lines cross without a vertex in common: bridges, or roads that were not joined.
    """

    read: int = 0
    taken: int = 0
    edges: int = 0
    nodes: int = 0
    metres: float = 0.0
    parts: int = 0
    largest: float = 0.0
    crossings: int = 0
    joined: bool = False
    replaced: int = 0
    rejected: tuple[Remark, ...] = ()
    notes: tuple[str, ...] = ()
    crs: str = ""
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "read": self.read,
            "taken": self.taken,
            "rejected": len(self.rejected),
            "edges": self.edges,
            "nodes": self.nodes,
            "km": round(self.metres / 1000, 3),
            "parts": self.parts,
            "largest_part": round(self.largest, 4),
            "crossings": self.crossings,
            "crossings_joined": self.joined,
            "replaced_edges": self.replaced,
            "crs": self.crs,
            "dry_run": self.dry_run,
            "rejections": [{"row": one.row, "code": one.code, "what": one.what} for one in self.rejected],
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        joined = "joined" if self.joined else "taken as bridges; --node-crossings joins them"
        return [
            f"read {self.read}, taken {self.taken}, rejected {len(self.rejected)}"
            + (" (dry run: nothing was kept)" if self.dry_run else ""),
            *(f"note: {note}" for note in self.notes),
            *(f"rejected: row {one.row} {one.code}: {one.what}" for one in self.rejected),
            f"network: {self.metres / 1000:,.1f} km in {self.edges:,} edges between {self.nodes:,} nodes",
            f"parts that are not joined: {self.parts:,}; the largest has {self.largest:.1%} of the nodes",
            f"crossings without a common vertex: {self.crossings:,}" + (f", {joined}" if self.crossings else ""),
            f"took the place of {self.replaced:,} edges",
        ]
