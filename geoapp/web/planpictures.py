"""Results as pictures: what is said on them, and which kind of picture suits a part."""

import math
from typing import Any

import numpy as np
import shapely
from flask import request

from geoapp.domain.planning import Analysis, Ask, Per
from geoapp.domain.spatial.projection import Projection, metres_for
from geoapp.maps import figures
from geoapp.maps.figures import Line, Panel, Words
from geoapp.services.planning import Result
from geoapp.web import page, planask, planshapes
from geoapp.web.planclasses import Classes, classes, steps

__all__ = ["KINDS", "classes", "draw"]

KINDS = {"png": "image/png", "svg": "image/svg+xml"}
NOWHERE = (105.0, 30.0)
MOST_SHAPES, MOST_BARS = 8000, 30


def draw(ask: Ask, result: Result, part: str, form: str, *, ground: Any, figure: str = "") -> bytes:
    """A part as a map over the study area's outline, or as a chart where that says more or is asked for."""
    rows = result.parts[part]
    site = page.settings().public_url.rstrip("/") or request.host_url.rstrip("/")
    urls = [f"{site}{page.url('/planning/cases', **planask.link(ask), part=part, row=row)}" for row in range(len(rows))]
    known = planshapes.names()
    tongue = page.lang() == "en"
    said = _words(ask, result, part)
    if part == "months":
        return figures.columns(
            rows.columns["month"].tolist(), rows.columns["count"].tolist(), said, axis=page.say("planning.per.month"),
            form=form, urls=urls,
        )  # fmt: skip
    if part == "seasons":
        names = [
            f"{known.of('category', str(kind))[tongue]} {page.say(f'planning.month.m{month}')}"
            for kind, month in zip(rows.columns["category"], rows.columns["month"].tolist(), strict=True)
        ]
        order = np.argsort(-rows.columns["count"], kind="stable")[:MOST_BARS].tolist()
        return figures.bars(
            [names[row] for row in order], rows.columns["count"][order].tolist(), said,
            axis=page.say("planning.per.count"), form=form, urls=[urls[row] for row in order],
        )  # fmt: skip
    if part == "pairs":
        apart = np.abs(np.log(np.maximum(rows.columns["quotient"], 1e-9)))
        order = np.argsort(-apart, kind="stable")[:MOST_BARS].tolist()
        names = [f"{known.of('from', str(rows.columns['from'][row]))[tongue]} → "
                 f"{known.of('to', str(rows.columns['to'][row]))[tongue]}" for row in order]  # fmt: skip
        return figures.bars(
            names, rows.columns["quotient"][order].tolist(), said, axis=page.say("planning.column.quotient"), form=form,
            urls=[], notes=[f"q={rows.columns['q'][row]:.3f}" for row in order], line=1.0,
        )  # fmt: skip
    if part in planshapes.FACETS:
        return _multiples(ask, result, part, form, urls=urls, ground=ground)
    if ask.analysis is Analysis.COMPARE and figure == "bars":
        order = [row for row in range(len(rows)) if np.isfinite(rows.columns["rate"][row])][:MOST_BARS]
        return figures.bars(
            [planshapes.name_of(rows, row, known) for row in order], rows.columns["rate"][order].tolist(), said,
            axis=page.say(f"planning.per.{ask.per}"), form=form, urls=[urls[row] for row in order],
            low=rows.columns["low"][order].tolist(), high=rows.columns["high"][order].tolist(),
            notes=[f"n={int(rows.columns['count'][row])}" for row in order], line=float(result.told["overall"]),
        )  # fmt: skip
    return _map(ask, result, part, form, said=said, urls=urls, ground=ground)


def _map(ask: Ask, result: Result, part: str, form: str, *, said: Words, urls: list[str], ground: Any) -> bytes:
    rows = result.parts[part]
    shown = classes(ask, result, part)
    shapes = rows.geometry if rows.geometry is not None else np.zeros(0, dtype=object)
    # A unit without land has nothing to be drawn.
    of = np.where(shapely.is_empty(shapes), -1, shown.of)
    if len(shapes) > MOST_SHAPES:
        chosen = planshapes.ranked(ask, rows, part)[:MOST_SHAPES]
        shapes, of, urls = shapes[chosen], of[chosen], [urls[row] for row in chosen]
    projection = _projection(shapes)
    counts = shown.counts()
    lines = [
        Line(key.fill, key.edge, f"{key.say(page.lang())}  ({n:,})") for key, n in zip(shown.keys, counts, strict=True)
    ]
    metres = projection.projected(shapes) if len(shapes) else shapes
    outline = shapely.get_parts(projection.projected(ground)) if ground is not None else np.zeros(0, dtype=object)
    kept = [n for n, often in enumerate(counts) if often]
    rank = {n: at for at, n in enumerate(kept)}
    return figures.sheet(
        metres, np.array([rank.get(one, -1) for one in of.tolist()]), [lines[n] for n in kept], said,
        ground=np.asarray(outline), urls=urls, form=form,
    )  # fmt: skip


def _multiples(ask: Ask, result: Result, part: str, form: str, *, urls: list[str], ground: Any) -> bytes:
    """A small map per category or period; five steps over all of them, so that the maps can be compared."""
    rows, areas = result.parts[part], result.parts["areas"]
    known = planshapes.names()
    size = len(areas)
    step, labels = steps(rows.columns["rate"].astype(float), digits=0 if ask.per is Per.COUNT else 2)
    unknown = len(labels)
    of = np.where(step >= 0, step, unknown)
    lines = [Line(f"step-{n + 1}", "thin", label) for n, label in enumerate(labels)]
    if (step < 0).any():
        lines.append(Line("unknown", "thin", page.say(f"planning.class.no_{ask.per}")))
    column = "category" if part == "by_category" else "period"
    panels = []
    for start in range(0, len(rows), size):
        here = slice(start, start + size)
        name = planshapes.text_of(column, rows.columns[column][start], known)
        n = int(rows.columns["count"][here].sum())
        panels.append(Panel(f"{name}  (n = {n:,})", of[here], urls[here]))
    shapes = areas.geometry if areas.geometry is not None else np.zeros(0, dtype=object)
    projection = _projection(shapes)
    outline = shapely.get_parts(projection.projected(ground)) if ground is not None else np.zeros(0, dtype=object)
    said = _words(ask, result, part)
    unit = page.say(f"planning.per.{ask.per}")
    return figures.multiples(
        projection.projected(shapes), panels, lines,
        Words(said.title, said.subtitle, f"{page.say('planning.legend')} ({unit})", said.foot),
        ground=np.asarray(outline), form=form,
    )  # fmt: skip


def _projection(shapes: Any) -> Projection:
    """The metres of a picture: those round the middle of what is drawn, if anything is."""
    west, south, east, north = shapely.total_bounds(shapes).tolist() if len(shapes) else (math.nan,) * 4
    return metres_for((west + east) / 2, (south + north) / 2) if west <= east else metres_for(*NOWHERE)


def _words(ask: Ask, result: Result, part: str) -> Words:
    say = page.say
    shown: Classes | None = classes(ask, result, part) if result.parts[part].geometry is not None else None
    unit = shown.unit[page.lang() == "en"] if shown else ""
    how = result.how
    n = result.parts["all"].count(0)
    period = f"{ask.since or '…'} – {ask.until or ask.day}"
    return Words(
        f"{say(f'planning.analysis.{ask.analysis}')}: {say(f'planning.part.{part}')}",
        say("planning.picture.sub", n=f"{n:,}", period=period),
        " ".join(filter(None, (say("planning.legend"), f"({unit})" if unit else ""))),
        say(
            "planning.picture.foot", method=say(f"analysis.method.{how['method']}"), crs=how["crs"],
            version=how["version"], data=planshapes.plain(how["query"].get("data_version", {})),
        ),
    )  # fmt: skip
