/** The search box: asks when one has stopped typing, at once with Enter; Escape and a button empty it. */

import { el, icon } from "./dom.js";
import { LONGEST_SEARCH, tidied } from "./filter.js";
import { say } from "./words.js";

const PAUSE = 350;

export class Search {
  /** @param {(words: string) => void} ask */
  constructor(ask) {
    this.ask = ask;
    this.asked = "";
    this.field = el("input", {
      id: "search",
      type: "search",
      maxlength: LONGEST_SEARCH,
      autocomplete: "off",
      enterkeyhint: "search",
      placeholder: say("search.hint"),
      "aria-label": say("search.label"),
      input: (event) => this.typed(event),
      compositionend: () => this.wait(),
      keydown: (event) => this.pressed(event),
    });
    this.emptier = el(
      "button",
      { id: "clear-search", type: "button", class: "search-clear", hidden: true, "aria-label": say("search.clear"), click: () => this.empty() },
      icon("close"),
    );
    const submit = (event) => {
      event.preventDefault();
      this.now();
    };
    this.element = el("form", { class: "search", role: "search", submit }, icon("search"), this.field, this.emptier);
  }

  /** Shows what is asked; what somebody is writing just now stays as it is. */
  show(words) {
    this.asked = words;
    if (tidied(this.field.value) !== words && !this.timer) this.field.value = words;
    this.emptier.hidden = !this.field.value;
  }

  typed(event) {
    this.emptier.hidden = !this.field.value;
    // Chinese is composed of letters first; these are not what is searched.
    if (!event.isComposing) this.wait();
  }

  wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.now(), PAUSE);
  }

  now() {
    clearTimeout(this.timer);
    this.timer = 0;
    const words = tidied(this.field.value);
    if (words !== this.asked) this.ask(words);
  }

  pressed(event) {
    if (event.key !== "Escape" || !this.field.value || event.isComposing) return;
    event.preventDefault();
    this.empty();
  }

  empty() {
    this.field.value = "";
    this.now();
    this.emptier.hidden = true;
    this.field.focus();
  }
}
