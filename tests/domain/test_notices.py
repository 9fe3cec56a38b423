"""What can be an address, and how long a mail waits before it is tried again."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoapp.domain import notices
from geoapp.domain.notices import DUTY, WAITS
from geoapp.domain.permissions import TABLE
from geoapp.domain.values import IssueState
from geoapp.domain.workflow import TABLE as ACTIONS


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("name@example.org", "name@example.org"),
        ("  Name.Surname+map@EXAMPLE.org ", "Name.Surname+map@example.org"),
        ("li@綦江.中国", "li@xn--9swn28a.xn--fiqs8s"),
        ("o'neill@sub.example.org", "o'neill@sub.example.org"),
    ],
)
def test_an_address_is_kept_in_one_form(typed, kept):
    assert notices.address(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "", "name", "@example.org", "name@", "name@example", "name@localhost", "a b@example.org", "a@b@example.org",
        ".a@example.org", "a.@example.org", "a..b@example.org", '"a b"@example.org', "<a@example.org>",
        "a@example.org>", "a@exam_ple.org", "a@-example.org", "a@example-.org", "a@.example.org", "a@example..org",
        "a@example.1", "a@[127.0.0.1]", "a@example.org\nBcc: b@example.org", "a\r\n@example.org", "李@example.org",
        "a@example.org,b@example.org", "a@example.org;b@example.org", "x" * 65 + "@example.org",
        "a@" + "b." * 130 + "org", "a@" + "b" * 64 + ".org", "a\x00@example.org",
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_none(typed):
    assert notices.address(typed) is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_address_that_is_kept_can_end_a_header_or_name_a_second_one(local, domain):
    kept = notices.address(f"{local}@{domain}")

    assert kept is None or (kept.isascii() and kept.isprintable() and not set(kept) & set(' ,;:<>()[]\\"'))


@pytest.mark.parametrize(
    ("action", "to_state", "zh", "en"),
    [
        ("dispatch", IssueState.DISPATCHED, "已派遣", "dispatched"),
        ("resume", IssueState.ACCEPTED, "恢复办理，已立案", "taken up again, accepted"),
        ("visit", None, "现场办公", "visited on site"),
        ("decide", IssueState.ACCEPTED, "联席会议决定，已立案", "decided by the joint meeting, accepted"),
    ],
)
def test_a_headline_says_what_is_now_and_how_where_that_says_more(action, to_state, zh, en):
    assert (notices.headline("zh", action, to_state), notices.headline("en", action, to_state)) == (zh, en)


def test_waits_grow_and_end():
    waits = [notices.wait_after(tries) for tries in range(1, len(WAITS) + 2)]

    assert waits[:-1] == sorted(WAITS)
    assert waits[-1] is None
    assert sum(WAITS, timedelta()) > timedelta(days=1)


def test_a_duty_is_told_to_a_role_that_can_do_something_about_it():
    for action, (_, role) in DUTY.items():
        to_state = ACTIONS[action].to_state
        rights = frozenset().union(*TABLE[role].values())
        assert any(to_state in rule.origins and rule.action in rights for rule in ACTIONS.values())
