"""Where a person with an account wants to be told of their duties by mail, and whether at all."""

from dataclasses import replace

from geoapp.domain import notices
from geoapp.domain.notices import Wish
from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.values import Viewer
from geoapp.errors import BadInput, NotFound, NotSignedIn, NotYours
from geoapp.store import contacts, deliveries, people
from geoapp.store.contacts import Contact
from geoapp.store.deliveries import Failure
from geoapp.store.session import snapshot, transaction
from geoapp.words import LANGS

__all__ = ["Contact", "Failure", "Wish", "choose", "own", "set_email"]

LATEST = 3


def own(viewer: Viewer) -> tuple[Contact, list[Failure]]:
    """One's own address and wishes, and the latest mails to oneself that did not arrive; raises NotSignedIn."""
    with snapshot() as db:
        contact = contacts.of(db, viewer.person) if viewer.person else None
        if contact is None:
            raise NotSignedIn("account")
        return contact, deliveries.troubled(db, limit=LATEST, person=viewer.person)


def choose(viewer: Viewer, email: str, *, lang: str, wish: str) -> None:
    """Set one's own address (empty: none), language and wish. Raises NotSignedIn, and BadInput naming the field."""
    for field, value, known in (("lang", lang, LANGS), ("wish", wish, tuple(Wish))):
        if value not in known:
            raise BadInput(field, "one_of", value=value[:40], choices=", ".join(known))
    contact = Contact(_known(email), lang, Wish(wish))
    with transaction() as db:
        if viewer.person is None or contacts.of(db, viewer.person) is None:
            raise NotSignedIn("account")
        contacts.keep(db, viewer.person, contact)


def set_email(viewer: Viewer, login: str, email: str) -> None:
    """Set somebody's address; empty takes it away. Raises NotYours, NotFound and BadInput."""
    if not may_anywhere(viewer, Right.PEOPLE):
        raise NotYours("not_yours", "action")
    known = _known(email)
    with transaction() as db:
        account = people.find(db, login.lower())
        contact = contacts.of(db, account.id) if account else None
        if account is None or contact is None:
            raise NotFound("person", login)
        contacts.keep(db, account.id, replace(contact, email=known))


def _known(email: str) -> str | None:
    if not email.strip():
        return None
    known = notices.address(email)
    if known is None:
        raise BadInput("email", "email")
    return known
