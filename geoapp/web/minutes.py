"""Minutes (会议纪要) of a joint meeting: as a page, as PDF and as a Word document, all from the same words."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template

from geoapp.domain.agenda import MeetingState
from geoapp.maps import agendasheet
from geoapp.maps.agendasheet import Spot
from geoapp.maps.paper import Paper
from geoapp.services import meetings, papers, prints
from geoapp.services.meetings import Whole
from geoapp.services.papers import Minutes
from geoapp.web import gate, page
from geoapp.web.agendashapes import item_shape, row_shape

blueprint = Blueprint("minutes", __name__, url_prefix="/meetings")
COLUMNS = ("sheet", "outcome", "unit", "cost", "due_on", "vote")
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@blueprint.get("/<uuid:meeting>/minutes")
def show(meeting: UUID) -> Response:
    return page.render("minutes.html", page.choices(), **_told(_whole(meeting)))


@blueprint.get("/<uuid:meeting>/minutes.pdf")
def as_pdf(meeting: UUID) -> Response:
    whole = _whole(meeting)
    html = render_template("minutes_pdf.html", lang=page.lang(), say=page.say, **_told(whole))
    style = page.static_folder() / "css" / "minutes-paper.css"
    return _file(prints.pdf(html, files={"css/minutes-paper.css": style}), "application/pdf", whole, "pdf")


@blueprint.get("/<uuid:meeting>/minutes.docx")
def as_word(meeting: UUID) -> Response:
    whole = _whole(meeting)
    told = _told(whole)
    spots = _spots(whole)
    paper = _paper(whole, spots)
    drawn = [one.shape for one in _outlines(whole, paper)]
    about = told["meeting"]
    minutes = Minutes(
        title=told["heading"],
        state=told["draft"],
        facts=[(page.say(f"meeting.{name}"), about[key]) for name, key in
               (("place", "place"), ("starts_at", "at"), ("venue", "venue")) if about[key]],
        attendees=(page.say("meeting.attended"), about["attendees"]),
        notes=(page.say("meeting.notes"), about["minutes"]),
        agenda=page.say("meeting.agenda"),
        head=told["head"],
        rows=[[str(row["n"]), *("\n".join(filter(None, cell)) for cell in row["cells"])] for row in told["rows"]],
        total=told["total"],
        picture=agendasheet.picture(paper, drawn, spots),
        picture_words=page.say("meeting.map_of"),
        lang=page.lang(),
    )  # fmt: skip
    return _file(papers.docx(minutes), WORD, whole, "docx")


def _whole(meeting: UUID) -> Whole:
    return meetings.get(gate.staff(), meeting)


def _told(whole: Whole) -> dict[str, Any]:
    """All that minutes say, for the template and for the document."""
    meeting = row_shape(whole.row)
    spots = _spots(whole)
    paper = _paper(whole, spots)
    metres, bar = paper.scale()
    outlines = _outlines(whole, paper)
    amounts = [one.row.decision.amount for one in whole.items if one.row.decision and one.row.decision.amount]
    return {
        "meeting": meeting,
        "heading": page.say("meeting.minutes_of", title=meeting["title"]),
        "draft": "" if whole.row.state is MeetingState.CLOSED else page.say("meeting.draft"),
        "head": ["#", *(page.say(f"meeting.{name}") for name in COLUMNS)],
        "rows": [_row(item_shape(one)) for one in whole.items],
        "hidden_items": whole.hidden,
        "total": page.say("meeting.total", amount=f"{sum(amounts, Decimal(0)):,.2f}") if amounts else "",
        "size": (agendasheet.WIDTH, agendasheet.HEIGHT),
        "outlines": [{"kind": one.kind, "d": paper.path(one.shape)} for one in outlines],
        "labels": agendasheet.labels(
            paper, [(one.name.say(page.lang()), one.shape) for one in outlines if one.kind == "community"]
        ),
        "pins": agendasheet.pins(paper, spots),
        "bar": bar,
        "bar_words": f"{metres / 1000:g} km" if metres >= 1000 else f"{metres} m",  # noqa: PLR2004
    }  # fmt: skip


def _row(one: dict[str, Any]) -> dict[str, Any]:
    decision = one["decision"]
    about = (one["title"], f"{one['number']} · {one['community_name'] or ''}")
    if decision is None:
        return {"n": one["n"], "cells": [about, (page.say("meeting.undecided"),), (), (), (), ()]}
    helping = decision["helping"] and f"+ {decision['helping']}"
    money = (f"¥{decision['amount']}" if decision["amount"] else "", decision["fund"])
    visit = decision["visit_on"] and f"{page.say('meeting.visit_on')} {decision['visit_on']}"
    return {
        "n": one["n"],
        "cells": [
            about,
            (decision["name"], decision["words"]),
            (decision["unit"], helping),
            money,
            (decision["due_on"], visit),
            (decision["votes"],),
        ],
    }


def _spots(whole: Whole) -> list[Spot]:
    return [Spot(one.row.position, one.issue.lon, one.issue.lat, one.row.decision is not None) for one in whole.items]


def _paper(whole: Whole, spots: list[Spot]) -> Paper:
    return agendasheet.sheet_of(spots, whole.box or page.choices().home)


def _outlines(whole: Whole, paper: Paper) -> list[meetings.Outline]:
    return meetings.sheet(gate.viewer(), whole, agendasheet.seen(paper), zone=page.settings().zone, now=page.now())


def _file(body: bytes, kind: str, whole: Whole, ending: str) -> Response:
    response = Response(body, mimetype=kind)
    day = whole.row.facts.starts_at.astimezone(page.settings().zone).date()
    response.headers["Content-Disposition"] = f'attachment; filename="minutes-{whole.row.place}-{day}.{ending}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
