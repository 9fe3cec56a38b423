"""Who is who: accounts and grants, signing in and out, sessions, and the throttle on guessing.

Only the SHA-256 of a session's token is stored, so that whoever reads the database cannot sign in with it.
"""

import hashlib
import ipaddress
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from geoapp.domain.passwords import LONGEST, weakness
from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.values import ANONYMOUS, GRANTABLE, Role, Viewer
from geoapp.errors import BadInput, NotFound, NotYours, TooMany, WrongLogin
from geoapp.store import keys, people
from geoapp.store.people import Account, GrantRow, SessionRow
from geoapp.store.session import Session, snapshot, transaction

__all__ = ["Account", "GrantRow", "SessionRow"]

IDLE, LONGEST_SESSION = timedelta(minutes=30), timedelta(hours=12)
WINDOW = timedelta(minutes=15)
PER_LOGIN, PER_ADDRESS = 10, 50
"""Wrong attempts in a window: for one login from anywhere, and from one network for any login."""
# OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: the token goes into the cookie and nowhere else. A half one still needs its one-time code."""

    token: str
    viewer: Viewer
    half: bool = False


def sign_in(login: str, password: str, *, address: str, browser: str, now: datetime) -> SignedIn:
    """Open a session. Raises TooMany beyond the throttle, WrongLogin for anything that does not fit.

    An unknown login costs as much time as a known one, and is told nothing else.
    """
    login = login.strip().lower()[:LONGEST]
    counters = {f"login:{login}": PER_LOGIN, f"net:{network(address)}": PER_ADDRESS}
    with transaction() as db:
        for key in sorted(counters):
            count, began = people.count_attempt(db, key, now=now, window=WINDOW)
            if count > counters[key]:
                wait = max(1, int((began + WINDOW - now).total_seconds()))
                break
        else:
            wait = 0
        account = people.find(db, login)
    # Counted in a transaction of its own: a refusal must not undo the count.
    if wait:
        raise TooMany("sign_in", wait)
    fits = _fits(account.password_hash if account else _nobody(), password)
    if not account or not fits or account.disabled:
        raise WrongLogin("login")
    with transaction() as db:
        people.forget_attempts(db, [f"login:{login}"])
        if _hasher.check_needs_rehash(account.password_hash):
            people.set_hash(db, account.id, _hasher.hash(password))
        people.sweep(db, before=now - LONGEST_SESSION)
        return _opened(db, account, browser=browser, now=now)


def admit(issuer: str, subject: str, *, browser: str, now: datetime) -> SignedIn | None:
    """Open a session for who an OpenID provider says it is; None when nobody here is known so, or is shut out."""
    with transaction() as db:
        account = people.known_as(db, issuer, subject)
        if account is None or account.disabled:
            return None
        return _opened(db, account, browser=browser, now=now)


def sign_out(token: str) -> None:
    with transaction() as db:
        people.close_session(db, hash_of(token))


def viewer_of(token: str, *, now: datetime) -> Viewer:
    """Who holds this token; ANONYMOUS when the session has ended or the account is disabled."""
    with transaction() as db:
        return people.viewer(db, hash_of(token), now=now, idle=IDLE, longest=LONGEST_SESSION) or ANONYMOUS


def add(viewer: Viewer, login: str, name: str, password: str, *, synthetic: bool = False) -> UUID:
    """Make an account. Raises NotYours, and BadInput for a login that is taken or a password that is weak."""
    _administers(viewer)
    login = login.strip().lower()
    if not login or len(login) > 64 or not all(c.isalnum() or c in "-_.@" for c in login):  # noqa: PLR2004
        raise BadInput("login", "login_letters")
    _strong(password, login, "password")
    account = Account(uuid4(), login, name.strip()[:200], _hasher.hash(password), disabled=False)
    with transaction() as db:
        if not people.add(db, account, synthetic=synthetic):
            raise BadInput("login", "taken", value=login)
    return account.id


def grant(viewer: Viewer, login: str, role: str, *, place: str | None = None, unit: str | None = None) -> bool:
    """Give a role; returns False when the person has it. Raises NotYours, NotFound and BadInput."""
    return _change_grant(viewer, login, role, place, unit, taken=False)


def revoke(viewer: Viewer, login: str, role: str, *, place: str | None = None, unit: str | None = None) -> bool:
    """Take a role away; returns False when the person does not have it."""
    return _change_grant(viewer, login, role, place, unit, taken=True)


def disable(viewer: Viewer, login: str, *, now: datetime) -> None:
    """Shut a person out at once: every session ends."""
    _administers(viewer)
    with transaction() as db:
        account = _known(people.find(db, login.lower()), login)
        people.set_disabled(db, account.id, now)
        people.close_sessions(db, account.id)


def enable(viewer: Viewer, login: str) -> None:
    _administers(viewer)
    with transaction() as db:
        people.set_disabled(db, _known(people.find(db, login.lower()), login).id, None)


def set_password(viewer: Viewer, login: str, password: str) -> None:
    """Give a person a new password; every session ends."""
    _administers(viewer)
    with transaction() as db:
        account = _known(people.find(db, login.lower()), login)
        _strong(password, account.login, "password")
        people.set_hash(db, account.id, _hasher.hash(password))
        people.close_sessions(db, account.id)


def change_own_password(viewer: Viewer, old: str, new: str, *, token: str) -> None:
    """Change one's own password; all other sessions end. Raises WrongLogin for the old one, BadInput for the new."""
    with transaction() as db:
        account = people.by_id(db, viewer.person) if viewer.person else None
        if account is None or not _fits(account.password_hash, old):
            raise WrongLogin("old")
        _strong(new, account.login, "new")
        people.set_hash(db, account.id, _hasher.hash(new))
        people.close_sessions(db, account.id, but=hash_of(token))


def check_own_password(viewer: Viewer, password: str, *, now: datetime) -> None:
    """Raises WrongLogin when this is not one's password, TooMany when it was tried too often."""
    with transaction() as db:
        count, began = people.count_attempt(db, f"own:{viewer.person}", now=now, window=WINDOW)
        account = people.by_id(db, viewer.person) if viewer.person else None
    if count > PER_LOGIN:
        raise TooMany("old", max(1, int((began + WINDOW - now).total_seconds())))
    if account is None or not _fits(account.password_hash, password):
        raise WrongLogin("old")


def everybody(viewer: Viewer) -> list[tuple[Account, list[GrantRow]]]:
    _administers(viewer)
    with snapshot() as db:
        return [(account, people.grants_of(db, account.id)) for account in people.everybody(db)]


def own(viewer: Viewer, *, now: datetime) -> tuple[list[GrantRow], list[SessionRow]]:
    """One's own grants and sessions; nothing for whoever has no account."""
    if viewer.person is None:
        return [], []
    with snapshot() as db:
        return people.grants_of(db, viewer.person), people.sessions_of(db, viewer.person, now=now, idle=IDLE)


def end_session(viewer: Viewer, mark: str) -> int:
    """End one of one's own sessions by its mark; returns how many ended."""
    if viewer.person is None:
        return 0
    with transaction() as db:
        return people.close_sessions(db, viewer.person, mark=mark)


def sweep(*, now: datetime) -> None:
    """Forget sessions and counters that nothing can use any more."""
    with transaction() as db:
        people.sweep(db, before=now - LONGEST_SESSION)


def network(address: str) -> str:
    """The network of an address: /24, or /56 of IPv6, which is what one household or office has."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{ip}/{24 if ip.version == 4 else 56}", strict=False))  # noqa: PLR2004


def _opened(db: Session, account: Account, *, browser: str, now: datetime) -> SignedIn:
    token = secrets.token_urlsafe(32)
    factor = keys.factor(db, account.id)
    half = bool(factor and factor.confirmed)
    people.open_session(db, hash_of(token), account.id, now=now, browser=browser[:200], half=half)
    viewer = people.viewer(db, hash_of(token), now=now, idle=IDLE, longest=LONGEST_SESSION)
    return SignedIn(token, viewer or ANONYMOUS, half)


def _change_grant(viewer: Viewer, login: str, role: str, place: str | None, unit: str | None, *, taken: bool) -> bool:
    _administers(viewer)
    if role not in GRANTABLE:
        raise BadInput("role", "one_of", value=role, choices=", ".join(GRANTABLE))
    if (role == Role.UNIT) != (unit is not None) or (unit and place):
        raise BadInput("unit", "unit_or_place")
    with transaction() as db:
        account = _known(people.find(db, login.lower()), login)
        where = {"place": None, "unit": None}
        for field, code, find in (("place", place, people.place_id), ("unit", unit, people.unit_id)):
            if code is not None:
                where[field] = find(db, code)  # type: ignore[assignment]
                if where[field] is None:
                    raise BadInput(field, "unknown", value=code)
        change = people.revoke if taken else people.grant
        return change(db, account.id, Role(role), **where)


def _administers(viewer: Viewer) -> None:
    if not may_anywhere(viewer, Right.PEOPLE):
        raise NotYours("not_yours", "action")


def _known(account: Account | None, login: str) -> Account:
    if account is None:
        raise NotFound("person", login)
    return account


def _strong(password: str, login: str, field: str) -> None:
    if why := weakness(password, login=login):
        raise BadInput(field, why)


def _fits(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password[: LONGEST + 1])
    except (Argon2Error, InvalidHashError):
        return False


def hash_of(token: str) -> bytes:
    """What is stored of a session's token."""
    return hashlib.sha256(token.encode()).digest()


@cache
def _nobody() -> str:
    """A hash that nothing fits: what an unknown login is verified against."""
    return _hasher.hash(secrets.token_urlsafe(32))
