/** The survey map: filters, issues, what is chosen for a visit, and how it is chosen. */

import { readAddress, writeAddress } from "./address.js";
import { Line } from "./api.js";
import { el, fill } from "./dom.js";
import { Corridor, Lasso, inRing } from "./drawing.js";
import { Drawer } from "./drawer.js";
import { pairsOf, queryOf } from "./filter.js";
import { FilterBar } from "./filterbar.js";
import { Legend } from "./legend.js";
import { expect } from "./ready.js";
import { Selection } from "./selection.js";
import { SurveyList } from "./surveylist.js";
import "./surveylayer.js";
import { SurveyPanel } from "./surveypanel.js";
import { followPointer } from "./tooltip.js";
import { language, number, say } from "./words.js";

const KEPT = "geoapp-chosen";
const ALWAYS = new Set(["past-visits"]);

export function startSurvey(map, config, layers) {
  new SurveyPage(map, config, layers);
}

class SurveyPage {
  constructor(map, config, layers) {
    this.map = map;
    this.config = config;
    this.layers = layers;
    this.mayVisit = config.survey.mayVisit;
    this.mostStops = config.survey.mostStops;
    this.state = readAddress();
    // Whoever comes without a question wants to see what is still to be done.
    if (!location.search.replace(/^\?(lang=\w+)?$/, "")) this.state.filter.state = ["open", "in_work"];
    this.since = new URLSearchParams(location.search).get("since") ?? "";
    this.issues = [];
    this.found = null;
    this.chosen = new Map((this.mayVisit ? keptNumbers() : []).map((one) => [one, { number: one }]));
    this.layer = layers.find((layer) => layer.spec.kind === "issues");
    this.heat = layers.find((layer) => layer.spec.kind === "heat");
    this.line = new Line();
    this.selection = new Selection(map);
    this.drawer = new Drawer(map);
    this.filters = new FilterBar(config, (filter) => this.setFilter(filter));
    this.list = new SurveyList(this);
    this.panel = new SurveyPanel(this);
    this.legend = new Legend(this);
    this.tools = this.mayVisit ? new ChoosingTools(this) : null;
    this.showLayers(this.state.layers ?? this.defaultLayers());
    this.layer.onChange(() => this.list.showTally(this.layer.tally()));
    followPointer({ map, issues: this.layer, filters: this.filters, whose: { picking: false } });
    this.listen();
    this.filters.show(this.state.filter);
    this.showChosen();
    this.load();
    if (this.state.issue) this.panel.open(this.state.issue);
    expect();
  }

  listen() {
    const { map } = this;
    let timer = 0;
    map.on("moveend", () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        const { lat, lng } = map.getCenter();
        this.state.at = { zoom: map.getZoom(), lat, lon: lng };
        this.writeAddress();
        this.legend.refresh();
      }, 120);
    });
    map.on("click", (event) => this.clicked(event));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      if (!this.tools?.cancel()) this.close();
    });
    document.getElementById("drop-chosen")?.addEventListener("click", () => this.choose([...this.chosen.values()], false));
  }

  async load() {
    const day = this.since ? [["since", this.since]] : [];
    let answer;
    try {
      answer = await this.line.ask(this.layer.spec.url, [...pairsOf(this.state.filter), ...day]);
    } catch (error) {
      const again = el("button", { type: "button", class: "plain", click: () => this.load() }, say("list.again"));
      fill(document.getElementById("issue-list"), el("li", { class: "empty" }, error.field ? error.message : say("list.failed"), " ", again));
      return;
    }
    if (!answer) return;
    this.found = { matched: answer.numberMatched, most: answer.most, since: answer.since, visited: answer.visited };
    this.issues = answer.issues;
    this.byNumber = new Map(this.issues.map((issue) => [issue.number, issue]));
    for (const one of this.chosen.keys()) this.chosen.set(one, this.byNumber.get(one) ?? this.chosen.get(one));
    this.layer.setIssues(this.issues);
    this.heat?.setIssues(this.issues);
    this.layer.setChosen(this.chosen);
    this.modeChanged(this.list.mode);
    this.list.refresh();
    this.fit();
  }

  clicked(event) {
    if (this.tools?.clicked(event)) return;
    const hit = this.map.hasLayer(this.layer) ? this.layer.under(event.containerPoint) : null;
    if (!hit) this.close();
    else if (hit.group) this.map.setView(hit.group.place, Math.min(this.map.getZoom() + (hit.group.n > 50 ? 2 : 3), this.map.getMaxZoom()));
    else if (this.mayVisit && (event.originalEvent.ctrlKey || event.originalEvent.metaKey)) this.choose([hit.issues[0]], !this.chosen.has(hit.issues[0].number));
    else if (hit.issues.length > 1) this.panel.several(hit.issues);
    else this.select(hit.issues[0].number, hit.issues[0]);
  }

  select(issueNumber, known = null) {
    this.state.issue = issueNumber;
    this.writeAddress();
    this.panel.open(issueNumber, known);
  }

  close() {
    this.state.issue = "";
    this.panel.close();
    this.selection.show(null);
    this.list.mark("");
    this.writeAddress();
  }

  /** Picks an issue out on the map, and moves it into the part that nothing covers. */
  point(issue) {
    this.selection.show(issue);
    this.list.mark(issue.number);
    const size = this.map.getSize();
    const covered = this.drawer.covers();
    const at = this.map.latLngToContainerPoint([issue.lat, issue.lon]);
    if (at.x > 40 && at.y > 40 && at.x < size.x - 40 && at.y < size.y - covered - 40) return;
    this.map.panTo(this.map.unproject(this.map.project([issue.lat, issue.lon]).add([0, covered / 2])));
  }

  known(issue) {
    return this.byNumber?.get(issue.number) ?? issue;
  }

  /** Takes issues into what is chosen, or out of it; says how many there are now. */
  choose(issues, on = true) {
    for (const issue of issues) {
      if (on) this.chosen.set(issue.number, issue);
      else this.chosen.delete(issue.number);
    }
    sessionStorage.setItem(KEPT, JSON.stringify([...this.chosen.keys()]));
    this.showChosen();
    this.list.tick();
    this.panel.refresh();
    this.list.said.textContent = say("survey.chosen", { n: number(this.chosen.size) });
  }

  showChosen() {
    this.layer.setChosen(this.chosen);
    const bar = document.getElementById("chosen-bar");
    if (!bar) return;
    bar.hidden = this.chosen.size === 0;
    const fits = this.chosen.size <= this.mostStops;
    document.getElementById("chosen-count").textContent = say(fits ? "survey.chosen" : "survey.chosen_most", { n: number(this.chosen.size), most: this.mostStops });
    const plan = document.getElementById("plan-visit");
    plan.toggleAttribute("aria-disabled", !fits);
    if (fits) plan.href = `/field/visits/new?issues=${[...this.chosen.keys()].map(encodeURIComponent).join(",")}&lang=${language()}`;
    else plan.removeAttribute("href");
  }

  modeChanged(mode) {
    const only = mode === "changes" ? new Set(this.issues.filter((issue) => issue.changes).map((issue) => issue.number)) : null;
    this.layer.setOnly(only);
  }

  setSince(day) {
    this.since = day;
    this.writeAddress();
    this.load();
  }

  setFilter(filter) {
    this.state.filter = filter;
    this.filters.show(filter);
    this.writeAddress();
    this.load();
  }

  setDay(day) {
    this.state.on = day === this.config.today ? "" : day;
    for (const layer of this.layers) layer.setDay?.(this.state.on);
    this.legend.refresh();
    this.writeAddress();
  }

  defaultLayers() {
    return this.layers.filter((layer) => layer.spec.show !== false || ALWAYS.has(layer.spec.id)).map((layer) => layer.spec.id);
  }

  /** Where most of the issues lie, when the address does not say what to show. */
  fit() {
    if (this.state.at || this.issues.length < 2) return;
    const middle = (values) => {
      const sorted = [...values].sort((a, b) => a - b);
      const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
      return [at(0.06), at(0.94)];
    };
    const [south, north] = middle(this.issues.map((issue) => issue.lat));
    const [west, east] = middle(this.issues.map((issue) => issue.lon));
    const aside = this.drawer.active ? 0 : 260;
    this.map.fitBounds([[south, west], [north, east]], { paddingTopLeft: [40, 60], paddingBottomRight: [40 + aside, 110], maxZoom: 17, animate: false });
  }

  showLayers(ids) {
    for (const layer of this.layers) {
      if (ids.includes(layer.spec.id)) layer.addTo(this.map);
      else layer.remove();
    }
    this.legend.refresh();
  }

  toggleLayer(id, on) {
    const shown = this.layers.filter((layer) => this.map.hasLayer(layer)).map((layer) => layer.spec.id);
    this.showLayers(on ? [...shown, id] : shown.filter((other) => other !== id));
    const now = this.layers.filter((layer) => this.map.hasLayer(layer)).map((layer) => layer.spec.id);
    this.state.layers = now.join() === this.defaultLayers().join() ? null : now;
    this.writeAddress();
    expect();
  }

  writeAddress() {
    const query = writeAddress(this.state);
    const since = this.since ? `${query ? "&" : "?"}since=${this.since}` : "";
    history.replaceState(null, "", location.pathname + query + since);
    const other = document.getElementById("nav-lang");
    if (other) other.search = writeAddress({ ...this.state, lang: other.dataset.lang }) + (this.since ? `&since=${this.since}` : "");
  }
}

/** The buttons over the map that choose: by lasso, along a street, all that the filter lets through. */
class ChoosingTools {
  constructor(page) {
    this.page = page;
    this.bar = document.getElementById("choosing");
    this.note = document.getElementById("drawing-note");
    this.tool = null;
    L.DomEvent.disableClickPropagation(this.bar);
    this.idle();
  }

  idle() {
    const button = (id, press) => el("button", { id, type: "button", class: "button", click: press }, say(`survey.${id}`));
    fill(this.bar, button("lasso", () => this.lasso()), button("corridor", () => this.corridor()), button("choose-all", () => this.all()));
    this.note.hidden = true;
  }

  lasso() {
    this.cancel();
    this.tell(say("survey.lasso_hint"));
    fill(this.bar, el("button", { type: "button", class: "button", click: () => this.cancel() }, say("survey.cancel")));
    this.page.drawer.stopAt("peek");
    this.tool = new Lasso(this.page.map, (ring) => {
      this.cancel();
      if (ring) this.take(this.page.layer.within(({ lat, lon }) => inRing(ring, { lat, lng: lon })));
    });
  }

  corridor() {
    this.cancel();
    const done = el("button", { id: "corridor-done", type: "button", class: "button primary", disabled: true, click: () => this.finish() }, say("survey.corridor_take", { n: 0 }));
    const size = el("output", { for: "corridor-width" });
    const width = el("input", { id: "corridor-width", type: "range", min: 5, max: 100, step: 5, value: 30, input: () => this.tool.widen(Number(width.value)) });
    this.page.drawer.stopAt("peek");
    this.tell(say("survey.corridor_hint"));
    this.tool = new Corridor(this.page.map, (corridor) => {
      const n = this.page.layer.within((issue) => corridor.holds(issue)).length;
      size.textContent = say("survey.corridor_width", { n: corridor.metres });
      done.textContent = say("survey.corridor_take", { n });
      done.disabled = corridor.line.length < 2;
    });
    fill(this.bar, el("label", { class: "corridor" }, size, width), done, el("button", { type: "button", class: "button", click: () => this.cancel() }, say("survey.cancel")));
    this.tool.draw();
    this.page.map.getContainer().focus({ preventScroll: true });
  }

  /** True when a click belongs to what is being drawn. */
  clicked(event) {
    if (!(this.tool instanceof Corridor)) return Boolean(this.tool);
    this.tool.add(event.latlng);
    return true;
  }

  finish() {
    const { tool } = this;
    const found = this.page.layer.within((issue) => tool.holds(issue));
    this.cancel();
    this.take(found);
  }

  all() {
    this.take(this.page.layer.within(() => true));
  }

  take(issues) {
    this.page.choose(issues);
    if (issues.length) this.page.list.show("chosen");
    this.tell(say("survey.taken", { n: number(issues.length) }));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.note.hidden = true), 4000);
  }

  tell(text) {
    clearTimeout(this.timer);
    this.note.textContent = text;
    this.note.hidden = false;
  }

  /** True when there was something to give up. */
  cancel() {
    const was = Boolean(this.tool);
    this.tool?.cancel();
    this.tool = null;
    this.idle();
    return was;
  }
}

function keptNumbers() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string").slice(0, 500) : [];
  } catch {
    return [];
  }
}
