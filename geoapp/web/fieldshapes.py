"""What the field is told, as JSON and as pages: the pack, what was recorded, and conflicts side by side."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import shapely

from geoapp import words
from geoapp.domain.fieldwork import SIDE, Change, Kind, Told, path_of
from geoapp.domain.geometry import geodesic_area_m2, geodesic_length_m
from geoapp.services.fieldmap import Ground
from geoapp.services.fieldwork import Clash, Journal, Recorded
from geoapp.services.pack import Pack, PackedPhoto, PackedStop
from geoapp.services.visits import VisitDetail
from geoapp.web import gate, land, page, shapes

SHORT_HISTORY = 6
PACK_FORMAT = 1


def pack(viewer: Any, found: Pack, grounds: Mapping[str, Ground]) -> dict[str, Any]:
    """All of a visit for the phone, and how many bytes each part has, before any of them is loaded."""
    visit = found.visit.visit
    stops = [_stop(one) for one in found.stops]
    maps = [
        {
            "part": part,
            "url": f"/field/visits/{visit.id}/pack.pmtiles?part={part}",
            "bytes": len(one.body),
            "kind": one.kind,
            "min_zoom": one.min_zoom,
            "max_zoom": one.max_zoom,
            "attribution": page.settings().basemap_attribution if part == "base" else "",
        }
        for part, one in grounds.items()
        if one.body
    ]
    told = {
        "format": PACK_FORMAT,
        "made_at": instant(found.made_at),
        "person": str(viewer.person),
        "person_name": viewer.name,
        "visit": _visit(found.visit),
        "stops": stops,
        "maps": maps,
        "conflicts": [clash(one) for one in found.journal.clashes],
    }
    size = {
        "words": len(json.dumps(told, ensure_ascii=False).encode()),
        "photos": sum(photo.bytes for stop in found.stops for photo in stop.photos),
        "map": sum(len(one.body) for one in grounds.values()),
    }
    # Not counted with the rest: what proves a change comes and goes with the session, and is never kept.
    return told | {"bytes": size | {"all": sum(size.values())}, "csrf": gate.csrf_token()}


def clash(one: Clash) -> dict[str, Any]:
    """A conflict side by side: mine, what stands, and who changed what since when."""
    mine = one.mine
    return {
        "id": str(mine.id),
        "issue": str(mine.issue),
        "number": mine.number,
        "title": mine.title,
        "kind": mine.kind,
        "kind_name": page.say(f"field.kind.{mine.kind}"),
        "at": page.minute(mine.at),
        "person": mine.person,
        "mine": summary(mine),
        "mine_extent": mine.body.get("extent") or mine.body.get("area"),
        "theirs": [_change(change) for change in one.theirs],
        "theirs_extent": json.loads(one.extent) if one.extent else None,
        "stands": _measured(json.loads(one.extent)) if one.extent else page.say("field.no_extent"),
        "seq": one.seq,
    }


def summary(held: Recorded) -> str:
    """What a record says, in one line."""
    body = held.body
    if held.kind is Kind.CHECK_IN:
        return page.say("field.sum.check_in", accuracy=f"{body.get('accuracy_m') or 0:.0f}")
    if held.kind is Kind.FINDING:
        seen = page.say(f"field.seen.{body['seen']}") if body.get("seen") else ""
        return page.say("field.join").join(filter(None, (seen, str(body.get("words") or "")))) or str(
            body.get("follow_up") or page.say("field.checklist")
        )
    if held.kind is Kind.PHOTO:
        return page.say(f"phase.{body['phase']}") + (f": {body['caption']}" if body.get("caption") else "")
    if held.kind is Kind.EXTENT:
        return _measured(body.get("extent"))
    if held.kind is Kind.SETTLEMENT:
        signed = page.say("js.list_comma").join(str(one.get("name", "")) for one in body.get("signatures") or ())
        return page.say("field.sum.settlement", unit=_unit(str(body.get("unit"))), area=_measured(body.get("area")),
                        signed=signed)  # fmt: skip
    return str(body.get("title") or body.get("text") or page.say("field.kind.issue"))


def told(held: Recorded) -> Told:
    """A kept record, as it was sent."""
    return Told(held.id, held.issue, held.kind, held.at, None, held.body)


def sentences(found: Journal) -> dict[UUID, str]:
    """What the public reads of each issue that was visited: a short sentence, in the language of the place."""
    tongue = page.settings().lang
    on_the_way = {one.issue for one in found.records if one.kind is Kind.ISSUE}
    said = {one.issue: "field.told.there" for one in found.records if one.kind is not Kind.PHOTO}
    said |= {one.issue: f"field.told.{one.seen}" for one in found.findings if one.seen}
    return {issue: words.say(tongue, key) for issue, key in said.items() if issue not in on_the_way}


def journal(detail: VisitDetail, found: Journal) -> dict[str, Any]:
    """What the page of a visit's records shows."""
    numbers = {one.issue: one.number for one in found.records}
    stops = {one.issue.id: one.seq for one in detail.stops}
    signatures: dict[UUID, list[dict[str, Any]]] = {}
    for one in found.signatures:
        drawn = {"name": one.name, "unit": one.unit, "path": path_of(one.strokes), "side": SIDE}
        signatures.setdefault(one.settlement, []).append(drawn)
    far = {one.id: one.distance_m for one in found.arrivals}
    rows = [
        {
            "id": str(one.id),
            "number": one.number,
            "title": one.title,
            "seq": stops.get(one.issue),
            "kind": one.kind,
            "kind_name": page.say(f"field.kind.{one.kind}"),
            "at": page.minute(one.at),
            "person": one.person,
            "words": summary(one),
            "far": page.say("field.far", m=f"{far[one.id]:.0f}") if one.id in far else "",
            "fate": one.fate,
            "fate_name": page.say(f"field.fate.{one.fate}"),
            "meanwhile": one.meanwhile,
            "signatures": signatures.get(one.id, []),
            "url": page.url(f"/desk/issues/{one.number}"),
        }
        for one in found.records
    ]
    return {
        "visit": {"id": str(detail.visit.id), "title": detail.visit.title, "on_day": detail.visit.on_day.isoformat()},
        "records": rows,
        "clashes": [clash(one) for one in found.clashes],
        "follow_ups": [
            {
                "id": str(one.id),
                "issue": str(one.issue),
                "number": numbers.get(one.issue, ""),
                "words": one.follow_up,
                "due": one.due.isoformat() if one.due else "",
                "overdue": bool(one.due and not one.done_at and one.due < page.today()),
                "done": page.minute(one.done_at) if one.done_at else "",
            }
            for one in found.findings
            if one.follow_up
        ],
    }


def instant(at: datetime | None) -> str | None:
    return at.astimezone(page.settings().zone).isoformat(timespec="seconds") if at else None


def _visit(detail: VisitDetail) -> dict[str, Any]:
    row, tongue = detail.visit, page.lang()
    return {
        "id": str(row.id),
        "title": row.title,
        "on_day": row.on_day.isoformat(),
        "starts_at": row.starts_at.strftime("%H:%M"),
        "state": row.state,
        "version": row.version,
        "start": {"lon": row.start.lon, "lat": row.start.lat, "name": row.start_name},
        "end": {"lon": row.end.lon, "lat": row.end.lat, "name": row.end_name} if row.end else None,
        "length_m": round(row.length_m),
        "minutes": row.minutes_total,
        "route": json.loads(row.route) if row.route else None,
        "synthetic": row.synthetic,
        "guests": [
            {"name": one.name, "unit": one.unit or "", "unit_name": one.unit_name.say(tongue), "phone": one.phone}
            for one in detail.guests
        ],
    }


def _stop(one: PackedStop) -> dict[str, Any]:
    stop, row = one.stop, one.case.detail.row
    whole = shapes.whole_feature(one.case)["properties"]
    named = {code.code: code.name for code in page.choices().categories}
    history = [line for line in whole["history"] if line["action"] != "judge"][-SHORT_HISTORY:]
    return {
        "issue": whole | {"id": str(row.id), "lon": row.lon, "lat": row.lat, "history": history, "photos": []},
        "base": {"version": one.base.version, "seq": one.base.seq},
        "seq": stop.seq if stop else None,
        "arrives": stop.arrives_at.astimezone(page.settings().zone).strftime("%H:%M")
        if stop and stop.arrives_at
        else "",
        "minutes": stop.minutes if stop else None,
        "units": [
            {"code": hit.code, "name": hit.name.say(page.lang()), "phone": hit.phone}
            for hit in (stop.candidates if stop else ())
        ],
        "on_the_way": stop is None,
        "pieces": [land.piece(piece, named) for piece in one.pieces],
        "branch": row.category.partition(".")[0],
        "branch_name": named[row.category.partition(".")[0]].say(page.lang())
        if row.category.partition(".")[0] in named
        else "",
        "photos": [_photo(row.number, photo) for photo in one.photos],
        "checklist": checklist(row.category),
    }


def checklist(category: str) -> list[dict[str, str]]:
    """What to look at on site for a category: the Chinese words name a question, whatever language it is asked in."""
    return [{"key": one.zh, "name": one.say(page.lang())} for one in page.checklists().of(category)]


def _photo(number: str, one: PackedPhoto) -> dict[str, Any]:
    return {
        "id": str(one.photo.id),
        "url": f"/photos/{number}/{one.photo.id}/{one.size}.jpg",
        "bytes": one.bytes,
        "phase": one.photo.phase,
        "phase_name": page.say(f"phase.{one.photo.phase}"),
        "caption": one.photo.caption,
        "on": one.photo.added_at.astimezone(page.settings().zone).date().isoformat(),
    }


def _change(change: Change) -> dict[str, str]:
    return {
        "at": page.minute(change.at),
        "who": change.person or page.say_or(f"actor.{change.actor}", change.actor),
        "what": page.say_or(f"action.{change.action}", change.action),
        "note": change.note,
    }


def _measured(drawn: Any) -> str:
    """A drawn extent by its size."""
    if not isinstance(drawn, dict):
        return page.say("field.no_extent")
    shape = shapely.geometry.shape(drawn)
    if shape.geom_type.endswith("Polygon"):
        return page.say("field.area", m2=f"{geodesic_area_m2(shape):,.0f}")
    if shape.geom_type.endswith("LineString"):
        return page.say("field.line", m=f"{geodesic_length_m(shape):,.0f}")
    return page.say("field.places", n=len(getattr(shape, "geoms", [shape])))


def _unit(code: str) -> str:
    return next((one.name.say(page.lang()) for one in page.choices().units if one.code == code), code)
