"""Who follows an issue, and the outbox: what is to be told, and what became of it. All of it hangs on the issue."""

from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from geoapp.domain.notices import Kind, Recipient
from geoapp.models.base import Base, count, created_at, document, instant, one_of, words
from geoapp.words import LANGS


class Follower(Base):
    """Somebody who follows an issue by e-mail. The address goes when they leave.

    Each mail carries a token of its own; here are only the SHA-256 of the latest ones.
    """

    __tablename__ = "follower"
    __table_args__ = (
        one_of("lang", LANGS),
        CheckConstraint("(email = '') = (left_at IS NOT NULL)", name="whoever_left_has_no_address"),
    )

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    lang: Mapped[str]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"))
    token_hashes: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary), server_default=text("'{}'"))
    confirmed_at: Mapped[instant | None]
    left_at: Mapped[instant | None]
    created_at: Mapped[created_at]


class Notice(Base):
    """The outbox: written in the transaction of what it tells, without a word of it and without an address.

    ``ref`` is the person or the follower, ``follows`` the issue that the follower follows: this one, or one that was
    merged into it. Its ``id`` is made from what it tells and to whom, so the same is never told twice.
    """

    __tablename__ = "notice"
    __table_args__ = (
        one_of("kind", Kind),
        one_of("recipient", Recipient),
        one_of("lang", LANGS),
        CheckConstraint("(recipient = 'follower') = (follows IS NOT NULL)", name="a_follower_follows"),
        CheckConstraint("sent_at IS NULL OR failed_at IS NULL", name="sent_or_failed"),
        Index("ix_notice_waiting", "not_before", postgresql_where=text("sent_at IS NULL AND failed_at IS NULL")),
        Index("ix_notice_failed", "failed_at", postgresql_where=text("failed_at IS NOT NULL")),
    )

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    recipient: Mapped[str]
    ref: Mapped[UUID]
    follows: Mapped[UUID | None]
    lang: Mapped[str]
    payload: Mapped[document]
    created_at: Mapped[instant]
    not_before: Mapped[instant]
    claimed_at: Mapped[instant | None]
    sent_at: Mapped[instant | None]
    failed_at: Mapped[instant | None]
    tries: Mapped[count]
    error: Mapped[words]
