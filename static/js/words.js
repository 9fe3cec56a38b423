/** The browser's words, numbers and dates in the page's language. */

let words = {};
let lang = "zh";
/** Making a formatter takes far longer than using it. */
const formatters = new Map();

/** Takes the words that the page carries; the names of the state groups come with the choices. */
export function speak(config) {
  const groups = (config.states ?? []).map(({ group, name }) => [`group.${group}`, name]);
  words = { ...config.words, ...Object.fromEntries(groups) };
  lang = config.lang ?? "zh";
}

export const language = () => lang;

/** The sentence `key` with its `{parameters}` filled; an unknown key shows itself. */
export function say(key, params = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => params[name] ?? whole);
}

/** `key.one` or `key.many`, as English needs; `{n}` is written out. */
export function count(key, n) {
  return say(`${key}.${n === 1 ? "one" : "many"}`, { n: number(n) });
}

/** 12,345 */
export function number(n, digits = 0) {
  return formatter(`number ${digits}`, () => new Intl.NumberFormat(lang, { maximumFractionDigits: digits })).format(n);
}

/** A number that fits a circle: 9,999 stays, 12,345 becomes 12k or 1.2万. */
export function short(n) {
  if (n < 10000) return String(n);
  const [unit, name] = lang === "zh" ? [10000, "万"] : n < 1e6 ? [1000, "k"] : [1e6, "M"];
  const size = n / unit;
  return `${size < 10 ? Math.floor(size * 10) / 10 : Math.floor(size)}${name}`;
}

/** Metres as people say them. */
export function metres(m) {
  if (m >= 1000) return `${number(m / 1000, m < 10000 ? 1 : 0)} ${say("unit.km")}`;
  return `${number(m, m < 10 ? 1 : 0)} ${say("unit.m")}`;
}

/** Square metres as people say them. */
export function squareMetres(m2) {
  return m2 >= 1e6 ? `${number(m2 / 1e6, 2)} km²` : `${number(m2)} m²`;
}

/** A day, from `2026-03-01` or an instant; the server already speaks in the place's time zone. */
export function day(text) {
  if (!text) return "";
  const [y, m, d] = text.slice(0, 10).split("-").map(Number);
  const make = () =>
    new Intl.DateTimeFormat(lang === "zh" ? "zh-CN" : "en-GB", {
      year: "numeric",
      month: lang === "zh" ? "long" : "short",
      day: "numeric",
      timeZone: "UTC",
    });
  return formatter("day", make).format(Date.UTC(y, m - 1, d));
}

function formatter(kind, make) {
  const name = `${lang} ${kind}`;
  if (!formatters.has(name)) formatters.set(name, make());
  return formatters.get(name);
}

/** One of two names: `name_zh`, `name_en`, or whatever name there is. */
export function nameOf(props, stem = "name") {
  const other = lang === "zh" ? "en" : "zh";
  return props[`${stem}_${lang}`] || props[stem] || props[`${stem}_${other}`] || "";
}

/** A title given as text, or as `{zh, en}`. */
export function titleOf(title) {
  if (!title || typeof title === "string") return title ?? "";
  return title[lang] || title.zh || title.en || "";
}
