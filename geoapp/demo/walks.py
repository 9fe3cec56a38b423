"""What the demonstration's first secretary recorded on the visit that has ended: made up, and said to be so."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from geoapp.domain.calendar import WorkCalendar
from geoapp.domain.fieldwork import CheckIn, Finding, Kind, Seen, Told
from geoapp.domain.values import Point, Viewer
from geoapp.services import fieldwork
from geoapp.services.fieldwork import What
from geoapp.services.issues import IssueRow

FOUND = (
    (Seen.AS_REPORTED, "破损约 3 平方米，行人绕行。（演示）", "先围挡，再报修", 7),
    (Seen.WORSE, "比照片里扩大，雨后积水。（演示）", "责任单位一周内到场复核", 10),
    (Seen.BETTER, "社区已清理一次，仍有残留。（演示）", "", 0),
    (Seen.AS_REPORTED, "两家单位都说不归自己，现场留了照片。（演示）", "列入下次联席会议", 20),
    (Seen.SOLVED, "已修好，待督查核查。（演示）", "", 0),
    (Seen.NOT_FOUND, "问了两户居民，没有找到。（演示）", "", 0),
)
OFF = (0.00004, -0.00002, 0.00007, 0.00001, -0.00005, 0.00012)
"""Degrees beside the place: nobody stands on the very point."""


def walk(viewer: Viewer, visit: UUID, rows: Sequence[IssueRow], *, begun: datetime, calendar: WorkCalendar) -> None:
    """Check in at every stop and say what was found there, some minutes apart."""
    for nth, (row, (seen, words, follow_up, days), off) in enumerate(zip(rows, FOUND, OFF, strict=False)):
        at = begun + timedelta(minutes=20 * nth + 10)
        here = CheckIn(Point(row.lon + off, row.lat + off / 2), 8.0 + 3 * nth)
        due = (at + timedelta(days=days)).date() if follow_up else None
        found = Finding(seen, words, {}, follow_up, due)
        place = {"lon": here.point.lon, "lat": here.point.lat, "accuracy_m": here.accuracy_m}
        said: dict[str, Any] = {"seen": str(seen), "words": words}
        if due:
            said |= {"follow_up": follow_up, "due": due.isoformat()}
        records: tuple[tuple[Kind, What, dict[str, Any]], ...] = (
            (Kind.CHECK_IN, here, place),
            (Kind.FINDING, found, said),
        )
        for later, (kind, what, body) in enumerate(records):
            then = at + timedelta(minutes=6 * later)
            told = Told(uuid5(visit, f"{kind} {nth}"), row.id, kind, then, None, body)
            # No photo is among them, so no folder is written to.
            fieldwork.record(viewer, visit, told, what, folder=Path(), prefix="", now=then, calendar=calendar)
