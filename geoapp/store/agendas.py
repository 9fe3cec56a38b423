"""What a meeting could talk about, and what is known of each issue on its agenda: tried before, cost, who is near."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geoapp.domain.agenda import NEAR_M, Kind, Matter, Near
from geoapp.domain.values import IssueState, Name, VerdictClass, Viewer
from geoapp.store.condition import seen_in_full
from geoapp.store.issues import HistoryRow
from geoapp.store.reports import WITNESSES

TRIED = (
    "accept", "dispatch", "return", "to_agenda", "decide", "postpone", "agree", "visit", "settle", "defer", "shelve",
    "rework", "reopen", "report_done",
)  # fmt: skip
"""Lines of a history that tell what was tried."""
LAST = 7
FEWEST = 3
"""Of fewer no usual cost is told."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An issue that could be talked about, and why it is open from an earlier meeting (empty: it is not)."""

    issue_id: UUID
    state: IssueState
    category: str
    matter: Matter
    carried: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What of an issue an agenda shows beside what every list does."""

    severity: int
    witnesses: int
    planned: float | None
    spent: float | None
    fund: str
    accuracy_m: float | None
    judged_on: date
    near: tuple[Near, ...]


@dataclass(frozen=True, slots=True)
class Usual:
    """The median cost in yuan of solved issues of the same kind, of how many."""

    median: float
    n: int


@dataclass(frozen=True, slots=True)
class SensitiveRow:
    kind: Kind
    name: Name
    lon: float
    lat: float


# The nearest first; boxes first, because geography cannot use the index of a geometry.
_NEAR = """
    ARRAY(SELECT jsonb_build_array(v.kind, v.name_zh, v.name_en, round(v.m)) FROM (
        SELECT s.kind, s.name_zh, s.name_en, ST_Distance(s.geom::geography, i.geom::geography) AS m
        FROM sensitive_place s
        WHERE s.geom && ST_Expand(i.geom, :near / (110000 * cos(radians(ST_Y(i.geom)))), :near / 110000)
    ) AS v WHERE v.m < :near ORDER BY v.m, v.name_zh LIMIT 3)
"""


def candidates(
    db: Session, viewer: Viewer, place_id: int, meeting: UUID, *, today: date, only: UUID | None = None, limit: int
) -> list[Candidate]:
    """Issues of a place that wait for a meeting, or that an earlier one has left open, and that are on no agenda.

    ``only`` asks for one issue, whatever its state and wherever it is on an agenda.
    """
    full, own = seen_in_full(viewer)
    rows = db.execute(
        text(
            f"""
            WITH home AS MATERIALIZED (
                SELECT c.id FROM place c LEFT JOIN place s ON s.id = c.parent_id
                WHERE c.kind = 'community' AND :place IN (c.id, s.id, s.parent_id)
            )
            SELECT i.id, i.number, i.state, i.category_code, i.severity, i.reported_at, i.verdict, i.returns,
                   {WITNESSES} AS witnesses, before.postponed, before.due_on, before.n, {_NEAR} AS near
            FROM issue i
            LEFT JOIN LATERAL (
                SELECT count(*) AS n, count(*) FILTER (WHERE a.outcome = 'postpone') AS postponed,
                       (array_agg(a.due_on ORDER BY m.starts_at DESC))[1] AS due_on,
                       (array_agg(a.outcome ORDER BY m.starts_at DESC))[1] AS last
                FROM agenda_item a JOIN meeting m ON m.id = a.meeting_id
                WHERE a.issue_id = i.id AND m.state = 'closed') AS before ON true
            WHERE i.community_id IN (SELECT id FROM home) AND {full} AND i.ended_at IS NULL
              AND (i.id = :only OR (CAST(:only AS uuid) IS NULL
                   AND (i.state = 'agenda' OR (before.n > 0 AND before.last <> 'stay'))
                   AND NOT EXISTS (SELECT FROM agenda_item a JOIN meeting m ON m.id = a.meeting_id
                                   WHERE a.issue_id = i.id AND (m.state <> 'closed' OR m.id = :meeting))))
            ORDER BY i.severity DESC, i.reported_at, i.id LIMIT :limit
            """
        ),
        own | {"place": place_id, "meeting": meeting, "only": only, "near": NEAR_M, "limit": limit},
    )
    return [_candidate(row, today) for row in rows]


def facts(db: Session, ids: Sequence[UUID]) -> dict[UUID, Facts]:
    """Of issues that the caller has found for a viewer who sees them in full."""
    rows = db.execute(
        text(
            f"SELECT i.id, i.severity, {WITNESSES} AS witnesses, i.cost_planned, i.cost_spent, i.fund_source, "
            f"i.accuracy_m, i.judged_on, {_NEAR} AS near FROM issue i WHERE i.id = ANY (:ids)"
        ),
        {"ids": list(ids), "near": NEAR_M},
    )
    return {
        row.id: Facts(
            row.severity, row.witnesses, _float(row.cost_planned), _float(row.cost_spent), row.fund_source,
            row.accuracy_m, row.judged_on, _near(row.near),
        )
        for row in rows
    }  # fmt: skip


def tried(db: Session, ids: Sequence[UUID]) -> dict[UUID, list[HistoryRow]]:
    """The last lines of each history that tell what was tried, oldest first; what is internal is left out."""
    rows = db.execute(
        text(
            "SELECT issue_id, at, action, to_state, actor, note, detail FROM (SELECT h.*, row_number() OVER ("
            "PARTITION BY h.issue_id ORDER BY h.at DESC, h.seq DESC) AS nth FROM history h "
            "WHERE h.issue_id = ANY (:ids) AND h.action = ANY (:tried) AND NOT h.internal) AS told "
            "WHERE nth <= :last ORDER BY issue_id, at, seq"
        ),
        {"ids": list(ids), "tried": list(TRIED), "last": LAST},
    )
    found: dict[UUID, list[HistoryRow]] = {}
    for row in rows:
        state = IssueState(row.to_state) if row.to_state else None
        line = HistoryRow(row.at, row.action, state, row.actor, row.note, row.detail, internal=False)
        found.setdefault(row.issue_id, []).append(line)
    return found


def usual_costs(db: Session, categories: Sequence[str]) -> dict[str, Usual]:
    """What solved issues of a category, or of those beside it in the tree, have cost."""
    rows = db.execute(
        text(
            """
            SELECT wanted.code, count(*) AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY i.cost_spent) AS median
            FROM category wanted JOIN category c ON c.path[1] = wanted.path[1]
                 AND (cardinality(wanted.path) = 1 OR c.path[2] = wanted.path[2])
            JOIN issue i ON i.category_code = c.code AND i.state = 'closed' AND i.cost_spent > 0
            WHERE wanted.code = ANY (:codes) GROUP BY wanted.code HAVING count(*) >= :fewest
            """
        ),
        {"codes": list(categories), "fewest": FEWEST},
    )
    return {row.code: Usual(float(row.median), row.n) for row in rows}


def sensitive_around(db: Session, place_id: int, *, limit: int) -> list[SensitiveRow]:
    """The vulnerable places in the box of a place."""
    rows = db.execute(
        text(
            "SELECT s.kind, s.name_zh, s.name_en, ST_X(s.geom) AS lon, ST_Y(s.geom) AS lat FROM sensitive_place s "
            "WHERE EXISTS (SELECT FROM boundary b WHERE b.place_id = :place AND s.geom && b.area) "
            "ORDER BY s.id LIMIT :limit"
        ),
        {"place": place_id, "limit": limit},
    )
    return [SensitiveRow(Kind(row.kind), Name(row.name_zh, row.name_en), row.lon, row.lat) for row in rows]


def replace_sensitive(
    db: Session, kind: Kind, found: Sequence[tuple[str, str, bytes]], *, origin: str, synthetic: bool
) -> None:
    """Put these places (Chinese and English name, WKB of a point) in the place of all of their kind."""
    db.execute(text("DELETE FROM sensitive_place WHERE kind = :kind"), {"kind": str(kind)})
    if found:
        db.execute(
            text(
                "INSERT INTO sensitive_place (kind, name_zh, name_en, geom, origin, synthetic) VALUES "
                "(:kind, :zh, :en, ST_SetSRID(ST_GeomFromWKB(:point), 4326), :origin, :synthetic)"
            ),
            [
                {"kind": str(kind), "zh": zh, "en": en, "point": point, "origin": origin, "synthetic": synthetic}
                for zh, en, point in found
            ],
        )


def _candidate(row: Row[Any], today: date) -> Candidate:
    broken = row.due_on is not None and row.due_on < today
    carried = "broken" if broken else "postponed" if row.postponed else "not_done" if row.n else ""
    matter = Matter(
        row.number, row.severity, row.reported_at, VerdictClass(row.verdict), row.returns, row.witnesses,
        postponed=row.postponed, broken=broken, near=_near(row.near),
    )  # fmt: skip
    return Candidate(row.id, IssueState(row.state), row.category_code, matter, carried)


def _near(found: Sequence[Sequence[Any]]) -> tuple[Near, ...]:
    return tuple(Near(Kind(kind), zh, en, float(m)) for kind, zh, en, m in found)


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
