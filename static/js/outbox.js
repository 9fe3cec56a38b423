/**
 * What this phone reports, kept until it has arrived. The page and the service worker share it.
 *
 * Each parcel has an id and a key of its own from the first moment, so sending it twice makes one report:
 * nothing here needs to know for certain whether an earlier attempt got through.
 */

const NAME = "geoapp";
const PARCELS = "parcels";
const LOCK = "geoapp-outbox";
const PATIENCE_MS = 60_000;

/**
 * @typedef {{id: string, key: string, kind: "report"|"witness", number?: string, told: object, lang: string,
 *   photos: Array<{id: string, blob: ?Blob, sent?: boolean, problem?: string}>, made: number,
 *   state: "draft"|"waiting"|"sent"|"refused", link?: string, issue?: string, problem?: string, again?: number}} Parcel
 */

/** An id of this moment (UUIDv7), so that what is reported together lies together. */
export function freshId(now = Date.now()) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let i = 0; i < 6; i += 1) bytes[i] = Math.floor(now / 2 ** (8 * (5 - i))) & 255;
  bytes[6] = (bytes[6] & 15) | 112;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** A key that nobody can guess: 256 bits in base64url. */
export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** All parcels, the newest first. */
export async function all() {
  const found = await ask("readonly", (store) => store.getAll());
  return found.sort((a, b) => b.made - a.made);
}

/** @param {Parcel} parcel */
export const put = (parcel) => ask("readwrite", (store) => store.put(parcel));
export const get = (id) => ask("readonly", (store) => store.get(id));
export const drop = (id) => ask("readwrite", (store) => store.delete(id));

/**
 * Sends whatever waits; one page or worker at a time. `changed` hears of every parcel that has moved on.
 * @param {(parcel: Parcel) => void} [changed]
 */
export async function flush(changed = () => {}) {
  const work = () => sendAll(changed);
  if (!navigator.locks) return work();
  return navigator.locks.request(LOCK, work);
}

async function sendAll(changed) {
  const waiting = (await all()).filter((parcel) => parcel.state === "waiting" || unsentPhotos(parcel).length > 0);
  for (const parcel of waiting.reverse()) {
    if (parcel.again && parcel.again > Date.now()) continue;
    // Without an answer nothing behind it will get one either.
    if (!(await send(parcel, changed))) return;
  }
}

/** Photos of a parcel that have not arrived and may still. */
export const unsentPhotos = (parcel) =>
  parcel.state === "sent" ? parcel.photos.filter((photo) => photo.blob && !photo.sent && !photo.problem) : [];

/** One parcel and its photos; false when there is no line. */
async function send(parcel, changed) {
  if (parcel.state === "waiting") {
    const path = parcel.kind === "witness" ? `/api/issues/${encodeURIComponent(parcel.number)}/witnesses` : "/api/issues";
    const body = JSON.stringify({ ...parcel.told, id: parcel.id, key: parcel.key });
    const answer = await post(`${path}?lang=${parcel.lang}`, body, { "Content-Type": "application/json", Device: await device() });
    if (!answer) return false;
    if (await postponed(parcel, answer, changed)) return true;
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      await keep({ ...parcel, state: "refused", problem: said.error?.message ?? `HTTP ${answer.status}` }, changed);
      return true;
    }
    const [, , issue] = said.link.split("/");
    parcel = { ...parcel, state: "sent", number: said.number, link: said.link, issue, problem: "", again: 0 };
    await keep(parcel, changed);
  }
  for (const photo of unsentPhotos(parcel)) {
    const form = new FormData();
    form.append("photo", photo.blob, "photo.jpg");
    form.append("phase", "before");
    const path = `/api/reports/${parcel.issue}/${parcel.id}/photos/${photo.id}?lang=${parcel.lang}`;
    const answer = await post(path, form, { "Report-Key": parcel.key });
    if (!answer) return false;
    if (await postponed(parcel, answer, changed)) return true;
    const said = await answer.json().catch(() => ({}));
    if (answer.ok) Object.assign(photo, { sent: true, blob: null });
    else photo.problem = said.error?.message ?? `HTTP ${answer.status}`;
    await keep(parcel, changed);
  }
  return true;
}

/** True when the server asks to come again later. */
async function postponed(parcel, answer, changed) {
  if (answer.status !== 429 && answer.status < 500) return false;
  const seconds = Number(answer.headers.get("Retry-After")) || 30;
  await keep({ ...parcel, again: Date.now() + seconds * 1000 }, changed);
  return true;
}

/** The answer, or null when none came. */
async function post(path, body, headers) {
  try {
    return await fetch(path, { method: "POST", body, headers: { Accept: "application/json", ...headers }, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    return null;
  }
}

async function keep(parcel, changed) {
  await put(parcel);
  changed(parcel);
}

/** The mark that this phone gives itself, so that floods from one phone can be told from a busy network. */
async function device() {
  const known = await ask("readonly", (store) => store.get("device"), "facts");
  if (known) return known.value;
  const value = freshKey();
  await ask("readwrite", (store) => store.put({ id: "device", value }), "facts");
  return value;
}

let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(PARCELS, { keyPath: "id" });
      request.result.createObjectStore("facts", { keyPath: "id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/** One transaction; the promise is kept when it has reached the disk. */
async function ask(mode, act, name = PARCELS) {
  const db = await database();
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(name, mode, { durability: "strict" });
    const request = act(transaction.objectStore(name));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? request.error);
  });
}
