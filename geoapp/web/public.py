"""Residents' pages: the map, the list and its CSV, one issue, and what this is."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request
from markupsafe import Markup

from geoapp import words
from geoapp.domain.values import ANONYMOUS, Box, IssueFilter
from geoapp.services import issues, layers
from geoapp.services.places import Choices
from geoapp.web import base, page, params, shapes

blueprint = Blueprint("public", __name__)
PAGE = 50
AROUND_DEG = 0.006
"""What an issue's own map shows around its point: about 600 m each way."""


@blueprint.get("/")
def map_page() -> Response:
    found = page.choices()
    return page.render("map.html", found, **map_context(found, found.home))


@blueprint.get("/issues")
def list_page() -> Response:
    found = page.choices()
    wanted = params.issue_filter(lambda: page.known_codes(found))
    after = params.token(request.args, "after")
    result = issues.search(ANONYMOUS, wanted, zone=page.settings().zone, limit=PAGE, after=after)
    kept = params.active(request.args)
    return page.render(
        "issues.html",
        found,
        filter=chosen(wanted, kept),
        choices=shapes.choices(found),
        rows=[shapes.properties(row) | {"url": page.url(f"/issues/{row.number}")} for row in result.rows],
        total=result.matched,
        next_url=page.url("/issues", **kept, after=result.after) if result.after else None,
        csv_url=page.url("/issues.csv", **kept),
        feed_url=page.url("/feed.atom", **kept),
        map_url=page.url("/", **kept),
        unsearched_url=page.url("/issues", **{name: value for name, value in kept.items() if name != "q"}),
    )


@blueprint.get("/issues.csv")
def table() -> Response:
    """The same issues as the list, in UTF-8 with a byte order mark so that spreadsheets read Chinese."""
    wanted = params.issue_filter(page.known_codes)
    settings = page.settings()
    head = [page.say(f"csv.{name}") for name in shapes.CSV_COLUMNS]
    # Lines are shaped before the answer starts: what they say depends on this request's language.
    rows = [head, *(shapes.csv_line(row) for row in issues.every(ANONYMOUS, wanted, zone=settings.zone))]
    response = Response(_csv(rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="issues.csv"'
    return response


@blueprint.get("/issues/<number>")
def issue_page(number: str) -> Response:
    case = issues.get(ANONYMOUS, number, zone=page.settings().zone)
    found = page.choices()
    row = case.detail.row
    shown = shapes.whole_feature(case)["properties"]
    site = page.settings().public_url.rstrip("/") or request.host_url.rstrip("/")
    back = {name: value for name, value in request.args.items() if name in {*params.FILTERS, "at", "layers"}}
    return page.render(
        "issue.html",
        found,
        issue=shown,
        share={
            "url": f"{site}/issues/{row.number}",
            "image": f"{site}/issues/{row.number}/preview.png",
            "words": " · ".join(filter(None, (shown["state_name"], shown["community_name"], shown["unit_name"]))),
        },
        feed_url=page.url(f"/issues/{row.number}.atom"),
        back_url=page.url("/", **{"at": f"16/{row.lat:.5f}/{row.lon:.5f}"} | back, issue=row.number),
        **map_context(found, around(row)),
    )


@blueprint.get("/about")
def about() -> Response:
    found = page.choices()
    sources = [
        {"title": layer.title.say(page.lang()), "origin": origin, "licence": layer.licence, "date": layer.date}
        for layer in page.all_layers()
        for origin in ([layer.origin] if layer.origin else found.of(layer.query).origins)
    ]
    site = page.settings().public_url.rstrip("/") or request.host_url.rstrip("/")
    code = found.communities[0].code if found.communities else "CODE"
    frame = f'<iframe src="{site}/embed?community={code}&lang={page.lang()}" width="100%" height="480"></iframe>'
    return page.render("about.html", found, sources=sources, embed_code=frame)


def around(row: issues.IssueRow) -> Box:
    """What an issue's own map shows."""
    return Box(row.lon - AROUND_DEG, row.lat - AROUND_DEG / 2, row.lon + AROUND_DEG, row.lat + AROUND_DEG / 2)


def map_context(
    found: Choices, home: Box, *, survey: dict[str, Any] | None = None, ground: bool = True
) -> dict[str, Any]:
    """The map of a page: Folium's parts, and the words and choices that the scripts need.

    ``survey`` makes it the map of staff, with issues in full. Without ``ground`` there is no base map: the page brings
    its own.
    """
    # A worker that serves only tiles and lists never loads Folium.
    from geoapp.maps import builder  # noqa: PLC0415

    settings = page.settings()
    sheet = builder.build(
        layers.for_viewer(ANONYMOUS, page.all_layers(), "map"),
        home=home,
        lang=page.lang(),
        basemap=base.description(settings) if ground else None,
        crs=settings.basemap_crs if settings.basemap else "wgs84",
        review_no=settings.map_review_no,
        provenance=found.of,
        extent=found.extent_of,
        survey=survey,
    )
    config = {
        "lang": page.lang(),
        "words": words.branch(page.lang(), "js"),
        "today": page.today().isoformat(),
        **shapes.choices(found),
    }
    # Both come from our own templates and settings; nothing a visitor wrote is in them.
    return {"folium_html": Markup(sheet.html), "folium_script": Markup(sheet.script), "config": config}  # noqa: S704


def chosen(wanted: IssueFilter, kept: dict[str, str]) -> dict[str, Any]:
    """The filter as the form shows it: what was ticked, by name."""
    return {
        "q": wanted.words,
        "state": kept.get("state", "").split(","),
        "category": wanted.categories,
        "community": wanted.communities,
        "unit": wanted.units,
        "verdict": [str(verdict) for verdict in wanted.verdicts],
        "from": kept.get("from"),
        "to": kept.get("to"),
    }


def _csv(rows: list[list[str]]) -> Iterator[str]:
    buffer = io.StringIO("\ufeff")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow(row)
        if buffer.tell() > 64 * 1024:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
