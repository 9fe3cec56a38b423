"""A map sheet for print: the layers of the layer files, the stops and the way of a visit, as one vector drawing.

Why our own SVG? The same text stands in the page and, set by WeasyPrint, in the PDF, so both show the same, from the
same layer descriptions and shapes of symbols as the screen; words stay text that can be searched, and no browser is
needed on the server. Matplotlib would draw a second set of symbols and turn Chinese into outlines; a headless Chromium
brings 400 MB. One unit is a tenth of a millimetre on A4. Hatchings are lines cut by the area itself, not patterns,
because viewers of PDF disagree about those; nothing is told by colour alone.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape as shape_of
from shapely.geometry.base import BaseGeometry

from geoapp import words
from geoapp.catalog import Layer
from geoapp.domain.values import StateGroup, VerdictClass
from geoapp.domain.visiting import Basis
from geoapp.maps import symbols
from geoapp.maps.furniture import INK, furniture
from geoapp.maps.lettering import Lettering, Rect, around
from geoapp.maps.paper import Paper
from geoapp.maps.strokes import PX, hatched, line, lines_of, on_paper, path_of, tint

GREY, PALE = "#6b6f72", "#b4b0a8"
FONT = "Noto Sans CJK SC, Noto Sans SC, PingFang SC, Microsoft YaHei, sans-serif"
REACH = 27.0
"""Half a numbered stop."""
RINGED = 50.0
"""Half a stop with the ring of its verdict."""
ASIDE = (64.0, 88.0, 112.0, 140.0, 170.0)
"""How far a stop is moved off others that lie at nearly the same place."""
BOLD_FROM = 28.0
TINT = 0.16


@dataclass(frozen=True, slots=True)
class Feature:
    """One shape of a layer (GeoJSON, EPSG:4326) with its name in the sheet's language; ``tint`` tells units apart."""

    shape: dict[str, Any]
    name: str = ""
    tint: int = 0


@dataclass(frozen=True, slots=True)
class Spot:
    """An issue: ``n`` is its number as a stop, None for one that only lies nearby; ``extent`` is GeoJSON."""

    lon: float
    lat: float
    group: StateGroup
    verdict: VerdictClass
    n: int | None = None
    title: str = ""
    extent: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """The way of a visit as GeoJSON lines; what of it is only an estimate is straight from stop to stop."""

    shape: dict[str, Any]
    basis: Basis


@dataclass(frozen=True, slots=True)
class Ends:
    """Where a visit begins and, when that is another place, ends: longitude and latitude."""

    start: tuple[float, float]
    end: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A line of the legend: a small drawing and its words."""

    swatch: str
    words: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A sheet as SVG, the legend of what can be seen on it, its scale as 1 : ``ratio`` on A4; its bar in metres."""

    svg: str
    title: str
    legend: tuple[Key, ...]
    ratio: int
    bar_m: int
    bar_units: float


@dataclass(slots=True)
class _Sheet:
    """A drawing in the making."""

    paper: Paper
    lang: str
    frame: BaseGeometry = field(init=False)
    room: Lettering = field(init=False)
    parts: list[str] = field(default_factory=list)
    legend: list[Key] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.frame = shapely.box(0, 0, self.paper.width, self.paper.height)
        self.room = Lettering(Rect(12, 12, self.paper.width - 12, self.paper.height - 12))

    def say(self, key: str, **params: Any) -> str:
        return words.say(self.lang, f"sheet.{key}", **params)

    def drawn(self, shape: dict[str, Any]) -> BaseGeometry:
        """A GeoJSON shape in units of the sheet, cut at its frame."""
        moved = shapely.transform(
            shapely.make_valid(shape_of(shape)), lambda xy: np.array([self.paper.place(x, y) for x, y in xy])
        )
        return shapely.intersection(shapely.make_valid(moved), self.frame)

    def explain(self, swatch: str, said: str) -> None:
        key = Key(
            f'<svg class="swatch" viewBox="0 0 90 56" width="9mm" height="5.6mm" aria-hidden="true">{swatch}</svg>',
            said,
        )
        if key not in self.legend:
            self.legend.append(key)


def draw(
    paper: Paper,
    grounds: Iterable[tuple[Layer, Sequence[Feature]]],
    *,
    spots: Sequence[Spot],
    lang: str,
    title: str,
    way: Way | None = None,
    ends: Ends | None = None,
    review_no: str = "",
) -> Drawing:
    """Draw a sheet: layers in their order, the way, extents, issues, words; then scale bar, north and review number."""
    sheet = _Sheet(paper, lang)
    bar_m, bar = paper.scale()
    furnished = furniture(paper, sheet.room, lang=lang, bar_m=bar_m, bar=bar, review_no=review_no)
    layers: list[Key] = []
    named: list[tuple[BaseGeometry, str, Layer]] = []
    for layer, features in grounds:
        named += _ground(sheet, layer, features)
    layers, sheet.legend = sheet.legend, []
    if way:
        _way(sheet, way)
    for spot in spots:
        _extent(sheet, spot)
    marks = _spots(sheet, spots, ends)
    # Words come after everything that must not be covered, the large names first.
    for area, name, layer in sorted(named, key=lambda one: -float(one[2].style.get("labelSize", 11))):
        size = 2.4 * float(layer.style.get("labelSize", 11))
        weight = 700 if size > BOLD_FROM else 400
        sheet.parts.append(sheet.room.name(area, name, size=size, colour="#3c4347", weight=weight))
    sheet.parts += [*marks, furnished]
    svg = (
        f'<svg class="map-sheet" viewBox="0 0 {paper.width:g} {paper.height:g}" role="img" '
        f'aria-label="{escape(title)}" font-family="{FONT}" data-per-metre="{paper.per_metre:.6f}">'
        f'<rect width="{paper.width:g}" height="{paper.height:g}" fill="#ffffff"/>{"".join(sheet.parts)}'
        f'<rect x="1.5" y="1.5" width="{paper.width - 3:g}" height="{paper.height - 3:g}" fill="none" '
        f'stroke="{INK}" stroke-width="3"/></svg>'
    )
    ratio = round(10_000 / paper.per_metre)
    return Drawing(svg, title, (*sheet.legend, *layers), ratio, bar_m, bar)


def _ground(sheet: _Sheet, layer: Layer, features: Sequence[Feature]) -> list[tuple[BaseGeometry, str, Layer]]:
    """One layer; returns what is to be named. What has no edge and no filling within the frame is no part of it."""
    style = layer.style
    wide, stroke = on_paper(float(style.get("width", 1.0)), str(style.get("stroke", GREY)))
    if layer.geometry == "LineString":
        # Streets lead the eye and are no edges of anything: light and under everything else.
        wide, stroke = 4.5, PALE
    dash = f' stroke-dasharray="{_dashes(style["dash"])}"' if style.get("dash") else ""
    named = []
    for nth, (one, area) in enumerate(_joined(sheet, features)):
        if area.is_empty:
            continue
        edge = shapely.intersection(area.boundary if area.area else area, sheet.frame.buffer(-2))
        shows = bool(style.get("hatch") or style.get("colourBy"))
        if edge.is_empty and not shows:
            continue
        filling = ""
        swatch = f'<path d="M6 44 34 16l20 14 30-20" fill="none" stroke="{stroke}" stroke-width="{wide:.1f}"{dash}/>'
        if style.get("colourBy"):
            colour = tint(one.tint)
            filling = (
                f'<path d="{path_of(area)}" fill="{colour}" fill-opacity="{TINT}" fill-rule="evenodd"/>'
                + hatched(area, "lines", nth, colour=colour, width=2.2)
            )
            swatch = _swatch(colour, "lines", nth, stroke, TINT)
            # A light line within a dark one: neighbours keep an edge each where they meet.
            wide += 1.5
        elif style.get("hatch"):
            colour, kind = str(style.get("fill", stroke)), str(style["hatch"])
            filling = _filled(area, kind, colour)
            swatch = _swatch(colour, kind, 0, stroke, 0.05)
        if layer.style.get("casing") and not edge.is_empty:
            filling += line(edge, colour="#e4ddd0", width=wide + 7)
        sheet.parts.append(filling + line(edge, colour=stroke, width=wide, dash=dash))
        name = one.name if style.get("label") else ""
        sheet.explain(swatch, name if style.get("colourBy") and name else layer.title.say(sheet.lang))
        if name and area.area > 0:
            named.append((area, name, layer))
    return named


def _joined(sheet: _Sheet, features: Sequence[Feature]) -> list[tuple[Feature, BaseGeometry]]:
    """Shapes by name: land that one unit holds by several rules is one area on paper."""
    found: dict[object, tuple[Feature, BaseGeometry]] = {}
    for nth, one in enumerate(features):
        area = sheet.drawn(one.shape)
        key = one.name or nth
        found[key] = (one, shapely.union(found[key][1], area) if key in found else area)
    return list(found.values())


def _filled(area: BaseGeometry, kind: str, colour: str) -> str:
    ground = f'<path d="{path_of(area)}" fill="{colour}" fill-opacity="0.05" fill-rule="evenodd"/>'
    return ground + hatched(area, kind, 0, colour=colour, width=2.4)


def _swatch(colour: str, kind: str, nth: int, stroke: str, opacity: float) -> str:
    inner = hatched(shapely.box(4, 4, 86, 52), kind, nth, colour=colour, width=3.0)
    return (
        f'<rect x="4" y="4" width="82" height="48" fill="{colour}" fill-opacity="{opacity}" stroke="none"/>{inner}'
        f'<rect x="4" y="4" width="82" height="48" fill="none" stroke="{stroke}" stroke-width="3"/>'
    )


def _way(sheet: _Sheet, way: Way) -> None:
    drawn = sheet.drawn(way.shape)
    dash = "" if way.basis is Basis.ROADS else ' stroke-dasharray="20 13"'
    if drawn.is_empty:
        return
    sheet.parts.append(line(drawn, colour="#ffffff", width=17))
    sheet.parts.append(line(drawn, colour=INK, width=8, dash=dash))
    for one in lines_of(drawn):
        sheet.parts += _arrows(one)
    sheet.explain(
        f'<path d="M4 28h82" stroke="{INK}" stroke-width="8"{dash}/><path d="m38 15 22 13-22 13Z" fill="{INK}"/>',
        sheet.say(f"way_{way.basis}"),
    )


def _arrows(one: BaseGeometry) -> list[str]:
    """Arrow heads along a way, far enough apart to be read."""
    drawn = []
    count = max(1, round(one.length / 330))
    for nth in range(count):
        along = one.length * (nth + 0.5) / count
        if one.length < 70:  # noqa: PLR2004 - no room for a head
            break
        here, there = one.interpolate(along), one.interpolate(along + 4)
        turn = math.degrees(math.atan2(there.y - here.y, there.x - here.x))
        drawn.append(
            f'<path d="m-12-14 26 14-26 14Z" fill="{INK}" stroke="#ffffff" stroke-width="3" '
            f'transform="translate({here.x:.1f} {here.y:.1f}) rotate({turn:.0f})"/>'
        )
    return drawn


def _extent(sheet: _Sheet, spot: Spot) -> None:
    """What an issue covers: an area cross-hatched, a line thick, several points as dots."""
    if not spot.extent:
        return
    drawn = sheet.drawn(spot.extent)
    colour = symbols.PAINT[spot.group]
    for part in shapely.get_parts(drawn):
        if part.is_empty:
            continue
        if part.geom_type == "Polygon":
            sheet.parts.append(
                hatched(part, "cross", 0, colour=colour, width=2.4)
                + f'<path d="{path_of(part)}" fill="none" stroke="{colour}" stroke-width="5"/>'
            )
        elif part.geom_type == "LineString":
            sheet.parts.append(line(part, colour="#ffffff", width=15) + line(part, colour=colour, width=9))
        else:
            sheet.parts.append(
                f'<circle cx="{part.x:.1f}" cy="{part.y:.1f}" r="11" fill="{colour}" stroke="#ffffff" '
                'stroke-width="3"/>'
            )
        sheet.explain(
            f'<path d="M8 40 30 14l28 6 24-8v32Z" fill="none" stroke="{INK}" stroke-width="5"/>', sheet.say("extent")
        )


def _spots(sheet: _Sheet, spots: Sequence[Spot], ends: Ends | None) -> list[str]:
    """Issues that only lie nearby, where the visit begins and ends, and on top the numbered stops."""
    stops = [one for one in spots if one.n is not None]
    placed = [_stop(sheet, one) for one in stops]
    drawn: list[str] = []
    for one in spots:
        x, y = sheet.paper.place(one.lon, one.lat)
        if one.n is None and shapely.contains_xy(sheet.frame, x, y):
            sheet.room.take(around(x, y, 16))
            drawn.append(symbols.symbol(one.group, one.verdict, x, y, size=symbols.SMALL))
    if ends:
        drawn += _ends(sheet, ends)
    drawn += [leader for leader, _ in placed] + [body for _, body in placed]
    _explain_spots(sheet, spots, stops)
    return drawn


def _ends(sheet: _Sheet, ends: Ends) -> list[str]:
    drawn = []
    for key, place in (("start", ends.start), ("end", ends.end)):
        if place is None:
            continue
        x, y = sheet.paper.place(*place)
        if not shapely.contains_xy(sheet.frame, x, y):
            continue
        letter = sheet.say(f"{key}_letter")
        sheet.room.take(around(x, y, REACH))
        drawn.append(f"<g>{_flag(x, y, letter)}</g>")
        sheet.explain(_flag(45, 28, letter), sheet.say(key if ends.end or key == "end" else "start_end"))
    return drawn


def _flag(x: float, y: float, letter: str) -> str:
    return (
        f'<rect x="{x - 24:.1f}" y="{y - 24:.1f}" width="48" height="48" fill="#ffffff" stroke="{INK}" '
        f'stroke-width="6"/><text x="{x:.1f}" y="{y + 11:.1f}" font-size="32" font-weight="700" text-anchor="middle" '
        f'fill="{INK}">{escape(letter)}</text>'
    )


def _stop(sheet: _Sheet, one: Spot) -> tuple[str, str]:
    """A numbered stop; where others are in the way it stands aside, with a line to its true place.

    The line comes first, so that it can be drawn below all numbers.
    """
    x, y = sheet.paper.place(one.lon, one.lat)
    reach = RINGED if one.verdict in symbols.RINGS else REACH
    at = (x, y)
    if not sheet.room.is_free(around(x, y, reach)):
        at = sheet.room.free_spot(x, y, reach, steps=ASIDE)
    sheet.room.take(around(*at, reach))
    leader = ""
    if at != (x, y):
        leader = (
            f'<path d="M{x:.1f} {y:.1f}L{at[0]:.1f} {at[1]:.1f}" stroke="#ffffff" stroke-width="9"/>'
            f'<path d="M{x:.1f} {y:.1f}L{at[0]:.1f} {at[1]:.1f}" stroke="{INK}" stroke-width="4"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" fill="{INK}" stroke="#ffffff" stroke-width="3"/>'
        )
    body = symbols.symbol(one.group, one.verdict, *at, size=symbols.STOP, text=str(one.n))
    return leader, (
        f'<g class="stop" data-n="{one.n}" data-lon="{one.lon:.7f}" data-lat="{one.lat:.7f}">'
        f"<title>{one.n} {escape(one.title)}</title>{body}</g>"
    )


def _explain_spots(sheet: _Sheet, spots: Sequence[Spot], stops: Sequence[Spot]) -> None:
    shown = [
        one
        for one in spots
        if one.n is not None or shapely.contains_xy(sheet.frame, *sheet.paper.place(one.lon, one.lat))
    ]
    if stops:
        first = stops[0]
        sheet.explain(symbols.symbol(first.group, None, 45, 28, size=3.0, text=str(first.n)), sheet.say("stop"))
    for group in StateGroup:
        if any(one.group is group for one in shown):
            sheet.explain(symbols.symbol(group, None, 45, 28, size=2.6), words.say(sheet.lang, f"group.{group}"))
    for verdict in (VerdictClass.NEAR, VerdictClass.CONTESTED, VerdictClass.ORPHAN):
        if any(one.verdict is verdict for one in shown):
            swatch = "".join(
                f'<path d="{path}" fill="none" stroke="{symbols.PAINT[verdict]}" stroke-width="{wide}" '
                f'stroke-linecap="round"' + (f' stroke-dasharray="{dash}"' if dash else "") + "/>"
                for path, wide, dash in symbols.RINGS[verdict]
            )
            sheet.explain(
                f'<g transform="translate(19 2) scale(1.62)">{swatch}</g>',
                sheet.say("ring", verdict=words.say(sheet.lang, f"verdict.{verdict}")),
            )


def _dashes(said: Any) -> str:
    return " ".join(f"{float(part) * PX:.1f}" for part in str(said).split())
