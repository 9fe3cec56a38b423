"""Explain this place: whose it is for which kind of problem, what is open around, and how long such things take."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from geoapp.domain.geometry import cell_code
from geoapp.domain.responsibility import Verdict, judge, tolerance_m
from geoapp.domain.values import ANONYMOUS, IssueState, Name, Point, StateGroup, states_of
from geoapp.services import places
from geoapp.services.places import Whose
from geoapp.store import around, issues, meetings
from geoapp.store import places as land
from geoapp.store.around import FEWEST, Usual
from geoapp.store.issues import IssueRow
from geoapp.store.places import Contact, Named
from geoapp.store.session import Session, snapshot

__all__ = ["FEWEST", "REACH_M", "Explained", "Named", "Nearby", "Usual", "explain", "named"]

REACH_M = 300.0
SPAN = timedelta(days=730)
MOST = 10
MOST_NAMED = 20
OPEN = (*states_of(StateGroup.OPEN), *states_of(StateGroup.IN_WORK))


@dataclass(frozen=True, slots=True)
class Nearby:
    """An issue and how far it is, in metres, by the place that the public knows."""

    row: IssueRow
    distance_m: float


@dataclass(frozen=True, slots=True)
class Explained:
    """All that the public may know of a place. ``verdicts`` is by kind of problem, the branches of the tree first."""

    point: Point
    cell: str
    whose: Whose
    verdicts: tuple[tuple[Name, Verdict], ...]
    open: tuple[Nearby, ...]
    solved: tuple[Nearby, ...]
    usual: tuple[Usual, ...]
    contact: Contact | None
    meeting: tuple[datetime, Name] | None
    """When the next joint meeting (联席会议) is, and of which place."""


def explain(point: Point, *, now: datetime, day: date) -> Explained:
    """What there is to know of a place as of ``day``; kinds whose answer is that of their branch are left out."""
    whose = places.whose(ANONYMOUS, point, None, day=day)
    tolerance = tolerance_m(None)
    with snapshot() as db:
        known = {row.code: row for row in land.categories(db)}
        tops = [row.code for row in known.values() if row.parent is None]
        own = [code for code in around.particular(db, point, tolerance=tolerance, day=day) if code in known]
        judged = {
            code: judge(land.hits(db, point, category=code, tolerance=tolerance, day=day)) for code in (*tops, *own)
        }
        told = tuple(
            (known[code].name, verdict)
            for code, verdict in judged.items()
            if code in tops or _units(verdict) != _units(judged[code.partition(".")[0]])
        )
        community = whose.communities[0].code if whose.communities else None
        usual = around.usual(db, community, now=now, span=SPAN) if community else []
        return Explained(
            point, cell_code(point.lon, point.lat), whose, told, _nearby(db, point, OPEN),
            _nearby(db, point, (IssueState.CLOSED,)), tuple(usual), land.contact(db, community) if community else None,
            meetings.next_of(db, community, now=now) if community else None,
        )  # fmt: skip


def named(words: str, *, day: date) -> list[Named]:
    """Districts, streets and communities whose name holds these words, at most ``MOST_NAMED``."""
    with snapshot() as db:
        return land.named(db, words, day=day, limit=MOST_NAMED) if words else []


def _units(verdict: Verdict) -> list[str]:
    return [hit.unit for hit in verdict.candidates if hit.inside]


def _nearby(db: Session, point: Point, states: tuple[IssueState, ...]) -> tuple[Nearby, ...]:
    found = around.nearby(db, point, reach_m=REACH_M, states=states, limit=MOST)
    rows = issues.some(db, list(found), ANONYMOUS)
    return tuple(Nearby(rows[one], distance) for one, distance in found.items() if one in rows)
