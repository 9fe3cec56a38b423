"""Two questions of whoever watches the service: does it live, and can it answer?"""

from flask import Blueprint, Response

from geoapp.domain.values import ANONYMOUS
from geoapp.errors import Unavailable
from geoapp.services import places
from geoapp.web import page

blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
def live() -> Response:
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
def ready() -> Response:
    try:
        places.choices(ANONYMOUS, today=page.today())
    except Unavailable:
        return Response("the database does not answer\n", status=503, mimetype="text/plain")
    return Response("ok\n", mimetype="text/plain")
