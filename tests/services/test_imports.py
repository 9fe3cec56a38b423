"""Issues from other systems: any encoding, all good rows or none, and the same file twice changes nothing."""

import csv
import gzip
import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from geoapp.domain.placement import Placement
from geoapp.domain.values import OPERATOR
from geoapp.errors import BadFile
from geoapp.services import imports
from geoapp.store import bulk, history, loading, session
from tests.builders import TODAY, a_category, a_jurisdiction, an_issue, square, store

pytestmark = pytest.mark.usefixtures("app")
NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
MAPPING = """
[source]
name = "city"
timezone = "Asia/Shanghai"
released = true
[columns]
id = "id"
reported_at = "opened"
updated_at = "changed"
category = "type"
state = "state"
title = "title"
[coordinates]
form = "columns"
lon = "lon"
lat = "lat"
[states]
open = "accepted"
done = "closed"
[categories.values]
road = "road"
"""
HEADER = ["id", "opened", "changed", "type", "state", "title", "lon", "lat"]
GOOD = ["1", "2026-03-01T08:00", "2026-03-02T08:00", "road", "open", "人行道破损，积水", "106.65", "29.03"]
AGAIN = ["2", "2026-03-01T09:00", "2026-03-02T08:00", "road", "open", "井盖缺失", "106.651", "29.031"]


@pytest.fixture
def mapping(tmp_path):
    a_category()
    file = tmp_path / "city.toml"
    file.write_text(MAPPING, encoding="utf-8")
    return file


def table(*rows, delimiter=","):
    return "\r\n".join(delimiter.join(row) for row in (HEADER, *rows)) + "\r\n"


def a_file(folder, content, name="issues.csv"):
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def bring(mapping, *files, **more):
    return imports.import_files(
        OPERATOR, files, mapping, **{"today": TODAY, "now": NOW, "zone": ZoneInfo("UTC"), "number_prefix": "QJ"} | more
    )


def rows(sql="SELECT source_id, title, state FROM issue ORDER BY source_id"):
    with session.snapshot() as db:
        return [tuple(row) for row in db.execute(text(sql))]


def changed(row, **cells):
    return [cells.get(name, value) for name, value in zip(HEADER, row, strict=True)]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (table(GOOD, AGAIN).encode(), "utf8.csv"),
        (table(GOOD, AGAIN).encode("utf-8-sig"), "bom.csv"),
        (table(GOOD, AGAIN).encode("gbk"), "gbk.csv"),
        (table(GOOD, AGAIN, delimiter=";").encode(), "semicolons.csv"),
        (table(GOOD, AGAIN, delimiter="\t").encode("gb18030"), "tabs.txt"),
        (gzip.compress(table(GOOD, AGAIN).encode()), "packed.csv.gz"),
    ],
)
def test_a_table_is_read_whatever_its_encoding_and_delimiter(mapping, tmp_path, content, name):
    report = bring(mapping, a_file(tmp_path, content, name))

    assert (report.read, report.stored) == (2, 2)
    assert rows() == [("1", "人行道破损，积水", "accepted"), ("2", "井盖缺失", "accepted")]


def test_geojson_is_read_with_its_geometry(mapping, tmp_path):
    mapping.write_text(
        MAPPING.replace('form = "columns"\nlon = "lon"\nlat = "lat"', 'form = "geometry"'), encoding="utf-8"
    )
    features = [
        {
            "type": "Feature",
            "properties": dict(zip(HEADER[:6], row[:6], strict=True)),
            "geometry": place and {"type": "Point", "coordinates": place},
        }
        for row, place in ((GOOD, [106.65, 29.03]), (AGAIN, None), (changed(GOOD, id="3"), [500, 29]))
    ]
    file = a_file(tmp_path, json.dumps({"type": "FeatureCollection", "features": features}), "issues.geojson")

    report = bring(mapping, file)

    assert (report.stored, report.without_place, report.rejected) == (1, 1, 1)
    assert rows("SELECT ST_X(geom), ST_Y(geom) FROM issue") == [(106.65, 29.03)]


def test_every_phase_is_told_as_it_begins_and_how_many_rows_are_read(mapping, tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "MANY", 1000)
    told = []

    def bring_telling(count):
        told.clear()
        many = (changed(GOOD, id=str(n)) for n in range(count))
        bring(
            mapping,
            a_file(tmp_path, table(*many, changed(GOOD, id="x", type="comet"))),
            told=lambda *at: told.append(at),
        )
        return [(str(phase), read) for phase, read in told]

    assert bring_telling(1200) == [
        ("reading", 0), ("reading", 500), ("reading", 1000),
        ("judging", 1200), ("storing", 1200), ("indexes", 1200), ("counting", 1200),
    ]  # fmt: skip
    assert bring_telling(2) == [("reading", 0), ("judging", 2), ("storing", 2), ("counting", 2)]


def test_every_row_is_told_of_and_the_bad_ones_are_named(mapping, tmp_path):
    a_jurisdiction("A", square(106.64, 29.02))
    file = a_file(
        tmp_path,
        table(
            GOOD,
            changed(AGAIN, lon="", lat=""),
            changed(AGAIN, id="3", type="comet"),
            changed(AGAIN, id="4", lon="106.99", lat="28.50"),
            ["5", "short"],
        ),
    )
    rejects = tmp_path / "rejects.csv"

    told = bring(mapping, file, rejects=rejects).as_json()

    assert {key: told[key] for key in ("read", "stored", "updated", "unchanged", "rejected", "without_place")} == {
        "read": 5, "stored": 2, "updated": 0, "unchanged": 0, "rejected": 2, "without_place": 1,
    }  # fmt: skip
    assert told["verdicts"] == {"clear": 1, "near": 0, "contested": 0, "orphan": 1}
    with rejects.open(encoding="utf-8-sig", newline="") as written:
        assert list(csv.reader(written)) == [
            ["file", "row", "field", "value", "why"],
            ["issues.csv", "3", "", "", "no coordinates"],
            ["issues.csv", "4", "type", "comet", "is no category that the mapping names"],
            ["issues.csv", "6", "row", "", "has 2 fields, the header 8"],
        ]


def test_a_rejected_value_cannot_become_a_formula(mapping, tmp_path):
    rejects = tmp_path / "rejects.csv"

    bring(mapping, a_file(tmp_path, table(changed(GOOD, type="=1+1"))), rejects=rejects)

    assert "'=1+1" in rejects.read_text(encoding="utf-8-sig")


def test_the_same_file_again_changes_nothing(mapping, tmp_path):
    file = a_file(tmp_path, table(GOOD, AGAIN))
    bring(mapping, file)
    before = rows("SELECT id, number, version, title FROM issue ORDER BY id")

    again = bring(mapping, file)

    assert (again.stored, again.updated, again.unchanged) == (0, 0, 2)
    assert rows("SELECT id, number, version, title FROM issue ORDER BY id") == before


def test_a_newer_row_updates_and_an_older_one_does_not_undo(mapping, tmp_path):
    old, new = table(GOOD), table(changed(GOOD, changed="2026-05-01T08:00", state="done", title="已修复"))
    bring(mapping, a_file(tmp_path, old))

    newer = bring(mapping, a_file(tmp_path, new))
    older = bring(mapping, a_file(tmp_path, old))

    assert (newer.updated, older.updated, older.unchanged) == (1, 0, 1)
    assert rows() == [("1", "已修复", "closed")]
    assert rows("SELECT action, to_state FROM history ORDER BY seq")[-1] == ("update", "closed")


def test_of_two_rows_of_one_id_the_newer_is_taken_and_the_other_told(mapping, tmp_path):
    rejects = tmp_path / "rejects.csv"
    file = a_file(tmp_path, table(GOOD, changed(GOOD, changed="2026-04-01T08:00", title="更新"), AGAIN))

    report = bring(mapping, file, rejects=rejects)

    assert (report.read, report.stored, report.rejected) == (3, 2, 1)
    assert rows()[0][1] == "更新"
    assert "issues.csv,2,id,1,duplicate id" in rejects.read_text(encoding="utf-8-sig")


def test_a_failure_in_the_last_file_keeps_nothing_of_the_first(mapping, tmp_path):
    files = [a_file(tmp_path, table(GOOD), "one.csv"), a_file(tmp_path, "id,opened\r\n1,2\r\n", "two.csv")]

    with pytest.raises(BadFile, match="no column type in the file"):
        bring(mapping, *files)

    assert rows() == []


def test_a_database_that_fails_half_way_keeps_nothing(mapping, tmp_path, monkeypatch):
    def power_cut(*_args, **_more):
        raise ConnectionError

    monkeypatch.setattr(bulk, "_shares", power_cut)

    with pytest.raises(ConnectionError):
        bring(mapping, a_file(tmp_path, table(GOOD)))

    assert rows() == []


def test_a_dry_run_tells_the_same_and_keeps_nothing(mapping, tmp_path):
    file = a_file(tmp_path, table(GOOD, AGAIN))

    dry, real = bring(mapping, file, dry_run=True).as_json(), bring(mapping, file).as_json()

    assert dry["dry_run"]
    for key in ("read", "stored", "rejected", "verdicts"):
        assert dry[key] == real[key]


def test_two_imports_of_one_file_at_once_make_each_issue_once(mapping, tmp_path):
    many = [changed(GOOD, id=str(n)) for n in range(300)]
    file = a_file(tmp_path, table(*many))
    failures = []

    def run():
        try:
            bring(mapping, file)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            failures.append(error)

    both = [threading.Thread(target=run) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()

    assert not failures
    assert rows("SELECT count(*), count(DISTINCT id), count(DISTINCT number) FROM issue") == [(300, 300, 300)]


def test_categories_that_the_mapping_may_make_are_made_under_their_parent(mapping, tmp_path):
    more = MAPPING.replace("[categories.values]", '[categories]\ncreate_under = "road"\n[categories.values]')
    mapping.write_text(more, encoding="utf-8")

    bring(mapping, a_file(tmp_path, table(changed(GOOD, type="Dead Animal"))))

    assert rows("SELECT code, path, name_en FROM category WHERE code <> 'road'") == [
        ("road.dead-animal", ["road.dead-animal", "road"], "Dead Animal")
    ]


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        ("", "issues.csv", "is empty"),
        (b"\xff\xfe\xff\xff\x00\x80", "issues.csv", "is neither UTF-8 nor GBK"),
        ("not json", "issues.geojson", "is not a GeoJSON FeatureCollection"),
        ('{"features": 5}', "issues.geojson", "is not a GeoJSON FeatureCollection"),
        (b"\x1f\x8b broken", "issues.csv.gz", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_as_a_whole(mapping, tmp_path, content, name, why):
    with pytest.raises(BadFile, match=why):
        bring(mapping, a_file(tmp_path, content, name))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("[source]", "[sauce]"), "sauce is not known"),
        (('road = "road"', 'road = "moon"'), "there is no category moon"),
        (("[source]", "[source"), "city.toml"),
    ],
)
def test_a_wrong_mapping_is_refused_by_name(mapping, tmp_path, change, why):
    mapping.write_text(MAPPING.replace(*change), encoding="utf-8")

    with pytest.raises(BadFile, match=why):
        bring(mapping, a_file(tmp_path, table(GOOD)))
    assert rows() == []


def test_a_mapping_or_file_that_is_not_there_is_named(mapping, tmp_path):
    with pytest.raises(BadFile, match="there is no such mapping file"):
        bring(tmp_path / "none.toml", a_file(tmp_path, table(GOOD)))
    with pytest.raises(BadFile, match="there is no such file"):
        bring(mapping, tmp_path / "none.csv")


INDEXES = "SELECT indexdef FROM pg_indexes WHERE tablename IN ('issue', 'history') ORDER BY 1"
KEYS = (
    "SELECT conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint "
    "WHERE conrelid IN ('issue'::regclass, 'history'::regclass) ORDER BY 1"
)


def test_indexes_that_were_put_aside_for_a_first_import_stand_again(mapping, tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "MANY", 1)
    indexes, keys = rows(INDEXES), rows(KEYS)
    aside = []
    real = loading.indexes_after

    @contextmanager
    def watched(db):
        with real(db):
            aside.append(len(db.execute(text(INDEXES)).all()))
            yield

    monkeypatch.setattr(loading, "indexes_after", watched)

    first = bring(mapping, a_file(tmp_path, table(GOOD, AGAIN)))
    more = bring(mapping, a_file(tmp_path, table(GOOD, AGAIN, changed(GOOD, id="3"))))

    assert (first.stored, more.stored) == (2, 1)
    # The key of issues stays; and no second time: there is more than comes.
    assert aside == [1]
    assert (rows(INDEXES), rows(KEYS)) == (indexes, keys)
    with session.snapshot() as db:
        assert history.verify(db)[1] == []


@pytest.mark.parametrize("word", ["反斜\\杠", "\\N", "tab\tund\\t", "行一\n行二\r\n", '"quoted" {x}', "a\u2028b"])
def test_every_sign_of_a_text_is_kept(mapping, tmp_path, word):
    with (tmp_path / "signs.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([HEADER, changed(GOOD, title=f"a{word}b")])

    bring(mapping, tmp_path / "signs.csv")

    assert rows("SELECT title FROM issue") == [(f"a{word}b",)]


def test_the_hour_that_comes_twice_in_autumn_is_stored_as_it_was_meant():
    a_category()
    night = datetime(2025, 10, 26, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    both = [night, night.replace(fold=1)]

    store(*(an_issue(str(fold), reported_at=at) for fold, at in enumerate(both)))

    assert rows("SELECT reported_at FROM issue ORDER BY 1") == [(at.astimezone(UTC),) for at in both]


def test_a_fault_while_issues_are_placed_undoes_all(mapping, tmp_path, monkeypatch):
    def broken(*_):
        raise RuntimeError("out of order")

    monkeypatch.setattr(Placement, "place", broken)
    with pytest.raises(RuntimeError, match="out of order"):
        bring(mapping, a_file(tmp_path, table(GOOD)))
    monkeypatch.undo()

    assert bring(mapping, a_file(tmp_path, table(GOOD))).stored == 1
