/** The stops of a plan as a list that one orders: by dragging with mouse or finger, by buttons, or with the arrow keys. */

import { el, fill, icon, symbol } from "./dom.js";
import { costOf } from "./visitplan.js";
import { metres, number, say } from "./words.js";

export class StopList {
  constructor(page) {
    this.page = page;
    this.total = el("p", { class: "visit-total", role: "status" });
    this.basis = el("p", { class: "hint" });
    this.cost = el("div", { class: "cost", role: "status", hidden: true });
    this.again = el("button", { id: "best-order", type: "button", class: "button", click: () => page.best() }, say("visit.best"));
    this.rows = el("ol", { class: "stop-list", id: "stops" });
    this.out = el("section", { class: "left-out", hidden: true });
    this.element = el("section", { class: "plan-route", "aria-labelledby": "route-title" }, el("div", { class: "route-head" }, el("h2", { id: "route-title" }, say("visit.plan")), this.again), this.total, this.basis, this.cost, this.rows, this.out);
    this.open = new Set();
    this.draw();
  }

  wait() {
    this.element.setAttribute("aria-busy", "true");
    if (!this.page.schedule) this.total.textContent = say("visit.planning");
  }

  rest() {
    this.element.removeAttribute("aria-busy");
  }

  draw() {
    const { schedule, draft, before, issues } = this.page;
    this.rest();
    const had = document.activeElement?.id;
    const told = new Map((schedule?.stops ?? []).map((one) => [one.issue, one]));
    const inOrder = draft.stops.filter((stop) => (schedule ? told.has(stop.issue) : !stop.out));
    fill(this.rows, inOrder.map((stop, nth) => this.row(stop, nth, inOrder.length, told.get(stop.issue))), schedule && schedule.home_m > 0 && el("li", { class: "way-home" }, say("visit.home", { n: metres(schedule.home_m) })));
    this.drawOut(schedule?.left_out ?? []);
    if (schedule) {
      fill(
        this.total,
        say("visit.total", { stops: schedule.stops.length, length: metres(schedule.length_m), time: time(schedule.minutes), ends: schedule.ends }),
        schedule.over > 0 && el("span", { class: "deadline overdue" }, ` ${say("visit.over", { n: schedule.over })}`),
      );
      const how = draft.by_hand ? "visit.by_hand" : schedule.exact ? "visit.best_is" : "visit.best_found";
      this.basis.textContent = `${say(how)}${document.documentElement.lang.startsWith("zh") ? "。" : ". "}${schedule.basis_text}`;
      this.again.disabled = !draft.by_hand;
    }
    this.cost.hidden = !(before?.schedule && schedule);
    if (!this.cost.hidden) {
      fill(this.cost, el("b", {}, costOf(before.schedule, schedule, issues)), el("button", { id: "undo-order", type: "button", class: "plain", click: () => this.page.undo() }, say("visit.undo")));
    }
    if (had) document.getElementById(had)?.focus({ preventScroll: true });
  }

  row(stop, nth, n, told) {
    const issue = this.page.issues[stop.issue];
    const own = stop.minutes ?? this.page.draft.minutes;
    const times = told && [
      el("b", {}, `${told.begins}–${told.leaves}`),
      told.waits > 0 && el("span", { class: "waits" }, say("visit.waits", { n: told.waits })),
      el("span", {}, say("visit.leg", { n: metres(told.leg_m) })),
      told.late > 0 && el("span", { class: "deadline overdue" }, say("visit.late", { n: told.late, from: told.window?.[0] ?? "", to: told.window?.[1] ?? "" })),
      told.cut_off && el("span", { class: "deadline overdue" }, say("visit.cut_off")),
    ];
    const step = (by) => this.move(nth, nth + by);
    return el(
      "li",
      { class: "stop", id: `stop-${stop.issue}`, dataset: { issue: stop.issue } },
      el("button", { type: "button", id: `drag-${stop.issue}`, class: "stop-n", "aria-label": say("visit.drag", { n: nth + 1 }), pointerdown: (event) => this.grab(event), keydown: (event) => this.keyed(event, nth) }, String(nth + 1)),
      el(
        "div",
        { class: "stop-words" },
        el("p", {}, symbol(issue.group, issue.verdict), el("a", { class: "stop-title", href: issue.url }, issue.title), " ", el("span", { class: "number" }, issue.number)),
        el("p", { class: "stop-times" }, times),
        this.more(stop, own),
      ),
      el(
        "div",
        { class: "stop-moves" },
        el("button", { type: "button", id: `up-${stop.issue}`, class: "move", disabled: nth === 0, "aria-label": say("visit.move_up", { n: nth + 1 }), click: () => step(-1) }, icon("down", "icon up")),
        el("button", { type: "button", id: `down-${stop.issue}`, class: "move", disabled: nth === n - 1, "aria-label": say("visit.move_down", { n: nth + 1 }), click: () => step(1) }, icon("down")),
      ),
    );
  }

  /** Time, appointment and whether it must be visited. */
  more(stop, own) {
    const change = (name, read) => (event) => {
      if (!event.target.validity.valid) return;
      stop[name] = read(event.target);
      if ((name === "from" || name === "to") && Boolean(stop.from) !== Boolean(stop.to)) return;
      this.page.change();
    };
    const text = (target) => target.value || null;
    const id = (name) => `${name}-${stop.issue}`;
    const box = el(
      "details",
      { class: "stop-more", open: this.open.has(stop.issue) },
      el("summary", { id: id("more") }, [say("visit.more"), stop.from && `${stop.from}–${stop.to}`, stop.pinned && say("visit.pinned")].filter(Boolean).join(" · ")),
      el(
        "div",
        { class: "stop-fields" },
        el("label", {}, say("visit.own_minutes"), el("input", { id: id("minutes"), type: "number", min: 1, max: 480, value: stop.minutes ?? "", placeholder: own, change: change("minutes", (target) => (target.value ? Number(target.value) : null)) })),
        el("label", {}, say("visit.from"), el("input", { id: id("from"), type: "time", value: stop.from ?? "", change: change("from", text) })),
        el("label", {}, say("visit.to"), el("input", { id: id("to"), type: "time", value: stop.to ?? "", change: change("to", text) })),
        el("label", { class: "tick-line" }, el("input", { id: id("pinned"), type: "checkbox", checked: stop.pinned, change: change("pinned", (target) => target.checked) }), say("visit.pinned")),
        el("button", { id: id("out"), type: "button", class: "plain", click: () => this.take(stop.issue, true) }, say("visit.take_out")),
        el("button", { id: id("forget"), type: "button", class: "plain", click: () => this.forget(stop.issue) }, say("visit.forget")),
      ),
    );
    box.addEventListener("toggle", () => (box.open ? this.open.add(stop.issue) : this.open.delete(stop.issue)));
    return box;
  }

  drawOut(left) {
    this.out.hidden = left.length === 0;
    const rows = left.map((one) => {
      const issue = this.page.issues[one.issue];
      return el(
        "li",
        { class: "stop out", dataset: { issue: one.issue } },
        el("span", { class: "stop-n" }, "–"),
        el("div", { class: "stop-words" }, el("p", {}, symbol(issue.group, issue.verdict), el("a", { class: "stop-title", href: issue.url }, issue.title), " ", el("span", { class: "number" }, issue.number)), el("p", { class: "stop-times" }, one.why)),
        el("button", { type: "button", class: "plain", click: () => this.take(one.issue, false) }, say("visit.put_in")),
        el("button", { type: "button", class: "plain", click: () => this.forget(one.issue) }, say("visit.forget")),
      );
    });
    fill(this.out, el("h2", {}, say("visit.left_out"), ` ${number(left.length)}`), el("ol", { class: "stop-list" }, rows));
  }

  take(id, out) {
    const { stops } = this.page.draft;
    const found = stops.find((stop) => stop.issue === id);
    const rest = stops.filter((stop) => stop.issue !== id);
    const kept = rest.filter((stop) => !stop.out);
    const gone = rest.filter((stop) => stop.out);
    this.page.order(out ? [...kept, ...gone, { ...found, out: true }] : [...kept, { ...found, out: false }, ...gone]);
  }

  forget(id) {
    const stops = this.page.draft.stops.filter((stop) => stop.issue !== id);
    if (stops.length) this.page.change({ stops });
  }

  move(from, to) {
    const stops = [...this.page.draft.stops];
    const last = stops.filter((stop) => !stop.out).length - 1;
    const target = Math.max(0, Math.min(last, to));
    if (target === from) return;
    const [moved] = stops.splice(from, 1);
    stops.splice(target, 0, moved);
    this.page.order(stops);
  }

  keyed(event, nth) {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    this.move(nth, nth + by);
  }

  /** Follows the pointer with a row, and settles it where it is let go. */
  grab(event) {
    if (event.button !== 0) return;
    const row = event.target.closest("li");
    const from = [...this.rows.children].indexOf(row);
    const handle = event.currentTarget;
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    row.classList.add("dragged");
    const others = () => [...this.rows.querySelectorAll(".stop")].filter((one) => one !== row);
    const move = (step) => {
      const after = others().find((one) => {
        const box = one.getBoundingClientRect();
        return step.clientY < box.top + box.height / 2;
      });
      if (after) this.rows.insertBefore(row, after);
      else others().at(-1)?.after(row);
    };
    const end = (step) => {
      handle.removeEventListener("pointermove", move);
      handle.removeEventListener("pointerup", end);
      handle.removeEventListener("pointercancel", end);
      row.classList.remove("dragged");
      const to = [...this.rows.children].indexOf(row);
      if (step.type === "pointerup" && to !== from) this.move(from, to);
      else this.draw();
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", end);
    handle.addEventListener("pointercancel", end);
  }

  /** Brings the row of a stop into view. */
  reveal(id) {
    const row = document.getElementById(`stop-${id}`);
    row?.scrollIntoView({ block: "nearest" });
    row?.querySelector(".stop-title")?.focus({ preventScroll: true });
  }
}

function time(minutes) {
  return minutes < 60 ? say("visit.mins", { m: minutes }) : say("visit.hours", { h: Math.floor(minutes / 60), m: minutes % 60 });
}
