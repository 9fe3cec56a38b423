/** The longer forms of a stop: what was found, and a settlement with signatures. What is typed is kept at once. */

import { el, fill } from "./dom.js";
import { signaturePad } from "./fieldsign.js";
import { freshId } from "./outbox.js";
import { shrink } from "./pictures.js";
import { metres, say, squareMetres } from "./words.js";

const SEEN = ["as_reported", "worse", "better", "solved", "not_found"];

/** A labelled field; `input` gets an id of its own. */
export function labelled(words, input) {
  input.id ||= `f-${freshId()}`;
  return [el("label", { for: input.id }, words), input];
}

/** Keeps what is typed in a form under a name; calls `filled` with what was typed before, if anything. */
export function keepDraft(field, name, form, filled = () => {}) {
  let timer = 0;
  const told = () => Object.fromEntries([...form.elements].filter((one) => one.name).flatMap(valueOf));
  const save = () => {
    clearTimeout(timer);
    timer = setTimeout(() => field.keep(name, { ...told(), ...form.more?.() }), 250);
  };
  form.addEventListener("input", save);
  field.kept(name).then((before) => {
    if (!before) return;
    for (const input of form.elements) if (input.name && before[input.name] !== undefined) put(input, before[input.name]);
    filled(before);
  });
  return { save, told, forget: () => (clearTimeout(timer), field.forget(name)) };
}

function valueOf(input) {
  if (input.type === "radio") return input.checked ? [[input.name, input.value]] : [];
  return [[input.name, input.type === "checkbox" ? input.checked : input.value.trim()]];
}

function put(input, value) {
  if (input.type === "radio") input.checked = input.value === value;
  else if (input.type === "checkbox") input.checked = value === true;
  else input.value = value;
}

export function findingForm(field, stop) {
  const tick = ({ key, name }, i) => el("label", { class: "tickline" }, el("input", { type: "checkbox", name: `tick-${i}`, dataset: { key } }), el("span", {}, name));
  const seen = SEEN.map((one) => el("label", { class: "choice" }, el("input", { type: "radio", name: "seen", value: one }), el("span", {}, say(`field.seen.${one}`))));
  const form = el(
    "form",
    { class: "card open", id: "finding" },
    el("h3", {}, say("field.finding")),
    el("fieldset", { class: "choices" }, el("legend", {}, say("field.seen_how")), seen),
    stop.checklist.length > 0 && el("fieldset", {}, el("legend", {}, say("field.checklist")), stop.checklist.map(tick)),
    labelled(say("field.words"), el("textarea", { name: "words", rows: 3, maxlength: 4000 })),
    labelled(say("field.follow_up"), el("input", { name: "follow_up", maxlength: 500, autocomplete: "off" })),
    labelled(say("field.due"), el("input", { name: "due", type: "date" })),
    el("button", { class: "button primary" }, say("field.finding_keep")),
  );
  const draft = keepDraft(field, `finding:${stop.issue.id}`, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = draft.told();
    const answers = Object.fromEntries([...form.querySelectorAll("[data-key]")].filter((one) => one.checked).map((one) => [one.dataset.key, true]));
    const body = { ...(told.seen ? { seen: told.seen } : {}), words: told.words, answers, follow_up: told.follow_up, ...(told.due ? { due: told.due } : {}) };
    if (!told.seen && !told.words && !told.follow_up && !Object.keys(answers).length) field.refuse(say("field.finding_empty"));
    else if (told.due && !told.follow_up) field.refuse(say("field.follow_up_empty"));
    else {
      await draft.forget();
      await field.record(stop, "finding", body);
    }
  });
  return form;
}

export function settlementForm(field, stop) {
  const { issue, pieces } = stop;
  const first = new Set([...stop.units.map((one) => one.code), ...issue.candidates.map((one) => one.unit)]);
  const units = [...field.config.units].sort((a, b) => first.has(b.code) - first.has(a.code));
  const signatures = [];
  let area = null;
  const shown = el("p", { class: "hint", role: "status" });
  const showArea = () => {
    shown.textContent = area ? say("field.area_drawn", { n: area.coordinates[0].length - 1 }) : say("field.area_none");
  };
  const piece = (one) =>
    el("label", { class: "choice" }, el("input", { type: "radio", name: "piece", value: String(one.id) }), el("span", {}, `${one.verdict_name} · ${squareMetres(one.area_m2)}`, el("small", {}, one.units.join(" / "))));
  const people = el("ol", { class: "signatures" });
  const form = el(
    "form",
    { id: "settle" },
    labelled(say("field.unit"), el("select", { name: "unit" }, el("option", { value: "" }, say("field.choose")), units.map((one) => el("option", { value: one.code }, one.name)))),
    el(
      "fieldset",
      { class: "choices" },
      el("legend", {}, say("field.which_land")),
      pieces.filter((one) => one.area).map(piece),
      el("label", { class: "choice" }, el("input", { type: "radio", name: "piece", value: "drawn", checked: !pieces.length }), el("span", {}, say("field.land_drawn"))),
    ),
    el("button", { type: "button", class: "button", id: "draw-land", click: () => draw() }, say("field.land_draw")),
    shown,
    labelled(say("field.what_for"), el("select", { name: "category" }, el("option", { value: stop.branch }, stop.branch_name), issue.category !== stop.branch && el("option", { value: issue.category }, issue.category_name), el("option", { value: "" }, say("field.every_category")))),
    labelled(say("field.documents"), el("input", { name: "documents", maxlength: 2000, autocomplete: "off" })),
    labelled(say("field.reason"), el("textarea", { name: "note", rows: 2, maxlength: 2000 })),
    el("h4", {}, say("field.signatures")),
    people,
    el("button", { type: "button", class: "button", id: "add-signature", click: () => sign() }, say("field.sign_add")),
    el("button", { class: "button primary" }, say("field.settle_keep")),
  );
  form.more = () => ({ area, signatures });
  const draft = keepDraft(field, `settle:${issue.id}`, form, (before) => {
    area = before.area ?? null;
    for (const one of before.signatures ?? []) sign(one);
    showArea();
  });
  const draw = async () => {
    const shape = await field.sketch(["area"], issue);
    if (!shape) return;
    area = shape;
    form.querySelector("[value=drawn]").checked = true;
    showArea();
    draft.save();
  };
  const sign = (one = { name: "", unit: "", strokes: [] }) => {
    signatures.push(one);
    const type = (name, most) => el("input", { maxlength: most, autocomplete: "off", value: one[name], dataset: { sign: name }, input: (event) => (one[name] = event.target.value) });
    people.append(el("li", {}, labelled(say("field.sign_name"), type("name", 100)), labelled(say("field.sign_unit"), type("unit", 100)), signaturePad(one.strokes, draft.save)));
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = draft.told();
    const land = told.piece === "drawn" ? area : pieces.find((one) => String(one.id) === told.piece)?.area;
    const signed = signatures.filter((one) => one.name.trim() && one.strokes.length);
    const lacking = !told.unit ? "unit_missing" : !land ? "land_missing" : !told.note ? "reason_missing" : !signed.length ? "sign_missing" : "";
    if (lacking) {
      field.refuse(say(`field.${lacking}`));
      return;
    }
    const participants = signed.map((one) => [one.name, one.unit].filter(Boolean).join(", ")).join("; ");
    const body = { unit: told.unit, area: land, categories: told.category ? [told.category] : [], settled_on: localDay(), documents: told.documents, note: told.note, participants, signatures: signed };
    await draft.forget();
    await field.record(stop, "settlement", body);
  });
  showArea();
  return el("details", { class: "card" }, el("summary", {}, say("field.settle")), el("p", { class: "hint" }, issue.verdict_name), form);
}

/** A new issue found on the way. */
export function newIssueForm(box, field) {
  const flat = (rows, depth = 0) => rows.flatMap((one) => [el("option", { value: one.code }, `${"　".repeat(depth)}${one.name}`), ...flat(one.children, depth + 1)]);
  let place = null;
  let photos = [];
  const where = el("p", { class: "hint", role: "status" });
  const showPlace = () => {
    where.textContent = place ? say(place.placed_by === "gps" ? "field.placed_gps" : "field.placed_pin", { n: metres(place.accuracy_m ?? 0) }) : say("field.place_none");
  };
  const input = el("input", { type: "file", accept: "image/*", capture: "environment", multiple: true, id: "new-photo", class: "unseen", change: () => take() });
  const count = el("span", {}, say("field.photo_add"));
  const form = el(
    "form",
    { id: "new-issue" },
    el("h2", { tabindex: "-1" }, say("field.new_title")),
    labelled(say("field.category"), el("select", { name: "category" }, el("option", { value: "" }, say("field.choose")), flat(field.config.categories))),
    el("div", { class: "stop-acts" }, el("button", { type: "button", class: "button", id: "new-here", click: () => here() }, say("field.place_here")), el("button", { type: "button", class: "button", id: "new-pick", click: () => pick() }, say("field.place_pick"))),
    where,
    labelled(say("field.title"), el("input", { name: "title", maxlength: 200, autocomplete: "off" })),
    labelled(say("field.text"), el("textarea", { name: "text", rows: 3, maxlength: 4000 })),
    el("label", { class: "button", for: "new-photo" }, count),
    input,
    el("button", { class: "button primary" }, say("field.new_keep")),
  );
  form.more = () => ({ place, photos });
  const draft = keepDraft(field, "new", form, (before) => {
    place = before.place ?? null;
    photos = before.photos ?? [];
    showPlace();
    showPhotos();
  });
  const here = () => {
    where.textContent = say("report.gps_wait");
    const found = ({ coords }) => {
      place = { lat: coords.latitude, lon: coords.longitude, accuracy_m: Math.round(coords.accuracy * 10) / 10, placed_by: "gps" };
      showPlace();
      draft.save();
    };
    navigator.geolocation?.getCurrentPosition(found, () => (where.textContent = say("report.gps_failed")), { enableHighAccuracy: true, timeout: 20_000 });
  };
  const pick = async () => {
    const chosen = await field.sketch(["place"], field.map.here ?? field.pack.visit.start);
    if (chosen) place = { ...chosen, placed_by: "pin" };
    showPlace();
    draft.save();
  };
  const showPhotos = () => {
    count.textContent = photos.length ? say("field.photos_taken", { n: photos.length }) : say("field.photo_add");
  };
  const take = async () => {
    for (const file of input.files) {
      const blob = await shrink(file);
      if (!blob) {
        field.refuse(say("report.photo_bad"));
        continue;
      }
      // Kept at once, as everything else here: a browser may be closed at any moment.
      const id = freshId();
      await field.keep(`photo:${id}`, null, await blob.arrayBuffer());
      photos.push(id);
    }
    showPhotos();
    draft.save();
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = draft.told();
    if (!told.category || !place) {
      field.refuse(say(told.category ? "field.place_missing" : "field.category_missing"));
      return;
    }
    await draft.forget();
    await field.report({ ...told, ...place }, photos);
  });
  showPlace();
  fill(box, form);
}

function localDay() {
  const now = new Date();
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}
