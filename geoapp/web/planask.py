"""A planner's question in the address: read from it, and written to it, so that every state is a link."""

import math
from datetime import date
from typing import Any, TypeVar

from flask import request
from werkzeug.datastructures import MultiDict

from geoapp.domain.planning import MATTERS, UNITS, Analysis, Ask, Cells, Method, Per
from geoapp.domain.spatial.grid import MAX_CELLS
from geoapp.errors import BadInput, OutOfRange
from geoapp.web import page, params

Word = TypeVar("Word", Analysis, Cells, Method, Per)
FILTERS = ("category", "state", "verdict", "from", "to")
SIZES = {"cell": (20, 20_000), "within": (1, 5_000), "days": (1, 730), "bandwidth": (10, 20_000)}
"""The least and the largest size of each kind, in metres or days."""
MOST_PLACES = 50


def asked(analysis: str | None = None, args: MultiDict[str, str] | None = None) -> Ask:
    """The question in the address; raises BadInput naming the field."""
    args = request.args if args is None else args
    plain = MultiDict([(name, value) for name in FILTERS for value in args.getlist(name)])
    wanted = params.issue_filter(page.known_codes, plain)
    places = [one for text in args.getlist("place") for one in text.split(",") if one.strip()]
    if len(places) > MOST_PLACES:
        raise BadInput("place", "too_many", most=MOST_PLACES)
    if any(len(one) > params.LONGEST or params.CONTROLS.search(one) for one in places):
        raise BadInput("place", "unknown", value="")
    kind = _word(args, "analysis", Analysis, Analysis.HOT_SPOTS, given=analysis)
    units = UNITS.get(kind, tuple(Cells))
    per, _, asset = args.get("per", "").strip().partition(":")
    ask = Ask(
        kind,
        page.today(),
        places=tuple(one.strip() for one in places),
        categories=wanted.categories,
        states=wanted.states,
        verdicts=wanted.verdicts,
        since=wanted.since,
        until=wanted.until,
        cells=_word(args, "cells", Cells, Cells.SQUARE if Cells.SQUARE in units else units[0]),
        cell_m=_size(args, "cell"),
        per=_word(args, "per", Per, Per.COUNT, given=per),
        asset=asset[: params.LONGEST],
        method=_word(args, "method", Method, Method.DBSCAN),
        within_m=_size(args, "within"),
        within_days=_size(args, "days") or 30.0,
        least=params.whole(args, "least", 10, low=2, high=1000),
        bandwidth_m=_size(args, "bandwidth"),
        by_category=args.get("each") == "1",
    )
    if ask.per is Per.KM2 and kind is Analysis.HOT_SPOTS and not ask.of_areas:
        # Cells are alike in size: per km² is the same as the count.
        raise BadInput("per", "per_km2_of_cells")
    return ask


def link(ask: Ask, **changed: Any) -> dict[str, Any]:
    """The parameters of a question's address, without those that make no difference; ``changed`` on top."""
    told: dict[str, Any] = {"analysis": str(ask.analysis)}
    matter = MATTERS[ask.analysis]
    names = (
        ("place", ",".join(ask.places)), ("category", ",".join(ask.categories)), ("state", ",".join(ask.states)),
        ("verdict", ",".join(ask.verdicts)), ("from", _day(ask.since)), ("to", _day(ask.until)),
    )  # fmt: skip
    told |= {name: value for name, value in names if value}
    if "cells" in matter:
        told["cells"] = str(ask.cells)
    if "cell_m" in matter and ask.cell_m and not ask.of_areas:
        told["cell"] = metres(ask.cell_m)
    if "per" in matter and ask.per is not Per.COUNT:
        told["per"] = f"{ask.per}:{ask.asset}" if ask.asset else str(ask.per)
    if "method" in matter:
        told |= {"method": str(ask.method), "least": ask.least}
        told |= {"each": "1"} if ask.by_category else {}
        told |= {"days": metres(ask.within_days)} if ask.method is Method.SPACE_TIME else {}
    if "within_m" in matter and ask.within_m:
        told["within"] = metres(ask.within_m)
    if "bandwidth_m" in matter and ask.bandwidth_m:
        told["bandwidth"] = metres(ask.bandwidth_m)
    return told | changed


def metres(value: float) -> str:
    return f"{value:g}" if value < MAX_CELLS else f"{value:.0f}"


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _word(args: MultiDict[str, str], name: str, words: type[Word], default: Word, *, given: str | None = None) -> Word:
    text = args.get(name, "").strip() if given is None else given
    if not text:
        return default
    if text not in set(words):
        raise BadInput(name, "one_of", value=text[:40], choices=", ".join(words))
    return words(text)


def _size(args: MultiDict[str, str], name: str) -> float | None:
    text = args.get(name, "").strip()
    if not text:
        return None
    value = params.number(name, text)
    low, high = SIZES[name]
    if not low <= value <= high or math.isnan(value):
        raise OutOfRange(name, "between", low=low, high=high)
    return value
