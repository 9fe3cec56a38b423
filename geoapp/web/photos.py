"""Photos of an issue: shown to whoever may see them; added, released and withdrawn at the desk."""

from uuid import UUID

from flask import Blueprint, Response, request, send_file

from geoapp.domain.permissions import Right, may
from geoapp.errors import BadInput, NotFound, NotYours, Refused
from geoapp.services import photos, triage
from geoapp.services.photos import Region
from geoapp.web import desk, errors, gate, page, params, shapes

blueprint = Blueprint("photos", __name__)
FORM_BYTES = 64 * 1024
WITH_PHOTO = {"photos.add", "rest.add_photo", "rest.add_own_photo", "own.photo", "reporting.send"}


@blueprint.before_app_request
def let_photos_in() -> None:
    """Only doors for photos take more than a form's worth of bytes."""
    if request.endpoint in WITH_PHOTO:
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


@blueprint.get("/desk/issues/<number>/photos/<uuid:photo>/blur")
def blur_page(number: str, photo: UUID) -> Response:
    """Where rectangles are drawn over faces and plates."""
    return _blur_page(number, photo)


@blueprint.post("/desk/issues/<number>/photos/<uuid:photo>/blur")
def blur(number: str, photo: UUID) -> Response:
    viewer, settings = gate.staff(), page.settings()
    try:
        photos.redact(
            viewer, number, photo, _boxes(request.form.get("boxes", "")), folder=settings.photos_dir, now=page.now(),
            zone=settings.zone,
        )  # fmt: skip
    except BadInput as refusal:
        return _blur_page(number, photo, refused=errors.sentence(refusal), typed=request.form.get("boxes", ""))
    return page.go(page.url(f"/desk/issues/{number}/photos/{photo}/blur", done="yes"))


def _blur_page(number: str, photo: UUID, *, refused: str = "", typed: str | None = None) -> Response:
    viewer, zone = gate.staff(), page.settings().zone
    subject = triage.work_on(viewer, number, zone=zone).subject
    if not may(viewer, Right.RELEASE, subject):
        raise NotYours("not_yours", "action")
    found = next((one for one in photos.of_issue(viewer, number, zone=zone) if one.id == photo), None)
    if found is None:
        raise NotFound("photo", str(photo))
    lines = "\n".join(", ".join(f"{100 * share:.1f}" for share in box) for box in found.boxes)
    return page.render(
        "blur.html", page.choices(), status=400 if refused else 200, number=number, photo=shapes.photo(number, found),
        original_url=f"/photos/{number}/{photo}/{photos.ORIGINAL}.jpg", boxes=lines if typed is None else typed,
        refused=refused, done=request.args.get("done") == "yes",
    )  # fmt: skip


def _boxes(text: str) -> list[Region]:
    """One rectangle a line: left, top, width and height in percent."""
    found: list[Region] = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        parts = [params.number("boxes", part) / 100 for part in line.split(",")]
        if len(parts) != 4:  # noqa: PLR2004
            raise BadInput("boxes", "boxes")
        found.append((parts[0], parts[1], parts[2], parts[3]))
    return found


def _back(number: str, refusal: BadInput | Refused) -> Response:
    return desk.show(gate.staff(), number, refusal, refused=errors.sentence(refusal))
