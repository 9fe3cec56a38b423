"""Following an issue by e-mail and leaving it again; and what the account says of mail to its person.

A link in a mail only shows a page with a button: programs that look at links before people do must not confirm.
"""

from typing import Any

from flask import Blueprint, Response, request

from geoapp.domain.values import Viewer
from geoapp.errors import BadInput, Refused, TooMany, status_of
from geoapp.services import contacts, following
from geoapp.web import errors, gate, page

blueprint = Blueprint("notices", __name__)
LONGEST_TYPED = 254


@blueprint.get("/issues/<number>/follow")
def follow_page(number: str) -> Response:
    return _follow_page(number, sent=request.args.get("done") == "sent")


@blueprint.post("/issues/<number>/follow")
def follow(number: str) -> Response:
    """Send the mail that asks to confirm."""
    try:
        told = following.follow(
            gate.viewer(),
            number,
            request.form.get("email", "")[: 2 * LONGEST_TYPED],
            page.lang(),
            address=request.remote_addr or "",
            now=page.now(),
            zone=page.settings().zone,
        )
    except (BadInput, Refused) as refusal:
        response = _follow_page(number, status=status_of(refusal), refused=errors.sentence(refusal))
        if isinstance(refusal, TooMany):
            response.headers["Retry-After"] = str(refusal.seconds)
        return response
    return page.go(page.url(f"/issues/{told}/follow", done="sent"))


@blueprint.get("/issues/<number>/follow/<token>")
def confirm_page(number: str, token: str) -> Response:
    return _link_page(number, token, "confirm")


@blueprint.post("/issues/<number>/follow/<token>")
def confirm(number: str, token: str) -> Response:
    following.confirm(number, token, now=page.now())
    return page.go(page.url(f"/issues/{number}/follow/{token}"))


@blueprint.get("/issues/<number>/leave/<token>")
def leave_page(number: str, token: str) -> Response:
    return _link_page(number, token, "leave")


@blueprint.post("/issues/<number>/leave/<token>")
def leave(number: str, token: str) -> Response:
    """Stop following; mail programs post here by themselves when their user presses “unsubscribe” (RFC 8058)."""
    following.leave(number, token, now=page.now())
    return page.go(page.url(f"/issues/{number}/leave/{token}"))


def card(viewer: Viewer) -> dict[str, Any]:
    """What the account's page shows of one's own notices; raises NotSignedIn."""
    contact, troubles = contacts.own(viewer)
    return {
        "email": contact.email or "",
        "lang": contact.lang,
        "wish": contact.wish,
        "wishes": [{"wish": one, "name": page.say(f"own_notices.{one}")} for one in contacts.Wish],
        "troubles": [page.say("own_notices.trouble", number=one.number, error=one.error) for one in troubles],
    }


def _follow_page(number: str, *, status: int = 200, refused: str = "", sent: bool = False) -> Response:
    return page.render(
        "follow.html",
        page.choices(),
        status=status,
        number=following.public_number(number, zone=page.settings().zone),
        email=request.form.get("email", "")[:LONGEST_TYPED],
        refused=refused,
        sent=sent,
    )


def _link_page(number: str, token: str, what: str) -> Response:
    found = following.look(number, token)
    response = page.render(
        "following.html",
        page.choices(),
        number=found.number,
        what=what,
        confirmed=found.confirmed,
        left=found.left,
        action=page.url(f"/issues/{found.number}/{'follow' if what == 'confirm' else 'leave'}/{token}"),
        leave_url=page.url(f"/issues/{found.number}/leave/{token}"),
        issue_url=page.url(f"/issues/{found.number}"),
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response
