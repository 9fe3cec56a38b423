"""Possible duplicates of a report or an issue, for those who may see them."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from geoapp.domain.duplicates import REACH_M, Kinship
from geoapp.domain.geometry import blur
from geoapp.domain.values import ANONYMOUS, OPERATOR, IssueState, Point, Privacy
from geoapp.errors import BadInput, NotFound
from geoapp.services import duplicates
from geoapp.store import session
from tests.builders import CENTRE, NOON, a_category, an_issue, store
from tests.domain.test_categories import SHIPPED, tree

pytestmark = pytest.mark.usefixtures("app")
METRE = 1 / 111_195.08


def north(metres, of=CENTRE):
    return Point(of.lon, of.lat + metres * METRE)


def titles(viewer=ANONYMOUS, point=CENTRE, category="road", said="", **more):
    return [found.row.title for found in duplicates.near(viewer, point, category, said, now=NOON, **more)]


def number_of(title):
    with session.snapshot() as db:
        return db.execute(text("SELECT number FROM issue WHERE title = :title"), {"title": title}).scalar_one()


@pytest.fixture(autouse=True)
def categories(app):
    a_category()
    a_category("road.sidewalk", "人行道", "Sidewalk", parent="road")
    a_category("waste", "垃圾", "Waste")
    return app


def test_issues_in_the_same_place_are_found_the_most_alike_first():
    store(
        an_issue("1", title="近", text="", point=north(10)),
        an_issue("2", title="远", text="", point=north(20)),
        an_issue("3", title="太远", text="", point=north(60)),
        an_issue("4", title="不同", text="", category="waste"),
        an_issue("5", title="人行道的地砖破损", text="", point=north(20)),
    )

    assert titles() == ["近", "远", "人行道的地砖破损"]
    assert titles(said="地砖破损") == ["人行道的地砖破损", "近", "远"]


def test_the_parts_of_a_score_are_told():
    store(an_issue("1", title="人行道破损", text="", point=north(10), category="road.sidewalk"))

    found = duplicates.near(ANONYMOUS, CENTRE, "road", "人行道破损", now=NOON)[0].likeness

    assert found.distance_m == pytest.approx(10, abs=0.1)
    assert (found.days, found.kinship, found.words) == (0, Kinship.BRANCH, 1)


def test_what_ended_long_ago_is_no_duplicate():
    ended = {"state": IssueState.CLOSED, "reported_at": NOON - timedelta(days=500)}
    store(
        an_issue("1", title="旧", ended_at=NOON - timedelta(days=200), **ended),
        an_issue("2", title="新", ended_at=NOON - timedelta(days=20), **ended),
    )

    assert titles() == ["新"]


def test_what_was_merged_already_is_left_out():
    store(an_issue("1", state=IssueState.DUPLICATE, ended_at=NOON), an_issue("2", title="原件"))

    assert titles() == ["原件"]


def test_at_most_ten_are_told():
    store(*(an_issue(str(n)) for n in range(15)))

    assert len(titles()) == duplicates.MOST


def test_a_report_without_a_category_is_compared_by_place_and_words():
    store(an_issue("1", title="人行道破损", text=""), an_issue("2", title="路灯不亮", text=""))

    assert titles(category=None, said="人行道破损了") == ["人行道破损"]


def test_a_category_that_there_is_not_is_refused():
    with pytest.raises(BadInput, match="category"):
        duplicates.near(ANONYMOUS, CENTRE, "none", "", now=NOON)


def test_an_issue_is_compared_with_all_others():
    store(
        an_issue("1", title="甲"), an_issue("2", title="乙", point=north(5)), an_issue("3", title="丙", point=north(90))
    )

    found = duplicates.of_issue(ANONYMOUS, number_of("甲"), now=NOON)

    assert [one.row.title for one in found] == ["乙"]


def test_an_issue_that_ended_is_not_compared_with_what_came_long_after():
    span = {"reported_at": NOON - timedelta(days=900), "ended_at": NOON - timedelta(days=800)}
    store(
        an_issue("1", title="旧", state=IssueState.CLOSED, **span),
        an_issue("2", title="新"),
    )

    assert duplicates.of_issue(ANONYMOUS, number_of("旧"), now=NOON) == ()
    assert duplicates.of_issue(ANONYMOUS, number_of("新"), now=NOON) == ()


def test_a_private_issue_never_appears_to_the_public():
    store(an_issue("1", title="机密", privacy=Privacy.PRIVATE), an_issue("2", title="公开"))

    assert titles(said="机密") == ["公开"]
    assert set(titles(OPERATOR)) == {"机密", "公开"}
    with pytest.raises(NotFound):
        duplicates.of_issue(ANONYMOUS, number_of("机密"), now=NOON)
    assert [one.row.title for one in duplicates.of_issue(OPERATOR, number_of("机密"), now=NOON)] == ["公开"]


def test_a_blurred_issue_is_compared_by_its_blurred_place():
    at = Point(CENTRE.lon + 0.0003, CENTRE.lat + 0.0003)
    shown = Point(*blur(at.lon, at.lat))
    store(an_issue("1", title="模糊", point=at, privacy=Privacy.BLURRED))

    by_public = duplicates.near(ANONYMOUS, shown, "road", "", now=NOON)[0]
    by_staff = duplicates.near(OPERATOR, at, "road", "", now=NOON)[0]

    assert (at.lon, at.lat) != (shown.lon, shown.lat)
    assert by_public.likeness.distance_m == pytest.approx(0, abs=0.01)
    assert by_staff.likeness.distance_m == pytest.approx(0, abs=0.01)


def test_distances_lead_the_public_to_the_blurred_place_and_nowhere_else():
    at = Point(CENTRE.lon + 0.0003, CENTRE.lat + 0.0003)
    store(an_issue("1", title="模糊", point=at, privacy=Privacy.BLURRED))
    shown = Point(*blur(at.lon, at.lat))
    steps = [step * METRE for step in range(-40, 41, 8)]
    asked = [Point(shown.lon + x, shown.lat + y) for x in steps for y in steps]

    found = {place: duplicates.near(ANONYMOUS, place, "road", "", now=NOON) for place in asked}
    told = {place: one[0].likeness.distance_m for place, one in found.items() if one}

    assert min(told, key=told.get) == shown


def test_hidden_words_do_not_show_in_a_score():
    store(an_issue("1", title="张家的秘密", text="张家的秘密", text_released=False))

    public = duplicates.near(ANONYMOUS, CENTRE, "road", "张家的秘密", now=NOON)[0]
    staff = duplicates.near(OPERATOR, CENTRE, "road", "张家的秘密", now=NOON)[0]

    assert (public.likeness.words, public.row.title) == (0, None)
    assert staff.likeness.words == 1


def test_every_category_with_a_reach_of_its_own_exists():
    assert set(REACH_M) <= set(tree(SHIPPED.read_text(encoding="utf-8")))
