/** The map's symbols on canvas, drawn from the very paths of the page's symbol sheet (symbols.html). */

import { colour } from "./theme.js";

const SIDE = 32;
export const GROUPS = ["open", "in_work", "solved", "dropped"];
const sprites = new Map();
const shapes = new Map();

/** Forgets all drawings: the colours changed. */
export function repaintSymbols() {
  sprites.clear();
}

/**
 * One issue's symbol, centred on a point.
 * @param {CanvasRenderingContext2D} ctx
 * @param {{group: string, verdict: string}} issue
 * @param {number} size side of the drawing in CSS pixels
 */
export function drawSymbol(ctx, issue, x, y, size, dpr) {
  const ring = issue.verdict && issue.verdict !== "clear" ? issue.verdict : "";
  const key = `${issue.group}|${ring}|${size}|${dpr}`;
  if (!sprites.has(key)) sprites.set(key, sprite(issue.group, ring, size, dpr));
  const image = sprites.get(key);
  const side = image.width / dpr;
  const snap = (value) => Math.round(value * dpr) / dpr;
  ctx.drawImage(image, snap(x - side / 2), snap(y - side / 2), side, side);
}

/** A circle with its number; the thin ring tells the parts of each state group. */
export function drawGroup(ctx, group, x, y, text) {
  const { r } = group;
  ctx.beginPath();
  ctx.arc(x, y, r + 1.5, 0, 7);
  ctx.fillStyle = colour("group-edge");
  ctx.fill();
  const band = Math.max(3, Math.min(5.5, r * 0.2));
  ctx.lineWidth = band;
  ctx.lineCap = "butt";
  let from = -Math.PI / 2;
  for (const name of GROUPS) {
    const part = group[name] / group.n;
    if (!part) continue;
    const to = from + part * 2 * Math.PI;
    ctx.beginPath();
    ctx.arc(x, y, r - band / 2, from, to);
    ctx.strokeStyle = colour(name);
    ctx.stroke();
    from = to;
  }
  ctx.beginPath();
  ctx.arc(x, y, r - band, 0, 7);
  ctx.fillStyle = colour("group-fill");
  ctx.fill();
  const size = Math.min(15, Math.max(10, (2.5 * (r - band)) / Math.max(2, text.length)));
  ctx.font = `600 ${size.toFixed(1)}px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif`;
  ctx.fillStyle = colour("group-ink");
  ctx.textAlign = "center";
  ctx.textBaseline = "alphabetic";
  ctx.fillText(text, x, y + size * 0.36);
}

function sprite(group, ring, size, dpr) {
  const canvas = document.createElement("canvas");
  const side = Math.ceil(size * dpr);
  canvas.width = side;
  canvas.height = side;
  const ctx = canvas.getContext("2d");
  ctx.scale(side / SIDE, side / SIDE);
  ctx.lineJoin = "round";
  ctx.lineCap = "round";
  const parts = [...partsOf(`sym-${group}`), ...(ring ? partsOf(`ring-${ring}`) : [])];
  for (const part of parts.filter(({ kind }) => kind !== "mark")) outline(ctx, part);
  for (const part of parts) paintPart(ctx, part);
  return canvas;
}

/** The light edge that keeps a symbol legible on any ground. */
function outline(ctx, { path, width, filled }) {
  ctx.setLineDash([]);
  ctx.strokeStyle = colour("halo");
  ctx.lineWidth = filled ? 3.2 : width + 2.4;
  ctx.stroke(path);
}

function paintPart(ctx, { path, paint, width, dash, filled }) {
  if (filled) {
    ctx.fillStyle = colour(paint);
    ctx.fill(path);
    return;
  }
  ctx.strokeStyle = colour(paint);
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.stroke(path);
}

/** What the symbol sheet says: each path has its colour's name, width, dash, and whether it is filled. */
function partsOf(id) {
  if (!shapes.has(id)) {
    shapes.set(
      id,
      [...document.querySelectorAll(`#${CSS.escape(id)} path`)].map((node) => ({
        path: new Path2D(node.getAttribute("d")),
        paint: node.dataset.paint,
        kind: node.dataset.kind ?? "",
        filled: node.getAttribute("fill") !== "none",
        width: Number(node.getAttribute("stroke-width") ?? 0),
        dash: (node.getAttribute("stroke-dasharray") ?? "").split(" ").filter(Boolean).map(Number),
      })),
    );
  }
  return shapes.get(id);
}
