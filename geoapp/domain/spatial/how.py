"""How a result came about: what every analysis carries beside its numbers."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from geoapp import __version__


@dataclass(frozen=True, slots=True)
class How:
    """How a result was computed, complete enough to compute it again.

    ``method`` and ``notes`` are keys of ``analysis.method.…`` and ``analysis.note.…`` in words; ``sources`` names
    the literature. ``used`` issues went in; ``dropped`` counts those left out by reason. ``crs`` is the system in
    which metres were measured.
    """

    method: str
    used: int
    crs: str
    parameters: dict[str, Any] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    seed: int | None = None
    query: dict[str, Any] = field(default_factory=dict)
    version: str = __version__

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)
