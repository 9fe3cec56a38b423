"""Places, units and jurisdictions about to be stored; when a new version begins; what an import reports.

Values and decisions only: reading files is ``services.vectorfile``, geometry of many is ``domain.overlay``.
"""

from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from geoapp.domain.values import Name, PlaceKind
from geoapp.errors import BadInput

LARGEST = 10
"""So many of the largest overlaps and gaps are named in a report."""


@dataclass(frozen=True, slots=True)
class NewPlace:
    """A district, street or community. ``area`` is WKB in EPSG:4326; ``parent`` is the code of what holds it."""

    kind: PlaceKind
    code: str
    name: Name
    area: bytes
    parent: str | None = None
    valid_from: date | None = None
    origin: str = ""
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A responsible unit (责任单位)."""

    code: str
    name: Name
    kind: str = ""
    phone: str = ""
    origin: str = ""
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class NewJurisdiction:
    """A jurisdiction (管辖范围). ``shape`` is WKB in EPSG:4326: areas, or lines with ``reach_m`` metres to each side.

    ``unit`` is the unit's code; no ``categories`` means every category.
    """

    code: str
    unit: str
    name: Name
    shape: bytes
    categories: tuple[str, ...] = ()
    reach_m: float | None = None
    valid_from: date | None = None
    evidence: str = ""
    origin: str = ""
    synthetic: bool = False


class Step(StrEnum):
    """What becomes of the newest version that is held; a name needs no new version."""

    FIRST = "first"
    UNCHANGED = "unchanged"
    RENAMED = "renamed"
    REPLACE = "replace"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Change:
    """A step, and the day on which the version written by it begins (None: since ever)."""

    step: Step
    begins: date | None = None


def change(code: str, *, held: bool, begun: date | None, same: bool, valid_from: date | None, today: date) -> Change:
    """Decide how a boundary that comes in follows the newest one held, which began on ``begun``.

    The first version holds since ever unless a day is given. A later one begins on the given day or
    today and closes the former; a change on the day on which that began replaces it. Raises BadInput
    for a day before that: what held in the past is not written anew.
    """
    if not held:
        return Change(Step.FIRST, valid_from)
    if same:
        return Change(Step.UNCHANGED, begun)
    begins = valid_from or today
    if begun is None or begins > begun:
        return Change(Step.NEXT, begins)
    if begins == begun:
        return Change(Step.REPLACE, begins)
    raise BadInput("valid_from", "version_too_early", code=code, since=begun.isoformat())


@dataclass(frozen=True, slots=True)
class Overlap:
    """Land that two areas of one file both hold, in square metres."""

    a: str
    b: str
    m2: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Land between areas that none of them holds, in square metres."""

    beside: tuple[str, ...]
    m2: float


@dataclass(frozen=True, slots=True)
class Remark:
    """What was found about one row of a file: why it was rejected, or what was done to it."""

    row: int
    code: str
    what: str


@dataclass(frozen=True, slots=True)
class BoundaryReport:
    """What became of places and jurisdictions that came in; areas in square metres, overlaps largest first."""

    read: int = 0
    stored: int = 0
    updated: int = 0
    unchanged: int = 0
    units: int = 0
    rejudged: int = 0
    contested: int = 0
    orphan: int = 0
    rejected: tuple[Remark, ...] = ()
    repaired: tuple[Remark, ...] = ()
    merged: tuple[Remark, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
    crs: str = ""
    dry_run: bool = False

    @property
    def overlap_m2(self) -> float:
        return round(sum(overlap.m2 for overlap in self.overlaps), 1)

    @property
    def gap_m2(self) -> float:
        return round(sum(gap.m2 for gap in self.gaps), 1)

    def as_json(self) -> dict[str, Any]:
        """Numbers first, then what stands behind them."""
        return {
            "read": self.read,
            "stored": self.stored,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "rejected": len(self.rejected),
            "repaired": len(self.repaired),
            "merged": len(self.merged),
            "units": self.units,
            "overlap_m2": self.overlap_m2,
            "overlap_count": len(self.overlaps),
            "gap_m2": self.gap_m2,
            "gap_count": len(self.gaps),
            "rejudged": self.rejudged,
            "contested_areas": self.contested,
            "orphan_areas": self.orphan,
            "crs": self.crs,
            "dry_run": self.dry_run,
            "overlaps": [asdict(overlap) for overlap in self.overlaps[:LARGEST]],
            "gaps": [{"beside": list(gap.beside), "m2": gap.m2} for gap in self.gaps[:LARGEST]],
            "rejections": [asdict(remark) for remark in self.rejected],
            "repairs": [asdict(remark) for remark in self.repaired],
            "merges": [asdict(remark) for remark in self.merged],
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """The same for a terminal, in English."""
        lines = [
            f"read {self.read}, stored {self.stored}, updated {self.updated}, unchanged {self.unchanged}, "
            f"rejected {len(self.rejected)}, repaired {len(self.repaired)}"
            + (" (dry run: nothing was kept)" if self.dry_run else "")
        ]
        lines += [f"note: {note}" for note in self.notes]
        for title, remarks in (("rejected", self.rejected), ("repaired", self.repaired), ("merged", self.merged)):
            lines += [f"{title}: row {remark.row} {remark.code}: {remark.what}" for remark in remarks]
        lines.append(f"overlaps between neighbours: {self.overlap_m2:,.0f} m² in {len(self.overlaps)}")
        lines += [f"  {overlap.m2:,.0f} m²: {overlap.a} / {overlap.b}" for overlap in self.overlaps[:LARGEST]]
        lines.append(f"gaps between neighbours: {self.gap_m2:,.0f} m² in {len(self.gaps)}")
        lines += [f"  {gap.m2:,.0f} m²: beside {' / '.join(gap.beside)}" for gap in self.gaps[:LARGEST]]
        lines.append(f"new units: {self.units}; issues judged again: {self.rejudged}")
        lines.append(f"unclear land now: {self.contested} contested and {self.orphan} orphan areas")
        return lines
