"""The shapes in which a meeting and its agenda leave the house, and a decision as its form sends it."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from werkzeug.datastructures import MultiDict

from geoapp.domain.agenda import GOING_ON, Decision, Outcome, document
from geoapp.errors import BadInput
from geoapp.services.agendas import Suggestion
from geoapp.services.meetings import Item, MeetingRow, Whole
from geoapp.web import page, params, shapes

VOTES = ("votes_for", "votes_against", "votes_open")


def row_shape(row: MeetingRow) -> dict[str, Any]:
    local = row.facts.starts_at.astimezone(page.settings().zone)
    return {
        "id": str(row.id),
        "url": page.url(f"/meetings/{row.id}"),
        "minutes_url": page.url(f"/meetings/{row.id}/minutes"),
        "title": row.facts.title,
        "place": row.place_name.say(page.lang()),
        "at": page.minute(row.facts.starts_at),
        "starts_at": local.strftime("%Y-%m-%dT%H:%M"),
        "venue": row.facts.venue,
        "attendees": row.facts.attendees,
        "minutes": row.facts.minutes,
        "state": row.state,
        "state_name": page.say(f"meeting.state.{row.state}"),
        "closed": page.say("meeting.closed_on", at=page.minute(row.closed_at)) if row.closed_at else "",
        "counts": page.say("meeting.items", n=row.items, decided=row.decided),
        "size": row.items,
        "decided": row.decided,
        "version": row.version,
        "synthetic": row.synthetic,
    }


def item_shape(one: Item) -> dict[str, Any]:
    """An item with all that helps to decide about it."""
    tongue = page.lang()
    names = {unit.code: unit.name.say(tongue) for unit in page.choices().units}
    facts, usual = one.facts, one.usual
    costs = [
        *([page.say("meeting.planned", amount=f"{facts.planned:,.0f}")] if facts.planned else []),
        *([page.say("meeting.spent", amount=f"{facts.spent:,.0f}")] if facts.spent else []),
        *([facts.fund] if facts.fund else []),
    ]
    return shapes.properties(one.issue) | {
        "n": one.row.position,
        "url": page.url(f"/desk/issues/{one.issue.number}"),
        "severity_name": page.say(f"severity.{facts.severity}"),
        "score": score_shape(one.row.score),
        "tried": [
            {
                "day": page.minute(line.at)[:10],
                "action": page.say(f"action.{line.action}"),
                "who": names.get(str(line.detail.get("unit")), "") or page.say_or(f"actor.{line.actor}", line.actor),
                "note": line.note,
            }
            for line in one.tried
        ],
        "candidates": shapes.candidates(one.verdict),
        "candidate_codes": [hit.unit for hit in one.verdict.candidates],
        "costs": costs or [page.say("meeting.no_cost")],
        "usual": page.say("meeting.usual", amount=f"{usual.median:,.0f}", n=usual.n) if usual else "",
        "decision": decision_shape(one),
        "typed": typed_of(one),
        "outcomes": [
            {"value": each, "name": page.say(f"meeting.do.{each}")}
            for each in Outcome
            # What somebody has already goes on, or waits; what nobody has is given to somebody, or waits.
            if each is Outcome.POSTPONE or (each is Outcome.GO_ON) == (one.issue.state in GOING_ON)
        ],
        "open": False,
    }


def decision_shape(one: Item) -> dict[str, Any] | None:
    decision = one.row.decision
    if decision is None:
        return None
    tongue = page.lang()
    votes = decision.votes
    voted = page.say("meeting.voted", yes=votes[0] or 0, no=votes[1] or 0, open=votes[2] or 0)
    return {
        "outcome": decision.outcome,
        "name": page.say(f"meeting.do.{decision.outcome}"),
        "words": decision.words,
        "unit": one.row.unit_name.say(tongue),
        "helping": page.say("js.list_comma").join(name.say(tongue) for name in one.row.helping_names),
        "amount": f"{decision.amount:,.2f}" if decision.amount is not None else "",
        "fund": decision.fund,
        "due_on": decision.due_on.isoformat() if decision.due_on else "",
        "visit_on": decision.visit_on.isoformat() if decision.visit_on else "",
        "votes": voted if any(vote is not None for vote in votes) else "",
        "applied": one.row.applied_at is not None,
    }


def score_shape(kept: Mapping[str, Any]) -> dict[str, Any]:
    """A score as it was kept, in words."""
    return {
        "total": kept.get("total", 0),
        "parts": [
            {
                "name": page.say(f"meeting.term.{part['term']}"),
                "measured": _measured(part),
                "points": part["points"],
                "most": part["most"],
            }
            for part in kept.get("parts", ())
        ],
    }


def suggestion_shape(one: Suggestion) -> dict[str, Any]:
    return shapes.properties(one.issue) | {
        "url": page.url(f"/desk/issues/{one.issue.number}"),
        "score": score_shape(document(one.score)),
        "carried": page.say(f"meeting.carried.{one.carried}") if one.carried else "",
    }


def places_of(whole: Whole, suggestions: list[Suggestion]) -> dict[str, Any]:
    """What the map of the agenda shows."""
    tongue = page.lang()

    def place(issue: Any) -> dict[str, Any]:
        known = shapes.properties(issue)
        return {"number": issue.number, "lon": issue.lon, "lat": issue.lat, "title": known["title"],
                "group": known["group"]}  # fmt: skip

    return {
        "items": [
            place(one.issue) | {"n": one.row.position, "decided": one.row.decision is not None} for one in whole.items
        ],
        "suggested": [place(one.issue) for one in suggestions],
        "sensitive": [
            {"lon": one.lon, "lat": one.lat, "name": one.name.say(tongue),
             "kind": page.say(f"meeting.sensitive_kind.{one.kind}")}
            for one in whole.sensitive
        ],
    }  # fmt: skip


def typed_of(one: Item) -> dict[str, Any]:
    """The form of a decision as it stands: what is decided, or what suggests itself."""
    decision = one.row.decision
    if decision is None:
        first = Outcome.GO_ON if one.issue.state in GOING_ON else Outcome.ASSIGN
        hits = one.verdict.candidates
        return _EMPTY | {"outcome": first, "unit": hits[0].unit if hits else ""}
    return {
        "outcome": decision.outcome,
        "unit": decision.unit or "",
        "helping": decision.helping,
        "amount": f"{decision.amount:f}" if decision.amount is not None else "",
        "fund": decision.fund,
        "due_on": decision.due_on or "",
        "visit_on": decision.visit_on or "",
        "words": decision.words,
        **{name: "" if vote is None else vote for name, vote in zip(VOTES, decision.votes, strict=True)},
    }


_EMPTY: dict[str, Any] = {
    "outcome": "", "unit": "", "helping": (), "amount": "", "fund": "", "due_on": "", "visit_on": "", "words": "",
    **dict.fromkeys(VOTES, ""),
}  # fmt: skip


def typed_decision(form: MultiDict[str, str]) -> dict[str, Any]:
    """What was typed, to be shown again."""
    return {name: form.get(name, "") for name in _EMPTY} | {"helping": form.getlist("helping")}


def decision_of(form: MultiDict[str, str]) -> Decision:
    """A decision as its form sends it; raises BadInput naming the field for what cannot be read."""
    outcome = form.get("outcome", "")
    if outcome not in set(Outcome):
        raise BadInput("outcome", "missing")
    assigns = outcome == Outcome.ASSIGN
    words = form.get("words", "").replace("\r\n", "\n").strip()
    return Decision(
        Outcome(outcome),
        words,
        # Fields that the chosen decision does not have may still hold what was typed for another.
        unit=params.code(form, "unit") if assigns else None,
        helping=tuple(dict.fromkeys(code for code in form.getlist("helping") if code)) if assigns else (),
        amount=money(form, "amount") if outcome != Outcome.POSTPONE else None,
        fund=params.words(form, "fund", most=1000) if outcome != Outcome.POSTPONE else "",
        due_on=params.day(form, "due_on") if outcome in {Outcome.ASSIGN, Outcome.GO_ON} else None,
        visit_on=params.day(form, "visit_on") if outcome != Outcome.POSTPONE else None,
        votes=(_vote(form, VOTES[0]), _vote(form, VOTES[1]), _vote(form, VOTES[2])),
    )


def money(form: MultiDict[str, str], name: str) -> Decimal | None:
    """An amount as people write it (``12,000.50``); None where nothing is written."""
    text = form.get(name, "").strip().replace(",", "").replace("，", "")
    if not text:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise BadInput(name, "number") from None
    if not found.is_finite():
        raise BadInput(name, "number")
    return found.quantize(Decimal("0.01")) if abs(found) < Decimal(10) ** 15 else found


def _vote(form: MultiDict[str, str], name: str) -> int | None:
    return params.whole(form, name, 0, low=0, high=999) if form.get(name, "").strip() else None


def _measured(part: Mapping[str, Any]) -> str:
    term, n, named = part["term"], part["measured"], part["named"]
    if term == "severity":
        return page.say(f"severity.{n:.0f}")
    if term == "unclear":
        return page.say(f"verdict.{named}")
    if term == "carried" and named:
        return page.say("meeting.measured.broken")
    if not part["points"] and not n:
        return page.say("meeting.measured.none")
    kind = page.say(f"meeting.sensitive_kind.{named}") if term == "vulnerable" and named else ""
    if term == "vulnerable" and not named:
        return page.say("meeting.measured.none")
    return page.say(f"meeting.measured.{term}", n=f"{n:.0f}", **({"kind": kind} if kind else {}))
