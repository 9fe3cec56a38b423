"""Map sheets of a visit: what is drawn on the overview and on the map of one stop, from layers, plan and issues."""

import json
import math
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from geoapp.catalog import Layer
from geoapp.domain.values import Box, Viewer
from geoapp.domain.visiting import Basis
from geoapp.maps.drawing import Drawing, Ends, Feature, Spot, Way, draw
from geoapp.maps.paper import Paper, metres_per_degree
from geoapp.services import briefs, issues, layers
from geoapp.services.briefs import Brief, Briefed
from geoapp.services.layers import Sketched
from geoapp.services.visits import VisitRow
from geoapp.web import page

OVERVIEW = (1860.0, 980.0, 100.0)
DETAIL = (1020.0, 720.0, 60.0)
"""Width, height and margin in tenths of a millimetre."""
LEAST_M, AROUND_M = 300.0, 130.0
JURISDICTIONS, ISSUES = "jurisdictions", "issues"
UNCLEAR = {"contested_land", "orphan_land"}
STEPS = 1200
"""A sheet is so many steps wide; what is smaller is left out of outlines."""


def overview(viewer: Viewer, found: Brief) -> Drawing:
    """All stops and the way between them, over boundaries and the unclear land of their categories."""
    visit = found.detail.visit
    ends = Ends(_pair(visit.start), _pair(visit.end) if visit.end else None)
    way = _way(found)
    shapes = [way.shape] if way else []
    shapes += [json.loads(one.case.detail.extent) for one in found.stops if one.case.detail.extent]
    places = [(one.stop.issue.lon, one.stop.issue.lat) for one in found.stops]
    places += [place for place in (ends.start, ends.end) if place] + [at for shape in shapes for at in corners(shape)]
    paper = Paper(box_around(places, LEAST_M), *OVERVIEW)
    categories = {one.stop.issue.category for one in found.stops}
    day = visit.on_day
    grounds = [
        (layer, _features(layer, _sketched(viewer, layer, paper, day), categories))
        for layer in _drawable()
        if layer.query != JURISDICTIONS
    ]
    return draw(
        paper, grounds, spots=[*_nearby(viewer, paper, found.stops), *(_stop(one) for one in found.stops)],
        lang=page.lang(), title=page.say("brief.map_title", title=visit.title), way=way, ends=ends,
        review_no=page.settings().map_review_no,
    )  # fmt: skip


def detail(viewer: Viewer, visit: VisitRow, one: Briefed) -> Drawing:
    """One stop close up: whose land, by the rules for its category, and what else lies around."""
    row = one.case.detail.row
    extent = json.loads(one.case.detail.extent) if one.case.detail.extent else None
    places = [(row.lon, row.lat), *(corners(extent) if extent else ())]
    paper = Paper(box_around(places, 2 * AROUND_M), *DETAIL)
    grounds = [
        (layer, _features(layer, _sketched(viewer, layer, paper, visit.on_day), {row.category}))
        for layer in _drawable()
    ]
    return draw(
        paper, grounds, spots=[*_nearby(viewer, paper, [one]), _stop(one)], lang=page.lang(),
        title=page.say("brief.map_of", number=row.number), review_no=page.settings().map_review_no,
    )  # fmt: skip


def box_around(places: Sequence[tuple[float, float]], least_m: float) -> Box:
    """A box that holds places, and is at least so many metres wide and high."""
    west, east = min(lon for lon, _ in places), max(lon for lon, _ in places)
    south, north = min(lat for _, lat in places), max(lat for _, lat in places)
    lon, lat = (west + east) / 2, (south + north) / 2
    degree = metres_per_degree(lat)
    wide = max(east - west, least_m / degree[0]) / 2
    high = max(north - south, least_m / degree[1]) / 2
    return Box(lon - wide, lat - high, lon + wide, lat + high)


def corners(shape: dict[str, Any]) -> list[tuple[float, float]]:
    """All places of a GeoJSON shape."""
    found: list[tuple[float, float]] = []

    def walk(part: Any) -> None:
        if part and isinstance(part[0], int | float):
            found.append((float(part[0]), float(part[1])))
            return
        for inner in part:
            walk(inner)

    for one in shape.get("geometries", [shape]):
        walk(one["coordinates"])
    return found


def covers(categories: str | None, wanted: Iterable[str]) -> bool:
    """Whether land that is told for some categories (none: for all) is told for one of those wanted."""
    told = [code for code in (categories or "").split(",") if code]
    return not told or any(one == code or one.startswith(f"{code}.") for one in wanted for code in told)


def _drawable() -> list[Layer]:
    return [layer for layer in page.all_layers() if "map" in layer.faces and layer.query != ISSUES
            and layer.geometry != "Point"]  # fmt: skip


def _sketched(viewer: Viewer, layer: Layer, paper: Paper, day: date) -> list[Sketched]:
    box = paper.shown
    return layers.sketch(viewer, layer, box=box, step=(box.east - box.west) / STEPS, today=day)


def _features(layer: Layer, found: list[Sketched], categories: set[str]) -> list[Feature]:
    label = str(layer.style.get("label", ""))
    kept = found
    if layer.query in {*UNCLEAR, JURISDICTIONS}:
        kept = [one for one in found if covers(one.fields.get("categories"), categories)]
    return [
        Feature(one.shape, _name(one.fields, label), int(one.fields.get(str(layer.style.get("colourBy", ""))) or 0))
        for one in kept
    ]


def _name(fields: dict[str, Any], label: str) -> str:
    if label != "name":
        return str(fields.get(label) or "")
    first, second = ("name_en", "name_zh") if page.lang() == "en" else ("name_zh", "name_en")
    return str(fields.get(first) or fields.get(second) or fields.get("name") or "")


def _nearby(viewer: Viewer, paper: Paper, stops: Sequence[Briefed]) -> list[Spot]:
    known = {one.stop.issue.id for one in stops}
    return [
        Spot(row.lon, row.lat, row.state.group, row.verdict)
        for row in briefs.nearby(viewer, paper.shown, zone=page.settings().zone)
        if row.id not in known and row.in_full
    ]


def _stop(one: Briefed) -> Spot:
    row: issues.IssueRow = one.case.detail.row
    extent = one.case.detail.extent
    return Spot(
        one.stop.issue.lon, one.stop.issue.lat, row.state.group, row.verdict, one.stop.seq,
        row.title or row.category_name.say(page.lang()), json.loads(extent) if extent else None,
    )  # fmt: skip


def _way(found: Brief) -> Way | None:
    """The way that was planned; where none is known, straight lines from stop to stop."""
    visit = found.detail.visit
    if visit.route:
        return Way(json.loads(visit.route), visit.basis)
    places = [_pair(visit.start), *((one.stop.issue.lon, one.stop.issue.lat) for one in found.stops)]
    if visit.finish == "start":
        places.append(_pair(visit.start))
    elif visit.end:
        places.append(_pair(visit.end))
    if len(places) < 2 or not math.dist(places[0], places[-1]) + len(found.stops):  # noqa: PLR2004
        return None
    return Way({"type": "LineString", "coordinates": places}, Basis.ESTIMATE)


def _pair(point: Any) -> tuple[float, float]:
    return point.lon, point.lat
