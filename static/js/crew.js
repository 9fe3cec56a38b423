/** What if a crew moved: a pin that is dragged, or pushed with the arrow keys, and the numbers that follow it. */

import { expect } from "./ready.js";
import { colour, onTheme } from "./theme.js";
import { say } from "./words.js";

const QUIET = new Set(["communities", "streets", "district"]);
const STEP_PX = 12;
const REST_MS = 350;

export async function startCrew(map, config, layers) {
  for (const layer of layers) {
    if (QUIET.has(layer.spec.id)) layer.addTo(map);
    else layer.remove();
  }
  const told = config.planning.crew;
  if (told) new Crew(map, told);
  expect();
}

class Crew {
  constructor(map, told) {
    this.map = map;
    this.form = document.getElementById("crew-form");
    const pane = map.createPane("crew");
    pane.style.zIndex = "430";
    this.renderer = L.canvas({ pane: "crew", padding: 0.3 });
    this.dots = L.layerGroup().addTo(map);
    this.asked = 0;
    this.pin = L.marker(told.after, { draggable: true, keyboard: true, autoPan: true, title: say("planning.pin"), alt: say("planning.pin"), icon: base("after"), zIndexOffset: 1000 }).addTo(map);
    this.way = L.polyline([told.before, told.after], { color: colour("ink"), weight: 2, dashArray: "5 5", interactive: false }).addTo(map);
    this.pin.on("drag", () => this.way.setLatLngs([this.told.before, this.pin.getLatLng()]));
    this.pin.on("dragend", () => this.moved());
    this.pin.getElement().addEventListener("keydown", (event) => this.push(event));
    this.draw(told);
    onTheme(() => this.draw(this.told));
    map.crew = this;
    document.documentElement.dataset.crewReady = "0";
  }

  /** Everything but the pin, which may be in somebody's hand. */
  draw(told) {
    this.told = told;
    this.dots.clearLayers();
    for (const { at, said, url, nearer, farther, own } of told.issues) {
      const fill = nearer ? "plan-cold-2" : farther ? "plan-hot-2" : "plan-unknown";
      L.circleMarker(at, { renderer: this.renderer, radius: own ? 6 : 4, weight: 1.5, color: colour("paper"), fillColor: colour(fill), fillOpacity: 0.9 })
        .bindTooltip(said)
        .on("click", () => location.assign(url))
        .addTo(this.dots);
    }
    for (const { at, name } of told.neighbours) L.marker(at, { icon: base("other"), interactive: true, keyboard: false }).bindTooltip(name).addTo(this.dots);
    L.marker(told.before, { icon: base("before"), interactive: false, keyboard: false }).addTo(this.dots);
    this.way.setStyle({ color: colour("ink") }).setLatLngs([told.before, this.pin.getLatLng()]);
  }

  push(event) {
    const step = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const far = event.shiftKey ? 1 : STEP_PX;
    const from = this.map.latLngToContainerPoint(this.pin.getLatLng());
    this.pin.setLatLng(this.map.containerPointToLatLng(from.add([step[0] * far, step[1] * far])));
    this.way.setLatLngs([this.told.before, this.pin.getLatLng()]);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.moved(), REST_MS);
  }

  /** Asks anew with the pin's place; the address is that of the answer. */
  async moved() {
    const { lat, lng } = this.pin.getLatLng();
    document.getElementById("to_lat").value = lat.toFixed(6);
    document.getElementById("to_lon").value = lng.toFixed(6);
    const asked = new URL(this.form.action);
    for (const [name, value] of new FormData(this.form)) if (value) asked.searchParams.set(name, value);
    const turn = (this.asked += 1);
    const answer = await fetch(asked, { credentials: "same-origin" });
    // A later move may have been answered already.
    if (!answer.ok || turn !== this.asked) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.getElementById("crew-result").replaceChildren(...found.getElementById("crew-result").childNodes);
    history.replaceState(history.state, "", asked);
    this.draw(JSON.parse(document.getElementById("crew-data").textContent));
    document.documentElement.dataset.crewReady = String(turn);
  }
}

const base = (kind) => L.divIcon({ className: `crew-base ${kind}`, html: "<i></i>", iconSize: [34, 34] });
