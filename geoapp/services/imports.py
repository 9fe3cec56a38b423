"""Importing issues: read -> check -> judge -> store, all good rows of all files in one transaction or none."""

import csv
import gzip
import io
import json
import time
import tomllib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from geoapp.domain import mapping as mappings
from geoapp.domain.mappedrows import Reader
from geoapp.domain.mapping import Mapping, WrongMapping
from geoapp.domain.values import ImportPhase, NewIssue, Point, Problem, VerdictClass, Viewer
from geoapp.errors import BadFile
from geoapp.store import bulk, session, staging

Progress = Callable[[int], None]
Told = Callable[[ImportPhase, int], None]
"""What is told of a long import: each phase as it begins and, while reading, how many good rows there are by now."""
PORTION = 500
MOST_GEOJSON_BYTES = 512 * 1024 * 1024
ENCODINGS = ("utf-8-sig", "gb18030")
DELIMITERS = ",;\t|"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NO_PLACE = "no coordinates"


@dataclass(slots=True)
class ImportReport:
    """What became of the rows: read = stored + updated + unchanged + rejected + without_place."""

    read: int = 0
    stored: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    without_place: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    community_verdicts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    rejects: Path | None = None
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "read": self.read,
            "stored": self.stored,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
            "without_place": self.without_place,
            "verdicts": {str(verdict): self.verdicts.get(verdict, 0) for verdict in VerdictClass},
            "community_verdicts": {str(verdict): self.community_verdicts.get(verdict, 0) for verdict in VerdictClass},
            "seconds": round(self.seconds, 2),
            "rejects": str(self.rejects) if self.rejects else None,
            "dry_run": self.dry_run,
        }

    def lines(self) -> Iterator[str]:
        """The same for a terminal, in English."""
        dry = " (dry run: nothing was kept)" if self.dry_run else ""
        yield f"read {self.read:,} rows in {self.seconds:.1f} s{dry}"
        yield f"stored {self.stored:,}, updated {self.updated:,}, unchanged {self.unchanged:,}"
        yield f"rejected {self.rejected:,}, without a place {self.without_place:,}"
        yield "units: " + ", ".join(f"{self.verdicts.get(verdict, 0):,} {verdict}" for verdict in VerdictClass)
        yield "communities: " + ", ".join(
            f"{self.community_verdicts.get(verdict, 0):,} {verdict}" for verdict in VerdictClass
        )
        if self.rejects and (self.rejected or self.without_place):
            yield f"rows that were not taken: {self.rejects}"


def store_issues(viewer: Viewer, issues: Iterable[NewIssue], *, today: date, progress: Progress | None = None) -> int:  # noqa: ARG001
    """Store issues that are ready, with their own histories, in one transaction; returns how many are new.

    Raises BadFile for a category or unit that does not exist.
    """
    with session.bulk() as db:
        staging.stage(db, _counted(issues, progress))
        _refuse_unknown(db, "issues")
        merged = bulk.merge(db, today=today)
    return merged.stored


def import_files(
    viewer: Viewer,  # noqa: ARG001 - whoever holds the command line may
    files: Sequence[Path],
    mapping: Path,
    *,
    today: date,
    now: datetime,
    zone: ZoneInfo,  # noqa: ARG001 - a mapping names its own
    number_prefix: str,
    dry_run: bool = False,
    rejects: Path | None = None,
    told: Told = lambda *_: None,
) -> ImportReport:
    """Read files by one mapping and store what is good; bad rows go to the rejects CSV with their reasons.

    Raises BadFile for a file or mapping that cannot be right as a whole; then nothing is stored.
    """
    begun = time.monotonic()
    report = ImportReport(rejects=rejects, dry_run=dry_run)
    chosen = read_mapping(mapping)
    with _rejects(rejects) as refuse, _maybe(dry_run=dry_run) as db:
        # Numbers alone, for a million rows: where each one stands in its file, and at which of them a file begins.
        lines = array("L")
        begins: list[int] = []
        readers: list[Reader] = []

        def good() -> Iterator[NewIssue]:
            for file in files:
                begins.append(len(lines))
                for row, found in _read(file, chosen, readers, now=now, prefix=number_prefix):
                    report.read += 1
                    if isinstance(found, NewIssue):
                        lines.append(row)
                        yield found
                    elif found is None:
                        report.without_place += 1
                        refuse(file.name, row, "", "", NO_PLACE)
                    else:
                        report.rejected += 1
                        refuse(file.name, row, found.field, found.value, found.reason)

        told(ImportPhase.READING, 0)
        count = staging.stage(db, _counted(good(), lambda done: told(ImportPhase.READING, done)))
        for number, source_id in staging.duplicates(db):
            file = files[bisect_right(begins, number - 1) - 1]
            report.rejected += 1
            refuse(file.name, lines[number - 1], "id", source_id, "duplicate id in the files; a newer row was taken")
        _create(db, chosen, readers)
        _refuse_unknown(db, mapping.name)
        merged = bulk.merge(db, today=today, told=lambda phase: told(phase, count))
        report.stored, report.updated, report.unchanged = merged.stored, merged.updated, merged.unchanged
        report.verdicts, report.community_verdicts = merged.verdicts, merged.community_verdicts
    report.seconds = time.monotonic() - begun
    return report


def read_mapping(file: Path) -> Mapping:
    """Read and check a mapping file; raises BadFile with the key."""
    try:
        return mappings.parse(tomllib.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise BadFile(str(file), "there is no such mapping file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, WrongMapping) as error:
        raise BadFile(str(file), str(error)) from None


class _DryRun(Exception):
    pass


@contextmanager
def _maybe(*, dry_run: bool) -> Iterator[Any]:
    """A bulk transaction that is undone at its end when nothing is to be kept."""
    try:
        with session.bulk() as db:
            yield db
            if dry_run:
                raise _DryRun  # noqa: TRY301 - leaving the block is what rolls back
    except _DryRun:
        pass


def _create(db: Any, mapping: Mapping, readers: Sequence[Reader]) -> None:
    """Categories and units that the rows name and the mapping lets be made."""
    new_categories = {code: name for reader in readers for code, name in reader.new_categories.items()}
    if new_categories and mapping.create_under:
        if not bulk.category_exists(db, mapping.create_under):
            raise BadFile("mapping", f"categories.create_under: there is no category {mapping.create_under!r}")
        bulk.create_categories(db, mapping.create_under, new_categories, origin=mapping.name)
    bulk.create_units(
        db, {code: name for reader in readers for code, name in reader.new_units.items()}, origin=mapping.name
    )


def _refuse_unknown(db: Any, name: str) -> None:
    for kind, codes in staging.unknown_codes(db).items():
        if codes:
            raise BadFile(name, f"there is no {kind} {', '.join(sorted(codes)[:5])}")


def _counted(issues: Iterable[NewIssue], progress: Progress | None) -> Iterator[NewIssue]:
    for count, issue in enumerate(issues, start=1):
        if progress and count % 500 == 0:
            progress(count)
        yield issue


def _read(
    file: Path, mapping: Mapping, readers: list[Reader], *, now: datetime, prefix: str
) -> Iterator[tuple[int, NewIssue | Problem | None]]:
    """Rows of one file with their line (CSV) or place in the collection (GeoJSON)."""
    try:
        source = _geojson(file) if _is_geojson(file) else _csv(file, mapping)
        header = next(source)[1]
        reader = Reader(mapping, header, now, prefix)
        readers.append(reader)
        while portion := list(islice(source, PORTION)):
            reader.foresee((row, point) for _, row, point in portion)
            for line, row, point in portion:
                yield line, reader.read(row, point)
    except StopIteration:
        raise BadFile(str(file), "is empty") from None
    except FileNotFoundError:
        raise BadFile(str(file), "there is no such file") from None
    except WrongMapping as error:
        raise BadFile(str(file), str(error)) from None
    except (OSError, EOFError, csv.Error) as error:
        raise BadFile(str(file), f"cannot be read: {error}") from None


def _is_geojson(file: Path) -> bool:
    return file.suffix in {".geojson", ".json"}


def _csv(file: Path, mapping: Mapping) -> Iterator[tuple[int, list[str], Point | None]]:
    encoding = _encoding(file) if mapping.encoding == "auto" else mapping.encoding
    csv.field_size_limit(1 << 20)
    try:
        with _open(file, encoding) as text:
            start = text.read(64 * 1024)
            text.seek(0)
            delimiter = _delimiter(start) if mapping.delimiter == "auto" else mapping.delimiter
            rows = csv.reader(text, delimiter=delimiter)
            for row in rows:
                if row:
                    yield rows.line_num, row, None
    except (UnicodeDecodeError, LookupError) as error:
        raise BadFile(str(file), f"is not text in {encoding}: {error}") from None


def _open(file: Path, encoding: str) -> TextIO:
    if file.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(file), encoding=encoding, newline="")
    return file.open(encoding=encoding, newline="")


def _encoding(file: Path) -> str:
    """UTF-8 where the whole file is, else GB18030, which holds GBK: a wrong guess cannot pass unseen in UTF-8."""
    for encoding in ENCODINGS:
        try:
            with _open(file, encoding) as text:
                while text.read(1 << 20):
                    pass
        except UnicodeDecodeError:
            continue
        return encoding
    raise BadFile(str(file), "is neither UTF-8 nor GBK text; name its encoding in the mapping (source.encoding)")


def _delimiter(start: str) -> str:
    head = start.splitlines()[0] if start else ""
    return max(DELIMITERS, key=head.count)


def _geojson(file: Path) -> Iterator[tuple[int, list[str], Point | None]]:
    if file.stat().st_size > MOST_GEOJSON_BYTES:
        raise BadFile(str(file), "is larger than 512 MB; split it or use CSV")
    try:
        features = json.loads(file.read_bytes())["features"]
        names = list(dict.fromkeys(key for feature in features for key in (feature.get("properties") or {})))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadFile(str(file), "is not a GeoJSON FeatureCollection") from None
    yield 0, names, None
    for number, feature in enumerate(features, start=1):
        properties = feature.get("properties") or {}
        yield number, [_plain(properties.get(name)) for name in names], _place(feature.get("geometry"))


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _place(geometry: Any) -> Point | None:
    try:
        lon, lat = (float(value) for value in geometry["coordinates"][:2])
    except (TypeError, KeyError, ValueError):
        return None
    return Point(lon, lat)


@contextmanager
def _rejects(file: Path | None) -> Iterator[Callable[[str, int, str, str, str], None]]:
    """Writes rows that were not taken; in UTF-8 with a byte order mark, safe to open in a spreadsheet."""
    if file is None:
        yield lambda *_: None
        return
    try:
        out = file.open("w", encoding="utf-8-sig", newline="")
    except OSError as error:
        raise BadFile(str(file), f"cannot be written: {error.strerror}") from None
    with out:
        writer = csv.writer(out)
        writer.writerow(("file", "row", "field", "value", "why"))
        yield lambda name, row, column, value, why: writer.writerow(
            [_safe(name), row, _safe(column), _safe(value), why]
        )


def _safe(text: str) -> str:
    return f"'{text}" if text.lstrip(" \"'\ufeff").startswith(FORMULA) else text
