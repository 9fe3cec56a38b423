/** The panel of one issue, in place of the list. What is known is shown at once, the rest when it comes. */

import { Line } from "./api.js";
import { el, fill, icon, symbol } from "./dom.js";
import { backButton, factList, headline, timeline, verdictBox, voices } from "./facts.js";
import { freshenLinks, issueUrl } from "./list.js";
import { photoBox } from "./photos.js";
import { say } from "./words.js";

export class IssuePanel {
  constructor(page) {
    this.page = page;
    this.line = new Line();
    this.views = { list: byId("view-list"), issue: byId("view-issue") };
    this.number = "";
    freshenLinks(byId("panel"));
  }

  /** Opens an issue by its number. */
  async open(number, { known = null, reveal = false } = {}) {
    const { page } = this;
    this.number = number;
    this.from = known;
    const category = page.filters.names.category.get(known?.category) ?? "";
    this.draw({ category_name: category, ...known, number }, { waiting: true });
    this.turn("issue");
    page.drawer.rise();
    if (known?.lat !== undefined) this.pick({ ...known, number }, reveal);
    let feature;
    try {
      feature = await this.line.ask(`/api/issues/${encodeURIComponent(number)}`);
    } catch (error) {
      this.fail(error);
      return;
    }
    if (!feature || this.number !== number) return;
    const issue = feature.properties;
    this.draw(issue, { waiting: false });
    page.entitle(issue.title || number);
    if (feature.geometry) {
      const [lon, lat] = feature.geometry.coordinates;
      this.pick({ ...issue, lat, lon }, reveal);
    }
  }

  /** Several issues on one spot: their list. */
  openSeveral(issues) {
    const { page } = this;
    const names = page.filters.names.category;
    const rows = issues.map((issue) =>
      el(
        "li",
        {},
        el(
          "button",
          { type: "button", class: "issue-row", click: () => page.select(issue.number, issue) },
          symbol(issue.group, issue.verdict),
          el("span", { class: "issue-words" }, el("span", { class: "issue-title" }, names.get(issue.category) ?? issue.number), el("span", { class: "issue-meta" }, issue.number)),
        ),
      ),
    );
    const title = el("h2", { tabindex: "-1" }, say("panel.several", { n: issues.length }));
    fill(this.views.issue, backButton(() => page.close()), title, el("ol", { class: "issue-list" }, rows));
    this.turn("issue");
    page.drawer.rise();
    title.focus({ preventScroll: true });
  }

  /** Any other content in the panel's place, such as whose a place is. */
  openOther(...children) {
    this.line.drop();
    this.number = "";
    this.page.selection.show(null);
    fill(this.views.issue, backButton(() => this.page.close()), ...children);
    this.turn("issue");
    this.page.drawer.rise();
    this.views.issue.querySelector("h2")?.focus({ preventScroll: true });
  }

  /** Back to the list. */
  close() {
    const { number, page } = this;
    this.line.drop();
    this.number = "";
    page.selection.show(null);
    page.entitle("");
    page.list.mark("");
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

  pick(issue, reveal) {
    this.page.selection.show(issue);
    this.page.list.mark(issue.number);
    if (reveal) this.page.reveal(issue);
  }

  draw(issue, { waiting }) {
    const { page } = this;
    const title = el("h2", { id: "issue-title", tabindex: "-1" }, issue.title || issue.category_name || issue.number);
    const children = waiting
      ? [el("div", { class: "waiting", "aria-hidden": "true" })]
      : [
          issue.text && el("p", { class: "issue-text" }, issue.text),
          photoBox(issue),
          verdictBox(issue),
          factList(issue),
          voices(issue),
          timeline(issue.history),
        ];
    const had = this.views.issue.contains(document.activeElement) || !waiting;
    fill(
      this.views.issue,
      backButton(() => page.close()),
      issue.group && headline(issue),
      title,
      ...children,
      el("a", { id: "issue-link", class: "button", href: issueUrl(issue.number), dataset: { issue: issue.number } }, say("panel.page"), icon("forward")),
    );
    if (waiting || (had && document.activeElement === document.body)) title.focus({ preventScroll: true });
  }

  fail(error) {
    const text = error.status === 404 ? say("panel.not_found") : say("list.failed");
    this.views.issue.querySelector(".waiting")?.replaceWith(el("p", { class: "empty", role: "alert" }, text));
  }
}

const byId = (id) => document.getElementById(id);
