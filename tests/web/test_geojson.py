"""The GeoJSON that the database makes is what the shapes of the web say, for every viewer and in both languages."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from geoapp.domain.values import ANONYMOUS, Grant, IssueFilter, IssueState, Point, Privacy, Role, Viewer
from geoapp.services import issues
from geoapp.web import shapes
from tests.builders import CENTRE, a_category, a_jurisdiction, a_place, an_issue, square, store

ZONE = ZoneInfo("Asia/Shanghai")
STAFF = Viewer((Grant(Role.COMMUNITY, frozenset({"C1"})), Grant(Role.UNIT, unit="U1")))
LATE = datetime(2026, 10, 1, 17, 30, tzinfo=UTC)


@pytest.fixture
def some(app):
    a_category()
    a_category("name", "", 'Only "English" & <b>')
    a_place("C1", square(106.64, 29.02))
    a_jurisdiction("U1", square(106.64, 29.02))
    store(
        an_issue("1", title='引号 " 反斜杠 \\ </script> 😀', unit="U1", state=IssueState.HANDLING),
        an_issue("2", text_released=False, category="name", reported_at=LATE),
        an_issue("3", state=IssueState.CLOSED, ended_at=LATE, point=Point(106.123456789, 28.9)),
        an_issue("4", privacy=Privacy.BLURRED, point=Point(106.6503217, 29.0301234), text_released=False),
        an_issue("5", privacy=Privacy.PRIVATE, point=CENTRE, unit="U1"),
        an_issue("6", point=Point(1.0, 2.0), state=IssueState.REFUSED, ended_at=LATE),
    )
    return app


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("viewer", [ANONYMOUS, STAFF], ids=["public", "staff"])
def test_a_feature_says_the_same_by_either_way(some, viewer, lang):
    with some.test_request_context(f"/api/issues?lang={lang}"):
        rows = issues.search(viewer, IssueFilter(), zone=ZONE, limit=4)
        texts = issues.search_texts(viewer, IssueFilter(), said=shapes.said(), zone=ZONE, limit=4)
        expected = [json.loads(json.dumps(shapes.feature(row))) for row in rows.rows]

    assert json.loads(b"[%b]" % texts.features) == expected
    assert texts.returned == 4
    assert (texts.matched, texts.after) == (rows.matched, rows.after)
    assert texts.after is not None
    assert len(expected) == 4


def test_an_answer_without_any_feature_is_a_collection_too(some):
    answer = some.test_client().get("/api/issues?limit=0")

    assert json.loads(answer.data) == {
        "type": "FeatureCollection", "numberMatched": 5, "numberReturned": 0, "next": None, "features": [],
    }  # fmt: skip
