"""Vulnerable places come from a file of shapes, all of a kind at once."""

import json

import pytest
from sqlalchemy import text

from geoapp.domain.values import OPERATOR, Grant, Role, Viewer
from geoapp.errors import BadFile, BadInput, NotYours
from geoapp.services import vulnerable
from geoapp.store import session


def a_file(folder, *features):
    path = folder / "schools.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"NAME": name}, "geometry": geometry} for name, geometry in features
    ]}))  # fmt: skip
    return path


POINT = {"type": "Point", "coordinates": [106.65, 29.03]}
YARD = {"type": "Polygon", "coordinates": [[[106.66, 29.03], [106.67, 29.03], [106.67, 29.04], [106.66, 29.03]]]}


def there():
    with session.snapshot() as db:
        return [tuple(row) for row in db.execute(text("SELECT kind, name_zh, origin FROM sensitive_place ORDER BY id"))]


def test_a_file_replaces_all_of_its_kind(clean, tmp_path):  # noqa: ARG001
    vulnerable.import_file(OPERATOR, a_file(tmp_path, ("诊所", POINT)), kind="clinic", name="NAME", origin="survey")
    vulnerable.import_file(OPERATOR, a_file(tmp_path, ("旧校", POINT)), kind="school", name="NAME")
    count = vulnerable.import_file(
        OPERATOR, a_file(tmp_path, ("一小", POINT), ("二小", YARD)), kind="school", name="NAME"
    )

    assert count == 2
    assert there() == [
        ("clinic", "诊所", "survey"), ("school", "一小", "schools.geojson"), ("school", "二小", "schools.geojson"),
    ]  # fmt: skip


def test_what_cannot_be_is_refused_and_changes_nothing(clean, tmp_path):  # noqa: ARG001
    file = a_file(tmp_path, ("一小", POINT), ("without", None))

    with pytest.raises(BadInput) as kind:
        vulnerable.import_file(OPERATOR, file, kind="pub", name="NAME")
    with pytest.raises(BadFile) as field:
        vulnerable.import_file(OPERATOR, file, kind="school", name="TITLE")
    with pytest.raises(BadFile) as feature:
        vulnerable.import_file(OPERATOR, file, kind="school", name="NAME")
    with pytest.raises(NotYours):
        vulnerable.store(Viewer((Grant(Role.SECRETARY),)), vulnerable.Kind.SCHOOL, [], origin="x")

    assert kind.value.field == "kind"
    assert "TITLE" in str(field.value)
    assert "feature 2" in str(feature.value)
    assert there() == []
