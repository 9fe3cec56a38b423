/** Gathers issues that would lie on one another into circles. No issue is lost: the sum stays. */

import { GROUPS } from "./symbols.js";

const SMALLEST = 12;
const LARGEST = 32;
const FEW = 400;
const CROWD = 15;

/**
 * A circle of many issues. `wx`, `wy` are world pixels.
 * @typedef {{kind: "group", n: number, open: number, in_work: number, solved: number, dropped: number,
 *   contested: number, orphan: number, wx: number, wy: number, r: number}} Group
 */

/**
 * @param {Array} items issues and aggregates of the tiles, each with wx, wy, n
 * @param {number} zoom
 * @param {number} [reference] the number that gets the largest circle
 * @returns {{groups: Group[], singles: Array, reference: number}}
 */
export function gather(items, zoom, reference = 0) {
  const counted = items.filter((item) => item.kind === "group");
  const lone = items.filter((item) => item.kind === "issue");
  const { crowds, singles } = zoom < CROWD ? crowd(lone) : { crowds: [], singles: lone };
  const parts = [...counted, ...crowds].map((part) => ({ ...part }));
  const most = Math.max(reference, round125(parts.reduce((high, part) => Math.max(high, part.n), FEW)));
  let groups = merge(parts, most);
  for (let pass = 0; pass < 4; pass += 1) {
    const fewer = merge(groups, most);
    if (fewer.length === groups.length) break;
    groups = fewer;
  }
  const left = singles.filter((single) => {
    const under = groups.find((g) => near(g, single, g.r + 2));
    if (under) join(under, asGroup(single));
    return !under;
  });
  for (const g of groups) g.r = radius(g.n, most);
  return { groups, singles: left, reference: most };
}

/** Area grows with the number, from a smallest circle that can hold its digits. */
export function radius(n, most) {
  const share = Math.min(1, Math.max(0, (n - 1) / Math.max(1, most - 1)));
  return Math.sqrt(SMALLEST ** 2 + share * (LARGEST ** 2 - SMALLEST ** 2)) + (n > 999 ? 2 : 0);
}

function merge(parts, most) {
  const groups = [];
  for (const part of [...parts].sort((a, b) => b.n - a.n || a.wx - b.wx || a.wy - b.wy)) {
    part.r = radius(part.n, most);
    const host = groups.find((g) => near(g, part, g.r + part.r + 1));
    if (host) {
      join(host, part);
      host.r = radius(host.n, most);
    } else groups.push(part);
  }
  return groups;
}

/** Three or more single issues within a few pixels become a circle; pairs stay as they are. */
function crowd(lone) {
  const cells = new Map();
  for (const item of lone) {
    const key = `${Math.floor(item.wx / 22)} ${Math.floor(item.wy / 22)}`;
    if (!cells.has(key)) cells.set(key, []);
    cells.get(key).push(item);
  }
  const crowds = [];
  const singles = [];
  for (const members of cells.values()) {
    if (members.length < 3) singles.push(...members);
    else {
      const [first, ...rest] = members.map(asGroup);
      rest.forEach((other) => join(first, other));
      crowds.push(first);
    }
  }
  return { crowds, singles };
}

function asGroup(issue) {
  const group = { kind: "group", n: issue.n, wx: issue.wx, wy: issue.wy, r: 0 };
  for (const name of GROUPS) group[name] = issue.group === name ? issue.n : 0;
  group.contested = issue.verdict === "contested" ? issue.n : 0;
  group.orphan = issue.verdict === "orphan" ? issue.n : 0;
  return group;
}

function join(host, part) {
  const n = host.n + part.n;
  host.wx = (host.wx * host.n + part.wx * part.n) / n;
  host.wy = (host.wy * host.n + part.wy * part.n) / n;
  for (const name of [...GROUPS, "contested", "orphan"]) host[name] += part[name];
  host.n = n;
}

function near(a, b, distance) {
  const dx = a.wx - b.wx;
  const dy = a.wy - b.wy;
  return dx * dx + dy * dy < distance * distance;
}

/** The next number of the series 1, 2, 5, 10, 20, … */
function round125(n) {
  const ten = 10 ** Math.floor(Math.log10(n));
  return [1, 2, 5, 10].map((step) => step * ten).find((step) => step >= n);
}
