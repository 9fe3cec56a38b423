/** The small map of one issue's page: the place with its extent, and the boundaries around it. */

import { Line } from "./api.js";
import { startComparing } from "./photos.js";
import { partsOf, Selection } from "./selection.js";
import { expect } from "./ready.js";

export async function startIssuePage(map, config, layers) {
  startComparing(document);
  for (const layer of layers) {
    const wanted = layer.spec.show !== false || (layer.spec.id === "jurisdictions" && document.body.classList.contains("work-page"));
    if (layer.spec.kind === "issues" || !wanted) layer.remove();
    else layer.addTo(map);
  }
  map.scrollWheelZoom.disable();
  const selection = new Selection(map);
  selection.ringed = false;
  const frame = document.getElementById("map-frame");
  let feature;
  try {
    feature = await new Line().ask(frame.dataset.source);
  } catch {
    return;
  }
  if (!feature?.geometry) return;
  const [lon, lat] = feature.geometry.coordinates;
  const { extent } = feature.properties;
  selection.show({ ...feature.properties, lat, lon });
  if (extent) map.fitBounds(boundsOf(extent, [lat, lon]).pad(0.6), { maxZoom: 18, animate: false });
  else map.setView([lat, lon], 16, { animate: false });
  expect();
}

function boundsOf(geometry, place) {
  const bounds = L.latLngBounds([place]);
  for (const part of partsOf(geometry)) {
    const flat = part.coordinates.flat(Infinity);
    for (let i = 0; i < flat.length; i += 2) bounds.extend([flat[i + 1], flat[i]]);
  }
  return bounds;
}
