"""The scripts of a page with a map: all our modules joined in one file, or each by itself where that is not at hand.

A phone on a slow line waits for each file it asks for, so set-up joins them. Whoever changes a module is served the
modules as they are: what a page imports is read from them, so that a browser fetches all of it at once.
"""

import hashlib
import json
import re
from functools import cache

from geoapp.config import shipped

MAP = "mappage.startMapPage"
STARTS = {
    "crew": "crew.startCrew",
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
IMPORTS = re.compile(r"""^import (?:[^;"']* from )?["'](?:\./([a-z0-9]+)\.js|([@a-z][^"']*))["'];""", re.MULTILINE)
VERSIONED = re.compile(r"([a-z-]+)-([0-9.]+)")
LIBRARIES = {
    "@mapbox/point-geometry": ("point-geometry", "index.js"),
    "@mapbox/vector-tile": ("vector-tile", "index.js"),
    "pbf": ("pbf", "index.js"),
    "exifr": ("exifr", "lite.esm.js"),
}
"""By the name under which a script imports it: the folder below ``vendor`` and the file."""


def start_of(kind: str) -> str:
    return STARTS.get(kind.strip(), MAP)


@cache
def joined() -> str | None:
    """The one file into which set-up has joined all modules, as a path below ``static``; None once they differ."""
    modules = sorted((shipped("static") / "js").glob("*.js"))
    digest = hashlib.sha256(b"".join(module.read_bytes() for module in modules)).hexdigest()[:12]
    path = f"vendor/{ENTRY}-{digest}/{ENTRY}.js"
    return path if (shipped("static") / path).is_file() else None


def entry() -> str:
    """What a page with a map begins with."""
    return joined() or f"js/{ENTRY}.js"


@cache
def needed(kind: str) -> tuple[str, ...]:
    """Paths below ``static`` of all scripts of a kind of page, in the order in which they are met."""
    if (whole := joined()) is not None:
        return (whole,)
    found: dict[str, None] = {}
    waiting = [f"js/{ENTRY}.js", f"js/{start_of(kind).partition('.')[0]}.js"]
    while waiting:
        path = waiting.pop(0)
        if path not in found:
            found[path] = None
            for ours, library in IMPORTS.findall((shipped("static") / path).read_text(encoding="utf-8")):
                waiting.append(f"js/{ours}.js" if ours else vendored(*LIBRARIES[library]))
    return tuple(found)


def everything() -> tuple[str, ...]:
    """Paths below ``static`` of what any page with a map may load of ours, and of the libraries that it imports."""
    if (whole := joined()) is not None:
        return (whole,)
    modules = sorted((shipped("static") / "js").glob("*.js"))
    return (*(f"js/{module.name}" for module in modules), *(vendored(*where) for where in LIBRARIES.values()))


def importmap() -> str:
    return json.dumps({"imports": {name: f"/static/{vendored(*where)}" for name, where in LIBRARIES.items()}})


def vendored(name: str, path: str) -> str:
    """A file of a third-party library, as a path below ``static``."""
    return f"vendor/{folders().get(name, name)}/{path}"


@cache
def folders() -> dict[str, str]:
    """Folders of third-party libraries by name, as set-up has laid them out: ``leaflet`` -> ``leaflet-1.9.4``."""
    folder = shipped("static") / "vendor"
    found = {}
    for item in sorted(folder.iterdir()) if folder.is_dir() else ():
        if match := VERSIONED.fullmatch(item.name):
            found[match[1]] = item.name
    return found
