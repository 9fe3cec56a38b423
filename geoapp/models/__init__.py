"""The tables, nothing else. A ladder: each file may look only at those below it."""

from importlib import import_module
from pkgutil import iter_modules

from sqlalchemy import MetaData


def everything() -> MetaData:
    """The metadata with every table in it: a table is known once its file was imported, and here none is forgotten."""
    for room in iter_modules(__path__):
        import_module(f"{__name__}.{room.name}")
    from geoapp.models.base import Base  # noqa: PLC0415 - a table's file imports this package first

    return Base.metadata
