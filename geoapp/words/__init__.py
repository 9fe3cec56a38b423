"""All that a person reads, in Chinese and English, side by side in ``*.toml`` beside this file.

Why not gettext? The same sentences serve Python, Jinja and the browser's scripts; two languages lie
side by side so that neither can be forgotten; and nothing has to be compiled. A test holds every
entry to both languages and the same parameters.
"""

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

LANGS = ("zh", "en")


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Every entry by its dotted key: ``{"state.closed": {"zh": "已结案", "en": "closed"}}``."""
    entries: dict[str, dict[str, str]] = {}
    for file in sorted(Path(__file__).parent.glob("*.toml")):
        for key, value in _flat(tomllib.loads(file.read_text(encoding="utf-8"))):
            if key in entries:
                raise ValueError(f"{file.name}: {key} stands in another file too")
            entries[key] = value
    return entries


def say(lang: str, key: str, **params: Any) -> str:
    """The sentence ``key`` in ``lang`` with its ``{parameters}`` filled; raises KeyError for an unknown key."""
    sentence = catalogue()[key][lang]
    return sentence.format(**params) if params else sentence


def branch(lang: str, stem: str) -> dict[str, str]:
    """All entries below ``stem.`` in one language, keyed by what follows: for the browser's scripts."""
    return {key[len(stem) + 1 :]: entry[lang] for key, entry in catalogue().items() if key.startswith(stem + ".")}


def _flat(tree: dict[str, Any], stem: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    for name, value in tree.items():
        key = f"{stem}{name}"
        if set(value) == set(LANGS) and all(isinstance(text, str) for text in value.values()):
            yield key, value
        else:
            yield from _flat(value, key + ".")
