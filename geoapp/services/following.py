"""Following an issue by e-mail: nobody is written to who has not confirmed, and everybody can leave from any mail.

Only the SHA-256 of a mail's token is stored, so that whoever reads the database can neither confirm for others nor
make them leave.
"""

import hashlib
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from geoapp.domain import notices
from geoapp.domain.values import ANONYMOUS, Viewer
from geoapp.errors import BadInput, NotFound, Refused, TooMany
from geoapp.services.accounts import network
from geoapp.store import cases, followers, outbox, people
from geoapp.store.followers import Follower
from geoapp.store.session import snapshot, transaction
from geoapp.words import LANGS

__all__ = ["Follower", "confirm", "follow", "hashed", "leave", "look", "public_number", "sweep"]

PER_NETWORK, NETWORK_WINDOW = 20, timedelta(hours=1)
PER_ADDRESS, ADDRESS_WINDOW = 5, timedelta(hours=12)
"""How often may be asked from one network, for any address; and for one address, from anywhere."""
UNCONFIRMED, LEFT, ENDED = timedelta(days=7), timedelta(days=30), timedelta(days=90)
"""After how long a follower is forgotten: who never confirmed, who left, whose issue has ended."""


def follow(viewer: Viewer, name: str, email: str, lang: str, *, address: str, now: datetime, zone: ZoneInfo) -> str:
    """Ask to follow a public issue: a mail goes out that asks to confirm. Returns the issue's number.

    Whether the address follows already is not told. Raises Refused where no mail is offered, BadInput for what is no
    address, TooMany beyond the throttle, NotFound for an issue that is not public.
    """
    if not outbox.offered():
        raise Refused("no_mail", "email")
    if (known := notices.address(email)) is None:
        raise BadInput("email", "email")
    _throttle(address, known, now=now)
    with transaction() as db:
        standing = cases.read(db, name, ANONYMOUS, zone)
        if standing is None:
            raise NotFound("issue", name)
        issue_id = standing.case.id
        there = followers.find(db, issue_id, known)
        if there is None or not there.confirmed:
            follower = there.id if there else uuid4()
            tongue = lang if lang in LANGS else LANGS[0]
            if there is None:
                followers.add(db, issue_id, follower, email=known, lang=tongue, person=viewer.person, now=now)
            outbox.ask(db, issue_id, follower, tongue, now=now)
    return standing.number


def public_number(name: str, *, zone: ZoneInfo) -> str:
    """The number of a public issue by number or id; raises NotFound."""
    with snapshot() as db:
        standing = cases.read(db, name, ANONYMOUS, zone)
    if standing is None:
        raise NotFound("issue", name)
    return standing.number


def look(number: str, token: str) -> Follower:
    """The follower to whom a mail with this token was sent; raises NotFound for a link that is none of ours."""
    with snapshot() as db:
        found = followers.by_token(db, number, hashed(token))
    if found is None:
        raise NotFound("link", number)
    return found


def confirm(number: str, token: str, *, now: datetime) -> None:
    """Follow from now on; confirming twice is confirming once. Raises NotFound."""
    found = look(number, token)
    with transaction() as db:
        followers.confirm(db, found, now=now)


def leave(number: str, token: str, *, now: datetime) -> None:
    """Stop following, at once; leaving twice is leaving once. Raises NotFound."""
    found = look(number, token)
    with transaction() as db:
        followers.leave(db, found, now=now)


def hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def sweep(*, now: datetime) -> int:
    """Forget followers whose time is over; returns how many."""
    with transaction() as db:
        return followers.sweep(db, now=now, unconfirmed=UNCONFIRMED, left=LEFT, ended=ENDED)


def _throttle(address: str, email: str, *, now: datetime) -> None:
    """Count in a transaction of its own: a refusal must not undo the count. An address is counted by its hash."""
    counters = (
        (f"follow:{network(address)}", PER_NETWORK, NETWORK_WINDOW),
        (f"follow:{hashlib.sha256(email.lower().encode()).hexdigest()}", PER_ADDRESS, ADDRESS_WINDOW),
    )
    wait = 0
    with transaction() as db:
        for key, most, window in counters:
            count, began = people.count_attempt(db, key, now=now, window=window)
            if count > most:
                wait = max(1, int((began + window - now).total_seconds()))
                break
    if wait:
        raise TooMany("email", wait)
