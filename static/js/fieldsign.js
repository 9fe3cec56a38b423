/** A field to sign in: strokes on a square of 1000 units, of which the picture takes the upper part. */

import { el } from "./dom.js";
import { colour } from "./theme.js";
import { say } from "./words.js";

const SIDE = 1000;
const FEWEST_STEP = 4;
const MOST_POINTS = 3500;

/** `strokes` is filled while somebody signs; `changed` hears of each stroke. */
export function signaturePad(strokes, changed) {
  const canvas = el("canvas", { class: "sign-pad", role: "img", "aria-label": say("field.sign_here") });
  let line = null;
  const unit = () => SIDE / canvas.clientWidth;
  const draw = () => {
    const share = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * share;
    canvas.height = canvas.clientHeight * share;
    const ctx = canvas.getContext("2d");
    const scale = (canvas.clientWidth / SIDE) * share;
    Object.assign(ctx, { strokeStyle: colour("ink"), lineWidth: 2.4 * share, lineCap: "round", lineJoin: "round" });
    for (const stroke of strokes) {
      ctx.beginPath();
      stroke.forEach(([x, y], i) => (i ? ctx.lineTo(x * scale, y * scale) : ctx.moveTo(x * scale, y * scale)));
      if (stroke.length === 1) ctx.lineTo(stroke[0][0] * scale + 0.1, stroke[0][1] * scale);
      ctx.stroke();
    }
  };
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top].map((value) => Math.max(0, Math.min(SIDE, Math.round(value * unit()))));
  };
  const total = () => strokes.reduce((sum, stroke) => sum + stroke.length, 0);
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    line = [at(event)];
    strokes.push(line);
    draw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!line || total() > MOST_POINTS) return;
    const [x, y] = at(event);
    const [lastX, lastY] = line.at(-1);
    if (Math.hypot(x - lastX, y - lastY) < FEWEST_STEP) return;
    line.push([x, y]);
    draw();
  });
  const end = () => {
    if (line) changed();
    line = null;
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  new ResizeObserver(draw).observe(canvas);
  const clear = () => {
    strokes.length = 0;
    draw();
    changed();
  };
  return el("div", { class: "sign" }, canvas, el("button", { type: "button", class: "plain", click: clear }, say("field.sign_clear")));
}
