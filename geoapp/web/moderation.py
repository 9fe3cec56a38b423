"""The queue of what residents sent and nobody has looked at yet."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from geoapp.domain.abuse import HELD
from geoapp.domain.values import Matter
from geoapp.errors import NotFound, Refused
from geoapp.services import moderation
from geoapp.services.moderation import Waiting
from geoapp.web import errors, gate, page

blueprint = Blueprint("moderation", __name__, url_prefix="/desk/moderation")


@blueprint.get("")
def queue() -> Response:
    return _queue()


@blueprint.post("/<number>/<uuid:review>/<change>")
def decide(number: str, review: UUID, change: str) -> Response:
    """Let the public see one thing (``release``), or keep it from them (``withhold``)."""
    if change not in {"release", "withhold"}:
        raise NotFound("change", change[:40])
    try:
        moderation.decide(
            gate.staff(), number, review, release=change == "release", now=page.now(), zone=page.settings().zone
        )
    except Refused as refusal:
        if refusal.reason != "decided":
            raise
        return _queue(refused=errors.sentence(refusal))
    return page.go(page.url("/desk/moderation", done=change))


def _queue(*, refused: str = "") -> Response:
    viewer = gate.staff()
    found, total = moderation.waiting(viewer)
    done = request.args.get("done", "")
    return page.render(
        "moderation.html",
        page.choices(),
        status=409 if refused else 200,
        rows=[_row(one) for one in found],
        total=total,
        refused=refused,
        said=page.say(f"moderation.done_{done}") if done in {"release", "withhold"} else "",
    )


def _row(one: Waiting) -> dict[str, Any]:
    tongue = page.lang()
    is_photo = one.matter is Matter.PHOTO
    return {
        "id": one.id,
        "number": one.number,
        "matter": one.matter,
        "matter_name": page.say(f"moderation.{one.matter}"),
        "category": one.category.say(tongue),
        "community": one.community.say(tongue),
        "at": page.minute(one.at),
        "title": one.title if one.matter is Matter.WORDS else "",
        "text": one.text,
        "score": one.score and page.say(f"score.{one.score}"),
        "suspicious": one.spam >= HELD,
        "reasons": [page.say(f"spam.{reason}") for reason in one.reasons],
        "photo_url": f"/photos/{one.number}/{one.ref}/small.jpg" if is_photo else "",
        "large_url": f"/photos/{one.number}/{one.ref}/large.jpg" if is_photo else "",
        "blur_url": page.url(f"/desk/issues/{one.number}/photos/{one.ref}/blur") if is_photo else "",
    }
