"""Instants in UTC as the clock of a zone shows them: months and seasons are those of the place."""

from datetime import UTC, datetime, tzinfo

import numpy as np
from numpy.typing import NDArray


def local(instants: NDArray[np.datetime64], zone: tzinfo) -> NDArray[np.datetime64]:
    """The local time of each instant; NaT stays so. Each hour is asked once, and only if the zone's offset changes."""
    known = ~np.isnat(instants)
    found = instants.astype("datetime64[s]")
    if not known.any():
        return found
    months = np.unique(found[known].astype("datetime64[M]"))
    ends = {_offset(month, zone) for month in np.append(months, months[-1] + 1)}
    if len(ends) == 1:
        return np.asarray(found + np.timedelta64(ends.pop(), "s"))
    hours, back = np.unique(found[known].astype("datetime64[h]"), return_inverse=True)
    offsets = np.array([_offset(hour, zone) for hour in hours], dtype="timedelta64[s]")
    found[known] += offsets[back.ravel()]
    return found


def _offset(instant: np.datetime64, zone: tzinfo) -> int:
    at = datetime.fromtimestamp(int(instant.astype("datetime64[s]").astype(np.int64)), UTC).astimezone(zone)
    offset = at.utcoffset()
    return int(offset.total_seconds()) if offset else 0
