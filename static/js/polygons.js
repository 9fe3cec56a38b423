/** One layer of areas, lines or plain points out of vector tiles; drawn on the ground canvas of its map. */

import { hatch } from "./hatch.js";
import { expect, unwatch, watch } from "./ready.js";
import { colour, oneOfMany } from "./theme.js";
import { Tiles, placeIn, tilesIn } from "./tiles.js";
import { nameOf } from "./words.js";

export const PolygonLayer = L.Layer.extend({
  initialize(spec) {
    this.spec = { minZoom: 0, maxDataZoom: 16, order: 10, ...spec, style: spec.style ?? {} };
    this._tiles = new Tiles(spec.tiles, (tile, z, x, y) => this._shape(tile, z, x, y), () => this._arrived());
  },

  onAdd(map) {
    this._sheet = map.sheet;
    this._sheet.put(this);
    watch(this);
    map.on("moveend", this.look, this);
    this.look();
    return this;
  },

  onRemove(map) {
    map.off("moveend", this.look, this);
    unwatch(this);
    this._sheet.take(this);
    this._tiles.want([]);
  },

  settled() {
    return this._tiles.complete;
  },

  /** Asks for the tiles of the view; not before it is decided which layers are shown. */
  look() {
    const view = this._sheet.view();
    if (!view || !this._map.started) return;
    expect();
    this._tiles.want(this._needed(view));
  },

  /** Boundaries as they were on a day; empty: as they are. */
  setDay(day) {
    const query = day ? `on=${day}` : "";
    if (query === this._tiles.query) return;
    this._tiles.setQuery(query);
    if (this._map) this.look();
    this._sheet?.redraw();
  },

  /** Draws from an archive in which each tile holds all layers, to this zoom, instead of over the line. */
  drawFrom(read, maxZoom) {
    this._joined = true;
    this._tiles.read = read;
    this.spec.maxDataZoom = maxZoom;
  },

  /** True when the zoom is deep enough to show this layer. */
  inRange(zoom) {
    return zoom >= this.spec.minZoom && zoom <= (this.spec.maxZoom ?? Infinity);
  },

  _needed(view) {
    if (!this.inRange(view.zoom)) return [];
    const z = Math.max(0, Math.min(Math.round(view.zoom), this.spec.maxDataZoom));
    return tilesIn(this._map, view.world, view.zoom, z, this.spec.extent);
  },

  _arrived() {
    this._sheet.redraw();
  },

  /** Paths in tile units, joined by colour, so that painting a tile is a handful of calls. */
  _shape(tile, z, x, y) {
    const { id, style } = this.spec;
    const other = this._joined ? "" : Object.keys(tile.layers).find((name) => !name.endsWith("_labels"));
    const source = tile.layers[id] ?? tile.layers[other];
    const fills = new Map();
    const lines = new Path2D();
    const drawn = new Set();
    const dots = [];
    const extent = source?.extent ?? 4096;
    for (let i = 0; source && i < source.length; i += 1) {
      const feature = source.feature(i);
      const rings = feature.loadGeometry();
      if (feature.type === 1) {
        for (const [point] of rings) dots.push([point.x, point.y]);
        continue;
      }
      const key = style.colourBy ? String(feature.properties[style.colourBy] ?? "") : "";
      if (!fills.has(key)) fills.set(key, new Path2D());
      if (feature.type === 3) area(fills.get(key), rings);
      edges(lines, rings, extent, drawn);
    }
    return { fills, lines, dots, extent, labels: labelsOf(tile.layers[`${id}_labels`], z, x, y) };
  },

  /** Draws what is there; a missing tile is stood in for by its parents. */
  paint(ctx, view) {
    for (const { z, x, y } of this._needed(view)) {
      const clip = this._frame(z, x, y, view);
      const found = this._nearest(z, x, y);
      if (found) this._paintTile(ctx, view, found, clip);
    }
  },

  /** Label points of the tiles in view. */
  labels(view) {
    const { label, labelMinZoom = 0 } = this.spec.style;
    if (!label || view.zoom < labelMinZoom) return [];
    const found = [];
    for (const { z, x, y } of this._needed(view)) {
      for (const at of this._tiles.get(z, x, y)?.labels ?? []) {
        const text = nameOf(at.properties, label);
        if (text) found.push({ text, place: at.place });
      }
    }
    return found;
  },

  _nearest(z, x, y) {
    for (let up = 0; up <= Math.min(z, 6); up += 1) {
      const content = this._tiles.get(z - up, x >> up, y >> up);
      if (content) return { content, z: z - up, x: x >> up, y: y >> up };
      if (content === null) return null;
    }
    return null;
  },

  /** A layer that is the ground itself (an opaque fill) leaves it to the base map where there is one. */
  _opacity() {
    const { fill, colourBy, fillOpacity = 1 } = this.spec.style;
    if (!fill && !colourBy) return 0;
    return this._map.hasBaseMap && fillOpacity > 0.6 ? 0 : fillOpacity;
  },

  /** Where a tile lies on the canvas: its corner and the length of one tile side, in CSS pixels. */
  _frame(z, x, y, view) {
    if (this._map.options.crs === L.CRS.EPSG3857) {
      const side = 256 * 2 ** (view.zoom - z);
      return { left: x * side - view.origin.x, top: y * side - view.origin.y, width: side, height: side };
    }
    const corner = this._map.project(L.latLng(...placeIn(z, x, y, 0, 0, 1)), view.zoom);
    const far = this._map.project(L.latLng(...placeIn(z, x + 1, y + 1, 0, 0, 1)), view.zoom);
    return {
      left: corner.x - view.origin.x,
      top: corner.y - view.origin.y,
      width: far.x - corner.x,
      height: far.y - corner.y,
    };
  },

  _paintTile(ctx, view, { content, z, x, y }, clip) {
    const { style } = this.spec;
    const frame = this._frame(z, x, y, view);
    const snap = (value) => Math.round(value * view.dpr) / view.dpr;
    const rect = [snap(clip.left), snap(clip.top), snap(clip.left + clip.width), snap(clip.top + clip.height)];
    ctx.save();
    ctx.beginPath();
    ctx.rect(rect[0], rect[1], rect[2] - rect[0], rect[3] - rect[1]);
    ctx.clip();
    const scale = frame.width / content.extent;
    const enter = () => {
      ctx.save();
      ctx.translate(frame.left, frame.top);
      ctx.scale(scale, frame.height / content.extent);
    };
    for (const [key, path] of content.fills) {
      const paint = style.colourBy ? oneOfMany(key) : colour(style.fill);
      const opacity = this._opacity();
      if (paint && opacity > 0) {
        enter();
        ctx.globalAlpha = opacity;
        ctx.fillStyle = paint;
        ctx.fill(path);
        ctx.restore();
      }
      if (style.hatch) {
        ctx.save();
        ctx.translate(frame.left, frame.top);
        ctx.scale(scale, frame.height / content.extent);
        ctx.clip(path);
        ctx.scale(1 / scale, content.extent / frame.height);
        ctx.translate(-frame.left, -frame.top);
        ctx.globalAlpha = style.hatchOpacity ?? (style.hatch === "dots" ? 0.8 : 0.5);
        hatch(ctx, view, style.hatch, colour(style.hatchColour ?? style.stroke ?? style.fill), rect);
        ctx.restore();
      }
    }
    enter();
    stroke(ctx, content.lines, style, scale);
    ctx.fillStyle = colour(style.fill ?? style.stroke);
    for (const [px, py] of content.dots) {
      ctx.beginPath();
      ctx.arc(px, py, (style.width ?? 3) / scale, 0, 7);
      ctx.fill();
    }
    ctx.restore();
    ctx.restore();
  },
});

/** The line over its casing: a broad soft band, as printed maps mark a boundary. */
function stroke(ctx, path, style, scale) {
  if (!style.stroke || style.width === 0) return;
  ctx.lineJoin = "round";
  ctx.lineCap = "round";
  if (style.casing) {
    const band = typeof style.casing === "object" ? style.casing : {};
    ctx.strokeStyle = colour(band.colour ?? (typeof style.casing === "string" ? style.casing : style.stroke));
    ctx.globalAlpha = band.opacity ?? 0.16;
    ctx.lineWidth = (band.width ?? (style.width ?? 1) + 6) / scale;
    ctx.stroke(path);
  }
  ctx.globalAlpha = style.strokeOpacity ?? (style.hatch ? 0.6 : 1);
  ctx.strokeStyle = colour(style.stroke);
  ctx.lineWidth = (style.width ?? 1) / scale;
  const dash = typeof style.dash === "string" ? style.dash.split(/[ ,]+/).map(Number) : (style.dash ?? []);
  if (dash.length) ctx.lineCap = "butt";
  ctx.setLineDash(dash.map((part) => part / scale));
  ctx.stroke(path);
}

function area(path, rings) {
  for (const ring of rings) {
    ring.forEach((point, i) => (i ? path.lineTo(point.x, point.y) : path.moveTo(point.x, point.y)));
    path.closePath();
  }
}

/**
 * The edges of areas and lines, each once: a border that two neighbours share would otherwise get its
 * dashes twice. Edges along the tile's own cut are no borders and are left out.
 */
function edges(path, rings, extent, drawn) {
  const cut = (a, b) => a === b && (a < 0 || a > extent);
  for (const ring of rings) {
    let pen = false;
    for (let i = 1; i < ring.length; i += 1) {
      const [a, b] = [ring[i - 1], ring[i]];
      const [first, second] = a.x < b.x || (a.x === b.x && a.y < b.y) ? [a, b] : [b, a];
      const key = `${first.x},${first.y},${second.x},${second.y}`;
      if (cut(a.x, b.x) || cut(a.y, b.y) || drawn.has(key)) {
        pen = false;
        continue;
      }
      drawn.add(key);
      if (!pen) path.moveTo(a.x, a.y);
      path.lineTo(b.x, b.y);
      pen = true;
    }
  }
}

function labelsOf(source, z, x, y) {
  const found = [];
  for (let i = 0; source && i < source.length; i += 1) {
    const feature = source.feature(i);
    const [[point]] = feature.loadGeometry();
    found.push({ properties: feature.properties, place: placeIn(z, x, y, point.x, point.y, source.extent) });
  }
  return found;
}
