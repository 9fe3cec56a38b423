"""Classes of a result: which row is drawn how, and what the legend says of it, in both languages."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoapp import words
from geoapp.domain.planning import Analysis, Ask, Per
from geoapp.services.planning import Part, Result

SURE = 0.01
STEPS = 5
TRENDS = ("new", "consecutive", "intensifying", "persistent", "diminishing", "sporadic", "oscillating", "historical")


@dataclass(frozen=True, slots=True)
class Key:
    """One line of a legend: ``fill`` is a colour of planning.css, ``edge`` thin, strong or dashed."""

    fill: str
    edge: str
    zh: str
    en: str

    def say(self, lang: str) -> str:
        return self.zh if lang == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Classes:
    """The lines of a legend, the line of each row, and what its numbers are."""

    keys: tuple[Key, ...]
    of: NDArray[Any]
    unit: tuple[str, str] = ("", "")

    def counts(self) -> list[int]:
        return [int(n) for n in np.bincount(self.of[self.of >= 0], minlength=len(self.keys))]


def classes(ask: Ask, result: Result, part: str) -> Classes:
    """The classes of a part; one class for a part that has none."""
    table = result.parts[part]
    if part == "cells":
        return _spots(table) if ask.analysis is Analysis.HOT_SPOTS else _trends(table)
    if part == "areas":
        return _rates(ask, table) if ask.analysis is Analysis.COMPARE else _likeness(table)
    if part == "bands":
        return _bands(table)
    if part in {"clusters", "places", "groups"}:
        return _sizes(table, "hot" if part == "groups" else "step")
    return Classes((_key("step-3", "thin", f"part.{part}"),), np.zeros(len(table), dtype=np.int64))


def _spots(table: Part) -> Classes:
    verdict, q, small = (table.columns[name] for name in ("verdict", "q", "small"))
    sure = q <= SURE
    keys = (
        _key("hot-2", "strong", "class.hot_sure"), _key("hot-1", "strong", "class.hot"),
        _key("cold-2", "double", "class.cold_sure"), _key("cold-1", "double", "class.cold"),
        _key("plain", "thin", "class.chance"), _key("small", "dashed", "class.small"),
    )  # fmt: skip
    of = np.select(
        [(verdict == "hot") & sure, verdict == "hot", (verdict == "cold") & sure, verdict == "cold", ~small],
        [0, 1, 2, 3, 4], 5,
    )  # fmt: skip
    return Classes(keys, of)


def _trends(table: Part) -> Classes:
    trend, kind = table.columns["trend"], table.columns["kind"]
    keys = [_key(f"trend-{name}", "strong", f"trend.{name}") for name in TRENDS]
    keys += [_key("cold-1", "double", "class.cold_course"), _key("plain", "thin", "class.no_course")]
    of = np.full(len(table), len(TRENDS) + 1, dtype=np.int64)
    for number, name in enumerate(TRENDS):
        of[(trend == name) & (kind == "hot")] = number
    of[(trend != "") & (kind == "cold")] = len(TRENDS)
    return Classes(tuple(keys), of)


def _likeness(table: Part) -> Classes:
    quadrant, significant = table.columns["quadrant"], table.columns["significant"]
    names = ("high_high", "low_low", "high_low", "low_high")
    keys = [_key(f"quadrant-{name}", "strong", f"quadrant.{name}") for name in names]
    keys.append(_key("plain", "thin", "class.not_alike"))
    of = np.full(len(table), len(names), dtype=np.int64)
    for number, name in enumerate(names):
        of[(quadrant == name) & significant] = number
    return Classes(tuple(keys), of)


def _rates(ask: Ask, table: Part) -> Classes:
    """Five steps of the rate; areas unlike the whole are outlined, few cases dashed, unknown residents grey."""
    rate, unlike, small = (table.columns[name] for name in ("rate", "unlike", "small"))
    known = np.isfinite(rate)
    step, labels = steps(np.where(known, rate, np.nan), digits=0 if ask.per is Per.COUNT else 2)
    keys: list[Key] = []
    of = np.full(len(table), -1, dtype=np.int64)
    for number, label in enumerate(labels):
        for edge, chosen in (("strong", unlike & ~small), ("thin", ~unlike & ~small), ("dashed", small)):
            here = known & (step == number) & chosen
            if here.any():
                of[here] = len(keys)
                zh, en = ("" if edge == "thin" else words.say(lang, f"planning.edge.{edge}") for lang in words.LANGS)
                keys.append(Key(f"step-{number + 1}", edge, f"{label} {zh}".strip(), f"{label} {en}".strip()))
    if not known.all():
        of[~known] = len(keys)
        keys.append(_key("unknown", "dashed", f"class.no_{ask.per}"))
    unit = f"planning.per.{ask.per}"
    return Classes(tuple(keys), of, (words.say("zh", unit), words.say("en", unit)))


def _bands(table: Part) -> Classes:
    low, high = table.columns["low"], table.columns["high"]
    keys = []
    for number, (a, b) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        label = f"{number_of(a)}–{number_of(b)}"
        keys.append(Key(f"step-{min(number + 1, STEPS)}", "thin", label, label))
    unit = words.say("zh", "planning.per.density"), words.say("en", "planning.per.density")
    return Classes(tuple(keys), np.arange(len(table)), unit)


def _sizes(table: Part, colour: str) -> Classes:
    step, labels = steps(table.columns["count"].astype(float), digits=0)
    if colour == "hot":
        keys = tuple(Key("hot-2", "strong", label, label) for label in labels)
    else:
        keys = tuple(Key(f"step-{n + 1}", "strong", label, label) for n, label in enumerate(labels))
    return Classes(keys, step, (words.say("zh", "planning.per.count"), words.say("en", "planning.per.count")))


def steps(values: NDArray[Any], *, digits: int) -> tuple[NDArray[Any], list[str]]:
    """About equally many values in each of up to five steps, and what each step is called; NaN: -1."""
    known = values[np.isfinite(values)]
    if not known.size:
        return np.full(len(values), -1, dtype=np.int64), []
    cuts = np.unique(np.round(np.quantile(known, np.linspace(0, 1, STEPS + 1)[1:-1]), digits))
    cuts = cuts[(cuts > known.min()) & (cuts <= known.max())]
    step = np.where(np.isfinite(values), np.searchsorted(cuts, values, side="right"), -1)
    used = np.unique(step[step >= 0])
    labels = []
    for number in used.tolist():
        # What lies in a step, not where it could end: a single value is said as one.
        least, most = (number_of(float(end)) for end in (values[step == number].min(), values[step == number].max()))
        labels.append(least if least == most else f"{least}–{most}")
    rank = {number: n for n, number in enumerate(used.tolist())}
    return np.array([rank.get(one, -1) for one in step.tolist()], dtype=np.int64), labels


def number_of(value: float) -> str:
    """A number as people read it: three figures that matter."""
    if not np.isfinite(value):
        return "–"
    if abs(value) >= 100:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def _key(fill: str, edge: str, word: str) -> Key:
    return Key(fill, edge, words.say("zh", f"planning.{word}"), words.say("en", f"planning.{word}"))
