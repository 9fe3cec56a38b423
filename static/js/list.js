/** The issues beside the map as text: the same filter, so the same issues and the same count. */

import { readAddress, writeAddress } from "./address.js";
import { Line } from "./api.js";
import { el, fill, icon, symbol } from "./dom.js";
import { pairsOf, queryOf } from "./filter.js";
import { GROUPS } from "./symbols.js";
import { count, day, language, number, say } from "./words.js";

const PAGE = 50;

export class IssueList {
  constructor(page) {
    this.page = page;
    this.mode = "view";
    this.rows = document.getElementById("issue-list");
    this.more = document.getElementById("more-issues");
    this.peek = document.getElementById("peek-count");
    this.lines = { rows: new Line(), all: new Line(), view: new Line() };
    this.total = null;
    this.inView = null;
    this.features = [];
    this.buildHead();
    this.more.addEventListener("click", () => this.load(this.next));
  }

  buildHead() {
    const choice = (mode) =>
      el("button", { id: `list-${mode}`, type: "button", class: "segment", click: () => this.setMode(mode) });
    this.choice = { view: choice("view"), all: choice("all") };
    this.tally = el("div", { class: "tally", role: "img" });
    this.csv = el("a", { id: "csv", class: "plain", download: true }, icon("download"), say("list.csv"));
    this.fit = el("button", { id: "show-all", type: "button", class: "plain", hidden: true, click: () => this.fitAll() });
    this.fit.append(icon("fit"), say("list.show_all"));
    this.said = el("p", { class: "unseen", role: "status" });
    fill(
      document.getElementById("results-head"),
      el("div", { class: "segments", role: "group", "aria-label": say("list.which") }, this.choice.view, this.choice.all),
      this.tally,
      el("div", { class: "list-tools" }, this.fit, this.csv),
      this.said,
    );
    this.showCounts();
  }

  setMode(mode) {
    this.mode = mode;
    this.showCounts();
    this.load();
  }

  filterChanged(filter) {
    this.filter = filter;
    this.total = null;
    const query = queryOf([...pairsOf(filter), ["lang", language()]]);
    this.csv.href = `/issues.csv?${query}`;
    this.countAll();
    this.viewChanged();
  }

  /** The map moved: the rows in view are others, their number too. */
  viewChanged() {
    if (this.mode === "view") this.load();
    else this.countView();
    if (this.mode === "all" && this.listed !== queryOf(pairsOf(this.filter))) this.load();
  }

  async countAll() {
    const answer = await this.question(this.lines.all, [["limit", 1]]);
    if (answer) this.total = answer.numberMatched;
    this.showCounts();
  }

  async countView() {
    const answer = await this.question(this.lines.view, [["bbox", this.bbox()], ["limit", 1]]);
    if (answer) this.inView = answer.numberMatched;
    this.showCounts();
  }

  async load(after = null) {
    const where = this.mode === "view" ? [["bbox", this.bbox()]] : [];
    const asked = queryOf(pairsOf(this.filter));
    this.rows.setAttribute("aria-busy", "true");
    const answer = await this.question(this.lines.rows, [...where, ["limit", PAGE], ...(after ? [["after", after]] : [])]);
    if (!answer) return;
    this.rows.removeAttribute("aria-busy");
    this.listed = asked;
    if (this.mode === "view") this.inView = answer.numberMatched;
    else this.total = answer.numberMatched;
    this.features = after ? [...this.features, ...answer.features] : answer.features;
    this.next = answer.next;
    this.showRows(answer.features, after);
    this.showCounts();
  }

  /** The answer, or undefined when it was overtaken or failed; a failure is said in place of the rows. */
  async question(line, pairs) {
    try {
      return await line.ask("/api/issues", [...pairsOf(this.filter), ...pairs]);
    } catch (error) {
      if (line !== this.lines.rows) return undefined;
      const again = el("button", { type: "button", class: "plain", click: () => this.load() }, say("list.again"));
      fill(this.rows, el("li", { class: "empty" }, error.field ? error.message : say("list.failed"), " ", again));
      this.rows.removeAttribute("aria-busy");
      this.more.hidden = true;
      return undefined;
    }
  }

  bbox() {
    const bounds = this.page.map.getBounds();
    return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()].map((x) => x.toFixed(6)).join(",");
  }

  showRows(features, after) {
    const rows = features.map((feature) => this.row(feature));
    if (after) this.rows.append(...rows);
    else {
      fill(this.rows, rows.length ? rows : el("li", { class: "empty" }, say(this.mode === "view" ? "list.none_here" : "list.none")));
    }
    this.more.hidden = !this.next;
    this.mark(this.page.state.issue);
  }

  row({ geometry, properties: issue }) {
    const [lon, lat] = geometry?.coordinates ?? [];
    const place = geometry && { lat, lon };
    const category = issue.title === issue.category_name ? "" : issue.category_name;
    const meta = [category, issue.community_name, day(issue.reported_on)].filter(Boolean).join(" · ");
    const verdict = issue.verdict && issue.verdict !== "clear" && el("span", { class: `verdict verdict-${issue.verdict}` }, issue.verdict_name);
    const open = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.page.select(issue.number, { ...issue, ...place });
    };
    const point = () => this.page.selection.hint(place);
    const leave = () => this.page.selection.hint(null);
    return el(
      "li",
      { dataset: { number: issue.number } },
      el(
        "a",
        { class: "issue-row", href: issueUrl(issue.number), dataset: { issue: issue.number }, click: open, mouseenter: point, mouseleave: leave, focus: point, blur: leave },
        symbol(issue.group, issue.verdict),
        el(
          "span",
          { class: "issue-words" },
          el("span", { class: "issue-title" }, issue.title || issue.category_name),
          el("span", { class: "issue-meta" }, meta),
          el("span", { class: "issue-state" }, el("span", { class: `state state-${issue.group}` }, issue.state_name), verdict),
        ),
      ),
    );
  }

  /** Marks the row of the issue that is open. */
  mark(issueNumber) {
    for (const row of this.rows.children) {
      row.firstChild.setAttribute?.("aria-current", String(Boolean(issueNumber) && row.dataset.number === issueNumber));
    }
  }

  focusRow(issueNumber) {
    const row = [...this.rows.children].find((one) => one.dataset.number === issueNumber);
    row?.firstChild.focus({ preventScroll: true });
  }

  showCounts() {
    const written = (n) => (n === null || n === undefined ? "…" : number(n));
    for (const mode of ["view", "all"]) {
      const n = mode === "view" ? this.inView : this.total;
      this.choice[mode].setAttribute("aria-pressed", String(this.mode === mode));
      fill(this.choice[mode], el("span", {}, say(`list.${mode}`)), el("b", { id: `count-${mode}` }, written(n)));
    }
    this.fit.hidden = !(this.total > this.inView);
    if (this.total === null) return;
    this.peek.textContent = count("list.peek", this.inView ?? this.total);
    this.said.textContent = count("list.found", this.total);
  }

  /** The parts of the states in view as a thin bar. */
  showTally(sum) {
    const total = GROUPS.reduce((n, name) => n + sum[name], 0);
    const bars = GROUPS.filter((name) => sum[name]).map((name) => {
      const bar = el("span", { class: `part part-${name}`, title: `${say(`group.${name}`)} ${number(sum[name])}` });
      bar.style.flexGrow = String(sum[name]);
      return bar;
    });
    fill(this.tally, bars);
    const words = GROUPS.map((name) => `${say(`group.${name}`)} ${number(sum[name])}`).join(", ");
    this.tally.setAttribute("aria-label", total ? words : say("list.none_here"));
  }

  /** Shows the whole of the result: its own bounds when it is all listed, else the whole place. */
  fitAll() {
    const places = this.features.filter((f) => f.geometry).map((f) => [f.geometry.coordinates[1], f.geometry.coordinates[0]]);
    const own = this.mode === "all" && !this.next && places.length;
    this.page.map.fitBounds(own ? L.latLngBounds(places).pad(0.1) : this.page.map.home, { maxZoom: 16 });
  }
}

/** The page of an issue; it keeps the view of the map, so that it can lead back to it. */
export function issueUrl(issueNumber) {
  const query = writeAddress({ ...readAddress(), issue: "" });
  return `/issues/${encodeURIComponent(issueNumber)}${query}`;
}

/** The view changes after a link is drawn, so its address is made when it is about to be followed. */
export function freshenLinks(element) {
  const freshen = (event) => {
    const link = event.target.closest("a[data-issue]");
    if (link) link.href = issueUrl(link.dataset.issue);
  };
  element.addEventListener("pointerdown", freshen);
  element.addEventListener("focusin", freshen);
}
