"""The counts pyramid: written by whoever changes an issue, read by tiles and lists; of what the public may see alone.

Why a log, and not counters? Eight writers in one city would all wait for the row of that city. A change only adds
rows to ``count_change`` (``moved``), which nobody waits for; readers add those of their span to the blocks, in one
snapshot, and now and then the log is folded into the blocks. The version of an area counts the changes ever made in
it, in blocks and log: numbers of a sequence would not do, as transactions do not commit in the order they draw them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain import counts
from geoapp.domain.counts import ALL, AREAS, CHANGE, LEVEL, NOWHERE, Array
from geoapp.domain.recount import Complete, Recount
from geoapp.domain.values import states_of
from geoapp.store import locks, versions
from geoapp.store.locks import Lock
from geoapp.store.session import driver

COLUMNS = "public_cell, public_3857, category_code, reported_at, state, verdict"
"""What a relation given to ``moved`` holds of each issue, besides its ``issue_id``."""
FEW_CHANGES = 2000
"""A reader that meets more changes in the log has them folded."""
MOST_CHANGES = 10_000
"""So many are folded at once by a reader, who wants an answer; whoever has written more folds more."""
MANY = 20_000
STEP = 200_000
PORTION = 20_000
"""Rows that are fetched at once, some 500 bytes each until they are an array."""

# The order of a path depends on who has written it.
_KINDS = (
    "SELECT category.code, top.code AS top FROM category "
    "JOIN category top ON top.code = ANY (category.path) AND top.parent_code IS NULL"
)
_ZONE = "coalesce((SELECT nullif(zone, '') FROM count_base), 'UTC')"
_GROUP = (
    "CASE "
    + " ".join(
        f"WHEN {{0}}.state IN ({', '.join(repr(str(state)) for state in states_of(group))}) THEN {nth}"
        for nth, group in enumerate(counts.GROUPS)
    )
    + " END"
)
_MONTH = (
    f"CAST(extract(year FROM {{0}}.reported_at AT TIME ZONE {_ZONE}) * 12 + "
    f"extract(month FROM {{0}}.reported_at AT TIME ZONE {_ZONE}) - 1 AS int)"
)
_SUMMED = ", ".join(f"CAST(sum({name}) AS bigint) AS {name}" for name in counts.SUMS)


@dataclass(frozen=True, slots=True)
class Difference:
    """A block that is not what the issues say; ``zoom`` 0: how many blocks there should be."""

    zoom: int
    cell: int
    kind: str


# --- writing ------------------------------------------------------------------------------------


def before(issues: str) -> str:
    """SQL of a relation for ``moved``: issues (a SELECT of ``issue_id``) as they are, locked until commit.

    The statement's UPDATE must join it, so that it is read first. Without the lock, a change that is committed
    between snapshot and UPDATE would be taken away twice.
    """
    columns = ", ".join(f"issue.{name}" for name in COLUMNS.split(", "))
    return f"SELECT issue.id AS issue_id, {columns} FROM issue WHERE issue.id IN ({issues}) FOR UPDATE"


def returned() -> str:
    """What an INSERT or UPDATE of ``issue`` returns for ``moved``, besides ``issue_id``."""
    return ", ".join(f"issue.{name}" for name in COLUMNS.split(", "))


def moved(before: str | None, after: str | None) -> str:
    """SQL that writes down a change of issues, given as relations of what they were and are; None: there was none.

    Every statement that stores or changes an issue holds it, as it holds the line of history.
    """
    sides = [_tally(relation, sign) for relation, sign in ((before, -1), (after, 1)) if relation]
    sides += [_unseen(relation) for relation in (before, after) if relation]
    return f"""
        INSERT INTO count_change (issue_id, cell, category, month, state_group, n, contested, orphan, x, y)
        SELECT issue_id, cell, category, month, state_group, {_SUMMED}
        FROM ({" UNION ALL ".join(sides)}) AS side GROUP BY issue_id, cell, category, month, state_group"""


def edition(db: Session) -> int:
    """How many changes of issues there have ever been, private ones as well: another after each of them.

    Changes that are counted all at once, by ``rebuild``, are told by the version of the part "counts".
    """
    return int(
        db.execute(
            text(
                "SELECT coalesce((SELECT sum(version) FROM count_area WHERE zoom = :zoom), 0) "
                "+ (SELECT count(*) FROM count_change)"
            ),
            {"zoom": AREAS[0]},
        ).scalar_one()
    )


def note(db: Session, issue: UUID) -> None:
    """Write down that an issue was changed in something that no count and no map tells, as its words."""
    db.execute(
        text(
            "INSERT INTO count_change (issue_id, cell, category, month, state_group, n, contested, orphan, x, y) "
            "VALUES (:issue, :nowhere, '', 0, 0, 0, 0, 0, 0, 0)"
        ),
        {"issue": issue, "nowhere": NOWHERE},
    )


def _unseen(relation: str) -> str:
    """What the public may not see leaves a row as well, which says that something was changed, not what or where.

    It is part of no count, but of ``edition``, by which results are kept that were made from all issues.
    """
    return f"""
        SELECT {relation}.issue_id, {NOWHERE}, '', 0, 0, 0, 0, 0, 0, 0
        FROM {relation} WHERE {relation}.public_cell IS NULL"""


def _tally(relation: str, sign: int, source: str = "") -> str:
    return f"""
        SELECT {relation}.issue_id, {relation}.public_cell AS cell,
               kind.top AS category,
               {_MONTH.format(relation)} AS month, {_GROUP.format(relation)} AS state_group, {sign} AS n,
               CASE WHEN {relation}.verdict = 'contested' THEN {sign} ELSE 0 END AS contested,
               CASE WHEN {relation}.verdict = 'orphan' THEN {sign} ELSE 0 END AS orphan,
               {sign} * CAST(round(ST_X({relation}.public_3857) * {counts.MM}) AS bigint) AS x,
               {sign} * CAST(round(ST_Y({relation}.public_3857) * {counts.MM}) AS bigint) AS y
        FROM {source or relation} JOIN ({_KINDS}) AS kind ON kind.code = {relation}.category_code
        WHERE {relation}.public_cell IS NOT NULL"""


def group_of(relation: str) -> str:
    """SQL of the number of an issue's state group."""
    return _GROUP.format(relation)


def is_many(db: Session, changes: int) -> bool:
    """Whether so many new issues are sooner counted with all the others anew than one by one."""
    if changes < MANY:
        return False
    known = db.execute(text("SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = 'issue'::regclass")).scalar_one()
    return bool(changes * 10 > known)


def fold_many(db: Session, changed: int, *, wait: bool = False) -> None:
    """Fold what has just been written where that was much: no reader should meet all of it."""
    if changed > FEW_CHANGES:
        while fold(db, wait=wait, most=STEP):
            pass


def fold(db: Session, *, wait: bool = False, most: int = MOST_CHANGES) -> int:
    """Take changes from the log into the blocks; returns how many. Without ``wait`` only if nobody else does."""
    if wait:
        locks.alone(db, Lock.COUNTS)
    elif not locks.try_alone(db, Lock.COUNTS):
        return 0
    categories, changes = _changes(
        db.execute(
            text(
                "DELETE FROM count_change "
                "WHERE ctid = ANY (ARRAY(SELECT ctid FROM count_change LIMIT :most FOR UPDATE)) "
                "RETURNING cell, category, month, state_group, n, contested, orphan, x, y"
            ),
            {"most": most},
        )
    )
    if not len(changes):
        return 0
    seen = changes[changes["cell"] != NOWHERE]
    for zoom in counts.ZOOMS:
        _fold_zoom(db, zoom, seen, categories)
    areas = counts.versions(changes["cell"])
    db.execute(
        text(
            "INSERT INTO count_area (zoom, cell, version) "
            "SELECT * FROM unnest(CAST(:zooms AS smallint[]), CAST(:cells AS bigint[]), CAST(:versions AS bigint[])) "
            "ON CONFLICT (zoom, cell) DO UPDATE SET version = count_area.version + excluded.version"
        ),
        {
            "zooms": [zoom for zoom, _ in areas],
            "cells": [cell for _, cell in areas],
            "versions": list(areas.values()),
        },
    )
    return len(changes)


def _fold_zoom(db: Session, zoom: int, changes: Array, categories: list[str]) -> None:
    plain = counts.blocks(changes, zoom)
    held = _held(db, zoom, [cell for cell, _ in plain])
    empty = np.empty(0, counts.ENTRY)
    kept = {key: counts.added(held.get(key, (empty, False))[0], entries) for key, entries in plain.items()}
    split = {cell for cell, _ in kept if held.get((cell, ALL), (empty, False))[1]}
    fresh = counts.crowded(kept) - split
    for key, entries in counts.kinds(changes, zoom, categories, split).items():
        kept[key] = counts.added(held.get(key, (empty, False))[0], entries)
    # Issues less the log, in one statement: what the blocks say, whoever commits meanwhile.
    for cell in sorted(fresh):
        codes, whole = _truth(db, counts.span(zoom, cell))
        kept |= counts.blocks(whole, zoom) | counts.kinds(whole, zoom, codes, {cell})
    _keep(db, zoom, kept, split | fresh)


def _held(db: Session, zoom: int, cells: Sequence[int]) -> dict[tuple[int, str], tuple[Array, bool]]:
    found = db.execute(
        text("SELECT cell, kind, split, entries FROM count_block WHERE zoom = :zoom AND cell = ANY (:cells)"),
        {"zoom": zoom, "cells": list(cells)},
    )
    return {(row.cell, row.kind): (counts.read(row.entries), row.split) for row in found}


def _keep(db: Session, zoom: int, kept: counts.Blocks, split: set[int]) -> None:
    db.execute(
        text(
            "INSERT INTO count_block (zoom, cell, kind, split, entries) "
            "SELECT CAST(:zoom AS smallint), cell, kind, split, entries FROM unnest("
            "CAST(:cells AS bigint[]), CAST(:kinds AS text[]), CAST(:split AS boolean[]), "
            "CAST(:entries AS bytea[])) AS new (cell, kind, split, entries) "
            "ON CONFLICT (zoom, cell, kind) DO UPDATE SET split = excluded.split, entries = excluded.entries"
        ),
        {
            "zoom": zoom,
            "cells": [cell for cell, _ in kept],
            "kinds": [kind for _, kind in kept],
            "split": [cell in split for cell, _ in kept],
            "entries": [entries.tobytes() for entries in kept.values()],
        },
    )


def rebuild(db: Session, zone: ZoneInfo | None = None) -> int:
    """Count everything anew, in months of ``zone`` (None: as before); returns how many issues the public may see.

    Others may go on changing issues: what they write to the log meanwhile comes on top.
    """
    locks.alone(db, Lock.COUNTS)
    if zone is not None:
        db.execute(
            text("INSERT INTO count_base (zone) VALUES (:zone) ON CONFLICT (id) DO UPDATE SET zone = excluded.zone"),
            {"zone": zone.key},
        )
        # What lies there was counted in months of another zone.
        while fold(db, wait=True):
            pass
    db.execute(text("DELETE FROM count_block"))
    recount = Recount()
    codes: dict[str, int] = {}
    seen = 0
    for changes in _portions(_sums(db), codes):
        seen += int(changes["n"].sum())
        _fill(db, recount.add(changes, list(codes)))
    _fill(db, recount.end())
    versions.bump(db, "counts")
    return seen


def _fill(db: Session, complete: Iterable[Complete]) -> None:
    """Store blocks that are not there: COPY in its binary form takes them as they are, not as hexadecimal text."""
    connection = driver(db)
    into = "COPY count_block (zoom, cell, kind, split, entries) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        copy.set_types(("int2", "int8", "text", "bool", "bytea"))
        for some in complete:
            for (cell, kind), entries in some.blocks.items():
                copy.write_row((some.zoom, cell, kind, cell in some.split, entries.tobytes()))


def check(db: Session) -> list[Difference]:
    """Blocks and log against a recount, in the caller's snapshot; empty when they are the same."""
    categories, changes = _truth(db)
    wrong = []
    for zoom in counts.ZOOMS:
        cells = db.execute(text("SELECT cell FROM count_block WHERE zoom = :zoom"), {"zoom": zoom}).scalars()
        held = _held(db, zoom, sorted(set(cells)))
        split = {cell for (cell, _), (_, is_split) in held.items() if is_split}
        should = counts.blocks(changes, zoom) | counts.kinds(changes, zoom, categories, split)
        empty = np.empty(0, counts.ENTRY)
        for key in {*should, *held}:
            one = counts.added(held.get(key, (empty, False))[0], empty)
            other = counts.added(should.get(key, empty), empty)
            if not np.array_equal(one, other):
                wrong.append(Difference(zoom, *key))
    return sorted(wrong, key=lambda one: (one.zoom, one.cell, one.kind))


def _truth(db: Session, cells: tuple[int, int] | None = None) -> tuple[list[str], Array]:
    """What the blocks should hold, of a span or of everything: the issues less the changes in the log."""
    return _changes(_sums(db, cells))


def _sums(db: Session, cells: tuple[int, int] | None = None) -> Any:
    """The rows of ``_truth`` in order of their cells, as they come from the database."""
    where, binds = "{0}.{1} >= 0", {}
    if cells is not None:
        where, binds = "{0}.{1} >= :first AND {0}.{1} < :behind", {"first": cells[0], "behind": cells[1]}
    shift = 2 * (LEVEL - counts.LAST - counts.depth(counts.LAST))
    source = f"(SELECT id AS issue_id, {COLUMNS} FROM issue WHERE {where.format('issue', 'public_cell')}) AS counted"
    tally = _tally("counted", 1, source)
    return db.execute(
        text(
            f"""
            SELECT (cell >> {shift}) << {shift} AS cell, category, month, state_group, {_SUMMED} FROM (
                SELECT cell, category, month, state_group, n, contested, orphan, x, y FROM ({tally}) AS one
                UNION ALL
                SELECT cell, category, month, state_group, -n, -contested, -orphan, -x, -y
                FROM count_change WHERE {where.format("count_change", "cell")}
            ) AS part GROUP BY 1, 2, 3, 4 ORDER BY 1
            """
        ),
        binds,
        execution_options={"yield_per": PORTION},
    )


def _changes(found: Any) -> tuple[list[str], Array]:
    codes: dict[str, int] = {}
    pieces = list(_portions(found, codes))
    return list(codes), np.concatenate(pieces) if pieces else np.empty(0, CHANGE)


def _portions(found: Any, codes: dict[str, int]) -> Iterator[Array]:
    """Rows as arrays; ``codes`` numbers the categories, and grows as there are more."""
    for portion in found.partitions(PORTION):
        yield counts.rows(
            ((cell, codes.setdefault(category, len(codes)), *rest) for cell, category, *rest in portion), CHANGE
        )
