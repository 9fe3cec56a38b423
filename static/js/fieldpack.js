/** The field pack on this phone: loaded piece by piece, sealed, read without a line. */

import { ask } from "./fieldbox.js";
import * as store from "./fieldstore.js";
import { language } from "./words.js";

const AT_ONCE = 3;

/** The pack of a visit as it was loaded, or null. */
export async function held(visit) {
  return (await store.get("pieces", `pack:${visit}`))?.told ?? null;
}

/** What loading would cost, in bytes: `{all, words, photos, map}`; null without a line. */
export async function size(visit) {
  const answer = await ask(`/field/visits/${visit}/pack.json?only=size&lang=${language()}`);
  return answer?.ok ? (await answer.json()).bytes : null;
}

/**
 * Loads a visit. What has been loaded stays when the line breaks, and is not loaded twice.
 * @param {(share: number, bytes: number) => void} progress
 */
export async function load(visit, progress) {
  const answer = await ask(`/field/visits/${visit}/pack.json?lang=${language()}`);
  if (!answer) throw new Error("no_line");
  if (!answer.ok) throw new Error(answer.status === 401 ? "signed_out" : ((await answer.json().catch(() => ({}))).error?.message ?? `HTTP ${answer.status}`));
  await navigator.storage?.persist?.().catch(() => false);
  const { csrf: _, ...told } = await answer.json();
  let done = told.bytes.words;
  const step = (bytes) => {
    done += bytes;
    progress(Math.min(1, done / told.bytes.all), done);
  };
  step(0);
  const before = await held(visit);
  await store.put("pieces", { id: `pack:${visit}`, open: { visit, person: told.person }, told: { ...told, lang: language(), whole: false } });
  const photos = told.stops.flatMap((stop) => stop.photos);
  const known = new Set((await store.rows("pieces")).map((row) => row.id));
  const pieces = [
    // Maps follow the boundaries of the day; a photo never changes.
    ...told.maps.map((one) => ({ ...one, id: `map:${visit}:${one.part}` })),
    ...photos.map((one) => ({ ...one, id: `photo:${one.id}` })).filter((one) => !known.has(one.id) || void step(one.bytes)),
  ];
  await inTurn(pieces, async (piece) => {
    const got = await ask(piece.url);
    if (!got?.ok) throw new Error(got ? `HTTP ${got.status}` : "no_line");
    await store.put("pieces", { id: piece.id, open: { visit }, told: { kind: piece.kind ?? "photo" }, bytes: await got.arrayBuffer() });
    step(piece.bytes);
  });
  const whole = { ...told, lang: language(), whole: true };
  await store.put("pieces", { id: `pack:${visit}`, open: { visit, person: told.person }, told: whole });
  await tidy(visit, before, whole);
  return whole;
}

/** Several at once, but few: a phone's line is thin. The first failure ends it. */
async function inTurn(list, act) {
  const queue = [...list];
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await act(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Photos that are no longer in the pack go. */
async function tidy(visit, before, after) {
  const kept = new Set(after.stops.flatMap((stop) => stop.photos.map((one) => one.id)));
  for (const photo of before?.stops.flatMap((stop) => stop.photos) ?? []) if (!kept.has(photo.id)) await store.drop("pieces", `photo:${photo.id}`);
}

/** Takes a visit off this phone; its records stay until they have arrived. */
export async function unload(visit) {
  for (const row of await store.rows("pieces")) if (row.visit === visit) await store.drop("pieces", row.id);
}

/** The bytes of a photo of the pack, or null. */
export async function photo(id) {
  return (await store.get("pieces", `photo:${id}`))?.bytes ?? null;
}

/** A map of the pack as an archive that is read from memory: `{archive, kind}`, or null. */
export async function ground(visit, part) {
  const piece = await store.get("pieces", `map:${visit}:${part}`);
  if (!piece?.bytes) return null;
  const { bytes } = piece;
  const source = {
    getKey: () => `${visit}:${part}:${bytes.byteLength}`,
    getBytes: async (offset, length) => ({ data: bytes.slice(offset, offset + length) }),
  };
  return { archive: new window.pmtiles.PMTiles(source), kind: piece.told.kind };
}
