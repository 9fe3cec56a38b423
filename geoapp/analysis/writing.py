"""A result as a file: GeoPackage, GeoJSON, GeoParquet or CSV, and beside it how it was computed."""

import json
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd

from geoapp.errors import BadFile

KINDS = (".gpkg", ".geojson", ".parquet", ".csv")


def write(frame: geopandas.GeoDataFrame, file: Path | str) -> Path:
    """Write a result by the ending of its name, and ``<name>.how.json`` beside it.

    Raises BadFile for another ending, or where there is no such folder.
    """
    file = Path(file)
    kind = file.suffix.lower()
    if kind not in KINDS:
        raise BadFile(file.name, f"is of no kind that can be written; known are {', '.join(KINDS)}")
    if not file.parent.is_dir():
        raise BadFile(str(file), "its folder does not exist")
    plain = frame.copy()
    plain.attrs = {}
    if kind == ".csv":
        _as_csv(plain, file)
    elif kind == ".parquet":
        plain.to_parquet(file)
    elif kind == ".geojson":
        plain.to_file(file, driver="GeoJSON", RFC7946="YES")
    else:
        file.unlink(missing_ok=True)
        plain.to_file(file, driver="GPKG", layer=file.stem)
    told = {key: value for key, value in frame.attrs.items() if key in {"how", "rates", "moran"}}
    beside = file.with_name(file.name + ".how.json")
    beside.write_text(json.dumps(told, ensure_ascii=False, indent=2, default=_plain) + "\n", encoding="utf-8")
    return file


def _as_csv(frame: geopandas.GeoDataFrame, file: Path) -> None:
    """Geometry as well-known text; a byte order mark, so that spreadsheets read Chinese."""
    table = pd.DataFrame(frame.drop(columns="geometry"))
    if frame.geometry.notna().any():
        table["wkt"] = frame.geometry.to_wkt(rounding_precision=7)
    table.to_csv(file, index=False, encoding="utf-8-sig")


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)
