"""Who is told what happened, in which words, and what must not get out."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from geoapp.domain.values import OPERATOR, IssueState
from geoapp.errors import BadInput, NotFound, Refused
from geoapp.services import accounts, following, imports, notices
from geoapp.store import outbox, session
from tests.builders import NOON, TODAY, an_issue, store
from tests.correspondence import READER, SECRET, act, ask, deliver, facts, follow, key, number, person

pytestmark = pytest.mark.usefixtures("town", "box")


class Undo(Exception):
    pass


def tell_and_undo(told):
    line = "INSERT INTO history (issue_id, seq, at, action, to_state) VALUES (:id, 1, now(), 'start', 'handling')"
    with session.transaction() as db:
        db.execute(text(line), {"id": an_issue("1").id})
        told.append(outbox.tell(db, "SELECT issue_id, seq FROM history", {}))
        raise Undo


# --- followers ---


def test_a_follower_is_told_only_after_having_confirmed(settings, box, post):
    ask(settings)
    deliver(post)
    act(settings, "1", "dispatch", unit="U1")
    before = deliver(post)
    following.confirm(*key(box, "follow"), now=datetime.now(UTC))
    act(settings, "1", "start")
    deliver(post)

    assert before == {}
    assert [message["Subject"] for message in box.messages] == [
        f"请确认关注 {number('1')}",
        f"{number('1')} 人行道破损 1：处置中",
    ]
    assert box.messages[0]["To"] == READER


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "zh",
            [
                "您关注的问题有新进展",
                "进展：已派遣",
                "责任单位：单位U1",
                "说明：下周施工",
                "取消关注：",
                "社区：社区C1",
            ],
        ),
        (
            "en",
            ["There is news about an issue that you follow", "What: dispatched", "Unit: Unit U1", "Stop following:"],
        ),
    ],
)
def test_a_mail_says_what_happened_in_the_language_of_its_reader(settings, box, post, lang, words):
    follow(settings, box, post, lang=lang)
    act(settings, "1", "dispatch", unit="U1", note="下周施工")
    deliver(post)

    said = box.text()
    assert [word for word in words if word not in said] == []
    assert f"https://issues.example.org/issues/{number('1')}?lang={lang}" in said
    assert box.messages[0]["Content-Language"] == lang
    assert "綦江区" in box.messages[0]["From"]


def test_every_mail_leads_out_again_by_its_own_link(settings, box, post):
    follow(settings, box, post)
    act(settings, "1", "dispatch", unit="U1")
    deliver(post)
    act(settings, "1", "start")
    deliver(post)
    first, second = (box.link("leave", nth) for nth in (0, 1))
    headers = box.messages[0]
    following.leave(*key(box, "leave"), now=datetime.now(UTC))
    act(settings, "1", "shelve", note="no money")

    assert first != second
    assert headers["List-Unsubscribe"] == f"<https://issues.example.org{first}>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert deliver(post) == {}
    with session.snapshot() as db:
        assert db.execute(text("SELECT email FROM follower")).scalars().all() == [""]


def test_no_token_and_no_address_lies_in_the_database_outside_of_its_place(settings, box, post):
    follow(settings, box, post)
    act(settings, "1", "dispatch", unit="U1")
    deliver(post)
    _, token = key(box, "leave")

    with session.snapshot() as db:
        everything = str(db.execute(text("SELECT * FROM notice")).all())
        followers = db.execute(text("SELECT token_hashes FROM follower")).scalar_one()
    assert READER not in everything
    assert token not in everything
    assert following.hashed(token) in [bytes(one) for one in followers]


def test_whoever_leaves_between_the_line_and_its_mail_is_not_written_to(settings, box, post):
    follow(settings, box, post)
    act(settings, "1", "dispatch", unit="U1")
    with session.transaction() as db:
        db.execute(text("UPDATE follower SET left_at = now(), email = ''"))

    assert deliver(post) == {"dropped": 1}
    assert box.messages == []
    assert facts(where="sent_at IS NULL") == []


def test_a_follower_of_a_merged_issue_hears_of_the_other_until_they_are_parted(settings, box, post):
    follow(settings, box, post, "1")
    other = an_issue("2").id
    act(settings, "1", "duplicate", original=other)
    act(settings, "2", "dispatch", unit="U1")
    deliver(post)
    told = [box.text(nth) for nth in range(len(box.messages))]
    act(settings, "1", "restore", note="another hole")
    deliver(post)
    box.messages.clear()
    act(settings, "2", "start")

    assert len(told) == 2
    assert f"您关注的问题 {number('1')} 已并入下面的问题" in told[1]
    assert f"{number('2')} 人行道破损 2" in told[1]
    assert f"/issues/{number('1')}/leave/" in told[1]
    assert deliver(post) == {}


def test_who_follows_both_hears_of_it_once_and_leaves_both_at_once(settings, box, post):
    follow(settings, box, post, "1", "Reader@example.org")
    follow(settings, box, post, "2", "reader@Example.org")
    other = an_issue("2").id
    act(settings, "1", "duplicate", original=other)
    deliver(post)
    box.messages.clear()
    act(settings, "2", "dispatch", unit="U1")
    deliver(post)
    once = len(box.messages)
    following.leave(*key(box, "leave"), now=datetime.now(UTC))
    act(settings, "2", "start")

    assert once == 1
    assert deliver(post) == {}


def test_a_change_from_the_source_of_an_import_is_news_too(settings, box, post):
    follow(settings, box, post)
    newer = an_issue(
        "1", state=IssueState.CLOSED, source_hash="2", updated_at=NOON, ended_at=NOON, title="人行道修好了"
    )
    imports.store_issues(OPERATOR, [newer], today=TODAY)
    deliver(post)

    assert "来源更新，已结案" in box.messages[0]["Subject"]


# --- what must not get out ---


def test_a_private_issue_cannot_be_followed(settings):
    with pytest.raises(NotFound):
        ask(settings, "3")
    assert facts() == []


def test_what_becomes_private_is_told_to_no_follower_not_even_what_waits(settings, box, post):
    follow(settings, box, post)
    act(settings, "1", "dispatch", unit="U1")
    with session.transaction() as db:
        db.execute(
            text("UPDATE issue SET privacy = 'private', public_geom = NULL WHERE id = :id"), {"id": an_issue("1").id}
        )
    act(settings, "1", "start")

    assert deliver(post) == {"dropped": 1}
    assert facts(where="kind = 'news'") == []


def test_hidden_words_stand_in_no_mail(settings, box, post):
    store(an_issue("5", title="隐藏标题", text="call 13800138000", text_released=False))
    person("boss", "community", "boss@example.org", place="C1")
    follow(settings, box, post, "5")
    act(settings, "5", "dispatch", unit="U1", note="public note")
    act(settings, "5", "note", note="the owner is difficult")
    act(settings, "5", "return", note="not ours")
    deliver(post)

    assert len(box.messages) == 3
    everything = "".join(box.text(nth) + str(box.messages[nth].items()) for nth in range(3))
    for hidden in ("隐藏标题", "13800138000", "difficult"):
        assert hidden not in everything
    assert f"{number('5')} 道路" in everything


def test_a_mail_to_staff_about_a_private_issue_tells_its_number_and_nothing_else(settings, box, post):
    person("officer", "unit", "officer@example.org", unit="U1")
    act(settings, "3", "dispatch", unit="U1", note="in the flat of Mr Li")
    deliver(post)

    said = box.text() + box.messages[0]["Subject"]
    assert number("3") in said
    assert f"/desk/issues/{number('3')}" in said
    for hidden in ("秘密", "secret", "Mr Li", "道路"):
        assert hidden not in said


@pytest.mark.parametrize(
    "typed",
    [
        "a@example.org\r\nBcc: all@example.org", "a@example.org,b@example.org", "a b@example.org", "@example.org",
        "a@", "a@localhost", "a@-x.org", "a..b@example.org", "<a@example.org>", "a@exa mple.org", "",
        "x" * 300 + "@e.org",
    ],
)  # fmt: skip
def test_what_is_no_single_plain_address_is_refused(settings, typed):
    with pytest.raises(BadInput, match="email"):
        ask(settings, email=typed)


def test_no_text_can_add_a_header_or_a_recipient(settings, box, post):
    store(an_issue("7", title="a\r\nBcc: all@example.org\r\n\r\nbody\u2028x"))
    follow(settings, box, post, "7")
    act(settings, "7", "dispatch", unit="U1", note="x\r\n.\r\nMAIL FROM:<evil@example.org>")
    deliver(post)

    (message,) = box.messages
    assert message["Bcc"] is None
    assert len(message.get_all("Subject")) == 1
    assert message["Subject"].startswith(f"{number('7')} a Bcc: all@example.org body x")
    assert "x\r\n.\r\nMAIL FROM:<evil@example.org>\r\n" in message.get_content()
    assert f"{number('7')} a Bcc: all@example.org body x\r\n" in message.get_content()


# --- staff ---


def test_each_is_told_what_lies_on_their_desk_now_and_nobody_their_own_deed(settings, box, post):
    person("officer", "unit", "officer@example.org", unit="U1")
    person("other", "unit", "other@example.org", unit="U2")
    person("here", "community", "here@example.org", place="C1")
    person("there", "community", "there@example.org", place="C2")
    person("boss", "supervisor", "boss@example.org")
    mine = accounts.viewer_of(
        accounts.sign_in("officer", SECRET, address="::1", browser="", now=datetime.now(UTC)).token,
        now=datetime.now(UTC),
    )
    act(settings, "1", "dispatch", unit="U1")
    act(settings, "1", "return", viewer=mine, note="not ours")
    deliver(post)

    assert [(message["To"], message["Subject"]) for message in box.messages] == [
        ("officer@example.org", f"{number('1')} 已派遣到您的单位"),
        ("here@example.org", f"{number('1')} 被退件"),
    ]
    assert "在工作台中打开" in box.text()
    assert box.messages[0]["List-Unsubscribe"] == "<https://issues.example.org/account?lang=zh>"


@pytest.mark.parametrize(
    "change",
    ["email = NULL", "notices = 'none'", "disabled_at = now()"],
)
def test_who_does_not_want_mail_gets_none_even_of_what_waits(settings, post, change):
    person("officer", "unit", "officer@example.org", unit="U1")
    act(settings, "1", "dispatch", unit="U1")
    with session.transaction() as db:
        db.execute(text(f"UPDATE person SET {change}"))  # noqa: S608
    act(settings, "1", "start")

    assert deliver(post) == {"dropped": 1}


def test_a_deadline_that_passes_is_told_once_to_whom_it_waits_for(box, post):
    person("here", "community", "here@example.org", place="C1")
    person("officer", "unit", "officer@example.org", unit="U1")
    due = datetime.now(UTC) - timedelta(hours=1)
    with session.transaction() as db:
        db.execute(
            text("UPDATE issue SET stage = 'dispatch', due_at = :due WHERE id IN (:one, :two)"),
            {"due": due, "one": an_issue("1").id, "two": an_issue("2").id},
        )
        db.execute(
            text("UPDATE issue SET due_at = :due WHERE id = :id"),
            {"due": due - timedelta(days=9), "id": an_issue("2").id},
        )

    now = datetime.now(UTC)
    assert (notices.remind(now=now), notices.remind(now=now + timedelta(minutes=5))) == (1, 0)
    deliver(post, now=now)
    assert [message["To"] for message in box.messages] == ["here@example.org"]
    assert box.messages[0]["Subject"] == f"{number('1')} 已超过派遣时限"
    assert "到期" in box.text()


# --- no mail ---


def test_where_no_mail_is_offered_nothing_is_queued(settings):
    person("officer", "unit", "officer@example.org", unit="U1")
    outbox.offer(mail=False)
    act(settings, "1", "dispatch", unit="U1")

    assert facts() == []
    assert notices.remind(now=datetime.now(UTC)) == 0
    assert notices.post(settings, now=NOON) is None
    with pytest.raises(Refused, match="no_mail"):
        ask(settings)


def test_where_nobody_follows_nothing_is_queued(settings):
    act(settings, "1", "dispatch", unit="U1")

    assert facts() == []
    with session.snapshot() as db:
        assert db.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one() == 0


def test_a_change_that_is_rolled_back_is_told_to_nobody(settings, box, post):
    follow(settings, box, post)
    with session.snapshot() as db:
        before = db.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one()
    told = []
    with pytest.raises(Undo):
        tell_and_undo(told)

    assert told == [1]
    assert facts(where="kind = 'news'") == []
    with session.snapshot() as db:
        assert db.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one() == before


def test_one_transaction_calls_the_worker_once(settings, box, post):
    for nth in range(3):
        follow(settings, box, post, "1", f"reader{nth}@example.org")
    with session.snapshot() as db:
        before = db.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one()
    act(settings, "1", "dispatch", unit="U1")

    with session.snapshot() as db:
        assert db.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one() == before + 1
    assert len(facts(where="kind = 'news'")) == 3
