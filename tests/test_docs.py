"""What README and layers/README say is what the program knows."""

import re
from dataclasses import fields
from pathlib import Path

import click
import pytest

from geoapp import catalog, words
from geoapp.app import create_app
from geoapp.cli import main
from geoapp.config import PREFIX, Settings, read

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def settings_table() -> str:
    """The table that README must hold; print it with `python -m tests.test_docs`-like use when a setting changes."""
    rows = ["| variable | default | what |", "|---|---|---|"]
    for field in fields(Settings):
        default = f"`{field.default}`" if field.default not in (None, "") else ""
        rows.append(f"| `{PREFIX}{field.name.upper()}` | {default} | {field.metadata['help']} |")
    return "\n".join(rows)


def test_readme_lists_every_setting_with_its_help():
    found = re.search(r"<!-- settings -->\n(.*?)\n<!-- /settings -->", README, re.DOTALL)

    assert found
    assert found[1].strip() == settings_table()


def test_readme_names_every_route():
    app = create_app(read({}))
    paths = {re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", rule.rule) for rule in app.url_map.iter_rules()}

    assert {path for path in paths if path not in README} == set()


@pytest.mark.parametrize("key", catalog.KEYS)
def test_layers_readme_explains_every_key(key):
    assert f"`{key}`" in (ROOT / "layers" / "README.md").read_text(encoding="utf-8")


def test_every_command_has_help():
    def lacking(command: click.Command, path: str) -> list[str]:
        own = [] if command.help else [path]
        inner = command.commands.items() if isinstance(command, click.Group) else ()
        return own + [name for key, sub in inner for name in lacking(sub, f"{path} {key}")]

    assert lacking(main, "geoapp") == []


def test_every_sentence_exists_in_both_languages_with_the_same_parameters():
    def parameters(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)", text))

    uneven = {
        key
        for key, entry in words.catalogue().items()
        if set(entry) != set(words.LANGS)
        or not all(text.strip() for text in entry.values())
        or parameters(entry["zh"]) != parameters(entry["en"])
    }

    assert uneven == set()
