/**
 * The outbox of the field: every record has an id of its own from the first moment, so sending it twice records it once.
 * The page and the service worker share this file.
 */

import * as store from "./fieldstore.js";
import { freshId } from "./outbox.js";

const LOCK = "geoapp-field-outbox";
const PATIENCE_MS = 60_000;
const LATER_S = 30;

/**
 * @typedef {{id: string, visit: string, person: string, made: number, state: "waiting"|"sent"|"conflict"|"refused",
 *   again?: number}} Open   what can be read without the key
 */

/** Keeps a record; from now on it waits. Returns its id. */
export async function record(visit, person, { id = freshId(), issue, kind, base = null, body, at = new Date().toISOString(), title = "" }, bytes = null) {
  const told = { record: { id, issue: issue ?? id, kind, at, base, body }, title };
  await store.put("records", { id, open: { visit, person, made: Date.now(), state: "waiting" }, told, bytes });
  return id;
}

/** Everything of a visit, the oldest first: `{open, told, bytes}`. */
export async function all(visit) {
  const rows = (await store.rows("records")).filter((row) => row.visit === visit).sort((a, b) => a.made - b.made || (a.id < b.id ? -1 : 1));
  return Promise.all(rows.map((row) => store.unpacked(row)));
}

/** How many records of anybody wait on this phone; needs no key. */
export async function waiting() {
  return (await store.rows("records")).filter((row) => row.state === "waiting").length;
}

export const drop = (id) => store.drop("records", id);

/** Lets a record that was refused go out again, perhaps mended. */
export async function again(id, mend = (body) => body) {
  const held = await store.get("records", id);
  const { open, told, bytes } = held;
  const record = { ...told.record, body: mend(told.record.body) };
  await store.put("records", { id, open: { ...open, state: "waiting", again: 0 }, told: { ...told, record, message: "" }, bytes });
}

/** Marks a record after a person has decided its conflict. */
export async function settled(id, fate) {
  const held = await store.get("records", id);
  if (held) await store.put("records", { id, open: { ...held.open, state: "sent" }, told: { ...held.told, fate }, bytes: null });
}

/**
 * Sends what waits; one page or worker at a time. Returns "sent", "no_line", "signed_out" or "locked".
 * @param {() => void} [changed] hears of every record that has moved on
 */
export async function flush(changed = () => {}) {
  const work = () => sendAll(changed);
  if (!navigator.locks) return work();
  return navigator.locks.request(LOCK, work);
}

async function sendAll(changed) {
  if ((await store.unseal()) === "locked") return "locked";
  const rows = (await store.rows("records")).filter((row) => row.state === "waiting" && !(row.again > Date.now()));
  if (!rows.length) return "sent";
  const answer = await ask("/field/line.json");
  if (!answer) return "no_line";
  if (!answer.ok) return answer.status === 401 || answer.status === 403 ? "signed_out" : "no_line";
  const { person, csrf } = await answer.json();
  const own = rows.filter((row) => row.person === person).sort((a, b) => a.made - b.made || (a.id < b.id ? -1 : 1));
  for (const row of own) {
    const outcome = await send(await store.unpacked(row), csrf);
    // Without an answer nothing behind it will get one either.
    if (outcome === "no_line" || outcome === "signed_out") return outcome;
    changed();
  }
  return own.length < rows.length ? "of_another" : "sent";
}

async function send({ open, told, bytes }, csrf) {
  const address = `/field/visits/${open.visit}/records?lang=${told.lang ?? "zh"}`;
  const headers = { "X-CSRF-Token": csrf };
  let body = JSON.stringify(told.record);
  if (told.record.kind === "photo") {
    const form = new FormData();
    form.append("record", body);
    form.append("photo", new Blob([bytes ?? new ArrayBuffer(0)], { type: "image/jpeg" }), "photo.jpg");
    body = form;
  } else headers["Content-Type"] = "application/json";
  const answer = await ask(address, { method: "POST", body, headers });
  if (!answer) return "no_line";
  if (answer.status === 401) return "signed_out";
  if (answer.status === 429 || answer.status >= 500) {
    const seconds = Number(answer.headers.get("Retry-After")) || LATER_S;
    await store.put("records", { id: open.id, open: { ...open, again: Date.now() + seconds * 1000 }, told, bytes });
    return "later";
  }
  const said = await answer.json().catch(() => ({}));
  const [one] = said.answers ?? [];
  const refused = !one || one.outcome === "refused";
  const state = refused ? "refused" : one.outcome === "conflict" ? "conflict" : "sent";
  const message = refused ? (one?.message ?? said.error?.message ?? `HTTP ${answer.status}`) : "";
  const known = { ...told, message, number: one?.number ?? told.number, meanwhile: Boolean(one?.meanwhile), fate: one?.fate };
  // What has arrived need not lie here too.
  await store.put("records", { id: open.id, open: { ...open, state }, told: known, bytes: refused ? bytes : null });
  return state;
}

/** The answer, or null when none came. */
export async function ask(address, how = {}) {
  try {
    const headers = { Accept: "application/json", ...how.headers };
    return await fetch(address, { cache: "no-store", ...how, headers, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    return null;
  }
}
