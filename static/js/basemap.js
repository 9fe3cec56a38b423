/** The base map under our layers: image tiles by address, or a local PMTiles file. */

import { onTheme } from "./theme.js";

/**
 * @param {L.Map} map
 * @param {{kind: "xyz"|"raster"|"pmtiles", url: string, attribution?: string, maxZoom?: number,
 *   subdomains?: string}} base
 */
export function addBaseMap(map, base) {
  const credit = escapeText(base.attribution ?? "");
  map.hasBaseMap = true;
  if (base.kind === "pmtiles") return addVectorBase(map, base, credit);
  return L.tileLayer(base.url, {
    attribution: credit,
    maxNativeZoom: base.maxZoom ?? 18,
    maxZoom: map.getMaxZoom(),
    minNativeZoom: base.minZoom ?? 0,
    subdomains: base.subdomains ?? "abc",
    className: "base-map",
  }).addTo(map);
}

/** Attribution is words, never markup. */
export function escapeText(text) {
  return String(text).replace(/[&<>"']/g, (letter) => `&#${letter.codePointAt(0)};`);
}

/** The library for vector base maps is large, so it is loaded only when one is used. */
async function addVectorBase(map, base, credit) {
  await loadScript(document.documentElement.dataset.protomaps);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let layer = null;
  const draw = () => {
    layer?.remove();
    layer = window.protomapsL.leafletLayer({
      url: base.url,
      flavor: dark.matches ? "dark" : "light",
      lang: document.documentElement.lang === "en" ? "en" : "zh-Hans",
      attribution: credit,
      maxDataZoom: base.maxZoom ?? 15,
    });
    layer.addTo(map);
  };
  draw();
  onTheme(draw);
}

function loadScript(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => reject(new Error(`no script at ${address}`)));
    document.head.append(script);
  });
}
