/** A searchable list of checkboxes; arrows move through it, so that Tab leaves it at once. */

import { el, fill } from "./dom.js";
import { say } from "./words.js";

/**
 * @param {{label: string, options: {value: string, label: string, note?: string, depth?: number,
 *   group?: string, sign?: Node}[], selected: string[], search?: boolean, toggle: (value: string) => void}} spec
 * @returns {HTMLElement}
 */
export function choices({ label, options, selected, search = false, toggle }) {
  const list = el("ul", { class: "choices" });
  const draw = (text = "") => {
    const found = matching(options, text.trim().toLowerCase());
    let group = "";
    const rows = [];
    for (const option of found) {
      if (option.group && option.group !== group) rows.push(el("li", { class: "choice-group" }, option.group));
      group = option.group ?? "";
      rows.push(row(option, selected.includes(option.value), toggle));
    }
    fill(list, rows.length ? rows : el("li", { class: "choice-none" }, say("filter.none_found")));
    rove(list);
  };
  draw();
  list.addEventListener("keydown", (event) => step(event, list));
  const field =
    search &&
    el("input", {
      type: "search",
      class: "choice-search",
      placeholder: say("filter.search"),
      "aria-label": say("filter.search_in", { what: label }),
      input: (event) => draw(event.target.value),
      keydown: (event) => {
        if (event.key !== "ArrowDown") return;
        event.preventDefault();
        list.querySelector("input")?.focus();
      },
    });
  return el("fieldset", { class: "choice-box" }, el("legend", { class: "unseen" }, label), field, list);
}

/** Options whose words or ancestors' words hold the text. */
function matching(options, text) {
  if (!text) return options;
  return options.filter((option) => `${option.label} ${option.note ?? ""} ${option.group ?? ""}`.toLowerCase().includes(text));
}

function row(option, checked, toggle) {
  const box = el("input", { type: "checkbox", value: option.value, checked, change: () => toggle(option.value) });
  return el(
    "li",
    { class: `choice depth-${option.depth ?? 0}` },
    el("label", {}, box, option.sign, el("span", { class: "choice-name" }, option.label, option.note && el("small", {}, option.note))),
  );
}

/** Only one box of the list is in the tab order. */
function rove(list) {
  const boxes = [...list.querySelectorAll("input")];
  const first = boxes.find((box) => box.checked) ?? boxes[0];
  for (const box of boxes) box.tabIndex = box === first ? 0 : -1;
}

function step(event, list) {
  const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!way || event.target.type !== "checkbox") return;
  event.preventDefault();
  const boxes = [...list.querySelectorAll("input")];
  const next = boxes[boxes.indexOf(event.target) + way];
  if (!next) return;
  event.target.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
