/** The maps of the three lists: rows and their places, a point or an area that is given, a project with all it joins. */

import { el, symbol } from "./dom.js";
import { Drawing } from "./land.js";
import { expect } from "./ready.js";
import { colour } from "./theme.js";

const ALWAYS = new Set(["communities", "streets", "district"]);
const CLOSE = { maxZoom: 16, animate: false };

export function startLists(map, config, layers) {
  show(layers, map);
  const rows = new Map([...document.querySelectorAll("li[data-id]")].map((row) => [row.dataset.id, row]));
  fit(map, config.lists.map((spot) => place(map, spot, rows.get(spot.id))));
  expect();
}

/** A need or a resource: a click sets its point; an area is drawn on demand. */
export function startListForm(map, config, layers) {
  show(layers, map);
  const field = document.getElementById("f-point");
  const area = document.getElementById("area");
  let drawing = null;
  let marker = null;
  const put = () => {
    const [lat, lon] = field.value.split(/[,，]/).map(Number);
    marker?.remove();
    marker = null;
    if (!field.value || !(Math.abs(lat) <= 85) || !(Math.abs(lon) <= 180)) return null;
    marker = L.marker([lat, lon], { icon: L.divIcon({ className: "list-pin", html: el("b", {}, "•"), iconSize: [24, 24] }), keyboard: false }).addTo(map);
    return [lat, lon];
  };
  const draw = () => {
    drawing ??= new Drawing(map, area, document.getElementById("drawn-size"));
    field.value = "";
    put();
  };
  if (area?.value) draw();
  document.getElementById("draw-area")?.addEventListener("click", draw);
  document.getElementById("redraw")?.addEventListener("click", () => drawing?.clear());
  map.on("click", ({ latlng }) => {
    if (drawing || field.closest("fieldset").disabled) return;
    field.value = `${latlng.lat.toFixed(6)}, ${latlng.lng.toFixed(6)}`;
    put();
  });
  field.addEventListener("change", () => {
    const at = put();
    if (at) map.setView(at, Math.max(map.getZoom(), 15), { animate: false });
  });
  const rows = new Map([...document.querySelectorAll("li[data-id]")].map((row) => [row.dataset.id, row]));
  const spots = config.listform.matches.map((spot) => place(map, spot, rows.get(spot.id)));
  const own = put();
  if (area?.value) map.fitBounds(L.geoJSON(JSON.parse(area.value)).getBounds().pad(0.3), CLOSE);
  else if (own) map.fitBounds(L.latLngBounds([own, ...spots]).pad(0.15), CLOSE);
  expect();
}

/** A project: its boundary, its cases, the resources that it uses. */
export function startProject(map, config, layers) {
  show(layers, map);
  const { cases, uses, lat, lon } = config.project;
  const field = document.getElementById("area");
  const drawing = new Drawing(map, field, document.getElementById("drawn-size"));
  document.getElementById("redraw").addEventListener("click", () => drawing.clear());
  const rows = new Map([...document.querySelectorAll("li[data-number]")].map((row) => [row.dataset.number, row]));
  const spots = cases.map((one) => {
    const icon = L.divIcon({ className: "desk-pin", html: symbol(one.group, one.verdict), iconSize: [32, 32] });
    const marker = L.marker([one.lat, one.lon], { icon, title: one.title, alt: one.title }).addTo(map);
    join(marker, rows.get(one.number), one.url);
    return [one.lat, one.lon];
  });
  const used = new Map([...document.querySelectorAll("li[data-id]")].map((row) => [row.dataset.id, row]));
  spots.push(...uses.map((spot) => place(map, spot, used.get(spot.id))));
  const bounds = L.latLngBounds(spots);
  if (field.value) bounds.extend(L.geoJSON(JSON.parse(field.value)).getBounds());
  if (bounds.isValid()) map.fitBounds(bounds.pad(0.2), CLOSE);
  else if (lat) map.setView([lat, lon], 15, { animate: false });
  expect();
}

/** One place of a list; returns where it lies. */
function place(map, spot, row) {
  if (spot.area) {
    const style = { color: colour("accent"), weight: 2, fillColor: colour("accent"), fillOpacity: 0.15 };
    L.geoJSON(spot.area, { style, interactive: false }).addTo(map);
  }
  const letter = [...spot.kind_name][0];
  const icon = L.divIcon({ className: `list-pin pin-${spot.kind}`, html: el("b", {}, letter), iconSize: [24, 24] });
  const title = `${spot.kind_name} · ${spot.title}`;
  join(L.marker([spot.lat, spot.lon], { icon, title, alt: title }).addTo(map), row, spot.url);
  return [spot.lat, spot.lon];
}

function join(marker, row, url) {
  const light = (on) => {
    row?.classList.toggle("lit", on);
    marker.getElement()?.classList.toggle("lit", on);
  };
  marker.on("mouseover", () => light(true)).on("mouseout", () => light(false));
  marker.on("click keypress", (event) => {
    if (event.type === "click" || event.originalEvent.key === "Enter") location.assign(url);
  });
  row?.addEventListener("mouseenter", () => light(true));
  row?.addEventListener("mouseleave", () => light(false));
}

function fit(map, places) {
  if (places.length) map.fitBounds(L.latLngBounds(places).pad(0.12), CLOSE);
}

function show(layers, map) {
  for (const layer of layers) {
    if (ALWAYS.has(layer.spec.id)) layer.addTo(map);
    else layer.remove();
  }
}
