"""The private page of a report: whoever has its address sees, adds, corrects, rates, takes back, exports and erases.

The address is the key. It is told to nobody else: no referrer leaves our pages (none at all would make browsers
call the origin of a form "null"), no cache, no search engine.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, send_file

from geoapp.domain.editing import Facts
from geoapp.domain.reports import fresh_id
from geoapp.domain.values import IssueState, Score
from geoapp.errors import BadInput, Refused, TooMany, status_of
from geoapp.services import own
from geoapp.services.own import Own
from geoapp.web import clockshapes, errors, gate, page

blueprint = Blueprint("own", __name__, url_prefix="/mine/<uuid:issue>/<uuid:report>/<key>")
DONE = ("correct", "remark", "photo", "withdraw", "rate", "reopened", "withdrawn")


@blueprint.get("")
def show(issue: UUID, report: UUID, key: str) -> Response:
    """Where it stands, what was sent, and all that can be done with it."""
    return _page(issue, report, key)


@blueprint.get("/photos/<uuid:photo>.jpg")
def own_photo(issue: UUID, report: UUID, key: str, photo: UUID) -> Response:
    file = own.photo_of(issue, report, key[:200], photo, folder=page.settings().photos_dir)
    return _private(send_file(file, mimetype="image/jpeg"))


@blueprint.get("/export.zip")
def export(issue: UUID, report: UUID, key: str) -> Response:
    """All that is kept of this report, with its photos."""
    packed = own.export(issue, report, key[:200], folder=page.settings().photos_dir, describe=_everything)
    response = Response(packed, mimetype="application/zip")
    response.headers["Content-Disposition"] = 'attachment; filename="report.zip"'
    return _private(response)


@blueprint.post("/correct")
def correct(issue: UUID, report: UUID, key: str) -> Response:
    form = request.form
    title, text, address = (
        form[name].replace("\r\n", "\n").strip() if name in form else None for name in ("title", "text", "address")
    )
    change = Facts(title=title, text=text, address=address)
    return _after(
        issue, report, key, "correct",
        lambda: own.correct(issue, report, key[:200], change, now=page.now(), calendar=page.calendar()),
    )  # fmt: skip


@blueprint.post("/remarks")
def remark(issue: UUID, report: UUID, key: str) -> Response:
    said = request.form.get("remark", "").replace("\r\n", "\n")
    return _after(
        issue, report, key, "remark",
        lambda: own.remark(
            issue, report, key[:200], said, id=_id(), now=page.now(), zone=page.settings().zone, limits=gate.limits()
        ),
    )  # fmt: skip


@blueprint.post("/photos")
def photo(issue: UUID, report: UUID, key: str) -> Response:
    given = request.files.get("photo")
    return _after(
        issue, report, key, "photo",
        lambda: own.add_photo(
            issue, report, key[:200], given.read() if given else b"", id=_id(), now=page.now(),
            caption=request.form.get("caption", ""), folder=page.settings().photos_dir, zone=page.settings().zone,
            limits=gate.limits(),
        ),
    )  # fmt: skip


@blueprint.post("/withdraw")
def withdraw(issue: UUID, report: UUID, key: str) -> Response:
    return _after(
        issue, report, key, "withdraw",
        lambda: own.withdraw(issue, report, key[:200], now=page.now(), calendar=page.calendar()) and "withdrawn",
    )  # fmt: skip


@blueprint.post("/rating")
def rate(issue: UUID, report: UUID, key: str) -> Response:
    form = request.form
    return _after(
        issue, report, key, "rate",
        lambda: own.rate(
            issue, report, key[:200], form.get("score", ""), form.get("reason", ""), now=page.now(),
            calendar=page.calendar(),
        ) and "reopened",
    )  # fmt: skip


@blueprint.post("/erase")
def erase(issue: UUID, report: UUID, key: str) -> Response:
    """Delete all of it; asked once more on the page before."""
    if request.form.get("sure") != "yes":
        return _page(issue, report, key, status=400, refused=page.say("mine.not_sure"), opened="erase")
    own.erase(issue, report, key[:200], folder=page.settings().photos_dir, now=page.now(), zone=page.settings().zone)
    return _private(page.render("erased.html", page.choices()))


def _after(issue: UUID, report: UUID, key: str, what: str, act: Any) -> Response:
    """Do it and show the page again; a refusal shows it with the reason and what was typed."""
    try:
        said = act()
    except (BadInput, Refused) as refusal:
        response = _page(issue, report, key, status=status_of(refusal), refused=errors.sentence(refusal), opened=what)
        if isinstance(refusal, TooMany):
            response.headers["Retry-After"] = str(refusal.seconds)
        return response
    done = said if isinstance(said, str) else what
    return page.go(page.url(f"/mine/{issue}/{report}/{key}", done=done))


def _page(issue: UUID, report: UUID, key: str, *, status: int = 200, refused: str = "", opened: str = "") -> Response:
    mine = own.read(issue, report, key[:200])
    done = request.args.get("done", "")
    closed = mine.state is IssueState.CLOSED
    response = page.render(
        "mine.html",
        page.choices(),
        status=status,
        own=mine,
        base=f"/mine/{issue}/{report}/{key}",
        number=mine.number,
        state=page.say(f"state.{mine.state}"),
        group=mine.state.group,
        hint=page.say(f"about.group_{mine.state.group}"),
        expect=clockshapes.expectation(mine.stage, mine.due_at, mine.unit),
        sent_at=page.minute(mine.at),
        category=mine.category.say(page.lang()),
        photos=[
            {"id": one.id, "released": one.released, "caption": one.caption, "width": one.width, "height": one.height}
            for one in mine.photos
        ],
        remarks=[{"at": page.minute(one.at), "text": one.text, "released": one.released} for one in mine.remarks],
        alive=not mine.state.ended and not mine.withdrawn,
        may_rate=closed and not mine.withdrawn,
        scores=list(Score),
        fresh=fresh_id(page.now()),
        typed=request.form if refused else {},
        refused=refused,
        opened=opened,
        said=page.say(f"mine.done_{done}") if done in DONE else "",
        issue_url=page.url(f"/issues/{mine.number}") if mine.public else "",
        keep_days=page.settings().keep_reporters_days,
    )
    return _private(response)


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _id() -> UUID:
    try:
        return UUID(request.form.get("id", ""))
    except ValueError:
        raise BadInput("id", "uuid") from None


def _everything(mine: Own) -> dict[str, Any]:
    """All that is kept of a report, in words that a program and a person can read."""
    zone = page.settings().zone

    def at(instant: datetime) -> str:
        return instant.astimezone(zone).isoformat(timespec="seconds")

    return {
        "number": mine.number,
        "state": mine.state,
        "reported_at": at(mine.at),
        "witness": mine.witness,
        "withdrawn": mine.withdrawn,
        "category": {"zh": mine.category.zh, "en": mine.category.en},
        "title": mine.title,
        "text": mine.text,
        "address": mine.address,
        "place": None if mine.witness else {"lon": round(mine.lon, 7), "lat": round(mine.lat, 7), "crs": "EPSG:4326"},
        "name": mine.name,
        "contact": mine.contact,
        "lang": mine.lang,
        "photos": [
            {"file": f"photo-{nth}.jpg", "caption": one.caption, "added_at": at(one.added_at), "public": one.released}
            for nth, one in enumerate(mine.photos, start=1)
        ],
        "remarks": [{"at": at(one.at), "text": one.text, "public": one.released} for one in mine.remarks],
        "rating": mine.rating and {"at": at(mine.rating.at), "score": mine.rating.score, "reason": mine.rating.reason},
    }
