/** The map that is the agenda: numbered pins beside numbered items, a click either way. */

import { el } from "./dom.js";
import { expect } from "./ready.js";
import { say } from "./words.js";

const ALWAYS = new Set(["communities", "streets", "district", "contested-land", "orphan-land"]);

/** The list of meetings: the boundaries for orientation. */
export function startMeetings(map, config, layers) {
  show(layers, map);
  expect();
}

export function startMeeting(map, config, layers) {
  show(layers, map);
  const { items, suggested, sensitive } = config.agenda;
  const rows = new Map([...document.querySelectorAll("li[data-number]")].map((row) => [row.dataset.number, row]));
  for (const place of sensitive) {
    pin(map, place, "sensitive-pin", el("b"), `${place.kind}: ${place.name}`, 12).setZIndexOffset(-500);
  }
  for (const place of suggested) {
    const marker = pin(map, place, "suggested-pin", el("b"), say("meeting.suggested", place), 16);
    join(map, marker, rows.get(place.number));
  }
  const pins = new Map();
  // The first item lies on top.
  for (const place of [...items].reverse()) {
    const look = `agenda-pin${place.decided ? " is-decided" : ""}`;
    const marker = pin(map, place, look, el("b", {}, place.n), say("meeting.item", place), 30);
    marker.setZIndexOffset(1000 - place.n);
    join(map, marker, rows.get(place.number));
    pins.set(place.number, marker);
  }
  for (const button of document.querySelectorAll("button[data-show]")) {
    button.addEventListener("click", () => {
      const marker = pins.get(button.dataset.show);
      map.setView(marker.getLatLng(), Math.max(map.getZoom(), 16), { animate: false });
      light(marker, rows.get(button.dataset.show));
      if (matchMedia("(max-width: 900px)").matches) map.getContainer().scrollIntoView({ block: "start" });
    });
  }
  const places = (items.length ? items : suggested).map(({ lat, lon }) => [lat, lon]);
  if (places.length) map.fitBounds(L.latLngBounds(places).pad(0.15), { maxZoom: 16, animate: false });
  expect();
}

function pin(map, { lat, lon }, className, html, title, size) {
  return L.marker([lat, lon], { icon: L.divIcon({ className, html, iconSize: [size, size] }), title, alt: title }).addTo(map);
}

/** A pin leads to its row and a row lights its pin. */
function join(map, marker, row) {
  if (!row) return;
  marker.on("click keypress", (event) => {
    if (event.type === "keypress" && event.originalEvent.key !== "Enter") return;
    light(marker, row);
    row.scrollIntoView({ block: "start" });
    row.focus({ preventScroll: true });
  });
  row.addEventListener("mouseenter", () => marker.getElement()?.classList.add("pointed"));
  row.addEventListener("mouseleave", () => marker.getElement()?.classList.remove("pointed"));
}

function light(marker, row) {
  for (const lit of document.querySelectorAll("li.lit, .agenda-pin.lit")) lit.classList.remove("lit");
  row?.classList.add("lit");
  marker.getElement()?.classList.add("lit");
}

function show(layers, map) {
  for (const layer of layers) {
    if (ALWAYS.has(layer.spec.id)) layer.addTo(map);
    else layer.remove();
  }
}
