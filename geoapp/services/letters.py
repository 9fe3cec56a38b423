"""What a mail says: read when it is sent, so that it tells nothing that its reader may not know by then.

A follower reads what the public may read. Staff get no more by mail than the public, and the way to the desk, where
they see the rest: mail lies about on other machines.
"""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from geoapp import words
from geoapp.domain.notices import Kind, Recipient, headline
from geoapp.domain.values import ANONYMOUS, Name
from geoapp.store import deliveries, issues
from geoapp.store.deliveries import Line, Notice
from geoapp.store.issues import IssueDetail
from geoapp.store.session import Session

LONGEST_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Sender:
    """From whom mail comes and where its links lead: the address of this site, without a slash at its end."""

    name: Name
    email: str
    site: str
    zone: ZoneInfo

    @property
    def host(self) -> str:
        return urlsplit(self.site).hostname or "localhost"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it goes out: the address of its envelope and its bytes. ``id`` stays the same however often it goes."""

    id: str
    to: str
    body: bytes


def compose(db: Session, notice: Notice, sender: Sender, *, token: str) -> Letter | None:
    """The mail of a notice; None when there is nobody any more to whom it may be told.

    ``token`` opens the links of a follower's mail. The Message-ID is the notice's own: a receiver who gets it twice can
    tell.
    """
    where = deliveries.address(db, notice)
    public = issues.get(db, str(notice.issue_id), ANONYMOUS, sender.zone)
    if where is None or (public is None and notice.recipient is Recipient.FOLLOWER):
        return None
    to, followed = where
    page = _Page(sender, notice.lang)
    if notice.kind is Kind.CONFIRM:
        subject, told = _confirm(page, notice, token)
    elif notice.recipient is Recipient.FOLLOWER and public is not None:
        told_line = deliveries.line(db, notice.issue_id, notice.payload["seq"])
        if told_line is None:
            return None
        subject, told = _news(page, public, told_line, followed)
    else:
        subject, told = _duty(page, notice, public)
    return _letter(
        page, notice, to, subject, told, leave=page.url(f"/issues/{followed}/leave/{token}"), followed=followed
    )


@dataclass(frozen=True, slots=True)
class _Page:
    """The sender's words and addresses in the language of one mail."""

    sender: Sender
    lang: str

    def say(self, key: str, **params: object) -> str:
        return words.say(self.lang, key, **params)

    def url(self, path: str) -> str:
        return f"{self.sender.site}{path}?{urlencode({'lang': self.lang})}"

    def minute(self, at: datetime) -> str:
        return at.astimezone(self.sender.zone).strftime("%Y-%m-%d %H:%M")


def _confirm(page: _Page, notice: Notice, token: str) -> tuple[str, list[str]]:
    url = page.url(f"/issues/{notice.number}/follow/{token}")
    told = [page.say("notice.confirm", number=notice.number), "", page.say("notice.to_confirm", url=url)]
    return page.say("notice.confirm_subject", number=notice.number), told


def _news(page: _Page, public: IssueDetail, line: Line, followed: str) -> tuple[str, list[str]]:
    number, title = public.row.number, _title(page, public)
    merged = followed != number
    told = [
        page.say("notice.news_merged", followed=followed) if merged else page.say("notice.news"),
        "",
        f"{number} {title}",
        page.say("notice.at", at=page.minute(line.at)),
        page.say("notice.what", what=headline(page.lang, line.action, line.to_state)),
        *_facts(page, public),
        *([page.say("notice.note", note=line.note)] if line.note else []),
        "",
        page.say("notice.see", url=page.url(f"/issues/{number}")),
    ]
    return page.say(
        "notice.news_subject", number=number, title=title, what=headline(page.lang, line.action, line.to_state)
    ), told


def _duty(page: _Page, notice: Notice, public: IssueDetail | None) -> tuple[str, list[str]]:
    number = notice.number
    about = [f"{number} {_title(page, public)}", *_facts(page, public)] if public else [number]
    params = {}
    if notice.kind is Kind.OVERDUE:
        stage = page.say(f"deadline.stage.{notice.payload['stage']}")
        due = page.minute(datetime.fromisoformat(notice.payload["due_at"]))
        about.append(page.say("notice.stage", stage=stage, at=due))
        params = {"stage": stage}
    elif public and public.row.due_at:
        stage = page.say(f"deadline.stage.{public.row.stage}")
        about.append(page.say("notice.stage", stage=stage, at=page.minute(public.row.due_at)))
    told = [
        page.say(f"notice.{notice.kind}"),
        "",
        *about,
        "",
        page.say("notice.open", url=page.url(f"/desk/issues/{number}")),
    ]
    return page.say(f"notice.{notice.kind}_subject", number=number, **params), told


def _facts(page: _Page, public: IssueDetail) -> list[str]:
    row = public.row
    community, unit = row.community_name.say(page.lang), row.unit_name.say(page.lang)
    return [
        page.say("notice.state", state=page.say(f"state.{row.state}")),
        *([page.say("notice.community", name=community)] if community else []),
        *([page.say("notice.unit", name=unit)] if unit else []),
    ]


def _title(page: _Page, public: IssueDetail) -> str:
    return _one_line(public.row.title or public.row.category_name.say(page.lang))


def _letter(
    page: _Page, notice: Notice, to: str, subject: str, told: list[str], *, leave: str, followed: str
) -> Letter:
    sender = page.sender
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(display_name=_one_line(sender.name.say(notice.lang)), addr_spec=sender.email)
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = _one_line(subject)[:LONGEST_SUBJECT]
    # Of when it happened, not of when it is sent: a repeated mail is the same mail.
    mail["Date"] = notice.created_at
    mail["Auto-Submitted"] = "auto-generated"
    # Not through the message: it would break these long words, or wrap them into a code that nobody reads there.
    plain = [f"Message-ID: <{notice.id}@{sender.host}>", f"References: <{notice.issue_id}@{sender.host}>"]
    foot = ""
    if notice.recipient is Recipient.PERSON:
        foot = page.say("notice.why_person", url=page.url("/account"))
        plain.append(f"List-Unsubscribe: <{page.url('/account')}>")
    elif notice.kind is not Kind.CONFIRM:
        foot = page.say("notice.why_follower", number=followed, url=leave)
        plain += [f"List-Unsubscribe: <{leave}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
    mail.set_content("\n".join([*told, *(["", "-- ", foot] if foot else [])]) + "\n", cte="base64")
    mail["Content-Language"] = notice.lang
    head = "".join(f"{_one_line(header)}\r\n" for header in plain).encode("ascii")
    return Letter(str(notice.id), to, head + mail.as_bytes())


def _one_line(text: str) -> str:
    """Text that cannot end a header: every kind of break and control becomes a blank."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
