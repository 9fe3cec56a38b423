"""Charts of a result as numbers in pixels, which the templates draw as SVG: axes, units, n and intervals included."""

import math
from typing import Any

import numpy as np

from geoapp.domain.planning import Analysis, Ask
from geoapp.services.planning import Result
from geoapp.web import page, planask, planshapes
from geoapp.web.planclasses import number_of

WIDTH, LABEL, LINE = 580, 176, 22
BARS, SMALL = 20, 12


def charts(ask: Ask, result: Result, known: planshapes.Names) -> dict[str, Any]:
    """The charts of an analysis by name."""
    found: dict[str, Any] = {}
    if ask.analysis is Analysis.COMPARE:
        found["bars"] = bars(ask, result)
        found["small"] = multiples(ask, result)
    if ask.analysis is Analysis.TRENDS:
        found["months"] = months(ask, result)
        found["seasons"] = seasons(ask, result, known)
    if ask.analysis is Analysis.REPEATS:
        found["rates"] = [
            {
                "days": rate["days"], "watched": f"{rate['watched']:,}", "returned": f"{rate['returned']:,}",
                "share": _share(rate["share"]), "low": _share(rate["low"]), "high": _share(rate["high"]),
            }
            for rate in result.told["rates"]
        ]  # fmt: skip
    return found


def bars(ask: Ask, result: Result) -> dict[str, Any]:
    """Areas by rate with their intervals and n; the line is that of all together."""
    rows = result.parts["areas"]
    rate, low, high, n = (rows.columns[name] for name in ("rate", "low", "high", "count"))
    shown = [row for row in range(len(rows)) if math.isfinite(float(rate[row]))][:BARS]
    # One interval of very few cases must not squeeze all the others.
    most = max([float(rate[row]) * 1.6 for row in shown] + [1e-9])
    most = min(most, max([float(high[row]) for row in shown if math.isfinite(float(high[row]))] + [1e-9]))
    ticks = axis(most)
    room = WIDTH - LABEL - 60

    def x(value: float) -> float:
        return round(LABEL + room * min(max(value, 0.0), ticks[-1]) / ticks[-1], 1)

    return {
        "width": WIDTH,
        "height": 26 + LINE * len(shown) + 34,
        "bottom": 26 + LINE * len(shown),
        "left": LABEL,
        "ticks": [{"x": x(tick), "text": number_of(tick)} for tick in ticks],
        "overall": x(float(result.told["overall"])),
        "overall_text": number_of(float(result.told["overall"])),
        "unit": page.say(f"planning.per.{ask.per}"),
        "end": WIDTH - 54,
        "rows": [
            {
                "y": 26 + LINE * line, "name": planshapes.name_of(rows, row, _NOBODY), "n": f"n={int(n[row]):,}",
                "x": x(float(rate[row])), "low": x(float(low[row])), "high": x(float(high[row])),
                "beyond": float(high[row]) > ticks[-1], "small": bool(rows.columns["small"][row]),
                "said": f"{number_of(float(rate[row]))} ({number_of(float(low[row]))}–{number_of(float(high[row]))})",
                "url": _cases(ask, "areas", row),
            }
            for line, row in enumerate(shown)
        ],
        "more": len(rows) - len(shown),
    }  # fmt: skip


def multiples(ask: Ask, result: Result) -> dict[str, Any] | None:
    """The course of the largest areas by month, all to the same scale."""
    rows = result.parts["areas"]
    if "monthly" not in rows.columns:
        return None
    counts = rows.columns["monthly"]
    order = np.argsort(-rows.columns["count"], kind="stable")[:SMALL].tolist()
    most = max(int(counts[order].max(initial=0)), 1)
    wide, high = 150, 46
    step = wide / counts.shape[1]
    return {
        "first": rows.series[0], "last": rows.series[-1], "most": most, "wide": wide, "high": high,
        "panels": [
            {
                "name": planshapes.name_of(rows, row, _NOBODY), "n": int(rows.columns["count"][row]),
                "url": _cases(ask, "areas", row),
                "columns": [
                    {"x": round(step * month, 2), "w": round(max(step - 1, 0.6), 2),
                     "y": round(high * (1 - count / most), 1), "h": round(high * count / most, 1)}
                    for month, count in enumerate(counts[row].tolist())
                ],
            }
            for row in order
        ],
    }  # fmt: skip


def months(ask: Ask, result: Result) -> dict[str, Any]:
    """Issues reported per month, as columns that lead to their cases."""
    rows = result.parts["months"]
    counts = rows.columns["count"].tolist()
    ticks = axis(max([*counts, 1]), whole=True)
    room, high = WIDTH - 50, 120
    step = room / max(len(counts), 1)
    every = max(1, -(-len(counts) // 8))
    return {
        "width": WIDTH, "height": high + 46, "bottom": high + 10, "left": 40,
        "ticks": [{"y": round(10 + high * (1 - tick / ticks[-1]), 1), "text": number_of(tick)} for tick in ticks],
        "unit": page.say("planning.per.month"),
        "columns": [
            {
                "x": round(40 + step * at + step * 0.1, 1), "w": round(step * 0.8, 1),
                "y": round(10 + high * (1 - n / ticks[-1]), 1), "h": round(high * n / ticks[-1], 1),
                "month": str(rows.columns["month"][at]), "n": n, "url": _cases(ask, "months", at),
                "label": str(rows.columns["month"][at]) if at % every == 0 and at < len(counts) - every / 2 else "",
            }
            for at, n in enumerate(counts)
        ],
    }  # fmt: skip


def seasons(ask: Ask, result: Result, known: planshapes.Names) -> dict[str, Any]:
    """A calendar: the share of each category's issues by month of the year, with the numbers themselves."""
    rows = result.parts["seasons"]
    counts = rows.columns["count"].reshape(-1, 12)
    shown = counts[:SMALL]
    return {
        "months": [page.say(f"planning.month.m{month}") for month in range(1, 13)],
        "rows": [
            {
                "name": known.of("category", str(rows.columns["category"][line * 12]))[page.lang() == "en"],
                "n": int(counts[line].sum()),
                "cells": [
                    {"n": int(n), "step": _step(int(n), counts[line].tolist()),
                     "url": _cases(ask, "seasons", line * 12 + month) if n else ""}
                    for month, n in enumerate(counts[line].tolist())
                ],
            }
            for line in range(len(shown))
        ],
        "more": len(counts) - len(shown),
    }  # fmt: skip


def axis(most: float, *, whole: bool = False) -> list[float]:
    """Round marks from nothing to at least ``most``."""
    raw = max(most, 1e-9) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= raw)
    if whole:
        step = max(1.0, math.ceil(step))
    return [step * n for n in range(math.ceil(most / step - 1e-9) + 1)]


def _step(n: int, row: list[int]) -> int:
    """How strong a cell of the calendar is, 0 to 5, against the largest of its row."""
    return 0 if not n else max(1, math.ceil(5 * n / max(row)))


def _share(value: float) -> str:
    return f"{100 * value:.1f} %" if math.isfinite(value) else "–"


def _cases(ask: Ask, part: str, row: int) -> str:
    return page.url("/planning/cases", **planask.link(ask), part=part, row=row)


_NOBODY = planshapes.Names({}, {}, {})
