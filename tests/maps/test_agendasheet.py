import io

import pytest
from PIL import Image
from shapely.geometry import box, mapping

from geoapp.domain.values import Box
from geoapp.maps.agendasheet import Spot, labels, picture, pins, seen, sheet_of

SPOTS = [Spot(1, 106.65, 29.03, decided=True), Spot(2, 106.66, 29.035, decided=False)]
HOME = Box(106.6, 29.0, 106.7, 29.1)


def test_the_sheet_shows_every_pin_and_the_first_lies_on_top():
    found = pins(sheet_of(SPOTS, HOME), SPOTS)

    assert [(pin["n"], pin["colour"]) for pin in found] == [(2, "#c8392b"), (1, "#2f7d53")]
    assert all(0 < pin["x"] < 1000 and 0 < pin["y"] < 560 for pin in found)


def test_a_single_pin_has_something_around_it_and_none_the_whole_place():
    one = sheet_of(SPOTS[:1], HOME)

    assert one.box.east - one.box.west == pytest.approx(0.004)
    assert sheet_of([], HOME).box == HOME
    assert pins(one, SPOTS[:1])[0]["x"] == pytest.approx(500)


def test_what_is_seen_is_the_whole_sheet():
    paper = sheet_of(SPOTS, HOME)
    view = seen(paper)

    assert paper.place(view.west, view.north) == pytest.approx((0, 0), abs=1e-6)
    assert paper.place(view.east, view.south) == pytest.approx((1000, 560), abs=1e-6)


def test_a_name_stands_in_its_area_where_there_is_room():
    paper = sheet_of(SPOTS, HOME)
    large, small = mapping(box(106.6, 29.0, 106.655, 29.1)), mapping(box(106.65, 29.03, 106.6501, 29.0301))
    beyond = mapping(box(100, 20, 100.1, 20.1))

    (only,) = labels(paper, [("大社区", large), ("小", small), ("外", beyond)])

    assert only["name"] == "大社区"
    assert 0 < only["x"] < paper.place(106.655, 29.03)[0]


def test_the_picture_has_the_pins_in_their_colours():
    paper = sheet_of(SPOTS, HOME)
    drawn = picture(paper, [mapping(box(106.6, 29.0, 106.7, 29.1))], SPOTS)

    with Image.open(io.BytesIO(drawn)) as opened:
        assert (opened.format, opened.size) == ("PNG", (2000, 1120))
        for pin in pins(paper, SPOTS):
            red, green, blue = opened.getpixel((int(pin["x"] * 2) + 20, int(pin["y"] * 2) - 18))
            assert f"#{red:02x}{green:02x}{blue:02x}" == pin["colour"]
