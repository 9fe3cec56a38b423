/** The page's address: position, layers, filter and selection, so that a link shows the same view. */

import { pairsOf, queryOf, readFilter } from "./filter.js";

/** @returns {{filter: object, at: ?{zoom: number, lat: number, lon: number}, layers: ?string[], on: string, issue: string, lang: string}} */
export function readAddress(search = location.search) {
  const params = new URLSearchParams(search);
  return {
    filter: readFilter(params),
    at: readPosition(params.get("at")),
    layers: params.has("layers") ? params.get("layers").split(",").filter(Boolean) : null,
    on: /^\d{4}-\d{2}-\d{2}$/.test(params.get("on")) ? params.get("on") : "",
    issue: params.get("issue") ?? "",
    lang: params.get("lang") ?? "",
  };
}

/** The query of a state as read above. */
export function writeAddress(state) {
  const { zoom, lat, lon } = state.at ?? {};
  const pairs = [
    ...pairsOf(state.filter),
    ...(state.layers ? [["layers", state.layers.join(",")]] : []),
    ...(state.on ? [["on", state.on]] : []),
    ...(state.issue ? [["issue", state.issue]] : []),
    ...(state.at ? [["at", `${zoom}/${lat.toFixed(5)}/${lon.toFixed(5)}`]] : []),
    ...(state.lang ? [["lang", state.lang]] : []),
  ];
  const query = queryOf(pairs);
  return query ? `?${query}` : "";
}

function readPosition(text) {
  const [zoom, lat, lon] = (text ?? "").split("/").map(Number);
  const sound = [zoom, lat, lon].every(Number.isFinite) && Math.abs(lat) <= 85 && Math.abs(lon) <= 180;
  return sound && text ? { zoom, lat, lon } : null;
}
