/** Names on the map: the important first, none over another, kept off the circles with numbers. */

import { colour } from "./theme.js";

const widths = new Map();
const FAMILY = '"Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif';

/** Paints the names of all layers of a sheet; layers earlier in the order come first. */
export function placeLabels(ctx, view, sheet) {
  const taken = sheet.obstacles(view);
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  for (const layer of sheet.layers) {
    const { style } = layer.spec;
    const size = style.labelSize ?? 12;
    const strong = size >= 12.5;
    ctx.font = `${strong ? 600 : 500} ${size}px ${FAMILY}`;
    ctx.letterSpacing = strong ? "1px" : "0px";
    ctx.strokeStyle = colour("halo");
    ctx.fillStyle = colour(strong ? "label-strong" : "label");
    ctx.lineWidth = 3;
    const seen = new Set();
    for (const { text, place } of layer.labels(view)) {
      const at = sheet.map.project(place, view.zoom).subtract(view.origin);
      const key = `${text} ${Math.round(at.x / 48)} ${Math.round(at.y / 48)}`;
      if (seen.has(key)) continue;
      const box = spot(at, width(ctx, text) / 2 + 4, size / 2 + 4, taken);
      if (!box) continue;
      seen.add(key);
      taken.push(box);
      const x = (box[0] + box[2]) / 2;
      const y = (box[1] + box[3]) / 2;
      ctx.strokeText(text, x, y);
      ctx.fillText(text, x, y);
    }
  }
}

/** The first free place for a name: on its point, else a little below, above, or aside. */
function spot(at, w, h, taken) {
  const tries = [
    [0, 0], [0, 1.6 * h], [0, -1.6 * h], [0, 2.6 * h], [0, -2.6 * h], [w * 0.6, 2 * h], [-w * 0.6, 2 * h],
  ];
  for (const [dx, dy] of tries) {
    const box = [at.x + dx - w, at.y + dy - h, at.x + dx + w, at.y + dy + h];
    if (!taken.some((other) => crosses(box, other))) return box;
  }
  return null;
}

function crosses(a, b) {
  return a[0] < b[2] && a[2] > b[0] && a[1] < b[3] && a[3] > b[1];
}

function width(ctx, text) {
  const key = `${ctx.font}|${ctx.letterSpacing}|${text}`;
  if (!widths.has(key)) widths.set(key, ctx.measureText(text).width);
  return widths.get(key);
}
