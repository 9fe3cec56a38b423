"""Links into map programs carry the coordinates of those programs."""

import csv
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pyproj import Geod

from geoapp.domain import maplinks
from geoapp.domain.values import Point

with (Path(__file__).parents[1] / "data" / "gcj02_bd09_vectors.csv").open(encoding="utf-8") as file:
    ROWS = [row for row in csv.DictReader(file) if row["wgs84_lng"]]
WGS84 = Geod(ellps="WGS84")


def metres(one, other):
    return WGS84.inv(*one, *other)[2]


def asked(link):
    return {key: values[0] for key, values in parse_qs(urlsplit(link).query).items()}


@pytest.mark.parametrize(
    ("link", "asks", "turn", "theirs"),
    [(maplinks.amap, "position", 1, "gcj02"), (maplinks.baidu, "location", -1, "bd09")],
)
def test_links_lie_within_a_metre_of_the_reference_vectors(link, asks, turn, theirs):
    known = [row for row in ROWS if row[f"{theirs}_lng"] and "approximation" not in row["source"]]

    def off(row):
        made = asked(link(Point(float(row["wgs84_lng"]), float(row["wgs84_lat"])), "a"))[asks]
        return metres(
            [float(part) for part in made.split(",")][::turn],
            (float(row[f"{theirs}_lng"]), float(row[f"{theirs}_lat"])),
        )

    assert len(known) > 300
    assert max(off(row) for row in known) < 1


def test_a_link_says_its_system_and_carries_any_name_unharmed():
    place, name = Point(106.65, 29.03), "石壕镇 & 1号#楼?"

    amap, baidu = asked(maplinks.amap(place, name)), asked(maplinks.baidu(place, name))

    assert (amap["coordinate"], amap["name"]) == ("gaode", name)
    assert (baidu["coord_type"], baidu["title"], baidu["content"]) == ("bd09ll", name, name)


def test_a_geo_uri_is_plain_wgs84():
    assert maplinks.geo_uri(Point(106.65, 29.03), "Gate (1)") == (
        "geo:29.0300000,106.6500000?q=29.0300000,106.6500000(Gate%20%281%29)"
    )
