"""What staff may change in an issue's words and facts, checked before anything is written.

Pure. Only what differs is a change; what was there before is kept apart from the history, which
is never erased, because people write about people.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal

from geoapp.domain.reports import LONGEST_ADDRESS, LONGEST_TEXT, LONGEST_TITLE
from geoapp.domain.values import SEVERITIES, Point, Privacy

LARGEST_COST = Decimal(10) ** 11
LONGEST_FUND = 200
_LONGEST = {"title": LONGEST_TITLE, "text": LONGEST_TEXT, "address": LONGEST_ADDRESS}


@dataclass(frozen=True, slots=True)
class Facts:
    """What of an issue can be edited; as a change, None leaves a field as it is."""

    title: str | None = None
    text: str | None = None
    address: str | None = None
    category: str | None = None
    severity: int | None = None
    privacy: Privacy | None = None
    point: Point | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """Planned and spent in yuan, and where the money comes from."""

    planned: Decimal | None = None
    spent: Decimal | None = None
    fund: str = ""


Wrong = tuple[str, str, Mapping[str, object]]
"""A field, the reason's key and its parameters."""


def wrong_facts(change: Facts) -> Iterator[Wrong]:
    for name, most in _LONGEST.items():
        told = getattr(change, name)
        if told is None:
            continue
        if name == "title" and not told:
            yield name, "missing", {}
        if len(told) > most:
            yield name, "too_long", {"most": most}
        if not told.replace("\n", "").isprintable():
            yield name, "characters", {}
    if change.severity is not None and change.severity not in SEVERITIES:
        yield "severity", "between", {"low": SEVERITIES[0], "high": SEVERITIES[-1]}


def wrong_cost(cost: Cost) -> Iterator[Wrong]:
    for name in ("planned", "spent"):
        amount = getattr(cost, name)
        if amount is not None and not (amount.is_finite() and 0 <= amount <= LARGEST_COST):
            yield name, "between", {"low": 0, "high": int(LARGEST_COST)}
    if len(cost.fund) > LONGEST_FUND or not cost.fund.isprintable():
        yield "fund", "too_long", {"most": LONGEST_FUND}


def changed(before: Facts, change: Facts) -> dict[str, tuple[object, object]]:
    """The fields that differ, each with what was and what is to be."""
    found = {}
    for one in fields(Facts):
        was, new = getattr(before, one.name), getattr(change, one.name)
        if new is not None and new != was:
            found[one.name] = (was, new)
    return found
