"""About three thousand made-up reports: a random background and the planted clusters, from one seed."""

import math
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import shapely

from geoapp.demo import courses
from geoapp.demo.authorities import Authorities
from geoapp.demo.land import METRE, Cell, Land
from geoapp.demo.planted import BACKGROUND, CLUSTERS, DAYS, GROWTH, SEED, Cluster
from geoapp.domain.categories import CategoryNode
from geoapp.domain.values import IssueState, Level, NewIssue, PlacedBy, Point, Privacy, Source

BRANCHES = {
    "waste": 20, "road": 17, "street": 13, "light": 10, "water": 9, "green": 8, "building": 7, "facility": 6,
    "fire": 5, "fence": 2, "air": 2, "other": 1,
}  # fmt: skip
"""How often a background report is of each branch, in percent."""
RESIDENTS, TOWN_RESIDENTS, VILLAGERS = 6.0, 3.0, 1.0
"""How much more is reported from an urban or a town community than from a village."""
ALONG_EDGES = 0.2
"""A share of reports lies along the road that is the community's edge, at most ``EDGE_M`` metres from it."""
EDGE_M = 22.0
ADDRESS_M = 120.0
"""How far a place told on the telephone may be wrong."""
BLURRED, PRIVATE = 0.02, 0.01
SOURCES = {Source.RESIDENT: 0.4, Source.STEWARD: 0.2, Source.PATROL: 0.15, Source.HOTLINE: 0.25}


@dataclass(frozen=True, slots=True)
class _Spot:
    point: Point
    community: Cell
    category: str
    reported_at: datetime


def generate(
    land: Land, authorities: Authorities, categories: Sequence[CategoryNode], *, now: datetime, prefix: str
) -> Iterator[NewIssue]:
    """Yield the issues, oldest first; the same for the same ``now``."""
    random = np.random.default_rng(SEED)
    titles = tomllib.loads(Path(__file__).with_name("titles.toml").read_text(encoding="utf-8"))
    nodes = {node.code: node for node in categories}
    spots = [*_background(random, land, nodes, now), *_clusters(random, land, now)]
    spots.sort(key=lambda spot: spot.reported_at)
    for number, spot in enumerate(spots, start=1):
        branch = spot.category.partition(".")[0]
        claimants = authorities.claims[spot.community.code, branch]
        yield _issue(
            random, spot, titles, number=number, node=nodes[spot.category], claimants=claimants, now=now, prefix=prefix
        )


def seat_of(cluster: Cluster, land: Land) -> tuple[float, float]:
    """Where a cluster's middle lies (EPSG:4326)."""
    return moved(land.streets[cluster.street].seat, cluster.east_m, cluster.north_m)


def moved(start: tuple[float, float], east_m: float, north_m: float) -> tuple[float, float]:
    lon, lat = start
    return lon + east_m * METRE / math.cos(math.radians(lat)), lat + north_m * METRE


def _background(
    random: np.random.Generator, land: Land, nodes: dict[str, CategoryNode], now: datetime
) -> Iterator[_Spot]:
    inner = {node.parent for node in nodes.values()}
    leaves = {branch: [c for c in nodes if c.partition(".")[0] == branch and c not in inner] for branch in BRANCHES}
    branches, shares = list(BRANCHES), np.array(list(BRANCHES.values())) / sum(BRANCHES.values())
    cells = list(land.communities.values())
    weights = np.array([_weight(cell, land) for cell in cells])
    for index in random.choice(len(cells), BACKGROUND, p=weights / weights.sum()).tolist():
        below = leaves[branches[int(random.choice(len(branches), p=shares))]]
        lon, lat = _inside(random, cells[index])
        # The inverse of a rate that rises evenly from 1 to GROWTH.
        share = (math.sqrt(1 + random.random() * (GROWTH**2 - 1)) - 1) / (GROWTH - 1)
        reported_at = _daytime(random, now - timedelta(days=DAYS * (1 - share)), now)
        yield _Spot(Point(lon, lat), cells[index], below[int(random.integers(len(below)))], reported_at)


def _clusters(random: np.random.Generator, land: Land, now: datetime) -> Iterator[_Spot]:
    codes, tree = list(land.communities), shapely.STRtree([cell.area for cell in land.communities.values()])
    for cluster in CLUSTERS:
        middle = seat_of(cluster, land)
        for _ in range(cluster.count):
            east, north = random.normal(0, cluster.spread_m, 2).tolist()
            lon, lat = moved(middle, east, north)
            community = land.communities[codes[int(tree.nearest(shapely.Point(lon, lat)))]]
            reported_at = _daytime(random, now - timedelta(days=_age(random, cluster, now)), now)
            yield _Spot(Point(lon, lat), community, cluster.category, reported_at)


def _age(random: np.random.Generator, cluster: Cluster, now: datetime) -> float:
    """Days before ``now``, as the cluster's trend has it."""
    span = cluster.first_day - cluster.last_day
    share = float(random.random())
    if cluster.trend == "intensifying":
        share **= 2.5
    elif cluster.trend == "diminishing":
        share = 1 - share**2.5
    elif cluster.trend == "summer":
        # June to August of the last two years.
        year = now.year - int(random.random() < 1 / 2) - int(now.month <= 8)  # noqa: PLR2004 - August
        return (now - datetime(year, 6, 1, tzinfo=now.tzinfo) - timedelta(days=92 * share)).total_seconds() / 86_400
    return cluster.last_day + span * share


def _weight(cell: Cell, land: Land) -> float:
    if cell.urban:
        return RESIDENTS
    return TOWN_RESIDENTS if cell.name.zh.endswith("社区") and not land.streets[cell.parent].urban else VILLAGERS


def _inside(random: np.random.Generator, cell: Cell) -> tuple[float, float]:
    """A point anywhere in a community, or along its edge."""
    if random.random() < ALONG_EDGES:
        edge = shapely.boundary(cell.area).interpolate(random.random(), normalized=True)
        turn, far = random.uniform(0, 2 * math.pi), random.uniform(2, EDGE_M)
        lon, lat = moved((edge.x, edge.y), far * math.cos(turn), far * math.sin(turn))
        if shapely.contains_xy(cell.area, lon, lat):
            return lon, lat
    west, south, east, north = cell.area.bounds
    while True:
        lon, lat = float(random.uniform(west, east)), float(random.uniform(south, north))
        if shapely.contains_xy(cell.area, lon, lat):
            return lon, lat


def _daytime(random: np.random.Generator, day: datetime, now: datetime) -> datetime:
    """The same day at an hour at which people report: 7 to 22 in China, but never in the future."""
    at = day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(
        minutes=round(float(random.triangular(-60, 180, 840)))
    )
    return min(at, now - timedelta(minutes=10))


def _issue(
    random: np.random.Generator,
    spot: _Spot,
    titles: dict[str, Any],
    *,
    number: int,
    node: CategoryNode,
    claimants: tuple[str, ...],
    now: datetime,
    prefix: str,
) -> NewIssue:
    course = courses.run(random, spot.reported_at, now, claimants, spot.community.parent)
    where = _one(random, titles["spots"])
    source = list(SOURCES)[int(random.choice(len(SOURCES), p=list(SOURCES.values())))]
    placed_by, accuracy_m = _placed(random, source)
    planned = round(float(random.lognormal(8.6, 0.8)), -2) if course.unit and random.random() < 0.3 else None  # noqa: PLR2004 - three in ten
    return NewIssue(
        id=uuid5(NAMESPACE_URL, f"geoapp demonstration {number}"),
        category=node.code,
        title=f"{where}{_one(random, titles['titles'][node.code])}",
        text=_one(random, titles["words"]),
        text_released=course.state is not IssueState.REPORTED,
        address=f"{spot.community.name.zh}{where}",
        point=spot.point,
        accuracy_m=accuracy_m,
        placed_by=placed_by,
        source=source,
        severity=min(4, max(1, node.severity + int(random.choice([-1, 0, 0, 0, 1])))),
        privacy=_privacy(random, node),
        reported_at=spot.reported_at,
        updated_at=course.updated_at,
        ended_at=course.ended_at,
        state=course.state,
        level=Level.JOINT_MEETING if any(e.action == "to_agenda" for e in course.events) else Level.COMMUNITY,
        unit=course.unit,
        cost_planned=planned,
        cost_spent=planned and (planned if course.state is IssueState.CLOSED else None),
        fund_source="社区专项资金（示例）" if planned else "",
        source_id=f"demonstration-{number}",
        number_prefix=prefix,
        synthetic=True,
        history=tuple(course.events),
    )


def _placed(random: np.random.Generator, source: Source) -> tuple[PlacedBy, float | None]:
    if source is Source.HOTLINE:
        return PlacedBy.ADDRESS, ADDRESS_M
    how = (PlacedBy.PIN, PlacedBy.GPS, PlacedBy.EXIF)[int(random.integers(3))]
    return how, None if how is PlacedBy.PIN else round(float(random.gamma(4, 3)), 1)


def _privacy(random: np.random.Generator, node: CategoryNode) -> Privacy:
    chance = random.random()
    if chance < PRIVATE:
        return Privacy.PRIVATE
    return Privacy.BLURRED if chance < PRIVATE + BLURRED else node.privacy


def _one(random: np.random.Generator, texts: Sequence[str]) -> str:
    return texts[int(random.integers(len(texts)))]
