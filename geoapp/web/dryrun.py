"""The dry run (试算): draw, upload or rule, see what would move, and only then save."""

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request

from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.values import Viewer
from geoapp.errors import BadFile, BadInput, Refused, status_of
from geoapp.services import dryrun
from geoapp.services.dryrun import Change, Drawn, Outcome, Rule, Uploaded
from geoapp.services.places import Choices
from geoapp.web import errors, gate, land, page, params, public, shapes

blueprint = Blueprint("dryrun", __name__, url_prefix="/desk/dry-run")
MOST_BYTES = 20 << 20
SHOWN, ON_THE_MAP = 100, 2000
SUFFIXES = {".geojson", ".json", ".gpkg", ".fgb", ".zip", ".csv", ".kml", ".gml"}
FIELDS = ("what", "unit", "category", "area", "jurisdiction", "rule_category", "kind", "name", "code", "of_unit", "day")


@blueprint.before_app_request
def let_files_in() -> None:
    """This door takes a file of boundaries."""
    if request.endpoint == "dryrun.act":
        request.max_content_length = MOST_BYTES


@blueprint.get("")
def form() -> Response:
    return _page(gate.staff())


@blueprint.post("")
def act() -> Response:
    """Rehearse, list as CSV, or with ``do=save`` store the change from a day on."""
    viewer = gate.staff()
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    now, zone = page.now(), page.settings().zone
    try:
        with tempfile.TemporaryDirectory(prefix="geoapp-") as folder:
            change = _change(typed, Path(folder))
            if request.form.get("do") == "save":
                day = params.day(request.form, "day") or page.today()
                moved = dryrun.save(viewer, change, valid_from=day, now=now, zone=zone)
                return page.go(page.url("/desk/dry-run", saved=moved))
            found = dryrun.rehearse(viewer, change, now=now, zone=zone)
    except BadFile as wrong:
        return _page(viewer, typed=typed, status=400, refused=page.say("dryrun.bad_file", why=wrong.params["why"]))
    except (BadInput, Refused) as refusal:
        return _page(viewer, typed=typed, status=status_of(refusal), refused=errors.sentence(refusal))
    return _table(found) if request.form.get("do") == "csv" else _page(viewer, typed=typed, found=found)


def _change(typed: dict[str, str], folder: Path) -> Change:
    if typed["what"] == "rule":
        if not typed["jurisdiction"]:
            raise BadInput("jurisdiction", "missing")
        chosen = tuple(code for code in request.form.getlist("rule_category") if code)
        return Rule(typed["jurisdiction"], None if request.form.get("rule") == "drop" else chosen)
    if typed["what"] == "file":
        return Uploaded(
            _received(folder), typed["kind"] or "jurisdiction", typed["name"] or "name", typed["code"] or "code",
            typed["of_unit"] or None, (typed["category"],) if typed["category"] else (),
        )  # fmt: skip
    if not typed["unit"]:
        raise BadInput("unit", "missing")
    return Drawn(typed["unit"], land.area_of(typed["area"]), (typed["category"],) if typed["category"] else ())


def _received(folder: Path) -> Path:
    """The uploaded file under a name of ours: what it calls itself decides nothing but its suffix."""
    given = request.files.get("file")
    if given is None or not given.filename:
        raise BadInput("file", "missing")
    suffix = Path(given.filename).suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput("file", "one_of", value=suffix[:20], choices=", ".join(sorted(SUFFIXES)))
    file = folder / f"uploaded{suffix}"
    given.save(file)
    return file


def _page(
    viewer: Viewer, *, typed: dict[str, str] | None = None, found: Outcome | None = None, status: int = 200,
    refused: str = "",
) -> Response:  # fmt: skip
    known = page.choices()
    held = dryrun.held(viewer, today=page.today())
    context = public.map_context(known, known.home)
    tongue = page.lang()
    context["config"]["dryrun"] = {
        "moves": [
            {"lon": move.lon, "lat": move.lat, "number": move.number, "url": page.url(f"/desk/issues/{move.number}"),
             "verdict": move.verdict_after}
            for move in (found.moves[:ON_THE_MAP] if found else ())
        ]
    }  # fmt: skip
    saved = request.args.get("saved", "")
    return page.render(
        "dryrun.html",
        known,
        status=status,
        refused=refused,
        said=page.say("dryrun.saved", n=saved) if saved.isdigit() else "",
        typed=typed or {},
        held=[
            {"code": one.code, "name": f"{one.unit_name.say(tongue)} · {one.name.say(tongue) or one.code}"}
            for one in held
        ],
        units=[{"code": one.code, "name": one.name.say(tongue)} for one in known.units],
        categories=[
            {"code": one.code, "name": one.name.say(tongue), "top": one.parent is None} for one in known.categories
        ],
        may_save=may_anywhere(viewer, Right.PEOPLE),
        today=page.today().isoformat(),
        outcome=_shown(found, known) if found else None,
        **context,
    )


def _shown(found: Outcome, known: Choices) -> dict[str, Any]:
    names = {unit.code: unit.name.say(page.lang()) for unit in known.units}

    def name(code: str | None) -> str:
        return names.get(code or "", code or page.say("land.nobody"))

    units = sorted(set(found.load_before) | set(found.load_after), key=name)
    return {
        "judged": found.judged,
        "moved": len(found.moves),
        "loads": [
            {
                "name": name(unit), "before": found.load_before.get(unit, 0), "after": found.load_after.get(unit, 0),
                "mean": _metres(found, unit, "mean_m"), "median": _metres(found, unit, "median_m"),
            }
            for unit in units
        ],
        "classes": [
            {"before": page.say(f"verdict.{before}"), "after": page.say(f"verdict.{after}"), "n": n}
            for (before, after), n in sorted(found.classes.items(), key=lambda item: -item[1])
        ],
        "moves": [
            {"number": move.number, "before": name(move.unit_before), "after": name(move.unit_after)}
            for move in found.moves[:SHOWN]
        ],
        "more": max(0, len(found.moves) - SHOWN),
        "report": found.report
        and {"read": found.report.read, "rejected": [
            page.say("dryrun.rejected", row=one.row, code=one.code, why=one.what) for one in found.report.rejected[:20]
        ]},
    }  # fmt: skip


def _metres(found: Outcome, unit: str | None, which: str) -> str:
    """Before → after, "–" where it has no issue or nobody knows where it starts."""
    both = (found.far_before.get(unit or ""), found.far_after.get(unit or ""))
    return " → ".join("–" if one is None else f"{getattr(one, which):,.0f}" for one in both)


def _table(found: Outcome) -> Response:
    out = io.StringIO("\ufeff")
    out.seek(0, io.SEEK_END)
    writer = csv.writer(out)
    writer.writerow(["number", "unit_before", "unit_after", "verdict_before", "verdict_after", "lon", "lat"])
    for move in found.moves:
        row = (move.number, move.unit_before or "", move.unit_after or "")
        writer.writerow([*map(shapes.plain, row), move.verdict_before, move.verdict_after, move.lon, move.lat])
    response = Response(out.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="dry-run.csv"'
    return response
