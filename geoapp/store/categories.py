"""The category tree in the database: kept equal to a file, without losing a category that issues carry."""

import json
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.categories import CategoryNode

IMPORTED = "imported"
"""The confidence of a category that an import of issues created: no file of categories names it."""


def put_tree(db: Session, nodes: Sequence[CategoryNode]) -> int:
    """Write the nodes, parents before children, and switch off what was in a file and is not in this one.

    Returns how many rows were added or changed. Categories that imports created stay as they are.
    """
    changed = db.execute(
        text(
            """
            INSERT INTO category AS old (code, parent_code, path, kind, name_zh, name_en, scheme, scheme_code, origin,
                confidence, icon, colour, severity, privacy, release, deadlines, sort, active)
            SELECT new.*, true FROM jsonb_to_recordset(CAST(:nodes AS jsonb)) AS new (code text, parent_code text,
                path text[], kind text, name_zh text, name_en text, scheme text, scheme_code text, origin text,
                confidence text, icon text, colour text, severity int, privacy text, release text, deadlines jsonb,
                sort int)
            ON CONFLICT (code) DO UPDATE SET (parent_code, path, kind, name_zh, name_en, scheme, scheme_code, origin,
                confidence, icon, colour, severity, privacy, release, deadlines, sort, active)
                = (excluded.parent_code, excluded.path, excluded.kind, excluded.name_zh, excluded.name_en,
                excluded.scheme, excluded.scheme_code, excluded.origin, excluded.confidence, excluded.icon,
                excluded.colour, excluded.severity, excluded.privacy, excluded.release, excluded.deadlines,
                excluded.sort, true)
            WHERE old IS DISTINCT FROM excluded
            """
        ),
        {"nodes": json.dumps([_row(node) for node in nodes])},
    )
    dropped = db.execute(
        text(
            "UPDATE category SET active = false "
            "WHERE active AND confidence <> :imported AND NOT code = ANY (CAST(:codes AS text[]))"
        ),
        {"imported": IMPORTED, "codes": [node.code for node in nodes]},
    )
    return int(changed.rowcount + dropped.rowcount)  # type: ignore[attr-defined]


def _row(node: CategoryNode) -> dict[str, object]:
    return {
        "code": node.code,
        "parent_code": node.parent,
        "path": node.path,
        "kind": node.kind,
        "name_zh": node.name.zh,
        "name_en": node.name.en,
        "scheme": node.scheme.name,
        "scheme_code": node.scheme_code,
        "origin": node.scheme.origin,
        "confidence": node.scheme.confidence,
        "icon": node.icon,
        "colour": node.colour,
        "severity": node.severity,
        "privacy": node.privacy,
        "release": node.release,
        "deadlines": node.deadlines,
        "sort": node.sort,
    }
