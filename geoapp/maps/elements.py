"""Our Folium elements. Each is one call of one function in ``static/js``: logic stays in the scripts.

Why own classes? Folium's Map, Popup and Tooltip put text into script literals and load libraries
from elsewhere; these pass JSON only (``tojson`` escapes < > & ') and load nothing.
"""

from collections.abc import Mapping
from typing import Any

from branca.element import MacroElement

from geoapp.maps.bare import Layer, Map, Template


class SheetMap(Map):
    """The map itself: ``GeoApp.map(id, settings)``. Sizes and libraries come from our own page."""

    _template = Template("""
        {% macro header(this, kwargs) %}{% endmacro %}
        {% macro html(this, kwargs) %}<div class="folium-map" id="{{ this.get_name() }}"></div>{% endmacro %}
        {% macro script(this, kwargs) %}
            const {{ this.get_name() }} = GeoApp.map({{ this.get_name() | tojson }}, {{ this.settings | tojson }});
        {% endmacro %}
    """)
    default_js: list[tuple[str, str]] = []  # noqa: RUF012 - Folium reads these as class attributes
    default_css: list[tuple[str, str]] = []  # noqa: RUF012

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(tiles=None)
        self.settings = dict(settings)


class BaseMap(MacroElement):
    """The ground under our layers: ``GeoApp.baseMap(map, settings)``."""

    _template = Template("""
        {% macro script(this, kwargs) %}
            GeoApp.baseMap({{ this._parent.get_name() }}, {{ this.settings | tojson }});
        {% endmacro %}
    """)

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self._name = "BaseMap"
        self.settings = dict(settings)


class TileLayer(Layer):
    """One layer of a layer file, fed by vector tiles: ``GeoApp.layer(settings)``; Folium adds it to its map."""

    _template = Template("""
        {% macro script(this, kwargs) %}
            const {{ this.get_name() }} = GeoApp.layer({{ this.settings | tojson }});
        {% endmacro %}
    """)

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(name=str(settings["id"]), overlay=True, control=False, show=True)
        self._name = "TileLayer"
        self.settings = dict(settings)


class SurveyLayer(MacroElement):
    """Issues in full and what lies over them, for staff: ``GeoApp.survey(map, settings)``."""

    _template = Template("""
        {% macro script(this, kwargs) %}
            GeoApp.survey({{ this._parent.get_name() }}, {{ this.settings | tojson }});
        {% endmacro %}
    """)

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self._name = "SurveyLayer"
        self.settings = dict(settings)


class Start(MacroElement):
    """The last call: wires filters, list, panel and address: ``GeoApp.start(map)``."""

    _template = Template("""
        {% macro script(this, kwargs) %}
            GeoApp.start({{ this._parent.get_name() }});
        {% endmacro %}
    """)

    def __init__(self) -> None:
        super().__init__()
        self._name = "Start"
