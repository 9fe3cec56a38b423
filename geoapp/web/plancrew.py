"""What if a crew moved: a pin on the map or coordinates, and load and distance per unit before and after."""

import math
from typing import Any

from flask import Blueprint, Response, request

from geoapp.domain.values import Box, Point, Viewer
from geoapp.errors import BadInput, OutOfRange, status_of
from geoapp.services import crews
from geoapp.services.crews import Base, Move, Outcome, Reach
from geoapp.services.places import Choices
from geoapp.web import errors, page, params, public
from geoapp.web.planning import planner, tabs

blueprint = Blueprint("plancrew", __name__, url_prefix="/planning")
ON_THE_MAP, LISTED = 2000, 100
FIELDS = ("unit", "category", "from_lat", "from_lon", "to_lat", "to_lon", "share")
DIGITS = 6
LATITUDES, LONGITUDES = (-85.0, 85.0), (-180.0, 180.0)


@blueprint.get("/crew")
def crew() -> Response:
    """The page; without a unit only its form. What cannot be asked is said on it."""
    viewer = planner()
    typed = {name: request.args.get(name, "").strip()[:80] for name in FIELDS}
    found: Outcome | None = None
    refused: BadInput | None = None
    try:
        if typed["unit"]:
            found = crews.what_if(viewer, _move(typed), now=page.now(), zone=page.settings().zone)
    except BadInput as wrong:
        refused = wrong
    return _page(viewer, typed, found, refused)


def _move(typed: dict[str, str]) -> Move:
    known = page.choices()
    if typed["category"] and typed["category"] not in {row.code for row in known.categories}:
        raise BadInput("category", "unknown", value=typed["category"])
    return Move(
        typed["unit"], at=_place(typed, "to"), today=_place(typed, "from"), nearest=typed["share"] == "nearest",
        categories=(typed["category"],) if typed["category"] else (),
    )  # fmt: skip


def _place(typed: dict[str, str], name: str) -> Point | None:
    """A pair of fields; both empty: none."""
    if not typed[f"{name}_lat"] and not typed[f"{name}_lon"]:
        return None
    found = []
    for field, (low, high) in ((f"{name}_lon", LONGITUDES), (f"{name}_lat", LATITUDES)):
        value = params.number(field, typed[field])
        if not low <= value <= high:
            raise OutOfRange(field, "between", low=low, high=high)
        found.append(value)
    return Point(*found)


def _page(viewer: Viewer, typed: dict[str, str], found: Outcome | None, refused: BadInput | None) -> Response:
    known = page.choices()
    tongue = page.lang()
    counts = crews.choices(viewer, zone=page.settings().zone)
    context = public.map_context(known, _around(found) or known.home)
    context["config"]["planning"] = {"crew": _on_map(found, known) if found else None}
    units = sorted((one for one in known.units if one.code in counts or one.code == typed["unit"]),
                   key=lambda one: (-counts.get(one.code, 0), one.code))  # fmt: skip
    return page.render(
        "planning_crew.html",
        known,
        status=status_of(refused) if refused else 200,
        refused=errors.sentence(refused) if refused else "",
        wrong=refused.field if refused else "",
        typed=typed,
        tabs=tabs(),
        units=[{"code": one.code, "name": one.name.say(tongue), "n": counts.get(one.code, 0)} for one in units],
        categories=[
            {"code": one.code, "name": one.name.say(tongue), "top": one.parent is None} for one in known.categories
        ],
        outcome=_shown(found, known) if found else None,
        again_url=page.url("/planning/crew", unit=typed["unit"]),
        **context,
    )


def _shown(found: Outcome, known: Choices) -> dict[str, Any]:
    names = {unit.code: unit.name.say(page.lang()) for unit in known.units}
    pairs = list(zip(found.issues, found.owner_after, strict=True))
    return {
        "unit": names.get(found.before.unit, found.before.unit),
        "before": _where(found.before),
        "after": _where(found.after),
        "assumed": not found.before.crew and not request.args.get("from_lat"),
        "crew": found.before.crew,
        "moved": (found.before.lon, found.before.lat) != (found.after.lon, found.after.lat),
        "rows": [
            {
                "name": names.get(row.unit, row.unit), "moved": row.moved, "base": row.base is not None,
                "n": _pair(row.straight, lambda one: f"{one.n:,}"),
                "mean": _pair(row.straight, lambda one: _metres(one.mean_m)),
                "median": _pair(row.straight, lambda one: _metres(one.median_m)),
                "road": None if row.roads is None else _pair(row.roads, lambda one: _metres(one.median_m)),
                "road_n": None if row.roads is None else _pair(row.roads, lambda one: f"{one.known:,}"),
            }
            for row in found.rows
        ],
        "roads": any(row.roads is not None for row in found.rows),
        "too_many": found.far_too_many,
        "neighbours": len(found.neighbours),
        "passed": sum(one.unit != then for one, then in pairs),
        "crs": found.crs,
        "issues": [
            {
                "number": one.number, "before": names.get(str(one.unit), str(one.unit)), "after": names.get(then, then),
                "passed": one.unit != then, "metres": (_metres(float(old)), _metres(float(new))),
            }
            for (one, then), old, new in list(
                zip(pairs, found.metres_before, found.metres_after, strict=True)
            )[:LISTED]
        ],
        "more": max(0, len(pairs) - LISTED),
    }  # fmt: skip


def _on_map(found: Outcome, known: Choices) -> dict[str, Any]:
    names = {unit.code: unit.name.say(page.lang()) for unit in known.units}
    whole = zip(found.issues, found.owner_after, found.metres_before, found.metres_after, strict=True)
    return {
        "before": [found.before.lat, found.before.lon],
        "after": [found.after.lat, found.after.lon],
        "unit": found.before.unit,
        "neighbours": [
            {"at": [row.base.lat, row.base.lon], "name": names.get(row.unit, row.unit)}
            for row in found.rows if row.base is not None and not row.moved
        ],
        "issues": [
            {
                "at": [round(one.lat, DIGITS), round(one.lon, DIGITS)], "number": one.number,
                "own": then == found.before.unit, "passed": one.unit != then,
                "nearer": bool(new < old), "farther": bool(new > old), "url": page.url(f"/desk/issues/{one.number}"),
                "said": f"{one.number} · {_metres(float(old))} → {_metres(float(new))} m",
            }
            for one, then, old, new in list(whole)[:ON_THE_MAP]
        ],
    }  # fmt: skip


def _pair(both: tuple[Reach, Reach], say: Any) -> dict[str, Any]:
    before, after = (say(one) for one in both)
    return {"before": before, "after": after, "changes": before != after}


def _metres(value: float) -> str:
    return f"{value:,.0f}" if math.isfinite(value) else "–"


def _where(base: Base) -> dict[str, str]:
    return {"lat": f"{base.lat:.{DIGITS}f}", "lon": f"{base.lon:.{DIGITS}f}"}


def _around(found: Outcome | None) -> Box | None:
    """The moved unit's issues and both of its bases."""
    if found is None:
        return None
    own = [(one.lon, one.lat) for one in found.issues if one.unit == found.before.unit]
    lon, lat = zip(*own, (found.before.lon, found.before.lat), (found.after.lon, found.after.lat), strict=True)
    return Box(min(lon) - 0.004, min(lat) - 0.004, max(lon) + 0.004, max(lat) + 0.004)
