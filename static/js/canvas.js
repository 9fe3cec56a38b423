/**
 * A canvas over the view that moves with the map while it is dragged and scales while it zooms.
 * It is a little larger than the view; when a drag shows its edge it is painted again.
 */

import { check } from "./ready.js";

const PADDING = 0.2;

/**
 * @typedef {object} View
 * @property {number} zoom the map's zoom
 * @property {number} dpr device pixels per CSS pixel
 * @property {{x: number, y: number}} origin world pixel of the canvas's corner at that zoom
 * @property {{x: number, y: number}} size CSS pixels
 * @property {L.Bounds} world the painted rectangle in world pixels
 */

export const MapCanvas = L.Renderer.extend({
  options: { padding: PADDING },

  /** `paint(ctx, view)` draws all; the context is cleared and scaled to CSS pixels. */
  initialize(pane, paint) {
    L.Renderer.prototype.initialize.call(this, { pane });
    this._paint = paint;
    this._dirty = true;
  },

  getEvents() {
    return { ...L.Renderer.prototype.getEvents.call(this), move: this._onMove, resize: this._update };
  },

  /** Paints in the next frame. */
  redraw() {
    this._dirty = true;
    if (this._frame || !this._map) return;
    this._frame = requestAnimationFrame(() => {
      this._frame = null;
      this.paintNow();
    });
  },

  settled() {
    return !this._dirty;
  },

  paintNow() {
    if (!this._map || !this._bounds) return;
    const view = this.view();
    const width = Math.round(view.size.x * view.dpr);
    const height = Math.round(view.size.y * view.dpr);
    const canvas = this._container;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
      canvas.style.width = `${view.size.x}px`;
      canvas.style.height = `${view.size.y}px`;
    }
    if (this._placed !== this._bounds) {
      L.DomUtil.setPosition(canvas, this._bounds.min);
      this._placed = this._bounds;
    }
    this._ctx.setTransform(1, 0, 0, 1, 0, 0);
    this._ctx.clearRect(0, 0, width, height);
    this._ctx.setTransform(view.dpr, 0, 0, view.dpr, 0, 0);
    this._dirty = false;
    this._paint(this._ctx, view);
    check();
  },

  /** What is to be painted now. @returns {View} */
  view() {
    const origin = this._map.getPixelOrigin().add(this._bounds.min);
    const size = this._bounds.getSize();
    return {
      zoom: this._map.getZoom(),
      dpr: Math.min(window.devicePixelRatio || 1, 3),
      origin,
      size,
      world: L.bounds(origin, origin.add(size)),
    };
  },

  _initContainer() {
    this._container = document.createElement("canvas");
    this._container.className = "sheet";
    this._container.setAttribute("aria-hidden", "true");
    this._ctx = this._container.getContext("2d");
  },

  _destroyContainer() {
    cancelAnimationFrame(this._frame);
    this._frame = null;
    this._container.remove();
  },

  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    this._dirty = true;
    this.paintNow();
  },

  /** While dragging: nothing, until the edge of what is painted comes near. */
  _onMove() {
    if (!this._bounds || this._map._animatingZoom || this._zoom !== this._map.getZoom()) return;
    const corner = this._map.containerPointToLayerPoint([0, 0]);
    const seen = L.bounds(corner, corner.add(this._map.getSize()));
    if (this._bounds.contains(seen)) return;
    this._update();
    this.fire("moved");
  },

  _updatePaths() {},
});
