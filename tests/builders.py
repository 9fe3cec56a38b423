"""The words of the tests: places, units, jurisdictions and issues as short sentences."""

from datetime import UTC, date, datetime
from uuid import NAMESPACE_URL, uuid5

import shapely
from sqlalchemy import text

from geoapp.domain.boundaries import NewJurisdiction, NewPlace, NewUnit
from geoapp.domain.values import OPERATOR, IssueState, Name, NewIssue, PlacedBy, PlaceKind, Point, Source
from geoapp.services import boundaries, imports
from geoapp.store import session, versions

TODAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
CENTRE = Point(106.65, 29.03)


def square(west: float, south: float, side: float = 0.02) -> shapely.Polygon:
    return shapely.box(west, south, west + side, south + side)


def a_category(code: str = "road", zh: str = "道路", en: str = "Roads", parent: str | None = None) -> str:
    with session.transaction() as db:
        db.execute(
            text(
                "INSERT INTO category (code, parent_code, path, kind, name_zh, name_en) VALUES (CAST(:code AS text), "
                "CAST(:parent AS text), "
                "ARRAY[CAST(:code AS text)] || "
                "coalesce((SELECT path FROM category WHERE code = CAST(:parent AS text)), '{}'), "
                "'event', :zh, :en)"
            ),
            {"code": code, "parent": parent, "zh": zh, "en": en},
        )
        versions.bump(db, "places")
    return code


def a_place(code: str, area: shapely.Geometry, *, kind: str = "community", name: Name | None = None) -> str:
    name = name or Name(f"社区{code}", f"Community {code}")
    place = NewPlace(PlaceKind(kind), code, name, shapely.to_wkb(area))
    boundaries.store_places(OPERATOR, [place], today=TODAY)
    return code


def a_jurisdiction(
    unit: str, area: shapely.Geometry, *, categories: tuple[str, ...] = (), name: Name | None = None
) -> str:
    name = name or Name(f"单位{unit}", f"Unit {unit}")
    with session.snapshot() as db:
        serial = db.execute(text("SELECT count(*) FROM jurisdiction")).scalar_one()
    one = NewJurisdiction(f"{unit}-{serial}", unit, Name("", ""), shapely.to_wkb(area), categories)
    boundaries.store_all(OPERATOR, units=[NewUnit(unit, name)], jurisdictions=[one], today=TODAY)
    return unit


def an_issue(name: str = "1", **changes) -> NewIssue:
    """A released, public, accepted issue about a road in the centre, unless it is said otherwise."""
    known = {
        "id": uuid5(NAMESPACE_URL, name),
        "category": "road",
        "title": f"人行道破损 {name}",
        "point": CENTRE,
        "reported_at": datetime(2026, 10, 1, 4, 0, tzinfo=UTC),
        "updated_at": datetime(2026, 10, 2, 4, 0, tzinfo=UTC),
        "state": IssueState.ACCEPTED,
        "source": Source.RESIDENT,
        "placed_by": PlacedBy.PIN,
        "text": f"说明 {name}",
        "text_released": True,
        "number_prefix": "QJ",
    }
    return NewIssue(**{**known, **changes})


def store(*issues: NewIssue) -> None:
    imports.store_issues(OPERATOR, issues, today=TODAY)
