"""What if a crew started elsewhere: how far each unit's issues lie from where it starts, and whose they would be.

Pure: arrays in projected metres. Distances are straight lines; along roads they come from ``domain.roadgraph``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geoapp.domain.spatial.grid import Floats, Ints


@dataclass(frozen=True, slots=True)
class Reach:
    """So many issues of a unit, and their mean and median distance in metres; NaN of none, or without a base.

    ``known`` of them have a distance.
    """

    n: int
    known: int
    mean_m: float
    median_m: float


def straight_m(xy: Floats, owner: Ints, bases: Floats) -> Floats:
    """Metres from each place (n, 2) to the base of its owner; NaN where the owner is -1 or has no base (NaN)."""
    at = np.vstack([bases, np.full((1, 2), np.nan)])[owner]
    return np.asarray(np.hypot(xy[:, 0] - at[:, 0], xy[:, 1] - at[:, 1]))


def nearest(xy: Floats, owner: Ints, bases: Floats, among: Ints) -> Ints:
    """The owner of each place if those of ``among`` shared theirs out by the nearest base; others keep theirs.

    Of equally near ones the present owner keeps it, else the first of ``among`` has it. Owners without a base neither
    give nor take.
    """
    sharing = among[np.isfinite(bases[among]).all(axis=1)]
    mine = np.flatnonzero(np.isin(owner, sharing))
    found = owner.copy()
    if not mine.size:
        return found
    apart = np.hypot(*(xy[mine][:, None, :] - bases[sharing][None]).transpose(2, 0, 1))
    best = apart.argmin(axis=1)
    own = straight_m(xy[mine], owner[mine], bases)
    found[mine] = np.where(own <= apart.min(axis=1), owner[mine], sharing[best])
    return found


def reach(metres: Floats, owner: Ints, count: int) -> list[Reach]:
    """For each of ``count`` owners the number of its places and their distances."""
    return [_reach(metres[owner == one]) for one in range(count)]


def _reach(metres: NDArray[np.float64]) -> Reach:
    known = metres[np.isfinite(metres)]
    mean, median = (float(known.mean()), float(np.median(known))) if known.size else (float("nan"), float("nan"))
    return Reach(len(metres), len(known), mean, median)
