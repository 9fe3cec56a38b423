"""The API for programs: reporting, working on issues, settling, and the document that says it all.

It knows no cookies: who asks is told by a key, or is the public.
"""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import shapely
from flask import Blueprint, Response, request

from geoapp.domain import reports as rules
from geoapp.domain import workflow
from geoapp.domain.editing import Cost, Facts
from geoapp.domain.reports import Reporter, Submission
from geoapp.domain.values import PlacedBy, Point, Privacy, Source
from geoapp.errors import BadInput, NotFound
from geoapp.services import editing, own, photos, reports, settlements, splitting, triage, unclear
from geoapp.services.reports import Receipt
from geoapp.services.settlements import Draft
from geoapp.services.splitting import Part
from geoapp.web import contract, desk, gate, land, page, params, shapes
from geoapp.web.api import json_answer, paged

blueprint = Blueprint("rest", __name__, url_prefix="/api")


@blueprint.post("/issues")
def report() -> Response:
    """Report an issue; the same report sent again is answered the same and stored once."""
    sent = contract.body("rest.report")
    issue_id, reporter = _sender(sent)
    told = Submission(
        id=issue_id,
        category=sent["category"],
        point=params.place(sent["lon"], sent["lat"]),
        reporter=reporter,
        placed_by=PlacedBy(sent.get("placed_by", PlacedBy.PIN)),
        title=sent.get("title", "").strip(),
        text=sent.get("text", "").strip(),
        address=sent.get("address", "").strip(),
        accuracy_m=sent.get("accuracy_m"),
        extent=_extent(sent.get("extent")),
        privacy=Privacy(sent["privacy"]) if "privacy" in sent else None,
        source=Source(sent.get("source", Source.RESIDENT)),
    )
    done = reports.submit(
        gate.viewer(), told, prefix=page.settings().number_prefix, now=page.now(), calendar=page.calendar(),
        limits=gate.limits(),
    )  # fmt: skip
    return _received(done, done.id, reporter)


@blueprint.post("/issues/<name>/witnesses")
def witness(name: str) -> Response:
    """Say that one has seen the issue too."""
    report_id, reporter = _sender(contract.body("rest.witness"))
    done = reports.witness(
        gate.viewer(), name, report_id, reporter, now=page.now(), calendar=page.calendar(), limits=gate.limits()
    )
    return _received(done, done.id, reporter)


@blueprint.post("/reports/<uuid:issue>/<uuid:report>/photos/<uuid:photo>")
def add_own_photo(issue: UUID, report: UUID, photo: UUID) -> Response:
    """Add a photo to one's own report; whoever sends names it, so that sending it twice adds it once."""
    given = request.files.get("photo")
    added = own.add_photo(
        issue, report, request.headers.get("Report-Key", "")[:100], given.read() if given else b"", id=photo,
        caption=request.form.get("caption", ""), folder=page.settings().photos_dir, now=page.now(),
        zone=page.settings().zone, limits=gate.limits(),
    )  # fmt: skip
    answer = json_answer({"id": str(added.photo.id), "place": _place(added.place)}, status=201)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.get("/issues/<name>/work")
def work(name: str) -> Response:
    """What this viewer may do to the issue now; the ETag is the version that a change must name."""
    found = triage.work_on(gate.staff(), name, zone=page.settings().zone)
    options = [desk.option(option) for option in found.options]
    answer = json_answer({"number": found.number, "version": found.version, "options": options})
    answer.set_etag(str(found.version))
    return answer


@blueprint.post("/issues/<name>/actions/<action>")
def act(name: str, action: str) -> Response:
    """One action of the workflow; ``If-Match`` names the version, 409 answers with the one that stands now."""
    viewer, sent = gate.staff(), contract.body("rest.act")
    day = sent.get("until")
    given = workflow.Given(
        note=_words("note", sent.get("note", "")),
        unit=sent.get("unit") or None,
        helping=tuple(dict.fromkeys(sent.get("helping", ()))),
        until=params.date_of("until", day) if day else None,
        original=desk.original(viewer, sent.get("original", "")),
    )
    done = triage.act(viewer, name, action, given, version=_version(), now=page.now(), calendar=page.calendar())
    return _done(done)


@blueprint.post("/issues/<name>/facts")
def edit(name: str) -> Response:
    """Change words and facts; ``released`` lets the public read the words, or takes them back."""
    viewer, sent = gate.staff(), contract.body("rest.edit")
    now, calendar, version = page.now(), page.calendar(), _version()
    placed = params.place(sent["lon"], sent["lat"]) if {"lon", "lat"} <= set(sent) else None
    told = {field: _words(field, sent[field]) for field in ("title", "text", "address") if field in sent}
    change = Facts(
        **told,
        category=sent.get("category"),
        severity=sent.get("severity"),
        privacy=Privacy(sent["privacy"]) if "privacy" in sent else None,
        point=placed,
    )
    if "released" not in sent:
        return _done(editing.edit(viewer, name, change, version=version, now=now, calendar=calendar))
    if change != Facts():
        version = editing.edit(viewer, name, change, version=version, now=now, calendar=calendar).version
    return _done(
        editing.release(viewer, name, released=sent["released"], version=version, now=now, zone=calendar.zone)
    )  # fmt: skip


@blueprint.post("/issues/<name>/cost")
def enter_cost(name: str) -> Response:
    """Enter planned and spent costs in yuan; what is not sent is emptied."""
    viewer, sent = gate.staff(), contract.body("rest.enter_cost")
    planned, spent = (
        round(Decimal(str(sent[field])), 2) if field in sent else None for field in ("planned", "spent")
    )  # fmt: skip
    cost = Cost(planned, spent, sent.get("fund", "").strip())
    return _done(
        editing.enter_cost(viewer, name, cost, version=_version(), now=page.now(), zone=page.settings().zone)
    )  # fmt: skip


@blueprint.post("/issues/<name>/parts")
def split(name: str) -> Response:
    """Split an issue into parts, each for a unit of its own."""
    viewer, sent = gate.staff(), contract.body("rest.split")
    parts = [
        Part(
            id=UUID(one["id"]) if "id" in one else rules.fresh_id(page.now()),
            title=one["title"],
            category=one.get("category", ""),
            point=params.place(one["lon"], one["lat"]) if {"lon", "lat"} <= set(one) else None,
            unit=one.get("unit") or None,
            helping=tuple(dict.fromkeys(one.get("helping", ()))),
        )
        for one in sent["parts"]
    ]
    done = splitting.split(
        viewer, name, parts, note=_words("note", sent.get("note", "")), version=_version(),
        prefix=page.settings().number_prefix, now=page.now(), calendar=page.calendar(),
    )  # fmt: skip
    return _done(done, status=201)


@blueprint.post("/issues/<name>/settlements")
def settle(name: str) -> Response:
    """Settle whose land it is, or with ``rehearse`` say what would move and store nothing."""
    viewer, sent = gate.staff(), contract.body("rest.settle")
    day = sent.get("settled_on")
    draft = Draft(
        unit=sent["unit"],
        area=land.area_of(json.dumps(sent["area"])),
        categories=tuple(sent.get("categories", ())),
        settled_on=params.date_of("settled_on", day) if day else None,
        **{field: _words(field, sent.get(field, "")) for field in ("participants", "documents", "note")},
    )
    now, zone = page.now(), page.settings().zone
    if sent.get("rehearse"):
        found = settlements.rehearse(viewer, draft, now=now, zone=zone)
        return json_answer(
            {
                "judged": found.judged,
                "moves": [
                    {"number": move.number, "from": move.unit_before, "to": move.unit_after,
                     "verdict_from": move.verdict_before, "verdict_to": move.verdict_after}
                    for move in found.moves
                ],
                "load_before": {unit or "": count for unit, count in found.load_before.items()},
                "load_after": {unit or "": count for unit, count in found.load_after.items()},
            }
        )  # fmt: skip
    signed = UUID(sent["id"]) if "id" in sent else rules.fresh_id(now)
    return _done(settlements.settle(viewer, name, draft, id=signed, version=_version(), now=now, zone=zone), status=201)


@blueprint.post("/issues/<name>/photos")
def add_photo(name: str) -> Response:
    given = request.files.get("photo")
    added = photos.add(
        gate.staff(), name, given.read() if given else b"", phase=request.form.get("phase", ""),
        caption=request.form.get("caption", ""), folder=page.settings().photos_dir, now=page.now(),
        zone=page.settings().zone,
    )  # fmt: skip
    return json_answer(shapes.photo(name, added.photo) | {"place": _place(added.place)}, status=201)


@blueprint.post("/issues/<name>/photos/<uuid:photo>/<change>")
def change_photo(name: str, photo: UUID, change: str) -> Response:
    act = {"release": photos.release, "withdraw": photos.withdraw}.get(change)
    if act is None:
        raise NotFound("change", change[:40])
    act(gate.staff(), name, photo, now=page.now(), zone=page.settings().zone)
    return json_answer({"photo": str(photo), "released": change == "release"})


@blueprint.get("/inbox")
def inbox() -> Response:
    """What waits for who asks, the nearest deadline first."""
    viewer = gate.staff()
    return paged(viewer, duties=workflow.duties(viewer), by_deadline=True)


@blueprint.get("/unclear")
def unclear_land() -> Response:
    """Overlaps and gaps of jurisdictions, the costliest first."""
    pieces, total = unclear.worklist(gate.staff(), now=page.now(), zone=page.settings().zone)
    names = {row.code: row.name for row in page.choices().categories}
    return json_answer({"total": total, "pieces": [land.piece(one, names) for one in pieces]})


@blueprint.get("/me")
def me() -> Response:
    """Who asks, and what was granted to them."""
    viewer = gate.signed_in()
    return json_answer(
        {
            "name": viewer.name,
            "grants": [
                {"role": grant.role, "unit": grant.unit,
                 "communities": None if grant.communities is None else sorted(grant.communities)}
                for grant in viewer.grants
            ],
        }
    )  # fmt: skip


def _place(place: Point | None) -> dict[str, float] | None:
    return {"lon": place.lon, "lat": place.lat} if place else None


def _sender(sent: dict[str, Any]) -> tuple[UUID, Reporter]:
    """Who sends, and the id of what is sent: theirs, else one made of the ``Idempotency-Key``, else a new one."""
    header = request.headers.get("Idempotency-Key", "")
    if header and not (22 <= len(header) <= 200 and header.isascii() and header.isprintable()):  # noqa: PLR2004
        raise BadInput("Idempotency-Key", "idempotency_key")
    made, key = rules.named_by(header) if header else (rules.fresh_id(page.now()), rules.fresh_key())
    reporter = Reporter(
        key=sent.get("key", key),
        name=sent.get("name", "").strip(),
        contact=sent.get("contact", "").strip(),
        lang=sent.get("lang", page.lang()),
    )
    if "id" in sent and "key" not in sent and not header:
        # With a key of our making, the same report sent again could not be told from somebody else's.
        raise BadInput("key", "missing")
    return UUID(sent["id"]) if "id" in sent else made, reporter


def _received(done: Receipt, named: UUID, reporter: Reporter) -> Response:
    answer = json_answer(
        {
            "id": str(named),
            "number": done.number,
            "reported_at": done.reported_at.astimezone(page.settings().zone).isoformat(timespec="seconds"),
            "url": f"/issues/{done.number}",
            "link": f"/mine/{done.issue}/{named}/{reporter.key}",
        },
        status=201,
    )
    answer.headers["Location"] = f"/api/issues/{done.number}"
    answer.headers["Cache-Control"] = "private, no-store"
    if done.replayed:
        answer.headers["Idempotent-Replayed"] = "true"
    return answer


def _done(done: triage.Receipt, status: int = 200) -> Response:
    answer = json_answer({"number": done.number, "state": done.state, "version": done.version}, status=status)
    answer.set_etag(str(done.version))
    return answer


def _version() -> int | None:
    return params.version(next(iter(request.if_match.as_set()), None))


def _extent(drawn: dict[str, Any] | None) -> bytes | None:
    if drawn is None:
        return None
    try:
        return bytes(shapely.to_wkb(shapely.geometry.shape(drawn)))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, shapely.errors.ShapelyError):
        raise BadInput("extent", "extent") from None


def _words(field: str, told: str) -> str:
    if "\x00" in told:
        raise BadInput(field, "characters")
    return told.replace("\r\n", "\n")
