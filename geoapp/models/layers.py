"""What the map's machinery keeps: features of file layers, and versions that make ETags."""

from geoalchemy2 import WKBElement
from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from geoapp.models.base import Base, created_at, document, geometry


class LayerFile(Base):
    """A boundary file that a layer names, as it was when it was last loaded."""

    __tablename__ = "layer_file"

    layer: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    loaded_at: Mapped[created_at]


class LayerFeature(Base):
    """One feature of a file layer; only the fields that the layer allows are stored."""

    __tablename__ = "layer_feature"
    __table_args__ = (Index("ix_layer_feature_geom", "geom", postgresql_using="gist"),)

    layer: Mapped[str] = mapped_column(primary_key=True)
    fid: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    properties: Mapped[document]
    geom: Mapped[WKBElement] = mapped_column(geometry("GEOMETRY"))


class DataVersion(Base):
    """Counts the commits that changed a part of the data; a tile's ETag is made of it."""

    __tablename__ = "data_version"

    part: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
