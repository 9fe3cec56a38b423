"""Actions on the real database: who may, what is written, and what happens when many act at once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from uuid import NAMESPACE_URL, uuid4, uuid5
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from geoapp.domain.boundaries import NewUnit
from geoapp.domain.values import ANONYMOUS, OPERATOR, Box, Grant, IssueFilter, IssueState, Name, Privacy, Role, Viewer
from geoapp.domain.workflow import Given, duties
from geoapp.errors import BadInput, Conflict, Incomplete, NotFound, NotYours, Refused, VersionNeeded
from geoapp.services import boundaries, issues, triage
from geoapp.store import history, session
from tests.builders import NOON, TODAY, a_category, a_jurisdiction, a_place, an_issue, square, store
from tests.domain.test_calendar import CHINA

ZONE = ZoneInfo("Asia/Shanghai")
STAFF = Viewer((Grant(Role.COMMUNITY, frozenset({"C1"})),), uuid4(), "Li")
OFFICER = Viewer((Grant(Role.UNIT, None, "U1"),), uuid4(), "Wang")
SECRETARY = Viewer((Grant(Role.SECRETARY, frozenset({"C1"})),), uuid4(), "Chen")
ELSEWHERE = Viewer((Grant(Role.COMMUNITY, frozenset({"C2"})),), uuid4(), "Zhao")
LATER = NOON + timedelta(hours=1)


@pytest.fixture(autouse=True)
def ground(app):  # noqa: ARG001 - the database must be connected
    a_category()
    a_place("C1", square(106.64, 29.02))
    a_place("C2", square(106.70, 29.02))
    boundaries.store_units(OPERATOR, [NewUnit("U1", Name("", "U1")), NewUnit("U2", Name("", "U2"))], today=TODAY)
    store(an_issue("1", state=IssueState.REPORTED), an_issue("2"))


def number(name="1"):
    with session.snapshot() as db:
        return db.execute(
            text("SELECT number FROM issue WHERE id = :id"), {"id": uuid5(NAMESPACE_URL, name)}
        ).scalar_one()


def act(viewer, action, given=None, *, version=1, name="1", now=LATER):
    return triage.act(viewer, number(name), action, given or Given(), version=version, now=now, calendar=CHINA)


def one(sql):
    with session.snapshot() as db:
        return tuple(db.execute(text(sql)).one())


def test_an_action_changes_the_issue_and_its_history_and_counts_the_version_up():
    receipt = act(STAFF, "accept", Given(note="seen"))

    assert (receipt.state, receipt.version) == (IssueState.ACCEPTED, 2)
    assert one("SELECT state, version, history_seq, updated_at FROM issue WHERE title LIKE '% 1'") == (
        "accepted", 2, 1, LATER,
    )  # fmt: skip
    assert one("SELECT action, to_state, actor, note, person_id FROM history WHERE action = 'accept'") == (
        "accept", "accepted", "community", "seen", STAFF.person,
    )  # fmt: skip


def test_a_dispatch_names_lead_and_helpers_and_a_return_is_counted():
    act(STAFF, "dispatch", Given(unit="U1", helping=("U2",)), name="2")
    act(OFFICER, "return", Given(note="not ours"), name="2", version=2)

    assert one(
        "SELECT state, returns, (SELECT code FROM unit WHERE id = unit_id), cardinality(helping_unit_ids) "
        "FROM issue WHERE title LIKE '% 2'"
    ) == ("returned", 1, "U1", 1)
    with session.snapshot() as db:
        assert history.verify(db)[1] == []


def test_what_ends_has_an_end_and_what_is_restored_is_judged_by_the_boundaries_of_today():
    act(STAFF, "refuse", Given(note="no"))
    ended = one("SELECT ended_at, verdict FROM issue WHERE title LIKE '% 1'")
    a_jurisdiction("U1", square(106.64, 29.02))
    act(STAFF, "restore", Given(note="yes"), version=one("SELECT version FROM issue WHERE title LIKE '% 1'")[0])

    assert ended == (LATER, "orphan")
    assert one("SELECT state, ended_at, verdict FROM issue WHERE title LIKE '% 1'") == ("reported", None, "clear")


def test_a_merge_names_the_original_and_can_be_undone():
    original = uuid5(NAMESPACE_URL, "2")
    act(STAFF, "duplicate", Given(original=original))
    merged = issues.get(STAFF, number(), zone=ZONE).detail.merged_into
    act(STAFF, "restore", Given(note="no, it is another"), version=2)

    assert merged == number("2")
    assert one("SELECT state, merged_into FROM issue WHERE title LIKE '% 1'") == ("reported", None)


@pytest.mark.parametrize(
    ("viewer", "action", "given", "error", "reason"),
    [
        (ELSEWHERE, "accept", Given(), NotYours, "not_yours"),
        (ANONYMOUS, "note", Given(note="x"), NotYours, "not_yours"),
        (STAFF, "close", Given(), Refused, "not_now"),
        (STAFF, "explode", Given(), Refused, "no_such_action"),
        (STAFF, "refuse", Given(), Incomplete, "needs_reason"),
        (STAFF, "duplicate", Given(original=uuid4()), Incomplete, "no_such_original"),
    ],
)
def test_a_refused_action_says_why_and_changes_nothing(viewer, action, given, error, reason):
    with pytest.raises(error) as refused:
        act(viewer, action, given)

    assert refused.value.reason == reason
    assert one("SELECT version, history_seq FROM issue WHERE title LIKE '% 1'") == (1, 0)


def test_a_chain_of_merges_is_refused():
    act(STAFF, "duplicate", Given(original=uuid5(NAMESPACE_URL, "2")))
    store(an_issue("3"))

    with pytest.raises(Incomplete, match="original_is_duplicate"):
        act(STAFF, "duplicate", Given(original=uuid5(NAMESPACE_URL, "1")), name="3")


def test_a_unit_that_does_not_exist_is_named():
    with pytest.raises(BadInput) as refused:
        act(STAFF, "dispatch", Given(unit="U1", helping=("nobody",)), name="2")

    assert refused.value.params == {"value": "nobody"}


def test_a_change_must_name_the_version_it_was_made_from():
    with pytest.raises(VersionNeeded):
        act(STAFF, "accept", version=None)
    with pytest.raises(Conflict) as late:
        act(STAFF, "accept", version=7)

    assert late.value.version == 1


def test_an_issue_that_nobody_else_may_see_is_not_found():
    store(an_issue("9", privacy=Privacy.PRIVATE))

    with pytest.raises(NotFound):
        act(ELSEWHERE, "accept", name="9")
    assert act(STAFF, "note", Given(note="known"), name="9").version == 2


def crowd(count, action):
    with ThreadPoolExecutor(20) as pool:
        return Counter(pool.map(lambda n: _outcome(action, n), range(count)))


def _outcome(action, nth):
    try:
        action(nth)
    except Conflict as late:
        return late.version
    return "won"


def test_of_a_hundred_editors_at_once_one_wins_and_the_others_are_told_the_version():
    outcome = crowd(100, lambda nth: act(STAFF, "accept", Given(note=str(nth))))

    assert outcome == {"won": 1, 2: 99}
    assert one("SELECT count(*) FROM history WHERE action = 'accept'") == (1,)


def test_fifty_dispatchers_at_once_make_one_dispatch():
    outcome = crowd(50, lambda nth: act(STAFF, "dispatch", Given(unit=f"U{nth % 2 + 1}"), name="2"))

    assert outcome == {"won": 1, 2: 49}
    assert one("SELECT count(*) FROM history WHERE action = 'dispatch'") == (1,)


# --- who sees what ---


def seen_by(viewer, wanted=None):
    return sorted(row.number[-1] for row in issues.search(viewer, wanted or IssueFilter(), zone=ZONE, limit=50).rows)


def test_staff_see_in_full_what_lies_in_their_place_and_the_rest_as_the_public_does():
    store(
        an_issue("3", privacy=Privacy.PRIVATE, text_released=False, address="Gate 2"),
        an_issue("4", privacy=Privacy.BLURRED, text_released=False, accuracy_m=3.0),
    )

    assert seen_by(ANONYMOUS) == seen_by(ELSEWHERE) == seen_by(OFFICER) == ["1", "2", "4"]
    assert seen_by(STAFF) == ["1", "2", "3", "4"]
    known, hidden = (issues.get(viewer, number("4"), zone=ZONE).detail for viewer in (STAFF, ELSEWHERE))
    assert (known.row.title, known.accuracy_m, known.row.lon) == ("人行道破损 4", 3.0, 106.65)
    assert (hidden.row.title, hidden.accuracy_m, hidden.text) == (None, None, "")
    assert hidden.row.lon != known.row.lon
    assert issues.get(STAFF, number("3"), zone=ZONE).detail.address == "Gate 2"


def test_an_internal_note_is_only_for_those_who_see_the_issue_in_full():
    act(STAFF, "note", Given(note="the owner is difficult"))

    inside, outside = (issues.get(v, number(), zone=ZONE).detail.history for v in (STAFF, ANONYMOUS))
    assert [line.note for line in inside] == ["the owner is difficult"]
    assert outside == ()


def test_the_inbox_holds_what_waits_for_the_viewer():
    act(STAFF, "dispatch", Given(unit="U1"), name="2")

    inbox = {viewer.name: seen_by(viewer, IssueFilter(duties=duties(viewer))) for viewer in (STAFF, OFFICER, SECRETARY)}
    assert inbox == {"Li": ["1"], "Wang": ["2"], "Chen": []}


def test_the_nearest_deadline_comes_first_and_pages_follow_on():
    store(*(an_issue(f"d{n}") for n in range(5)))
    with session.transaction() as db:
        db.execute(
            text("UPDATE issue SET due_at = timestamptz '2026-12-01' - history_seq * interval '1 day' "
                 "- right(number, 1)::int * interval '1 hour' WHERE title LIKE '% d%'")
        )  # fmt: skip
    first = issues.search(STAFF, IssueFilter(), zone=ZONE, limit=3, by_deadline=True)
    second = issues.search(STAFF, IssueFilter(), zone=ZONE, limit=10, by_deadline=True, after=first.after)

    assert [row.number[-1] for row in first.rows] == ["7", "6", "5"]
    assert [row.number[-1] for row in second.rows][:2] == ["4", "3"]
    assert {row.number[-1] for row in second.rows} == {"1", "2", "3", "4"}


def test_a_search_finds_hidden_words_only_where_the_searcher_sees_them():
    store(
        an_issue("3", privacy=Privacy.PRIVATE, title="顶楼漏水 3"),
        an_issue("4", text_released=False, text="电话 13800138000"),
    )

    found = {v.name or "public": seen_by(v, IssueFilter(words="13800138000")) for v in (STAFF, ELSEWHERE, ANONYMOUS)}
    assert found == {"Li": ["4"], "Zhao": [], "public": []}
    assert seen_by(STAFF, IssueFilter(words="漏水")) == ["3"]
    assert seen_by(ELSEWHERE, IssueFilter(words="漏水")) == seen_by(OFFICER, IssueFilter(words="漏水")) == []


def test_a_staff_box_filter_finds_by_the_place_that_this_viewer_sees():
    store(an_issue("3", privacy=Privacy.PRIVATE), an_issue("4", privacy=Privacy.BLURRED))
    exact = IssueFilter(box=Box(106.6499, 29.0299, 106.6501, 29.0301), since=date(2026, 1, 1))

    assert seen_by(STAFF, exact) == ["1", "2", "3", "4"]
    assert seen_by(ELSEWHERE, exact) == seen_by(ANONYMOUS, exact)
