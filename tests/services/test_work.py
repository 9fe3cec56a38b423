"""The chores of the worker, and that a mail server which is away is told of once."""

import logging
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from geoapp.domain.values import OPERATOR
from geoapp.services import accounts
from geoapp.services.work import Desk
from geoapp.store import photos, session
from tests.correspondence import SECRET, act, ask, facts, person

pytestmark = pytest.mark.usefixtures("town")


def count(table):
    with session.snapshot() as db:
        return db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608


def a_stray_file(folder, *, days):
    file = photos.path(folder, "ab" * 32 if days else "cd" * 32, "large")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"left by a broken upload")
    then = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    os.utime(file, (then, then))
    return file


def test_what_nobody_needs_any_more_is_swept_away(settings):
    accounts.add(OPERATOR, "li", "Li", SECRET)
    accounts.sign_in("li", SECRET, address="192.0.2.1", browser="", now=datetime.now(UTC))
    old, new = (a_stray_file(settings.photos_dir, days=days) for days in (2, 0))
    Desk(settings, lambda: datetime.now(UTC)).tidy()
    before = (count("sign_in"), count("attempt"), old.exists(), new.exists())
    Desk(settings, lambda: datetime.now(UTC) + timedelta(hours=13)).tidy()

    assert before == (1, 1, False, True)
    assert (count("sign_in"), count("attempt")) == (0, 0)


def test_a_desk_where_mail_is_offered_sends_what_waits_and_reminds(settings, box, post):
    person("officer", "unit", "officer@example.org", unit="U1")
    act(settings, "1", "dispatch", unit="U1")
    with session.transaction() as db:
        late = "UPDATE issue SET stage = 'handle', due_at = now() - interval '1 hour' WHERE state = 'dispatched'"
        db.execute(text(late))
    known = replace(
        settings, smtp_url=f"smtp://{box.url}", mail_from="map@example.org", public_url="https://issues.example.org"
    )
    desk = Desk(known, lambda: datetime.now(UTC) + timedelta(seconds=1))
    desk.remind()
    desk.deliver(lambda: False)

    assert post.sender.site == known.public_url
    assert sorted(message["Subject"].partition(" ")[2] for message in box.messages) == [
        "已派遣到您的单位",
        "已超过处置时限",
    ]


def test_a_mail_server_that_is_away_is_told_of_once_until_it_is_back(settings, box, caplog):
    ask(settings)
    away = replace(
        settings, smtp_url="smtp://127.0.0.1:1", mail_from="map@example.org", public_url="https://issues.example.org"
    )
    desk = Desk(away, lambda: datetime.now(UTC) + timedelta(seconds=1))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            desk.deliver(lambda: False)
    told = [record.getMessage() for record in caplog.records if record.name == "geoapp.services.work"]
    desk.settings = replace(away, smtp_url=f"smtp://{box.url}")
    desk.deliver(lambda: False)

    assert len(told) == 1
    assert "127.0.0.1:1" in told[0]
    assert (desk.trouble, len(box.messages)) == ("", 1)


def test_where_no_mail_is_offered_the_desk_has_nothing_to_send(settings):
    Desk(settings, lambda: datetime.now(UTC)).deliver(lambda: False)

    assert facts() == []
