"""GPX and KML are read back by somebody else's reader with every name in its place."""

import json

import pyogrio

from geoapp.web.tracks import Track, Waypoint, gpx, kml

TRACK = Track(
    "沱湾 & 北渡",
    "2026-11-27 09:00",
    [
        Waypoint(106.65, 29.03, "起点", ""),
        Waypoint(106.651, 29.031, "1 人行道破损 <坏>\x0b", "QJ-2026-000001", "https://example.org/issues/1?a=1&b=2"),
    ],
    json.dumps({"type": "LineString", "coordinates": [[106.65, 29.03], [106.6505, 29.0301], [106.651, 29.031]]}),
)


def test_gpx_holds_stops_in_order_and_the_way(tmp_path):
    file = tmp_path / "visit.gpx"
    file.write_bytes(gpx(TRACK))

    stops = pyogrio.read_dataframe(file, layer="waypoints")
    ways = pyogrio.read_dataframe(file, layer="tracks")
    order = pyogrio.read_dataframe(file, layer="route_points")
    assert list(stops["name"]) == list(order["name"]) == ["起点", "1 人行道破损 <坏>"]
    assert list(stops["link1_href"])[1] == "https://example.org/issues/1?a=1&b=2"
    assert (stops.geometry[1].x, stops.geometry[1].y) == (106.651, 29.031)
    assert list(ways["name"]) == ["沱湾 & 北渡"]
    assert len(ways.geometry[0].geoms[0].coords) == 3


def test_kml_holds_the_same(tmp_path):
    file = tmp_path / "visit.kml"
    file.write_bytes(kml(TRACK))

    found = pyogrio.read_dataframe(file)
    assert list(found["Name"]) == ["起点", "1 人行道破损 <坏>", "沱湾 & 北渡"]
    assert "QJ-2026-000001" in found["description"][1]
    assert [one.geom_type for one in found.geometry] == ["Point", "Point", "LineString"]


def test_a_visit_without_a_known_way_has_stops_only():
    bare = Track("x", "", TRACK.places, None)

    assert b"<trk>" not in gpx(bare)
    assert b"LineString" not in kml(bare)
