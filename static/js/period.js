/** The choice of a period: a few usual ones, or any two days. */

import { el } from "./dom.js";
import { day, say } from "./words.js";

/** Usual periods as `[key, from]`; all end today. @param {string} today YYYY-MM-DD */
function presets(today) {
  const back = (days) => {
    const date = new Date(`${today}T00:00:00Z`);
    date.setUTCDate(date.getUTCDate() - days + 1);
    return date.toISOString().slice(0, 10);
  };
  return [["days30", back(30)], ["days90", back(90)], ["year", `${today.slice(0, 4)}-01-01`], ["all", ""]];
}

/** The period in words: a usual one by its name. */
export function periodName({ from, to }, today) {
  const usual = !to && presets(today).find(([, start]) => start === from);
  if (usual) return say(`period.${usual[0]}`);
  if (from && to) return `${day(from)} – ${day(to)}`;
  return from ? say("period.since", { day: day(from) }) : say("period.until", { day: day(to) });
}

/** Buttons and two date fields. `change` gets `{from, to}`. */
export function period({ from, to, today, change }) {
  const buttons = presets(today).map(([key, start]) =>
    el(
      "button",
      { type: "button", class: "chip", "aria-pressed": String(!to && from === start), click: () => change({ from: start, to: "" }) },
      say(`period.${key}`),
    ),
  );
  const field = (id, label, value, set) =>
    el("label", { class: "date" }, label, el("input", { id, type: "date", value, change: (event) => set(event.target.value) }));
  return el(
    "fieldset",
    { class: "choice-box period" },
    el("legend", { class: "unseen" }, say("filter.period")),
    el("div", { class: "chips" }, buttons),
    el(
      "div",
      { class: "dates" },
      field("filter-from", say("filter.from"), from, (value) => change({ from: value, to })),
      field("filter-to", say("filter.to"), to, (value) => change({ from, to: value })),
    ),
  );
}
