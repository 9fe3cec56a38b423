"""Planners' pages: one map, form and result; the cases behind every figure; files and pictures; a project out of it."""

import json
import math
from typing import Any

import shapely
from flask import Blueprint, Response, request

from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.planning import MATTERS, UNITS, Analysis, Ask, Cells, Method, Per
from geoapp.domain.values import Box, Viewer
from geoapp.errors import BadInput, NotFound, status_of
from geoapp.services import assets, planfiles, planning
from geoapp.services.planning import Look, Result
from geoapp.web import errors, gate, page, params, planask, plancharts, planpictures, planshapes, public, shapes

blueprint = Blueprint("planning", __name__, url_prefix="/planning")
PAGE = 50
SLIDER = 96
"""Steps of the slider of bandwidths."""
NAMED = {Per.RESIDENTS: "residents", Per.ROAD_KM: "roads", Per.ASSET: "assets"}
"""Denominators that somebody must have told, and the words for them."""
LATER_S = 2


@blueprint.get("")
def show() -> Response:
    """The page. What cannot be asked is said on it, beside the field that is wrong."""
    viewer = planner()
    refused: BadInput | None = None
    try:
        ask = planask.asked()
        found = planning.look(
            viewer, ask, now=page.now(), zone=page.settings().zone, again=request.args.get("again") == "1"
        )
        refused = found.problem
    except BadInput as wrong:
        refused, found = wrong, Look("", "failed")
        ask = Ask(_sound_analysis(), page.today())
    return _page(viewer, ask, found, refused)


@blueprint.get("/<analysis>/map.geojson")
def on_map(analysis: str) -> Response:
    """A part of a result as the map draws it."""
    ask = planask.asked(analysis)
    result = result_of(planner(), ask)
    if isinstance(result, Response):
        return result
    part = _part(result)
    return _json(planshapes.features(ask, result, part, planshapes.names()), "application/geo+json")


@blueprint.get("/<analysis>.<form>")
def export(analysis: str, form: str) -> Response:
    """A part of a result as a file or a picture."""
    if form not in {*planfiles.KINDS, *planpictures.KINDS}:
        raise NotFound("format", form[:20])
    viewer, ask = planner(), planask.asked(analysis)
    result = result_of(viewer, ask)
    if isinstance(result, Response):
        return result
    part = _part(result)
    table = result.parts[part]
    name = f"geoapp-{ask.analysis}-{part}-{ask.day.isoformat()}"
    if form in planpictures.KINDS:
        body = planpictures.draw(
            ask, result, part, form, ground=planning.outline(viewer, ask), figure=request.args.get("figure", "")
        )
        mimetype = planpictures.KINDS[form]
    else:
        columns = planshapes.columns_for_files(ask, result, part, planshapes.names())
        body = planfiles.write(columns, table.geometry, form, layer=f"{ask.analysis}_{part}", how=result.how)
        mimetype = planfiles.KINDS[form]
    response = Response(body, mimetype=mimetype)
    # A picture on the page is shown; everything else is taken along.
    how = "inline" if form in planpictures.KINDS and request.args.get("show") == "1" else "attachment"
    response.headers["Content-Disposition"] = f'{how}; filename="{name}.{form}"'
    return _private(response)


@blueprint.get("/cases")
def cases() -> Response:
    """The issues behind a figure: as many as the figure says."""
    viewer = planner()
    ask = planask.asked()
    result = result_of(viewer, ask)
    if isinstance(result, Response):
        return page.go(page.url("/planning", **planask.link(ask)))
    part, row = figure_of(result)
    total = result.parts[part].count(row)
    start = params.whole(request.args, "start", 0, low=0, high=10**8)
    rows = planning.cases(viewer, result, part, row, first=start, most=PAGE)
    known = planshapes.names()
    link = planask.link(ask, part=part, row=row)
    return page.render(
        "planning_cases.html",
        page.choices(),
        what=page.say(f"planning.analysis.{ask.analysis}"),
        part=page.say(f"planning.part.{part}"),
        name=_named(result, part, row, known),
        total=total,
        first=start + 1 if rows else 0,
        last=min(start + PAGE, total),
        rows=[
            shapes.properties(one) | {
                "url": page.url(f"/desk/issues/{one.number}"),
                "map_url": page.url("/", at=f"17/{one.lat:.5f}/{one.lon:.5f}", issue=one.number),
            }
            for one in rows
        ],
        back_url=page.url("/planning", **link),
        next_url=page.url("/planning/cases", **link, start=start + PAGE) if start + PAGE < total else "",
        earlier_url=page.url("/planning/cases", **link, start=max(0, start - PAGE)) if start else "",
        project_url=page.url("/planning/project", **link)
        if part in planshapes.PROJECT_PARTS and may_anywhere(viewer, Right.PROJECT) else "",
    )  # fmt: skip


@blueprint.get("/jobs/<key>.json")
def standing(key: str) -> Response:
    """How far a long analysis is."""
    found = planning.standing(planner(), key)
    return _json({"state": found.state, "progress": found.progress, "said": page.say(f"planning.state.{found.state}")})


@blueprint.post("/jobs/<key>/cancel")
def cancel(key: str) -> Response:
    planning.cancel(planner(), key)
    ask = planask.asked(args=request.form)
    return page.go(page.url("/planning", **planask.link(ask)))


def planner() -> Viewer:
    """Who asks, when it is somebody who analyses somewhere; raises NotSignedIn or NotYours."""
    viewer = gate.staff()
    planning.scope(viewer)
    return viewer


def _sound_analysis() -> Analysis:
    text = request.args.get("analysis", "")
    return Analysis(text) if text in set(Analysis) else Analysis.HOT_SPOTS


def result_of(viewer: Viewer, ask: Ask) -> Result | Response:
    """The result; where it is not there yet, an answer that says so."""
    found = planning.look(viewer, ask, now=page.now(), zone=page.settings().zone)
    if found.problem is not None:
        raise found.problem
    if found.result is not None:
        return found.result
    response = _json({"state": found.state, "progress": found.progress, "job": found.key})
    response.status_code = 202
    response.headers["Retry-After"] = str(LATER_S)
    return response


def _part(result: Result) -> str:
    text = request.args.get("part", "") or planshapes.parts_of(result)[0]
    if text not in result.parts or text in {"all", "categories"}:
        raise BadInput("part", "one_of", value=text[:40], choices=", ".join(planshapes.parts_of(result)))
    return text


def figure_of(result: Result, args: Any = None) -> tuple[str, int]:
    """The part and row that an address names; a category may be named by its code."""
    args = request.args if args is None else args
    part = args.get("part", "") or "all"
    if part not in result.parts:
        raise BadInput("part", "one_of", value=part[:40], choices=", ".join(result.parts))
    if code := args.get("code", ""):
        named = result.parts[part].columns.get("category")
        rows = [] if named is None else [n for n, one in enumerate(named.tolist()) if one == code]
        if not rows:
            raise BadInput("code", "unknown", value=code[:40])
        return part, rows[0]
    row = params.whole(args, "row", 0, low=0, high=10**8)
    if row >= len(result.parts[part]):
        raise BadInput("row", "unknown", value=str(row))
    return part, row


def _named(result: Result, part: str, row: int, known: planshapes.Names) -> str:
    rows = result.parts[part]
    tongue = page.lang() == "en"
    if part == "all":
        return ""
    if part == "months":
        return str(rows.columns["month"][row])
    if part == "seasons":
        month = page.say(f"planning.month.m{int(rows.columns['month'][row])}")
        return f"{known.of('category', str(rows.columns['category'][row]))[tongue]} · {month}"
    if part == "categories":
        return known.of("category", str(rows.columns["category"][row]))[tongue]
    name = planshapes.name_of(rows, row, known)
    if "period" in rows.columns:
        return f"{name} · {rows.columns['period'][row]}"
    kind = rows.columns.get("category")
    return name if kind is None else f"{name} · {known.of('category', str(kind[row]))[tongue]}"


def _page(viewer: Viewer, ask: Ask, found: Look, refused: BadInput | None) -> Response:
    known = page.choices()
    names = planshapes.names()
    result = found.result
    ask = ask.normal()
    area = _around(result)
    context = public.map_context(known, area or known.home)
    parts = planshapes.parts_of(result) if result else []
    shown = request.args.get("part", "")
    drawn = [name for name in parts if result and result.parts[name].geometry is not None]
    shown = shown if shown in drawn else (drawn[0] if drawn else "")
    link = planask.link(ask)
    context["config"]["planning"] = {
        "data": page.url(f"/planning/{ask.analysis}/map.geojson", **link, part=shown) if result and shown else "",
        "job": found.key if found.state in {"waiting", "working"} else "",
        "link": page.url("/planning", **link),
        "cases": page.url("/planning/cases", **link, part=shown),
        "project": page.url("/planning/project", **link, part=shown)
        if shown in planshapes.PROJECT_PARTS and may_anywhere(viewer, Right.PROJECT) else "",
        "part": shown,
        "row": request.args.get("row", ""),
        "month": request.args.get("month", ""),
        "compare": page.lang(),
    }  # fmt: skip
    may_plan = may_anywhere(viewer, Right.PROJECT)
    picked = planning.choices(viewer, ask=ask)
    tongue = 2 if page.lang() == "en" else 1
    classes = planpictures.classes(ask, result, shown) if result and shown else None
    return page.render(
        "planning.html",
        known,
        status=status_of(refused) if refused else 200,
        refused=errors.sentence(refused) if refused else "",
        wrong=refused.field if refused else "",
        ask=ask,
        typed=_typed(ask),
        link=link,
        state=found.state,
        progress=found.progress,
        key=found.key,
        tabs=tabs(ask),
        units=[{"value": one, "name": page.say(f"planning.cells.{one}")} for one in UNITS.get(ask.analysis, ())],
        denominators=_denominators(ask),
        per=f"{ask.per}:{ask.asset}" if ask.asset else str(ask.per),
        methods=[{"value": one, "name": page.say(f"analysis.method.{one}")} for one in Method],
        matter=MATTERS[ask.analysis],
        grid=ask.cells in {Cells.SQUARE, Cells.HEXAGON},
        places=[{"kind": page.say(f"place.{kind}"),
                 "rows": [{"code": row[0], "name": row[tongue] or row[1]} for row in rows]}
                for kind, rows in picked.items() if rows],
        choices=shapes.choices(known),
        filter={"state": _groups(ask), "category": ask.categories, "community": (), "unit": (), "verdict": ()},
        result=result,
        n=result.parts["all"].count(0) if result else 0,
        n_url=page.url("/planning/cases", **link, part="all"),
        size=planshapes.sizes(ask, result, page.say) if result else "",
        slider=_slider(ask, result) if result and ask.analysis is Analysis.DENSITY else None,
        below=_below(ask, result) if result and ask.per in NAMED else "",
        shown=shown,
        drawn=drawn,
        shown_name=page.say(f"planning.part.{shown}") if shown else "",
        legend=planshapes.legend(classes) if classes else [],
        legend_unit=classes.unit[tongue - 1] if classes else "",
        tables=[planshapes.table(ask, result, name, names, may_plan=may_plan) for name in parts] if result else [],
        parts=[{"part": name, "name": page.say(f"planning.part.{name}"), "drawn": name in drawn,
                "url": page.url("/planning", **link, part=name)} for name in parts],
        charts=plancharts.charts(ask, result, names) if result else {},
        maps=[{"name": page.say(f"planning.maps.{part}"), "alt": page.say(f"planning.maps.{part}"),
               "url": page.url("/planning/compare.svg", **link, part=part, show="1"),
               "png_url": page.url("/planning/compare.png", **link, part=part)}
              for part in parts if part in planshapes.FACETS and len(result.parts[part])] if result else [],
        moran=_moran(result) if result else "",
        how=planshapes.told_how(result.how) if result else [],
        files=[{"form": form, "url": page.url(f"/planning/{ask.analysis}.{form}", **link, part=name), "part": name}
               for name in (result.parts if result else ()) if name not in {"all", "categories"}
               for form in (*planfiles.KINDS, *planpictures.KINDS)],
        what_if=may_anywhere(viewer, Right.REHEARSE),
        **context,
    )  # fmt: skip


def tabs(ask: Ask | None = None) -> list[dict[str, Any]]:
    """The ways to all analyses, with the same question as far as it goes, and to what is asked without one."""
    here = ask or Ask(Analysis.HOT_SPOTS, page.today())
    ways = [{"name": page.say(f"planning.analysis.{one}"), "url": page.url("/planning", **_tab(here, one)),
             "here": ask is not None and one is ask.analysis} for one in Analysis]  # fmt: skip
    return [*ways, {"name": page.say("planning.crew.tab"), "url": page.url("/planning/crew"), "here": ask is None}]


def _tab(ask: Ask, analysis: Analysis) -> dict[str, Any]:
    """The same area, period and issues with another analysis."""
    keep = Ask(
        analysis, ask.day, ask.places, ask.categories, ask.states, ask.verdicts, ask.since, ask.until, cells=ask.cells,
        cell_m=ask.cell_m, per=ask.per,
    ).normal()  # fmt: skip
    return planask.link(keep)


def _typed(ask: Ask) -> dict[str, str]:
    """What the form shows: what was asked, else what was typed."""
    said = {"cell": ask.cell_m, "within": ask.within_m, "days": ask.within_days, "bandwidth": ask.bandwidth_m}
    sizes = {name: planask.metres(value) if value else "" for name, value in said.items()}
    told = {"from": ask.since.isoformat() if ask.since else "", "to": ask.until.isoformat() if ask.until else ""}
    typed = {name: request.args[name][:40] for name in (*sizes, *told, "least") if name in request.args}
    return sizes | told | {"least": str(ask.least)} | typed


def _groups(ask: Ask) -> list[str]:
    return [str(state) for state in ask.states] + [str(state.group) for state in ask.states]


def _slider(ask: Ask, result: Result) -> dict[str, Any]:
    """The bandwidth as a slider from a quarter to four times what the rule says, in equal ratios."""
    rule, taken = (float(result.how["parameters"][name]) for name in ("suggested_m", "bandwidth_m"))
    low, high = planask.SIZES["bandwidth"]

    def step(metres: float) -> int:
        return round(SLIDER / 2 * math.log(metres / rule, 4))

    return {
        "rule": round(rule), "taken": round(taken), "chosen": ask.bandwidth_m is not None,
        "low": max(step(low), -SLIDER // 2), "high": min(step(high), SLIDER // 2),
        "value": min(max(step(taken), -SLIDER // 2), SLIDER // 2), "steps": SLIDER,
    }  # fmt: skip


def _denominators(ask: Ask) -> list[dict[str, str]]:
    """What can be chosen; each kind of assets by itself, and where none is known only the way to be told so."""
    cells = ask.analysis is Analysis.HOT_SPOTS and not ask.of_areas
    plain = [one for one in Per if one is not Per.ASSET and not (one is Per.KM2 and cells)]
    found = [{"value": str(one), "name": page.say(f"planning.per.{one}")} for one in plain]
    kinds = assets.kinds()
    found += [{"value": f"{Per.ASSET}:{kind}", "name": page.say("planning.per.asset_of", kind=kind)} for kind in kinds]
    return found if kinds else [*found, {"value": str(Per.ASSET), "name": page.say("planning.per.asset")}]


def _below(ask: Ask, result: Result) -> str:
    """Of how many areas the denominator is known, and whence."""
    told = result.told["denominator"]
    missing = told["areas"] - told["known"]
    said = page.say(
        f"planning.{NAMED[ask.per]}.known", known=told["known"], areas=told["areas"], kind=ask.asset,
        years=", ".join(map(str, told["years"])), sources="; ".join(told["sources"]) or "–",
        km=f"{told.get('km', 0):,.0f}",
    )  # fmt: skip
    more = [page.say(f"planning.{NAMED[ask.per]}.missing", n=missing)] if missing else []
    made_up = [page.say("planning.residents.synthetic")] if told["synthetic"] else []
    overlap = [page.say("analysis.note.land_overlaps")] if ask.cells is Cells.UNIT else []
    return " ".join([said, *more, *overlap, *made_up])


def _moran(result: Result) -> str:
    found = result.told.get("moran")
    if not found:
        return ""
    p = found["p_permuted"]
    return page.say(
        "planning.moran.alike" if p < 0.05 and found["i"] > found["expected"] else "planning.moran.chance",  # noqa: PLR2004
        i=f"{found['i']:.3f}", z=f"{found['z']:.2f}", p="< 0.001" if p < 0.001 else f"{p:.3f}",  # noqa: PLR2004
        n=len(result.parts["areas"]),
    )  # fmt: skip


def _around(result: Result | None) -> Box | None:
    """What the map shows at first: where the result lies."""
    if result is None:
        return None
    for name in planshapes.parts_of(result):
        shapes_ = result.parts[name].geometry
        if shapes_ is not None and not shapely.is_empty(shapes_).all():
            west, south, east, north = shapely.total_bounds(shapes_).tolist()
            return Box(west - 0.005, south - 0.005, east + 0.005, north + 0.005)
    return None


def _json(told: Any, mimetype: str = "application/json") -> Response:
    return _private(Response(json.dumps(told, ensure_ascii=False, separators=(",", ":")), mimetype=mimetype))


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    return response
