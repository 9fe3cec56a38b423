"""People who sign in, what was granted to them, and their sessions. Nothing here points at an issue."""

from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from geoapp.domain.notices import Wish
from geoapp.domain.values import GRANTABLE
from geoapp.models.base import Base, created_at, instant, one_of, serial, words, yes_no
from geoapp.words import LANGS


class Person(Base):
    """Somebody with an account. ``password_hash`` is argon2id; ``lang`` and ``notices`` are about mail to them."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("login"),
        CheckConstraint("login = lower(login) AND login <> ''", name="login_is_lower_case"),
        CheckConstraint("email <> ''", name="email_is_not_empty"),
        one_of("lang", LANGS),
        one_of("notices", Wish),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    login: Mapped[str]
    name: Mapped[words]
    password_hash: Mapped[str]
    email: Mapped[str | None]
    lang: Mapped[str] = mapped_column(server_default="zh")
    notices: Mapped[str] = mapped_column(server_default="all")
    disabled_at: Mapped[instant | None]
    synthetic: Mapped[yes_no]
    created_at: Mapped[created_at]


class RoleGrant(Base):
    """A role and where it holds: in a place and all below it (none: everywhere), or for a unit."""

    __tablename__ = "role_grant"
    __table_args__ = (
        one_of("role", GRANTABLE),
        CheckConstraint("(role = 'unit') = (unit_id IS NOT NULL)", name="an_officer_has_a_unit"),
        CheckConstraint("unit_id IS NULL OR place_id IS NULL", name="a_unit_or_a_place"),
        Index(None, "person_id"),
    )

    id: Mapped[serial]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    role: Mapped[str]
    place_id: Mapped[int | None] = mapped_column(ForeignKey("place.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    granted_at: Mapped[created_at]


class SignIn(Base):
    """A session. Its token is only in the cookie; here is its SHA-256. A ``half`` one still waits for its code."""

    __tablename__ = "sign_in"
    __table_args__ = (Index(None, "person_id"),)

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    created_at: Mapped[instant]
    seen_at: Mapped[instant]
    browser: Mapped[words]
    half: Mapped[yes_no]


class Identity(Base):
    """Who somebody is at an OpenID provider: its issuer and the subject there."""

    __tablename__ = "identity"
    __table_args__ = (Index(None, "person_id"),)

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    created_at: Mapped[created_at]


class ApiKey(Base):
    """What a program shows instead of a password: it may what its person may. Here is its SHA-256."""

    __tablename__ = "api_key"
    __table_args__ = (UniqueConstraint("key_hash"), Index(None, "person_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    key_hash: Mapped[bytes]
    name: Mapped[words]
    created_at: Mapped[instant]
    expires_at: Mapped[instant | None]
    used_at: Mapped[instant | None]


class SecondFactor(Base):
    """The secret of a person's one-time codes (TOTP), in force once confirmed; ``last_step`` is the last code's time.

    The secret is stored as it is: a key to it would lie beside the database, on the same machine.
    """

    __tablename__ = "second_factor"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[str]
    confirmed_at: Mapped[instant | None]
    last_step: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class RecoveryCode(Base):
    """A code for whoever has lost the phone, good for one time."""

    __tablename__ = "recovery_code"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(primary_key=True)


class SavedFilter(Base):
    """A filter of the desk that somebody keeps: the query of its address."""

    __tablename__ = "saved_filter"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[words]
    query: Mapped[words]
    created_at: Mapped[created_at]


class Attempt(Base):
    """How often something was tried since ``began_at``: counted here so that it holds over all workers."""

    __tablename__ = "attempt"

    key: Mapped[str] = mapped_column(primary_key=True)
    began_at: Mapped[instant]
    count: Mapped[int] = mapped_column(server_default=text("1"))
