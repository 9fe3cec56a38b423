"""One's own report: seen, added to, corrected, rated, taken back, carried away and erased, by the private link's key.

Whoever holds the key is whoever reported; there is no account behind it.
"""

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from geoapp.domain import abuse, workflow
from geoapp.domain import reports as rules
from geoapp.domain.abuse import HELD, Signs
from geoapp.domain.calendar import WorkCalendar
from geoapp.domain.editing import Facts, changed
from geoapp.domain.permissions import Right
from geoapp.domain.values import ANONYMOUS, OPERATOR, Matter, Phase, Point, Role, Score
from geoapp.domain.workflow import OwnAct, Refusal, Transition
from geoapp.errors import BadInput, NotFound, Refused, TooMany
from geoapp.services.photos import LONGEST_CAPTION, Added
from geoapp.services.reports import NOBODY, Limits, check_words
from geoapp.services.triage import carry, refused
from geoapp.store import abuse as counted
from geoapp.store import cases, editing, own, photos, reviews
from geoapp.store.cases import Standing
from geoapp.store.own import Own
from geoapp.store.photos import Photo
from geoapp.store.session import Session, snapshot, transaction

__all__ = [
    "MOST_PHOTOS",
    "Own",
    "add_photo",
    "correct",
    "erase",
    "export",
    "photo_of",
    "purge",
    "rate",
    "read",
    "remark",
    "withdraw",
]

MOST_PHOTOS, MOST_REMARKS = 10, 50
LONGEST_REMARK, LONGEST_REASON = 2000, 1000
PORTION = 500


def read(issue: UUID, report: UUID, key: str) -> Own:
    """A report for whoever holds the key of its private link; raises NotFound for anybody else."""
    with snapshot() as db:
        return _found(own.by_key(db, issue, report, key), report)


def correct(issue: UUID, report: UUID, key: str, change: Facts, *, now: datetime, calendar: WorkCalendar) -> None:
    """Correct one's own title, text or address; the public reads the new words after a review.

    Raises NotFound, BadInput naming the field, and Refused for a witness or once the issue has ended.
    """
    for field, most in (
        ("title", rules.LONGEST_TITLE),
        ("text", rules.LONGEST_TEXT),
        ("address", rules.LONGEST_ADDRESS),
    ):
        check_words(field, getattr(change, field) or "", most)
    with _held(issue, report, key, calendar.zone) as (db, mine, standing):
        _alive(mine)
        if mine.witness:
            raise Refused("not_your_words", "text")
        known, _, was_released = editing.facts(db, issue)
        found = changed(known, change)
        if not found or found.get("title", ("", "x"))[1] == "":
            return
        looked = abuse.suspicion((change.title or "") + (change.text or ""), Signs(known=True))
        released = was_released and mine.at_once and looked.score < HELD
        line = Transition(OwnAct.CORRECT, None, Role.RESIDENT, "", {"fields": sorted(found)}, internal=True)
        also: dict[str, tuple[str, dict[str, Any]]] = dict(editing.assignments(known, found))
        also["text_released"] = (":released", {"released": released})
        cases.write(db, standing.case, line, viewer=ANONYMOUS, now=now, also=also)
        editing.keep(db, issue, found, person=None, now=now)
        if not released:
            reviews.ask(db, issue, Matter.WORDS, report, looked, at=now)


def remark(
    issue: UUID, report: UUID, key: str, said: str, *, id: UUID, now: datetime, zone: ZoneInfo,  # noqa: A002
    limits: Limits = NOBODY,
) -> None:  # fmt: skip
    """Add a word; the public reads it after a review. The same ``id`` twice is once.

    Raises NotFound, BadInput, TooMany, and Refused once the issue has ended.
    """
    said = said.strip()
    if not said:
        raise BadInput("remark", "missing")
    check_words("remark", said, LONGEST_REMARK)
    with _held(issue, report, key, zone) as (db, mine, _):
        _alive(mine)
        if id in {one.id for one in mine.remarks}:
            return
        if len(mine.remarks) >= MOST_REMARKS:
            raise BadInput("remark", "too_many", most=MOST_REMARKS)
        _count(db, limits, now=now)
        if own.add_remark(db, mine, id, said, now=now):
            looked = abuse.suspicion(said, Signs(known=True))
            reviews.ask(db, issue, Matter.REMARK, id, looked, at=now)
            cases.tell(db, issue, OwnAct.REMARK, actor=Role.RESIDENT, person=None, at=now, internal=True)


def add_photo(
    issue: UUID, report: UUID, key: str, raw: bytes, *, id: UUID, caption: str, folder: Path, now: datetime,  # noqa: A002
    zone: ZoneInfo, limits: Limits = NOBODY,
) -> Added:  # fmt: skip
    """Add a photo; the public sees it after a review. The same ``id`` twice is once.

    Raises NotFound, BadInput naming what is wrong with it, TooMany, and Refused once the issue has ended.
    """
    check_words("caption", caption, LONGEST_CAPTION)
    mine = read(issue, report, key)
    if there := next((one for one in mine.photos if one.id == id), None):
        return Added(there, None)
    _alive(mine)
    # Developed outside of the transaction: a decoder must not hold a row's lock.
    done = photos.develop(folder, raw)
    photo = Photo(
        id, done.sha256, Phase.BEFORE, done.width, done.height, caption.strip(), now, released=False, report=report
    )
    with _held(issue, report, key, zone) as (db, now_mine, _):
        if id in {one.id for one in now_mine.photos}:
            return Added(photo, None)
        if len(now_mine.photos) >= MOST_PHOTOS:
            raise BadInput("photo", "too_many", most=MOST_PHOTOS)
        _count(db, limits, now=now)
        photos.add(db, issue, photo, None)
        reviews.ask(db, issue, Matter.PHOTO, id, abuse.Suspicion(), at=now)
        cases.tell(
            db, issue, Right.PHOTO, actor=Role.RESIDENT, person=None, at=now, internal=True,
            detail={"photo": str(id), "phase": str(photo.phase)},
        )  # fmt: skip
    place = Point(done.lon, done.lat) if done.lon is not None and done.lat is not None else None
    return Added(photo, place)


def photo_of(issue: UUID, report: UUID, key: str, photo: UUID, *, folder: Path) -> Path:
    """The file of one of one's own photos; raises NotFound."""
    found = next((one for one in read(issue, report, key).photos if one.id == photo), None)
    if found is None:
        raise NotFound("photo", str(photo))
    return photos.path(folder, found.sha256, "large")


def withdraw(issue: UUID, report: UUID, key: str, *, now: datetime, calendar: WorkCalendar) -> bool:
    """Take a report back; True when the issue ends with it, because nobody else told of it or works on it."""
    with _held(issue, report, key, calendar.zone) as (db, mine, standing):
        if mine.withdrawn:
            raise Refused("withdrawn", "report")
        own.withdraw(db, mine, now=now)
        ends = None if mine.witness else workflow.withdrawn(mine.state, witnesses=mine.witnesses)
        if ends:
            line = Transition(OwnAct.WITHDRAW, ends, Role.RESIDENT, "")
            carry(db, standing, line, viewer=ANONYMOUS, now=now, calendar=calendar)
        else:
            cases.tell(db, issue, OwnAct.WITHDRAW, actor=Role.RESIDENT, person=None, at=now, internal=True)
        return ends is not None


def rate(
    issue: UUID, report: UUID, key: str, score: str, reason: str, *, now: datetime, calendar: WorkCalendar
) -> bool:
    """Say whether it is solved; True when the answer reopens the issue.

    Raises NotFound, BadInput naming the field, and Incomplete for an issue that is not closed.
    """
    if score not in set(Score):
        raise BadInput("score", "one_of", value=score[:20], choices=", ".join(Score))
    reason = reason.strip()
    check_words("reason", reason, LONGEST_REASON)
    if Score(score) is not Score.SOLVED and not reason:
        raise BadInput("reason", "missing")
    with _held(issue, report, key, calendar.zone) as (db, mine, standing):
        if mine.withdrawn:
            raise Refused("withdrawn", "score")
        leads = workflow.rated(mine.state, Score(score), ended_at=mine.ended_at, now=now)
        if isinstance(leads, Refusal):
            raise refused(leads)
        own.rate(db, mine, Score(score), reason, now=now)
        if reason:
            looked = abuse.suspicion(reason, Signs(known=True))
            reviews.ask(db, issue, Matter.RATING, report, looked, at=now)
        cases.tell(db, issue, OwnAct.RATE, actor=Role.RESIDENT, person=None, at=now, detail={"score": score})
        if leads:
            line = Transition(Right.REOPEN, leads, Role.RESIDENT, "", {"score": score})
            # The line of the rating has moved the head on; the case itself stands as it was read.
            carry(db, standing, line, viewer=ANONYMOUS, now=now, calendar=calendar)
        return leads is not None


def export(issue: UUID, report: UUID, key: str, *, folder: Path, describe: Callable[[Own], dict[str, Any]]) -> bytes:
    """All that is kept of somebody's report as a ZIP: ``report.json``, written by ``describe``, and the photos."""
    mine = read(issue, report, key)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("report.json", json.dumps(describe(mine), ensure_ascii=False, indent=2))
        for nth, photo in enumerate(mine.photos, start=1):
            file = photos.path(folder, photo.sha256, "large")
            if file.is_file():
                packed.write(file, f"photo-{nth}.jpg", zipfile.ZIP_STORED)
    return out.getvalue()


def erase(issue: UUID, report: UUID, key: str, *, folder: Path, now: datetime, zone: ZoneInfo) -> None:
    """Delete all that is of this reporter, what the public sees of it too; the link is dead afterwards."""
    with _held(issue, report, key, zone) as (db, mine, _):
        own.erase(db, issue, report, now=now, wholly=True)
        cases.tell(db, issue, OwnAct.ERASE, actor=Role.RESIDENT, person=None, at=now, internal=True)
    with snapshot() as db:
        photos.sweep_some(
            db, folder, [name for one in mine.photos for name in (one.sha256, one.original_sha256) if name]
        )


def purge(folder: Path, *, now: datetime, after: timedelta) -> int:
    """Forget who made the reports of issues that ended so long ago; returns how many."""
    with transaction() as db:
        found = own.over(db, now=now, after=after, limit=PORTION)
        for issue, report in found:
            own.erase(db, issue, report, now=now, wholly=False)
            cases.tell(db, issue, OwnAct.ERASE, actor=Role.OPERATOR, person=None, at=now, internal=True)
    if found:
        with snapshot() as db:
            photos.sweep(db, folder, now=now, older=timedelta(hours=1))
    return len(found)


@contextmanager
def _held(issue: UUID, report: UUID, key: str, zone: ZoneInfo) -> Any:
    """The report and its issue, locked, for whoever holds the key."""
    with transaction() as db:
        standing: Standing | None = cases.read(db, str(issue), OPERATOR, zone, lock=True)
        mine = _found(own.by_key(db, issue, report, key), report)
        yield db, mine, standing


def _found(mine: Own | None, report: UUID) -> Own:
    if mine is None:
        raise NotFound("report", str(report))
    return mine


def _alive(mine: Own) -> None:
    if mine.state.ended:
        raise Refused("has_ended", "report")
    if mine.withdrawn:
        raise Refused("withdrawn", "report")


def _count(db: Session, limits: Limits, *, now: datetime) -> None:
    """What is added counts against a network of its own account, so that a report does not stop its photos."""
    if limits.per_hour <= 0 or not limits.sender.network:
        return
    most = limits.per_hour * MOST_PHOTOS
    sent = counted.count(db, [abuse.Counter(f"add:net:{limits.sender.network}", most, abuse.HOUR)], now=now)
    if sent.wait:
        raise TooMany("report", sent.wait)
