/** "Around me": the place of the phone on the map, with how sure it is; and places by their name. */

import { Line } from "./api.js";
import { el, fill } from "./dom.js";
import { colour } from "./theme.js";
import { addButton } from "./tools.js";
import { metres, say } from "./words.js";

const CLOSE = 16;
const SECONDS = 8;

export class Around {
  constructor(map) {
    this.map = map;
    this.marks = L.layerGroup().addTo(map);
    addButton(map, { id: "locate", name: "here", title: say("around.here"), press: () => this.locate() });
    this.note = el("p", { id: "around-note", class: "map-note", role: "status", hidden: true });
    map.getContainer().append(this.note);
  }

  say(words) {
    clearTimeout(this.timer);
    this.note.textContent = words;
    this.note.hidden = !words;
    this.timer = setTimeout(() => this.say(""), SECONDS * 1000);
    if (!words) clearTimeout(this.timer);
  }

  locate() {
    if (!navigator.geolocation) {
      this.say(say("around.failed"));
      return;
    }
    this.say(say("around.wait"));
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => this.show(coords),
      (error) => this.say(say(error.code === 1 ? "around.denied" : "around.failed")),
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 30_000 },
    );
  }

  show({ latitude: lat, longitude: lon, accuracy }) {
    this.marks.clearLayers();
    if (!this.map.home.pad(0.1).contains([lat, lon])) {
      this.say(say("around.outside"));
      return;
    }
    const look = { color: colour("accent"), weight: 2, interactive: false };
    L.circle([lat, lon], { ...look, radius: accuracy, fillOpacity: 0.12 }).addTo(this.marks);
    L.circleMarker([lat, lon], { ...look, radius: 6, fillOpacity: 1 }).addTo(this.marks);
    this.map.setView([lat, lon], CLOSE);
    this.say(say("around.found", { n: metres(accuracy) }));
  }
}

/** Places that are called so, below the search box; pressing one moves the map there. */
export class PlaceNames {
  constructor(map, after) {
    this.map = map;
    this.line = new Line();
    this.box = el("div", { id: "place-names", "aria-live": "polite" });
    after.after(this.box);
  }

  async ask(words) {
    if (!words) {
      this.line.drop();
      fill(this.box);
      return;
    }
    const answer = await this.line.ask("/api/places", [["q", words.slice(0, 60)]]).catch(() => ({ places: [] }));
    if (!answer) return;
    const rows = answer.places.slice(0, 5).map((one) => el("li", {}, el("button", { type: "button", class: "plain", click: () => this.go(one) }, one.name, el("small", {}, one.within || one.kind_name))));
    fill(this.box, rows.length > 0 && el("h3", {}, say("around.places")), rows.length > 0 && el("ul", {}, rows));
  }

  go({ lat, lon, radius_m: radius }) {
    this.map.fitBounds(L.latLng(lat, lon).toBounds(radius * 2));
  }
}
