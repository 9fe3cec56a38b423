/** "What the map shows": legend and layer control in one card; its swatches are painted as the map is. */

import { el, fill, icon, symbol } from "./dom.js";
import { hatch } from "./hatch.js";
import { colour, oneOfMany, onTheme } from "./theme.js";
import { say, titleOf } from "./words.js";

const SWATCH = { width: 34, height: 20 };

export class Legend {
  constructor(page) {
    this.page = page;
    this.card = document.getElementById("legend");
    this.button = el("button", { id: "legend-toggle", type: "button", "aria-controls": "legend-body" }, icon("layers"), el("span", {}, say("legend.title")), icon("down"));
    this.body = el("div", { id: "legend-body" });
    this.button.addEventListener("click", () => this.open(this.body.hidden));
    fill(this.card, this.button, this.body);
    L.DomEvent.disableClickPropagation(this.card);
    L.DomEvent.disableScrollPropagation(this.card);
    this.build();
    this.open(matchMedia("(min-width: 1100px) and (min-height: 700px)").matches);
    onTheme(() => this.build());
  }

  open(on) {
    this.body.hidden = !on;
    this.button.setAttribute("aria-expanded", String(on));
  }

  build() {
    const layers = [...this.page.layers].sort((a, b) => b.spec.order - a.spec.order);
    this.rows = new Map(layers.map((layer) => [layer.spec.id, this.row(layer)]));
    fill(this.body, el("ul", { class: "legend-rows" }, [...this.rows.values()]), this.dayRow());
    this.refresh();
  }

  /** The day whose boundaries are drawn, and by which a place is judged. */
  dayRow() {
    this.day = el("input", {
      id: "boundary-day",
      type: "date",
      max: this.page.config.today,
      change: (event) => event.target.validity.valid && this.page.setDay(event.target.value),
    });
    this.today = el("button", { id: "boundary-today", type: "button", class: "plain", click: () => this.page.setDay("") }, say("legend.today"));
    return el("label", { class: "legend-day" }, el("span", {}, say("legend.day")), this.day, this.today);
  }

  /** Ticks and greys the rows as the map is now. */
  refresh() {
    if (!this.rows) return;
    this.day.value = this.page.state.on || this.page.config.today;
    this.today.hidden = !this.page.state.on;
    for (const layer of this.page.layers) {
      const row = this.rows.get(layer.spec.id);
      const on = this.page.map.hasLayer(layer);
      const tooFar = !layer.inRange(this.page.map.getZoom());
      row.querySelector("input").checked = on;
      row.classList.toggle("off", !on || tooFar);
      row.querySelector(".too-far").hidden = !(on && tooFar);
    }
  }

  row(layer) {
    const { spec } = layer;
    // Where all is made up, the page says so once; a tag on every row would say nothing more.
    const mixed = this.page.layers.some((other) => !other.spec.synthetic);
    const box = el("input", {
      id: `layer-${spec.id}`,
      type: "checkbox",
      role: "switch",
      change: (event) => this.page.toggleLayer(spec.id, event.target.checked),
    });
    const name = el("span", { class: "legend-name" }, titleOf(spec.title), mixed && spec.synthetic && el("small", { class: "tag" }, say("legend.synthetic")), spec.note && el("small", { class: "note" }, titleOf(spec.note)), el("small", { class: "too-far", hidden: true }, say("legend.zoom_in")));
    const mark = spec.kind === "issues" ? symbol("open") : (layer.mark?.() ?? swatch(spec.style, spec.kind));
    return el("li", {}, el("label", { class: "legend-row" }, mark, name, box), spec.kind === "issues" ? [this.key(), layer.keys?.()] : entries(spec));
  }

  /** The issues' key: state by shape, verdict by ring, number by circle. */
  key() {
    const { states = [], verdicts = [] } = this.page.config;
    const rows = [
      ...states.map(({ group, name }) => el("li", {}, symbol(group), name)),
      ...verdicts.filter(({ verdict }) => verdict !== "clear").map(({ verdict, name }) => el("li", {}, symbol("open", verdict), name)),
    ];
    return el("ul", { class: "legend-key" }, rows, el("li", { class: "wide" }, el("span", { class: "circle", "aria-hidden": "true" }, "12"), say("legend.circle")));
  }
}

/** Further rows that a layer file names: `{title, …style}`. */
function entries({ legend, style }) {
  if (!legend?.length) return null;
  const rows = legend.map((entry) => el("li", {}, swatch({ ...style, colourBy: null, ...entry }), titleOf(entry.title ?? entry.name)));
  return el("ul", { class: "legend-key" }, rows);
}

/** A small piece of the layer as the map draws it: of an area with its edge, of a line a stretch. */
export function swatch(style, kind = "polygons") {
  const canvas = el("canvas", { class: "swatch", "aria-hidden": "true" });
  const dpr = Math.max(2, window.devicePixelRatio || 1);
  canvas.width = SWATCH.width * dpr;
  canvas.height = SWATCH.height * dpr;
  const ctx = canvas.getContext("2d");
  ctx.scale(dpr, dpr);
  const rect = [1, 1, SWATCH.width - 1, SWATCH.height - 1];
  const many = style.colourBy ? ["0", "1", "2"].map(oneOfMany) : [colour(style.fill)];
  many.forEach((paint, i) => {
    if (!paint) return;
    ctx.globalAlpha = Math.max(style.fillOpacity ?? 1, style.colourBy ? 0.5 : 0);
    ctx.fillStyle = paint;
    const step = (rect[2] - 1) / many.length;
    ctx.fillRect(rect[0] + i * step, rect[1], step, rect[3] - 1);
  });
  ctx.globalAlpha = 1;
  if (style.hatch) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(1, 1, rect[2] - 1, rect[3] - 1);
    ctx.clip();
    hatch(ctx, { origin: { x: 0, y: 0 } }, style.hatch, colour(style.hatchColour ?? style.stroke ?? style.fill), rect);
    ctx.restore();
  }
  if (style.stroke && style.width !== 0) {
    const dash = typeof style.dash === "string" ? style.dash.split(/[ ,]+/).map(Number) : (style.dash ?? []);
    ctx.setLineDash(dash);
    ctx.strokeStyle = colour(style.stroke);
    ctx.lineWidth = style.width ?? 1;
    if (kind === "lines") {
      ctx.beginPath();
      ctx.moveTo(1, SWATCH.height - 4);
      ctx.quadraticCurveTo(SWATCH.width / 2, SWATCH.height - 4, SWATCH.width / 2, SWATCH.height / 2);
      ctx.quadraticCurveTo(SWATCH.width / 2, 4, SWATCH.width - 1, 4);
      ctx.stroke();
    } else {
      ctx.strokeRect(1.5, 1.5, SWATCH.width - 3, SWATCH.height - 3);
    }
  }
  return canvas;
}
