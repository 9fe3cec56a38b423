"""Whose is this place, what a filter can choose from, and where the map begins."""

from dataclasses import dataclass
from datetime import date

from geoapp.domain.responsibility import Verdict, classify, judge, tolerance_m
from geoapp.domain.values import Box, Circle, Name, Point, Provenance, VerdictClass, Viewer
from geoapp.errors import BadInput
from geoapp.store import places
from geoapp.store.places import CategoryRow, Choice
from geoapp.store.session import snapshot

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

    @property
    def synthetic(self) -> bool:
        """True when anything here is a demonstration."""
        return any(one.synthetic for one in self.provenance.values())

    def of(self, query: str | None) -> Provenance:
        """Where the layer of this query comes from; issues and what is computed share the lot of what they lie on."""
        if query in _DRAWN:
            return self.provenance.get(_DRAWN[query], Provenance())
        return Provenance(synthetic=self.synthetic)


_DRAWN = {
    "district": "district",
    "streets": "street",
    "communities": "community",
    "jurisdictions": "jurisdiction",
    "contested_land": "jurisdiction",
    "orphan_land": "jurisdiction",
    "roads": "road",
}
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


def choices(viewer: Viewer, *, today: date) -> Choices:  # noqa: ARG001
    with snapshot() as db:
        districts = places.districts(db)
        return Choices(
            categories=places.categories(db),
            communities=places.communities(db),
            units=places.units(db),
            district=districts[0].name if districts else None,
            home=places.extent(db, today) or EVERYWHERE,
            provenance=places.provenance(db, today),
        )
