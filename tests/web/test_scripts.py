"""Which scripts a page is given: all joined in one file, or the modules as they lie there."""

import hashlib
import json
import shutil

import pytest

from geoapp.config import shipped
from geoapp.web import scripts


@pytest.fixture
def static(tmp_path, monkeypatch):
    """A copy of our modules and empty libraries, and nothing joined."""
    shutil.copytree(shipped("static") / "js", tmp_path / "js")
    for folder in ("pbf-5.1.2", "vector-tile-3.0.0", "point-geometry-1.1.0", "exifr-7.1.3"):
        (tmp_path / "vendor" / folder).mkdir(parents=True)
        (tmp_path / "vendor" / folder / "index.js").touch()
    (tmp_path / "vendor" / "vector-tile-3.0.0" / "index.js").write_text("import Point from '@mapbox/point-geometry';")
    monkeypatch.setattr(scripts, "shipped", lambda _: tmp_path)
    forget()
    yield tmp_path
    forget()


def forget():
    for kept in (scripts.joined, scripts.needed, scripts.folders):
        kept.cache_clear()


def join(static):
    digest = hashlib.sha256(b"".join(one.read_bytes() for one in sorted((static / "js").glob("*.js")))).hexdigest()[:12]
    file = static / "vendor" / f"geoapp-{digest}" / "geoapp.js"
    file.parent.mkdir()
    file.touch()
    return f"vendor/geoapp-{digest}/geoapp.js"


def test_what_set_up_has_joined_is_what_the_modules_say():
    whole = scripts.joined()

    assert whole is not None
    text = (shipped("static") / whole).read_text(encoding="utf-8")
    assert "startMapPage" in text
    assert "startField" in text


def test_a_page_loads_the_joined_file_alone(static):
    whole = join(static)

    assert scripts.needed("map") == (whole,) == scripts.everything()
    assert scripts.entry() == whole


def test_a_changed_module_is_served_as_it_is(static):
    join(static)
    with (static / "js" / "tiles.js").open("a", encoding="utf-8") as module:
        module.write("// changed\n")

    assert scripts.entry() == "js/geoapp.js"
    assert "js/tiles.js" in scripts.everything()


def test_a_page_is_told_at_once_what_its_modules_import_and_no_more(static):  # noqa: ARG001 - nothing is joined
    found = scripts.needed("map")

    assert {"js/mappage.js", "js/canvas.js"} <= set(found)
    assert found[-1] == "vendor/point-geometry-1.1.0/index.js"
    assert not {"js/desk.js", "js/field.js", "vendor/exifr-7.1.3/lite.esm.js"} & set(found)


def test_libraries_are_imported_from_where_set_up_has_put_them(static):  # noqa: ARG001 - nothing is joined
    named = json.loads(scripts.importmap())["imports"]

    assert named["pbf"] == "/static/vendor/pbf-5.1.2/index.js"
    assert set(named) == set(scripts.LIBRARIES)
