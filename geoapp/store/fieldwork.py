"""What phones brought back from site visits: kept once, read by visit, and what happened to an issue meanwhile."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geoapp.domain.fieldwork import Change, CheckIn, Fate, Finding, Kind, Seen, Signature, Told
from geoapp.domain.values import Point

__all__ = ["Arrival", "Found", "Recorded", "Signed"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record as it is kept, with the issue's number and title, and who sent it."""

    issue: UUID
    number: str
    title: str
    id: UUID
    visit: UUID
    kind: Kind
    at: datetime
    received_at: datetime
    fate: Fate
    meanwhile: bool
    fingerprint: str
    base_version: int | None
    base_seq: int | None
    body: Mapping[str, Any]
    person: str
    decided_at: datetime | None
    decided_by: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A check-in (签到)."""

    issue: UUID
    id: UUID
    at: datetime
    point: Point
    accuracy_m: float | None
    distance_m: float
    person: str


@dataclass(frozen=True, slots=True)
class Found:
    """A finding (现场发现), with its follow-up."""

    issue: UUID
    id: UUID
    at: datetime
    seen: Seen | None
    words: str
    answers: Mapping[str, Any]
    follow_up: str
    due: date | None
    done_at: datetime | None
    person: str


@dataclass(frozen=True, slots=True)
class Signed:
    """Somebody's signature under a settlement."""

    issue: UUID
    settlement: UUID
    name: str
    unit: str
    strokes: tuple[tuple[tuple[int, int], ...], ...]


def stops(db: Session, visit: UUID) -> frozenset[UUID]:
    """The issues of a visit: its stops, and what was found on the way."""
    rows = db.execute(
        text(
            "SELECT issue_id FROM visit_stop WHERE visit_id = :visit UNION "
            "SELECT issue_id FROM field_record WHERE visit_id = :visit AND kind = 'issue'"
        ),
        {"visit": visit},
    )
    return frozenset(rows.scalars())


def known(db: Session, issue: UUID, record: UUID) -> Recorded | None:
    row = db.execute(
        text(f"{_RECORDS} WHERE r.issue_id = :issue AND r.id = :id"), {"issue": issue, "id": record}
    ).first()
    return None if row is None else _recorded(row)


def of_visit(db: Session, visit: UUID) -> list[Recorded]:
    """Everything recorded on a visit, in the order in which it happened."""
    rows = db.execute(text(f"{_RECORDS} WHERE r.visit_id = :visit ORDER BY r.at, r.id"), {"visit": visit})
    return [_recorded(row) for row in rows]


def keep(
    db: Session, visit: UUID, told: Told, *, fate: Fate, meanwhile: bool, person: UUID | None, now: datetime
) -> bool:
    """Keep the envelope of a record; False when there is one of this id already."""
    done = db.execute(
        text(
            "INSERT INTO field_record (issue_id, id, visit_id, kind, at, received_at, person_id, fingerprint, "
            "base_version, base_seq, fate, meanwhile, body) VALUES (:issue, :id, :visit, :kind, :at, :now, :person, "
            ":fingerprint, :version, :seq, :fate, :meanwhile, CAST(:body AS jsonb)) ON CONFLICT DO NOTHING RETURNING id"
        ),
        {
            "issue": told.issue,
            "id": told.id,
            "visit": visit,
            "kind": str(told.kind),
            "at": told.at,
            "now": now,
            "person": person,
            "fingerprint": told.fingerprint,
            "version": told.base and told.base.version,
            "seq": told.base and told.base.seq,
            "fate": str(fate),
            "meanwhile": meanwhile,
            "body": json.dumps(dict(told.body), ensure_ascii=False),
        },
    ).first()
    return done is not None


def decide(db: Session, issue: UUID, record: UUID, fate: Fate, *, person: UUID | None, now: datetime) -> None:
    db.execute(
        text(
            "UPDATE field_record SET fate = :fate, decided_at = :now, decided_by = :person "
            "WHERE issue_id = :issue AND id = :id AND fate = 'conflict'"
        ),
        {"fate": str(fate), "now": now, "person": person, "issue": issue, "id": record},
    )


def check_in(db: Session, visit: UUID, told: Told, here: CheckIn, *, distance_m: float, person: UUID | None) -> None:
    db.execute(
        text(
            "INSERT INTO check_in (issue_id, id, visit_id, at, geom, accuracy_m, distance_m, person_id) VALUES "
            "(:issue, :id, :visit, :at, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), :accuracy, :distance, :person)"
        ),
        {
            "issue": told.issue,
            "id": told.id,
            "visit": visit,
            "at": told.at,
            "lon": here.point.lon,
            "lat": here.point.lat,
            "accuracy": here.accuracy_m,
            "distance": distance_m,
            "person": person,
        },
    )


def finding(db: Session, visit: UUID, told: Told, found: Finding, *, person: UUID | None) -> None:
    db.execute(
        text(
            "INSERT INTO finding (issue_id, id, visit_id, at, seen, words, answers, follow_up, due_on, person_id) "
            "VALUES (:issue, :id, :visit, :at, :seen, :words, CAST(:answers AS jsonb), :follow_up, :due, :person)"
        ),
        {
            "issue": told.issue,
            "id": told.id,
            "visit": visit,
            "at": told.at,
            "seen": found.seen and str(found.seen),
            "words": found.words.strip(),
            "answers": json.dumps(dict(found.answers or {}), ensure_ascii=False),
            "follow_up": found.follow_up.strip(),
            "due": found.due,
            "person": person,
        },
    )


def sign(db: Session, issue: UUID, settlement: UUID, signatures: Iterable[Signature]) -> None:
    db.execute(
        text(
            "INSERT INTO signature (issue_id, settlement_id, nth, name, unit, strokes) "
            "VALUES (:issue, :settlement, :nth, :name, :unit, CAST(:strokes AS jsonb))"
        ),
        [
            {
                "issue": issue,
                "settlement": settlement,
                "nth": nth,
                "name": one.name.strip(),
                "unit": one.unit.strip(),
                "strokes": json.dumps({"strokes": one.strokes}),
            }
            for nth, one in enumerate(signatures, start=1)
        ],
    )


def tick(db: Session, issue: UUID, finding: UUID, *, person: UUID | None, now: datetime) -> bool:
    """Mark a follow-up as done; False for one that there is not, or that was done already."""
    done = db.execute(
        text(
            "UPDATE finding SET done_at = :now, done_by = :person WHERE issue_id = :issue AND id = :id "
            "AND follow_up <> '' AND done_at IS NULL RETURNING id"
        ),
        {"now": now, "person": person, "issue": issue, "id": finding},
    ).first()
    return done is not None


def changes(db: Session, issue: UUID, visit: UUID, *, since: int) -> list[Change]:
    """The lines of an issue's history after that number, oldest first; which were written by the visit is known.

    A settlement's line carries its id, which is that of the record; the others carry the visit's.
    """
    rows = db.execute(
        text(
            "SELECT h.seq, h.at, h.action, h.actor, coalesce(nullif(p.name, ''), p.login, '') AS person, h.note, "
            "coalesce(h.detail->>'visit' = CAST(:visit AS text), false) OR EXISTS (SELECT FROM field_record r "
            "WHERE r.issue_id = h.issue_id AND r.visit_id = :visit AND CAST(r.id AS text) = h.detail->>'settlement') "
            "AS visit FROM history h LEFT JOIN person p ON p.id = h.person_id "
            "WHERE h.issue_id = :issue AND h.seq > :since ORDER BY h.seq"
        ),
        {"issue": issue, "visit": visit, "since": since},
    )
    return [Change(row.seq, row.at, row.action, row.actor, row.person, row.note, row.visit) for row in rows]


def seq_of(db: Session, issue: UUID) -> int:
    """The number of the newest line of an issue's history."""
    return int(db.execute(text("SELECT history_seq FROM issue WHERE id = :id"), {"id": issue}).scalar_one())


def place_of(db: Session, issue: UUID) -> tuple[Point, str | None]:
    """Where an issue lies, and its extent as GeoJSON."""
    row = db.execute(
        text(
            "SELECT ST_X(geom) AS lon, ST_Y(geom) AS lat, ST_AsGeoJSON(extent, 7) AS extent FROM issue WHERE id = :id"
        ),
        {"id": issue},
    ).one()
    return Point(row.lon, row.lat), row.extent


def redrawn(wkb: bytes) -> dict[str, tuple[str, dict[str, Any]]]:
    """The column that a redrawn extent changes, as ``cases.write`` takes it."""
    return {"extent": ("ST_GeomFromWKB(CAST(:new_extent AS bytea), 4326)", {"new_extent": wkb})}


def arrivals(db: Session, visit: UUID) -> list[Arrival]:
    rows = db.execute(
        text(
            "SELECT c.issue_id, c.id, c.at, ST_X(c.geom) AS lon, ST_Y(c.geom) AS lat, c.accuracy_m, c.distance_m, "
            "coalesce(nullif(p.name, ''), p.login, '') AS person FROM check_in c "
            "LEFT JOIN person p ON p.id = c.person_id WHERE c.visit_id = :visit ORDER BY c.at, c.id"
        ),
        {"visit": visit},
    )
    return [
        Arrival(row.issue_id, row.id, row.at, Point(row.lon, row.lat), row.accuracy_m, row.distance_m, row.person)
        for row in rows
    ]


def findings(db: Session, visit: UUID) -> list[Found]:
    rows = db.execute(
        text(
            "SELECT f.issue_id, f.id, f.at, f.seen, f.words, f.answers, f.follow_up, f.due_on, f.done_at, "
            "coalesce(nullif(p.name, ''), p.login, '') AS person FROM finding f "
            "LEFT JOIN person p ON p.id = f.person_id WHERE f.visit_id = :visit ORDER BY f.at, f.id"
        ),
        {"visit": visit},
    )
    return [
        Found(
            row.issue_id, row.id, row.at, Seen(row.seen) if row.seen else None, row.words, row.answers, row.follow_up,
            row.due_on, row.done_at, row.person,
        )
        for row in rows
    ]  # fmt: skip


def signatures(db: Session, visit: UUID) -> list[Signed]:
    """Those under the settlements of a visit, in the order in which they were given."""
    rows = db.execute(
        text(
            "SELECT s.issue_id, s.settlement_id, s.name, s.unit, s.strokes FROM signature s JOIN field_record r "
            "ON r.issue_id = s.issue_id AND r.id = s.settlement_id WHERE r.visit_id = :visit "
            "ORDER BY r.at, s.settlement_id, s.nth"
        ),
        {"visit": visit},
    )
    return [
        Signed(
            row.issue_id, row.settlement_id, row.name, row.unit,
            tuple(tuple((x, y) for x, y in stroke) for stroke in row.strokes.get("strokes", ())),
        )
        for row in rows
    ]  # fmt: skip


_RECORDS = """
    SELECT r.issue_id, i.number, i.title, r.id, r.visit_id, r.kind, r.at, r.received_at, r.fate, r.meanwhile,
           r.fingerprint, r.base_version, r.base_seq, r.body, coalesce(nullif(p.name, ''), p.login, '') AS person,
           r.decided_at, coalesce(nullif(d.name, ''), d.login, '') AS decided_by
    FROM field_record r JOIN issue i ON i.id = r.issue_id
    LEFT JOIN person p ON p.id = r.person_id LEFT JOIN person d ON d.id = r.decided_by
"""


def _recorded(row: Row[Any]) -> Recorded:
    return Recorded(
        row.issue_id, row.number, row.title, row.id, row.visit_id, Kind(row.kind), row.at, row.received_at,
        Fate(row.fate), row.meanwhile, row.fingerprint, row.base_version, row.base_seq, row.body, row.person,
        row.decided_at, row.decided_by,
    )  # fmt: skip
