/** Vector tiles: asked for when in view, decoded, kept, dropped when nobody wants them any more. */

import { VectorTile } from "@mapbox/vector-tile";
import { PbfReader } from "pbf";

const KEPT = 320;

/** `z/x/y` of a tile. */
export const keyOf = (z, x, y) => `${z}/${x}/${y}`;

/**
 * One kind of tile. `shape` turns a decoded tile into what its layer draws.
 * `changed` is called when something arrived; it must be cheap.
 */
export class Tiles {
  /**
   * @param {string} template address with {z}, {x}, {y}
   * @param {(tile: VectorTile, z: number, x: number, y: number) => any} shape
   * @param {() => void} changed
   */
  constructor(template, shape, changed) {
    this.template = template;
    this.shape = shape;
    this.changed = changed;
    this.query = "";
    /** Reads bytes from elsewhere than the address: `(z, x, y) => ArrayBuffer|null`. */
    this.read = null;
    this.kept = new Map();
    this.asked = new Map();
    this.failed = new Set();
    this.wanted = [];
  }

  /** Another filter: what was asked for is dropped, what is kept for other filters stays. */
  setQuery(query) {
    this.query = query;
  }

  /** Names the tiles in view; the rest is no longer fetched, and what failed is tried again. */
  want(list) {
    this.wanted = list;
    for (const name of this.failed) this.kept.delete(name);
    this.failed.clear();
    const names = new Set(list.map(({ z, x, y }) => this.name(z, x, y)));
    for (const [name, stop] of this.asked) {
      if (!names.has(name)) {
        stop.abort();
        this.asked.delete(name);
      }
    }
    for (const { z, x, y } of list) {
      const name = this.name(z, x, y);
      if (!this.kept.has(name) && !this.asked.has(name)) this.fetch(name, z, x, y);
    }
  }

  /** What was drawn from a tile, or undefined while it is on its way. */
  get(z, x, y) {
    return this.kept.get(this.name(z, x, y));
  }

  /** True when all that is in view is there. */
  get complete() {
    return this.wanted.every(({ z, x, y }) => this.kept.has(this.name(z, x, y)));
  }

  name(z, x, y) {
    return `${keyOf(z, x, y)}?${this.query}`;
  }

  async fetch(name, z, x, y) {
    const stop = new AbortController();
    this.asked.set(name, stop);
    const path = this.template.replace("{z}", z).replace("{x}", x).replace("{y}", y);
    const address = this.query ? `${path}${path.includes("?") ? "&" : "?"}${this.query}` : path;
    let content = null;
    try {
      const bytes = this.read ? await this.read(z, x, y) : await this.overLine(name, address, stop.signal);
      if (bytes?.byteLength > 0) content = this.shape(new VectorTile(new PbfReader(bytes)), z, x, y);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.failed.add(name);
    }
    if (this.asked.get(name) === stop) this.asked.delete(name);
    this.kept.set(name, content);
    this.trim();
    this.changed();
  }

  async overLine(name, address, signal) {
    const answer = await fetch(address, { signal });
    if (!answer.ok && answer.status !== 404) this.failed.add(name);
    return answer.status === 200 ? answer.arrayBuffer() : null;
  }

  /** Forgets the oldest tiles that are out of view. */
  trim() {
    if (this.kept.size <= KEPT) return;
    const names = new Set(this.wanted.map(({ z, x, y }) => this.name(z, x, y)));
    for (const name of this.kept.keys()) {
      if (this.kept.size <= KEPT) break;
      if (!names.has(name)) this.kept.delete(name);
    }
  }
}

/**
 * The tiles under a rectangle of world pixels at map zoom `zoom`, from data zoom `z`.
 * `extent` (west, south, east, north in degrees) is where there is anything: beyond it no tile is named.
 * In GCJ-02 a tile lies some hundred metres beside its place, so its corners are projected.
 */
export function tilesIn(map, bounds, zoom, z, extent = null) {
  const unit = (point) => {
    const place = map.unproject(point, zoom);
    return tileAt(place, z);
  };
  const a = unit(bounds.min);
  const b = unit(bounds.max);
  const [west, south, east, north] = extent ?? [-180, -85, 180, 85];
  const first = tileAt(L.latLng(north, west), z);
  const last = tileAt(L.latLng(south, east), z);
  const side = 2 ** z;
  const list = [];
  for (let y = Math.floor(Math.max(0, first.y, a.y)); y < side && y <= Math.min(last.y, b.y); y += 1) {
    for (let x = Math.floor(Math.max(0, first.x, a.x)); x < side && x <= Math.min(last.x, b.x); x += 1) {
      list.push({ z, x, y });
    }
  }
  const middle = { x: (a.x + b.x) / 2 - 0.5, y: (a.y + b.y) / 2 - 0.5 };
  const far = (t) => (t.x - middle.x) ** 2 + (t.y - middle.y) ** 2;
  return list.sort((s, t) => far(s) - far(t));
}

/** The tile under a place and where in it, as a point with fractions. */
function tileAt(place, z) {
  return L.CRS.EPSG3857.latLngToPoint(place, z).divideBy(256);
}

/** WGS-84 of a point in a tile, given in tile units. */
export function placeIn(z, x, y, px, py, extent) {
  const n = 2 ** z;
  const lon = ((x + px / extent) / n) * 360 - 180;
  const lat = (Math.atan(Math.sinh(Math.PI * (1 - (2 * (y + py / extent)) / n))) * 180) / Math.PI;
  return [lat, lon];
}
