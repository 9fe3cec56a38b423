"""A list of layers in, the parts of a page out: the one place where a Folium map is put together."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from geoapp.catalog import Layer
from geoapp.domain.values import Box, Provenance
from geoapp.maps.elements import BaseMap, SheetMap, Start, SurveyLayer, TileLayer

MAX_ZOOM = 19
MAX_DATA_ZOOM = 16


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a page needs of a map: its element and the script that fills it, both free of anybody's words."""

    html: str
    script: str


def build(
    layers: Iterable[Layer],
    *,
    home: Box,
    lang: str,
    basemap: Mapping[str, Any] | None = None,
    crs: str = "wgs84",
    review_no: str = "",
    provenance: Callable[[str | None], Provenance],
    extent: Callable[[str | None], Box | None],
    survey: Mapping[str, Any] | None = None,
) -> Sheet:
    """The shell of a map: its size does not depend on how many issues there are, which come as tiles.

    With ``survey`` it is the composition for whoever looks after a place: in the stead of the public tiles come the
    issues in full, from a door of their own, and the layers that lie over the sheet.
    """
    sheet = SheetMap(
        {
            "bounds": [[home.south, home.west], [home.north, home.east]],
            "crs": crs,
            "maxZoom": MAX_ZOOM,
            "reviewNo": review_no,
        }
    )
    if basemap:
        BaseMap(basemap).add_to(sheet)
    for layer in layers:
        if survey and layer.query == "issues":
            continue
        TileLayer(settings_of(layer, lang, provenance(layer.query), extent(layer.query))).add_to(sheet)
    if survey:
        SurveyLayer(survey).add_to(sheet)
    Start().add_to(sheet)
    root: Any = sheet.get_root()
    for child in root._children.values():  # noqa: SLF001 - branca offers no public way to its children
        child.render()
    return Sheet(html=root.html.render(), script=root.script.render())


_KINDS = {"Point": "points", "LineString": "lines", "Polygon": "polygons"}


def settings_of(layer: Layer, lang: str, origin: Provenance, extent: Box | None) -> dict[str, Any]:
    """What the browser is told of a layer; it asks for no tile beyond the layer's ``extent``."""
    kind = "issues" if layer.query == "issues" else _KINDS[layer.geometry]
    return {
        "id": layer.id,
        "title": layer.title.say(lang),
        "note": layer.note.say(lang),
        "kind": kind,
        "tiles": f"/tiles/{layer.id}/{{z}}/{{x}}/{{y}}.mvt",
        "minZoom": layer.min_zoom,
        "maxZoom": layer.max_zoom,
        "maxDataZoom": MAX_DATA_ZOOM,
        "extent": [extent.west, extent.south, extent.east, extent.north] if extent else None,
        "show": layer.shown,
        "order": layer.order,
        "style": dict(layer.style),
        "credit": layer.origin or ("" if origin.synthetic else ", ".join(origin.origins)),
        "synthetic": origin.synthetic,
    }
