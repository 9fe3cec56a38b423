"""A mapping file says how somebody's columns are read; a wrong one is refused with its key."""

from zoneinfo import ZoneInfo

import pytest

from geoapp.domain.mapping import WrongMapping, parse


def a_mapping(**changes):
    """The least that a mapping must say, with some tables changed or replaced."""
    raw = {
        "source": {"name": "city"},
        "columns": {"id": "id", "reported_at": "created", "category": "type"},
        "coordinates": {"form": "columns", "lon": "lon", "lat": "lat"},
    }
    for key, value in changes.items():
        raw[key] = {**raw.get(key, {}), **value} if isinstance(value, dict) else value
    return raw


def test_the_defaults_of_a_mapping_are_those_of_its_contract():
    mapping = parse(a_mapping())

    assert (mapping.formats, mapping.crs) == (("iso",), "EPSG:4326")
    assert (mapping.encoding, mapping.delimiter) == ("auto", "auto")
    assert mapping.zone == ZoneInfo("UTC")
    assert (mapping.released, mapping.create_units, mapping.create_under) == (False, False, None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": {}}, "colour is not known; known are source"),
        ({"source": "city"}, "source must be a table"),
        ({"source": {"nmae": "x"}}, "source.nmae is not known"),
        ({"source": {"name": ""}}, "source.name must be a text"),
        ({"source": {"name": 5}}, "source.name must be a text"),
        ({"source": {"timezone": "Mars/Olympus"}}, "source.timezone: 'Mars/Olympus' is not a time zone"),
        ({"source": {"timezone": "Asia"}}, "source.timezone: 'Asia' is not a time zone"),
        ({"source": {"timezone": "../zone"}}, "is not a time zone"),
        ({"source": {"released": "yes"}}, "source.released must be true or false"),
        ({"columns": {"id": 5}}, "columns.id must be a text or a list"),
        ({"columns": {"id": [""]}}, "columns.id must be a text or a list"),
        ({"coordinates": {"form": "sketch"}}, "coordinates.form must be one of columns, latlon_text"),
        ({"coordinates": {"form": "wkt"}}, "coordinates.column is missing"),
        ({"dates": {"formats": "%d", "form": "%d"}}, "dates.form is not known; known are formats"),
        ({"states": {"Open": "ajar"}}, "states.Open: 'ajar' is not one of reported"),
        ({"states": {"Open": ["closed"]}}, "states.Open: .* is not one of reported"),
        ({"categories": {"values": "road"}}, "categories.values must be a table"),
        ({"units": {"values": 5}}, "units.values must be a table"),
        ({"categories": {"create_under": 3}}, "categories.create_under must be a text"),
        ({"units": {"create": 1}}, "units.create must be true or false"),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_key(changes, message):
    with pytest.raises(WrongMapping, match=message):
        parse(a_mapping(**changes))


@pytest.mark.parametrize("needed", ["id", "reported_at", "category"])
def test_a_mapping_must_name_what_every_issue_has(needed):
    raw = a_mapping()
    del raw["columns"][needed]

    with pytest.raises(WrongMapping, match=f"columns.{needed} is missing"):
        parse(raw)


@pytest.mark.parametrize(
    ("coordinates", "missing"),
    [
        ({}, "coordinates.lon"),
        ({"lon": "x"}, "coordinates.lat"),
        ({"form": "wkt"}, "coordinates.column"),
        ({"form": "latlon_text", "lon": "x", "lat": "y"}, "coordinates.column"),
    ],
)
def test_a_mapping_must_name_the_columns_of_its_form_of_coordinates(coordinates, missing):
    with pytest.raises(WrongMapping, match=f"{missing} is missing"):
        parse(a_mapping() | {"coordinates": coordinates})


def test_a_column_may_have_several_names_and_categories_may_be_made():
    mapping = parse(
        a_mapping(columns={"id": ["id", "nr"]}, categories={"create_under": "other"}, units={"create": True})
    )

    assert mapping.columns["id"] == ("id", "nr")
    assert (mapping.create_under, mapping.create_units) == ("other", True)
