/** Who comes along: the units that the stops concern, with their phones, and people by name. */

import { el, fill, icon } from "./dom.js";
import { count, say } from "./words.js";

export class Guests {
  constructor(page) {
    this.page = page;
    this.list = el("ul", { class: "guest-list" });
    this.element = el(
      "section",
      { class: "plan-guests", "aria-labelledby": "guests-title" },
      el("h2", { id: "guests-title" }, say("visit.guests")),
      el("p", { class: "hint" }, say("visit.guests_hint")),
      this.list,
      el("button", { id: "add-person", type: "button", class: "plain", click: () => this.add({ name: "" }) }, icon("person"), say("visit.add_person")),
    );
    this.draw();
  }

  /** Units of the stops, those that concern most of them first. */
  units() {
    const found = new Map();
    for (const { issue } of this.page.draft.stops) {
      for (const unit of this.page.issues[issue].units) {
        const known = found.get(unit.code) ?? { ...unit, n: 0 };
        known.n += 1;
        found.set(unit.code, known);
      }
    }
    return [...found.values()].sort((a, b) => b.n - a.n || (a.code < b.code ? -1 : 1));
  }

  draw() {
    const { guests } = this.page.draft;
    const units = this.units();
    const known = new Set(units.map((unit) => unit.code));
    const rows = units.map((unit) => this.unit(unit, guests.find((guest) => guest.unit === unit.code)));
    const others = guests.filter((guest) => !known.has(guest.unit));
    fill(this.list, rows, others.map((guest) => this.person(guest)));
  }

  /** Stops have come or gone; what is being typed stays. */
  count() {
    if (!this.list.contains(document.activeElement)) this.draw();
  }

  unit(unit, guest) {
    const toggle = (event) => (event.target.checked ? this.add({ unit: unit.code, unit_name: unit.name, phone: unit.phone }) : this.drop(guest));
    return el(
      "li",
      { class: "guest" },
      el("label", { class: "tick-line" }, el("input", { id: `unit-${unit.code}`, type: "checkbox", checked: Boolean(guest), change: toggle }), el("span", {}, unit.name, " ", el("small", {}, count("visit.concerns", unit.n)))),
      unit.phone && el("a", { class: "phone", href: `tel:${unit.phone.replace(/[^+\d]/g, "")}`, "aria-label": say("visit.call", { who: unit.name }) }, unit.phone),
      guest && this.fields(guest),
    );
  }

  person(guest) {
    return el("li", { class: "guest" }, el("b", {}, guest.unit_name || guest.name || say("visit.person")), el("button", { type: "button", class: "plain", click: () => this.drop(guest) }, say("visit.forget")), this.fields(guest));
  }

  fields(guest) {
    const field = (name, label, props = {}) =>
      el(
        "label",
        {},
        say(`visit.${label}`),
        el("input", {
          value: guest[name] ?? "",
          maxlength: 100,
          ...props,
          change: (event) => {
            guest[name] = event.target.value || (name === "from" || name === "to" ? null : "");
            if (Boolean(guest.from) === Boolean(guest.to)) this.page.change();
          },
        }),
      );
    return el("div", { class: "stop-fields" }, field("name", "person"), field("phone", "phone", { type: "tel" }), field("email", "email", { type: "email" }), field("from", "comes_from", { type: "time" }), field("to", "to", { type: "time" }));
  }

  add(guest) {
    const fresh = { id: newId(), name: "", unit: null, phone: "", email: "", from: null, to: null, ...guest };
    // Somebody without a unit needs a name before the server takes them.
    if (!fresh.unit) fresh.name ||= say("visit.person");
    this.page.draft.guests.push(fresh);
    this.draw();
    this.page.change();
    document.getElementById(`unit-${fresh.unit}`)?.focus({ preventScroll: true });
  }

  drop(guest) {
    this.page.draft.guests = this.page.draft.guests.filter((other) => other !== guest);
    this.draw();
    this.page.change();
    if (guest.unit) document.getElementById(`unit-${guest.unit}`)?.focus({ preventScroll: true });
  }
}

/** A random UUID; `crypto.randomUUID` is only there over HTTPS and on localhost. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}
