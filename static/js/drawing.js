/** Choosing by drawing: a lasso with mouse, pen or finger, or a corridor along a street. Pure geometry at the end. */

import { colour } from "./theme.js";

const CLOSE_PX = 4;

/** Is a place inside a ring of places? Both are {lat, lng}; across a community the earth is flat. */
export function inRing(ring, { lat, lng }) {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
    const [a, b] = [ring[i], ring[j]];
    if (a.lat > lat !== b.lat > lat && lng < ((b.lng - a.lng) * (lat - a.lat)) / (b.lat - a.lat) + a.lng) inside = !inside;
  }
  return inside;
}

/** Metres from a place to a line of places. */
export function metresTo(line, place) {
  const east = 111320 * Math.cos((place.lat * Math.PI) / 180);
  const flat = ({ lat, lng }) => [(lng - place.lng) * east, (lat - place.lat) * 110574];
  let nearest = Infinity;
  for (let i = 1; i < line.length; i += 1) {
    const [[ax, ay], [bx, by]] = [flat(line[i - 1]), flat(line[i])];
    const [dx, dy] = [bx - ax, by - ay];
    const along = dx || dy ? Math.max(0, Math.min(1, -(ax * dx + ay * dy) / (dx * dx + dy * dy))) : 0;
    nearest = Math.min(nearest, Math.hypot(ax + along * dx, ay + along * dy));
  }
  return nearest;
}

/** Follows one stroke on the map and hands its ring on; `cancel()` gives it up. */
export class Lasso {
  constructor(map, done) {
    this.map = map;
    this.done = done;
    this.frame = map.getContainer();
    this.ring = [];
    this.line = L.polygon([], { color: colour("accent"), weight: 2.5, fillColor: colour("accent"), fillOpacity: 0.1, interactive: false }).addTo(map);
    map.dragging.disable();
    map.touchZoom.disable();
    this.frame.classList.add("drawing");
    this.down = (event) => this.begin(event);
    this.frame.addEventListener("pointerdown", this.down, true);
  }

  begin(event) {
    if (event.button !== 0 || event.target.closest("button, a, input, label, #legend, #choosing")) return;
    event.preventDefault();
    event.stopPropagation();
    this.ring = [];
    this.last = null;
    this.add(event);
    const move = (step) => {
      if (step.pointerId === event.pointerId) this.add(step);
    };
    const end = (step) => {
      if (step.pointerId !== event.pointerId) return;
      window.removeEventListener("pointermove", move, true);
      window.removeEventListener("pointerup", end, true);
      window.removeEventListener("pointercancel", end, true);
      const { ring } = this;
      // The click that follows a stroke is not a click on the map.
      this.frame.addEventListener("click", (click) => click.stopPropagation(), { capture: true, once: true });
      setTimeout(() => this.done(step.type === "pointerup" && ring.length > 2 ? ring : null));
    };
    window.addEventListener("pointermove", move, true);
    window.addEventListener("pointerup", end, true);
    window.addEventListener("pointercancel", end, true);
  }

  add(event) {
    const box = this.frame.getBoundingClientRect();
    const point = L.point(event.clientX - box.left, event.clientY - box.top);
    if (this.last && this.last.distanceTo(point) < CLOSE_PX) return;
    this.last = point;
    this.ring.push(this.map.containerPointToLatLng(point));
    this.line.setLatLngs(this.ring);
  }

  cancel() {
    this.frame.removeEventListener("pointerdown", this.down, true);
    this.frame.classList.remove("drawing");
    this.map.dragging.enable();
    this.map.touchZoom.enable();
    this.line.remove();
  }
}

/** A line corner by corner (click, or Enter for the middle of the map), with so many metres on either side. */
export class Corridor {
  constructor(map, changed) {
    this.map = map;
    this.changed = changed;
    this.line = [];
    this.metres = 30;
    this.band = L.polyline([], { color: colour("accent"), opacity: 0.22, interactive: false, lineCap: "round" }).addTo(map);
    this.axis = L.polyline([], { color: colour("accent"), weight: 2.5, dashArray: "7 5", interactive: false }).addTo(map);
    this.click = (event) => this.add(event.latlng);
    this.key = (event) => {
      if (event.key === "Enter" && event.target === map.getContainer()) this.add(map.getCenter());
    };
    this.zoomed = () => this.draw();
    map.doubleClickZoom.disable();
    map.on("zoomend", this.zoomed);
    map.getContainer().addEventListener("keydown", this.key);
    map.getContainer().classList.add("picking");
  }

  add(place) {
    this.line.push(place);
    this.draw();
  }

  widen(metres) {
    this.metres = metres;
    this.draw();
  }

  draw() {
    const { lat } = this.map.getCenter();
    const perPixel = (40075016.7 * Math.cos((lat * Math.PI) / 180)) / (256 * 2 ** this.map.getZoom());
    this.axis.setLatLngs(this.line);
    this.band.setLatLngs(this.line).setStyle({ weight: Math.max(6, (2 * this.metres) / perPixel) });
    this.changed(this);
  }

  holds({ lat, lon }) {
    return this.line.length > 1 && metresTo(this.line, { lat, lng: lon }) <= this.metres;
  }

  cancel() {
    this.map.off("zoomend", this.zoomed);
    this.map.getContainer().removeEventListener("keydown", this.key);
    this.map.getContainer().classList.remove("picking");
    this.map.doubleClickZoom.enable();
    this.band.remove();
    this.axis.remove();
  }
}
