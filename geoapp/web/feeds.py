"""Atom feeds (RFC 4287) of what happened in public: to one issue, or to all that match a filter or lie in a circle."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, render_template, request

from geoapp.domain.notices import headline
from geoapp.services import news
from geoapp.services.news import Entry, IssueRow
from geoapp.web import page, params

blueprint = Blueprint("feeds", __name__)
SINCE = "2026"
"""The year in which our tag: names begin (RFC 4151); it never changes, or every reader would show everything anew."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
FRESH_S = 60
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@blueprint.get("/feed.atom")
def latest() -> Response:
    """What happened in the last thirty days to the issues of the list with the same filter."""
    found = page.choices()
    wanted = params.issue_filter(lambda: page.known_codes(found))
    circle = params.circle(request.args)
    entries = news.latest(wanted, circle, now=page.now(), zone=page.settings().zone)
    kept = params.active(request.args)
    if circle:
        kept |= {name: request.args[name].strip() for name in ("lat", "lon", "radius")}
    place = found.district.say(page.lang()) if found.district else ""
    return _feed(entries, title=f"{page.site_title(place)} · {page.say('feed.news')}", kept=kept, about="/issues")


@blueprint.get("/issues/<number>.atom")
def of_issue(number: str) -> Response:
    """The public history of one issue."""
    row, entries = news.of_issue(number, zone=page.settings().zone)
    told = f"{page.say('feed.issue', number=row.number)} · {_title(row)}"
    return _feed(entries, title=told, kept={}, about=f"/issues/{row.number}", name=str(row.id))


def _feed(entries: list[Entry], *, title: str, kept: dict[str, str], about: str, name: str = "") -> Response:
    site = _site()
    address = page.url(request.path, **kept)
    text = render_template(
        "feed.xml",
        lang="zh-CN" if page.lang() == "zh" else "en",
        title=_clean(title),
        name=_tag(site, f"issue/{name}" if name else f"feed{address[len(request.path) :]}"),
        updated=max((entry.line.at for entry in entries), default=NEVER).isoformat(),
        address=f"{site}{address}",
        about=f"{site}{page.url(about, **{key: value for key, value in kept.items() if key in params.FILTERS})}",
        entries=[_entry(site, entry) for entry in entries],
    )
    response = Response(text, mimetype="application/atom+xml")
    response.headers["Cache-Control"] = f"public, max-age={FRESH_S}"
    response.headers["Vary"] = "Accept-Language"
    # Made of what it says: the same until something is new, whoever made it and whenever.
    response.add_etag()
    response.make_conditional(request)
    return response


def _entry(site: str, entry: Entry) -> dict[str, Any]:
    line, row = entry.line, entry.row
    tongue = page.lang()
    what = headline(tongue, line.action, line.to_state)
    facts = [row.community_name.say(tongue), row.unit_name.say(tongue), line.note]
    return {
        "name": _tag(site, f"issue/{line.issue_id}/{line.seq}"),
        "title": _clean(page.say("feed.entry", number=row.number, title=_title(row), what=what)),
        "at": line.at.isoformat(),
        "url": f"{site}{page.url(f'/issues/{row.number}')}",
        "actor": _clean(page.say_or(f"actor.{line.actor}", line.actor)),
        "text": _clean("\n".join(filter(None, facts))),
        "category": row.category,
        "category_name": row.category_name.say(tongue),
        "point": f"{row.lat:.7f} {row.lon:.7f}",
    }


def _title(row: IssueRow) -> str:
    return row.title or row.category_name.say(page.lang())


def _site() -> str:
    """Under which address we are reached: as set, because a name made of what a visitor calls us would change."""
    return page.settings().public_url.rstrip("/") or request.host_url.rstrip("/")


def _tag(site: str, what: str) -> str:
    return f"tag:{urlsplit(site).hostname},{SINCE}:{what}"


def _clean(text: str) -> str:
    """Without the signs that XML cannot say at all."""
    return NOT_XML.sub("", text)
