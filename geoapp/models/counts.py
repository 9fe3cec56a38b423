"""The counts pyramid: what store.counts keeps of issues that the public may see, so that no map counts them anew."""

from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from geoapp.models.base import Base, yes_no


class CountBase(Base):
    """What the counts were made by: the zone in which their months begin; empty: they are yet to be made."""

    __tablename__ = "count_base"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, server_default=text("1"))
    zone: Mapped[str]


class CountBlock(Base):
    """Sums of one tile, by cell and state group; ``entries`` are as domain.counts lays them out.

    ``kind`` is ``*`` for all that is in it; where the block is ``split``, ``''`` is the same by month, and a
    code of a top category what of it is of that category.
    """

    __tablename__ = "count_block"

    zoom: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    cell: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    split: Mapped[yes_no]
    entries: Mapped[bytes]


class CountChange(Base):
    """What a change of an issue has added to or taken from the counts, and the blocks do not know yet.

    With a negative cell it only says that an issue was changed which no public map shows, and nothing of what it is.
    """

    __tablename__ = "count_change"
    __table_args__ = (Index("ix_count_change_cell", "cell"),)

    issue_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    cell: Mapped[int] = mapped_column(BigInteger)
    category: Mapped[str]
    month: Mapped[int]
    state_group: Mapped[int]
    n: Mapped[int]
    contested: Mapped[int]
    orphan: Mapped[int]
    x: Mapped[int] = mapped_column(BigInteger)
    y: Mapped[int] = mapped_column(BigInteger)


class CountArea(Base):
    """How many changes of an area the blocks know; with those in the log this is the area's version."""

    __tablename__ = "count_area"

    zoom: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    cell: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
