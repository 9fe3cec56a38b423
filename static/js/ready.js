/** Tells when all that is visible has been drawn: the event `map-ready`, and a counter on <html>. */

const watched = new Set();
let due = false;
let asked = false;
let loads = 0;

/** Watches something with `settled()`: true when nothing is on its way and all is painted. */
export function watch(thing) {
  watched.add(thing);
}

export function unwatch(thing) {
  watched.delete(thing);
  check();
}

/** The view or the filter changed: the next time all is still, it is said again. */
export function expect() {
  due = true;
  check();
}

/** To be called after each painting; looks once in the next frame. */
export function check() {
  if (!due || asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    if (!due || ![...watched].every((thing) => thing.settled())) return;
    due = false;
    loads += 1;
    document.documentElement.dataset.mapReady = String(loads);
    document.dispatchEvent(new CustomEvent("map-ready", { detail: loads }));
  });
}

/** How often the map has become ready. */
export const count = () => loads;
