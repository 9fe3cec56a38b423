"""Folium, without pandas. Whoever needs something of Folium takes it from here.

Folium asks for pandas only to take data frames, which nothing here gives it; without, a web worker needs 80 MB
and a second less. So Folium is first imported by a thread that is told there is no pandas.
"""

import sys
import threading
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType


class _NoPandas(MetaPathFinder):
    """Says so to the thread that made it, and to nobody else."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None) -> None:
        if name == "pandas" and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(name, name=name)


_finder = _NoPandas()
sys.meta_path.insert(0, _finder)
try:
    from folium import Map
    from folium.map import Layer
    from folium.template import Template
finally:
    sys.meta_path.remove(_finder)

__all__ = ["Layer", "Map", "Template"]
