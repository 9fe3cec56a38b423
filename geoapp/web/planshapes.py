"""Results of analyses as pages, maps and files read them: rows in words, classed features, columns in two tongues."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoapp import words
from geoapp.domain.planning import Analysis, Ask, Cells
from geoapp.services.planning import Part, Result
from geoapp.web import page, planask
from geoapp.web.planclasses import Classes, classes, number_of

MOST_ROWS, MOST_FEATURES = 25, 6000
DIGITS = 6
FACETS = {"by_category", "by_period"}
"""Parts that small maps side by side are drawn from."""
PROJECT_PARTS = {"clusters", "groups"}
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "hotspots/cells": ("count", "around", "expected", "z", "q"),
    "hotspots/groups": ("category", "count", "cells"),
    "clusters/clusters": (
        "category",
        "count",
        "open",
        "median_age_days",
        "spread_m",
        "share_contested",
        "first",
        "last",
    ),
    "density/bands": ("low", "high", "count"),
    "trends/cells": ("count", "hot_slices", "tau", "trend_p"),
    "repeats/places": ("category", "count", "extent_m", "first", "last"),
    "repeats/returns": ("category", "days", "unit"),
    "association/areas": ("count", "rate", "i", "p", "q"),
    "association/pairs": ("from", "to", "quotient", "q", "n_from", "n_to"),
    "compare/areas": ("count", "rate", "low", "high", "ratio", "shrunk"),
    "compare/by_category": ("category", "count", "rate"),
    "compare/by_period": ("period", "count", "rate"),
}
WORDS = {"category", "from", "to", "unit", "community"}
"""Columns that hold codes with a name."""
TEXTS = WORDS | {"period"}


@dataclass(frozen=True, slots=True)
class Names:
    """Names in both languages by code, as (zh, en)."""

    category: Mapping[str, tuple[str, str]]
    unit: Mapping[str, tuple[str, str]]
    community: Mapping[str, tuple[str, str]]

    def of(self, column: str, code: str) -> tuple[str, str]:
        kind = "category" if column in {"from", "to"} else column
        found: tuple[str, str] = getattr(self, kind).get(code, (code, code))
        return found


def names() -> Names:
    found = page.choices()
    return Names(
        {row.code: (row.name.zh, row.name.en or row.name.zh) for row in found.categories},
        {row.code: (row.name.zh, row.name.en or row.name.zh) for row in found.units},
        {row.code: (row.name.zh, row.name.en or row.name.zh) for row in found.communities},
    )


def parts_of(result: Result) -> list[str]:
    """The parts with rows of their own, the first of them on the map."""
    return [name for name in result.parts if name not in {"all", "categories", "months", "seasons"}]


def table(ask: Ask, result: Result, part: str, known: Names, *, may_plan: bool) -> dict[str, Any]:
    """The most telling rows of a part in words, each with a way to its cases."""
    rows = result.parts[part]
    shown = classes(ask, result, part)
    columns = COLUMNS[f"{ask.analysis}/{part}"]
    order = ranked(ask, rows, part)[:MOST_ROWS]
    return {
        "part": part,
        "title": page.say(f"planning.part.{part}"),
        "total": len(rows),
        "named": "zh" in rows.columns,
        "head": [{"name": page.say(f"planning.column.{name}"), "text": name in TEXTS} for name in columns],
        "classed": part not in PROJECT_PARTS | FACETS | {"places", "returns", "bands", "pairs"},
        "rows": [
            {
                "row": row,
                "name": name_of(rows, row, known),
                "class": shown.keys[shown.of[row]].say(page.lang()) if shown.of[row] >= 0 else "",
                "fill": shown.keys[shown.of[row]].fill if shown.of[row] >= 0 else "",
                "cells": [
                    {
                        "text": text_of(name, rows.columns[name][row], known),
                        "word": name in TEXTS,
                        "cases": _cases_of(ask, rows, part, row, name),
                    }
                    for name in columns
                ],
                "project_url": page.url("/planning/project", **planask.link(ask), part=part, row=row)
                if may_plan and part in PROJECT_PARTS
                else "",
            }
            for row in order
        ],
        "more": max(0, len(rows) - MOST_ROWS),
    }


def _cases_of(ask: Ask, rows: Part, part: str, row: int, name: str) -> str:
    """Where the issues behind this figure are listed; empty for what is no number of issues."""
    if name == "count" or (name == "days" and part == "returns"):
        return page.url("/planning/cases", **planask.link(ask), part=part, row=row)
    if name in {"n_from", "n_to"}:
        kind = str(rows.columns[name[2:]][row])
        return page.url("/planning/cases", **planask.link(ask), part="categories", code=kind)
    return ""


def ranked(ask: Ask, rows: Part, part: str) -> list[int]:
    """The order of rows in a list: most significant or largest first."""
    if part == "cells" and ask.analysis is Analysis.HOT_SPOTS:
        return _order(-np.nan_to_num(rows.columns["z"], nan=-99))
    if part == "cells":
        rank = np.where(rows.columns["trend"] != "", 1, 0) * 1_000_000 + rows.columns["count"]
        return _order(-rank)
    if part == "areas" and ask.analysis is Analysis.ASSOCIATION:
        return _order(rows.columns["q"])
    if part in FACETS:
        return _order(-rows.columns["count"])
    return list(range(len(rows)))


def _order(values: NDArray[Any]) -> list[int]:
    return [int(row) for row in np.argsort(values, kind="stable")]


def name_of(rows: Part, row: int, known: Names) -> str:
    """What a row is called: the place itself, or the community that most of its issues lie in."""
    if "zh" in rows.columns:
        zh, en = str(rows.columns["zh"][row]), str(rows.columns["en"][row])
        return (zh or en) if page.lang() == "zh" else (en or zh)
    number = page.say("planning.row", n=row + 1)
    code = str(rows.columns["community"][row]) if "community" in rows.columns else ""
    where = known.of("community", code)[page.lang() == "en"] if code in known.community else ""
    return f"{where} · {number}" if where else number


def text_of(name: str, value: Any, known: Names) -> str:
    """A value as people read it."""
    if name in WORDS:
        return known.of(name, str(value))[page.lang() == "en"]
    if name == "period":
        return str(value)
    if isinstance(value, np.datetime64):
        return "–" if np.isnat(value) else str(value.astype("datetime64[D]"))
    if isinstance(value, (np.bool_, bool)):
        return page.say("planning.yes" if value else "planning.no")
    return _number_in_words(name, float(value))


def _number_in_words(name: str, number: float) -> str:
    if name in {"share_contested", "contested", "contested_low", "contested_high", "share"}:
        return f"{100 * number:.0f} %" if np.isfinite(number) else "–"
    if name in {"p", "q", "trend_p"}:
        return "< 0.001" if number < 0.001 else f"{number:.3f}"  # noqa: PLR2004
    if number.is_integer():
        return f"{number:,.0f}"
    return number_of(number)


def legend(shown: Classes) -> list[dict[str, Any]]:
    """The lines of a legend that are there on the map, each with the number of its rows."""
    counts = shown.counts()
    return [
        {"fill": key.fill, "edge": key.edge, "label": key.say(page.lang()), "n": n, "k": k}
        for k, (key, n) in enumerate(zip(shown.keys, counts, strict=True))
        if n
    ]


def features(ask: Ask, result: Result, part: str, known: Names) -> dict[str, Any]:
    """A part as GeoJSON for the map: each feature with its class and a few lines of words; never too many."""
    rows = result.parts[part]
    shown = classes(ask, result, part)
    order = ranked(ask, rows, part)[:MOST_FEATURES]
    shapes = rows.geometry if rows.geometry is not None else np.zeros(0, dtype=object)
    if part in {"clusters", "groups", "places"}:
        # Small ones on top of large ones, so that both can be pressed.
        order = order[::-1] if part == "places" else order
    if ask.cells is Cells.UNIT:
        order = sorted(order, key=lambda row: -shapely.area(shapes[row]))
    columns = COLUMNS[f"{ask.analysis}/{part}"]
    found = []
    for row in order:
        properties: dict[str, Any] = {
            "row": row, "k": int(shown.of[row]), "name": name_of(rows, row, known), "count": rows.count(row),
            "lines": [
                f"{page.say(f'planning.column.{name}')}: {text_of(name, rows.columns[name][row], known)}"
                for name in columns
                if name != "count"
            ],
        }  # fmt: skip
        if "verdicts" in rows.columns:
            properties["v"] = rows.columns["verdicts"][row].tolist()
            properties["c"] = rows.columns["counts"][row].tolist()
        found.append({"type": "Feature", "id": row, "properties": properties, "geometry": _shape(shapes[row])})
    return {
        "type": "FeatureCollection",
        "features": found,
        "total": len(rows),
        "legend": [
            {"fill": key.fill, "edge": key.edge, "label": key.say(page.lang())} for key in shown.keys
        ],
        "months": list(rows.series) if "verdicts" in rows.columns else [],
    }  # fmt: skip


def columns_for_files(ask: Ask, result: Result, part: str, known: Names) -> dict[str, NDArray[Any]]:
    """The columns of a part as files carry them: codes and numbers, and beside them names and class in zh and en."""
    rows = result.parts[part]
    flat: dict[str, NDArray[Any]] = {"row": np.arange(len(rows))}
    for name, column in rows.columns.items():
        if column.ndim > 1:
            flat |= {f"{name}_{one.replace('-', '_')}": column[:, n] for n, one in enumerate(rows.series)}
        elif name in {"zh", "en"}:
            flat[f"name_{name}"] = column
        else:
            flat[name] = column
            if name in WORDS:
                for n, lang in enumerate(words.LANGS):
                    flat[f"{name}_{lang}"] = np.array([known.of(name, str(one))[n] for one in column.tolist()], object)
    if rows.geometry is not None:
        shown = classes(ask, result, part)
        for lang in words.LANGS:
            flat[f"class_{lang}"] = np.array(
                [shown.keys[one].say(lang) if one >= 0 else "" for one in shown.of.tolist()], dtype=object
            )
    flat["issues"] = np.diff(rows.starts)
    return flat


def told_how(how: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How a result was computed, as lines of words."""
    say = page.say
    lines: list[tuple[str, Any]] = [
        ("method", page.say_or(f"analysis.method.{how['method']}", how["method"])),
        ("used", f"{how['used']:,}"),
        ("dropped", [f"{page.say_or(f'analysis.dropped.{why}', why)}: {n:,}" for why, n in how["dropped"].items()]),
        ("parameters", [f"{page.say_or(f'planning.parameter.{key}', key)} = {plain(value)}"
                        for key, value in how["parameters"].items() if not _is_long(value)]),
        ("crs", how["crs"]),
        ("seed", how["seed"]),
        ("query", [f"{key} = {plain(value)}" for key, value in how["query"].items() if key != "data_version"]),
        ("data_version", plain(how["query"].get("data_version", {}))),
        ("version", how["version"]),
        ("notes", [page.say_or(f"analysis.note.{note}", note) for note in how["notes"] if note]),
        ("sources", list(how["sources"])),
    ]  # fmt: skip
    return [
        {"label": say(f"planning.how.{key}"), "lines": value if isinstance(value, list) else [str(value)]}
        for key, value in lines
        if value not in (None, "", [])
    ]


def plain(value: Any) -> str:
    """A parameter as people read it."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(plain(one) for one in value[:12]) + (" …" if len(value) > 12 else "")  # noqa: PLR2004
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _is_long(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 24  # noqa: PLR2004


def _shape(shape: Any) -> dict[str, Any] | None:
    if shape is None:
        return None
    rounded: dict[str, Any] = shapely.geometry.mapping(shapely.transform(shape, lambda at: at.round(DIGITS)))
    return rounded


def sizes(ask: Ask, result: Result, say: Callable[..., str]) -> str:
    """Which size was taken and why, in a sentence; empty where there is none."""
    given = result.how["parameters"]
    if "cell_m" in given and ask.cells in {Cells.SQUARE, Cells.HEXAGON}:
        found = result.told.get("suggested_cell")
        why = page.say(f"analysis.note.{found['reason']}", **found["params"]) if found else ""
        return say("planning.size.cell", taken=f"{given['cell_m']:,.0f}", why=why)
    if given.get("within_m") and "suggested" in given:
        told = dict(given["suggested"])
        told.pop("metres", None)
        why = say("analysis.note.reach_suggested", **told)
        return say("planning.size.within", taken=f"{given['within_m']:,.0f}", why=why)
    if "bandwidth_m" in given:
        taken, wanted = (f"{given[name]:,.0f}" for name in ("bandwidth_m", "suggested_m"))
        return say("planning.size.bandwidth", taken=taken, wanted=wanted)
    return ""
