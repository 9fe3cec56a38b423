"""Our own files in the forms in which they go over the wire: made once when serving starts, kept in the data folder.

Brotli at its best takes seconds for all of them together, which no visitor should wait for. Where a form is missing,
``wire`` makes a simpler one on the way.
"""

import gzip
import secrets
from pathlib import Path

import brotli  # type: ignore[import-untyped]

FORMS = {"br": ".br", "gzip": ".gz"}
"""By the word of Content-Encoding, the smaller first."""
SUFFIXES = {".js", ".css", ".svg", ".json", ".webmanifest", ".html"}
FOLDERS = ("js", "css", "img", "vendor")
SMALLEST = 1000


def prepare(source: Path, into: Path) -> int:
    """Make the forms of all files that are new or have changed; returns of how many files."""
    made = 0
    for folder in FOLDERS:
        for file in sorted((source / folder).rglob("*")):
            if file.suffix not in SUFFIXES or not file.is_file() or file.stat().st_size < SMALLEST:
                continue
            plain: bytes | None = None
            for form, suffix in FORMS.items():
                form_of = (into / file.relative_to(source)).with_name(file.name + suffix)
                if form_of.is_file() and form_of.stat().st_mtime >= file.stat().st_mtime:
                    continue
                plain = file.read_bytes() if plain is None else plain
                _write(form_of, _small(form, plain))
            made += plain is not None
    return made


def form_of(into: Path, path: str, accepted: list[str]) -> tuple[str, str] | None:
    """The smallest form there is of a file that somebody takes: Content-Encoding, and its path in the folder."""
    for form, suffix in FORMS.items():
        if form in accepted and (into / f"{path}{suffix}").is_file():
            return form, f"{path}{suffix}"
    return None


def _small(form: str, plain: bytes) -> bytes:
    return bytes(brotli.compress(plain, quality=11)) if form == "br" else gzip.compress(plain, 9, mtime=0)


def _write(file: Path, body: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    making = file.with_name(f".{secrets.token_hex(8)}")
    making.write_bytes(body)
    making.rename(file)
