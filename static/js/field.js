/** The page in the field: a visit from this phone alone; whatever is recorded is kept first and sent when it can be. */

import { el, fill } from "./dom.js";
import { all, ask, flush, record } from "./fieldbox.js";
import { newIssueForm } from "./fieldforms.js";
import { FieldMap } from "./fieldmap.js";
import { showOutbox, stateOf } from "./fieldoutbox.js";
import * as packs from "./fieldpack.js";
import { showStop } from "./fieldstop.js";
import * as store from "./fieldstore.js";
import { freshId, freshKey } from "./outbox.js";
import { keepOffline, wakeWorker } from "./offline.js";
import { language, metres, number, say } from "./words.js";

const LOOK_AGAIN_MS = 15_000;
const SAID_MS = 10_000;
/** From this width on the map lies beside everything else, as field.css says. */
const BESIDE_PX = 900;
const LOCK = "geoapp-field-outbox";
const VISIT = /^\/field\/visits\/([0-9a-f-]{36})\//;
const byId = (id) => document.getElementById(id);

export async function startField(map, config, layers) {
  const field = new Field(map, config, layers);
  // What this phone holds of a visit, for tests and for whoever looks into what waits.
  window.GeoApp.recorded = (visit) => all(visit);
  await field.begin();
  document.documentElement.dataset.fieldReady = "yes";
}

class Field {
  constructor(map, config, layers) {
    this.config = config;
    this.visit = location.pathname.match(VISIT)?.[1] ?? "";
    this.map = new FieldMap(map, layers, (issue) => this.open(issue));
    this.view = "wait";
    this.trouble = "";
    this.records = [];
  }

  async begin() {
    this.listen();
    this.showLine();
    // The page may be the kept one, whose address is another.
    const other = byId("nav-lang");
    other.href = `${location.pathname}?lang=${language() === "zh" ? "en" : "zh"}`;
    keepOffline();
    try {
      if ((await store.unseal()) === "locked") return this.askPin();
    } catch {
      // No store, or no way to seal anything: then nothing private is put on this phone.
      return this.refuse(say(window.isSecureContext ? "field.no_store" : "field.no_https"));
    }
    await this.opened();
  }

  async opened() {
    this.pack = this.visit ? await packs.held(this.visit) : null;
    if (!this.pack) return this.offer();
    await this.taken();
  }

  /** The pack is there: everything else works from it. */
  async taken() {
    byId("field-title").textContent = this.pack.visit.title;
    byId("field-tabs").hidden = false;
    await this.map.take(this.visit, this.pack);
    await this.refresh();
    const { view = "stops", issue } = history.state ?? {};
    this.go(issue ? "stop" : view, issue, { quiet: true });
    await this.flush();
  }

  listen() {
    for (const button of document.querySelectorAll("[data-tab]")) button.addEventListener("click", () => this.go(button.dataset.tab));
    byId("field-back").addEventListener("click", () => this.back());
    window.addEventListener("popstate", () => this.pack && this.go(history.state?.view ?? "stops", history.state?.issue, { quiet: true }));
    window.addEventListener("online", () => this.flush());
    for (const name of ["online", "offline"]) window.addEventListener(name, () => this.showLine());
    navigator.serviceWorker?.addEventListener("message", () => this.refresh());
    setInterval(() => this.pack && this.flush({ quiet: true }), LOOK_AGAIN_MS);
  }

  showLine() {
    const off = navigator.onLine === false;
    byId("field-line").textContent = say(off ? "field.no_line" : "field.line");
    byId("field-line").classList.toggle("off", off);
  }

  // --- views ---

  go(view, issue = null, { quiet = false } = {}) {
    this.map.stop?.(null);
    if (!quiet && (view !== this.view || issue !== this.issue)) history.pushState({ view, issue }, "");
    Object.assign(this, { view, issue });
    this.hush();
    document.body.dataset.view = view;
    for (const section of document.querySelectorAll(".view")) section.hidden = section.id !== `view-${view}`;
    const tab = view === "stop" ? "stops" : view;
    for (const button of document.querySelectorAll("[data-tab]")) button.toggleAttribute("aria-current", button.dataset.tab === tab);
    if (view === "new") newIssueForm(byId("view-new"), this);
    this.draw();
    if (view === "map" || innerWidth >= BESIDE_PX) this.map.appear();
    if (!quiet) {
      scrollTo(0, 0);
      document.querySelector(`#view-${view} [tabindex="-1"]`)?.focus({ preventScroll: true });
    }
  }

  open(issue) {
    this.go("stop", issue);
  }

  back() {
    if (this.map.drawing) this.map.stop(null);
    else if (this.view === "stops" || !this.pack) location.href = `/field/visits/${this.visit}?lang=${language()}`;
    else if (history.state?.view) history.back();
    else this.go("stops");
  }

  /** What the phone knows now: shown at once, whatever view is open. */
  async refresh() {
    this.records = await all(this.visit);
    const waits = this.records.filter((one) => one.open.state === "waiting").length;
    const clashes = this.records.filter((one) => one.open.state === "conflict").length;
    byId("field-waits").textContent = String(waits + clashes);
    byId("field-waits").hidden = waits + clashes === 0;
    byId("field-waits").classList.toggle("clashing", clashes > 0);
    document.documentElement.dataset.waits = String(waits);
    if (this.pack) this.map.show(this.pack, this.states());
    this.draw();
  }

  draw() {
    if (this.view === "stops") this.showStops();
    if (this.view === "stop") this.showOne();
    if (this.view === "outbox") showOutbox(byId("view-outbox"), this, this.records);
  }

  /** Each stop: visited, or still to come. */
  states() {
    const been = new Set(this.records.filter(({ told }) => ["check_in", "finding"].includes(told.record.kind)).map(({ told }) => told.record.issue));
    return new Map(this.pack.stops.map(({ issue }) => [issue.id, been.has(issue.id) ? "been" : "open"]));
  }

  showStops() {
    const { visit, stops, made_at: made } = this.pack;
    const states = this.states();
    const planned = stops.filter((stop) => stop.seq);
    const next = planned.find((stop) => states.get(stop.issue.id) === "open");
    const been = planned.filter((stop) => states.get(stop.issue.id) === "been").length;
    const fresh = this.records.filter(({ told }) => told.record.kind === "issue" && !stops.some((stop) => stop.issue.id === told.record.issue));
    const line = (stop) =>
      el(
        "li",
        {},
        el(
          "button",
          { type: "button", class: `stop-row stop-${states.get(stop.issue.id)}`, dataset: { issue: stop.issue.id }, click: () => this.open(stop.issue.id) },
          el("b", { class: "seq" }, stop.seq ?? (stop.on_the_way ? "+" : "–")),
          el("span", {}, el("strong", {}, stop.issue.title), el("small", {}, [stop.arrives, stop.issue.category_name, stop.issue.verdict_name].filter(Boolean).join(" · "))),
          el("small", {}, say(states.get(stop.issue.id) === "been" ? "field.been" : "field.to_come")),
        ),
      );
    fill(
      byId("view-stops"),
      el("h2", { tabindex: "-1" }, say("field.progress", { n: been, of: planned.length })),
      el("p", { class: "hint" }, [visit.on_day, visit.starts_at, metres(visit.length_m)].join(" · "), el("br"), say("field.pack_of", { at: made.slice(0, 16).replace("T", " ") })),
      !this.pack.whole && el("p", { class: "refused" }, say("field.not_whole"), " ", el("button", { type: "button", class: "plain", click: () => this.offer() }, say("field.load_rest"))),
      next && el("button", { type: "button", class: "button primary next-stop", click: () => this.open(next.issue.id) }, say("field.next", { n: next.seq, title: next.issue.title })),
      el("ol", { class: "stops" }, stops.filter((stop) => stop.seq || stop.on_the_way).map(line), fresh.map(({ told }) => el("li", { class: "stop-row" }, el("b", { class: "seq" }, "+"), el("span", {}, told.title)))),
      stops.some((stop) => !stop.seq && !stop.on_the_way) && el("h3", {}, say("field.left_out")),
      el("ol", { class: "stops" }, stops.filter((stop) => !stop.seq && !stop.on_the_way).map(line)),
      visit.guests.length > 0 && el("h3", {}, say("field.guests")),
      el("ul", { class: "phones" }, visit.guests.map((one) => el("li", {}, el("span", {}, [one.name, one.unit_name].filter(Boolean).join(" · ")), one.phone && el("a", { class: "button", href: `tel:${one.phone.replace(/[^+0-9]/g, "")}` }, one.phone)))),
      this.homeBox(),
    );
  }

  showOne() {
    const stop = this.pack.stops.find(({ issue }) => issue.id === this.issue);
    if (!stop) return this.go("stops", null, { quiet: true });
    const box = byId("view-stop");
    const state = JSON.stringify([this.issue, this.records.filter(({ told }) => told.record.issue === this.issue).map(({ open }) => [open.id, open.state])]);
    // What somebody is typing stays while records come and go.
    if (box.dataset.state === state) return undefined;
    box.dataset.state = state;
    const opened = [...box.querySelectorAll("details")].map((one) => one.open);
    const same = box.dataset.issue === this.issue;
    box.dataset.issue = this.issue;
    showStop(box, this, stop, this.records);
    if (same) box.querySelectorAll("details").forEach((one, i) => (one.open = opened[i] ?? false));
    return undefined;
  }

  /** One record as a line of its stop. */
  line(one) {
    const { record: told } = one.told;
    return el("li", { class: `record record-${one.open.state}` }, el("b", {}, say(`field.kind.${told.kind}`)), told.kind === "check_in" && el("span", {}, say("field.far", { n: metres(told.body.far_m ?? 0) })), el("time", {}, new Date(told.at).toTimeString().slice(0, 5)), el("small", {}, stateOf(one)));
  }

  showOnMap(stop) {
    if (innerWidth < BESIDE_PX) this.go("map");
    this.map.go(stop.issue);
  }

  // --- recording ---

  async record(stop, kind, body, bytes = null) {
    const { id } = stop.issue;
    await record(this.visit, this.pack.person, { issue: id, kind, base: stop.base, body, title: stop.issue.title }, bytes);
    this.say(say("field.kept"));
    await this.refresh();
    await this.flush();
    wakeWorker("field");
  }

  /** A new issue with its photos. */
  async report({ category, title, text, lat, lon, accuracy_m: accuracy, placed_by: by }, photos) {
    const id = freshId();
    const name = title || text.slice(0, 40) || say("field.kind.issue");
    const body = { category, title, text, lat, lon, placed_by: by, key: freshKey(), lang: language(), ...(accuracy === undefined ? {} : { accuracy_m: accuracy }) };
    await record(this.visit, this.pack.person, { id, issue: id, kind: "issue", body, title: name });
    for (const photo of photos) {
      const held = await store.get("drafts", `${this.visit}:photo:${photo}`);
      if (held) await record(this.visit, this.pack.person, { id: photo, issue: id, kind: "photo", body: { phase: "before" }, title: name }, held.bytes);
      await this.forget(`photo:${photo}`);
    }
    await this.refresh();
    this.go("outbox");
    this.say(say("field.kept"));
    await this.flush();
    wakeWorker("field");
  }

  /** Shows the map to draw on, and comes back to where one was. */
  async sketch(kinds, place) {
    const { view, issue } = this;
    this.hush();
    document.body.dataset.view = "map";
    for (const section of document.querySelectorAll(".view")) section.hidden = true;
    const shape = await this.map.draw(kinds, place);
    document.body.dataset.view = view;
    byId(`view-${view}`).hidden = false;
    this.issue = issue;
    return shape;
  }

  keep = (name, told, bytes = null) => store.put("drafts", { id: `${this.visit}:${name}`, open: { visit: this.visit }, told, bytes });
  kept = async (name) => (await store.get("drafts", `${this.visit}:${name}`))?.told ?? null;
  forget = (name) => store.drop("drafts", `${this.visit}:${name}`);

  // --- sending ---

  async flush({ quiet = false } = {}) {
    if (!this.pack) return;
    const outcome = navigator.onLine === false ? "no_line" : await flush(() => this.refresh()).catch(() => "no_line");
    const before = this.trouble;
    this.trouble = outcome === "sent" ? "" : outcome;
    if (outcome === "sent") await this.goHome();
    if (this.records.some(({ open }) => open.state === "conflict")) await this.lookForClashes();
    if (!quiet || before !== this.trouble || this.records.some(({ open }) => open.state === "waiting")) await this.refresh();
  }

  async lookForClashes() {
    await this.refresh();
    const answer = await ask(`/field/visits/${this.visit}/records.json?lang=${language()}`);
    if (!answer?.ok) return;
    const { conflicts } = await answer.json();
    await store.put("pieces", { id: `clashes:${this.visit}`, open: { visit: this.visit }, told: conflicts });
  }

  /** Nothing else touches the store meanwhile. */
  alone = (act) => (navigator.locks ? navigator.locks.request(LOCK, act) : act());

  // --- the end of the visit ---

  homeBox() {
    if (this.pack.visit.state === "ended") return el("p", { class: "said" }, say("field.ended"));
    const summary = el("textarea", { rows: 3, maxlength: 2000, id: "summary" });
    const end = async () => {
      await this.keep("home", { summary: summary.value.trim() });
      this.say(say("field.end_kept"));
      await this.flush();
    };
    return el("details", { class: "card" }, el("summary", {}, say("field.end")), el("p", { class: "hint" }, say("field.end_hint")), el("label", { for: "summary" }, say("field.summary")), summary, el("button", { type: "button", class: "button primary", id: "end-visit", click: end }, say("field.end_do")));
  }

  /** Ends the visit when that was asked for and everything has arrived. */
  async goHome() {
    const told = await this.kept("home");
    if (!told || (await all(this.visit)).some(({ open }) => open.state === "waiting")) return;
    const line = await ask("/field/line.json");
    if (!line?.ok) return;
    const { csrf } = await line.json();
    const answer = await ask(`/field/visits/${this.visit}/home?lang=${language()}`, { method: "POST", body: JSON.stringify(told), headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf } });
    if (!answer) return;
    await this.forget("home");
    if (!answer.ok) return this.refuse((await answer.json().catch(() => ({}))).error?.message ?? `HTTP ${answer.status}`);
    this.pack = { ...this.pack, visit: { ...this.pack.visit, state: "ended" } };
    await store.put("pieces", { id: `pack:${this.visit}`, open: { visit: this.visit, person: this.pack.person }, told: this.pack });
    await this.refresh();
    this.say(say("field.ended"));
  }

  // --- loading, and the PIN ---

  async offer() {
    this.go("pack", null, { quiet: true });
    const box = byId("view-pack");
    const size = await packs.size(this.visit);
    const bar = el("progress", { max: 1, value: 0, hidden: true, "aria-label": say("field.load") });
    const told = el("p", { class: "hint", role: "status" }, size ? say("field.size", { all: bytes(size.all), photos: bytes(size.photos), map: bytes(size.map) }) : say("field.load_line"));
    const load = async (event) => {
      event.target.disabled = true;
      bar.hidden = false;
      try {
        this.pack = await packs.load(this.visit, (share, done) => {
          bar.value = share;
          told.textContent = say("field.loading", { done: bytes(done), all: size ? bytes(size.all) : "" });
        });
        await this.taken();
      } catch (error) {
        event.target.disabled = false;
        this.refuse(say(["no_line", "signed_out"].includes(error.message) ? `field.trouble_${error.message}` : "field.load_failed", { why: error.message }));
      }
    };
    fill(
      box,
      el("h2", { tabindex: "-1" }, say("field.load_title")),
      el("p", {}, say("field.load_what")),
      told,
      bar,
      el("button", { type: "button", class: "button primary big", id: "load-pack", disabled: !size, click: load }, say("field.load")),
      !size && el("button", { type: "button", class: "button", click: () => this.offer() }, say("field.try_again")),
      this.pack && el("button", { type: "button", class: "button", click: () => this.go("stops") }, say("field.cancel")),
      el("p", { class: "hint" }, say("field.kept_what"), " ", say("field.kept_wiped")),
    );
  }

  askPin() {
    this.go("pin", null, { quiet: true });
    const pin = el("input", { type: "password", inputmode: "numeric", autocomplete: "off", id: "pin" });
    const enter = async (event) => {
      event.preventDefault();
      if (await store.unlock(pin.value)) await this.opened();
      else this.refuse(say("field.pin_wrong"));
    };
    fill(byId("view-pin"), el("form", { submit: enter }, el("h2", { tabindex: "-1" }, say("field.pin_title")), el("label", { for: "pin" }, say("field.pin")), pin, el("button", { class: "button primary" }, say("field.pin_enter"))));
  }

  say(words) {
    byId("field-refused").hidden = true;
    byId("field-said").textContent = words;
    byId("field-said").hidden = !words;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => this.hush(), SAID_MS);
  }

  refuse(words) {
    byId("field-said").hidden = true;
    byId("field-refused").textContent = words;
    byId("field-refused").hidden = !words;
    byId("field-refused").scrollIntoView({ block: "nearest" });
  }

  hush() {
    byId("field-said").hidden = byId("field-refused").hidden = true;
  }
}

const bytes = (n) => (n < 1e6 ? `${number(Math.max(1, n / 1e3))} kB` : `${number(n / 1e6, 1)} MB`);

