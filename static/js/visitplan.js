/** The plan of a visit: what is asked for, what it comes to, and what a change of the order costs before it is kept. */

import { Guests } from "./visitguests.js";
import { WhenAndWhere } from "./visitform.js";
import { StopList } from "./visitstops.js";
import { el, fill } from "./dom.js";
import { expect } from "./ready.js";
import { StopsOnMap } from "./stops.js";
import { language, metres, number, say } from "./words.js";

const PAUSE = 220;

export function startVisit(map, config, layers) {
  for (const layer of layers) {
    if (layer.spec.kind === "issues" || (layer.spec.show === false && layer.spec.id !== "roads")) layer.remove();
    else layer.addTo(map);
  }
  const { visit } = config;
  mailLink(visit);
  if (visit.editable) new PlanPage(map, config);
  else showOnly(map, visit);
  expect();
}

/** A visit that is over: as it was. */
function showOnly(map, { draft, issues, route }) {
  let n = 0;
  const stops = draft.stops.map((stop) => ({ ...issues[stop.issue], n: stop.out ? null : (n += 1) }));
  const drawn = new StopsOnMap(map, { pick: (id) => location.assign(issues[id].url) });
  drawn.draw({ stops, route: route ?? [], start: draft.start, end: draft.end });
  drawn.fit(stops, draft.start);
}

class PlanPage {
  constructor(map, config) {
    this.map = map;
    this.visit = config.visit;
    this.issues = config.visit.issues;
    this.draft = structuredClone(config.visit.draft);
    this.version = config.visit.version;
    this.kept = this.version ? JSON.stringify(this.draft) : "";
    this.schedule = null;
    this.before = null;
    this.asked = 0;
    this.onMap = new StopsOnMap(map, { pick: (id) => this.list.reveal(id), moved: (which, place) => this.place(which, place) });
    this.form = new WhenAndWhere(this);
    this.list = new StopList(this);
    this.guests = new Guests(this);
    this.state = el("span", { id: "plan-state", role: "status" });
    this.button = el("button", { id: "save-plan", type: "button", class: "button primary", click: () => this.save() }, say("visit.save"));
    this.trouble = el("p", { class: "refused", role: "alert", hidden: true });
    fill(document.getElementById("plan"), this.form.element, this.list.element, this.guests.element, el("div", { class: "plan-end" }, this.trouble, this.state, this.button));
    this.drawMap();
    this.onMap.fit(this.draft.stops.map((stop) => this.issues[stop.issue]), this.draft.start);
    this.preview();
    window.addEventListener("beforeunload", (event) => {
      if (this.version && this.changed()) event.preventDefault();
    });
  }

  changed() {
    return JSON.stringify(this.draft) !== this.kept;
  }

  /** Something of the draft has changed: what does it come to? */
  change(part = {}, { soon = true } = {}) {
    Object.assign(this.draft, part);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.preview(), soon ? PAUSE : 0);
    this.tell();
  }

  place(which, { lat, lon, name = "" }) {
    this.draft[which] = { lat: Number(lat.toFixed(6)), lon: Number(lon.toFixed(6)), name };
    this.form.draw();
    this.drawMap();
    this.change();
  }

  /** A new order by hand; what it costs is measured against what was there before. */
  order(stops) {
    this.before ??= { draft: structuredClone(this.draft), schedule: this.schedule };
    this.change({ stops, by_hand: true }, { soon: false });
  }

  best() {
    this.before = null;
    this.draft.stops = this.draft.stops.map((stop) => ({ ...stop, out: false }));
    this.change({ by_hand: false }, { soon: false });
  }

  undo() {
    const { draft, schedule } = this.before;
    this.before = null;
    this.draft = draft;
    this.schedule = schedule;
    this.settle(schedule);
  }

  async preview() {
    const mine = (this.asked += 1);
    this.list.wait();
    const [answer, error] = await post("/field/visits/preview.json", { draft: this.draft }, this.visit.csrf);
    if (mine !== this.asked) return;
    this.trouble.hidden = !error;
    if (error) {
      this.trouble.textContent = say("visit.failed", { why: error.message });
      this.list.rest();
      return;
    }
    this.settle(answer);
  }

  settle(schedule) {
    this.schedule = schedule;
    const place = new Map(schedule.stops.map((one, nth) => [one.issue, nth]));
    // What was found becomes the order of the draft, so that a change by hand begins from it.
    const last = place.size;
    this.draft.stops = [...this.draft.stops]
      .sort((a, b) => (place.get(a.issue) ?? last) - (place.get(b.issue) ?? last))
      .map((stop) => ({ ...stop, out: !place.has(stop.issue) }));
    // The order of a saved plan as it was found again is no change.
    if (this.version && this.fresh === undefined) this.kept = JSON.stringify(this.draft);
    this.fresh = false;
    this.list.draw();
    this.guests.count();
    this.drawMap();
    this.tell();
    expect();
  }

  drawMap() {
    const { draft, schedule, issues } = this;
    // Until it is worked out again, a stored plan stands as it was stored.
    const known = schedule?.stops ?? (this.version ? draft.stops.filter((stop) => !stop.out) : []);
    const told = new Map(known.map((one, nth) => [one.issue, { ...one, n: nth + 1 }]));
    const stops = draft.stops.map((stop) => ({ ...issues[stop.issue], n: told.get(stop.issue)?.n ?? null, late: told.get(stop.issue)?.late > 0 }));
    this.onMap.draw({ stops, route: schedule?.route ?? this.visit.route ?? [], start: draft.start, end: draft.finish === "place" ? draft.end : null });
  }

  tell() {
    this.state.textContent = this.changed() ? (this.version ? say("visit.unsaved") : "") : say("visit.saved");
    this.button.disabled = !this.changed();
  }

  async save() {
    this.button.disabled = true;
    this.state.textContent = say("visit.saving");
    const [answer, error] = await post(`/field/visits/${this.visit.id}.json`, { draft: this.draft, version: this.version }, this.visit.csrf);
    if (error) {
      this.trouble.hidden = false;
      fill(this.trouble, error.status === 409 ? [say("visit.conflict"), " ", el("a", { href: location.pathname, target: "_blank", rel: "noopener" }, say("visit.theirs"))] : say("visit.failed", { why: error.message }));
      this.tell();
      return;
    }
    this.kept = JSON.stringify(this.draft);
    sessionStorage.removeItem("geoapp-chosen");
    location.assign(answer.url);
  }
}

/** What a change of the order costs: metres, minutes, and appointments that it breaks. */
export function costOf(before, after, issues) {
  const far = after.length_m - before.length_m;
  const long = after.minutes - before.minutes;
  const had = new Set(before.stops.filter((one) => one.late).map((one) => one.issue));
  const breaks = after.stops.filter((one) => one.late && !had.has(one.issue)).map((one) => issues[one.issue].title);
  if (!far && !long && !breaks.length) return say("visit.cost_none");
  const words = say("visit.cost", {
    metres: say(far < 0 ? "visit.minus_m" : "visit.plus_m", { n: metres(Math.abs(far)) }),
    minutes: say(long < 0 ? "visit.minus_min" : "visit.plus_min", { n: number(Math.abs(long)) }),
  });
  return breaks.length ? `${words} · ${say("visit.breaks", { what: breaks.join(say("list_comma")) })}` : words;
}

/** The answer as JSON, or why there is none. */
async function post(path, body, csrf) {
  try {
    const answer = await fetch(`${path}?lang=${language()}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrf },
      body: JSON.stringify(body),
    });
    const told = await answer.json().catch(() => null);
    if (answer.ok && told) return [told, null];
    return [null, { status: answer.status, message: told?.error?.message ?? `HTTP ${answer.status}` }];
  } catch {
    return [null, { status: 0, message: say("list.failed") }];
  }
}

/** A mail to all who have an address, where the visit is stored. */
function mailLink({ version, draft }) {
  const box = document.getElementById("visit-mail");
  const to = draft.guests.map((guest) => guest.email).filter(Boolean);
  if (!box || !version || !to.length) return;
  const query = `subject=${encodeURIComponent(`${draft.title} ${draft.on} ${draft.at}`)}&body=${encodeURIComponent(location.href.split("?")[0])}`;
  fill(box, el("a", { class: "button", href: `mailto:${to.map(encodeURIComponent).join(",")}?${query}` }, say("visit.mail")));
}
