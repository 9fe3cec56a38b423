import io
import math

import pytest
from PIL import Image
from pyproj import Geod
from shapely.geometry import LineString, MultiPolygon, box, mapping

from geoapp.domain.values import Box
from geoapp.maps.paper import Paper, picture, rings

SHEET = Paper(Box(106.64, 29.02, 106.66, 29.04), 1000, 600, 20)


def test_the_whole_box_lies_on_the_sheet_north_up_and_to_scale():
    west_north, east_south = SHEET.place(106.64, 29.04), SHEET.place(106.66, 29.02)

    assert 20 <= west_north[0] < east_south[0] <= 980
    assert west_north[1] == pytest.approx(20)
    assert east_south[1] == pytest.approx(580)
    # A degree of longitude is as long as the cosine of the latitude, so a square in metres stays one.
    assert (east_south[0] - west_north[0]) / 560 == pytest.approx(0.8743, abs=0.006)


def test_the_scale_bar_is_a_round_number_and_as_long_as_it_says():
    metres, length = SHEET.scale()

    assert metres == 500
    assert length == pytest.approx(metres * SHEET.per_metre)
    assert length <= 250


@pytest.mark.parametrize("lat", [0.0, 29.03, 46.5, 69.0])
@pytest.mark.parametrize("across", [0.001, 0.02, 0.6])
def test_the_scale_bar_is_true_to_one_percent_along_both_axes(lat, across):
    paper = Paper(Box(106.64, lat, 106.64 + across, lat + across), 1860, 1500, 20)
    metres, length = paper.scale()

    geod = Geod(ellps="WGS84")
    middle = (106.64 + across / 2, lat + across / 2)
    for east, north in ((across / 10, 0.0), (0.0, across / 10)):
        ends = (middle[0] - east, middle[1] - north), (middle[0] + east, middle[1] + north)
        drawn = math.dist(*(paper.place(*end) for end in ends))
        true = geod.inv(*ends[0], *ends[1])[2]
        assert drawn / length * metres == pytest.approx(true, rel=0.001)


def test_areas_become_paths_and_nothing_else_does():
    square = box(106.645, 29.025, 106.655, 29.035)
    two = MultiPolygon([square, box(106.656, 29.02, 106.66, 29.03)])

    assert SHEET.path(mapping(square)).count("Z") == 1
    assert SHEET.path(mapping(two)).count("Z") == 2
    assert list(rings(mapping(LineString([(1, 1), (2, 2)])))) == []
    assert len(list(rings({"type": "GeometryCollection", "geometries": [mapping(square)]}))) == 1


@pytest.mark.parametrize(
    ("group", "colour"), [("open", (200, 57, 43)), ("in_work", (31, 95, 139)), ("solved", (63, 125, 78))]
)
def test_a_preview_shows_the_symbol_of_the_state_where_the_issue_lies(group, colour):
    drawn = picture(
        Paper(SHEET.box, 1200, 630, 0), [mapping(box(106.645, 29.025, 106.655, 29.035))], (106.65, 29.03), group
    )

    with Image.open(io.BytesIO(drawn)) as opened:
        assert (opened.format, opened.size) == ("PNG", (1200, 630))
        assert opened.getpixel((600, 315)) == colour
        assert opened.getpixel((5, 5)) == (233, 231, 223)


def test_what_was_dropped_is_a_ring():
    drawn = picture(Paper(SHEET.box, 1200, 630, 0), [], (106.65, 29.03), "dropped")

    with Image.open(io.BytesIO(drawn)) as opened:
        assert opened.getpixel((600, 315)) == (255, 255, 255)
