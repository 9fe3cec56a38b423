"""Whose is it, set by set: the SQL that gives many issues their community and verdict at once.

The rule is domain.responsibility's, and a test holds the two together. Pieces of boundaries
(``*_part``) are asked instead of whole ones: a piece has few vertices, so a point costs microseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.values import NEAR_EDGE_M
from geoapp.store import counts, history, placing

FEW = 2000
"""So few are judged one by one before the outlines of all areas are read."""
_FITS = "(SELECT j.categories = '{}' OR j.categories && t.path FROM jurisdiction j WHERE j.id = part.jurisdiction_id)"
"""Asked before the piece's shape is: most jurisdictions are of other categories."""
# Degrees that hold ``tolerance`` metres; widened by 1 % because the ellipsoid is not this sphere.
_NEARBY = "ST_Expand(t.geom, t.tolerance / (110000 * cos(radians(ST_Y(t.geom)))), t.tolerance / 110000)"
_CLASS = (
    "CASE WHEN inside = 0 THEN 'orphan' WHEN inside > 1 THEN 'contested' WHEN near > 1 THEN 'near' ELSE 'clear' END"
)


@dataclass(frozen=True, slots=True)
class Judged:
    """Whose an issue is, as ``judgement`` finds it."""

    community_id: int | None
    community_verdict: str
    verdict: str
    candidate_ids: list[int]
    judged_on: date


def judgement(target: str) -> str:
    """SQL yielding (id, community_id, community_verdict, verdict, candidate_ids, judged_on).

    ``target`` is a SELECT of (id, geom, category_code, accuracy_m, ended_on); bind ``:today``. Each
    issue is judged by the boundaries of the day it ended, or of today. Of several communities the largest
    has it: new ones are carved out of old ones, and what is not settled stays where it was.
    """
    judged = f"""
        SELECT target.id, target.geom, target.category_code AS code, category.path,
               greatest(coalesce(accuracy_m, 0), {NEAR_EDGE_M}) AS tolerance,
               coalesce(ended_on, CAST(:today AS date)) AS day
        FROM ({target}) AS target JOIN category ON category.code = target.category_code"""
    return _rule(judged, _parts("boundary"), _parts("jurisdiction", f" AND {_FITS}"))


def _rule(judged: str, place_part: str, unit_part: str) -> str:
    """The rule itself, over what is ``judged`` and the boundaries and jurisdictions in or near which it lies."""
    return f"""
    WITH t AS MATERIALIZED ({judged}
    ),
    place_part AS MATERIALIZED ({place_part}),
    place_near AS (
        SELECT part.id, b.place_id, min(b.area_m2) AS area_m2, bool_or(part.inside) AS inside
        FROM place_part part
        JOIN boundary b ON b.id = part.boundary_id AND {_in_force("b")}
        JOIN place ON place.id = b.place_id AND place.kind = 'community'
        GROUP BY part.id, b.place_id
    ),
    community AS (
        SELECT id, count(*) FILTER (WHERE inside) AS inside, count(*) AS near,
               (array_agg(place_id ORDER BY area_m2 DESC, place_id) FILTER (WHERE inside))[1] AS community_id
        FROM place_near GROUP BY id
    ),
    unit_part AS MATERIALIZED ({unit_part}),
    unit_near AS (
        SELECT part.id, j.unit_id, bool_or(part.inside) AS inside,
               max(CASE WHEN j.categories = '{{}}' THEN 0 WHEN part.code = ANY (j.categories) THEN 2 ELSE 1 END)
                   FILTER (WHERE part.inside) AS fit,
               min(j.area_m2) FILTER (WHERE part.inside) AS area_m2
        FROM unit_part part
        JOIN jurisdiction j ON j.id = part.jurisdiction_id AND {_in_force("j")}
             AND (j.categories = '{{}}' OR j.categories && part.path)
        GROUP BY part.id, j.unit_id
    ),
    unit AS (
        SELECT id, count(*) FILTER (WHERE inside) AS inside, count(*) AS near,
               array_agg(unit_id ORDER BY fit DESC, area_m2, unit_id) FILTER (WHERE inside) AS candidate_ids
        FROM unit_near GROUP BY id
    )
    SELECT t.id, community.community_id,
           (SELECT {_CLASS} FROM (SELECT coalesce(community.inside, 0) AS inside, community.near) AS n)
               AS community_verdict,
           (SELECT {_CLASS} FROM (SELECT coalesce(unit.inside, 0) AS inside, unit.near) AS n) AS verdict,
           coalesce(unit.candidate_ids, '{{}}') AS candidate_ids,
           t.day AS judged_on
    FROM t LEFT JOIN community USING (id) LEFT JOIN unit USING (id)
    """


def _in_force(version: str) -> str:
    """``validity @> day`` in words that no index answers: asked once for each piece, that would cost the most."""
    return (
        f"coalesce(lower({version}.validity), '-infinity') <= part.day "
        f"AND part.day < coalesce(upper({version}.validity), 'infinity')"
    )


def _parts(of: str, also: str = "") -> str:
    """Pieces that hold each point or lie within its tolerance.

    Materialised, because the planner would else join versions first and ask the index once for each of them.
    """
    return f"""
        SELECT t.id, t.code, t.path, t.day, part.{of}_id, ST_Intersects(part.area, t.geom) AS inside
        FROM t JOIN {of}_part part ON part.area && {_NEARBY}{also}
        WHERE ST_DWithin(part.area, t.geom, t.tolerance / (110000 * cos(radians(ST_Y(t.geom)))))
          AND (ST_Intersects(part.area, t.geom)
               OR ST_DWithin(part.area::geography, t.geom::geography, t.tolerance, false))"""


def judge_many(db: Session, target: str, *, today: date, binds: Mapping[str, Any] = MappingProxyType({})) -> None:
    """As ``judgement``, into a new table ``verdict`` of this transaction.

    Issues in the same areas and far from every edge are judged once for all of them, the others one by one.
    """
    placing.place(db, target, today=today, binds=binds)
    alike = _rule(
        "SELECT alike.*, category.code, category.path FROM alike JOIN category ON category.code = alike.category_code",
        *(
            f"SELECT t.id, t.code, t.path, t.day, unnest(t.{of}_ids) AS {of}_id, true AS inside FROM t"
            for of in ("boundary", "jurisdiction")
        ),
    )
    singly = judgement(f"SELECT judged.* FROM judged JOIN placed USING (id) WHERE nth = {placing.SINGLY}")
    db.execute(
        text(
            f"""
            CREATE TEMP TABLE verdict ON COMMIT DROP AS
            SELECT placed.id, alike.community_id, alike.community_verdict, alike.verdict, alike.candidate_ids,
                   coalesce(judged.ended_on, CAST(:today AS date)) AS judged_on
            FROM placed JOIN judged USING (id) JOIN ({alike}) AS alike ON alike.id = placed.nth
            UNION ALL SELECT * FROM ({singly}) AS single
            """
        ),
        {"today": today},
    )
    db.execute(text("CREATE INDEX ON verdict (id)"))
    db.execute(text("ANALYZE verdict"))


def _are_few(db: Session, target: str, binds: Mapping[str, Any]) -> bool:
    counted = text(f"SELECT count(*) FROM (SELECT FROM ({target}) AS t LIMIT {FEW}) AS first")
    return int(db.execute(counted, dict(binds)).scalar_one()) < FEW


def rejudge(db: Session, *, today: date, area_wkb: bytes | None = None, only: UUID | None = None) -> int:
    """Judge again the issues in and around an area (WKB, EPSG:4326), ``only`` one, or all; returns how many changed.

    What changed is written into each issue's history. An issue that has ended is judged by the
    boundaries of its day, so a later settlement leaves it as it was.
    """
    target = "SELECT id, geom, category_code, accuracy_m, ended_at::date AS ended_on FROM issue"
    if area_wkb is not None:
        target += " WHERE geom && ST_Expand(ST_GeomFromWKB(:area, 4326), 0.01)"
    elif only is not None:
        target += " WHERE id = :only"
    binds = {"area": area_wkb, "only": only}
    new = judgement(target)
    if only is None and not _are_few(db, target, binds):
        judge_many(db, target, today=today, binds=binds)
        new = "SELECT * FROM verdict"
    changed = db.execute(
        text(
            f"""
            WITH new AS MATERIALIZED ({new}),
            line AS MATERIALIZED (
                SELECT issue.id AS issue_id, now() AS at, 'judge' AS action, NULL AS to_state, '' AS actor, '' AS note,
                       jsonb_build_object('from', issue.verdict, 'to', new.verdict, 'as_of', new.judged_on) AS detail,
                       CAST(NULL AS uuid) AS person_id, false AS internal
                FROM issue JOIN new USING (id)
                WHERE (issue.community_id, issue.community_verdict, issue.verdict, issue.candidate_ids)
                      IS DISTINCT FROM (new.community_id, new.community_verdict, new.verdict, new.candidate_ids)
            ),
            before AS MATERIALIZED ({counts.before("SELECT line.issue_id FROM line")}),
            changed AS (
                UPDATE issue SET community_id = new.community_id, community_verdict = new.community_verdict,
                       verdict = new.verdict, candidate_ids = new.candidate_ids, judged_on = new.judged_on,
                       version = version + 1, {history.head("line")}
                FROM line JOIN new ON new.id = line.issue_id
                     JOIN (SELECT issue_id FROM before) AS held USING (issue_id)
                WHERE issue.id = line.issue_id
                RETURNING issue.id AS issue_id, issue.history_seq AS seq, issue.history_hash AS hash,
                          {counts.returned()}
            ),
            counted AS ({counts.moved("before", "changed")})
            {history.append("changed", "line")}
            """
        ),
        {"today": today, **binds},
    )
    moved = int(changed.rowcount)  # type: ignore[attr-defined]
    counts.fold_many(db, moved)
    return moved
