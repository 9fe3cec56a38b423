"""What a mail server answers and what we make of it; and how the way there is closed to others."""

import ssl
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from geoapp.domain.notices import WAITS
from geoapp.errors import MailTrouble
from geoapp.services import accounts, contacts, notices
from geoapp.store import session
from tests.correspondence import READER, SECRET, act, ask, deliver, facts, follow, person, post_to
from tests.mailbox import Mailbox, serve

pytestmark = pytest.mark.usefixtures("town", "box")


# --- the mail server refuses ---


def test_what_is_refused_for_now_is_tried_again_after_growing_waits_and_given_up_at_last(settings, box, post):
    ask(settings)
    box.answers = ["451 try later"] * 20
    at, waits = datetime.now(UTC) + timedelta(seconds=1), []
    for _ in range(len(WAITS) + 1):
        early = deliver(post, now=at - timedelta(seconds=2)) if waits else {}
        assert early == {}
        became = deliver(post, now=at)
        (row,) = facts()
        waits.append(row.not_before - at)
        at = row.not_before

    assert tuple(waits[:-1]) == WAITS
    assert became == {"failed": 1}
    (row,) = facts()
    assert (row.tries, row.error, row.failed_at is not None) == (len(WAITS) + 1, "451 try later", True)
    box.answers.clear()
    assert notices.revive(now=at) == 1
    assert deliver(post, now=at) == {"sent": 1}


def test_what_is_refused_for_good_is_kept_with_the_reason_but_without_the_address(settings, box, post):
    box.rcpt[READER] = f"550 <{READER}>: no such mailbox"
    ask(settings)

    assert deliver(post) == {"failed": 1}
    assert deliver(post, now=datetime.now(UTC) + timedelta(days=9)) == {}
    (row,) = facts()
    assert row.error == "550 <…>: no such mailbox"
    count, failures = notices.standing(limit=5)
    assert (count.waiting, count.failed) == (0, 1)
    assert [one.error for one in failures] == [row.error]


def test_a_refused_mail_does_not_hold_up_the_next(settings, box, post):
    box.rcpt["gone@example.org"] = "550 gone"
    box.rcpt["full@example.org"] = "452 full"
    for name in ("gone", "full", "fine"):
        ask(settings, email=f"{name}@example.org")

    assert deliver(post) == {"failed": 1, "put_off": 1, "sent": 1}


def test_a_server_that_is_away_costs_no_attempt(settings):
    ask(settings)
    nowhere = post_to(settings, "smtp://127.0.0.1:1")

    with pytest.raises(MailTrouble, match=r"127\.0\.0\.1:1: .*refused"):
        deliver(nowhere)
    (row,) = facts()
    assert row.tries == 0


def test_a_person_sees_that_mail_to_them_does_not_arrive(settings, box, post):
    person("officer", "unit", "officer@example.org", unit="U1")
    box.rcpt["officer@example.org"] = "550 unknown"
    act(settings, "1", "dispatch", unit="U1")
    deliver(post)
    now = datetime.now(UTC)
    mine = accounts.viewer_of(accounts.sign_in("officer", SECRET, address="::1", browser="", now=now).token, now=now)

    _, troubles = contacts.own(mine)
    assert [one.error for one in troubles] == ["550 unknown"]


def test_a_notice_that_cannot_be_written_does_not_hold_up_the_next(settings, box, post):
    follow(settings, box, post)
    act(settings, "1", "dispatch", unit="U1")
    with session.transaction() as db:
        db.execute(text("UPDATE notice SET payload = '{}' WHERE kind = 'news'"))
    ask(settings, "2", "another@example.org")

    assert deliver(post) == {"put_off": 1, "sent": 1}
    (row,) = facts(where="kind = 'news'")
    assert row.error == "KeyError: 'seq'"


def test_the_worker_that_is_asked_to_leave_finishes_the_message_in_hand(settings, box, post):
    for nth in range(3):
        ask(settings, email=f"r{nth}@example.org")

    deliver(post, leaving=lambda: len(box.messages) == 1)
    assert len(box.messages) == 1
    assert deliver(post) == {"sent": 2}


def test_a_notice_in_one_hand_is_not_taken_by_another(settings, box, post):
    ask(settings)
    another, inner = Mailbox(), []
    controller = serve(another)
    box.before = lambda step: (
        inner.append(deliver(post_to(settings, f"smtp://{another.url}"))) if step == "RCPT" else None
    )
    outer = deliver(post)
    controller.stop()

    assert (outer, inner, another.messages) == ({"sent": 1}, [{}], [])


@pytest.mark.parametrize(("lang", "name"), [("zh", "社区问题地图"), ("en", "Community issue map")])
def test_mail_comes_from_the_title_of_the_place_where_no_name_is_set(settings, box, lang, name):
    way = post_to(settings, f"smtp://{box.url}", mail_from="map@example.org")
    ask(settings, lang=lang)
    deliver(way)

    assert box.messages[0]["From"] == f"{name} <map@example.org>"


# --- closed ways ---


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2", "-keyout", key, "-out", cert, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls", "smtp"])
def test_mail_goes_out_over_tls(settings, certificate, monkeypatch, scheme):
    cert, context = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    closed = Mailbox()
    controller = serve(closed, **({"ssl_context": context} if scheme == "smtps" else {"tls_context": context}))
    port = closed.url.rpartition(":")[2]
    ask(settings)
    became = deliver(post_to(settings, f"{scheme}://localhost:{port}"))
    controller.stop()

    assert became == {"sent": 1}
    assert [peer.ssl is not None for peer in closed.peers] == [scheme != "smtps"], "that one is closed from the start"


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_server_that_cannot_prove_who_it_is_gets_no_mail(settings, certificate, scheme):
    _, context = certificate
    closed = Mailbox()
    controller = serve(closed, **({"ssl_context": context} if scheme == "smtps" else {"tls_context": context}))
    port = closed.url.rpartition(":")[2]
    ask(settings)
    with pytest.raises(MailTrouble, match="certificate verify failed"):
        deliver(post_to(settings, f"{scheme}://localhost:{port}"))
    controller.stop()

    assert closed.messages == []


def test_where_tls_is_demanded_and_not_offered_no_mail_goes_out(settings, box):
    ask(settings)

    with pytest.raises(MailTrouble, match="STARTTLS"):
        deliver(post_to(settings, f"smtp+starttls://{box.url}"))
    assert box.messages == []
