"""Beyond the password: one-time codes (TOTP, RFC 6238) as a second factor, and keys for programs.

Only the SHA-256 of a key or a recovery code is stored: both are random and long enough to need no salt.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pyotp

from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.values import Viewer
from geoapp.errors import BadInput, NotFound, NotYours, TooMany, WrongCode, WrongKey
from geoapp.services import accounts
from geoapp.store import keys, people
from geoapp.store.keys import KeyRow
from geoapp.store.session import Session, snapshot, transaction

__all__ = ["KeyRow", "Own", "Proposal"]

PREFIX = "gk_"
"""So that a key that has leaked into a file can be told from other random words."""
LONGEST_NAME, MOST_KEYS, RECOVERY_CODES = 60, 20, 10
STEP_S, DRIFT = 30, 1
"""A code lasts 30 s, and one step before or after is taken too: clocks differ."""
HALF = timedelta(minutes=5)
"""So long may the code be awaited after the password."""
PER_PERSON, PER_ADDRESS = 10, 50


@dataclass(frozen=True, slots=True)
class Proposal:
    """A secret that waits to be confirmed, and its address for an authenticator's camera."""

    secret: str
    address: str


@dataclass(frozen=True, slots=True)
class Own:
    """One's own keys and second factor."""

    keys: tuple[KeyRow, ...]
    codes_on: bool
    recovery_codes_left: int
    proposal: Proposal | None


def own(viewer: Viewer, *, issuer: str) -> Own:
    if viewer.person is None:
        return Own((), codes_on=False, recovery_codes_left=0, proposal=None)
    with snapshot() as db:
        factor = keys.factor(db, viewer.person)
        pending = factor and not factor.confirmed
        address = pyotp.TOTP(factor.secret).provisioning_uri(name=viewer.name, issuer_name=issuer) if factor else ""
        return Own(
            tuple(keys.of(db, viewer.person)),
            codes_on=bool(factor and factor.confirmed),
            recovery_codes_left=keys.recovery_codes_left(db, viewer.person),
            proposal=Proposal(factor.secret, address) if factor and pending else None,
        )


def is_enrolled(person: UUID) -> bool:
    with snapshot() as db:
        factor = keys.factor(db, person)
    return bool(factor and factor.confirmed)


# --- keys of programs ---


def make(viewer: Viewer, name: str, *, now: datetime, expires: datetime | None = None) -> str:
    """Make a key for oneself and tell it this once. Raises NotYours, and BadInput for name, day or number of keys."""
    if viewer.person is None:
        raise NotYours("not_yours", "action")
    return _make(viewer.person, name, now=now, expires=expires)


def make_for(viewer: Viewer, login: str, name: str, *, now: datetime) -> str:
    """Make a key for somebody else. Raises as ``make``, and NotFound."""
    _administers(viewer)
    return _make(_person(login), name, now=now, expires=None)


def revoke(viewer: Viewer, key_id: UUID) -> None:
    """Take one of one's own keys away; raises NotFound."""
    with transaction() as db:
        if viewer.person is None or not keys.revoke(db, viewer.person, key_id):
            raise NotFound("key", str(key_id))


def viewer_of(key: str, *, address: str, now: datetime) -> Viewer:
    """Whose key this is. Raises WrongKey for one that does not hold, TooMany when too many were tried."""
    with transaction() as db:
        found = keys.viewer(db, _hash(key), now=now)
        if found is None:
            wait = _count(db, f"key:{accounts.network(address)}", PER_ADDRESS, now)
    if found:
        return found
    # Raised outside of the transaction, which keeps the count.
    if wait:
        raise TooMany("key", wait)
    raise WrongKey("key")


# --- one-time codes ---


def propose(viewer: Viewer) -> None:
    """Make a secret for one's authenticator; it holds once ``confirm`` has seen a code of it."""
    if viewer.person is None:
        raise NotYours("not_yours", "action")
    with transaction() as db:
        if not keys.propose(db, viewer.person, pyotp.random_base32()):
            raise BadInput("code", "codes_on_already")


def confirm(viewer: Viewer, code: str, *, token: str, now: datetime) -> tuple[str, ...]:
    """Put the codes in force and tell the recovery codes this once; all other sessions end. Raises BadInput."""
    if viewer.person is None:
        raise NotYours("not_yours", "action")
    told = tuple(f"{secrets.token_hex(4)}-{secrets.token_hex(4)}" for _ in range(RECOVERY_CODES))
    with transaction() as db:
        wait = _count(db, f"code:{viewer.person}", PER_PERSON, now)
        factor = keys.factor(db, viewer.person)
        fits = factor and not factor.confirmed and not wait and _is_code(db, viewer.person, factor.secret, code, now)
        if fits:
            people.forget_attempts(db, [f"code:{viewer.person}"])
            keys.confirm(db, viewer.person, [_hash(_plain(one)) for one in told], now=now)
            people.close_sessions(db, viewer.person, but=accounts.hash_of(token))
    if not fits:
        raise TooMany("code", wait) if wait else BadInput("code", "wrong_code")
    return told


def drop(viewer: Viewer, password: str, code: str, *, now: datetime) -> None:
    """Switch one's codes off: needs the password and a code. Raises WrongLogin, WrongCode and TooMany."""
    if viewer.person is None:
        raise NotYours("not_yours", "action")
    accounts.check_own_password(viewer, password, now=now)
    _spend(viewer.person, code, now=now)
    with transaction() as db:
        keys.drop(db, viewer.person)


def drop_for(viewer: Viewer, login: str) -> bool:
    """Switch somebody's codes off, when phone and recovery codes are lost; False when there were none."""
    _administers(viewer)
    person = _person(login)
    with transaction() as db:
        people.close_sessions(db, person)
        return keys.drop(db, person)


def finish_sign_in(token: str, code: str, *, browser: str, now: datetime) -> str:
    """The code after the password: returns the token of the whole session, a new one.

    Raises WrongCode, also when the password was given too long ago, and TooMany.
    """
    with snapshot() as db:
        account = people.half_signed(db, accounts.hash_of(token), since=now - HALF)
    if account is None:
        raise WrongCode("expired_sign_in", "code")
    _spend(account.id, code, now=now)
    fresh = secrets.token_urlsafe(32)
    with transaction() as db:
        people.close_session(db, accounts.hash_of(token))
        people.open_session(db, accounts.hash_of(fresh), account.id, now=now, browser=browser[:200])
    return fresh


def _spend(person: UUID, code: str, *, now: datetime) -> None:
    """Use up a one-time or recovery code; raises WrongCode and TooMany."""
    with transaction() as db:
        wait = _count(db, f"code:{person}", PER_PERSON, now)
        factor = keys.factor(db, person)
        fits = not wait and bool(
            factor
            and factor.confirmed
            and (
                _is_code(db, person, factor.secret, code, now)
                or keys.use_recovery_code(db, person, _hash(_plain(code)))
            )
        )
        if fits:
            people.forget_attempts(db, [f"code:{person}"])
    if wait:
        raise TooMany("code", wait)
    if not fits:
        raise WrongCode("wrong_code", "code")


def _is_code(db: Session, person: UUID, secret: str, code: str, now: datetime) -> bool:
    """True for a code of about now that was not used before."""
    plain = "".join(code.split())
    if not (plain.isascii() and plain.isdigit()):
        return False
    made, present = pyotp.TOTP(secret, interval=STEP_S), int(now.timestamp()) // STEP_S
    for step in range(present - DRIFT, present + DRIFT + 1):
        if hmac.compare_digest(made.generate_otp(step), plain):
            return keys.use_step(db, person, step)
    return False


def _make(person: UUID, name: str, *, now: datetime, expires: datetime | None) -> str:
    name = " ".join(name.split())
    if not name:
        raise BadInput("name", "missing")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise BadInput("name", "too_long", most=LONGEST_NAME)
    if expires and expires <= now:
        raise BadInput("expires", "in_the_past")
    key = PREFIX + secrets.token_urlsafe(32)
    with transaction() as db:
        if len(keys.of(db, person)) >= MOST_KEYS:
            raise BadInput("name", "too_many", most=MOST_KEYS)
        keys.add(db, _hash(key), uuid4(), person, name, now=now, expires=expires)
    return key


def _person(login: str) -> UUID:
    with snapshot() as db:
        account = people.find(db, login.lower())
    if account is None:
        raise NotFound("person", login)
    return account.id


def _administers(viewer: Viewer) -> None:
    if not may_anywhere(viewer, Right.PEOPLE):
        raise NotYours("not_yours", "action")


def _count(db: Session, key: str, most: int, now: datetime) -> int:
    """Count an attempt; returns the seconds to wait when there were too many, else 0."""
    count, began = people.count_attempt(db, key, now=now, window=accounts.WINDOW)
    return max(1, int((began + accounts.WINDOW - now).total_seconds())) if count > most else 0


def _plain(code: str) -> str:
    return "".join(letter for letter in code.lower() if letter.isalnum())


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
