/** One stop on the phone: what is known of it, and everything that can be recorded there. */

import { el, fill, icon, symbol } from "./dom.js";
import { findingForm, settlementForm } from "./fieldforms.js";
import * as packs from "./fieldpack.js";
import { shrink, thumbnail } from "./pictures.js";
import { metres, say } from "./words.js";

const GPS = { enableHighAccuracy: true, timeout: 20_000, maximumAge: 0 };
const ROUGH_M = 60;
const FAR_M = 150;

/** Fills `box` with a stop. `field` records, draws and says. */
export function showStop(box, field, stop, records) {
  const { issue } = stop;
  const own = records.filter((one) => one.told.record.issue === issue.id);
  fill(
    box,
    el(
      "header",
      { class: "stop-head" },
      el("b", { class: "seq" }, stop.seq ?? "+"),
      el("div", {}, el("h2", { tabindex: "-1" }, issue.title), el("p", { class: "hint" }, [issue.number, issue.category_name, stop.arrives && say("field.planned", { at: stop.arrives })].filter(Boolean).join(" · "))),
    ),
    el(
      "p",
      { class: "chips" },
      el("span", { class: "chip-state" }, symbol(issue.group, issue.verdict), issue.state_name),
      el("span", {}, issue.verdict_name),
      el("span", {}, issue.severity_name),
      issue.returns > 0 && el("span", {}, say("field.returns", { n: issue.returns })),
      issue.deadline?.countdown && el("span", { class: issue.deadline.overdue ? "late" : "" }, issue.deadline.countdown),
    ),
    acts(field, stop, own),
    own.length > 0 && el("section", { class: "done-here" }, el("h3", {}, say("field.done_here")), el("ul", {}, own.map((one) => field.line(one)))),
    findingForm(field, stop),
    extent(field, stop),
    settlementForm(field, stop),
    facts(field, stop),
  );
}

/** Check in, and photos: one tap each. */
function acts(field, stop, own) {
  const arrived = own.some((one) => one.told.record.kind === "check_in");
  const told = el("p", { class: "hint", role: "status" });
  const button = el("button", { type: "button", class: arrived ? "button" : "button primary", id: "check-in", click: () => checkIn(field, stop, button, told) }, icon("here"), say(arrived ? "field.check_in_again" : "field.check_in"));
  const photo = (phase) => {
    const input = el("input", { type: "file", accept: "image/*", capture: "environment", multiple: true, id: `photo-${phase}`, class: "unseen", change: () => take(field, stop, phase, input) });
    return [el("label", { class: "button", for: `photo-${phase}` }, icon("photo"), say(`field.photo_${phase}`)), input];
  };
  return el("div", { class: "stop-acts" }, button, photo("before"), photo("during"), el("button", { type: "button", class: "button", click: () => field.showOnMap(stop) }, icon("map"), say("field.on_map")), told);
}

function checkIn(field, stop, button, told) {
  if (!navigator.geolocation) {
    told.textContent = say("report.gps_failed");
    return;
  }
  button.disabled = true;
  told.textContent = say("report.gps_wait");
  const found = async ({ coords }) => {
    const { latitude: lat, longitude: lon, accuracy } = coords;
    const far = L.latLng(lat, lon).distanceTo([stop.issue.lat, stop.issue.lon]);
    field.map.moved(coords, false);
    await field.record(stop, "check_in", { lat, lon, accuracy_m: Math.round(accuracy * 10) / 10, far_m: Math.round(far) });
    const words = say("field.checked_in", { accuracy: metres(accuracy), far: metres(far) });
    field.say([words, accuracy > ROUGH_M && say("field.rough"), far > FAR_M && say("field.far_off")].filter(Boolean).join(" "));
  };
  const failed = (error) => {
    button.disabled = false;
    told.textContent = say(error.code === 1 ? "report.gps_denied" : "report.gps_failed");
  };
  navigator.geolocation.getCurrentPosition(found, failed, GPS);
}

/** Photos are made smaller here and kept at once. */
export async function take(field, stop, phase, input) {
  for (const file of input.files) {
    const blob = await shrink(file);
    if (blob) await field.record(stop, "photo", { phase }, await blob.arrayBuffer());
    else field.refuse(say("report.photo_bad"));
  }
}

function extent(field, stop) {
  const drawn = stop.issue.extent ? say("field.extent_known") : say("field.extent_none");
  const draw = async () => {
    const shape = await field.sketch(["line", "area"], stop.issue);
    if (shape) await field.record(stop, "extent", { extent: shape });
  };
  return el("details", { class: "card" }, el("summary", {}, say("field.redraw")), el("p", { class: "hint" }, drawn), el("button", { type: "button", class: "button", id: "redraw", click: draw }, icon("map"), say("field.redraw_do")));
}

/** What the pack knows of the issue. */
function facts(field, { issue, units, photos, on_the_way: found }) {
  const gallery = el("ul", { class: "field-photos" });
  showPhotos(gallery, photos);
  const unit = (one) => el("li", {}, el("span", {}, one.name), one.phone && el("a", { class: "button", href: `tel:${one.phone.replace(/[^+0-9]/g, "")}` }, one.phone));
  const reason = (one) => el("li", {}, el("b", {}, one.unit_name), " ", one.reason);
  return el(
    "section",
    { class: "facts" },
    found && el("p", { class: "hint" }, say("field.on_the_way")),
    issue.text && el("p", { class: "words" }, issue.text),
    issue.address && el("p", { class: "hint" }, issue.address),
    gallery,
    el("h3", {}, say("field.whose")),
    el("p", {}, issue.verdict_hint),
    issue.candidates.length > 0 && el("ul", {}, issue.candidates.map(reason)),
    units.length > 0 && el("ul", { class: "phones" }, units.map(unit)),
    el("h3", {}, say("field.history")),
    el("ol", { class: "short-history" }, issue.history.map((line) => el("li", {}, el("time", {}, line.at.slice(0, 10)), " ", line.action_name, line.note && `: ${line.note}`))),
  );
}

async function showPhotos(gallery, photos) {
  for (const one of photos) {
    const bytes = await packs.photo(one.id);
    if (!bytes) continue;
    const blob = new Blob([bytes], { type: "image/jpeg" });
    const small = await thumbnail(blob, 120);
    small.setAttribute("role", "img");
    small.setAttribute("aria-label", `${one.phase_name} ${one.caption}`.trim());
    const large = async () => {
      const shown = gallery.querySelector(".large");
      shown?.remove();
      if (shown?.dataset.id === one.id) return;
      const picture = await createImageBitmap(blob);
      const canvas = el("canvas", { class: "large", dataset: { id: one.id } });
      [canvas.width, canvas.height] = [picture.width, picture.height];
      canvas.getContext("2d").drawImage(picture, 0, 0);
      gallery.append(canvas);
    };
    gallery.append(el("li", {}, el("button", { type: "button", class: "bare", "aria-label": say("field.enlarge"), click: large }, small), el("small", {}, `${one.phase_name} ${one.on}`)));
  }
}
