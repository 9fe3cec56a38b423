/** The map page: keeps filter, selection, layers and position, and the address that tells them. */

import { readAddress, writeAddress } from "./address.js";
import { Around, PlaceNames } from "./around.js";
import { Drawer } from "./drawer.js";
import { pairsOf, queryOf } from "./filter.js";
import { FilterBar } from "./filterbar.js";
import { Legend } from "./legend.js";
import { IssueList } from "./list.js";
import { IssuePanel } from "./panel.js";
import { readyToPrint } from "./print.js";
import { expect } from "./ready.js";
import { Selection } from "./selection.js";
import { followPointer } from "./tooltip.js";
import { Whose } from "./whose.js";
import { say } from "./words.js";

const PAUSE = 120;

export function startMapPage(map, config, layers) {
  new MapPage(map, config, layers);
}

class MapPage {
  constructor(map, config, layers) {
    this.map = map;
    this.config = config;
    this.layers = layers;
    this.state = readAddress();
    this.issues = layers.find((layer) => layer.spec.kind === "issues");
    this.selection = new Selection(map);
    this.drawer = new Drawer(map);
    this.filters = new FilterBar(config, (filter) => this.setFilter(filter));
    this.list = new IssueList(this);
    this.panel = new IssuePanel(this);
    this.whose = new Whose(this);
    this.around = new Around(map);
    this.places = new PlaceNames(map, document.querySelector("#filters .search"));
    this.legend = new Legend(this);
    this.showLayers(this.state.layers ?? this.defaultLayers());
    this.issues?.onChange(() => this.list.showTally(this.issues.tally()));
    followPointer(this);
    readyToPrint(map);
    this.listen();
    this.apply();
    this.applyDay();
    if (this.state.issue) this.panel.open(this.state.issue, { reveal: !this.state.at });
    expect();
  }

  listen() {
    const { map } = this;
    let timer = 0;
    map.on("moveend", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.moved(), PAUSE);
    });
    map.on("click", (event) => this.clicked(event));
    map.on("contextmenu", (event) => this.whose.ask(event.latlng));
    window.addEventListener("popstate", () => this.returned());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented) this.close();
    });
  }

  moved() {
    const { lat, lng } = this.map.getCenter();
    this.state.at = { zoom: this.map.getZoom(), lat, lon: lng };
    this.writeAddress();
    this.list.viewChanged();
    this.legend.refresh();
  }

  clicked(event) {
    if (this.whose.picking) {
      this.whose.ask(event.latlng);
      return;
    }
    const hit = this.issues && this.map.hasLayer(this.issues) ? this.issues.under(event.containerPoint) : null;
    if (!hit) this.close();
    else if (hit.group) this.enter(hit.group);
    else if (hit.issues.length > 1) this.panel.openSeveral(hit.issues);
    else this.select(hit.issues[0].number, hit.issues[0]);
  }

  /** Zooms in on a circle, far enough that it comes apart. */
  enter(group) {
    const deeper = this.map.getZoom() + (group.n > 50 ? 2 : 3);
    this.map.setView(group.place, Math.min(deeper, this.map.getMaxZoom()));
  }

  /** Shows one issue; Back leads to where one was. `known` is what the tile or list told already. */
  select(number, known = null) {
    const before = this.state.issue;
    this.state.issue = number;
    this.writeAddress({ push: before !== number, depth: (history.state?.depth ?? 0) + 1 });
    this.panel.open(number, { known, reveal: true });
  }

  /** Leaves issue or place and shows the list again. */
  close() {
    if (this.whose.cancel()) return;
    if (this.state.issue && history.state?.depth) history.go(-history.state.depth);
    else this.closeNow();
  }

  closeNow() {
    this.state.issue = "";
    this.panel.close();
    this.selection.mark(null);
    this.writeAddress();
  }

  /** Back or Forward: filter, layers and issue as the address says; the map stays where it is. */
  returned() {
    const { at, filter } = this.state;
    this.state = { ...readAddress(), at };
    this.showLayers(this.state.layers ?? this.defaultLayers());
    this.applyDay();
    if (queryOf(pairsOf(filter)) !== queryOf(pairsOf(this.state.filter))) this.apply();
    if (this.state.issue) this.panel.open(this.state.issue, { reveal: true });
    else this.panel.close();
    this.writeAddress();
  }

  /** Another day's boundaries; today's are the usual ones and stay out of the address. */
  setDay(day) {
    this.state.on = day === this.config.today ? "" : day;
    this.applyDay();
    this.writeAddress();
  }

  applyDay() {
    for (const layer of this.layers) layer.setDay?.(this.state.on);
    this.legend.refresh();
  }

  setFilter(filter) {
    this.state.filter = filter;
    this.apply();
    this.writeAddress();
  }

  apply() {
    const query = queryOf(pairsOf(this.state.filter));
    this.filters.show(this.state.filter);
    this.issues?.setFilter(query);
    this.list.filterChanged(this.state.filter);
    this.places?.ask(this.state.filter.q);
    this.linkOn(query);
  }

  defaultLayers() {
    return this.layers.filter((layer) => layer.spec.show !== false).map((layer) => layer.spec.id);
  }

  shown() {
    return this.layers.filter((layer) => this.map.hasLayer(layer)).map((layer) => layer.spec.id);
  }

  showLayers(ids) {
    for (const layer of this.layers) {
      if (ids.includes(layer.spec.id)) layer.addTo(this.map);
      else layer.remove();
    }
    this.legend.refresh();
  }

  toggleLayer(id, on) {
    const ids = this.shown().filter((other) => other !== id);
    this.showLayers(on ? [...ids, id] : ids);
    const now = this.shown();
    this.state.layers = now.join() === this.defaultLayers().join() ? null : now;
    this.writeAddress();
    expect();
  }

  writeAddress({ push = false, depth = history.state?.depth ?? 0 } = {}) {
    const address = location.pathname + writeAddress(this.state);
    const kept = { depth: this.state.issue ? depth : 0 };
    if (push) history.pushState(kept, "", address);
    else history.replaceState(kept, "", address);
    this.linkOn(queryOf(pairsOf(this.state.filter)));
  }

  /** The links to the list and to the other language keep what is shown. */
  linkOn(query) {
    const list = document.getElementById("nav-list");
    const other = document.getElementById("nav-lang");
    const withLang = (text) => [text, this.state.lang && `lang=${this.state.lang}`].filter(Boolean).join("&");
    if (list) list.search = withLang(query);
    if (other) other.search = writeAddress({ ...this.state, lang: other.dataset.lang });
  }

  /** Moves the map so that a place lies in the part of it that nothing covers. */
  reveal(place) {
    const size = this.map.getSize();
    const covered = this.drawer.covers();
    const point = this.map.latLngToContainerPoint([place.lat, place.lon]);
    const free = { x: size.x, y: size.y - covered };
    const inside = point.x > 40 && point.y > 40 && point.x < free.x - 40 && point.y < free.y - 40;
    if (inside) return;
    const target = this.map.project([place.lat, place.lon]).add([0, covered / 2]);
    this.map.panTo(this.map.unproject(target));
  }

  /** The title of the browser's tab tells what is open. */
  entitle(text) {
    this.title ??= document.title;
    document.title = text ? say("title.issue", { title: text, page: this.title }) : this.title;
  }
}
