import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
CHECKS = {
    "ruff finds nothing": ("ruff", "check", "."),
    "the code is formatted": ("ruff", "format", "--check", "."),
    "the types hold": ("mypy",),
    "the rooms keep their contracts": ("lint-imports",),
}
MODULES = sorted(file.relative_to(ROOT) for file in (ROOT / "geoapp").rglob("*.py"))


@pytest.mark.parametrize("words", CHECKS.values(), ids=CHECKS)
def test_the_linters_are_content(words):
    done = subprocess.run([BIN / words[0], *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_says_what_belongs_in_it_in_few_lines(module):
    said = ast.get_docstring(ast.parse((ROOT / module).read_text(encoding="utf-8")))

    assert said, "has no docstring"
    assert len(said.splitlines()) <= 8


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_package_that_we_ask_for_is_locked_with_its_hashes(lock):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + (project["optional-dependencies"]["dev"] if "dev" in lock else [])
    text = (ROOT / lock).read_text()
    pins = dict(re.findall(r"^([a-z0-9._-]+)==.*\n((?:    --hash=.*\n)*)", text, flags=re.MULTILINE))

    missing = [name for spec in wanted if not pins.get(name := re.split(r"[\[<>=]", spec)[0].lower())]

    assert missing == []
    assert all(hashes for hashes in pins.values())
    assert "://" not in text
