"""Meetings and lists of the demonstration: made up, for the town where the stories play.

What the last meeting decided went through the same services as in life, as of its own day; so did the money.
"""

from datetime import datetime, time, timedelta
from decimal import Decimal
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
import shapely

from geoapp.demo import stories
from geoapp.demo.land import Cell, Land
from geoapp.domain.agenda import Decision, Kind, Outcome
from geoapp.domain.calendar import WorkCalendar
from geoapp.domain.matching import NeedFacts, ResourceFacts, ResourceKind, Span
from geoapp.domain.projects import Entry, Line
from geoapp.domain.values import Grant, IssueFilter, IssueState, Name, Point, Role, Viewer
from geoapp.services import agendas, decisions, issues, lists, meetings, projects, vulnerable
from geoapp.services.meetings import MeetingFacts
from geoapp.services.projects import NewProject
from geoapp.services.vulnerable import Spot

TOWN = stories.SIDEWALK[:9]
ORIGIN = "made up for the demonstration"
LAST, NEXT = timedelta(days=24), timedelta(days=6)
ON_AGENDA, POSTPONED, SOONER = 8, 1, 5
FUND = "社区党建专项资金（示例）"
KINDS = (
    (Kind.SCHOOL, "小学", "Primary School"), (Kind.KINDERGARTEN, "幼儿园", "Kindergarten"),
    (Kind.CLINIC, "卫生服务站", "Health Station"), (Kind.AGED, "养老服务站", "Home for the Aged"),
)  # fmt: skip
ATTENDEES = """\
陈书记（演示，主持）
李社工（演示）
王经办（演示，市政设施管理处）
赵经办（演示，公路养护中心）
居民代表 2 人（演示）"""
NOTES = "会议先听取各社区情况，再逐项确定牵头单位、资金和期限。三项不能当场确认权属的，约定现场办公。（演示）"
RESOURCES: tuple[tuple[ResourceKind, str, str | None, str, int | None, str, str], ...] = (
    (ResourceKind.PLACE, "老厂闲置车间", "old-works", "", 620, "m²", "水电已通，可作堆料场或活动室"),
    (ResourceKind.PLACE, "社区党群服务中心二楼会议室", None, "古南街道", 80, "m²", "工作日晚间可用"),
    (ResourceKind.PLACE, "沿河空地", "municipal", "", 1500, "m²", "可临时停放机械"),
    (ResourceKind.CREW, "市政维修班", "municipal", "", 12, "人", "路面、井盖、护栏"),
    (ResourceKind.CREW, "公路养护班", "roads", "", 16, "人", "路肩、边沟"),
    (ResourceKind.CREW, "路灯抢修班", "lighting", "", 4, "人", "带登高车"),
    (ResourceKind.MACHINE, "小型挖掘机", "municipal", "", 1, "台", "提前两天预约"),
    (ResourceKind.MACHINE, "吸污车", "drainage", "", 2, "台", "汛期优先排涝"),
    (ResourceKind.FUND, FUND, None, "古南街道党工委", 200000, "元", "单个项目不超过 8 万元"),
    (ResourceKind.FUND, "区级以奖代补资金（示例）", None, "区民政局", 500000, "元", "按季度申报"),
    (ResourceKind.VOLUNTEERS, "退役军人志愿队", None, "古南街道", 25, "人", "周末可出工"),
    (ResourceKind.MATERIAL, "透水砖", "municipal", "", 900, "m²", "库存，灰色"),
)
"""A dozen: kind, name, unit, other owner, how much of what, and a note."""
NEEDS: tuple[tuple[ResourceKind, str, int, str], ...] = (
    (ResourceKind.MATERIAL, "铺人行道的砖", 260, "m²"),
    (ResourceKind.CREW, "修路面的施工班", 6, "人"),
    (ResourceKind.CREW, "装路灯的班组", 3, "人"),
    (ResourceKind.FUND, "背街小巷整治经费", 60000, "元"),
    (ResourceKind.VOLUNTEERS, "清理杂草的志愿者", 20, "人"),
    (ResourceKind.PLACE, "施工期间的堆料场地", 300, "m²"),
)


def fill(viewer: Viewer, land: Land, calendar: WorkCalendar, *, now: datetime) -> None:
    """Make all of it; what is there is left alone."""
    homes = land.communities_of(TOWN)
    secretary = Viewer((Grant(Role.SECRETARY, frozenset(cell.code for cell in homes)),), None, "陈书记（演示）")
    if any(one.id == _id("last meeting") for one in meetings.listed(secretary)):
        return
    _places(viewer, homes)
    _last_meeting(secretary, homes, calendar, now)
    _next_meeting(secretary, calendar, now)
    _lists(secretary, land, homes, calendar, now)


def _places(viewer: Viewer, homes: list[Cell]) -> None:
    for nth, (kind, zh, en) in enumerate(KINDS):
        random = np.random.default_rng(500 + nth)
        spots = [
            Spot(
                Name(f"{cell.name.zh}{zh}（演示）", f"{cell.name.en or cell.name.zh} {en} (demo)"),
                _within(cell, random),
            )
            for cell in homes
            if random.random() < 0.7  # noqa: PLR2004 - not every community has one of each
        ]
        vulnerable.store(viewer, kind, spots, origin=ORIGIN, synthetic=True)


def _last_meeting(secretary: Viewer, homes: list[Cell], calendar: WorkCalendar, now: datetime) -> None:
    """A meeting of last month that is over, with all that it decided."""
    held = _afternoon(now - LAST, calendar)
    meeting = meetings.plan(
        secretary, TOWN, MeetingFacts(f"{held:%Y 年 %m 月}联席会议", held, "街道三楼会议室（演示）", ATTENDEES, NOTES),
        id=_id("last meeting"), now=held - timedelta(days=7), synthetic=True,
    )  # fmt: skip
    for number in _waited(secretary, homes, calendar, before=held - timedelta(days=3))[:ON_AGENDA]:
        agendas.add(
            secretary, meeting, number, words="列入联席会议议程。", version=_version(secretary, meeting),
            now=held - timedelta(days=2), calendar=calendar,
        )  # fmt: skip
    for nth, item in enumerate(meetings.get(secretary, meeting).items):
        decisions.decide(
            secretary, meeting, item.row.number, _decided(nth, [hit.unit for hit in item.verdict.candidates], held),
            version=_version(secretary, meeting), now=held + timedelta(hours=1), calendar=calendar,
        )  # fmt: skip
    end = held + timedelta(hours=2)
    decisions.close(secretary, meeting, version=_version(secretary, meeting), now=end, calendar=calendar)


def _decided(nth: int, candidates: list[str], held: datetime) -> Decision:
    votes = (9 - nth % 3, nth % 2, nth % 3)
    if nth < POSTPONED:
        return Decision(Outcome.POSTPONE, "权属资料不全，留待下次会议。", votes=votes)
    if nth % SOONER == SOONER - 1:
        return Decision(Outcome.STAY, "由社区组织志愿者自行解决。", votes=votes)
    lead = candidates[0] if candidates else "municipal"
    helping = tuple(candidates[1:3])
    # Some of the agreed days have passed meanwhile: they come up by themselves at the next meeting.
    due = (held + timedelta(days=15 if nth % 2 else 45)).date()
    visit = (held + timedelta(days=4)).date() if nth % 2 == 0 else None
    words = "明确牵头单位，限期完成；完工后由社区和居民代表核查。"
    return Decision(Outcome.ASSIGN, words, lead, helping, Decimal(6000 + 4500 * nth), FUND, due, visit, votes)


def _next_meeting(secretary: Viewer, calendar: WorkCalendar, now: datetime) -> None:
    """One that is planned: a few are on the agenda, the rest is suggested."""
    held = _afternoon(now + NEXT, calendar)
    meeting = meetings.plan(
        secretary, TOWN, MeetingFacts(f"{held:%Y 年 %m 月}联席会议", held, "街道三楼会议室（演示）"),
        id=_id("next meeting"), now=now, synthetic=True,
    )  # fmt: skip
    agendas.take_over(
        secretary, meeting, most=4, words="列入联席会议议程。", version=_version(secretary, meeting), now=now,
        calendar=calendar,
    )  # fmt: skip


def _lists(secretary: Viewer, land: Land, homes: list[Cell], calendar: WorkCalendar, now: datetime) -> None:
    random = np.random.default_rng(77)
    today = now.date()
    for nth, (kind, name, unit, owner, much, measure, note) in enumerate(RESOURCES):
        home = homes[nth % len(homes)]
        point = shapely.Point(*_pair(_within(home, random)))
        shape = None if kind is ResourceKind.FUND else shapely.to_wkb(
            point.buffer(0.00035) if kind is ResourceKind.PLACE else point
        )  # fmt: skip
        free = (Span(today + timedelta(days=7 * (nth % 3)), today + timedelta(days=90)),) if nth % 2 else ()
        shown = name if "（示例）" in name else f"{name}（演示）"
        facts = ResourceFacts(kind, shown, unit, owner, Decimal(much or 0), measure, note, shape, free)
        lists.add_resource(secretary, TOWN, facts, id=_id(f"resource {nth}"), now=now, synthetic=True)
    for nth, (kind, title, much, measure) in enumerate(NEEDS):
        home = homes[(2 * nth) % len(homes)]
        begins = today + timedelta(days=10)
        needed = NeedFacts(
            kind, f"{title}（演示）", "", Decimal(much), measure, begins, begins + timedelta(days=20),
            None if kind is ResourceKind.FUND else shapely.to_wkb(shapely.Point(*_pair(_within(home, random)))),
        )  # fmt: skip
        lists.add_need(secretary, home.code, needed, id=_id(f"need {nth}"), now=now, synthetic=True)
    _projects(secretary, land, calendar, now)


def _projects(secretary: Viewer, land: Land, calendar: WorkCalendar, now: datetime) -> None:
    today = now.date()
    for nth, (community, title, low, high, lines) in enumerate(
        (
            (stories.SIDEWALK, "汽修街人行道整治（演示）", 36000, 52000, (
                Line(Entry.PROMISED, FUND, Decimal(36000)), Line(Entry.PROMISED, "沿街商户自筹（示例）", Decimal(8000)),
                Line(Entry.SPENT, FUND, Decimal(34850), "更换地砖 62 平方米"),
            )),
            (stories.DUMP, "三小区空地改停车场（演示）", 86000, 140000, (
                Line(Entry.PROMISED, "区级以奖代补资金（示例）", Decimal(86000)),
                Line(Entry.SPENT, "区级以奖代补资金（示例）", Decimal(31200), "清运 37 车"),
                Line(Entry.SPENT, "区级以奖代补资金（示例）", Decimal(-1200), "退回多付运费"),
            )),
        )
    ):  # fmt: skip
        seat = shapely.point_on_surface(land.communities[community].area)
        area = shapely.to_wkb(shapely.intersection(seat.buffer(0.0016), land.communities[community].area))
        project = projects.create(
            secretary,
            NewProject(
                title, area, _cases(secretary, community, calendar), Decimal(low), Decimal(high),
                note="演示项目，数字均为示例。",
                begins=today - timedelta(days=30), ends=today + timedelta(days=60), unit="municipal", place=community,
                id=_id(f"project {nth}"), synthetic=True,
            ),
            now=now,
        )  # fmt: skip
        for line in lines:
            projects.book(secretary, project, line, now=now - timedelta(days=20 - nth))
        projects.add_need(secretary, project, _id(f"need {nth}"))
        projects.use(secretary, project, _id(f"resource {3 + nth}"), amount=Decimal(6), first=today, last=today)


def _cases(secretary: Viewer, community: str, calendar: WorkCalendar) -> list[str]:
    wanted = IssueFilter(communities=(community,), categories=("road", "waste"))
    return [row.number for row in issues.search(secretary, wanted, zone=calendar.zone, limit=5).rows]


def _waited(secretary: Viewer, homes: list[Cell], calendar: WorkCalendar, *, before: datetime) -> list[str]:
    """Issues of the town that have been waiting, untouched, since before a day: the oldest first."""
    wanted = IssueFilter(
        communities=tuple(cell.code for cell in homes),
        states=(IssueState.ACCEPTED, IssueState.RETURNED, IssueState.AGENDA),
        until=before.date(),
    )
    rows = issues.search(secretary, wanted, zone=calendar.zone, limit=60).rows
    found = []
    for row in sorted(rows, key=lambda one: (one.reported_at, one.number)):
        told = issues.get(secretary, row.number, zone=calendar.zone).detail.history
        if told and max(line.at for line in told) < before:
            found.append(row.number)
        if len(found) == ON_AGENDA:
            break
    return found


def _afternoon(day: datetime, calendar: WorkCalendar) -> datetime:
    return datetime.combine(day.astimezone(calendar.zone).date(), time(14, 30), calendar.zone)


def _version(viewer: Viewer, meeting: UUID) -> int:
    return meetings.row(viewer, meeting).version


def _within(cell: Cell, random: np.random.Generator) -> Point:
    west, south, east, north = cell.area.bounds
    for _ in range(200):
        lon, lat = random.uniform(west, east), random.uniform(south, north)
        if shapely.contains_xy(cell.area, lon, lat):
            return Point(round(float(lon), 6), round(float(lat), 6))
    return Point(*cell.seat)


def _pair(point: Point) -> tuple[float, float]:
    return point.lon, point.lat


def _id(name: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"geoapp demonstration {name}")
