/** Everything about one issue beside the survey map: as staff see it, without leaving the map. */

import { Line } from "./api.js";
import { el, fill, icon, symbol } from "./dom.js";
import { backButton, factList, headline, timeline, verdictBox, voices } from "./facts.js";
import { photoBox } from "./photos.js";
import { language, say } from "./words.js";

export class SurveyPanel {
  constructor(page) {
    this.page = page;
    this.line = new Line();
    this.views = { list: document.getElementById("view-list"), issue: document.getElementById("view-issue") };
    this.number = "";
  }

  async open(number, known = null) {
    const { page } = this;
    this.number = number;
    this.draw({ number, ...known }, { waiting: true });
    this.turn("issue");
    page.drawer.rise();
    if (known?.lat !== undefined) page.point({ ...known, number });
    let feature;
    try {
      feature = await this.line.ask(`/desk/issues/${encodeURIComponent(number)}.json`);
    } catch (error) {
      const text = error.status === 404 ? say("panel.not_found") : say("list.failed");
      this.views.issue.querySelector(".waiting")?.replaceWith(el("p", { class: "empty", role: "alert" }, text));
      return;
    }
    if (!feature || this.number !== number) return;
    const [lon, lat] = feature.geometry.coordinates;
    this.draw({ ...feature.properties, lat, lon }, { waiting: false });
    page.point({ ...feature.properties, lat, lon });
  }

  several(issues) {
    const { page } = this;
    const title = el("h2", { tabindex: "-1" }, say("panel.several", { n: issues.length }));
    const rows = issues.map((issue) =>
      el("li", {}, el("button", { type: "button", class: "issue-row", click: () => page.select(issue.number, issue) }, symbol(issue.group, issue.verdict), el("span", { class: "issue-words" }, el("span", { class: "issue-title" }, issue.title), el("span", { class: "issue-meta" }, issue.number)))),
    );
    this.number = "";
    fill(this.views.issue, backButton(() => page.close()), title, el("ol", { class: "issue-list" }, rows));
    this.turn("issue");
    page.drawer.rise();
    title.focus({ preventScroll: true });
  }

  close() {
    const { number, page } = this;
    this.line.drop();
    this.number = "";
    if (this.views.issue.hidden) return;
    const had = this.views.issue.contains(document.activeElement);
    this.turn("list");
    if (page.drawer.active) page.drawer.stopAt("peek");
    if (had && number) page.list.focusRow(number);
  }

  turn(name) {
    for (const [key, view] of Object.entries(this.views)) view.hidden = key !== name;
    if (name === "issue") this.views.issue.scrollTop = 0;
    document.body.dataset.panel = name;
  }

  draw(issue, { waiting }) {
    const { page } = this;
    const title = el("h2", { id: "issue-title", tabindex: "-1" }, issue.title || issue.number);
    const chosen = page.chosen.has(issue.number);
    const choose =
      page.mayVisit &&
      el("button", { type: "button", id: "choose-this", class: chosen ? "button" : "button primary", "aria-pressed": String(chosen), click: () => page.choose([page.known(issue)], !page.chosen.has(issue.number)) }, say(chosen ? "survey.unchoose" : "survey.choose_this"));
    const had = this.views.issue.contains(document.activeElement) || !waiting;
    fill(
      this.views.issue,
      backButton(() => page.close()),
      issue.group && headline(issue),
      title,
      choose,
      ...(waiting ? [el("div", { class: "waiting", "aria-hidden": "true" })] : this.body(issue)),
      el("a", { id: "issue-link", class: "button", href: `/desk/issues/${encodeURIComponent(issue.number)}?lang=${language()}` }, say("survey.work"), icon("forward")),
    );
    if (waiting || (had && document.activeElement === document.body)) title.focus({ preventScroll: true });
  }

  body(issue) {
    const { deadline } = issue;
    const witnesses = issue.witnesses > 0 && el("p", { class: "hint" }, say("survey.witnesses", { n: issue.witnesses }));
    const returned = [issue.returns && say("survey.returns", { n: issue.returns }), issue.reworks && say("survey.reworks", { n: issue.reworks })].filter(Boolean);
    return [
      deadline && el("p", { class: "panel-deadline" }, el("b", {}, deadline.stage_name), " ", el("span", { class: `deadline ${deadline.look}` }, deadline.countdown), deadline.due_text && el("small", {}, deadline.due_text)),
      returned.length > 0 && el("p", { class: "counted" }, returned.join(say("list_comma"))),
      issue.text && el("p", { class: "issue-text" }, issue.text),
      photoBox(issue),
      verdictBox(issue),
      witnesses,
      factList(issue),
      ...voices(issue),
      timeline(issue.history),
    ];
  }

  /** The button that chooses, after something was chosen elsewhere. */
  refresh() {
    const button = document.getElementById("choose-this");
    if (!button || !this.number) return;
    const chosen = this.page.chosen.has(this.number);
    button.setAttribute("aria-pressed", String(chosen));
    button.classList.toggle("primary", !chosen);
    button.textContent = say(chosen ? "survey.unchoose" : "survey.choose_this");
  }
}
