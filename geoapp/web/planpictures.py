"""Results as pictures: what is said on them, and which kind of picture suits a part."""

from typing import Any

import numpy as np
import shapely
from flask import request

from geoapp.domain.planning import Analysis, Ask
from geoapp.domain.spatial.projection import metres_for
from geoapp.maps import figures
from geoapp.maps.figures import Line, Words
from geoapp.services.planning import Result
from geoapp.web import page, planask, planshapes
from geoapp.web.planclasses import Classes, classes

__all__ = ["KINDS", "classes", "draw"]

KINDS = {"png": "image/png", "svg": "image/svg+xml"}
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
    of = shown.of
    if len(shapes) > MOST_SHAPES:
        chosen = planshapes.ranked(ask, rows, part)[:MOST_SHAPES]
        shapes, of, urls = shapes[chosen], of[chosen], [urls[row] for row in chosen]
    middle = shapely.centroid(shapely.box(*shapely.total_bounds(shapes))) if len(shapes) else shapely.Point(105, 30)
    projection = metres_for(middle.x, middle.y)
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
