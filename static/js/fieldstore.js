/**
 * What the field keeps on this phone: packs, photos, maps, records and drafts, each sealed with AES-GCM.
 *
 * The key cannot be taken out of the browser (WebCrypto, non-extractable). Without a PIN it lies beside what it seals:
 * whoever copies the files reads nothing, whoever can open this browser can. With a PIN it is made from the PIN each
 * time and lies nowhere. The page and the service worker share this file.
 */

const NAME = "geoapp-field";
const STORES = ["pieces", "records", "drafts"];
const ROUNDS = 600_000;
const CHECK = "check";

let opened;
let key = null;

/** "open", or "locked" while a PIN is needed. */
export async function unseal() {
  if (key) return "open";
  const known = await ask("facts", "readonly", (store) => store.get("key"));
  if (known?.key) key = known.key;
  else if (!known) key = await firstKey();
  return key ? "open" : "locked";
}

async function firstKey() {
  const fresh = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  try {
    await ask("facts", "readwrite", (store) => store.add({ id: "key", key: fresh }));
    return fresh;
  } catch {
    // Another window was faster.
    return (await ask("facts", "readonly", (store) => store.get("key")))?.key ?? null;
  }
}

/** True when the PIN is right; what it opens stays open until the page is closed. */
export async function unlock(pin) {
  const { salt, sealed } = await ask("facts", "readonly", (store) => store.get("key"));
  const tried = await derived(pin, salt);
  try {
    await decrypt(tried, sealed, CHECK);
  } catch {
    return false;
  }
  key = tried;
  return true;
}

/** True when a PIN is set. */
export async function hasPin() {
  return Boolean((await ask("facts", "readonly", (store) => store.get("key")))?.salt);
}

/** Seals all anew, with a PIN or (empty) without one: all of it or nothing. */
export async function protect(pin) {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const fresh = pin
    ? await derived(pin, salt)
    : await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const fact = pin ? { id: "key", salt, sealed: await encrypt(fresh, new Uint8Array([1]), CHECK) } : { id: "key", key: fresh };
  const again = [];
  for (const name of STORES) {
    for (const row of await ask(name, "readonly", (store) => store.getAll())) {
      again.push([name, { ...row, sealed: await encrypt(fresh, await decrypt(key, row.sealed, row.id), row.id) }]);
    }
  }
  const db = await database();
  await finished(db.transaction([...STORES, "facts"], "readwrite", { durability: "strict" }), (transaction) => {
    for (const [name, row] of again) transaction.objectStore(name).put(row);
    transaction.objectStore("facts").put(fact);
  });
  key = fresh;
}

/** Keeps something: `open` stays readable without the key, `told` (JSON) and `bytes` do not. */
export async function put(name, { id, open = {}, told = null, bytes = null }) {
  const row = { ...open, id, sealed: await encrypt(key, packed(told, bytes), id) };
  await ask(name, "readwrite", (store) => store.put(row));
}

/** What was kept under an id: `{open, told, bytes}`, or null. */
export async function get(name, id) {
  const row = await ask(name, "readonly", (store) => store.get(id));
  return row ? unpacked(row) : null;
}

/** All rows as they lie there: only what is not sealed can be read of them. */
export const rows = (name) => ask(name, "readonly", (store) => store.getAll());

export async function unpacked(row) {
  const { sealed, ...open } = row;
  return { open, ...split(await decrypt(key, sealed, row.id)) };
}

export const drop = (name, id) => ask(name, "readwrite", (store) => store.delete(id));

/** Forgets everything, the key first: what a browser may leave on the disk opens no more. */
export async function wipe() {
  key = null;
  const db = await database();
  await finished(db.transaction(["facts"], "readwrite"), (transaction) => transaction.objectStore("facts").clear());
  await finished(db.transaction(STORES, "readwrite"), (transaction) => STORES.forEach((name) => transaction.objectStore(name).clear()));
}

// --- sealing ---

async function derived(pin, salt) {
  const base = await crypto.subtle.importKey("raw", new TextEncoder().encode(pin), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS };
  return crypto.subtle.deriveKey(how, base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

/** The id is sealed along, so that nothing can be put in the place of something else. */
async function encrypt(by, bytes, id) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(id) }, by, bytes);
  return { iv, data };
}

async function decrypt(by, { iv, data }, id) {
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(id) }, by, data));
}

/** JSON and bytes in one: the length of the JSON comes first. */
function packed(told, bytes) {
  const words = new TextEncoder().encode(JSON.stringify(told));
  const all = new Uint8Array(4 + words.length + (bytes?.byteLength ?? 0));
  new DataView(all.buffer).setUint32(0, words.length);
  all.set(words, 4);
  if (bytes) all.set(new Uint8Array(bytes), 4 + words.length);
  return all;
}

function split(all) {
  const length = new DataView(all.buffer).getUint32(0);
  const told = JSON.parse(new TextDecoder().decode(all.subarray(4, 4 + length)));
  const bytes = all.length > 4 + length ? all.slice(4 + length).buffer : null;
  return { told, bytes };
}

// --- the database ---

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      for (const name of [...STORES, "facts"]) request.result.createObjectStore(name, { keyPath: "id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function ask(name, mode, act) {
  const db = await database();
  let request;
  await finished(db.transaction(name, mode, { durability: "strict" }), (transaction) => {
    request = act(transaction.objectStore(name));
  });
  return request.result;
}

/** The promise is kept when it has reached the disk. */
function finished(transaction, act) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("not kept"));
    act(transaction);
  });
}
