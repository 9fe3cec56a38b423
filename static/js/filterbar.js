/** The filter's face: the search, four states as chips, the other questions as buttons that open below themselves. */

import { choices } from "./choices.js";
import { el, fill, icon, symbol } from "./dom.js";
import { everything, isEmpty, toggled } from "./filter.js";
import { period, periodName } from "./period.js";
import { Search } from "./search.js";
import { nameOf, say } from "./words.js";

const QUESTIONS = ["category", "community", "unit", "period", "verdict"];

export class FilterBar {
  /** @param {object} config the page's choices @param {(filter: object) => void} change */
  constructor(config, change) {
    this.config = config;
    this.change = change;
    this.filter = everything();
    this.open = "";
    this.today = config.today ?? new Date().toISOString().slice(0, 10);
    this.names = namesOf(config);
    this.search = new Search((q) => this.set({ q }));
    this.states = el("div", { class: "states", role: "group", "aria-label": say("filter.state") });
    this.questions = el("div", { class: "questions" });
    this.drawer = el("div", { class: "question-drawer", id: "question-drawer", hidden: true });
    this.active = el("ul", { class: "active-filters", "aria-label": say("filter.active") });
    fill(document.getElementById("filters"), this.search.element, this.states, this.questions, this.drawer, this.active);
    this.drawer.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      this.ask("");
    });
  }

  /** Shows a filter. */
  show(filter) {
    this.filter = filter;
    const focused = document.activeElement?.id;
    this.search.show(filter.q);
    fill(this.states, (this.config.states ?? []).map((group) => this.stateChip(group)));
    fill(this.questions, QUESTIONS.map((question) => this.questionButton(question)));
    fill(this.active, this.activeChips());
    this.active.hidden = isEmpty(filter);
    if (this.open === "period") this.ask("period");
    this.markNumber();
    if (focused) document.getElementById(focused)?.focus();
  }

  set(part) {
    this.change({ ...this.filter, ...part });
  }

  stateChip({ group, name }) {
    const on = this.filter.state.includes(group);
    return el(
      "button",
      {
        id: `state-${group}`,
        type: "button",
        class: "state-chip",
        "aria-pressed": String(on),
        click: () => this.set({ state: toggled(this.filter.state, group) }),
      },
      symbol(group),
      el("span", {}, name),
    );
  }

  questionButton(question) {
    const chosen = this.chosen(question);
    const label = say(`filter.${question}`);
    return el(
      "button",
      {
        id: `filter-${question}`,
        type: "button",
        class: chosen.length ? "question on" : "question",
        "aria-expanded": String(this.open === question),
        "aria-controls": "question-drawer",
        click: () => this.ask(this.open === question ? "" : question),
      },
      el("span", {}, chosen.length ? `${label} · ${chosen.length}` : label),
      icon("down"),
    );
  }

  chosen(question) {
    if (question === "period") return this.filter.from || this.filter.to ? [""] : [];
    return this.filter[question];
  }

  /** Opens one question, or none. */
  ask(question) {
    const before = this.open;
    this.open = question;
    for (const button of this.questions.children) {
      button.setAttribute("aria-expanded", String(button.id === `filter-${question}`));
    }
    this.drawer.hidden = !question;
    fill(this.drawer, question && this.answerBox(question));
    if (question && question !== before) this.drawer.querySelector("input, button")?.focus({ preventScroll: true });
    if (!question && before) document.getElementById(`filter-${before}`)?.focus();
  }

  answerBox(question) {
    if (question === "period") {
      const { from, to } = this.filter;
      return period({ from, to, today: this.today, change: (days) => this.set(days) });
    }
    return choices({
      label: say(`filter.${question}`),
      options: this.options(question),
      selected: this.filter[question],
      search: question !== "verdict",
      toggle: (value) => this.set({ [question]: toggled(this.filter[question], value) }),
    });
  }

  options(question) {
    const { config } = this;
    if (question === "category") return branch(config.categories ?? [], 0);
    if (question === "unit") return (config.units ?? []).map((unit) => ({ value: unit.code, label: nameOf(unit) }));
    if (question === "verdict") {
      return (config.verdicts ?? []).map((one) => ({
        value: one.verdict,
        label: one.name,
        note: one.hint,
        sign: symbol("open", one.verdict),
      }));
    }
    return (config.communities ?? []).map((place) => ({ value: place.code, label: nameOf(place), group: place.street }));
  }

  /** Every active part of the filter as a chip that takes it out again. */
  activeChips() {
    const words = this.filter.q && this.chip(say("search.chip", { words: this.filter.q }), () => this.set({ q: "" }));
    const chips = ["category", "state", "community", "unit", "verdict"].flatMap((key) =>
      this.filter[key].map((value) =>
        this.chip(this.names[key].get(value) ?? value, () => this.set({ [key]: toggled(this.filter[key], value) })),
      ),
    );
    if (this.filter.from || this.filter.to) {
      chips.push(this.chip(periodName(this.filter, this.today), () => this.set({ from: "", to: "" })));
    }
    const clear = el(
      "button",
      { id: "clear-filters", type: "button", class: "plain", click: () => this.change(everything()) },
      say("filter.clear"),
    );
    return [words, ...chips, el("li", {}, clear)];
  }

  chip(name, remove) {
    const title = say("filter.remove", { what: name });
    const button = el("button", { type: "button", class: "removable", title, click: remove }, el("span", {}, name), icon("close"));
    return el("li", {}, button);
  }

  /** The filter button of narrow screens tells how many filters are at work. */
  markNumber() {
    const button = document.getElementById("open-filters");
    if (!button) return;
    const n = this.active.hidden ? 0 : this.active.children.length - 1;
    button.dataset.n = n ? String(n) : "";
  }
}

function branch(nodes, depth) {
  return nodes.flatMap((node) => [
    { value: node.code, label: nameOf(node), depth: Math.min(depth, 3) },
    ...branch(node.children ?? [], depth + 1),
  ]);
}

function namesOf(config) {
  const pairs = (list, key) => new Map((list ?? []).map((one) => [one[key], nameOf(one)]));
  const states = (config.states ?? []).flatMap((g) => [[g.group, g.name], ...g.states.map((s) => [s.state, s.name])]);
  return {
    category: new Map(branch(config.categories ?? [], 0).map(({ value, label }) => [value, label])),
    community: pairs(config.communities, "code"),
    unit: pairs(config.units, "code"),
    verdict: pairs(config.verdicts, "verdict"),
    state: new Map(states),
  };
}
