"""One condition for a filter and a viewer, behind list, count, map tile, API and CSV."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from geoapp.domain.permissions import sight
from geoapp.domain.tiles import Bounds, box_bounds
from geoapp.domain.values import Duty, IssueFilter, Viewer
from geoapp.store import search

_NAMED = "ARRAY(SELECT id FROM {table} WHERE {only} code = ANY (:{bind}))"
BLUR_DEG = 0.002
"""More than the grid of blurred places, in degrees."""


def seen_in_full(viewer: Viewer) -> tuple[str, dict[str, Any]]:
    """The SQL that is true for every ``issue i`` of which the viewer sees everything, and its binds."""
    known = sight(viewer)
    if known.communities is None:
        return "true", {}
    if known.is_nothing:
        return "false", {}
    here = _NAMED.format(table="place", only="kind = 'community' AND", bind="own_communities")
    ours = _NAMED.format(table="unit", only="", bind="own_units")
    # Without a community or unit the comparison is NULL, which a CASE takes for false but NOT would not.
    return (
        f"coalesce(i.community_id = ANY ({here}) OR i.unit_id = ANY ({ours}) OR i.helping_unit_ids && {ours}, false)",
        {"own_communities": sorted(known.communities), "own_units": sorted(known.units)},
    )


def condition(  # noqa: C901, PLR0912 - one short branch for each part of a filter
    db: Session, wanted: IssueFilter, viewer: Viewer, *, zone: ZoneInfo
) -> tuple[str, dict[str, Any]]:
    """The WHERE of every query over ``issue i``, and its binds: the filter, and what the viewer may see."""
    parts: list[str] = []
    binds: dict[str, Any] = {}

    def also(sql: str, **values: Any) -> None:
        parts.append(sql)
        binds.update(values)

    full, own = seen_in_full(viewer)
    if full == "false":
        also("i.public_geom IS NOT NULL")
    elif full != "true":
        also(f"(i.public_geom IS NOT NULL OR {full})", **own)
    if wanted.categories:
        also(
            "i.category_code = ANY (ARRAY(SELECT code FROM category WHERE path && CAST(:categories AS text[])))",
            categories=list(wanted.categories),
        )
    if wanted.states:
        also("i.state = ANY (:states)", states=[str(state) for state in wanted.states])
    if wanted.communities:
        also(
            "i.community_id = ANY (ARRAY(SELECT id FROM place WHERE kind = 'community' AND code = ANY (:communities)))",
            communities=list(wanted.communities),
        )
    if wanted.units:
        # The unit that has it; while nobody has it, every unit whose jurisdiction holds the place.
        named = "ARRAY(SELECT id FROM unit WHERE code = ANY (:units))"
        also(
            f"(i.unit_id = ANY ({named}) OR (i.unit_id IS NULL AND i.candidate_ids && {named}))",
            units=list(wanted.units),
        )
    if wanted.verdicts:
        also("i.verdict = ANY (:verdicts)", verdicts=[str(verdict) for verdict in wanted.verdicts])
    if wanted.since:
        also("i.reported_at >= :since", since=datetime.combine(wanted.since, time(), zone))
    if wanted.until:
        also("i.reported_at < :until", until=datetime.combine(wanted.until + timedelta(days=1), time(), zone))
    if wanted.box and full == "false":
        sql, values = within(box_bounds(wanted.box))
        also(sql, **values)
    elif wanted.box:
        box = wanted.box
        also(
            f"i.geom && ST_Expand(ST_MakeEnvelope(:west, :south, :east, :north, 4326), {BLUR_DEG}) AND (SELECT "
            "ST_X(at) >= :west AND ST_X(at) < :east AND ST_Y(at) >= :south AND ST_Y(at) < :north "
            f"FROM (SELECT CASE WHEN {full} THEN i.geom ELSE i.public_geom END AS at) AS shown_at)",
            **own,
            west=box.west,
            south=box.south,
            east=box.east,
            north=box.north,
        )
    if wanted.duties is not None:
        also(*_waiting(wanted.duties, binds))
    if wanted.words:
        sql, values = search.words(db, wanted.words, full)
        also(sql, **own, **values)
    return " AND ".join(parts) or "true", binds


def _waiting(duties: tuple[Duty, ...], binds: dict[str, Any]) -> tuple[str]:
    found = ["false"]
    for nth, duty in enumerate(duties):
        binds[f"states_{nth}"] = [str(state) for state in duty.states]
        one = f"i.state = ANY (:states_{nth})"
        if duty.unit is not None:
            binds[f"of_{nth}"] = duty.unit
            one += f" AND i.unit_id = (SELECT id FROM unit WHERE code = :of_{nth})"
        elif duty.communities is not None:
            binds[f"in_{nth}"] = sorted(duty.communities)
            here = _NAMED.format(table="place", only="kind = 'community' AND", bind=f"in_{nth}")
            one += f" AND i.community_id = ANY ({here})"
        found.append(f"({one})")
    return (f"({' OR '.join(found)})",)


def within(bounds: Bounds) -> tuple[str, dict[str, float]]:
    """Half-open test in EPSG:3857: the index test alone compares rounded boxes, and tiles would share issues."""
    exact, binds = inside(bounds)
    return f"i.public_3857 && ST_MakeEnvelope(:west, :south, :east, :north, 3857) AND {exact}", binds


def inside(bounds: Bounds) -> tuple[str, dict[str, float]]:
    """The same without its index, for issues that something else has found.

    CASE hides the exact test from the planner, which else believes that it leaves one issue of a thousand over, and
    reads the names of places anew for each.
    """
    sql = (
        "CASE WHEN ST_X(i.public_3857) >= :west AND ST_X(i.public_3857) < :east "
        "AND ST_Y(i.public_3857) >= :south AND ST_Y(i.public_3857) < :north THEN true ELSE false END"
    )
    return sql, {"west": bounds.west, "south": bounds.south, "east": bounds.east, "north": bounds.north}
