"""The category tree follows the operator's file; what issues may carry is never deleted."""

import pytest
from sqlalchemy import text

from geoapp.domain.values import OPERATOR
from geoapp.errors import BadFile, BadLayer
from geoapp.services import categories
from geoapp.store import session
from tests.builders import an_issue, store

pytestmark = pytest.mark.usefixtures("app")
TREE = '[road]\nname = { zh = "道路", en = "Roads" }\n[road.path]\nname = { zh = "小路", en = "Path" }\n'


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "categories.toml"
    path.write_text(TREE, encoding="utf-8")
    return path


def held():
    with session.snapshot() as db:
        return {row.code: (row.active, row.name_en) for row in db.execute(text("SELECT * FROM category"))}


def test_the_same_file_again_changes_nothing(file):
    assert (categories.sync(OPERATOR, file), categories.sync(OPERATOR, file)) == (2, 0)


def test_a_category_that_leaves_the_file_is_switched_off_and_comes_back(file):
    categories.sync(OPERATOR, file)
    store(an_issue(category="road.path"))

    file.write_text(TREE.partition("[road.path]")[0], encoding="utf-8")
    left = categories.sync(OPERATOR, file)
    gone = held()
    file.write_text(TREE.replace("Path", "Footpath"), encoding="utf-8-sig")
    returned = categories.sync(OPERATOR, file)

    assert (left, returned) == (1, 1)
    assert gone["road.path"] == (False, "Path")
    assert held()["road.path"] == (True, "Footpath")


def test_a_wrong_file_changes_nothing(file):
    categories.sync(OPERATOR, file)
    before = held()

    file.write_text(TREE.replace("Roads", "Streets") + 'colour = "blue"', encoding="utf-8")
    with pytest.raises(BadLayer, match=r"categories.toml: road.path.colour"):
        categories.sync(OPERATOR, file)

    assert held() == before


def test_a_file_that_cannot_be_read_is_named(file):
    file.write_bytes("[road]".encode("utf-16"))
    with pytest.raises(BadFile, match="cannot be read"):
        categories.sync(OPERATOR, file)
    with pytest.raises(BadFile, match="cannot be read"):
        categories.sync(OPERATOR, file.with_name("nothing.toml"))
