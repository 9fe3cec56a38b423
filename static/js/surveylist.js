/** The list beside the survey map: its equal in words. All issues, those chosen, and what has changed. */

import { el, fill, symbol } from "./dom.js";
import { GROUPS } from "./symbols.js";
import { count, day, number, say } from "./words.js";

const PAGE = 100;
const ORDERS = {
  late: (a, b) => (b.late ?? -1) - (a.late ?? -1) || b.severity - a.severity || b.days - a.days,
  gravest: (a, b) => b.severity - a.severity || (b.late ?? -1) - (a.late ?? -1) || b.days - a.days,
  oldest: (a, b) => (a.reported < b.reported ? -1 : a.reported > b.reported ? 1 : 0),
  newest: (a, b) => (a.reported > b.reported ? -1 : a.reported < b.reported ? 1 : 0),
};
const CHANGES = ["returned", "reopened", "overdue", "new", "moved", "ended"];

export class SurveyList {
  constructor(page) {
    this.page = page;
    this.mode = "all";
    this.order = "late";
    this.shown = PAGE;
    this.rows = document.getElementById("issue-list");
    this.more = document.getElementById("more-issues");
    this.intro = document.getElementById("list-intro");
    this.peek = document.getElementById("peek-count");
    this.more.addEventListener("click", () => {
      this.shown += PAGE;
      this.draw();
    });
    const modes = page.mayVisit ? ["all", "chosen", "changes"] : ["all", "changes"];
    this.tabs = new Map(modes.map((mode) => [mode, el("button", { id: `list-${mode}`, type: "button", class: "segment", click: () => this.show(mode) })]));
    this.tally = el("div", { class: "tally", role: "img" });
    this.said = el("p", { class: "unseen", role: "status" });
    fill(
      document.getElementById("results-head"),
      el("div", { class: `segments segments-${modes.length}`, role: "group", "aria-label": say("list.which") }, [...this.tabs.values()]),
      this.tally,
      this.said,
    );
    this.heads();
  }

  show(mode) {
    this.mode = mode;
    this.shown = PAGE;
    this.page.modeChanged(mode);
    this.draw();
  }

  /** New issues have come. */
  refresh() {
    this.shown = PAGE;
    this.draw();
    const { matched, most } = this.page.found;
    this.said.textContent = matched > most ? say("survey.cut", { n: number(most), all: number(matched) }) : count("list.found", matched);
  }

  heads() {
    const { issues = [], chosen } = this.page;
    const sums = { all: this.page.found?.matched ?? null, chosen: chosen.size, changes: issues.filter((one) => one.changes).length };
    for (const [mode, tab] of this.tabs) {
      tab.setAttribute("aria-pressed", String(mode === this.mode));
      fill(tab, el("span", {}, say(`survey.tab_${mode}`)), el("b", { id: `count-${mode}` }, sums[mode] === null ? "…" : number(sums[mode])));
    }
    this.peek.textContent = sums.all === null ? "" : count("list.found", sums.all);
  }

  draw() {
    this.heads();
    const { page } = this;
    if (!page.found) return;
    this.rows.removeAttribute("aria-busy");
    const had = document.activeElement?.closest?.("#issue-list li")?.dataset.number;
    const kind = had && document.activeElement.type;
    const listed = this.listed();
    const seen = listed.slice(0, this.shown);
    fill(this.intro, this.introduction(listed));
    fill(this.rows, seen.length ? this.withHeads(seen) : el("li", { class: "empty" }, say(`survey.none_${this.mode}`)));
    this.more.hidden = listed.length <= this.shown;
    this.mark(page.state.issue);
    if (had) this.row(had)?.querySelector(kind === "checkbox" ? "input" : "button")?.focus({ preventScroll: true });
  }

  listed() {
    const { issues, chosen } = this.page;
    if (this.mode === "chosen") return [...chosen.values()];
    if (this.mode === "all") return [...issues].sort(ORDERS[this.order]);
    const first = (issue) => CHANGES.findIndex((name) => issue.changes.includes(name));
    return issues.filter((issue) => issue.changes).sort((a, b) => first(a) - first(b) || ORDERS.late(a, b));
  }

  introduction(listed) {
    const { page } = this;
    const cut = page.found.matched > page.found.most && el("p", { class: "hint" }, say("survey.cut", { n: number(page.found.most), all: number(page.found.matched) }));
    if (this.mode === "all") {
      const options = Object.keys(ORDERS).map((name) => el("option", { value: name, selected: name === this.order }, say(`survey.order_${name}`)));
      const order = el("select", { id: "list-order", change: (event) => this.sort(event.target.value) }, options);
      return [cut, el("div", { class: "list-line" }, el("label", { for: "list-order" }, say("survey.order")), order)];
    }
    if (this.mode === "chosen") {
      return listed.length > page.mostStops && el("p", { class: "hint refused" }, say("survey.too_many", { most: page.mostStops }));
    }
    const since = el("input", { id: "since", type: "date", value: page.found.since, max: page.config.today, change: (event) => page.setSince(event.target.value) });
    const why = say(page.since ? "survey.since_day" : page.found.visited ? "survey.since_visit" : "survey.since_usual");
    return [cut, el("div", { class: "list-line" }, el("label", { for: "since" }, say("survey.since")), since), el("p", { class: "hint" }, why)];
  }

  sort(name) {
    this.order = name;
    this.draw();
    document.getElementById("list-order")?.focus();
  }

  withHeads(issues) {
    let head = "";
    return issues.flatMap((issue) => {
      const kind = this.mode === "changes" ? CHANGES.find((name) => issue.changes.includes(name)) : "";
      const fresh = kind && kind !== head;
      head = kind;
      return [fresh && el("li", { class: "list-head" }, el("h2", {}, say(`survey.change_${kind}`))), this.item(issue)];
    });
  }

  item(issue) {
    const { page } = this;
    const names = page.filters.names;
    const category = names.category.get(issue.category) ?? "";
    const meta = [category === issue.title ? "" : category, names.community.get(issue.community) ?? ""].filter(Boolean).join(" · ");
    const box =
      page.mayVisit &&
      el("label", { class: "row-tick" }, el("input", { type: "checkbox", checked: page.chosen.has(issue.number), "aria-label": say("survey.choose_one", { number: issue.number, title: issue.title ?? "" }), change: (event) => page.choose([issue], event.target.checked) }));
    const point = () => page.selection.hint(issue.lat === undefined ? null : issue);
    const leave = () => page.selection.hint(null);
    const facts = [
      issue.late !== undefined && el("span", { class: "deadline overdue" }, say("survey.late", { n: number(issue.late) })),
      el("span", {}, issue.group === "open" || issue.group === "in_work" ? say("survey.days", { n: number(issue.days) }) : day(issue.reported)),
      issue.returns && el("span", { class: "counted" }, say("survey.returns", { n: issue.returns })),
      issue.verdict && issue.verdict !== "clear" && el("span", { class: `verdict verdict-${issue.verdict}` }, names.verdict.get(issue.verdict)),
    ];
    return el(
      "li",
      { dataset: { number: issue.number }, class: "survey-row" },
      box,
      el(
        "button",
        { type: "button", class: "issue-row", click: () => page.select(issue.number, issue), mouseenter: point, mouseleave: leave, focus: point, blur: leave },
        symbol(issue.group ?? "open", issue.verdict),
        el(
          "span",
          { class: "issue-words" },
          el("span", { class: "issue-title" }, issue.title ?? issue.number),
          el("span", { class: "issue-meta" }, meta),
          el("span", { class: "issue-state" }, issue.state && el("span", { class: `state state-${issue.group}` }, names.state.get(issue.state)), ...facts),
        ),
        issue.severity >= 3 && el("span", { class: "grave", title: say("survey.severity", { n: issue.severity }) }, String(issue.severity)),
      ),
    );
  }

  /** Ticks the boxes as it is chosen now, without building the list again. */
  tick() {
    this.heads();
    if (this.mode === "chosen") {
      this.draw();
      return;
    }
    for (const row of this.rows.children) {
      const box = row.querySelector("input");
      if (box) box.checked = this.page.chosen.has(row.dataset.number);
    }
  }

  row(issueNumber) {
    return [...this.rows.children].find((one) => one.dataset.number === issueNumber);
  }

  mark(issueNumber) {
    for (const row of this.rows.children) row.querySelector(".issue-row")?.setAttribute("aria-current", String(Boolean(issueNumber) && row.dataset.number === issueNumber));
  }

  focusRow(issueNumber) {
    this.row(issueNumber)?.querySelector("button")?.focus({ preventScroll: true });
  }

  showTally(sum) {
    const total = GROUPS.reduce((n, name) => n + sum[name], 0);
    fill(
      this.tally,
      GROUPS.filter((name) => sum[name]).map((name) => {
        const part = el("span", { class: `part part-${name}` });
        part.style.flexGrow = String(sum[name]);
        return part;
      }),
    );
    this.tally.setAttribute("aria-label", total ? GROUPS.map((name) => `${say(`group.${name}`)} ${number(sum[name])}`).join(", ") : say("list.none_here"));
  }
}
