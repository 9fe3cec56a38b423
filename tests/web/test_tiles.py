"""Tiles of issues over HTTP: what makes them new, who shares them, and that nothing is missing in them."""

import gzip
import subprocess
import sys
from datetime import UTC, datetime

import mapbox_vector_tile
import psycopg
import pytest

from geoapp.domain import counts
from geoapp.domain.tiles import Tile, mercator
from geoapp.domain.values import ANONYMOUS, Grant, IssueFilter, IssueState, Point, Privacy, Role, Viewer
from geoapp.services import layers
from geoapp.services.tilecache import TileCache
from geoapp.store import session, versions
from tests.builders import CENTRE, TODAY, a_category, a_jurisdiction, a_place, an_issue, square, store

FAR = Point(107.8, 29.6)
TODAY_NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


@pytest.fixture
def here(client):
    a_category()
    a_place("C1", square(106.64, 29.02))
    a_jurisdiction("U1", square(106.64, 29.02))
    store(*(an_issue(str(n), point=Point(106.65 + n * 1e-4, 29.03)) for n in range(60)))
    return client


def tile_of(point, zoom):
    x, y = mercator(point.lon, point.lat)
    side = 40075016.685578488 / (1 << zoom)
    return Tile(zoom, int((x + 20037508.342789244) / side), int((20037508.342789244 - y) / side))


def path_of(point, zoom):
    tile = tile_of(point, zoom)
    return f"/tiles/issues/{tile.z}/{tile.x}/{tile.y}.mvt"


def features(body):
    return [one["properties"] for layer in mapbox_vector_tile.decode(body).values() for one in layer["features"]]


@pytest.fixture
def statements(monkeypatch):
    """What the driver is given to ask, whoever gives it."""
    told = []
    execute = psycopg.Cursor.execute

    def note(cursor, statement, *args, **kwargs):
        told.append(statement)
        return execute(cursor, statement, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", note)
    return told


def test_a_known_tile_is_answered_before_any_question_about_issues(here, statements):
    path = path_of(CENTRE, 10)
    tag = here.get(path).headers["ETag"]
    statements.clear()
    answer = here.get(path, headers={"If-None-Match": tag})

    assert answer.status_code == 304
    assert len(statements) == 1
    assert "issue " not in statements[0]


def test_a_change_makes_the_tiles_of_its_area_new_and_leaves_those_of_others(here):
    store(an_issue("far", point=FAR))
    paths = [path_of(CENTRE, zoom) for zoom in (3, 8, 11, 14, 16)]
    tags = {path: here.get(path).headers["ETag"] for path in [*paths, path_of(FAR, 14)]}
    store(an_issue("new"))
    codes = {path: here.get(path, headers={"If-None-Match": tag}).status_code for path, tag in tags.items()}

    assert codes == dict.fromkeys(paths, 200) | {path_of(FAR, 14): 304}


def test_what_happens_to_a_private_issue_makes_no_tile_new(here):
    path = path_of(CENTRE, 14)
    tag = here.get(path).headers["ETag"]
    store(an_issue("secret", privacy=Privacy.PRIVATE))

    assert here.get(path, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("layer", ["roads", "streets"])
def test_other_roads_make_the_tiles_of_areas_new_and_other_issues_do_not(here, layer):
    path = path_of(CENTRE, 14).replace("issues", layer)
    tag = here.get(path).headers["ETag"]
    store(an_issue("new"))
    after_issue = here.get(path, headers={"If-None-Match": tag}).status_code
    with session.transaction() as db:
        versions.bump(db, "roads")
    after_roads = here.get(path, headers={"If-None-Match": tag}).status_code

    assert (after_issue, after_roads) == (304, 200)


def test_a_state_that_looks_the_same_makes_the_tile_new_that_tells_it(here):
    path = path_of(CENTRE, 16)
    tag = here.get(path).headers["ETag"]
    store(an_issue("1", point=Point(106.6501, 29.03), state=IssueState.AGENDA, source_hash="b", updated_at=TODAY_NOON))
    answer = here.get(path, headers={"If-None-Match": tag})

    assert answer.status_code == 200
    assert {one["state"] for one in features(answer.data)} == {"accepted", "agenda"}


@pytest.mark.parametrize("zoom", [11, 16], ids=["counted, with a lonely issue", "one by one"])
def test_a_tile_that_changes_while_it_is_made_is_made_of_one_moment(here, monkeypatch, zoom):
    before = sum(one["n"] for one in features(here.get(path_of(CENTRE, zoom)).data))
    store(an_issue("new", point=Point(106.60, 29.00) if zoom == 11 else Point(106.6501, 29.0301)))
    count, made = layers.tiles.census.of_tile, []

    def interrupted(db, *asked, **how):
        counted = count(db, *asked, **how)
        if not made:
            store(an_issue("late", point=Point(106.6501, 29.031)))
        made.append(counted)
        return counted

    monkeypatch.setattr(layers.tiles.census, "of_tile", interrupted)
    answer = here.get(path_of(CENTRE, zoom))

    assert len(made) == 2
    assert sum(one["n"] for one in features(answer.data)) == before + 2
    assert here.get(path_of(CENTRE, zoom), headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_a_crowded_tile_is_counted_and_its_lonely_issues_can_be_opened(here):
    store(an_issue("alone", point=Point(106.60, 29.00), state=IssueState.CLOSED, ended_at=TODAY_NOON))
    found = features(here.get(path_of(CENTRE, 11)).data)
    (alone,) = [one for one in found if one["n"] == 1]

    assert sum(one["n"] for one in found) == 61
    assert (alone["group"], alone["state"], alone["extent"]) == ("solved", "closed", "point")
    assert alone["number"].startswith("QJ-2026-")
    assert sum(one["open"] for one in found if one["n"] > 1) == 60


def test_a_few_issues_left_by_a_filter_are_found_in_a_crowded_tile(here, monkeypatch):
    monkeypatch.setattr(counts, "CROWDED", 20)
    a_category("waste", "垃圾", "Waste")
    store(*(an_issue(f"more {n}", point=Point(106.66 + n * 1e-4, 29.03)) for n in range(60)))
    store(an_issue("w", category="waste", point=Point(106.66, 29.031)), an_issue("v", category="waste", point=FAR))
    for _ in range(2):
        found = features(here.get(f"{path_of(CENTRE, 8)}?category=waste").data)
        # The second time the blocks know them.
        layers.counting.fold()

        assert [one["category"] for one in found] == ["waste"] * len(found)
        assert "number" in found[0]


def test_a_viewer_in_full_neither_finds_nor_leaves_a_tile_of_the_public(app):
    a_category()
    layer = layers.named(ANONYMOUS, app.config["LAYERS"], "issues", face="tiles")
    zone = app.config["GEOAPP"].zone
    staff = Viewer((Grant(Role.PLANNER),))
    store(an_issue("secret", privacy=Privacy.PRIVATE))

    def ask(viewer, known=None):
        return layers.tile(
            viewer, layer, tile_of(CENTRE, 16), IssueFilter(), today=TODAY, zone=zone, known=known
        )  # fmt: skip

    public = ask(ANONYMOUS)
    private = ask(staff, known=public.tag)
    again = ask(ANONYMOUS)

    assert private.body is not None
    assert private.tag != public.tag
    assert again == public
    assert ask(staff).tag != private.tag


def test_workers_share_tiles_and_one_that_cannot_write_makes_them_itself(tmp_path):
    one, other = TileCache(tmp_path / "tiles"), TileCache(tmp_path / "tiles")
    one.put("ab12", b"body")
    (tmp_path / "file").write_text("no folder")
    unable = TileCache(tmp_path / "file")
    unable.put("ab12", b"mine")

    assert other.get("ab12") == b"body"
    assert other.get("ab13") is None
    assert unable.get("ab12") == b"mine"
    assert TileCache(tmp_path / "file").get("ab12") is None


def test_the_cache_forgets_what_was_asked_for_longest_ago_and_its_folder_what_is_oldest(tmp_path):
    cache = TileCache(memory=8)
    for tag in ("a", "b", "c"):
        cache.put(tag, b"1234")
        cache.get("a")
    kept = TileCache(tmp_path, room=8)
    for nth in range(4):
        kept.put(f"ab{nth}", b"1234")
    kept.sweep(tmp_path / "ab")

    assert [tag for tag in ("a", "b", "c") if cache.get(tag)] == ["a", "c"]
    assert len(list((tmp_path / "ab").iterdir())) == 2


def test_a_large_tile_goes_out_packed_and_is_the_same(here):
    plain = here.get(path_of(CENTRE, 14) + "?from=2020-01-01")
    small = here.get(path_of(CENTRE, 16), headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in plain.headers
    assert features(gzip.decompress(small.data)) == features(here.get(path_of(CENTRE, 16)).data)


FRESH = """
import sys
from geoapp import config
from geoapp.app import create_app
app = create_app(config.read({"GEOAPP_DATABASE_URL": sys.argv[1], "GEOAPP_DATA_DIR": sys.argv[2]}))
client = app.test_client()
heavy = ("geopandas pandas sklearn pyvrp matplotlib weasyprint pyarrow scipy authlib procrastinate alembic "
         "pyogrio docx icalendar PIL").split()
assert client.get("/tiles/issues/8/203/106.mvt").status_code == 200
assert client.get("/api/issues").status_code == 200
print([name for name in [*heavy, "folium"] if name in sys.modules])
assert client.get("/").status_code == 200
print([name for name in [*heavy, "folium"] if name in sys.modules])
"""


def test_a_worker_that_serves_tiles_loads_no_heavy_library_and_a_map_page_only_folium(app, db_url, tmp_path):
    del app
    done = subprocess.run(
        [sys.executable, "-c", FRESH, db_url, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines() == ["[]", "['folium']"]
