"""Which of our scripts a page with a map loads: the one that begins it, and all that this imports.

What a page imports is read from the scripts themselves, so that a browser fetches all of it at once and nothing of
other pages: a resident's phone never loads what staff work with.
"""

import re
from functools import cache

from geoapp.config import shipped

MAP = "mappage.startMapPage"
STARTS = {
    "desk": "desk.startDesk",
    "dryrun": "land.startDryRun",
    "embed": "embed.startEmbed",
    "field": "survey.startSurvey",
    "go": "field.startField",
    "issue": "issuepage.startIssuePage",
    "listform": "lists.startListForm",
    "lists": "lists.startLists",
    "meeting": "meeting.startMeeting",
    "meetings": "meeting.startMeetings",
    "planning": "planning.startPlanning",
    "project": "lists.startProject",
    "report": "report.startReport",
    "settlement": "land.startSettlement",
    "unclear": "land.startUnclear",
    "visit": "visitplan.startVisit",
}
"""By the kind of a page: the script, and the function in it that begins the page."""
ENTRY = "geoapp"
IMPORTS = re.compile(r'^import (?:[^;"]* from )?"\./([a-z0-9]+)\.js";', re.MULTILINE)


def start_of(kind: str) -> str:
    return STARTS.get(kind.strip(), MAP)


@cache
def needed(kind: str) -> tuple[str, ...]:
    """The names of all scripts of a kind of page, in the order in which they are met."""
    found: dict[str, None] = {}
    waiting = [ENTRY, start_of(kind).partition(".")[0]]
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting += IMPORTS.findall((shipped("static") / "js" / f"{name}.js").read_text(encoding="utf-8"))
    return tuple(found)
