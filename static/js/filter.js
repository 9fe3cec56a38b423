/** The filter as a value, and its form in an address; the same words as the server's. */

export const LISTS = ["category", "state", "unit", "community", "verdict"];
export const DAYS = ["from", "to"];
export const LONGEST_SEARCH = 100;

/** @typedef {{category: string[], state: string[], unit: string[], community: string[],
 *   verdict: string[], from: string, to: string, q: string}} Filter */

/** No filter: everything that is public. @returns {Filter} */
export function everything() {
  return { category: [], state: [], unit: [], community: [], verdict: [], from: "", to: "", q: "" };
}

/** Reads a filter out of an address. @returns {Filter} */
export function readFilter(params) {
  const filter = everything();
  for (const key of LISTS) {
    const values = params.getAll(key).flatMap((text) => text.split(","));
    filter[key] = [...new Set(values.map((value) => value.trim()).filter(Boolean))];
  }
  for (const key of DAYS) filter[key] = params.get(key) ?? "";
  filter.q = tidied(params.get("q") ?? "");
  return filter;
}

/** A search as the server takes it: single blanks, not too long, no half characters. */
export function tidied(text) {
  return [...text.trim().replace(/\s+/g, " ")].slice(0, LONGEST_SEARCH).join("");
}

/** The filter as `[key, value]` pairs in a fixed order, so that equal filters make equal addresses. */
export function pairsOf(filter) {
  const lists = LISTS.filter((key) => filter[key].length).map((key) => [key, [...filter[key]].sort().join(",")]);
  const search = filter.q ? [["q", filter.q]] : [];
  return [...search, ...lists, ...DAYS.filter((key) => filter[key]).map((key) => [key, filter[key]])];
}

/** Pairs as a query; commas and slashes stay legible. */
export function queryOf(pairs) {
  const plain = (text) => encodeURIComponent(text).replace(/%2C/g, ",").replace(/%2F/g, "/");
  return pairs.map(([key, value]) => `${key}=${plain(value)}`).join("&");
}

export const isEmpty = (filter) => pairsOf(filter).length === 0;

/** A list with one value put in or taken out. */
export function toggled(list, value) {
  return list.includes(value) ? list.filter((other) => other !== value) : [...list, value];
}
