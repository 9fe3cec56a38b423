"""The brief of a visit (现场清单): a page, the same as PDF, its places as GPX and KML; for those who may see it."""

from datetime import datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID

import segno
from flask import Blueprint, Response, render_template, request
from markupsafe import Markup

from geoapp.domain import maplinks
from geoapp.domain.values import Point, Privacy
from geoapp.domain.visiting import LeftOut
from geoapp.maps import symbols
from geoapp.maps.drawing import Drawing
from geoapp.services import briefs, prints
from geoapp.services.briefs import Brief, Briefed
from geoapp.services.visits import GuestRow, StopRow
from geoapp.web import drafts, gate, page, shapes, sheets, tracks
from geoapp.web.tracks import Track, Waypoint

blueprint = Blueprint("brief", __name__, url_prefix="/field/visits")
HISTORY = 5
OF_PHOTOS = {"photo", "release"}
STYLES = ("tokens", "sheet", "paper")
LONG_M = 1000


@blueprint.get("/<uuid:visit>/brief")
def show(visit: UUID) -> Response:
    found = _found(visit)
    context = _context(found)
    return private(page.render("brief.html", page.choices(), **context))


@blueprint.get("/<uuid:visit>/brief.pdf")
def paper(visit: UUID) -> Response:
    found = _found(visit)
    return printed("brief_paper.html", f"brief-{found.detail.visit.on_day}", _context(found), _files(found))


@blueprint.get("/<uuid:visit>/brief.gpx")
def gpx(visit: UUID) -> Response:
    found = _found(visit)
    return _sent(tracks.gpx(_track(found)), "application/gpx+xml", f"visit-{found.detail.visit.on_day}.gpx")


@blueprint.get("/<uuid:visit>/brief.kml")
def kml(visit: UUID) -> Response:
    found = _found(visit)
    return _sent(
        tracks.kml(_track(found)), "application/vnd.google-earth.kml+xml", f"visit-{found.detail.visit.on_day}.kml"
    )


def private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    return response


def printed(template: str, name: str, context: dict[str, Any], files: dict[str, Path]) -> Response:
    """A page of its own set as PDF, in the language of the page; ``files`` are its photos by their names."""
    html = render_template(template, lang=page.lang(), say=page.say, on_paper=True,
                           synthetic=page.choices().synthetic, **context)  # fmt: skip
    styles = {f"css/{style}.css": page.static_folder() / "css" / f"{style}.css" for style in STYLES}
    made = prints.pdf(html, files=files | styles)
    return _sent(made, "application/pdf", f"{name}-{page.lang()}.pdf", how="inline")


def site() -> str:
    return page.settings().public_url.rstrip("/") or request.host_url.rstrip("/")


def clock(instant: datetime | None) -> str:
    return f"{instant.astimezone(page.settings().zone):%H:%M}" if instant else ""


def metres(m: float | None) -> str:
    if m is None:
        return ""
    if m >= LONG_M:
        return f"{m / LONG_M:.1f} {page.say('js.unit.km')}"
    return f"{m:.0f} {page.say('js.unit.m')}"


def qr(address: str) -> Markup:
    """An address as a drawing of squares; it comes from us, so nothing in it needs to be escaped."""
    drawn = segno.make(address, error="m", micro=False).svg_inline(border=4, omitsize=True)
    return Markup(drawn)  # noqa: S704


def map_of(drawn: Drawing) -> dict[str, Any]:
    """A sheet for a template. Its words were escaped when they were drawn."""
    return {
        "svg": Markup(drawn.svg),  # noqa: S704
        "title": drawn.title,
        "legend": [{"swatch": Markup(one.swatch), "words": one.words} for one in drawn.legend],  # noqa: S704
        "ratio": f"1 : {drawn.ratio:,}",
    }


def plan(found: Brief) -> dict[str, Any]:
    """What was planned, as every sheet of a visit begins."""
    visit = found.detail.visit
    return {
        "id": visit.id,
        "title": visit.title,
        "on_day": visit.on_day.isoformat(),
        "starts_at": f"{visit.starts_at:%H:%M}",
        "mode": page.say(f"visit.mode.{visit.mode}"),
        "state": page.say(f"visit.state.{visit.state}"),
        "start_name": visit.start_name,
        "end_name": visit.end_name,
        "finish": page.say(f"brief.finish.{visit.finish}"),
        "minutes_per_stop": visit.minutes_per_stop,
        "budget": visit.budget_min,
        "length": metres(visit.length_m),
        "minutes": visit.minutes_total,
        "basis": drafts.basis(visit.basis, visit.detour_factor),
        "person": visit.person_name,
        "summary": visit.summary,
        "guests": [_guest(one) for one in found.detail.guests],
    }


def stop_line(stop: StopRow) -> dict[str, Any]:
    """A stop as a line of the table, whether it fits or not."""
    row = stop.issue
    return {
        "n": stop.seq,
        "number": row.number,
        "title": row.title or row.category_name.say(page.lang()),
        "category": row.category_name.say(page.lang()),
        "state": page.say(f"state.{row.state}"),
        "verdict": page.say(f"verdict.{row.verdict}"),
        "unit": row.unit_name.say(page.lang()),
        "arrives": clock(stop.arrives_at),
        "leaves": clock(stop.leaves_at),
        "leg": metres(stop.leg_m),
        "waits": stop.waits,
        "window": _window(stop.window_from, stop.window_to),
        "left_out": _left_out(stop),
        "candidates": [
            {"name": one.name.say(page.lang()), "phone": one.phone} for one in stop.candidates
        ],
        "symbol": _symbol(row, str(stop.seq or "")),
    }  # fmt: skip


def _left_out(stop: StopRow) -> str:
    """Why a stop is none of this visit."""
    return drafts.why(LeftOut(stop.issue.id, stop.left_out, stop.left_params), {}) if stop.left_out else ""


def _found(visit: UUID) -> Brief:
    settings = page.settings()
    return briefs.brief(gate.staff(), visit, folder=settings.photos_dir, zone=settings.zone)


def _context(found: Brief) -> dict[str, Any]:
    viewer = gate.viewer()
    drawn = sheets.overview(viewer, found)
    visit = found.detail.visit
    return {
        "visit": plan(found),
        "overview": map_of(drawn),
        "lines": [stop_line(stop) for stop in found.detail.stops if stop.seq is not None],
        "left_out": [stop_line(stop) for stop in found.detail.stops if stop.seq is None],
        "stops": [_stop(one, map_of(sheets.detail(viewer, visit, one))) for one in found.stops],
        "printed_at": page.minute(page.now()),
        "address": f"{site()}{page.url(f'/field/visits/{visit.id}')}",
    }


def _stop(one: Briefed, drawn: dict[str, Any]) -> dict[str, Any]:
    """All of one stop: its line of the table and what its own sheet says."""
    detail = one.case.detail
    row = detail.row
    whole = shapes.whole_feature(one.case)["properties"]
    place, name = Point(one.stop.issue.lon, one.stop.issue.lat), f"{one.stop.seq} {row.number}"
    door = "/desk/issues/" if detail.privacy == Privacy.PRIVATE else "/issues/"
    address = f"{site()}{door}{row.number}"
    return stop_line(one.stop) | {
        "issue": whole,
        "map": drawn,
        "lead": row.unit is not None and {
            "name": row.unit_name.say(page.lang()),
            "phone": next((unit.phone for unit in one.stop.candidates if unit.code == row.unit), ""),
        },
        "days": (page.today() - row.reported_at.astimezone(page.settings().zone).date()).days,
        "place": f"{place.lat:.6f}, {place.lon:.6f}",
        "amap": maplinks.amap(place, name),
        "baidu": maplinks.baidu(place, name),
        "geo": maplinks.geo_uri(place, name),
        "address": address,
        "qr": qr(address),
        "history": _history(whole["history"]),
        "checklist": [line.say(page.lang()) for line in page.checklists().of(row.category)],
        "photos": [
            shapes.photo(row.number, photo) | {"file": f"{prints.SCHEME}photo/{photo.sha256}.jpg",
                                               "on": photo.added_at.astimezone(page.settings().zone).date().isoformat()}
            for photo, _ in one.pictures
        ],
    }  # fmt: skip


def _history(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Five lines: how it began, and what happened last; what was done to photos can be seen."""
    lines = [line for line in lines if line["action"] not in OF_PHOTOS]
    return lines if len(lines) <= HISTORY else [lines[0], *lines[1 - HISTORY :]]


def _files(found: Brief) -> dict[str, Path]:
    return {f"photo/{photo.sha256}.jpg": file for one in found.stops for photo, file in one.pictures}


def _track(found: Brief) -> Track:
    visit = found.detail.visit
    places = [Waypoint(visit.start.lon, visit.start.lat, page.say("sheet.start"), visit.start_name)]
    for stop in found.detail.stops:
        if stop.seq is not None:
            row = stop.issue
            line = stop_line(stop)
            said = " · ".join(filter(None, (line["number"], line["state"], line["verdict"], line["arrives"])))
            places.append(
                Waypoint(row.lon, row.lat, f"{stop.seq} {line['title']}", said, f"{site()}/issues/{row.number}")
            )
    if visit.end:
        places.append(Waypoint(visit.end.lon, visit.end.lat, page.say("sheet.end"), visit.end_name))
    return Track(visit.title, f"{visit.on_day} {visit.starts_at:%H:%M}", places, visit.route)


def _guest(one: GuestRow) -> dict[str, str]:
    return {
        "name": one.name,
        "unit": one.unit_name.say(page.lang()),
        "phone": one.phone,
        "window": _window(one.window_from, one.window_to),
    }


def _window(since: time | None, until: time | None) -> str:
    return f"{since:%H:%M}–{until:%H:%M}" if since and until else ""


def _symbol(row: briefs.IssueRow, n: str) -> Markup:
    body = symbols.symbol(row.state.group, row.verdict, 55, 55, size=symbols.STOP if n else 2.6, text=n)
    return Markup(  # noqa: S704 - drawn by us from a number
        f'<svg class="stop-mark" viewBox="0 0 110 110" width="11mm" height="11mm" aria-hidden="true" '
        f'font-family="Noto Sans CJK SC, sans-serif">{body}</svg>'
    )


def _sent(body: bytes, kind: str, name: str, *, how: str = "attachment") -> Response:
    response = Response(body, mimetype=kind)
    response.headers["Content-Disposition"] = f'{how}; filename="{name}"'
    return private(response)
