/** What waits, what has arrived, and what is in conflict: shown side by side, decided by a person. */

import { el, fill } from "./dom.js";
import { again, ask, drop, settled } from "./fieldbox.js";
import * as packs from "./fieldpack.js";
import * as store from "./fieldstore.js";
import { language, say } from "./words.js";

const PIN = /^\d{6,12}$/;

/** Fills `box` with the outbox of a visit. */
export async function showOutbox(box, field, records) {
  const waits = records.filter((one) => one.open.state === "waiting").length;
  const clashes = (await store.get("pieces", `clashes:${field.visit}`))?.told ?? [];
  fill(
    box,
    el("h2", { tabindex: "-1" }, say("field.tab_outbox")),
    el("p", { id: "outbox-said", role: "status" }, waits ? say(waits === 1 ? "field.waits_one" : "field.waits", { n: waits }) : say(records.length ? "field.all_sent" : "field.nothing_recorded")),
    field.trouble && el("p", { class: "hint" }, say(`field.trouble_${field.trouble}`)),
    field.trouble === "signed_out" && el("a", { class: "button primary", href: `/sign-in?next=${encodeURIComponent(location.pathname)}` }, say("field.sign_in")),
    el("button", { type: "button", class: "button primary", id: "send-now", disabled: waits === 0, click: () => field.flush() }, say("field.send_now")),
    clashes.length > 0 && el("section", { class: "clashes" }, el("h3", {}, say("field.conflicts")), el("p", { class: "hint" }, say("field.conflicts_hint")), clashes.map((one) => clash(field, one))),
    el("ul", { class: "records" }, [...records].reverse().map((one) => row(field, one))),
    await keeping(field, waits),
  );
}

function row(field, one) {
  const { open, told } = one;
  const retry = async () => {
    await again(open.id);
    await field.flush();
  };
  const gone = async () => {
    await drop(open.id);
    await field.refresh();
  };
  return el(
    "li",
    { class: `record record-${open.state}`, dataset: { state: open.state, kind: told.record.kind } },
    el("b", {}, say(`field.kind.${told.record.kind}`)),
    el("span", {}, told.title),
    el("small", {}, stateOf(one)),
    open.state === "refused" && el("button", { type: "button", class: "plain", click: retry }, say("field.try_again")),
    open.state === "refused" && el("button", { type: "button", class: "plain", click: gone }, say("field.drop")),
  );
}

/** Where a record stands, in words. */
export function stateOf({ open, told }) {
  if (open.state === "refused") return say("field.refused", { why: told.message });
  if (open.state === "sent" && told.fate === "theirs") return say("field.not_taken");
  if (open.state === "sent" && told.meanwhile && told.fate !== "mine") return say("field.sent_meanwhile");
  return say(`field.state_${open.state}`);
}

function clash(field, one) {
  const decide = async (choice, event) => {
    event.target.disabled = true;
    const line = await ask("/field/line.json");
    const { csrf } = line?.ok ? await line.json() : {};
    const address = `/field/visits/${field.visit}/records/${one.issue}/${one.id}/${choice}?lang=${language()}`;
    const answer = csrf && (await ask(address, { method: "POST", body: JSON.stringify({ seq: one.seq }), headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf } }));
    if (!answer) field.refuse(say("field.decide_line"));
    else if (answer.ok) await settled(one.id, choice);
    else field.refuse(answer.status === 409 ? say("field.changed_again") : ((await answer.json().catch(() => ({}))).error?.message ?? `HTTP ${answer.status}`));
    await field.lookForClashes();
    await field.refresh();
  };
  const line = (change) => el("li", {}, el("time", {}, change.at), ` ${change.who}: ${change.what}`, change.note && el("q", {}, change.note));
  return el(
    "article",
    { class: "clash", dataset: { id: one.id } },
    el("h4", {}, `${one.title} · ${one.kind_name}`),
    el(
      "div",
      { class: "sides" },
      el("section", {}, el("h5", {}, say("field.mine")), el("p", {}, one.mine), el("small", {}, `${one.at} ${one.person}`)),
      el("section", {}, el("h5", {}, say("field.theirs")), el("ul", {}, one.theirs.map(line)), one.kind === "extent" && el("p", {}, say("field.stands", { what: one.stands }))),
    ),
    el(
      "div",
      { class: "stop-acts" },
      el("button", { type: "button", class: "button", dataset: { choice: "mine" }, click: (event) => decide("mine", event) }, say("field.take_mine")),
      el("button", { type: "button", class: "button", dataset: { choice: "theirs" }, click: (event) => decide("theirs", event) }, say("field.keep_theirs")),
    ),
  );
}

/** How what is kept here is protected, and how it goes. */
async function keeping(field, waits) {
  const set = await store.hasPin();
  const pin = el("input", { type: "password", inputmode: "numeric", autocomplete: "off", id: "new-pin", maxlength: 12, "aria-describedby": "pin-hint" });
  const protect = async (value) => {
    if (value && !PIN.test(value)) {
      field.refuse(say("field.pin_wrong_form"));
      return;
    }
    await field.alone(() => store.protect(value));
    field.say(say(value ? "field.pin_set" : "field.pin_removed"));
    await field.refresh();
  };
  const unload = async () => {
    await packs.unload(field.visit);
    location.reload();
  };
  return el(
    "details",
    { class: "card" },
    el("summary", {}, say("field.kept_title")),
    el("p", {}, say("field.kept_what")),
    el("p", { id: "pin-hint" }, say(set ? "field.kept_with_pin" : "field.kept_without_pin")),
    !set && [el("label", { for: "new-pin" }, say("field.pin_new")), pin, el("button", { type: "button", class: "button", id: "set-pin", click: () => protect(pin.value) }, say("field.pin_set_do"))],
    set && el("button", { type: "button", class: "button", click: () => protect("") }, say("field.pin_remove")),
    el("p", {}, say("field.kept_wiped")),
    field.pack && el("button", { type: "button", class: "button", id: "unload", disabled: waits > 0, click: unload }, say("field.unload")),
    field.pack && el("button", { type: "button", class: "button", id: "load-again", click: () => field.offer() }, say("field.load_again")),
  );
}
