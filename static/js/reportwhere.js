/** Where it is: the place under the cross, by hand, by the phone or by a photo; a line or an area; and whose it is. */

import { Line } from "./api.js";
import { el, fill } from "./dom.js";
import { expect } from "./ready.js";
import { colour } from "./theme.js";
import { goHome } from "./tools.js";
import { metres, say, squareMetres } from "./words.js";

const CLOSE = 17;
const CLOSE_ENOUGH = 14;
const MOST_ALIKE = 3;
const SAME_M = 2;
const byId = (id) => document.getElementById(id);

export class Where {
  /** @param {{category: () => string, words: () => string, changed: () => void, witness: (issue: object) => void}} report */
  constructor(map, report) {
    this.map = map;
    this.report = report;
    this.lines = { whose: new Line(), alike: new Line() };
    this.place = null;
    this.photoPlace = null;
    this.by = "pin";
    this.accuracy = null;
    this.edge = null;
    this.kind = "point";
    this.corners = [];
    this.drawn = L.layerGroup().addTo(map);
    this.circle = null;
    map.on("moveend", () => this.moved());
    map.on("click", (event) => map.panTo(event.latlng));
    byId("use-here").addEventListener("click", () => this.locate());
    byId("use-photo").addEventListener("click", () => this.photoPlace && this.go(this.photoPlace, "exif", say("report.photo_place")));
    byId("draw-kind").addEventListener("change", (event) => this.draw(event.target.value));
    byId("draw-add").addEventListener("click", () => this.addCorner());
    byId("draw-undo").addEventListener("click", () => this.undo());
  }

  /** The map has come into view. */
  show() {
    this.map.invalidateSize({ animate: false, pan: false });
    if (this.place) this.map.setView([this.place.lat, this.place.lon], Math.max(this.map.getZoom(), CLOSE), { animate: false });
    else if (this.photoPlace) this.go(this.photoPlace, "exif", say("report.photo_place"));
    else if (!this.seen) goHome(this.map, { animate: false });
    this.seen = true;
    this.settle();
    expect();
  }

  /** Takes over what a draft or a link knows. */
  restore({ lat, lon, placed_by: by = "pin", accuracy_m: accuracy = null, extent = null }) {
    if (!Number.isFinite(lat) || !Number.isFinite(lon)) return;
    Object.assign(this, { place: { lat, lon }, given: { lat, lon }, by, accuracy });
    if (extent) this.takeExtent(extent);
  }

  offerPhoto(place) {
    this.photoPlace = place;
    byId("use-photo").hidden = !place;
  }

  go(place, by, words, accuracy = null) {
    this.by = by;
    this.accuracy = accuracy;
    this.given = place;
    this.note(words);
    this.map.setView([place.lat, place.lon], Math.max(this.map.getZoom(), CLOSE), { animate: false });
    this.settle();
  }

  locate() {
    if (!navigator.geolocation) {
      this.note(say("report.gps_failed"));
      return;
    }
    this.note(say("report.gps_wait"));
    const found = ({ coords }) => {
      const { latitude: lat, longitude: lon, accuracy } = coords;
      this.circle?.remove();
      this.circle = L.circle([lat, lon], { radius: accuracy, color: colour("accent"), weight: 1.5, fillOpacity: 0.12, interactive: false }).addTo(this.map);
      this.go({ lat, lon }, "gps", say("report.gps_found", { n: metres(accuracy) }), Math.round(accuracy * 10) / 10);
    };
    const failed = (error) => this.note(say(error.code === 1 ? "report.gps_denied" : "report.gps_failed"));
    navigator.geolocation.getCurrentPosition(found, failed, { enableHighAccuracy: true, timeout: 15_000, maximumAge: 10_000 });
  }

  note(words) {
    byId("where-note").textContent = words;
  }

  moved() {
    // A map that is put away shrinks to nothing, and its middle with it.
    if (!this.seen || !this.map.getContainer().clientHeight) return;
    // A view is also said to have moved when only its frame has.
    if (!this.isGiven()) Object.assign(this, { by: "pin", accuracy: null, given: null });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), 250);
  }

  /** The place under the cross counts; asks whose it is and what is there already. */
  settle() {
    if (!this.map.getContainer().clientHeight) return;
    const { lat, lng } = this.map.getCenter();
    const { lat: y, lon: x } = this.isGiven() ? this.given : { lat, lon: lng };
    this.place = { lat: round(y), lon: round(x) };
    // A question about the place before is none about this one.
    if (this.edge && this.edge.at !== this.atText()) this.forgetEdge();
    this.report.changed();
    this.lookUp();
  }

  /** True while the cross lies where the phone, a photo or a draft has put it. */
  isGiven() {
    return Boolean(this.given) && this.map.getCenter().distanceTo([this.given.lat, this.given.lon]) < SAME_M;
  }

  async lookUp() {
    const box = byId("goes-to");
    const { lat, lon } = this.place;
    const where = [["lat", lat], ["lon", lon], ...(this.report.category() ? [["category", this.report.category()]] : [])];
    try {
      const [whose, alike] = await Promise.all([
        this.lines.whose.ask("/api/whose", where),
        this.lines.alike.ask("/api/duplicates", [...where, ...(this.report.words() ? [["text", this.report.words()]] : [])]),
      ]);
      if (whose) this.showWhose(whose);
      if (alike) this.showAlike(alike.features.filter((one) => one.properties.likeness.likely).slice(0, MOST_ALIKE));
    } catch (error) {
      this.forgetEdge();
      fill(byId("alike"));
      fill(box, el("p", { class: "hint" }, error.status ? error.message : say("report.no_whose")));
    }
    box.dataset.at = `${lat},${lon}`;
    expect();
  }

  showWhose({ community, near = [], candidates = [], verdict }) {
    const inside = candidates.filter((one) => one.inside).map((one) => one.unit_name);
    const names = [...new Set(inside)];
    const params = { community: community?.name ?? "", unit: names[0], units: names.join(say("list_comma")) };
    const sentence = !community
      ? say("report.goes_outside")
      : names.length === 0
        ? say("report.goes_nobody", params)
        : names.length > 1 || verdict === "contested"
          ? say("report.goes_several", params)
          : say("report.goes_unit", params);
    fill(byId("goes-to"), el("h3", {}, say("report.goes_to")), el("p", {}, sentence));
    const other = near[0]?.name;
    const asked = community && other && this.by !== "gps" ? other : "";
    if (!asked) {
      this.forgetEdge();
    } else if (this.edge?.other !== other || this.edge.at !== this.atText()) {
      this.edge = { other, at: this.atText(), answered: false };
      this.askEdge();
    }
  }

  askEdge() {
    const yes = () => {
      this.edge.answered = true;
      fill(byId("edge"), el("p", { class: "said", role: "status" }, say("report.edge_yes")));
    };
    fill(
      byId("edge"),
      el("p", {}, say("report.edge_ask", { other: this.edge.other })),
      el("button", { type: "button", class: "button", id: "edge-yes", click: yes }, say("report.edge_yes")),
    );
  }

  forgetEdge() {
    this.edge = null;
    fill(byId("edge"));
  }

  atText() {
    return `${this.place.lat},${this.place.lon}`;
  }

  /** What must be done before going on; empty when nothing. */
  lacking() {
    if (this.by === "pin" && this.map.getZoom() < CLOSE_ENOUGH) return say("report.zoom_in");
    return this.edge && !this.edge.answered ? say("report.edge_first") : "";
  }

  showAlike(features) {
    const box = byId("alike");
    if (!features.length) {
      fill(box);
      return;
    }
    const row = ({ properties: issue }) =>
      el(
        "li",
        {},
        issue.photo && el("img", { src: issue.photo.thumb_url, alt: "", width: 72, height: 72, loading: "lazy" }),
        el(
          "div",
          {},
          el("b", {}, issue.title || issue.category_name),
          el("small", {}, [issue.state_name, say("report.alike_far", { n: metres(issue.likeness.distance_m) }), issue.reported_on].join(" · ")),
          issue.group === "open" || issue.group === "in_work"
            ? el("button", { type: "button", class: "button", click: () => this.report.witness(issue) }, say("report.alike_it"))
            : null,
        ),
      );
    fill(box, el("h3", {}, say("report.alike")), el("ol", {}, features.map(row)));
  }

  // --- a line or an area ---

  draw(kind) {
    this.kind = kind;
    this.corners = [];
    this.sketch();
  }

  addCorner() {
    const { lat, lng } = this.map.getCenter();
    this.corners.push([round(lng), round(lat)]);
    this.sketch();
  }

  undo() {
    this.corners.pop();
    this.sketch();
  }

  takeExtent(extent) {
    if (extent.type === "LineString") [this.kind, this.corners] = ["line", extent.coordinates];
    if (extent.type === "Polygon") [this.kind, this.corners] = ["area", extent.coordinates[0].slice(0, -1)];
    byId("draw-kind").value = this.kind;
    this.sketch();
  }

  /** GeoJSON of what is drawn, or null. */
  extent() {
    if (this.kind === "line" && this.corners.length > 1) return { type: "LineString", coordinates: this.corners };
    if (this.kind === "area" && this.corners.length > 2) return { type: "Polygon", coordinates: [[...this.corners, this.corners[0]]] };
    return null;
  }

  sketch() {
    this.drawn.clearLayers();
    const places = this.corners.map(([lon, lat]) => [lat, lon]);
    const look = { color: colour("open"), weight: 3, fillColor: colour("open"), fillOpacity: 0.18, interactive: false };
    if (this.kind === "area" && places.length > 2) L.polygon(places, look).addTo(this.drawn);
    else if (places.length > 1) L.polyline(places, look).addTo(this.drawn);
    for (const place of places) L.circleMarker(place, { ...look, radius: 5, fillOpacity: 1 }).addTo(this.drawn);
    byId("draw-tools").hidden = this.kind === "point";
    byId("draw-undo").disabled = this.corners.length === 0;
    byId("draw-hint").textContent = this.told();
    this.report.changed();
  }

  told() {
    if (this.kind === "point") return "";
    const places = this.corners.map(([lon, lat]) => L.latLng(lat, lon));
    if (this.kind === "line" && places.length > 1) {
      const length = places.slice(1).reduce((sum, place, i) => sum + place.distanceTo(places[i]), 0);
      return say("report.drawn_line", { n: metres(length) });
    }
    if (this.kind === "area" && places.length > 2) return say("report.drawn_area", { n: squareMetres(Math.round(areaOf(places))) });
    return say(`report.draw_${this.kind}_hint`);
  }
}

const round = (degrees) => Math.round(degrees * 1e7) / 1e7;

/** Square metres of a small ring, by its local flat picture; only shown, the server computes its own. */
function areaOf(places) {
  const [first] = places;
  const flat = places.map(({ lat, lng }) => [(lng - first.lng) * 111_320 * Math.cos((first.lat * Math.PI) / 180), (lat - first.lat) * 110_574]);
  const twice = flat.reduce((sum, [x, y], i) => {
    const [nx, ny] = flat[(i + 1) % flat.length];
    return sum + x * ny - nx * y;
  }, 0);
  return Math.abs(twice) / 2;
}
