/** Hatchings, fixed to the ground so that they neither swim while panning nor break at tile edges. */

const STEP = 8;

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
  ctx.lineWidth = 1.3;
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

function dots(ctx, view, [x0, y0, x1, y1]) {
  const startX = Math.floor(x0 / STEP) * STEP - mod(view.origin.x, STEP);
  const startY = Math.floor(y0 / STEP) * STEP - mod(view.origin.y, STEP * 2);
  ctx.beginPath();
  for (let y = startY, row = 0; y <= y1 + STEP; y += STEP, row += 1) {
    for (let x = startX + (row % 2) * (STEP / 2); x <= x1 + STEP; x += STEP) {
      ctx.moveTo(x + 1.1, y);
      ctx.arc(x, y, 1.1, 0, 7);
    }
  }
  ctx.fill();
}

const mod = (a, b) => ((a % b) + b) % b;
