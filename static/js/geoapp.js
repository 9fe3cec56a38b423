/** The door between Folium's script and ours: each element of the map is one call of `GeoApp`. */

import { readAddress } from "./address.js";
import { addBaseMap, escapeText } from "./basemap.js";
import { startDesk } from "./desk.js";
import { startEmbed } from "./embed.js";
import { gcj02Crs } from "./gcj02.js";
import { startDryRun, startSettlement, startUnclear } from "./land.js";
import { IssueLayer } from "./issues.js";
import { startIssuePage } from "./issuepage.js";
import { startListForm, startLists, startProject } from "./lists.js";
import { startMapPage } from "./mappage.js";
import { startMeeting, startMeetings } from "./meeting.js";
import { startPlanning } from "./planning.js";
import { PolygonLayer } from "./polygons.js";
import { count } from "./ready.js";
import { startReport } from "./report.js";
import { Sheet } from "./sheet.js";
import { stillness } from "./theme.js";
import { addTools, goHome } from "./tools.js";
import { say, speak, titleOf } from "./words.js";

const layers = [];
const carried = JSON.parse(document.getElementById("geoapp-config")?.textContent || "{}");
speak(carried);

window.GeoApp = {
  map: makeMap,
  baseMap: addBaseMap,
  layer: makeLayer,
  start,
  /** What is drawn of the issues, in the view. */
  visible: () => layers.flatMap((layer) => layer.visible?.() ?? []),
  /** How often the map has become ready. */
  get loads() {
    return count();
  },
};

/** @param {string} id @param {{bounds?: number[][], crs?: string, reviewNo?: string, maxZoom?: number}} options */
function makeMap(id, options = {}) {
  const { bounds, crs, reviewNo, ...rest } = options;
  const map = L.map(id, {
    maxZoom: 19,
    minZoom: 3,
    maxBoundsViscosity: 0.6,
    ...rest,
    crs: crs === "gcj02" ? gcj02Crs(L) : L.CRS.EPSG3857,
    zoomControl: false,
    zoomAnimation: !stillness.matches,
    fadeAnimation: !stillness.matches,
    inertia: !stillness.matches,
  });
  map.home = L.latLngBounds(bounds ?? [[28.45, 106.38], [29.2, 107.06]]);
  map.attributionControl.setPrefix(false);
  if (reviewNo) map.attributionControl.addAttribution(escapeText(say("map.review", { no: reviewNo })));
  map.getContainer().setAttribute("aria-label", say("map.label"));
  map.getContainer().setAttribute("role", "application");
  addTools(map);
  const { at } = readAddress();
  if (at) map.setView([at.lat, at.lon], at.zoom);
  else goHome(map);
  map.sheet = new Sheet(map);
  new ResizeObserver(() => map.invalidateSize({ animate: false, pan: false })).observe(map.getContainer());
  return map;
}

/** One layer of a layer file; whether it is shown is decided by the caller and by the address. */
function makeLayer(spec) {
  const layer = spec.kind === "issues" ? new IssueLayer(spec) : new PolygonLayer(spec);
  const credit = titleOf(spec.credit);
  if (credit) layer.getAttribution = () => escapeText(credit);
  layers.push(layer);
  return layer;
}

function start(map, config = carried) {
  speak(config);
  const begin = { issue: startIssuePage, desk: startDesk, unclear: startUnclear, settlement: startSettlement, dryrun: startDryRun, planning: startPlanning, report: startReport, embed: startEmbed, meetings: startMeetings, meeting: startMeeting, lists: startLists, listform: startListForm, project: startProject }[document.body.dataset.page] ?? startMapPage;
  map.started = true;
  begin(map, config, layers);
  for (const layer of layers) if (map.hasLayer(layer)) layer.look();
}
