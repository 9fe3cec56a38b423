"""How many people live where: brought in from a CSV file, and given to whoever counts issues per resident."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.values import Viewer
from geoapp.errors import BadFile, NotYours
from geoapp.store import residents, versions
from geoapp.store.residents import Count
from geoapp.store.session import snapshot, transaction

__all__ = ["Count", "Report"]

T = TypeVar("T")

COLUMNS = ("code", "residents", "year", "source")
MOST_PEOPLE = 50_000_000
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Report:
    """What an import has taken, and what it has not, by row."""

    taken: int
    rejected: tuple[tuple[int, str, str], ...] = ()

    def lines(self) -> list[str]:
        more = [f"row {row}: {code}: {why}" for row, code, why in self.rejected[:SHOWN]]
        return [f"{self.taken:,} places taken, {len(self.rejected):,} rows not", *more]

    def as_json(self) -> dict[str, Any]:
        return {
            "taken": self.taken,
            "rejected": [{"row": row, "code": code, "why": why} for row, code, why in self.rejected],
        }


def known() -> list[Count]:
    """The newest count of each place that one is known of."""
    with snapshot() as db:
        return residents.known(db)


def import_file(viewer: Viewer, file: Path, *, today: date) -> Report:
    """Take residents from a CSV file with the columns code, residents, year, source. Raises NotYours and BadFile."""
    if not may_anywhere(viewer, Right.PEOPLE):
        raise NotYours("not_yours", "action")
    rows = rows_of(file, needs={"code", "residents", "year"}, columns=COLUMNS)
    with transaction() as db:
        places = residents.codes(db)
        good, bad = sifted(rows, lambda row: _count(row, places, today.year))
        if good:
            residents.keep(db, good)
            versions.bump(db, "places")
    return Report(len(good), bad)


def sifted(
    rows: list[dict[str, str]], read: Callable[[dict[str, str]], T | str]
) -> tuple[list[T], tuple[tuple[int, str, str], ...]]:
    """Rows that ``read`` understands, and of the others their number in the file, their code and what is wrong."""
    good: list[T] = []
    bad: list[tuple[int, str, str]] = []
    for number, row in enumerate(rows, start=2):
        found = read(row)
        if isinstance(found, str):
            bad.append((number, (row.get("code") or "")[:40], found))
        else:
            good.append(found)
    return good, tuple(bad)


def store_all(viewer: Viewer, counts: list[Count]) -> None:
    """Store counts that are known to be sound. Raises NotYours."""
    if not may_anywhere(viewer, Right.PEOPLE):
        raise NotYours("not_yours", "action")
    with transaction() as db:
        residents.keep(db, counts)
        versions.bump(db, "places")


def _count(row: dict[str, str], places: set[str], this_year: int) -> Count | str:
    """A row as a count, or what is wrong with it."""
    code = (row.get("code") or "").strip()
    if code not in places:
        return "no place has this code"
    found = number_and_year(row, "residents", this_year)
    return found if isinstance(found, str) else Count(code, *found, (row.get("source") or "").strip()[:200])


def rows_of(file: Path, *, needs: set[str], columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a CSV file of counts per place; raises BadFile for one that is not."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadFile(file.name, f"cannot be read: {error}") from error
    if rows and not needs <= set(rows[0]):
        raise BadFile(file.name, f"needs the columns {', '.join(columns)}")
    return rows


def number_and_year(row: dict[str, str], column: str, this_year: int) -> tuple[int, int] | str:
    """The number in a column and its year, or what is wrong with them."""
    number, year = ((row.get(name) or "").strip().replace(",", "") for name in (column, "year"))
    if not (number.isascii() and number.isdigit()) or len(number) > 9 or int(number) > MOST_PEOPLE:  # noqa: PLR2004
        return f"{column} {number[:20]!r} is no whole number"
    if not (year.isascii() and year.isdigit()) or not 1900 <= int(year[:6]) <= this_year:  # noqa: PLR2004
        return f"year {year[:20]!r} is none up to this one"
    return int(number), int(year)
