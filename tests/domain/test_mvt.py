"""What we write by hand is read by others as what it was."""

import mapbox_vector_tile

from geoapp.domain import mvt


def test_points_with_numbers_and_words_come_back_as_they_were():
    features = [
        (0, 4096, {"n": 300, "open": 0, "none": None, "name": "问题"}),
        (-5, 70, {"n": 1, "below": -7, "name": "问题"}),
    ]
    read = mapbox_vector_tile.decode(mvt.encode("issues", features), default_options={"y_coord_down": True})

    assert read["issues"]["extent"] == 4096
    assert [(one["geometry"]["coordinates"], one["properties"]) for one in read["issues"]["features"]] == [
        ([0, 4096], {"n": 300, "open": 0, "name": "问题"}),
        ([-5, 70], {"n": 1, "below": -7, "name": "问题"}),
    ]


def test_nothing_is_an_empty_tile():
    assert mvt.encode("issues", []) == b""
