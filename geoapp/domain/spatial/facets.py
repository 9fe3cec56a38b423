"""What small maps side by side tell apart: branches of categories, or periods of equal length."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoapp.domain.spatial.columns import Codes
from geoapp.domain.spatial.grid import Ints

MOST = 12
"""More small maps than this nobody can read."""
_QUARTER, _YEAR = 3, 12


def by_branch(categories: Codes, member: NDArray[Any]) -> tuple[Ints, NDArray[Any]]:
    """The facet of each issue and the code of each facet, the most frequent first.

    A facet is a branch of the category tree, or if there is but one branch a category. Only issues with a row
    (``member`` is not -1) count; beyond ``MOST`` facets the others have none (-1).
    """
    here = (member >= 0) & (categories.index >= 0)
    branch = np.array([*(name.partition(".")[0] for name in categories.names), ""], dtype=object)
    known = np.array([*categories.names, ""], dtype=object)
    used = np.unique(categories.index[here]).tolist()
    names = branch if len({branch[one] for one in used}) > 1 else known
    kinds, of_code = np.unique(names.astype(str), return_inverse=True)
    facet = np.where(here, of_code.ravel()[categories.index], -1)
    often = np.bincount(facet[here], minlength=len(kinds))
    order = np.argsort(-often, kind="stable")
    order = order[often[order] > 0][:MOST]
    rank = np.full(len(kinds) + 1, -1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[facet], kinds[order].astype(object)


def by_period(reported: NDArray[np.datetime64], member: NDArray[Any]) -> tuple[Ints, NDArray[Any]]:
    """The facet of each issue and the name of each: months, quarters or years, the shortest of which few suffice.

    More than ``MOST`` years leave the oldest without a facet (-1).
    """
    here = (member >= 0) & ~np.isnat(reported)
    month = np.where(here, reported, np.datetime64(0, "s")).astype("datetime64[M]").astype(np.int64)
    facet = np.full(len(member), -1, dtype=np.int64)
    if not here.any():
        return facet, np.zeros(0, dtype=object)
    first, last = int(month[here].min()), int(month[here].max())
    length = next((size for size in (1, _QUARTER) if last // size - first // size < MOST), _YEAR)
    start = max(first // length, last // length - MOST + 1)
    slots = np.arange(start, last // length + 1)
    facet[here] = np.maximum(month[here] // length - start, -1)
    return facet, np.array([_named(int(slot) * length, length) for slot in slots], dtype=object)


def _named(month: int, length: int) -> str:
    """A period by its first month, counted from January 1970."""
    year, within = 1970 + month // 12, month % 12
    if length == 1:
        return f"{year}-{within + 1:02}"
    return f"{year} Q{within // _QUARTER + 1}" if length == _QUARTER else str(year)
