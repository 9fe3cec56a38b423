"""Counting anew, a few rows at a time, stores what counting all issues at once would."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import text

from geoapp.domain import counts as pyramid
from geoapp.domain.values import OPERATOR, IssueState, Point, Privacy
from geoapp.services import counting
from geoapp.store import counts, session
from tests.builders import a_category, an_issue, store

pytestmark = pytest.mark.usefixtures("clean")
ZONE = ZoneInfo("Asia/Shanghai")
TOWNS = ((106.65, 29.03), (106.875, 29.0), (-90.0, 34.1), (-90.0, 0.0), (0.0, 0.0), (179.98, 84.9))
"""Through all but the first and last goes a side of tiles: of zoom 9, or even of zoom 2."""
STATES = list(IssueState)


def issues_around_the_towns(count):
    a_category("road")
    a_category("waste")
    chance = np.random.default_rng(5)
    begun = datetime(2025, 12, 31, 12, tzinfo=UTC)
    for nth in range(count):
        lon, lat = TOWNS[nth % len(TOWNS)]
        # On the side itself, and around it within a tile of the last zoom and beyond.
        dx, dy = chance.uniform(-1, 1, 2) * (0, 0.001, 0.003, 0.02)[nth // len(TOWNS) % 4]
        state = STATES[nth % (len(STATES) - 1)]
        at = begun + timedelta(hours=int(chance.integers(0, 4000)))
        yield an_issue(
            str(nth), point=Point(lon + dx, lat + dy), category=("road", "waste")[nth % 2], state=state,
            reported_at=at, updated_at=at, ended_at=at if state.ended else None,
            privacy=Privacy.PRIVATE if nth % 10 == 0 else Privacy.PUBLIC,
        )  # fmt: skip


def stored():
    with session.snapshot() as db:
        sql = 'SELECT zoom, cell, kind, split, entries FROM count_block ORDER BY zoom, cell, kind COLLATE "C"'
        return [(*row[:4], bytes(row.entries)) for row in db.execute(text(sql))]


def counted_at_once():
    """The blocks as they should be, from all issues in one array."""
    with session.snapshot() as db:
        categories, changes = counts._truth(db)
    found = []
    for zoom in pyramid.ZOOMS:
        blocks = pyramid.blocks(changes, zoom)
        split = pyramid.crowded(blocks)
        blocks |= pyramid.kinds(changes, zoom, categories, split)
        found += [(zoom, cell, kind, cell in split, some.tobytes()) for (cell, kind), some in blocks.items()]
    return sorted(found)


@pytest.mark.parametrize("portion", [1, 7, 100, 20_000])
def test_areas_and_their_borders_are_counted_as_all_issues_at_once(portion, monkeypatch):
    monkeypatch.setattr(pyramid, "CROWDED", 6)
    monkeypatch.setattr(counts, "PORTION", portion)
    store(*issues_around_the_towns(240))
    told = counting.rebuild(OPERATOR, ZONE)

    assert told == 216
    assert stored() == counted_at_once()
    assert counting.check(OPERATOR) == []
    assert {zoom for zoom, _, _, split, _ in stored() if split} == set(pyramid.ZOOMS)


def test_what_is_in_the_log_stays_there_and_comes_on_top(monkeypatch):
    monkeypatch.setattr(counts, "PORTION", 11)
    issues = list(issues_around_the_towns(120))
    store(*issues[:100])
    counting.rebuild(OPERATOR, ZONE)
    store(*issues[100:])
    with session.snapshot() as db:
        logged = db.execute(text("SELECT count(*) FROM count_change")).scalar_one()
    counting.rebuild(OPERATOR, ZONE)
    unfolded = counting.check(OPERATOR)
    counting.fold()

    assert logged > 0
    assert unfolded == counting.check(OPERATOR) == []
