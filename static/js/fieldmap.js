/** The map of a visit, drawn from what the phone keeps: the ground, the stops and the way, one's own place, drawings. */

import { addBaseMap } from "./basemap.js";
import { el, fill } from "./dom.js";
import * as packs from "./fieldpack.js";
import { expect } from "./ready.js";
import { colour } from "./theme.js";
import { metres, say } from "./words.js";

const CLOSE = 17;
/** The ways, where there are any; and what tells whose the land is, on demand. */
const ALWAYS = ["roads"];
const WHOSE = ["jurisdictions", "contested-land", "orphan-land"];
const LOWEST = 12;
const byId = (id) => document.getElementById(id);
const round = (degrees) => Math.round(degrees * 1e7) / 1e7;

export class FieldMap {
  /** @param {(issue: string) => void} opened hears of a stop that was tapped */
  constructor(map, layers, opened) {
    this.map = map;
    this.layers = layers;
    this.opened = opened;
    this.stops = L.layerGroup().addTo(map);
    this.drawn = L.layerGroup().addTo(map);
    this.here = null;
    this.mine = L.layerGroup().addTo(map);
    this.drawing = null;
    for (const layer of layers) if (layer.spec.kind === "issues" || (layer.spec.show === false && !ALWAYS.includes(layer.spec.id))) layer.remove();
    map.on("click", (event) => this.drawing && this.corner(event.latlng));
    byId("where-am-i").addEventListener("click", () => this.watch());
    byId("whose-land").addEventListener("click", () => this.showWhose());
  }

  /** The ground of a pack; without one nothing is drawn but what belongs to the visit. */
  async take(visit, pack) {
    const own = await packs.ground(visit, "layers");
    const base = await packs.ground(visit, "base");
    const read = async (z, x, y) => (await own?.archive.getZxy(z, x, y))?.data ?? null;
    const highest = pack.maps.find((one) => one.part === "layers")?.max_zoom ?? 16;
    for (const layer of this.layers) layer.drawFrom?.(read, highest);
    if (base && !this.base) {
      const told = pack.maps.find((one) => one.part === "base");
      this.base = base.kind === "mvt" ? addBaseMap(this.map, { kind: "pmtiles", url: base.archive, attribution: told.attribution, maxZoom: told.max_zoom }) : pictures(base.archive, told).addTo(this.map);
    }
    this.map.home = L.latLngBounds(around(pack)).pad(0.2);
    // Before the least zoom is set: that would begin to move the map by itself.
    this.fit();
    this.map.setMinZoom(LOWEST);
    this.map.started = true;
    for (const layer of this.layers) if (this.map.hasLayer(layer)) layer.look?.();
    expect();
  }

  /** Stops, the way and its ends; what has been visited looks so. */
  show(pack, states) {
    this.stops.clearLayers();
    const { start, route } = pack.visit;
    const places = pack.stops.filter((stop) => stop.seq).map(({ issue }) => [issue.lat, issue.lon]);
    const way = route ? route.coordinates.map(([lon, lat]) => [lat, lon]) : [[start.lat, start.lon], ...places];
    L.polyline(way, { color: colour("accent"), weight: 4, opacity: 0.55, dashArray: route ? null : "6 8", interactive: false }).addTo(this.stops);
    L.circleMarker([start.lat, start.lon], { radius: 6, color: colour("ink"), weight: 2, fillColor: colour("paper"), fillOpacity: 1, interactive: false }).addTo(this.stops);
    for (const stop of pack.stops) {
      const { issue, seq } = stop;
      if (issue.extent) L.geoJSON(issue.extent, { style: { color: colour("open"), weight: 3, fillOpacity: 0.12 }, interactive: false, pointToLayer: (_, at) => L.circleMarker(at, { radius: 4 }) }).addTo(this.stops);
      const pin = el("span", { class: `stop-pin stop-${states.get(issue.id) ?? "open"}` }, seq ?? (stop.on_the_way ? "+" : "–"));
      const marker = L.marker([issue.lat, issue.lon], { icon: L.divIcon({ className: "stop-mark", html: pin, iconSize: [44, 44] }), title: issue.title, alt: issue.title, keyboard: true });
      marker.on("click", () => !this.drawing && this.opened(issue.id)).addTo(this.stops);
    }
    if (!this.seen) this.fit();
  }

  fit() {
    this.map.invalidateSize({ animate: false, pan: false });
    if (!this.map.getSize().y) return;
    this.seen = true;
    this.map.fitBounds(this.map.home, { animate: false, maxZoom: CLOSE });
  }

  /** The frame has come into view. */
  appear() {
    this.map.invalidateSize({ animate: false, pan: false });
    if (!this.seen && this.map.started) this.fit();
    expect();
  }

  go({ lat, lon }, zoom = CLOSE) {
    this.map.setView([lat, lon], Math.max(this.map.getZoom(), zoom), { animate: false });
  }

  /** Jurisdictions, contested and orphan land, or none of them. */
  showWhose() {
    const shown = byId("whose-land").getAttribute("aria-pressed") !== "true";
    byId("whose-land").setAttribute("aria-pressed", String(shown));
    for (const layer of this.layers.filter((one) => WHOSE.includes(one.spec.id))) {
      if (shown) layer.addTo(this.map);
      else layer.remove();
    }
    expect();
  }

  // --- one's own place ---

  watch() {
    if (this.watching || !navigator.geolocation) return;
    this.watching = navigator.geolocation.watchPosition((found) => this.moved(found.coords, this.here === null), () => {}, { enableHighAccuracy: true, maximumAge: 5000 });
  }

  moved({ latitude: lat, longitude: lon, accuracy }, first) {
    this.here = { lat, lon, accuracy };
    this.mine.clearLayers();
    const look = { color: colour("in_work"), weight: 1.5, fillOpacity: 0.12, interactive: false };
    L.circle([lat, lon], { ...look, radius: accuracy }).addTo(this.mine);
    L.circleMarker([lat, lon], { ...look, radius: 7, weight: 3, fillColor: colour("in_work"), color: colour("paper"), fillOpacity: 1 }).addTo(this.mine);
    if (first) this.map.panTo([lat, lon], { animate: false });
  }

  // --- drawing, and picking a place ---

  /** A line, an area or a place that somebody draws: GeoJSON or `{lat, lon}`; null when it is given up. */
  draw(kinds, start = null) {
    this.stop?.(null);
    if (start) this.go(start);
    this.drawing = { kind: kinds[0], corners: [] };
    byId("field-cross").hidden = false;
    document.body.classList.add("drawing");
    this.bar(kinds);
    this.appear();
    return new Promise((resolve) => {
      this.stop = (result) => {
        this.stop = null;
        this.drawing = null;
        this.drawn.clearLayers();
        byId("field-cross").hidden = true;
        byId("draw-bar").hidden = true;
        document.body.classList.remove("drawing");
        resolve(result);
      };
    });
  }

  bar(kinds) {
    const pick = kinds[0] === "place";
    const kind = (name) => el("option", { value: name }, say(`field.draw_${name}`));
    const choose = (event) => {
      this.drawing.kind = event.target.value;
      this.sketch();
    };
    this.hint = el("p", { role: "status" });
    fill(
      byId("draw-bar"),
      this.hint,
      kinds.length > 1 && el("select", { id: "draw-kind", "aria-label": say("field.draw_what"), change: choose }, kinds.map(kind)),
      !pick && el("button", { type: "button", class: "button", id: "draw-add", click: () => this.corner(this.map.getCenter()) }, say("field.draw_add")),
      !pick && el("button", { type: "button", class: "button", id: "draw-undo", click: () => this.undo() }, say("field.draw_undo")),
      el("button", { type: "button", class: "button", id: "draw-cancel", click: () => this.stop(null) }, say("field.cancel")),
      el("button", { type: "button", class: "button primary", id: "draw-done", click: () => this.done() }, say("field.draw_done")),
    );
    byId("draw-bar").hidden = false;
    this.sketch();
  }

  corner({ lat, lng }) {
    if (this.drawing.kind === "place") this.map.panTo([lat, lng]);
    else this.drawing.corners.push([round(lng), round(lat)]);
    this.sketch();
  }

  undo() {
    this.drawing.corners.pop();
    this.sketch();
  }

  done() {
    const { kind, corners } = this.drawing;
    const { lat, lng } = this.map.getCenter();
    if (kind === "place") this.stop({ lat: round(lat), lon: round(lng) });
    else if (kind === "line" && corners.length > 1) this.stop({ type: "LineString", coordinates: corners });
    else if (kind === "area" && corners.length > 2) this.stop({ type: "Polygon", coordinates: [[...corners, corners[0]]] });
    else this.hint.textContent = say(`field.draw_${kind}_more`);
  }

  sketch() {
    const { kind, corners } = this.drawing;
    this.drawn.clearLayers();
    const places = corners.map(([lon, lat]) => [lat, lon]);
    const look = { color: colour("open"), weight: 3, fillOpacity: 0.18, interactive: false };
    if (kind === "area" && places.length > 2) L.polygon(places, look).addTo(this.drawn);
    else if (places.length > 1) L.polyline(places, look).addTo(this.drawn);
    for (const place of places) L.circleMarker(place, { ...look, radius: 5, fillOpacity: 1 }).addTo(this.drawn);
    const length = places.slice(1).reduce((sum, place, i) => sum + L.latLng(place).distanceTo(places[i]), 0);
    this.hint.textContent = kind === "place" ? say("field.draw_place_hint") : places.length > 1 ? metres(length) : say("field.draw_hint");
  }
}

const around = ({ visit: { start }, stops }) => [[start.lat, start.lon], ...stops.map(({ issue }) => [issue.lat, issue.lon])];

/** Image tiles out of an archive, drawn so that no address of them is needed. */
function pictures(archive, { max_zoom: highest, min_zoom: lowest, attribution }) {
  const Grid = L.GridLayer.extend({
    createTile({ x, y, z }, done) {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = 256;
      archive
        .getZxy(z, x, y)
        .then(async (found) => {
          if (found) canvas.getContext("2d").drawImage(await createImageBitmap(new Blob([found.data])), 0, 0, 256, 256);
          done(null, canvas);
        })
        .catch((error) => done(error, canvas));
      return canvas;
    },
  });
  return new Grid({ maxNativeZoom: highest, minNativeZoom: lowest, maxZoom: 19, className: "base-map", attribution: el("i", {}, attribution ?? "").innerHTML });
}
