"""What lies where: communities, units and jurisdictions, as choices for a form or around one point."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geoapp.domain.responsibility import Fit, Hit
from geoapp.domain.values import Box, Circle, Name, PlaceKind, Point, Provenance, VerdictClass


@dataclass(frozen=True, slots=True)
class Choice:
    """Something a filter can name."""

    code: str
    name: Name
    parent: str | None = None
    parent_name: Name | None = None


@dataclass(frozen=True, slots=True)
class CategoryRow:
    code: str
    name: Name
    parent: str | None
    icon: str
    colour: str


@dataclass(frozen=True, slots=True)
class Around:
    """The communities that hold a point, smallest first, and how sure that is."""

    communities: tuple[Choice, ...]
    verdict: VerdictClass


def categories(db: Session) -> list[CategoryRow]:
    rows = db.execute(
        text("SELECT code, name_zh, name_en, parent_code, icon, colour FROM category WHERE active ORDER BY sort, code")
    )
    return [CategoryRow(row.code, _name(row), row.parent_code, row.icon, row.colour) for row in rows]


def communities(db: Session) -> list[Choice]:
    rows = db.execute(
        text(
            "SELECT c.code, c.name_zh, c.name_en, s.code AS parent, s.name_zh AS parent_zh, s.name_en AS parent_en "
            "FROM place c LEFT JOIN place s ON s.id = c.parent_id WHERE c.kind = 'community' "
            "ORDER BY s.code NULLS LAST, c.code"
        )
    )
    return [_place(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Named:
    """A place by its name, within what it lies, and a circle as large as it is."""

    kind: PlaceKind
    code: str
    name: Name
    within: Name
    circle: Circle


def named(db: Session, words: str, *, day: date, limit: int) -> list[Named]:
    """Places in force whose Chinese or English name holds the words; larger ones, and those that begin so, first."""
    rows = db.execute(
        text(
            """
            SELECT p.kind, p.code, p.name_zh, p.name_en, up.name_zh AS up_zh, up.name_en AS up_en,
                   ST_X(b.label) AS lon, ST_Y(b.label) AS lat, sqrt(b.area_m2 / pi()) AS radius_m
            FROM place p JOIN boundary b ON b.place_id = p.id AND b.validity @> CAST(:day AS date)
            LEFT JOIN place up ON up.id = p.parent_id
            WHERE strpos(lower(p.name_zh), CAST(:words AS text)) > 0 OR strpos(lower(p.name_en), :words) > 0
            ORDER BY array_position(ARRAY['district', 'street', 'community'], p.kind),
                     NOT starts_with(lower(p.name_zh), :words) AND NOT starts_with(lower(p.name_en), :words), p.code
            LIMIT :limit
            """
        ),
        {"words": words.lower(), "day": day, "limit": limit},
    )
    return [
        Named(
            PlaceKind(row.kind), row.code, _name(row), Name(row.up_zh or "", row.up_en or ""),
            Circle(Point(row.lon, row.lat), row.radius_m),
        )
        for row in rows
    ]  # fmt: skip


def middle(db: Session, community: str, *, day: date) -> Circle | None:
    """A point of a community and the radius in metres of a circle as large as it is."""
    row = db.execute(
        text(
            "SELECT ST_X(b.label) AS lon, ST_Y(b.label) AS lat, sqrt(b.area_m2 / pi()) AS radius_m FROM place p "
            "JOIN boundary b ON b.place_id = p.id AND b.validity @> CAST(:day AS date) "
            "WHERE p.kind = 'community' AND p.code = :code"
        ),
        {"code": community, "day": day},
    ).first()
    return None if row is None else Circle(Point(row.lon, row.lat), row.radius_m)


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to call about a place: whose words these are, and the words."""

    of: Name
    words: str


def contact(db: Session, community: str) -> Contact | None:
    """Whom to call about a community: what it says itself, else what lies above it."""
    row = db.execute(
        text(
            """
            WITH RECURSIVE up AS (
                SELECT id, parent_id, name_zh, name_en, contact, 0 AS step FROM place
                WHERE kind = 'community' AND code = :code
                UNION ALL
                SELECT p.id, p.parent_id, p.name_zh, p.name_en, p.contact, up.step + 1
                FROM up JOIN place p ON p.id = up.parent_id
            )
            SELECT name_zh, name_en, contact FROM up WHERE contact <> '' ORDER BY step LIMIT 1
            """
        ),
        {"code": community},
    ).first()
    return None if row is None else Contact(_name(row), row.contact)


def write_contact(db: Session, code: str, words: str) -> int:
    """Say whom to call about the places of this code; returns how many there are."""
    changed = text("UPDATE place SET contact = :words WHERE code = :code RETURNING id")
    return len(db.execute(changed, {"code": code, "words": words}).all())


def units(db: Session) -> list[Choice]:
    rows = db.execute(text("SELECT code, name_zh, name_en FROM unit ORDER BY code"))
    return [Choice(row.code, _name(row)) for row in rows]


def districts(db: Session) -> list[Choice]:
    rows = db.execute(text("SELECT code, name_zh, name_en FROM place WHERE kind = 'district' ORDER BY id"))
    return [Choice(row.code, _name(row)) for row in rows]


def provenance(db: Session, today: date) -> dict[str, Provenance]:
    """Where places (by kind), jurisdictions in force and roads come from."""
    rows = db.execute(
        text(
            "SELECT kind AS what, array_agg(DISTINCT b.origin) FILTER (WHERE b.origin <> '') AS origins, "
            "bool_or(synthetic) AS synthetic FROM place JOIN boundary b ON b.place_id = place.id "
            "WHERE b.validity @> CAST(:today AS date) GROUP BY kind UNION ALL "
            "SELECT 'jurisdiction', array_agg(DISTINCT origin) FILTER (WHERE origin <> ''), bool_or(synthetic) "
            "FROM jurisdiction WHERE validity @> CAST(:today AS date) UNION ALL "
            # All roads came in together, so one of them tells.
            "(SELECT 'road', array_remove(ARRAY[origin], ''), synthetic FROM road LIMIT 1)"
        ),
        {"today": today},
    )
    return {row.what: Provenance(tuple(row.origins or ()), bool(row.synthetic)) for row in rows}


def extent(db: Session, today: date) -> Box | None:
    """The box of the districts, or where there are none of the communities, in force today."""
    row = db.execute(
        text(
            "SELECT ST_XMin(e) w, ST_YMin(e) s, ST_XMax(e) e, ST_YMax(e) n FROM (SELECT "
            "coalesce(ST_Extent(area) FILTER (WHERE kind = 'district'), ST_Extent(area)) AS e "
            "FROM boundary JOIN place ON place.id = place_id WHERE validity @> CAST(:today AS date)) AS all_of_them"
        ),
        {"today": today},
    ).one()
    return None if row.w is None else Box(row.w, row.s, row.e, row.n)


def extents(db: Session) -> dict[str, Box]:
    """The box of all places of each kind, and that of the jurisdictions, as they are and as they ever were.

    Where there are none it is a single point at 0, 0.
    """
    rows = db.execute(
        text(
            "SELECT what, ST_XMin(box) AS w, ST_YMin(box) AS s, ST_XMax(box) AS e, ST_YMax(box) AS n FROM ("
            "SELECT kind AS what, ST_Extent(area) AS box FROM boundary JOIN place ON place.id = place_id GROUP BY kind "
            "UNION ALL SELECT 'jurisdiction', ST_Extent(area) FROM jurisdiction) AS each WHERE box IS NOT NULL"
        )
    )
    nowhere: dict[str, Box] = dict.fromkeys((*PlaceKind, "jurisdiction"), Box(0.0, 0.0, 0.0, 0.0))
    return nowhere | {row.what: Box(row.w, row.s, row.e, row.n) for row in rows}


def extent_of(db: Session, communities: list[str], today: date) -> Box | None:
    """The box of these communities as they are in force today."""
    row = db.execute(
        text(
            "SELECT ST_XMin(e) w, ST_YMin(e) s, ST_XMax(e) e, ST_YMax(e) n FROM (SELECT ST_Extent(area) AS e "
            "FROM boundary JOIN place ON place.id = place_id WHERE validity @> CAST(:today AS date) "
            "AND kind = 'community' AND code = ANY (:communities)) AS all_of_them"
        ),
        {"today": today, "communities": communities},
    ).one()
    return None if row.w is None else Box(row.w, row.s, row.e, row.n)


def hits(db: Session, point: Point, *, category: str | None, tolerance: float, day: date) -> list[Hit]:
    """Jurisdictions in force on ``day`` that hold the point or lie within ``tolerance`` metres.

    Without a category those of every category are listed.
    """
    rows = db.execute(
        text(
            """
            WITH here AS (SELECT ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) AS geom),
            near AS (
                SELECT part.jurisdiction_id, bool_or(ST_Intersects(part.area, here.geom)) AS inside
                FROM here JOIN jurisdiction_part part ON part.area && ST_Expand(
                    here.geom, :tolerance / (110000 * cos(radians(:lat))), :tolerance / 110000)
                WHERE ST_Intersects(part.area, here.geom)
                   OR ST_DWithin(part.area::geography, here.geom::geography, :tolerance, false)
                GROUP BY part.jurisdiction_id
            )
            SELECT u.code AS unit, u.name_zh, u.name_en, u.phone, j.code, j.name_zh AS own_zh, j.name_en AS own_en,
                   near.inside, j.area_m2, j.evidence, j.reach_m,
                   ST_Distance(ST_Boundary(j.area)::geography, here.geom::geography) AS edge_m,
                   CASE WHEN j.categories = '{}' OR c.code IS NULL THEN 0
                        WHEN c.code = ANY (j.categories) THEN 2 ELSE 1 END AS fit
            FROM here, near
            JOIN jurisdiction j ON j.id = near.jurisdiction_id AND j.validity @> CAST(:day AS date)
            JOIN unit u ON u.id = j.unit_id
            LEFT JOIN category c ON c.code = :category
            WHERE j.categories = '{}' OR c.code IS NULL OR j.categories && c.path
            """
        ),
        {"lon": point.lon, "lat": point.lat, "category": category, "tolerance": tolerance, "day": day},
    )
    return [
        Hit(
            unit=row.unit,
            unit_name=_name(row),
            jurisdiction=row.code,
            jurisdiction_name=Name(row.own_zh, row.own_en),
            inside=row.inside,
            edge_m=row.edge_m,
            area_m2=row.area_m2,
            fit=Fit(row.fit),
            evidence=row.evidence,
            phone=row.phone,
            reach_m=row.reach_m,
        )
        for row in rows
    ]


def communities_at(db: Session, point: Point, *, tolerance: float, day: date) -> list[tuple[Choice, bool]]:
    """Communities in force on ``day`` holding the point (True) or within ``tolerance`` metres, largest first."""
    rows = db.execute(
        text(
            """
            WITH here AS (SELECT ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) AS geom)
            SELECT c.code, c.name_zh, c.name_en, s.code AS parent, s.name_zh AS parent_zh, s.name_en AS parent_en,
                   bool_or(ST_Intersects(part.area, here.geom)) AS inside
            FROM here JOIN boundary_part part ON part.area && ST_Expand(
                here.geom, :tolerance / (110000 * cos(radians(:lat))), :tolerance / 110000)
            JOIN boundary b ON b.id = part.boundary_id AND b.validity @> CAST(:day AS date)
            JOIN place c ON c.id = b.place_id AND c.kind = 'community'
            LEFT JOIN place s ON s.id = c.parent_id
            WHERE ST_Intersects(part.area, here.geom)
               OR ST_DWithin(part.area::geography, here.geom::geography, :tolerance, false)
            GROUP BY c.id, s.id, b.area_m2 ORDER BY b.area_m2 DESC, c.id
            """
        ),
        {"lon": point.lon, "lat": point.lat, "tolerance": tolerance, "day": day},
    )
    return [(_place(row), row.inside) for row in rows]


def _name(row: Row[tuple[object, ...]]) -> Name:
    return Name(row.name_zh, row.name_en)


def _place(row: Row[tuple[object, ...]]) -> Choice:
    return Choice(row.code, _name(row), row.parent, Name(row.parent_zh or "", row.parent_en or ""))
