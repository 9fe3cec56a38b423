/** When a visit is, how one gets around, where it begins and ends. */

import { Line } from "./api.js";
import { el, fill, icon } from "./dom.js";
import { say } from "./words.js";

export class WhenAndWhere {
  constructor(page) {
    this.page = page;
    this.line = new Line();
    this.element = el("section", { class: "plan-form", "aria-label": say("visit.when") });
    this.draw();
    page.map.on("click", (event) => this.picked(event.latlng));
    page.map.getContainer().addEventListener("keydown", (event) => {
      if (this.picking && event.key === "Enter" && event.target === page.map.getContainer()) this.picked(page.map.getCenter());
      if (this.picking && event.key === "Escape") this.pick(null);
    });
  }

  draw() {
    const { draft } = this.page;
    const had = document.activeElement?.id;
    const set = (name, read = (value) => value) => (event) => event.target.validity.valid && this.page.change({ [name]: read(event.target.value) });
    const whole = (text) => (text === "" ? null : Number(text));
    const field = (name, props, read) =>
      el("label", { class: `plan-field plan-${name}` }, el("span", {}, say(`visit.${name}`)), el("input", { id: `plan-${name}`, value: draft[name] ?? "", input: set(name, read), ...props }));
    const mode = ["walking", "driving"].map((one) =>
      el("button", { id: `plan-${one}`, type: "button", class: "segment", "aria-pressed": String(draft.mode === one), click: () => this.set({ mode: one }) }, say(`visit.${one}`)),
    );
    fill(
      this.element,
      field("name", { value: draft.title, maxlength: 120, required: true, input: set("title") }),
      el("div", { class: "plan-row" }, field("on", { type: "date", required: true }), field("at", { type: "time", required: true })),
      el("div", { class: "plan-row" }, field("minutes", { type: "number", min: 1, max: 480, required: true }, whole), field("budget", { type: "number", min: 1, max: 960 }, whole)),
      el("div", { class: "segments", role: "group", "aria-label": say("visit.mode") }, mode),
      this.placeRow("start"),
      el("label", { class: "plan-field" }, el("span", {}, say("visit.finish")), el("select", { id: "plan-finish", change: (event) => this.finish(event.target.value) }, ["start", "last_stop", "place"].map((one) => el("option", { value: one, selected: one === draft.finish }, say(`visit.finish_${one}`))))),
      draft.finish === "place" && this.placeRow("end"),
    );
    if (had) document.getElementById(had)?.focus({ preventScroll: true });
  }

  set(part) {
    this.page.change(part);
    this.draw();
  }

  finish(kind) {
    const { draft } = this.page;
    const end = kind === "place" ? (draft.end ?? { ...draft.start, name: "" }) : null;
    this.set({ finish: kind, end });
    this.page.drawMap();
  }

  placeRow(which) {
    const place = this.page.draft[which];
    const results = el("ul", { class: "place-results", "aria-live": "polite" });
    const name = el("input", {
      id: `plan-${which}-name`,
      type: "search",
      maxlength: 100,
      autocomplete: "off",
      value: place.name,
      placeholder: say("visit.place_name"),
      input: (event) => {
        place.name = event.target.value;
        this.page.change({}, { soon: true });
        this.search(event.target.value, which, results);
      },
    });
    return el(
      "div",
      { class: "plan-place" },
      el("label", { class: "plan-field" }, el("span", {}, say(which === "start" ? "visit.start" : "visit.finish_place")), name),
      el("button", { id: `pick-${which}`, type: "button", class: "button", "aria-pressed": String(this.picking === which), click: () => this.pick(this.picking === which ? null : which) }, icon("map"), say("visit.pick")),
      el("button", { id: `here-${which}`, type: "button", class: "button", click: () => this.here(which) }, icon("here"), say("visit.here")),
      el("span", { class: "number" }, `${place.lat.toFixed(5)}, ${place.lon.toFixed(5)}`),
      results,
    );
  }

  async search(words, which, results) {
    if (words.trim().length < 2) {
      fill(results);
      return;
    }
    const answer = await this.line.ask("/api/places", [["q", words.trim().slice(0, 60)]]).catch(() => ({ places: [] }));
    if (!answer) return;
    fill(results, answer.places.slice(0, 5).map((one) => el("li", {}, el("button", { type: "button", class: "plain", click: () => this.page.place(which, one) }, one.name, one.within && el("small", {}, ` ${one.within}`)))));
  }

  pick(which) {
    this.picking = which;
    this.page.map.getContainer().classList.toggle("picking", Boolean(which));
    this.draw();
    this.note ??= el("p", { class: "map-note", role: "status" });
    this.page.map.getContainer().append(this.note);
    this.note.hidden = !which;
    this.note.textContent = which ? say("visit.pick_hint") : "";
    if (which) this.page.map.getContainer().focus({ preventScroll: true });
  }

  picked({ lat, lng }) {
    const which = this.picking;
    if (!which) return;
    this.pick(null);
    this.page.place(which, { lat, lon: lng });
  }

  here(which) {
    const failed = () => {
      this.page.trouble.hidden = false;
      this.page.trouble.textContent = say("visit.no_position");
    };
    if (!navigator.geolocation) failed();
    else navigator.geolocation.getCurrentPosition(({ coords }) => this.page.place(which, { lat: coords.latitude, lon: coords.longitude, name: say("visit.here") }), failed, { enableHighAccuracy: true, timeout: 15000 });
  }
}
