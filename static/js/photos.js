/** Photos of an issue: before and after under one movable line, and a strip of all of them. */

import { el } from "./dom.js";
import { say } from "./words.js";

const MIDDLE = 50;

/** The panel's section of photos; on an issue's own page the template writes the same. */
export function photoBox({ photos = [], comparison = [] }) {
  if (!photos.length) return null;
  const compared = comparison.map((one) =>
    el("figure", { class: `compare-${one.phase}` }, picture(one, "(max-width: 760px) 100vw, 392px"), el("figcaption", {}, one.phase_name)),
  );
  const box = el(
    "section",
    { class: "photos" },
    el("h3", {}, say("photo.title")),
    compared.length > 0 && el("div", { class: "compare" }, compared),
    el("ol", { class: "photo-strip" }, photos.map(inStrip)),
  );
  startComparing(box);
  return box;
}

function inStrip(one) {
  const link = el(
    "a",
    { href: one.url, "aria-label": say("photo.full", { what: titleOf(one) }) },
    el("img", { src: one.thumb_url, alt: "", width: one.width, height: one.height, loading: "lazy", decoding: "async" }),
    el("b", { class: `phase phase-${one.phase}` }, one.phase_name),
  );
  return el("li", {}, link, one.caption && el("span", { class: "photo-words" }, one.caption));
}

function picture(one, sizes) {
  const srcset = `${one.thumb_url} ${one.thumb_width}w, ${one.url} ${one.width}w`;
  return el("img", { src: one.url, srcset, sizes, alt: titleOf(one), width: one.width, height: one.height, decoding: "async" });
}

const titleOf = (one) => [one.phase_name, one.caption].filter(Boolean).join(" · ");

/** Lays each pair of pictures that lies side by side within `root` over each other, under a slider. */
export function startComparing(root) {
  for (const box of root.querySelectorAll(".compare:not(.live)")) compare(box);
}

function compare(box) {
  const slider = el("input", { type: "range", min: 0, max: 100, step: 1, "aria-label": say("photo.slide") });
  const handle = el("span", { class: "compare-line", "aria-hidden": "true" });
  const show = () => {
    box.style.setProperty("--cut", `${slider.value}%`);
    slider.setAttribute("aria-valuetext", say("photo.share", { n: slider.value }));
  };
  slider.value = MIDDLE;
  slider.addEventListener("input", show);
  const [first] = box.querySelectorAll("img");
  if (first?.width) box.style.setProperty("--shape", `${first.getAttribute("width")} / ${first.getAttribute("height")}`);
  box.append(slider, handle);
  box.classList.add("live");
  show();
}
