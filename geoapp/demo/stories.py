"""The four stories that the product is made for, as complete issues: a place, an extent, a history.

The sidewalk that a repair shop's cars crush, the dump between three estates, the shortcut without lamps,
the four towers whose fire pump cannot lift water. What happened is modelled on the mechanism; the places,
dates and sums are made up.
"""

import math
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from geoapp.demo.land import Land
from geoapp.demo.reports import moved
from geoapp.domain.geometry import geodesic_area_m2, geodesic_length_m
from geoapp.domain.values import Event, IssueState, Level, NewIssue, PlacedBy, Point, Source

SIDEWALK, DUMP, PATH, TOWERS = "500110001003", "500110001007", "500110109001", "500110004003"
"""The communities in which the stories play."""
VERDICTS = {
    (SIDEWALK, "road"): "contested",
    (DUMP, "waste"): "orphan",
    (PATH, "road"): "orphan",
    (TOWERS, "fire"): "contested",
}
DUMP_M2, PATH_M = 2000.0, 160.0

_S = IssueState
Line = tuple[float, str, IssueState | None, str, str]
"""Days before the filling, what was done, the state after it, by whom, in what words."""


def tell(land: Land, *, now: datetime, prefix: str) -> list[NewIssue]:
    """The four issues as of ``now``."""
    return [
        _sidewalk(land, now, prefix),
        _dump(land, now, prefix),
        _path(land, now, prefix),
        _towers(land, now, prefix),
    ]


def _sidewalk(land: Land, now: datetime, prefix: str) -> NewIssue:
    course: list[Line] = [
        (148, "report", _S.REPORTED, "steward", "汽修店车辆长期碾压，人行道地砖碎裂约 40 米。"),
        (147, "accept", _S.ACCEPTED, "community", "红色管家与社区共同核实。"),
        (146, "dispatch", _S.DISPATCHED, "community", "派遣市政设施管理处。"),
        (141, "return", _S.RETURNED, "unit", "该路段在公路养护里程内，非市政管养。"),
        (139, "dispatch", _S.DISPATCHED, "community", "派遣公路养护中心。"),
        (132, "return", _S.RETURNED, "unit", "人行道不属公路用地范围。"),
        (125, "to_agenda", _S.AGENDA, "community", "两次退件，提交联席会议。"),
        (
            112,
            "decide",
            _S.ACCEPTED,
            "meeting",
            "牵头：市政设施管理处；配合：街道办事处劝导汽修店退店经营。经费 3.6 万元，限 45 日。",
        ),
        (105, "visit", None, "secretary", "第一书记现场办公，三方到场。"),
        (105, "settle", None, "secretary", "现场确权：路缘石以内由市政设施管理处管养，签字附图。"),
        (104, "dispatch", _S.DISPATCHED, "community", ""),
        (98, "start", _S.HANDLING, "unit", "围挡施工，加设车止石。"),
        (84, "report_done", _S.DONE, "unit", "更换地砖 62 平方米，安装车止石 18 个。"),
        (82, "rework", _S.REWORK, "supervisor", "两处车止石松动，盲道未接通。"),
        (77, "report_done", _S.DONE, "unit", "已加固，盲道已接通。"),
        (75, "close", _S.CLOSED, "supervisor", "核查通过，居民满意度 4.6 / 5。"),
    ]
    return _issue(
        land, SIDEWALK, course, now, prefix,
        category="road.broken-sidewalk", title="汽修店门前人行道被车辆碾坏",
        unit="municipal", helping_units=(land.communities[SIDEWALK].parent,),
        severity=3, level=Level.JOINT_MEETING, source=Source.STEWARD,
        cost_planned=36_000.0, cost_spent=34_850.0, fund_source="社区专项资金（示例）",
    )  # fmt: skip


def _dump(land: Land, now: datetime, prefix: str) -> NewIssue:
    course: list[Line] = [
        (96, "report", _S.REPORTED, "resident", "三个小区之间的空地堆满建渣和生活垃圾，约 2000 平方米，夏天臭味大。"),
        (95, "accept", _S.ACCEPTED, "community", "现场核实，三个小区均称不在红线内。"),
        (80, "to_agenda", _S.AGENDA, "community", "权责不明，提交联席会议。"),
        (61, "visit", None, "secretary", "第一书记带规划、环卫、街道到场踏勘。"),
        (61, "settle", None, "secretary", "现场确权：未出让储备地，由环境卫生管理所负责清运，街道负责日常看护。"),
        (54, "decide", _S.ACCEPTED, "meeting", "先清运后围挡，远期改造为停车场；预算 8.6 万元。"),
        (53, "dispatch", _S.DISPATCHED, "community", ""),
        (40, "start", _S.HANDLING, "unit", "已清运 37 车，余量约四成。"),
    ]
    shape = shapely.Polygon([(-27, -20), (24, -26), (31, 9), (8, 24), (-22, 21)])
    return _issue(
        land, DUMP, course, now, prefix,
        category="waste.dumping-site", title="三个小区之间的空地成了垃圾场",
        extent=_sized(shape, _middle(land, DUMP), DUMP_M2),
        unit="cleaning", helping_units=(land.communities[DUMP].parent,),
        severity=4, level=Level.JOINT_MEETING, source=Source.RESIDENT,
        cost_planned=86_000.0, fund_source="区级以奖代补（示例）",
    )  # fmt: skip


def _path(land: Land, now: datetime, prefix: str) -> NewIssue:
    course: list[Line] = [
        (230, "report", _S.REPORTED, "resident", "学生上学的近路，160 米没有一盏灯，石板松动，杂草过膝。"),
        (229, "accept", _S.ACCEPTED, "community", ""),
        (214, "to_agenda", _S.AGENDA, "community", "原属已撤销企业，无人管养。"),
        (198, "decide", _S.ACCEPTED, "meeting", "镇政府牵头，路灯由供电分公司配合；志愿队出工。"),
        (197, "dispatch", _S.DISPATCHED, "community", ""),
        (190, "visit", None, "secretary", "现场确定 8 盏灯位。"),
        (180, "start", _S.HANDLING, "unit", "清除杂草，重铺石板。"),
        (151, "report_done", _S.DONE, "unit", "铺装 160 米，安装太阳能路灯 8 盏。"),
        (148, "close", _S.CLOSED, "supervisor", "夜间核查亮灯正常。"),
    ]
    line = shapely.LineString([(-70, -22), (-38, -6), (-12, 4), (20, -3), (44, 12), (74, 20)])
    return _issue(
        land, PATH, course, now, prefix,
        category="road.abandoned-path", title="上学近路 160 米无灯无人管",
        extent=_sized(line, _middle(land, PATH), PATH_M),
        unit=land.communities[PATH].parent, helping_units=("power",),
        severity=2, level=Level.JOINT_MEETING, source=Source.RESIDENT,
        cost_planned=28_000.0, cost_spent=26_400.0, fund_source="驻区单位捐助（示例）",
    )  # fmt: skip


def _towers(land: Land, now: datetime, prefix: str) -> NewIssue:
    course: list[Line] = [
        (63, "report", _S.REPORTED, "patrol", "四栋高层消防管网锈蚀漏水，水泵加压不到顶层。"),
        (63, "accept", _S.ACCEPTED, "community", "列为重大隐患。"),
        (62, "dispatch", _S.DISPATCHED, "community", "派遣消防救援站。"),
        (59, "return", _S.RETURNED, "unit", "楼内管网由产权方维护，消防部门负责监督。"),
        (58, "dispatch", _S.DISPATCHED, "community", "派遣房屋管理所。"),
        (50, "return", _S.RETURNED, "unit", "小区已移交物业，维修资金未归集。"),
        (47, "to_agenda", _S.AGENDA, "community", "三次协调无果，提交联席会议。"),
        (33, "visit", None, "secretary", "第一书记带消防、房管、物业入户测压，四栋均为 0。"),
        (26, "decide", _S.ACCEPTED, "meeting", "房屋管理所牵头，应急使用维修资金 42 万元；消防救援站驻点值守。"),
        (25, "dispatch", _S.DISPATCHED, "community", ""),
    ]
    towers = shapely.MultiPoint([(-34, -18), (36, -24), (30, 27), (-31, 24)])
    return _issue(
        land, TOWERS, course, now, prefix,
        category="fire.leaking-pipe", title="四栋高层消防管网漏水、水泵上不了水",
        extent=_placed(towers, _middle(land, TOWERS)),
        unit="housing", helping_units=("fire", "estates"),
        severity=4, level=Level.JOINT_MEETING, source=Source.PATROL,
        cost_planned=420_000.0, fund_source="应急维修资金（示例）",
    )  # fmt: skip


def _issue(land: Land, community: str, course: Sequence[Line], now: datetime, prefix: str, **facts: object) -> NewIssue:
    morning = datetime.combine(now.date(), time(1, 30), now.tzinfo)
    events = [
        # Steps of one day follow each other by the hour.
        Event(morning - timedelta(days=days) + timedelta(minutes=25 * nth), action, state, actor, note)
        for nth, (days, action, state, actor, note) in enumerate(course)
    ]
    state = next(event.to_state for event in reversed(events) if event.to_state)
    lon, lat = _middle(land, community)
    known = {
        "id": uuid5(NAMESPACE_URL, f"geoapp demonstration story {facts['category']}"),
        "text": events[0].note,
        "text_released": True,
        "address": land.communities[community].name.zh,
        "point": Point(lon, lat),
        "placed_by": PlacedBy.PIN,
        "accuracy_m": 5.0,
        "reported_at": events[0].at,
        "updated_at": events[-1].at,
        "ended_at": events[-1].at if state.ended else None,
        "state": state,
        "source_id": f"story-{facts['category']}",
        "number_prefix": prefix,
        "synthetic": True,
        "history": (Event(events[0].at, "report", IssueState.REPORTED, events[0].actor), *events[1:]),
    }
    return NewIssue(**(known | facts))  # type: ignore[arg-type] # one dict of all the fields


def _middle(land: Land, community: str) -> tuple[float, float]:
    """A point well inside a community: the stories are about whose it is, not about where it ends."""
    lon, lat = shapely.point_on_surface(land.communities[community].area).coords[0]
    return round(lon, 6), round(lat, 6)


def _placed(metres: BaseGeometry, middle: tuple[float, float]) -> bytes:
    """A shape drawn in metres east and north of ``middle``, as WKB in EPSG:4326."""
    return shapely.to_wkb(
        shapely.transform(metres, lambda xy: np.array([moved(middle, east, north) for east, north in xy]))
    )


def _sized(metres: BaseGeometry, middle: tuple[float, float], size: float) -> bytes:
    """The same, grown or shrunk to ``size`` on the ellipsoid: metres of a line, square metres of an area."""
    drawn = shapely.from_wkb(_placed(metres, middle))
    line = metres.geom_type == "LineString"
    factor = size / geodesic_length_m(drawn) if line else math.sqrt(size / geodesic_area_m2(drawn))
    return _placed(affinity.scale(metres, factor, factor, origin=(0, 0)), middle)
