"""The issue set as GeoParquet, one folder a district and month, for analyses away from the database; and back.

``FOLDER/district=500110/month=2026-01/issues.parquet``; ``FOLDER/export.json`` says what was asked, how many there
are and where. Whatever reads GeoParquet 1.1 with Hive partitions reads it.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geoapp.domain.spatial.columns import Codes, Issues
from geoapp.domain.spatial.localtime import local
from geoapp.domain.values import IssueFilter, Viewer
from geoapp.errors import BadFile
from geoapp.services import snapshots
from geoapp.store import columns
from geoapp.store.session import snapshot

STAMP = "export.json"
_WORDS = ("category", "state", "verdict", "community", "unit")
_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])


@dataclass(frozen=True, slots=True)
class Exported:
    """How many issues went into how many files."""

    rows: int
    files: int

    def lines(self) -> list[str]:
        return [f"{self.rows:,} issues in {self.files:,} files."]


def export(viewer: Viewer, wanted: IssueFilter, folder: Path, *, zone: ZoneInfo, as_of: date | None = None) -> Exported:
    """Write the matching issues; an earlier export in the same folder is replaced.

    Raises BadFile if the folder holds anything else.
    """
    if folder.exists() and not (folder / STAMP).is_file() and any(folder.iterdir()):
        raise BadFile(str(folder), "is not empty and holds no earlier export")
    issues = snapshots.read(viewer, wanted, zone=zone, as_of=as_of, ids=True)
    with snapshot() as db:
        districts = columns.districts(db)
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    files = 0
    for district, month, part in _parts(issues, districts, zone):
        at = fresh / f"district={district}" / f"month={month}"
        at.mkdir(parents=True)
        _write(issues.at(part), at / "issues.parquet")
        files += 1
    stamp = {"rows": len(issues), "files": files, "bounds": _bounds(issues), "query": issues.query}
    (fresh / STAMP).write_text(json.dumps(stamp, ensure_ascii=False, indent=2), encoding="utf-8")
    # Complete or not at all.
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    return Exported(len(issues), files)


def stamp_of(folder: Path) -> dict[str, Any]:
    """What was exported here. Raises BadFile where there is no export."""
    try:
        found: dict[str, Any] = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadFile(str(folder), f"holds no export: {STAMP} cannot be read") from error
    return found


def parts(folder: Path, *, since: date | None = None, until: date | None = None) -> list[Path]:
    """The files of the months that a period touches, in order."""
    first = f"month={since:%Y-%m}" if since else ""
    last = f"month={until:%Y-%m}" if until else "month=~"
    return [file for file in sorted(folder.glob("district=*/month=*/*.parquet")) if first <= file.parent.name <= last]


def read(folder: Path, *, since: date | None = None, until: date | None = None) -> Issues:
    """All issues of an export, or of the months that a period touches."""
    import pyarrow as pa  # noqa: PLC0415 - slow to import

    query = stamp_of(folder)["query"]
    chosen = parts(folder, since=since, until=until)
    if not chosen:
        return Issues.points(np.zeros(0), np.zeros(0), query=query)
    return _issues(pa.concat_tables([_table(file) for file in chosen], promote_options="default"), query)


def read_part(file: Path) -> Issues:
    return _issues(_table(file), {})


def _table(file: Path) -> Any:
    from pyarrow import parquet  # noqa: PLC0415

    return parquet.ParquetFile(file).read()


def _parts(issues: Issues, districts: dict[str, str], zone: ZoneInfo) -> Iterator[tuple[str, str, NDArray[Any]]]:
    named = [districts.get(code, "") or "none" for code in issues.community.names]
    codes, number = np.unique([*named, "none"], return_inverse=True)
    district = number[issues.community.index]
    month = local(issues.reported, zone).astype("datetime64[M]").astype(np.int64)
    order = np.lexsort((issues.reported, month, district))
    cuts = np.flatnonzero((np.diff(district[order]) != 0) | (np.diff(month[order]) != 0)) + 1
    for part in np.split(order, cuts) if len(order) else ():
        yield str(codes[district[part[0]]]), str(np.datetime64(int(month[part[0]]), "M")), part


def _write(issues: Issues, file: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    n = len(issues)
    points = np.empty(n, _POINT)
    points["order"], points["kind"], points["x"], points["y"] = 1, 1, issues.lon, issues.lat
    shapes = pa.FixedSizeBinaryArray.from_buffers(pa.binary(_POINT.itemsize), n, [None, pa.py_buffer(points.tobytes())])
    columns: dict[str, Any] = {}
    if issues.numbers is not None and issues.ids is not None:
        columns["id"] = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(16), n, [None, pa.py_buffer(issues.ids.tobytes())]
        ).cast(pa.binary())
        columns["number"] = pa.array(issues.numbers.tolist(), pa.string())
    for name in _WORDS:
        codes: Codes = getattr(issues, name)
        index = pa.array(codes.index, pa.int32(), mask=codes.index < 0)
        columns[name] = pa.DictionaryArray.from_arrays(index, pa.array(codes.names, pa.string()))
    for name, instants in (("reported_at", issues.reported), ("ended_at", issues.ended)):
        columns[name] = pa.array(instants, pa.timestamp("s")).cast(pa.timestamp("ms", tz="UTC"))
    columns["geometry"] = shapes.cast(pa.binary())
    table = pa.table(columns).replace_schema_metadata({"geo": json.dumps(_geo(issues))})
    parquet.write_table(table, file, compression="zstd")


def _issues(table: Any, query: dict[str, Any]) -> Issues:
    packed = b"".join(table.column("geometry").to_pylist())
    points = np.frombuffer(packed, _POINT)
    known: dict[str, Any] = {
        name: Codes.of(np.array(["" if one is None else one for one in table.column(name).to_pylist()]))
        for name in _WORDS
    }
    for ours, theirs in (("reported", "reported_at"), ("ended", "ended_at")):
        known[ours] = table.column(theirs).to_numpy().astype("datetime64[s]")
    if "number" in table.column_names:
        known["numbers"] = np.array(table.column("number").to_pylist())
        known["ids"] = np.frombuffer(b"".join(table.column("id").to_pylist()), "V16")
    return Issues.points(points["x"].copy(), points["y"].copy(), query=query, **known)


def _bounds(issues: Issues) -> list[float]:
    """West, south, east, north; empty of nothing."""
    if not len(issues):
        return []
    return [float(x) for x in (issues.lon.min(), issues.lat.min(), issues.lon.max(), issues.lat.max())]


def _geo(issues: Issues) -> dict[str, Any]:
    from pyproj import CRS  # noqa: PLC0415

    column = {
        "encoding": "WKB", "geometry_types": ["Point"], "crs": CRS(4326).to_json_dict(), "bbox": _bounds(issues),
    }  # fmt: skip
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
