/** Colours for the canvas, read from the page's custom properties, so that dark mode and print are CSS. */

const cache = new Map();
const listeners = new Set();
const dark = matchMedia("(prefers-color-scheme: dark)");
const printing = matchMedia("print");
export const stillness = matchMedia("(prefers-reduced-motion: reduce)");

for (const query of [dark, printing]) query.addEventListener("change", changed);

/** Calls back when the colours changed. */
export function onTheme(listener) {
  listeners.add(listener);
}

/**
 * A colour by name (`contested` is `--map-contested` or `--contested`) or as written in a layer file;
 * a written colour is turned to its counterpart on dark ground.
 */
export function colour(name) {
  if (!name) return "";
  if (!cache.has(name)) cache.set(name, lookUp(name));
  return cache.get(name);
}

/** The muted colour of one of many: a number is its place in the series, a name always gets the same. */
export function oneOfMany(key) {
  if (/^\d+$/.test(key)) return colour(`many-${(Number(key) % 10) + 1}`);
  let hash = 7;
  for (const letter of String(key)) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
  return colour(`many-${(hash % 10) + 1}`);
}

function changed() {
  cache.clear();
  for (const listener of listeners) listener();
}

function lookUp(name) {
  const style = getComputedStyle(document.documentElement);
  const own = style.getPropertyValue(`--map-${name}`) || style.getPropertyValue(`--${name}`);
  if (own) return own.trim();
  return dark.matches && !printing.matches && /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(name) ? onDark(name) : name;
}

/** The same hue and chroma with the lightness mirrored, kept away from black and white. */
function onDark(hex) {
  const long = hex.length === 4 ? hex.replace(/[0-9a-f]/gi, "$&$&") : hex;
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(long.slice(i, i + 2), 16) / 255);
  const high = Math.max(r, g, b);
  const low = Math.min(r, g, b);
  const l = (high + low) / 2;
  const span = high - low;
  let h = 0;
  if (span > 0) {
    if (high === r) h = ((g - b) / span + 6) % 6;
    else if (high === g) h = (b - r) / span + 2;
    else h = (r - g) / span + 4;
  }
  const mirrored = Math.min(0.78, Math.max(0.13, 1.02 - l));
  const s = Math.min(1, span / (1 - Math.abs(2 * mirrored - 1)));
  return `hsl(${Math.round(h * 60)} ${Math.round(s * 100)}% ${Math.round(mirrored * 100)}%)`;
}
