"""Asking to follow, how often, and being forgotten again."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from geoapp.errors import TooMany
from geoapp.services import following, notices
from geoapp.store import session
from tests.builders import an_issue
from tests.correspondence import READER, ask, deliver, follow, key

pytestmark = pytest.mark.usefixtures("town", "box")


# --- following ---


def test_asking_again_sends_one_more_mail_and_makes_no_second_follower(settings, box, post):
    ask(settings)
    ask(settings, email=READER.upper().replace("EXAMPLE.ORG", "example.org"))
    deliver(post)
    following.confirm(*key(box, "follow"), now=datetime.now(UTC))
    ask(settings)

    assert deliver(post) == {}
    assert len(box.messages) == 2
    with session.snapshot() as db:
        assert db.execute(text("SELECT count(*) FROM follower")).scalar_one() == 1


def test_one_network_and_one_address_may_ask_only_so_often(settings):
    for nth in range(following.PER_NETWORK):
        ask(settings, email=f"r{nth}@example.org", address="192.0.2.7")
    with pytest.raises(TooMany):
        ask(settings, email="one.more@example.org", address="192.0.2.99")
    for _ in range(following.PER_ADDRESS):
        ask(settings, email="victim@example.org", address="198.51.100.1")
    with pytest.raises(TooMany):
        ask(settings, email="Victim@example.org", address="203.0.113.1")


def test_followers_are_forgotten_when_their_time_is_over(settings, box, post):
    follow(settings, box, post, "1", "stays@example.org")
    follow(settings, box, post, "2", "ended@example.org")
    ask(settings, "1", "never@example.org")
    with session.transaction() as db:
        db.execute(text("UPDATE issue SET state = 'closed', ended_at = now() WHERE id = :id"), {"id": an_issue("2").id})
    week, quarter = (datetime.now(UTC) + timedelta(days=days) for days in (8, 91))

    assert following.sweep(now=datetime.now(UTC)) == 0
    assert following.sweep(now=week) == 1
    assert following.sweep(now=quarter) == 1
    with session.snapshot() as db:
        assert db.execute(text("SELECT email FROM follower")).scalars().all() == ["stays@example.org"]
    assert notices.sweep(now=quarter) == 2
