"""Issues as GeoJSON, each one text that the database makes: objects and their dumping would take ten times as long."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from geoapp.domain.values import IssueFilter, Viewer
from geoapp.store import session
from geoapp.store.issues import paged, token
from geoapp.store.session import Statement

_FEATURE = """
    i.id, i.reported_at, i.due_at, json_build_object(
        'type', 'Feature', 'id', i.id,
        'geometry', json_build_object(
            'type', 'Point',
            'coordinates', json_build_array(round(ST_X(shown.geom)::numeric, 7), round(ST_Y(shown.geom)::numeric, 7))),
        'properties', json_build_object(
            'number', i.number,
            'title', coalesce(CASE WHEN i.text_released OR sight.full THEN i.title END, {category}),
            'category', i.category_code, 'category_name', {category},
            'state', i.state, 'state_name', said_state.name,
            'group', said_state.group_code, 'group_name', said_state.group_name,
            'reported_on', to_char(i.reported_at AT TIME ZONE :zone, 'YYYY-MM-DD'),
            'ended_on', to_char(i.ended_at AT TIME ZONE :zone, 'YYYY-MM-DD'),
            'community', place.code, 'community_name', nullif({community}, ''),
            'unit', unit.code, 'unit_name', nullif({unit}, ''),
            'verdict', i.verdict, 'verdict_name', said_verdict.name,
            'synthetic', i.synthetic))::text AS feature
"""
# All features as one text: as a row each, ten thousand of them would be taken apart and put together again.
_PAGE = """
    SELECT convert_to(coalesce(string_agg(feature, ',') FILTER (WHERE nth <= :limit), ''), 'UTF8') AS features,
           CAST(least(count(*), :limit) AS int) AS n, count(*) > :limit AS follows,
           (array_agg(id) FILTER (WHERE nth = :limit))[1] AS id,
           (array_agg(reported_at) FILTER (WHERE nth = :limit))[1] AS reported_at,
           (array_agg(due_at) FILTER (WHERE nth = :limit))[1] AS due_at
    FROM (SELECT row_number() OVER () AS nth, found.* FROM ({found}) AS found) AS numbered
"""
_SAID = """
    LEFT JOIN unnest(CAST(:state_codes AS text[]), CAST(:state_names AS text[]), CAST(:group_codes AS text[]),
                     CAST(:group_names AS text[])) AS said_state (code, name, group_code, group_name)
        ON said_state.code = i.state
    LEFT JOIN unnest(CAST(:verdict_codes AS text[]), CAST(:verdict_names AS text[])) AS said_verdict (code, name)
        ON said_verdict.code = i.verdict
"""


@dataclass(frozen=True, slots=True)
class Said:
    """The words that a GeoJSON text holds: names of states with their groups, and of verdicts, by code."""

    lang: str
    states: Mapping[str, tuple[str, str, str]]
    verdicts: Mapping[str, str]


def page_texts(
    db: Session,
    wanted: IssueFilter,
    viewer: Viewer,
    *,
    said: Said,
    zone: ZoneInfo,
    limit: int,
    after: str | None,
    matched: int,
    by_deadline: bool = False,
) -> tuple[bytes, int, str | None]:
    """As ``issues.page``, but the issues as texts of GeoJSON features with commas between them, and how many."""
    other = "zh" if said.lang == "en" else "en"
    tables = {"category": "cat", "community": "place", "unit": "unit"}
    names = {
        name: f"coalesce(nullif({table}.name_{said.lang}, ''), {table}.name_{other})" for name, table in tables.items()
    }
    columns = _FEATURE.format(**names)
    binds = {
        "state_codes": list(said.states),
        "state_names": [name for name, _, _ in said.states.values()],
        "group_codes": [group for _, group, _ in said.states.values()],
        "group_names": [name for _, _, name in said.states.values()],
        "verdict_codes": list(said.verdicts),
        "verdict_names": list(said.verdicts.values()),
        "zone": zone.key,
        "limit": limit,
    }
    sql, more = paged(
        db,
        wanted,
        viewer,
        columns,
        zone=zone,
        limit=limit,
        after=after,
        matched=matched,
        by_deadline=by_deadline,
        also=_SAID,
    )
    (row,) = session.rows(db, Statement(_PAGE.format(found=sql)), binds | more)
    return row.features, row.n, token(row, by_deadline=by_deadline) if row.follows and row.n else None
