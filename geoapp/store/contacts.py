"""How a person with an account is written to, and whether they want to be."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.notices import Wish


@dataclass(frozen=True, slots=True)
class Contact:
    """An address (None: none), the language of mails, and which notices are wanted."""

    email: str | None
    lang: str
    wish: Wish


def of(db: Session, person: UUID) -> Contact | None:
    row = db.execute(text("SELECT email, lang, notices FROM person WHERE id = :id"), {"id": person}).first()
    return None if row is None else Contact(row.email, row.lang, Wish(row.notices))


def keep(db: Session, person: UUID, contact: Contact) -> None:
    db.execute(
        text("UPDATE person SET email = :email, lang = :lang, notices = :wish WHERE id = :id"),
        {"email": contact.email, "lang": contact.lang, "wish": str(contact.wish), "id": person},
    )
