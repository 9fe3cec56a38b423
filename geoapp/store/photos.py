"""Photos: files on disk, named by what is in them, and the rows that say whose and whether the public may see them."""

import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geoapp.domain.values import Phase
from geoapp.errors import BadInput, Unavailable
from geoapp.store import darkroom

MAX_BYTES = 20 << 20
TIMEOUT_S = 30
SIZES = ("large", "small")
ORIGINAL = "original"
"""The large photo as it was before anything in it was made unrecognisable: for staff."""
CELLS = 6
"""So many squares across the longer side are left of what is made unrecognisable: too few for a face or a plate."""
THUMB_PX = darkroom.SMALL


@dataclass(frozen=True, slots=True)
class Developed:
    """A photo as we keep it, and the place (EPSG:4326) that its camera noted, which we do not keep."""

    sha256: str
    width: int
    height: int
    lon: float | None
    lat: float | None


Region = tuple[float, float, float, float]
"""Left, top, width and height of a rectangle, as shares of the photo's width and height."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo with its size in pixels; ``report`` is whose it is when a resident sent it."""

    id: UUID
    sha256: str
    phase: Phase
    width: int
    height: int
    caption: str
    added_at: datetime
    released: bool
    original_sha256: str | None = None
    boxes: tuple[Region, ...] = ()
    report: UUID | None = None


def develop(folder: Path, raw: bytes) -> Developed:
    """Check, repaint and store a photo below ``folder``; the same photo twice is one file.

    Raises BadInput with the reason for what is not taken, Unavailable when the disk is full. The bytes that came in
    are never kept.
    """
    if not raw:
        raise BadInput("photo", "photo_missing")
    if len(raw) > MAX_BYTES:
        raise BadInput("photo", "photo_large", most=MAX_BYTES >> 20)
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", darkroom.__name__],
            input=raw,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
            cwd=os.sep,
            env={"PATH": os.defpath, "OMP_NUM_THREADS": "1"},
        )
    except subprocess.TimeoutExpired:
        raise BadInput("photo", "photo_broken") from None
    head, _, body = done.stdout.partition(b"\n")
    try:
        said: dict[str, Any] = json.loads(head)
    except ValueError:
        said = {"refused": "photo_broken"}
    if "refused" in said or len(body) != said["large"] + said["small"]:
        raise BadInput("photo", said.get("refused", "photo_broken"))
    large, small = body[: said["large"]], body[said["large"] :]
    sha256 = hashlib.sha256(large).hexdigest()
    _keep(folder, sha256, large, small)
    return Developed(sha256, said["width"], said["height"], said["lon"], said["lat"])


def path(folder: Path, sha256: str, size: str) -> Path:
    return folder / sha256[:2] / sha256[2:4] / f"{sha256}-{size}.jpg"


def add(db: Session, issue_id: UUID, photo: Photo, person: UUID | None) -> None:
    db.execute(
        text(
            "INSERT INTO photo (issue_id, id, sha256, phase, width, height, caption, added_at, person_id, report_id) "
            "VALUES (:issue, :id, :sha256, :phase, :width, :height, :caption, :at, :person, :report)"
        ),
        {
            "issue": issue_id,
            "id": photo.id,
            "sha256": photo.sha256,
            "phase": str(photo.phase),
            "width": photo.width,
            "height": photo.height,
            "caption": photo.caption,
            "at": photo.added_at,
            "person": person,
            "report": photo.report,
        },
    )


def of_issue(db: Session, issue_id: UUID, *, unreleased: bool) -> list[Photo]:
    """The photos of an issue in the order of their phases; those not released only on demand."""
    rows = db.execute(
        text(
            f"SELECT {_COLUMNS} FROM photo WHERE issue_id = :id AND withdrawn_at IS NULL "
            "AND (:unreleased OR released_at IS NOT NULL) "
            "ORDER BY array_position(ARRAY['before', 'during', 'rendering', 'after'], phase), added_at, id"
        ),
        {"id": issue_id, "unreleased": unreleased},
    )
    return [_photo(row) for row in rows]


def get(db: Session, issue_id: UUID, photo: UUID, *, unreleased: bool) -> Photo | None:
    row = db.execute(
        text(
            f"SELECT {_COLUMNS} FROM photo WHERE issue_id = :id AND id = :photo AND withdrawn_at IS NULL "
            "AND (:unreleased OR released_at IS NOT NULL)"
        ),
        {"id": issue_id, "photo": photo, "unreleased": unreleased},
    ).first()
    return None if row is None else _photo(row)


def firsts(db: Session, issues: Sequence[UUID]) -> dict[UUID, Photo]:
    """The first photo of each of these issues that the public may see."""
    rows = db.execute(
        text(
            f"SELECT DISTINCT ON (issue_id) issue_id, {_COLUMNS} FROM photo WHERE issue_id = ANY (:ids) "
            "AND withdrawn_at IS NULL AND released_at IS NOT NULL ORDER BY issue_id, added_at, id"
        ),
        {"ids": list(issues)},
    )
    return {row.issue_id: _photo(row) for row in rows}


def redact(folder: Path, photo: Photo, boxes: Sequence[Region]) -> str:
    """Make rectangles of the original unrecognisable; returns the name of the new file (the original's without any).

    Raises Unavailable when the disk is full.
    """
    from PIL import Image  # noqa: PLC0415 - our own file, so no child is needed

    original = photo.original_sha256 or photo.sha256
    if not boxes:
        return original
    with Image.open(path(folder, original, "large"), formats=["JPEG"]) as opened:
        canvas = opened.convert("RGB")
    for left, top, width, height in boxes:
        corners = (
            math.floor(left * canvas.width), math.floor(top * canvas.height),
            min(canvas.width, math.ceil((left + width) * canvas.width)),
            min(canvas.height, math.ceil((top + height) * canvas.height)),
        )  # fmt: skip
        part = canvas.crop(corners)
        share = CELLS / max(part.size)
        few = part.resize((max(1, round(part.width * share)), max(1, round(part.height * share))), Image.Resampling.BOX)
        canvas.paste(few.resize(part.size, Image.Resampling.NEAREST), corners)
    large, small = darkroom.prints(canvas)
    sha256 = hashlib.sha256(large).hexdigest()
    _keep(folder, sha256, large, small)
    return sha256


def replace(db: Session, issue_id: UUID, photo: Photo, sha256: str, boxes: Sequence[Region]) -> None:
    """Show another file in a photo's place; the original stays on record."""
    original = photo.original_sha256 or photo.sha256
    db.execute(
        text(
            "UPDATE photo SET sha256 = CAST(:sha256 AS text), "
            "original_sha256 = nullif(CAST(:original AS text), CAST(:sha256 AS text)), "
            "boxes = CAST(:boxes AS jsonb) WHERE issue_id = :issue AND id = :id"
        ),
        {
            "sha256": sha256,
            "original": original,
            "boxes": json.dumps({"boxes": [list(box) for box in boxes]} if boxes else {}),
            "issue": issue_id,
            "id": photo.id,
        },
    )


def release(db: Session, issue_id: UUID, photo: UUID, *, now: datetime, person: UUID | None) -> bool:
    """Let the public see it; False when it was so already."""
    done = db.execute(
        text(
            "UPDATE photo SET released_at = :now, released_by = :person WHERE issue_id = :id AND id = :photo "
            "AND released_at IS NULL AND withdrawn_at IS NULL RETURNING id"
        ),
        {"now": now, "person": person, "id": issue_id, "photo": photo},
    ).first()
    return done is not None


def withdraw(db: Session, issue_id: UUID, photo: UUID, *, now: datetime) -> bool:
    """Take it out of sight for everybody; False when it was so already."""
    done = db.execute(
        text(
            "UPDATE photo SET withdrawn_at = :now WHERE issue_id = :id AND id = :photo AND withdrawn_at IS NULL "
            "RETURNING id"
        ),
        {"now": now, "id": issue_id, "photo": photo},
    ).first()
    return done is not None


def sweep(db: Session, folder: Path, *, now: datetime, older: timedelta = timedelta(days=1)) -> int:
    """Remove files that no row names, which a broken upload leaves behind; returns how many."""
    named = set(
        db.execute(
            text("SELECT unnest(ARRAY[sha256, original_sha256]) FROM photo WHERE withdrawn_at IS NULL")
        ).scalars()
    )
    gone = 0
    for file in folder.glob("*/*/*.jpg"):
        if file.name.partition("-")[0] not in named and file.stat().st_mtime < (now - older).timestamp():
            file.unlink()
            gone += 1
    return gone


def sweep_some(db: Session, folder: Path, names: Sequence[str]) -> None:
    """Remove the files of these names at once, unless another photo still shows them."""
    for name in names:
        shown = db.execute(
            text("SELECT EXISTS (SELECT FROM photo WHERE :name IN (sha256, original_sha256) AND withdrawn_at IS NULL)"),
            {"name": name},
        ).scalar()
        if not shown:
            for size in SIZES:
                path(folder, name, size).unlink(missing_ok=True)


_COLUMNS = "id, sha256, phase, width, height, caption, added_at, released_at, original_sha256, boxes, report_id"


def _photo(row: Row[Any]) -> Photo:
    return Photo(
        row.id, row.sha256, Phase(row.phase), row.width, row.height, row.caption, row.added_at,
        row.released_at is not None, row.original_sha256, tuple(tuple(box) for box in row.boxes.get("boxes", ())),
        row.report_id,
    )  # fmt: skip


def _keep(folder: Path, sha256: str, large: bytes, small: bytes) -> None:
    try:
        for size, data in zip(SIZES, (large, small), strict=True):
            _write(path(folder, sha256, size), data)
    except OSError as error:
        raise Unavailable(f"the photo cannot be stored: {error.strerror}") from error


def _write(file: Path, data: bytes) -> None:
    """All of it or nothing, and on the disk before anybody is told so."""
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as written:
            written.write(data)
            written.flush()
            os.fsync(written.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
