"""JSON for scripts and other programs: issues, one issue, whose is a place, and the layers of areas."""

import csv
import io
import json
from dataclasses import replace

from flask import Blueprint, Response, request

from geoapp.domain.values import ANONYMOUS, Duty, Viewer
from geoapp.services import duplicates, issues, layers, places
from geoapp.web import gate, page, params, shapes

blueprint = Blueprint("api", __name__, url_prefix="/api")
MOST = 10_000
USUAL = 1000
LONGEST_TEXT = 2000


@blueprint.get("/issues")
def search() -> Response:
    return paged(gate.viewer())


def paged(viewer: Viewer, *, duties: tuple[Duty, ...] | None = None, by_deadline: bool = False) -> Response:
    """A page of the issues that the address asks for, as this viewer sees them."""
    wanted = replace(params.issue_filter(page.known_codes), duties=duties)
    limit = params.whole(request.args, "limit", 100, low=0, high=MOST)
    after = params.token(request.args, "after")
    found = issues.search_texts(
        viewer, wanted, said=shapes.said(), zone=page.settings().zone, limit=limit, after=after, by_deadline=by_deadline
    )
    head = {
        "type": "FeatureCollection",
        "numberMatched": found.matched,
        "numberReturned": found.returned,
        "next": found.after,
    }
    # The features are texts already; only what stands before them is made here.
    body = b"".join((json.dumps(head)[:-1].encode(), b', "features": [', found.features, b"]}"))
    return Response(body, mimetype="application/geo+json")


@blueprint.get("/issues/<name>")
def one(name: str) -> Response:
    return geojson(shapes.whole_feature(issues.get(gate.viewer(), name, zone=page.settings().zone)))


@blueprint.get("/whose")
def whose() -> Response:
    point = params.point(request.args)
    category = params.code(request.args, "category")
    day = params.day(request.args, "on") or page.today()
    return json_answer(shapes.whose(places.whose(ANONYMOUS, point, category, day=day)))


@blueprint.get("/duplicates")
def duplicates_near() -> Response:
    """Issues that a report at this point may repeat, the most alike first, and why."""
    point = params.point(request.args)
    category = params.code(request.args, "category")
    told = params.words(request.args, "text", most=LONGEST_TEXT)
    found = duplicates.near(ANONYMOUS, point, category, told, now=page.now())
    return geojson(
        {
            "type": "FeatureCollection",
            "threshold": duplicates.THRESHOLD,
            "features": [shapes.alike(candidate) for candidate in found],
        }
    )


@blueprint.get("/layers")
def listed() -> Response:
    return json_answer(
        {
            "layers": [
                {
                    "id": layer.id,
                    "title": layer.title.say(page.lang()),
                    "geometry": layer.geometry,
                    "fields": layer.fields,
                    "faces": layer.faces,
                    "origin": layer.origin,
                    "licence": layer.licence,
                    "date": layer.date,
                }
                for layer in layers.for_viewer(ANONYMOUS, page.all_layers(), "map")
            ]
        }
    )


@blueprint.get("/layers/<name>/features")
def features(name: str) -> Response:
    layer = layers.named(ANONYMOUS, page.all_layers(), name, face="features")
    if layer.query == "issues":
        return search()
    # Areas have no use for the rest of a filter, but what cannot be is refused here as everywhere.
    params.issue_filter(page.known_codes)
    limit = params.whole(request.args, "limit", USUAL, low=0, high=MOST)
    found = layers.collection(ANONYMOUS, layer, box=params.box(request.args), today=page.today(), limit=limit)
    head = (
        f'{{"type":"FeatureCollection","numberMatched":{found.matched},"numberReturned":{len(found.texts)},"features":['
    )
    return Response(head + ",".join(found.texts) + "]}", mimetype="application/geo+json")


@blueprint.get("/layers/<name>.csv")
def table(name: str) -> Response:
    """The fields of an area layer, without geometry; of the issues, their CSV."""
    layer = layers.named(ANONYMOUS, page.all_layers(), name, face="export")
    if layer.query == "issues":
        return Response(status=302, headers={"Location": page.url("/issues.csv", **params.active(request.args))})
    out = io.StringIO("\ufeff")
    out.seek(0, io.SEEK_END)
    writer = csv.writer(out)
    writer.writerow(layer.fields)
    for row in layers.table(ANONYMOUS, layer, today=page.today()):
        writer.writerow([shapes.plain(value) if isinstance(value, str) else value for value in row])
    response = Response(out.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{layer.id}.csv"'
    return response


def geojson(body: object) -> Response:
    return Response(json.dumps(body, ensure_ascii=False, allow_nan=False), mimetype="application/geo+json")


def json_answer(body: object, *, status: int = 200) -> Response:
    text = json.dumps(body, ensure_ascii=False, allow_nan=False)
    return Response(text, status=status, mimetype="application/json")
