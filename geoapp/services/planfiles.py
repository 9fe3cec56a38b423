"""A part of a result as a file: CSV, GeoJSON, GeoPackage or GeoParquet, the same rows, columns and system in each."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

KINDS = {
    "csv": "text/csv",
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
    "parquet": "application/vnd.apache.parquet",
}
CRS = "EPSG:4326"


def write(
    columns: Mapping[str, NDArray[Any]], geometry: NDArray[Any] | None, kind: str, *, layer: str, how: Mapping[str, Any]
) -> bytes:
    """The bytes of a file of ``kind``; geometry in EPSG:4326, in CSV as well-known text.

    ``how`` goes along where the format has a place for it: in GeoJSON as a member, else as metadata.
    """
    # Slow to import, and most processes write no such file.
    import geopandas  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    table = pd.DataFrame({name: _sound(column) for name, column in columns.items()})
    if kind == "csv":
        if geometry is not None:
            table["wkt"] = shapely.to_wkt(geometry, rounding_precision=7)
        return ("\ufeff" + table.to_csv(index=False)).encode()
    shapes = geometry if geometry is not None else np.full(len(table), None, dtype=object)
    frame = geopandas.GeoDataFrame(table, geometry=shapes, crs=CRS)
    told = json.dumps(how, ensure_ascii=False, default=str)
    with tempfile.TemporaryDirectory(prefix="geoapp-") as folder:
        file = Path(folder) / f"{layer}.{kind}"
        if kind == "parquet":
            frame.attrs = {"how": json.loads(told)}
            frame.to_parquet(file)
        elif kind == "gpkg":
            frame.to_file(file, driver="GPKG", layer=layer, metadata={"how": told})
        else:
            frame.to_file(file, driver="GeoJSON", RFC7946="YES")
            whole = json.loads(file.read_text(encoding="utf-8"))
            return json.dumps(whole | {"how": json.loads(told)}, ensure_ascii=False).encode()
        return file.read_bytes()


def _sound(column: NDArray[Any]) -> NDArray[Any]:
    """Words as objects, so that every format takes them for text; infinity, which JSON has not, is not known."""
    if column.dtype.kind == "U":
        return column.astype(object)
    if column.dtype.kind == "f":
        return np.where(np.isfinite(column), column, np.nan)
    return column
