"""What goes into an analysis and what comes out: columns of issues, areas, and a table with its geometry.

Columns, not rows: a million issues are a dozen arrays. Places are EPSG:4326, degrees, and instants UTC.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoapp.domain.spatial.grid import Bools, Floats, Ints
from geoapp.domain.spatial.how import How


@dataclass(frozen=True, slots=True)
class Codes:
    """A column of few different words: ``index`` into ``names``, -1 for none."""

    index: NDArray[Any]
    names: tuple[str, ...]

    @classmethod
    def none(cls, count: int) -> "Codes":
        return cls(np.full(count, -1, dtype=np.int32), ())

    @classmethod
    def of(cls, words: NDArray[Any]) -> "Codes":
        """From words themselves; empty ones are none."""
        names, index = np.unique(words.astype(str), return_inverse=True)
        index = index.ravel().astype(np.int32)
        if len(names) and not names[0]:
            names, index = names[1:], index - 1
        return cls(index, tuple(names.tolist()))

    def at(self, chosen: Any) -> "Codes":
        return Codes(self.index[chosen], self.names)

    def words(self) -> NDArray[Any]:
        """The words themselves, empty for none."""
        words = np.array([*self.names, ""], dtype=object)
        return np.asarray(words[self.index])


@dataclass(frozen=True, slots=True)
class Issues:
    """Issues as columns.

    ``ended`` is NaT while open; ``ids`` are the 16 bytes of their UUIDs and
    ``numbers`` those for people, if they were asked for. ``query`` says what was asked.
    """

    lon: Floats
    lat: Floats
    reported: NDArray[np.datetime64]
    ended: NDArray[np.datetime64]
    category: Codes
    state: Codes
    verdict: Codes
    community: Codes
    unit: Codes
    ids: NDArray[Any] | None = None
    numbers: NDArray[Any] | None = None
    query: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lon)

    def at(self, chosen: Any) -> "Issues":
        """Some of them, by indices or a mask."""
        return Issues(
            self.lon[chosen], self.lat[chosen], self.reported[chosen], self.ended[chosen], self.category.at(chosen),
            self.state.at(chosen), self.verdict.at(chosen), self.community.at(chosen), self.unit.at(chosen),
            None if self.ids is None else self.ids[chosen], None if self.numbers is None else self.numbers[chosen],
            self.query,
        )  # fmt: skip

    @classmethod
    def points(cls, lon: Floats, lat: Floats, **columns: Any) -> "Issues":
        """From places alone, with whatever else is known."""
        n = len(lon)
        never, none = np.full(n, "NaT", dtype="datetime64[s]"), Codes.none(n)
        known = {"reported": never, "ended": never, "category": none, "state": none, "verdict": none}
        return cls(lon, lat, **{**known, "community": none, "unit": none, **columns})


@dataclass(frozen=True, slots=True)
class Areas:
    """Communities, streets, the land of units or any areas to compare: polygons in EPSG:4326.

    ``residents``, ``road_km`` and ``assets`` are NaN where not known, None where nobody asked. An issue belongs to the
    area whose code its own column ``of`` (community or unit) says.
    """

    code: tuple[str, ...]
    zh: tuple[str, ...]
    en: tuple[str, ...]
    geometry: NDArray[Any]
    residents: Floats
    road_km: Floats | None = None
    assets: Floats | None = None
    of: str = "community"


@dataclass(frozen=True, slots=True)
class Table:
    """A result: columns of equal length, a geometry per row in EPSG:4326, and how it came about.

    ``member`` says for each issue that went in which row it belongs to, -1 for none: so every figure leads to its
    cases.
    """

    columns: dict[str, NDArray[Any]]
    geometry: NDArray[Any]
    how: How
    member: Ints | None = None

    def __len__(self) -> int:
        return len(self.geometry)

    def cases(self, row: int) -> Ints:
        """The positions of the issues that belong to a row."""
        if self.member is None:
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(self.member == row)

    def only(self, chosen: Bools) -> "Table":
        """Some rows; the issues of the others belong to none any more."""
        member = self.member
        if member is not None:
            number = np.append(np.where(chosen, np.cumsum(chosen) - 1, -1), -1)
            member = number[member]
        return Table({k: v[chosen] for k, v in self.columns.items()}, self.geometry[chosen], self.how, member)
