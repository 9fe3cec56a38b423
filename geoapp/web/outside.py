"""The map outside of our own pages: within a community's website, on paper by the gate, in a messenger's preview."""

import re
from datetime import date
from typing import Any
from urllib.parse import urlencode

import segno
from flask import Blueprint, Response, request

from geoapp.domain.values import ANONYMOUS, Box
from geoapp.errors import BadInput
from geoapp.maps.paper import Paper, picture
from geoapp.services import board, issues, places
from geoapp.services.board import IssueRow
from geoapp.web import clockshapes, page, params, public, shapes

blueprint = Blueprint("outside", __name__)
MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
SHEET = (1000.0, 620.0, 30.0)
PREVIEW = (1200, 630)
HOUR_S = 3600


@blueprint.get("/embed")
def embed() -> Response:
    """Only the map, for an ``iframe`` of another site; filters as on the map."""
    found = page.choices()
    wanted = params.issue_filter(lambda: page.known_codes(found))
    home = found.home
    if wanted.communities:
        middle = places.middle(ANONYMOUS, wanted.communities[0], day=page.today())
        reach = middle.radius_m / 100_000
        home = Box(
            middle.centre.lon - reach, middle.centre.lat - reach, middle.centre.lon + reach, middle.centre.lat + reach
        )
    kept = params.active(request.args)
    return page.render("embed.html", found, whole_url=page.url("/", **kept), **public.map_context(found, home))


@blueprint.get("/communities/<code>/poster")
def poster(code: str) -> Response:
    """A sheet for printing: what is open and what was solved in a month, with a map and a way to the public map."""
    found = page.choices()
    month = _month()
    sheet = board.board(code, month, day=page.today(), zone=page.settings().zone)
    known = next((one for one in found.communities if one.code == code), None)
    paper = Paper(sheet.box, *SHEET)
    site = page.settings().public_url.rstrip("/") or request.host_url.rstrip("/")
    address = f"{site}/?{urlencode({'community': code, 'lang': page.lang()})}"
    metres, bar = paper.scale()
    pins = [*_pins(paper, sheet.open, 1), *_pins(paper, sheet.solved, len(sheet.open) + 1)]
    return page.render(
        "poster.html",
        found,
        community=known.name.say(page.lang()) if known else code,
        month=f"{month:%Y-%m}",
        size=SHEET,
        outlines=[{"kind": one.kind, "here": one.code == code, "d": paper.path(one.shape)} for one in sheet.outlines],
        pins=pins,
        open=[shapes.properties(one) | {"deadline": clockshapes.deadline(one)} for one in sheet.open],
        open_total=sheet.open_total,
        solved=[shapes.properties(one) for one in sheet.solved],
        solved_total=sheet.solved_total,
        pairs={number: [shapes.photo(number, one) for one in pair] for number, pair in sheet.pairs.items()},
        bar=bar,
        bar_words=f"{metres / 1000:g} km" if metres >= 1000 else f"{metres} m",  # noqa: PLR2004
        address=address,
        qr=segno.make(address, error="m", micro=False).svg_data_uri(scale=4, border=1),
    )


@blueprint.get("/issues/<number>/preview.png")
def preview(number: str) -> Response:
    """A picture of where an issue lies, as the public may know it: for links in messengers."""
    case = issues.get(ANONYMOUS, number, zone=page.settings().zone)
    row = case.detail.row
    response = Response(mimetype="image/png")
    response.set_etag(f"{row.number}-{row.version}-{page.today()}")
    response.headers["Cache-Control"] = f"public, max-age={HOUR_S}"
    if request.if_none_match and response.get_etag()[0] in request.if_none_match.as_set():
        response.status_code = 304
        return response
    box = public.around(row)
    width, height = PREVIEW
    drawn = [one.shape for one in board.around(box, day=page.today()) if one.kind == "community"]
    response.data = picture(Paper(box, width, height, 0), drawn, (row.lon, row.lat), row.state.group)
    return response


def _pins(paper: Paper, rows: list[IssueRow], first: int) -> list[dict[str, Any]]:
    found = []
    for nth, row in enumerate(rows, start=first):
        x, y = paper.place(row.lon, row.lat)
        found.append({"n": nth, "x": round(x, 1), "y": round(y, 1), "group": row.state.group})
    return found


def _month() -> date:
    asked = request.args.get("month", "").strip()
    if not asked:
        return page.today().replace(day=1)
    if not (match := MONTH.fullmatch(asked)):
        raise BadInput("month", "month")
    return date(int(match[1]), int(match[2]), 1)
