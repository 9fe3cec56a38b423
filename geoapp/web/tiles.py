"""Vector tiles of every layer, with the filters of the map and ETags; and their TileJSON."""

from flask import Blueprint, Response, request

from geoapp.domain.tiles import Tile
from geoapp.domain.values import ANONYMOUS, IssueFilter
from geoapp.errors import BadInput
from geoapp.services import layers
from geoapp.web import page, params
from geoapp.web.api import json_answer

blueprint = Blueprint("tiles", __name__, url_prefix="/tiles")
MVT = "application/vnd.mapbox-vector-tile"


@blueprint.get("/<name>/<z>/<x>/<y>.mvt")
def tile(name: str, z: str, x: str, y: str) -> Response:
    layer = layers.named(ANONYMOUS, page.all_layers(), name, face="tiles")
    at = Tile(_index("z", z), _index("x", x), _index("y", y))
    # Codes are not looked up here: an unknown one finds nothing, and a tile stays one query.
    wanted = params.issue_filter() if layer.query == "issues" else IssueFilter()
    known = request.if_none_match.as_set(include_weak=True) if request.if_none_match else set()
    answer = layers.tile(
        ANONYMOUS,
        layer,
        at,
        wanted,
        today=params.day(request.args, "on") or page.today(),
        zone=page.settings().zone,
        known=next(iter(known), None),
    )
    return _told(answer)


@blueprint.get("/<name>.json")
def tilejson(name: str) -> Response:
    """TileJSON 3.0.0."""
    layer = layers.named(ANONYMOUS, page.all_layers(), name, face="tiles")
    root = request.host_url.rstrip("/")
    fields = dict.fromkeys(layer.fields, "")
    own = [{"id": layer.id, "fields": fields}]
    labels = [] if layer.query == "issues" else [{"id": f"{layer.id}_labels", "fields": fields}]
    return json_answer(
        {
            "tilejson": "3.0.0",
            "name": layer.title.say(page.lang()),
            "tiles": [f"{root}/tiles/{layer.id}/{{z}}/{{x}}/{{y}}.mvt"],
            "vector_layers": own + labels,
            "minzoom": layer.min_zoom,
            "maxzoom": 16,
            "attribution": layer.origin,
        }
    )


def _told(answer: layers.Answer) -> Response:
    """Bytes as they were made; packed for whoever takes that: everybody may know what is in a public tile."""
    small = layers.packed(answer) if request.accept_encodings["gzip"] else None
    body = small or answer.body
    response = Response(body, mimetype=MVT) if body is not None else Response(status=304)
    response.set_etag(answer.tag, weak=small is not None)
    response.headers["Cache-Control"] = "no-cache"
    response.vary.add("Accept-Encoding")
    if small:
        response.headers["Content-Encoding"] = "gzip"
    return response


def _index(field: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:  # noqa: PLR2004
        raise BadInput(field, "whole_number")
    return int(text)
