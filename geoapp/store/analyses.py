"""Kept results of analyses: who computes one, how far it is, and its bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.store.issues import IssueRow, some
from geoapp.store.session import driver

ANALYSE, QUEUE = "analyse", "chores"


@dataclass(frozen=True, slots=True)
class Kept:
    """A question and how far its answer is; ``packed`` is there when ``state`` is done and it was asked for."""

    key: str
    question: dict[str, Any]
    scope: str
    person: UUID | None
    state: str
    progress: int
    problem: dict[str, Any]
    packed: bytes | None


def find(db: Session, key: str, *, whole: bool = True) -> Kept | None:
    row = db.execute(
        text(
            "SELECT key, question, scope, person_id, state, progress, problem, "
            "CASE WHEN :whole AND state = 'done' THEN packed END FROM analysis_result WHERE key = :key"
        ),
        {"key": key, "whole": whole},
    ).one_or_none()
    if row is None:
        return None
    key, question, scope, person, state, progress, problem, packed = row
    kept = None if packed is None else bytes(packed)
    return Kept(key, question, scope, person, state, progress, problem, kept)


def claim(
    db: Session, key: str, question: Mapping[str, Any], *, scope: str, person: UUID | None, state: str, again: bool,
    now: datetime, before: datetime,
) -> bool:  # fmt: skip
    """Take it on to compute this; False when somebody has, or when it is there.

    What failed, what was begun ``before`` and never ended, and with ``again`` what was cancelled, is taken over.
    """
    taken = db.execute(
        text(
            """
            INSERT INTO analysis_result (key, question, scope, person_id, state, began_at, used_at)
            VALUES (:key, :question, :scope, :person, :state, :now, :now)
            ON CONFLICT (key) DO UPDATE SET state = :state, progress = 0, problem = '{}', began_at = :now,
                used_at = :now, person_id = :person
            WHERE analysis_result.state = 'failed' OR (:again AND analysis_result.state = 'cancelled')
                OR (analysis_result.state IN ('waiting', 'working') AND analysis_result.began_at < :before)
            RETURNING 1
            """
        ),
        {
            "key": key, "question": Jsonb(question), "scope": scope, "person": person, "state": state, "again": again,
            "now": now, "before": before,
        },
    )  # fmt: skip
    return bool(taken.all())


def step(db: Session, key: str, progress: int) -> bool:
    """Say how far it is; False when it is wanted no more."""
    going = db.execute(
        text(
            "UPDATE analysis_result SET state = 'working', progress = :progress "
            "WHERE key = :key AND state IN ('waiting', 'working') RETURNING 1"
        ),
        {"key": key, "progress": progress},
    )
    return bool(going.all())


def finish(db: Session, key: str, packed: bytes) -> None:
    """Keep the answer, unless it was cancelled meanwhile."""
    db.execute(
        text(
            "UPDATE analysis_result SET state = 'done', progress = 100, packed = :packed "
            "WHERE key = :key AND state IN ('waiting', 'working')"
        ),
        {"key": key, "packed": packed},
    )


def fail(db: Session, key: str, problem: Mapping[str, Any]) -> None:
    db.execute(
        text("UPDATE analysis_result SET state = 'failed', problem = :problem WHERE key = :key AND state <> 'done'"),
        {"key": key, "problem": Jsonb(problem)},
    )


def cancel(db: Session, key: str) -> bool:
    gone = db.execute(
        text(
            "UPDATE analysis_result SET state = 'cancelled' WHERE key = :key AND state IN ('waiting', 'working') "
            "RETURNING 1"
        ),
        {"key": key},
    )
    return bool(gone.all())


def use(db: Session, key: str, *, now: datetime) -> None:
    """Remember that it was looked at; not more often than the sweeping needs."""
    db.execute(
        text(
            "UPDATE analysis_result SET used_at = :now WHERE key = :key AND used_at < :now - interval '1 hour' "
            "AND state = 'done'"
        ),
        {"key": key, "now": now},
    )


def sweep(db: Session, *, before: datetime) -> int:
    """Forget what nobody has looked at since."""
    return len(db.execute(text("DELETE FROM analysis_result WHERE used_at < :b RETURNING 1"), {"b": before}).all())


def defer(db: Session, key: str) -> None:
    """Let the worker compute it, once this transaction is done."""
    from procrastinate import App  # noqa: PLC0415 - slow to import, and most processes queue nothing
    from procrastinate.sync_psycopg_connector import SyncPsycopgConnector  # noqa: PLC0415

    connection = driver(db)
    # Never opened: the job goes over the connection of the transaction that it belongs to.
    App(connector=SyncPsycopgConnector()).configure_task(ANALYSE, queue=QUEUE, connection=connection).defer(key=key)


def cases(db: Session, ids: Sequence[UUID], viewer: Any) -> list[IssueRow]:
    """These issues in this order, without those that the viewer may not see."""
    found = some(db, ids, viewer)
    return [found[one] for one in ids if one in found]


@dataclass(frozen=True, slots=True)
class Costs:
    """What ``n`` closed issues have cost, in yuan: the quartiles."""

    n: int
    low: float
    middle: float
    high: float


def costs(
    db: Session, categories: Sequence[str], wkb: bytes, *, metres: float, communities: Sequence[str] | None
) -> Costs | None:
    """The costs of closed issues of these categories within so many metres of an area; None where there are none."""
    row = db.execute(
        text(
            """
            SELECT count(*) AS n, percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY i.cost_spent) AS parts
            FROM issue i LEFT JOIN place p ON p.id = i.community_id
            WHERE i.state = 'closed' AND i.cost_spent > 0 AND i.category_code = ANY (:categories)
              AND (:everywhere OR p.code = ANY (CAST(:communities AS text[])))
              AND ST_DWithin(CAST(i.geom AS geography), CAST(ST_GeomFromWKB(:area, 4326) AS geography), :metres)
            """
        ),
        {
            "categories": list(categories), "area": wkb, "metres": metres, "everywhere": communities is None,
            "communities": list(communities or ()),
        },
    ).one()  # fmt: skip
    return Costs(row.n, *(float(part) for part in row.parts)) if row.n else None
