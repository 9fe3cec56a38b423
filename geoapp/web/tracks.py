"""The stops and the way of a visit as GPX 1.1 and KML 2.2: for handhelds and map programs, in WGS-84.

Written with the standard library's XML: GDAL's drivers would lose the order of the stops or their names.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

GPX = "http://www.topografix.com/GPX/1/1"
KML = "http://www.opengis.net/kml/2.2"
FORBIDDEN = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold."""


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A place with its name, some words and an address for more."""

    lon: float
    lat: float
    name: str
    words: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Track:
    """A visit: its name, its places in order, and its way as GeoJSON text."""

    name: str
    words: str
    places: Sequence[Waypoint]
    way: str | None


def gpx(track: Track) -> bytes:
    """Waypoints, a route through them in their order, and the way as a track."""
    ET.register_namespace("", GPX)
    root = ET.Element(f"{{{GPX}}}gpx", {"version": "1.1", "creator": "geoapp"})
    head = _under(root, GPX, "metadata")
    _under(head, GPX, "name", track.name)
    _under(head, GPX, "desc", track.words)
    for one in track.places:
        _waypoint(root, "wpt", one)
    route = _under(root, GPX, "rte")
    _under(route, GPX, "name", track.name)
    for one in track.places:
        _waypoint(route, "rtept", one)
    if lines := _lines(track.way):
        drawn = _under(root, GPX, "trk")
        _under(drawn, GPX, "name", track.name)
        for line in lines:
            segment = _under(drawn, GPX, "trkseg")
            for lon, lat in line:
                ET.SubElement(segment, f"{{{GPX}}}trkpt", {"lat": f"{lat:.7f}", "lon": f"{lon:.7f}"})
    return _text(root)


def kml(track: Track) -> bytes:
    """Placemarks in their order, and the way as lines."""
    ET.register_namespace("", KML)
    root = ET.Element(f"{{{KML}}}kml")
    document = _under(root, KML, "Document")
    _under(document, KML, "name", track.name)
    _under(document, KML, "description", track.words)
    for one in track.places:
        mark = _under(document, KML, "Placemark")
        _under(mark, KML, "name", one.name)
        _under(mark, KML, "description", "\n".join(filter(None, (one.words, one.link))))
        _under(_under(mark, KML, "Point"), KML, "coordinates", f"{one.lon:.7f},{one.lat:.7f}")
    for line in _lines(track.way):
        mark = _under(document, KML, "Placemark")
        _under(mark, KML, "name", track.name)
        drawn = _under(mark, KML, "LineString")
        _under(drawn, KML, "tessellate", "1")
        _under(drawn, KML, "coordinates", " ".join(f"{lon:.7f},{lat:.7f}" for lon, lat in line))
    return _text(root)


def _waypoint(above: ET.Element, tag: str, one: Waypoint) -> None:
    made = ET.SubElement(above, f"{{{GPX}}}{tag}", {"lat": f"{one.lat:.7f}", "lon": f"{one.lon:.7f}"})
    _under(made, GPX, "name", one.name)
    _under(made, GPX, "desc", one.words)
    if one.link:
        ET.SubElement(made, f"{{{GPX}}}link", {"href": one.link})


def _under(above: ET.Element, space: str, tag: str, words: str | None = None) -> ET.Element:
    made = ET.SubElement(above, f"{{{space}}}{tag}")
    if words is not None:
        made.text = FORBIDDEN.sub("", words)
    return made


def _lines(way: str | None) -> list[list[tuple[float, float]]]:
    if not way:
        return []
    drawn = json.loads(way)
    lines: list[list[list[float]]] = [drawn["coordinates"]] if drawn["type"] == "LineString" else drawn["coordinates"]
    return [[(at[0], at[1]) for at in line] for line in lines]


def _text(root: ET.Element) -> bytes:
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
