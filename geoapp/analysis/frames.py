"""Every analysis as a function of GeoDataFrames; what each column means stands in domain.spatial at its namesake."""

from dataclasses import asdict
from datetime import UTC, date, tzinfo
from typing import Any

import geopandas
import numpy as np

from geoapp.analysis.convert import areas_of, frame_of, issues_of, polygon_of
from geoapp.domain.spatial import groups, sides, surfaces
from geoapp.domain.spatial.exposure import Below
from geoapp.domain.spatial.grid import Shape


def hot_spots(
    frame: geopandas.GeoDataFrame,
    *,
    cell: float | None = None,
    denominator: str | geopandas.GeoDataFrame = "count",
    shape: str = "square",
    area: Any = None,
    areas: geopandas.GeoDataFrame | None = None,
    **more: Any,
) -> geopandas.GeoDataFrame:
    """Gi* with exact p, false-discovery control and a minimum n: cells of ``cell`` metres, or ``areas`` that touch.

    ``denominator`` is ``count``, for areas also ``km2`` or ``residents``; for cells a frame of areas with a column
    ``residents``, which are spread over their cells. Columns: see surfaces.hot_spots and sides.hot_areas.
    """
    issues = issues_of(frame)
    if areas is not None:
        return frame_of(sides.hot_areas(issues, areas_of(areas), denominator=str(denominator), **more))
    below = Below("residents", areas_of(denominator)) if isinstance(denominator, geopandas.GeoDataFrame) else None
    return frame_of(
        surfaces.hot_spots(issues, cell_m=cell, shape=Shape(shape), area=polygon_of(area), below=below, **more)
    )


def clusters(
    frame: geopandas.GeoDataFrame,
    *,
    within: float | None = None,
    least: int = 10,
    days: float | None = None,
    method: str | None = None,
    area: Any = None,
    **more: Any,
) -> geopandas.GeoDataFrame:
    """DBSCAN ``within`` metres, in space and time if ``days`` are given, or ``method="hdbscan"``; hulls come out.

    ``attrs["label"]`` is the number of each row's cluster, -1 for none. Columns: see groups.find_clusters.
    """
    chosen = method or ("dbscan" if days is None else "space_time")
    table = groups.find_clusters(
        issues_of(frame), method=chosen, within_m=within, least=least, within_days=days or 30.0,
        area=polygon_of(area), **more,
    )  # fmt: skip
    return _with_members(table)


def density(
    frame: geopandas.GeoDataFrame, *, bandwidth: float | None = None, area: Any = None, **more: Any
) -> geopandas.GeoDataFrame:
    """Bands of kernel density in issues per km² (columns low and high), edge-corrected at the study area.

    ``attrs["surface"]`` holds values (y, x), west, south, step_m and the EPSG code that these are in.
    """
    found = surfaces.density(issues_of(frame), bandwidth_m=bandwidth, area=polygon_of(area), **more)
    result = frame_of(found.contours)
    surface = found.surface
    result.attrs["surface"] = {
        "values": surface.values,
        "epsg": found.projection.epsg,
    }  # fmt: skip
    return result


def trends(
    frame: geopandas.GeoDataFrame,
    *,
    cell: float | None = None,
    shape: str = "square",
    area: Any = None,
    months: tuple[str, str] | None = None,
    zone: tzinfo = UTC,
    **more: Any,
) -> geopandas.GeoDataFrame:
    """Emerging hot spots by month; ``months`` are the first and the last, as ("2024-01", "2025-12").

    Columns: see surfaces.trends; counts, z and verdicts of each month are columns such as ``z_2024_01``.
    """
    slices = None if months is None else (np.datetime64(months[0], "M"), np.datetime64(months[1], "M"))
    table = surfaces.trends(
        issues_of(frame), cell_m=cell, shape=Shape(shape), area=polygon_of(area), slices=slices, zone=zone, **more
    )
    return frame_of(table, series=tuple(table.how.parameters["slices"]))


def compare(
    frame: geopandas.GeoDataFrame, areas: geopandas.GeoDataFrame, *, denominator: str = "count", **more: Any
) -> geopandas.GeoDataFrame:
    """Areas side by side with exact intervals, ratio to all together, and shrunken rates; see sides.compare_areas."""
    return frame_of(sides.compare_areas(issues_of(frame), areas_of(areas), denominator=denominator, **more))


def repeats(
    frame: geopandas.GeoDataFrame, *, within: float = 30.0, area: Any = None, **more: Any
) -> geopandas.GeoDataFrame:
    """Places where the same is reported again and again; see groups.repeats."""
    return _with_members(groups.repeats(issues_of(frame), within_m=within, area=polygon_of(area), **more))


def recurrence(
    frame: geopandas.GeoDataFrame, *, now: date, within: float = 30.0, area: Any = None, **more: Any
) -> geopandas.GeoDataFrame:
    """What was reported again near a closed issue; ``attrs["rates"]`` has the shares within 30 and 90 days."""
    table, rates = groups.recurrence(
        issues_of(frame), now=np.datetime64(now, "s"), within_m=within, area=polygon_of(area), **more
    )
    result = frame_of(table)
    result.attrs["rates"] = [asdict(rate) for rate in rates]
    return result


def association(
    frame: geopandas.GeoDataFrame, areas: geopandas.GeoDataFrame, *, denominator: str = "km2", **more: Any
) -> geopandas.GeoDataFrame:
    """Local Moran's I of areas that touch; ``attrs["moran"]`` is the global one. See sides.likeness."""
    table, whole = sides.likeness(issues_of(frame), areas_of(areas), denominator=denominator, **more)
    result = frame_of(table)
    result.attrs["moran"] = asdict(whole)
    return result


def colocation(frame: geopandas.GeoDataFrame, **more: Any) -> geopandas.GeoDataFrame:
    """Which categories keep company; see groups.colocation."""
    return frame_of(groups.colocation(issues_of(frame), **more))


def seasons(frame: geopandas.GeoDataFrame, *, zone: tzinfo = UTC) -> geopandas.GeoDataFrame:
    """Issues of each category by month of the year."""
    return frame_of(groups.seasons(issues_of(frame), zone=zone))


def effect(
    frame: geopandas.GeoDataFrame,
    areas: geopandas.GeoDataFrame,
    treated: Any,
    *,
    began: date,
    ended: date,
    now: date,
    **more: Any,
) -> dict[str, Any]:
    """Did it work? Before and after in ``treated`` against matched control areas; see sides.did_it_work."""
    found, controls, how = sides.did_it_work(
        issues_of(frame), areas_of(areas), polygon_of(treated), began=np.datetime64(began, "s"),
        ended=np.datetime64(ended, "s"), now=np.datetime64(now, "s"), **more,
    )  # fmt: skip
    return {**asdict(found), "controls": controls, "how": how.as_json()}


def _with_members(table: Any) -> geopandas.GeoDataFrame:
    result = frame_of(table)
    result.attrs["label"] = table.member
    return result
