/** What works without a line: the pages for reporting and for the field, the map as last seen, the sending of what waits. */

import { flush as flushField } from "{{ fieldbox }}";
import { flush } from "{{ outbox }}";

const KEPT = {{ keep | safe }};
const LANG = new URL(self.location.href).searchParams.get("lang") || "zh";
const TILES = "geoapp-tiles";
const MOST_TILES = 600;
const PATIENCE_MS = 4000;
/** The page in the field: it holds nothing of anybody, so it may be kept; what is private the page itself keeps sealed. */
const FIELD = /^\/field\/visits\/[0-9a-f-]+\/go$/;
const SHELL = "/field/shell";

self.addEventListener("install", (event) => {
  event.waitUntil(keepAll());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(tidy());
});

self.addEventListener("sync", (event) => {
  if (event.tag === "outbox") event.waitUntil(flush(tell));
  if (event.tag === "field") event.waitUntil(flushField(tell));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request, url));
  else if (url.pathname.startsWith("/static/")) event.respondWith(file(request));
  else if (url.pathname.startsWith("/tiles/") || url.pathname.startsWith("/base/")) event.respondWith(tile(request));
});

async function keepAll() {
  const cache = await caches.open(KEPT.name);
  await cache.addAll(KEPT.files);
  for (const address of KEPT.pages) await cache.put(address, await fetch(address, { cache: "reload" }));
  await self.skipWaiting();
}

async function tidy() {
  for (const name of await caches.keys()) if (name !== KEPT.name && name !== TILES) await caches.delete(name);
  await self.clients.claim();
}

/** From the line while there is one; the page for reporting, as it was kept, when there is none. */
async function page(request, url) {
  const isReport = url.pathname === "/report";
  const isField = FIELD.test(url.pathname);
  const isKept = isReport || isField || url.pathname === "/";
  try {
    return await fetch(request, isKept ? { signal: AbortSignal.timeout(PATIENCE_MS) } : {});
  } catch (error) {
    const lang = url.searchParams.get("lang") || LANG;
    const name = isField ? SHELL : isKept ? url.pathname : "/report";
    const kept = await caches.match(`${name}?lang=${lang}`);
    if (!kept) throw error;
    // Other pages are not kept: they lead to the one that works, so that its address tells what is shown.
    return isKept ? kept : Response.redirect(`/report?lang=${lang}`, 302);
  }
}

/** Our files are named by their content: what is kept is right. */
async function file(request) {
  return (await caches.match(request)) ?? fetch(request);
}

async function tile(request) {
  const cache = await caches.open(TILES);
  try {
    const answer = await fetch(request);
    if (answer.ok && answer.status === 200) {
      const copy = answer.clone();
      cache.put(request, copy).then(() => trim(cache)).catch(() => {});
    }
    return answer;
  } catch (error) {
    const kept = await cache.match(request);
    if (kept) return kept;
    throw error;
  }
}

let trimming = false;

async function trim(cache) {
  if (trimming) return;
  trimming = true;
  const keys = await cache.keys();
  for (const key of keys.slice(0, Math.max(0, keys.length - MOST_TILES))) await cache.delete(key);
  trimming = false;
}

async function tell() {
  for (const client of await self.clients.matchAll()) client.postMessage("outbox");
}
