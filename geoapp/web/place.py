"""One place explained, and places found by name."""

from typing import Any

from flask import Blueprint, Response, request

from geoapp.domain.values import ANONYMOUS, Name, Point
from geoapp.errors import BadInput
from geoapp.services import explain, places
from geoapp.services.explain import Nearby
from geoapp.web import page, params, shapes
from geoapp.web.api import json_answer

blueprint = Blueprint("place", __name__)
LONGEST_NAME = 60


@blueprint.get("/place")
def show() -> Response:
    """A place by its coordinates or as the middle of a community; or, with a name, the places that are called so."""
    searched = params.words(request.args, "q", most=LONGEST_NAME)
    if searched or not request.args.get("lat", request.args.get("community", "")).strip():
        return _named(searched)
    code = params.code(request.args, "community")
    point = places.middle(ANONYMOUS, code, day=page.today()).centre if code else params.point(request.args)
    return _explained(point)


@blueprint.get("/api/places")
def by_name() -> Response:
    """Districts, streets and communities whose name holds ``q``, each with a point and a radius in metres."""
    searched = params.words(request.args, "q", most=LONGEST_NAME)
    if not searched:
        raise BadInput("q", "missing")
    return json_answer({"places": [_found(one) for one in explain.named(searched, day=page.today())]})


def _explained(point: Point) -> Response:
    found = explain.explain(point, now=page.now(), day=page.today())
    tongue = page.lang()
    first = found.whose.communities[0] if found.whose.communities else None
    return page.render(
        "place.html",
        page.choices(),
        q="",
        lat=f"{point.lat:.6f}",
        lon=f"{point.lon:.6f}",
        cell=found.cell,
        community=first and first.name.say(tongue),
        street=first.parent_name.say(tongue) if first and first.parent_name else "",
        community_code=first and first.code,
        contact=found.contact,
        contact_of=found.contact.of.say(tongue) if found.contact else "",
        meeting_at=found.meeting and page.minute(found.meeting[0]),
        meeting_of=found.meeting[1].say(tongue) if found.meeting else "",
        near=[one.name.say(tongue) for one in (*found.whose.communities[1:], *found.whose.near)],
        verdicts=[
            {
                "category": name.say(tongue),
                "verdict": verdict.verdict,
                "verdict_name": page.say(f"verdict.{verdict.verdict}"),
                "units": shapes.candidates(verdict),
            }
            for name, verdict in found.verdicts
        ],
        open=[_nearby(one) for one in found.open],
        solved=[_nearby(one) for one in found.solved],
        usual=[
            {"category": one.name.say(tongue), "days": f"{one.days:.0f}" if one.days >= 1 else "<1", "n": one.n}
            for one in found.usual
        ],
        fewest=explain.FEWEST,
        reach=int(explain.REACH_M),
        map_url=page.url("/", at=f"17/{point.lat:.5f}/{point.lon:.5f}"),
    )


def _named(searched: str) -> Response:
    found = explain.named(searched, day=page.today())
    return page.render(
        "place.html", page.choices(), q=searched, places=[_found(one) for one in found] if searched else None
    )


def _found(one: explain.Named) -> dict[str, Any]:
    tongue = page.lang()
    return {
        "kind": one.kind,
        "kind_name": page.say(f"place.{one.kind}"),
        "name": one.name.say(tongue),
        "within": one.within.say(tongue) if one.within != Name("", "") else "",
        "lat": round(one.circle.centre.lat, 6),
        "lon": round(one.circle.centre.lon, 6),
        "radius_m": round(one.circle.radius_m),
    }


def _nearby(one: Nearby) -> dict[str, Any]:
    known = shapes.properties(one.row)
    return known | {"url": page.url(f"/issues/{one.row.number}"), "distance": f"{one.distance_m:.0f}"}
