/** A heat of days lost: each open issue weighs as many days as it has been open; the same sum has the same colour. */

import { MapCanvas } from "./canvas.js";
import { unwatch, watch } from "./ready.js";
import { colour, onTheme } from "./theme.js";

const REACH_M = 130;
const COARSE = 2;
const STRONGEST = 0.72;

export const HeatLayer = L.Layer.extend({
  initialize(spec) {
    this.spec = { kind: "heat", order: 45, style: {}, show: false, ...spec };
    this._points = [];
  },

  onAdd(map) {
    if (!map.getPane("heat")) {
      const pane = map.createPane("heat");
      pane.style.zIndex = "300";
      pane.style.pointerEvents = "none";
    }
    this._canvas = new MapCanvas("heat", (ctx, view) => this._paint(ctx, view));
    this._canvas.addTo(map);
    watch(this._canvas);
    onTheme(() => {
      this._ramp = null;
      this._canvas.redraw();
    });
    return this;
  },

  onRemove() {
    unwatch(this._canvas);
    this._canvas.remove();
  },

  inRange: () => true,
  look() {},

  /** @param {{lat: number, lon: number, days: number, ended: boolean}[]} issues */
  setIssues(issues) {
    this._points = issues.filter((issue) => issue.group === "open" || issue.group === "in_work");
    if (this._map) this._canvas.redraw();
  },

  mark() {
    const canvas = document.createElement("canvas");
    canvas.className = "swatch";
    canvas.width = 68;
    canvas.height = 40;
    const ctx = canvas.getContext("2d");
    const sweep = ctx.createLinearGradient(0, 0, 68, 0);
    for (const [at, ink, alpha] of stops()) sweep.addColorStop(at, withAlpha(ink, alpha));
    ctx.fillStyle = sweep;
    ctx.fillRect(0, 0, 68, 40);
    return canvas;
  },

  _paint(ctx, view) {
    const points = this._points.map((issue) => ({ at: this._map.project([issue.lat, issue.lon], view.zoom).subtract(view.origin), weight: issue.days + 1 }));
    const reach = this._reach(view);
    const most = densest(points, reach);
    if (!most) return;
    const width = Math.ceil(view.size.x / COARSE);
    const height = Math.ceil(view.size.y / COARSE);
    const sheet = document.createElement("canvas");
    sheet.width = width;
    sheet.height = height;
    const plain = sheet.getContext("2d", { willReadFrequently: true });
    const r = reach / COARSE;
    for (const { at, weight } of points) {
      const [x, y] = [at.x / COARSE, at.y / COARSE];
      if (x < -r || y < -r || x > width + r || y > height + r) continue;
      const blot = plain.createRadialGradient(x, y, 0, x, y, r);
      const strength = Math.min(1, weight / most);
      blot.addColorStop(0, `rgb(0 0 0 / ${strength})`);
      blot.addColorStop(0.5, `rgb(0 0 0 / ${strength * 0.45})`);
      blot.addColorStop(1, "rgb(0 0 0 / 0)");
      plain.fillStyle = blot;
      plain.fillRect(x - r, y - r, 2 * r, 2 * r);
    }
    const image = plain.getImageData(0, 0, width, height);
    const ramp = (this._ramp ??= makeRamp());
    for (let i = 3; i < image.data.length; i += 4) {
      const shade = image.data[i] * 4;
      for (let part = 0; part < 4; part += 1) image.data[i - 3 + part] = ramp[shade + part];
    }
    plain.putImageData(image, 0, 0);
    ctx.imageSmoothingEnabled = true;
    ctx.drawImage(sheet, 0, 0, width * COARSE, height * COARSE);
  },

  /** The reach of one issue in pixels: so many metres, but never too small to be seen or too large to tell places apart. */
  _reach(view) {
    const middle = this._map.getCenter();
    const metres = (40075016.7 * Math.cos((middle.lat * Math.PI) / 180)) / (256 * 2 ** view.zoom);
    return Math.min(90, Math.max(22, REACH_M / metres));
  },
});

/** The largest sum of weights within one reach, so that the ramp ends there. */
function densest(points, reach) {
  const cells = new Map();
  let most = 0;
  for (const { at, weight } of points) {
    const key = `${Math.floor(at.x / reach)} ${Math.floor(at.y / reach)}`;
    const sum = (cells.get(key) ?? 0) + weight;
    cells.set(key, sum);
    most = Math.max(most, sum);
  }
  return most;
}

const stops = () => [[0, "near", 0.01], [0.12, "near", 0.25], [0.5, "near", 0.6], [1, "open", STRONGEST]];

function makeRamp() {
  const strip = document.createElement("canvas");
  strip.width = 256;
  strip.height = 1;
  const ctx = strip.getContext("2d");
  const sweep = ctx.createLinearGradient(0, 0, 256, 0);
  for (const [at, ink, alpha] of stops()) sweep.addColorStop(at, withAlpha(ink, alpha));
  ctx.fillStyle = sweep;
  ctx.fillRect(0, 0, 256, 1);
  return ctx.getImageData(0, 0, 256, 1).data;
}

const withAlpha = (name, alpha) => `color-mix(in srgb, ${colour(name)} ${Math.round(alpha * 100)}%, transparent)`;
