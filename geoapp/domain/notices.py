"""Who is told what (通知): which lines of a history are news, whose duty they touch, and when a mail is tried again.

Pure. What a notice says is not decided here: it is read when the mail is written, from what its reader may see then.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from geoapp import words
from geoapp.domain.permissions import Right
from geoapp.domain.values import IssueState, Role


class Kind(StrEnum):
    """What a notice is about."""

    CONFIRM = "confirm"
    NEWS = "news"
    DISPATCHED = "dispatched"
    RETURNED = "returned"
    REWORK = "rework"
    OVERDUE = "overdue"


class Recipient(StrEnum):
    """Whom a notice is for: whoever follows an issue by e-mail, or a person with an account."""

    FOLLOWER = "follower"
    PERSON = "person"


class Wish(StrEnum):
    """Which notices a person wants."""

    ALL = "all"
    NONE = "none"


NEWS_WITHOUT_STATE = (Right.VISIT, Right.SETTLE)
"""Besides every change of state, these public lines are news to followers."""

DUTY: Mapping[Right, tuple[Kind, Role]] = {
    Right.DISPATCH: (Kind.DISPATCHED, Role.UNIT),
    Right.RETURN: (Kind.RETURNED, Role.COMMUNITY),
    Right.REWORK: (Kind.REWORK, Role.UNIT),
}
"""The actions that lay something on somebody else's desk, and whose: of the issue's units or of its community."""

_SAYS_MORE = {Right.RESTORE, Right.RESUME, Right.DECIDE, "update"}

WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440))
"""How long to wait after each attempt that failed for a while: a little more than two days in all."""
LONGEST_ADDRESS, LONGEST_LOCAL = 254, 64
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def headline(lang: str, action: str, to_state: IssueState | None) -> str:
    """What a line of history tells, in a few words: the state after it, with the action only where that says more."""
    told = words.say(lang, f"action.{action}")
    if to_state is None:
        return told
    state = words.say(lang, f"state.{to_state}")
    return f"{told}{words.say(lang, 'duplicates.comma')}{state}" if action in _SAYS_MORE and told != state else state


def wait_after(tries: int) -> timedelta | None:
    """How long to wait after so many attempts; None: it is given up."""
    return WAITS[tries - 1] if tries <= len(WAITS) else None


def address(text: str) -> str | None:
    """An e-mail address in the one form in which we keep it, or None for what cannot be one.

    Only what every mail server understands: a plain local part, and a domain of letters, digits and hyphens, which a
    name in Chinese becomes too. Nothing that ends a header or begins another passes.
    """
    local, at, domain = text.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode().lower()
    except UnicodeError:
        return None
    sound = at and len(local) <= LONGEST_LOCAL and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)
    return f"{local}@{domain}" if sound and len(local) + len(domain) < LONGEST_ADDRESS else None
