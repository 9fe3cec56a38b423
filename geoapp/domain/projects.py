"""Projects (项目) and their money: what is a sound project, and how a ledger adds up.

Pure. The ledger has no balance that could be wrong: sums are computed from its lines, source by source.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from geoapp.domain.editing import LARGEST_COST, Wrong

LONGEST_TITLE, LONGEST_NOTE, LONGEST_SOURCE = 200, 4000, 120
MOST_CASES = 500


class ProjectState(StrEnum):
    PLANNED = "planned"
    APPROVED = "approved"
    RUNNING = "running"
    DONE = "done"
    DROPPED = "dropped"


class Entry(StrEnum):
    """What a line of the ledger says of an amount: promised (承诺) by a source, or spent (支出) from it."""

    PROMISED = "promised"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ledger. A negative amount takes back what an earlier line said."""

    entry: Entry
    source: str
    amount: Decimal
    note: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """What a source has promised, what of it is spent and what is left; ``left`` below nothing is overdrawn."""

    source: str
    promised: Decimal
    spent: Decimal

    @property
    def left(self) -> Decimal:
        return self.promised - self.spent


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What a project says of itself. ``area`` is WKB in EPSG:4326; amounts are in yuan."""

    title: str
    note: str = ""
    area: bytes | None = None
    state: ProjectState = ProjectState.PLANNED
    budget_low: Decimal | None = None
    budget_high: Decimal | None = None
    begins: date | None = None
    ends: date | None = None
    unit: str | None = None


NOTHING = Decimal(0)


def balances(lines: Iterable[Line]) -> tuple[Balance, ...]:
    """The state of every source, by name."""
    sums: dict[str, dict[Entry, Decimal]] = {}
    for line in lines:
        of_source = sums.setdefault(line.source, dict.fromkeys(Entry, NOTHING))
        of_source[line.entry] += line.amount
    return tuple(Balance(source, found[Entry.PROMISED], found[Entry.SPENT]) for source, found in sorted(sums.items()))


def whole(found: Iterable[Balance]) -> Balance:
    """All sources together."""
    listed = list(found)
    return Balance("", sum((one.promised for one in listed), NOTHING), sum((one.spent for one in listed), NOTHING))


def overdrawn(lines: Iterable[Line], new: Line) -> Decimal:
    """By how much a further line would take its source below nothing, beyond what it is already; 0: not at all."""
    before = {one.source: one for one in balances(lines)}.get(new.source, Balance(new.source, NOTHING, NOTHING)).left
    change = new.amount if new.entry is Entry.PROMISED else -new.amount
    return max(NOTHING, min(-(before + change), -change))


def wrong_line(line: Line) -> Iterator[Wrong]:
    if not line.source:
        yield "source", "missing", {}
    if len(line.source) > LONGEST_SOURCE or not line.source.isprintable():
        yield "source", "too_long", {"most": LONGEST_SOURCE}
    if not line.amount.is_finite() or line.amount == 0 or abs(line.amount) > LARGEST_COST:
        yield "amount", "amount", {"high": int(LARGEST_COST)}
    yield from wrong_note(line.note)


def wrong_project(facts: ProjectFacts) -> Iterator[Wrong]:
    if not facts.title:
        yield "title", "missing", {}
    if len(facts.title) > LONGEST_TITLE or not facts.title.isprintable():
        yield "title", "too_long", {"most": LONGEST_TITLE}
    yield from wrong_note(facts.note)
    for name, amount in (("budget_low", facts.budget_low), ("budget_high", facts.budget_high)):
        yield from wrong_amount(name, amount)
    if facts.budget_low is not None and facts.budget_high is not None and facts.budget_low > facts.budget_high:
        yield "budget_high", "less_than_low", {}
    yield from wrong_days(facts.begins, facts.ends)


def wrong_note(note: str, field: str = "note") -> Iterator[Wrong]:
    if len(note) > LONGEST_NOTE or not note.replace("\n", "").isprintable():
        yield field, "too_long", {"most": LONGEST_NOTE}


def wrong_amount(field: str, amount: Decimal | None) -> Iterator[Wrong]:
    if amount is not None and not (amount.is_finite() and 0 <= amount <= LARGEST_COST):
        yield field, "between", {"low": 0, "high": int(LARGEST_COST)}


def wrong_days(begins: date | None, ends: date | None) -> Iterator[Wrong]:
    if begins and ends and begins > ends:
        yield "ends", "before_begin", {}
