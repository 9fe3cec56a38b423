"""After the visit: its report as a page and as PDF, made of what was recorded. Only for those who see the visit."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from geoapp.domain.fieldwork import path_of
from geoapp.services import outcomes, prints
from geoapp.services.fieldwork import Found
from geoapp.services.outcomes import Met, Outcome, Settled
from geoapp.web import brief, gate, page, shapes, sheets

blueprint = Blueprint("outcome", __name__, url_prefix="/field/visits")


@blueprint.get("/<uuid:visit>/report")
def show(visit: UUID) -> Response:
    return brief.private(page.render("visit_report.html", page.choices(), **_context(_found(visit))))


@blueprint.get("/<uuid:visit>/report.pdf")
def paper(visit: UUID) -> Response:
    found = _found(visit)
    files = {f"photo/{photo.sha256}.jpg": file for one in _all(found) for photo, file in one.pictures}
    name = f"visit-report-{found.brief.detail.visit.on_day}"
    return brief.printed("visit_report_paper.html", name, _context(found), files)


def _found(visit: UUID) -> Outcome:
    settings = page.settings()
    return outcomes.outcome(gate.staff(), visit, folder=settings.photos_dir, zone=settings.zone)


def _all(found: Outcome) -> list[Met]:
    return [*(met for _, met in found.stops), *found.found]


def _context(found: Outcome) -> dict[str, Any]:
    detail = found.brief.detail
    visit = detail.visit
    drawn = sheets.overview(gate.viewer(), found.brief)
    stops = [brief.stop_line(one.stop) | _met(met) for one, met in found.stops]
    on_the_way = [_met(met) for met in found.found]
    begun, ended = visit.started_at, visit.ended_at
    return {
        "visit": brief.plan(found.brief),
        "overview": brief.map_of(drawn),
        "stops": stops,
        "on_the_way": on_the_way,
        "left_out": [brief.stop_line(stop) for stop in detail.stops if stop.seq is None],
        "follow_ups": [
            {"n": one.get("n"), "number": one["number"], "title": one["title"]} | line
            for one in (*stops, *on_the_way)
            for line in one["follow_ups"]
        ],
        "people": found.people,
        "begun": page.minute(begun) if begun else "",
        "ended": page.minute(ended) if ended else "",
        "done": sum(met.was_visited for _, met in found.stops),
        "counts": {
            "photos": sum(len(one["taken"]) for one in (*stops, *on_the_way)),
            "settled": sum(len(one["settled"]) for one in stops),
            "found": len(on_the_way),
            "conflicts": sum(one["in_conflict"] for one in (*stops, *on_the_way)),
        },
        "printed_at": page.minute(page.now()),
    }


def _met(met: Met) -> dict[str, Any]:
    row = met.case.detail.row
    whole = shapes.whole_feature(met.case)["properties"]
    before = {photo.id for photo, _ in met.pictures[:1] if photo.phase == "before"}
    shots = [
        shapes.photo(row.number, photo)
        | {"file": f"{prints.SCHEME}photo/{photo.sha256}.jpg", "on": _day(photo.added_at)}
        for photo, _ in met.pictures
    ]
    first = met.arrivals[0] if met.arrivals else None
    return {
        "number": row.number,
        "title": row.title or row.category_name.say(page.lang()),
        "category": row.category_name.say(page.lang()),
        "state": page.say(f"state.{row.state}"),
        "verdict": page.say(f"verdict.{row.verdict}"),
        "community": row.community_name.say(page.lang()),
        "unit": row.unit_name.say(page.lang()),
        "issue": whole,
        "visited": met.was_visited,
        "checked_in": first and {
            "at": brief.clock(first.at),
            "accuracy": f"{first.accuracy_m:.0f}" if first.accuracy_m is not None else "—",
            "distance": brief.metres(first.distance_m),
            "person": first.person,
        },
        "findings": [_finding(one, row.category) for one in met.findings],
        "follow_ups": [
            {"words": one.follow_up, "due": one.due.isoformat() if one.due else "",
             "done": _day(one.done_at) if one.done_at else "",
             "overdue": bool(one.due and not one.done_at and one.due < page.today())}
            for one in met.findings if one.follow_up
        ],
        "photos": shots,
        "taken": [shot for shot in shots if UUID(shot["id"]) not in before],
        "settled": [_settled(one) for one in met.settled],
        "redrawn": met.redrawn,
        "in_conflict": met.in_conflict,
        "told": [{"at": page.minute(line.at), "note": line.note} for line in met.told],
    }  # fmt: skip


def _finding(one: Found, category: str) -> dict[str, Any]:
    """What was found; answers to the checklist are kept by the Chinese words of its lines, whatever it says today."""
    names = {line.zh: line.say(page.lang()) for line in page.checklists().of(category)}
    return {
        "at": brief.clock(one.at),
        "seen": page.say(f"field.seen.{one.seen}") if one.seen else "",
        "words": one.words,
        "person": one.person,
        "answers": [
            {"words": names.get(key, key), "value": value, "ticked": value is True}
            for key, value in one.answers.items()
            if value not in (None, "", False)
        ],
    }


def _settled(one: Settled) -> dict[str, Any]:
    detail = one.line.detail
    unit = str(detail.get("unit", ""))
    names = {choice.code: choice.name.say(page.lang()) for choice in page.choices().units}
    return {
        "unit": names.get(unit, unit),
        "area": f"{float(detail.get('area_m2') or 0):,.0f}",
        "note": one.line.note,
        "signatures": [
            {"name": sign.name, "unit": sign.unit, "path": path_of(sign.strokes)} for sign in one.signatures
        ],
    }


def _day(instant: datetime) -> str:
    return instant.astimezone(page.settings().zone).date().isoformat()
