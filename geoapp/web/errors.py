"""One error shape, as a page or as JSON by what was asked; only what is our fault is logged."""

import logging
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from geoapp import words
from geoapp.domain.values import Box
from geoapp.errors import (
    BadInput,
    Conflict,
    GeoAppError,
    NotFound,
    NotSignedIn,
    Refused,
    TooMany,
    Unavailable,
    status_of,
)
from geoapp.services.places import Choices
from geoapp.web import page
from geoapp.web.api import json_answer

log = logging.getLogger(__name__)
NOTHING = Choices(categories=[], communities=[], units=[], district=None, home=Box(0, 0, 1, 1), provenance={})
SERVER_ERROR = 500


def install(app: Flask) -> None:
    app.register_error_handler(GeoAppError, ours)
    app.register_error_handler(HTTPException, theirs)
    app.register_error_handler(Exception, unforeseen)


def ours(error: GeoAppError) -> Response:
    status = status_of(error)
    if status >= SERVER_ERROR and not isinstance(error, Unavailable):
        log.error("%s %s: %s", request.method, request.path, error)
    field = error.field if isinstance(error, BadInput | Refused) else None
    if isinstance(error, NotSignedIn) and request.method == "GET" and not wants_json():
        return page.go(page.url("/sign-in", next=request.full_path.rstrip("?")))
    response = _answer(status, error.code, sentence(error), field)
    if isinstance(error, Conflict):
        response.headers["ETag"] = f'"{error.version}"'
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.seconds)
    if status == 503:  # noqa: PLR2004
        response.headers["Retry-After"] = "5"
    return response


def theirs(error: HTTPException) -> Response:
    status = error.code or SERVER_ERROR
    key = {404: "error.no_page", 405: "error.method"}.get(status, "error.error")
    return _answer(status, (error.name or "error").lower().replace(" ", "_"), page.say(key), None)


def unforeseen(error: Exception) -> Response:
    log.error("%s %s", request.method, request.path, exc_info=error)
    return _answer(SERVER_ERROR, "error", page.say("error.error"), None)


def sentence(error: GeoAppError) -> str:
    """What a person reads of an error, in the language of the request."""
    if isinstance(error, Refused):
        return page.say(f"refusal.{error.reason}", **error.params)
    if isinstance(error, Conflict):
        return page.say("error.conflict", **error.params)
    if isinstance(error, BadInput):
        return page.say("error.bad_input", field=error.field, why=page.say(f"reason.{error.reason}", **error.params))
    if isinstance(error, NotFound):
        return page.say("error.not_found", name=error.params["name"])
    return page.say("error.unavailable" if isinstance(error, Unavailable) else "error.error")


def _answer(status: int, code: str, message: str, field: str | None) -> Response:
    if wants_json():
        body: dict[str, Any] = {"error": {"status": status, "code": code, "field": field, "message": message}}
        response = json_answer(body)
        response.status_code = status
        return response
    heading = page.say(f"error_heading.{status if f'error_heading.{status}' in words.catalogue() else 500}")
    return page.render("error.html", NOTHING, status=status, heading=heading, message=message, field=field)


def wants_json() -> bool:
    """True for programs: the API's and tiles' paths, and whoever prefers JSON to HTML."""
    if request.path.startswith(("/api/", "/tiles/", "/static/")) or request.path.endswith(".json") or request.is_json:
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"
