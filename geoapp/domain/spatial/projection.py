"""From degrees to metres and back: which projected system is taken for an analysis, and why.

In mainland China the CGCS2000 zone of 3 degrees (CGCS2000 and WGS-84 agree to centimetres); elsewhere the UTM
zone. One zone serves a whole analysis, that of the middle of its data: Qijiang lies across 106.5° E, where zone
CM 105E ends, and two systems in one analysis could not be compared.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from geoapp.domain.geometry import suitable_metric_crs

Floats = NDArray[np.float64]

_CHINA = (73.5, 17.0, 136.5, 54.0)
_FIRST_MERIDIAN, _LAST_MERIDIAN, _FIRST_CODE = 75, 135, 4534
"""EPSG:4534 is CGCS2000 / 3-degree Gauss-Kruger CM 75E, and so on by 3 degrees to EPSG:4554, CM 135E."""


@dataclass(frozen=True, slots=True)
class Projection:
    """A system of metres: ``epsg``, its name, and why it was taken (a key under ``analysis.note.``)."""

    epsg: int
    name: str
    why: str

    @property
    def code(self) -> str:
        return f"EPSG:{self.epsg}"

    def metres(self, lon: Floats, lat: Floats) -> Floats:
        """Easting and northing as an array (n, 2)."""
        return np.column_stack(_transformer(self.epsg, inverse=False).transform(lon, lat))

    def degrees(self, geometry: Any) -> Any:
        """Geometries in these metres, to EPSG:4326."""
        return _moved(geometry, _transformer(self.epsg, inverse=True))

    def projected(self, geometry: Any) -> Any:
        """Geometries in EPSG:4326, to these metres."""
        return _moved(geometry, _transformer(self.epsg, inverse=False))


def metres_for(lon: float, lat: float) -> Projection:
    """The projection for an analysis round this place."""
    west, south, east, north = _CHINA
    if west <= lon <= east and south <= lat <= north:
        meridian = min(max(3 * round(lon / 3), _FIRST_MERIDIAN), _LAST_MERIDIAN)
        epsg = _FIRST_CODE + (meridian - _FIRST_MERIDIAN) // 3
        return Projection(epsg, f"CGCS2000 / 3-degree Gauss-Kruger CM {meridian}E", "zone_cgcs2000")
    epsg = suitable_metric_crs(lon, lat)
    return Projection(epsg, f"WGS 84 / UTM zone {epsg % 100}{'N' if lat >= 0 else 'S'}", "zone_utm")


@lru_cache(maxsize=32)
def _transformer(epsg: int, *, inverse: bool) -> Transformer:
    ends = (f"EPSG:{epsg}", "EPSG:4326") if inverse else ("EPSG:4326", f"EPSG:{epsg}")
    return Transformer.from_crs(*ends, always_xy=True)


def _moved(geometry: Any, transformer: Transformer) -> Any:
    def columns(xy: Floats) -> Floats:
        return np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))

    return shapely.transform(geometry, columns)
