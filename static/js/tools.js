/** The map's own buttons: zoom, back to the whole place, and the scale. */

import { el, icon } from "./dom.js";
import { say } from "./words.js";

export function addTools(map) {
  L.control
    .zoom({ zoomInTitle: say("map.zoom_in"), zoomOutTitle: say("map.zoom_out"), zoomInText: "", zoomOutText: "" })
    .addTo(map);
  L.control.scale({ imperial: false, maxWidth: 120 }).addTo(map);
  addButton(map, { id: "go-home", name: "home", title: say("map.home"), press: () => goHome(map) });
}

/** Shows the whole place, in the part of the map that no drawer covers. */
export function goHome(map, options = {}) {
  const drawer = matchMedia("(max-width: 760px)").matches && ["map", "field"].includes(document.body.dataset.page) ? 72 : 0;
  map.fitBounds(map.home, { paddingBottomRight: [0, drawer], ...options });
}

/** A button of its own below the zoom buttons. */
export function addButton(map, { id, name, title, press }) {
  const Button = L.Control.extend({
    options: { position: "topleft" },
    onAdd() {
      const button = el("button", { id, type: "button", class: "tool", title, "aria-label": title }, icon(name));
      button.addEventListener("click", press);
      const bar = el("div", { class: "leaflet-bar leaflet-control" }, button);
      L.DomEvent.disableClickPropagation(bar);
      return bar;
    },
  });
  new Button().addTo(map);
}
