"""The press opens what it was given and nothing else, and a page that does not end is given up."""

import subprocess
from urllib.parse import quote

import pytest

from geoapp.errors import Unavailable
from geoapp.services import press, prints


def test_the_press_opens_its_own_files_and_refuses_every_other_address(tmp_path):
    style = tmp_path / "a.css"
    style.write_text("p { color: red }")
    fetch = press.fetcher({"css/a.css": str(style)}).fetch

    assert fetch("geoapp:css/a.css").read() == b"p { color: red }"
    for address in (
        "geoapp:css/b.css", "geoapp:../a.css", f"file://{style}", "file:///etc/passwd", "http://127.0.0.1/x",
        "https://example.org/", "ftp://example.org/", f"data:text/css,{quote('p{}')}", "/etc/passwd",
    ):  # fmt: skip
        with pytest.raises(ValueError, match="no file of this page"):
            fetch(address)


def test_whoever_finds_all_presses_taken_is_told_to_come_again(monkeypatch):
    monkeypatch.setattr(prints, "WAIT_S", 0.01)
    for _ in range(prints.AT_ONCE):
        prints._presses.acquire()
    try:
        with pytest.raises(Unavailable, match="too many"):
            prints.pdf("<p>x", files={})
    finally:
        for _ in range(prints.AT_ONCE):
            prints._presses.release()


def test_a_page_that_does_not_come_to_an_end_is_given_up_and_its_press_is_free_again(monkeypatch):
    def never(*_, **__):
        raise subprocess.TimeoutExpired("press", 1)

    monkeypatch.setattr(subprocess, "run", never)
    for _ in range(prints.AT_ONCE + 1):
        with pytest.raises(Unavailable, match="in time"):
            prints.pdf("<p>x", files={})


def test_a_press_that_fails_says_why(monkeypatch):
    gone = subprocess.CompletedProcess([], 1, b"", b"MemoryError")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: gone)

    with pytest.raises(Unavailable, match="MemoryError"):
        prints.pdf("<p>x", files={})
