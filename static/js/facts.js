/** The facts of one issue as elements; all text that people wrote arrives here as text. */

import { el, icon, symbol } from "./dom.js";
import { day, metres, number, say, squareMetres } from "./words.js";

/** State and verdict in one line, with the very symbol of the map. */
export function headline(issue) {
  return el(
    "p",
    { class: "headline" },
    symbol(issue.group, issue.verdict),
    el("span", { class: `state state-${issue.group}` }, issue.state_name ?? say(`group.${issue.group}`)),
    issue.number && el("span", { class: "number" }, issue.number),
    issue.synthetic && el("span", { class: "tag" }, say("issue.synthetic")),
  );
}

/** Names and values; what is unknown is left out. */
export function factList(issue) {
  const money = (value) => (value === null || value === undefined ? "" : say("unit.yuan", { n: number(value, 2) }));
  const size = [
    issue.length_m ? say("issue.long", { n: metres(issue.length_m) }) : "",
    issue.area_m2 ? squareMetres(issue.area_m2) : "",
  ].filter(Boolean);
  const facts = [
    ["category", issue.category_name],
    ["community", issue.community_name],
    ["unit", issue.unit_name],
    ["helping", (issue.helping_units ?? []).join(say("list_comma"))],
    ["reported", day(issue.reported_on)],
    ["ended", day(issue.ended_on)],
    ["severity", issue.severity_name],
    ["size", size.join(say("list_comma"))],
    ["address", issue.address],
    ["level", issue.level_name],
    ["cost_planned", money(issue.cost_planned)],
    ["cost_spent", money(issue.cost_spent)],
    ["fund", issue.fund_source],
    ["placed", issue.placed_by_name && [issue.placed_by_name, issue.accuracy_m ? `± ${metres(issue.accuracy_m)}` : ""].filter(Boolean).join(" ")],
    ["source", issue.source_name],
    ["place_note", issue.privacy === "blurred" ? say("issue.blurred") : ""],
  ];
  const rows = facts.filter(([, value]) => value).flatMap(([key, value]) => [el("dt", {}, say(`issue.${key}`)), el("dd", {}, value)]);
  return el("dl", { class: "facts" }, rows);
}

/** Whose it is and why: class, sentence, and the candidates with their reasons. */
export function verdictBox({ verdict, verdict_name: name, verdict_hint: hint, candidates = [], judged_on: judged }) {
  if (!verdict) return null;
  return el(
    "section",
    { class: `verdict-box verdict-box-${verdict}` },
    el("h3", {}, say("issue.whose"), el("span", { class: `verdict verdict-${verdict}` }, name)),
    hint && el("p", { class: "hint" }, hint),
    candidates.length > 0 && el("ol", { class: "candidates" }, candidates.map(candidate)),
    judged && el("p", { class: "hint" }, say("issue.judged", { day: day(judged) })),
  );
}

function candidate(one) {
  const edge = one.edge_m ?? null;
  const inside = say(one.inside ? "issue.inside" : "issue.outside");
  const where = edge === null ? inside : say(one.inside ? "issue.inside_edge" : "issue.outside_edge", { n: metres(edge) });
  return el(
    "li",
    { class: one.inside ? "inside" : "outside" },
    el("b", {}, one.unit_name),
    one.phone && el("a", { class: "phone", href: `tel:${one.phone.replace(/[^+\d]/g, "")}` }, one.phone),
    el("span", { class: "reason" }, one.reason || where),
    one.evidence && el("span", { class: "reason" }, say("issue.evidence", { what: one.evidence })),
  );
}

/** What happened, the latest first. */
export function timeline(history = []) {
  if (!history.length) return null;
  const entries = [...history].reverse().map((event) =>
    el(
      "li",
      {},
      el("time", { datetime: event.at }, day(event.at)),
      el("b", {}, event.action_name ?? event.action),
      event.actor && el("span", { class: "actor" }, event.actor),
      event.plain && el("span", { class: "plainly" }, event.plain),
      event.note && el("span", { class: "note" }, event.note),
    ),
  );
  return el("section", { class: "history" }, el("h3", {}, say("issue.history")), el("ol", { class: "timeline" }, entries));
}

/** What residents say of the result, with how many said it; and what they added. */
export function voices({ ratings = [], rating_reasons: reasons = [], remarks = [], expect }) {
  const answers = ratings.reduce((sum, one) => sum + one.n, 0);
  return [
    expect && el("p", { class: "expect" }, el("b", {}, say("issue.expect")), expect),
    answers > 0 &&
      el(
        "section",
        { class: "ratings" },
        el("h3", {}, say("issue.rating")),
        el("p", { class: "hint" }, say(answers === 1 ? "issue.rating_one" : "issue.rating_n", { n: answers })),
        el("ul", {}, ratings.map((one) => el("li", {}, el("span", {}, one.name), el("meter", { min: 0, max: answers, value: one.n }), el("b", {}, one.n)))),
        reasons.map((why) => el("blockquote", {}, why)),
      ),
    remarks.length > 0 &&
      el("section", { class: "remarks" }, el("h3", {}, say("issue.remarks")), remarks.map((one) => el("p", { class: "remark" }, el("time", {}, one.at), one.text))),
  ];
}

/** The round button that leads back from an issue or place to the list. */
export function backButton(press) {
  return el("button", { type: "button", class: "back", "aria-label": say("panel.back"), click: press }, icon("back"), say("panel.list"));
}
