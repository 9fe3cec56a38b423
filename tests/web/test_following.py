"""Following over HTTP: the form on the page, the link in the mail, the way out, and one's own notices."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from geoapp.app import create_app
from geoapp.domain.values import OPERATOR, Privacy
from geoapp.services import accounts, following
from geoapp.store import session
from tests.builders import a_category, a_place, an_issue, square, store
from tests.correspondence import READER, deliver, key, number

SECRET = "paving stones 62"  # noqa: S105


@pytest.fixture
def mail_app(settings, clean, box):  # noqa: ARG001 - it empties what the app stores
    app = create_app(
        replace(
            settings,
            smtp_url=f"smtp://{box.url}",
            mail_from="map@example.org",
            public_url="https://issues.example.org",
        )
    )
    a_category()
    a_place("C1", square(106.64, 29.02))
    store(an_issue("1"), an_issue("3", privacy=Privacy.PRIVATE))
    yield app
    session.disconnect()


@pytest.fixture
def visitor(mail_app):
    return mail_app.test_client()


def words(answer):
    return answer.get_data(as_text=True)


def token(answer):
    return re.search(r'name="csrf_token" value="([^"]+)"', words(answer))[1]


def path(what=""):
    return f"/issues/{number('1')}{what}"


def ask(visitor, email=READER, lang="zh"):
    form = visitor.get(path())
    return visitor.post(path(f"/follow?lang={lang}"), data={"email": email, "csrf_token": token(form)})


def test_following_goes_from_the_page_over_the_mail_to_the_button_and_out_again(visitor, box, post):
    sent = ask(visitor, lang="en")
    told = visitor.get(sent.location)
    deliver(post)
    link = box.link("follow")
    shown = visitor.get(link)
    pressed = visitor.post(link, data={"csrf_token": token(shown)})
    follows = visitor.get(pressed.location)
    found, secret = key(box, "follow")
    out = f"/issues/{found}/leave/{secret}?lang=en"
    left = visitor.post(out, data={"csrf_token": token(visitor.get(out))})

    assert (sent.status_code, pressed.status_code, left.status_code) == (303, 303, 303)
    assert "a mail is on its way to it" in words(told)
    assert "Once you confirm" in words(shown)
    assert f"You follow {found}" in words(follows)
    assert shown.headers["Cache-Control"] == "private, no-store"
    assert "your address is deleted" in words(visitor.get(left.location))


def test_whoever_only_looks_at_a_link_changes_nothing(visitor, box, post):
    ask(visitor)
    deliver(post)
    visitor.get(box.link("follow"))
    visitor.head(box.link("follow"))
    confirmed = following.look(*key(box, "follow")).confirmed
    following.confirm(*key(box, "follow"), now=datetime.now(UTC))
    found, secret = key(box, "follow")
    visitor.get(f"/issues/{found}/leave/{secret}")

    assert not confirmed
    assert not following.look(found, secret).left


def test_a_mail_program_leaves_with_one_request_and_nothing_else(visitor, box, post):
    ask(visitor)
    deliver(post)
    following.confirm(*key(box, "follow"), now=datetime.now(UTC))
    found, secret = key(box, "follow")
    done = visitor.application.test_client().post(
        f"/issues/{found}/leave/{secret}", data={"List-Unsubscribe": "One-Click"}
    )

    assert done.status_code == 303
    assert following.look(found, secret).left


def test_a_link_that_is_none_of_ours_leads_nowhere(visitor, box, post):
    ask(visitor)
    deliver(post)
    found, secret = key(box, "follow")

    for wrong in (f"/issues/{found}/follow/{secret}x", f"/issues/QJ-2026-999999/follow/{secret}", path("/leave/x")):
        assert visitor.get(wrong).status_code == 404
        assert visitor.post(wrong).status_code in {403, 404}


@pytest.mark.parametrize(("email", "status"), [("nobody", 400), ("", 400), ("a@example.org\nBcc: b@c.org", 400)])
def test_what_is_no_address_is_told_on_the_page_with_what_was_typed(visitor, email, status):
    refused = ask(visitor, email)

    assert refused.status_code == status
    assert 'role="alert"' in words(refused)
    assert "应为邮箱地址" in words(refused)
    assert f'value="{email}"' in words(refused)


def test_a_form_of_elsewhere_makes_nobody_follow(visitor):
    form = token(visitor.get(path()))

    assert visitor.post(path("/follow"), data={"email": READER}).status_code == 403
    foreign = {"Origin": "https://evil.example"}
    answer = visitor.post(path("/follow"), data={"email": READER, "csrf_token": form}, headers=foreign)
    assert answer.status_code == 403


def test_who_asks_too_often_is_told_when_to_come_back(visitor, monkeypatch):
    monkeypatch.setattr(following, "PER_NETWORK", 1)
    ask(visitor)
    refused = ask(visitor, "another@example.org")

    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "尝试次数过多" in words(refused)


def test_an_issue_that_is_not_public_can_neither_be_followed_nor_found_out(visitor):
    hidden = f"/issues/{number('3')}/follow"
    form = token(visitor.get(path()))

    assert visitor.get(hidden).status_code == 404
    assert visitor.post(hidden, data={"email": READER, "csrf_token": form}).status_code == 404


def test_where_no_mail_is_offered_the_page_says_so_and_has_no_form(client, app):  # noqa: ARG001
    a_category()
    store(an_issue("1"))
    page = client.get(path())

    assert "本站未开通邮件通知" in words(page)
    assert 'name="email"' not in words(page)
    assert "Set-Cookie" not in page.headers
    assert "本站未开通邮件通知" in words(client.get(path("/follow")))
    form = token(client.get("/sign-in"))
    assert client.post(path("/follow"), data={"email": READER, "csrf_token": form}).status_code == 409


def test_one_chooses_on_ones_own_account_where_mail_goes_and_whether(mail_app):
    accounts.add(OPERATOR, "li", "Li Min", SECRET)
    client = mail_app.test_client()
    client.set_cookie("geoapp", accounts.sign_in("li", SECRET, address="", browser="", now=datetime.now(UTC)).token)
    form = {"csrf_token": token(client.get("/account")), "lang": "en", "wish": "none"}

    kept = client.post("/account/notices", data=form | {"email": "Li@Example.org"})
    wrong = client.post("/account/notices", data=form | {"email": "nobody"})
    strange = client.post("/account/notices", data=form | {"email": "", "wish": "some"})

    assert kept.status_code == 303
    assert "邮件通知的设置已保存" in words(client.get(kept.location))
    assert 'value="Li@example.org"' in words(client.get("/account"))
    assert '<option value="none" selected>' in words(client.get("/account"))
    assert (wrong.status_code, strange.status_code) == (400, 400)
    assert "应为邮箱地址" in words(wrong)
    with session.snapshot() as db:
        row = db.execute(text("SELECT email, lang, notices FROM person")).one()
    assert tuple(row) == ("Li@example.org", "en", "none")
