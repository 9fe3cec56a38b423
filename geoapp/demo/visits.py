"""Two site visits of the demonstration's first secretary: one that has ended, and one that is planned."""

from datetime import datetime, time, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from geoapp.demo import stories, walks
from geoapp.domain.calendar import WorkCalendar
from geoapp.domain.values import Grant, IssueFilter, IssueState, Point, Role, StateGroup, Viewer
from geoapp.domain.visiting import Draft, DraftGuest, DraftStop
from geoapp.services import accounts, issues, visits
from geoapp.services.issues import IssueRow

LOGIN = "secretary"
ENDED, PLANNED = (uuid5(NAMESPACE_URL, f"geoapp demonstration visit {name}") for name in ("ended", "planned"))
ALIVE = tuple(state for state in IssueState if state.group in {StateGroup.OPEN, StateGroup.IN_WORK})
NEAR_DEG = 0.012
FORTNIGHT = timedelta(days=14)


def arrange(viewer: Viewer, *, now: datetime, calendar: WorkCalendar) -> None:
    """Plan both, where they are not there; does nothing without the secretary's account or issues near the story."""
    account = next((one for one, _ in accounts.everybody(viewer) if one.login == LOGIN), None)
    if account is None:
        return
    secretary = Viewer((Grant(Role.OPERATOR),), account.id, account.name)
    near = _near(secretary, calendar)
    if len(near) < 3 or any(row.id in {ENDED, PLANNED} for row in visits.mine(secretary)):  # noqa: PLR2004
        return
    today = now.astimezone(calendar.zone).date()
    before = now - FORTNIGHT
    walked = near[8:14] or near[:3]
    _plan(
        secretary,
        ENDED,
        walked,
        "飞鹅社区一带现场办公（演示）",
        now=before,
        calendar=calendar,
        on=before,
    )
    walks.walk(secretary, ENDED, walked, begun=before, calendar=calendar)
    visits.end(
        secretary, ENDED, version=1, now=before + timedelta(hours=3), calendar=calendar,
        summary="现场看了六处：两处当场明确了责任单位，其余列入下次联席会议。（演示）",
    )  # fmt: skip
    soon = datetime.combine(today + timedelta(days=1), time(9), calendar.zone)
    _plan(secretary, PLANNED, near[:9], "古南街道老旧小区现场办公（演示）", now=now, calendar=calendar, on=soon)


def _near(viewer: Viewer, calendar: WorkCalendar) -> list[IssueRow]:
    """What is still to be done within a walk of the first story, the nearest deadline first."""
    wanted = IssueFilter(communities=(stories.SIDEWALK,), states=ALIVE)
    first = issues.search(viewer, wanted, zone=calendar.zone, limit=1).rows
    if not first:
        return []
    found = issues.search(viewer, IssueFilter(states=ALIVE), zone=calendar.zone, limit=1000, by_deadline=True).rows
    return [row for row in found if abs(row.lon - first[0].lon) < NEAR_DEG and abs(row.lat - first[0].lat) < NEAR_DEG]


def _plan(
    viewer: Viewer, name: UUID, rows: list[IssueRow], title: str, *, now: datetime, calendar: WorkCalendar, on: datetime
) -> None:
    middle = Point(sum(row.lon for row in rows) / len(rows), sum(row.lat for row in rows) / len(rows))
    unit = next((row.unit for row in rows if row.unit), None)
    guest = DraftGuest(uuid5(name, "guest"), unit=unit, window_from=time(10), window_to=time(11, 30)) if unit else None
    draft = Draft(
        title=title,
        on_day=on.astimezone(calendar.zone).date(),
        starts_at=time(9),
        start=middle,
        start_name="社区办公室（演示）",
        stops=tuple(DraftStop(row.id) for row in rows),
        budget_min=210,
        guests=(guest,) if guest else (),
    )
    visits.create(viewer, draft, id=name, now=now, zone=calendar.zone, synthetic=True)
