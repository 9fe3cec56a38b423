/** The planners' map: a classed result over the sheet, its cases at a press, months with playback, and long jobs. */

import { readAddress } from "./address.js";
import { expect } from "./ready.js";
import { colour, onTheme, stillness } from "./theme.js";
import { say } from "./words.js";

const QUIET = new Set(["communities", "streets", "district"]);
const EDGES = {
  strong: { width: 2, dash: null, edge: "ink" },
  double: { width: 2, dash: "6 3 1 3", edge: "ink" },
  thin: { width: 0.5, dash: null, edge: "map-halo" },
  dashed: { width: 1, dash: "2 3", edge: "ink-3" },
};
const PLAY_MS = 900;
const POLL_MS = 1500;
const REST_MS = 500;

export async function startPlanning(map, config, layers) {
  for (const layer of layers) {
    if (QUIET.has(layer.spec.id)) layer.addTo(map);
    else layer.remove();
  }
  const told = config.planning ?? {};
  startWidth();
  if (told.zoom) map.fitBounds(told.zoom, { animate: false });
  if (told.job) return poll(told);
  if (told.data) {
    const answer = await fetch(told.data, { credentials: "same-origin" });
    if (answer.ok) new Result(map, told, await answer.json());
  }
  await projects(map);
  map.on("moveend", () => keepView(map));
  expect();
}

class Result {
  constructor(map, told, data) {
    this.map = map;
    this.told = told;
    this.data = data;
    this.month = -1;
    this.byRow = new Map();
    const pane = map.createPane("planning");
    pane.style.zIndex = "430";
    this.renderer = L.canvas({ pane: "planning", padding: 0.3 });
    const shown = told.only === undefined ? data.features : data.features.filter(({ properties }) => properties.row === told.only);
    this.layer = L.geoJSON({ type: "FeatureCollection", features: shown }, {
      renderer: this.renderer,
      style: (feature) => this.look(feature),
      pointToLayer: (feature, at) => L.circleMarker(at, { renderer: this.renderer, radius: Math.min(18, 4 + Math.sqrt(feature.properties.count) * 1.6) }),
      onEachFeature: (feature, layer) => {
        this.byRow.set(feature.properties.row, layer);
        layer.bindPopup(() => this.popup(feature.properties), { maxWidth: 280 });
      },
    }).addTo(map);
    onTheme(() => this.layer.setStyle((feature) => this.look(feature)));
    for (const button of document.querySelectorAll(".plan-find")) {
      button.addEventListener("click", () => this.find(Number(button.dataset.row)));
    }
    this.startTime();
    this.startWalk();
    if (told.row !== "" && told.row !== undefined) this.find(Number(told.row), { keepView: Boolean(readAddress().at) });
    map.planning = this;
    document.documentElement.dataset.planReady = String(shown.length);
  }

  /** The whole period by class; a single month by what that month was, hot, cold or neither. */
  look(feature) {
    const { k, v, c } = feature.properties;
    let { fill, edge } = this.data.legend[k] ?? { fill: "plain", edge: "thin" };
    // Hulls of several categories lie over each other.
    let opacity = fill === "plain" || fill === "small" ? 0.45 : this.told.part === "clusters" ? 0.42 : 0.72;
    if (this.month >= 0 && v) {
      fill = v[this.month] > 0 ? "hot-2" : v[this.month] < 0 ? "cold-2" : "plain";
      edge = v[this.month] ? (v[this.month] > 0 ? "strong" : "double") : "thin";
      opacity = v[this.month] ? 0.8 : c[this.month] ? 0.5 : 0.08;
    }
    const { width, dash, edge: line } = EDGES[edge];
    return { color: colour(line), weight: width, dashArray: dash, opacity: edge === "thin" ? 0.6 : 0.9, fillColor: colour(`plan-${fill}`), fillOpacity: opacity };
  }

  popup({ row, k, name, count, lines, c }) {
    const box = element("div", "plan-popup");
    box.append(element("strong", "", name), element("p", "plan-popup-class", this.data.legend[k]?.label ?? ""));
    const list = element("ul", "");
    for (const line of lines) list.append(element("li", "", line));
    if (this.month >= 0 && c) list.append(element("li", "", `${this.data.months[this.month]}: ${c[this.month]}`));
    box.append(list, link(`${this.told.cases}&row=${row}`, say("planning.cases", { n: count })));
    if (this.told.project) box.append(link(`${this.told.project}&row=${row}`, say("planning.make")));
    return box;
  }

  find(row, { keepView = false } = {}) {
    const layer = this.byRow.get(row);
    if (!layer) return;
    if (!keepView) {
      if (layer.getBounds) this.map.fitBounds(layer.getBounds(), { maxZoom: 15, padding: [80, 80], animate: false });
      else this.map.setView(layer.getLatLng(), 16, { animate: false });
    }
    if (this.told.only === undefined) layer.openPopup();
    this.tell(row);
    remember("row", row);
  }

  /** All shapes by keyboard too: two buttons, and arrow keys between them, each shape with a way to its cases. */
  startWalk() {
    const box = document.getElementById("plan-walk");
    if (!box || !this.byRow.size) return;
    box.hidden = false;
    this.rows = this.data.features.map(({ properties }) => properties.row).filter((row) => this.byRow.has(row));
    if (this.told.part === "places") this.rows.reverse();
    const go = (step) => {
      const from = this.rows.indexOf(this.at ?? -1);
      const next = from < 0 ? (step > 0 ? 0 : this.rows.length - 1) : (from + step + this.rows.length) % this.rows.length;
      this.find(this.rows[next]);
    };
    document.getElementById("plan-before").addEventListener("click", () => go(-1));
    document.getElementById("plan-after").addEventListener("click", () => go(1));
    box.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      go(step);
    });
  }

  /** Says which shape is open, and leads to its cases. */
  tell(row) {
    this.at = row;
    const said = document.getElementById("plan-at");
    const open = document.getElementById("plan-open");
    if (!said || !this.rows) return;
    const { name, count } = this.data.features.find(({ properties }) => properties.row === row).properties;
    said.textContent = say("planning.at", { n: this.rows.indexOf(row) + 1, all: this.rows.length, name });
    open.hidden = false;
    open.href = `${this.told.cases}&row=${row}`;
    open.textContent = say("planning.cases", { n: count });
  }

  startTime() {
    const box = document.getElementById("plan-time");
    const { months } = this.data;
    if (!box || !months?.length) return;
    box.hidden = false;
    const slider = document.getElementById("plan-month");
    const play = document.getElementById("plan-play");
    slider.max = String(months.length - 1);
    let timer = 0;
    const stop = () => {
      clearInterval(timer);
      timer = 0;
      play.setAttribute("aria-pressed", "false");
    };
    slider.addEventListener("input", () => this.show(Number(slider.value)));
    document.getElementById("plan-whole").addEventListener("click", () => {
      stop();
      this.show(-1);
    });
    play.addEventListener("click", () => {
      if (timer) return stop();
      if (this.month < 0 || this.month >= months.length - 1) this.show(0);
      play.setAttribute("aria-pressed", "true");
      timer = setInterval(() => {
        if (this.month >= months.length - 1) stop();
        else this.show(this.month + 1);
      }, stillness.matches ? PLAY_MS * 2 : PLAY_MS);
      return undefined;
    });
    this.show(months.indexOf(this.told.month));
  }

  show(month) {
    this.month = month;
    const { months } = this.data;
    const slider = document.getElementById("plan-month");
    slider.value = String(month < 0 ? months.length - 1 : month);
    slider.setAttribute("aria-valuetext", month < 0 ? say("planning.whole") : months[month]);
    document.getElementById("plan-month-said").textContent = month < 0 ? say("planning.whole") : months[month];
    this.layer.setStyle((feature) => this.look(feature));
    for (const bar of document.querySelectorAll("rect[data-month]")) bar.classList.toggle("lit", bar.dataset.month === months[month]);
    remember("month", month < 0 ? "" : months[month]);
  }
}

/** The bandwidth as a slider in equal ratios, with the rule's value marked; letting go asks anew. */
function startWidth() {
  const box = document.getElementById("plan-slide");
  if (!box) return;
  box.hidden = false;
  const slider = document.getElementById("plan-width");
  const said = document.getElementById("plan-width-said");
  const field = document.querySelector("#plan-form [name=bandwidth]");
  const mark = box.querySelector(".plan-mark");
  mark.style.left = `${100 * Number(mark.dataset.at)}%`;
  const { rule, steps } = box.dataset;
  const metres = () => Math.max(10, Math.round(rule * 4 ** ((2 * slider.value) / steps)));
  slider.addEventListener("input", () => {
    said.textContent = `${metres()} m`;
    slider.setAttribute("aria-valuetext", said.textContent);
    field.value = String(metres());
  });
  let timer = 0;
  const ask = () => {
    clearTimeout(timer);
    // An arrow key is a change each: whoever holds it down asks once.
    timer = setTimeout(() => field.form.requestSubmit(), REST_MS);
  };
  slider.addEventListener("change", ask);
  document.getElementById("plan-rule-take").addEventListener("click", () => {
    field.value = "";
    field.form.requestSubmit();
  });
}

/** What is being done already: the boundaries of projects, each a link to its page. */
async function projects(map) {
  const answer = await fetch(`/lists/projects.json?lang=${document.documentElement.lang.startsWith("zh") ? "zh" : "en"}`, { credentials: "same-origin" });
  if (!answer.ok) return;
  const { features } = await answer.json();
  const look = () => ({ color: colour("accent"), weight: 2.5, dashArray: "8 4", fill: false });
  const layer = L.geoJSON(features.filter(({ geometry }) => geometry.type !== "Point"), {
    style: look,
    onEachFeature: ({ properties }, shape) => {
      shape.bindTooltip(() => element("span", "", `${properties.title} · ${properties.note}`), { sticky: true });
      shape.on("click", () => location.assign(properties.url));
    },
  }).addTo(map);
  onTheme(() => layer.setStyle(look));
  map.projects = layer;
}

/** Asks how far a long analysis is until there is something to see. */
function poll({ job }) {
  const said = document.getElementById("plan-state");
  const bar = document.getElementById("plan-progress");
  const timer = setInterval(async () => {
    const answer = await fetch(`/planning/jobs/${job}.json${location.search.includes("lang=en") ? "?lang=en" : ""}`, { credentials: "same-origin" });
    if (!answer.ok) return;
    const found = await answer.json();
    said.textContent = found.said;
    bar.value = found.progress;
    if (!["waiting", "working"].includes(found.state)) {
      clearInterval(timer);
      location.reload();
    }
  }, POLL_MS);
}

/** The view belongs to the address: a link shows what was seen. */
function keepView(map) {
  const { lat, lng } = map.getCenter();
  remember("at", `${map.getZoom()}/${lat.toFixed(5)}/${lng.toFixed(5)}`);
}

function remember(name, value) {
  const here = new URL(location.href);
  if (value === "" || value === null) here.searchParams.delete(name);
  else here.searchParams.set(name, String(value));
  history.replaceState(history.state, "", here);
}

function element(tag, name, text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}

function link(href, text) {
  const made = element("a", "plan-popup-link", text);
  made.href = href;
  return made;
}
