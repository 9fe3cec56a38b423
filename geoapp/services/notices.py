"""From the outbox to the mail server: the only file that speaks to the outside.

A notice is taken in hand on record, handed over under its own Message-ID, and marked as sent after the server's 250.
Whoever is killed before a message is complete has sent nothing; the next worker sends it. Only between the end of a
message and the mark nobody can know, with SMTP: it is then sent again under the same Message-ID, rather than lost.
"""

import logging
import secrets
import smtplib
import ssl
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from geoapp import words
from geoapp.config import Settings
from geoapp.domain.notices import wait_after
from geoapp.domain.values import ANONYMOUS, Name
from geoapp.errors import GeoAppError, MailTrouble, Unavailable
from geoapp.services import letters, places
from geoapp.services.following import hashed
from geoapp.services.letters import Letter, Sender
from geoapp.store import deliveries, followers, outbox
from geoapp.store.deliveries import Count, Failure, Notice
from geoapp.store.session import Session, snapshot, steady, transaction

__all__ = ["Count", "Failure", "Post", "deliver", "knock", "post", "remind", "revive", "standing", "sweep", "way_out"]

log = logging.getLogger(__name__)
CONNECT_S, ANSWER_S = 30, 600
"""How long to wait for a connection; and for an answer, as RFC 5321 asks: who gives up early may send twice."""
LOOK_BACK = timedelta(days=3)
"""Deadlines that passed longer ago are told to nobody, such as those before mail was set up."""
SENT, FAILED = timedelta(days=30), timedelta(days=90)
"""How long it is remembered what became of a notice."""
LONGEST_ERROR = 300
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Post:
    """Where mail is handed over, and from whom it comes. ``scheme`` says how the way there is closed to others."""

    sender: Sender
    scheme: str
    host: str
    port: int
    user: str
    password: str


def post(settings: Settings, *, now: datetime) -> Post | None:
    """The way out that the settings name, under the title of this place; None where no mail is offered."""
    way = way_out(settings)
    if way is None or way.sender.name.zh:
        return way
    return replace(way, sender=replace(way.sender, name=_title(settings, now)))


def way_out(settings: Settings) -> Post | None:
    """The same without looking into the database: its sender has a name only where the settings give one."""
    if not settings.offers_mail:
        return None
    name, email = parseaddr(settings.mail_from)
    url = urlsplit(settings.smtp_url)
    return Post(
        Sender(Name(name, ""), email, settings.public_url.rstrip("/"), settings.zone),
        url.scheme,
        url.hostname or "",
        url.port or PORTS[url.scheme],
        unquote(url.username or ""),
        unquote(url.password or ""),
    )


def deliver(way: Post, *, clock: Callable[[], datetime], leaving: Callable[[], bool]) -> Counter[str]:
    """Send what waits, one after the other, until nothing does or ``leaving`` says so; returns what became of how many.

    Any number of workers may do so at once. Raises MailTrouble when the server cannot be spoken to at all; then
    nothing has been tried.
    """
    became: Counter[str] = Counter()
    with steady() as db, _Line(way) as line:
        while not leaving():
            if not line.is_open:
                if not deliveries.is_waiting(db, now=clock()):
                    break
                line.open()
            notice = deliveries.take(db, now=clock())
            if notice is None:
                break
            became[_send(db, line, notice, clock)] += 1
            deliveries.put_down(db, notice)
    return became


def knock(way: Post) -> None:
    """Say good day to the mail server and send nothing; raises MailTrouble."""
    with _Line(way) as line:
        line.open()


def remind(*, now: datetime) -> int:
    """Write the notices of deadlines that have passed; returns how many."""
    with transaction() as db:
        return outbox.remind(db, since=now - LOOK_BACK, now=now)


def standing(*, limit: int) -> tuple[Count, list[Failure]]:
    """How the outbox stands, and the latest notices that did not arrive."""
    with snapshot() as db:
        return deliveries.count(db), deliveries.troubled(db, limit=limit)


def revive(*, now: datetime) -> int:
    """Try again what was given up; returns how many."""
    with transaction() as db:
        return deliveries.revive(db, now=now)


def sweep(*, now: datetime) -> int:
    """Forget what was sent or given up long ago; returns how many."""
    with transaction() as db:
        return deliveries.sweep(db, now=now, sent=SENT, failed=FAILED)


def _title(settings: Settings, now: datetime) -> Name:
    found = places.choices(ANONYMOUS, today=now.astimezone(settings.zone).date())

    def made(lang: str) -> str:
        district = found.district.say(lang) if found.district else ""
        return words.say(lang, "site.title", district=district) if district else words.say(lang, "site.title_plain")

    return Name(settings.title_zh or made("zh"), settings.title_en or made("en"))


class _Refused(Exception):
    """The server will never take this message."""


class _Later(Exception):
    """The server does not take this message now."""


def _send(db: Session, line: "_Line", notice: Notice, clock: Callable[[], datetime]) -> str:
    try:
        letter = _written(db, line.way.sender, notice)
        if letter is None:
            return "dropped"
        line.send(letter)
    except _Refused as no:
        return _give_up(db, notice, str(no), clock())
    except _Later as no:
        return _put_off(db, notice, str(no), clock())
    except MailTrouble as trouble:
        # Not the message is refused but we are: whatever comes after it would be too.
        _put_off(db, notice, str(trouble), clock())
        raise
    except GeoAppError:
        raise
    except Exception as bug:
        # One notice that cannot be written must not hold up all that come after it.
        log.exception("notice %s of %s cannot be written", notice.id, notice.number)
        return _put_off(db, notice, f"{type(bug).__name__}: {bug}"[:LONGEST_ERROR], clock())
    _keep(db, notice, clock())
    return "sent"


def _written(db: Session, sender: Sender, notice: Notice) -> Letter | None:
    token = secrets.token_urlsafe(24)
    with db.begin():
        letter = letters.compose(db, notice, sender, token=token)
        if letter is None:
            deliveries.drop(db, notice)
        elif notice.follows:
            followers.add_token(db, notice.follows, notice.ref, hashed(token))
    return letter


def _keep(db: Session, notice: Notice, now: datetime) -> None:
    """Mark as sent what the server has taken. A database that is away for a moment must not make us send it twice."""
    try:
        with db.begin():
            deliveries.sent(db, notice, now=now)
    except Exception:
        for wait in (1, 2, 4, 8, 16):
            time.sleep(wait)
            try:
                with transaction() as other:
                    deliveries.sent(other, notice, now=now)
            except Unavailable:
                continue
            break
        raise


def _put_off(db: Session, notice: Notice, error: str, now: datetime) -> str:
    wait = wait_after(notice.tries)
    if wait is None:
        return _give_up(db, notice, error, now)
    with db.begin():
        deliveries.put_off(db, notice, until=now + wait, error=error)
    return "put_off"


def _give_up(db: Session, notice: Notice, error: str, now: datetime) -> str:
    with db.begin():
        deliveries.failed(db, notice, now=now, error=error)
    return "failed"


class _Line:
    """A conversation with the mail server, which carries one message after the other."""

    def __init__(self, way: Post) -> None:
        self.way = way
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    @property
    def is_open(self) -> bool:
        return self._smtp is not None and self._smtp.sock is not None

    def open(self) -> None:
        """Raises MailTrouble for a server that does not answer, turns us away, or cannot be trusted."""
        self._close()
        try:
            self._smtp = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            raise MailTrouble(f"{self.way.host}:{self.way.port}: {_said(error)}") from error

    def send(self, letter: Letter) -> None:
        """Hand over a message; returns after the server's 250. Raises _Refused, _Later or MailTrouble."""
        assert self._smtp is not None  # noqa: S101 - opened by the caller
        try:
            self._smtp.sendmail(self.way.sender.email, [letter.to], letter.body)
        except smtplib.SMTPSenderRefused as no:
            raise MailTrouble(_said(no)) from no
        except smtplib.SMTPRecipientsRefused as no:
            code, answer = no.recipients[letter.to]
            raise _verdict(code)(_plain(code, answer, letter)) from no
        except smtplib.SMTPDataError as no:
            raise _verdict(no.smtp_code)(_plain(no.smtp_code, no.smtp_error, letter)) from no
        except (smtplib.SMTPException, OSError) as broken:
            self._close()
            raise _Later(_said(broken)) from broken

    def _connect(self) -> smtplib.SMTP:
        way = self.way
        if way.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                way.host, way.port, way.sender.host, timeout=CONNECT_S, context=ssl.create_default_context()
            )
        else:
            smtp = smtplib.SMTP(way.host, way.port, way.sender.host, timeout=CONNECT_S)
        try:
            smtp.ehlo()
            if way.scheme == "smtp+starttls":
                smtp.starttls(context=ssl.create_default_context())
            elif way.scheme == "smtp" and smtp.has_extn("starttls"):
                smtp.starttls(context=_whoever_it_is())
            if way.user:
                smtp.login(way.user, way.password)
        except BaseException:
            smtp.close()
            raise
        if smtp.sock is not None:
            smtp.sock.settimeout(ANSWER_S)
        return smtp

    def _close(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None and smtp.sock is not None:
            smtp.sock.settimeout(CONNECT_S)
            try:
                smtp.quit()
            except (smtplib.SMTPException, OSError):
                smtp.close()


def _whoever_it_is() -> ssl.SSLContext:
    """Closed to listeners, without asking who answers: what mail servers do among each other where it is offered."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _verdict(code: int) -> type[_Refused | _Later]:
    return _Refused if 500 <= code < 600 else _Later  # noqa: PLR2004 - permanent failures


def _plain(code: int, answer: bytes | str, letter: Letter) -> str:
    """The server's answer in one line, without the address: what is kept names nobody."""
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return f"{code} {' '.join(text.split())}".replace(letter.to, "…")[:LONGEST_ERROR]


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        answer = error.smtp_error
        text = answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
        return f"{error.smtp_code} {' '.join(text.split())}"[:LONGEST_ERROR]
    return (" ".join(str(error).split()) or type(error).__name__)[:LONGEST_ERROR]
