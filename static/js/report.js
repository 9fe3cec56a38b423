/** Reporting in three steps and an answer. Everything typed is kept at once, so a closed browser loses nothing. */

import { el, fill, icon } from "./dom.js";
import { keepOffline, wakeWorker } from "./offline.js";
import { drop, flush, freshId, freshKey, all, put, unsentPhotos } from "./outbox.js";
import { placeOf, shrink, thumbnail } from "./pictures.js";
import { Where } from "./reportwhere.js";
import { showUsual } from "./sheet.js";
import { language, say } from "./words.js";

const STEPS = ["what", "where", "words"];
const MOST_PHOTOS = 10;
const LOOK_AGAIN_MS = 15_000;
const byId = (id) => document.getElementById(id);

export async function startReport(map, config, layers) {
  showUsual(map, layers);
  const report = new Report(map, config);
  await report.begin();
}

class Report {
  constructor(map, config) {
    this.config = config;
    this.form = byId("report-form");
    this.fresh();
    this.where = new Where(map, {
      category: () => this.form.category.value,
      words: () => `${this.form.title.value} ${this.form.text.value}`.trim().slice(0, 500),
      changed: () => this.changed(),
      witness: (issue) => this.send({ kind: "witness", number: issue.number }),
    });
    this.names = new Map(flat(config.categories).map((one) => [one.code, one.name]));
    this.grid();
    this.listen();
  }

  fresh() {
    this.parcel = { id: freshId(), key: freshKey(), photos: [], made: Date.now(), lang: language() };
  }

  listen() {
    const { form } = this;
    document.body.classList.add("stepwise");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.step === STEPS.length - 1) this.send({ kind: "report" });
      else this.forward();
    });
    form.addEventListener("input", () => this.changed());
    byId("photo").addEventListener("change", (event) => this.take([...event.target.files]));
    byId("step-back").addEventListener("click", () => this.turn(this.step - 1));
    byId("step-next").addEventListener("click", () => this.forward());
    window.addEventListener("online", () => this.flush());
    for (const name of ["online", "offline"]) window.addEventListener(name, () => this.showLine());
    window.addEventListener("popstate", () => this.turn(Number(history.state?.step ?? 0), { quiet: true }));
    navigator.serviceWorker?.addEventListener("message", () => this.showParcels());
    setInterval(() => this.flush(), LOOK_AGAIN_MS);
  }

  async begin() {
    this.showLine();
    keepOffline();
    const query = new URLSearchParams(location.search);
    this.where.restore({ lat: Number(query.get("lat") ?? NaN), lon: Number(query.get("lon") ?? NaN) });
    if (query.get("category")) this.choose(query.get("category"));
    try {
      const draft = (await all()).find((parcel) => parcel.state === "draft");
      if (draft) await this.takeUp(draft, say("report.restored"));
    } catch {
      this.storeless = true;
      this.say(say("report.no_store"));
    }
    this.turn(0, { quiet: true });
    document.documentElement.dataset.reportReady = "yes";
    await this.flush();
  }

  /** Goes on with something that was begun earlier. */
  async takeUp(parcel, words) {
    const { told, photos } = parcel;
    this.parcel = { ...parcel, state: "draft", problem: "" };
    for (const name of ["title", "text", "address", "name", "contact"]) if (told[name]) this.form[name].value = told[name];
    if (told.category) this.choose(told.category);
    this.form.private.checked = told.privacy === "private";
    this.where.restore(told);
    if (parcel.photoPlace) this.where.offerPhoto(parcel.photoPlace);
    await this.showPhotos();
    if (told.category || photos.length || told.text) this.say(words, { anew: true });
  }

  // --- steps ---

  forward() {
    const lacking = this.step === 0 && !this.form.category.value ? say("report.need_what") : this.step === 1 ? this.where.lacking() : "";
    if (lacking) {
      this.refuse(lacking);
      return;
    }
    this.turn(this.step + 1);
  }

  turn(step, { quiet = false } = {}) {
    const next = Math.max(0, Math.min(STEPS.length - 1, step));
    if (!quiet && next !== this.step) history.pushState({ step: next }, "");
    this.step = next;
    this.refuse("");
    byId("done").hidden = true;
    this.form.hidden = false;
    document.body.dataset.step = STEPS[next];
    STEPS.forEach((name, i) => {
      byId(`step-${name}`).hidden = i !== next;
    });
    byId("step-back").hidden = next === 0;
    byId("step-next").hidden = next === STEPS.length - 1;
    byId("send").hidden = next !== STEPS.length - 1;
    byId("step-of").textContent = say("report.step_of", { n: next + 1 });
    if (next === 1) this.where.show();
    if (!quiet) {
      byId(`step-${STEPS[next]}`).querySelector("h2").focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
  }

  refuse(words) {
    const note = byId("refused");
    note.textContent = words;
    note.hidden = !words;
  }

  say(words, { anew = false } = {}) {
    const again = () => this.anew();
    fill(byId("said"), words, anew && el("button", { type: "button", class: "plain", click: again }, say("report.start_anew")));
    byId("said").hidden = !words;
  }

  // --- what ---

  /** The categories as pictures; the field of the form stays the one that counts. */
  grid() {
    const { categories } = this.config;
    const button = (one) =>
      el(
        "button",
        { type: "button", class: "kind", "aria-pressed": "false", dataset: { code: one.code }, click: () => this.choose(one.code) },
        picture(one),
        el("span", {}, one.name),
      );
    const find = el("input", { type: "search", id: "find-kind", placeholder: byId("category").dataset.find, "aria-label": byId("category").dataset.find, autocomplete: "off", input: () => this.find(find.value) });
    this.kinds = el("div", { class: "kinds" }, categories.map(button));
    this.exact = el("div", { class: "exact", hidden: true });
    this.found = el("div", { class: "exact", hidden: true });
    byId("kinds").append(find, this.found, this.kinds, this.exact);
    byId("kinds").hidden = false;
  }

  find(words) {
    const wanted = words.trim().toLowerCase();
    const hits = wanted ? flat(this.config.categories).filter((one) => one.name.toLowerCase().includes(wanted)).slice(0, 8) : [];
    fill(this.found, hits.map((one) => this.chip(one)));
    this.found.hidden = !hits.length;
  }

  chip(one) {
    const pressed = String(this.form.category.value === one.code);
    return el("button", { type: "button", class: "chip", "aria-pressed": pressed, dataset: { code: one.code }, click: () => this.choose(one.code) }, one.name);
  }

  choose(code) {
    const top = this.config.categories.find((one) => one.code === code || flat(one.children).some((below) => below.code === code));
    if (!top) return;
    this.form.category.value = code;
    this.refuse("");
    for (const button of this.kinds.children) button.setAttribute("aria-pressed", String(button.dataset.code === top.code));
    const below = flat(top.children);
    fill(this.exact, below.length > 0 && el("p", { class: "hint" }, byId("category").dataset.exact), below.map((one) => this.chip(one)));
    this.exact.hidden = !below.length;
    for (const chip of this.found.children) chip.setAttribute("aria-pressed", String(chip.dataset.code === code));
    this.changed();
  }

  async take(files) {
    for (const file of files.slice(0, MOST_PHOTOS - this.parcel.photos.length)) {
      const place = await placeOf(file);
      const blob = await shrink(file);
      if (!blob) {
        this.refuse(say("report.photo_bad"));
        continue;
      }
      if (place && !this.parcel.photoPlace) {
        this.parcel.photoPlace = place;
        this.where.offerPhoto(place);
      }
      this.parcel.photos.push({ id: freshId(), blob });
    }
    byId("photo").value = "";
    await this.showPhotos();
    await this.save();
  }

  async showPhotos() {
    const { photos } = this.parcel;
    const one = async (photo) =>
      el(
        "li",
        {},
        await thumbnail(photo.blob),
        el("button", { type: "button", class: "round", "aria-label": say("report.photo_remove"), click: () => this.remove(photo) }, icon("close")),
      );
    fill(byId("photos"), await Promise.all(photos.filter((photo) => photo.blob).map(one)));
    const n = photos.length;
    byId("photo-words").textContent = n ? `${say(n === 1 ? "report.photo_added_one" : "report.photo_added", { n })} · ${say("report.photo_more")}` : byId("photo-words").dataset.empty;
  }

  async remove(photo) {
    this.parcel.photos = this.parcel.photos.filter((other) => other !== photo);
    await this.showPhotos();
    await this.save();
  }

  // --- keeping and sending ---

  told() {
    const { form, where } = this;
    const words = Object.fromEntries(["category", "title", "text", "address", "name", "contact"].map((name) => [name, form[name].value.trim()]).filter(([, value]) => value));
    const extent = where.extent();
    return {
      ...words,
      lang: language(),
      ...(where.place ? { ...where.place, placed_by: where.by } : {}),
      ...(where.accuracy ? { accuracy_m: where.accuracy } : {}),
      ...(extent ? { extent } : {}),
      ...(form.private.checked ? { privacy: "private" } : {}),
    };
  }

  changed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), 300);
  }

  /** Keeps the draft; an empty one is not worth it. */
  async save() {
    clearTimeout(this.timer);
    const told = this.told();
    if (!told.category && !told.text && !this.parcel.photos.length) return;
    this.parcel = { ...this.parcel, kind: "report", told, state: "draft" };
    if (!this.storeless) await put(this.parcel).catch(() => {});
  }

  async send({ kind, number }) {
    if (this.busy) return;
    const told = this.told();
    if (kind === "report" && !told.category) {
      this.turn(0);
      this.refuse(say("report.need_what"));
      return;
    }
    if (kind === "report" && !told.lat) {
      this.turn(1);
      return;
    }
    this.busy = true;
    clearTimeout(this.timer);
    const sent = kind === "witness" ? { name: told.name, contact: told.contact, lang: told.lang } : told;
    const full = JSON.parse(JSON.stringify(sent));
    const parcel = { ...this.parcel, kind, number, told: full, what: this.names.get(told.category) ?? "", state: "waiting", made: Date.now(), again: 0 };
    await put(parcel);
    this.current = parcel.id;
    this.reset();
    this.showDone(parcel);
    this.busy = false;
    await this.flush();
    wakeWorker("outbox");
  }

  reset() {
    this.fresh();
    this.form.reset();
    this.form.category.value = "";
    fill(byId("photos"));
    byId("photo-words").textContent = byId("photo-words").dataset.empty;
    for (const button of this.kinds.children) button.setAttribute("aria-pressed", "false");
    this.exact.hidden = true;
    this.where.offerPhoto(null);
    this.where.draw("point");
    byId("draw-kind").value = "point";
    clearTimeout(this.timer);
    this.say("");
  }

  async anew() {
    await drop(this.parcel.id).catch(() => {});
    this.reset();
    this.turn(0);
  }

  async flush() {
    if (this.storeless) return;
    if (navigator.onLine !== false) await flush((parcel) => this.moved(parcel)).catch(() => {});
    await this.showParcels();
  }

  moved(parcel) {
    if (parcel.id === this.current && !byId("done").hidden) this.showDone(parcel);
  }

  showLine() {
    const off = navigator.onLine === false;
    byId("no-line").hidden = !off;
  }

  // --- the answer, and what this phone has sent ---

  showDone(parcel) {
    this.form.hidden = true;
    const sent = parcel.state === "sent";
    const photos = unsentPhotos(parcel).length;
    const address = sent ? new URL(parcel.link, location.href).href : "";
    const copy = async (event) => {
      await navigator.clipboard?.writeText(address).catch(() => {});
      event.target.textContent = say("report.done_copied");
    };
    const heading = el("h2", { tabindex: "-1" }, parcel.state === "refused" ? say("report.refused", { why: parcel.problem }) : say(sent ? "report.done_title" : "report.done_waiting"));
    fill(
      byId("done"),
      heading,
      !sent && parcel.state !== "refused" && el("p", {}, say("report.done_waiting_hint")),
      parcel.state === "refused" && el("button", { type: "button", class: "button primary", click: () => this.mend(parcel) }, say("report.edit")),
      sent && el("p", { class: "lead" }, `${say("report.done_number")} `, el("b", { id: "done-number" }, parcel.number)),
      sent && photos > 0 && el("p", { role: "status" }, say("report.waiting_photos", { n: photos })),
      sent && el("p", {}, say("report.done_link")),
      sent && el("p", { class: "done-acts" }, el("a", { class: "button primary", id: "done-link", href: `${parcel.link}?lang=${language()}` }, say("report.done_open")), el("button", { type: "button", class: "button", click: copy }, say("report.done_copy"))),
      el("p", {}, el("button", { type: "button", class: "plain", id: "another", click: () => this.another() }, say("report.done_another"))),
    );
    const opened = byId("done").hidden;
    byId("done").hidden = false;
    document.body.dataset.step = "done";
    if (opened) {
      heading.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
  }

  another() {
    this.current = "";
    this.turn(0);
  }

  async mend(parcel) {
    this.current = "";
    await this.takeUp(parcel, "");
    await this.save();
    this.turn(STEPS.length - 1);
  }

  async showParcels() {
    const parcels = (await all().catch(() => [])).filter((parcel) => parcel.state !== "draft");
    byId("parcels").hidden = !parcels.length;
    fill(byId("parcel-list"), parcels.map((parcel) => this.row(parcel)));
  }

  row(parcel) {
    const photos = unsentPhotos(parcel).length;
    const how = {
      waiting: say("report.waiting"),
      refused: say("report.refused", { why: parcel.problem }),
      sent: photos ? say("report.waiting_photos", { n: photos }) : say(parcel.kind === "witness" ? "report.witnessed" : "report.sent"),
    }[parcel.state];
    const again = async () => {
      await put({ ...parcel, again: 0 });
      await this.flush();
    };
    const gone = async () => {
      await drop(parcel.id);
      await this.showParcels();
    };
    return el(
      "li",
      { class: `parcel parcel-${parcel.state}`, dataset: { state: parcel.state } },
      parcel.link ? el("a", { href: `${parcel.link}?lang=${language()}` }, parcel.number) : el("b", {}, parcel.what || parcel.number || say("report.draft")),
      el("span", {}, how),
      parcel.state === "waiting" && el("button", { type: "button", class: "plain", click: again }, say("report.retry")),
      parcel.state === "refused" && el("button", { type: "button", class: "plain", click: () => this.mend(parcel) }, say("report.edit")),
      parcel.state !== "waiting" && !photos && el("button", { type: "button", class: "plain", click: gone }, say("report.drop")),
    );
  }
}

const flat = (tree) => tree.flatMap((one) => [one, ...flat(one.children)]);

function picture(one) {
  const drawn = document.getElementById(`c-${one.icon}`) ? `c-${one.icon}` : "c-dot";
  const svg = icon(drawn, "kind-icon");
  svg.firstElementChild.setAttribute("href", `#${drawn}`);
  return svg;
}
