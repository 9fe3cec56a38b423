"""The road network: edges, each from one node to the next. A node is where the ends of edges lie; it has no row."""

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from geoapp.domain.roads import RoadClass
from geoapp.models.base import Base, geometry, one_of, serial, words, yes_no


class Road(Base):
    """An edge; a one-way road runs along its line. All edges come and go together, so none has a history."""

    __tablename__ = "road"
    __table_args__ = (
        one_of("class", RoadClass),
        CheckConstraint("metres > 0", name="metres_positive"),
        Index("ix_road_geom", "geom", postgresql_using="gist"),
    )

    id: Mapped[serial]
    geom: Mapped[WKBElement] = mapped_column(geometry("LINESTRING"))
    kind: Mapped[str] = mapped_column("class")
    oneway: Mapped[yes_no]
    name: Mapped[words]
    metres: Mapped[float]
    origin: Mapped[words]
    synthetic: Mapped[yes_no]
