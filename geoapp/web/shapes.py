"""The shapes in which an issue leaves the house: one for the API, lists, CSV and pages alike."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from geoapp import words
from geoapp.domain.responsibility import Hit, Verdict
from geoapp.domain.values import IssueState, Phase, Point, Score, StateGroup, VerdictClass, states_of
from geoapp.services.duplicates import THRESHOLD, Candidate
from geoapp.services.issues import Case, HistoryRow, IssueRow, Said
from geoapp.services.photos import THUMB_PX, Photo
from geoapp.services.places import CategoryRow, Choices, Whose
from geoapp.web import clockshapes, page

CSV_COLUMNS = (
    "number", "title", "category", "state", "reported", "ended", "community", "unit", "verdict", "lon", "lat",
    "synthetic",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def properties(row: IssueRow) -> dict[str, Any]:
    """What the public may know of an issue, names in the page's language."""
    tongue = page.lang()
    category = row.category_name.say(tongue)
    return {
        "number": row.number,
        "title": row.title or category,
        "category": row.category,
        "category_name": category,
        "state": row.state,
        "state_name": page.say(f"state.{row.state}"),
        "group": row.state.group,
        "group_name": page.say(f"group.{row.state.group}"),
        "reported_on": _day(row.reported_at),
        "ended_on": _day(row.ended_at),
        "community": row.community,
        "community_name": row.community_name.say(tongue) or None,
        "unit": row.unit,
        "unit_name": row.unit_name.say(tongue) or None,
        "verdict": row.verdict,
        "verdict_name": page.say(f"verdict.{row.verdict}"),
        "synthetic": row.synthetic,
    }


def photo(number: str, one: Photo) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "phase": one.phase,
        "phase_name": page.say(f"phase.{one.phase}"),
        "caption": one.caption,
        "width": one.width,
        "height": one.height,
        "released": one.released,
        "thumb_width": round(one.width * min(1.0, THUMB_PX / max(one.width, one.height))),
        "url": f"/photos/{number}/{one.id}/large.jpg",
        "thumb_url": f"/photos/{number}/{one.id}/small.jpg",
    }


def comparison(photos: Sequence[Photo]) -> tuple[Photo, ...]:
    """The first photo before the work and the last one after it, when there are both."""
    before = [one for one in photos if one.phase is Phase.BEFORE]
    after = [one for one in photos if one.phase is Phase.AFTER]
    return (before[0], after[-1]) if before and after else ()


def renderings(photos: Sequence[Photo]) -> list[Photo]:
    """Before, what is planned, and after, when there is a rendering; empty without one."""
    drawn = [one for one in photos if one.phase is Phase.RENDERING]
    if not drawn:
        return []
    before = [one for one in photos if one.phase is Phase.BEFORE][:1]
    return [*before, drawn[-1], *[one for one in photos if one.phase is Phase.AFTER][-1:]]


def _plainly(line: HistoryRow, units: Mapping[str, str]) -> str:
    """What happened, as one would tell it to a neighbour; empty where the name of the action says it."""
    key = f"plain.{line.action}"
    if key not in words.catalogue():
        return ""
    detail = line.detail
    unit = units.get(str(detail.get("unit")), "")
    return page.say(
        f"{key}_helped" if line.action == "dispatch" and detail.get("helping") else key,
        unit=unit or page.say("expect.nobody"),
        helping=page.say("js.list_comma").join(units.get(code, code) for code in detail.get("helping") or ()),
        until=detail.get("until", ""),
        score=page.say(f"score.{detail['score']}") if "score" in detail else "",
    )


def said() -> Said:
    """The words of a feature that the database makes; it says the same as ``feature``, and a test holds it to that."""
    states = {
        str(state): (page.say(f"state.{state}"), str(state.group), page.say(f"group.{state.group}"))
        for state in IssueState
    }
    return Said(page.lang(), states, {str(verdict): page.say(f"verdict.{verdict}") for verdict in VerdictClass})


def feature(row: IssueRow) -> dict[str, Any]:
    return {"type": "Feature", "id": str(row.id), "geometry": _point(row), "properties": properties(row)}


def whole_feature(case: Case) -> dict[str, Any]:
    detail = case.detail
    tongue = page.lang()
    names = {choice.code: choice.name.say(tongue) for choice in page.choices().units}
    more = {
        "deadline": clockshapes.deadline(detail.row),
        "returns": detail.row.returns,
        "reworks": detail.row.reworks,
        "merged_into": detail.merged_into,
        "part_of": detail.part_of,
        "parts": [
            {
                "number": part.number,
                "title": part.title or part.category_name.say(tongue),
                "state": part.state,
                "state_name": page.say(f"state.{part.state}"),
                "group": part.state.group,
                "unit_name": part.unit_name.say(tongue) or None,
            }
            for part in detail.parts
        ],
        "witnesses": detail.witnesses,
        "text": detail.text,
        "address": detail.address,
        "severity": detail.severity,
        "severity_name": page.say(f"severity.{detail.severity}"),
        "privacy": detail.privacy,
        "privacy_name": page.say(f"privacy.{detail.privacy}"),
        "source_name": page.say(f"source.{detail.source}") + (f" ({detail.source_name})" if detail.source_name else ""),
        "placed_by_name": page.say(f"placed_by.{detail.placed_by}"),
        "accuracy_m": detail.accuracy_m,
        "level_name": page.say(f"level.{detail.level}"),
        "length_m": detail.length_m,
        "area_m2": detail.area_m2,
        "extent": json.loads(detail.extent) if detail.extent else None,
        "candidates": candidates(case.verdict),
        "verdict_hint": page.say(f"verdict_hint.{detail.row.verdict}"),
        "judged_on": detail.judged_on.isoformat(),
        "helping_units": [name.say(tongue) for name in detail.helping_units],
        "cost_planned": detail.cost_planned,
        "cost_spent": detail.cost_spent,
        "fund_source": detail.fund_source,
        "photos": [photo(detail.row.number, one) for one in case.photos],
        "comparison": [photo(detail.row.number, one) for one in comparison(case.photos)],
        "expect": clockshapes.expectation(detail.row.stage, detail.row.due_at, detail.row.unit_name),
        "remarks": [
            {"at": page.minute(one.at), "text": one.text, **({} if one.released else {"internal": True})}
            for one in case.remarks
        ],
        "ratings": [
            {"score": score, "name": page.say(f"score.{score}"), "n": case.ratings.counts.get(score, 0)}
            for score in Score
        ]
        if case.ratings.counts
        else [],
        "rating_reasons": list(case.ratings.reasons),
        "renderings": [photo(detail.row.number, one) for one in renderings(case.photos)],
        "history": [
            {
                "at": line.at.astimezone(page.settings().zone).isoformat(timespec="minutes"),
                "action": line.action,
                "action_name": page.say(f"action.{line.action}"),
                "to_state": line.to_state,
                "state_name": page.say(f"state.{line.to_state}") if line.to_state else None,
                "actor": page.say_or(f"actor.{line.actor}", line.actor),
                "plain": _plainly(line, names),
                "note": line.note,
                **({"internal": True} if line.internal else {}),
            }
            for line in detail.history
        ],
    }
    whole = feature(detail.row)
    whole["properties"] |= more
    return whole


def alike(candidate: Candidate) -> dict[str, Any]:
    """An issue that may be the same as another, with the parts of its score and a sentence that says them."""
    likeness = candidate.likeness
    days = "at_once" if likeness.days == 0 else "one_day" if likeness.days == 1 else "days_apart"
    said = [
        page.say(f"duplicates.{likeness.kinship}"),
        page.say("duplicates.distance", m=f"{likeness.distance_m:.0f}"),
        page.say(f"duplicates.{days}", days=likeness.days),
        *([page.say("duplicates.words", percent=f"{likeness.words:.0%}")] if likeness.words else []),
    ]
    shape = feature(candidate.row)
    shape["properties"]["photo"] = photo(candidate.row.number, candidate.photo) if candidate.photo else None
    shape["properties"]["likeness"] = {
        "likely": likeness.score >= THRESHOLD,
        "score": round(likeness.score, 3),
        "distance_m": round(likeness.distance_m, 1),
        "reach_m": likeness.reach_m,
        "days": likeness.days,
        "category": likeness.kinship,
        "words": round(likeness.words, 3),
        "reason": page.say("duplicates.comma").join(said),
    }
    return shape


def candidates(verdict: Verdict) -> list[dict[str, Any]]:
    """Ranked units, each with the rule that fired and the distance to its edge in metres."""
    tongue = page.lang()
    return [
        {
            "unit": hit.unit,
            "unit_name": hit.unit_name.say(tongue),
            "jurisdiction": hit.jurisdiction,
            "jurisdiction_name": hit.jurisdiction_name.say(tongue),
            "inside": hit.inside,
            "edge_m": round(hit.edge_m, 1),
            "reason": _reason(hit),
            "evidence": hit.evidence,
            "phone": hit.phone,
        }
        for hit in verdict.candidates
    ]


def whose(found: Whose) -> dict[str, Any]:
    tongue = page.lang()
    first = found.communities[0] if found.communities else None
    return {
        "community": first
        and {
            "code": first.code,
            "name": first.name.say(tongue),
            "street": first.parent_name.say(tongue) if first.parent_name else None,
            "verdict": found.community_verdict,
        },
        "community_verdict": found.community_verdict,
        "near": [{"code": one.code, "name": one.name.say(tongue)} for one in (*found.communities[1:], *found.near)],
        "verdict": found.verdict.verdict,
        "verdict_name": page.say(f"verdict.{found.verdict.verdict}"),
        "verdict_hint": page.say(f"verdict_hint.{found.verdict.verdict}"),
        "candidates": candidates(found.verdict),
    }


def csv_line(row: IssueRow) -> list[str]:
    known = properties(row)
    yes = page.say("csv.synthetic") if row.synthetic else ""
    texts = [
        known["number"], known["title"], known["category_name"], known["state_name"], known["reported_on"],
        known["ended_on"], known["community_name"], known["unit_name"], known["verdict_name"],
    ]  # fmt: skip
    return [*(plain(text or "") for text in texts), f"{row.lon:.7f}", f"{row.lat:.7f}", yes]


def plain(text: str) -> str:
    """Text that a spreadsheet will not run as a formula."""
    return f"'{text}" if text.lstrip(" \"'\ufeff").startswith(FORMULA) else text


def choices(found: Choices) -> dict[str, Any]:
    """What the filters can name, in the page's language."""
    tongue = page.lang()
    return {
        "categories": _tree(found.categories, None),
        "communities": [
            {
                "code": choice.code,
                "name": choice.name.say(tongue),
                "street": choice.parent_name.say(tongue) if choice.parent_name else "",
            }
            for choice in found.communities
        ],
        "units": [{"code": choice.code, "name": choice.name.say(tongue)} for choice in found.units],
        "states": [
            {
                "group": group,
                "name": page.say(f"group.{group}"),
                "states": [{"state": state, "name": page.say(f"state.{state}")} for state in states_of(group)],
            }
            for group in StateGroup
        ],
        "verdicts": [
            {"verdict": verdict, "name": page.say(f"verdict.{verdict}"), "hint": page.say(f"verdict_hint.{verdict}")}
            for verdict in VerdictClass
        ],
    }


def _tree(rows: Iterable[CategoryRow], parent: str | None) -> list[dict[str, Any]]:
    rows = list(rows)
    return [
        {
            "code": row.code,
            "name": row.name.say(page.lang()),
            "icon": row.icon,
            "colour": row.colour,
            "children": _tree(rows, row.code),
        }
        for row in rows
        if row.parent == parent
    ]


def _reason(hit: Hit) -> str:
    fit = page.say(f"whose.{hit.fit.name.lower()}")
    return page.say("whose.inside" if hit.inside else "whose.near", fit=fit, edge=f"{hit.edge_m:.0f}")


def point_of(row: IssueRow) -> Point:
    return Point(row.lon, row.lat)


def _point(row: IssueRow) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [round(row.lon, 7), round(row.lat, 7)]}


def _day(instant: Any) -> str | None:
    return instant.astimezone(page.settings().zone).date().isoformat() if instant else None
