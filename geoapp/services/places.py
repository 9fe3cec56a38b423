"""Whose is this place, what a filter can choose from, and where the map begins."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from geoapp.domain import counts
from geoapp.domain.responsibility import Verdict, classify, judge, tolerance_m
from geoapp.domain.values import Box, Circle, Name, Point, Provenance, VerdictClass, Viewer
from geoapp.errors import BadInput
from geoapp.store import blocks, places, versions
from geoapp.store.places import CategoryRow, Choice
from geoapp.store.session import Session, engine, snapshot, transaction

__all__ = ["CategoryRow", "Choice", "Choices", "Whose", "choices", "whose"]


@dataclass(frozen=True, slots=True)
class Whose:
    """The communities that hold a place (largest first) and the units responsible for it, each with a class."""

    communities: tuple[Choice, ...]
    community_verdict: VerdictClass
    verdict: Verdict
    near: tuple[Choice, ...] = ()
    """Communities that do not hold it, but whose edge is closer than a place can be told."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What filters can name, where the map begins, and where its layers come from."""

    categories: list[CategoryRow]
    communities: list[Choice]
    units: list[Choice]
    district: Name | None
    home: Box
    provenance: dict[str, Provenance]
    extents: dict[str, Box] = field(default_factory=dict)

    @property
    def synthetic(self) -> bool:
        """True when anything here is a demonstration."""
        return any(one.synthetic for one in self.provenance.values())

    def of(self, query: str | None) -> Provenance:
        """Where the layer of this query comes from; issues and what is computed share the lot of what they lie on."""
        if query in _DRAWN:
            return self.provenance.get(_DRAWN[query], Provenance())
        return Provenance(synthetic=self.synthetic)

    def extent_of(self, query: str | None) -> Box | None:
        """A box beyond which the layer of this query has nothing on any day; None where that is not known."""
        return self.extents.get(_DRAWN.get(query or "", query or ""))


_DRAWN = {
    "district": "district",
    "streets": "street",
    "communities": "community",
    "jurisdictions": "jurisdiction",
    "contested_land": "jurisdiction",
    "orphan_land": "jurisdiction",
    "roads": "road",
}
LONGEST_CONTACT = 200
COARSE = 10
"""At this zoom tiles are some 30 km wide: fine enough to know where a city has issues, and few in a whole country."""
EVERYWHERE = Box(-170.0, -60.0, 170.0, 75.0)


def whose(viewer: Viewer, point: Point, category: str | None, *, day: date) -> Whose:  # noqa: ARG001
    """The verdict (权责判定) over a point for a category (None: any), by the boundaries in force on ``day``."""
    tolerance = tolerance_m(None)
    with snapshot() as db:
        if category is not None and category not in {row.code for row in places.categories(db)}:
            raise BadInput("category", "unknown", value=category)
        around = places.communities_at(db, point, tolerance=tolerance, day=day)
        hits = places.hits(db, point, category=category, tolerance=tolerance, day=day)
    holding = tuple(choice for choice, inside in around if inside)
    beside = tuple(choice for choice, inside in around if not inside)
    return Whose(holding, classify(len(holding), len(around)), judge(hits), beside)


def middle(viewer: Viewer, community: str, *, day: date) -> Circle:  # noqa: ARG001
    """A circle as large as a community around a point of it; raises BadInput where there is none in force."""
    with snapshot() as db:
        found = places.middle(db, community, day=day)
    if found is None:
        raise BadInput("community", "unknown", value=community[:40])
    return found


def tell_contact(viewer: Viewer, contacts: Mapping[str, str]) -> None:  # noqa: ARG001 - the command line may
    """Say whom residents call about the places of these codes (empty: nobody); all of them or none.

    Raises BadInput for a code that no place has, and for words that are too long or none that can be printed.
    """
    with transaction() as db:
        for code, told in contacts.items():
            words = told.strip()
            if len(words) > LONGEST_CONTACT or not words.isprintable():
                raise BadInput("contact", "too_long", most=LONGEST_CONTACT)
            if not places.write_contact(db, code, words):
                raise BadInput("place", "unknown", value=code)
        versions.bump(db, "places")


def choices(viewer: Viewer, *, today: date) -> Choices:  # noqa: ARG001
    """What every page needs; read anew only when places, units or categories have changed since, or the day has."""
    global _held  # noqa: PLW0603 - one per process, as the engine
    with snapshot() as db:
        of = (engine(), today, {part: nth for part, nth in versions.current(db).items() if part != "counts"})
        if _held is None or _held[0] != of:
            _held = (of, _choices(db, today))
        known = _held[1]
        cells = blocks.held(db, COARSE)
    if cells is None:
        return known
    return replace(known, extents=known.extents | {"issues": counts.around(cells, COARSE, known.home)})


def forget() -> None:
    """For whoever puts another state of the database in the place of this one, as after a backup was restored."""
    global _held  # noqa: PLW0603
    _held = None


def _choices(db: Session, today: date) -> Choices:
    districts = places.districts(db)
    return Choices(
        categories=places.categories(db),
        communities=places.communities(db),
        units=places.units(db),
        district=districts[0].name if districts else None,
        home=places.extent(db, today) or EVERYWHERE,
        provenance=places.provenance(db, today),
        extents=places.extents(db),
    )


_held: tuple[tuple[Any, ...], Choices] | None = None
