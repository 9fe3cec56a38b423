"""Issues and their append-only history.

The rules of scale-out hold from the first migration on: the primary key is ``id``, what hangs on an
issue is keyed ``(issue_id, …)``, no other unique constraint stands on these tables, and no reference
table points here. A number is unique because a sequence gives it.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from geoalchemy2 import WKBElement
from sqlalchemy import BigInteger, CheckConstraint, Computed, ForeignKey, Index, Numeric, Sequence
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from geoapp.domain.values import SEVERITIES, IssueState, Level, Phase, PlacedBy, Privacy, Source, VerdictClass
from geoapp.models.base import (
    Base,
    codes,
    count,
    created_at,
    document,
    geometry,
    instant,
    link,
    numbers,
    on_earth,
    one_of,
    words,
    yes_no,
)

issue_serial = Sequence("issue_serial", metadata=Base.metadata)
"""The last part of an issue's number; it never goes back, whatever prefix and year stand before it."""


def _grams(part: str) -> Computed:
    """What a search looks up, of the words that the public may read or of all the others.

    The database makes it, so that no writer can forget it or leave hidden words in what the public searches.
    Why stored, and not an index over the expression? A plan that reads rows one by one (the newest first, those of
    a tile) would make it again for each.
    """
    return Computed(
        f"search_grams(issue_{part}_words(number, title, text, address, text_released, privacy))", persisted=True
    )


_REPORTED_HERE = "source NOT IN ('import', 'open311')"


class Issue(Base):
    """问题: a point, always; what is known of it, where it stands, and whose it is.

    ``geom`` is where it is; ``public_geom`` is what the public may know of that (the same point, a
    point of the 100 m grid, or nothing), and every public query reads only this one. ``stage``, ``due_at``
    and ``paused`` say what domain.deadlines finds in the history; ``returns`` and ``reworks`` count in it.
    ``history_hash`` is the hash of the newest history row: without it, its loss could not be told.
    """

    __tablename__ = "issue"
    __table_args__ = (
        on_earth("geom"),
        on_earth("public_geom", optional=True),
        one_of("privacy", Privacy),
        one_of("source", Source),
        one_of("placed_by", PlacedBy),
        one_of("state", IssueState),
        one_of("level", Level),
        one_of("verdict", VerdictClass),
        one_of("community_verdict", VerdictClass),
        CheckConstraint("(privacy = 'private') = (public_geom IS NULL)", name="private_has_no_public_place"),
        CheckConstraint("privacy <> 'public' OR public_geom = geom", name="public_place_is_the_place"),
        CheckConstraint(f"severity BETWEEN {SEVERITIES[0]} AND {SEVERITIES[-1]}", name="severity_known"),
        CheckConstraint("accuracy_m >= 0 AND accuracy_m <= 100000", name="accuracy_in_metres"),
        CheckConstraint("cost_planned >= 0 AND cost_spent >= 0", name="cost_not_negative"),
        CheckConstraint("title <> '' AND length(title) <= 200", name="title_length"),
        CheckConstraint(
            "extent IS NULL OR (NOT ST_IsEmpty(extent) AND GeometryType(extent) IN "
            "('LINESTRING','MULTILINESTRING','POLYGON','MULTIPOLYGON','MULTIPOINT'))",
            name="extent_kind",
        ),
        CheckConstraint("ended_at IS NULL OR ended_at >= reported_at", name="ends_after_report"),
        Index(None, "number"),
        Index("ix_issue_geom", "geom", postgresql_using="gist"),
        Index("ix_issue_public_3857", "public_3857", postgresql_using="gist"),
        Index("ix_issue_public_cell", "public_cell"),
        Index("ix_issue_newest", sa.text("reported_at DESC"), sa.text("id DESC")),
        Index(None, "category_code", "reported_at"),
        Index(None, "community_id", "reported_at"),
        Index(None, "unit_id"),
        Index("ix_issue_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
        Index("ix_issue_merged_into", "merged_into", postgresql_where=sa.text("merged_into IS NOT NULL")),
        Index("ix_issue_part_of", "part_of", postgresql_where=sa.text("part_of IS NOT NULL")),
        # Each of other rows, as far as the planner knows: else it may ask any of them for what only one can find.
        *(
            Index(name, sa.text(of), "reported_at", postgresql_where=sa.text(f"{_REPORTED_HERE} AND {rows}"))
            for name, of, rows in (
                ("ix_issue_same_title", "hashtext(title)", "title <> ''"),
                ("ix_issue_same_text", "hashtext(text)", "text <> ''"),
                ("ix_issue_crowd", "(map_cell(st_x(geom), st_y(geom)) >> 18)", "geom IS NOT NULL"),
            )
        ),
        CheckConstraint("merged_into <> id AND part_of <> id", name="not_its_own_part"),
        CheckConstraint("merged_into IS NULL OR state = 'duplicate'", name="merged_is_a_duplicate"),
        Index("ix_issue_candidate_ids", "candidate_ids", postgresql_using="gin"),
        Index("ix_issue_public_grams", "public_grams", postgresql_using="gin"),
        Index("ix_issue_hidden_grams", "hidden_grams", postgresql_using="gin"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str]
    category_code: Mapped[str] = mapped_column(ForeignKey("category.code"))
    title: Mapped[str]
    text: Mapped[words]
    text_released: Mapped[yes_no]
    address: Mapped[words]
    severity: Mapped[int]
    privacy: Mapped[str]
    source: Mapped[str]
    source_name: Mapped[words]
    source_id: Mapped[words]
    source_hash: Mapped[words]
    geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))
    public_geom: Mapped[WKBElement | None] = mapped_column(geometry("POINT"))
    public_3857: Mapped[WKBElement | None] = mapped_column(
        geometry("POINT", 3857), Computed("ST_Transform(public_geom, 3857)", persisted=True)
    )
    public_cell: Mapped[int | None] = mapped_column(
        BigInteger, Computed("map_cell(ST_X(public_geom), ST_Y(public_geom))", persisted=True)
    )
    extent: Mapped[WKBElement | None] = mapped_column(geometry("GEOMETRY"))
    accuracy_m: Mapped[float | None]
    placed_by: Mapped[str]
    state: Mapped[str]
    level: Mapped[str]
    reported_at: Mapped[instant]
    updated_at: Mapped[instant]
    ended_at: Mapped[instant | None]
    stage: Mapped[words]
    due_at: Mapped[instant | None]
    paused: Mapped[yes_no]
    returns: Mapped[count]
    reworks: Mapped[count]
    community_id: Mapped[int | None] = mapped_column(ForeignKey("place.id"))
    community_verdict: Mapped[str]
    verdict: Mapped[str]
    judged_on: Mapped[date]
    candidate_ids: Mapped[numbers]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    helping_unit_ids: Mapped[numbers]
    cost_planned: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    cost_spent: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    fund_source: Mapped[words]
    synthetic: Mapped[yes_no]
    merged_into: Mapped[UUID | None]
    part_of: Mapped[UUID | None]
    history_seq: Mapped[count]
    history_hash: Mapped[link]
    public_grams: Mapped[str] = mapped_column(TSVECTOR, _grams("public"))
    hidden_grams: Mapped[str] = mapped_column(TSVECTOR, _grams("hidden"))
    version: Mapped[int] = mapped_column(server_default=sa.text("1"))
    stored_at: Mapped[created_at]


class History(Base):
    """What happened to an issue: rows are added, never changed or removed (a trigger sees to it).

    ``hash`` is of the row's content and of the hash before it; ``person_id`` has no foreign key, because who
    acted stays on record when the account is gone. What is ``internal`` no public door shows.
    """

    __tablename__ = "history"
    __table_args__ = (
        CheckConstraint("seq > 0", name="seq_counts_from_one"),
        CheckConstraint("action <> ''", name="action_named"),
        Index(
            "ix_history_news",
            sa.text("at DESC"),
            postgresql_where=sa.text("NOT internal AND action <> 'judge'"),
        ),
    )

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[instant]
    action: Mapped[str]
    to_state: Mapped[str | None]
    actor: Mapped[words]
    note: Mapped[words]
    detail: Mapped[document]
    person_id: Mapped[UUID | None]
    internal: Mapped[yes_no]
    hash: Mapped[link]
    recorded_at: Mapped[created_at]


class Settlement(Base):
    """确权: on this day, before these people, this land became one unit's; the jurisdictions follow from it."""

    __tablename__ = "settlement"
    __table_args__ = (
        CheckConstraint("NOT ST_IsEmpty(area)", name="area_not_empty"),
        Index("ix_settlement_area", "area", postgresql_using="gist"),
    )

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    settled_on: Mapped[date]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    categories: Mapped[codes]
    area: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))
    area_m2: Mapped[float]
    jurisdiction_code: Mapped[str]
    participants: Mapped[words]
    documents: Mapped[words]
    note: Mapped[words]
    person_id: Mapped[UUID | None]
    recorded_at: Mapped[created_at]


class Photo(Base):
    """A photo of an issue; its file is named by its content and may belong to several. Released is an explicit act.

    ``report_id`` names whose it is when a resident sent it. ``original_sha256`` is what it was before somebody made
    the ``boxes`` in it unrecognisable: only staff see that.
    """

    __tablename__ = "photo"
    __table_args__ = (
        one_of("phase", Phase),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="named_by_content"),
    )

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    phase: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    caption: Mapped[words]
    added_at: Mapped[instant]
    person_id: Mapped[UUID | None]
    released_at: Mapped[instant | None]
    released_by: Mapped[UUID | None]
    withdrawn_at: Mapped[instant | None]
    report_id: Mapped[UUID | None]
    original_sha256: Mapped[str | None]
    boxes: Mapped[document]


class Revision(Base):
    """What a field held before somebody changed it, and after; apart from the history, so that it can be erased."""

    __tablename__ = "revision"

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[instant]
    person_id: Mapped[UUID | None]
    before: Mapped[words]
    after: Mapped[words]


class Report(Base):
    """上报: who told of an issue, the first (its id is the issue's) or a witness. No public door reads this table.

    ``key_hash`` is the SHA-256 of the private link's key, ``fingerprint`` tells the same report sent again.
    """

    __tablename__ = "report"
    __table_args__ = (CheckConstraint("witness OR id = issue_id", name="the_first_is_named_by_its_issue"),)

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    witness: Mapped[yes_no]
    at: Mapped[instant]
    person_id: Mapped[UUID | None]
    name: Mapped[words]
    contact: Mapped[words]
    lang: Mapped[words]
    key_hash: Mapped[bytes]
    fingerprint: Mapped[str]
    erased_at: Mapped[instant | None]
    withdrawn_at: Mapped[instant | None]
