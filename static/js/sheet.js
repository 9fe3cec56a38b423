/** The ground of one map: its polygon layers on one canvas, in order, and their names on another. */

import { MapCanvas } from "./canvas.js";
import { placeLabels } from "./labels.js";
import { watch } from "./ready.js";
import { onTheme } from "./theme.js";

export class Sheet {
  constructor(map) {
    this.map = map;
    this.layers = [];
    this.obstacles = () => [];
    pane(map, "ground", 250);
    pane(map, "issues", 450);
    pane(map, "names", 460);
    pane(map, "selection", 470);
    this.ground = new MapCanvas("ground", (ctx, view) => this.layers.forEach((layer) => layer.paint(ctx, view)));
    this.names = new MapCanvas("names", (ctx, view) => placeLabels(ctx, view, this));
    this.ground.addTo(map);
    this.names.addTo(map);
    this.ground.on("moved", () => this.layers.forEach((layer) => layer.look()));
    watch(this.ground);
    watch(this.names);
    onTheme(() => this.redraw());
  }

  put(layer) {
    this.layers = [...this.layers, layer].sort((a, b) => a.spec.order - b.spec.order);
    this.redraw();
  }

  take(layer) {
    this.layers = this.layers.filter((other) => other !== layer);
    this.redraw();
  }

  redraw() {
    this.ground.redraw();
    this.names.redraw();
  }

  view() {
    return this.map._loaded ? this.ground.view() : null;
  }
}

function pane(map, name, z) {
  const element = map.createPane(name);
  element.style.zIndex = String(z);
  element.style.pointerEvents = "none";
}

/** Shows the layers that are shown where nobody has chosen, and no other. */
export function showUsual(map, layers) {
  for (const layer of layers) {
    if (layer.spec.show === false) layer.remove();
    else layer.addTo(map);
  }
}
