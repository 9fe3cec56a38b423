"""Writing versions of boundaries and jurisdictions, and the unclear land that follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Literal

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.boundaries import NewJurisdiction, NewPlace, NewUnit, Step, change
from geoapp.domain.overlay import Claim, UnclearArea, unclear_land
from geoapp.domain.values import PlaceKind
from geoapp.errors import BadInput

Table = Literal["boundary", "jurisdiction"]
_ABOVE: dict[PlaceKind, tuple[str, ...]] = {
    PlaceKind.DISTRICT: (),
    PlaceKind.STREET: (PlaceKind.DISTRICT,),
    PlaceKind.COMMUNITY: (PlaceKind.STREET, PlaceKind.DISTRICT),
}
"""What may hold a place, nearest first."""
PART_VERTICES = 96
"""Pieces of more vertices make the test of a point slower, of fewer the index deeper."""


@dataclass(frozen=True, slots=True)
class Written:
    """What one new version did: the step, the land (WKB, EPSG:4326) whose issues it may touch, and since when."""

    step: Step
    touched: tuple[bytes, ...]
    begins: date | None = None


def places_above(db: Session, kind: PlaceKind) -> set[str]:
    """Codes of the places that may hold one of this kind."""
    found = db.execute(text("SELECT code FROM place WHERE kind = ANY (:above)"), {"above": list(_ABOVE[kind])})
    return set(found.scalars())


def write_place(db: Session, place: NewPlace, *, today: date) -> Written:
    """Store a place and its boundary.

    Raises BadInput for a parent that is not there and for a day before the newest version began.
    """
    place_id, renamed = _write_name(db, place)
    held = _newest(db, "boundary", "place_id = :key", {"key": place_id, "area": place.area}, same="true")
    step = change(
        place.code,
        held=held is not None,
        begun=held.begun if held else None,
        same=bool(held and held.same),
        valid_from=place.valid_from,
        today=today,
    )
    if step.step is Step.UNCHANGED:
        return Written(Step.RENAMED if renamed else Step.UNCHANGED, ())
    touched = _make_room(db, "boundary", held, step.step, step.begins)
    made = db.execute(
        text(
            "INSERT INTO boundary (place_id, validity, area, label, area_m2, origin) "
            "SELECT :place, daterange(CAST(:begins AS date), NULL), g, (ST_MaximumInscribedCircle(g)).center, "
            "ST_Area(g::geography), :origin FROM (SELECT ST_Multi(ST_GeomFromWKB(:area, 4326)) AS g) AS new "
            "RETURNING id"
        ),
        {"place": place_id, "begins": step.begins, "area": place.area, "origin": place.origin},
    ).scalar_one()
    _cut(db, "boundary", made)
    return Written(step.step, (*touched, place.area), step.begins)


def write_unit(db: Session, unit: NewUnit) -> Step:
    """Store a unit: FIRST when it is new. What ``unit`` leaves empty stays as it is held."""
    named = bool(unit.name.zh or unit.name.en)
    made = db.execute(
        text(
            """
            INSERT INTO unit (code, name_zh, name_en, kind, phone, origin, synthetic)
            VALUES (:code, :zh, :en, :kind, :phone, :origin, :synthetic)
            ON CONFLICT (code) DO UPDATE SET
                name_zh = CASE WHEN :named THEN excluded.name_zh ELSE unit.name_zh END,
                name_en = CASE WHEN :named THEN excluded.name_en ELSE unit.name_en END,
                kind = coalesce(nullif(excluded.kind, ''), unit.kind),
                phone = coalesce(nullif(excluded.phone, ''), unit.phone)
            WHERE (:named AND (unit.name_zh, unit.name_en) <> (excluded.name_zh, excluded.name_en))
               OR excluded.kind NOT IN ('', unit.kind) OR excluded.phone NOT IN ('', unit.phone)
            RETURNING xmax = 0
            """
        ),
        {
            "code": unit.code,
            "zh": unit.name.zh,
            "en": unit.name.en if named else unit.code,
            "named": named,
            "kind": unit.kind,
            "phone": unit.phone,
            "origin": unit.origin,
            "synthetic": unit.synthetic,
        },
    ).scalar()
    return Step.UNCHANGED if made is None else Step.FIRST if made else Step.RENAMED


def write_jurisdiction(db: Session, one: NewJurisdiction, *, today: date) -> Written:
    """Store a jurisdiction's version.

    Raises BadInput for a unit that is not there and for a day before the newest version began.
    """
    unit_id = db.execute(text("SELECT id FROM unit WHERE code = :code"), {"code": one.unit}).scalar()
    if unit_id is None:
        raise BadInput("unit", "unknown", value=one.unit)
    binds: dict[str, Any] = {
        "key": one.code,
        "area": one.shape,
        "categories": sorted(set(one.categories)),
        "unit": unit_id,
        "reach": one.reach_m,
        "zh": one.name.zh,
        "en": one.name.en,
        "evidence": one.evidence,
    }
    same = (
        "categories = :categories AND unit_id = :unit AND reach_m IS NOT DISTINCT FROM CAST(:reach AS float8) "
        "AND (name_zh, name_en, evidence) = (:zh, :en, :evidence)"
    )
    held = _newest(db, "jurisdiction", "code = :key", binds, same=same)
    step = change(
        one.code,
        held=held is not None,
        begun=held.begun if held else None,
        same=bool(held and held.same),
        valid_from=one.valid_from,
        today=today,
    )
    if step.step is Step.UNCHANGED:
        return Written(step.step, ())
    touched = _make_room(db, "jurisdiction", held, step.step, step.begins)
    row = db.execute(
        text(
            """
            WITH drawn AS (SELECT ST_GeomFromWKB(:area, 4326) AS shape),
            held AS (
                SELECT shape, ST_Multi(CASE WHEN CAST(:reach AS float8) IS NULL THEN shape
                       ELSE ST_Buffer(shape::geography, CAST(:reach AS float8))::geometry END) AS area FROM drawn
            )
            INSERT INTO jurisdiction (code, unit_id, name_zh, name_en, categories, validity, shape, reach_m, area,
                                      label, area_m2, evidence, origin, synthetic)
            SELECT :key, :unit, :zh, :en, :categories,
                   daterange(CAST(:begins AS date), NULL), shape, CAST(:reach AS float8), area,
                   (ST_MaximumInscribedCircle(area)).center, ST_Area(area::geography), :evidence, :origin, :synthetic
            FROM held RETURNING id, ST_AsBinary(area) AS area
            """
        ),
        binds | {"begins": step.begins, "origin": one.origin, "synthetic": one.synthetic},
    ).one()
    _cut(db, "jurisdiction", row.id)
    return Written(step.step, (*touched, bytes(row.area)), step.begins)


def recompute_unclear_land(db: Session, today: date, *, since: date | None = None) -> list[UnclearArea]:
    """Find contested and orphan land anew for every day from ``since`` on (None: since ever); returns that of today.

    Between two days on which a boundary begins or ends nothing changes, so each such span is one overlay.
    """
    paths = {row.code: tuple(row.path) for row in db.execute(text("SELECT code, path FROM category WHERE active"))}
    if since is not None:
        db.execute(
            text(
                "UPDATE unclear_land SET validity = daterange(lower(validity), CAST(:since AS date)) "
                "WHERE validity @> CAST(:since AS date) AND lower(validity) IS DISTINCT FROM CAST(:since AS date)"
            ),
            {"since": since},
        )
    db.execute(
        text("DELETE FROM unclear_land WHERE validity && daterange(CAST(:since AS date), NULL)"), {"since": since}
    )
    of_today: list[UnclearArea] = []
    for begins, ends in _spans(db, since):
        found = _unclear_on(db, begins or (ends - timedelta(days=1) if ends else today), paths)
        _keep_unclear(db, found, begins, ends)
        if (begins is None or begins <= today) and (ends is None or today < ends):
            of_today = found
    return of_today


def _spans(db: Session, since: date | None) -> list[tuple[date | None, date | None]]:
    """Spans of days, end excluded, from ``since`` on, in each of which the same versions are in force."""
    days = db.execute(
        text(
            "SELECT DISTINCT day FROM (SELECT lower(validity) AS day FROM boundary UNION ALL "
            "SELECT upper(validity) FROM boundary UNION ALL SELECT lower(validity) FROM jurisdiction UNION ALL "
            "SELECT upper(validity) FROM jurisdiction) AS every "
            "WHERE day > coalesce(CAST(:since AS date), '-infinity') "
            "ORDER BY day"
        ),
        {"since": since},
    ).scalars()
    edges = [since, *days, None]
    return list(pairwise(edges))


def _unclear_on(db: Session, day: date, paths: dict[str, tuple[str, ...]]) -> list[UnclearArea]:
    claims = [
        Claim(row.unit_id, tuple(row.categories), shapely.from_wkb(bytes(row.area)))
        for row in db.execute(
            text(
                "SELECT unit_id, categories, ST_AsBinary(area) AS area FROM jurisdiction "
                "WHERE validity @> CAST(:day AS date) ORDER BY id"
            ),
            {"day": day},
        )
    ]
    study = _study_area(db, day)
    return unclear_land(claims, study, paths or {"": ("",)}) if claims and study is not None else []


def _keep_unclear(db: Session, found: list[UnclearArea], begins: date | None, ends: date | None) -> None:
    if found:
        db.execute(
            text(
                "INSERT INTO unclear_land (class, categories, unit_ids, area, area_m2, validity) VALUES (:verdict, "
                ":categories, :units, ST_Multi(ST_GeomFromWKB(:area, 4326)), :m2, "
                "daterange(CAST(:begins AS date), CAST(:ends AS date)))"
            ),
            [
                {
                    "verdict": str(one.verdict),
                    "categories": list(one.categories),
                    "units": list(one.units),
                    "area": shapely.to_wkb(one.area),
                    "m2": one.area_m2,
                    "begins": begins,
                    "ends": ends,
                }
                for one in found
            ],
        )


def refresh_statistics(db: Session) -> None:
    """Tell the planner at once what has come in; autovacuum would do so a minute later, and joins need it now."""
    db.execute(text("ANALYZE place, boundary, boundary_part, unit, jurisdiction, jurisdiction_part"))


def unknown_categories(db: Session, codes: Sequence[str]) -> list[str]:
    known = set(db.execute(text("SELECT code FROM category")).scalars())
    return [code for code in codes if code not in known]


def _write_name(db: Session, place: NewPlace) -> tuple[int, bool]:
    """The place's id, and whether anything but its area is new in it."""
    binds = {
        "kind": str(place.kind),
        "code": place.code,
        "zh": place.name.zh,
        "en": place.name.en,
        "parent": _parent(db, place),
        "origin": place.origin,
        "synthetic": place.synthetic,
    }
    written = db.execute(
        text(
            """
            INSERT INTO place (kind, code, name_zh, name_en, parent_id, origin, synthetic)
            VALUES (:kind, :code, :zh, :en, :parent, :origin, :synthetic)
            ON CONFLICT (kind, code) DO UPDATE SET name_zh = excluded.name_zh, name_en = excluded.name_en,
                parent_id = coalesce(excluded.parent_id, place.parent_id), origin = excluded.origin,
                synthetic = excluded.synthetic
            WHERE (place.name_zh, place.name_en, place.synthetic, place.parent_id) IS DISTINCT FROM
                  (excluded.name_zh, excluded.name_en, excluded.synthetic,
                   coalesce(excluded.parent_id, place.parent_id))
            RETURNING id
            """
        ),
        binds,
    ).scalar()
    if written is not None:
        return int(written), True
    held = db.execute(text("SELECT id FROM place WHERE (kind, code) = (:kind, :code)"), binds).scalar_one()
    return int(held), False


def _parent(db: Session, place: NewPlace) -> int | None:
    if place.parent is None:
        return None
    found: int | None = db.execute(
        text(
            "SELECT id FROM place WHERE code = :code AND kind = ANY (:above) "
            "ORDER BY array_position(:above, kind) LIMIT 1"
        ),
        {"code": place.parent, "above": list(_ABOVE[place.kind])},
    ).scalar()
    if found is None:
        raise BadInput("parent", "unknown", value=place.parent)
    return found


def _study_area(db: Session, day: date) -> BaseGeometry | None:
    """The districts, and communities that lie in none of them."""
    areas = [
        shapely.from_wkb(bytes(row.area))
        for row in db.execute(
            text(
                "SELECT ST_AsBinary(b.area) AS area FROM boundary b JOIN place p ON p.id = b.place_id "
                "WHERE b.validity @> CAST(:day AS date) AND (p.kind = 'district' OR (p.kind = 'community' AND NOT "
                "EXISTS (SELECT FROM boundary d JOIN place q ON q.id = d.place_id WHERE q.kind = 'district' "
                "AND d.validity @> CAST(:day AS date) AND ST_Intersects(d.area, b.label))))"
            ),
            {"day": day},
        )
    ]
    return shapely.union_all(areas) if areas else None


def _newest(db: Session, table: Table, key: str, binds: dict[str, Any], *, same: str) -> Any:
    shape = "shape" if table == "jurisdiction" else "area"
    new = "ST_GeomFromWKB(:area, 4326)" if table == "jurisdiction" else "ST_Multi(ST_GeomFromWKB(:area, 4326))"
    return db.execute(
        text(
            f"SELECT id, lower(validity) AS begun, ST_AsBinary(area) AS area, "
            f"ST_AsBinary({shape}) = ST_AsBinary({new}) AND {same} AS same FROM {table} WHERE {key} "
            "ORDER BY lower(validity) DESC NULLS LAST LIMIT 1 FOR UPDATE"
        ),
        binds,
    ).first()


def _make_room(db: Session, table: Table, held: Any, step: Step, begins: date | None) -> tuple[bytes, ...]:
    """End or remove the newest version before the next is written; returns the land that it held."""
    if step is Step.REPLACE:
        db.execute(text(f"DELETE FROM {table} WHERE id = :id"), {"id": held.id})
    elif step is Step.NEXT:
        db.execute(
            text(f"UPDATE {table} SET validity = daterange(lower(validity), CAST(:begins AS date)) WHERE id = :id"),
            {"id": held.id, "begins": begins},
        )
    return (bytes(held.area),) if held is not None else ()


def _cut(db: Session, table: Table, made: int) -> None:
    db.execute(
        text(
            f"INSERT INTO {table}_part ({table}_id, area) SELECT id, part FROM "
            f"(SELECT id, ST_Subdivide(area, {PART_VERTICES}) AS part FROM {table} WHERE id = :id) AS cut"
        ),
        {"id": made},
    )
