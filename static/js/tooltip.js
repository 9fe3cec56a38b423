/** The small word at the pointer; a help for the mouse only, nothing depends on it. */

import { el, fill } from "./dom.js";
import { GROUPS } from "./symbols.js";
import { count, number, say } from "./words.js";

export function followPointer(page) {
  const { map, issues } = page;
  if (!issues || !matchMedia("(hover: hover)").matches) return;
  const tip = el("div", { id: "tooltip", "aria-hidden": "true", hidden: true });
  const frame = map.getContainer();
  frame.append(tip);
  let due = null;
  const hide = () => {
    tip.hidden = true;
    frame.classList.remove("over-issue");
  };
  map.on("mousemove", (event) => {
    if (!due) requestAnimationFrame(() => show(due));
    due = event.containerPoint;
  });
  map.on("mouseout movestart zoomstart", hide);

  function show(point) {
    due = null;
    const hit = map.hasLayer(issues) && !page.whose.picking ? issues.under(point) : null;
    if (!hit) {
      hide();
      return;
    }
    frame.classList.add("over-issue");
    fill(tip, hit.group ? ofGroup(hit.group) : ofIssues(hit.issues));
    tip.hidden = false;
    const right = point.x > map.getSize().x - 220;
    tip.style.transform = `translate(${Math.round(point.x + (right ? -14 : 14))}px, ${Math.round(point.y + 14)}px)`;
    tip.classList.toggle("left", right);
  }

  function ofGroup(group) {
    const parts = GROUPS.filter((name) => group[name]).map((name) => el("span", { class: `dot dot-${name}` }, `${say(`group.${name}`)} ${number(group[name])}`));
    return [el("b", {}, count("list.found", group.n)), el("div", { class: "tip-parts" }, parts)];
  }

  function ofIssues([first, ...others]) {
    const name = page.filters.names.category.get(first.category) ?? "";
    return [el("b", {}, name), el("div", {}, others.length ? say("tip.more", { number: first.number, n: others.length }) : first.number)];
  }
}
