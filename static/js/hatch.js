/**
 * Hatchings, fixed to the ground so that they neither swim while panning nor break at tile edges.
 * Dots lie midway between the lines, so that both stay legible where land is contested and orphan at once.
 */

const STEP = 12;

/**
 * Fills the current clip with a hatching.
 * @param {CanvasRenderingContext2D} ctx in CSS pixels
 * @param {import("./canvas.js").View} view
 * @param {"diagonal"|"cross"|"dots"} kind
 */
export function hatch(ctx, view, kind, colour, rect) {
  const [x0, y0, x1, y1] = rect;
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = 1.1;
  ctx.setLineDash([]);
  if (kind === "dots") dots(ctx, view, rect);
  else {
    ctx.beginPath();
    diagonals(ctx, mod(view.origin.x + view.origin.y, STEP), rect);
    if (kind === "cross") counterDiagonals(ctx, mod(view.origin.x - view.origin.y, STEP), [x0, y0, x1, y1]);
    ctx.stroke();
  }
}

/** Lines x + y = k · STEP in world pixels. */
function diagonals(ctx, shift, [x0, y0, x1, y1]) {
  const height = y1 - y0;
  const first = Math.floor((x0 + y0) / STEP) * STEP - shift;
  for (let sum = first; sum <= x1 + y1 + STEP; sum += STEP) {
    ctx.moveTo(sum - y0, y0);
    ctx.lineTo(sum - y0 - height, y1);
  }
}

/** Lines x - y = k · STEP in world pixels. */
function counterDiagonals(ctx, shift, [x0, y0, x1, y1]) {
  const height = y1 - y0;
  const first = Math.floor((x0 - y1) / STEP) * STEP - shift;
  for (let gap = first; gap <= x1 - y0 + STEP; gap += STEP) {
    ctx.moveTo(gap + y0, y0);
    ctx.lineTo(gap + y0 + height, y1);
  }
}

/** Dots at y = k · STEP / 2 and x + y = (m + ½) · STEP in world pixels. */
function dots(ctx, view, [x0, y0, x1, y1]) {
  const row = STEP / 2;
  ctx.beginPath();
  for (let y = y0 - mod(view.origin.y + y0, row); y <= y1 + row; y += row) {
    const first = x0 - mod(view.origin.x + x0 + view.origin.y + y - row, STEP);
    for (let x = first; x <= x1 + STEP; x += STEP) {
      ctx.moveTo(x + 1.1, y);
      ctx.arc(x, y, 1.1, 0, 7);
    }
  }
  ctx.fill();
}

const mod = (a, b) => ((a % b) + b) % b;
