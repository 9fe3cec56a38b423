/** What is picked out on a map: the selected issue with its extent, and the place a list row points at. */

import { MapCanvas } from "./canvas.js";
import { watch } from "./ready.js";
import { drawSymbol } from "./symbols.js";
import { colour, onTheme } from "./theme.js";

export class Selection {
  constructor(map) {
    this.map = map;
    this.issue = null;
    this.hinted = null;
    this.spot = null;
    this.ringed = true;
    this.canvas = new MapCanvas("selection", (ctx, view) => this.paint(ctx, view));
    this.canvas.addTo(map);
    watch(this.canvas);
    onTheme(() => this.canvas.redraw());
  }

  /** In a tile `extent` only names the kind; the geometry comes with the facts.
   * @param {?{lat: number, lon: number, group: string, verdict: string, extent?: object}} issue */
  show(issue) {
    this.issue = issue;
    this.canvas.redraw();
  }

  /** A ring round the place of a list row under the pointer. */
  hint(place) {
    this.hinted = place;
    this.canvas.redraw();
  }

  /** A cross where somebody asked whose the place is. */
  mark(place) {
    this.spot = place;
    this.canvas.redraw();
  }

  paint(ctx, view) {
    const at = (place) => this.map.project([place.lat, place.lon], view.zoom).subtract(view.origin);
    if (this.issue?.extent?.type) this.paintExtent(ctx, view, this.issue.extent);
    if (this.hinted) ring(ctx, at(this.hinted), 15, 2.5);
    if (this.spot) cross(ctx, at(this.spot));
    if (this.issue) {
      const point = at(this.issue);
      if (this.ringed) halo(ctx, point, !this.issue.extent?.type);
      drawSymbol(ctx, this.issue, point.x, point.y, 34, view.dpr);
    }
  }

  paintExtent(ctx, view, geometry) {
    const point = ([lon, lat]) => this.map.project([lat, lon], view.zoom).subtract(view.origin);
    const ink = colour(this.issue.group);
    ctx.lineJoin = "round";
    ctx.lineCap = "round";
    for (const part of partsOf(geometry)) {
      if (part.type === "Point") {
        const at = point(part.coordinates);
        ctx.beginPath();
        ctx.arc(at.x, at.y, 6, 0, 7);
        ctx.fillStyle = colour("halo");
        ctx.fill();
        ctx.beginPath();
        ctx.arc(at.x, at.y, 4, 0, 7);
        ctx.fillStyle = ink;
        ctx.fill();
        continue;
      }
      const rings = part.type === "Polygon" ? part.coordinates : [part.coordinates];
      ctx.beginPath();
      for (const line of rings) {
        line.forEach((place, i) => {
          const { x, y } = point(place);
          if (i) ctx.lineTo(x, y);
          else ctx.moveTo(x, y);
        });
      }
      if (part.type === "Polygon") {
        ctx.globalAlpha = 0.22;
        ctx.fillStyle = ink;
        ctx.fill("evenodd");
        ctx.globalAlpha = 1;
      }
      ctx.strokeStyle = colour("halo");
      ctx.lineWidth = 6;
      ctx.stroke();
      ctx.strokeStyle = ink;
      ctx.lineWidth = 3;
      ctx.stroke();
    }
  }
}

/** Points, lines and areas of any GeoJSON geometry, one by one. */
export function partsOf(geometry) {
  if (geometry.type === "GeometryCollection") return geometry.geometries.flatMap(partsOf);
  if (!geometry.type.startsWith("Multi")) return [geometry];
  const type = geometry.type.slice(5);
  return geometry.coordinates.map((coordinates) => ({ type, coordinates }));
}

/** A bold ring; over an extent it leaves the ground visible. */
function halo(ctx, point, washed) {
  if (washed) {
    ctx.fillStyle = colour("selected-wash");
    ctx.beginPath();
    ctx.arc(point.x, point.y, 21, 0, 7);
    ctx.fill();
  }
  ring(ctx, point, 21, 3);
}

function ring(ctx, { x, y }, r, width) {
  for (const [ink, w] of [["halo", width + 3], ["selected", width]]) {
    ctx.beginPath();
    ctx.arc(x, y, r, 0, 7);
    ctx.strokeStyle = colour(ink);
    ctx.lineWidth = w;
    ctx.stroke();
  }
}

function cross(ctx, { x, y }) {
  for (const [ink, w] of [["halo", 5], ["selected", 2]]) {
    ctx.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      ctx.moveTo(x + dx * 4, y + dy * 4);
      ctx.lineTo(x + dx * 14, y + dy * 14);
    }
    ctx.strokeStyle = colour(ink);
    ctx.lineWidth = w;
    ctx.stroke();
  }
}
