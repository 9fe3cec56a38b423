/** Rectangles over faces and plates, drawn on the photo; the field of the form holds them in percent. */

const frame = document.getElementById("blur-frame");
const canvas = document.getElementById("blur-canvas");
const field = document.getElementById("boxes");
const photo = document.getElementById("blur-photo");

const boxes = () =>
  field.value
    .split("\n")
    .map((line) => line.split(",").map(Number))
    .filter((box) => box.length === 4 && box.every(Number.isFinite));

function draw(extra = []) {
  const { width, height } = photo.getBoundingClientRect();
  const dpr = window.devicePixelRatio || 1;
  canvas.width = width * dpr;
  canvas.height = height * dpr;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const ctx = canvas.getContext("2d");
  ctx.scale(dpr, dpr);
  ctx.lineWidth = 2;
  for (const [left, top, wide, high] of [...boxes(), ...extra]) {
    const rect = [(left / 100) * width, (top / 100) * height, (wide / 100) * width, (high / 100) * height];
    ctx.fillStyle = "rgb(20 20 20 / 60%)";
    ctx.strokeStyle = "#fff";
    ctx.fillRect(...rect);
    ctx.strokeRect(...rect);
  }
}

function at(event) {
  const { left, top, width, height } = photo.getBoundingClientRect();
  const share = (value, size) => Math.min(100, Math.max(0, (100 * value) / size));
  return [share(event.clientX - left, width), share(event.clientY - top, height)];
}

const between = ([x1, y1], [x2, y2]) => [Math.min(x1, x2), Math.min(y1, y2), Math.abs(x1 - x2), Math.abs(y1 - y2)];

frame.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  const from = at(event);
  frame.setPointerCapture(event.pointerId);
  const move = (step) => draw([between(from, at(step))]);
  const end = (step) => {
    frame.removeEventListener("pointermove", move);
    const box = between(from, at(step));
    if (box[2] > 0.5 && box[3] > 0.5) field.value = [field.value.trim(), box.map((part) => part.toFixed(1)).join(", ")].filter(Boolean).join("\n");
    draw();
  };
  frame.addEventListener("pointermove", move);
  frame.addEventListener("pointerup", end, { once: true });
});
field.addEventListener("input", () => draw());
document.getElementById("clear-boxes").addEventListener("click", () => {
  field.value = "";
  draw();
});
new ResizeObserver(() => draw()).observe(photo);
