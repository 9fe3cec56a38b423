"""The words of the tests of notices: ask, follow, act, deliver, read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from geoapp.domain.boundaries import NewUnit
from geoapp.domain.values import ANONYMOUS, OPERATOR, Name, Privacy
from geoapp.domain.workflow import Given
from geoapp.services import accounts, boundaries, clocks, contacts, following, notices, triage
from geoapp.store import outbox, session
from tests.builders import NOON, TODAY, a_category, a_place, an_issue, square, store
from tests.mailbox import Mailbox, serve

SECRET = "paving stones 62"  # noqa: S105
READER = "reader@example.org"


@pytest.fixture
def box():
    """A mailbox behind a mail server; notices are offered as long as it stands."""
    opened = Mailbox()
    controller = serve(opened)
    outbox.offer(mail=True)
    yield opened
    outbox.offer(mail=False)
    controller.stop()


@pytest.fixture
def post(box, settings):
    return post_to(settings, f"smtp://{box.url}")


def post_to(settings, url, *, mail_from="綦江区 <map@example.org>"):
    known = replace(settings, smtp_url=url, mail_from=mail_from, public_url="https://issues.example.org/")
    return notices.post(known, now=NOON)


@pytest.fixture
def town(clean):  # noqa: ARG001 - the database must be connected
    a_category()
    a_place("C1", square(106.64, 29.02))
    a_place("C2", square(106.70, 29.02))
    units = [NewUnit(code, Name(f"单位{code}", f"Unit {code}")) for code in ("U1", "U2")]
    boundaries.store_units(OPERATOR, units, today=TODAY)
    store(an_issue("1"), an_issue("2"), an_issue("3", privacy=Privacy.PRIVATE, title="秘密", text="secret words"))


def number(name):
    with session.snapshot() as db:
        return db.execute(text("SELECT number FROM issue WHERE id = :id"), {"id": an_issue(name).id}).scalar_one()


def facts(column="*", where="true"):
    with session.snapshot() as db:
        return db.execute(text(f"SELECT {column} FROM notice WHERE {where} ORDER BY created_at, id")).all()  # noqa: S608


def deliver(post, *, now=None, leaving=lambda: False):
    at = now or datetime.now(UTC) + timedelta(seconds=1)
    return notices.deliver(post, clock=lambda: at, leaving=leaving)


def act(settings, name, action, *, viewer=OPERATOR, **given):
    with session.snapshot() as db:
        version = db.execute(text("SELECT version FROM issue WHERE id = :id"), {"id": an_issue(name).id}).scalar_one()
    calendar = clocks.read_calendar(settings.calendar_file, settings.zone)
    return triage.act(
        viewer, number(name), action, Given(**given), version=version, now=datetime.now(UTC), calendar=calendar
    )


def ask(settings, name="1", email=READER, lang="zh", *, address="192.0.2.1"):
    return following.follow(
        ANONYMOUS, number(name), email, lang, address=address, now=datetime.now(UTC), zone=settings.zone
    )


def follow(settings, box, post, name="1", email=READER, *, lang="zh"):
    """Ask, read the mail, confirm; the mailbox is empty again."""
    ask(settings, name, email, lang)
    deliver(post)
    following.confirm(*key(box, "follow"), now=datetime.now(UTC))
    box.messages.clear()


def key(box, what):
    _, _, found, _, token = box.link(what).split("?")[0].split("/")
    return found, token


def person(login, role, email, **where):
    accounts.add(OPERATOR, login, login, SECRET)
    accounts.grant(OPERATOR, login, role, **where)
    contacts.set_email(OPERATOR, login, email)
    return login
