"""A real city: four files of 311 reports in three layouts, 99 overlapping councils, 15 council districts."""

import csv
import gzip
import io
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from geoapp import config
from geoapp.domain.values import OPERATOR
from geoapp.services import boundaries, categories, imports
from geoapp.store import session

DATA = config.PACKAGE.parents[1] / "shared" / "data" / "la"
FILES = sorted(DATA.glob("myla311_*.csv.gz"))
MAPPING = config.shipped("layers") / "mappings" / "myla311.toml"
TODAY = date(2026, 11, 20)

pytestmark = pytest.mark.skipif(
    len(FILES) != 4, reason="the sample files of Los Angeles are not in ../shared/data/la beside the project"
)


@pytest.fixture(scope="module")
def city(further_database):
    """Boundaries and reports of Los Angeles in a database of their own: what the imports told, and how to ask it."""
    settings = config.read({"GEOAPP_DATABASE_URL": further_database("los_angeles")})
    engine = session.connect(settings.database_url)
    categories.sync(OPERATOR, settings.categories_file)
    told = {
        "communities": area_file("neighborhood_councils_2019.geojson", "community", "nc_id"),
        "districts": area_file("council_districts_2012.geojson", "jurisdiction", "external_id"),
        "issues": bring_issues(FILES),
        "again": bring_issues(FILES),
    }
    with engine.connect() as connection:
        yield told | {"ask": lambda sql: connection.execute(text(sql)).all()}
    session.disconnect()


def area_file(name, kind, code):
    return boundaries.import_file(OPERATOR, DATA / name, kind=kind, name="name", code=code, today=TODAY)


def bring_issues(files):
    return imports.import_files(
        OPERATOR, files, MAPPING, today=TODAY, now=datetime(2026, 11, 20, tzinfo=UTC), zone=ZoneInfo("UTC"),
        number_prefix="LA",
    )  # fmt: skip


@pytest.fixture(scope="module")
def labels():
    """The city's own labels by request number: council district, and id of the neighbourhood council."""
    found = {}
    for file in FILES:
        with gzip.open(file) as packed:
            for raw in csv.DictReader(io.TextIOWrapper(packed, "utf-8-sig")):
                row = {key.lower(): value.strip() for key, value in raw.items() if key}
                found[row["srnumber"]] = (row["cd"], row["nc"])
    return found


def test_the_councils_overlap_as_was_measured(city):
    report = city["communities"]
    large = [one for one in report.overlaps if one.m2 > 10_000]

    assert (report.read, report.stored, len(report.rejected)) == (99, 99, 0)
    assert len(large) == 33
    assert sum(one.m2 for one in large) == pytest.approx(26.3e6, rel=0.01)
    assert city["districts"].units == 15


def test_every_row_is_accounted_for(city):
    told = city["issues"].as_json()

    assert {key: told[key] for key in ("read", "stored", "updated", "unchanged", "rejected", "without_place")} == {
        "read": 39_999, "stored": 37_128, "updated": 0, "unchanged": 0, "rejected": 0, "without_place": 2_871,
    }  # fmt: skip


def test_reading_the_same_files_again_changes_nothing(city):
    assert (city["again"].stored, city["again"].updated, city["again"].unchanged) == (0, 0, 37_128)


def test_points_in_no_council_or_in_several_come_out_as_such(city):
    assert city["issues"].community_verdicts["orphan"] == 559
    assert city["issues"].community_verdicts["contested"] == 80


@pytest.mark.parametrize(
    ("label", "least", "judged"),
    [
        (0, 0.997, "SELECT source_id, u.code FROM issue JOIN unit u ON u.id = candidate_ids[1]"),
        (1, 0.99, "SELECT source_id, p.code FROM issue JOIN place p ON p.id = community_id"),
    ],
    ids=["council district", "neighbourhood council"],
)
def test_the_map_says_what_the_city_says(city, labels, label, least, judged):
    found = dict(map(tuple, city["ask"](judged)))
    agree = sum(labels[source_id][label] == code for source_id, code in found.items())

    assert len(found) > 36_500
    assert agree / len(found) >= least
