/** Land on the desk: a worklist that moves the map, and the drawing of a piece of land that is settled. */

import { symbol } from "./dom.js";
import { expect } from "./ready.js";
import { colour } from "./theme.js";
import { say } from "./words.js";

const ALWAYS = new Set(["jurisdictions", "contested-land", "orphan-land", "communities", "streets", "district"]);

/** The worklist: a row shows its land. */
export async function startUnclear(map, config, layers) {
  show(map, layers);
  for (const row of document.querySelectorAll("tr[data-box]")) {
    const box = JSON.parse(row.dataset.box);
    row.addEventListener("mouseenter", () => map.fitBounds(box, { maxZoom: 16, padding: [60, 60], animate: false }));
    row.querySelector("a").addEventListener("focus", () => map.fitBounds(box, { maxZoom: 16, padding: [60, 60], animate: false }));
  }
  expect();
}

/** The page that settles: corners by click, moved by dragging, or a piece taken over as it is. */
export async function startSettlement(map, config, layers) {
  show(map, layers);
  const { lat, lon, group, verdict, pieces } = config.settlement;
  L.marker([lat, lon], { icon: pin(symbol(group, verdict)), interactive: false }).addTo(map);
  const drawing = new Drawing(map, document.getElementById("area"), document.getElementById("drawn-size"));
  for (const button of document.querySelectorAll("button.piece")) {
    const piece = pieces[Number(button.dataset.piece)];
    button.addEventListener("click", () => drawing.take(piece.area));
  }
  document.getElementById("redraw").addEventListener("click", () => drawing.clear());
  map.setView([lat, lon], 16, { animate: false });
  expect();
}

/** The dry run: draw, and see on the map what would move. */
export async function startDryRun(map, config, layers) {
  show(map, layers);
  const drawing = new Drawing(map, document.getElementById("area"), document.getElementById("drawn-size"));
  document.getElementById("redraw").addEventListener("click", () => drawing.clear());
  const moved = L.layerGroup().addTo(map);
  for (const { lat, lon, number, url, verdict } of config.dryrun.moves) {
    const look = { radius: 6, weight: 2, color: colour("paper"), fillColor: colour(verdict === "clear" ? "accent" : verdict), fillOpacity: 0.9 };
    L.circleMarker([lat, lon], look).bindTooltip(number).on("click", () => location.assign(url)).addTo(moved);
  }
  if (config.dryrun.moves.length) {
    const places = config.dryrun.moves.map(({ lat, lon }) => [lat, lon]);
    map.fitBounds(L.latLngBounds(places).pad(0.2), { maxZoom: 16, animate: false });
  }
  expect();
}

/** An area that is drawn corner by corner, or taken over; its field holds it as GeoJSON. */
export class Drawing {
  constructor(map, field, size) {
    this.map = map;
    this.field = field;
    this.size = size;
    this.corners = [];
    this.group = L.layerGroup().addTo(map);
    map.doubleClickZoom.disable();
    map.on("click", (event) => this.add(event.latlng));
    if (field.value) this.take(JSON.parse(field.value), { keepView: true });
  }

  clear() {
    this.corners = [];
    this.area = null;
    this.draw();
  }

  add(place) {
    if (this.area) return;
    this.corners.push(place);
    this.draw();
  }

  /** A GeoJSON polygon as it is. */
  take(area, { keepView = false } = {}) {
    this.corners = [];
    this.area = area;
    this.draw();
    if (!keepView) this.map.fitBounds(L.geoJSON(area).getBounds(), { maxZoom: 17, padding: [40, 40], animate: false });
  }

  draw() {
    this.group.clearLayers();
    const style = { color: colour("selected"), weight: 2.5, fillColor: colour("accent"), fillOpacity: 0.22 };
    const area = this.area ?? this.polygon();
    if (area) L.geoJSON(area, { style, interactive: false }).addTo(this.group);
    else if (this.corners.length > 1) L.polyline(this.corners, { ...style, interactive: false }).addTo(this.group);
    this.corners.forEach((corner, i) => this.handle(corner, i));
    this.field.value = area ? JSON.stringify(area) : "";
    this.size.textContent = area ? "" : this.corners.length ? `${this.corners.length}` : "";
  }

  handle(corner, i) {
    const dot = L.marker(corner, {
      draggable: true,
      keyboard: false,
      title: say("land.vertex", { n: i + 1 }),
      icon: L.divIcon({ className: "corner", iconSize: [16, 16] }),
    }).addTo(this.group);
    dot.on("dragend", () => {
      this.corners[i] = dot.getLatLng();
      this.draw();
    });
  }

  polygon() {
    if (this.corners.length < 3) return null;
    const ring = [...this.corners, this.corners[0]].map(({ lat, lng }) => [Number(lng.toFixed(7)), Number(lat.toFixed(7))]);
    return { type: "Polygon", coordinates: [ring] };
  }
}

function show(map, layers) {
  for (const layer of layers) {
    if (ALWAYS.has(layer.spec.id)) layer.addTo(map);
    else layer.remove();
  }
}

const pin = (html) => L.divIcon({ className: "desk-pin", html, iconSize: [32, 32] });
