/** A visit on the map: its way, the numbered stops in order, where it begins and ends. */

import { colour } from "./theme.js";
import { say } from "./words.js";

export class StopsOnMap {
  /** @param {L.Map} map @param {{pick?: (id: string) => void, moved?: (which: string, place: object) => void}} ways */
  constructor(map, ways = {}) {
    this.map = map;
    this.ways = ways;
    this.casing = L.polyline([], { color: colour("halo"), weight: 7, opacity: 0.9, interactive: false }).addTo(map);
    this.line = L.polyline([], { color: colour("visit"), weight: 3.5, opacity: 0.95, interactive: false }).addTo(map);
    this.group = L.layerGroup().addTo(map);
  }

  /**
   * @param {{stops: {id: string, n: number|null, title: string, lat: number, lon: number, late?: boolean}[],
   *   route: number[][], start: object, end: ?object}} visit
   */
  draw({ stops, route, start, end }) {
    this.casing.setLatLngs(route);
    this.line.setLatLngs(route);
    this.group.clearLayers();
    for (const stop of [...stops].sort((a, b) => (a.n ?? -1) - (b.n ?? -1))) this.stop(stop);
    this.end(start, "start", say("visit.start_mark"));
    if (end) this.end(end, "end", say("visit.end_mark"));
  }

  stop({ id, n, title, lat, lon, late }) {
    const label = n === null ? title : say("visit.marker", { n, title });
    const mark = L.marker([lat, lon], {
      icon: pin(n === null ? "stop-pin out" : late ? "stop-pin late" : "stop-pin", n === null ? "–" : String(n)),
      title: label,
      alt: label,
      riseOnHover: true,
      zIndexOffset: n === null ? -100 : 0,
    }).addTo(this.group);
    mark.on("click keypress", (event) => {
      if (event.type === "click" || event.originalEvent.key === "Enter") this.ways.pick?.(id);
    });
  }

  end({ lat, lon, name }, which, letter) {
    const mark = L.marker([lat, lon], {
      icon: pin("end-pin", letter),
      draggable: Boolean(this.ways.moved),
      title: name || say(`visit.${which === "end" ? "finish" : which}`),
      alt: name || say(`visit.${which === "end" ? "finish" : which}`),
      zIndexOffset: 200,
    }).addTo(this.group);
    mark.on("dragend", () => this.ways.moved(which, { lat: mark.getLatLng().lat, lon: mark.getLatLng().lng }));
  }

  /** Shows all of it. */
  fit(stops, start) {
    const places = [...stops.map(({ lat, lon }) => [lat, lon]), [start.lat, start.lon]];
    this.map.fitBounds(L.latLngBounds(places).pad(0.12), { maxZoom: 17, animate: false });
  }
}

function pin(className, text) {
  const html = document.createElement("span");
  html.textContent = text;
  return L.divIcon({ className, html, iconSize: [28, 28] });
}
