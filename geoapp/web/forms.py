"""What the forms of a work page show before anything is typed."""

from typing import Any

from geoapp.domain.values import SEVERITIES, Privacy
from geoapp.services.editing import Editable
from geoapp.web import page


def change_form(found: Editable) -> dict[str, Any]:
    """Words, facts and costs as they stand, and what was changed before."""
    known, spent = found.facts, found.cost
    return {
        "title": known.title,
        "text": known.text,
        "address": known.address,
        "category": known.category,
        "severity": known.severity,
        "privacy": known.privacy,
        "place": f"{known.point.lat:.7f}, {known.point.lon:.7f}" if known.point else "",
        "planned": spent.planned,
        "spent": spent.spent,
        "fund": spent.fund,
        "released": found.released,
        "may_edit": found.may_edit,
        "may_release": found.may_release,
        "may_cost": found.may_cost,
        "severities": [{"value": one, "name": page.say(f"severity.{one}")} for one in SEVERITIES],
        "privacies": [{"value": one, "name": page.say(f"privacy.{one}")} for one in Privacy],
        "revisions": [
            {
                "at": one.at.astimezone(page.settings().zone).strftime("%Y-%m-%d %H:%M"),
                "person": one.person,
                "field": page.say(f"edit.{one.field}"),
                "before": one.before,
                "after": one.after,
            }
            for one in found.revisions
        ],
    }
