/** "Whose is this place?": asked by right click, long press, or the button and a click or Enter. */

import { Line } from "./api.js";
import { el } from "./dom.js";
import { verdictBox } from "./facts.js";
import { addButton } from "./tools.js";
import { language, say } from "./words.js";

export class Whose {
  constructor(page) {
    this.page = page;
    this.line = new Line();
    this.picking = false;
    addButton(page.map, { id: "ask-whose", name: "whose", title: say("whose.title"), press: () => this.pick() });
    this.button = document.getElementById("ask-whose");
    this.note = el("p", { id: "whose-note", role: "status", hidden: true }, say("whose.pick"));
    page.map.getContainer().append(this.note);
    page.map.getContainer().addEventListener("keydown", (event) => {
      if (this.picking && event.key === "Enter" && event.target === page.map.getContainer()) this.ask(page.map.getCenter());
    });
  }

  /** The next click on the map asks; Enter asks for its centre. */
  pick() {
    this.set(!this.picking);
    if (this.picking) this.page.map.getContainer().focus({ preventScroll: true });
  }

  /** True when there was something to give up. */
  cancel() {
    const was = this.picking;
    this.set(false);
    return was;
  }

  set(on) {
    this.picking = on;
    this.note.hidden = !on;
    this.button.setAttribute("aria-pressed", String(on));
    this.page.map.getContainer().classList.toggle("picking", on);
  }

  async ask({ lat, lng }) {
    const { page } = this;
    this.set(false);
    if (page.state.issue) {
      page.state.issue = "";
      page.writeAddress();
    }
    const place = { lat, lon: lng };
    page.selection.mark(place);
    const title = el("h2", { tabindex: "-1" }, say("whose.title"));
    const where = el("p", { class: "number" }, `${lat.toFixed(5)}, ${lng.toFixed(5)}`);
    page.panel.openOther(title, where, el("div", { class: "waiting", "aria-hidden": "true" }));
    page.reveal(place);
    const [category] = page.state.filter.category;
    let answer;
    try {
      answer = await this.line.ask("/api/whose", [
        ["lat", lat.toFixed(6)],
        ["lon", lng.toFixed(6)],
        ...(category ? [["category", category]] : []),
        ...(page.state.on ? [["on", page.state.on]] : []),
      ]);
    } catch (error) {
      page.panel.openOther(title, where, el("p", { class: "empty", role: "alert" }, error.field ? error.message : say("list.failed")));
      return;
    }
    if (!answer || title !== document.querySelector("#view-issue h2")) return;
    page.panel.openOther(title, where, communityLine(answer.community), verdictBox(withHint(answer, page.config)), ways(place));
  }
}

/** Where to go on from a place. */
function ways({ lat, lon }) {
  const at = new URLSearchParams({ lat: lat.toFixed(6), lon: lon.toFixed(6), lang: language() });
  return el(
    "p",
    { class: "ways" },
    el("a", { class: "button", id: "report-here", href: `/report?${at}` }, say("around.report")),
    el("a", { class: "plain", id: "about-place", href: `/place?${at}` }, say("around.about")),
  );
}

function communityLine(community) {
  if (!community) return el("p", { class: "issue-text" }, say("whose.no_community"));
  const street = community.street ? ` (${community.street})` : "";
  return el("dl", { class: "facts" }, el("dt", {}, say("issue.community")), el("dd", {}, `${community.name}${street}`));
}

function withHint(answer, config) {
  const hint = (config.verdicts ?? []).find((one) => one.verdict === answer.verdict)?.hint;
  return { verdict_hint: hint, ...answer };
}
