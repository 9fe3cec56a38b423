"""Our own files go out packed beforehand, to whoever takes them so, and are the same files."""

import gzip
import os

import brotli
import pytest

from geoapp.web import page, still


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "static"
    for name, body in (("js/a.js", b"let a;\n" * 400), ("css/small.css", b"a{}"), ("img/b.png", b"\x89PNG" * 900)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    return folder


def test_texts_that_are_worth_it_are_packed_once_and_again_after_a_change(source, tmp_path):
    into = tmp_path / "packed"
    first, again = still.prepare(source, into), still.prepare(source, into)
    (source / "js/a.js").write_bytes(b"let b;\n" * 400)
    os.utime(source / "js/a.js", (2e9, 2e9))
    changed = still.prepare(source, into)

    assert (first, again, changed) == (1, 0, 1)
    assert sorted(file.name for file in into.rglob("*.*")) == ["a.js.br", "a.js.gz"]
    assert brotli.decompress((into / "js/a.js.br").read_bytes()) == b"let b;\n" * 400


@pytest.mark.parametrize(
    ("accepts", "packing"), [("br, gzip", ("br", brotli.decompress)), ("gzip", ("gzip", gzip.decompress))]
)
def test_a_packed_file_is_sent_as_it_lies_there_and_may_be_kept_for_ever(
    client, settings, accepts, packing, monkeypatch
):
    monkeypatch.setattr(still, "FOLDERS", ("css",))
    form, unpack = packing
    path = "/static/css/base.css"
    with client.get(path) as plain:
        body = plain.data
    still.prepare(page.static_folder(), settings.still_dir)
    with client.get(path, headers={"Accept-Encoding": "identity"}) as other:
        assert "Content-Encoding" not in other.headers
    with client.get(path, headers={"Accept-Encoding": accepts}) as answer:
        assert answer.headers["Content-Encoding"] == form
        assert answer.mimetype == "text/css"
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert unpack(answer.data) == body
