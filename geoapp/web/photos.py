"""Photos of an issue: shown to whoever may see them; added, released and withdrawn at the desk."""

from uuid import UUID

from flask import Blueprint, Response, request, send_file

from geoapp.errors import BadInput, NotFound, Refused
from geoapp.services import photos
from geoapp.web import desk, errors, gate, page

blueprint = Blueprint("photos", __name__)
FORM_BYTES = 64 * 1024


@blueprint.before_app_request
def let_photos_in() -> None:
    """Only doors for photos take more than a form's worth of bytes."""
    if request.endpoint in {"photos.add", "rest.add_photo"}:
        request.max_content_length = photos.MAX_BYTES + FORM_BYTES


@blueprint.get("/photos/<number>/<uuid:photo>/<size>.jpg")
def show(number: str, photo: UUID, size: str) -> Response:
    settings = page.settings()
    file, found = photos.file_of(
        gate.viewer(), number, photo, size, folder=page.settings().photos_dir, zone=settings.zone
    )
    if not file.is_file():
        raise NotFound("photo", str(photo))
    response = send_file(file, mimetype="image/jpeg", etag=found.sha256)
    response.headers["Content-Disposition"] = f'inline; filename="{number}-{found.phase}.jpg"'
    # A release can be taken back, so even a public photo is asked for again.
    response.headers["Cache-Control"] = "public, no-cache" if found.released else "private, no-store"
    return response


@blueprint.post("/desk/issues/<number>/photos")
def add(number: str) -> Response:
    viewer = gate.staff()
    try:
        given = request.files.get("photo")
        photos.add(
            viewer,
            number,
            given.read() if given else b"",
            phase=request.form.get("phase", ""),
            caption=request.form.get("caption", ""),
            folder=page.settings().photos_dir,
            now=page.now(),
            zone=page.settings().zone,
        )
    except (BadInput, Refused) as refusal:
        return _back(number, refusal)
    return page.go(page.url(f"/desk/issues/{number}", done="photo"))


@blueprint.post("/desk/issues/<number>/photos/<uuid:photo>/<change>")
def change(number: str, photo: UUID, change: str) -> Response:
    act = {"release": photos.release, "withdraw": photos.withdraw}.get(change)
    if act is None:
        raise NotFound("change", change[:40])
    act(gate.staff(), number, photo, now=page.now(), zone=page.settings().zone)
    return page.go(page.url(f"/desk/issues/{number}"))


def _back(number: str, refusal: BadInput | Refused) -> Response:
    return desk.show(gate.staff(), number, refusal, refused=errors.sentence(refusal))
