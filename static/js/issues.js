/**
 * The issues of a map: tiles in, one canvas over the view out. Tiles carry each issue once and no buffer;
 * since all are drawn on one canvas, nothing is cut at tile edges.
 */

import { MapCanvas } from "./canvas.js";
import { gather } from "./gather.js";
import { expect, unwatch, watch } from "./ready.js";
import { GROUPS, drawGroup, drawSymbol, repaintSymbols } from "./symbols.js";
import { onTheme, stillness } from "./theme.js";
import { Tiles, placeIn, tilesIn } from "./tiles.js";
import { short } from "./words.js";

const FADE = 200;
const REACH = 22;

export const IssueLayer = L.Layer.extend({
  initialize(spec) {
    this.spec = { minZoom: 0, maxDataZoom: 16, order: 50, ...spec, style: spec.style ?? {} };
    this._tiles = new Tiles(spec.tiles, shape, () => this._arrived());
    this._raw = [];
    this._drawn = { groups: [], singles: [] };
    this._reference = new Map();
    this._listeners = new Set();
  },

  onAdd(map) {
    this._canvas = new MapCanvas("issues", (ctx, view) => this._paint(ctx, view));
    this._canvas.addTo(map);
    this._canvas.on("moved", this.look, this);
    map.sheet.obstacles = (view) => this._obstacles(view);
    watch(this);
    watch(this._canvas);
    map.on("moveend", this.look, this);
    onTheme(() => {
      repaintSymbols();
      this._canvas.redraw();
    });
    this.look();
    return this;
  },

  onRemove(map) {
    map.off("moveend", this.look, this);
    map.sheet.obstacles = () => [];
    unwatch(this._canvas);
    unwatch(this);
    this._canvas.remove();
    this._tiles.want([]);
    this._raw = [];
    this._drawn = { groups: [], singles: [] };
    map.sheet.names.redraw();
    this._tell();
  },

  inRange(zoom) {
    return zoom >= this.spec.minZoom;
  },

  /** Shows only what `query` (the filter as an address query) lets through. */
  setFilter(query) {
    if (query === this._tiles.query) return;
    this._tiles.setQuery(query);
    this._turned = true;
    if (this._map) this.look();
  },

  /** Calls back after each change of what is drawn. */
  onChange(listener) {
    this._listeners.add(listener);
  },

  settled() {
    return this._tiles.complete && !this._due && !this._fade;
  },

  /** Asks for the tiles of the view; not before it is decided which layers are shown. */
  look() {
    if (!this._map.started) return;
    const view = this._canvas.view();
    expect();
    const z = Math.max(0, Math.min(Math.round(view.zoom), this.spec.maxDataZoom));
    this._wanted = !this.inRange(view.zoom) ? [] : tilesIn(this._map, view.world, view.zoom, z, this.spec.extent);
    if (view.zoom !== this._zoom) this._turned = true;
    this._tiles.want(this._wanted);
    this._compose(view.zoom);
  },

  /** What is drawn in the view, for tests and for whoever cannot see a canvas. */
  visible() {
    if (!this._map || !this._canvas) return [];
    const { groups, singles } = this._inView();
    const told = (item) => {
      const { lat, lng } = item.lat === undefined ? this._placeOf(item) : { lat: item.lat, lng: item.lon };
      const at = this._containerPoint(item);
      const parts = Object.fromEntries(GROUPS.map((name) => [name, item.kind === "group" ? item[name] : Number(item.group === name)]));
      return { kind: item.kind, ...(item.number && { number: item.number }), n: item.n, ...parts, lat, lon: lng, x: at.x, y: at.y };
    };
    return [...groups.map((group) => told({ ...group, lat: undefined })), ...singles.map(told)];
  },

  /** Numbers of the issues in view by state group. */
  tally() {
    const { groups, singles } = this._inView();
    const sum = Object.fromEntries(GROUPS.map((name) => [name, 0]));
    for (const group of groups) for (const name of GROUPS) sum[name] += group[name];
    for (const single of singles) sum[single.group] += 1;
    return sum;
  },

  /**
   * What lies under a point of the container: `{group}`, `{issues: […]}` nearest first, or null.
   * Issues that share the spot of the nearest come along with it.
   */
  under(point) {
    const world = this._map.getPixelBounds().min.add(point);
    const far = (item) => Math.hypot(item.wx - world.x, item.wy - world.y);
    const group = this._drawn.groups.find((g) => far(g) <= g.r + 3);
    const nearby = this._drawn.singles.filter((s) => far(s) <= REACH).sort((a, b) => far(a) - far(b));
    if (nearby.length && (!group || far(nearby[0]) < 9)) {
      const [first] = nearby;
      const issues = nearby.filter((s) => Math.hypot(s.wx - first.wx, s.wy - first.wy) < 3);
      return { issues };
    }
    return group ? { group: { ...group, place: this._placeOf(group) } } : null;
  },

  _arrived() {
    if (this._due) return;
    this._due = true;
    requestAnimationFrame(() => {
      this._due = false;
      if (this._map && !this._map._animatingZoom) this._compose(this._map.getZoom());
    });
  },

  /** Makes the picture: tiles that are there, and what was shown before where tiles are still missing. */
  _compose(zoom) {
    const raw = [];
    const missing = new Set();
    let fresh = 0;
    for (const { z, x, y } of this._wanted) {
      const items = this._tiles.get(z, x, y);
      if (items === undefined) missing.add(`${x}/${y}`);
      else {
        fresh += 1;
        if (items) raw.push(...items);
      }
    }
    if (missing.size) raw.push(...this._raw.filter((item) => missing.has(this._tileOf(item))));
    for (const item of raw) this._locate(item, zoom);
    const key = `${zoom}?${this._tiles.query}`;
    const picture = gather(raw, zoom, this._reference.get(key));
    this._reference.set(key, picture.reference);
    picture.singles.sort((a, b) => rank(a) - rank(b) || a.wy - b.wy);
    if (this._turned && (fresh > 0 || !missing.size)) {
      this._turned = false;
      if (this._drawn.groups.length + this._drawn.singles.length && !stillness.matches) {
        this._fade = { from: this._drawn, zoom: this._zoom, start: performance.now() };
      }
    }
    this._raw = raw;
    this._drawn = picture;
    this._zoom = zoom;
    this._canvas.redraw();
    this._map.sheet.names.redraw();
    this._tell();
  },

  _tell() {
    for (const listener of this._listeners) listener();
  },

  _locate(item, zoom) {
    if (item.zoom === zoom) return;
    const world = this._map.project([item.lat, item.lon], zoom);
    item.wx = world.x;
    item.wy = world.y;
    item.zoom = zoom;
  },

  _tileOf(item) {
    const z = this._wanted[0].z;
    const point = L.CRS.EPSG3857.latLngToPoint(L.latLng(item.lat, item.lon), z).divideBy(256).floor();
    return `${point.x}/${point.y}`;
  },

  _placeOf(item) {
    return this._map.unproject([item.wx, item.wy], this._zoom);
  },

  _containerPoint(item) {
    const corner = this._map.getPixelBounds().min;
    return { x: item.wx - corner.x, y: item.wy - corner.y };
  },

  _inView() {
    const size = this._map.getSize();
    const inside = (item) => {
      const { x, y } = this._containerPoint(item);
      return x >= 0 && y >= 0 && x < size.x && y < size.y;
    };
    return { groups: this._drawn.groups.filter(inside), singles: this._drawn.singles.filter(inside) };
  },

  _obstacles(view) {
    const box = (item, r) => {
      const x = item.wx - view.origin.x;
      const y = item.wy - view.origin.y;
      return [x - r, y - r, x + r, y + r];
    };
    if (this._zoom !== view.zoom) return [];
    return [...this._drawn.groups.map((g) => box(g, g.r * 0.85)), ...this._drawn.singles.map((s) => box(s, 6))];
  },

  _paint(ctx, view) {
    const fade = this._fade;
    const share = fade ? Math.min(1, (performance.now() - fade.start) / FADE) : 1;
    if (fade && fade.zoom !== undefined) {
      ctx.globalAlpha = 1 - share;
      this._paintPicture(ctx, view, fade.from, 2 ** (view.zoom - fade.zoom), ctx.globalAlpha);
    }
    if (this._zoom !== undefined) this._paintPicture(ctx, view, this._drawn, 2 ** (view.zoom - this._zoom), fade ? share : 1);
    ctx.globalAlpha = 1;
    if (share >= 1) this._fade = null;
    else this._canvas.redraw();
  },

  _paintPicture(ctx, view, { groups, singles }, scale, alpha) {
    const size = view.zoom < 12 ? 20 : view.zoom < 15 ? 24 : 28;
    const seen = (x, y, r) => x > -r && y > -r && x < view.size.x + r && y < view.size.y + r;
    const today = Date.now() / 86400000;
    for (const issue of singles) {
      const x = issue.wx * scale - view.origin.x;
      const y = issue.wy * scale - view.origin.y;
      if (!seen(x, y, size)) continue;
      ctx.globalAlpha = alpha * freshness(issue, today);
      drawSymbol(ctx, issue, x, y, size, view.dpr);
    }
    ctx.globalAlpha = alpha;
    for (const group of [...groups].sort((a, b) => a.n - b.n)) {
      const x = group.wx * scale - view.origin.x;
      const y = group.wy * scale - view.origin.y;
      if (!seen(x, y, group.r + 2)) continue;
      if (group.n === 1) drawSymbol(ctx, lone(group), x, y, size, view.dpr);
      else drawGroup(ctx, group, x, y, short(group.n));
    }
  },
});

/** The ended are drawn first and so lie under the open. */
function rank(issue) {
  return { dropped: 0, solved: 1, in_work: 2, open: 3 }[issue.group] ?? 0;
}

/** An aggregate of one looks like the issue that it is. */
function lone(group) {
  const verdict = ["contested", "orphan"].find((name) => group[name]) ?? "clear";
  return { group: GROUPS.find((name) => group[name]) ?? "open", verdict };
}

/** What has ended fades with the age of its report: fully there when new, half after two years. */
function freshness(issue, today) {
  if (issue.group === "open" || issue.group === "in_work") return 1;
  const years = Math.max(0, today - issue.reported) / 365;
  return Math.max(0.45, 0.95 - 0.25 * years);
}

/** Issues and aggregates of one tile. */
function shape(tile, z, x, y) {
  const source = tile.layers.issues ?? Object.values(tile.layers)[0];
  const items = [];
  for (let i = 0; source && i < source.length; i += 1) {
    const feature = source.feature(i);
    const props = feature.properties;
    const [[point]] = feature.loadGeometry();
    const [lat, lon] = placeIn(z, x, y, point.x, point.y, source.extent);
    if (props.number) items.push({ kind: "issue", ...props, n: 1, lat, lon });
    else {
      const parts = Object.fromEntries([...GROUPS, "contested", "orphan"].map((name) => [name, props[name] ?? 0]));
      items.push({ kind: "group", n: props.n ?? 1, ...parts, lat, lon });
    }
  }
  return items;
}
