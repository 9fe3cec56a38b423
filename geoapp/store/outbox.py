"""The outbox: what is to be told is written in the transaction in which it happens, or not at all.

``tell`` is the one function that every writer of history calls. It costs nothing where no mail is offered, and one
statement where it is, however many lines there are. What a mail will say is not stored: it is read when it is sent.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.notices import DUTY, NEWS_WITHOUT_STATE, Kind
from geoapp.domain.workflow import DUTIES
from geoapp.store.session import driver

QUEUE, DELIVER = "mail", "deliver"

_offered = False


def offer(*, mail: bool) -> None:
    """Say whether this process offers mail at all: set once by whoever reads the settings, as the engine is."""
    global _offered  # noqa: PLW0603 - a fact of the process, beside the one engine of store.session
    _offered = mail


def offered() -> bool:
    return _offered


def tell(db: Session, lines: str, binds: Mapping[str, Any], *, now: datetime | None = None) -> int:
    """Write a notice for everybody whom new lines of history concern; returns how many.

    ``lines`` is a SELECT of (issue_id, seq). Internal lines concern nobody. Followers hear what is news of a public
    issue, also of the one into which theirs was merged; staff what lies on their desk now, but not their own deeds.
    Without ``now`` it is the transaction's own.
    """
    if not _offered:
        return 0
    written = db.execute(
        text(
            f"""
            WITH RECURSIVE line AS MATERIALIZED (
                SELECT h.issue_id, h.seq, h.action, h.to_state, h.person_id
                FROM ({lines}) AS new JOIN history h ON h.issue_id = new.issue_id AND h.seq = new.seq
                WHERE NOT h.internal AND (h.to_state IS NOT NULL OR h.action = ANY (:news))
            ),
            heard AS (
                SELECT issue_id, issue_id AS follows FROM line
                UNION
                SELECT heard.issue_id, merged.id FROM heard JOIN issue merged ON merged.merged_into = heard.follows
            ),
            told AS (
                -- Whoever follows both an issue and one that was merged into it hears of it once.
                (SELECT DISTINCT ON (line.issue_id, line.seq, lower(f.email)) line.issue_id, line.seq,
                        '{Kind.NEWS}' AS kind, 'follower' AS recipient, f.id AS ref, f.issue_id AS follows, f.lang
                 FROM line JOIN issue i ON i.id = line.issue_id AND i.public_geom IS NOT NULL
                 JOIN heard ON heard.issue_id = line.issue_id JOIN follower f ON f.issue_id = heard.follows
                 WHERE f.confirmed_at IS NOT NULL AND f.left_at IS NULL
                 ORDER BY line.issue_id, line.seq, lower(f.email), f.issue_id <> line.issue_id, f.created_at)
                UNION ALL
                (SELECT DISTINCT line.issue_id, line.seq, duty.kind, 'person', p.id, CAST(NULL AS uuid), p.lang
                 FROM line JOIN issue i ON i.id = line.issue_id
                 JOIN unnest(CAST(:actions AS text[]), CAST(:kinds AS text[]), CAST(:roles AS text[]))
                      AS duty (action, kind, role) ON duty.action = line.action
                 {_ON_DUTY}
                 WHERE p.id IS DISTINCT FROM line.person_id)
            )
            INSERT INTO notice (issue_id, id, kind, recipient, ref, follows, lang, payload, created_at, not_before)
            SELECT issue_id, {_named("kind", "seq")}, kind, recipient, ref, follows, lang,
                   jsonb_build_object('seq', seq), at, at
            FROM told, (SELECT coalesce(CAST(:now AS timestamptz), now()) AS at) AS clock ON CONFLICT DO NOTHING
            """
        ),
        {
            **binds,
            "news": [str(action) for action in NEWS_WITHOUT_STATE],
            "actions": [str(action) for action in DUTY],
            "kinds": [str(kind) for kind, _ in DUTY.values()],
            "roles": [str(role) for _, role in DUTY.values()],
            "now": now,
        },
    ).rowcount  # type: ignore[attr-defined]
    return _wake(db, int(written))


def ask(db: Session, issue_id: UUID, follower: UUID, lang: str, *, now: datetime) -> None:
    """Write the notice that asks a new follower to confirm."""
    if not _offered:
        return
    db.execute(
        text(
            "INSERT INTO notice (issue_id, id, kind, recipient, ref, follows, lang, created_at, not_before) "
            f"VALUES (:issue, :id, '{Kind.CONFIRM}', 'follower', :ref, :issue, :lang, CAST(:now AS timestamptz), :now)"
        ),
        {"issue": issue_id, "id": uuid4(), "ref": follower, "lang": lang, "now": now},
    )
    _wake(db, 1)


def remind(db: Session, *, since: datetime, now: datetime) -> int:
    """Tell whoever an issue waits for that its deadline has passed since then, once for each deadline."""
    if not _offered:
        return 0
    duties = [(str(state), str(role)) for state, roles in DUTIES.items() for role in roles]
    written = db.execute(
        text(
            f"""
            INSERT INTO notice (issue_id, id, kind, recipient, ref, lang, payload, created_at, not_before)
            SELECT DISTINCT issue_id, {_named("kind", "due_at")}, kind, 'person', ref, lang,
                   jsonb_build_object('stage', stage, 'due_at', due_at), CAST(:now AS timestamptz), :now
            FROM (SELECT i.id AS issue_id, '{Kind.OVERDUE}' AS kind, i.due_at, i.stage, p.id AS ref, p.lang
                  FROM issue i
                  JOIN unnest(CAST(:states AS text[]), CAST(:roles AS text[])) AS duty (state, role)
                       ON duty.state = i.state
                  {_ON_DUTY}
                  WHERE i.due_at > :since AND i.due_at < :now AND i.stage <> '') AS late
            ON CONFLICT DO NOTHING
            """
        ),
        {
            "states": [state for state, _ in duties],
            "roles": [role for _, role in duties],
            "since": since,
            "now": now,
        },
    ).rowcount  # type: ignore[attr-defined]
    return _wake(db, int(written))


_ON_DUTY = """
    LEFT JOIN place c ON c.id = i.community_id LEFT JOIN place s ON s.id = c.parent_id
    JOIN role_grant g ON g.role = duty.role AND CASE WHEN duty.role = 'unit'
         THEN g.unit_id = i.unit_id OR g.unit_id = ANY (i.helping_unit_ids)
         ELSE g.place_id IS NULL OR g.place_id IN (c.id, s.id, s.parent_id) END
    JOIN person p ON p.id = g.person_id AND p.email IS NOT NULL AND p.notices = 'all' AND p.disabled_at IS NULL
"""
"""Joins the people whose ``duty.role`` reaches ``issue i`` and who want to be told."""


def _named(*what: str) -> str:
    """SQL of a notice's id, made of what it tells and to whom: the same is never told twice."""
    words = f"concat_ws(' ', issue_id, {', '.join(what)}, ref)"
    return f"CAST(left(encode(sha256(convert_to({words}, 'UTF8')), 'hex'), 32) AS uuid)"


def _wake(db: Session, written: int) -> int:
    """Queue one job that delivers, in this transaction: a worker learns of it at the commit, or never."""
    if written and not db.info.get("woken"):
        connection = driver(db)
        _queue().configure_task(DELIVER, queue=QUEUE, connection=connection).defer()
        db.info["woken"] = True
    return written


@cache
def _queue() -> Any:
    # Only here, because most processes never queue anything and it takes a while to import.
    from procrastinate import App  # noqa: PLC0415
    from procrastinate.sync_psycopg_connector import SyncPsycopgConnector  # noqa: PLC0415

    # Never opened: every job goes over the connection of the transaction that it belongs to.
    return App(connector=SyncPsycopgConnector())
