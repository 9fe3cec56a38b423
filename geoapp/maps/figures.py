"""Results of analyses as pictures to be printed and pasted: maps with a legend and scale, and charts, as SVG or PNG.

Drawn on the server by matplotlib, which is loaded at the first picture. In SVG, text stays text and figures are links.
"""

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

FONTS = ("Noto Sans CJK SC", "Noto Sans SC", "Noto Sans", "DejaVu Sans")
PNG_DPI = 160
COLOURS = {
    "hot-2": "#a3201a", "hot-1": "#e0664a", "cold-2": "#1d4f8c", "cold-1": "#6ea3d3", "plain": "#e6e2d8",
    "small": "#f4f1ea", "unknown": "#bdbdb8", "step-1": "#f4dfae", "step-2": "#eeb878", "step-3": "#dd8656",
    "step-4": "#bb4f42", "step-5": "#852a3b", "trend-new": "#f2a900", "trend-consecutive": "#e57a2e",
    "trend-intensifying": "#8e1f4f", "trend-persistent": "#c0392b", "trend-diminishing": "#7f8fc4",
    "trend-sporadic": "#c9a27c", "trend-oscillating": "#57889c", "trend-historical": "#9a8c98",
    "quadrant-high_high": "#a3201a", "quadrant-low_low": "#1d4f8c", "quadrant-high_low": "#e8955c",
    "quadrant-low_high": "#8db9de",
}  # fmt: skip
"""The colours of planning.css on paper."""
EDGES: dict[str, tuple[str, float, Any]] = {"strong": ("#20262b", 1.3, "solid"), "double": ("#20262b", 1.3, "dashdot"),
         "thin": ("#ffffff", 0.3, "solid"), "dashed": ("#7d7a72", 0.6, "dashed")}  # fmt: skip
_ONE = threading.Lock()
"""matplotlib's fonts and settings are of the whole process."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the legend: its colour, edge and words."""

    fill: str
    edge: str
    label: str


@dataclass(frozen=True, slots=True)
class Words:
    """What stands above, beside and below a picture."""

    title: str
    subtitle: str
    legend: str
    foot: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One of several small maps: its name, the line of the legend of each shape (-1: none), and their addresses."""

    name: str
    of: NDArray[Any]
    urls: Sequence[str]


def sheet(
    shapes: NDArray[Any], of: NDArray[Any], lines: Sequence[Line], said: Words, *, ground: NDArray[Any],
    urls: Sequence[str], form: str,
) -> bytes:  # fmt: skip
    """A map of shapes in metres, each drawn as its line of the legend says, over the ground's outlines."""
    with _ONE:
        figure, axes = _begin(said, (9.2, 7.4))
        from matplotlib.collections import PatchCollection  # noqa: PLC0415
        from matplotlib.patches import Patch  # noqa: PLC0415

        for outline in shapely.get_parts(ground) if ground.size else ():
            axes.plot(*outline.exterior.xy, color="#b6ad9c", linewidth=0.6, zorder=1)
        for number, line in enumerate(lines):
            edge, width, style = EDGES[line.edge]
            rows = np.flatnonzero(of == number).tolist()
            points = [row for row in rows if shapes[row].geom_type == "Point"]
            if points:
                at = np.array([(shapes[row].x, shapes[row].y) for row in points])
                dots = axes.scatter(at[:, 0], at[:, 1], s=22, color=COLOURS[line.fill], edgecolors=edge, linewidths=0.5)
                dots.set_urls([urls[row] for row in points])
                dots.set_zorder(3)
            else:
                patches = [_patch(shapes[row]) for row in rows]
                drawn = PatchCollection(patches, facecolor=COLOURS[line.fill], edgecolor=edge, linewidth=width,
                                        linestyle=style, zorder=2 if line.edge == "thin" else 3)  # fmt: skip
                drawn.set_urls([urls[row] for row in rows])
                axes.add_collection(drawn)
        axes.autoscale_view()
        axes.set_aspect("equal")
        axes.axis("off")
        _scale_bar(axes)
        handles = [
            Patch(facecolor=COLOURS[line.fill], edgecolor=EDGES[line.edge][0], linewidth=EDGES[line.edge][1],
                  linestyle=EDGES[line.edge][2], label=line.label)
            for line in lines
        ]  # fmt: skip
        axes.legend(handles=handles, title=said.legend, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False,
                    fontsize=9, title_fontsize=9.5, alignment="left")  # fmt: skip
        return _finish(figure, form)


def multiples(
    shapes: NDArray[Any], panels: Sequence[Panel], lines: Sequence[Line], said: Words, *, ground: NDArray[Any],
    form: str,
) -> bytes:  # fmt: skip
    """Small maps of the same shapes (metres) side by side, all to the same classes and scale."""
    with _ONE:
        across = min(4, max(len(panels), 1))
        down = -(-len(panels) // across) or 1
        figure, axes = _begin(said, (9.2, 1.6 + 2.3 * down))
        axes.axis("off")
        from matplotlib.collections import PatchCollection  # noqa: PLC0415
        from matplotlib.patches import Patch  # noqa: PLC0415

        west, south, east, north = shapely.total_bounds(shapes).tolist()
        # A pixel is some hundred metres wide: finer edges only make the file large.
        coarse = max(east - west, north - south) / 400
        drawn = shapely.simplify(shapes, coarse, preserve_topology=True)
        patches: list[Any] = [_patch(one) if not shapely.is_empty(one) else None for one in drawn]
        outlines = shapely.get_parts(shapely.simplify(ground, coarse)) if ground.size else ()
        # Where lands of units overlap, the small ones lie on top.
        order = np.argsort(-shapely.area(drawn), kind="stable").tolist()
        for n, panel in enumerate(panels):
            column, row = n % across, n // across
            one = axes.inset_axes((column / across, 1 - (row + 1) / down, 0.96 / across, 0.88 / down))
            for outline in outlines:
                one.plot(*outline.exterior.xy, color="#b6ad9c", linewidth=0.4, zorder=1)
            rows = [row for row in order if patches[row] is not None and panel.of[row] >= 0]
            fills = [COLOURS[lines[int(panel.of[row])].fill] for row in rows]
            found = PatchCollection([patches[row] for row in rows], facecolors=fills, edgecolor="#ffffff",
                                    linewidth=0.25, zorder=2)  # fmt: skip
            found.set_urls([panel.urls[row] for row in rows])
            one.add_collection(found)
            one.set_xlim(west, east)
            one.set_ylim(south, north)
            one.set_aspect("equal")
            one.axis("off")
            one.set_title(panel.name, fontsize=8.5, loc="left", pad=2)
        keys = [Patch(facecolor=COLOURS[line.fill], edgecolor="#7d7a72", linewidth=0.4, label=line.label)
                   for line in lines]  # fmt: skip
        axes.legend(handles=keys, title=said.legend, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False,
                    fontsize=8.5, title_fontsize=9, alignment="left")  # fmt: skip
        return _finish(figure, form)


def bars(
    names: Sequence[str], values: Sequence[float], said: Words, *, axis: str, form: str, urls: Sequence[str],
    low: Sequence[float] | None = None, high: Sequence[float] | None = None, notes: Sequence[str] = (),
    line: float | None = None,
) -> bytes:  # fmt: skip
    """Ranked bars, the first on top, with intervals where they are known; ``line`` is drawn across."""
    with _ONE:
        figure, axes = _begin(said, (9.2, 1.9 + 0.3 * max(len(names), 3)))
        at = np.arange(len(names))[::-1]
        drawn = axes.barh(at, values, color=COLOURS["step-3"], height=0.66)
        for bar, url in zip(drawn, urls, strict=False):
            bar.set_url(url)
        if low is not None and high is not None:
            apart = np.vstack([np.subtract(values, low), np.subtract(high, values)])
            axes.errorbar(values, at, xerr=np.maximum(np.nan_to_num(apart), 0), fmt="none", ecolor="#20262b",
                          elinewidth=1, capsize=2.5)  # fmt: skip
        if line is not None:
            axes.axvline(line, color="#1f5f8b", linewidth=1, linestyle="--")
        said_of = [f"{name}  {note}".strip() for name, note in zip(names, notes or [""] * len(names), strict=True)]
        axes.set_yticks(at, said_of, fontsize=9)
        axes.set_xlabel(axis, fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(y=0.02)
        return _finish(figure, form)


def columns(
    labels: Sequence[str], values: Sequence[float], said: Words, *, axis: str, form: str, urls: Sequence[str]
) -> bytes:
    """Columns in time."""
    with _ONE:
        figure, axes = _begin(said, (9.2, 4.2))
        drawn = axes.bar(np.arange(len(labels)), values, color=COLOURS["step-3"], width=0.8)
        for bar, url in zip(drawn, urls, strict=False):
            bar.set_url(url)
        every = max(1, -(-len(labels) // 12))
        axes.set_xticks(np.arange(len(labels))[::every], list(labels)[::every], fontsize=8.5)
        axes.set_ylabel(axis, fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
        return _finish(figure, form)


def _begin(said: Words, size: tuple[float, float]) -> tuple[Any, Any]:
    import matplotlib as mpl  # noqa: PLC0415 - slow to import

    mpl.rcParams.update({"font.family": _fonts(), "svg.fonttype": "none", "svg.hashsalt": "geoapp",
                         "axes.unicode_minus": False})  # fmt: skip
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(said.title, loc="left", fontsize=13, fontweight="bold", pad=24)
    axes.text(0, 1, said.subtitle, transform=axes.transAxes, fontsize=9, color="#525a61", va="bottom")
    figure.supxlabel(said.foot, fontsize=7.5, color="#646c73", x=0.01, ha="left", wrap=True)
    return figure, axes


def _fonts() -> list[str]:
    from matplotlib import font_manager  # noqa: PLC0415

    there = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in FONTS if name in there] or ["DejaVu Sans"]


def _patch(shape: Any) -> Any:
    from matplotlib.patches import PathPatch  # noqa: PLC0415
    from matplotlib.path import Path  # noqa: PLC0415

    rings = [ring for part in shapely.get_parts(shape) for ring in (part.exterior, *part.interiors)]
    return PathPatch(Path.make_compound_path(*(Path(np.asarray(ring.coords)[:, :2], closed=True) for ring in rings)))


def _scale_bar(axes: Any) -> None:
    """A bar of a round number of kilometres, a fifth of the map wide or less."""
    west, east = axes.get_xlim()
    south, north = axes.get_ylim()
    fifth = (east - west) / 5
    power = 10.0 ** np.floor(np.log10(max(fifth, 1)))
    metres = max(step * power for step in (1, 2, 5) if step * power <= max(fifth, 1))
    x, y = west + (east - west) * 0.03, south + (north - south) * 0.03
    axes.plot([x, x + metres], [y, y], color="#20262b", linewidth=2, solid_capstyle="butt")
    told = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"  # noqa: PLR2004
    axes.text(x + metres / 2, y + (north - south) * 0.008, told, ha="center", va="bottom", fontsize=8.5)


def _finish(figure: Any, form: str) -> bytes:
    out = io.BytesIO()
    if form == "svg":
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    else:
        figure.savefig(out, format="png", dpi=PNG_DPI, metadata={"Software": None})
    return out.getvalue()
