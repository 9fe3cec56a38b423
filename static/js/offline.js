/** The service worker: the page opens without a line from now on, and what waits goes out when there is one. */

import { language } from "./words.js";

export async function keepOffline() {
  if (!navigator.serviceWorker) return;
  await navigator.serviceWorker.register(`/sw.js?lang=${language()}`, { type: "module", scope: "/", updateViaCache: "none" }).catch(() => {});
}

/** Asks for the line to be used when it is back; `tag` names which outbox. */
export async function wakeWorker(tag) {
  const worker = await navigator.serviceWorker?.getRegistration().catch(() => null);
  await worker?.sync?.register(tag).catch(() => {});
}
