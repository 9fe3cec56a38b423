import math

import pytest

from geoapp.domain import counts
from geoapp.domain.abuse import (
    CROWD_M,
    CROWD_ZOOM,
    HELD,
    Sender,
    Signs,
    cell,
    counters,
    crowd_cells,
    suspicion,
    telling,
)
from geoapp.domain.values import Point

PLACE = Point(106.65, 29.03)
KNOWN = Signs(known=True)


@pytest.mark.parametrize(
    ("words", "signs", "reasons"),
    [
        ("The kerb is broken near the school gate.", KNOWN, ()),
        ("", KNOWN, ()),
        ("坏了", KNOWN, ("short",)),
        ("Buy it at https://cheap.example", KNOWN, ("link",)),
        ("see spam-shop.top", KNOWN, ("link",)),
        ("The same words again", Signs(repeated=1, known=True), ("repeated",)),
        ("坏了", Signs(repeated=3, known=True), ("short",)),
        ("A fire hydrant leaks", Signs(around=9, known=True), ("crowd",)),
        ("A fire hydrant leaks", Signs(), ("new",)),
    ],
)
def test_each_sign_is_named(words, signs, reasons):
    assert suspicion(words, signs).reasons == reasons


def test_one_weak_sign_passes_and_a_link_or_two_strong_ones_are_held():
    assert suspicion("坏了", Signs()).score < HELD
    assert suspicion("A long sentence", Signs(around=9)).score < HELD
    assert suspicion("www.example.cn", KNOWN).score >= HELD
    assert suspicion("A long sentence", Signs(repeated=1, around=9)).score >= HELD


def test_what_is_said_again_is_told_by_the_text_or_else_the_title_and_by_nothing_short():
    assert telling("Hole", "A deep one") == "A deep one"
    assert telling("A deep hole", "") == "A deep hole"
    assert telling("坏了", "") == ""


def test_a_report_counts_against_its_place_contact_phone_and_network_and_names_none_of_them_in_words():
    found = list(counters(Sender("10.0.0.0/24", "phone-mark"), contact="138 0013", point=PLACE, per_hour=60))

    assert [one.key.split(":")[1] for one in found] == ["cell", "contact", "device", "net"]
    assert [one.most for one in found] == [30, 5, 5, 60]
    assert "138" not in "".join(one.key for one in found if "contact" in one.key.split(":")[1:2])
    assert "phone-mark" not in str(found)


def test_without_a_limit_or_without_facts_nothing_is_counted():
    assert list(counters(Sender("10.0.0.1", "x"), contact="x", point=PLACE, per_hour=0)) == []
    assert list(counters(Sender(), contact=" ", point=None, per_hour=60)) == []


def test_places_close_together_share_a_cell():
    assert cell(PLACE) == cell(Point(106.6501, 29.0301))
    assert cell(PLACE) != cell(Point(106.66, 29.03))


@pytest.mark.parametrize("lat", [-74.9, -33.0, 0.0, 29.03, 60.0, 74.9])
def test_whoever_is_within_reach_of_a_crowd_lies_in_one_of_its_few_tiles_of_which_the_first_is_the_own(lat):
    tile = 360 / 2**CROWD_ZOOM
    for step in range(40):
        place = Point(106.0 + tile * step / 40, lat + tile * step / 40 / 2)
        north, east = CROWD_M / 111_320, CROWD_M / 111_320 / math.cos(math.radians(place.lat))
        around = {
            counts.cell_at(place.lon + x * east, place.lat + y * north) >> 2 * (counts.LEVEL - CROWD_ZOOM)
            for x, y in ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7))
        }

        found = crowd_cells(place)
        assert around <= set(found)
        assert len(found) == len(set(found)) <= (9 if abs(lat) < 60 else 25)
        assert found[0] == counts.cell_at(place.lon, place.lat) >> 2 * (counts.LEVEL - CROWD_ZOOM)
