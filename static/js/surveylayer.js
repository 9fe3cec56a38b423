/**
 * The issues of the survey map, all held in the browser: state by shape and colour, severity by size, verdict by ring,
 * waiting time by strength, days past the deadline by a bar, returns by a number. And what lies over the sheet.
 */

import { MapCanvas } from "./canvas.js";
import { el } from "./dom.js";
import { gather } from "./gather.js";
import { HeatLayer } from "./heat.js";
import { check, expect, unwatch, watch } from "./ready.js";
import { partsOf } from "./selection.js";
import { GROUPS, drawGroup, drawSymbol, repaintSymbols } from "./symbols.js";
import { colour, onTheme } from "./theme.js";
import { say, short } from "./words.js";

const REACH = 22;
const SIZES = [24, 28, 33, 38];
const LONG_WAIT_D = 90;
const DETAIL_ZOOM = 15;
const FAINT_ZOOM = 13;
const FONT = 'system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif';

/** What Folium's element of the survey map stands for. */
export function addSurvey(map, settings) {
  const issues = new SurveyLayer({ id: settings.id, title: settings.title, url: settings.url });
  const heat = new HeatLayer({ id: "heat", title: say("survey.heat"), note: say("survey.heat_note") });
  const extras = (settings.extras ?? []).map((spec, nth) => new OverSheet({ order: 44 - nth, show: false, ...spec }));
  return [issues, heat, ...extras];
}

export const SurveyLayer = L.Layer.extend({
  initialize(spec) {
    this.spec = { kind: "issues", order: 50, style: {}, show: true, ...spec };
    this.issues = [];
    this.chosen = new Map();
    this.only = null;
    this._drawn = { groups: [], singles: [] };
    this._listeners = new Set();
    this._full = false;
  },

  onAdd(map) {
    this._canvas = new MapCanvas("issues", (ctx, view) => this._paint(ctx, view));
    this._canvas.addTo(map);
    map.sheet.obstacles = (view) => this._drawn.groups.map((g) => {
      const at = { x: g.wx - view.origin.x, y: g.wy - view.origin.y };
      return [at.x - g.r, at.y - g.r, at.x + g.r, at.y + g.r];
    });
    watch(this);
    watch(this._canvas);
    map.on("zoomend", this._compose, this);
    map.on("moveend", this._tell, this);
    onTheme(() => {
      repaintSymbols();
      this._canvas.redraw();
    });
    this._compose();
    return this;
  },

  onRemove(map) {
    map.off("zoomend", this._compose, this).off("moveend", this._tell, this);
    map.sheet.obstacles = () => [];
    unwatch(this._canvas);
    unwatch(this);
    this._canvas.remove();
  },

  inRange: () => true,
  look() {},
  settled() {
    return this._full;
  },
  onChange(listener) {
    this._listeners.add(listener);
  },

  /** All issues of the filter. */
  setIssues(issues) {
    this.issues = issues;
    this._full = true;
    this._compose();
    expect();
    check();
  },

  /** Chosen issues by their number; they never vanish in a circle. */
  setChosen(chosen) {
    this.chosen = chosen;
    this._compose();
  },

  /** Only these stand out (a set of numbers), or all (null). */
  setOnly(only) {
    this.only = only;
    this._compose();
  },

  /** Numbers of the issues whose place fulfils a condition. */
  within(test) {
    return this.issues.filter((issue) => (!this.only || this.only.has(issue.number)) && test(issue));
  },

  under(point) {
    const world = this._map.getPixelBounds().min.add(point);
    const far = (item) => Math.hypot(item.wx - world.x, item.wy - world.y);
    const nearby = this._drawn.singles.filter((s) => far(s) <= REACH).sort((a, b) => far(a) - far(b));
    const group = this._drawn.groups.find((g) => far(g) <= g.r + 3);
    if (nearby.length && (!group || far(nearby[0]) < 12)) {
      return { issues: nearby.filter((s) => Math.hypot(s.wx - nearby[0].wx, s.wy - nearby[0].wy) < 3) };
    }
    return group ? { group: { ...group, place: this._placeOf(group) } } : null;
  },

  /** What is drawn in the view, for tests and for whoever cannot see a canvas. */
  visible() {
    if (!this._map) return [];
    const { groups, singles } = this._inView();
    const corner = this._map.getPixelBounds().min;
    const told = (item) => ({ kind: item.kind, n: item.n, number: item.number, chosen: this.chosen.has(item.number), x: item.wx - corner.x, y: item.wy - corner.y });
    return [...groups, ...singles].map(told);
  },

  tally() {
    const { groups, singles } = this._inView();
    const sum = Object.fromEntries(GROUPS.map((name) => [name, 0]));
    for (const group of groups) for (const name of GROUPS) sum[name] += group[name];
    for (const single of singles) sum[single.group] += 1;
    return sum;
  },

  /** What else the legend explains. */
  keys() {
    const rows = [
      [{ group: "open", severity: 1, days: 99 }, { group: "open", severity: 4, days: 99 }, say("survey.key_severity")],
      [{ group: "open", severity: 2, days: 0 }, { group: "open", severity: 2, days: 99 }, say("survey.key_age", { n: LONG_WAIT_D })],
      [{ group: "in_work", severity: 2, days: 99, late: 40 }, null, say("survey.key_late")],
      [{ group: "open", severity: 2, days: 99, returns: 2 }, null, say("survey.key_returns")],
    ];
    return el("ul", { class: "legend-key survey-key" }, rows.map(([one, other, text]) => el("li", { class: "wide" }, sample(one), other && sample(other), el("span", {}, text))));
  },

  _placeOf(item) {
    return this._map.unproject([item.wx, item.wy], this._map.getZoom());
  },

  _inView() {
    const box = this._map.getPixelBounds();
    const inside = ({ wx, wy }) => wx >= box.min.x && wx <= box.max.x && wy >= box.min.y && wy <= box.max.y;
    return { groups: this._drawn.groups.filter(inside), singles: this._drawn.singles.filter(inside) };
  },

  _compose() {
    if (!this._map) return;
    const zoom = this._map.getZoom();
    const items = this.issues.map((issue) => {
      const at = this._map.project([issue.lat, issue.lon], zoom);
      return { ...issue, kind: "issue", n: 1, wx: at.x, wy: at.y };
    });
    const apart = (item) => this.chosen.has(item.number) || (this.only && !this.only.has(item.number));
    const { groups, singles } = gather(items.filter((item) => !apart(item)), zoom);
    // From far away what has not changed would only lie over what has.
    const gone = this.only && zoom >= FAINT_ZOOM ? items.filter((item) => apart(item) && !this.chosen.has(item.number)) : [];
    const held = items.filter((item) => this.chosen.has(item.number));
    // The graver lie on top, and what is chosen above them all.
    const sorted = [...singles].sort((a, b) => a.severity - b.severity || (a.late ?? -1) - (b.late ?? -1));
    this._drawn = { groups, singles: [...gone.map((item) => ({ ...item, pale: true })), ...sorted, ...held] };
    this._canvas.redraw();
    this._map.sheet.names.redraw();
    this._tell();
  },

  _tell() {
    for (const listener of this._listeners) listener();
  },

  _paint(ctx, view) {
    const seen = (item) => {
      const x = item.wx - view.origin.x;
      const y = item.wy - view.origin.y;
      return x > -50 && y > -50 && x < view.size.x + 50 && y < view.size.y + 50 ? { x, y } : null;
    };
    if (view.zoom >= DETAIL_ZOOM) for (const item of this._drawn.singles) if (item.extent && !item.pale) this._paintExtent(ctx, view, item);
    for (const group of this._drawn.groups) {
      const at = seen(group);
      if (at) drawGroup(ctx, group, at.x, at.y, short(group.n));
    }
    // Farther away all are a little smaller, so that they stay apart.
    const scale = view.zoom < 14 ? 0.8 : view.zoom < 15.5 ? 0.9 : 1;
    for (const item of this._drawn.singles) {
      const at = seen(item);
      if (at) drawIssue(ctx, item, at.x, at.y, view.dpr, { chosen: this.chosen.has(item.number), scale });
    }
  },

  _paintExtent(ctx, view, item) {
    ctx.save();
    ctx.globalAlpha = strength(item);
    ctx.strokeStyle = colour(item.group);
    ctx.fillStyle = colour(item.group);
    ctx.lineWidth = 3;
    ctx.lineJoin = ctx.lineCap = "round";
    for (const part of partsOf(item.extent)) {
      const rings = part.type === "Polygon" ? part.coordinates : part.type === "LineString" ? [part.coordinates] : [];
      ctx.beginPath();
      for (const ring of rings) {
        ring.forEach(([lon, lat], i) => {
          const { x, y } = this._map.project([lat, lon], view.zoom).subtract(view.origin);
          if (i) ctx.lineTo(x, y);
          else ctx.moveTo(x, y);
        });
      }
      if (part.type === "Polygon") {
        ctx.globalAlpha = 0.14;
        ctx.fill("evenodd");
        ctx.globalAlpha = 0.8;
        ctx.lineWidth = 1.8;
      }
      ctx.stroke();
    }
    ctx.restore();
  },
});

/** The longer it waits, the stronger; what has ended is pale. */
function strength(issue) {
  if (issue.pale) return 0.14;
  if (issue.group === "solved" || issue.group === "dropped") return 0.5;
  return 0.6 + 0.4 * Math.min(1, (issue.days ?? 0) / LONG_WAIT_D);
}

/** One issue as the survey map shows it. */
export function drawIssue(ctx, issue, x, y, dpr, { chosen = false, scale = 1 } = {}) {
  const size = Math.round(SIZES[(issue.severity ?? 2) - 1] * scale);
  if (chosen) {
    ctx.beginPath();
    ctx.arc(x, y, size / 2 + 0.5, 0, 7);
    ctx.fillStyle = colour("accent-wash");
    ctx.fill();
    ctx.lineWidth = 4.5;
    ctx.strokeStyle = colour("halo");
    ctx.stroke();
    ctx.lineWidth = 2.4;
    ctx.strokeStyle = colour("accent");
    ctx.stroke();
  }
  ctx.save();
  ctx.globalAlpha = chosen ? 1 : strength(issue);
  drawSymbol(ctx, issue, x, y, size, dpr);
  ctx.textAlign = "center";
  ctx.textBaseline = "alphabetic";
  if (issue.severity >= 3 && (issue.group === "open" || issue.group === "in_work")) {
    ctx.fillStyle = colour("mark");
    ctx.font = `700 ${Math.round(size * 0.3)}px ${FONT}`;
    ctx.fillText(String(issue.severity), x, y + size * 0.11);
  }
  if (issue.pale) {
    ctx.restore();
    return;
  }
  if (issue.late !== undefined) {
    const width = Math.min(26, 7 + Math.log2(1 + issue.late) * 3);
    bar(ctx, x - width / 2, y + size * 0.36, width);
  }
  if (issue.returns && (issue.group === "open" || issue.group === "in_work")) {
    ctx.globalAlpha = 1;
    ctx.beginPath();
    ctx.arc(x + size * 0.34, y - size * 0.32, 6.5, 0, 7);
    ctx.fillStyle = colour("orphan");
    ctx.fill();
    ctx.lineWidth = 1.5;
    ctx.strokeStyle = colour("halo");
    ctx.stroke();
    ctx.fillStyle = colour("halo");
    ctx.font = `700 9px ${FONT}`;
    ctx.fillText(String(issue.returns), x + size * 0.34, y - size * 0.32 + 3.2);
  }
  ctx.restore();
}

function bar(ctx, x, y, width) {
  ctx.globalAlpha = 1;
  ctx.fillStyle = colour("halo");
  ctx.fillRect(x - 1.2, y - 1.2, width + 2.4, 5.4);
  ctx.fillStyle = colour("open");
  ctx.fillRect(x, y, width, 3);
}

function sample(issue) {
  const canvas = el("canvas", { class: "key-sample", "aria-hidden": "true" });
  const dpr = Math.max(2, window.devicePixelRatio || 1);
  canvas.width = canvas.height = 40 * dpr;
  const ctx = canvas.getContext("2d");
  ctx.scale(dpr, dpr);
  drawIssue(ctx, { verdict: "clear", ...issue }, 20, 20, dpr);
  return canvas;
}

/** A layer of GeoJSON over the sheet: ways with their stops, or places; loaded when it is shown for the first time. */
export const OverSheet = L.Layer.extend({
  initialize(spec) {
    this.spec = { kind: "over", style: {}, ...spec };
  },

  inRange: () => true,
  look() {},

  async onAdd(map) {
    this._group ??= L.layerGroup();
    this._group.addTo(map);
    if (this._asked) return;
    this._asked = true;
    const answer = await fetch(this.spec.url, { headers: { Accept: "application/geo+json" } }).catch(() => null);
    if (!answer?.ok) {
      this._asked = false;
      return;
    }
    const { features } = await answer.json();
    const ink = colour(this.spec.look === "visit" ? "visit" : "near");
    for (const { geometry, properties } of features) {
      const shape =
        geometry.type === "Point"
          ? L.circleMarker([geometry.coordinates[1], geometry.coordinates[0]], { radius: 4.5, weight: 2, color: colour("halo"), fillColor: ink, fillOpacity: 1 })
          : L.geoJSON(geometry, { style: { color: ink, weight: 2.5, opacity: 0.75, dashArray: this.spec.look === "visit" ? "6 5" : null, fillOpacity: 0.15 } });
      const words = () => el("div", {}, el("b", {}, properties.title), properties.note && el("div", {}, properties.note));
      shape.bindTooltip(words, { sticky: true }).addTo(this._group);
    }
  },

  onRemove() {
    this._group?.remove();
  },

  mark() {
    return el("span", { class: `over-mark over-${this.spec.look}`, "aria-hidden": "true" });
  },
});
