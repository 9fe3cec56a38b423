"""A result of an analysis as a value and as bytes. No computing, no database, and nothing that runs when it is read."""

import io
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray

FORM = 2
"""To be raised with whatever changes what a result holds: kept ones of another form are not found any more."""


@dataclass(frozen=True, slots=True)
class Part:
    """One table of a result: columns, a geometry per row (None: it has none), and the issues of each row.

    ``members`` are positions in the result's ``ids``, sorted by row; those of row r are
    ``members[starts[r]:starts[r + 1]]``. ``series`` names the slices of two-dimensional columns.
    """

    columns: dict[str, NDArray[Any]]
    geometry: NDArray[Any] | None
    starts: NDArray[Any]
    members: NDArray[Any]
    series: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.starts) - 1

    def count(self, row: int) -> int:
        """How many issues a row leads to."""
        return int(self.starts[row + 1] - self.starts[row])


@dataclass(frozen=True, slots=True)
class Result:
    """The tables of an analysis by name, the first of them on the map; how it was computed; single numbers."""

    parts: dict[str, Part]
    ids: NDArray[Any]
    how: dict[str, Any]
    told: dict[str, Any] = field(default_factory=dict)

    def issue_ids(self, part: str, row: int, *, first: int = 0, most: int | None = None) -> list[UUID]:
        """The issues behind a row."""
        table = self.parts[part]
        start, end = int(table.starts[row]) + first, int(table.starts[row + 1])
        chosen = table.members[start : end if most is None else min(end, start + most)]
        return [UUID(bytes=bytes(self.ids[one])) for one in chosen.tolist()]


def part(
    columns: dict[str, NDArray[Any]], geometry: NDArray[Any] | None, member: NDArray[Any] | None,
    *, series: tuple[str, ...] = (),
) -> Part:  # fmt: skip
    """A table from the row of each issue (-1: none; None: no issue belongs to any row)."""
    rows = len(next(iter(columns.values()))) if columns else 0
    if member is None:
        return Part(columns, geometry, np.zeros(rows + 1, dtype=np.int64), np.zeros(0, dtype=np.int32), series)
    known = np.flatnonzero(member >= 0)
    order = known[np.argsort(member[known], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(np.bincount(member[known], minlength=rows))]).astype(np.int64)
    return Part(columns, geometry, starts, order.astype(np.int32), series)


def pack(result: Result) -> bytes:
    arrays: dict[str, NDArray[Any]] = {"ids": result.ids}
    parts: dict[str, Any] = {}
    for name, table in result.parts.items():
        for column, values in table.columns.items():
            arrays[f"{name}/c/{column}"] = values.astype(np.str_) if values.dtype == object else values
        arrays[f"{name}/starts"], arrays[f"{name}/members"] = table.starts, table.members
        parts[name] = {"columns": list(table.columns), "series": list(table.series), "shapes": False}
        if table.geometry is not None:
            shapes = [bytes(one) for one in np.asarray(shapely.to_wkb(table.geometry)).tolist()]
            arrays[f"{name}/wkb"] = np.frombuffer(b"".join(shapes), dtype=np.uint8)
            arrays[f"{name}/ends"] = np.cumsum([len(one) for one in shapes], dtype=np.int64)
            parts[name]["shapes"] = True
    head = {"parts": parts, "how": result.how, "told": result.told}
    arrays["head"] = np.frombuffer(json.dumps(head, ensure_ascii=False, default=_plain).encode(), dtype=np.uint8)
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)  # type: ignore[arg-type]
    return out.getvalue()


def unpack(packed: bytes) -> Result:
    # Without pickle: these bytes can hold numbers and words, and nothing that runs.
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        head = json.loads(arrays["head"].tobytes())
        parts = {}
        for name, told in head["parts"].items():
            shapes = None
            if told["shapes"]:
                raw, ends = arrays[f"{name}/wkb"].tobytes(), arrays[f"{name}/ends"].tolist()
                cuts = zip([0, *ends[:-1]], ends, strict=False)
                shapes = np.asarray(shapely.from_wkb([raw[a:b] for a, b in cuts])) if ends else np.zeros(0, object)
            columns = {column: arrays[f"{name}/c/{column}"] for column in told["columns"]}
            parts[name] = Part(
                columns, shapes, arrays[f"{name}/starts"], arrays[f"{name}/members"], tuple(told["series"])
            )
        return Result(parts, arrays["ids"], head["how"], head["told"])


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return value.tolist() if isinstance(value, np.ndarray) else str(value)
