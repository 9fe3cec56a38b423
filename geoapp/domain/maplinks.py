"""Addresses that open a place in a map program, each in the coordinates that the program expects.

Chinese map programs shift what they are given: Amap (高德) draws in GCJ-02 and Baidu (百度) in BD-09. Both would also
convert for us, but how well is theirs to know; so they are told the system and get its coordinates. Seven decimals
are about a centimetre.
"""

from urllib.parse import quote, urlencode

from geoapp.domain.geometry import wgs84_to_bd09, wgs84_to_gcj02
from geoapp.domain.values import Point

SOURCE = "geoapp"
"""Both ask who sends."""


def amap(point: Point, name: str) -> str:
    """A marker in Amap, in GCJ-02: longitude before latitude."""
    lon, lat = wgs84_to_gcj02(point.lon, point.lat)
    asked = {"position": f"{lon:.7f},{lat:.7f}", "name": name, "coordinate": "gaode", "callnative": "1", "src": SOURCE}
    return f"https://uri.amap.com/marker?{urlencode(asked, safe=',')}"


def baidu(point: Point, name: str) -> str:
    """A marker in Baidu Maps, in BD-09: latitude before longitude. ``content`` must not be empty."""
    lon, lat = wgs84_to_bd09(point.lon, point.lat)
    asked = {
        "location": f"{lat:.7f},{lon:.7f}", "title": name, "content": name, "coord_type": "bd09ll", "output": "html",
        "src": SOURCE,
    }  # fmt: skip
    return f"https://api.map.baidu.com/marker?{urlencode(asked, safe=',')}"


def geo_uri(point: Point, name: str) -> str:
    """A ``geo:`` URI (RFC 5870, WGS-84), with the label that phones read from ``q``."""
    place = f"{point.lat:.7f},{point.lon:.7f}"
    return f"geo:{place}?q={place}({quote(name)})"
