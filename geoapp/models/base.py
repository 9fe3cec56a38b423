"""The ground of all tables: metadata with a naming convention, and column types as words.

Relations go child to parent only and name their table by string, so the ladder of files holds.
"""

from datetime import date, datetime
from typing import Annotated, Any

from geoalchemy2 import Geometry
from sqlalchemy import ARRAY, BigInteger, CheckConstraint, DateTime, MetaData, Text, func, text
from sqlalchemy.dialects.postgresql import DATERANGE, JSONB, Range
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


serial = Annotated[int, mapped_column(BigInteger, primary_key=True, autoincrement=True)]
instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
created_at = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
words = Annotated[str, mapped_column(Text, server_default="")]
count = Annotated[int, mapped_column(server_default=text("0"))]
link = Annotated[bytes, mapped_column(server_default=text("''::bytea"))]
"""A hash in a chain; empty before the first."""
yes_no = Annotated[bool, mapped_column(server_default=text("false"))]
codes = Annotated[list[str], mapped_column(ARRAY(Text), server_default=text("'{}'"))]
numbers = Annotated[list[int], mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))]
validity = Annotated[Range[date], mapped_column(DATERANGE, server_default=text("daterange(NULL, NULL)"))]
"""Days on which a version holds, end excluded; an open side is written as NULL (since always, until changed)."""
document = Annotated[dict[str, Any], mapped_column(JSONB, server_default=text("'{}'"))]


def geometry(kind: str, srid: int = 4326) -> Geometry:
    """A geometry column; each gets its GiST index by name in the table's arguments, as other indexes do."""
    return Geometry(kind, srid=srid, spatial_index=False)


def on_earth(column: str, *, optional: bool = False) -> CheckConstraint:
    """Refuse what ``geometry(Point,4326)`` alone lets in: EMPTY, NaN, infinities, swapped axes.

    The test for EMPTY is needed on its own: ``ST_X`` of an empty point is NULL, and a CHECK passes on NULL.
    """
    rule = f"NOT ST_IsEmpty({column}) AND ST_X({column}) BETWEEN -180 AND 180 AND ST_Y({column}) BETWEEN -85 AND 85"
    return CheckConstraint(f"{column} IS NULL OR ({rule})" if optional else rule, name=f"{column}_on_earth")


def one_of(column: str, values: Any) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")
