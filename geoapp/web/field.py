"""The survey map of first secretaries and whoever else looks after a place: its issues in full, at their true places.

What it draws comes from doors of its own and not from the public tiles: an answer is made for one viewer and kept by
no cache. The plan of a visit is in web.visits.
"""

import json
from datetime import datetime, time
from typing import Any

from flask import Blueprint, Response, request

from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.values import Viewer
from geoapp.domain.visiting import MOST_STOPS
from geoapp.errors import NotYours
from geoapp.services import survey
from geoapp.services.survey import PastVisit, SurveyRow
from geoapp.web import api, gate, page, params, public

blueprint = Blueprint("field", __name__, url_prefix="/field")


@blueprint.get("")
def survey_map() -> Response:
    viewer = _surveyor()
    found = page.choices()
    home = survey.home(viewer, now=page.now()) or found.home
    context = public.map_context(found, home, survey=survey_settings())
    may_visit = may_anywhere(viewer, Right.VISIT)
    context["config"]["survey"] = {"mayVisit": may_visit, "mostStops": MOST_STOPS}
    return page.render("survey.html", found, may_visit=may_visit, **context)


@blueprint.get("/issues.json")
def issues() -> Response:
    """The issues of one's own realm, of a filter; since when their changes are told; at most 5,000, which is said."""
    viewer = _surveyor()
    wanted = params.issue_filter(page.known_codes)
    day = params.day(request.args, "since")
    zone = page.settings().zone
    since = datetime.combine(day, time(), zone) if day else None
    found = survey.look(viewer, wanted, zone=zone, now=page.now(), since=since)
    return api.json_answer(
        {
            "numberMatched": found.matched,
            "numberReturned": len(found.rows),
            "most": survey.MOST,
            "since": found.since.astimezone(zone).date().isoformat(),
            "visited": found.visited,
            "issues": [_issue(row) for row in found.rows],
        }
    )


@blueprint.get("/past.json")
def past() -> Response:
    """Visits that have ended: their ways and stops, as GeoJSON."""
    return api.geojson(
        {"type": "FeatureCollection", "features": [one for visit in survey.past(_surveyor()) for one in _past(visit)]}
    )


def survey_settings() -> dict[str, Any]:
    """What Folium hands to the browser: where the issues come from, and further layers of GeoJSON over the sheet.

    A further layer is one more entry of ``extras``: a title, an address that answers with GeoJSON whose properties
    ``title`` and ``note`` are shown (and ``url`` opened), and how it is drawn (``look``: visit, project or place).
    """

    def url(which: str) -> str:
        return page.url(f"/lists/{which}.json", lang=page.lang())

    return {
        "id": "issues",
        "title": page.say("survey.issues"),
        "url": "/field/issues.json",
        "extras": [
            {"id": "past-visits", "title": page.say("survey.past"), "url": "/field/past.json", "look": "visit"},
            {"id": "projects", "title": page.say("lists.projects"), "url": url("projects"), "look": "project"},
            {"id": "resources", "title": page.say("lists.resources"), "url": url("resources"), "look": "place"},
        ],
    }


def _surveyor() -> Viewer:
    viewer = gate.staff()
    if not may_anywhere(viewer, Right.VIEW):
        raise NotYours("not_yours", "action")
    return viewer


def _issue(row: SurveyRow) -> dict[str, Any]:
    now = page.now()
    running = row.ended_at is None
    late = (now - row.due_at).days if running and row.due_at and row.due_at < now else None
    changes = [
        name for name in ("new", "returned", "reopened", "overdue", "ended", "moved") if getattr(row.since, name)
    ]
    return {
        "number": row.number,
        "title": row.title,
        "category": row.category,
        "state": row.state,
        "group": row.state.group,
        "severity": row.severity,
        "verdict": row.verdict,
        "lon": round(row.lon, 7),
        "lat": round(row.lat, 7),
        "reported": row.reported_at.astimezone(page.settings().zone).date().isoformat(),
        "days": ((row.ended_at or now) - row.reported_at).days,
        "community": row.community,
        "unit": row.unit_name.say(page.lang()),
        **({"late": late} if late is not None else {}),
        **({"returns": row.returns} if row.returns else {}),
        **({"reworks": row.reworks} if row.reworks else {}),
        **({"extent": json.loads(row.extent)} if row.extent else {}),
        **({"changes": changes} if changes else {}),
    }


def _past(visit: PastVisit) -> list[dict[str, Any]]:
    day = visit.ended_at.astimezone(page.settings().zone).date().isoformat()
    told = {"visit": str(visit.id), "title": f"{visit.title} · {day}", "note": visit.summary or visit.person_name}
    line = [{"type": "Feature", "geometry": json.loads(visit.route), "properties": told}] if visit.route else []
    return [
        *line,
        *(
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [lon, lat]},
                "properties": told | {"number": number},
            }
            for lon, lat, number in visit.places
        ),
    ]
