"""The responsible units of the demonstration and what each claims: made up, with overlaps and gaps as in life.

Every community has, for each bundle of categories, one unit by the rules below. Then the mechanism's disease
is planted: in some communities a bundle is forgotten by every unit, or claimed by a rival as well. Roads and
the river are lines with a reach, estates and an old works are areas of their own.
"""

import math
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geoapp.demo.land import METRE, Cell, Land
from geoapp.domain.boundaries import NewJurisdiction, NewUnit
from geoapp.domain.values import Name

UNSETTLED = 0.3
"""Share of communities whose responsibilities were never settled."""
FORGOTTEN, RIVALLED = 0.3, 0.42
"""In those, shares of the bundles that no unit names, and that a second unit names too."""
ORIGIN = "made up for the demonstration"
RULES = "《区级部门权责清单》（示例）"
HANDED_OVER = "历史移交协议（示例）：移交双方均未销账"

STREET_OFFICE = "street-office"
URBAN = {"500110001", "500110002", "500110003", "500110004", "500110005", "500110006", "500110007"}
AREAS: dict[str, tuple[Name, tuple[str, ...]]] = {
    "qijiang": (Name("綦城片区", "Qijiang town"), ("001", "002", "006", "007")),
    "wansheng": (Name("万盛片区", "Wansheng"), ("004", "005", "100", "101", "104", "106")),
    "sanjiang": (Name("三江片区", "Sanjiang"), ("003", "108", "117")),
    "heishan": (Name("黑山片区", "Heishan"), ("102", "103", "105", "107")),
    "dongxi": (Name("东溪片区", "Dongxi"), ("109", "116", "118", "120")),
    "ganshui": (Name("赶水片区", "Ganshui"), ("110", "111", "112", "119")),
    "yongxin": (Name("永新片区", "Yongxin"), ("113", "123")),
    "longsheng": (Name("隆盛片区", "Longsheng"), ("114", "115", "121", "124")),
}
"""Groups of streets that the district's own units organise themselves by."""

SPECIAL = {
    "municipal": (Name("市政设施管理处", "Municipal Works Office"), "public_works"),
    "cleaning": (Name("环境卫生管理所", "Street Cleaning Office"), "public_works"),
    "roads": (Name("公路养护中心", "Highway Maintenance Centre"), "public_works"),
    "drainage": (Name("排水有限公司", "Drainage Company"), "company"),
    "water": (Name("水利管理站", "Water Conservancy Station"), "public_works"),
    "lighting": (Name("路灯管理所", "Street Lighting Office"), "public_works"),
    "power": (Name("供电分公司", "Power Supply Branch"), "company"),
    "greenery": (Name("园林林业所", "Parks and Forestry Office"), "public_works"),
    "housing": (Name("房屋管理所", "Housing Office"), "bureau"),
    "environment": (Name("生态环境所", "Environment Office"), "bureau"),
    "fire": (Name("消防救援站", "Fire and Rescue Station"), "bureau"),
    "estates": (Name("安居物业服务公司", "Anju Estate Management"), "company"),
    "old-works": (Name("老厂留守处", "Old Works Caretaker Office"), "company"),
}
"""The units that are not a street's office, with their kind."""

ROADS = {
    "g210": (Name("綦赶公路", "Qijiang–Ganshui Road"), ("006", "001", "003", "117", "109", "110", "112")),
    "wansheng": (Name("綦万公路", "Qijiang–Wansheng Road"), ("001", "114", "121", "106", "004")),
    "south": (Name("万南公路", "Wansheng–Dongxi Road"), ("004", "101", "105", "102", "103", "120", "109")),
    "west": (Name("永新公路", "Yongxin Road"), ("001", "113", "123")),
}
RIVER = (Name("綦江河", "Qijiang River"), ("110", "109", "117", "003", "001", "006"))
ROAD_REACH_M, RIVER_REACH_M = 35.0, 60.0


@dataclass(frozen=True, slots=True)
class Bundle:
    """Categories that one unit has in a community, and the unit that says it has them too, where it does."""

    categories: tuple[str, ...]
    unit: str
    rival: str
    by_street: bool


_TOGETHER = ("street", "other", "facility", "fence")
_EVERYWHERE = (
    Bundle(("building",), "housing", "municipal", by_street=False),
    Bundle(("air",), "environment", "cleaning", by_street=False),
    Bundle(("fire",), "fire", "housing", by_street=False),
)
_IN_TOWN = (
    Bundle(_TOGETHER, STREET_OFFICE, "municipal", by_street=True),
    Bundle(("road",), "municipal", "roads", by_street=True),
    Bundle(("waste",), "cleaning", STREET_OFFICE, by_street=True),
    Bundle(("water",), "drainage", "water", by_street=True),
    Bundle(("light",), "lighting", "power", by_street=True),
    Bundle(("green",), "greenery", "municipal", by_street=True),
    *_EVERYWHERE,
)
_IN_COUNTRY = (
    Bundle((*_TOGETHER, "road", "waste"), STREET_OFFICE, "municipal", by_street=True),
    Bundle(("water",), "water", "drainage", by_street=False),
    Bundle(("light",), "power", "lighting", by_street=False),
    Bundle(("green",), "greenery", "roads", by_street=False),
    *_EVERYWHERE,
)


@dataclass(slots=True)
class Authorities:
    """Units and jurisdictions, and for each (community, branch of categories) the units that say it is theirs."""

    units: list[NewUnit] = field(default_factory=list)
    jurisdictions: list[NewJurisdiction] = field(default_factory=list)
    claims: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)


def appoint(land: Land, *, fixed: dict[tuple[str, str], str]) -> Authorities:
    """Share out the land. ``fixed`` says for (community, branch): "clear", "contested" or "orphan"."""
    made = Authorities(units=list(_units(land)))
    held: dict[tuple[str, tuple[str, ...], str, str], list[Cell]] = defaultdict(list)
    random = np.random.default_rng(500110)
    for cell in land.communities.values():
        settled = random.random() >= UNSETTLED
        for bundle in _IN_TOWN if cell.parent in URBAN else _IN_COUNTRY:
            kind = next((fixed[key] for branch in bundle.categories if (key := (cell.code, branch)) in fixed), "")
            owners = _owners(bundle, cell, kind or _kind(random.random(), settled=settled))
            made.claims |= {(cell.code, branch): owners for branch in bundle.categories}
            for owner, evidence in zip(owners, (RULES, HANDED_OVER), strict=False):
                where = "" if evidence != RULES else cell.parent if bundle.by_street else _area_of(cell.parent)
                held[owner, bundle.categories, where, evidence].append(cell)
    names = {unit.code: unit.name for unit in made.units}
    places = {"": Name("历史移交", "handed over earlier")} | {key: name for key, (name, _) in AREAS.items()}
    places |= {code: street.name for code, street in land.streets.items()}
    for (owner, categories, where, evidence), cells in held.items():
        shape = shapely.union_all([cell.area for cell in cells])
        code = f"{owner}.{categories[0]}.{where or 'handed-over'}"
        name = _joined(names[owner], places[where])
        made.jurisdictions.append(_jurisdiction(code, owner, name, shape, categories, evidence))
    made.jurisdictions += [*_lines(land), *_own_areas(land)]
    return made


def road(land: Land, streets: Iterable[str]) -> list[BaseGeometry]:
    """The legs of a made-up road (or river) from seat to seat, winding, cut to the district."""
    seats = [land.streets[f"500110{street}"].seat for street in streets]
    legs = []
    for start, end in pairwise(seats):
        random = np.random.default_rng(round(sum((*start, *end)) * 1e4))
        along = np.linspace(0, 1, 25)
        bow = np.zeros_like(along)
        for wave, size in ((1, 0.10), (2, 0.06), (3, 0.035), (5, 0.015)):
            bow += random.uniform(-size, size) * np.sin(np.pi * wave * along)
        (x0, y0), (x1, y1) = start, end
        line = np.column_stack([x0 + (x1 - x0) * along - (y1 - y0) * bow, y0 + (y1 - y0) * along + (x1 - x0) * bow])
        legs.append(shapely.intersection(shapely.LineString(line), land.district))
    return legs


def estate(centre: tuple[float, float], half_m: float, turn: float) -> shapely.Polygon:
    """A made-up housing estate: a turned rectangle of ``2 half_m`` by ``1.4 half_m`` metres."""
    wide = math.cos(math.radians(centre[1]))
    corners = np.array([(-1, -0.7), (1, -0.7), (1, 0.7), (-1, 0.7)]) * half_m * METRE
    spin = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    return shapely.Polygon(corners @ spin.T / np.array([wide, 1.0]) + np.array(centre))


def _units(land: Land) -> Iterator[NewUnit]:
    for street in land.streets.values():
        office = Name("办事处", " Office") if street.urban else Name("人民政府", " Government")
        name = Name(street.name.zh + office.zh, street.name.en + office.en)
        yield NewUnit(street.code, name, kind="street_office", phone=_phone(street.code), origin=ORIGIN, synthetic=True)
    for code, (name, kind) in SPECIAL.items():
        yield NewUnit(code, name, kind=kind, phone=_phone(code), origin=ORIGIN, synthetic=True)


def _phone(code: str) -> str:
    """A number that nobody has: none in this country begins with four noughts."""
    return f"023-0000{zlib.crc32(code.encode()) % 10_000:04}"


def _kind(chance: float, *, settled: bool) -> str:
    if settled or chance >= FORGOTTEN + RIVALLED:
        return "clear"
    return "orphan" if chance < FORGOTTEN else "contested"


def _owners(bundle: Bundle, cell: Cell, kind: str) -> tuple[str, ...]:
    both = [cell.parent if unit == STREET_OFFICE else unit for unit in (bundle.unit, bundle.rival)]
    return tuple(both[: {"orphan": 0, "clear": 1, "contested": 2}[kind]])


def _area_of(street: str) -> str:
    return next(area for area, (_, streets) in AREAS.items() if street[-3:] in streets)


def _lines(land: Land) -> Iterator[NewJurisdiction]:
    for key, (name, streets) in ROADS.items():
        for nth, leg in enumerate(road(land, streets), start=1):
            full = Name(f"{name.zh}第{nth}段", f"{name.en}, section {nth}")
            code, categories = f"roads.{key}.{nth}", ("road", "fence.damaged-guardrail", "fence.retaining-wall")
            yield _jurisdiction(code, "roads", full, leg, categories, "公路养护里程表（示例）", ROAD_REACH_M)
    name, streets = RIVER
    for nth, leg in enumerate(road(land, streets), start=1):
        full = Name(f"{name.zh}第{nth}段", f"{name.en}, section {nth}")
        code, categories = f"water.river.{nth}", ("water", "fence.waterside", "waste.dumping-site")
        yield _jurisdiction(code, "water", full, leg, categories, "河道管理范围划定图（示例）", RIVER_REACH_M)


def _own_areas(land: Land) -> Iterator[NewJurisdiction]:
    """Estates and the old works, beside the seats of towns: each claims all that stands inside its fence."""
    random = np.random.default_rng(7)
    everything = ("road", "fire", "light", "green", "building", "facility", "waste")
    for nth, street in enumerate(("001", "001", "002", "007", "004", "101"), start=1):
        lon, lat = land.streets[f"500110{street}"].seat
        centre = (lon + random.normal(0, 0.006), lat + random.normal(0, 0.006))
        area = estate(centre, float(random.uniform(130, 260)), float(random.uniform(0, math.pi)))
        name = Name(f"安居小区{nth}期", f"Anju Estate, phase {nth}")
        yield _jurisdiction(f"estates.{nth}", "estates", name, area, everything, "前期物业服务合同（示例）")
    for nth, street in enumerate(("001", "003"), start=1):
        lon, lat = land.streets[f"500110{street}"].seat
        area = estate((lon - 0.011, lat + 0.007), 420, 0.4)
        name = Name(f"老厂生活区{nth}", f"Old works quarters {nth}")
        yield _jurisdiction(f"old-works.{nth}", "old-works", name, area, (), "三供一业移交清单（示例）")


def _joined(unit: Name, area: Name) -> Name:
    return Name(f"{unit.zh}（{area.zh}）", f"{unit.en} ({area.en})")


def _jurisdiction(  # noqa: PLR0917 - one row of a table
    code: str,
    unit: str,
    name: Name,
    shape: BaseGeometry,
    categories: tuple[str, ...],
    evidence: str,
    reach_m: float | None = None,
) -> NewJurisdiction:
    wkb = shapely.to_wkb(shape)
    return NewJurisdiction(code, unit, name, wkb, categories, reach_m, evidence=evidence, origin=ORIGIN, synthetic=True)
